"""Every error a user can meet, and the one place where it turns into text.

An error has a kind (a stable word for scripts), one line that says what is wrong, the
places in the source that it is about, and a hint. `render` draws it for a person, `as_json`
for a program. Nothing else in the project formats an error.
"""

from __future__ import annotations

import copyreg
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum, StrEnum
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

from gradcli.diagnostics.ascii import ascii_form
from gradcli.diagnostics.source import Source, Span


class ExitCode(IntEnum):
    """The exit codes of a process."""

    OK = 0
    MATHEMATICS = 1
    USAGE = 2
    CHECK_FAILED = 3
    WRONG_ROWS = 4
    UNREADABLE = 5
    INTERRUPTED = 130


class Kind(StrEnum):
    """The kind of an error."""

    SYNTAX = "syntax"
    NAME = "name"
    BINDING = "binding"
    SHAPE = "shape"
    FILE = "file"
    OPTION = "option"
    DOMAIN = "domain"
    OVERFLOW = "overflow"
    EDGE = "edge"
    SINGULAR = "singular"
    SUBMISSION = "submission"

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a process that stops with an error of this kind."""
        if self in (Kind.DOMAIN, Kind.OVERFLOW, Kind.EDGE, Kind.SINGULAR):
            return ExitCode.MATHEMATICS
        return ExitCode.UNREADABLE if self is Kind.SUBMISSION else ExitCode.USAGE


class Label(NamedTuple):
    """A second thing to say under the line: a span and a few words about it.

    Where labels are `strong` (the operands whose shapes don't fit) they get the `^` and the
    error's own span, the operator, the `-`.
    """

    span: Span
    text: str
    strong: bool = False


class GradcliError(Exception):
    """What a user did that can't be done, or a point where the mathematics fails.

    `span` is the place that is underlined with `^`; each of `labels` is underlined too and
    explained below the line (the shapes of two operands, say). Where two lines matter (a
    name that is given twice) a label on the other line shows that line as well.
    """

    def __init__(
        self,
        kind: Kind,
        message: str,
        *,
        source: Source | None = None,
        span: Span | None = None,
        labels: tuple[Label, ...] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind, self.message, self.hint = kind, message, hint
        self.source, self.span, self.labels = source, span, labels

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a process that this error stops."""
        return self.kind.exit_code

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.kind, self.message))

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy the fields: the default would call `__init__` with the message alone."""
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]

    def located(self, source: Source) -> GradcliError:
        """The same error, said to be about `source` if it was about none yet."""
        if self.source is None:
            self.source = source
        return self

    def called_at(self, source: Source, span: Span) -> GradcliError:
        """The same error, with the call that has led to it if that stands elsewhere in the text."""
        inside = self.span is not None and span.start <= self.span.start < span.end
        if self.source is source and not inside:
            self.labels = (*self.labels, Label(span, "in this call"))
        return self

    def __str__(self) -> str:
        return render(self)


def expect_choice(option: str, value: object, choices: tuple[object, ...]) -> None:
    """Raise a `GradcliError` of kind option for a value that the option does not take."""
    if value in choices:
        return
    hint = f"{option} is one of {', '.join(map(repr, choices))}"
    raise GradcliError(Kind.OPTION, f"{option}={value!r} is not known", hint=hint)


def expect_text(what: str, value: object) -> None:
    """Raise a `GradcliError` of kind option for a value that isn't a string."""
    if not isinstance(value, str):
        hint = "a path is read first: Path('f.grad').read_text()"
        raise GradcliError(Kind.OPTION, f"{what} is a text, not {_brief(value)}", hint=hint)


def expect_mapping(option: str, value: object) -> None:
    """Raise a `GradcliError` of kind option for a value that isn't a mapping or None."""
    if value is not None and not isinstance(value, (dict, Mapping)):
        hint = f"{option} gives names their values: {{'x': 3}}"
        raise GradcliError(Kind.OPTION, f"{option}={_brief(value)} isn't a mapping", hint=hint)


def expect_names(option: str, value: Any) -> tuple[str, ...] | None:
    """The names that an option has: None, a name, or several.

    Raises a `GradcliError` of kind option for anything else.
    """
    if value is None or isinstance(value, str):
        return None if value is None else (value,)
    names = tuple(value) if isinstance(value, Iterable) else (None,)
    if not all(isinstance(name, str) for name in names):
        hint = f"{option} is the name of an input or several: ('x', 'y')"
        raise GradcliError(Kind.OPTION, f"{option}={_brief(value)} isn't a name", hint=hint)
    return names


def _brief(value: object) -> str:
    return repr(value) if isinstance(value, int | float) else f"<{type(value).__name__}>"


def as_json(error: GradcliError) -> dict[str, Any]:
    """The error as the object that `--json` prints (schema gradcli.error/1)."""
    line = column = end_column = None
    if error.source is not None and error.span is not None:
        line, column = error.source.position(error.span.start)
        end_line, end_column = error.source.position(error.span.end)
        if end_line != line:
            end_column = len(error.source.line(line)) + 1
    body = {
        "kind": str(error.kind),
        "message": error.message,
        "hint": error.hint,
        "line": line,
        "column": column,
        "end_column": end_column,
    }
    return {"schema": "gradcli.error/1", "error": body}


BOLD, RED, PLAIN = "\x1b[1m", "\x1b[1;31m", "\x1b[0m"


def render(
    error: GradcliError, width: int = 100, *, ascii_only: bool = False, color: bool = False
) -> str:
    """The error as a person reads it: what, where, and a hint.

    Control characters of the user's text are shown as their escapes, so that nothing that
    came from outside can move the cursor or change a colour. Lines of the source are cut to
    `width` cells. With `color`, `error:` is red and the place bold.
    """

    def shown(text: str) -> str:
        return ascii_form(visible(text)) if ascii_only else visible(text)

    def painted(text: str, code: str) -> str:
        return f"{code}{text}{PLAIN}" if color else text

    lines = [f"{painted('error:', RED)} {shown(error.message)}"]
    if error.source is not None and error.span is not None:
        excerpt = _excerpt(error.source, error.span, error.labels, width, shown)
        lines += _bold_places(excerpt) if color else excerpt
    if error.hint:
        first, *more = map(shown, error.hint.split("\n"))
        lines.append(f"  {painted('hint:', BOLD)} {first}")
        lines += [f"        {line}" for line in more]
    return "\n".join(lines)


def _bold_places(excerpt: list[str]) -> list[str]:
    """The lines of an excerpt with its marks, and what is marked by `^`, in bold."""
    found: list[str] = []
    for line in excerpt:
        gutter, bar, marks = line.partition(" | ")
        if not bar or gutter.strip():  # a line of the source, or the name of a file
            found.append(line)
            continue
        above = found[-1]
        if "^" in marks and cell_width(above) == len(above):
            found[-1] = "".join(
                f"{BOLD}{char}{PLAIN}" if line[i : i + 1] == "^" else char
                for i, char in enumerate(above)
            ).replace(f"{PLAIN}{BOLD}", "")
        found.append(f"{gutter}{bar}{BOLD}{marks}{PLAIN}")
    return found


def visible(text: str, keep: str = "") -> str:
    """`text` with every control and format character written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text
    )


# --- the excerpt -------------------------------------------------------------------------


Shown: TypeAlias = Callable[[str], str]
"""How text from outside is written, so that it is harmless and can be written at all."""


class _Mark(NamedTuple):
    """An underline in the coordinates of one line: columns from 0, end not included."""

    start: int
    end: int
    char: str
    text: str


def _excerpt(
    source: Source, span: Span, labels: tuple[Label, ...], width: int, shown: Shown
) -> list[str]:
    """The lines of the source that the error is about, each with its marks."""
    by_line: dict[int, list[_Mark]] = {}
    number, mark = _mark(source, span, "-" if any(label.strong for label in labels) else "^", "")
    by_line[number] = [mark]
    for label in labels:
        label_number, mark = _mark(source, label.span, "^" if label.strong else "-", label.text)
        by_line.setdefault(label_number, []).append(mark)
    name = f"  {shown(source.name)}:" if source.name else None
    gutter = len(str(max(by_line)))
    out = [name] if name else []
    for number in sorted(by_line):
        room = max(20, width - gutter - 5)
        cells, underline, *below = _marked_line(source.line(number), by_line[number], room, shown)
        out.append(f"  {number:>{gutter}} | {cells}")
        out += [f"  {' ' * gutter} | {line}" for line in (underline, *below)]
    return out


def _mark(source: Source, span: Span, char: str, text: str) -> tuple[int, _Mark]:
    line, column = source.position(span.start)
    length = len(source.line(line))
    start = min(column - 1, length)
    end = max(start + 1, min(start + span.end - span.start, length))
    return line, _Mark(start, end, char, text)


def _marked_line(text: str, marks: list[_Mark], room: int, shown: Shown) -> list[str]:
    """A line of the source in at most `room` cells, its underlines, and what explains them."""
    cells, marks = _cells(text, sorted(marks), room, shown)
    row = [" "] * max(mark.end for mark in marks)
    for mark in marks:
        for i in range(mark.start, mark.end):
            if row[i] != "^":
                row[i] = mark.char
    out = [cells, "".join(row)]
    explained = [mark for mark in marks if mark.text]
    if not explained:
        return out
    # The last label fits beside the underline; the others hang below it, right to left.
    last = explained[-1]
    beside = f" {shown(last.text)}"
    if last is max(marks, key=lambda mark: mark.end) and last.end + cell_width(beside) <= room:
        out[1] += beside
        explained.pop()
    while explained:
        bars = [" "] * (max(mark.start for mark in explained) + 1)
        for mark in explained:
            bars[mark.start] = "|"
        out.append("".join(bars))
        mark = explained.pop()
        label = shown(mark.text)
        stem = "".join(bars[: max(0, min(mark.start, room - cell_width(label)))])
        out.append(stem + label)
    return out


def _cells(text: str, marks: list[_Mark], room: int, shown: Shown) -> tuple[str, list[_Mark]]:
    """The line as it is printed, and the marks moved to the terminal cells they belong to.

    A line that is wider than `room` is cut down to it, around its first `^`.
    """
    pieces = [" " if c == "\t" else shown(c) for c in text]
    column = [0, *accumulate(map(cell_width, pieces))]
    start, end, head, tail, dots = 0, len(pieces), "", "", shown("…")
    wide = column[-1] + any(column[mark.start] == column[-1] for mark in marks)  # marks behind it
    if wide > room:
        focus = next((mark for mark in marks if mark.char == "^"), marks[0])
        left = min(column[focus.start] - room // 3, wide - room + len(dots) + 1)
        start = bisect_left(column, left)
        head = f"{dots} " if start else ""
        if wide - column[start] > room - len(head):
            end = bisect_right(column, column[start] + room - len(head) - len(dots) - 1) - 1
            tail = f" {dots}"
    column.append(column[-1] + 1)  # a mark behind the last character
    shift = len(head) - column[start]
    moved = []
    for mark in marks:
        if mark.end > start and (mark.start < end or not tail):
            first = column[max(mark.start, start)] + shift
            behind = column[min(mark.end, end + (not tail))] + shift
            moved.append(mark._replace(start=first, end=max(behind, first + 1)))
    return head + "".join(pieces[start:end]) + tail, moved


def cell_width(text: str) -> int:
    """How many terminal cells `text` takes: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    wide = ("W", "F")
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in wide else 1
        for c in text
    )
