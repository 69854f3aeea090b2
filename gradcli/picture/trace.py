"""The trace as the graph itself: boxes and wires, and the line that ends every trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradcli.picture.model import drawing
from gradcli.picture.text import drawn
from gradcli.report.trace.listing import Choice, Late, Listing

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.trace.steps import Steps


def pieces(steps: Steps, style: Style, choice: Choice, late: Late) -> Iterator[str]:
    """The drawing. `late` gives the checked result for its last line."""
    yield from drawn(drawing(steps, style, choice), style)
    if choice.backward:
        yield "\n" + Listing(steps, style, choice).closing(late) + "\n"
