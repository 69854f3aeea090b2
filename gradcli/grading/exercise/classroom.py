"""A class: many submissions to one task, each marked on its own.

A `Setting` comes in, what a process needs to mark them, small and without anything that can't be
sent to it; a `Mark` goes out for every submission, whatever is wrong with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.grading.code.graded import graded
from gradcli.grading.exercise.own_points import OwnPoints
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.result import Marked, MarkedRow, Note, Status
from gradcli.grading.model.deadline import SECONDS, Deadline
from gradcli.grading.model.task import Task, make_task
from gradcli.program import Program

MOST_FILES = 5
"""Files of one student that a note lists."""


class Standing(StrEnum):
    """What became of a submission."""

    OK = "ok"
    WRONG = "wrong"
    """Some rows are."""
    OTHER_POINT = "other-point"
    """It is for another point than the task's, so that its numbers are no mistakes."""
    UNREADABLE = "unreadable"
    STOPPED = "stopped"
    """It took too long, or more memory than there is."""


class Submitted(NamedTuple):
    """A file that was handed in."""

    student: str
    path: str
    shown: str
    """Its name within the folder, as reports have it."""


@dataclass(frozen=True)
class Mark:
    """A submission's row in the list of marks."""

    student: str
    file: str
    standing: Standing
    score: float | None = None
    max_score: float | None = None
    mistake: str = ""
    """The first mistake: its tags, with '|' between them where several explain it."""
    line: int | None = None
    reason: str = ""
    """Why it can't be read or was stopped."""
    mistakes: tuple[str, ...] = ()
    """All mistakes that were made, each once."""
    cell: int | None = None
    """Of a notebook: the cell in which the line is."""
    notes: tuple[Note, ...] = ()
    marked: Marked | None = field(default=None, repr=False)
    """Everything that was found, where pages of feedback are made of it."""


@dataclass(frozen=True)
class Setting:
    """What is marked, and how."""

    program: Program
    inputs: Mapping[str, Any]
    asked: tuple[str, ...]
    scheme: Scheme
    folder: str
    """No submission may lie outside of it."""
    own_points: bool
    seconds: float = SECONDS
    """The time limit of a submission."""
    feedback: bool = False
    """Whether a mark keeps all that was found."""

    @classmethod
    def of(cls, task: Task, scheme: Scheme, folder: str, **more: Any) -> Setting:
        """The setting of a task that was read."""
        return cls(task.program, dict(task.result.inputs), task.asked, scheme, folder, **more)

    def task(self) -> Task:
        """The task, made anew."""
        return make_task(self.program, self.inputs, wrt=self.asked)


class Marker:
    """Marks one submission after the other."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.task = setting.task()
        self.points = OwnPoints(self.task)
        if setting.own_points:
            _ = self.points.enough  # what takes longest is done before the clock runs

    def mark(self, submitted: Submitted) -> Mark:
        """The mark of a submission. Raises nothing but what ends the process."""
        try:
            return self._mark(submitted)
        except GradcliError as error:
            return failed(submitted, reason_of(error, submitted.path))
        except MemoryError:
            return failed(submitted, "it takes more memory than there is", Standing.STOPPED)
        except RecursionError:
            return failed(submitted, "it is nested too deep")
        except Exception as error:  # noqa: BLE001 - one submission never stops the others
            what = " ".join(str(error).split())[:200]
            return failed(submitted, f"gradcli itself failed here: {type(error).__name__}: {what}")

    def _mark(self, submitted: Submitted) -> Mark:
        own = self.setting.own_points
        task = self.points.of(submitted.student) if own else self.task
        deadline = Deadline.of(self.setting.seconds)
        path, folder = submitted.path, self.setting.folder
        marked = graded(task, path, path, self.setting.scheme, deadline, inside=folder)
        mark = mark_of(submitted, marked)
        return replace(mark, marked=marked) if self.setting.feedback else mark


def mark_of(submitted: Submitted, marked: Marked) -> Mark:
    """What the list of marks says of a marked submission."""
    roots = marked.roots
    wrong = [row for row in roots if row.status is not Status.INCONSISTENT] or roots
    wrong_here = Standing.OTHER_POINT if marked.elsewhere else Standing.WRONG
    return Mark(
        submitted.student,
        submitted.shown,
        Standing.OK if marked.right else wrong_here,
        marked.score,
        marked.max_score,
        label(roots[0]) if roots else "",
        roots[0].line if roots else None,
        "",
        tuple(dict.fromkeys(label(row) for row in wrong)),
        roots[0].cell if roots else None,
        marked.notes,
    )


def with_files(marks: Sequence[Mark]) -> list[Mark]:
    """The marks, with a note on each file of a student who has handed in several."""
    files: dict[str, list[str]] = {}
    for mark_ in marks:
        files.setdefault(mark_.student, []).append(mark_.file)
    return [
        replace(m, notes=(*m.notes, _several(m.student, of))) if len(of) > 1 else m
        for m in marks
        for of in (files[m.student],)
    ]


def _several(student: str, files: Sequence[str]) -> Note:
    listed = ", ".join(files[:MOST_FILES]) + (", …" if len(files) > MOST_FILES else "")
    return Note("several-files", f"{student} has handed in {len(files)} files: {listed}")


def label(row: MarkedRow) -> str:
    """What a mistake is called: its tags, else its status."""
    return "|".join(row.tags) or str(row.status)


def failed(submitted: Submitted, reason: str, standing: Standing = Standing.UNREADABLE) -> Mark:
    """The row of a submission that could not be marked."""
    return Mark(submitted.student, submitted.shown, standing, reason=reason)


def reason_of(error: GradcliError, path: str) -> str:
    """An error as a reason: one line, without the file's name, which has a column of its own."""
    message = " ".join(error.message.split())
    for subject in (f"'{path}' ", f"{path}: "):
        message = message.removeprefix(subject)
    source, span = error.source, error.span
    line = source.position(span.start)[0] if source is not None and span is not None else None
    if error.kind is not Kind.SUBMISSION:
        message = f"can't be marked: {message}"
    placed = f"line {line}" in message or message.startswith("cell ")
    return message if line is None or placed else f"line {line}: {message}"


def tally(marks: Iterable[Mark]) -> list[tuple[str, int]]:
    """The mistakes and how many submissions have each, most frequent first."""
    count = Counter(mistake for mark in marks for mistake in mark.mistakes)
    return sorted(count.items(), key=lambda item: (-item[1], item[0]))
