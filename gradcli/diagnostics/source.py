"""Text with a place: a source, and spans of characters in it.

Everything that is read (a program, a bound value, a derivative in the operation table)
is a `Source`. A `Span` is a half-open range of character offsets in its text; lines and
columns are worked out only when an error is printed.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line of the language (`characters.plain` makes one form of it)."""


class Span(NamedTuple):
    """Characters `start` up to, not including, `end`."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The smallest span that covers both."""
        return Span(min(self.start, other.start), max(self.end, other.end))

    def moved(self, by: int) -> Span:
        """The span of the same length, `by` characters further on."""
        return Span(self.start + by, self.end + by)


_new = tuple.__new__


def between(first: Span, last: Span) -> Span:
    """The span from the start of one to the end of another behind it."""
    return _new(Span, (first[0], last[1]))  # half the time of a call of the class


class Source(NamedTuple):
    """A text and what to call it in an error (`name` is None for the command line's program)."""

    text: str
    name: str | None = None

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both counted from 1."""
        number, start = 1, 0
        for end in LINE_END.finditer(self.text):
            if end.end() > offset:
                break
            number, start = number + 1, end.end()
        return number, offset - start + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its line end."""
        return LINE_END.split(self.text)[number - 1]
