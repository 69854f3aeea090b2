"""Python text cut into tokens and lines, as far as a listing needs it.

A text in its plain form comes in; logical lines of tokens go out: a line ends at a newline outside
of brackets, or at a `;`. Strings are told from transposes (`x'`), since a listing may have both.
Nothing is interpreted here, and nothing is lost: every token knows its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import submission_error
from gradcli.diagnostics.source import Source, Span

DEEPEST = 500
"""Brackets within brackets that a submission may have."""

MOST_TOKENS = 50_000
"""Words, numbers and signs of a listing: what is read within a second or two."""

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\f\v]+)
  | (?P<newline>\n)
  | (?P<joined>\\[ \t]*\n)
  | (?P<comment>\#[^\n]*)
  | (?P<magic>(?m:^)[%!?][^\n]*)
  | (?P<string>(?:[rRbBfFuU]{1,2}(?=["'])|)(?:\"{3}|'{3}|["']))
  | (?P<number>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)
  | (?P<name>[^\W\d]\w*)
  | (?P<op>:=|->|==|!=|<=|>=|(?:\*\*|//|<<|>>|[-+*/@%^&|])=|\*\*|//|.)
    """,
    re.VERBOSE,
)
_OPENING = {"(": ")", "[": "]", "{": "}"}
_ENDS_OPERAND = frozenset(")]'ᵀ")


class Token(NamedTuple):
    """A part of the text: `kind` is name, number, string, op, comment, joined or magic.

    `joined` is a line end after a backslash, `magic` a notebook's own command (`%time`, `!pip`).
    """

    kind: str
    text: str
    start: int
    depth: int
    """How many brackets are open around it; of a bracket itself, around its pair."""

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.start, self.start + len(self.text))


@dataclass
class Line:
    """A logical line: its tokens without comments, and where it begins and ends."""

    start: int
    indent: int
    first: bool
    """Whether it begins a line of the text, not after a `;`."""
    tokens: list[Token] = field(default_factory=list)
    end: int = 0

    @property
    def span(self) -> Span:
        """From its first token to its last."""
        return Span(self.tokens[0].start, self.tokens[-1].span.end)

    @property
    def word(self) -> str:
        """Its first token."""
        return self.tokens[0].text

    def indented(self, lines: list[Line], i: int, rest: int) -> tuple[list[Line], int]:
        """The lines that belong to this one, which is number `i`, and the number of the next.

        They are what stands behind its `:` (the tokens from `rest` on), or what is indented.
        """
        same = self.tokens[rest:]
        inside = (
            [Line(same[0].start, self.indent, first=False, tokens=same, end=self.end)]
            if same
            else []
        )
        following = i + 1
        while following < len(lines):
            other = lines[following]
            if other.first and (other.indent <= self.indent or same):
                break
            inside.append(other)
            following += 1
        return inside, following

    def outside(self, text: str) -> list[Token]:
        """The tokens with this text outside of all brackets."""
        return [t for t in self.tokens if t.text == text and not t.depth and t.kind == "op"]


def refused(source: Source, span: Span, message: str, hint: str | None = None) -> GradcliError:
    """The error for what a submission can't have: it begins with the line's number."""
    return submission_error(message, hint, source=source, span=span)


def logical_lines(text: str, source: Source) -> tuple[list[Line], list[Token]]:
    """The lines that are not empty, and the comments and joints between lines.

    Raises `GradcliError` for a string without an end, and for what is too deep or too long.
    """
    lines: list[Line] = []
    trivia: list[Token] = []
    line: Line | None = None
    stack: list[Token] = []
    at, fresh, indent, previous, count = 0, True, 0, "", 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found is not None
        kind, value = found.lastgroup or "op", found.group()
        start, at = at, found.end()
        if kind == "space":
            if fresh and line is None:
                indent = len(value)
            continue
        if kind == "newline":
            if not stack:
                line, fresh, indent, previous = None, True, 0, ""
            continue
        if kind == "magic" and stack:
            kind, value, at = "op", value[0], start + 1
        if kind in ("comment", "joined", "magic"):
            trivia.append(Token(kind, value, start, len(stack)))
            continue
        if kind == "string":
            if value == "'" and (previous in _ENDS_OPERAND or previous.isidentifier()):
                kind = "op"  # a transpose
            else:
                at = _string_end(text, start, value, source)
                value = text[start:at]
        if value == ";" and not stack:
            line, fresh, previous = None, False, ""
            continue
        if kind == "op" and value in ")]}" and stack:
            stack.pop()
        token = Token(kind, value, start, len(stack))
        count += 1
        if count > MOST_TOKENS:
            message = f"a listing has at most {MOST_TOKENS:,} words, numbers and signs"
            raise refused(source, token.span, message)
        if line is None:
            line = Line(start, indent if fresh else (lines[-1].indent if lines else 0), fresh)
            lines.append(line)
        line.tokens.append(token)
        line.end = at
        previous = value if kind != "string" else ""
        if kind == "op" and value in _OPENING:
            stack.append(token)
            if len(stack) > DEEPEST:
                message = f"more than {DEEPEST} brackets within each other are not read"
                raise refused(source, token.span, message)
    return lines, trivia


def _string_end(text: str, start: int, opening: str, source: Source) -> int:
    """Where the string ends that begins with `opening` (its prefix and quotes)."""
    quotes = opening.lstrip("rRbBfFuU")
    at = start + len(opening)
    ends = re.compile(rf"\\.|{quotes}" + ("" if len(quotes) == 3 else r"|\n"), re.DOTALL)
    for found in ends.finditer(text, at):
        if found.group() == quotes:
            return found.end()
        if found.group() == "\n":
            break
    span = Span(start, start + len(opening))
    raise refused(source, span, "this string has no end")


def closing(tokens: list[Token], opening: int) -> int | None:
    """The place in `tokens` of the bracket that closes the one at `opening`."""
    depth = tokens[opening].depth
    for i in range(opening + 1, len(tokens)):
        if tokens[i].depth == depth and tokens[i].text in (")", "]", "}"):
            return i
    return None


def split(tokens: list[Token]) -> list[list[Token]]:
    """The parts between commas outside of brackets; one comma at the end is no part."""
    parts: list[list[Token]] = [[]]
    depth = tokens[0].depth if tokens else 0
    for token in tokens:
        if token.text == "," and token.depth == depth and token.kind == "op":
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def in_brackets(tokens: list[Token]) -> list[Token] | None:
    """What is in the brackets of a tuple, `(a, b)`; None for anything else."""
    if len(tokens) < 2 or tokens[0].text != "(" or closing(tokens, 0) != len(tokens) - 1:
        return None
    inner = tokens[1:-1]
    depth = tokens[0].depth + 1
    commas = any(t.text == "," and t.depth == depth and t.kind == "op" for t in inner)
    return inner if commas else None
