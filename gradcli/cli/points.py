"""Files of points, read and written in chunks, so that they may be larger than memory.

A file's name and format come in; out come its columns and its chunks as Polars frames, and the
other way round for what is written. A file is written beside its place and put there when it is
whole. Text that is no number is found after the fact: Polars reads it as a missing value, and
only then is the one row read again as text, for the error.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from gradcli.cli.failure import closest, file_error, reason, usage_error

if TYPE_CHECKING:
    import polars as pl

    from gradcli.cli.environment import Environment

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
SEPARATOR = {"csv": ",", "tsv": "\t"}
ROWS = 131_072
"""Rows in a chunk."""
LINE = 2**20
"""Bytes of the longest line that is read to know a file's columns."""
PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x78\x01", b"\x78\x9c", b"\x78\xda")
"""How files compressed by gzip, Zstandard and zlib begin."""


def format_of(path: str | None, given: str | None, option: str) -> str:
    """The format of a file, by its name unless it is given. Raises `GradcliError`."""
    if given is not None:
        return given
    if path in (None, "-"):
        return "csv"
    assert path is not None
    ending = Path(path).suffix.lstrip(".").lower()
    if ending not in FORMATS:
        raise usage_error(
            f"the format of '{path}' is not known by its name",
            f"{option} takes one of csv, tsv, ndjson, parquet, npz",
        )
    return FORMATS[ending]


# --- reading -----------------------------------------------------------------------------


class Points:
    """A file of points, open for reading."""

    def __init__(self, path: Path, name: str, form: str) -> None:
        self.path, self.name, self.form = path, name, form
        self.listed: frozenset[str] = frozenset()
        self.arrays: dict[str, Any] = {}
        try:
            self.columns = self._columns()
        except (OSError, ValueError, KeyError) as error:
            raise file_error(f"{name} can't be read as {form}: {reason(error)}") from None
        twice = sorted({c for c in self.columns if self.columns.count(c) > 1})
        if twice:
            raise file_error(f"{name} has the column '{twice[0]}' twice", "rename one of them")

    def _columns(self) -> list[str]:
        import polars as pl

        if self.form == "npz":
            with np.load(self.path, allow_pickle=False) as archive:
                self.arrays = {name: archive[name] for name in archive.files}
            return list(self.arrays)
        try:
            if self.form in SEPARATOR:
                return self._header()
            return list(self._scan([]).collect_schema())
        except pl.exceptions.NoDataError:
            raise file_error(f"{self.name} is empty") from None
        except pl.exceptions.PolarsError as error:
            raise self.unreadable(error) from None

    def unreadable(self, error: Exception) -> Exception:
        """An error of Polars' as one line."""
        return file_error(f"{self.name} can't be read as {self.form}: {_first_line(error)}")

    def _header(self) -> list[str]:
        import polars as pl

        with self.path.open("rb") as file:
            lines = file.readline(LINE) + file.readline(LINE)
        # Polars goes through the whole of a file even where two rows are wanted.
        plain = lines.endswith(b"\n") and b'"' not in lines and not lines.startswith(PACKED)
        top = pl.read_csv(
            io.BytesIO(lines) if plain else self.path,
            has_header=False,
            n_rows=2,
            infer_schema=False,
            separator=SEPARATOR[self.form],
            glob=False,
        )
        names = [str(name or "") for name in top.row(0)]
        if len(top) > 1:
            cells = zip(names, top.row(1), strict=True)
            self.listed = frozenset(n for n, c in cells if (c or "").lstrip().startswith("["))
        return names

    def _scan(self, used: Sequence[str]) -> pl.LazyFrame:
        import polars as pl

        if self.form == "parquet":
            return pl.scan_parquet(self.path, glob=False)
        if self.form == "ndjson":
            found = pl.scan_ndjson(self.path).collect_schema()
            whole = {n: pl.Float64 for n, t in found.items() if t.is_integer() and n in used}
            return pl.scan_ndjson(self.path, schema_overrides=whole)
        numbers = set(used) - self.listed
        return pl.scan_csv(
            self.path,
            separator=SEPARATOR[self.form],
            schema={n: pl.Float64 if n in numbers else pl.String for n in self.columns},
            ignore_errors=True,
            glob=False,
        )

    def chunks(self, used: Sequence[str], keep: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The wanted columns, some rows at a time, at least once. Raises `GradcliError`.

        Polars begins to read at once, on threads of its own.
        """
        import polars as pl

        columns = list(dict.fromkeys([*keep, *used]))
        if self.form == "npz":
            return self._slices(columns)
        try:
            scan = self._scan(used).select(columns)
            return self._batches(scan, scan.collect_batches(chunk_size=ROWS, maintain_order=True))
        except pl.exceptions.PolarsError as error:
            raise self.unreadable(error) from None

    def _batches(
        self, scan: pl.LazyFrame, batches: Iterator[pl.DataFrame]
    ) -> Iterator[pl.DataFrame]:
        import polars as pl

        count = 0
        try:
            for frame in batches:
                count += 1
                yield frame
            if not count:
                yield scan.head(0).collect()
        except pl.exceptions.PolarsError as error:
            raise self.unreadable(error) from None

    def _slices(self, columns: list[str]) -> Iterator[pl.DataFrame]:
        import polars as pl

        lengths = {len(self.arrays[n]) if self.arrays[n].ndim else -1 for n in columns}
        if len(lengths) > 1 or -1 in lengths:
            raise file_error(f"the arrays in {self.name} differ in their number of rows")
        count = lengths.pop() if lengths else 0
        for start in range(0, max(count, 1), ROWS):
            yield pl.DataFrame({n: self.arrays[n][start : start + ROWS] for n in columns})

    def total(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        import polars as pl

        if self.form == "parquet":
            return int(pl.scan_parquet(self.path, glob=False).select(pl.len()).collect().item())
        return None

    # --- columns as arrays ---

    def array(self, series: pl.Series, first: int) -> Any:
        """A column as float64, `first` being the number of its first row."""
        import polars as pl

        name = series.name
        if name in self.listed:
            parsed = [_parsed(text) for text in series]
            for i, value in enumerate(parsed):
                if value is None:
                    raise self._no_number(name, first + i, series[i])
                if value.shape != parsed[0].shape:
                    raise self._other_shape(name, first + i)
            return np.stack(parsed) if parsed else np.empty((0, 0))
        if series.null_count():
            row = int(series.is_null().arg_max() or 0)
            raise self._no_number(name, first + row, self._text(name, first + row))
        shape: list[int] = [len(series)]
        while isinstance(series.dtype, pl.List | pl.Array):
            if isinstance(series.dtype, pl.Array):
                series = series.arr.to_list()
            lengths = series.list.len()
            if lengths.n_unique() > 1:
                odd = int((lengths != lengths[0]).arg_max() or 0)
                raise self._other_shape(name, first + odd // max(1, int(np.prod(shape[1:]))))
            shape.append(int(lengths[0]) if len(lengths) else 0)
            series = series.explode()
        if not (series.dtype.is_numeric() or series.dtype == pl.Boolean):
            raise self._no_number(name, first, series[0] if len(series) else str(series.dtype))
        if series.null_count():
            row = int(series.is_null().arg_max() or 0) // max(1, int(np.prod(shape[1:])))
            raise self._no_number(name, first + row, None)
        return series.cast(pl.Float64).to_numpy().reshape(shape)

    def _text(self, name: str, row: int) -> str | None:
        """What stands in a cell of a text file."""
        import polars as pl

        if self.form not in SEPARATOR:
            return None
        scan = pl.scan_csv(
            self.path,
            separator=SEPARATOR[self.form],
            schema=dict.fromkeys(self.columns, pl.String),
            glob=False,
        )
        found = scan.select(name).slice(row - 1, 1).collect().item()
        return None if found is None else str(found)

    def _no_number(self, name: str, row: int, text: Any) -> Exception:
        if text is None or text == "":
            what = f"the column '{name}' has no value"
        else:
            what = f"the column '{name}' has '{str(text)[:40]}', which is no number"
        return file_error(f"{self.name}, row {row:,}: {what}")

    def _other_shape(self, name: str, row: int) -> Exception:
        return file_error(
            f"{self.name}, row {row:,}: the list in the column '{name}' is not as long as "
            "those above"
        )


def _parsed(text: str | None) -> Any:
    """A list in a cell as an array; None if it is none."""
    try:
        return np.asarray(json.loads(text or ""), dtype=np.float64)
    except (ValueError, TypeError):
        return None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]


@contextmanager
def opened(path: str, form: str, environment: Environment) -> Iterator[Points]:
    """A file of points; standard input is put into a file first. Raises `GradcliError`."""
    if path != "-":
        if not Path(path).is_file():
            from gradcli.cli.files import read

            if not Path(path).exists() or Path(path).is_dir():
                read(path)  # raises what is wrong with it
        yield Points(Path(path), f"'{path}'", form)
        return
    if environment.stdin is None:
        raise file_error("standard input is closed")
    with tempfile.TemporaryDirectory(prefix="gradcli-") as folder:
        spooled = Path(folder) / "points"
        with spooled.open("wb") as file:
            shutil.copyfileobj(environment.stdin, file)
        yield Points(spooled, "standard input", form)


def expect_columns(names: Sequence[str], points: Points, what: str) -> None:
    """Raise if the file lacks a column."""
    for name in names:
        if name not in points.columns:
            listed = "its columns are " + ", ".join(points.columns[:20])
            raise file_error(
                f"{points.name} has no column '{name}'{what}",
                closest(name, points.columns) or listed,
            )


# --- writing -----------------------------------------------------------------------------


def as_frame(columns: dict[str, Any], form: str) -> pl.DataFrame:
    """Results as columns; arrays become lists, in text files lists as JSON writes them."""
    import polars as pl

    series = []
    for name, column in columns.items():
        if not isinstance(column, np.ndarray) or column.ndim == 1:
            series.append(pl.Series(name, column))
        elif form in SEPARATOR:
            series.append(pl.Series(name, [json.dumps(row) for row in column.tolist()], pl.String))
        else:
            series.append(pl.Series(name, column.tolist()))
    return pl.DataFrame(series)


def ahead(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same frames, the next being made while one is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, frames, None)
        while (frame := coming.result()) is not None:
            coming = pool.submit(next, frames, None)
            yield frame


@contextmanager
def replacing(path: str | None, environment: Environment) -> Iterator[BinaryIO]:
    """A stream to write to; a file takes its place when all is written. Raises `GradcliError`."""
    from gradcli.cli.files import unwritable

    if path is None:
        stream = getattr(environment.stdout, "buffer", None)
        if stream is None:
            raise file_error("standard output is closed")
        yield stream
        stream.flush()
        return
    target = Path(path).resolve()
    if target.is_dir():
        raise file_error(f"'{path}' is a folder: --out takes the name of a file")
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    unfinished = target.with_name(f".{target.name[:100]}.{os.getpid()}.new")
    try:
        file = unfinished.open("xb")
    except OSError as error:
        raise unwritable(f"'{path}'", error) from error
    try:
        with file:
            yield file
        if target.exists():
            shutil.copymode(target, unfinished)
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write(frames: Iterator[pl.DataFrame], stream: BinaryIO, form: str) -> None:
    """Write frames as they come (`npz`: when all have come)."""
    if form in SEPARATOR:
        for i, frame in enumerate(frames):
            frame.write_csv(stream, include_header=i == 0, separator=SEPARATOR[form])
    elif form == "ndjson":
        for frame in frames:
            frame.write_ndjson(stream)
    elif form == "parquet":
        _write_parquet(frames, stream)
    else:
        import polars as pl

        whole = pl.concat(list(frames))
        arrays = {s.name: np.array(s.to_list()) for s in whole}
        np.savez(stream, **arrays)  # type: ignore[arg-type]


def _write_parquet(frames: Iterator[pl.DataFrame], stream: BinaryIO) -> None:
    from polars.io.plugins import register_io_source

    first = next(frames)
    failed: list[BaseException] = []

    def source(*_: Any) -> Iterator[pl.DataFrame]:
        try:
            yield first
            yield from frames
        except BaseException as error:
            failed.append(error)
            raise

    try:
        register_io_source(source, schema=first.schema).sink_parquet(stream)
    except Exception:
        if failed:
            raise failed[0] from None
        raise
