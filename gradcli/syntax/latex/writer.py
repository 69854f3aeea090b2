"""What LaTeX becomes, piece by piece: the new text, its places, and what is still open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span

ONE = frozenset({"numerator", "denominator", "root", "power", "font", "call"})
"""What waits for one argument: a group in braces or a single token."""


class Piece(NamedTuple):
    """Some of the new text, and where in LaTeX it comes from."""

    text: str
    start: int
    end: int
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Translation:
    """Text of the language; for each of its characters the place that it has in LaTeX."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def place(self, span: Span) -> Span:
        """The span of the new text in LaTeX."""
        last = len(self.text)
        if not last:
            return Span(0, 0)
        if span.start >= last:
            return Span(self.ends[-1], self.ends[-1])
        start = self.starts[span.start]
        if span.end <= span.start:
            return Span(start, start)
        return Span(start, max(self.ends[min(span.end, last) - 1], start + 1))


@dataclass(slots=True)
class Frame:
    """Something open: a group, a bracket, bars, a matrix, a function's argument."""

    kind: str
    command: Span
    """What opened it, for errors."""
    close: str = ""
    """What is written where it ends; for an argument in braces behind the closing brace."""
    first: int = 0
    """The number of its first piece."""
    braced: bool = False
    last: str = ""
    """What its latest part is: an operand, a number, a fraction, or nothing yet."""
    thin: Span | None = None
    """A thin space behind an operand."""
    rows: list[int] = field(default_factory=list)
    columns: bool = False


class Writer:
    """Writes pieces, and keeps account of what is open."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.out: list[Piece] = []
        self.frames = [Frame("text", Span(0, 0))]
        self.inverse: Span | None = None  # the latest power -1
        self.left = False  # whether there was a command that is not known

    def _leave(self, start: int) -> None:
        """Keep the text from an unknown command on: the parser refuses it there."""
        self.out.append(Piece(self.text[start:], start, len(self.text)))
        self.at, self.left = len(self.text), True

    def _joined(self) -> Translation:
        starts: list[int] = []
        ends: list[int] = []
        for piece in self.out:
            size = len(piece.text)
            if self.text.startswith(piece.text, piece.start, piece.end) and (
                size == piece.end - piece.start
            ):
                starts.extend(range(piece.start, piece.end))
                ends.extend(range(piece.start + 1, piece.end + 1))
            else:
                starts.extend([piece.start] * size)
                ends.extend([piece.end] * size)
        return Translation("".join(p.text for p in self.out), tuple(starts), tuple(ends))

    def _refuse_open(self, frame: Frame) -> None:
        if frame.kind == "matrix":
            raise syntax_error(r"'\begin' has no '\end'", frame.command)
        if frame.braced:
            raise syntax_error("'{' is not closed", frame.command)
        if frame.kind in ONE:
            written = self.text[frame.command.start : frame.command.end]
            raise syntax_error(f"after '{written}' something is missing", frame.command)

    # --- writing -------------------------------------------------------------------------

    def _write(self, text: str, span: Span, *, is_name: bool = False) -> None:
        """Add a piece, with a space where it would run together with the one before."""
        before = self.out[-1] if self.out else None
        if before is not None and before.text and text:
            a, b = before.text[-1], text[0]
            touching = before.end == span.start and not self._changed(before, span, text)
            if (a == b == "|") or (
                (a.isalnum() or a == "_") and (b.isalnum() or b == "_") and not touching
            ):
                self.out.append(Piece(" ", span.start, span.start + 1))
        self.out.append(Piece(text, span.start, span.end, is_name))

    def _changed(self, before: Piece, span: Span, text: str) -> bool:
        """Whether one of two neighbours is not as it is in LaTeX."""
        return (
            self.text[before.start : before.end] != before.text
            or self.text[span.start : span.end] != text
        )

    def _begin(self, span: Span) -> None:
        """An operand begins: end a function's argument that is complete; write what is meant."""
        while self.frames[-1].kind == "argument" and self.frames[-1].last in (
            "operand",
            "fraction",
        ):
            self._end_argument()
        frame = self.frames[-1]
        if frame.last == "fraction":
            self._write("*", Span(span.start, span.start + 1))
        elif frame.last == "operand" and frame.thin is not None:
            if self.inverse is not None and self.inverse.end == frame.thin.start:
                raise inverse(self.inverse, "A")
            self._write(" @ ", frame.thin)
        frame.thin = None

    def _done(self, last: str = "operand") -> None:
        """An operand is complete, and so is what waited for a single one."""
        frame = self.frames[-1]
        frame.last = last
        if frame.kind in ONE and not frame.braced:
            self._close_one(Span(self.at - 1, self.at))

    def _close_one(self, span: Span) -> None:
        """A command's argument is complete."""
        frame = self.frames.pop()
        if frame.kind == "numerator":
            self._write("/", frame.command)
            self._push("denominator", frame.command)
            return
        last = "operand"
        if frame.kind == "denominator":
            self._write(")", span)
            last = "fraction"
        elif frame.kind == "call":
            self.out[-1] = Piece(frame.close, *span)
        elif frame.kind == "root":
            self._write(frame.close, span)
        elif frame.kind == "power" and self.frames[-1].last:
            last = "operand" if self.frames[-1].last == "number" else self.frames[-1].last
        self._done(last)

    def _separate(self, *, sign: bool = False) -> None:
        """An operator or separator: it ends arguments without brackets."""
        while self.frames[-1].kind == "argument" and not (sign and not self.frames[-1].last):
            self._end_argument()
        self.frames[-1].last = ""
        self.frames[-1].thin = None

    def _end_arguments(self) -> None:
        while self.frames[-1].kind == "argument":
            self._end_argument()

    def _end_argument(self) -> None:
        frame = self.frames.pop()
        end = self.out[-1].end
        blanks: list[Piece] = []
        while self.out[-1].text.isspace():
            blanks.append(self.out.pop())
            end = self.out[-1].end
        self.out.append(Piece(frame.close, max(end - 1, 0), end))
        self.out += reversed(blanks)
        thin = frame.thin
        self._done()
        self.frames[-1].thin = thin

    def _push(self, kind: str, span: Span, close: str = "") -> Frame:
        frame = Frame(kind, span, close, len(self.out))
        self.frames.append(frame)
        return frame


def inverse(span: Span, name: str) -> GradcliError:
    """The error for a matrix to the power -1: the language's power takes each element."""
    hint = f"write inv({name}), or solve({name}, b) for the inverse times b; 1/{name} by element"
    return syntax_error("this is the inverse of a matrix or 1 over each element", span, hint)
