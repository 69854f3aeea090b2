"""Lines of a table as plain text: cells padded to the widths of their columns.

A cell comes in as lines of text that are ready to be shown, and may have several of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from gradcli.report.numbers import padded
from gradcli.report.style import Style

GAP = 2
"""Terminal cells between two columns."""


def width_of(widths: Collection[int]) -> int:
    """How wide a table of these columns is."""
    return sum(widths) + GAP * (len(widths) - 1)


def line(texts: Iterable[str], widths: Sequence[int]) -> str:
    """A line of the table, without its end."""
    return (" " * GAP).join(map(padded, texts, widths)).rstrip()


def lines(cells: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    """A row of the table: as many lines as its tallest cell has, each with its end."""
    for i in range(max(map(len, cells))):
        yield line((cell[i] if i < len(cell) else "" for cell in cells), widths) + "\n"


def rule(width: int, style: Style) -> str:
    """The line below the headings."""
    return ("-" if style.ascii else "─") * width + "\n"
