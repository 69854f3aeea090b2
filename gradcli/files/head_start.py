"""Begin to read a large table while NumPy and the program are still being loaded.

Polars reads on threads of its own, and the modules that a batch needs take about as long to import
as a million rows to read. So the reading begins before anything else, with what the first two lines
suggest: a header of names that the program has too, and a number for each. Nothing depends on that
being right: `Points` takes over what has begun if it is the scan that it would make.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import polars as pl

ROWS = 131_072
"""Rows in a chunk."""

LARGE = 4_000_000
"""Smaller files, in bytes, are read in no time."""

LONGEST = 10_000
"""The two lines that are looked at have no more bytes than this."""

_NAMES = re.compile(r"[A-Za-z_]\w*(,[A-Za-z_]\w*)*", re.ASCII)
_NUMBERS = re.compile(r"[-+]?\d[\d.eE+-]*(,[-+]?\d[\d.eE+-]*)*", re.ASCII)


class _Begun(NamedTuple):
    """A file that is being read."""

    file: os.stat_result
    arguments: dict[str, Any]
    """Those of the scan."""
    chunks: Iterator[pl.DataFrame]


_begun: list[_Begun] = []
"""The file of this command, if it has begun to be read, until it is taken over."""


def begin(path: str, program: str) -> None:
    """Begin to read a CSV file, if it is large and plain and its columns are in the program."""
    _begun.clear()
    try:
        place = Path(path)
        if place.suffix != ".csv" or not place.is_file() or place.stat().st_size < LARGE:
            return
        with place.open("rb") as file:
            stands = os.fstat(file.fileno())
            header, first, _ = file.read(LONGEST).decode("ascii").split("\n", 2)
    except (OSError, ValueError):  # of another kind, with other lines, or with a null in its name
        return
    header, first = header.rstrip("\r"), first.rstrip("\r")
    names = header.split(",")
    if not (_NAMES.fullmatch(header) and _NUMBERS.fullmatch(first)):
        return
    if not {*names} <= {*re.findall(r"\w+", program)}:
        return
    import polars as pl

    arguments = of_scan(",", 0, "#", dict.fromkeys(names, pl.Float64))
    try:
        chunks = in_chunks(pl.scan_csv(place, **arguments))
    except pl.exceptions.PolarsError:
        return
    _begun.append(_Begun(stands, arguments, chunks))


def of_scan(
    separator: str, above: int, comment: str | None, schema: dict[str, Any]
) -> dict[str, Any]:
    """The arguments of the scan of a table: its header is a row of it."""
    return {
        "separator": separator,
        "has_header": False,
        "skip_lines": above,
        "comment_prefix": comment,
        "schema": schema,
        "ignore_errors": True,
        "glob": False,
    }


def in_chunks(scan: pl.LazyFrame, rows: int = ROWS) -> Iterator[pl.DataFrame]:
    """The rows of a scan, some at a time. Polars begins to read at once."""
    return scan.collect_batches(chunk_size=rows, maintain_order=True)


def taken(
    path: Path, arguments: dict[str, Any] | None, columns: Sequence[str]
) -> Iterator[pl.DataFrame] | None:
    """What has begun to be read of a file, if it is these columns of this scan; else None."""
    begun = _begun.pop() if _begun else None
    if begun is None or begun.arguments != arguments or not _is_file(path, begun.file):
        return None
    return begun.chunks if {*columns} == {*begun.arguments["schema"]} else None


def _is_file(path: Path, file: os.stat_result) -> bool:
    """Whether a path leads to a file, and this is as it was."""
    try:
        now = path.stat()
    except OSError:
        return False
    same = (now.st_size, now.st_mtime_ns) == (file.st_size, file.st_mtime_ns)
    return same and os.path.samestat(now, file)
