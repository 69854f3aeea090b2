"""The graph from top to bottom, in as little width as it takes: a line per variable.

Each variable has a lane from the row that computes it to the last row that reads it, so that a
fork is a lane that goes on beside those that leave it. Where there are more lanes than there is
room, the lanes are left out and each row names what it reads.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradcli.diagnostics.error import cell_width
from gradcli.picture.model import Box, Drawing, headed
from gradcli.report.numbers import folded
from gradcli.report.style import Style

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
GLYPHS = {
    UP: "│", DOWN: "│", UP | DOWN: "│",
    LEFT: "─", RIGHT: "─", LEFT | RIGHT: "─",
    DOWN | RIGHT: "┌", DOWN | LEFT: "┐", UP | RIGHT: "└", UP | LEFT: "┘",
    UP | DOWN | RIGHT: "├", UP | DOWN | LEFT: "┤",
    DOWN | LEFT | RIGHT: "┬", UP | LEFT | RIGHT: "┴", 15: "┼",
}  # fmt: skip
"""A line by the sides of its cell that it reaches."""

ASCII = str.maketrans("│─┌┐└┘├┤┬┴┼●▶", "|-+++++++++o>")
MOST = 60
"""More lanes than this are too many to follow."""

NARROWEST = 24
"""Cells that the text beside the lanes needs at least."""


def pieces(drawing: Drawing, style: Style) -> Iterator[str]:
    """The drawing, in pieces."""
    last = {i: max((w.target for w in wires), default=i) for i, wires in drawing.out_of.items()}
    width = style.width
    room_for = MOST if width is None else min(MOST, (width - NARROWEST) // 2)
    wide = _most_lanes(drawing, last, room_for)
    with_lanes = wide <= room_for
    lanes: list[int | None] = []
    first = more = ""
    for box in drawing.boxes.values():
        sources = list(dict.fromkeys(w.source for w in drawing.into[box.id]))
        if with_lanes:
            first, more = _row(box.id, sources, lanes, last)
        indent = 2 * wide + 1 if with_lanes else 0
        room = None if width is None else width - indent
        texts = _texts(box, drawing, room, sources if not with_lanes else [])
        for k, text in enumerate(texts):
            lane = (first if k == 0 else more).ljust(indent) if with_lanes else ""
            yield _ascii(lane, style) + text + "\n"
        if any(lane is not None for lane in lanes):
            yield _ascii(more.rstrip(), style) + "\n"


def _ascii(text: str, style: Style) -> str:
    return text.translate(ASCII) if style.ascii else text


def _most_lanes(drawing: Drawing, last: dict[int, int], enough: int) -> int:
    """How many lanes there are at most at a time; counted as far as there is room."""
    lanes: list[int | None] = []
    for box in drawing.boxes.values():
        if len(lanes) > enough:
            break
        _row(box.id, [w.source for w in drawing.into[box.id]], lanes, last)
    return len(lanes)


def _row(
    own: int, sources: list[int], lanes: list[int | None], last: dict[int, int]
) -> tuple[str, str]:
    """The lanes in the row of a box, and in those below it. `lanes` is changed."""
    places = {lanes.index(source) for source in sources}
    ending = {p for p in places if last[lanes[p] or 0] == own}
    free = sorted(ending) or [p for p, lane in enumerate(lanes) if lane is None]
    if free:
        place = free[0]
    else:
        place = len(lanes)
        lanes.append(None)
    touched = places | {place}
    left, right = min(touched), max(touched)
    cells = []
    for p, lane in enumerate(lanes):
        bits = 0 if lane is None else UP | DOWN
        if p in ending:
            bits = UP
        joined = p in touched
        bits |= LEFT if left < p <= right else 0
        bits |= RIGHT if left <= p < right else 0
        glyph = GLYPHS.get(bits, " ")
        if p == place:
            glyph = "●"
        elif bits == 15:
            glyph = "┼" if joined else "│"
        cells.append(glyph + ("─" if left <= p < right else " "))
    for p in ending:
        lanes[p] = None
    lanes[place] = own if last[own] > own else None
    below = "".join("  " if lane is None else "│ " for lane in lanes)
    return "".join(cells), below


def _texts(box: Box, drawing: Drawing, room: int | None, sources: list[int]) -> list[str]:
    """What stands beside a row: the value, and below it δ with its contributions."""
    number = "" if box.number is None else f"   ({box.number})"
    head = f"{box.name} = {box.expression}" if box.expression else box.name
    is_literal = box.value == (box.expression,)
    first, *more = headed(head, box.value) if box.value and not is_literal else [head]
    lines = [first + number, *more]
    if sources:
        lines.append("from " + ", ".join(drawing.boxes[s].name for s in sources))
    lines += box.below
    sent = (wire for wire in drawing.out_of[box.id] if wire.contribution)
    lines += (f"{w.contribution} from {drawing.boxes[w.target].name}" for w in sent)
    if room is None:
        return lines
    return [
        part
        for line in lines
        for part in ([line] if cell_width(line) <= room else folded(line, room))
    ]
