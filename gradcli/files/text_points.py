"""Points as text: tables (CSV, TSV) and NDJSON.

Polars reads text that is no number as a missing value. Where a value is missing, the rows are
read again as text (`text_cells`).
"""

from __future__ import annotations

import glob
import re
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import polars as pl

from gradcli.diagnostics.failures import file_error
from gradcli.diagnostics.spreadsheets import ERROR_VALUE
from gradcli.files import head_start, text_cells
from gradcli.files.dialect import table_in
from gradcli.files.points import ScannedPoints, as_name

_ERROR_ROW = re.compile(rf"^{ERROR_VALUE.pattern}", re.IGNORECASE | re.MULTILINE)


class TextPoints(ScannedPoints):
    """A file of points whose numbers are written as text."""

    is_text = True
    has_errors = False
    """Whether one of the first rows begins with `#N/A` or another error of a spreadsheet."""
    comments = False
    """Whether rows that begin with `#` are passed over."""

    def written(self, name: str, first: int, count: int) -> list[Any]:
        """The text of this many rows of a column."""
        try:
            cells = self._cells.of(self.places[name], first, count)
        except text_cells.UNREADABLE as error:
            raise self.unreadable(error) from None
        missing = self.given.missing
        if not missing:
            return cells
        return [None if isinstance(c, str) and c.strip() in missing else c for c in cells]

    @cached_property
    def _cells(self) -> text_cells.Cells:
        return text_cells.Cells(self.path, self.table, self.keys, self.comments)

    def unreadable(self, error: Exception) -> Exception:
        """The error of a file that can't be read: one line, with the place at fault."""
        return self._fault() or super().unreadable(error)

    def _fault(self) -> Exception | None:
        """The first fault of the text, in plain Python."""
        columns = len(self.keys) or 2**31
        return text_cells.fault(self.path, self.name, self.form, self.table, columns, self.comments)


class LinePoints(TextPoints):
    """A file of NDJSON: an object on each line."""

    def _found_keys(self) -> list[str]:
        text_cells.beginning(self.path, self.name)
        return super()._found_keys()

    def _scan(self, used: Sequence[str], *, whole: bool = False) -> pl.LazyFrame:
        place = glob.escape(str(self.path))  # Polars takes `*` and `[` for patterns
        length = None if whole else 100
        found = pl.scan_ndjson(place, infer_schema_length=length).collect_schema()
        types = {n: _floats(t) for n, t in found.items() if as_name(n) in used}
        return self._renamed(
            pl.scan_ndjson(
                place,
                infer_schema_length=length,
                schema_overrides=types,
                ignore_errors=bool(types),
            )
        )


class TablePoints(TextPoints):
    """A table of text, CSV or TSV."""

    def _found_keys(self) -> list[str]:
        start = text_cells.beginning(self.path, self.name)
        table = table_in(start, self.form, self.name, self.given)
        if table is None or not any(cell.strip() for cell in table.header):
            raise file_error(f"{self.name} is empty")
        self.table = table
        given = any(ERROR_VALUE.match(word) for word in self.given.missing)
        self.has_errors = given or bool(_ERROR_ROW.search(start))
        cells = zip(table.header, table.first, strict=False)
        self.listed = frozenset(as_name(n) for n, c in cells if c.lstrip().startswith("["))
        return list(table.header)

    def _scan(self, used: Sequence[str], *, whole: bool = False) -> pl.LazyFrame:
        """The columns by their places, and the header as a row: `_below_header` drops it.

        With decimal commas numbers are text at first, since Polars would take a point as well.
        """
        del whole
        assert self.table is not None
        numbers = frozenset(used) - self.listed
        # Where a row begins with a number, one that begins with `#` can only be a comment.
        first = bool(self.keys) and as_name(self.keys[0]) in numbers
        self.comments = first and not self.has_errors
        comma = self.decimal == ","
        schema: dict[str, Any] = {}
        for i, key in enumerate(self.keys):
            name = as_name(key) if self._named(key) else f"\0{i}"
            schema[name] = pl.Float64 if name in numbers and not comma else pl.String
        comment = "#" if self.comments else None
        arguments = head_start.of_scan(self.table.separator, self.table.above, comment, schema)
        scan = pl.scan_csv(self.path, **arguments)
        if not comma:
            self.plain_scan = arguments
            return scan
        return scan.with_columns(
            pl.when(~pl.col(name).str.contains(".", literal=True))
            .then(pl.col(name).str.replace(",", ".", literal=True).cast(pl.Float64, strict=False))
            .alias(name)
            for name in sorted(numbers)
        )

    def chunks(self, used: Sequence[str], keep: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The wanted columns, some rows at a time, at least once. Raises `GradcliError`."""
        found = self._below_header(super().chunks(used, keep))
        blank = text_cells.blank_lines_at_end(self.path)
        return _without_last(found, blank) if blank else found

    def _below_header(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The rows below the header; at the end the whole text is looked at for faults.

        Raises if a quotation mark is never closed (Polars takes what follows for one cell), or a
        row begins with `#N/A` (it takes that for a comment).
        """
        warnings.filterwarnings("ignore", "CSV malformed")  # the error below says it better
        header = self.table is not None and not self.table.commented
        for frame in frames:
            yield frame[1:] if header else frame
            header = False
        doubtful = text_cells.is_doubtful(self.path, self.comments)
        if doubtful and (found := self._fault()) is not None:
            raise found


def _floats(dtype: pl.DataType) -> Any:
    """A type with numbers, or lists of them, for what is in it."""
    return pl.List(_floats(dtype.inner)) if isinstance(dtype, pl.List) else pl.Float64  # type: ignore[arg-type]


def _without_last(frames: Iterator[pl.DataFrame], count: int) -> Iterator[pl.DataFrame]:
    """All frames without the last rows, this many."""
    waiting: deque[pl.DataFrame] = deque()
    rows = 0
    for frame in frames:
        waiting.append(frame)
        rows += len(frame)
        while rows - len(waiting[0]) >= count:
            rows -= len(waiting[0])
            yield waiting.popleft()
    for frame in waiting:
        yield frame.head(max(0, rows - count))
        rows -= len(frame)
