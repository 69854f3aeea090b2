"""The graph from left to right in a terminal: boxes in columns, and wires between them.

Each box stands in the column after the last of those that it reads; an input stands just before
the first box that reads it. A wire that passes a column has a row of its own there. The rows of
a column are ordered by where their wires come from, which leaves few crossings.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from gradcli.diagnostics.error import cell_width
from gradcli.picture.channel import Canvas, Net, tracks
from gradcli.picture.model import Box, Drawing, Wire
from gradcli.report.style import Style

TRIALS = 6
"""How many orders of the rows are tried."""

MOST = 300
"""Drawings of more boxes than this are never drawn from left to right."""


@dataclass
class Cell:
    """A box in its column, or a wire that passes it (`box` is None)."""

    net: int
    box: Box | None
    wires: list[Wire]
    """The wires that come in, from top to bottom."""
    row: int = 0
    """Where its own wire leaves."""

    def nets(self, *, leaving: bool) -> list[int]:
        """The net that leaves it, or those that come in."""
        return [self.net] if leaving else [wire.source for wire in self.wires]

    @property
    def ports(self) -> list[int]:
        """The rows on which the wires come in."""
        count = max(1, len(self.wires))
        return [self.row - count + 1 + 2 * k for k in range(count)]

    @property
    def reach(self) -> tuple[int, int]:
        """How many rows it takes above and below the row of its own wire."""
        if self.box is None:
            return 0, 0
        frame = max(1, len(self.wires)) if self.box.title else 0
        return max(frame, len(self.box.above)), max(frame, len(self.box.below))


def lines(drawing: Drawing, style: Style) -> list[str] | None:
    """The drawing line by line; None if it can't be drawn so, or not in the style's width."""
    if len(drawing.boxes) > MOST:
        return None
    for compact in (False, True):
        drawn = [_attempt(drawing, sweeps, style, compact=compact) for sweeps in range(TRIALS)]
        fitting = [one for one in drawn if one is not None]
        if fitting:
            return min(fitting, key=lambda one: one[0])[1]
    return None


def _attempt(
    drawing: Drawing, sweeps: int, style: Style, *, compact: bool
) -> tuple[tuple[int, ...], list[str]] | None:
    """A drawing with the rows in some order, and how bad it is: crossings, width, height."""
    columns = _columns(drawing)
    _order(columns, sweeps)
    canvas = Canvas()
    x = 0
    for k, column in enumerate(columns):
        x = _draw(column, x, canvas, is_last=k == len(columns) - 1, compact=compact)
        if style.width is not None and x > style.width:
            return None
        if k + 1 < len(columns):
            after = _wired(column, columns[k + 1], x, canvas)
            if after is None:
                return None
            x = after
    text = canvas.lines(ascii_only=style.ascii)
    width = max(map(cell_width, text), default=0)
    if style.width is not None and width > style.width:
        return None
    return (canvas.crossings(), width, len(text)), text


# --- which column, which row -------------------------------------------------------------


def _columns(drawing: Drawing) -> list[list[Cell]]:
    place = drawing.layers
    columns: list[list[Cell]] = [[] for _ in range(1 + drawing.depth)]
    for i in _from_output(drawing):
        columns[place[i]].append(Cell(i, drawing.boxes[i], list(drawing.into[i])))
        furthest = max((place[w.target] for w in drawing.out_of[i]), default=place[i])
        for k in range(place[i] + 1, furthest):
            columns[k].append(Cell(i, None, [Wire(i, i)]))
    return columns


def _from_output(drawing: Drawing) -> list[int]:
    """The boxes as they are met on the way back from the output, operands from top to bottom."""
    found: dict[int, None] = {}
    stack = [drawing.output]
    while stack:
        i = stack.pop()
        if i in found:
            continue
        found[i] = None
        stack += [w.source for w in reversed(drawing.into[i])]
    return [*found, *(i for i in drawing.boxes if i not in found)]


def _order(columns: list[list[Cell]], sweeps: int) -> None:
    """Order every column, and give every cell its row."""
    for sweep in range(sweeps):
        backwards = sweep % 2 == 0
        pairs = list(pairwise(columns))
        for before, after in reversed(pairs) if backwards else pairs:
            fixed, moved = (after, before) if backwards else (before, after)
            where: dict[int, list[float]] = {}
            for k, cell in enumerate(fixed):
                for net in cell.nets(leaving=not backwards):
                    where.setdefault(net, []).append((k + 0.5) / len(fixed))
            wanted = []
            for k, cell in enumerate(moved):
                nets = cell.nets(leaving=backwards)
                places = [place for net in nets for place in where.get(net, [])]
                middle = sum(places) / len(places) if places else k / len(moved)
                wanted.append((middle, k))
            moved[:] = [moved[k] for _, k in sorted(wanted)]
    for k, column in enumerate(columns):
        rows = {cell.net: cell.row for cell in columns[k - 1]} if k else {}
        bottom = -1
        for cell in column:
            cell.wires.sort(key=lambda w: rows[w.source])
            above, below = cell.reach
            sources = [rows[w.source] for w in cell.wires]
            centre = round(sum(sources) / len(sources)) if sources else bottom + 1 + above
            gap = 0 if cell.box is None else 1
            cell.row = max(bottom + 1 + above + gap, centre)
            bottom = cell.row + below


# --- drawing -----------------------------------------------------------------------------


def _draw(column: list[Cell], x: int, canvas: Canvas, *, is_last: bool, compact: bool) -> int:
    """Draw a column from `x` on; where it ends. `compact` leaves out what place says: `δ =`."""
    boxes = [cell for cell in column if cell.box is not None]
    notes = [w.contribution for cell in boxes for w in cell.wires]
    port = max(map(cell_width, notes), default=0)
    port = port + (2 if compact else 3) if port else (1 if any(c.wires for c in boxes) else 0)
    inner = max((cell_width(c.box.title) for c in boxes if c.box and c.box.title), default=-9)
    left, right = x + port, x + port + inner + (1 if compact else 3)
    label = right + 2 if inner > 0 else x
    below = {c.net: list(c.box.delta) if compact else c.box.below for c in boxes if c.box}
    texts = [t for c in boxes if c.box for t in (*c.box.above, *below[c.net])]
    end = label + max(map(cell_width, texts), default=0)
    for cell in column:
        if cell.box is None:
            canvas.across(cell.row, x, end, cell.net)
            continue
        start = label - 1 if inner > 0 else x
        if cell.box.title:
            _box(cell, cell.box, x, (left, right), canvas)
            start = right + 1
        for k, text in enumerate(reversed(cell.box.above)):
            canvas.write(cell.row - 1 - k, label, text)
        for k, text in enumerate(below[cell.net]):
            canvas.write(cell.row + 1 + k, label, text)
        canvas.across(cell.row, start, end - 1 if is_last else end, cell.net)
    return end


def _box(cell: Cell, box: Box, x: int, sides: tuple[int, int], canvas: Canvas) -> None:
    left, right = sides
    half = max(1, len(cell.wires))
    canvas.frame(cell.row - half, left, cell.row + half, right)
    space = right - left - 1 - cell_width(box.title)
    canvas.write(cell.row, left + 1 + space // 2, box.title)
    for row, wire in zip(cell.ports, cell.wires, strict=False):
        canvas.across(row, x, left - 1, wire.source)
        if wire.contribution:
            room = left - x - cell_width(wire.contribution)
            canvas.write(row, x + room // 2 - 1, f" {wire.contribution} ")


def _wired(before: list[Cell], after: list[Cell], x: int, canvas: Canvas) -> int | None:
    """Draw the channel between two columns; where it ends, or None if it can't be drawn."""
    ends: dict[int, list[int]] = {}
    for cell in after:
        for row, wire in zip(cell.ports, cell.wires, strict=False):
            ends.setdefault(wire.source, []).append(row)
    nets = [Net(c.net, c.row, tuple(ends[c.net])) for c in before if c.net in ends]
    order = tracks(nets)
    if order is None:
        return None
    width = 2 * len(order) + 1
    track = {net.id: x + 1 + 2 * k for k, net in enumerate(order)}
    for net in nets:
        if net.is_straight:
            canvas.across(net.start, x, x + width, net.id)
            continue
        at = track[net.id]
        rows = (net.start, *net.ends)
        canvas.across(net.start, x, at, net.id)
        canvas.down(at, min(rows), max(rows), net.id)
        for row in net.ends:
            canvas.across(row, at, x + width, net.id)
    return x + width
