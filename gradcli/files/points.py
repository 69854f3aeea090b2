"""Files of points, read in chunks, so that they may be larger than memory.

A file's name and format come in; out come its columns, its chunks as Polars frames, and a
frame's columns as arrays. Text that is no number is found after the fact: Polars reads it as a
missing value, and only then are the rows read again as text (`text_cells`).
"""

from __future__ import annotations

import json
import math
import warnings
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import file_error, reason, usage_error
from gradcli.diagnostics.names import is_name, normal
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.files import head_start
from gradcli.files import text_cells as second_look
from gradcli.files.dialect import (
    SEPARATORS,
    WORDS,
    Asked,
    Table,
    table_in,
)
from gradcli.files.files import MOST
from gradcli.files.head_start import ROWS
from gradcli.files.numbers import hint_for, number, number_in, numbers_in
from gradcli.files.numpy_files import MOST_AXES, expect_whole
from gradcli.files.parquet_sizes import largest_row_group
from gradcli.files.spool import on_disk
from gradcli.files.unpacked import as_polars_reads

if TYPE_CHECKING:
    import polars as pl

    from gradcli.files.streams import Streams

FORMATS = {
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
    "ndjson": "ndjson",
    "jsonl": "ndjson",
    "parquet": "parquet",
    "pq": "parquet",
    "npz": "npz",
}
TEXT = frozenset({"csv", "tsv", "ndjson"})


def format_of(path: str | None, given: str | None, option: str) -> str:
    """The format of a file, by its name unless it is given. Raises `GradcliError`."""
    if given is not None:
        return given
    if path in (None, "-"):
        return "csv"
    assert path is not None
    name = Path(path)
    zipped = name.suffix.lower() in (".gz", ".zst")
    ending = (name.with_suffix("") if zipped else name).suffix.lstrip(".").lower()
    found = FORMATS.get(ending)
    if found is None and name.is_dir():
        raise file_error(f"'{path}' is a folder, not a file")
    if not ending and option == "--format":
        return "csv"
    if zipped and option == "--format":
        raise usage_error(
            f"'{path}': nothing is written compressed", "gzip it afterwards, or write Parquet"
        )
    if found is None or (zipped and found not in TEXT):
        raise usage_error(
            f"the format of '{path}' is not known by its name",
            f"{option} takes one of csv, tsv, ndjson, parquet, npz",
        )
    return found


def as_name(column: str) -> str:
    """A column's name without blanks around it, and as the language has it."""
    name = column.strip()
    return normal(name) if is_name(name) else name


class Points:
    """A file of points, open for reading. `columns` are its names as the language has them.

    With `gaps` a cell in which nothing is written is nan, else it is an error. `given` is what
    the command line says of how the file is written.
    """

    def __init__(
        self, path: Path, name: str, form: str, *, gaps: bool = False, given: Asked | None = None
    ) -> None:
        self.path, self.name, self.form, self.gaps = path, name, form, gaps
        self.given = given or Asked()
        self.markers = [v for m in self.given.missing if (v := number(m)) is not None]
        self.listed: frozenset[str] = frozenset()
        self.table: Table | None = None
        self.unpacked = 0
        self.comments = False
        self.plain_scan: dict[str, Any] | None = None
        """The arguments of the scan of a table that needs no more than these."""
        self.archive: Any = None
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.keys: list[str] = []
        """The columns' names as they are written."""
        self.keys = self._keys()
        self.places = {as_name(key): i for i, key in enumerate(self.keys) if self._named(key)}
        self.columns = [as_name(key) for key in self.keys if self._named(key)]
        twice = sorted(c for c, count in Counter(self.columns).items() if count > 1)
        if twice:
            self.close()
            raise file_error(f"{name} has the column '{twice[0]}' twice", "rename one of them")

    def close(self) -> None:
        """Let go of an `.npz`, which is open as long as its arrays may be read."""
        if self.archive is not None:
            self.archive.close()

    def at(self, row: int) -> str:
        """Where a row stands, for messages."""
        return f"{self.name}, row {row:,}"

    @property
    def is_text(self) -> bool:
        """Whether numbers are written as text."""
        return self.form in TEXT

    def _named(self, key: str) -> bool:
        """Whether a column has a name; one of a table without it is passed over."""
        return self.table is None or bool(key.strip())

    @property
    def place(self) -> Path:
        """The file as Polars is told of it, which else takes `*` and `[` for patterns."""
        import glob

        return Path(glob.escape(str(self.path)))

    def _keys(self) -> list[str]:
        import polars as pl

        try:
            if self.form == "npz":
                return self._archived()
            if self.form in SEPARATORS:
                return self._header()
            if self.form == "ndjson":
                second_look.beginning(self.path, self.name)
            return list(self._scan(()).collect_schema())
        except pl.exceptions.NoDataError:
            raise file_error(f"{self.name} is empty") from None
        except (*second_look.UNREADABLE, KeyError, pl.exceptions.PolarsError) as error:
            raise self.unreadable(error) from None

    def unreadable(self, error: Exception) -> Exception:
        """What keeps the file from being read, as one line and with its place."""
        if self.is_text:
            columns = len(self.keys) or 2**31
            found = second_look.fault(
                self.path, self.name, self.form, self.table, columns, self.comments
            )
            if found is not None:
                return found
        elif self.form == "parquet" and second_look.head(self.path) != b"PAR1":
            return file_error(f"{self.name} isn't a Parquet file: its first bytes are others")
        said = reason(error).strip().partition("\n")[0][:200]
        return file_error(f"{self.name} can't be read as {self.form}: {said}")

    def _archived(self) -> list[str]:
        from zipfile import is_zipfile

        if not is_zipfile(self.path):
            raise file_error(f"{self.name} isn't an .npz file, or not all of it is there")
        try:
            self.archive = np.load(self.path, allow_pickle=False)
        except Exception as error:  # noqa: BLE001 - zipfile raises many kinds
            raise file_error(f"{self.name} isn't a sound .npz file: {reason(error)}") from None
        return list(self.archive.files)

    def _header(self) -> list[str]:
        table = table_in(
            second_look.beginning(self.path, self.name), self.form, self.name, self.given
        )
        if table is None or not any(cell.strip() for cell in table.header):
            raise file_error(f"{self.name} is empty")
        self.table = table
        cells = zip(table.header, table.first, strict=False)
        listed = (as_name(n) for n, c in cells if c.lstrip().startswith("["))
        self.listed = frozenset(listed)
        return list(table.header)

    def _scan(self, used: Sequence[str], *, whole: bool = False) -> pl.LazyFrame:
        """The file's columns under their names; `whole` looks at all of it for their types."""
        import polars as pl

        if self.form == "parquet":
            return self._renamed(pl.scan_parquet(self.path, glob=False))
        if self.form == "ndjson":
            length = None if whole else 100
            found = pl.scan_ndjson(self.place, infer_schema_length=length).collect_schema()
            types = {n: floats(t) for n, t in found.items() if as_name(n) in used}
            return self._renamed(
                pl.scan_ndjson(
                    self.place,
                    infer_schema_length=length,
                    schema_overrides=types,
                    ignore_errors=bool(types),
                )
            )
        return self._table_scan(frozenset(used) - self.listed)

    def _table_scan(self, numbers: frozenset[str]) -> pl.LazyFrame:
        """The columns of a CSV file by their places, and its header as a row: `_batches` drops it.

        With decimal commas numbers are text at first, since Polars would take a point as well.
        """
        import polars as pl

        table = self.table
        assert table is not None
        # Where a row begins with a number, one that begins with `#` can only be a comment.
        self.comments = bool(self.keys) and as_name(self.keys[0]) in numbers
        comma = table.decimal == ","
        schema: dict[str, Any] = {}
        for i, key in enumerate(self.keys):
            name = as_name(key) if self._named(key) else f"\0{i}"
            schema[name] = pl.Float64 if name in numbers and not comma else pl.String
        comment = "#" if self.comments else None
        arguments = head_start.of_scan(table.separator, table.above, comment, schema)
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

    def _renamed(self, scan: pl.LazyFrame) -> pl.LazyFrame:
        return scan.rename(dict(zip(self.keys, self.columns, strict=True))) if self.keys else scan

    def chunks(self, used: Sequence[str], keep: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The wanted columns, some rows at a time, at least once. Raises `GradcliError`.

        Polars begins to read at once, on threads of its own.
        """
        import polars as pl

        columns = list(dict.fromkeys([*keep, *used]))
        if self.form == "npz":
            return self._slices(columns)
        if self.form == "parquet":
            self._expect_small_groups(columns)
        try:
            # What is kept is not read again: its type has to fit all rows.
            scan = self._scan(used, whole=not set(keep) <= set(used)).select(columns)
            begun = head_start.taken(self.path, self.plain_scan, columns)
            coming = begun or head_start.in_chunks(scan, ROWS)
        except pl.exceptions.PolarsError as error:
            raise self.unreadable(error) from None
        found = self._batches(scan, coming)
        blank = second_look.blank_lines_at_end(self.path) if self.table is not None else 0
        return without_last(found, blank) if blank else found

    def _expect_small_groups(self, columns: list[str]) -> None:
        """Raise if a row group of a Parquet file unpacks to more than the bound."""
        keys = dict(zip(self.columns, self.keys, strict=True))
        expect_small(largest_row_group(self.path, {keys[name] for name in columns}), self.name)

    def _batches(
        self, scan: pl.LazyFrame, batches: Iterator[pl.DataFrame]
    ) -> Iterator[pl.DataFrame]:
        import polars as pl

        warnings.filterwarnings("ignore", "CSV malformed")  # `_expect_closed` says it better
        count = 0
        header = self.table is not None and not self.table.commented
        try:
            for frame in batches:
                count += 1
                yield frame[1:] if header else frame
                header = False
            if not count:
                yield scan.head(0).collect()
            if self.table is not None:
                self._expect_closed()
        except pl.exceptions.PolarsError as error:
            raise self.unreadable(error) from None

    def _expect_closed(self) -> None:
        """Raise if a quotation mark is never closed: Polars takes what follows for one cell."""
        if second_look.has_odd_quotes(self.path):
            found = second_look.fault(
                self.path, self.name, self.form, self.table, len(self.keys), self.comments
            )
            if found is not None:
                raise found

    def _slices(self, columns: list[str]) -> Iterator[pl.DataFrame]:
        import polars as pl

        keys = dict(zip(self.columns, self.keys, strict=True))
        arrays = {name: self._array(name, keys[name]) for name in columns}
        counts = {name: len(array) for name, array in arrays.items()}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"'{name}' has {n:,}" for name, n in counts.items())
            raise file_error(f"the arrays in {self.name} differ in their number of rows: {listed}")
        for start in range(0, max(next(iter(counts.values())), 1), ROWS):
            yield pl.DataFrame({n: array[start : start + ROWS] for n, array in arrays.items()})

    def _array(self, name: str, key: str) -> Any:
        """An array of an `.npz`."""
        try:
            self._expect_room(key)
            found = self.archive[key]
        except GradcliError:
            raise
        except Exception as error:  # noqa: BLE001 - zipfile, zlib and NumPy raise many kinds
            what = reason(error).partition("\n")[0]
            if "allow_pickle" in what:
                what = "it has Python objects, which could run code when they are read"
            raise file_error(f"the array '{name}' in {self.name} can't be read: {what}") from None
        if not found.ndim:
            raise file_error(
                f"the array '{name}' in {self.name} is a single number",
                f"a value for all rows is given by --{name} VALUE",
            )
        return found.astype(np.float64) if found.dtype.kind == "f" else found

    def _expect_room(self, key: str) -> None:
        """Raise if an array is packed and larger than the bound, or than its own header says."""
        members = self.archive.zip.namelist()
        member = self.archive.zip.getinfo(key if key in members else f"{key}.npy")
        self.unpacked += member.file_size if member.compress_type else 0
        if self.unpacked > MOST:
            raise file_error(
                f"{self.name} unpacks to more than {MOST >> 20:,} MB",
                "what is larger is read from an .npz without compression (np.savez) and from "
                "Parquet",
            )
        with self.archive.zip.open(member) as file:
            expect_whole(file, member.file_size, str(self.path))

    def total(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        import polars as pl

        if self.form == "parquet":
            return int(pl.scan_parquet(self.path, glob=False).select(pl.len()).collect().item())
        return None

    # --- columns as arrays ---

    def array(self, series: pl.Series, first: int) -> Any:
        """A column as float64, `first` being the number of its first row."""
        name = series.name
        nested = self.gaps and series.dtype.is_nested() and _has_null(series)
        if name in self.listed or nested:
            found = self._stacked(name, series.to_list(), first)
        elif self.is_text and _has_null(series):
            found = self._stacked(name, self._written(name, first, len(series)), first)
        else:
            found = self._plain(name, series, first)
        if self.markers:
            found = self._without_markers(name, found, first)
        if len(found) and self.shapes.setdefault(name, found.shape[1:]) != found.shape[1:]:
            raise self._other_shape(name, first, found.shape[1:])
        return found

    def _written(self, name: str, first: int, count: int) -> list[Any]:
        """The text of this many rows of a column."""
        try:
            place = self.places[name] if self.table else self.columns.index(name)
            cells = self._cells.of(place, first, count)
        except second_look.UNREADABLE as error:
            raise self.unreadable(error) from None
        missing = self.given.missing
        if not missing:
            return cells
        return [None if isinstance(c, str) and c.strip() in missing else c for c in cells]

    @cached_property
    def _cells(self) -> second_look.Cells:
        return second_look.Cells(self.path, self.table, self.keys, self.comments)

    @property
    def _decimal(self) -> str:
        return "." if self.table is None else self.table.decimal

    def _without_markers(self, name: str, found: Any, first: int) -> Any:
        """The array with nan where a number stands for a missing value, as `--missing` says."""
        missing = np.isin(found, self.markers)
        if any(map(math.isnan, self.markers)):
            missing |= np.isnan(found)
        if not missing.any():
            return found
        if not self.gaps:
            row = int(np.argwhere(missing)[0, 0])
            raise self._no_number(name, first + row, None)
        return np.where(missing, np.nan, found)

    def _stacked(self, name: str, cells: Sequence[Any], first: int) -> Any:
        """Cells of numbers or lists, as they are written, as one array."""
        if not cells:
            return np.empty((0, 0))
        if self.gaps:
            cells = self._without_gaps(name, cells)
        numbers = numbers_in(cells, self._decimal)
        if numbers is not None and self.shapes.get(name) in (None, ()):
            return numbers
        found = []
        for row, cell in enumerate(cells, start=first):
            value = number_in(cell, gaps=self.gaps, decimal=self._decimal)
            if value is None:
                raise self._no_number(name, row, cell)
            if value.shape != self.shapes.setdefault(name, value.shape):
                raise self._other_shape(name, row, value.shape)
            found.append(value)
        return np.stack(found)

    def _without_gaps(self, name: str, cells: Sequence[Any]) -> list[Any]:
        """Cells with nan, in the column's shape, where nothing is written."""
        empty = [cell is None or (isinstance(cell, str) and not cell.strip()) for cell in cells]
        shape = self.shapes.get(name)
        if shape is None:
            read = (number_in(cell, gaps=True, decimal=self._decimal) for cell in cells)
            shape = next((value.shape for value in read if value is not None), ())
        gap = np.full(shape, np.nan).tolist()
        return [gap if nothing else c for c, nothing in zip(cells, empty, strict=True)]

    def _plain(self, name: str, series: pl.Series, first: int) -> Any:
        """A column that has its numbers, or lists of them."""
        import polars as pl

        shape: list[int] = [len(series)]
        inside = 1
        while True:
            if series.null_count() and not self.gaps:
                row = int(series.is_null().arg_max() or 0) // inside
                raise self._no_number(name, first + row, None)
            if isinstance(series.dtype, pl.Array):
                series = series.arr.to_list()
            if not isinstance(series.dtype, pl.List):
                break
            lengths = series.list.len()
            if lengths.n_unique() > 1:
                odd = int((lengths != lengths[0]).arg_max() or 0)
                if inside == 1:
                    self.shapes.setdefault(name, np.shape(series[0]))
                raise self._other_shape(name, first + odd // inside, np.shape(series[odd]))
            shape.append(int(lengths[0]) if len(lengths) else 0)
            if len(shape) > MOST_AXES + 1:
                what = f"lists in lists, and an array has at most {MOST_AXES} dimensions"
                raise file_error(f"{self.at(first)}: the column '{name}' has {what}")
            if not shape[-1]:
                return np.empty(shape)
            inside *= shape[-1]
            series = series.explode()
        if not (series.dtype.is_numeric() or series.dtype == pl.Boolean):
            if series.dtype != pl.Object:
                raise self._no_numbers(name, series.dtype, nested=len(shape) > 1)
            raise self._no_number(name, first, series[0])
        return series.cast(pl.Float64).fill_null(np.nan).to_numpy().reshape(shape)

    def _no_numbers(self, name: str, dtype: pl.DataType, *, nested: bool) -> Exception:
        """The error of a column whose type, or that of the lists in it, is none of numbers."""
        import polars as pl

        text = dtype in (pl.String, pl.Categorical, pl.Enum)
        kinds = (
            (text, "text"),
            (dtype.is_temporal(), "dates or times"),
            (dtype == pl.Struct, "objects"),
        )
        what = next((kind for fits, kind in kinds if fits), str(dtype))
        hint = None
        if text and not nested:
            cast = f"pl.col('{name}').cast(pl.Float64)"
            cast = f"{name}.astype(float)" if self.form == "npz" else f"in Polars {cast}"
            hint = f"save it as numbers: {cast}"
        in_lists = " lists of" if nested else ""
        return file_error(
            f"{self.name}: the column '{name}' holds{in_lists} {what}, not{in_lists} numbers", hint
        )

    def _no_number(self, name: str, row: int, cell: Any) -> Exception:
        nested = isinstance(cell, list | dict)
        text = "" if cell is None else json.dumps(cell) if nested else str(cell).strip()
        hint = None
        if not text:
            what = f"the column '{name}' has no value"
            hint = None if self.gaps else "--errors nan or skip goes on past such rows"
        else:
            kind = "list of numbers" if text.startswith("[") else "number"
            what = f"the column '{name}' has '{text[:40]}', which is not a {kind}"
            hint = hint_for(text, self._decimal, options=self.is_text)
        return file_error(f"{self.at(row)}: {what}", hint)

    def _other_shape(self, name: str, row: int, shape: tuple[int, ...]) -> Exception:
        above = self.shapes.get(name)
        if above is None or above == shape:
            what = "lists of different lengths"
        else:
            what = f"{_in_words(shape)}, and in the rows above {_in_words(above)}"
        return file_error(f"{self.at(row)}: the column '{name}' has {what}")


def expect_small(count: int, name: str) -> None:
    """Raise if a row group of so many values takes more memory than the bound."""
    if count * 8 > MOST:
        raise file_error(
            f"{name} has a row group of {count:,} values, more than {MOST >> 20:,} MB",
            "write it in smaller row groups: write_parquet(…, row_group_size=1_000_000)",
        )


def _in_words(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a number"
    if len(shape) == 1:
        return f"a list of {shape[0]}"
    return "lists of " + "×".join(map(str, shape))


def _has_null(series: pl.Series) -> bool:
    """Whether a value is missing, also inside of lists."""
    import polars as pl

    while True:
        if series.null_count():
            return True
        if isinstance(series.dtype, pl.Array):
            series = series.arr.to_list()
        if not isinstance(series.dtype, pl.List):
            return False
        series = series.filter(series.list.len() > 0).explode()


def floats(dtype: pl.DataType) -> Any:
    """A type with numbers, or lists of them, for what is in it."""
    import polars as pl

    return pl.List(floats(dtype.inner)) if isinstance(dtype, pl.List) else pl.Float64  # type: ignore[arg-type]


def without_last(frames: Iterator[pl.DataFrame], count: int) -> Iterator[pl.DataFrame]:
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
        left = max(0, rows - count)
        yield frame.head(left)
        rows -= len(frame)


@contextmanager
def opened(
    path: str,
    form: str,
    streams: Streams,
    *,
    gaps: bool = False,
    given: Asked | None = None,
) -> Iterator[Points]:
    """A file of points, or standard input. Raises `GradcliError`."""
    name = "standard input" if path == "-" else f"'{path}'"
    with (
        on_disk(path, form, streams) as there,
        as_polars_reads(there, form if form in TEXT else None, name) as found,
        closing(Points(found, name, form, gaps=gaps, given=given)) as points,
    ):
        yield points


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
