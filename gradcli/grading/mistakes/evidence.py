"""Inputs for diagnosing one wrong row, and the resulting explanation."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gradcli.grading.listing.work import Line, Work
from gradcli.grading.mistakes.case import Case, Slip
from gradcli.grading.mistakes.table import BY_TAG, MISTAKES
from gradcli.grading.model.flow import Key
from gradcli.grading.model.tolerance import close
from gradcli.grading.submission.types import Written

_OF_PATHS = frozenset({"overwritten", "dropped-path", "counted-twice", "sign"})
"""Mistakes whose message names the whole path."""


class Explanation(NamedTuple):
    """What explains a wrong row, and the line at fault."""

    tags: tuple[str, ...]
    message: str
    line: int | None = None
    text: str = ""
    implied: tuple[Key, Any] | None = None
    """An accumulator that was not handed in, as it seems to have been."""


@dataclass(frozen=True)
class Evidence:
    """All there is to find out what went wrong in a row."""

    case: Case
    number: Written | None
    """What was handed in; None where it could not be computed."""
    matches: Callable[[Any], bool] | None
    """Whether a number is the one that was handed in, given how it is written."""
    work: Work | None
    """The listing, if there is one."""
    right: Any = None
    """What would have followed from the rows before."""
    given: frozenset[Key] = frozenset()
    """The rows that were handed in."""
    vague: bool = False
    """Whether the number is right as far as it and those before it are written."""

    @property
    def lines(self) -> list[Line]:
        """The lines that wrote the row."""
        return [] if self.work is None else self.work.lines.get(self.case.key, [])


def added(values: Any) -> Any:
    """The sum; None where a value is missing or has another shape than the others."""
    total: Any = None
    for value in values:
        if value is None or (total is not None and np.shape(value) != np.shape(total)):
            return None
        total = value if total is None else total + value
    return total


def is_(value: Any, right: Any) -> bool:
    """Whether two values are the same up to rounding; None is like nothing."""
    if value is None or right is None or np.shape(value) != np.shape(right):
        return False
    return close(value, right, 1e-6, 1e-12)


# --- words -------------------------------------------------------------------------------


def explanation(
    evidence: Evidence,
    named: list[tuple[str, Slip | None]],
    line: Line | None = None,
    message: str | None = None,
) -> Explanation:
    """The mistakes as what is said of a row."""
    tags = tuple(mistake.tag for mistake in MISTAKES if mistake.tag in dict(named))
    if message is None:
        slip_of = dict(named)
        # A mean for a sum is a constant factor: there is nothing to add to it.
        said = [tag for tag in tags if tag != "factor" or "mean-for-sum" not in tags]
        message = " Or: ".join(
            message_of(evidence.case, tag, slip_of[tag], evidence.given) for tag in said[:2]
        )
        if len(said) > 2:
            message += f" (or {', '.join(said[2:])})"
    slip = dict(named)[tags[0]] if tags else None
    implied = None if slip is None else slip.implied
    if implied is not None and (implied[0] in evidence.given or evidence.work is None):
        implied = None
    if line is None:
        return Explanation(tags, message, implied=implied)
    return Explanation(tags, message, line.number, line.text, implied)


def message_of(
    case: Case, tag: str, slip: Slip | None, given: Collection[Key] | None = None
) -> str:
    """The table's sentence, or the slip's own, with the names of this row.

    With `given`, the rows that were handed in, an operation without a row or a name of its own
    goes by the statement that it is in, where that is said of paths.
    """
    if slip is not None and slip.message is not None:
        return slip.message
    flow = case.flow
    names = {key: flow.name(key) for key in case.consumers}
    if given is not None and tag in _OF_PATHS:
        known = {k: flow.name(k if k in given else flow.statements.get(k, k)) for k in names}
        names = known if len({*known.values()}) == len(names) else names
    consumer = slip.consumer if slip is not None and slip.consumer is not None else None
    consumer = consumer or (case.consumers[0] if case.consumers else flow.output)
    return BY_TAG[tag].text.format(
        row=flow.name(case.key),
        consumers=" and ".join(sorted({*names.values()})) or "nothing",
        consumer=names.get(consumer, flow.name(consumer)),
    )


def shape_message(evidence: Evidence) -> str:
    """The shape that a gradient has, and the one that it should have."""
    assert evidence.number is not None
    name = evidence.case.flow.name(evidence.case.key)
    return (
        f"the gradient with respect to {name} has the shape of {name}, {evidence.case.shape}; "
        f"here it is {np.shape(evidence.number.value)}"
    )


def line_at_fault(evidence: Evidence) -> Line | None:
    """The line whose value is none of the right parts."""
    lines = evidence.lines
    if not lines:
        return None
    parts = [part.value for part in evidence.case.own]
    last = max(i for i, line in enumerate(lines) if line.assign == "=" or not i)
    for line in lines[last:]:
        if line.own is not None and not any(is_(line.own, value) for value in parts):
            return line
    return lines[-1]
