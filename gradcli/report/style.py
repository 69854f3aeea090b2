"""How a report is to look: what the command line knows of the stream it writes to."""

from __future__ import annotations

from typing import NamedTuple


class Style(NamedTuple):
    """Width, colour and digits of a report.

    `width` is the terminal's, in cells; None for a pipe or a file, where nothing is wrapped,
    left out or cut. `ascii` keeps to the 128 characters that every stream has. `precision` is
    the number of significant digits in tables; JSON and CSV always round-trip. `pretty` indents
    JSON.
    """

    width: int | None
    color: bool
    ascii: bool
    precision: int = 6
    pretty: bool = False
