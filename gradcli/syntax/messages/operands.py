"""What to say of two operands without an operator between them, of bars and of tuples.

A `Stop` comes in; out comes its error, with what could be meant written out from the user's own
text, or None if the mistake is of another family.
"""

from __future__ import annotations

import re
import unicodedata

from gradcli.diagnostics.characters import DERIVATIVES, short
from gradcli.diagnostics.error import GradcliError, Label
from gradcli.diagnostics.source import Span
from gradcli.syntax.driver import Token
from gradcli.syntax.layout import NOTHINGS, OPERAND_ENDS, unclosed
from gradcli.syntax.library.names import FUNCTION_NAMES
from gradcli.syntax.messages.foreign import derivative_at
from gradcli.syntax.messages.rejected import (
    inverse_function,
    inverse_or_reciprocal,
    power_after_name,
)
from gradcli.syntax.messages.stop import BARS, CLOSINGS, OPENINGS, OPERAND_STARTS, Stop


def in_a_row(stop: Stop) -> GradcliError | None:
    """`x y`, `(a)(b)`, `2 3`, `sin²(x)`, `f'(x)`, `sin x`."""
    token, previous = stop.token, stop.previous
    ends = OPERAND_ENDS | BARS
    if token.kind not in OPERAND_STARTS or previous is None or previous.kind not in ends:
        return None
    if previous.kind in NOTHINGS:
        return None
    between = stop.text[previous.span.end : token.span.start]
    if stop.opened and ("\n" in between or "\r" in between):
        return unclosed(stop.opened[-1], Label(token.span, "before this line"))
    if token.kind == "LPAR" and (error := _after_function(stop)):
        return error
    in_block = stop.before[0].kind == "BLOCK"
    if not in_block and (derivative := derivative_at(stop.text, previous.span.start)):
        end = previous.span.end
        span = Span(end - len(derivative), end)
        return stop.error(f"'{derivative}' isn't an operator", DERIVATIVES, span=span)
    numbers = previous.kind == token.kind == "NUMBER"
    message = "two numbers in a row" if numbers else "an operator is missing here"
    hint = _readings(stop, _left_operand(stop), _right_operand(stop))
    if stop.opened and stop.opened[-1].kind == "LSQB":
        hint += ", between the elements of an array a comma"
    return stop.error(message, hint, span=previous.span.to(token.span))


def _after_function(stop: Stop) -> GradcliError | None:
    """`sin²(x)` and `f'(x)`: something between a name and a bracket."""
    previous = stop.before[-1]
    if len(stop.before) < 2 or stop.before[-2].kind != "NAME":
        return None
    name, right = short(stop.before[-2].text), _right_operand(stop)
    whole = stop.before[-2].span.to(previous.span)
    if previous.kind == "SUPERSCRIPT":
        hint = f"write '{name}{right}{previous}', or for a product '{name}{previous}*{right}'"
        if previous.text == "⁻¹" and (inverse := inverse_function(name)):
            hint = inverse_or_reciprocal(f"{inverse}{right}", f"{name}{right}")
        return stop.error(power_after_name(name), hint, span=whole)
    if previous.text == "'":
        return stop.error(
            "the sign ' is the transpose, not a derivative",
            f"write the derivative out, or '{name}{right}' alone: gradcli works out its "
            f"derivatives; for a product write '{name}.T*{right}'",
            span=whole,
        )
    return None


def _readings(stop: Stop, left: str, right: str) -> str:
    """What two operands without an operator may have been meant as."""
    previous, token = stop.before[-1], stop.token
    before = stop.before[-2] if len(stop.before) > 1 else None
    if token.text == "½" and previous.kind == "NUMBER" and previous.text.isdecimal():
        return f"for the number write '{previous}.5', for a product '{left}*{right}'"
    if previous.text == "T" and before is not None and before.kind == "POWER":
        base = short(stop.before[-3].text) if stop.before[-3].kind == "NAME" else "(…)"
        return f"the transpose is '{base}.T', the matrix product '@': '{base}.T @ {right}'"
    if "mod" in (token.text, previous.text):
        behind = re.match(r"\s*([\w.]+)", stop.text[token.span.end :])
        right = behind[1] if behind and token.text == "mod" else right
        return f"the remainder is mod({left if token.text == 'mod' else 'x'}, {right})"
    may_be_called = previous.kind == "NAME" and token.kind not in ("LPAR", "NUMBER")
    if may_be_called and left in FUNCTION_NAMES:
        return f"write '{left}({right})', or for a product '{left}*{right}'"
    hint = f"for a product write '{left}*{right}'"
    matrix = previous.kind == "NAME" and left.isupper()  # by the custom of calling matrices so
    if matrix or previous.kind == "TRANSPOSE" or (before is not None and before.kind == "DOT"):
        hint += f", for the matrix product '{left} @ {right}'"
    elif may_be_called:
        hint += f", for a call '{left}({right})'"
    return hint


def norm(stop: Stop) -> GradcliError | None:
    """`||x||_2`: an index at bars."""
    token, previous = stop.token, stop.previous
    if token.kind != "NAME" or previous is None or previous.kind not in BARS:
        return None
    kind = unicodedata.normalize("NFKC", token.text).removeprefix("_")
    if kind == token.text or previous.span.end != token.span.start:
        return None
    inside = _left_operand(stop).strip("|‖∥").strip() or "x"
    p = f", {kind}" if kind in ("1", "2") else ", inf" if kind in ("inf", "∞") else ""
    return stop.error(
        "bars have no index", f"write 'norm({inside}{p})'", span=previous.span.to(token.span)
    )


def _left_operand(stop: Stop) -> str:
    """The text of the operand that ends before the token, as far as it is short.

    A transpose by `'`, which can't be told from a quotation mark, is written `.T`.
    """
    start = stop.before[_first_of_operand(stop.before)].span.start
    end = stop.before[-1].span.end
    text = stop.text[start:end]
    if stop.before[-1].text == "'":
        text = text.replace("'", ".T")
    return "…" if "\n" in text else short(text)


def _first_of_operand(tokens: list[Token]) -> int:
    """Where the operand begins that ends with the last of the tokens."""
    depth = 0
    index = len(tokens)
    while index:
        index -= 1
        token = tokens[index]
        if token.kind in BARS and not depth:
            pairs = (i for i in range(index - 1, -1, -1) if tokens[i].kind == token.kind)
            return next(pairs, index)
        depth += (token.kind in CLOSINGS) - (token.kind in OPENINGS)
        is_postfix = token.kind in ("SUPERSCRIPT", "TRANSPOSE", "DOT")
        before = tokens[index - 1].kind if index else ""
        called = token.kind in OPENINGS and before in OPERAND_ENDS
        if depth <= 0 and not is_postfix and not called and before != "DOT":
            break
    return index


def _right_operand(stop: Stop) -> str:
    """The text of the operand that begins at the token, as far as it is short."""
    start, end = stop.token.span
    opening = stop.token.text
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


def bars(stop: Stop) -> GradcliError | None:
    """A bar after an operand that closes nothing, or not what is open."""
    token, previous = stop.token, stop.previous
    if token.kind not in BARS or previous is None:
        return None
    if stop.opened and stop.opened[-1].kind in BARS:
        opening = stop.opened[-1]
        hint = (
            "put a space between two single bars: | |x| + y|"
            if opening.kind == "BARS"
            else "put the '*' between two absolute values: |x|*|y|"
        )
        return stop.error(f"'{opening}' is closed by '{token}'", hint, opened=True)
    closed = _closed_at(stop.text, token.span.end, token.text, token.text) is not None
    if closed and _left_operand(stop) in FUNCTION_NAMES:
        return stop.error(
            f"'{token}' closes nothing here",
            f"write '{_left_operand(stop)}({_right_operand(stop)})'",
        )
    if closed:
        hint = f"for a product write '{_left_operand(stop)}*{_right_operand(stop)}'"
    else:
        hint = "one or both of two conditions are maximum(a > 0, b > 0)"
    return stop.error(f"'{token}' closes nothing here", hint)


def after_tuple(stop: Stop) -> GradcliError | None:
    """An operator or an index after a tuple."""
    if stop.previous is None or stop.previous.kind != "RPAR":
        return None
    depth, commas = 0, False
    for i in range(len(stop.before) - 1, -1, -1):
        kind = stop.before[i].kind
        depth += (kind in CLOSINGS) - (kind in OPENINGS)
        commas = commas or (kind == "COMMA" and depth == 1)
        if not depth:
            called = i > 0 and stop.before[i - 1].kind in ("NAME", "QUALIFIED")
            if not commas or called:
                return None
            return stop.error(
                "a tuple can only be an argument as a whole",
                "an array is written [a, b]",
                span=stop.before[i].span.to(stop.previous.span),
            )
    return None
