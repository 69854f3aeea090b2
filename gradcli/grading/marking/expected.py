"""What every row should be: the truth, and what follows from the rows handed in.

A task and what was handed in are given. The true accumulators, those that follow from the student's
own, and how far a number may be off are worked out when they are first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from gradcli.grading.marking.handed import Handed
from gradcli.grading.marking.result import Status
from gradcli.grading.model.deadline import Deadline
from gradcli.grading.model.flow import Flow, Key
from gradcli.grading.model.task import Task
from gradcli.grading.model.tolerance import Digits, Tolerance, exact
from gradcli.grading.submission.types import Written

SIDES = (0, 1, -1)
"""The convention at kinks, and the derivatives of both sides: each is accepted."""
MOST_TIED = 4
"""The most operations at a kink that may each have another side."""


@dataclass(frozen=True)
class Scheme:
    """How a submission is marked."""

    tolerance: Tolerance = field(default_factory=Tolerance)
    carried: float = 1.0
    """What a carried row earns of its marks."""
    eta: float | None = None
    """The learning rate, to recognise weights that were updated too early."""
    points: float | None = None
    """What everything is worth together; None for a mark for each row."""

    def share(self, status: Status) -> float:
        """What a row of this status earns of its marks."""
        return {Status.OK: 1.0, Status.CARRIED: self.carried}.get(status, 0.0)


class Expected:
    """The truth about a submission, and what follows from it."""

    def __init__(
        self, task: Task, scheme: Scheme, handed: Handed, deadline: Deadline, sign: float
    ) -> None:
        self.task, self.scheme, self.handed = task, scheme, handed
        self.sign = sign
        """-1 where everything is judged in the direction of descent."""
        self.deadline = deadline
        self.flow = handed.flow
        self.tolerance = scheme.tolerance
        self.implied: dict[Key, Any] = {}
        """Accumulators that were not handed in, as the mistakes so far show them."""
        self.scales: dict[Key, float] = {}
        """The answers of `scale` so far."""

    # --- what follows from what ---

    @cached_property
    def given(self) -> dict[Key, Any]:
        """The gradients that are passed on: those handed in, if their shape is right.

        In the direction of descent the output passes on -1.
        """
        given = {
            key: number.value
            for key, number in self.handed.gradients.items()
            if number is not None and np.shape(number.value) == self.shape(key)
        }
        if self.sign < 0:
            given[self.flow.output] = -np.ones(self.shape(self.flow.output))[()]
        return given

    def shape(self, key: Key) -> tuple[int, ...]:
        """The shape of a variable, and so of its gradient."""
        return np.shape(self.flow.values.get(key, 0.0))

    @cached_property
    def carried(self) -> list[dict[Key, Any]]:
        """What follows from the gradients handed in; on every side of kinks."""
        return truths_of(self.flow, self.given)

    @cached_property
    def parts(self) -> Mapping[Key, Any]:
        """The parts of all accumulators, as they follow."""
        return self.flow.passes(self.given)[1]

    @cached_property
    def truths(self) -> list[dict[Key, Any]]:
        """The true accumulators of the flow that is judged, on every side of kinks."""
        if self.sign > 0:
            return self.upward
        outputs = (self.flow.output, self.task.output)
        return [{k: v if k in outputs else -v for k, v in of.items()} for of in self.upward]

    @cached_property
    def upward(self) -> list[dict[Key, Any]]:
        """The same in the direction of the gradient."""
        task = self.task.flow
        rights = truths_of(task)
        if not self.flow.own:
            return rights
        found: list[dict[Key, Any]] = []
        owns = truths_of(self.flow)
        for i in range(max(len(rights), len(owns))):
            right, own = rights[i % len(rights)], dict(owns[i % len(owns)])
            if self.slipped:
                own |= {
                    key: right[self.flow.name(key)]
                    for key in own
                    if self.flow.name(key) in right
                    and np.shape(right[self.flow.name(key)]) == np.shape(own[key])
                }
            found.append(own | {k: v for k, v in right.items() if k in self.task.vocabulary.inputs})
        return found

    @cached_property
    def slipped(self) -> bool:
        """Whether the student's own output is not the task's."""
        submitted = self.flow.values[self.flow.output]
        true = self.task.flow.values[self.task.output]
        return submitted is None or not self.tolerance.same(self.value(self.flow.output), true)

    def value(self, key: Key) -> Written:
        """A value of the student's, as it was written if it was."""
        return self.handed.values.get(key) or exact(self.flow.values[key])

    @cached_property
    def digits(self) -> Digits:
        """What the digits of the numbers that were handed in leave open."""
        handed = self.handed
        written = {k: n for k, n in handed.gradients.items() if n is not None and k in self.given}
        values = {k: n for k, n in handed.values.items() if np.shape(n.value) == self.shape(k)}
        return Digits(self.flow, values, written, self.tolerance, self.deadline)

    def same(
        self, number: Written, expected: Any, key: Key, *, carried: bool, open_: float = 1.0
    ) -> bool:
        """Whether a number may be the expected gradient of a variable.

        What the digits leave open is taken `open_` times: a wrong number may be more sensitive.
        """
        scale = self.scale(key)
        spread = open_ * self.digits.allowed.gradients.get(key, 0.0) if carried else 0.0
        if np.shape(spread) != np.shape(expected):  # a slip may have another shape
            spread = np.max(spread, initial=0.0)
        return self.tolerance.same(number, expected, spread, scale)

    def scale(self, key: Key) -> float:
        """The size of the largest number that is added up to an accumulator."""
        if key not in self.scales:
            parts = self.parts.get(key, ())
            sizes = (float(np.max(np.abs(part.value), initial=0.0)) for part in parts)
            self.scales[key] = max(sizes, default=0.0)
        return self.scales[key]

    def place(self, key: Key, kind: str) -> tuple[int | None, str]:
        """The line of a row, as far as it has one, and the row as it was written."""
        work, entry = self.handed.work, self.handed.entries.get((key, kind))
        if work is not None:
            lines = work.lines[key] if kind == "gradient" else []
            cell = lines[-1].cell if lines else work.variables.get(key)
            return (None, "") if cell is None else (cell.line, cell.text)
        return (None, "") if entry is None else (entry.line, entry.label)


def truths_of(flow: Flow, given: Mapping[Key, Any] | None = None) -> list[dict[Key, Any]]:
    """The accumulators that follow from the given ones, on every side of kinks."""
    return [flow.passes(given or {}, side=side)[0] for side in sides_of(flow)]


def sides_of(flow: Flow) -> list[int | Mapping[Key, int]]:
    """What may be taken as the derivative at kinks: one side everywhere, or mixed."""
    tied = flow.tied
    if not 2 <= len(tied) <= MOST_TIED:
        return list(SIDES)
    mixed = (dict(zip(tied, sides, strict=True)) for sides in product(SIDES, repeat=len(tied)))
    return [*SIDES, *(one for one in mixed if len(set(one.values())) > 1)]


def status_of(*, right: bool, follows: bool) -> Status:
    """The status of a number that is right or not, and follows from those before it or not."""
    if follows:
        return Status.OK if right else Status.CARRIED
    return Status.INCONSISTENT if right else Status.WRONG
