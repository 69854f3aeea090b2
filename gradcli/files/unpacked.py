"""Compressed content, unpacked no further than a stated bound, and text as Polars reads it.

A few kilobytes can be packed gigabytes. What is read into memory at once is unpacked up to
`MOST` bytes; a file of points is unpacked piece by piece into a file.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gradcli.diagnostics.failures import file_error, reason
from gradcli.files.files import GZIP, MOST
from gradcli.files.spool import BYTE_ORDER_MARK, spooled

ZSTANDARD = b"\x28\xb5\x2f\xfd"
ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
ZSTANDARD_BLOCK = 1 << 17
"""The most that a compressed block unpacks to."""
_CHUNK = 1 << 20


def too_large(name: str, what: str = "is") -> Exception:
    """The error where content exceeds the bound."""
    return file_error(
        f"{name} {what} larger than {MOST >> 20:,} MB, and no more is read at once",
        "gradcli batch reads a file of points piece by piece",
    )


def unpacked(content: bytes, name: str) -> bytes:
    """The content of a file without gzip or Zstandard. Raises `GradcliError` of kind file."""
    if content.startswith(GZIP):
        return _bounded(_gunzipped(content, name), name)
    if content.startswith(ZSTANDARD):
        if size_of_zstandard(content) > MOST:
            raise too_large(name, "unpacks to something")
        return _bounded(_lines(content, name), name)
    return content


def _bounded(pieces: Iterable[bytes], name: str) -> bytes:
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) > MOST:
            raise too_large(name, "unpacks to something")
    return bytes(found)


def _gunzipped(content: bytes, name: str) -> Iterator[bytes]:
    left = content
    while left.startswith(GZIP):
        unzip = zlib.decompressobj(wbits=31)
        ended = False
        while not ended:
            try:
                piece = unzip.decompress(left, _CHUNK)
            except zlib.error as error:
                raise file_error(f"{name} is damaged: {reason(error)}") from None
            ended = unzip.eof
            left = unzip.unused_data if ended else unzip.unconsumed_tail
            if not (piece or left or ended):
                raise file_error(f"{name} is cut off: its compressed content does not end")
            yield piece
    if left.strip(b"\0"):
        raise file_error(f"{name} is damaged: something stands behind its compressed content")


def size_of_zstandard(content: bytes) -> int:
    """The most that a content in Zstandard unpacks to (RFC 8878): what its blocks may have.

    Content that is cut off or damaged is counted as far as it goes.
    """
    at, size = 0, 0
    while content.startswith(ZSTANDARD, at) and at + 5 < len(content):
        descriptor = content[at + 4]
        single = descriptor >> 5 & 1
        declared = (single, 2, 4, 8)[descriptor >> 6]
        at += 5 + (not single) + (0, 1, 2, 4)[descriptor & 3] + declared
        last = 0
        while not last and at + 3 <= len(content):
            head = int.from_bytes(content[at : at + 3], "little")
            last, kind, length = head & 1, head >> 1 & 3, head >> 3
            size += ZSTANDARD_BLOCK if kind == 2 else length
            at += 3 + (1 if kind == 1 else length)
        at += 4 * (descriptor >> 2 & 1)
    return size


def _lines(source: Path | bytes, name: str) -> Iterator[bytes]:
    """A text in Zstandard, some lines at a time; Polars unpacks it."""

    def failed(error: Exception) -> Exception:
        return file_error(f"{name} can't be unpacked: {first_line(error)}")

    try:
        yield from lines_by_polars(source, failed)
    except ImportError:
        raise file_error(
            f"{name} is compressed with Zstandard",
            "pip install 'gradcli[batch]' reads it; else unpack it: zstd -d",
        ) from None


def lines_by_polars(
    source: Path | bytes | str, failed: Callable[[Exception], Exception]
) -> Iterator[bytes]:
    """A text, some lines at a time. Raises what `failed` makes of an error of Polars'."""
    import polars as pl

    try:
        for frame in pl.scan_lines(source, glob=False).collect_batches(maintain_order=True):
            yield "\n".join([*frame.to_series(), ""]).encode()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise failed(error) from None


def first_line(error: Exception) -> str:
    """What an error of a library says, as far as a message has room for it."""
    return reason(error).strip().partition("\n")[0][:200]


# --- files of points -----------------------------------------------------------------------


class Pieces:
    """Pieces of bytes as a stream, read one at a time."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = iter(pieces)

    def read(self, _size: int = -1, /) -> bytes:
        """The next piece, however long; empty at the end."""
        return next((piece for piece in self.pieces if piece), b"")


@contextmanager
def as_polars_reads(path: Path, form: str | None, name: str) -> Iterator[Path]:
    """The file, or in place of a text that Polars can't read or would misread, one that it can.

    Zstandard is unpacked and lines get plain ends. A text that begins like zlib (`x^2,y` does)
    gets a byte-order mark.
    """
    pieces = None if form is None else _rewritten(path, name)
    if pieces is None:
        yield path
        return
    with spooled(Pieces(pieces), name, "csv") as found:
        yield found


def _rewritten(path: Path, name: str) -> Iterator[bytes] | None:
    with path.open("rb") as file:
        start = file.read(_CHUNK)
    if start.startswith(ZSTANDARD):
        return _lines(path, name)
    if start.startswith(ZLIB):
        if _is_zlib(start):
            raise file_error(f"{name} is compressed with zlib", "gzip and Zstandard are read")
        return _behind_a_mark(path)
    if b"\r" in start and b"\n" not in start and not start.startswith(GZIP):
        return _with_plain_ends(path)
    return None


def _is_zlib(start: bytes) -> bool:
    """Whether a content that begins like zlib goes on like it."""
    unzip = zlib.decompressobj()
    try:
        found = unzip.decompress(start, _CHUNK)
    except zlib.error:
        return False
    return unzip.eof or _CHUNK in (len(found), len(start))


def _behind_a_mark(path: Path) -> Iterator[bytes]:
    yield BYTE_ORDER_MARK
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece


def _with_plain_ends(path: Path) -> Iterator[bytes]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        while piece := file.read(_CHUNK):
            yield piece.encode("utf-8", "surrogateescape")
