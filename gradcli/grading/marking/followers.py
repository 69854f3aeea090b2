"""How many later rows follow from a wrong one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gradcli.grading.marking.result import MarkedRow, Status
from gradcli.grading.model.flow import Flow


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
