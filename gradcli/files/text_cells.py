"""A second look at a file of points, in plain Python: cells that Polars could not read, and faults.

Polars reads fast and says little. Where it found no number in a cell, the text itself comes out
here, so that blanks around a number and the words `NaN` and `Infinity` do no harm and an error
can show the cell. Where it could not read a file at all, the row at fault and the reason come out.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from gradcli.diagnostics.failures import file_error, reason

SEPARATOR = {"csv": ",", "tsv": "\t"}
GZIP = b"\x1f\x8b"
PACKED = (GZIP, b"\x28\xb5\x2f\xfd", b"\x78\x01", b"\x78\x9c", b"\x78\xda")
"""How files compressed by gzip, Zstandard and zlib begin."""
UNREADABLE = (OSError, EOFError, ValueError, RecursionError, csv.Error)
"""What may be raised by a file that is damaged behind its first rows."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def head(path: Path, size: int = 4) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as file:
        return file.read(size)


def blank_lines_at_end(path: Path) -> int:
    """How many blank lines end a file of text. In a compressed one nobody put them there."""
    with path.open("rb") as file:
        if file.read(4).startswith(PACKED):
            return 0
        size = file.seek(0, 2)
        file.seek(max(0, size - 65_536))
        tail = file.read()
    return max(0, tail[len(tail.rstrip(b"\r\n")) :].count(b"\n") - 1)


# --- cells ---------------------------------------------------------------------------------


class Cells:
    """The rows of a text file, some at a time and never backwards."""

    def __init__(self, path: Path, form: str, keys: Sequence[str]) -> None:
        """`keys` are the columns' names as the file has them."""
        self.coming = _records(path, keys) if form == "ndjson" else _table(path, form)
        self.next, self.first = 1, 0
        self.rows: list[list[Any]] = []

    def of(self, column: int, first: int, count: int) -> list[Any]:
        """What stands in a column, by its place, in so many rows from `first` on."""
        if first != self.first:
            skipped = first - self.next
            self.rows = list(islice(self.coming, skipped, skipped + count))
            self.first, self.next = first, first + count
        missing: list[None] = [None] * (count - len(self.rows))
        return [row[column] if column < len(row) else None for row in self.rows] + missing


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path) if head(path, 2) == GZIP else path.open("rb")  # type: ignore[return-value]


def _table(path: Path, form: str, *, strict: bool = False) -> Iterator[list[str]]:
    """The rows below the header."""
    csv.field_size_limit(sys.maxsize if sys.maxsize < 2**31 else 2**31 - 1)
    with TextIOWrapper(_opened(path), "utf-8-sig", newline="") as file:
        rows = csv.reader(file, delimiter=SEPARATOR[form], strict=strict)
        next(rows, None)
        yield from rows


def _records(path: Path, keys: Sequence[str]) -> Iterator[list[Any]]:
    for record in _lines(path):
        found = json.loads(record)
        yield [found.get(key) for key in keys] if isinstance(found, dict) else []


def _lines(path: Path) -> Iterator[str]:
    with TextIOWrapper(_opened(path), "utf-8-sig", newline="\n") as file:
        for line in file:
            if line.strip():
                yield line


def number_in(cell: Any, *, gaps: bool = False) -> Any:
    """A cell as an array, of no axes for a number; None if it holds neither.

    With `gaps` a null among its numbers is nan.
    """
    if isinstance(cell, str):
        text = _with_minus(cell.strip())
        if not text.startswith("["):
            return _number(text)
        try:
            cell = json.loads(text)
        except (ValueError, RecursionError):
            return None
    if cell is None or isinstance(cell, dict):
        return None
    try:
        found = np.asarray(cell, dtype=np.float64)
        if gaps:
            return found
        if np.isnan(found).any() and any(v is None for v in np.asarray(cell, dtype=object).flat):
            return None
    except (ValueError, TypeError, OverflowError):
        return None
    return found


def _with_minus(text: str) -> str:
    """The text with the minus that Python knows for the one of mathematics (U+2212)."""
    return text if text.isascii() else text.replace("\N{MINUS SIGN}", "-")


def numbers_in(cells: Sequence[Any]) -> Any:
    """Cells as one array if all of them are numbers, else None: a quick way for the usual case."""
    found = []
    for cell in cells:
        if isinstance(cell, str):
            try:
                found.append(float(_with_minus(cell)) if "_" not in cell else None)
            except ValueError:
                return None
        else:
            found.append(cell)
    if not {type(value) for value in found} <= {int, float}:
        return None
    try:
        return np.array(found, dtype=np.float64)
    except OverflowError:
        return None


def _number(text: str) -> Any:
    if "_" in text:
        return None
    try:
        return np.asarray(float(text))
    except ValueError:
        return None


# --- faults --------------------------------------------------------------------------------


def fault(path: Path, name: str, form: str, columns: int) -> Exception | None:
    """What keeps a text file from being read, with its place; None if nothing is found."""
    try:
        if head(path, 2) in UTF_16:
            return file_error(f"{name} is text in UTF-16", "save it as UTF-8")
        if form == "ndjson":
            return _fault_in_lines(path, name)
        if form in SEPARATOR:
            return _fault_in_table(path, name, form, columns)
    except UnicodeDecodeError:
        return _no_text(path, name)
    except (EOFError, OSError) as error:
        return file_error(f"{name} can't be read: {reason(error)[:200]}")
    return None


def _no_text(path: Path, name: str) -> Exception | None:
    with _opened(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return file_error(
                    f"{name} is not text in UTF-8: the byte 0x{line[error.start]:02x} "
                    f"in line {number:,}",
                    "save it as UTF-8",
                )
    return None


def _fault_in_table(path: Path, name: str, form: str, columns: int) -> Exception | None:
    row = 0
    try:
        for row, cells in enumerate(_table(path, form, strict=True), start=1):
            if len(cells) > columns:
                return file_error(
                    f"{name}, row {row:,}: there are {len(cells)} cells, for "
                    f"{columns} column{'s' * (columns != 1)}",
                    "a cell with a separator in it is put into quotes",
                )
    except csv.Error as error:
        open_end = "unexpected end" in str(error)
        what = "a quotation mark is never closed" if open_end else str(error)
        return file_error(f"{name}, row {row + 1:,}: {what}")
    return None


class _NotJson(ValueError):
    """A line that Python's reader takes and JSON does not."""


def _no_constant(word: str) -> Any:
    raise _NotJson(f'JSON has no {word}: it is written "{word}", in quotes')


def _no_larger(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _NotJson(f"the number {text[:40]} exceeds the largest double")
    return value


def _fault_in_lines(path: Path, name: str) -> Exception | None:
    row = 0
    for row, line in enumerate(_lines(path), start=1):
        try:
            found = json.loads(line, parse_constant=_no_constant, parse_float=_no_larger)
        except _NotJson as error:
            return file_error(f"{name}, row {row:,}: {error}")
        except (ValueError, RecursionError):
            return file_error(
                f"{name}, row {row:,}: '{_short(line)}' is no JSON object on one line"
            )
        if not isinstance(found, dict):
            return file_error(
                f"{name}, row {row:,}: '{_short(line)}' is no JSON object",
                'a row is an object on a line: {"x": 1, "y": 2}',
            )
    return None if row else file_error(f"{name} is empty")


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 40 else text[:40] + " …"
