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

from gradcli.grading.listing.calls import RETURN
from gradcli.grading.listing.staging import Staging
from gradcli.grading.listing.without_effect import without_effect
from gradcli.grading.listing.work import Cell, Line, Work
from gradcli.grading.model.flow import Flow, Key
from gradcli.grading.model.stage import Stage
from gradcli.grading.model.tolerance import alike

WORTH_SAYING = frozenset({"other-point", "passed-over"})
"""Notes on reading that a student has something of."""
FEW = 5e-3
"""How far a number of few digits may be from a value to be it."""
EXACT = 1e-9
"""The same of a value that was computed."""


def finished(staging: Staging) -> Work:
    """What the listing came to."""
    return _Pass(staging).work()


class _Pass:
    def __init__(self, staging: Staging) -> None:
        self.staging, self.reader = staging, staging.reader
        self.own, self.gradients = staging.own, staging.lines.groups
        self.task, self.vocabulary = staging.task, staging.vocabulary
        self.strangers = {cell.name for cell in self.own} - set(self.vocabulary.nodes)
        """Names of the student's own that the task does not have."""
        said = (n for n in self.reader.reading.notes if n[0] in WORTH_SAYING)
        self.notes = [*staging.lines.notes, *said]

    def work(self) -> Work:
        self._by_their_inputs()
        output = None if self._as_in_task() else self._output()
        flow = self._tasks_flow() if output is None else self._own_flow(output)
        lines: dict[Key, list[Line]] = {}
        for name, groups in self.gradients.items():
            if output is not None or name in self.task.values:
                keys = self._versions(name, flow)
                for i, group in enumerate(groups):
                    lines.setdefault(keys[min(i, len(keys) - 1)], []).extend(group)
        own = {cell.key: cell for cell in self.own}
        problems = {key: c.problem for key, c in own.items() if c.problem is not None and c.spoils}
        if not flow.own:
            own = {cell.name: cell for cell in self.own}
            problems = {key.partition("#")[0]: problem for key, problem in problems.items()}
        of_lines = (line for of in self.gradients.values() for group in of for line in group)
        used = {id(read) for line in of_lines for read in line.cell.reads}
        for cell in self.staging.spoilt:
            if id(cell) not in used and cell.problem is not None:  # else the row itself is wrong
                own[cell.name], problems[cell.name] = cell, cell.problem
        work = Work(flow, lines, own, problems, self.notes, self.staging.originals)
        work.unread |= dict([*self._unread(flow), *self._without_effect(work)])
        return work

    # --- the flow ---

    def _own_flow(self, output: Cell) -> Flow:
        """The student's own forward pass, with the task's stages for what is given as numbers."""
        known = {*self.vocabulary.inputs, *self.reader.code.task.program.statements}
        known |= {cell.name for cell in self.own}
        for name in [n for n in self.gradients if n not in known]:
            del self.gradients[name]  # neither the listing nor the task has such a name
        stages, values = dict(self.task.stages), dict(self.task.values)
        for cell in self.own:
            values[cell.key] = cell.passed_on
            if cell.stage is not None:
                variables = tuple(read.key for read in cell.reads)
                stages[cell.key] = Stage(cell.stage.graph, variables, cell.line)
            elif cell.name in self.task.stages and (cell.value is None or self._is_tasks(cell)):
                meant = self.task.stages[cell.name]
                variables = tuple(self._before(cell, read) for read in meant.reads)
                stages[cell.key] = Stage(meant.graph, variables, cell.line)
        names = {cell.key: cell.name for cell in self.own}
        flow = Flow(stages, values, output.key, own=True, names=names)
        self._drop_local_derivatives(flow)
        if any(not set(self._versions(n, flow)) & flow.reached for n in self.gradients):
            return merged(flow)
        return flow

    def _tasks_flow(self) -> Flow:
        """The task's forward pass, with the values that the student has for its nodes."""
        self._leave_out()
        given = [c for c in self.own if c.name in self.task.values]
        if self.strangers & set(self.gradients):  # names are the student's own
            given = [c for c in given if self._is_tasks(c)]
        values = {c.name: c.value for c in given}
        shapes = {n: np.shape(self.task.values[n]) for n in values}
        return self.task.with_values(
            {n: v for n, v in values.items() if v is not None and np.shape(v) == shapes[n]}
        )

    def _by_their_inputs(self) -> None:
        """`v = w` and then dv, which is asked for as that with respect to w."""
        counts = Counter(cell.name for cell in self.own)
        for cell in self.own:
            of = cell.source.key if cell.source is not None else ""
            if of not in self.vocabulary.inputs or of in self.gradients or cell.name == of:
                continue
            if counts[cell.name] == 1 and cell.name in self.gradients:
                self.gradients[of] = self.gradients.pop(cell.name)

    def _drop_local_derivatives(self, flow: Flow) -> None:
        """`ds = s*(1 - s)`, the derivative of s by what it is made of, is no accumulator."""
        for name in self.strangers & set(self.gradients):
            (first, *more), *others = self.gradients[name]
            key = self._versions(name, flow)[0]
            stage = flow.stages.get(key)
            if more or others or stage is None or len(stage.reads) != 1 or key == flow.output:
                continue
            apart = not any(read.after_gradients for read in first.cell.reads)
            called = first.text.replace(" ", "").startswith((f"d{name}=", f"d_{name}="))
            if not apart or not called or np.shape(first.own) != stage.shape:
                continue
            values = stage.values([flow.values[stage.reads[0]]])
            sent = stage.backward(values, np.ones(stage.shape)[()]).sent
            if sent and alike(first.own, sum(one.value for one in sent), EXACT):
                by = flow.name(stage.reads[0])
                text = f"d{name} is the derivative of {name} by {by}, and no row"
                self.notes.append(("local-derivative", first.number, text))
                del self.gradients[name]

    def _leave_out(self) -> None:
        """Say which gradients can't be judged, for want of an output that is made of them."""
        last = {cell.name: cell for cell in self.own}
        true = self.task.passes({})[0]
        for name in [n for n in self.gradients if n not in self.task.values and n in last]:
            meant = self._of_task(last[name])
            if meant is None or meant not in true or meant in self.gradients:
                continue
            if alike(self.gradients[name][-1][-1].cell.value, true[meant]):
                self.gradients[meant] = self.gradients.pop(name)
        lost = [name for name in self.gradients if name not in self.task.values]
        if lost:
            names = " and ".join(f"delta_{name}" for name in lost)
            are = "is" if len(lost) == 1 else "are"
            text = (
                f"{names} {are} not judged: no line computes {self.vocabulary.output} from "
                f"{' and '.join(lost)}"
            )
            self.notes.append(("no-output", self.gradients[lost[0]][0][0].number, text))

    # --- the task's nodes among the student's ---

    def _as_in_task(self) -> bool:
        """Whether the forward pass is the task's own, if with less or with nothing but numbers.

        Then a gradient may be that of a node that the listing never computes.
        """
        known = [cell for cell in self.own if cell.name in self.task.stages]
        if known and all(cell.written is not None for cell in self.own):
            return len(known) == len(self.own)
        gradients = set(self.gradients)
        unknown = gradients - {*self.vocabulary.inputs, *(cell.name for cell in self.own)}
        return (
            bool(unknown)
            and gradients <= set(self.task.values)
            and all(self._is_tasks(cell, EXACT) for cell in known)
        )

    def _is_tasks(self, cell: Cell, rtol: float = FEW) -> bool:
        """Whether a value is that of the task's node of its name."""
        return alike(cell.value, self.task.values[cell.name], rtol)

    def _of_task(self, cell: Cell) -> Key | None:
        """The task's node whose value an own variable has, if there is just one."""
        values = self.task.values
        same = [key for key in self.task.stages if alike(cell.value, values[key], EXACT)]
        return same[0] if len(same) == 1 else None

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
        true = self.task.values[self.task.output]
        same = named or [cell for cell in self.own if alike(cell.value, true, EXACT)]
        if same:
            return same[-1]
        last = self.staging.last_forward
        if last is None or not self.strangers & set(self.gradients):
            return None
        if self._of_task(last) is not None:
            return None  # from here on the task goes on
        computed = {c.name for c in self.own if c.reads and c.name.isidentifier()}
        return last if computed <= _above(last) else None

    # --- what is no row ---

    def _unread(self, flow: Flow) -> Iterator[tuple[str, int]]:
        """The names that are neither rows nor used for any, and their lines."""
        known = {*self.vocabulary.nodes, *self.vocabulary.inputs, *self.gradients}
        known |= {flow.name(flow.output), RETURN}
        known |= {n.id for n in self.reader.code.nodes
                  if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}  # fmt: skip
        cells = (*self.own, *self.staging.spoilt)
        known |= {cell.name for cell in cells if cell.problem is not None}
        for step, place in zip(self.reader.reading.steps, self.reader.places, strict=True):
            plain = place.own and step.number is not None and step.name.isidentifier()
            if not plain or step.name in known:
                continue
            if self.staging.reading(step.name).kind != "gradient":
                yield step.name, step.line

    def _without_effect(self, work: Work) -> Iterator[tuple[str, int]]:
        """The labels of gradients without a line that stand in statements without effect."""
        given = {work.flow.name(key) for key in work.lines}
        said = {line for tag, line, _ in self.notes if tag == "passed-over"}
        for label, name, node in without_effect(self.reader.code.nodes, self.vocabulary):
            line = self.reader.line(node)
            if name not in given and line not in said:
                yield label, line


def merged(flow: Flow) -> Flow:
    """The flow with each variable that is computed twice as it was the second time.

    `def f(x, y)` and `def grad(x, y)` may both have a `u`; then what the second one is made of
    leads to the output as well. The same flow where that goes in a circle.
    """
    stages = dict(flow.stages)
    latest: dict[str, Key] = {}
    for key in reversed(stages):
        later = latest.setdefault(flow.name(key), key)
        if later != key and alike(flow.values[later], flow.values[key], EXACT):
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
    found = {id(cell): cell}
    waiting = [cell]
    while waiting:
        new = {id(read): read for read in waiting.pop().reads if id(read) not in found}
        found |= new
        waiting += new.values()
    return {one.name for one in found.values()}
