"""Files of points, opened: a path, a URL or standard input comes in, points of its format come out.

What is at a URL is copied to a temporary file. Text comes line by line through Polars, which knows
the services of clouds, or from a web server as it is. Parquet comes that way only from a server
that can't give a part of a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path

from gradcli.diagnostics.failures import file_error, reason
from gradcli.files.binary_points import ArchivePoints, ParquetPoints
from gradcli.files.dialect import Asked
from gradcli.files.many import TEXT, is_url, is_web, unreachable
from gradcli.files.points import Points
from gradcli.files.spool import Streams, on_disk, spooled
from gradcli.files.text_points import LinePoints, TablePoints
from gradcli.files.unpacked import Pieces, as_polars_reads, lines_by_polars

READERS: Mapping[str, type[Points]] = {
    "csv": TablePoints,
    "tsv": TablePoints,
    "ndjson": LinePoints,
    "parquet": ParquetPoints,
    "npz": ArchivePoints,
}

PIECE = 1 << 20
WAIT = 60
"""Seconds in which a web server has to say something."""


@contextmanager
def opened(path: str, form: str, streams: Streams, given: Asked) -> Iterator[Points]:
    """A file of points, one at a URL, or standard input. Raises `GradcliError`."""
    name = "standard input" if path == "-" else f"'{path}'"
    with (
        _fetched(path, form) if is_url(path) else on_disk(path, form, streams) as there,
        as_polars_reads(there, form if form in TEXT else None, name) as found,
        closing(READERS[form](found, name, form, given)) as points,
    ):
        yield points


def _fetched(url: str, form: str) -> AbstractContextManager[Path]:
    """What is at a URL, in a file. Raises `GradcliError` of kind file."""
    pieces = _from_server(url) if is_web(url) else lines_by_polars(url, partial(unreachable, url))
    return spooled(Pieces(pieces), f"'{url}'", form)


def _from_server(url: str) -> Iterator[bytes]:
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=WAIT) as answer:  # noqa: S310 - only http and https come here
            while piece := answer.read(PIECE):
                yield piece
    except HTTPError as error:
        error.close()  # it holds the connection
        if error.code == 404:
            raise file_error(f"there is no '{url}'") from None
        said = f"the server answers {error.code} {error.reason}"
        raise file_error(f"'{url}' can't be read: {said}") from None
    except (OSError, HTTPException, ValueError) as error:
        said = reason(error).removeprefix("<urlopen error ").removesuffix(">")
        raise file_error(f"'{url}' can't be read: {said}"[:300]) from None
