"""A listing worked through: one line that can't be computed is one mistake, and all else is judged.

A task and a `Listing` come in, `Work` goes out. What can't be computed, or has the wrong shape,
gets the value that would have followed, and the code is read again with it, until nothing new is
lost.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.grading.listing.forward_pass import finished
from gradcli.grading.listing.functions import Code
from gradcli.grading.listing.reader import CodeReader, read_code
from gradcli.grading.listing.staged import Staged
from gradcli.grading.listing.work import Cell, Work
from gradcli.grading.model.deadline import NEVER, Deadline
from gradcli.grading.model.flow import Key
from gradcli.grading.model.task import Task
from gradcli.grading.submission.types import Listing


def worked_through(task: Task, listing: Listing, deadline: Deadline = NEVER) -> Work:
    """The listing with what would have followed in the place of what can't be computed.

    Raises `GradcliError` of kind submission where it can't be read, or not before the deadline.
    """
    assumed: dict[str, Any] = {}
    code = _Code(task, listing)
    while True:
        deadline.check()
        work = code.worked(assumed)
        given = {k: v for k in work.lines if (v := work.submitted(k)) is not None}
        shapes = {key: np.shape(value) for key, value in work.flow.values.items()}
        fitting = {k: v for k, v in given.items() if np.shape(v) == shapes.get(k)}
        lost = {work.label(k): k for k in work.lines if k not in given}
        lost |= _spoiling(work, given, fitting)
        new = [label for label in lost if label not in assumed]
        if not new:
            return work
        follows = work.flow.passes(fitting)[0]
        assumed |= {label: follows.get(lost[label]) for label in new}


def _spoiling(work: Work, given: Collection[Key], fitting: Collection[Key]) -> dict[str, Key]:
    """Gradients of a wrong shape, by their labels, that lines read which can't be computed."""
    read = {
        cell.name
        for key, lines in work.lines.items()
        if key not in given
        for line in lines
        for cell in line.cell.reads
        if cell.kind == "gradient"
    }
    misfits = {work.flow.name(key): key for key in given if key not in fitting}
    return {work.label(key): key for name, key in misfits.items() if name in read}


class _Code:
    """The code of a listing, read as often as it takes."""

    def __init__(self, task: Task, listing: Listing) -> None:
        self.task, self.listing = task, listing
        try:
            self.code = Code.of(listing.source, task.vocabulary)
        except GradcliError as error:
            error.kind = Kind.SUBMISSION
            raise

    def worked(self, assumed: Mapping[str, Any]) -> Work:
        """What the code comes to with some values assumed."""
        named = self.task.program.statements
        reader = self.read(assumed)
        try:
            work = finished(Staged(reader, self.task.flow, named).all())
        except GradcliError:
            self._expect_whole(reader, set())
            raise
        self._expect_whole(reader, {work.flow.name(key) for key in work.lines})
        if (stopped := reader.exhausted) is not None:
            line = None if stopped.span is None else self.listing.line(stopped.span.start)
            work.notes.append(("not-read", line, f"not read to the end: {stopped.message}"))
        work.evaluated = _Again(self, assumed).evaluated
        return work

    def _expect_whole(self, reader: CodeReader, found: set[str]) -> None:
        """Raise where the budget was used up before all that is asked for was read."""
        stopped = reader.exhausted
        if stopped is not None and not set(self.task.wanted("listing")) <= found:
            stopped.kind = Kind.SUBMISSION
            raise stopped

    def read(self, assumed: Mapping[str, Any], *, snapshots: bool = False) -> CodeReader:
        """Read the code. Raises `GradcliError` of kind submission."""
        task = self.task
        try:
            return read_code(
                self.listing.source, self.code, task.flow.values, task.vocabulary,
                task.result.graph, assumed=assumed, snapshots=snapshots,
            )  # fmt: skip
        except GradcliError as error:
            error.kind = Kind.SUBMISSION
            raise


class _Again:
    """The same reading once more, when it is first asked what other code would have given."""

    def __init__(self, code: _Code, assumed: Mapping[str, Any]) -> None:
        self.code, self.assumed = code, dict(assumed)

    @cached_property
    def reader(self) -> CodeReader:
        """The reading, with the names around every step."""
        return self.code.read(self.assumed, snapshots=True)

    def evaluated(self, code: ast.expr, cell: Cell, given: Mapping[str, Any]) -> Any:
        """The value of an expression in the place of a cell's own; None where it has none."""
        if cell.step is None:
            return None
        ast.fix_missing_locations(code)
        return self.reader.evaluated(code, cell.step, given)
