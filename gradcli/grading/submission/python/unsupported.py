"""Python that a listing may not use: each construct with its name and a way around it.

Each function looks at one logical line and raises the refusal, if there is one. The messages say
what is not read; nothing is skipped in silence.
"""

from __future__ import annotations

from typing import NoReturn

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source, Span
from gradcli.grading.submission.python.tokens import Line, Token, closing, refused

_UNROLL = "write the steps out, a line each; sums over arrays are np.sum(x) and A @ x"
_CHOICE = "a choice is np.where(condition, a, b)"
_NO_BLOCKS = "a listing has assignments only, a line each"

STATEMENTS = {
    "for": ("for loops are", _UNROLL),
    "while": ("while loops are", _UNROLL),
    "if": ("if statements are", _CHOICE),
    "elif": ("if statements are", _CHOICE),
    "else": ("if statements are", _CHOICE),
    "with": ("with blocks are", _NO_BLOCKS),
    "try": ("try blocks are", _NO_BLOCKS),
    "except": ("try blocks are", _NO_BLOCKS),
    "finally": ("try blocks are", _NO_BLOCKS),
    "class": ("classes are", _NO_BLOCKS),
    "async": ("async blocks are", _NO_BLOCKS),
    "lambda": ("a lambda without a name is", "give it one: f = lambda x: x**2"),
    "del": ("del is", "a name may be assigned again"),
    "global": ("global is", "delete the line"),
    "nonlocal": ("nonlocal is", "delete the line"),
    "raise": ("raise is", "delete the line"),
    "yield": ("yield is", _NO_BLOCKS),
    "await": ("await is", _NO_BLOCKS),
    "return": (
        "a return outside of a function is",
        "write the expression alone, or give it a name",
    ),
    "break": ("break is", _UNROLL),
    "continue": ("continue is", _UNROLL),
}
"""Words that begin a statement: (what is not read, hint)."""

INSIDE = {
    "for": ("comprehensions are", _UNROLL),
    "if": ("conditional expressions are", _CHOICE),
    "else": ("conditional expressions are", _CHOICE),
    "lambda": ("a lambda within an expression is", "give it a name: f = lambda x: x**2"),
    "await": ("await is", _NO_BLOCKS),
    "yield": ("yield is", _NO_BLOCKS),
    "and": ("'and' is", "of two conditions write the product: (a > 0)*(b > 0)"),
    "or": ("'or' is", "of two conditions write np.maximum(a > 0, b > 0)"),
    "not": ("'not' is", "not c is 1 - c"),
    "in": ("'in' is", None),
    "is": ("'is' is", "equal is '=='"),
    "print": ("print within an expression is", None),
    "def": ("def within a line is", "a function begins on a line of its own"),
    "import": ("import within a line is", None),
}
"""Words in the middle of a statement."""


def _refuse(source: Source, span: Span, what: str, hint: str | None) -> NoReturn:
    raise refused(source, span, f"{what} not read", hint)


def check_statement(line: Line, source: Source) -> None:
    """Refuse statements that a listing does not have, by their first word."""
    first = line.tokens[0]
    if first.kind == "name" and first.text in STATEMENTS:
        _refuse(source, first.span, *STATEMENTS[first.text])
    if first.text == "@":
        _refuse(source, line.span, "decorators are", "delete the line")
    if first.kind == "name" and first.text in ("match", "case") and line.tokens[-1].text == ":":
        _refuse(source, first.span, "match statements are", _CHOICE)


def check_inside(tokens: list[Token], source: Source) -> None:
    """Refuse what no expression of a listing has: words, strings, braces."""
    for i, token in enumerate(tokens):
        if token.kind == "name":
            if token.text in INSIDE and not (i and tokens[i - 1].text == "."):
                _refuse(source, token.span, *INSIDE[token.text])
        elif token.kind == "string":
            f_string = "f" in token.text.split(token.text[-1])[0].lower()
            _refuse(source, token.span, "f-strings are" if f_string else "strings are", None)
        elif token.text == ":=":
            _refuse(source, token.span, "':=' is", "assign on a line of its own")
        elif token.text == "{":
            _refuse(source, token.span, "dictionaries and sets are", "give each value a name")


def check_assignment(line: Line, source: Source) -> None:
    """Refuse the kinds of assignments that a listing does not have."""
    for token in line.tokens:
        if token.depth or token.kind != "op":
            continue
        if token.text == "//=" or (
            len(token.text) > 1
            and token.text[-1] == "="
            and (token.text not in ("==", "!=", "<=", ">=", "+=", ":="))
        ):
            name = line.word if len(line.tokens) > 1 and line.tokens[1] is token else "a"
            operator = token.text[:-1]
            hint = f"write {name} = {name} {operator} (…)"
            _refuse(source, token.span, f"'{token.text}' is", hint)


def check_bare_call(line: Line, source: Source) -> None:
    """Refuse a call that stands alone: it could do anything, and is not skipped."""
    tokens = line.tokens
    opening = 0
    while opening < len(tokens) and (tokens[opening].kind == "name" or tokens[opening].text == "."):
        opening += 1
    if not opening or opening >= len(tokens) or tokens[opening].text != "(":
        return
    end = closing(tokens, opening)
    if end == len(tokens) - 1:
        raise bare_call(source, line.span, "".join(t.text for t in tokens[:opening]))


def bare_call(source: Source, span: Span, name: str) -> GradcliError:
    """The error for `x.backward()`."""
    hint = "calls that stand alone are not skipped; delete the line, or give the value a name"
    if name.rpartition(".")[2] == "backward":
        hint = "the gradients are written out here: delta_x = …"
    return refused(source, span, f"the call {name}(…) is not read", hint)
