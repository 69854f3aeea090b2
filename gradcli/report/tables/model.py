"""A table before it is text: columns, and rows of cells that know what they hold.

Reports make a `Table`; the modules `markdown`, `html`, `latex` and `csv` write tables in their
format. What a terminal's table is fitted into is in `layout`, how its lines are drawn in `grid`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from gradcli.report.numbers import inline, is_small, shape_text, shown, summary

if TYPE_CHECKING:
    from gradcli.graph.graph import Graph, Node
    from gradcli.report.style import Style


class Column(NamedTuple):
    """A column: its heading, and whether its cells are numbers, which stand flush right."""

    title: str
    numbers: bool = False
    typed: bool = False
    """Whether the heading is what can be typed: the label of an element."""


class Name(NamedTuple):
    """What can be typed: a node's name, an element's label, a formula."""

    text: str


class Operation(NamedTuple):
    """A node's operation as it is typed, and the node, for formats that write mathematics."""

    text: str
    graph: Graph
    node: Node


class Words(NamedTuple):
    """A sentence, which may have characters that mean something in a format."""

    text: str


class Number(NamedTuple):
    """A number or an array. Formats for programs write all its digits."""

    value: Any
    precision: int
    """Significant digits in formats for people."""
    places: int | None = None
    """Digits behind the point, where they are fixed."""
    sized: bool = False
    """Whether another column has the array's shape."""


class Shape(NamedTuple):
    """The lengths of an array's axes."""

    axes: tuple[int, ...]


Cell: TypeAlias = "Name | Operation | Words | Number | Shape | str"
"""A text stands in every format as it is."""


class Table(NamedTuple):
    """Columns, and rows with a cell for each. The rows may be made while they are written."""

    columns: Sequence[Column]
    rows: Iterable[Iterable[Cell]]


def cell_text(cell: Cell, style: Style) -> str:
    """What stands in a cell, in formats for people."""
    match cell:
        case str():
            return cell
        case Number(None):
            return ""
        case Number(value, _, int() as places):
            return f"{value:.{places}f}"
        case Number(value, precision, _, sized):
            large = sized and not is_small(value)
            return str(summary(value, precision)) if large else inline(value, precision, style)
        case Shape(axes):
            return shape_text(axes, style)
    return shown(cell.text, style)
