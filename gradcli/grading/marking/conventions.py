"""Conventions of courses, by which gradients are right that aren't the derivatives themselves.

Judged rows come in, and the names whose gradients are asked for; rows that only follow such a
convention come out as right, with the note that says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from gradcli.grading.listing.numbers import alike
from gradcli.grading.marking.result import MarkedRow, Note, Status

EVERY_NEGATED = Note(
    "descent-convention", "every gradient is negated: that is the direction of descent"
)


def of_each_example(name: str, line: int | None) -> Note:
    """The note on a gradient that is the true one times the number of examples."""
    text = f"delta_{name} is that of each example, not divided by their number"
    return Note("per-example", text, line)


def per_example(
    rows: Sequence[MarkedRow], asked: Collection[str]
) -> tuple[list[MarkedRow], list[Note]]:
    """Deltas of each example, `dZ = A - Y`, where the asked gradients divide by their number.

    All of them are the true ones times one number, and what is asked for is true: the rows are
    right then.
    """
    own = [row for row in rows if row.kind == "gradient"]
    final = [row for row in own if row.name in asked and row.submitted is not None]
    true = [row for row in final if row.status is Status.INCONSISTENT]
    between = [row for row in own if row.status is Status.WRONG and row.name not in asked]
    counts = {n for row in between for n in np.shape(row.true) if n > 1 and _is_times(row, n)}
    others = any(row.status in (Status.WRONG, Status.CARRIED) for row in final)
    if not true or others or len(counts) != 1:
        return list(rows), []
    (count,) = counts
    scaled = [row for row in between if _is_times(row, count)]
    right = {id(row) for row in (*scaled, *true)}
    found = [forgiven(row) if id(row) in right else row for row in rows]
    return found, [of_each_example(scaled[0].name, scaled[0].line)]


def forgiven(row: MarkedRow) -> MarkedRow:
    """The row as right, unless there is none."""
    if row.status is Status.MISSING:
        return row
    kept = {"status": Status.OK, "tags": (), "earned": row.max, "message": "", "follow": 0}
    return MarkedRow(**{**vars(row), **kept})


def _is_times(row: MarkedRow, count: int) -> bool:
    """Whether a row is the true one times a number."""
    return alike(row.submitted, count * np.asarray(row.true))
