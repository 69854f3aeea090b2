"""The backward pass: accumulators, their contributions, and where there is no derivative."""

import itertools
from typing import Any

import numpy as np
import pytest

from gradcli import GradcliError, Program, evaluate, ops
from gradcli.diagnostics.error import Kind

TUTORIAL = "(x + sigmoid(y)) / (x^2 + y)"


def test_tutorial_accumulators() -> None:
    result = evaluate(TUTORIAL, x=3, y=-4, check=False)
    found = {row.node.name: float(row.delta) for row in result.rows()}
    a, b, d, e = (float(result[name].value) for name in "abde")
    delta_d = b * (-1 / d**2)
    assert found == pytest.approx(
        {
            "f": 1.0,
            "b": e,
            "e": b,
            "d": delta_d,
            "c": delta_d,
            "a": e,
            "x": delta_d * 6 + e,
            "y": delta_d + e * (1 - a) * a,
        },
        rel=1e-15,
    )
    assert found["x"] == pytest.approx(-0.524316690390902, rel=1e-15)
    assert found["y"] == pytest.approx(-0.11718690715582544, rel=1e-15)


def test_tutorial_lines_are_the_hand_written_backward_pass() -> None:
    result = evaluate(TUTORIAL, x=3, y=-4, check=False)
    lines = [(line.step, line.to, line.local, line.contribution.final) for line in result.lines()]
    assert lines == [
        (6, "b", "e", True),
        (6, "e", "b", True),
        (5, "d", "-1/d^2", True),
        (4, "c", "1", True),
        (4, "y", "1", False),
        (3, "x", "2*x", False),
        (2, "x", "1", True),
        (2, "a", "1", True),
        (1, "y", "a*(1 - a)", True),
    ]


@pytest.mark.parametrize(
    ("text", "inputs", "gradient"),
    [
        ("x*x", {"x": 3}, {"x": 6}),
        ("y = x^2; y*y + y", {"x": 2}, {"x": 36}),
        ("x/y", {"x": 1, "y": 2}, {"x": 0.5, "y": -0.25}),
        ("x^n", {"x": 0, "n": 2}, {"x": 0, "n": 0}),
        ("2^n", {"n": 3}, {"n": 8 * np.log(2)}),
        ("x^0", {"x": 0}, {"x": 0}),
        ("x^1", {"x": 0}, {"x": 1}),
        ("x^-2", {"x": 2}, {"x": -0.25}),
        ("x^0.5", {"x": 4}, {"x": 0.25}),
        ("relu(x)", {"x": 0}, {"x": 0}),
        ("abs(x)", {"x": 0}, {"x": 0}),
        ("elu(x)", {"x": 0}, {"x": 1}),
        ("leaky_relu(x)", {"x": 0}, {"x": 0.01}),
        ("clip(x, 0, 1)", {"x": 1}, {"x": 0}),
        ("max(x, y)", {"x": 1, "y": 1}, {"x": 0.5, "y": 0.5}),
        ("max(x, y, z)", {"x": 1, "y": 1, "z": 1}, {"x": 1 / 3, "y": 1 / 3, "z": 1 / 3}),
        ("||x||", {"x": [0.0, 0.0]}, {"x": [0, 0]}),
        ("sum(x + s)", {"x": [1, 2, 3], "s": 1}, {"x": [1, 1, 1], "s": 3}),
        (
            "sum(A*b)",
            {"A": np.ones((2, 3)), "b": [1, 2, 3]},
            {"A": [[1, 2, 3]] * 2, "b": [2, 2, 2]},
        ),
        (
            "sum(A*col(b))",
            {"A": np.ones((2, 2)), "b": [1, 2]},
            {"A": [[1, 1], [2, 2]], "b": [2, 2]},
        ),
        ("prod(x)", {"x": [0.0, 2.0, 3.0]}, {"x": [6, 0, 0]}),
    ],
)
def test_gradients(text: str, inputs: dict[str, Any], gradient: dict[str, Any]) -> None:
    result = evaluate(text, check=False, **inputs)
    for name, expected in gradient.items():
        assert result.gradient[name] == pytest.approx(np.asarray(expected, dtype=float), rel=1e-14)
        assert np.shape(result.gradient[name]) == np.shape(inputs[name])


def test_columns_and_rows() -> None:
    """A matrix product C = A Bᵀ gives δA = δC B and δB = δCᵀ A (tutorial, 2022 edition)."""
    rng = np.random.default_rng(1)
    A, B, delta = rng.normal(size=(3, 4)), rng.normal(size=(2, 4)), rng.normal(size=(3, 2))
    result = evaluate("A @ B.T", A=A, B=B, upstream=delta, check=False)
    assert result.gradient["A"] == pytest.approx(delta @ B, rel=1e-13)
    assert result.gradient["B"] == pytest.approx(delta.T @ A, rel=1e-13)
    outer = evaluate("u @ v.T", u=[1, 2], v=[3, 4, 5], upstream=np.ones((2, 3)), check=False)
    assert outer.value.tolist() == [[3, 4, 5], [6, 8, 10]]
    assert outer.gradient["u"].tolist() == [12, 12]
    assert evaluate("u.T @ v", u=[1, 2], v=[3, 4], check=False).value == 11.0


@pytest.mark.parametrize(
    ("text", "inputs", "kind"),
    [
        ("sqrt(x)", {"x": 0}, Kind.EDGE),
        ("cbrt(x)", {"x": 0}, Kind.EDGE),
        ("asin(x)", {"x": 1}, Kind.EDGE),
        ("x^n", {"x": -2, "n": 2}, Kind.DOMAIN),
        ("sqrt(var(x))", {"x": [1.0, 1.0]}, Kind.EDGE),
        ("1e200*(1e200*x)", {"x": 1e-300}, Kind.OVERFLOW),
    ],
)
def test_no_finite_derivative(text: str, inputs: dict[str, Any], kind: Kind) -> None:
    with pytest.raises(GradcliError) as error:
        evaluate(text, **inputs)
    assert error.value.kind is kind


def test_wrt_leaves_the_rest_out() -> None:
    result = Program("x^n + y").evaluate({"x": -2, "n": 2, "y": 1}, wrt=["x"], check=False)
    assert result.gradient == {"x": -4.0}
    assert result["n"].delta is None
    assert result["y"].delta is None
    assert result["a"].delta == 1.0


def test_upstream() -> None:
    result = evaluate("x^2", x=[1, 2, 3], upstream=[1, 0, 2], check=False)
    assert result.gradient["x"].tolist() == [2, 0, 12]
    with pytest.raises(GradcliError, match="starts from a number"):
        evaluate("x^2", x=[1, 2, 3])
    with pytest.raises(GradcliError, match="upstream"):
        evaluate("x^2", x=[1, 2, 3], upstream=[1, 2])


def test_a_block_is_one_node_with_its_own_rules() -> None:
    block = "block f(u, v) = u*v^2 with d/du = v^2, d/dv = 2*u*v"
    result = evaluate(f"{block}; f(x, x + 1)", x=3, check=False)
    assert result.gradient["x"] == 16 + 24
    assert [row.node.name for row in result.rows()] == ["x", "a", "b"]


def test_a_block_on_arrays_gives_backward_rules() -> None:
    block = "block linear(W, x) = W @ x with delta_W = delta @ x.T, delta_x = W.T @ delta"
    rng = np.random.default_rng(0)
    W, x = rng.normal(size=(2, 3)), rng.normal(size=3)
    own = evaluate(f"{block}; ||linear(W, x)||^2", W=W, x=x, check=False)
    built_in = evaluate("||W @ x||^2", W=W, x=x, check=False)
    for name in ("W", "x"):
        assert own.gradient[name] == pytest.approx(built_in.gradient[name], rel=1e-14)


def test_a_wrong_shape_in_a_block_rule() -> None:
    block = "block linear(W, x) = W @ x with delta_W = x @ delta.T, delta_x = W.T @ delta"
    with pytest.raises(GradcliError, match="the rule for 'W' of linear") as error:
        evaluate(f"{block}; sum(linear(W, x))", W=np.ones((2, 3)), x=np.ones(3))
    assert error.value.kind is Kind.SHAPE


@pytest.mark.parametrize(
    ("text", "x", "slope"),
    [("floor(sqrt(x)) + x", 0.0, 1.0), ("where(sqrt(x) > -1, 2*x + 1, y)", 0.0, 2.0)],
)
def test_what_is_zero_by_rule_goes_nowhere(text: str, x: float, slope: float) -> None:
    """The slope of a square root at 0 is infinite, and nothing asks for it."""
    program = Program(text)
    inputs = {"x": x, "y": 1.0}
    result = program.evaluate({n: inputs[n] for n in program.inputs}, check=False)
    assert result.gradient["x"] == slope
    found = program.batch({n: [inputs[n]] for n in program.inputs})
    assert found["d_x"].tolist() == [slope]


@pytest.mark.parametrize("text", ["sqrt(x)*0 + x", "sqrt(x)*y + x"])
def test_a_zero_among_numbers_is_no_rule(text: str) -> None:
    program = Program(text)
    with pytest.raises(GradcliError, match="is infinite at x = 0"):
        program.evaluate(dict.fromkeys(program.inputs, 0.0), check=False)


def test_a_row_has_its_own_rule_for_every_shape_in_a_program() -> None:
    values = {
        "a": 0.4,
        "b": np.array([0.3, 0.5, 0.2]),
        "c": np.array([[2.0, 0.3], [0.3, 1.5]]),
        "d": np.array([[3.0, 0.1, 0.2], [0.1, 2.5, 0.4], [0.2, 0.4, 3.5]]),
    }
    rows = [r for r in ops.TABLE if not r.elementwise and r.aliases and len(r.operands) == 1]
    alone: dict[tuple[str, str], Any] = {}
    tried = 0
    for row in rows:
        for name, value in values.items():
            text = f"sum(sin({row.name}({name})))"
            try:
                found = Program(text).evaluate({name: value}, check=False)
            except GradcliError:
                continue
            alone[row.name, name] = found.gradient[name]
        fits = [name for name in values if (row.name, name) in alone]
        for one, other in zip(fits, fits[1:] + fits[:1], strict=True) if fits[1:] else ():
            text = f"sum(sin({row.name}({one}))) + sum(sin({row.name}({other})))"
            program = Program(text)
            given = {name: values[name] for name in (one, other)}
            rows_of = {name: np.array([value, value]) for name, value in given.items()}
            found = program.evaluate(given, check=False)
            batch = program.batch(rows_of)
            for name in given:
                right = alone[row.name, name]
                np.testing.assert_allclose(found.gradient[name], right, 1e-12, 1e-14, err_msg=text)
                np.testing.assert_allclose(batch[f"d_{name}"][1], right, 1e-12, 1e-14, err_msg=text)
            tried += 1
    assert tried > 60, tried


def test_local_derivatives_of_a_choice_add_up_to_one() -> None:
    numbers = (-1.0, 0.0, 1.0, 2.0)
    for x, y, z in itertools.product(numbers, repeat=3):
        for name in ("clip", "max", "min"):
            found = evaluate(f"{name}(x, y, z)", x=x, y=y, z=z, check=False).gradient
            assert sum(found.values()) == pytest.approx(1, rel=1e-15), (name, x, y, z)
