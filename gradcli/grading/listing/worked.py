"""A listing worked through: one line that can't be computed is one mistake, and all else is judged.

A task and a `Listing` come in, `Work` goes out. What can't be computed, or has the wrong shape,
gets the value that would have followed, and the code is read again with it, until nothing new is
lost.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.grading.listing.code import Code
from gradcli.grading.listing.forward_pass import finished
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
    try:
        return _worked_through(Code.of(listing.source, task), listing, deadline)
    except GradcliError as error:
        error.kind = Kind.SUBMISSION
        raise


def _worked_through(code: Code, listing: Listing, deadline: Deadline) -> Work:
    assumed: dict[str, Any] = {}
    while True:
        deadline.check()
        reader = read_code(code, assumed=assumed)
        work = _staged(reader, listing)
        given = {k: v for k in work.lines if (v := work.submitted(k)) is not None}
        shapes = {key: np.shape(value) for key, value in work.flow.values.items()}
        fitting = {k: v for k, v in given.items() if np.shape(v) == shapes.get(k)}
        lost = {work.label(k): k for k in work.lines if k not in given}
        lost |= _spoiling(work, given, fitting)
        new = [label for label in lost if label not in assumed]
        if not new:
            work.evaluated = _evaluator(code, assumed)
            return work
        follows = work.flow.passes(fitting)[0]
        assumed |= {label: follows.get(lost[label]) for label in new}


def _spoiling(work: Work, given: Collection[Key], fitting: Collection[Key]) -> dict[str, Key]:
    """Gradients of a wrong shape, by their labels, that lines read which can't be computed."""
    lines = (line for key, of in work.lines.items() if key not in given for line in of)
    read = {c.name for line in lines for c in line.cell.reads if c.kind == "gradient"}
    misfits = {work.flow.name(key): key for key in given if key not in fitting}
    return {work.label(key): key for name, key in misfits.items() if name in read}


def _staged(reader: CodeReader, listing: Listing) -> Work:
    """What a reading came to.

    Raises where the budget was used up before all that is asked for was read.
    """
    stopped = reader.exhausted
    try:
        work = finished(Staged(reader).all())
    except GradcliError as error:
        raise (stopped or error) from None
    if stopped is not None:
        found = {work.flow.name(key) for key in work.lines}
        if not set(reader.code.task.wanted("listing")) <= found:
            raise stopped
        line = None if stopped.span is None else listing.line(stopped.span.start)
        work.notes.append(("not-read", line, f"not read to the end: {stopped.message}"))
    return work


def _evaluator(
    code: Code, assumed: Mapping[str, Any]
) -> Callable[[ast.expr, Cell, Mapping[str, Any]], Any]:
    """What gives the value of an expression in the place of a cell's own; None for no value.

    The code is read once more, with the names around every step, when this is first asked.
    """
    again = cache(lambda: read_code(code, assumed=assumed, snapshots=True))

    def evaluated(expression: ast.expr, cell: Cell, given: Mapping[str, Any]) -> Any:
        if cell.step is None:
            return None
        ast.fix_missing_locations(expression)
        return again().evaluated(expression, cell.step, given)

    return evaluated
