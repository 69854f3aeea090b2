"""Points as a file on disk: a path comes in, or standard input.

Polars wants a file that it can read twice. Standard input and pipes are put into a
temporary file first, and so is NDJSON with a byte-order mark, which Polars does not expect.
"""

from __future__ import annotations

import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO

from gradcli.diagnostics.failures import file_error, reason
from gradcli.files.ending import undone_at_the_end

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
POINTS = "points"


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int = ..., /) -> bytes:
        """Some bytes, none at the end."""


class Streams(Protocol):
    """What is needed of the command line's environment; a closed stream is None."""

    stdin: BinaryIO | None
    stdout: TextIO | None

    def write(self, pieces: Iterable[str] | bytes) -> None:
        """Write to standard output; a reader that has gone is no error."""


@contextmanager
def on_disk(path: str, form: str, streams: Streams) -> Iterator[Path]:
    """The file to read. Raises `GradcliError` where there is none."""
    from gradcli.files.files import read

    if path == "-":
        if streams.stdin is None:
            raise file_error("standard input is closed")
        with spooled(streams.stdin, "standard input", form) as found:
            yield found
        return
    try:
        mode = Path(path).stat().st_mode
        file = None if stat.S_ISDIR(mode) else Path(path).open("rb")  # noqa: SIM115 - below
    except (OSError, ValueError):
        file = None
    if file is None:
        read(path)  # raises what is wrong with it
        raise file_error(f"'{path}' can't be read")
    with file:
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise file_error(f"'{path}' is a device, not a file")
        if stat.S_ISREG(mode):
            marked = form == "ndjson" and file.read(3) == BYTE_ORDER_MARK
            if not marked:
                yield Path(path).resolve()
                return
            file.seek(0)
        with spooled(file, f"'{path}'", form) as found:
            yield found


@contextmanager
def spooled(stream: Readable, name: str, form: str) -> Iterator[Path]:
    """A stream in a file. NDJSON loses a byte-order mark, which Polars does not expect."""
    with temporary() as (file, path):
        start = stream.read(3) if form == "ndjson" else b""
        try:
            file.write(b"" if start == BYTE_ORDER_MARK else start)
            shutil.copyfileobj(stream, file, 1 << 20)
            file.flush()
        except OSError as error:
            raise file_error(
                f"{name} can't be kept in a temporary file: {reason(error)}",
                "the variable TMPDIR names another folder for it",
            ) from None
        if path.name == POINTS:
            file.close()  # Windows opens no file twice
        yield path


@contextmanager
def temporary() -> Iterator[tuple[BinaryIO, Path]]:
    """A file to write to that is gone afterwards, and where it is found until then.

    On Linux it has no name from the start, so nothing of it is left even if the process is killed.
    """
    with tempfile.TemporaryFile(prefix="gradcli-") as file:
        path = Path(f"/proc/self/fd/{file.fileno()}")
        if sys.platform == "linux" and path.exists():
            yield file, path
            return
    made: list[Path] = []

    def begin() -> None:
        made.append(Path(tempfile.mkdtemp(prefix="gradcli-")))

    def undo() -> None:
        shutil.rmtree(made[0], ignore_errors=True)

    with undone_at_the_end(begin, undo):
        try:
            path = made[0] / POINTS
            with path.open("w+b") as file:
                yield file, path
        finally:
            undo()
