"""The graph in a terminal: from left to right where there is room, else from top to bottom.

A `Drawing` comes in, lines go out; or the steps of a trace, and the line that ends every trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradcli.picture import columns, lanes
from gradcli.picture.model import Drawing, drawing
from gradcli.report.numbers import painted
from gradcli.report.trace.listing import Choice, Late, Listing

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.trace.steps import Steps

WIDEST = 200
"""Into a pipe or a file, a drawing from left to right is no wider than this."""

_PARTS = re.compile(
    r"(?P<wire>[\u2500-\u257f]+|-{3,}|(?<= )\|(?=[ \n]))|[^\W\d]\w*(?:\[[\d, ]*\])?(?= = )"
)
"""Wires and boxes, and the names of variables and of accumulators."""


def pieces(steps: Steps, style: Style, choice: Choice, late: Late) -> Iterator[str]:
    """A trace as the graph itself. `late` gives the checked result for its last line."""
    yield from drawn(drawing(steps, style, choice), style)
    if choice.backward:
        yield "\n" + Listing(steps, style, choice).closing(late) + "\n"


def drawn(found: Drawing, style: Style) -> Iterator[str]:
    """A drawing, in pieces. No number is ever cut."""
    if style.color:
        for piece in drawn(found, style._replace(color=False)):
            # As in the table: names are bold, lines dim.
            yield _PARTS.sub(
                lambda part: painted(part[0], "dim" if part["wire"] else "bold", style), piece
            )
        return
    across = columns.lines(found, style._replace(width=style.width or WIDEST))
    yield from lanes.pieces(found, style) if across is None else (f"{line}\n" for line in across)
