"""The rows for a spreadsheet or a data frame: a line per node, every number in full.

Arrays stand in one cell, as nested lists, as far as they have at most `MOST_ELEMENTS`; beyond
that (a spreadsheet's cell has room for a few thousand numbers) they are summarised.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.report import json
from gradcli.report.numbers import inline, shown
from gradcli.report.tables import rows
from gradcli.report.tables.model import Cell, Column, Number, Shape, Table

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.results.result import Result

MOST_ELEMENTS = 1000

EVAL = ("name", "kind", "step", "operation", "shape", "value", "delta")
EVAL_CHECK = ("finite_difference", "error_estimate", "digits", "verdict", "words")
CHECK = ("name", "shape", "gradient", *EVAL_CHECK)


def pieces(result: Result, style: Style, command: str) -> Iterator[str]:
    """A line of names, then a line per node."""
    columns: tuple[str, ...] = CHECK if command == "check" else EVAL
    if command != "check" and result.checks is not None:
        columns += EVAL_CHECK
    cells = rows.cells(result, style, command, [FIELDS.get(key, key) for key in columns])
    return written(Table([Column(key) for key in columns], cells), style)


FIELDS = {"finite_difference": "slope", "error_estimate": "error", "gradient": "delta"}
"""Of which field of an entry a column is, where its name is another."""


def written(table: Table, style: Style) -> Iterator[str]:
    """Any table, line by line: a line of names, then a line per row."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([shown(column.title, style) for column in table.columns])
    for row in table.rows:
        yield stream.getvalue()
        stream.seek(0)
        stream.truncate()
        writer.writerow([_cell(cell, style) for cell in row])
    yield stream.getvalue()


def _cell(cell: Cell, style: Style) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Number):
        return value(cell.value, style)
    if isinstance(cell, Shape):
        return "x".join(map(str, cell.axes))
    return shown(cell.text, style)


def value(found: Any, style: Style) -> str:
    """A number or array in full; nothing for None."""
    if found is None:
        return ""
    if np.size(found) > MOST_ELEMENTS:
        return inline(found, style.precision, style)
    return json.written(found)
