"""What to say when the text is no sentence of the grammar.

The parser stops at a token; what went wrong is told from that token, the one before it
and the brackets that are open. Each function below knows one family of mistakes and returns
its error, or None if the mistake is of another family; `explain` asks them in order.
"""

from __future__ import annotations

import re

from gradcli.diagnostics.characters import normal_name, short, strings_refused, unexpected_character
from gradcli.diagnostics.error import GradcliError, Label
from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span
from gradcli.syntax.driver import Stuck
from gradcli.syntax.layout import NOTHINGS, OPERAND_ENDS, Layout
from gradcli.syntax.messages import operands
from gradcli.syntax.messages.foreign import CHARACTERS, LATEX, PYTHON_WORDS, SEQUENCES
from gradcli.syntax.messages.stop import BARS, CLOSINGS, OPENINGS, OPERATORS, Stop


def explain(stuck: Stuck, text: str, layout: Layout) -> GradcliError:
    """The error to show; `text` is what the user wrote, `layout` how far it was read."""
    token = stuck.token
    if token is None:
        return _character(stuck.position, text)
    before = layout.tokens[:]
    while before and before[-1] is not token:
        before.pop()
    opened = layout.opened[:-1] if layout.opened[-1:] == [token] else layout.opened
    stop = Stop(token, before[:-1], opened, text)
    families = (
        operands.norm,
        _letters,
        _point,
        _word,
        _sequence,
        _string,
        _after_dot,
        _reserved,
        _end_of_line,
        _second_equals,
        operands.bars,
        operands.after_tuple,
        operands.in_a_row,
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
    return stop.error(f"'{short(token.text)}' can't stand here")


def _character(position: int, text: str) -> GradcliError:
    char, span = text[position], Span(position, position + 1)
    if char in '"`':
        return _string_at(position, text)
    if text[position : position + 2] == "&&":
        message, hint = SEQUENCES["&&"]
        return syntax_error(message, Span(position, position + 2), hint)
    if char in CHARACTERS:
        message, hint = CHARACTERS[char]
        if char == "\\" and (command := _LATEX.match(text, position)):
            span = Span(*command.span())
            hint = LATEX.get(command[1], f"this command of LaTeX is not read: write '{command[1]}'")
        elif char == "{":
            hint = _instead_of_braces(text, position) or hint
        return syntax_error(message, span, hint)
    return unexpected_character(char, span)


_LATEX = re.compile(r"\\([A-Za-z]+)")
_BRACED = re.compile(r"\{([^{}\n]{1,20})\}")


def _instead_of_braces(text: str, position: int) -> str | None:
    """How `x^{n+1}` and `x_{1}` are written."""
    braced = _BRACED.match(text, position)
    if braced is None:
        return None
    inside = braced[1].strip()
    before = text[max(0, position - 20) : position]
    base = re.search(r"(\w*)\^?$", before)
    assert base is not None
    if before.endswith("^"):
        return f"write '{base[1]}^({inside})'"
    if before.endswith("_") and inside.isalnum():
        return f"an index is part of the name: '{base[1]}{inside}'"
    return None


# --- words and signs of other languages --------------------------------------------------


def _letters(stop: Stop) -> GradcliError | None:
    """A sign that the lexer takes for a name, such as `→`."""
    if stop.token.kind == "NAME":
        try:
            normal_name(stop.token.text, stop.token.span.start)
        except GradcliError as error:
            return error
    return None


_POINT = re.compile(r"(?:(?:where|at|for|when|given)\b|\|) *(\w+) *=(?!=) *([-.\w]*)")


def _point(stop: Stop) -> GradcliError | None:
    """`x^2 where x = 3`, `x^2 | x = 3`: a value given behind the expression."""
    for token in (stop.previous, stop.token):
        closing_bar = token is stop.previous and token is not None and token.kind in BARS
        if token is not None and not closing_bar and not stop.opened:
            found = _POINT.match(stop.text, token.span.start)
            if found is not None:
                return stop.error(
                    "a value is not given behind the expression",
                    f"give it outside of the program: --{found[1]} {found[2] or 1}",
                    span=Span(*found.span()),
                )
    return None


def _word(stop: Stop) -> GradcliError | None:
    """`for`, `if`, `def`, `lambda`, `and` … where no name can stand."""
    for token in (stop.previous, stop.token):
        if token is not None and token.kind == "NAME" and token.text in PYTHON_WORDS:
            message, hint = PYTHON_WORDS[token.text]
            return stop.error(message, hint, span=token.span)
    return None


def _sequence(stop: Stop) -> GradcliError | None:
    """Operators of other languages, which are read as two or three of this one."""
    token, previous = stop.token, stop.previous
    if token.kind == "END":
        # x++ stops at the end of the line; the signs are the two tokens before it.
        starts = [sign.span.start for sign in stop.before[-2:-1] if sign.kind == "SIGN"]
    else:
        starts = [token.span.start]
        if previous is not None and previous.span.end == token.span.start:
            starts.insert(0, previous.span.start)
            if previous.text.endswith("."):  # the first sign of 1..2 belongs to the number
                starts.insert(0, previous.span.end - 1)
    for start in starts:
        for sequence, (message, hint) in SEQUENCES.items():
            if stop.text.startswith(sequence, start):
                return stop.error(message, hint, span=Span(start, start + len(sequence)))
    return None


def _string(stop: Stop) -> GradcliError | None:
    """`'` where an operand is expected."""
    token = stop.token
    text = token.kind == "STRING" or token.text == "'"
    return _string_at(token.span.start, stop.text) if text else None


def _string_at(start: int, text: str) -> GradcliError:
    closing = text.find(text[start], start + 1)
    one_line = closing > 0 and "\n" not in text[start:closing]
    return strings_refused(Span(start, closing + 1 if one_line else start + 1))


def _after_dot(stop: Stop) -> GradcliError | None:
    if stop.previous is None or stop.previous.kind != "DOT":
        return None
    return stop.error(
        "after the '.' a name is missing",
        "the transpose is x.T, a method x.sum()",
        span=stop.previous.span,
    )


def _reserved(stop: Stop) -> GradcliError | None:
    """`block` and `with` in other places than their own."""
    previous = stop.previous
    if stop.token.kind == "WITH":
        return stop.error("'with' belongs to a block", "block name(x) = … with d/dx = …")
    if stop.token.kind == "BLOCK":
        return stop.error("'block' is reserved: it begins a statement")
    if previous is not None and previous.kind == "BLOCK":
        return stop.error(
            "after 'block' its name and its parameters are missing",
            "block name(x) = … with d/dx = …\nas a name of something else, 'block' is reserved",
            span=previous.span,
        )
    return None


# --- ends --------------------------------------------------------------------------------


def _end_of_line(stop: Stop) -> GradcliError | None:
    if stop.token.kind != "END" or stop.previous is None:
        return None
    previous = stop.previous
    if previous.kind in OPERAND_ENDS | BARS and stop.before[0].kind == "BLOCK":
        if any(token.kind == "WITH" for token in stop.before):
            return stop.error(
                "a block's rule needs an '=' and the derivative after it", span=previous.span
            )
        return stop.error(
            "a block needs its derivatives",
            "block name(x) = … with d/dx = …\nwithout them it is a function: leave out 'block'",
            span=stop.before[0].span,
        )
    if previous.kind == "WITH":
        return stop.error(
            "after 'with' the derivatives are missing", "with d/dx = …", span=previous.span
        )
    return _missing_operand(stop)


def _missing_operand(stop: Stop) -> GradcliError:
    previous = stop.previous
    assert previous is not None
    hint = None
    if stop.token.kind == "END" and stop.token.text.startswith("\n"):
        hint = "an expression over several lines is put in brackets"
    return stop.error(f"after '{previous}' something is missing", hint, span=previous.span)


def _closing(stop: Stop) -> GradcliError | None:
    """A closing bracket too early."""
    previous = stop.previous
    if stop.token.kind not in CLOSINGS or previous is None:
        return None
    if previous.kind in OPENINGS:
        span = previous.span.to(stop.token.span)
        in_index = (
            previous.kind == "LSQB"
            and len(stop.before) > 1
            and stop.before[-2].kind in OPERAND_ENDS
        )
        what = "the index is empty" if in_index else "there is nothing in the brackets"
        return stop.error(what, "the whole array is [:]" if in_index else None, span=span)
    if previous.kind == "COMMA":
        return stop.error("after ',' something is missing", span=previous.span.to(stop.token.span))
    if previous.kind in OPERATORS:
        return _missing_operand(stop)
    return None


# --- `=` ---------------------------------------------------------------------------------


def _second_equals(stop: Stop) -> GradcliError | None:
    token, previous = stop.token, stop.previous
    if token.kind not in ("EQUAL", "AUGMENT"):
        return None
    if previous is None:
        return stop.error(f"before '{token}' a name is missing")
    if previous.kind in OPERATORS | OPENINGS or previous.kind == "COMMA":
        comparison = f"{previous}=" if previous.text in ("<", ">") else "=="
        hint = f"a comparison is written '{comparison}'"
        return stop.error(f"'{token}' can't follow '{previous}'", hint)
    if stop.opened:
        return stop.error(
            f"'{token}' can't stand inside of brackets", "a comparison is written '=='", opened=True
        )
    firsts = [t for t in stop.before if t.kind in ("EQUAL", "AUGMENT")]
    if stop.before[0].kind == "BLOCK" and firsts:
        return stop.error(
            f"a second '{token}'",
            "a block's rules are put apart by commas, its body ends at 'with'",
        )
    hint = "a comparison is written '=='; two definitions go on two lines"
    if token.kind == "AUGMENT":
        hint = f"'{token}' is a statement of its own"
    error = stop.error(f"a second '{token}' in the same statement", hint)
    error.labels = tuple(Label(first.span, "the first") for first in firsts[:1])
    return error


# --- commas, colons, None ----------------------------------------------------------------


def _comma(stop: Stop) -> GradcliError | None:
    token, previous = stop.token, stop.previous
    if token.kind != "COMMA":
        return None
    if previous is None or previous.kind not in OPERAND_ENDS | BARS:
        return stop.error("before ',' something is missing")
    if not stop.opened:
        hint = "an array is written [a, b]; several statements go on lines of their own"
        fraction = re.compile("[0-9]+").match(stop.text, token.span.end)
        if previous.kind == "NUMBER" and fraction and previous.span.end == token.span.start:
            hint = f"the decimal sign is a point: {short(f'{previous}.{fraction[0]}')}"
            if len(fraction[0]) == 3:
                hint += f"; for thousands write {short(f'{previous}{fraction[0]}')}"
        return stop.error("a comma outside of brackets", hint)
    if stop.opened[-1].kind == "LPAR":
        return stop.error(
            "a tuple can only be an argument of a function",
            "an array is written [a, b]",
            opened=True,
        )
    return stop.error("a comma can't stand between bars", opened=True)


def _colon(stop: Stop) -> GradcliError | None:
    if stop.token.kind != "COLON":
        return None
    if stop.opened and stop.opened[-1].kind == "LSQB":
        if any(token.kind == "COLON" for token in stop.before):
            return stop.error("a slice has at most two colons", "x[start:stop:step]", opened=True)
        return stop.error(
            "a slice can only stand in an index", "a range of numbers is arange(a, b)", opened=True
        )
    return stop.error("':' can only stand in an index", "a value is named by '=': y = …, f(x) = …")


def _none(stop: Stop) -> GradcliError | None:
    for token in (stop.token, stop.previous):
        if token is not None and token.kind in NOTHINGS:
            return stop.error(
                f"'{token}' can only stand alone, in an index or as an argument",
                "x[:, None], sum(x, axis=None)",
                span=token.span,
            )
    return None


# --- operators ---------------------------------------------------------------------------


def _operator(stop: Stop) -> GradcliError | None:
    token, previous = stop.token, stop.previous
    if previous is None:
        hint = "a line that continues the one before is put in brackets with it"
        return stop.error(f"a statement can't begin with '{token}'", hint)
    if token.kind == "SUPERSCRIPT" or previous.kind not in OPERAND_ENDS | BARS:
        if previous.kind in OPERATORS:
            signed = f"put the sign and what follows it in brackets: {previous}(…)"
            return stop.error(
                f"'{token}' can't follow '{previous}'",
                signed if token.kind == "SIGN" else None,
                span=previous.span.to(token.span),
            )
        return stop.error(f"before '{token}' something is missing")
    return None
