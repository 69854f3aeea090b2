"""What holds for every text and every tree: the parser's promises, tried on random ones."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.diagnostics.error import GradcliError, Kind, render
from gradcli.diagnostics.source import Source, Span
from gradcli.syntax.parser import parse, parse_expression, parse_listing
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import (
    Array,
    Assign,
    Augment,
    Bare,
    Block,
    Call,
    Compare,
    Define,
    Index,
    Module,
    Name,
    Nothing,
    Number,
    Operator,
    Rule,
    Slice,
    Tree,
    Tuple,
)

HERE = Span(0, 0)

# --- trees -------------------------------------------------------------------------------

NAMES = st.sampled_from(["x", "y", "W2", "δ", "ŷ", "x_1", "e", "d", "T", "np", "lambda", "µ̂"]).map(
    lambda text: text.replace("µ", "μ")
)


def number(value: float) -> Number:
    return Number(value, repr(value), HERE)


NUMBERS = st.one_of(
    st.integers(-9, 9).map(lambda n: number(float(n))),
    st.floats(allow_nan=False).map(number),
    st.sampled_from([math.inf, -math.inf]).map(number),
    st.sampled_from([(1.0, "True"), (0.5, ".5"), (2.0, "2."), (1e3, "1e3"), (math.nan, "nan")]).map(
        lambda row: Number(*row, HERE)
    ),
)
LEAVES = st.one_of(
    NUMBERS,
    NAMES.map(lambda name: Name(name, HERE)),
    st.sampled_from(["pi", "e", "tau"]).map(lambda name: Name(name, HERE, qualified=True)),
)


def operator(symbol: str, *operands: Tree) -> Tree:
    """The operator as the parser makes it: a minus belongs to the literal after it."""
    if symbol == "neg" and isinstance(operands[0], Number):
        value = -operands[0].value
        sign = "-" if math.copysign(1, value) < 0 else ""
        return Number(value, sign + repr(abs(value)), HERE)
    if symbol == "T" and isinstance(operands[0], Number):
        return operands[0]
    return Operator(symbol, operands, HERE, HERE)


def compound(parts: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    nothing = st.builds(Nothing, st.just(HERE))
    tuples = several.map(lambda elements: Tuple(elements, HERE))
    bound = st.one_of(parts, nothing)
    slices = st.builds(Slice, bound, bound, bound, st.just(HERE))
    items = st.lists(st.one_of(parts, nothing, slices), min_size=1, max_size=3).map(tuple)
    arguments = st.lists(st.one_of(parts, nothing, tuples), max_size=3)

    @st.composite
    def calls(draw: Any) -> Tree:
        given = draw(arguments)
        keywords = draw(st.sets(st.sampled_from(["axis", "lo", "slope"]), max_size=len(given)))
        qualified = draw(st.booleans())
        name = draw(st.sampled_from(["exp", "f", "sum"]) if qualified else NAMES)
        return Call(name, tuple(given), tuple(keywords), HERE, HERE, qualified=qualified)

    @st.composite
    def comparisons(draw: Any) -> Tree:
        operands = draw(st.lists(parts, min_size=2, max_size=4))
        one = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
        symbols = tuple(draw(one) for _ in operands[1:])
        return Compare(symbols, tuple(operands), HERE, (HERE,) * len(symbols))

    return st.one_of(
        st.builds(operator, st.sampled_from("+-*/@^"), parts, parts),
        st.builds(operator, st.sampled_from(["neg", "sqrt", "abs", "norm", "T"]), parts),
        calls(),
        comparisons(),
        several.map(lambda elements: Array(elements, HERE)),
        st.builds(
            lambda base, items: base if isinstance(base, Number) else Index(base, items, HERE),
            parts,
            items,
        ),
    )


TREES = st.recursive(LEAVES, compound, max_leaves=12)


@st.composite
def statements(draw: Any) -> Any:
    name = Name(draw(NAMES), HERE)
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    parameters = tuple(Name(each, HERE) for each in names)
    body = draw(TREES)
    match draw(st.sampled_from(["assign", "define", "block", "augment"])):
        case "assign":
            return Assign(name, body, HERE)
        case "define":
            return Define(name, parameters, body, HERE)
        case "augment":
            return Augment(name, draw(st.sampled_from("+-*/")), body, HERE, HERE)
        case _:
            whole = draw(st.booleans())
            rules = tuple(Rule(each, draw(TREES), HERE, whole=whole) for each in parameters)
            return Block(name, parameters, body, rules, HERE)


@st.composite
def modules(draw: Any) -> Module:
    lines = draw(st.lists(statements(), max_size=4))
    last = draw(TREES)
    return Module((*lines, Bare(last, HERE)), Source(""))


@settings(deadline=None)  # the first run makes the parser
@given(TREES)
def test_printed_expression_is_read_as_the_same_tree(tree: Tree) -> None:
    for spaced in (True, False):
        text = print_tree(tree, spaced=spaced)
        assert parse_expression(Source(text)) == tree, text


@settings(deadline=None)  # the first run makes the parser
@given(modules())
def test_printed_program_is_read_as_the_same_tree(module: Module) -> None:
    text = print_tree(module)
    assert parse(Source(text)) == module, text


# --- texts -------------------------------------------------------------------------------

PROGRAMS = [
    "(x + sigmoid(y)) / (x^2 + y)",
    "f(x, y) = (x + σ(y)) / (x² + y)",
    "a = W @ x + b\nL = ||a - t||^2; L/2",
    "block sq(x, y) = x^2*y\nwith d/dx = 2x*y,\n  d/dy = x^2\nsq(3, z)",
    "block lin(W, x) = W @ x with delta_W = delta @ x.T, delta_x = W.T @ delta\nlin(A, b)",
    "g = np.where(0 < x <= 1, |x|, -½√x) + math.pi # a comment",
    "X[1:, ::2, None].sum(axis=(0, 1), keepdims=True).T'",
    "y = x.reshape(2, 3) ⊙ [[1, 2, 3], [-4, 5e-3, .6]]",
    "δ_x += 2δ·x⁻¹ − −3",
    "| |x| - |y||",
    "f(a=1, b=None, c=[inf, nan, True])",
]
WORDS = (  # noqa: SIM905 - with a single space between each two, since some are white space themselves
    "x y sin d dx delta_x block with True None inf nan np.pi np.newaxis np.exp lambda for if "
    "1 2. .5 1e3 0x1F 2j 1__0 ½ + - − * / @ · ^ ** ² ⁻¹ ⁿ ᵀ ' .T . , : ; = == <= < ≠ += "
    '( ) [ ] ( ) [ ] | || ‖ √ % & ! { } " \\ $ ? ~ → ∂ # \n \r \u00a0 \u200b \u0301 \ud800 ₁'
).split(" ")

TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=14).map("".join),
)


@st.composite
def mutations(draw: Any) -> str:
    text: str = draw(st.sampled_from(PROGRAMS))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 3))
        new = draw(st.one_of(st.just(""), st.sampled_from(WORDS), st.text(max_size=2)))
        text = text[:start] + new + text[start + length :]
    return text


def check(text: str) -> None:
    """The text is a program that can be printed and read again, or an error with its place."""
    source = Source(text)
    try:
        module = parse(source)
    except GradcliError as error:
        assert error.kind is Kind.SYNTAX
        assert error.source is source
        assert error.span is not None
        assert 0 <= error.span.start <= error.span.end <= len(text)
        assert all(0 <= label.span.start <= label.span.end <= len(text) for label in error.labels)
        assert render(error).startswith("error: ")
    else:
        assert parse(Source(print_tree(module))) == module
    for reader in (parse_listing, parse_expression):
        try:
            reader(source)
        except GradcliError as error:
            assert (error.kind, error.source) == (Kind.SYNTAX, source)


@settings(deadline=None)  # the first run makes the parser
@given(TEXTS)
def test_any_text_is_a_tree_or_a_syntax_error(text: str) -> None:
    check(text)


@settings(deadline=None)  # the first run makes the parser
@given(mutations())
def test_any_mutation_of_a_program_is_a_tree_or_a_syntax_error(text: str) -> None:
    check(text)


@pytest.mark.parametrize("text", PROGRAMS)
def test_the_programs_that_are_mutated_are_programs(text: str) -> None:
    parse(Source(text))
