"""What was handed in, in one form, whether it was numbers or a listing.

A task and a submission come in; out comes `Handed`: the flow on which the gradients are judged,
with the student's own values, and the gradients.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from gradcli.grading.listing.work import Work
from gradcli.grading.marking.result import Mode, Note
from gradcli.grading.model.flow import Flow, Key
from gradcli.grading.model.task import Task
from gradcli.grading.model.tolerance import exact
from gradcli.grading.submission.labels import looks_like_gradient
from gradcli.grading.submission.types import Entry, Values, Written

MOST_NAMES = 8
"""Names that a note lists."""


@dataclass(frozen=True)
class Handed:
    """What was handed in, in one form for both kinds of submissions."""

    mode: Mode
    flow: Flow
    """With the student's own values."""
    gradients: Mapping[Key, Written | None]
    """None where it could not be computed."""
    values: Mapping[Key, Written]
    parts: tuple[Entry, ...] = ()
    entries: Mapping[tuple[Key, str], Entry] = field(default_factory=dict)
    work: Work | None = None


def not_read(work: Work | None, *, missing: bool) -> Iterator[Note]:
    """The note on names that may have been meant as gradients.

    Where one is `missing` that is any name that is not used, else one that speaks of a gradient:
    a step size or a counter is no answer.
    """
    unread = {} if work is None else work.unread
    unread = {name: at for name, at in unread.items() if missing or looks_like_gradient(name)}
    if unread:
        listed = ", ".join(list(unread)[:MOST_NAMES]) + (", …" if len(unread) > MOST_NAMES else "")
        yield Note("not-read", f"not read as an answer: {listed}", min(unread.values()))


def of_numbers(task: Task, sheet: Values) -> Handed:
    """Numbers: they are judged on the task's graph, with the values that are among them."""
    entries = sheet.entries
    values = {e.name: e.written for e in entries if e.kind == "value"}
    gradients = {e.name: e.written for e in entries if e.kind == "gradient"}
    fitting = {
        name: number.value
        for name, number in values.items()
        if np.shape(number.value) == np.shape(task.flow.values[name])
    }
    return Handed(
        "gradients" if sheet.gradients_only else "values",
        task.flow.with_values(fitting),
        gradients,
        values,
        tuple(e for e in entries if e.kind == "part"),
        {(e.name, e.kind): e for e in entries},
    )


def of_work(work: Work) -> Handed:
    """A listing that was worked through: it is judged on its own forward pass."""
    gradients: dict[Key, Written | None] = {}
    for key in work.lines:
        value = work.submitted(key)
        last = work.lines[key][-1].cell
        alone = len(work.lines[key]) == 1 and last.written is not None
        gradients[key] = last.written if alone else None if value is None else exact(value)
    return Handed("listing", work.flow, gradients, work.written, work=work)
