"""Formulas of derivatives: every rewrite, textbook derivatives, and random programs."""

from __future__ import annotations

import json
import random
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source
from gradcli.formulas.arithmetic import Rewrite
from gradcli.formulas.check import computed
from gradcli.formulas.simplify import REWRITES
from gradcli.formulas.tidy import operations, simplified
from gradcli.ops.operation import Type
from gradcli.program import Program
from gradcli.syntax.parser import parse_expression
from gradcli.syntax.printer import print_tree

TEXTBOOK = json.loads(
    (Path(__file__).parents[1] / "data" / "textbook_derivatives.json").read_text(encoding="utf-8")
)
"""Programs of x, SymPy's simplify(diff(f, x)), and how many operations that has."""

TYPES = {
    **{name: Type(()) for name in "xy"},
    **{name: Type((3,)) for name in "vw"},
    "A": Type((3, 3)),
}


@pytest.mark.parametrize("rewrite", REWRITES, ids=lambda rewrite: rewrite.name)
def test_rewrite(rewrite: Rewrite) -> None:
    tree = parse_expression(Source(rewrite.before))
    found = simplified(tree, TYPES)
    assert found is not None
    assert print_tree(found, spaced=False) == rewrite.after
    rng = np.random.default_rng(1)
    values = {name: rng.uniform(0.3, 2, (4, *t.shape)) for name, t in TYPES.items()}
    before, after = (
        computed(text, TYPES, values, 4).values for text in (rewrite.before, rewrite.after)
    )
    assert np.allclose(before, after, rtol=1e-12)


def test_textbook_derivatives_are_short() -> None:
    ratios = []
    for text, theirs, count in TEXTBOOK:
        formula = Program(text).diff(wrt="x").formulas[0]
        own = operations(parse_expression(Source(formula.text)))
        assert own <= max(2 * count, 1), (text, formula.text, theirs)
        ratios.append(own / max(count, 1))
    assert len(ratios) >= 60
    assert median(ratios) <= 1


MATRICES = [
    ("||A @ x - b||^2", "x", "2*A.T @ (A @ x - b)"),
    ("x.T @ A @ x", "x", "(A + A.T) @ x"),
    ("x.T @ A @ x", "A", "x @ x.T"),
    ("trace(A @ X)", "X", "A.T"),
    ("trace(X)", "X", "diag(ones_like(X[0]))"),
    ("logdet(X)", "X", "inv(X).T"),
    ("det(X)", "X", "cofactor(X)"),
    ("sum(inv(X))", "X", "-(inv(X) @ ones_like(X) @ inv(X)).T"),
    ("x.T @ inv(X) @ x", "X", "-(inv(X) @ x @ x.T @ inv(X)).T"),
    ("sum(A @ x)", "x", "sum(A, axis=0)"),
    ("mean(x)", "x", "ones_like(x)/sum(ones_like(x))"),
    ("||x||", "x", "x/||x||"),
    ("sum(log(1 + exp(-y*(X @ w))))", "w", "-X.T @ (y/(exp(y*(X @ w)) + 1))"),
    ("-sum(y*log(softmax(x)))", "x", "softmax(x)*sum(y) - y"),
    ("||X - A @ B||^2", "A", "-2*(X - A @ B) @ B.T"),
    ("||tanh(X @ w) - y||^2", "w", "2*X.T @ ((tanh(X @ w) - y)*(1 - tanh(X @ w)^2))"),
]


@pytest.mark.parametrize(("program", "wrt", "formula"), MATRICES)
def test_matrices(program: str, wrt: str, formula: str) -> None:
    inputs = Program(program).inputs
    vectors = [name for name in inputs if name in "xybw"]
    matrices = [name for name in inputs if name in "AXB"]
    found = Program(program).diff(wrt=wrt, vectors=vectors, matrices=matrices)
    assert found[wrt] == formula
    assert found.points == 16
    assert found.digits > 9


NETWORK = """
z1 = W1 @ a0 + b1
a1 = sigmoid(z1)
z2 = W2 @ a1 + b2
a2 = sigmoid(z2)
J = ||y - a2||^2
"""


def test_statements_keep_their_names() -> None:
    sizes: dict[str, Any] = {"matrices": ("W1", "W2"), "vectors": ("a0", "b1", "b2", "y")}
    found = Program(NETWORK).diff(**sizes)
    assert [(f.wrt[0], f.text) for f in found.formulas] == [
        ("y", "2*(y - a2)"),
        ("a2", "-2*(y - a2)"),
        ("z2", "delta_a2 * a2*(1 - a2)"),
        ("W2", "delta_z2 @ a1.T"),
        ("a1", "W2.T @ delta_z2"),
        ("b2", "delta_z2"),
        ("z1", "delta_a1 * a1*(1 - a1)"),
        ("W1", "delta_z1 @ a0.T"),
        ("a0", "W1.T @ delta_z1"),
        ("b1", "delta_z1"),
    ]
    expanded = Program(NETWORK).diff(**sizes, expand=True)
    assert [f.wrt[0] for f in expanded.formulas] == ["W1", "W2", "a0", "b1", "b2", "y"]
    assert not any("delta" in f.text for f in expanded.formulas)
    only = Program(NETWORK).diff(**sizes, wrt="W2")
    assert [f.wrt[0] for f in only.formulas] == ["a2", "z2", "W2"]


def test_second_derivatives() -> None:
    assert [f.text for f in Program("x^2*sin(y)").diff(order=2).formulas] == [
        "2*sin(y)",
        "2*x*cos(y)",
        "-x^2*sin(y)",
    ]
    found = Program("logsumexp(x)").diff(vectors="x", order=2)
    assert found["x,x"] == "diag(softmax(x)) - softmax(x) @ softmax(x).T"
    found = Program("||y - W @ x||^2").diff(matrices="W", vectors=("x", "y"), order=2)
    assert found["x,x"] == "2*W.T @ W"
    (block,) = (f for f in found.formulas if f.wrt == ("W", "W"))
    assert (block.text, block.direction) == ("2*d_W @ x @ x.T", "d_W")


def _scalar(rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.15:
        return rng.choice(["x", "y", "n", "2", "0.5"])
    a, b = (_scalar(rng, depth - 1) for _ in range(2))
    forms = [f"({a} + {b})", f"({a} - {b})", f"({a})*({b})", f"({a})/({b})", f"max({a}, {b})"]
    forms.append(f"({a})^{rng.choice(['2', '3', 'n', '(-1)', '0.5'])}")
    names = ["exp", "log", "sin", "cos", "tanh", "sqrt", "sigmoid", "relu", "abs", "tan", "cbrt"]
    return rng.choice([*forms, *(f"{rng.choice(names)}({a})" for _ in range(5))])


def _array(rng: random.Random, kind: str, depth: int) -> str:
    """A number, a vector of n (v), of m (u) or an m×n matrix."""
    if depth == 0:
        return {"number": "a", "v": rng.choice("xw"), "u": "y", "matrix": "A"}[kind]

    def inner(kind: str) -> str:
        return _array(rng, kind, depth - 1)

    same = [f"({inner(kind)} {rng.choice('+-*')} {inner(kind)})"]
    same += [f"({inner('number')}*{inner(kind)})", f"tanh({inner(kind)})", f"relu({inner(kind)})"]
    other = {
        "number": [f"sum({inner('v')})", f"||{inner('u')}||^2", f"({inner('v')}.T @ {inner('v')})"],
        "v": [f"({inner('matrix')}.T @ {inner('u')})", f"softmax({inner('v')})"],
        "u": [f"({inner('matrix')} @ {inner('v')})", f"sum({inner('matrix')}, axis=1)"],
        "matrix": [f"({inner('u')} @ {inner('v')}.T)", f"({inner('matrix')} + {inner('v')}.T)"],
    }
    return rng.choice([*same, *other[kind], *other[kind]])


def test_random_programs_have_formulas() -> None:
    """A formula that differs from backpropagation is a RuntimeError, and none comes."""
    rng = random.Random(5)  # noqa: S311 - always the same programs
    checked = 0
    for i in range(24):
        arrays = i % 2 == 0
        text = _array(rng, "number", 3) if arrays else _scalar(rng, rng.randint(1, 3))
        inputs = Program(text).inputs
        ranks: dict[str, Any] = {
            "vectors": [n for n in inputs if n in "xwy"],
            "matrices": set(inputs) & {"A"},
        }
        try:
            found = Program(text).diff(order=1 + (i % 5 == 0), **(ranks if arrays else {}))
        except GradcliError as error:
            assert error.kind in (Kind.DOMAIN, Kind.NAME), (text, error)
            continue
        checked += 1
        for formula in found.formulas:
            tree = parse_expression(Source(formula.text))
            assert print_tree(tree, spaced=False) == formula.text.replace(" * ", "*"), text
    assert checked > 14


@pytest.mark.parametrize(
    ("program", "more", "kind", "words"),
    [
        ("W @ x", {"vectors": "x"}, Kind.SHAPE, "W is a number, x has n elements"),
        (
            "A @ x",
            {"vectors": "x", "matrices": "A"},
            Kind.SHAPE,
            "is a vector of n: a derivative's",
        ),
        ("v + A", {"vectors": "v", "matrices": "A"}, Kind.SHAPE, "is m×n: a"),
        ("x^2", {"vectors": "y"}, Kind.NAME, "'y' isn't an input"),
        ("x^2", {"wrt": "y"}, Kind.NAME, "'y' isn't an input"),
        ("x[0]^2", {"vectors": "x"}, Kind.SHAPE, "depends on the size of 'x'"),
        ("3", {}, Kind.NAME, "no inputs to differentiate by"),
        ("log(-1 - x^2)", {}, Kind.DOMAIN, "no point was found"),
        ("x^2", {"order": 3}, Kind.OPTION, "order"),
        ("sum(x)", {"shapes": {"x": (2,)}, "x": [1, 2, 3]}, Kind.SHAPE, "by its value"),
    ],
)
def test_errors(program: str, more: dict[str, Any], kind: Kind, words: str) -> None:
    with pytest.raises(GradcliError, match=words) as caught:
        Program(program).diff(**more)
    assert caught.value.kind is kind


def test_long_programs_keep_the_names_of_nodes() -> None:
    text = "x"
    for _ in range(60):
        text = f"sin({text} + x*y)"
    found = Program(text).diff()
    assert found.named
    assert found.definitions
    assert max(operations(f.tree) for f in found.formulas) < 200
    assert found.digits > 9


@pytest.mark.parametrize("root", ["2*pi", "2*pi*y", "2*y + 2", "pi*(y + 1)"])
def test_roots_that_make_a_whole_power_cancel(root: str) -> None:
    for order, program in ((1, "x/sqrt({0})*y/sqrt({0})"), (2, "x^2*sqrt({0})/({0})^1.5")):
        formula = Program(program.format(root)).diff(wrt="x", order=order).formulas[0].text
        assert "sqrt" not in formula, formula
    normal = Program("exp(-(x - m)^2/(2*s^2))/(s*sqrt(2*pi))").diff()["s"]
    assert normal == "exp(-(x - m)^2/(2*s^2))*((x - m)^2 - s^2)/(s^4*sqrt(2*pi))"


POINTS: list[tuple[str, dict[str, Any], bool]] = [
    ("max(x, y)", {"x": 1, "y": 1}, True),
    ("min(x, 2*y)", {"x": 2, "y": 1}, True),
    ("max(x, y)", {"x": 1, "y": 2}, False),
    ("||x||", {"x": [0, 0]}, True),
    ("||x||^2", {"x": [0, 0]}, False),
    ("abs(x)", {"x": 0}, False),
    ("relu(x)*clip(x, 0, 1)", {"x": 1}, False),
    ("prod(x)", {"x": [0, 2, 3]}, False),
    ("1 - tanh(x)^2", {"x": 20}, False),
]


@pytest.mark.parametrize(("program", "point", "differs"), POINTS)
def test_a_number_behind_a_formula_is_the_formulas(
    program: str, point: dict[str, Any], *, differs: bool
) -> None:
    formula = Program(program).diff(point).formulas[0]
    assert formula.differs is differs
    gradient = Program(program).evaluate(point, check=False).gradient[formula.wrt[0]]
    assert np.array_equal(formula.value, gradient)
