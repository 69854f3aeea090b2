"""What to say when the text is no sentence of the grammar.

Lark's parser stops at a token; what went wrong is told from that token, the one before it
and the brackets that are open. Each function below knows one family of mistakes and returns
its error, or None if the mistake is of another family; `explain` asks them in order.
"""

from __future__ import annotations

import re
from typing import NamedTuple, cast

from lark import Token, UnexpectedCharacters, UnexpectedToken

from gradcli.errors import GradcliError, Kind, Label
from gradcli.language.characters import normal_name, short, strings_refused, unexpected_character
from gradcli.language.lexer import LITERALS, NOTHINGS, OPERAND_ENDS, Layout, place, unclosed
from gradcli.language.source import Span
from gradcli.language.words import PYTHON_WORDS

_OPERATORS = frozenset({"SIGN", "MULTIPLY", "POWER", "COMPARE", "EQUAL", "AUGMENT", "ROOT"})
_OPENINGS = frozenset({"LPAR", "LSQB"})
_CLOSINGS = frozenset({"RPAR", "RSQB"})
_BARS = frozenset({"BAR", "BARS"})
_OPERAND_STARTS = frozenset({"NAME", "QUALIFIED", "ROOT"}) | LITERALS | _OPENINGS | _BARS

_CHARACTERS = {
    "%": ("'%' is not an operator of this language", "the remainder is mod(a, b)"),
    "&": ("'&' is not an operator of this language", "of two conditions, write the product"),
    "!": ("'!' is not an operator of this language", "n! is gamma(n + 1); not c is 1 - c"),
    "~": ("'~' is not an operator of this language", "not c is 1 - c"),
    "{": ("there are no braces in this language", "brackets are ( ) and [ ]"),
    "}": ("there are no braces in this language", "brackets are ( ) and [ ]"),
    "$": ("'$' is not part of the language", "write the formula without it"),
    "\\": (
        "'\\' is not part of the language",
        "LaTeX is not read here; a line goes on if it is in brackets",
    ),
    "?": ("'?' is not part of the language", "a choice is where(condition, a, b)"),
    "⁻": ("a raised sign stands before raised digits", "write x⁻¹ or x^(-1)"),
    "⁺": ("a raised sign stands before raised digits", "write x⁺² or x^2"),
}
_SEQUENCES = {
    "===": ("there is no '==='", "equal is '=='"),
    "...": ("there is no '...'", "in an index write ':' for each axis"),
    "//": ("there is no '//'", "division to a whole number is floor(a/b)"),
    "->": ("there is no '->'", "a function is written f(x) = …"),
    "=>": ("there is no '=>'", "greater or equal is '>='"),
    "=<": ("there is no '=<'", "less or equal is '<='"),
    "<>": ("there is no '<>'", "not equal is '!='"),
    ":=": ("there is no ':='", "a value is named by '='"),
    "++": ("there is no '++'", "write 'x + 1'"),
    "--": ("there is no '--'", "write 'x - 1'"),
    "..": ("there is no '..'", "in an index write a range as 'a:b'"),
    "&&": ("there is no '&&'", "of two conditions, write the product: (a > 0)*(b > 0)"),
}


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
        labels = (Label(place(self.opened[-1]), "opened here"),) if opened and self.opened else ()
        span = span or place(self.token)
        return GradcliError(Kind.SYNTAX, message, span=span, labels=labels, hint=hint)


def explain(
    unexpected: UnexpectedToken | UnexpectedCharacters, text: str, layout: Layout
) -> GradcliError:
    """The error to show; `text` is what the user wrote, `layout` how far it was read."""
    if isinstance(unexpected, UnexpectedCharacters):
        return _character(cast("int", unexpected.pos_in_stream), text)
    token = unexpected.token
    before = layout.tokens[:]
    while before and before[-1] is not token:
        before.pop()
    stop = Stop(token, before[:-1], _opened_before(token, layout.opened), text)
    families = (
        _letters,
        _word,
        _sequence,
        _string,
        _after_dot,
        _reserved,
        _end_of_line,
        _second_equals,
        _bars,
        _tuple,
        _operands_in_a_row,
        _closing,
        _comma,
        _colon,
        _none,
        _operator,
    )
    for family in families:
        error = family(stop)
        if error is not None:
            return error
    return stop.error(f"'{short(token.value)}' can't stand here")


def _opened_before(token: Token, opened: list[Token]) -> list[Token]:
    return opened[:-1] if opened and opened[-1] is token else opened


def _character(position: int, text: str) -> GradcliError:
    char, span = text[position], Span(position, position + 1)
    if char in '"`':
        return _string_at(position, text)
    if text[position : position + 2] == "&&":
        message, hint = _SEQUENCES["&&"]
        return GradcliError(Kind.SYNTAX, message, span=Span(position, position + 2), hint=hint)
    if char in _CHARACTERS:
        message, hint = _CHARACTERS[char]
        return GradcliError(Kind.SYNTAX, message, span=span, hint=hint)
    return unexpected_character(char, span)


# --- words and signs of other languages --------------------------------------------------


def _letters(stop: Stop) -> GradcliError | None:
    """What looks like a name to the lexer and is `→`, say."""
    if stop.token.type == "NAME":
        try:
            normal_name(stop.token.value, place(stop.token).start)
        except GradcliError as error:
            return error
    return None


def _word(stop: Stop) -> GradcliError | None:
    """`for`, `if`, `def`, `lambda`, `and` … where no name can stand."""
    for token in (stop.previous, stop.token):
        if token is not None and token.type == "NAME" and token.value in PYTHON_WORDS:
            message, hint = PYTHON_WORDS[token.value]
            return stop.error(message, hint, span=place(token))
    return None


def _sequence(stop: Stop) -> GradcliError | None:
    """Operators of other languages, which are read as two or three of this one."""
    token, previous = stop.token, stop.previous
    if token.type == "END":
        # x++ stops at the end of the line; the signs are the two tokens before it.
        starts = [place(sign).start for sign in stop.before[-2:-1] if sign.type == "SIGN"]
    else:
        starts = [place(token).start]
        if previous is not None and previous.end_pos == token.start_pos:
            starts.insert(0, place(previous).start)
    for start in starts:
        for sequence, (message, hint) in _SEQUENCES.items():
            if stop.text.startswith(sequence, start):
                return stop.error(message, hint, span=Span(start, start + len(sequence)))
    return None


def _string(stop: Stop) -> GradcliError | None:
    """`'` where an operand is expected."""
    token = stop.token
    return _string_at(place(token).start, stop.text) if token.value == "'" else None


def _string_at(start: int, text: str) -> GradcliError:
    closing = text.find(text[start], start + 1)
    one_line = closing > 0 and "\n" not in text[start:closing]
    return strings_refused(Span(start, closing + 1 if one_line else start + 1))


def _after_dot(stop: Stop) -> GradcliError | None:
    if stop.previous is None or stop.previous.type != "DOT":
        return None
    return stop.error(
        "after the '.' a name is missing",
        "the transpose is x.T, a method x.sum()",
        span=place(stop.previous),
    )


def _reserved(stop: Stop) -> GradcliError | None:
    """`block` and `with` in other places than their own."""
    previous = stop.previous
    if stop.token.type == "WITH":
        return stop.error("'with' belongs to a block", "block name(x) = … with d/dx = …")
    if stop.token.type == "BLOCK":
        return stop.error("'block' is reserved: it begins a statement")
    if previous is not None and previous.type == "BLOCK":
        return stop.error(
            "after 'block' its name and its parameters are missing",
            "block name(x) = … with d/dx = …\nas a name of something else, 'block' is reserved",
            span=place(previous),
        )
    return None


# --- ends --------------------------------------------------------------------------------


def _end_of_line(stop: Stop) -> GradcliError | None:
    if stop.token.type != "END" or stop.previous is None:
        return None
    previous = stop.previous
    if previous.type in OPERAND_ENDS | _BARS and stop.before[0].type == "BLOCK":
        if any(token.type == "WITH" for token in stop.before):
            return stop.error(
                "a block's rule needs an '=' and the derivative after it", span=place(previous)
            )
        return stop.error(
            "a block needs its derivatives",
            "block name(x) = … with d/dx = …\nwithout them it is a function: leave out 'block'",
            span=place(stop.before[0]),
        )
    if previous.type == "WITH":
        return stop.error(
            "after 'with' the derivatives are missing", "with d/dx = …", span=place(previous)
        )
    return _missing_operand(stop)


def _missing_operand(stop: Stop) -> GradcliError:
    previous = stop.previous
    assert previous is not None
    hint = None
    if stop.token.type == "END" and stop.token.value.startswith("\n"):
        hint = "an expression over several lines is put in brackets"
    return stop.error(f"after '{previous}' something is missing", hint, span=place(previous))


def _closing(stop: Stop) -> GradcliError | None:
    """A closing bracket too early."""
    previous = stop.previous
    if stop.token.type not in _CLOSINGS or previous is None:
        return None
    if previous.type in _OPENINGS:
        span = place(previous).to(place(stop.token))
        in_index = (
            previous.type == "LSQB"
            and len(stop.before) > 1
            and stop.before[-2].type in OPERAND_ENDS
        )
        what = "the index is empty" if in_index else "there is nothing in the brackets"
        return stop.error(what, "the whole array is [:]" if in_index else None, span=span)
    if previous.type == "COMMA":
        return stop.error(
            "after ',' something is missing", span=place(previous).to(place(stop.token))
        )
    if previous.type in _OPERATORS:
        return _missing_operand(stop)
    return None


# --- `=` ---------------------------------------------------------------------------------


def _second_equals(stop: Stop) -> GradcliError | None:
    token, previous = stop.token, stop.previous
    if token.type not in ("EQUAL", "AUGMENT"):
        return None
    if previous is None:
        return stop.error(f"before '{token}' a name is missing")
    if previous.type in _OPERATORS | _OPENINGS or previous.type == "COMMA":
        comparison = f"{previous}=" if previous.value in ("<", ">") else "=="
        hint = f"a comparison is written '{comparison}'"
        return stop.error(f"'{token}' can't follow '{previous}'", hint)
    if stop.opened:
        return stop.error(
            f"'{token}' can't stand inside of brackets", "a comparison is written '=='", opened=True
        )
    firsts = [t for t in stop.before if t.type in ("EQUAL", "AUGMENT")]
    if stop.before[0].type == "BLOCK" and firsts:
        return stop.error(
            f"a second '{token}'",
            "a block's rules are put apart by commas, its body ends at 'with'",
        )
    hint = "a comparison is written '=='; two definitions go on two lines"
    if token.type == "AUGMENT":
        hint = f"'{token}' is a statement of its own"
    error = stop.error(f"a second '{token}' in the same statement", hint)
    error.labels = tuple(Label(place(first), "the first") for first in firsts[:1])
    return error


# --- operands without an operator --------------------------------------------------------


def _operands_in_a_row(stop: Stop) -> GradcliError | None:
    """`x y`, `(a)(b)`, `2 3`, `sin²(x)`, `f'(x)`, `sin x`."""
    token, previous = stop.token, stop.previous
    ends = OPERAND_ENDS | _BARS
    if token.type not in _OPERAND_STARTS or previous is None or previous.type not in ends:
        return None
    if previous.type in NOTHINGS:
        return None
    between = stop.text[previous.end_pos : token.start_pos]
    if stop.opened and ("\n" in between or "\r" in between):
        return unclosed(stop.opened[-1], Label(place(token), "before this line"))
    left, right = _left_operand(stop), _right_operand(stop)
    span = place(previous).to(place(token))
    if token.type == "LPAR" and len(stop.before) > 1 and stop.before[-2].type == "NAME":
        name = short(stop.before[-2].value)
        whole = place(stop.before[-2]).to(place(previous))
        if previous.type == "SUPERSCRIPT":
            return stop.error(
                f"a power stands after the call, not after the name '{name}'",
                f"write '{name}{right}{previous}', or for a product '{name}{previous}*{right}'",
                span=whole,
            )
        if previous.value == "'":
            return stop.error(
                "the sign ' is the transpose, not a derivative",
                f"write the derivative out; for a product write '{left}*{right}'",
                span=whole,
            )
    if previous.type == token.type == "NUMBER":
        hint = f"for a product write '{left}*{right}'"
        if token.value == "½" and previous.value.isdecimal():
            hint = f"for the number write '{previous}.5', for a product '{left}*{right}'"
        return stop.error("two numbers in a row", hint, span=span)
    if previous.value == "T" and len(stop.before) > 1 and stop.before[-2].type == "POWER":
        base = short(stop.before[-3].value) if stop.before[-3].type == "NAME" else "(…)"
        return stop.error(
            "an operator is missing here",
            f"the transpose is '{base}.T', the matrix product '@': '{base}.T @ {right}'",
            span=span,
        )
    hint = f"for a product write '{left}*{right}'"
    if previous.type == "NAME" and token.type != "LPAR":
        hint += f", for a call '{left}({right})'"
    return stop.error("an operator is missing here", hint, span=span)


def _left_operand(stop: Stop) -> str:
    """The text of the operand that ends before the token, as far as it is short."""
    depth = 0
    index = len(stop.before)
    while index:
        index -= 1
        token = stop.before[index]
        depth += (token.type in _CLOSINGS) - (token.type in _OPENINGS)
        is_postfix = token.type in ("SUPERSCRIPT", "TRANSPOSE")
        called = token.type in _OPENINGS and index and stop.before[index - 1].type in OPERAND_ENDS
        if depth <= 0 and not is_postfix and not called:
            break
    start = stop.before[index].start_pos
    end = stop.before[-1].end_pos
    text = stop.text[start:end]
    return "…" if "\n" in text else short(text)


def _right_operand(stop: Stop) -> str:
    """The text of the operand that begins at the token, as far as it is short."""
    start, end = place(stop.token)
    opening = stop.token.value
    if opening not in ("(", "[", "|", "||"):
        if not stop.text.startswith("(", end):
            return short(stop.text[start:end])
        opening, end = "(", end + 1
    closing = {"(": ")", "[": "]"}.get(opening, opening)
    closed = _closed_at(stop.text, end, opening, closing)
    if closed is None or short(stop.text[start:closed]) == "…":
        return f"{stop.text[start:end]}…{closing}"
    return stop.text[start:closed]


def _closed_at(text: str, start: int, opening: str, closing: str) -> int | None:
    """Where the bracket that is open at `start` is closed, on the same line."""
    depth = 1
    for i in range(start, len(text)):
        if text[i] == "\n":
            break
        if text.startswith(closing, i):
            depth -= 1
            if not depth:
                return i + len(closing)
        elif text.startswith(opening, i):
            depth += 1
    return None


def _bars(stop: Stop) -> GradcliError | None:
    """A bar after an operand that closes nothing, or not what is open."""
    token, previous = stop.token, stop.previous
    if token.type not in _BARS or previous is None:
        return None
    if stop.opened and stop.opened[-1].type in _BARS:
        opening = stop.opened[-1]
        hint = (
            "put a space between two single bars: | |x| + y|"
            if opening.type == "BARS"
            else "put the '*' between two absolute values: |x|*|y|"
        )
        return stop.error(f"'{opening}' is closed by '{token}'", hint, opened=True)
    if _closed_at(stop.text, place(token).end, token.value, token.value) is not None:
        hint = f"for a product write '{_left_operand(stop)}*{_right_operand(stop)}'"
    else:
        hint = "one or both of two conditions are maximum(a > 0, b > 0)"
    return stop.error(f"'{token}' closes nothing here", hint)


def _tuple(stop: Stop) -> GradcliError | None:
    """An operator or an index after a tuple."""
    if stop.previous is None or stop.previous.type != "RPAR":
        return None
    depth, commas = 0, False
    for i in range(len(stop.before) - 1, -1, -1):
        kind = stop.before[i].type
        depth += (kind in _CLOSINGS) - (kind in _OPENINGS)
        commas = commas or (kind == "COMMA" and depth == 1)
        if not depth:
            called = i > 0 and stop.before[i - 1].type in ("NAME", "QUALIFIED")
            if not commas or called:
                return None
            return stop.error(
                "a tuple can only be an argument as a whole",
                "an array is written [a, b]",
                span=place(stop.before[i]).to(place(stop.previous)),
            )
    return None


# --- commas, colons, None ----------------------------------------------------------------


def _comma(stop: Stop) -> GradcliError | None:
    token, previous = stop.token, stop.previous
    if token.type != "COMMA":
        return None
    if previous is None or previous.type not in OPERAND_ENDS | _BARS:
        return stop.error("before ',' something is missing")
    if not stop.opened:
        hint = "an array is written [a, b]; several statements go on lines of their own"
        fraction = re.compile("[0-9]+").match(stop.text, place(token).end)
        if previous.type == "NUMBER" and fraction and previous.end_pos == token.start_pos:
            hint = f"the decimal sign is a point: {short(f'{previous}.{fraction[0]}')}"
        return stop.error("a comma outside of brackets", hint)
    if stop.opened[-1].type == "LPAR":
        return stop.error(
            "a tuple can only be an argument of a function",
            "an array is written [a, b]",
            opened=True,
        )
    return stop.error("a comma can't stand between bars", opened=True)


def _colon(stop: Stop) -> GradcliError | None:
    if stop.token.type != "COLON":
        return None
    if stop.opened and stop.opened[-1].type == "LSQB":
        if any(token.type == "COLON" for token in stop.before):
            return stop.error("a slice has at most two colons", "x[start:stop:step]", opened=True)
        return stop.error(
            "a slice can only stand in an index", "a range of numbers is arange(a, b)", opened=True
        )
    return stop.error("':' can only stand in an index", "a value is named by '='")


def _none(stop: Stop) -> GradcliError | None:
    for token in (stop.token, stop.previous):
        if token is not None and token.type in NOTHINGS:
            return stop.error(
                f"'{token}' can only stand alone, in an index or as an argument",
                "x[:, None], sum(x, axis=None)",
                span=place(token),
            )
    return None


# --- operators ---------------------------------------------------------------------------


def _operator(stop: Stop) -> GradcliError | None:
    token, previous = stop.token, stop.previous
    if previous is None:
        hint = "a line that continues the one before is put in brackets with it"
        return stop.error(f"a statement can't begin with '{token}'", hint)
    if token.type == "SUPERSCRIPT" or previous.type not in OPERAND_ENDS | _BARS:
        if previous.type in _OPERATORS:
            signed = f"put the sign and what follows it in brackets: {previous}(…)"
            return stop.error(
                f"'{token}' can't follow '{previous}'",
                signed if token.type == "SIGN" else None,
                span=place(previous).to(place(token)),
            )
        return stop.error(f"before '{token}' something is missing")
    return None
