"""The canvas that the graph is drawn on in a terminal, and the wires between two columns.

A channel is what lies between two columns of boxes. A net (a variable and all its wires there)
comes in on one row and leaves on some; if it has to change rows, it does so on a track of its
own. Two nets never lie on each other: where one leaves on the row on which another comes in, the
other's track is further to the left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gradcli.diagnostics.error import cell_width
from gradcli.picture.lanes import ASCII, DOWN, GLYPHS, LEFT, RIGHT, UP


class Net(NamedTuple):
    """A variable in a channel: the row that it comes in on, and the rows that it leaves on."""

    id: int
    start: int
    ends: tuple[int, ...]

    @property
    def is_straight(self) -> bool:
        """Whether it needs no track."""
        return set(self.ends) == {self.start}


def tracks(nets: list[Net]) -> list[Net] | None:
    """The nets that need a track, from left to right; None if there is no such order."""
    waiting = [net for net in nets if not net.is_straight]
    order: list[Net] = []
    while waiting:
        ends = {net.id: set(net.ends) for net in waiting}
        free = [
            net
            for net in waiting
            if not any(other.start in ends[net.id] for other in waiting if other is not net)
        ]
        if not free:
            return None
        order.append(min(free, key=lambda net: (net.start, net.ends)))
        waiting.remove(order[-1])
    return order


class Canvas:
    """Cells with lines and texts."""

    def __init__(self) -> None:
        self._lines: dict[tuple[int, int], dict[int, int]] = {}
        self._texts: dict[tuple[int, int], str] = {}

    def across(self, row: int, left: int, right: int, net: int) -> None:
        """A horizontal line from one cell to another."""
        for x in range(left, right + 1):
            self._add(row, x, net, (LEFT if x > left else 0) | (RIGHT if x < right else 0))

    def down(self, x: int, top: int, bottom: int, net: int) -> None:
        """A vertical line."""
        for row in range(top, bottom + 1):
            self._add(row, x, net, (UP if row > top else 0) | (DOWN if row < bottom else 0))

    def _add(self, row: int, x: int, net: int, bits: int) -> None:
        cell = self._lines.setdefault((row, x), {})
        cell[net] = cell.get(net, 0) | bits

    def write(self, row: int, x: int, text: str) -> None:
        """A text; a character that is wider than a cell takes what it needs."""
        for char in text:
            width = cell_width(char)
            if not width:
                before = max(x - 1, 0)
                self._texts[row, before] = self._texts.get((row, before), "") + char
                continue
            self._texts[row, x] = char
            for further in range(1, width):
                self._texts[row, x + further] = ""
            x += width

    def frame(self, top: int, left: int, bottom: int, right: int) -> None:
        """A box's border."""
        self.across(top, left, right, -1)
        self.across(bottom, left, right, -1)
        self.down(left, top, bottom, -1)
        self.down(right, top, bottom, -1)

    def crossings(self) -> int:
        """How often wires cross."""
        return sum(len(nets) > 1 for nets in self._lines.values())

    def lines(self, *, ascii_only: bool) -> list[str]:
        """What has been drawn, line by line."""
        glyphs = {place: _glyph(nets) for place, nets in self._lines.items()}
        if ascii_only:
            glyphs = {place: glyph.translate(ASCII) for place, glyph in glyphs.items()}
        rows: dict[int, dict[int, str]] = {}
        for (row, x), text in (glyphs | self._texts).items():
            rows.setdefault(row, {})[x] = text
        top, bottom = min(rows, default=0), max(rows, default=-1)
        return [
            "".join(cells.get(x, " ") for x in range(max(cells, default=-1) + 1)).rstrip()
            for cells in (rows.get(row, {}) for row in range(top, bottom + 1))
        ]


def _glyph(nets: Mapping[int, int]) -> str:
    """One net: a line, or a dot where it forks. Two: one passes over the other."""
    if len(nets) > 1:
        return "│"
    ((net, bits),) = nets.items()
    if net >= 0 and bits.bit_count() > 2:
        return "●"
    return GLYPHS.get(bits, " ")
