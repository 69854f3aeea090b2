"""The graph in a terminal: from left to right where there is room, else from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from gradcli.picture import columns, lanes
from gradcli.picture.model import Drawing

if TYPE_CHECKING:
    from gradcli.report.style import Style

WIDEST = 200
"""Into a pipe or a file, a drawing from left to right is no wider than this."""


def drawn(found: Drawing, style: Style) -> Iterator[str]:
    """A drawing, in pieces. No number is ever cut."""
    across = columns.lines(found, replace(style, width=style.width or WIDEST))
    if across is None:
        yield from lanes.pieces(found, style)
    else:
        for line in across:
            yield line + "\n"
