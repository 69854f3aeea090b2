"""The student's own forward pass as a flow, or the task's where the student has none.

The cells and lines of a listing (its `Staging`) come in, `Work` goes out: the flow on which the
gradients are judged, and the lines of every gradient, each with the variable that it belongs to.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from gradcli.grading.listing.reader import RETURN
from gradcli.grading.listing.staging import Staging
from gradcli.grading.listing.without_effect import without_effect
from gradcli.grading.listing.work import Cell, Line, Work
from gradcli.grading.model.flow import Flow, Key
from gradcli.grading.model.stage import Stage
from gradcli.grading.model.tolerance import close

WORTH_SAYING = frozenset({"other-point", "passed-over"})
"""Notes on reading that a student has something of."""
FEW = 5e-3
"""How far a number of few digits may be from a value to be it."""


def finished(staging: Staging) -> Work:
    """What the listing came to."""
    found = _Pass(staging)
    work = found.work()
    work.unread.update(found.unread(work.flow.name(work.flow.output)))
    work.unread.update(found.without_effect(work))
    return work


class _Pass:
    def __init__(self, staging: Staging) -> None:
        self.staging = staging
        self.variables, self.gradients = staging.variables, staging.lines.groups
        self.own = staging.variables.own
        self.task, self.vocabulary = staging.task, staging.vocabulary
        said = (n for n in staging.reader.reading.notes if n[0] in WORTH_SAYING)
        self.notes = [*staging.lines.notes, *said]

    def work(self) -> Work:
        self._by_their_inputs()
        output = None if self._as_in_task() else self._output()
        flow, names = self.task, {cell.key: cell.name for cell in self.own}
        problems = {c.key: c.problem for c in self.own if c.problem is not None and c.spoils}
        lost = frozenset(c.key for c in self.own if c.problem is not None)
        if output is not None:
            self.leave_out_strangers()
            stages, values = dict(flow.stages), dict(flow.values)
            values |= {name: self.task.values[name] for name in self.vocabulary.inputs}
            for cell in self.own:
                values[cell.key] = cell.passed_on
                if cell.stage is not None:
                    variables = tuple(read.key for read in cell.reads)
                    stages[cell.key] = Stage(cell.stage.graph, variables, cell.line)
                elif cell.name in self.task.stages and (
                    cell.value is None or self._is_tasks(cell, FEW)
                ):
                    meant = self.task.stages[cell.name]
                    variables = tuple(self._before(cell, read) for read in meant.reads)
                    stages[cell.key] = Stage(meant.graph, variables, cell.line)
            flow = Flow(stages, values, output.key, own=True, names=names)
            self.drop_local_derivatives(flow)
            if any(not set(self._versions(n, flow)) & flow.reached for n in self.gradients):
                flow = merged(flow)
        else:
            self.leave_out()
            given = {c.name: c.value for c in self.own if c.name in flow.values}
            if self._strangers() & set(self.gradients):  # names are the student's own
                known = [c for c in self.own if c.name in given and self._is_tasks(c, FEW)]
                given = {c.name: c.value for c in known}
            shapes = {n: np.shape(self.task.values[n]) for n in given}
            flow = flow.with_values(
                {n: v for n, v in given.items() if v is not None and np.shape(v) == shapes[n]}
            )
            problems = {key.partition("#")[0]: problem for key, problem in problems.items()}
        lines: dict[Key, list[Line]] = {}
        for name, groups in self.gradients.items():
            if output is None and name not in self.task.values:
                continue
            keys = self._versions(name, flow)
            for i, group in enumerate(groups):
                lines.setdefault(keys[min(i, len(keys) - 1)], []).extend(group)
        where = {c.key if flow.own else c.name: c.line or 0 for c in self.own}
        texts = {c.key if flow.own else c.name: c.text for c in self.own}
        numbers = {
            c.key if flow.own else c.name: c.written for c in self.own if c.written is not None
        }
        used = {
            id(r) for of in self.gradients.values() for g in of for n in g for r in n.cell.reads
        }
        for cell in self.variables.spoilt:
            if id(cell) not in used and cell.problem is not None:  # else the row itself is wrong
                problems[cell.name] = cell.problem
                where[cell.name], texts[cell.name] = cell.line or 0, cell.text
        if flow.own:
            numbers = {key: n for key, n in numbers.items() if key in flow.stages}
        return Work(
            flow, lines, where, texts, problems, lost, self.notes, self.variables.originals, numbers
        )

    def unread(self, output: str) -> Iterator[tuple[str, int]]:
        """The names that are neither rows nor used for any, and their lines."""
        reader = self.staging.reader
        known = {*self.vocabulary.nodes, *self.vocabulary.inputs, *self.gradients, output}
        known |= {n.id for n in reader.functions.nodes
                  if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}  # fmt: skip
        known |= {
            cell.name for cell in (*self.own, *self.variables.spoilt) if cell.problem is not None
        }
        pairs = zip(reader.reading.steps, reader.places, strict=True)
        for step, place in pairs:
            name = step.name
            if not place.own or not name.isidentifier() or name in known or name == RETURN:
                continue
            if step.number is not None and self.staging.reading(name).kind != "gradient":
                yield name, step.line

    def without_effect(self, work: Work) -> Iterator[tuple[str, int]]:
        """The labels of gradients without a line that stand in statements without effect."""
        reader = self.staging.reader
        given = {work.flow.name(key) for key in work.lines}
        said = {line for tag, line, _ in self.notes if tag == "passed-over"}
        for label, name, node in without_effect(reader.functions.nodes, self.vocabulary):
            if name not in given and reader.line(node) not in said:
                yield label, reader.line(node)

    def _by_their_inputs(self) -> None:
        """`v = w` and then dv, which is asked for as that with respect to w."""
        counts = Counter(cell.name for cell in self.own)
        for cell in self.own:
            of = cell.source.key if cell.source is not None else ""
            if of not in self.vocabulary.inputs or of in self.gradients or cell.name == of:
                continue
            if counts[cell.name] == 1 and cell.name in self.gradients:
                self.gradients[of] = self.gradients.pop(cell.name)

    def drop_local_derivatives(self, flow: Flow) -> None:
        """`ds = s*(1 - s)`, the derivative of s by what it is made of, is no accumulator."""
        for name in self._strangers() & set(self.gradients):
            (first, *more), *others = self.gradients[name]
            key = self._versions(name, flow)[0]
            stage = flow.stages.get(key)
            if more or others or stage is None or len(stage.reads) != 1 or key == flow.output:
                continue
            apart = not any(read.after_gradients for read in first.cell.reads)
            called = first.text.replace(" ", "").startswith((f"d{name}=", f"d_{name}="))
            if not apart or not called or first.own is None or np.shape(first.own) != stage.shape:
                continue
            values = stage.values([flow.values[stage.reads[0]]])
            sent = stage.backward(values, np.ones(stage.shape)[()]).sent
            local = sum(one.value for one in sent) if sent else None
            if local is not None and close(first.own, local, 1e-9, 1e-12):
                by = flow.name(stage.reads[0])
                text = f"d{name} is the derivative of {name} by {by}, and no row"
                self.notes.append(("local-derivative", first.number, text))
                del self.gradients[name]

    def leave_out_strangers(self) -> None:
        """Leave out gradients by the names of nodes that neither the listing nor the task names."""
        known = {*self.vocabulary.inputs, *self.staging.named, *(cell.name for cell in self.own)}
        for name in [n for n in self.gradients if n not in known]:
            del self.gradients[name]

    def _of_task(self, cell: Cell) -> Key | None:
        """The task's node whose value an own variable has, if there is just one."""
        value = cell.value
        same = [
            key
            for key in self.task.stages
            if value is not None
            and np.shape(value) == np.shape(self.task.values[key])
            and close(value, self.task.values[key], 1e-9, 1e-12)
        ]
        return same[0] if len(same) == 1 else None

    def leave_out(self) -> None:
        """Say which gradients can't be judged, for want of an output that is made of them."""
        last = {cell.name: cell for cell in self.own}
        true = self.task.passes({})[0]
        for name in [n for n in self.gradients if n not in self.task.values and n in last]:
            meant, value = self._of_task(last[name]), self.gradients[name][-1][-1].cell.value
            if meant in true and meant not in self.gradients and value is not None:
                right = np.shape(value) == np.shape(true[meant])
                if right and close(value, true[meant], 1e-6, 1e-12):
                    self.gradients[meant] = self.gradients.pop(name)
        lost = [name for name in self.gradients if name not in self.task.values]
        if lost:
            names = " and ".join(f"delta_{name}" for name in lost)
            are = "is" if len(lost) == 1 else "are"
            text = (
                f"{names} {are} not judged: no line computes {self.vocabulary.output} from "
                f"{' and '.join(lost)}"
            )
            line = self.gradients[lost[0]][0][0].number
            self.notes.append(("no-output", line, text))

    def _as_in_task(self) -> bool:
        """Whether the forward pass is the task's own, if with less or with nothing but numbers.

        Then a gradient may be that of a node that the listing never computes.
        """
        known = [cell for cell in self.own if cell.name in self.task.stages]
        if known and all(cell.written is not None for cell in self.own):
            return len(known) == len(self.own)
        own = {*self.vocabulary.inputs, *(cell.name for cell in self.own)}
        unknown = set(self.gradients) - own
        return bool(
            unknown
            and set(self.gradients) <= set(self.task.values)
            and all(self._is_tasks(cell, 1e-9) for cell in known)
        )

    def _is_tasks(self, cell: Cell, rtol: float) -> bool:
        """Whether a value is that of the task's node of its name."""
        true = self.task.values[cell.name]
        same = cell.value is not None and np.shape(cell.value) == np.shape(true)
        return same and np.allclose(cell.value, true, rtol=rtol, atol=0)

    def _before(self, cell: Cell, name: str) -> Key:
        """The variable of a name that stands before a cell."""
        earlier = self.own[: self.own.index(cell)]
        return next((c.key for c in reversed(earlier) if c.name == name), name)

    def _versions(self, name: str, flow: Flow) -> list[Key]:
        """The variables of a name that the output depends on, the latest first."""
        own = [cell.key for cell in reversed(self.own) if cell.name == name] if flow.own else []
        return [key for key in own if key in flow.reached] or own[:1] or [name]

    def _output(self) -> Cell | None:
        """The student's own output; None if the forward pass is the task's."""
        named = [cell for cell in self.own if cell.name == self.vocabulary.output]
        if named:
            return named[-1]
        true = self.task.values[self.task.output]
        for cell in reversed(self.own):
            same = cell.value is not None and np.shape(cell.value) == np.shape(true)
            if same and np.allclose(cell.value, true, rtol=1e-9, atol=0):
                return cell
        last = self.variables.last_forward
        if last is None or not self._strangers() & set(self.gradients):
            return None
        if self._of_task(last) is not None:
            return None  # from here on the task goes on
        computed = {c.name for c in self.own if c.reads and c.name.isidentifier()}
        return last if computed <= _above(last) else None

    def _strangers(self) -> set[str]:
        """Names of the student's own that the task does not have."""
        return {cell.name for cell in self.own} - set(self.vocabulary.nodes)


def merged(flow: Flow) -> Flow:
    """The flow with each variable that is computed twice as it was the second time.

    `def f(x, y)` and `def grad(x, y)` may both have a `u`; then what the second one is made of
    leads to the output as well. The same flow where that goes in a circle.
    """
    stages = dict(flow.stages)
    latest: dict[str, Key] = {}
    for key in reversed(stages):
        name = flow.name(key)
        later = latest.setdefault(name, key)
        same = later != key and np.shape(flow.values[key]) == np.shape(flow.values[later])
        if same and close(flow.values[later], flow.values[key], 1e-9, 1e-12):
            stages[key] = stages[later]
    order = _ordered(stages)
    return flow if order is None else replace(flow, stages={key: stages[key] for key in order})


def _ordered(stages: Mapping[Key, Stage]) -> list[Key] | None:
    """The variables so that each comes after all it is made of; None where there is a circle."""
    order: dict[Key, None] = {}
    open_: set[Key] = set()
    for start in stages:
        waiting = [start]
        while waiting:
            key = waiting[-1]
            before = [r for r in stages[key].reads if r in stages and r not in order]
            if key in order or not before:
                waiting.pop()
                order.setdefault(key)
                open_.discard(key)
            elif key in open_:
                return None
            else:
                open_.add(key)
                waiting += before
    return list(order)


def _above(cell: Cell) -> set[str]:
    """The names of all that a cell is computed from, itself included."""
    waiting, seen = [cell], {id(cell)}
    names: set[str] = set()
    while waiting:
        one = waiting.pop()
        names.add(one.name)
        new = [read for read in one.reads if id(read) not in seen]
        seen.update(map(id, new))
        waiting += new
    return names
