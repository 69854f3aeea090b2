"""A file of points, read in chunks, so that it may be larger than memory.

`Points` is what all formats have in common: the columns' names, and the rows as Polars frames.
`text_points` (CSV, TSV, NDJSON) and `binary_points` (Parquet, npz) read the formats, `opening`
chooses among them, and `columns` makes arrays of a frame's columns.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from gradcli.diagnostics.failures import file_error
from gradcli.diagnostics.names import is_name, normal
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.files import head_start
from gradcli.files.dialect import WORDS, Asked, Table
from gradcli.files.numbers import number, number_in
from gradcli.files.text_cells import UNREADABLE
from gradcli.files.unpacked import first_line


def as_name(column: str) -> str:
    """A column's name without blanks around it, and as the language has it."""
    name = column.strip()
    return normal(name) if is_name(name) else name


class Points(ABC):
    """A file of points, open for reading. `columns` are its names as the language has them.

    `given` is what the command line says of how the file is written.
    """

    is_text: ClassVar[bool] = False
    """Whether numbers are written as text."""
    chunk_rows = head_start.ROWS
    table: Table | None = None
    """How a table of text is written."""

    def __init__(self, path: Path, name: str, form: str, given: Asked) -> None:
        self.path, self.name, self.form = path, name, form
        self.given, self.gaps = given, given.gaps
        self.markers = [v for m in self.given.missing if (v := number(m)) is not None]
        """The numbers that stand for a missing value."""
        self.listed: frozenset[str] = frozenset()
        """The columns whose cells are lists, written as text."""
        self.shapes: dict[str, tuple[int, ...]] = {}
        """The shape of a column's values in the rows so far."""
        self.keys: list[str] = []
        """The columns' names as they are written."""
        self.keys = self._keys()
        self.places = {as_name(key): i for i, key in enumerate(self.keys) if self._named(key)}
        self.columns = [as_name(key) for key in self.keys if self._named(key)]
        twice = sorted(c for c, count in Counter(self.columns).items() if count > 1)
        if twice:
            self.close()
            raise file_error(f"{name} has the column '{twice[0]}' twice", "rename one of them")

    @property
    def decimal(self) -> str:
        """What stands before the fraction of a number."""
        return "." if self.table is None else self.table.decimal

    def close(self) -> None:  # noqa: B027 - most formats have nothing to let go of
        """Close what stays open while rows are read."""

    def at(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"{self.name}, row {row:,}"

    def total(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return None

    def unreadable(self, error: Exception) -> Exception:
        """The error of a file that can't be read: one line, with the place at fault."""
        return file_error(f"{self.name} can't be read as {self.form}: {first_line(error)}")

    @abstractmethod
    def chunks(self, used: Sequence[str], keep: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The wanted columns, some rows at a time, at least once. Raises `GradcliError`."""

    @abstractmethod
    def _found_keys(self) -> list[str]:
        """The columns' names as they are written. May raise what `_keys` catches."""

    def _keys(self) -> list[str]:
        try:
            return self._found_keys()
        except pl.exceptions.NoDataError:
            raise file_error(f"{self.name} is empty") from None
        except (*UNREADABLE, KeyError, pl.exceptions.PolarsError) as error:
            raise self.unreadable(error) from None

    def _named(self, key: str) -> bool:
        """Whether a column has a name; one of a table without it is passed over."""
        return self.table is None or bool(key.strip())


class ScannedPoints(Points):
    """A file that Polars reads ahead, on threads of its own."""

    plain_scan: dict[str, Any] | None = None
    """The arguments of the scan of a table that needs no more than these."""

    @abstractmethod
    def _scan(self, used: Sequence[str], *, whole: bool = False) -> pl.LazyFrame:
        """The file's columns under their names; `whole` looks at all of it for their types."""

    def _found_keys(self) -> list[str]:
        return list(self._scan(()).collect_schema())

    def _renamed(self, scan: pl.LazyFrame) -> pl.LazyFrame:
        return scan.rename(dict(zip(self.keys, self.columns, strict=True))) if self.keys else scan

    def chunks(self, used: Sequence[str], keep: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The wanted columns, some rows at a time, at least once. Raises `GradcliError`.

        Polars begins to read at once.
        """
        columns = list(dict.fromkeys([*keep, *used]))
        try:
            # What is kept is not read again: its type has to fit all rows.
            scan = self._scan(used, whole=not set(keep) <= set(used)).select(columns)
            begun = head_start.taken(self.path, self.plain_scan, columns)
            coming = begun or head_start.in_chunks(scan, self.chunk_rows)
        except pl.exceptions.PolarsError as error:
            raise self.unreadable(error) from None

        def batches() -> Iterator[pl.DataFrame]:
            frame = None
            try:
                for frame in coming:
                    yield frame
                if frame is None:
                    yield scan.head(0).collect()
            except pl.exceptions.PolarsError as error:
                raise self.unreadable(error) from None

        return batches()


def expect_columns(names: Sequence[str], points: Points, *, inputs: bool = False) -> None:
    """Raise if the file lacks a column; `inputs` could have a value for all rows instead."""
    columns = frozenset(points.columns)
    for name in names:
        if name not in columns:
            from gradcli.graph.suggestions import one_name, taken_apart

            hint = _instead(name, points)
            apart = taken_apart(name, points.columns) if inputs else None
            if apart is not None:
                hint = one_name(name, apart)
            if inputs:
                hint += f"\nfor a value in all rows: --{name} VALUE"
            raise file_error(f"{points.name} has no column '{name}'", hint)


def _instead(name: str, points: Points) -> str:
    """A hint where a column is missing."""
    if not points.columns:
        return "it has no columns at all"
    joined = " ".join(points.columns)
    for char, words in WORDS.items():
        if char in joined:
            option = {"\t": "tab", ";": "';'"}.get(char, char)
            return f"its columns seem to be separated by {words}: --separator {option}"
    if points.table is not None and all(number_in(c) is not None for c in points.columns):
        return "its first line has numbers, and should have the columns' names"
    listed = ", ".join(points.columns[:20]) + (", …" if len(points.columns) > 20 else "")
    return did_you_mean(name, points.columns) or f"its columns are {listed}"
