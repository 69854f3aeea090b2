"""Listings in the notation of mathematics, made Python before `ast` reads them.

`x^2`, `W'`, `∂f/∂x`, `x₁` and the commands of a notebook are what people write and Python is not.
The text goes in; a syntax tree comes out, and a `Text` by which each of its nodes has the place
that it has in the text as it was handed in.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Any, NamedTuple

from gradcli.diagnostics.characters import SUBSCRIPTS, plain
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source, Span
from gradcli.python.core import Text
from gradcli.python.source import module_of
from gradcli.syntax.builder import COMPARISONS

_WORD = r"[^\W\d][\w\u0300-\u036f]*"
_QUOTED = (
    r"""[rbfuRBFU]{0,2}(?:'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
)
_BEFORE_TEXT = "and|or|not|in|is|if|else|elif|return|print|yield"
"""Words that a text in quotes may follow at once: there is no transpose."""
_POWER = re.compile(rf"(?P<kept>{_QUOTED}|\#[^\n]*)|(?P<power>\^)", re.DOTALL)
_NOTATION = rf"""(?P<kept>(?<!\w){_QUOTED}|\#[^\n]*)
      |(?P<command>^(?P<indent>[ \t]*)(?:(?:[\w,\ ]+=[ ]*)?[%!?].*?|[\w.]+\?\??[ \t]*)$)
      |(?P<margin>^[ \t]{{MARGIN}})
      |(?P<define>^(?P<name>{_WORD})[ ]*\((?P<parameters>[\w\s,]*)\)[ ]*=(?!=))
      |(?P<quotient>^[ \t]*d[ ]?(?P<of>{_WORD})[ ]?/[ ]?d[ ]?(?P<by>{_WORD})(?=[ ]*=(?!=)))
      |(?P<partial>∂[ ]?(?P<above>{_WORD})[ ]?/[ ]?∂[ ]?(?P<below>{_WORD}))
      |(?P<turned>(?:(?<!\w)(?!(?:{_BEFORE_TEXT})'){_WORD}|[)\]])')
      |(?P<power>\^)
      |(?P<root>√[ ]?(?P<operand>{_WORD}|\d[\d.]*)?)
      |(?P<digits>[₀₁₂₃₄₅₆₇₈₉]+)
      |(?P<sign>[·×⋅])|(?P<comparison>[≤≥≠])"""
"""All of it, in a text whose lines begin with so many blanks."""


class _Change(NamedTuple):
    """A stretch of the text that was written otherwise."""

    new: int
    new_end: int
    old: int
    old_end: int


class Rewritten(Text):
    """Places in the text as it was handed in, for the nodes of another text."""

    def __init__(self, source: Source, text: str, changes: list[_Change]) -> None:
        super().__init__(Source(text, source.name))
        self.source, self.changes = source, changes
        self.text = Text(Source(text))
        self.handed_in = Text(source)
        self.begins = [c.new for c in changes]

    def offset(self, line: int, column: int) -> int:
        """The character at a line and a column of the Python text."""
        return self.place(self.text.offset(line, column))

    def place(self, at: int) -> int:
        """Where a character of the Python text was handed in."""
        i = bisect_right(self.begins, at) - 1
        if i < 0:
            return at
        change = self.changes[i]
        if at < change.new_end:
            return change.old + min(at - change.new, change.old_end - change.old)
        return change.old_end + at - change.new_end

    def line(self, span: Span) -> int:
        """The number of the line where a span begins."""
        return self.handed_in.line(span)


def python_of(source: Source) -> tuple[ast.Module, Text]:
    """The syntax tree of a listing, and the places of its nodes.

    A power is `**` or `^`. All else that is not Python is looked at only in a text that is none.
    Raises `GradcliError` of kind syntax with its place.
    """
    text = plain(source.text) if source.text else ""
    if "^" not in text:
        try:
            places = Text(source) if text == source.text else Rewritten(source, text, [])
            return module_of(Source(text, source.name)), places
        except GradcliError as error:
            if error.span is None:
                raise
    powers = _rewritten(source, text, _POWER)
    try:
        return module_of(powers.text.source), powers
    except GradcliError as error:
        if error.span is None:
            raise
    indents = (len(line) - len(line.lstrip()) for line in text.split("\n") if line.strip())
    form = _NOTATION.replace("MARGIN", str(min(indents, default=0)))
    pattern = re.compile(form, re.VERBOSE | re.DOTALL | re.MULTILINE)
    notation = _rewritten(source, text, pattern)
    try:
        return module_of(notation.text.source), notation
    except GradcliError as error:
        if error.span is not None:
            start, end = map(notation.place, error.span)
            error.source, error.span = source, Span(start, max(end, start + 1))
        raise


def _rewritten(source: Source, text: str, pattern: re.Pattern[str]) -> Rewritten:
    """The text with what the pattern finds written as Python."""
    parts: list[str] = []
    changes: list[_Change] = []
    done = length = 0
    for found in pattern.finditer(text):
        new = _as_python(found)
        if new is None:
            continue
        parts += text[done : found.start()], new
        length += found.start() - done
        changes.append(_Change(length, length + len(new), found.start(), found.end()))
        done, length = found.end(), length + len(new)
    return Rewritten(source, "".join((*parts, text[done:])), changes)


def _as_python(found: re.Match[str]) -> str | None:
    """What is found as Python has it; None where it stays."""
    parts: dict[str, Any] = found.groupdict()
    form = next((form for name, form in _FORMS.items() if parts.get(name)), None)
    return None if form is None else form(parts)


_FORMS: dict[str, Callable[[dict[str, Any]], str]] = {
    "margin": lambda _: "",
    "power": lambda _: "**",
    "command": lambda p: f"{p['indent']}pass",
    "define": lambda p: f"{p['name']} = lambda {p['parameters']}:",
    "root": lambda p: f"sqrt({p['operand']})" if p["operand"] else "sqrt",
    "quotient": lambda p: f"d_{p['of']}_d_{p['by']}",
    "partial": lambda p: f"d_{p['above']}_d_{p['below']}",
    "turned": lambda p: f"{p['turned'][:-1]}.T",
    "digits": lambda p: p["digits"].translate(SUBSCRIPTS),
    "sign": lambda _: "*",
    "comparison": lambda p: COMPARISONS[p["comparison"]],
}
"""What is written for each group of the pattern."""
