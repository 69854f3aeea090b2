"""Layout: what the grammar leaves to a step between the lexer and the parser.

A stream of tokens comes in and goes out, with line ends only where they end a statement:
not inside brackets, not around `with`, not after a comma. Bars that close are told from
bars that open, a `||` that closes two single bars becomes two tokens, and the last
statement ends with a line end even if the text doesn't. Brackets that don't match are
errors here, because here it is known what is open.

No token depends on the parser's state, so that one token may be
held back to see whether `with` follows.
"""

from __future__ import annotations

from collections.abc import Iterator

from gradcli.diagnostics.error import GradcliError, Label
from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span
from gradcli.syntax.driver import Token

_CLOSED_BAR = "closed bar"
NOTHINGS = frozenset({"NONE", "NP_NEWAXIS", "NUMPY_NEWAXIS"})
LITERALS = frozenset({"NUMBER", "TRUE", "FALSE", "INF", "NAN"})
OPERAND_ENDS = (
    frozenset({"NAME", "QUALIFIED", "SUPERSCRIPT", "TRANSPOSE", "RPAR", "RSQB", _CLOSED_BAR})
    | LITERALS
    | NOTHINGS
)
"""After one of these, a bar closes."""

_PARTNERS = {")": "(", "]": "["}
_LINE_GOES_ON = frozenset({"WITH", "COMMA"})
_HANDLED = frozenset({"LPAR", "LSQB", "RPAR", "RSQB", "BAR", "BARS", "END"})


class Layout:
    """One pass over one text.

    `tokens` are those of the statement that is being read, `opened` the brackets and bars
    that are not closed yet: both for the error messages.
    """

    __slots__ = ("_brackets", "_end", "_indent", "_previous", "opened", "tokens")

    def __init__(self) -> None:
        self.opened: list[Token] = []
        self.tokens: list[Token] = []
        self._brackets = 0  # how many of `opened` are no bars
        self._previous = ""  # the type of the token before
        self._end: Token | None = None  # a line end that is held back
        self._indent = 0  # of the statement's first line

    def arrange(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens as the parser reads them."""
        tokens = self.tokens
        for token in stream:
            kind = token.kind
            if kind == "END":
                self._line_ends(token)
                continue
            if self._end is not None or not tokens:
                end = self._line_begins(token)
                if end is not None:
                    tokens.append(end)
                    yield end
                    tokens.clear()
            if kind in _HANDLED:
                for part in self._bracket(token):
                    tokens.append(part)
                    yield part
                continue
            self._previous = kind
            tokens.append(token)
            yield token
        if self.opened:
            raise self._left_open(None)
        if tokens:
            place = tokens[-1].span.end
            end = self._end or Token("END", "", Span(place, place))
            tokens.append(end)
            yield end

    def _line_ends(self, token: Token) -> None:
        """Hold the end of a line or statement back, unless it is white space."""
        if token.text == ";":
            if self.opened:
                raise _semicolon_inside(token, self.opened[-1])
        elif self._brackets or (not self.opened and self._previous in _LINE_GOES_ON):
            return
        elif self.opened:
            raise self._left_open("bars don't go on over lines; brackets do")
        self._end = token

    def _left_open(self, hint: str | None) -> GradcliError:
        """The error for a line or a text that ends too early."""
        opening = self.opened[-1]
        if opening.kind in ("BAR", "BARS") and opening is self.tokens[-1] and len(self.opened) > 1:
            hint = "a bar opens if no operand is before it; is one missing?"
        return unclosed(opening, hint=hint)

    def _line_begins(self, token: Token) -> Token | None:
        """The line end that was held back, unless `with` follows it."""
        end, self._end = self._end, None
        if end is None:
            self._indent = token.span.start
            return None
        if end.text != ";":
            if token.kind == "WITH" and self.tokens:
                return None
            indent = len(end.text) - 1 - end.text.rindex("\n")
            if token.kind == "SIGN" and self.tokens and indent > self._indent:
                raise _continued(token)
            self._indent = indent
        self._previous = ""
        return end if self.tokens else None

    def _bracket(self, token: Token) -> tuple[Token, ...]:
        """Keep account of a bracket or bar; two bars where one token closes two."""
        kind, opened = token.kind, self.opened
        if kind in ("LPAR", "LSQB"):
            opened.append(token)
            self._brackets += 1
        elif kind in ("RPAR", "RSQB"):
            _check_pair(opened, token)
            opened.pop()
            self._brackets -= 1
        elif self._previous not in OPERAND_ENDS:
            opened.append(token)
        else:
            self._previous = _CLOSED_BAR
            if token.text == "||" and [bar.kind for bar in opened[-2:]] == ["BAR", "BAR"]:
                del opened[-2:]
                start, end = token.span
                first = Token("BAR", "|", Span(start, start + 1))
                return first, Token("BAR", "|", Span(start + 1, end))
            if opened and opened[-1].kind == kind:
                opened.pop()
            return (token,)
        self._previous = kind
        return (token,)


# --- errors ------------------------------------------------------------------------------


def _check_pair(opened: list[Token], closing: Token) -> None:
    if not opened:
        raise syntax_error(
            f"'{closing}' closes nothing",
            closing.span,
            f"delete it, or open a '{_PARTNERS[closing.text]}' before",
        )
    opening = opened[-1]
    if opening.kind in ("BAR", "BARS"):
        raise unclosed(opening, Label(closing.span, f"'{closing}' comes first"))
    if opening.text != _PARTNERS[closing.text]:
        raise syntax_error(
            f"'{opening}' is closed by '{closing}'",
            closing.span,
            labels=(Label(opening.span, "opened here"),),
        )


def unclosed(opening: Token, *labels: Label, hint: str | None = None) -> GradcliError:
    """The error for a bracket or bar that is never closed."""
    return syntax_error(f"'{opening}' is not closed", opening.span, hint, labels=labels)


def _semicolon_inside(token: Token, opening: Token) -> GradcliError:
    matrix = opening.text == "["
    return syntax_error(
        "';' ends a statement, and a bracket is still open",
        token.span,
        "a matrix is written by rows: [[1, 2], [3, 4]]" if matrix else None,
        labels=(Label(opening.span, "opened here"),),
    )


def _continued(sign: Token) -> GradcliError:
    return syntax_error(
        f"a line that begins with '{sign}' does not continue the line before",
        sign.span,
        "put the expression that goes over several lines in brackets",
    )
