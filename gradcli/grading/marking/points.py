"""Whether numbers are for the point that they are marked by.

A task and what was handed in come in, a note comes out where that has other inputs: no mistake in
its numbers explains them then, and none is named.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gradcli.diagnostics.error import visible
from gradcli.grading.listing.work import Work
from gradcli.grading.marking.result import ELSEWHERE, Marked, MarkedRow, Note, Status
from gradcli.grading.model.task import Task
from gradcli.grading.submission.types import Values, Written

MOST_NAMES = 4
OTHER_POINT = "other-point"


def at_its_point(task: Task, sheet: Values, marked: Marked) -> Marked:
    """The marks, and the note on a sheet for another point; its wrong rows are no mistakes."""
    note = _other_point(task, sheet)
    if note is None:
        return marked
    rows = tuple(map(_elsewhere, marked.rows))
    return replace(marked, rows=rows, notes=(note, *marked.notes), elsewhere=True)


def numbers_at_their_point(work: Work, marked: Marked) -> Marked:
    """The marks of a listing: where it has another point, its bare numbers are no mistakes."""
    if not any(note.tag == OTHER_POINT for note in marked.notes):
        return marked
    cells = [line.cell for lines in work.lines.values() for line in lines]
    bare = {cell.line for cell in cells if cell.written is not None}
    made = {key for key, stage in work.flow.stages.items() if stage.reads} - set(work.written)
    bare |= {line for key, line in work.forward_lines.items() if key not in made}
    rows = tuple(_elsewhere(row) if row.line in bare else row for row in marked.rows)
    found = replace(marked, rows=rows)
    wrong = any(row.status is not Status.MISSING for row in found.roots)
    return replace(found, elsewhere=any(row.elsewhere for row in rows) and not wrong)


def _elsewhere(row: MarkedRow) -> MarkedRow:
    """The row as one that isn't judged, where it is wrong."""
    if row.status not in (Status.WRONG, Status.INCONSISTENT):
        return row
    return replace(row, tags=(), message=ELSEWHERE, follow=0, earned=0.0)


def _other_point(task: Task, sheet: Values) -> Note | None:
    """The note on a sheet that is for another point than the task's."""
    true = {name: task.flow.values[name] for name in task.vocabulary.inputs}
    other = [
        _instead(name, number.value, true[name])
        for name, number in dict(sheet.point).items()
        if name in true and not _is_shown_as(true[name], number)
    ]
    if not other:
        return None
    listed = ", ".join(other[:MOST_NAMES]) + (", …" if len(other) > MOST_NAMES else "")
    text = f"the sheet is for another point than the task's: {listed}"
    if sheet.student:
        student = visible(sheet.student)
        text += f"; it was made for {student}: mark it with --for {student}"
    return Note(OTHER_POINT, text)


def _is_shown_as(value: Any, number: Written) -> bool:
    """Whether a value may be written as this number.

    As a sheet prints it, with however many digits from three, or rounded to no less than two.
    """
    if np.shape(value) != np.shape(number.value):
        return False
    if number.digits > 1 and np.all(np.abs(value - number.value) <= number.radius):
        return True
    pairs = zip(np.ravel(value).tolist(), np.ravel(number.value).tolist(), strict=True)
    return all(any(float(f"{v:.{p}g}") == n for p in range(3, 18)) for v, n in pairs)


def _instead(name: str, value: Any, right: Any) -> str:
    if np.ndim(value) or np.ndim(right):
        return f"another {name}"
    return f"{name} = {value:.6g}, not {right:.6g}"
