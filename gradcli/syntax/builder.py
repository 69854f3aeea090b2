"""From what the grammar recognises to the syntax tree, bottom-up.

Lark calls a method here for each rule as soon as it is complete, with the rule's parts: trees
that these methods made before, and tokens. So no tree of Lark's is ever built and nothing
recurses. What a grammar can't check is checked here; the errors have their place and get
their source in `parser`.
"""

# ruff: noqa: D102 - what each method makes stands in the grammar, beside its name

from __future__ import annotations

import math
from typing import Any

from lark import Token

from gradcli.diagnostics.characters import normal_name
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Span
from gradcli.syntax.foreign_calls import is_type, part_of_several, translated_attribute
from gradcli.syntax.layout import place
from gradcli.syntax.libraries import translated, translated_method
from gradcli.syntax.messages import rejected
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

# What a rule hands to its method. Each method says in its first line what the parts are.
Parts = list[Any]

_SYMBOLS = {"·": "*", "⋅": "*", "∗": "*", "×": "*", "⊙": "*"}
_QUOTIENTS = frozenset({"/", "//", "%"})
_COMPARISONS = {"≤": "<=", "≥": ">=", "≠": "!="}
_SUPERSCRIPTS = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_RESERVED = {"True": 1.0, "False": 0.0, "inf": math.inf, "nan": math.nan}

_CONSTANTS = frozenset({"pi", "e", "tau"})


class Builder(StatementBuilder):
    """A method per terminal (upper case) and per rule of the grammar."""

    torch = False
    """Whether the text that is read is PyTorch's, where some names mean something else."""

    # --- terminals -----------------------------------------------------------------------

    def NAME(self, token: Token) -> Name:
        start = token.start_pos
        assert start is not None
        text = token.value
        if not text.isascii():
            text = normal_name(text, start)
        return Name(text, Span(start, start + len(token)))

    def NUMBER(self, token: Token) -> Number:
        text, span = token.value, place(token)
        if text == "½":
            return Number(0.5, "0.5", span)
        try:
            value = float(text)
        except ValueError:
            raise rejected.bad_number(text, span) from None
        return _number(text.replace("_", ""), value, span)

    # --- operators -----------------------------------------------------------------------

    def binary(self, parts: Parts) -> Tree:
        left, token, right = parts
        symbol = _SYMBOLS.get(token, token.value)
        if symbol in _QUOTIENTS and is_coefficient_product(right):
            raise rejected.ambiguous_quotient(left, right)
        span = left.span.to(right.span)
        if symbol == "%":
            return Call("mod", (left, right), (), span, place(token), qualified=True)
        if symbol == "//":
            whole = Operator("/", (left, right), span, place(token))
            return Call("floor", (whole,), (), span, place(token), qualified=True)
        return Operator(symbol, (left, right), span, place(token))

    def signed(self, parts: Parts) -> Tree:
        """A sign and what it stands before. A minus becomes part of a literal."""
        sign, operand = parts
        if sign.value == "+":
            return operand  # type: ignore[no-any-return]
        span = Span(sign.start_pos, operand.span.end)
        if type(operand) is Number:
            return negated(operand, span)
        if is_coefficient_product(operand):
            number, symbol = operand.operands
            number = negated(number, Span(span.start, number.span.end))
            return Operator("*", (number, symbol), span, operand.symbol_span)
        return Operator("neg", (operand,), span, place(sign))

    def power(self, parts: Parts) -> Operator:
        base, token, exponent = parts
        if is_coefficient_product(exponent):
            raise rejected.ambiguous_power(base, exponent)
        return Operator("^", (base, exponent), base.span.to(exponent.span), place(token))

    def coefficient(self, parts: Parts) -> Operator:
        number, symbol = parts
        span = number.span.to(symbol.span)
        return Operator("*", (number, symbol), span, Span(number.span.end, number.span.end))

    def coefficient_power(self, parts: Parts) -> Operator:
        number, *power = parts
        return self.coefficient([number, self.power(power)])

    def superscript(self, parts: Parts) -> Operator:
        base, token = parts
        span = place(token)
        text = token.translate(_SUPERSCRIPTS).removeprefix("+")
        exponent = _number(text, float(text), span)
        return Operator("^", (base, exponent), base.span.to(span), span)

    def root(self, parts: Parts) -> Operator:
        token, operand = parts
        return Operator("sqrt", (operand,), place(token).to(operand.span), place(token))

    def bars(self, parts: Parts) -> Operator:
        opening, operand, closing = parts
        symbol = "abs" if opening.value == "|" else "norm"
        return Operator(symbol, (operand,), place(opening).to(place(closing)), place(opening))

    def transpose(self, parts: Parts) -> Operator:
        base, token = parts
        return self._transposed(base, place(token))

    def _transposed(self, base: Tree, symbol_span: Span) -> Operator:
        if type(base) is Number:
            raise rejected.number_has_no_parts(base, symbol_span, "transpose")
        return Operator("T", (base,), base.span.to(symbol_span), symbol_span)

    def first_comparison(self, parts: Parts) -> Parts:
        return parts

    def next_comparison(self, parts: Parts) -> Parts:
        chain, token, operand = parts
        chain += token, operand
        return chain  # type: ignore[no-any-return]

    def compare(self, parts: Parts) -> Compare:
        # The chain is operand, token, operand, token, operand …
        (chain,) = parts
        operands, tokens = tuple(chain[::2]), chain[1::2]
        symbols = tuple(_COMPARISONS.get(token, token.value) for token in tokens)
        span = operands[0].span.to(operands[-1].span)
        return Compare(symbols, operands, span, tuple(place(token) for token in tokens))

    # --- atoms ---------------------------------------------------------------------------

    def group(self, parts: Parts) -> Tree:
        """Brackets leave no trace but the place: the tree's span includes them."""
        opening, tree, closing = parts
        tree.span = Span(opening.start_pos, closing.end_pos)
        return tree  # type: ignore[no-any-return]

    def reserved_number(self, parts: Parts) -> Number:
        (token,) = parts
        return Number(_RESERVED[token], token.value, place(token))

    def constant(self, parts: Parts) -> Tree:
        (token,) = parts
        name = token.rpartition(".")[2]
        if name in ("inf", "nan"):
            return Number(_RESERVED[name], name, place(token))
        if name == "newaxis":
            return Nothing(place(token))
        if is_type(name):
            return Text(name, place(token))
        if name not in _CONSTANTS or "linalg" in token or "scipy" in token:
            raise rejected.no_constant(token)
        return Name(name, place(token), qualified=True)

    def nothing(self, parts: Parts) -> Nothing:
        (token,) = parts
        return Nothing(place(token))

    def text(self, parts: Parts) -> Text:
        (token,) = parts
        return Text(token.value.strip("'\""), place(token))

    def array(self, parts: Parts) -> Array:
        opening, elements, closing = parts
        return Array(tuple(elements), Span(opening.start_pos, closing.end_pos))

    # --- calls ---------------------------------------------------------------------------

    def call(self, parts: Parts) -> Tree:
        name, _, arguments, closing = parts
        span = Span(name.span.start, closing.end_pos)
        return _call(name.name, arguments, span, name.span, qualified=False)

    def qualified_call(self, parts: Parts) -> Tree:
        token, _, arguments, closing = parts
        name = token.rpartition(".")[2]
        span = Span(token.start_pos, closing.end_pos)
        name_span = Span(token.end_pos - len(name), token.end_pos)
        call = _call(name, arguments, span, name_span, qualified=True)
        return translated(call, token.rpartition(".")[0], torch=self.torch)

    def method(self, parts: Parts) -> Tree:
        base, _, name, _, arguments, closing = parts
        if type(base) is Number:
            raise rejected.number_has_no_parts(base, name.span, name.name)
        if type(base) is Name and not base.qualified and base.name == "sympy":
            raise rejected.foreign_module(base, name)
        span = Span(base.span.start, closing.end_pos)
        call = _call(name.name, [base, *arguments], span, name.span, qualified=False)
        return translated_method(call, torch=self.torch)

    def attribute(self, parts: Parts) -> Tree:
        base, _, name = parts
        if (found := translated_attribute(base, name)) is not None:
            return found
        if name.name != "T":
            raise rejected.no_attribute(base, name)
        return self._transposed(base, name.span)

    def no_arguments(self, parts: Parts) -> Parts:
        return parts

    def keyword(self, parts: Parts) -> tuple[Name, Tree]:
        name, token, value = parts
        if type(name) is not Name or name.qualified:
            raise rejected.no_argument_name(name, place(token))
        return name, value

    def one_tuple(self, parts: Parts) -> Tuple:
        opening, element, _, closing = parts
        return Tuple((element,), Span(opening.start_pos, closing.end_pos))

    def tuple(self, parts: Parts) -> Tuple:
        opening, first, _, rest, closing = parts
        return Tuple((first, *rest), Span(opening.start_pos, closing.end_pos))

    # --- indices -------------------------------------------------------------------------

    def index(self, parts: Parts) -> Tree:
        base, _, items, closing = parts
        span = Span(base.span.start, closing.end_pos)
        if (
            type(base) is Call
            and (found := part_of_several(base, items, span, torch=self.torch)) is not None
        ):
            return found
        if type(base) is Number:
            raise rejected.number_before_bracket(base, Span(items[0].span.start, span.end))
        return Index(base, tuple(items), span)

    def slice(self, parts: Parts) -> Slice:
        """Colons and the expressions between them, any of which may be left out."""
        bounds: list[Tree | None] = [None]
        spans: list[Span] = []
        for part in parts:
            if isinstance(part, Token):
                spans.append(place(part))
                bounds.append(None)
            else:
                spans.append(part.span)
                bounds[-1] = part
        span = spans[0].to(spans[-1])
        start, stop, step = (bound or Nothing(span) for bound in (*bounds, None)[:3])
        return Slice(start, stop, step, span)

    # --- lists ---------------------------------------------------------------------------

    def first(self, parts: Parts) -> Parts:
        return parts

    def more(self, parts: Parts) -> Parts:
        elements, _, element = parts
        elements.append(element)
        return elements  # type: ignore[no-any-return]

    def same(self, parts: Parts) -> Parts:
        return parts[0]  # type: ignore[no-any-return]


def is_coefficient_product(tree: Tree) -> bool:
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
        raise rejected.too_large(span)
    return Number(value, text, span)


def _positional(arguments: Parts) -> bool:
    return not any(type(argument) is tuple for argument in arguments)


def _call(name: str, arguments: Parts, span: Span, name_span: Span, *, qualified: bool) -> Call:
    """A call; `arguments` are trees, then (name, tree) for those given by keyword."""
    if _positional(arguments):
        return Call(name, tuple(arguments), (), span, name_span, qualified=qualified)
    trees: list[Tree] = []
    keywords: list[str] = []
    for argument in arguments:
        if type(argument) is tuple:
            keyword, tree = argument
            if keyword.name in keywords:
                raise GradcliError(
                    Kind.SYNTAX, f"the argument '{keyword.name}' is given twice", span=keyword.span
                )
            keywords.append(keyword.name)
            trees.append(tree)
        elif keywords:
            raise rejected.positional_after_keyword(argument)
        else:
            trees.append(argument)
    return Call(name, tuple(trees), tuple(keywords), span, name_span, qualified=qualified)
