"""Exact zeros: a guarded expression is a constant, in every way to a derivative.

Behind a guard that does not take it, an expression is locally as constant as its value. So each
program here has a twin with that number in the guard's place, and the two have the same
gradients, Jacobians and Hessians although there are infinite derivatives inside of the first.
"""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from gradcli import GradcliError, Program
from gradcli.diagnostics.error import Kind

INSIDE = ("sqrt({})", "cbrt({})", "{}^0.5", "acos({} + 1)", "sqrt(tanh({}))*sqrt(2)")
"""0 where the operand is 0, with an infinite derivative."""
NOT_TAKEN = (
    "max({}, 1)", "min(-2, {}, 5)", "clip({}, 1, 2)", "clip(5, {}, 3)", "where({} > 1, {}, 7)",
    "relu({} - 1)", "hardtanh({} + 2)", "floor({} + 0.5)", "ceil({} - 0.5)", "round({} + 0.2)",
    "sign({} + 1)", "step({} - 1)", "({} < 0.5)", "max([{}, 2])", "min([[-1, {}], [3, 4]])",
    "leaky_relu({} - 1, 0)", "mod(2, {} + 6)", "[{}, 4][1]", "sum(max([[{}, 2], [1, 0]], axis=1))",
    "sum(tril([[1, {}], [2, 3]]))", "sum(diag([[1, {}], [2, 3]]))",
    "sum(relu([[{}, 1], [0, 2]] @ [1, 2] - 5))", "sum(where([1, 0], [4, {}], 5))",
)  # fmt: skip
"""The operand is 0, and does not move them."""
ROOTS = ("sqrt({})", "cbrt({})", "{}^0.25", "acosh(1 + {})", "sqrt(2*{})*3")
FLAT = (
    "relu({})", "max({}, 0)", "min(-{}, 0)", "clip({}, 0, 1)", "where({} > 0, {}, 0)",
    "(hardtanh({}) + 1)", "floor({}/10 + 1)", "ceil({}/10)", "round({}/10)", "step({})",
    "(sign({}) + 1)", "({} > 0)", "max([{}, 0, -1])", "leaky_relu({}, 0)", "[0, {}][0]",
    "sum(triu([[0, 0], [{}, 0]]))", "(reshape([[{}, 2]], 2)[1] - 2)", "relu(max({}, {}*2))",
)  # fmt: skip
"""0 at -3, and constant there."""
AROUND = (
    "{}",
    "3*{} + x^2*y",
    "({} + 2)^3*sin(x*y)",
    "sum([[{}, x], [y, 2]] @ [x, 3])",
    "||[{} + 1, x*y]||^2",
    "a = {}; b = exp(a)*x; b*a + b*y",
    "prod([{} + 1, x, y])",
    "where(y > 0, {}*y + x*y, 0)",
)


@cache
def programs() -> list[tuple[str, str, float]]:
    """Programs with a guard, their twins without, and x."""
    found = []
    pairs = [*itertools.product(INSIDE, NOT_TAKEN)]
    guarded = [(guard.replace("{}", inside.format("x")), 0.0) for inside, guard in pairs]
    pairs = [*itertools.product(ROOTS, FLAT)]
    guarded += [(root.format(flat.replace("{}", "x")), -3.0) for root, flat in pairs]
    for i, (text, x) in enumerate(guarded):
        value = Program(text).evaluate(x=x, gradient=False).value
        around = AROUND[i % len(AROUND)]
        twin = around.format(f"({float(value)!r})")
        found.append((around.format(f"({text})"), twin, x))
    return found


Y = 1.7


def point(program: Program, x: float) -> dict[str, float]:
    return {name: value for name, value in (("x", x), ("y", Y)) if name in program.inputs}


def parts(found: Any, names: tuple[str, ...] = ("x", "y")) -> list[float]:
    return [float(found.get(name, 0.0)) for name in names]


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.slow)])
def test_gradients_in_every_way(every: int) -> None:
    for text, twin, x in programs()[::every]:
        program = Program(text)
        given = point(program, x)
        other = Program(twin)
        wanted = parts(other.evaluate(point(other, x), check=False).gradient or {})
        for _ in range(13):  # the last runs are those of the compiled pass
            found = program.evaluate(given, check=False)
        np.testing.assert_allclose(parts(found.gradient), wanted, rtol=1e-14, err_msg=text)
        for mode in ("forward", "reverse"):
            jacobian = program.jacobian(given, mode=mode, check=False)
            slopes = {name: block.item() for name, block in jacobian.matrices.items()}
            np.testing.assert_allclose(parts(slopes), wanted, rtol=1e-14, err_msg=f"{text} {mode}")


def test_hessians() -> None:
    for text, twin, x in programs()[::2]:
        program, other = Program(text), Program(twin)
        found = program.hessian(point(program, x), check=False)
        wanted = other.hessian(point(other, x), check=False)
        for row, column in itertools.product(program.inputs, repeat=2):
            there = row in other.inputs and column in other.inputs
            right = wanted[row, column].item() if there else 0.0
            got = found[row, column].item()
            assert math.isclose(got, right, rel_tol=1e-13, abs_tol=1e-13), (text, row, column)


@pytest.mark.parametrize("jit", [False, True])
def test_batches(jit: bool) -> None:  # noqa: FBT001 - a parameter of the test
    if jit:
        pytest.importorskip("numba")
    for text, twin, x in programs()[:: 40 if jit else 3]:
        program, other = Program(text), Program(twin)
        rows = {name: np.full(3, value) for name, value in point(program, x).items()}
        found = program.batch(rows, jit=jit)
        wanted = other.evaluate(point(other, x), check=False).gradient or {}
        for name in program.inputs:
            right = float(wanted.get(name, 0.0))
            np.testing.assert_allclose(found[f"d_{name}"], right, rtol=1e-14, err_msg=text)


def test_the_check_accuses_no_exact_zero() -> None:
    for text, _, x in programs()[::9]:
        program = Program(text)
        result = program.evaluate(point(program, x))
        assert result.verdict != "fail", text
        assert all(np.isfinite(result[name].delta) for name in program.inputs), text


LIMITS = [
    ("sqrt(x)^2", 0.0),
    ("sqrt(x)*x", 0.0),
    ("sqrt(x^2)", 0.0),
    ("sqrt(abs(x))", 0.0),
    ("sqrt(||[x, 2*x]||)", 0.0),
    ("cbrt(x)^3", 0.0),
    ("max(sqrt(x), 0)", 0.0),
    ("max(sqrt(x), 1)*0 + sqrt(x)", 0.0),
    ("sum(max([sqrt(x), sqrt(x + 1)], [1, 0])) + sqrt(relu(x) + x)", 0.0),
    ("a = sqrt(x); relu(a - 1) + a*0", 0.0),
]


@pytest.mark.parametrize(("text", "x"), LIMITS)
def test_a_zero_that_is_a_limit_is_refused(text: str, x: float) -> None:
    program = Program(text)
    for method in (program.evaluate, program.jacobian, program.hessian):
        with pytest.raises(GradcliError) as caught:
            method(x=x)
        assert caught.value.kind is Kind.EDGE
    assert program.batch({"x": [x]}, errors="nan")["d_x"].tolist() == [
        pytest.approx(np.nan, nan_ok=True)
    ]


def test_the_operation_at_fault_is_named_with_its_element() -> None:
    with pytest.raises(GradcliError) as caught:
        Program("b = relu(x); sum(sqrt(b) + sqrt(max(y, [0, -1])))").evaluate(x=[-1, -2], y=[-3, 0])
    assert caught.value.message == (
        "the derivative of sqrt(max(y, [0, -1])) by c is infinite at c[1] = 0"
    )


def test_an_infinite_accumulator_in_between_is_shown() -> None:
    result = Program("sqrt(relu(x))").evaluate(x=-3)
    assert result["a"].delta == np.inf
    assert result.gradient == {"x": 0.0}
    assert [line.value for line in result.contributions] == [np.inf, 0.0]
