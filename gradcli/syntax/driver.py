"""The parser's machine: a lexer and an LALR(1) loop that run on the grammar's tables.

A text comes in and goes through `tokens`, a layout step and `parse`. At each token the table of
the current state says whether to shift it or to reduce: then the method for the rule is called
with the rule's parts, as soon as the rule is complete. So no tree is built but the program's own,
nothing recurses, and the time is proportional to the length of the text. The tables come from
Lark (`from_grammar`), which need not be there when they run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from gradcli.diagnostics.source import Span

FINISH = "$END"
"""The terminal behind the last token, by Lark's name."""


class Token(NamedTuple):
    """A terminal of the grammar in the text; as a string it is what was written."""

    kind: str
    """The terminal's name in the grammar."""
    text: str
    span: Span

    def __str__(self) -> str:
        return self.text


class Stuck(Exception):
    """The text is no sentence of the grammar: the token at `position` can't stand there.

    `token` is None where none begins.
    """

    def __init__(self, position: int, token: Token | None = None) -> None:
        super().__init__(position, token)
        self.position, self.token = position, token


class Tables(NamedTuple):
    """The parser's tables of a grammar; of built-in types alone."""

    pattern: str
    """A regular expression with a group for each terminal, in front of it what is passed over.

    Behind those of `kinds` comes a group for any other character; no group is the text's end.
    """
    kinds: list[str]
    """The terminal of each group."""
    words: dict[str, dict[str, str]]
    """By terminal, the fixed texts in it that are terminals of their own: `with`, `np.newaxis`."""
    rows: list[dict[str, int]]
    """For each state, what to do at a terminal and where a rule leads.

    A state's number is to shift the token and go there; below 0, ~n is to reduce by rule n.
    """
    rules: list[tuple[int, str, str]]
    """How many parts a rule has, what it makes, and the builder's method; the start's has none."""


class Driver:
    """A parser for one grammar, which calls the methods of a builder."""

    __slots__ = ("_groups", "_leaves", "_pattern", "_rows", "_rules")

    def __init__(self, tables: Tables, builder: object) -> None:
        self._pattern = re.compile(tables.pattern)
        no_words: dict[str, str] = {}
        self._groups = [("", no_words)]
        self._groups += [(kind, tables.words.get(kind, no_words)) for kind in tables.kinds]
        self._rows = tables.rows
        self._rules: list[tuple[int, str, Callable[..., Any] | None]] = [
            (length, symbol, getattr(builder, method) if method else None)
            for length, symbol, method in tables.rules
        ]
        leaves = {kind: getattr(builder, kind, None) for kind in tables.kinds}
        self._leaves: dict[str, Callable[[Token], Any]] = {k: m for k, m in leaves.items() if m}

    def tokens(self, text: str) -> Iterator[Token]:
        """The tokens of a text. Raises `Stuck` where none begins."""
        groups, known = self._groups, len(self._groups)
        new = tuple.__new__  # half the time of a call of the class
        texts: dict[str, str] = {}  # a name that is used again is the same object
        for match in self._pattern.finditer(text):
            group = match.lastindex
            if group is None:
                return
            if group == known:
                raise Stuck(match.start(group))
            kind, words = groups[group]
            written = match[group]
            if words:
                kind = words.get(written, kind)
                written = texts.setdefault(written, written)
            yield new(Token, (kind, written, new(Span, match.span(group))))

    def parse(self, tokens: Iterable[Token]) -> Any:
        """What the builder makes of the tokens. Raises `Stuck`, and what the builder raises."""
        rows, rules, leaves = self._rows, self._rules, self._leaves
        row = rows[0]
        states = [row]
        values: list[Any] = []
        finish = Token(FINISH, "", Span(0, 0))
        for token in chain(tokens, (finish,)):
            kind = token[0]
            action = row.get(kind)
            while action is not None and action < 0:
                length, symbol, make = rules[~action]
                if make is None:
                    return values[-1]
                if length:
                    value = make(*values[-length:])
                    del values[-length:], states[-length:]
                else:
                    value = make()
                values.append(value)
                row = rows[states[-1][symbol]]
                states.append(row)
                action = row.get(kind)
            if action is None:
                raise Stuck(token.span.start, token)
            leaf = leaves.get(kind)
            values.append(token if leaf is None else leaf(token))
            row = rows[action]
            states.append(row)
        raise AssertionError(tokens)
