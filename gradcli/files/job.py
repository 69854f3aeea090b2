"""A batch over files as one piece of data: what is computed, of which columns, and where it goes.

A `Job` is made once, from the command line and the first file. It goes through many files on this
machine, or to the processes of a cluster, and does the same in each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import polars as pl

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import file_error
from gradcli.files.columns import as_array
from gradcli.files.dataset import Dataset, Portion
from gradcli.files.dialect import Asked
from gradcli.files.files import there_is_folder, unwritable
from gradcli.files.frames import ahead, as_frame, replacing, system_error, write
from gradcli.files.many import Found, is_url, is_web
from gradcli.files.opening import opened
from gradcli.files.points import Points, expect_columns
from gradcli.files.spool import temporary

if TYPE_CHECKING:
    from gradcli.batch.runner import OnError, Only, Runner
    from gradcli.files.spool import Streams
    from gradcli.program import Program


# --- what is read --------------------------------------------------------------------------


class Reading(NamedTuple):
    """The files of points, and how they are read."""

    found: Found
    given: Asked


class Sources:
    """The files of a portion, opened one after the other; Parquet files count as one."""

    def __init__(self, reading: Reading, portion: Portion, streams: Streams) -> None:
        self.reading, self.portion, self.streams = reading, portion, streams
        self.stack = ExitStack()
        several = reading.found.several or not portion.whole or is_url(portion.files[0])
        self.as_one = reading.found.form == "parquet" and several
        self.coming = [portion] if self.as_one else [Portion((file,)) for file in portion.files]
        self.first = self._opened(self.coming[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def __iter__(self) -> Iterator[Points]:
        yield self.first
        for portion in self.coming[1:]:
            self.stack.close()
            yield self._opened(portion)

    def total(self) -> int | None:
        """How many rows there are, where that is known without reading them."""
        return self.first.total() if len(self.coming) == 1 else None

    def _opened(self, portion: Portion) -> Points:
        (found, given), file = self.reading, portion.files[0]
        if self.as_one:
            try:
                return Dataset(found.name, portion, found.partitions, given)
            except GradcliError:  # some web servers give files as a whole only
                if not (is_web(file) and portion.whole):
                    raise
        return self.stack.enter_context(opened(file, found.form, self.streams, given))


# --- what is computed ----------------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """What is computed for every row, and what is written of it."""

    program: Program
    used: Mapping[str, str]
    """The inputs that are columns, and what these are called."""
    fixed: Mapping[str, Any]
    keep: tuple[str, ...]
    to: str
    wrt: tuple[str, ...] | None = None
    only: Only | None = None
    errors: OnError = "stop"
    jit: bool | None = None
    keeps_all: bool = False


class Computation:
    """A job at work; what is made ready for one file serves the next."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.runner: Runner | None = None
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.seen: dict[str, tuple[int, ...]] = {}
        """The shapes of columns in the rows above, in all files."""
        self.schema: Any = None

    def frames(
        self, sources: Sources, advance: Callable[[int], object] = lambda _rows: None
    ) -> Iterator[pl.DataFrame]:
        """What is to be written, chunk by chunk; a file without rows counts where it is alone."""
        some, self.schema = False, None
        empty: pl.DataFrame | None = None
        for points in sources:
            points.shapes = self.seen
            at = points.at if sources.reading.found.several else "row {:,}".format
            for frame, rows in self._frames(points, at):
                advance(rows)
                if rows or some:
                    self._expect_same_types(frame, points)
                    some = some or rows > 0
                    yield frame
                else:
                    empty = frame if empty is None else empty
        if not some and empty is not None:
            yield empty

    def _frames(
        self, points: Points, at: Callable[[int], str]
    ) -> Iterator[tuple[pl.DataFrame, int]]:
        """The frames of a file, and how many rows each was made of."""
        job = self.job
        self._expect_columns(points)
        row = 1
        coming = points.chunks(list(job.used.values()), job.keep)
        from gradcli.batch.runner import Runner  # while the file is being read

        for frame in coming:
            columns = {
                name: as_array(points, frame[column], row) for name, column in job.used.items()
            }
            shapes = {name: column.shape[1:] for name, column in columns.items()}
            if self.runner is None or shapes != self.shapes:
                self.shapes = shapes
                self.runner = Runner(
                    job.program, job.fixed, shapes, wrt=job.wrt, only=job.only, jit=job.jit
                )
            found = self.runner.run(columns, job.errors, first=row, at=at)
            made: dict[str, Any] = {}
            for name in job.keep:  # what is used as a number is kept as the number that was read
                column = columns[name] if name in columns and points.is_text else frame[name]
                made[name] = column
                if job.errors == "skip" and found.failed.any():
                    array = isinstance(column, np.ndarray)
                    made[name] = column[~found.failed] if array else column.filter(~found.failed)
            yield as_frame(made | found.columns, job.to), len(frame)
            row += len(frame)

    def _expect_columns(self, points: Points) -> None:
        """Raise if a file lacks a column, or has one more that could be meant."""
        job = self.job
        expect_columns(list(job.used.values()), points, inputs=True)
        expect_columns(job.keep, points)
        for name in points.columns:
            own = job.program.names.own(name)
            free = own in job.program.names.free and own not in job.fixed
            if (free and own not in job.used) or (job.keeps_all and name not in job.keep):
                raise file_error(
                    f"{points.name} has the column '{name}', and the files before it don't",
                    "all files have to have the same columns",
                )

    def _expect_same_types(self, frame: pl.DataFrame, points: Points) -> None:
        """Raise where a column's type changes and the output has one type for all rows."""
        if self.job.to not in ("parquet", "npz"):
            return
        self.schema = self.schema or frame.schema
        for name, dtype in frame.schema.items():
            if dtype != self.schema[name]:
                raise file_error(
                    f"{points.name}: the column '{name}' is {dtype}, and in the rows before "
                    f"{self.schema[name]}",
                    "CSV and NDJSON take both",
                )


# --- where it goes -------------------------------------------------------------------------


def deliver(frames: Iterator[pl.DataFrame], target: str | None, streams: Streams, to: str) -> None:
    """Write frames to a file, a URL, or (None) standard output. Raises `GradcliError`.

    A file or an object has its name only when it is whole.
    """
    first = next(frames)  # what is wrong with the options is said before a file is made
    coming = chain([first], ahead(frames))
    if target is not None and is_url(target):
        _upload(coming, target)
        return
    with replacing(target, streams) as stream:
        write(coming, stream, to)


def _upload(frames: Iterator[pl.DataFrame], url: str) -> None:
    """Write Parquet to a URL, by way of a temporary file.

    A sink whose source fails would leave what it has; so only what is whole is sent.
    """
    with temporary() as (file, path):
        write(frames, file, "parquet")
        file.flush()
        try:
            pl.scan_parquet(path, glob=False).sink_parquet(url)
        except (OSError, pl.exceptions.PolarsError) as error:
            said = " ".join(str(system_error(error) or error).partition("\n")[0].split())[:200]
            raise file_error(f"'{url}' can't be written: {said}") from None


def is_folder(out: str | None) -> bool:
    """Whether `--out` names a folder: one that is there, or a name that ends in a slash."""
    if out is None or out == "-":
        return False
    if is_url(out):
        return out.endswith("/")
    return out.endswith(("/", os.sep)) or there_is_folder(Path(out))


def target_of(found: Found, file: str, out: str, to: str, ending: str = "") -> str:
    """The file in the folder `out` that belongs to a file of points."""
    below = found.below(file) if found.several else file.replace("\\", "/").rsplit("/", 1)[-1]
    front, slash, name = below.rpartition("/")
    path = Path(name)
    if path.suffix.lower() in (".gz", ".zst"):
        path = path.with_suffix("")
    suffix = path.suffix if to == found.form else f".{to}"
    name = f"{front}{slash}{path.stem}{ending}{suffix}"
    return out.rstrip("/") + "/" + name if is_url(out) else str(Path(out) / name)


def expect_own_places(pairs: list[tuple[str, str]]) -> None:
    """Raise where two files have one target, or a target is one of the files."""
    taken: dict[str, str] = {}
    files = {file if is_url(file) else str(Path(file).resolve()) for file, _ in pairs}
    for file, target in pairs:
        place = target if is_url(target) else str(Path(target).resolve())
        if place in files:
            raise file_error(f"'{target}' would be written over the points", "take another folder")
        if taken.setdefault(place, file) != file:
            raise file_error(
                f"'{taken[place]}' and '{file}' would both be written to '{target}'",
                "a narrower pattern takes one of them",
            )


def _make_folder(target: str) -> None:
    """The folders that a file lies in. Raises `GradcliError`."""
    if is_url(target):
        return
    try:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise unwritable(f"'{target}'", error) from None


def run_unit(
    computation: Computation,
    reading: Reading,
    portion: Portion,
    target: str,
    streams: Streams,
    advance: Callable[[int], object] = lambda _rows: None,
) -> None:
    """Do a job for a portion, in whatever process. Raises `GradcliError`."""
    _make_folder(target)
    with Sources(reading, portion, streams) as sources:
        deliver(computation.frames(sources, advance), target, streams, computation.job.to)
