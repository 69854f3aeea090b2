"""Points at a URL, copied to a temporary file and read from there.

Text comes line by line through Polars, which knows the services of clouds, or from a web server as
it is. Parquet comes that way only from a server that can't give a part of a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gradcli.diagnostics.failures import file_error, reason
from gradcli.files.many import is_web, unreachable
from gradcli.files.opening import read
from gradcli.files.points import Points
from gradcli.files.spool import spooled
from gradcli.files.unpacked import Pieces

if TYPE_CHECKING:
    from gradcli.files.dialect import Asked

PIECE = 1 << 20
WAIT = 60
"""Seconds in which a web server has to say something."""


@contextmanager
def fetched(url: str, form: str, *, gaps: bool, given: Asked) -> Iterator[Points]:
    """The points at a URL. Raises `GradcliError` of kind file."""
    pieces = _from_server(url) if is_web(url) else _lines(url)
    with (
        spooled(Pieces(pieces), f"'{url}'", form) as there,
        read(there, f"'{url}'", form, gaps=gaps, given=given) as points,
    ):
        yield points


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


def _lines(url: str) -> Iterator[bytes]:
    import polars as pl

    try:
        frames = pl.scan_lines(url, glob=False).collect_batches(maintain_order=True)
        for frame in frames:
            yield "\n".join([*frame.to_series(), ""]).encode()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unreachable(url, error) from None
