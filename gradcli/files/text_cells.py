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
import re
import zlib
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, Any

from gradcli.diagnostics.failures import file_error, reason
from gradcli.diagnostics.spreadsheets import ERROR_VALUE
from gradcli.files.dialect import SEPARATORS, Table, WithoutComments, rows_of
from gradcli.files.files import GZIP, UTF_16
from gradcli.files.numbers import hint_for

UNREADABLE = (OSError, EOFError, ValueError, RecursionError, csv.Error, zlib.error)
"""What may be raised by a file that is damaged behind its first rows."""
BEGINNING, LONGEST_LINE = 2**20, 2**26
"""Bytes that are read to know a table, and that its first lines may have."""


def head(path: Path, size: int = 4) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as file:
        return file.read(size)


def blank_lines_at_end(path: Path) -> int:
    """How many blank lines end a file of text. A compressed one has none."""
    with path.open("rb") as file:
        if file.read(4).startswith(GZIP):
            return 0
        size = file.seek(0, 2)
        file.seek(max(0, size - 65_536))
        tail = file.read()
    return max(0, tail[len(tail.rstrip(b"\r\n")) :].count(b"\n") - 1)


# --- cells ---------------------------------------------------------------------------------


class Cells:
    """The rows of a text file, some at a time and never backwards."""

    def __init__(
        self, path: Path, table: Table | None, keys: Sequence[str], comments: bool
    ) -> None:
        """`keys` are the columns' names as the file has them; `table` is None for NDJSON."""
        self.coming = _records(path, keys) if table is None else _rows(path, table, comments)
        self.next, self.first = 1, 0
        self.rows: list[list[Any]] = []

    def of(self, column: int, first: int, count: int) -> list[Any]:
        """What stands in a column, by its place, in this many rows from `first` on."""
        if first != self.first:
            skipped = first - self.next
            self.rows = list(islice(self.coming, skipped, skipped + count))
            self.first, self.next = first, first + count
        missing: list[None] = [None] * (count - len(self.rows))
        return [row[column] if column < len(row) else None for row in self.rows] + missing


def opened(path: Path) -> IO[bytes]:
    """A file's content, unzipped."""
    return gzip.open(path) if head(path, 2) == GZIP else path.open("rb")  # type: ignore[return-value]


def beginning(path: Path, name: str) -> str:
    """The first lines of a text: a megabyte, or as much as its first two lines have.

    Raises `GradcliError` where one of these never ends.
    """
    with opened(path) as file:
        start = bytearray(file.read(BEGINNING))
        while start.count(b"\n", -BEGINNING) < 2 and (more := file.read(BEGINNING)):
            start += more
            if len(start) > LONGEST_LINE:
                raise file_error(f"{name} has a line of more than {LONGEST_LINE >> 20} MB")
        if len(start) >= BEGINNING and file.read(1):
            del start[start.rindex(b"\n") + 1 :]
    if b"\0" in start and not start.startswith(UTF_16):
        raise file_error(f"{name} is not text: there are null bytes in it")
    return start.decode("utf-8-sig")


def is_doubtful(path: Path, comments: bool) -> bool:
    """Whether a text has an odd number of quotation marks, or `#N/A` where comments are left out.

    Unpacking takes its time, so a packed one is only looked at where its first megabyte has any.
    """
    count, end = 0, b""
    with opened(path) as file:
        start = file.read(BEGINNING)
        if b'"' not in start and head(path, 2) == GZIP:
            return False
        while start:
            count += start.count(b'"')
            if comments and (start[:1] == b"#" or b"\n#" in start):
                lines = (end + start).decode("latin-1")
                if any(ERROR_VALUE.match(lines, at.end()) for at in re.finditer("\n(?=#)", lines)):
                    return True
            end = start[-16:]
            start = file.read(BEGINNING)
    return count % 2 == 1


def _rows(path: Path, table: Table, comments: bool, *, strict: bool = False) -> Iterator[list[str]]:
    """The rows below the header; with `comments` a row that begins with `#` is passed over."""
    with TextIOWrapper(opened(path), "utf-8-sig", newline="") as file:
        lines = islice(file, table.above, None)
        if not table.commented:
            next(rows_of(lines, table.separator), None)
        if not comments:
            yield from rows_of(lines, table.separator, strict=strict)
            return
        without = WithoutComments(lines)
        for row in rows_of(without, table.separator, strict=strict):
            yield row
            without.row_begins = True


def _records(path: Path, keys: Sequence[str]) -> Iterator[list[Any]]:
    for record in _lines(path):
        found = json.loads(record)
        yield [found.get(key) for key in keys] if isinstance(found, dict) else []


def _lines(path: Path) -> Iterator[str]:
    with TextIOWrapper(opened(path), "utf-8-sig", newline="\n") as file:
        for line in file:
            if line.strip():
                yield line


# --- faults --------------------------------------------------------------------------------


def fault(
    path: Path, name: str, form: str, table: Table | None, columns: int, comments: bool
) -> Exception | None:
    """The first fault in a text file, with its place, as an error; None if there is none."""
    try:
        if head(path, 2) in UTF_16:
            return file_error(f"{name} is text in UTF-16", "save it as UTF-8")
        if form == "ndjson":
            return _fault_in_lines(path, name)
        if form in SEPARATORS:
            return _fault_in_table(path, name, table or Table(SEPARATORS[form]), columns, comments)
    except UnicodeDecodeError:
        return _no_text(path, name)
    except (EOFError, OSError, zlib.error) as error:
        return file_error(f"{name} can't be read: {reason(error)[:200]}")
    return None


def _no_text(path: Path, name: str) -> Exception | None:
    with opened(path) as file:
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


def _fault_in_table(
    path: Path, name: str, table: Table, columns: int, comments: bool
) -> Exception | None:
    row = 0
    try:
        for row, cells in enumerate(_rows(path, table, comments, strict=True), start=1):
            if len(cells) > columns:
                return file_error(
                    f"{name}, row {row:,}: there are {len(cells)} cells, for "
                    f"{columns} column{'s' * (columns != 1)}",
                    _why_more(cells, columns, table),
                )
            if comments and cells and ERROR_VALUE.match(cells[0]):
                what = f"the first column has '{cells[0].strip()[:40]}', which is not a number"
                return file_error(f"{name}, row {row:,}: {what}", hint_for(cells[0], options=True))
    except csv.Error as error:
        open_end = "unexpected end" in str(error)
        what = "a quotation mark is never closed" if open_end else str(error)
        return file_error(f"{name}, row {row + 1:,}: {what}")
    return None


def _why_more(cells: Sequence[str], columns: int, table: Table) -> str:
    """A hint where a row has more cells than the header has names."""
    if not any(cell.strip() for cell in cells[columns:]):
        return f"the row ends with '{table.separator}': the header has to end with it too"
    if table.separator == "," and len(cells) == 2 * columns:
        return "between decimal commas, semicolons separate the columns"
    return "a cell with a separator in it is put into quotes"


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
                f"{name}, row {row:,}: '{_short(line)}' isn't a JSON object on one line"
            )
        if not isinstance(found, dict):
            return file_error(
                f"{name}, row {row:,}: '{_short(line)}' isn't a JSON object",
                'a row is an object on a line: {"x": 1, "y": 2}',
            )
    return None if row else file_error(f"{name} is empty")


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 40 else text[:40] + " …"
