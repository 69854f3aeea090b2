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

from gradcli.report.json import written
from gradcli.report.numbers import inline, shown
from gradcli.report.tables import rows

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.report.tables.rows import Entry
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
    yield line(columns)
    for entry in rows.entries(result, command):
        fields = _fields(entry, style)
        yield line(tuple(fields[key] for key in columns))


def _fields(entry: Entry, style: Style) -> dict[str, str]:
    return {
        "name": shown(entry.name, style),
        "kind": entry.kind,
        "step": "" if entry.step is None else str(entry.step),
        "operation": shown(entry.operation, style),
        "shape": "x".join(map(str, entry.shape)),
        "value": value(entry.value, style),
        "delta": value(entry.delta, style),
        "gradient": value(entry.delta, style),
        "finite_difference": value(entry.slope, style),
        "error_estimate": value(entry.error, style),
        "digits": value(entry.digits, style),
        "verdict": entry.verdict or "",
        "words": shown(entry.words, style),
    }


def value(found: Any, style: Style) -> str:
    """A number or array in full; nothing for None."""
    if found is None:
        return ""
    if np.size(found) > MOST_ELEMENTS:
        return inline(found, style.precision, style)
    return written(found)


def line(cells: tuple[str, ...]) -> str:
    """A line of the file."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(cells)
    return stream.getvalue()
