"""Curves and fields drawn with characters, for a terminal.

A curve is drawn in dots of Braille, two by four in a cell; where there is only ASCII, in
asterisks. A field is shades with an arrow here and there. Below stands in words what is marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.plots.curve import Curve, limits
from gradcli.plots.field import Field
from gradcli.report.numbers import number, painted, shown

if TYPE_CHECKING:
    from gradcli.report.style import Style

ROWS, COLUMNS = 11, 68
"""Rows of each drawing, and columns where nothing says how many there are."""
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
SHADES = " .:-=+*#%@"
ARROWS = "→↗↑↖←↙↓↘"
ASCII_ARROWS = ">/^\\</v\\"


def pieces(found: Curve | Field, style: Style) -> Iterator[str]:
    """The drawing, line by line."""
    yield from _curve(found, style) if isinstance(found, Curve) else _field(found, style)


def _curve(found: Curve, style: Style) -> Iterator[str]:
    names = found.output, f"∂{found.output}/∂{found.name}"
    parts = (
        (names[0], found.value, found.breaks),
        (names[1], found.slope, found.slope_breaks),
    )
    width = min((style.width or COLUMNS + 12), 120)
    for k, (name, values, breaks) in enumerate(parts):
        if k:
            yield "\n"
        yield painted(shown(name, style), "bold", style) + "\n"
        low, high = limits(values)
        middle = (low + high) / 2 if abs(low + high) > 1e-9 * (high - low) else 0.0
        labels = [number(x, 3) for x in (high, middle, low)]
        room = max(map(len, labels)) + 1
        columns = max(8, width - room - 2)
        canvas = _Canvas(columns, ROWS, (float(found.x[0]), float(found.x[-1])), (low, high), style)
        for start, stop in pairwise([0, *breaks, len(found.x)]):
            canvas.line(found.x[start:stop], values[start:stop])
        if k == 0 and found.tangent is not None:
            at, value, slope = found.tangent
            ends = np.array([found.x[0], found.x[-1]])
            canvas.dashes(ends, value + slope * (ends - at))
        named = {0: labels[0], ROWS // 2: labels[1], ROWS - 1: labels[2]}
        ends_of = [number(float(x), 6) for x in (found.x[0], found.x[-1])]
        yield from _framed(canvas.rows(), named, room, (found.name, *ends_of), columns, style)
    yield from _words(found, style)


def _framed(
    rows: Iterable[str],
    labels: Mapping[int, str],
    room: int,
    axis: Sequence[str],
    columns: int,
    style: Style,
) -> Iterator[str]:
    """A drawing with labels beside its rows, and below it the axis: its name and its ends."""
    bar, line, corner = "|-+" if style.ascii else "│─└"
    for row, text in enumerate(rows):
        yield f"{shown(labels.get(row, ''), style):>{room - 1}} {bar}{text}".rstrip() + "\n"
    yield f"{'':>{room}}{corner}{line * columns}\n"
    name, start, end = axis
    space = max(columns - len(start) - len(end), 1)
    yield f"{'':>{room + 1}}{start}{shown(name, style):^{space}}{end}\n"


def _words(found: Curve, style: Style) -> Iterator[str]:
    lines = [mark.words(found.name, style.precision) for mark in found.marks]
    lines += [
        f"no value between {found.name} = {number(a, style.precision)} and "
        f"{number(b, style.precision)}"
        for a, b in found.gaps
    ]
    if found.tangent is not None:
        at, value, slope = (number(float(x), style.precision) for x in found.tangent)
        lines.append(
            f"tangent at {found.name} = {at}: {found.output} = {value}, "
            f"∂{found.output}/∂{found.name} = {slope}"
        )
    if lines:
        yield "\n"
    yield from (shown(line, style) + "\n" for line in lines)


class _Canvas:
    """Dots in cells: two by four in each, or one where there is only ASCII."""

    def __init__(
        self,
        columns: int,
        rows: int,
        across: tuple[float, float],
        up: tuple[float, float],
        style: Style,
    ) -> None:
        self.fine = (1, 1) if style.ascii else (2, 4)
        self.shape = rows, columns
        self.across, self.up = across, up
        self.on = np.zeros((rows * self.fine[1], columns * self.fine[0]), dtype=bool)

    def line(self, x: Any, y: Any) -> None:
        """A line through points, as far as it is inside."""
        if len(x) < 2:
            return
        dense = np.linspace(x[0], x[-1], 8 * self.on.shape[1])
        places = np.clip(np.searchsorted(x, dense) - 1, 0, len(x) - 2)
        with np.errstate(all="ignore"):
            part = (dense - x[places]) / (x[places + 1] - x[places])
            heights = y[places] + part * (y[places + 1] - y[places])
        self._dots(dense, heights, joined=True)

    def dashes(self, x: Any, y: Any) -> None:
        """A straight line with gaps."""
        dense = np.linspace(x[0], x[-1], 2 * self.on.shape[1])
        heights = np.interp(dense, x, y)
        gap = np.arange(len(dense)) // 6 % 2 == 0
        self._dots(dense[gap], heights[gap], joined=False)

    def _dots(self, x: Any, y: Any, *, joined: bool) -> None:
        high, wide = self.on.shape
        low, top = self.up
        with np.errstate(all="ignore"):
            column = (x - self.across[0]) / (self.across[1] - self.across[0]) * (wide - 1)
            row = (top - y) / (top - low) * (high - 1)
        inside = np.isfinite(row) & (row > -1) & (row < high)
        for k in np.flatnonzero(inside):
            here, place = round(row[k]), round(column[k])
            before = row[k - 1] if joined and k and np.isfinite(row[k - 1]) else row[k]
            ends = sorted((round(np.clip(before, 0, high - 1)), min(max(here, 0), high - 1)))
            self.on[ends[0] : ends[1] + 1, min(place, wide - 1)] = True

    def rows(self) -> Iterator[str]:
        """The lines of text."""
        rows, columns = self.shape
        if self.fine == (1, 1):
            yield from ("".join("*" if dot else " " for dot in row) for row in self.on)
            return
        for i in range(rows):
            text = []
            for j in range(columns):
                cell = self.on[4 * i : 4 * i + 4, 2 * j : 2 * j + 2]
                bits = sum(DOTS[r][c] for r, c in np.argwhere(cell))
                text.append(chr(0x2800 + bits) if bits else " ")
            yield "".join(text)


def _field(found: Field, style: Style) -> Iterator[str]:
    rows = 21
    low, high = limits(found.value)
    labels = [number(float(y), 4) for y in (found.y[-1], found.y[0])]
    room = max(map(len, (*labels, found.names[1]))) + 1
    columns = max(8, min((style.width or COLUMNS + 12), 100) - room - 2)
    yield painted(shown(found.output, style), "bold", style) + "\n"
    i = np.linspace(len(found.y) - 1, 0, rows).round().astype(int)
    j = np.linspace(0, len(found.x) - 1, columns).round().astype(int)
    values = found.value[np.ix_(i, j)]
    u, v = (slope[np.ix_(i, j)] for slope in found.gradient)
    arrows = ASCII_ARROWS if style.ascii else ARROWS
    lines = []
    for r in range(rows):
        text = []
        for c in range(columns):
            if not np.isfinite(values[r, c]):
                text.append("?")
            elif r % 4 == 2 and c % 8 == 4 and np.hypot(u[r, c], v[r, c]) > 0:
                turn = np.arctan2(v[r, c], u[r, c]) / (np.pi / 4)
                text.append(arrows[round(turn) % 8])
            else:
                level = (values[r, c] - low) / (high - low) * len(SHADES)
                text.append(SHADES[int(np.clip(level, 0, len(SHADES) - 1))])
        lines.append("".join(text))
    beside = {0: labels[0], rows // 2: found.names[1], rows - 1: labels[1]}
    ends = [number(float(x), 4) for x in (found.x[0], found.x[-1])]
    yield from _framed(lines, beside, room, (found.names[0], *ends), columns, style)
    yield "\n"
    finite = np.isfinite(found.value)
    for word, place in (("smallest", np.nanargmin), ("largest", np.nanargmax)):
        k, m = np.unravel_index(place(np.where(finite, found.value, np.nan)), found.value.shape)
        at = ", ".join(
            f"{name} = {number(float(x), style.precision)}"
            for name, x in zip(found.names, (found.x[m], found.y[k]), strict=True)
        )
        line = f"{word} here: {number(float(found.value[k, m]), style.precision)} at {at}"
        yield shown(line, style) + "\n"
    yield "shades from small to large: '" + SHADES + "'; arrows point along the gradient"
    yield "; ? has no value\n" if not finite.all() else "\n"
