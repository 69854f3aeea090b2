"""The parts of a batch on a Dask cluster (extra `dask`): a task per file, or per piece of a file.

Tasks come in, the number of rows of each comes out as it is done. A task that fails ends all of
them, with its own error; one whose process dies is given to another by the scheduler.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import reason, usage_error
from gradcli.files.dataset import Portion, rows_of
from gradcli.files.job import Computation, run_unit, target_of
from gradcli.files.many import is_url
from gradcli.files.parts import Part, rows_between

if TYPE_CHECKING:
    from gradcli.files.job import Job, Reading
    from gradcli.files.many import Found

PIECE = 1 << 24
"""Rows of a file that a task takes. It depends on the files alone, so the names of the parts do."""
WAIT = 10
"""Seconds until a cluster has to answer."""


class Unit(NamedTuple):
    """What a task does, and the file that it makes."""

    portion: Portion
    target: str


def units(found: Found, portion: Portion, out: str, to: str, part: Part | None) -> list[Unit]:
    """A unit for every file of a portion; where a part shares a file, its name tells which."""
    if portion.whole:
        return [_unit(found, Portion((file,)), out, to) for file in portion.files]
    if portion.rows == 0:
        return []
    assert part is not None
    counts = tuple(map(rows_of, portion.files))
    start = portion.skip
    stop = sum(counts) if portion.rows is None else start + portion.rows
    made = []
    for file, end, count in zip(portion.files, accumulate(counts), counts, strict=True):
        first, last = max(start, end - count), min(stop, end)
        if first < last:
            rows = rows_between((file,), (count,), first - (end - count), last - (end - count))
            made.append(_unit(found, rows, out, to, part))
    return made


def pieces(found: Found, out: str, to: str) -> list[Unit]:
    """The units for a cluster: files, and pieces of large Parquet files."""
    if found.form != "parquet":
        return units(found, Portion(found.files), out, to, None)
    counts = found.rows or tuple(map(rows_of, found.files))
    made = []
    for file, count in zip(found.files, counts, strict=True):
        many = max(1, -(-count // PIECE))
        for part in (Part(i + 1, many) for i in range(many)):
            rows = (
                rows_between((file,), (count,), *part.share(count)) if count else Portion((file,))
            )
            made.append(_unit(found, rows, out, to, part))
    return made


def _unit(found: Found, rows: Portion, out: str, to: str, part: Part | None = None) -> Unit:
    """The unit for a file, or for the part of it that is named in its target."""
    ending = "" if part is None or rows.whole else part.ending
    return Unit(rows, target_of(found, rows.files[0], out, to, ending))


def run_on(address: str, job: Job, reading: Reading, todo: list[Unit]) -> Iterator[int]:
    """The rows of each unit, as it is done. Raises the `GradcliError` of the first that fails."""
    from distributed import as_completed

    with _client(address) as client:
        shared = client.scatter((job, reading), broadcast=True, hash=False)
        futures = client.map(
            _run, [_absolute(unit) for unit in todo], job=shared, pure=False, retries=1
        )
        try:
            for future in as_completed(futures, loop=client.loop):
                try:
                    rows: int | GradcliError = future.result()
                except Exception as error:  # noqa: BLE001 - whatever a worker raised
                    raise _of_cluster(address, error) from None
                if isinstance(rows, GradcliError):
                    raise rows
                yield rows
        finally:
            client.cancel(futures)


class _NoStreams:
    """The streams of a process of a cluster: it has none that are the user's."""

    stdin = None
    stdout = None

    def write(self, _pieces: object) -> None:
        raise OSError("there is no standard output")


def _run(unit: Unit, job: tuple[Job, Reading]) -> int | GradcliError:
    """Do a unit. An error of the points is an answer: to try again would not help."""
    counts: list[int] = []
    streams: Any = _NoStreams()
    try:
        run_unit(Computation(job[0]), job[1], *unit, streams, counts.append)
    except GradcliError as error:
        return error
    return sum(counts)


def _absolute(unit: Unit) -> Unit:
    """The unit for processes that work in other folders."""
    files = tuple(file if is_url(file) else os.path.abspath(file) for file in unit.portion.files)  # noqa: PTH100
    target = unit.target if is_url(unit.target) else os.path.abspath(unit.target)  # noqa: PTH100
    return Unit(unit.portion._replace(files=files), target)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its errors are told by ours
    try:
        client = Client(address, timeout=WAIT, set_as_default=False)
    except (OSError, ValueError, RuntimeError, TypeError, TimeoutError) as error:
        raise usage_error(
            f"there is no Dask cluster at '{address}': {_short(error)}",
            "an address is as `dask scheduler` prints it: tcp://10.0.0.1:8786",
        ) from None
    with client:
        if not client.scheduler_info()["workers"]:
            raise usage_error(
                f"the Dask cluster at '{address}' has no workers", f"dask worker {address} is one"
            )
        yield client


def _of_cluster(address: str, error: Exception) -> GradcliError:
    """What went wrong with the cluster itself."""
    if isinstance(error, GradcliError):
        return error
    if isinstance(error, ImportError):
        return usage_error(
            f"the workers at '{address}' can't run gradcli: {_short(error)}",
            "they need the same gradcli: pip install 'gradcli[dask]'",
        )
    return usage_error(f"the Dask cluster at '{address}' gave up: {_short(error)}")


def _short(error: Exception) -> str:
    return " ".join(reason(error).split())[:200]
