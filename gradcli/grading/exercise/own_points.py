"""A different point for every student, so that copied numbers are wrong.

A task and an ID come in, a task at another point goes out. The same task and ID give the same
point on every machine and in every version of Python, since nothing is drawn but from a hash.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradcli.grading.exercise.lint import Lint
from gradcli.grading.model.task import Task, make_task


@dataclass(frozen=True)
class OwnPoints:
    """The points of a task's students, each as telling as the best that was found for all."""

    task: Task

    @cached_property
    def lint(self) -> Lint:
        """The mistakes of the task."""
        return Lint(self.task)

    @cached_property
    def enough(self) -> tuple[int, int]:
        """What the best point tells."""
        found = self.lint.better("lint", 1)
        return found[0].rank if found else (0, 0)

    def point(self, student: str) -> dict[str, Any]:
        """All inputs of a student's point: the task's own where the program has no other."""
        # What differs between a list and a file's name: blanks, the composition of é.
        known = unicodedata.normalize("NFC", student.strip())
        found = self.lint.better(f"for {known}", 1, self.enough)
        return dict(found[0].inputs if found else self.lint.inputs)

    def of(self, student: str) -> Task:
        """The task at a student's point. Raises `GradcliError` as `make_task` does."""
        return make_task(self.task.program, self.point(student), wrt=self.task.asked)


def own_task(task: Task, student: str) -> Task:
    """A task at the point of one student: what their sheet asks and what it is marked by."""
    return OwnPoints(task).of(student)
