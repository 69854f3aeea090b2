"""What is known of one wrong row, and what is said of it.

The row as it should be, the number that was handed in and its lines come in as `Evidence`; an
`Explanation` goes out: the mistakes' tags, a sentence, and the line at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gradcli.grading.listing.work import Cell, Line, Work
from gradcli.grading.mistakes.case import Case, Slip
from gradcli.grading.mistakes.table import BY_TAG, MISTAKES
from gradcli.grading.model.flow import Key
from gradcli.grading.model.tolerance import alike
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
    """All that is known of a wrong row."""

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

    def fits(self, value: Any) -> bool:
        """Whether a number is the one that was handed in."""
        return self.matches is not None and self.matches(value)

    @property
    def lines(self) -> list[Line]:
        """The lines that wrote the row."""
        return [] if self.work is None else self.work.lines.get(self.case.key, [])

    @property
    def final(self) -> dict[Key, Cell]:
        """Every accumulator as the listing has it in the end."""
        return {} if self.work is None else {k: of[-1].cell for k, of in self.work.lines.items()}

    def is_mended(self, lines: list[Line], line: Line, value: Any) -> bool:
        """Whether the lines come to the right number with another value for one of them."""
        return alike(fitting_sum(value if one is line else one.own for one in lines), self.right)


def fitting_sum(values: Any) -> Any:
    """The sum; None where a value is missing or has another shape than the others."""
    total: Any = None
    for value in values:
        if value is None or (total is not None and np.shape(value) != np.shape(total)):
            return None
        total = value if total is None else total + value
    return total


# --- words -------------------------------------------------------------------------------


def explanation(
    evidence: Evidence,
    named: Mapping[str, Slip | None],
    line: Line | None = None,
    message: str | None = None,
) -> Explanation:
    """The mistakes as what is said of a row."""
    tags = tuple(mistake.tag for mistake in MISTAKES if mistake.tag in named)
    if message is None:
        # A mean for a sum is a constant factor: there is nothing to add to it.
        said = [tag for tag in tags if tag != "factor" or "mean-for-sum" not in tags]
        texts = (message_of(evidence.case, tag, named[tag], evidence.given) for tag in said[:2])
        message = " Or: ".join(texts)
        if len(said) > 2:
            message += f" (or {', '.join(said[2:])})"
    slip = named[tags[0]] if tags else None
    implied = None if slip is None else slip.implied
    if implied is not None and (implied[0] in evidence.given or evidence.work is None):
        implied = None
    where = (None, "") if line is None else (line.number, line.text)
    return Explanation(tags, message, *where, implied)


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
    consumer = None if slip is None else slip.consumer
    consumer = consumer or next(iter(case.consumers), flow.output)
    return BY_TAG[tag].text.format(
        row=flow.name(case.key),
        consumers=" and ".join(sorted({*names.values()})) or "nothing",
        consumer=names.get(consumer, flow.name(consumer)),
    )


def line_at_fault(evidence: Evidence) -> Line | None:
    """The line whose value is none of the right parts."""
    parts = [part.value for part in evidence.case.own]
    for line in (lines := effective(evidence.lines)):
        if line.own is not None and not any(alike(line.own, value) for value in parts):
            return line
    return lines[-1] if lines else None


def effective(lines: list[Line]) -> list[Line]:
    """The lines that count: from the last one with `=`."""
    return lines[max((i for i, line in enumerate(lines) if line.assign == "="), default=0) :]
