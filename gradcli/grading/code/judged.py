"""Code that was read at the task's point, and which of its gradients are right.

A task and the code of one submission come in. What the other modules ask goes out: the gradients
that the code ends with, the true ones in its direction, and whether a value is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcli.grading.code.finals import Final, finals
from gradcli.grading.code.replay import same
from gradcli.grading.listing.code import Code
from gradcli.grading.listing.reader import CodeReader, read_code
from gradcli.grading.marking.expected import truths_of
from gradcli.grading.model.deadline import Deadline
from gradcli.grading.model.task import Task
from gradcli.grading.model.tolerance import CODE, Tolerance


class Judged:
    """The code of one submission, its gradients, and which of them are right."""

    def __init__(self, task: Task, code: Code, deadline: Deadline, tolerance: Tolerance) -> None:
        self.task, self.code, self.deadline = task, code, deadline
        self.rtol = max(CODE, min(tolerance.rtol or CODE, tolerance.most))
        self.sides = truths_of(task.flow)
        """The true accumulators, by the convention at kinks and by the others."""
        self.sign = 1.0
        """-1 where everything is judged in the direction of descent."""
        self.asked = task.wanted("listing")
        self.look()

    def look(self, *, snapshots: bool = False) -> None:
        """Read the code, and find its gradients."""
        self.reader = self.read(snapshots=snapshots)
        self.finals = finals(self.reader, self.asked)

    def read(self, *, snapshots: bool = False) -> CodeReader:
        """The code, read as its tree is now. Raises `ExhaustedError` where it takes too much."""
        found = read_code(self.code, snapshots=snapshots)
        if found.exhausted is not None:
            raise found.exhausted
        return found

    def line(self, number: int) -> str:
        """A line of the code."""
        lines = self.code.source.text.split("\n")
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    @property
    def naming_is_over(self) -> bool:
        """Whether the time for naming mistakes is used up."""
        return self.deadline.clock() > self.deadline.naming

    def true(self, name: str) -> Any:
        """The true gradient, in the direction that the code goes."""
        return self.sign * np.asarray(self.sides[0][name])

    def is_right(self, name: str, value: Any) -> bool:
        """Whether a value is the true gradient, on any side of kinks."""
        return any(
            same(value, self.sign * np.asarray(side[name]), self.rtol) for side in self.sides
        )

    def right(self, found: Mapping[str, Final]) -> frozenset[str]:
        """The names whose gradients are right."""
        return frozenset(name for name, final in found.items() if self.is_right(name, final.value))
