"""What judged rows are worth together.

Rows come in, each judged by itself, and go out with what it costs: a line's mistake once, only what
is asked for, and each root with the number of rows that follow from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from gradcli.grading.marking.result import MarkedRow, Status
from gradcli.grading.model.flow import Flow


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
