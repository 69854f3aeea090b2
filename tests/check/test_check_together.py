"""All variables of a program looked at together, against each of them alone by the whole method."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from statistics import mean
from typing import Any

import numpy as np
import pytest
from random_programs import random_programs

from gradcli.check import workbench
from gradcli.check.function import Coordinate, Function, Point
from gradcli.check.rows import Row
from gradcli.check.sampling import Points, Request, sample
from gradcli.check.stencil import Pass
from gradcli.check.workbench import Bench
from gradcli.diagnostics.error import GradcliError
from gradcli.engine.plan import Backward
from gradcli.program import Program
from gradcli.results.result import Check, Result, Verdict

ACQUITTED = (Verdict.PASS, Verdict.ZERO)
BRANCHES = (
    "where(x > y, relu(x)*v, abs(y - x)) + max(x, y)",
    "a = [x, y, x*y]; sum(relu(a - 1)*a) + a[0]/norm(a)",
    "A = [[x, 2], [y*x, 3]]; det(A @ A) + sum(where(A > 1, A*x, y))",
    "block cube(u) = u^3 with d/du = 3*u^2; cube(x)*cube(y) + v",
)


@pytest.fixture(autouse=True)
def _in_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradcli.check.second_opinion.available", lambda: False)


def evaluated(count: int, first: int) -> list[Result]:
    """Random programs at points where they have a value."""
    found = []
    for text, point in random_programs(count, first):
        try:
            found.append(Program(text).evaluate(point, check=False))
        except GradcliError:
            continue
    return found


def rows(result: Result) -> dict[int, Check]:
    """The checks of all rows."""
    checks = Program(result.program).check(result, budget=60.0).checks
    assert checks is not None
    return dict(checks.rows)


def test_what_a_look_acquits_the_whole_method_does_not_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Few points print about the digits that many do, and leave no more undecided."""
    results = evaluated(25, 9000)
    together = [rows(result) for result in results]
    monkeypatch.setattr(workbench.Bench, "_look", lambda *_, **__: None)
    alone = [rows(result) for result in results]
    lost, undecided = [], 0
    for some, others in zip(together, alone, strict=True):
        assert some.keys() == others.keys()
        for i, check in some.items():
            known = others[i].verdict
            assert check.verdict is known or known is Verdict.INCONCLUSIVE, (check, others[i])
            undecided += (check.verdict in ACQUITTED) - (known in ACQUITTED)
            digits, more = check.digits, others[i].digits
            if digits is not None and more is not None:
                lost.append(more - digits)
    assert undecided >= 0
    assert max(lost) < 2
    assert mean(loss > 0.5 for loss in lost) < 0.1


def test_few_variables_are_left_to_the_whole_method(monkeypatch: pytest.MonkeyPatch) -> None:
    left, whole = [], Bench._converse

    def counted(bench: Bench, coordinates: Any) -> Any:
        left.extend(coordinates)
        return whole(bench, coordinates)

    monkeypatch.setattr(Bench, "_converse", counted)
    checked = [check for result in evaluated(25, 9100) for check in rows(result).values()]
    assert len(left) <= 0.15 * len(checked)


def test_a_slope_that_is_known_is_no_zero_beside_steep_ones() -> None:
    """The gradient is nothing beside the slopes nearby, and of the wrong sign."""
    result = Program("solve([[y, 2], [cosh(z)*z, 3]], [1, 2])[0]").evaluate(
        y=0.0066, z=-49.5541, check=False
    )
    place = result.graph.inputs[
        [result.graph.nodes[i].name for i in result.graph.inputs].index("z")
    ]
    assert rows(result)[place].verdict is Verdict.PASS
    accumulators = tuple(None if a is None else -a for a in result.accumulators)
    assert rows(replace(result, accumulators=accumulators))[place].verdict not in ACQUITTED


@pytest.mark.parametrize("text", BRANCHES)
def test_columns_of_one_pass_are_what_each_variable_gives_alone(text: str) -> None:
    result = Program(text).evaluate({"x": 1.25, "y": 0.75, "v": -2.0} if "v" in text else
                                    {"x": 1.25, "y": 0.75}, check=False)  # fmt: skip
    active = [a is not None for a in result.accumulators]
    passed = Backward(list(result.accumulators), list(result.contributions))
    point = Point(result.graph, result.values, passed, active, result.upstream, result.rules)
    function = Function(point)
    requests = [request(c) for c in coordinates(result)]
    together = sample(function, requests)
    for one, found in zip(requests, together, strict=True):
        (alone,) = sample(function, [one])
        calm = len(one.points.t) - one.points.jittered
        assert found.nodes == alone.nodes
        np.testing.assert_allclose(found.y[:, :calm], alone.y[:, :calm], rtol=1e-15)
        np.testing.assert_allclose(found.y[:, calm:], alone.y[:, calm:], rtol=1e-13)
        same = [s.signature == s.signature[0] for s in (found, alone)]
        np.testing.assert_array_equal(*same)
        assert found.y.shape[1] == len(one.points.t)


STRAIGHT = {
    "sum(tanh(X @ W))": 1,
    "sum(tanh(W @ X.T))": 1,
    "sum(tanh(v @ W)) + sum(sin(W @ v))": 2,
    "tanh(dot(W, X)[0, 1])": 1,
    "sum(tanh(reshape(X, [2, 2, 4]) @ W))": 1,
    "sum(tanh(X @ W)) + sum(W)": 0,
    "sum(tanh(W.T @ W))": 0,
    "sum((W @ v) * (W @ (W @ v)))": 0,
    "sum(tanh(1e307*X @ W))": 0,  # the direction overflows
}
"""How many products of a program a direction through W goes straight into, and nothing else."""


@pytest.mark.parametrize(("text", "products"), STRAIGHT.items())
def test_products_along_a_direction_are_those_of_every_point(
    text: str, products: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = np.random.default_rng(0)
    values = {"X": draw.normal(size=(4, 4)), "W": draw.normal(size=(4, 4)), "v": np.ones(4)}
    result = Program(text).evaluate({k: a for k, a in values.items() if k in text}, check=False)
    active = [a is not None for a in result.accumulators]
    passed = Backward(list(result.accumulators), list(result.contributions))
    point = Point(result.graph, result.values, passed, active, result.upstream, result.rules)
    function = Function(point)
    (node,) = (n for n in result.graph.nodes if n.name == "W")
    one = request(Coordinate(node.id, values["W"], direction=30 * draw.normal(size=(4, 4))))
    with np.errstate(all="ignore"):
        assert len(function.straight(one.coordinate, one.points.t)) == products
        (found,) = sample(function, [one])
        monkeypatch.setattr(Function, "straight", lambda *_: {})
        (each,) = sample(Function(point), [one])
    assert found.nodes == each.nodes
    np.testing.assert_allclose(found.y, each.y, rtol=1e-12, atol=1e-12)
    assert {i: a.shape for i, a in found.held.items()} == {i: a.shape for i, a in each.held.items()}


def coordinates(result: Result) -> list[Coordinate]:
    """Every variable of a program, in an order that is not that of the graph."""
    found: list[Coordinate] = []
    for node in reversed(result.graph.nodes):
        value, gradient = result.values[node.id], result.accumulators[node.id]
        if node.carries and gradient is not None:
            found += Row(node, value, gradient, every_element=True, seed=0).coordinates()
    return found


def request(coordinate: Coordinate) -> Request:
    """Points on several pieces of the function, and some with jitter."""
    t = coordinate.x + np.array([0.0, 0.125, 1.5, -0.125, -1.5, 0.0, 0.0])
    return Request(coordinate, Points(t, 2, 2), watched=True)


def mixture(seed: int) -> str:
    """A random program of 50 operations, each on the one before and maybe on another."""
    draw = random.Random(seed)  # noqa: S311 - no secrets
    lines = ["v0 = x*y"]
    for i in range(1, 50):
        other = draw.choice(["x", "y", *(f"v{j}" for j in range(i))])
        form = draw.choice(["sin({})", "cos({})", "tanh({})", "sigmoid({})", *["{} {} {}"] * 4])
        lines.append(f"v{i} = " + form.format(f"v{i - 1}", draw.choice("+-*"), other))
    return "\n".join(lines)


def test_one_pass_is_enough_for_most_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where f shows nothing but its rounding, as for a third of the first one's variables."""
    passes, run = [], Pass.run

    def counted(one: Pass) -> Any:
        passes.append(one)
        return run(one)

    monkeypatch.setattr(Pass, "run", counted)
    monkeypatch.setattr(Bench, "_converse", None)
    verdicts: Counter[Verdict] = Counter()
    for seed in range(12):
        result = Program(mixture(seed)).evaluate(x=0.5, y=1.5, check=False)
        verdicts.update(check.verdict for check in rows(result).values())
    assert verdicts.keys() <= {*ACQUITTED, Verdict.INCONCLUSIVE}
    assert verdicts[Verdict.INCONCLUSIVE] <= 16
    assert len(passes) <= 16
