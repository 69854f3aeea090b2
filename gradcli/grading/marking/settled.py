"""What judged rows come to together.

Rows come in, each judged by itself, and go out with what they cost: nothing where they follow a
course's convention, a line's mistake once, only what is asked for, and each root with the number of
rows that follow from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcli.grading.marking.result import MarkedRow, Note, Status
from gradcli.grading.model.flow import Flow
from gradcli.grading.model.tolerance import alike

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


def one_for_each_line(rows: Iterable[MarkedRow], share: float) -> Iterator[MarkedRow]:
    """A line's mistake counts once, however many turns of a loop and rows it spoils.

    The other rows earn a share of their marks, as what is carried does.
    """
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        message = "" if row.turn else row.message.replace(f"delta_{row.name}", "")
        cause = row.line, row.tags, message
        if row.status is Status.WRONG and cause in seen:
            earned = row.max * share
            yield replace(row, status=Status.CARRIED, tags=(), message="", earned=earned)
        else:
            if row.status is Status.WRONG:
                seen.add(cause)
            yield row


def counted(rows: Iterable[MarkedRow], asked: Collection[str]) -> Iterator[MarkedRow]:
    """The rows, each worth its mark only where its gradient is asked for.

    A root that is not asked for takes its mark off the sum instead.
    """
    left = set(asked)
    for row in rows:
        if row.kind == "gradient" and row.name in left:
            left.remove(row.name)
            yield row
        else:
            lost = -row.max if row.status is Status.WRONG else 0.0
            yield replace(row, earned=lost, max=0.0)


def with_followers(rows: Sequence[MarkedRow], flow: Flow) -> Iterator[MarkedRow]:
    """Every root with the number of carried rows after it that can follow from it."""
    for i, row in enumerate(rows):
        if row.status in (Status.WRONG, Status.INCONSISTENT):
            later = [r.name for r in rows[i + 1 :] if r.status is Status.CARRIED]
            below = None if row.kind == "value" else _below(flow, row.name)
            yield replace(row, follow=sum(below is None or name in below for name in later))
        else:
            yield row


def _below(flow: Flow, name: str) -> set[str]:
    """The names whose accumulators are made of the one of this name, itself included."""
    keys = {key for key in flow.values if flow.name(key) == name}
    for key in reversed(flow.stages):
        if key in keys:
            keys.update(flow.stages[key].reads)
    return {flow.name(key) for key in keys}
