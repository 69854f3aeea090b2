"""The forward pass: values, and what happens where the mathematics fails."""

import itertools
from typing import Any

import numpy as np
import pytest

from gradcli import GradcliError, Program, evaluate
from gradcli.diagnostics.error import Kind
from gradcli.engine.backward import accumulator_error, backward
from gradcli.engine.forward import forward, operand_values, selected, value_error
from gradcli.graph.graph import Graph


def test_tutorial_values() -> None:
    result = evaluate("(x + sigmoid(y)) / (x^2 + y)", x=3, y=-4, check=False)
    values = {row.node.name: float(row.value) for row in result.rows()}
    assert values == pytest.approx(
        {
            "x": 3,
            "y": -4,
            "a": 0.017986209962091555,
            "b": 3.0179862099620918,
            "c": 9,
            "d": 5,
            "e": 0.2,
            "f": 0.6035972419924184,
        },
        rel=1e-15,
    )


@pytest.mark.parametrize(
    ("text", "inputs", "kind"),
    [
        ("log(x)", {"x": -1}, Kind.DOMAIN),
        ("log(x)", {"x": 0}, Kind.DOMAIN),
        ("1/x", {"x": 0}, Kind.DOMAIN),
        ("x/0", {"x": 1}, Kind.DOMAIN),
        ("asin(x)", {"x": 2}, Kind.DOMAIN),
        ("x^0.5", {"x": -2}, Kind.DOMAIN),
        ("exp(x)", {"x": 1000}, Kind.OVERFLOW),
        ("x*y", {"x": 1e200, "y": 1e200}, Kind.OVERFLOW),
        ("x^2", {"x": 1e200}, Kind.OVERFLOW),
        ("sum(inv(A))", {"A": [[1, 2], [2, 4]]}, Kind.SINGULAR),
        ("log(x)", {"x": [1, -1]}, Kind.DOMAIN),
        ("x + inf", {"x": 1}, Kind.DOMAIN),
    ],
)
def test_the_mathematics_fails(text: str, inputs: dict[str, Any], kind: Kind) -> None:
    with pytest.raises(GradcliError) as error:
        evaluate(text, **inputs)
    assert error.value.kind is kind
    assert error.value.span is not None
    result = evaluate(
        text, allow_nonfinite=True, upstream=_ones(text, inputs), check=False, **inputs
    )
    assert not np.isfinite(result.value).all() or kind is Kind.SINGULAR


def _ones(text: str, inputs: dict[str, Any]) -> Any:
    value = evaluate(text, allow_nonfinite=True, gradient=False, **inputs).value
    return np.ones(np.shape(value))


def test_the_error_names_the_element() -> None:
    with pytest.raises(GradcliError, match=r"x\[1\] = -1"):
        evaluate("sum(log(x))", x=[1, -1])
    with pytest.raises(GradcliError, match=r"X\[1, 0\] = -3"):
        evaluate("sum(log(X))", X=[[1, 2], [-3, 4]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sigmoid(-800)", 0.0),
        ("sigmoid(800)", 1.0),
        ("softplus(-800)", 0.0),
        ("softplus(800)", 800.0),
        ("logsumexp([1000, 1000])", 1000.6931471805599),
        ("hypot(1e200, 1e200)", 1.4142135623730951e200),
        ("(-2)^3", -8.0),
        ("log1p(1e-20)", 1e-20),
        ("norm([1e200, 1e200])", 1.4142135623730951e200),
    ],
)
def test_no_overflow_where_the_mathematics_has_none(text: str, expected: float) -> None:
    assert evaluate(text).value == pytest.approx(expected, rel=1e-15)


def test_where_raises_nothing_for_what_it_does_not_select() -> None:
    assert evaluate("where(x > 0, log(x), x)", x=-2).gradient["x"] == 1.0
    result = evaluate("sum(where(x > 0, log(x), x))", x=[-2.0, 0.0, 3.0])
    assert result.gradient["x"] == pytest.approx([1.0, 1.0, 1 / 3])
    assert evaluate("where(n > 0, mean(log(x)), 0)", n=-1, x=[-1.0, 2.0]).gradient["x"] == (
        pytest.approx([0.0, 0.0])
    )


def test_where_does_not_hide_what_is_selected_or_named_outside() -> None:
    with pytest.raises(GradcliError):
        evaluate("where(x < 0, log(x), x)", x=-2)
    with pytest.raises(GradcliError):
        evaluate("a = log(x); where(x > 0, a, x)", x=-2)


def test_where_in_where() -> None:
    text = "where(x > 0, where(x < 1, sqrt(1 - x), log(x - 1 + eps)), -x)"
    for x, slope in [(0.75, -1.0), (3.0, 1 / 2), (-2.0, -1.0)]:
        result = evaluate(text, x=x, eps=1e-300, wrt=["x"], check=False)
        assert result.gradient["x"] == pytest.approx(slope)


# --- where the passes look for infinities and nans ---------------------------------------

EXTREMES = (1e200, -1e200, 1e-200, 0.0, 710.0, -1.0, 0.5)
HIDING = (
    "relu(x*y) + z",
    "1/(x*y) + z",
    "where(x > 0, log(x), y) * z",
    "max(x*y, z) + tanh(x/z)",
    "sum(relu([x*y, z]))",
    "[x*x, y][1] * z",
    "exp(-x*y) + z",
    "sigmoid(x*y) - log(z)",
    "(z > x*y) + z",
    "sqrt(x)*y + 0*z",
    "||[x, y]||*0 + z^0.5",
    "sum([[x, y], [z, 1]] @ [1/x, 0])",
)


def _first_error(graph: Graph, values: list[Any]) -> str | None:
    """What the pass should say: the error of the first operation, with all values looked at."""
    for node in graph.nodes:
        if node.kernel is None or np.isfinite(values[node.id]).all():
            continue
        if all(np.isfinite(o).all() for o in operand_values(node, values)):
            bad = ~np.isfinite(values[node.id])
            mask = selected(node, values)
            bad = np.asarray(bad if mask is None else bad & mask)
            if bad.any():
                return value_error(graph, node, values, bad).message
    return None


@pytest.mark.parametrize("text", HIDING)
def test_the_first_operation_at_fault_is_found_wherever_it_hides(text: str) -> None:
    """Both passes say what they would say if they looked at every value as it is made."""
    program = Program(text)
    for point in itertools.product(EXTREMES, repeat=3):
        inputs = {n: np.float64(v) for n, v in zip("xyz", point, strict=True)}
        inputs = {name: inputs[name] for name in program.inputs}
        graph = program.graph(inputs)
        values = forward(graph, inputs, allow_nonfinite=True)
        expected = _first_error(graph, values)
        try:
            forward(graph, inputs)
        except GradcliError as error:
            assert error.message == expected
            continue
        assert expected is None
        active = graph.dependent(set(graph.inputs))
        one = np.float64(1.0)
        passed = backward(graph, values, active, one, allow_nonfinite=True)
        wrong = [c for c in passed.contributions if not np.isfinite(c.accumulator).all()]
        if wrong:
            with pytest.raises(GradcliError) as caught:
                backward(graph, values, active, one)
            node, delta = graph.operation(wrong[0].node), passed.accumulators[wrong[0].node]
            first = accumulator_error(graph, node, wrong[0].operand, values, delta)
            assert caught.value.message == first.message
        else:
            backward(graph, values, active, one)


def test_an_input_that_is_not_finite_comes_before_every_operation() -> None:
    with pytest.raises(GradcliError, match="the value of 'x' is not finite") as caught:
        evaluate("log(y) + relu(x)", x=-np.inf, y=-1, check=False)
    assert caught.value.kind is Kind.BINDING
    with pytest.raises(GradcliError, match="'W' is not finite"):
        evaluate("sum(relu(-W @ x))", W=[[np.inf, 1], [1, 1]], x=[0, 1], check=False)


def test_an_input_that_the_output_does_not_need_is_finite_too() -> None:
    program = Program("a = x^2\nb = a + y", output="a")
    with pytest.raises(GradcliError, match="'y' is not finite"):
        program.evaluate(x=1, y=np.nan, check=False)


def test_an_infinite_constant_stops_only_at_the_output() -> None:
    assert evaluate("1/(x + inf) + x", x=2, check=False).value == 2
    with pytest.raises(GradcliError, match="the output"):
        evaluate("x + inf", x=2, check=False)
