"""The `#:` lines that open a program file: its inputs' values, its marks, its title.

    #: x = 3
    #: W = [[1, 2],
    #:      [3, 4]]
    #: marks x = 2
    #: title Backpropagation, sheet 4

The lines of `task_lines` say how a homework is set and marked.

To the program they are comments. They are read here as statements of the language, all at
once and where they stand: in a copy of the text's opening in which spaces replace the `#:`.
So a value may go over several lines, and errors show the file as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from gradcli.diagnostics.characters import plain
from gradcli.diagnostics.error import GradcliError, Label
from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Source, Span
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.syntax.parser import parse_listing
from gradcli.syntax.tree import Assign, Name, Number, Tree

if TYPE_CHECKING:
    from gradcli.syntax.task_lines import TaskLines

MARK = "#:"

# Compiled where they are needed: most programs have no header.
_TITLE = r"title\b(?!\s*=):?"
_MARKS = r"marks\s+(?=[^=\s])"
_WORDS = r"\s*[^\W\d]\w*(\s*:|\s+[\w\"'])"
_NOTHING = "this isn't a value, marks or title"
_HINT = "#: x = 3 gives an input its value, #: marks x = 2 its marks, #: title … names the whole"


class Binding(NamedTuple):
    """An input's value, as an expression that is still to be computed."""

    name: str
    value: Tree
    span: Span
    source: Source
    """The program's opening, with spaces for each `#:`: all values of a header share it."""


class Header(NamedTuple):
    """What a file says before its program begins."""

    bindings: tuple[Binding, ...] = ()
    marks: Mapping[str, float] = {}
    marked: Mapping[str, Span] = {}
    """Where the name stands that gets the marks."""
    title: str | None = None
    task_lines: TaskLines | None = None

    @property
    def task(self) -> TaskLines:
        """How it is set and marked as homework."""
        from gradcli.syntax.task_lines import TaskLines  # noqa: PLC0415 - most programs have none

        return self.task_lines or TaskLines()


def read_header(source: Source) -> Header:
    """The header of a program. Raises `GradcliError` of kind syntax."""
    try:
        return _read(source) if MARK in source.text else Header()
    except GradcliError as error:
        raise error.located(source) from None


def _read(source: Source) -> Header:
    opening = _Opening(source.text)
    copy = Source("".join(opening.copy), source.name)
    try:
        statements = parse_listing(copy).statements
    except GradcliError as error:
        error.source = source
        raise _unlike(copy.text, error) or error from None
    bindings: dict[str, Binding] = {}
    marks: dict[str, float] = {}
    marked: dict[str, Span] = {}
    seen: dict[tuple[str, bool], Name] = {}
    for statement in statements:
        if not isinstance(statement, Assign):
            start, end = statement.span
            raise syntax_error(_NOTHING, statement.span, _hint(source.text[start:end]))
        name, value = statement.name.name, statement.value
        is_mark = statement.span.start in opening.marks
        first = seen.setdefault((name, is_mark), statement.name)
        if first is not statement.name:
            what = f"the marks of '{name}' are" if is_mark else f"'{name}' is"
            labels = (Label(first.span, "given here first"),)
            raise syntax_error(f"{what} given a second time", statement.name.span, labels=labels)
        if not is_mark:
            bindings[name] = Binding(name, value, statement.span, copy)
            continue
        if not isinstance(value, Number) or not 0 <= value.value < math.inf:
            raise syntax_error("marks are a number, 0 or more", value.span)
        marks[name], marked[name] = value.value, statement.name.span
    return Header(tuple(bindings.values()), marks, marked, opening.title, opening.task.lines())


class _Opening:
    """The lines before the first statement, and a copy of them to read as statements.

    `copy` has only what stands behind `#:`, at its place; `marks` are the places of
    statements that give marks.
    """

    def __init__(self, written: str) -> None:
        self.written = written
        self.copy: list[str] = []
        self.marks: set[int] = set()
        self.title: str | None = None
        from gradcli.syntax import task_lines  # noqa: PLC0415 - most programs have none

        self.task, self.is_task_line = task_lines.TaskLineReader(), task_lines.is_task_line
        text = plain(written)
        start = 0
        while start < len(text):
            end = text.find("\n", start)
            end = len(text) if end < 0 else end + 1
            line = text[start:end]
            content = line.lstrip()
            if content.startswith(MARK):
                behind = len(line) - len(content) + len(MARK)
                self.copy.append(" " * behind + self._content(line[behind:], start + behind))
            elif not content or content.startswith("#"):
                self.copy.append(" " * (len(line) - 1) + "\n")
            else:
                break
            start = end
        _no_more(text, start)

    def _content(self, text: str, place: int) -> str:
        """The text behind a `#:`, without the title, the word `marks`, and lines of a task."""
        first = place + len(text) - len(text.lstrip())
        word = text.lstrip()
        if title := re.match(_TITLE, word):
            if self.title is not None:
                raise syntax_error("a second title", Span(first, first + 5))
            behind = first + title.end()
            self.title = self.written[behind : place + len(text)].strip() or None
            return " " * (len(text) - 1) + "\n"
        if self.is_task_line(word) and not _is_open("".join(self.copy)):
            self.task.take(word, first)
            return " " * (len(text) - 1) + "\n"
        marks = re.match(_MARKS, word)
        if marks is None:
            return text
        self.marks.add(first + marks.end())
        return " " * (first - place + marks.end()) + word[marks.end() :]


def _is_open(before: str) -> bool:
    """Whether a value of the lines before goes on: then a word is part of it."""
    return sum(map(before.count, "([{")) > sum(map(before.count, ")]}"))


def _no_more(text: str, start: int) -> None:
    """Refuse a `#:` line after the first statement: it would be passed over."""
    later = re.compile(r"^[ \t]*#:", re.MULTILINE).search(text, start)
    if later is not None:
        span = Span(later.end() - len(MARK), later.end())
        raise syntax_error("'#:' lines stand before the first statement", span)


def _unlike(copy: str, error: GradcliError) -> GradcliError | None:
    """The error for a line that is like nothing that a header may have: `titel Foo`, `x: 3`."""
    if error.span is None:
        return None
    start = copy.rfind("\n", 0, error.span.start) + 1
    line = copy[start:].partition("\n")[0]
    if _is_open(copy[:start]) or not re.match(_WORDS, line):
        return None
    first = len(line) - len(line.lstrip())
    span = Span(start + first, start + len(line.rstrip()))
    return syntax_error(_NOTHING, span, _hint(line))


def _hint(line: str) -> str:
    """What the lines may be, and which word was probably meant."""
    word = line.split(maxsplit=1)[0].rstrip(":")
    from gradcli.syntax.task_lines import WORDS  # noqa: PLC0415 - most programs have none

    keys = ("title", "marks", *WORDS)
    meant = None if word in keys else did_you_mean(word.casefold(), keys)
    return f"{meant}\n{_HINT}" if meant else _HINT
