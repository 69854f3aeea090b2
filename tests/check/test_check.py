"""The gradient check on ordinary programs: what it says, of whom, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from _check_measure import measure_check
from hypothesis import given, settings
from hypothesis import strategies as st
from ops_samples import applied, weights
from random_programs import random_programs
from sweep import each_sample

from gradcli import ops
from gradcli.check import (
    check_gradients,
    local,
    mpmath_ops,
    quick_check,
    sampling,
    second_opinion,
    stencil,
)
from gradcli.check.clock import Clock
from gradcli.check.wording import describe
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.engine.backward import backward
from gradcli.engine.plan import Backward
from gradcli.graph.graph import Graph, input_like
from gradcli.ops.operation import Operation, keywords
from gradcli.program import Program
from gradcli.report import Style, render
from gradcli.results.result import Check, Checks, Result, Verdict

TUTORIAL = "(x + sigmoid(y)) / (x^2 + y)"


def evaluated(program: str, /, **point: Any) -> Result:
    return Program(program).evaluate(point, allow_nonfinite=True)


def checks(program: str, /, **point: Any) -> dict[str, Check]:
    return {row.node.name: row.check for row in evaluated(program, **point).rows() if row.check}


def said(program: str, name: str, /, **point: Any) -> str:
    row = evaluated(program, **point)[name]
    assert row.check is not None
    return describe(row.check, row.delta)


# --- right gradients ---------------------------------------------------------------------


def test_the_tutorial_agrees_everywhere() -> None:
    result = evaluated(TUTORIAL, x=3, y=-4)
    assert result.verdict == "pass"
    assert result.counts == {"pass": 8}
    assert result.worst is not None
    assert result.worst[1] > 11


def alone(row: Operation, sample: str) -> tuple[Graph, list[Any]]:
    """An operation as a program of its own: its operands as inputs, itself the output."""
    found = applied(row, sample)
    names = row.operand_names(len(found.operands))
    inputs = [
        input_like(found.node, i, name, t)
        for i, (name, t) in enumerate(zip(names, found.site.types, strict=True))
    ]
    node = found.node.moved(id=len(inputs), carries=True, operands=tuple(range(len(inputs))))
    return Graph(found.graph.source, (*inputs, node), len(inputs)), [*found.operands, found.out]


def passes(graph: Graph, values: list[Any]) -> tuple[Backward, Any]:
    upstream = weights(graph.nodes[-1].type.shape)
    active = [True] * len(values)
    return backward(graph, values, active, upstream, allow_nonfinite=True), upstream


@each_sample
def test_no_rule_of_the_table_fails(row: Operation, sample: str) -> None:
    graph, values = alone(row, sample)
    passed, upstream = passes(graph, values)
    active = [True] * len(values)
    found = check_gradients(graph, values, passed, active, upstream, budget=60.0)
    assert Verdict.FAIL not in {check.verdict for check in found.rows.values()}
    assert not found.omitted


@pytest.mark.parametrize("count", [40, pytest.param(100, marks=pytest.mark.slow)])
def test_random_programs(count: int) -> None:
    counts = measure_check(count)
    assert counts.alarms == []
    assert counts.misses == []
    assert counts.inconclusive <= 0.06  # of 20,000: below 0.04, see scripts/bench


@pytest.mark.parametrize("count", [30, pytest.param(60, marks=pytest.mark.slow)])
def test_a_first_glance_makes_no_mistakes_either(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the gradients of large arrays and long programs are looked at."""
    monkeypatch.setattr("gradcli.check.workbench.MANY", -1)
    counts = measure_check(count, 5000)
    assert counts.alarms == []
    assert counts.misses == []
    assert counts.inconclusive <= (0.06 if count >= 60 else 0.07)  # few programs scatter more


@settings(max_examples=60, deadline=None)
@given(
    x=st.floats(-50, 50, allow_subnormal=False),
    y=st.floats(1e-3, 50),
    text=st.sampled_from(
        ["sin(x)*y + x^3", "relu(x)*log(y)", "sigmoid(x/y)", "max(x, y)*tanh(y)", "x^2/(x + y)^2"]
    ),
)
def test_any_point(text: str, x: float, y: float) -> None:
    verdicts = {check.verdict for check in checks(text, x=x, y=y).values()}
    assert Verdict.FAIL not in verdicts


# --- wrong gradients ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "point"),
    [
        # A local derivative that underflows on the way down.
        ("n0 = sinh(x); sinh(n0^(-1))*(1 + y)", {"x": 498.07, "y": 0.0166}),
        # The tangent of 1e62, which f alone does not give away.
        ("n2 = cosh(14.25*x^3); tan(n2 - 1e3) + x^2", {"x": -2.158}),
        # An exponential of rounding errors inside a rule: 1 - exp(out) with out near 0.
        ("log_softmax([x, y, x])[1]*sin(x)", {"x": -8.7e-06, "y": 29.3}),
        # LAPACK's error is relative to the largest element of its result.
        ("solve([[x - cosh(x), 2], [x*x, 3]], [1, 2])[0]", {"x": 576.28}),
        # Steps that alias with the period of a sine at 1e235, and with that of sinc.
        ("sin(x)*y", {"x": 3.2998219262152873e235, "y": 2.459556972919148}),
        ("sinc(x)", {"x": 5e179}),
        # Behind abs, which stands on its border all along, relu has one a bit farther on.
        ("tanh(exp(abs(relu(x/2400)) - 1))", {"x": -7.8e-15}),
        # SciPy's digamma has lost seven digits here.
        ("lgamma(x)", {"x": -4.999999966157585}),
    ],
)
def test_right_gradients_that_were_once_accused(
    text: str, point: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradcli.check.second_opinion.available", lambda: False)
    assert Program(text).evaluate(point, allow_nonfinite=True).verdict != "fail"


PLANTED = {
    "factor 2": "2*({})",
    "sign": "-({})",
    "1e-3": "1.001*({})",
    "1e-5": "1.00001*({})",
}
ORDINARY = {
    "sin": "cos(x)",
    "exp": "out",
    "log": "1/x",
    "tanh": "1 - out^2",
    "sigmoid": "out*(1 - out)",
    "sqrt": "1/(2*out)",
    "square": "2*x",
    "atan": "1/(1 + x^2)",
}


@pytest.mark.parametrize("mistake", PLANTED)
@pytest.mark.parametrize("name", ORDINARY)
def test_a_wrong_rule_in_the_table_is_caught_and_named(name: str, mistake: str) -> None:
    program = Program(f"{name}(x*y) + x")
    result = program.evaluate(x=0.7, y=1.3, check=False)
    rules = (PLANTED[mistake].format(ORDINARY[name]),)
    wrong = replace(ops.operation(name), rules=rules, careful=())
    found = checks_with(result, name, wrong)
    for node in ("x", "y", "a"):
        assert found[node].verdict is Verdict.FAIL
    assert name in found["a"].reason
    assert "because of" in found["x"].reason
    assert found["b"].verdict is Verdict.PASS


def checks_with(result: Result, name: str, wrong: Operation) -> dict[str, Check]:
    """The check of a program in which one operation has another rule."""
    nodes = [
        n._replace(operation=wrong) if n.operation is not None and n.operation.name == name else n
        for n in result.graph.nodes
    ]
    graph = Graph(result.graph.source, tuple(nodes), result.graph.output)
    active = [a is not None for a in result.accumulators]
    passed = backward(graph, result.values, active, result.upstream)
    found = check_gradients(graph, result.values, passed, active, result.upstream)
    return {graph.nodes[i].name: check for i, check in found.rows.items()}


def test_the_wrong_operand() -> None:
    wrong = replace(ops.operation("mul"), rules=("x", "y"))
    result = Program("x*y + x").evaluate(x=2, y=3, check=False)
    found = checks_with(result, "mul", wrong)
    assert found["x"].verdict is Verdict.FAIL
    assert "derivative by y" in found["x"].reason


def test_a_missing_contribution_of_a_fork() -> None:
    result = Program("x*sin(x) + x^2").evaluate(x=0.8, check=False)
    lost = result.contributions[-1]
    accumulators = list(result.accumulators)
    accumulators[0] = result.accumulators[0] - lost.value
    passed = Backward(accumulators, list(result.contributions))
    found = check_gradients(
        result.graph, result.values, passed, [True] * len(accumulators), result.upstream
    )
    assert found.rows[0].verdict is Verdict.FAIL
    assert found.rows[0].reason == "the contribution of sin(x) is missing"


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("sq(u) = u^2 with d/du = 3*u", "block sq: d/du is 3/2 of what it should be"),
        ("sq(u) = u^2 with d/du = -2*u", "block sq: d/du has the wrong sign"),
        ("sq(u) = u*sin(u) with d/du = sin(u)", "block sq: d/du misses the part through sin(u)"),
        ("sq(u) = u^2 with d/du = 2*u + 1e-3", "block sq: d/du is wrong"),
    ],
)
def test_a_wrong_rule_of_a_block_is_named(block: str, words: str) -> None:
    found = checks(f"block {block}\nsin(sq(x*y))*y", x=1.1, y=0.6)
    assert found["a"].verdict is Verdict.FAIL
    assert found["a"].operation == "sq"
    assert found["a"].reason.startswith(words)
    assert found["b"].verdict is Verdict.PASS


def test_a_wrong_rule_behind_a_right_accumulator_is_named_too() -> None:
    found = checks("block sq(u) = u^2 with d/du = 3*u\n0*sq(x) + x", x=2)
    assert found["x"].verdict is Verdict.PASS
    assert "block sq" in found["x"].reason


def test_operands_of_a_block_mixed_up() -> None:
    found = checks("block m(u, v) = u*v with d/du = u, d/dv = v\nm(x, y)", x=2, y=3)
    assert "d/du is the derivative by v" in found["x"].reason
    assert "d/dv is the derivative by u" in found["y"].reason


def test_a_transposed_rule() -> None:
    text = """block m(A, x) = A @ x with delta_A = x @ delta.T, delta_x = A.T @ delta
    sum(m(W, x)*[1, 2])"""
    found = checks(text, W=[[1, 2], [3, 4]], x=[2, 3])
    assert found["W"].verdict is Verdict.FAIL
    assert "delta_A is transposed" in found["W"].reason
    assert found["x"].verdict is Verdict.PASS


def test_blocks_are_seen_through() -> None:
    text = "block f(u) = relu(u) with d/du = u > 0\nblock g(u) = 2*f(u) with d/du = 2*(u > 0)\ng(x)"
    words = "corner: slope 0 on the left, 2 on the right; relu's convention gives 0"
    assert said(text, "x", x=0) == words
    staircase = "block f(u) = (1 + u) - 1 with d/du = 1\nf(x)"
    assert checks(staircase, x=1e-8)["x"].verdict is Verdict.PASS
    assert checks("block f(u) = u with d/du = 1\nf(x)*x", x=3)["a"].verdict is Verdict.PASS
    assert checks("block f(u) = 2 with d/du = 0\nf(x)*x", x=3)["a"].verdict is Verdict.PASS


# --- special points ----------------------------------------------------------------------

NEXT_DOOR = "edge in {}: no step is small enough, the domain ends next to it"
STEEPER = "edge: slope → +∞ on the right (the gradient differs)"


@pytest.mark.parametrize(
    ("text", "x", "words"),
    [
        ("relu(x)", 0, "corner: slope 0 on the left, 1 on the right; relu's convention gives 0"),
        ("sqrt(x)", 0, "edge: slope → +∞ on the right (agrees)"),
        ("cbrt(x)", 0, "edge: slope → +∞ (agrees)"),
        ("sqrt(abs(x))", 0, "edge: slope → −∞ on the left, → +∞ on the right"),
        ("x^1.5", 0, "edge: slope 0 on the right (agrees)"),
        ("floor(x)", 2, "jump in floor: f leaps by 1 here"),
        ("exp(x)", 1000, "overflow in exp"),
        ("log(x)", -1, "edge in log: log(x) is not defined at x = -1"),
        ("1/(x*x)", 1e-100, "overflow: the gradient overflows, the slope is -2e+300"),
        ("(exp(x) - 1)/x", 1e-9, "inconclusive: rounding noise in the gradient"),
        ("1e6 + abs(x - 1e-9)", 0, "inconclusive: rounding noise in f"),
        # Rounding moves x over the border itself, and the steps next to it.
        ("floor(x*3)", 2, "jump in floor: f leaps by 1 here"),
        ("ceil(30*x)", 0.1, "jump in ceil: f leaps by 1 here"),
        ("mod(3*x, 2)", 2, "jump in mod: f leaps by 2 here"),
        ("where(x*y > 6, 5, 3)*x", 2, "jump in greater: f leaps by 4 here"),
        ("abs(x - 2) + floor(x)", 2, "jump in floor: f leaps by 1 here"),
        # There is no leap where f has no limit.
        ("where(x > 0, log(x), x)", 0, "jump in greater: f → −∞ on the right"),
        ("where(x > 1, log(x - 1), x)", 1, "jump in greater: f → −∞ on the right"),
        ("where(x >= 0, x, 1/x)", 0, "jump in greater_equal: f → −∞ on the left"),
        ("where(x > 0, sqrt(x), x)", 0, "edge: slope 1 on the left, → +∞ on the right"),
        # The domain ends one double farther on.
        ("logit(x)", 1 - 2**-53, NEXT_DOOR.format("logit")),
        ("atanh(x)", 1 - 2**-53, NEXT_DOOR.format("atanh")),
        ("sqrt(1 - x)", 1 - 2**-53, NEXT_DOOR.format("sqrt")),
        ("block root(u) = sqrt(u) with d/du = 1; root(x)", 0, STEEPER),
    ],
)
def test_what_is_said(text: str, x: float, words: str) -> None:
    y = {"y": 3} if "y" in text else {}
    assert said(text, "x", x=x, **y) == words


@pytest.mark.parametrize(
    ("text", "x"),
    [
        *(("sinc(x)", x) for x in (1, 2, -3, 100, 2.5)),
        *(("lgamma(x)", x) for x in (1, 2, -2.457024738220797)),
        ("digamma(x)", 1.4616321449683623),
        ("gelu(x)", -25.4697847),
        ("max((x + 1)^2, 1 + 2*x) + x", 0),
    ],
)
def test_functions_at_their_zeros_and_far_out_are_decided(text: str, x: float) -> None:
    found = checks(text, x=x)["x"]
    assert found.verdict is Verdict.PASS
    assert (found.digits or 0) > 9


def test_elements_that_drown_are_zero_beside_the_others() -> None:
    matrix = np.array([[1, 0.1, 0], [2, 0.2, 0], [3, 0.3, 5]])
    assert checks("det(A)", A=matrix)["A"].verdict is Verdict.PASS
    triangle = np.array([[-1.46, 0, 0], [-1.75, -0.47, 0], [-1.16, -0.94, -1.42]])
    assert checks("det(A)", A=triangle)["A"].verdict is Verdict.PASS
    # With nothing beside them they stay what they are.
    ones = np.outer([1, 2, 3], [1, 2, 3.0])
    assert checks("det(A)", A=ones)["A"].verdict is Verdict.INCONCLUSIVE


def test_long_sums_are_decided() -> None:
    for seed in range(2):
        x = np.random.default_rng(seed).normal(size=100_000)
        assert evaluated("sum(x^2)", x=x)["x"].check.verdict is Verdict.PASS  # type: ignore[union-attr]


def test_a_convention_that_is_not_the_slope_is_a_failure() -> None:
    words = said("relu(x) - relu(-x)", "x", x=0)
    assert words.startswith("WRONG: slope 1 ± ")
    assert words.endswith("gradient 0; relu is at its corner: the convention is not the slope")


def test_conditions_and_what_is_not_selected() -> None:
    found = checks("where(x > 0, log(x), x)", x=-1)
    assert {check.verdict for check in found.values()} == {Verdict.PASS, Verdict.ZERO}


@pytest.mark.parametrize("text", ["log(x)*y", "1/x + y", "exp(1000*y)*x", "sqrt(x - 1)*y"])
def test_nothing_is_raised_where_nothing_is_defined(text: str) -> None:
    found = checks(text, x=0, y=1)
    assert {check.verdict for check in found.values()} <= {Verdict.EDGE, Verdict.OVERFLOW}
    checks("x*y", x=np.inf, y=np.nan)


def test_an_infinite_value_with_a_finite_result() -> None:
    assert checks("1/x", x=np.inf)["x"].verdict is Verdict.EDGE


# --- arrays ------------------------------------------------------------------------------

NETWORK = "h = relu(W1 @ x + b1); z = W2 @ h + b2; logsumexp(z) - z[1]"


def network() -> dict[str, Any]:
    draw = np.random.default_rng(0)
    return {
        "W1": draw.normal(size=(30, 40)) / 6,
        "b1": np.full(30, 0.05),
        "W2": draw.normal(size=(4, 30)) / 5,
        "b2": np.full(4, 0.1),
        "x": draw.uniform(size=40),
    }


def with_gradient(result: Result, node: int, gradient: Any) -> Check:
    accumulators = list(result.accumulators)
    accumulators[node] = gradient
    active = [a is not None for a in accumulators]
    passed = Backward(accumulators, list(result.contributions))
    found = check_gradients(result.graph, result.values, passed, active, result.upstream)
    return found.rows[node]


def test_large_arrays_along_random_directions() -> None:
    result = Program(NETWORK).evaluate(network())
    assert result.verdict == "pass"
    check = result["W1"].check
    assert check is not None
    assert check.finite_difference is None
    assert check.reason.startswith("3 random directions: an element off by 0.1 % is missed with")


def test_one_wrong_element_of_many_is_found() -> None:
    result = Program(NETWORK).evaluate(network(), check=False)
    gradient = np.array(result.gradient["W1"])
    place = np.unravel_index(np.argmax(np.abs(gradient)), gradient.shape)
    gradient[place] *= 1.001
    check = with_gradient(result, 0, gradient)
    assert check.verdict is Verdict.FAIL
    assert check.element == tuple(map(int, place))


def test_a_missing_column_is_found() -> None:
    result = Program(NETWORK).evaluate(network(), check=False)
    gradient = np.array(result.gradient["W1"])
    gradient[:, 7] = 0
    assert with_gradient(result, 0, gradient).verdict is Verdict.FAIL


def test_every_element_if_wanted() -> None:
    result = Program("sum(W*W)").evaluate(W=np.ones((9, 9)), check="all")
    check = result["W"].check
    assert check is not None
    assert check.verdict is Verdict.PASS
    assert np.shape(check.finite_difference) == (9, 9)


def test_elements_of_small_arrays() -> None:
    result = evaluated("sum(relu(x)*y)", x=[1, 0, -2], y=[1, 2, 3])
    check = result["x"].check
    assert check is not None
    assert check.verdict is Verdict.KINK
    assert check.element == (1,)
    assert describe(check, result["x"].delta) == (
        "corner: slope 0 on the left, 2 on the right; relu's convention gives 0 at [1]"
    )
    np.testing.assert_allclose(check.finite_difference, [1, np.nan, 0], atol=1e-9)


def test_rows_that_do_not_fit_into_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcli.check.sampling.MOST_ELEMENTS", 5000)
    assert Program(NETWORK).evaluate(network(), check_budget=60).verdict == "pass"


def test_an_upstream_weighs_the_output() -> None:
    result = Program("W @ x").evaluate(W=[[1.0, 2], [3, 4]], x=[2.0, 3], upstream=[1.0, -2.0])
    assert result.verdict == "pass"
    assert evaluated("x*2", x=3).verdict == "pass"
    assert Program("x^2").evaluate(x=3, upstream=0.5).verdict == "pass"


def test_empty_arrays_have_nothing_to_check() -> None:
    assert checks("sum(x) + 1", x=np.zeros(0))["x"].verdict is Verdict.ZERO


# --- numbers out of range -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "point", "words"),
    [
        # -1/x² is no double here, though the gradient is one.
        ("y/x", {"x": 1e200, "y": 1e150}, "inconclusive: a local derivative underflows"),
        ("y/(x + 3)", {"x": 1e200, "y": 1e150}, "inconclusive: a local derivative underflows"),
        ("y/x", {"x": 1e-200, "y": 1e-150}, "overflow in reciprocal"),
        ("y/x", {"x": 1e200, "y": 2}, "zero"),
    ],
)
def test_local_derivatives_out_of_range(text: str, point: dict[str, float], words: str) -> None:
    row = evaluated(text, **point)["x"]
    assert row.check is not None
    assert describe(row.check, row.delta).split(";")[0] == words


def test_what_is_wrong_by_more_than_an_underflow_loses_is_wrong() -> None:
    text = "block half(u) = u^2 with d/du = u\n1/x + half(x/1e200)"
    assert checks(text, x=1e200)["x"].verdict is Verdict.FAIL


# --- large programs ----------------------------------------------------------------------


def chain(length: int) -> str:
    steps = (f"v{i} = 0.9*sin(v{i - 1}) + x" for i in range(1, length))
    return "\n".join(["v0 = x*y", *steps])


def test_what_there_is_no_time_for_is_counted() -> None:
    result = Program(chain(700)).evaluate(x=0.3, y=0.7, check_budget=0.1)
    assert result.checks is not None
    rows = sum(a is not None for a in result.accumulators)
    assert len(result.checks.rows) + result.checks.omitted == rows
    assert result.checks.omitted > 0
    assert result.checks.local == rows - 2
    assert {0, 1} <= set(result.checks.rows)
    assert result.verdict == "partial"


def test_a_wrong_rule_in_a_large_program_is_found_by_its_local_derivative() -> None:
    text = "block bad(u) = sin(u) with d/du = 1.01*cos(u)\n" + chain(500) + "\nbad(v3) + v499"
    result = Program(text).evaluate(x=0.3, y=0.7, check_budget=0.1)
    check = result["v3"].check
    assert check is not None
    assert check.operation == "bad"


# --- the budget --------------------------------------------------------------------------


class Evaluations:
    """A clock that is moved by the rows that are computed, each a second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # A quarter of every limit of size: next to them, `LARGE` is as large as 40,000 elements.
        monkeypatch.setattr("gradcli.check.workbench.MANY", 5_000)
        monkeypatch.setattr(mpmath_ops, "MOST_NUMBERS", 5_000)
        monkeypatch.setattr(sampling, "MOST_ELEMENTS", 750_000)
        self.rows = 0
        run = stencil.Pass.run

        def counted(one: stencil.Pass) -> stencil.Outputs:
            self.rows += one.rows
            return run(one)

        monkeypatch.setattr(stencil.Pass, "run", counted)

    def checks(
        self, text: str, budget: float, wrong: float = 1.0, /, *, mode: str = "", **point: Any
    ) -> Checks:
        """The check of a program's gradient, the first input's times `wrong`."""
        result = Program(text).evaluate(point, check=False)
        accumulators = list(result.accumulators)
        accumulators[0] = accumulators[0] * wrong
        return check_gradients(
            result.graph,
            result.values,
            Backward(accumulators, list(result.contributions)),
            [a is not None for a in accumulators],
            result.upstream,
            every_element=mode == "all",
            clock=Clock(budget, lambda: float(self.rows)),
        )


LARGE = np.random.default_rng(5).normal(size=10_000)
WAVES = "sum(sin(x)*exp(x))"


def test_a_right_gradient_of_a_large_array_is_seen_at_a_glance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Evaluations(monkeypatch)
    found = clock.checks("norm(x)", 1e9, x=LARGE)
    assert {c.verdict for c in found.rows.values()} == {Verdict.PASS}
    assert found.rows[0].reason.startswith("3 random directions")
    glances = 3 * (1 + 2 * quick_check.FEW + quick_check.JITTERED)
    assert clock.rows < glances + 200  # the output is a number, and checked in full


@pytest.mark.parametrize("budget", [10, 50, 100, 200, 500])
@pytest.mark.parametrize("wrong", [1.0, 1.001, -1.0])
def test_the_budget_holds_for_large_arrays(
    monkeypatch: pytest.MonkeyPatch, budget: float, wrong: float
) -> None:
    clock = Evaluations(monkeypatch)
    found = clock.checks(WAVES, budget, wrong, x=LARGE)
    one_pass = sampling.MOST_ELEMENTS // len(LARGE)
    assert clock.rows <= 1.5 * budget + 2 * one_pass
    assert len(found.rows) + found.omitted == 5
    if wrong != 1 and 0 in found.rows:
        assert found.rows[0].verdict is Verdict.FAIL
    if budget >= 50:
        assert found.rows[0].verdict is (Verdict.PASS if wrong == 1 else Verdict.FAIL)


def test_a_wrong_element_of_a_large_array_is_located_if_there_is_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = np.ones(len(LARGE))
    place = int(np.argmax(np.abs(LARGE)))
    wrong[place] = 1.5
    clock = Evaluations(monkeypatch)
    assert clock.checks("norm(x)", 1e9, wrong, x=LARGE).rows[0].element == (place,)  # type: ignore[arg-type]
    hasty = clock.checks("norm(x)", 60, wrong, x=LARGE).rows[0]  # type: ignore[arg-type]
    assert (hasty.verdict, hasty.element) == (Verdict.FAIL, None)


def test_arrays_that_were_checked_in_part_are_counted_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Evaluations(monkeypatch)
    found = clock.checks("sum(x^2)", 20_000, x=np.arange(1, 2001.0), mode="all")
    assert found.in_part == 1
    assert len(found.rows) + found.omitted == 3
    assert "of 2,000 elements checked" in found.rows[0].reason
    whole = replace(Program("sum(x^2)").evaluate(x=np.arange(1, 2001.0)), checks=found)
    assert whole.verdict == "partial"
    text = render(whole, "table", Style(width=None, color=False, ascii=False))
    assert "; 1 checked in part" in text


def test_a_wrong_rule_is_told_though_its_row_is_not_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What local derivatives show is not lost where a row could not be checked in time."""
    monkeypatch.setattr("gradcli.check.run._Run.examine", lambda *_, **__: None)
    monkeypatch.setattr("gradcli.check.run._Run.affordable", lambda *_: False)
    result = Program("block bad(u) = sin(u) with d/du = 1.01*cos(u)\nbad(x*y)").evaluate(x=1, y=2)
    assert result.verdict == "fail"
    assert result.checks is not None
    assert result.checks.rules[0].startswith("block bad: d/du")


def test_the_search_for_who_is_to_blame_ends_with_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """x has hundreds of consumers, all of them right; its accumulator is not."""
    calls: list[int] = []
    look = local.wrong_rules

    def counted(*arguments: Any) -> list[Any]:
        calls.append(1)
        return look(*arguments)

    monkeypatch.setattr(local, "wrong_rules", counted)
    found = Evaluations(monkeypatch).checks(chain(300), 1, 1.001, x=0.3, y=0.7)
    assert found.rows[0].verdict is Verdict.FAIL
    assert len(calls) <= local.AT_LEAST + 2


# --- the second opinion ------------------------------------------------------------------


def test_exact_settles_what_doubles_cannot() -> None:
    result = Program("(exp(x) - 1)/x").evaluate(x=1e-9, exact=True)
    check = result["x"].check
    assert check is not None
    assert check.exact == pytest.approx(0.5, rel=1e-8)
    assert check.verdict is Verdict.INCONCLUSIVE
    assert check.reason == "right rule, digits lost"
    settled = Program("1e6 + abs(x - 1e-9)").evaluate(x=0, exact=True)["x"].check
    assert settled is not None
    assert (settled.verdict, settled.exact, settled.ulps) == (Verdict.PASS, -1.0, 0.0)


def test_exact_accuses_no_right_gradient() -> None:
    counted = 0
    for text, point in random_programs(60):
        try:
            result = Program(text).evaluate(point, exact=True)
        except GradcliError:
            continue  # no value there
        counted += 1
        assert Verdict.FAIL not in {c.verdict for c in result.checks.rows.values()}  # type: ignore[union-attr]
    assert counted > 30


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("a = y*1; a - x", {"x": -351.9, "y": 2e-306}),  # moves the 626th digit
        ("sin(x*1e3 - 0.1)*x", {"x": 3e11}),  # a right rule, its argument rounded
        ("det([[x, 2], [y*y, 3]])", {"x": -0.86, "y": -789.6}),  # an error of the largest element
        ("softmax(x*[1, 2, 0.5])[0]", {"x": 213.9}),  # true zeros of 1e-233
    ],
)
def test_exact_where_it_was_once_wrong(text: str, point: dict[str, float]) -> None:
    result = Program(text).evaluate(point, exact=True)
    assert result.verdict != "fail"


def test_exact_needs_mpmath(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcli.check.second_opinion.available", lambda: False)
    with pytest.raises(GradcliError) as caught:
        Program("x^2").evaluate(x=1, exact=True)
    assert caught.value.kind is Kind.OPTION
    assert caught.value.hint == "pip install 'gradcli[exact]'"


def test_every_row_that_programs_use_has_a_precise_form() -> None:
    for row in ops.TABLE:
        assert mpmath_ops.form(row) is not None or row.group == "used in derivatives", row.name


@each_sample
def test_precise_forms_are_the_operations(row: Operation, sample: str) -> None:
    form = mpmath_ops.form(row)
    if form is None:
        return
    found = applied(row, sample)
    assert found.node.kernel is not None
    with mp.workdps(50):
        operands = [mpmath_ops.lifted(operand) for operand in found.operands]
        value = np.asarray(form(*operands, **keywords(found.node.kernel)), dtype=float)
    assert value.shape == np.shape(found.out)
    rounded = 1e-15 if row.factorises else 1e-300  # a 0 that LAPACK comes near
    np.testing.assert_allclose(value, found.out, rtol=1e-12, atol=rounded)


def test_exact_looks_through_blocks_and_along_directions() -> None:
    text = "block f(u) = u*sin(u) with d/du = sin(u) + u*cos(u)\nf(x)"
    check = Program(text).evaluate(x=1.2, exact=True)["x"].check
    assert check is not None
    assert check.ulps is not None
    assert check.ulps <= 2
    large = Program("sum(exp(W))").evaluate(W=np.linspace(0, 1, 70), exact=True)["W"].check
    assert large is not None
    assert large.verdict is Verdict.PASS
    assert second_opinion.available()


# --- words -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "gradient", "words"),
    [
        (Check(Verdict.PASS, digits=10.32), 1.0, "agrees to 10.3 digits"),
        (Check(Verdict.ZERO, error_estimate=3.2e-16), 0.0, "zero to within 3e-16"),
        (
            Check(Verdict.FAIL, slope=2.4131, error_estimate=2e-12),
            2.4155,
            "WRONG: slope 2.4131 +- 2e-12, gradient 2.4155",
        ),
        (
            Check(Verdict.FAIL, slope=1.0, error_estimate=1e-13),
            1.0000001,
            "WRONG: slope 1 +- 1e-13, gradient 1.0000001",
        ),
        (
            Check(Verdict.EDGE, left=np.inf, right=np.inf, reason="agrees"),
            np.inf,
            "edge: slope -> +inf (agrees)",
        ),
        (
            Check(Verdict.INCONCLUSIVE, reason="rounding noise in f", digits=2.8),
            1.0,
            "inconclusive: rounding noise in f (2.8 digits)",
        ),
        (Check(Verdict.OVERFLOW, operation="exp"), np.inf, "overflow in exp"),
        (Check(Verdict.JUMP, reason="f leaps by 1"), 0.0, "jump: f leaps by 1 here"),
        (Check(Verdict.PASS, digits=16.0, exact=1.0, ulps=0.5), 1.0,
         "agrees to 16.0 digits; off by 0.5 ulp"),
    ],
)  # fmt: skip
def test_words(check: Check, gradient: float, words: str) -> None:
    assert describe(check, gradient, ascii_only=True) == words
    assert describe(check, gradient, ascii_only=True).isascii()


@pytest.mark.parametrize(
    ("text", "inputs", "row"),
    [
        ("relu(3*x - 0.3)", {"x": 0.1}, "a"),
        ("relu(x*a - b)^2", {"x": 2.2, "a": 1.1, "b": 2.42}, "b"),
        ("abs(x - 0.3)^1.5", {"x": 0.1 + 0.2}, "x"),
        ("cbrt(x - 0.3)^4", {"x": 0.1 + 0.2}, "x"),
    ],
)
def test_a_border_nearer_than_any_step_is_no_jump(
    text: str, inputs: dict[str, float], row: str
) -> None:
    """Rounding puts the point beside a border: f neither leaps nor ends there."""
    assert evaluated(text, **inputs)[row].check.verdict is Verdict.INCONCLUSIVE  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "inputs", "left", "right"),
    [
        ("max(1 + x, 1)", {"x": 0}, 0, 1),
        ("max(1 + x, 1 - x)", {"x": 0}, -1, 1),
        ("min(1000 - x, 1000)", {"x": 0}, 0, -1),
        ("hardtanh(x*a - b - 1)", {"x": 0.1, "a": 1.6, "b": 0.16}, 0, 1.6),
    ],
)
def test_a_kink_is_seen_where_rounding_swallows_the_smallest_steps(
    text: str, inputs: dict[str, float], left: float, right: float
) -> None:
    found = checks(text, **inputs)["x"]
    assert found.verdict is Verdict.KINK
    assert found.left == pytest.approx(left, abs=1e-12)
    assert found.right == pytest.approx(right, abs=1e-12)


def test_a_flat_piece_narrower_than_the_steps_is_no_kink() -> None:
    """The slope of max(relu(x - 1e-20), 0) is 0 at 0, and nothing there is lost by rounding."""
    assert checks("max(relu(x - 1e-20), 0)", x=0)["x"].verdict is Verdict.ZERO


@pytest.mark.parametrize("x", [0.3, np.nextafter(0.3, 1), np.nextafter(0.3, 0)])
def test_slopes_that_go_to_zero_like_a_power_are_no_kink(x: float) -> None:
    assert checks("abs(x - 0.3)^1.25", x=x)["x"].verdict is Verdict.INCONCLUSIVE
    end = checks("x^1.25", x=0)["x"]
    assert (end.verdict, end.right, end.reason) == (Verdict.EDGE, 0, "agrees")


def test_the_slopes_of_a_kink_are_shown_to_differ() -> None:
    found = Check(
        Verdict.KINK, left=2.99999998, right=3.00000002, error_estimate=1e-9, reason="lies between"
    )
    assert describe(found, 3.0) == (
        "corner: slope 2.99999998 on the left, 3.00000002 on the right; the convention gives 3"
    )
