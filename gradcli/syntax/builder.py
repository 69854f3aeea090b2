"""From what the grammar recognises to the syntax tree, bottom-up.

The driver calls a method here for each rule as soon as it is complete, with the rule's parts: trees
that these methods made before, and tokens. What a grammar can't check is checked here; the errors
have their place and get their source in `parser`.
"""

# ruff: noqa: D102 - what each method makes stands in the grammar, beside its name

from __future__ import annotations

import math
from typing import Any, TypeGuard

from gradcli.diagnostics.characters import normal_name, short
from gradcli.diagnostics.error import Label
from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.source import Span, between
from gradcli.syntax import messages
from gradcli.syntax.driver import Token
from gradcli.syntax.foreign_calls import is_type, part_of_several, translated_attribute
from gradcli.syntax.statements import StatementBuilder
from gradcli.syntax.tree import (
    Array,
    Call,
    Compare,
    Index,
    Name,
    Nothing,
    Number,
    Operator,
    Slice,
    Text,
    Tree,
    Tuple,
)

Trees = list[Tree]
Arguments = list[Any]
"""Of a call: trees, then (name, tree) for those given by keyword."""

_SYMBOLS = {"·": "*", "⋅": "*", "∗": "*", "×": "*", "⊙": "*"}
_QUOTIENTS = frozenset({"/", "//", "%"})
COMPARISONS = {"≤": "<=", "≥": ">=", "≠": "!="}
_SUPERSCRIPTS = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_RESERVED = {"True": 1.0, "False": 0.0, "inf": math.inf, "nan": math.nan}

_CONSTANTS = frozenset({"pi", "e", "tau"})


class Builder(StatementBuilder):
    """A method per terminal (upper case) and per rule of the grammar."""

    def __init__(self, *, torch: bool = False) -> None:
        self.torch = torch
        """Whether the text that is read is PyTorch's, where some names mean something else."""

    # --- terminals -----------------------------------------------------------------------

    def NAME(self, token: Token) -> Name:
        _, text, span = token
        if not text.isascii():
            text = normal_name(text, span.start)
        return Name(text, span)

    def NUMBER(self, token: Token) -> Number:
        _, text, span = token
        if text == "½":
            return Number(0.5, "0.5", span)
        try:
            value = float(text)
        except ValueError:
            raise messages.rejected.bad_number(text, span) from None
        return _number(text.replace("_", ""), value, span)

    # --- operators -----------------------------------------------------------------------

    def binary(self, left: Tree, token: Token, right: Tree) -> Tree:
        _, text, place = token
        symbol = _SYMBOLS.get(text, text)
        if symbol in _QUOTIENTS and is_coefficient_product(right):
            raise messages.rejected.ambiguous_quotient(left, right)
        span = between(left.span, right.span)
        if symbol == "%":
            return Call("mod", (left, right), (), span, place, qualified=True)
        if symbol == "//":
            whole = Operator("/", (left, right), span, place)
            return Call("floor", (whole,), (), span, place, qualified=True)
        return Operator(symbol, (left, right), span, place)

    def signed(self, sign: Token, operand: Tree) -> Tree:
        """A sign and what it stands before. A minus becomes part of a literal."""
        if sign.text == "+":
            return operand
        span = between(sign.span, operand.span)
        if type(operand) is Number:
            return negated(operand, span)
        if is_coefficient_product(operand):
            number, symbol = operand.operands
            assert isinstance(number, Number)
            number = negated(number, between(span, number.span))
            return Operator("*", (number, symbol), span, operand.symbol_span)
        return Operator("neg", (operand,), span, sign.span)

    def power(self, base: Tree, token: Token, exponent: Tree) -> Operator:
        if is_coefficient_product(exponent):
            raise messages.rejected.ambiguous_power(base, exponent)
        return Operator("^", (base, exponent), between(base.span, exponent.span), token.span)

    def coefficient(self, number: Number, symbol: Tree) -> Operator:
        place = Span(number.span.end, number.span.end)
        return Operator("*", (number, symbol), between(number.span, symbol.span), place)

    def coefficient_power(
        self, number: Number, base: Tree, token: Token, exponent: Tree
    ) -> Operator:
        return self.coefficient(number, self.power(base, token, exponent))

    def superscript(self, base: Tree, token: Token) -> Operator:
        text = token.text.translate(_SUPERSCRIPTS).removeprefix("+")
        exponent = _number(text, float(text), token.span)
        return Operator("^", (base, exponent), between(base.span, token.span), token.span)

    def root(self, token: Token, operand: Tree) -> Operator:
        return Operator("sqrt", (operand,), between(token.span, operand.span), token.span)

    def bars(self, opening: Token, operand: Tree, closing: Token) -> Operator:
        symbol = "abs" if opening.text == "|" else "norm"
        return Operator(symbol, (operand,), between(opening.span, closing.span), opening.span)

    def transpose(self, base: Tree, token: Token) -> Operator:
        return self._transposed(base, token.span)

    def _transposed(self, base: Tree, place: Span) -> Operator:
        if type(base) is Number:
            raise syntax_error("a number has no transpose", base.span.to(place))
        return Operator("T", (base,), between(base.span, place), place)

    def first_comparison(self, left: Tree, token: Token, right: Tree) -> list[Tree | Token]:
        return [left, token, right]

    def next_comparison(
        self, comparisons: list[Tree | Token], token: Token, operand: Tree
    ) -> list[Tree | Token]:
        comparisons += token, operand
        return comparisons

    def compare(self, comparisons: list[Any]) -> Compare:
        """From operand, token, operand, token, operand …."""
        operands, tokens = tuple(comparisons[::2]), comparisons[1::2]
        symbols = tuple(COMPARISONS.get(token.text, token.text) for token in tokens)
        span = between(operands[0].span, operands[-1].span)
        return Compare(symbols, operands, span, tuple(token.span for token in tokens))

    # --- atoms ---------------------------------------------------------------------------

    def group(self, opening: Token, tree: Tree, closing: Token) -> Tree:
        """Brackets leave no trace but the place: the tree's span includes them."""
        tree.span = between(opening.span, closing.span)
        return tree

    def reserved_number(self, token: Token) -> Number:
        return Number(_RESERVED[token.text], token.text, token.span)

    def constant(self, token: Token) -> Tree:
        name = token.text.rpartition(".")[2]
        if name in ("inf", "nan"):
            return Number(_RESERVED[name], name, token.span)
        if name == "newaxis":
            return Nothing(token.span)
        if is_type(name):
            return Text(name, token.span)
        if name not in _CONSTANTS or "linalg" in token.text or "scipy" in token.text:
            hint = "the constants are np.pi, np.e and math.tau; functions are called: np.exp(x)"
            raise syntax_error(f"'{token}' is not a constant of this language", token.span, hint)
        return Name(name, token.span, qualified=True)

    def nothing(self, token: Token) -> Nothing:
        return Nothing(token.span)

    def text(self, token: Token) -> Text:
        return Text(token.text.strip("'\""), token.span)

    def array(self, opening: Token, elements: Trees, closing: Token) -> Array:
        return Array(tuple(elements), between(opening.span, closing.span))

    # --- calls ---------------------------------------------------------------------------

    def call(self, name: Name, _: Token, arguments: Arguments, closing: Token) -> Tree:
        span = between(name.span, closing.span)
        return _call(name.name, arguments, span, name.span, qualified=False)

    def qualified_call(self, name: Token, _: Token, arguments: Arguments, closing: Token) -> Tree:
        library, _dot, function = name.text.rpartition(".")
        place = Span(name.span.end - len(function), name.span.end)
        span = between(name.span, closing.span)
        call = _call(function, arguments, span, place, qualified=True)
        from gradcli.syntax.libraries import translated  # noqa: PLC0415 - takes long to import

        return translated(call, library, torch=self.torch)

    def method(
        self, base: Tree, _dot: Token, name: Name, _: Token, arguments: Arguments, closing: Token
    ) -> Tree:
        if type(base) is Number:
            what = "transpose" if name.name in ("T", "transpose") else f"'.{name.name}'"
            raise syntax_error(f"a number has no {what}", base.span.to(name.span))
        if type(base) is Name and not base.qualified and base.name == "sympy":
            hint = f"write '{name.name}(…)' without it"
            raise syntax_error("'sympy.' is not known here", base.span.to(name.span), hint)
        span = between(base.span, closing.span)
        call = _call(name.name, [base, *arguments], span, name.span, qualified=False)
        from gradcli.syntax.libraries import translated_method  # noqa: PLC0415 - as above

        return translated_method(call, torch=self.torch)

    def attribute(self, base: Tree, _dot: Token, name: Name) -> Tree:
        if (found := translated_attribute(base, name)) is not None:
            return found
        if name.name != "T":
            raise messages.rejected.no_attribute(base, name)
        return self._transposed(base, name.span)

    def no_arguments(self) -> Arguments:
        return []

    def keyword(self, name: Tree, token: Token, value: Tree) -> tuple[Name, Tree]:
        if type(name) is not Name or name.qualified:
            raise syntax_error(
                "before the '=' in a call stands an argument's name",
                name.span,
                "a comparison is written '=='",
                labels=(Label(token.span, "this '='"),),
            )
        return name, value

    def one_tuple(self, opening: Token, element: Tree, _: Token, closing: Token) -> Tuple:
        return Tuple((element,), between(opening.span, closing.span))

    def tuple(self, opening: Token, first: Tree, _: Token, rest: Trees, closing: Token) -> Tuple:
        return Tuple((first, *rest), between(opening.span, closing.span))

    # --- indices -------------------------------------------------------------------------

    def index(self, base: Tree, _: Token, items: Trees, closing: Token) -> Tree:
        span = between(base.span, closing.span)
        if type(base) is Call:
            found = part_of_several(base, items, span, torch=self.torch)
            if found is not None:
                return found
        if type(base) is Number:
            hint = f"for a product write '{short(base.text)}*[…]'"
            raise syntax_error("a number has no elements", Span(base.span.start, span.end), hint)
        return Index(base, tuple(items), span)

    def slice(self, *parts: Tree | Token) -> Slice:
        """Colons and the expressions between them, any of which may be left out."""
        bounds: list[Tree | None] = [None]
        for part in parts:
            if isinstance(part, Token):
                bounds.append(None)
            else:
                bounds[-1] = part
        span = between(parts[0].span, parts[-1].span)
        start, stop, step = (bound or Nothing(span) for bound in (*bounds, None)[:3])
        return Slice(start, stop, step, span)

    # --- lists ---------------------------------------------------------------------------

    def first(self, element: Any) -> list[Any]:
        return [element]

    def more(self, elements: list[Any], _: Token, element: Any) -> list[Any]:
        elements.append(element)
        return elements

    def same(self, elements: list[Any], _: Token | None = None) -> list[Any]:
        return elements


def is_coefficient_product(tree: Tree) -> TypeGuard[Operator]:
    """Whether the tree is a product like `2x`, without brackets around it.

    Called where no other product can stand: on the right side of a division, in an exponent,
    after a sign. Brackets show in the span.
    """
    return (
        type(tree) is Operator
        and tree.symbol == "*"
        and tree.span.start == tree.operands[0].span.start
    )


def negated(number: Number, span: Span) -> Number:
    """The literal with a minus in front."""
    text = number.text
    return Number(-number.value, text[1:] if text[0] == "-" else "-" + text, span)


def _number(text: str, value: float, span: Span) -> Number:
    if math.isinf(value):
        hint = "the largest is about 1.8e308; for infinity write 'inf'"
        raise syntax_error("this number is too large", span, hint)
    return Number(value, text, span)


def _call(name: str, arguments: Arguments, span: Span, name_span: Span, *, qualified: bool) -> Call:
    if not any(type(argument) is tuple for argument in arguments):
        return Call(name, tuple(arguments), (), span, name_span, qualified=qualified)
    trees: list[Tree] = []
    keywords: list[str] = []
    for argument in arguments:
        if type(argument) is tuple:
            keyword, tree = argument
            if keyword.name in keywords:
                raise syntax_error(f"the argument '{keyword.name}' is given twice", keyword.span)
            keywords.append(keyword.name)
            trees.append(tree)
        elif keywords:
            raise syntax_error(
                "an argument without a name can't follow one with a name",
                argument.span,
                "named arguments come last; a comparison is written '=='",
            )
        else:
            trees.append(argument)
    return Call(name, tuple(trees), tuple(keywords), span, name_span, qualified=qualified)
