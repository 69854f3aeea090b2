"""The standard streams as reading and writing of files sees them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, Protocol, TextIO


class Streams(Protocol):
    """What is needed of the command line's environment; a closed stream is None."""

    stdin: BinaryIO | None
    stdout: TextIO | None

    def write(self, pieces: Iterable[str] | bytes) -> None:
        """Write to standard output; a reader that has gone is no error."""
