"""Tables of numbers as text: one array, or names and one row.

A text comes in, arrays of float64 come out; what is no number is an error with its row and
column. What separates the columns shows in the first lines (`dialect`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from gradcli.diagnostics.failures import problem
from gradcli.diagnostics.source import Source, Span
from gradcli.files.dialect import ROWS, Asked, rows_of, table_in
from gradcli.files.numbers import has_comma, hint_for, number, number_in

STANDARD_INPUT = "standard input"
"""The path of what comes from there."""


def array_in_text(text: str, path: str, suffix: str) -> Any:
    """A text of numbers: one column is a vector, several are a matrix.

    Columns are separated by commas, semicolons, tabs or blanks, as the first line shows. A
    first line that is not numeric is a header; empty lines and lines that begin with `#` are
    passed over. Below a header with semicolons or tabs and without commas, a comma is a
    decimal mark.
    """
    lines = [
        (at, line)
        for at, line in enumerate(text.split("\n"))
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise problem(path, "is empty")
    separator = _separator(lines[0][1], suffix)
    decimal = "."
    if not any(_is_number(cell) for cell in _cells(lines[0][1], separator)):
        _, header = lines.pop(0)
        if not lines:
            raise problem(path, "has a header and no numbers")
        separator = _separator(lines[0][1], suffix)
        beginning = "\n".join([header, *(line for _, line in lines[:ROWS])])
        table = table_in(beginning, "csv", f"'{path}'", Asked())
        if separator in (";", "\t") and table is not None and table.separator == separator:
            decimal = table.decimal
    if '"' in text:
        _expect_closed(text, path, lines)
    lines = _without_ends(lines, separator)
    array = _quickly_read([line for _, line in lines], separator) if decimal == "." else None
    if array is None:
        array = _read_by_cell(text, path, lines, separator, decimal)
    return array[:, 0] if array.shape[1] == 1 else array


def _without_ends(lines: list[tuple[int, str]], separator: str | None) -> list[tuple[int, str]]:
    """The lines without the separator that ends each of several."""
    ends = [line.rstrip(" ") for _, line in lines]
    if separator is None or len(lines) == 1 or not all(end.endswith(separator) for end in ends):
        return lines
    return [(at, end[:-1]) for (at, _), end in zip(lines, ends, strict=True)]


def _expect_closed(text: str, path: str, lines: list[tuple[int, str]]) -> None:
    """Raise if a quotation mark is never closed in its line."""
    for row, (at, line) in enumerate(lines, 1):
        if line.count('"') % 2:
            start = sum(len(before) + 1 for before in text.split("\n")[:at]) + line.rindex('"')
            what = f"row {row}: a quotation mark is never closed"
            raise problem(path, what, source=Source(text, path), span=Span(start, start + 1))


def _quickly_read(lines: list[str], separator: str | None) -> npt.NDArray[np.float64] | None:
    """The rows as NumPy reads them; None where it can't, or where a number is too large for it."""
    try:
        array = np.loadtxt(lines, delimiter=separator, comments=None, quotechar='"', ndmin=2)
    except ValueError:
        return None
    return None if np.isinf(array).any() else array


def _separator(line: str, suffix: str) -> str | None:
    """What stands between the columns; None is any number of blanks."""
    if suffix == ".tsv":
        return "\t"
    if "\t" in line and ";" not in line and all(map(_is_number, line.split("\t"))):
        return "\t"  # `1,5 2,5` with a tab between
    found = (separator for separator in ";,\t" if separator in line)
    return next(found, None)


def _cells(line: str, separator: str | None) -> list[str]:
    return line.split() if separator is None else next(rows_of([line], separator), [])


def _is_number(cell: str) -> bool:
    return number(cell) is not None or has_comma(cell)


def _read_by_cell(
    text: str, path: str, lines: list[tuple[int, str]], separator: str | None, decimal: str
) -> npt.NDArray[np.float64]:
    """The rows, cell by cell. Raises for the first that is no number or of another length."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    source = Source(text, path)
    rows: list[list[float]] = []
    for row, (at, line) in enumerate(lines, 1):
        cells = _cells(line, separator)
        values = [number(cell, decimal) for cell in cells]
        start = starts[at]
        if None in values:
            column = values.index(None)
            span = _place(line, cells, column).moved(start)
            what, hint = _no_number(cells[column], decimal)
            if separator == ";" and has_comma(cells[column]):
                hint = "decimal commas are not read: write 1.5"
            what = f"row {row}, column {column + 1}: {what}"
            raise problem(path, what, hint, source=source, span=span)
        if len(cells) != len(rows[0] if rows else cells):
            what = f"row {row}: {len(cells)} columns, the rows before have {len(rows[0])}"
            raise problem(path, what, source=source, span=Span(start, start + len(line)))
        rows.append([value for value in values if value is not None])
    return np.array(rows, dtype=np.float64)


def _place(line: str, cells: list[str], column: int) -> Span:
    """Where a cell stands in its line."""
    position = 0
    for cell in cells[: column + 1]:
        found = line.find(cell, position)
        start = position if found < 0 else found
        position = start + len(cell) + 1
    return Span(start, start + max(len(cells[column]), 1))


def bound_by(path: str) -> str | None:
    """The hint on how one array is read, which standard input can't give."""
    return None if path == STANDARD_INPUT else f"--NAME @{path} binds it"


def named_row(text: str, path: str, suffix: str) -> Iterator[tuple[str, Callable[[str], Any]]]:
    """The names of a table of one row, and what reads a cell: a number or a list in JSON."""
    table = table_in(text, "tsv" if suffix == ".tsv" else "csv", f"'{path}'", Asked())
    if table is None:
        raise problem(path, "is empty")
    lines = text.split("\n")[table.above :]
    without = (f"{line}\n" for line in lines if not line.startswith("#"))
    try:
        rows = [row for row in rows_of(without, table.separator, strict=True) if any(row)]
    except csv.Error:
        raise problem(path, "has a quotation mark that is never closed") from None
    rows = rows if table.commented else rows[1:]
    if all(number(cell) is not None for cell in table.header):
        raise problem(path, "holds one array, and --data reads many by name", bound_by(path))
    if not rows:
        raise problem(path, "has a header and no numbers")
    if len(rows) > 1:
        raise problem(
            path,
            f"has {len(rows):,} rows below its header, and --data takes one",
            "gradcli batch evaluates all rows",
        )
    if len(rows[0]) > len(table.header):
        raise problem(path, f"has {len(rows[0])} cells for {len(table.header)} names")

    def read(column: int, name: str) -> Any:
        cell = rows[0][column]
        value = number_in(cell, decimal=table.decimal)
        if value is None:
            what, hint = _no_number(cell, table.decimal)
            raise problem(path, f"column {column + 1}, '{name}': {what}", hint)
        return np.float64(value) if value.ndim == 0 else value

    for column, (key, _) in enumerate(zip(table.header, rows[0], strict=False)):
        yield key.strip(), partial(read, column)


def _no_number(cell: str, decimal: str) -> tuple[str, str | None]:
    """What is wrong with a cell that is no number, and the hint."""
    shown = cell.strip()
    what = f"'{shown[:40]}' isn't a number" if shown else "the cell is empty"
    return what, hint_for(shown, decimal)
