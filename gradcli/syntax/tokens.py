"""A token: what the lexer makes of a few characters, and the parser reads as one sign."""

from __future__ import annotations

from typing import NamedTuple

from gradcli.diagnostics.source import Span


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
