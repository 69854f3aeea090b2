"""Files of points, opened: a path or standard input comes in, points of its format come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from gradcli.files.binary_points import ArchivePoints, ParquetPoints
from gradcli.files.dialect import Asked
from gradcli.files.formats import TEXT
from gradcli.files.many import is_url
from gradcli.files.points import Points
from gradcli.files.spool import on_disk
from gradcli.files.streams import Streams
from gradcli.files.text_points import LinePoints, TablePoints
from gradcli.files.unpacked import as_polars_reads

READERS: Mapping[str, type[Points]] = {
    "csv": TablePoints,
    "tsv": TablePoints,
    "ndjson": LinePoints,
    "parquet": ParquetPoints,
    "npz": ArchivePoints,
}


@contextmanager
def opened(path: str, form: str, streams: Streams, given: Asked) -> Iterator[Points]:
    """A file of points, one at a URL, or standard input. Raises `GradcliError`."""
    name = "standard input" if path == "-" else f"'{path}'"
    if is_url(path):
        from gradcli.files.remote import fetched

        file = fetched(path, form)
    else:
        file = on_disk(path, form, streams)
    with (
        file as there,
        as_polars_reads(there, form if form in TEXT else None, name) as found,
        closing(READERS[form](found, name, form, given)) as points,
    ):
        yield points
