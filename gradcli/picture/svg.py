"""The graph as SVG, for a page that goes through it step by step.

A `Drawing` comes in, the same that Graphviz and the terminal get. Out comes an SVG whose parts say
what they belong to: a node has its number in `data-node`, its value in `data-value`, its
accumulator in `data-delta`, and a wire both its ends. The way of the data is to the right, in deep
graphs down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from gradcli.diagnostics.error import cell_width
from gradcli.picture.layers import Point, Size, layout
from gradcli.picture.model import DEEP, Box, Drawing, Wire

CHARACTER, SMALL_CHARACTER, LINE = 7.3, 6.4, 16.0
"""What a character and a line of text take, in pixels, at 12 (and 10.5) pixels in a font of one
width."""
PADDING, PORT = 9.0, 17.0
"""Room around the text in a box; and between the wires that lead into it."""
GAP = 30.0
"""Between a wire's text and the next box, without what is written beside the wires."""
LONGEST_NUMBER = 10
"""Characters of a number at six digits, for values that change in the page."""
MARGIN, SMALLEST = 12.0, 0.75
"""Room around the picture, and how far it shrinks to fit before it scrolls."""
ARROW = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" '
    'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.8 L7 4 L0 7.2 z"/>'
    "</marker></defs>"
)
MOST_BOXES = 400
"""A larger graph is no picture that one can read, and is left out."""


STYLE = """\
svg.gradcli { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: currentColor; }
svg.gradcli text { white-space: pre; }
svg.gradcli rect { fill: #fff3d6; stroke: #8a6d1d; }
svg.gradcli .title { text-anchor: middle; fill: #1c1c1e; }
svg.gradcli .number { font-size: 10px; fill: #5d6066; }
svg.gradcli .wire, svg.gradcli .stub { fill: none; stroke: #888; stroke-width: 1.3; }
svg.gradcli marker path { fill: #888; }
svg.gradcli .delta, svg.gradcli .sent { fill: #2f7ed8; }
svg.gradcli .sent { font-size: 10.5px; }
"""


def standalone(picture: Picture, title: str) -> str:
    """A picture with its style, for a page that has none for it."""
    first, *rest = picture.pieces(title)
    first = first.replace('<svg id="graph"', '<svg class="gradcli"', 1)
    head, mark, tail = first.partition("</title>")
    return "".join((head, mark, f"<style>{STYLE}</style>", tail, *rest))


class Picture:
    """A drawing with the sizes and places of its parts.

    `changing` leaves room for other numbers than those of now.
    """

    def __init__(self, drawing: Drawing, *, changing: bool = False) -> None:
        self.drawing, self.changing = drawing, changing
        self.down = drawing.depth > DEEP
        wires = [(wire.source, wire.target) for wire in drawing.wires]
        self.sizes = {i: self._size(box) for i, box in drawing.boxes.items()}
        rooms = [self._room(wire) for wire in drawing.wires]
        self.found = layout(self.sizes, drawing.layers, wires, rooms)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        along, across = self.found.along + 2 * MARGIN, self.found.across + 2 * MARGIN
        return (across, along) if self.down else (along, across)

    def pieces(self, title: str) -> Iterator[str]:
        """The `svg` element, in pieces."""
        width, height = self.size
        smallest = f"min-width: {SMALLEST * width:.0f}px"
        yield (
            f'<svg id="graph" role="group" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" style="{smallest}">'
            f"<title>{escape(title)}</title>{ARROW}\n"
        )
        yield from self._wires()
        for i, box in self.drawing.boxes.items():
            yield from self._box(i, box)
        yield "</svg>\n"

    # --- sizes ---------------------------------------------------------------------------

    def _room(self, wire: Wire) -> float:
        """What is free in front of the box that a wire leads to, for what is written there."""
        lines = wire.contribution.split("\n") if wire.contribution else []
        if self.down:
            return GAP + LINE * len(lines) * min(3, len(self.drawing.into[wire.target]))
        return GAP + max(map(cell_width, lines), default=0) * SMALL_CHARACTER

    def _own(self, box: Box) -> tuple[float, float]:
        """Width and height of the box itself; an input has none."""
        if not box.title:
            return 0.0, 0.0
        number = 0 if box.number is None else len(str(box.number)) + 3
        wires = len(self.drawing.into[box.id])
        width = (cell_width(box.title) + number) * CHARACTER + 2 * PADDING
        height = LINE + 2 * PADDING - 4
        if self.down:
            return max(width, wires * PORT + 8), height
        return width, max(height, wires * PORT + 4)

    def _text(self, lines: list[str], box: Box, head: str) -> tuple[float, float]:
        """Width and height of the lines at a wire."""
        longest = max((cell_width(line) for line in lines), default=0)
        if self.changing and lines and (box.kind != "constant"):
            longest = max(longest, cell_width(head) + 3 + LONGEST_NUMBER)
        return longest * CHARACTER + 4, max(1, len(lines)) * LINE

    def _size(self, box: Box) -> Size:
        """What a box and the texts at its wire take together."""
        width, height = self._own(box)
        (above, high), (below, low) = self._texts(box)
        if self.down:
            return Size(height + max(high, low) + 14, max(width, 2 * max(above, below) + 12))
        return Size(width + max(above, below) + 14, max(height, 2 * max(high, low) + 8))

    def _texts(self, box: Box) -> tuple[tuple[float, float], tuple[float, float]]:
        return self._text(box.above, box, box.name), self._text(box.below, box, box.symbol)

    # --- parts ---------------------------------------------------------------------------

    def _at(self, along: float, across: float) -> Point:
        """A place on the way of the data and across it, as x and y."""
        along, across = along + MARGIN, across + MARGIN
        return (across, along) if self.down else (along, across)

    def _box(self, i: int, box: Box) -> Iterator[str]:
        along, across = self.found.centres[i]
        start, end = along - self.sizes[i].along / 2, along + self.sizes[i].along / 2
        width, height = self._own(box)
        depth = height if self.down else width
        kind = f"{box.kind} output" if i == self.drawing.output else box.kind
        label = f"{box.name} = {box.expression}" if box.expression else f"input {box.name}"
        button = ' tabindex="0" role="button"' if box.number is not None else ""
        yield f'<g class="node {kind}" data-node="{i}"{button} aria-label="{escape(label)}">'
        x1, y1 = self._at(start + depth, across)
        x2, y2 = self._at(end, across)
        yield f'<path class="stub" d="M{x1:.1f} {y1:.1f} L{x2:.1f} {y2:.1f}"/>'
        if box.title:
            x, y = self._at(start + depth / 2, across)
            number = "" if box.number is None else f'<tspan class="number"> ({box.number})</tspan>'
            yield (
                f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}" rx="7"/><text class="title" x="{x:.1f}" y="{y + 4:.1f}">'
                f"{escape(box.title)}{number}</text>"
            )
        x, y = self._at(start + depth + (10 if depth else 0), across)
        (_, high), _ = self._texts(box)
        if self.down:
            yield _lines("value", i, box.above, x - 6, y + 12, "end")
            yield _lines("delta", i, box.below, x + 6, y + 12, "start")
        else:
            yield _lines("value", i, box.above, x, y - high + LINE - 5, "start")
            yield _lines("delta", i, box.below, x, y + LINE - 2, "start")
        yield "</g>\n"

    def _wires(self) -> Iterator[str]:
        """The wires, each into a place of its own at the box that it leads to."""
        ends: dict[int, list[int]] = {}
        for k, wire in enumerate(self.drawing.wires):
            ends.setdefault(wire.target, []).append(k)
        for target, wires in ends.items():
            wires.sort(key=lambda k: (self.found.wires[k][-2][1], k))
            along, across = self.found.centres[target]
            width, height = self._own(self.drawing.boxes[target])
            room = (width if self.down else height) - 10
            step = min(PORT, room / max(1, len(wires)))
            for place, k in enumerate(wires):
                port = across + (place - (len(wires) - 1) / 2) * step
                yield self._wire(k, (along - self.sizes[target].along / 2, port), place)

    def _wire(self, k: int, end: Point, place: int) -> str:
        """A wire to its end, the `place`-th of those into its box, and what comes back on it."""
        wire, points = self.drawing.wires[k], self.found.wires[k]
        along, across = points[0]
        corners = [(along + self.sizes[wire.source].along / 2, across), *points[1:-1], end]
        path = _smooth([self._at(*corner) for corner in corners], down=self.down)
        ends = f'data-source="{wire.source}" data-target="{wire.target}"'
        text = ""
        if wire.contribution:
            x, y = self._at(end[0] - 8, end[1])
            lines = wire.contribution.split("\n")
            high = LINE * (len(lines) * (place + 1) - 1)
            corner, anchor = ((x + 5, y - 2 - high), "start") if self.down else ((x, y - 4), "end")
            text = _lines("sent", k, lines, *corner, anchor)
        return f'<path class="wire" {ends} d="{path}" marker-end="url(#arrow)"/>{text}\n'


def _lines(kind: str, number: int, lines: Iterable[str], x: float, y: float, anchor: str) -> str:
    """Lines of text, one below the other."""
    spans = "".join(
        f'<tspan x="{x:.1f}" dy="{LINE if k else 0:g}">{escape(line)}</tspan>'
        for k, line in enumerate(lines)
    )
    return (
        f'<text class="{kind}" data-{kind}="{number}" x="{x:.1f}" y="{y:.1f}" '
        f'text-anchor="{anchor}">{spans}</text>'
    )


def _smooth(points: list[Point], *, down: bool) -> str:
    """A curve through points that leaves and meets them along the way of the data."""
    (x, y), *rest = points
    path = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        half_x, half_y = (x + to_x) / 2, (y + to_y) / 2
        first, second = ((x, half_y), (to_x, half_y)) if down else ((half_x, y), (half_x, to_y))
        path.append("C" + " ".join(f"{a:.1f} {b:.1f}" for a, b in (first, second, (to_x, to_y))))
        x, y = to_x, to_y
    return "".join(path)
