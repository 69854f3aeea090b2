"""Steps that may have made gradients wrong, and the values that would make them right.

Wrong gradients come in, the steps that they are made of go out, most probable first. Right values
are known in part: the accumulators of the task's nodes, and of the nodes of the code's own forward
pass. The tape is run again with one of them in a step's place, to see which make all right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.code.judged import Judged
from gradcli.grading.code.replay import Replay, same
from gradcli.grading.listing.reader import RETURN
from gradcli.python.steps import Step, reads
from gradcli.python.values import NOWHERE, Array


@dataclass(frozen=True)
class Suspects:
    """Steps that may be at fault, by their places among all, most probable first."""

    steps: list[int]
    right_values: dict[int, Any]
    """Of some: the value that would make everything right."""
    names: dict[int, int]
    """Of some: the last step that gives the same value a name."""
    trusted: list[int]
    """Those whose value is right: what may be missing is missing behind them."""
    plainly: list[int]
    """Those that are looked at first, for an operand or a sign that is wrong and nothing more."""
    handed_on: frozenset[int]
    """Those that call the function that made their value: they are looked at last."""


def suspects_of(marking: Judged, wrong: frozenset[str]) -> Suspects:
    """Steps that wrong gradients are made of, most probable first.

    First those that a right value makes all of them right by; then those that are made of
    nothing that isn't known to be right; then the last lines of the gradients themselves.
    """
    return _Search(marking, wrong).suspects()


class _Search:
    """The tape of code with some wrong gradients."""

    def __init__(self, marking: Judged, wrong: frozenset[str]) -> None:
        self.marking, self.wrong, self.finals = marking, wrong, marking.finals
        self.tape, self.steps = marking.reader.tape, marking.reader.reading.steps
        self.replay = Replay(self.tape)

    def suspects(self) -> Suspects:
        """The steps, most probable first."""
        steps, known = self.steps, [self.finals[n] for n in sorted(self.wrong)]
        last = [final.step for final in known if final.step is not None]
        right_values: dict[int, Any] = {}
        if len(self.wrong) == 1:
            (name,) = self.wrong
            right_values = {i: self.marking.true(name)[()] for i in last}
        nodes = {final.node for final in known if final.node is not None}
        if not nodes:
            return Suspects(last, right_values, {}, [], [], frozenset())
        deadline = self.marking.deadline
        if deadline.clock() > deadline.naming:
            return Suspects(last, right_values, {}, [], [], frozenset())
        matched = self._matched()
        forward = self.replay.above(list(matched.values()))
        chain = self._chain(nodes, forward)
        pool = self._pool(matched, forward)
        inside = takewhile(lambda _: deadline.clock() <= deadline.naming, chain)
        mended = {i: v for i in inside if (v := self._mends(steps[i], pool)) is not None}
        right_values |= mended
        values = [steps[i].whole for i in mended]
        order = sorted(
            mended, key=lambda i: (values.index(steps[i].whole), -len(steps[i].calls), i)
        )
        unsure = [i for i in chain if not any(same(steps[i].number, p) for p in pool)]
        made = {steps[i].whole for i in unsure}
        first = [i for i in unsure if not self._reads(steps[i]) & made]
        doubted = [i for i in order if i in unsure and i not in last]
        trusted = [i for i in order if i not in unsure and i not in last]
        rest = list(dict.fromkeys([*doubted, *last, *trusted, *first, *unsure]))
        names, handed_on = self._last_names(order), self._handed_on(rest)
        plainly = [] if doubted else [i for i in last if i not in handed_on]
        return Suspects(rest, right_values, names, trusted, plainly, handed_on)

    def _chain(self, nodes: set[int], forward: set[int]) -> list[int]:
        """The steps between the forward pass and the wrong gradients."""
        above = self.replay.above(nodes) - forward
        return [
            i
            for i, step in enumerate(self.steps)
            if step.whole in above
            and (step.name != RETURN or not self._is_accumulator(step.number))
        ]

    def _last_names(self, order: list[int]) -> dict[int, int]:
        """For each step the last that gives its value a name: there something may be missing."""
        steps, names = self.steps, {}
        for i in order:
            aliases = [
                j
                for j in order
                if steps[j].whole == steps[i].whole and (j == i or "[" not in steps[j].name)
            ]
            depth = max(len(steps[j].calls) for j in aliases)
            names[i] = max(j for j in aliases if len(steps[j].calls) == depth)
        return names

    def _handed_on(self, of: list[int]) -> frozenset[int]:
        """The steps whose value is that of a step in a function that they call."""
        depths: dict[int | None, int] = {None: 0}
        for step in self.steps:
            if step.whole is not None and step.name != RETURN:
                depths[step.whole] = max(depths.get(step.whole, 0), len(step.calls))
        calls = ((i, self.steps[i]) for i in of)
        return frozenset(i for i, s in calls if len(s.calls) < depths.get(s.whole, 0))

    def _reads(self, step: Step) -> set[int]:
        """The values of other steps that a step's is made of."""
        known = {s.whole for s in self.steps if s.whole is not None} - {step.whole}
        return set() if step.whole is None else set(reads(self.replay.operands, step.whole, known))

    def _is_accumulator(self, number: Any) -> bool:
        """Whether a value is that of a node's true gradient."""
        sign, sides = self.marking.sign, self.marking.sides
        return any(same(number, sign * np.asarray(true)) for true in sides[0].values())

    def _matched(self) -> dict[str, int]:
        """The task's nodes that the code computes too, each with the first node of that value."""
        tape, flow, found = self.tape, self.marking.task.flow, {}
        computed = [i for i, kernel in enumerate(tape.kernels) if kernel is not None]
        sums = np.array([np.sum(tape.values[i]) for i in computed], dtype=float)
        for key in flow.stages:
            value = flow.values[key]
            if not np.size(value) or not np.any(value):
                continue
            far = 1e-5 * np.size(value) * float(np.max(np.abs(value)))
            near = np.flatnonzero(np.abs(sums - np.sum(value)) <= far)
            node = next((computed[i] for i in near if same(tape.values[computed[i]], value)), None)
            if node is not None:
                found[key] = node
        return found

    def _pool(self, matched: Mapping[str, int], forward: set[int]) -> list[Any]:
        """Right values: accumulators of the task's nodes and of the code's own, and values."""
        flow, tape, sign = self.marking.task.flow, self.tape, self.marking.sign
        found = [sign * np.asarray(v) for side in self.marking.sides[:3] for v in side.values()]
        seed = self._seed(matched)
        if seed is not None:
            own = self.replay.accumulators(seed)
            found += [sign * np.asarray(a) for i, a in own.items() if i in forward]
        lengths = sorted({n for t in tape.types for n in t.shape if 1 < n <= 100})
        found += [n * a for a in found[:] for n in lengths]  # deltas of each example
        found += [np.asarray(v) for v in flow.values.values()]
        for stage in flow.stages.values():
            if all(n.operation.elementwise for n in stage.operations()):
                values = stage.values([flow.values[r] for r in stage.reads])
                ones = np.ones(stage.shape)[()]
                found += [np.asarray(s.value) for s in stage.backward(values, ones).sent]
        return found

    def _seed(self, matched: Mapping[str, int]) -> int | None:
        """A number whose gradient is the task's, made of the code's own nodes.

        Each of the task's nodes that the code computes counts with what the stages that it does
        not compute send to it.
        """
        flow, tape = self.marking.task.flow, self.tape
        parts = flow.passes({})[1]
        if flow.output in matched:
            matched = {flow.output: matched[flow.output]}
        total: int | None = None
        for key, node in matched.items():
            sent = [p.value for p in parts.get(key, ()) if p.consumer not in matched]
            if key == flow.output:
                sent = [np.ones(np.shape(flow.values[key]))[()]]
            if not sent:
                continue
            upstream = Array(data=np.asarray(sum(sent[1:], start=sent[0])))
            weighted = tape.apply("mul", (node, tape.operand(upstream)), NOWHERE)
            options = {"axis": None, "keepdims": False}
            one = tape.apply("sum", (weighted,), NOWHERE, options)
            total = one if total is None else tape.apply("add", (total, one), NOWHERE)
        return total

    def _mends(self, step: Step, pool: list[Any]) -> Any:
        """The right value that makes the wrong gradients right in a step's place, else None."""
        node = step.node if step.node is not None else step.whole
        wanted = {n: f.node for n, f in self.finals.items() if f.node is not None}
        if node is None or not self.wrong <= wanted.keys():
            return None
        marking, value = self.marking, self.tape.values[node]
        for candidate in pool:
            if np.shape(candidate) != np.shape(value) or same(candidate, value):
                continue
            try:
                with np.errstate(all="ignore"):
                    changed = self.replay.changed(node, candidate[()], set(wanted.values()))
            except (ValueError, IndexError, GradcliError):
                continue
            if all(marking.is_right(n, changed[wanted[n]]) for n in self.wrong) and all(
                marking.is_right(n, changed[i])
                for n, i in wanted.items()
                if n not in self.wrong and marking.is_right(n, self.finals[n].value)
            ):
                return candidate[()]
        return None
