"""The trace as two tables: a row per operation, then a row per contribution.

`Steps` come in, pieces of text go out. The columns are as wide as the first rows need. On a
terminal that is too narrow columns are left out, what can be worked out from the others first;
where not even that helps, each row is written from top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import cell_width
from gradcli.report.numbers import (
    Decimals,
    array_lines,
    decimals,
    folded,
    inline,
    is_small,
    number,
    padded,
    painted,
    shape_text,
    shown,
    summary,
)
from gradcli.report.tables import grid
from gradcli.report.tables.table import below
from gradcli.report.trace.listing import (
    BLANK,
    Choice,
    Late,
    Listing,
    move_fields,
    note,
    step_fields,
)
from gradcli.trace.steps import Move, Step, Steps

if TYPE_CHECKING:
    from gradcli.report.style import Style

MEASURED = 200

FORWARD = ("step", "node", "formula", "value")
BACKWARD = (
    *("step", "node", "upstream", "local", "local_value", "contribution", "accumulator", "note"),
)
TITLES = {"formula": "operation", "local": "× local", "local_value": "value", "note": ""}
DROPS = ("local_value", "upstream", "contribution", "note")
"""What is left out where there is no room, in this order."""

NUMBERS = ("value", "local_value", "upstream", "contribution", "accumulator")

Row = dict[str, Any]
"""Texts and values by column; a value that is left out is None."""


class Layout(NamedTuple):
    """Columns that fit, their widths, and where the decimal points stand."""

    keys: tuple[str, ...]
    widths: tuple[int, ...]
    points: dict[str, Decimals]
    needs: int
    """How wide the table would be with all of them."""


def pieces(steps: Steps, style: Style, choice: Choice, late: Late) -> Iterator[str]:
    """The tables, and the listing's last line."""
    table = TextTable(style, choice)
    if choice.forward:
        yield from table.drawn(FORWARD, map(_step_row, steps.steps()))
        yield "\n" if choice.backward else ""
    if choice.backward:
        yield from table.drawn(BACKWARD, map(_move_row, steps.moves()))
        yield "\n" + Listing(steps, style, choice).closing(late) + "\n"


def _step_row(step: Step) -> Row:
    return {**step_fields(step), "step": "" if step.number is None else f"({step.number})"}


def _move_row(move: Move) -> Row:
    row = {**move_fields(move), "step": f"({move.step})", "note": note(move)}
    local = move.formula if row["local"] is None else row["local"]
    return row | {"node": f"{move.node.name} → {move.to.name}", "local": local}


class TextTable:
    """Rows of texts and values, drawn in one style."""

    def __init__(self, style: Style, choice: Choice) -> None:
        self.style, self.blank = style, choice.blank

    def drawn(self, keys: tuple[str, ...], rows: Iterator[Row]) -> Iterator[str]:
        """A table, row by row."""
        first = list(islice(rows, MEASURED))
        if not first:
            return
        layout = self._layout(keys, first)
        if layout is None:
            for row in chain(first, rows):
                yield from self._stacked(keys, row)
            return
        ends = zip(layout.keys, layout.widths, strict=True)
        heads = [painted(padded(self._title(k), w), "bold", self.style) for k, w in ends]
        yield (" " * grid.GAP).join(heads).rstrip() + "\n"
        yield grid.rule(grid.width_of(layout.widths), self.style)
        for row in chain(first, rows):
            cells = [self._cell(row, key, layout.points) for key in layout.keys]
            yield from grid.lines(cells, layout.widths)
        missing = [self._title(key) for key in keys if key != "note" and key not in layout.keys]
        if missing:
            note = f"no room for: {', '.join(missing)} (needs {layout.needs} columns)"
            yield from below([note], self.style)

    def _layout(self, keys: tuple[str, ...], rows: Sequence[Row]) -> Layout | None:
        points = {key: self._points(key, rows) for key in keys if key in NUMBERS}
        longest: dict[str, int] = {}
        for key in keys:
            cells = (self._cell(row, key, points) for row in rows)
            texts = [self._title(key), *(text for cell in cells for text in cell)]
            longest[key] = max(map(cell_width, texts))
        kept, room, needs = keys, self.style.width, grid.width_of(longest.values())
        # Without an operation or a value a forward pass says nothing.
        for drop in ("nothing", *DROPS) if keys is BACKWARD else ("nothing",):
            kept = tuple(key for key in kept if key != drop)
            widths = tuple(longest[key] for key in kept)
            if room is None or grid.width_of(widths) <= room:
                return Layout(kept, widths, points, needs)
        return None

    def _points(self, key: str, rows: Sequence[Row]) -> Decimals:
        if self.blank:
            return Decimals(0, 0)
        numbers = (v for row in rows if (v := row[key]) is not None and np.ndim(v) == 0)
        return decimals(number(float(v), self.style.precision) for v in numbers)

    def _cell(self, row: Row, key: str, points: dict[str, Decimals]) -> list[str]:
        """A cell as lines of text."""
        value = row[key]
        if key not in NUMBERS:
            return [self._shown(value)]
        if value is None:
            return [""]
        if self.blank:
            return [BLANK]
        precision = self.style.precision
        if np.ndim(value) == 0:
            return [points[key].pad(number(float(value), precision))]
        if is_small(value):
            return array_lines(value, precision)
        if self.style.width is None:
            return [inline(value, precision, self.style)]
        return [f"({shape_text(np.shape(value), self.style)})", *summary(value, precision).lines()]

    def _stacked(self, keys: tuple[str, ...], row: Row) -> Iterator[str]:
        """A row from top to bottom."""
        width = max(8, (self.style.width or 80) - 4)
        title = self._shown(f"{row['step']} {row['node']}".strip())
        yield "".join(f"{line}\n" for line in folded(title, width))
        for key in keys[2:]:
            text = row[key]
            if key in NUMBERS and text is not None:
                text = BLANK if self.blank else inline(text, self.style.precision, self.style)
            if text:
                words = self._shown(f"{self._title(key) or 'is'} {text}")
                yield "".join(f"  {line}\n" for line in folded(words, width))

    def _title(self, key: str) -> str:
        return self._shown(TITLES.get(key, key))

    def _shown(self, text: str) -> str:
        return shown(text, self.style)
