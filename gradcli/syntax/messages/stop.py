"""Where the parser stopped: what every message about it is told from."""

from __future__ import annotations

from typing import NamedTuple

from gradcli.diagnostics.error import GradcliError, Label
from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span
from gradcli.syntax.driver import Token
from gradcli.syntax.layout import LITERALS

OPERATORS = frozenset({"SIGN", "MULTIPLY", "POWER", "COMPARE", "EQUAL", "AUGMENT", "ROOT"})
OPENINGS = frozenset({"LPAR", "LSQB"})
CLOSINGS = frozenset({"RPAR", "RSQB"})
BARS = frozenset({"BAR", "BARS"})
OPERAND_STARTS = frozenset({"NAME", "QUALIFIED", "ROOT"}) | LITERALS | OPENINGS | BARS


class Stop(NamedTuple):
    """Where the parser stopped."""

    token: Token
    before: list[Token]  # the statement's tokens before it
    opened: list[Token]  # the brackets and bars that are open there
    text: str

    @property
    def previous(self) -> Token | None:
        """The token before, None at the start of a statement."""
        return self.before[-1] if self.before else None

    def error(
        self,
        message: str,
        hint: str | None = None,
        *,
        span: Span | None = None,
        opened: bool = False,
    ) -> GradcliError:
        """An error about the token, with the open bracket shown if that is said."""
        labels = (Label(self.opened[-1].span, "opened here"),) if opened and self.opened else ()
        span = span or self.token.span
        return syntax_error(message, span, hint, labels=labels)
