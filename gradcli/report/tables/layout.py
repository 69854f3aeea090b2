"""How a table is fitted into a width: which columns, and how their cells are written.

A number is never cut, whatever the width. What a table does where it does not fit, mildest first
(`plans` has the whole list):

1. Words get shorter: the check's long phrases go below the table, `agrees to 12.1 digits`
   becomes `agrees 12.1`; long operations and names go on in a second line.
2. So that vectors and rows of matrices stay whole, numbers have fewer digits, the finite
   difference is left out (of `check`, the error; the verdict says how it compares), then the
   shape, the operation, the value. A line under the table says so.
3. Where that does not do, vectors and rows of matrices go on in a second line; what gets too tall
   is summarised; vectors are written from top to bottom.
4. Where not even name, accumulator and verdict fit, each row is written from top to bottom.

Without a width nothing of this happens: everything is written as wide as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias

import numpy as np

from gradcli.diagnostics.error import cell_width
from gradcli.report.numbers import (
    FEWEST_DIGITS,
    TALL,
    Decimals,
    array_lines,
    decimals,
    folded,
    is_small,
    number,
    shape_text,
    shown,
    summary,
)
from gradcli.report.style import Style
from gradcli.report.tables import grid
from gradcli.report.tables.rows import AGREEING, NUMBERS, Entry, heading, precision_of

LONG = 60
"""A verdict of more characters than this goes below the table with what it says last."""

LINES = (60, 44, 32, 24, 16, 1)
"""How many cells an array may take in one line, widest first."""


DROPPED = ("slope", "shape", "operation", "value"), ("error", "shape", "slope", "digits")
"""The columns that are left out where there is no room, in order; of eval and of check."""


class Plan(NamedTuple):
    """How a table is written."""

    keys: tuple[str, ...]
    line: int | None = None
    """The most cells of an array in one line: its rows go on below."""
    words: str = "full"
    """`full`, `head` (what stands before the colon), or `short`."""
    fold: int | None = None
    """The most cells that a name or an operation takes in one line."""
    digits: int | None = None
    """The most significant digits of an array's elements, where these are fewer than asked for."""


Step: TypeAlias = tuple[frozenset[str], "int | None", "int | None"]
"""Which columns are left out, the most cells of an array in a line, the most digits."""


def plans(keys: tuple[str, ...], command: str, precision: int, *, arrays: bool) -> Iterator[Plan]:
    """The plans for a table of these columns, the best first; `arrays` says whether it has any."""
    order = DROPPED[command == "check"]
    drops = [frozenset(order[:i]) for i in range(len(order) + 1)]
    steps: list[Step] = [*_whole(drops, precision)] if arrays else []
    steps += [(drops[0], line, None) for line in LINES[:4]]
    steps += [(drop, line, None) for drop in drops[1:] for line in LINES]
    for drop, line, digits in steps:
        kept = tuple(key for key in keys if key not in drop)
        for fold in (None, 32, 16):
            for words in ("full", "head", "short"):
                yield Plan(kept, line, words, fold, digits)


def _whole(drops: list[frozenset[str]], precision: int) -> Iterator[Step]:
    """Steps in which every row of an array stays on its line."""
    fewer = range(precision - 1, FEWEST_DIGITS - 1, -1)
    yield drops[0], None, None
    yield drops[0], None, max(FEWEST_DIGITS, precision - 1)
    for drop in drops[1:]:
        yield drop, None, None
        yield from ((drop, None, digits) for digits in fewer)


class Column(NamedTuple):
    """A column's cells, each a list of lines."""

    heading: str
    cells: list[list[str]]
    width: int


class Columns:
    """The cells of some entries under any plan."""

    def __init__(self, entries: Sequence[Entry], style: Style, command: str) -> None:
        self.entries, self.style, self.command = entries, style, command
        self.column = cache(self._column)
        self.room = cache(self._room)

    def of(self, plan: Plan) -> list[Column]:
        """The columns of a table."""
        return [self.column(key, _what_matters(key, plan)) for key in plan.keys]

    def width(self, plan: Plan) -> int:
        """How wide a table is."""
        return grid.width_of([column.width for column in self.of(plan)])

    def best(self, keys: tuple[str, ...]) -> Plan | None:
        """The first plan that fits; None if there is none."""
        width = self.style.width
        if width is None:
            return Plan(keys)
        return next((plan for plan in self.plans(keys) if self.width(plan) <= width), None)

    def plans(self, keys: tuple[str, ...]) -> Iterator[Plan]:
        """The plans for these columns, the best first."""
        arrays = any(entry.shape for entry in self.entries)
        return plans(keys, self.command, self.style.precision, arrays=arrays)

    def widest_need(self, keys: tuple[str, ...], *, digits: bool = False) -> int:
        """The width from which on no column is left out, or with `digits` no digit."""
        wanted = (p for p in self.plans(keys) if p.keys == keys)
        return min(self.width(p) for p in wanted if not digits or p.line is p.digits is None)

    def cell(self, entry: Entry, key: str, plan: Plan) -> list[str]:
        """A cell as lines of text."""
        if key in NUMBERS:
            return self._number(entry, key, plan.line, plan.digits)
        if key == "shape":
            return [shape_text(entry.shape, self.style)]
        if key == "words":
            return [shown(self._words(entry, plan.words), self.style)]
        text = shown(entry.name if key == "name" else entry.operation, self.style)
        if plan.fold is None or cell_width(text) <= plan.fold:
            return [text]
        return folded(text, plan.fold)

    def _number(self, entry: Entry, key: str, line: int | None, digits: int | None) -> list[str]:
        value, precision = getattr(entry, key), precision_of(entry, key, self.style.precision)
        if digits is not None and entry.shape and entry.verdict != "fail":
            precision = min(precision, digits)  # of a wrong one those that show that it is
        if value is None:
            along_directions = key == "slope" and entry.verdict is not None and entry.shape
            return ["random directions" if along_directions else ""]
        if np.ndim(value) == 0:
            return [self.room(key).pad(_number_text(value, key, precision))]
        if not is_small(value):
            found = summary(value, precision)
            return [str(found)] if line is None or len(str(found)) <= line else found.lines()
        lines = array_lines(value, precision, line)
        return lines if line is None or len(lines) <= TALL else summary(value, precision).lines()

    def _words(self, entry: Entry, words: str) -> str:
        cell, _ = parted(entry.words, words)
        if words != "short" or entry.verdict not in AGREEING:
            return cell
        first = cell.split()[0]
        in_own_column = entry.digits is None or self.command == "check"
        return first if in_own_column else f"{first} {entry.digits:.1f}"

    def _room(self, key: str) -> Decimals:
        values = ((getattr(entry, key), entry) for entry in self.entries)
        return decimals(
            _number_text(value, key, precision_of(entry, key, self.style.precision))
            for value, entry in values
            if value is not None and np.ndim(value) == 0
        )

    def _column(self, key: str, plan: Plan) -> Column:
        title = shown(heading(key, self.command), self.style)
        if key == "words" and plan.words == "short" and self.command != "check":
            title = "digits"
        cells = [self.cell(entry, key, plan) for entry in self.entries]
        longest = max((cell_width(text) for cell in cells for text in cell), default=0)
        return Column(title, cells, max(longest, cell_width(title)))


def _what_matters(key: str, plan: Plan) -> Plan:
    """A plan as far as it concerns a column, so that each column is written once per form."""
    if key in NUMBERS:
        return Plan((), line=plan.line, digits=plan.digits)
    if key == "words":
        return Plan((), words=plan.words)
    return Plan((), fold=plan.fold) if key in {"name", "operation"} else Plan(())


def parted(said: str, words: str) -> tuple[str, str]:
    """What stands in the cell of a verdict in words, and what is left for below the table."""
    first, _, more = said.partition("; ")
    if words == "full":
        return (said, "") if len(said) <= LONG else (first, more)
    head, colon, _ = first.partition(":")
    return head, said if colon else more


def _number_text(value: float, key: str, precision: int) -> str:
    if key == "digits":
        return f"{float(value):.1f}"
    return number(float(value), 2 if key == "error" else precision)
