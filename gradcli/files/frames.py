"""Results as Polars frames, written chunk by chunk; a file appears when it is whole.

Columns come in as arrays, files and streams go out. What Polars and NumPy say of a full disk or
a closed pipe becomes one error of the system's kind.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import polars as pl

from gradcli.diagnostics.failures import file_error
from gradcli.files.dialect import SEPARATORS
from gradcli.files.files import unwritable, whole
from gradcli.report.json import encoder, plain

if TYPE_CHECKING:
    from gradcli.files.spool import Streams

_SYSTEM = re.compile(r"\(os error (\d+)\)")
_CLOSED = (32, 109, 232) if os.name == "nt" else (32,)
"""The system's errors for a pipe whose reader has gone."""

_encoded = encoder(ascii_only=False)
_line = json.JSONEncoder(default=str, ensure_ascii=False, separators=(",", ":")).encode


def as_frame(columns: dict[str, Any], form: str) -> pl.DataFrame:
    """Results as columns; arrays become lists, in text files lists as JSON writes them."""
    series = []
    for name, column in columns.items():
        if isinstance(column, np.ndarray):
            rows = column if column.ndim == 1 else column.tolist()
            if column.ndim > 1 and form in SEPARATORS:
                rows = rows if np.isfinite(column).all() else map(plain, column)
                made = pl.Series(name, map(_encoded, rows), pl.String)
            else:
                made = pl.Series(name, rows)
        else:
            made = column.alias(name)
            if form in SEPARATORS and made.dtype.is_nested():
                made = pl.Series(name, map(_written, made), pl.String)
        series.append(made)
    return pl.DataFrame(series)


def _written(value: Any) -> str | None:
    """A list or record that is only carried along, as JSON."""
    if value is None:
        return None
    return json.dumps(value.to_list() if isinstance(value, pl.Series) else value, default=str)


def ahead(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same frames, the next being made while one is used."""
    pool = ThreadPoolExecutor(1)
    try:
        coming = pool.submit(next, frames, None)
        while (frame := coming.result()) is not None:
            coming = pool.submit(next, frames, None)
            yield frame
    finally:  # without a wait: after an interrupt Polars may end this on the pool's own thread
        pool.shutdown(wait=False, cancel_futures=True)


# --- writing -----------------------------------------------------------------------------


@contextmanager
def replacing(path: str | None, streams: Streams) -> Iterator[BinaryIO]:
    """A stream to write to; a file takes its place when all is written. Raises `GradcliError`.

    A closed standard output is not an error.
    """
    if path is None:
        stream = getattr(streams.stdout, "buffer", None)
        if stream is None:
            raise file_error("standard output is closed")
        try:
            yield stream
            stream.flush()
        except BrokenPipeError:
            streams.write([""])
        except OSError as error:
            raise unwritable("standard output", error) from error
        return
    with whole(path) as file:
        yield file


def write(frames: Iterator[pl.DataFrame], stream: BinaryIO, form: str) -> None:
    """Write frames as they come (`npz`: when all have come). Raises `OSError`."""
    writers = {"ndjson": _write_ndjson, "parquet": _write_parquet, "npz": _write_npz}
    try:
        if form in SEPARATORS:
            _write_table(frames, stream, SEPARATORS[form])
        else:
            writers[form](frames, stream)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise system_error(error) or error from None


def system_error(error: Exception) -> OSError | None:
    """The system's error that Polars tells of in words."""
    found = _SYSTEM.search(str(error))
    if found is None:
        return None
    number = int(found[1])
    if number in _CLOSED:
        return BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
    return OSError(number, os.strerror(number))


def _write_table(frames: Iterator[pl.DataFrame], stream: BinaryIO, separator: str) -> None:
    for i, frame in enumerate(frames):
        frame.write_csv(stream, include_header=i == 0, separator=separator)


def _write_ndjson(frames: Iterator[pl.DataFrame], stream: BinaryIO) -> None:
    """JSON has no number for nan and infinities, and Polars would write null for all of them."""
    for frame in frames:
        bad = np.zeros(len(frame), dtype=bool)
        for series in frame:
            if not _is_finite(series):
                bad |= _odd_rows(series)
        if not bad.any():
            frame.write_ndjson(stream)
            continue
        sound = iter(frame.filter(~bad).write_ndjson().encode().split(b"\n"))
        columns = [map(_strict, series.to_list()) for series in frame.filter(bad)]
        names = frame.columns
        odd = (
            _line(dict(zip(names, row, strict=True))).encode() for row in zip(*columns, strict=True)
        )
        stream.writelines(next(odd if is_odd else sound) + b"\n" for is_odd in bad.tolist())


def _odd_rows(series: pl.Series) -> Any:
    """Which rows have a number that JSON does not have."""
    if series.dtype.is_float():
        return ~series.is_finite().fill_null(value=True).to_numpy()
    return np.array([_strict(value) != value for value in series.to_list()], dtype=bool)


def _is_finite(series: pl.Series) -> bool:
    while isinstance(series.dtype, pl.List | pl.Array):
        series = series.explode()
    return not series.dtype.is_float() or bool(series.is_finite().all())


def _strict(value: Any) -> Any:
    """A value with the words of JSON's reports for the numbers that JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else plain(value)
    return [_strict(element) for element in value] if isinstance(value, list) else value


def _write_npz(frames: Iterator[pl.DataFrame], stream: BinaryIO) -> None:
    whole = pl.concat(list(frames))
    np.savez(stream, **{s.name: _as_array(s) for s in whole})


def _as_array(series: pl.Series) -> Any:
    """A column without Python objects in it, which NumPy would pickle."""
    if isinstance(series.dtype, pl.List | pl.Array):
        try:
            found = np.array(series.to_list())
        except ValueError:
            raise file_error(
                f"the lists in the column '{series.name}' differ in length",
                ".npz has no such arrays, but Parquet and NDJSON have",
            ) from None
    else:
        found = series.to_numpy()
    if found.dtype.kind == "O":
        return np.array(["" if value is None else str(value) for value in series], dtype=np.str_)
    return found


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
