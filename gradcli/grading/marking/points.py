"""Whether numbers are for the point that they are marked by.

A task and the numbers of a sheet come in, a note comes out where the sheet shows other inputs: no
mistake in its rows explains them then, and none is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gradcli.diagnostics.error import visible
from gradcli.grading.marking.result import Marked, Note, Status
from gradcli.grading.model.task import Task
from gradcli.grading.submission.types import Values

MOST_NAMES = 4
OTHER_POINT = "other-point"
ELSEWHERE = "not judged: the sheet is for another point"


def at_its_point(task: Task, sheet: Values, marked: Marked) -> Marked:
    """The marks, and the note on a sheet for another point; its wrong rows are no mistakes."""
    notes = tuple(other_point(task, sheet))
    if not notes:
        return marked
    rows = (
        replace(row, tags=(), message=ELSEWHERE, follow=0, earned=0.0)
        if row.status in (Status.WRONG, Status.INCONSISTENT)
        else row
        for row in marked.rows
    )
    return replace(marked, rows=tuple(rows), notes=(*notes, *marked.notes), elsewhere=True)


def other_point(task: Task, sheet: Values) -> Iterator[Note]:
    """The note on a sheet that is for another point than the task's."""
    inputs = task.vocabulary.inputs
    given = {name: number.value for name, number in sheet.point if name in inputs}
    other = [
        _instead(name, value, task.flow.values[name])
        for name, value in given.items()
        if not printed_as(task.flow.values[name], value)
    ]
    if not other:
        return
    listed = ", ".join(other[:MOST_NAMES]) + (", …" if len(other) > MOST_NAMES else "")
    text = f"the sheet is for another point than the task's: {listed}"
    if sheet.student:
        student = visible(sheet.student)
        text += f"; it was made for {student}: mark it with --for {student}"
    yield Note(OTHER_POINT, text)


def printed_as(value: Any, number: Any) -> bool:
    """Whether a sheet, with however many digits from three, may show the value as this number."""
    if np.shape(value) != np.shape(number):
        return False
    pairs = zip(np.ravel(value).tolist(), np.ravel(number).tolist(), strict=True)
    return all(any(float(f"{v:.{p}g}") == n for p in range(3, 18)) for v, n in pairs)


def _instead(name: str, value: Any, right: Any) -> str:
    if np.ndim(value) or np.ndim(right):
        return f"another {name}"
    return f"{name} = {value:.6g}, not {right:.6g}"
