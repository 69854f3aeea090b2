"""The trace by statements: formulas that are put together say what was computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from random_programs import random_program
from report_samples import NAMES, evaluate, samples
from test_trace import PIPE, gradcli, strict

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source
from gradcli.program import Program
from gradcli.report import Style
from gradcli.report.trace import listing as trace
from gradcli.report.trace.listing import Choice
from gradcli.results.result import Result
from gradcli.syntax.parser import parse_expression
from gradcli.syntax.printer import print_tree
from gradcli.trace.simplify import negated, plus, times
from gradcli.trace.statements import StatementSteps
from gradcli.trace.steps import Steps

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

SIGMOID = "a = 1.0/(1 + exp(-y))\nb = x + a\nc = x^2 + y\nf = b/c"
W = [[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]]
PROGRAMS: dict[str, dict[str, Any]] = {
    SIGMOID: {"x": 3, "y": -4},
    "f = x*x + x": {"x": 3},
    "h = tanh(W @ x + b)*s\nsum(softmax(h)*t)": {
        "W": W,
        "x": [1, 2],
        "b": [1, 0, -1],
        "s": 2,
        "t": [0.5, 1, 2],
    },
    "z = W @ x\nJ = ||relu(z) - t||^2 + 0.5*sum(W^2)": {"W": W, "x": [1, 2], "t": [0, 1, 2]},
    "m = mean(W, axis=0)\nsum((W - m)^2)/6": {"W": W},
    "a = sum(x @ W.T)\na^2": {"x": [1, 2], "W": W},
    "g = x @ x + y\ng*y": {"x": [1, 2], "y": 3},
    "a = where(x > 0, x^2, -x)\nsum(a*x)": {"x": [1, -2, 3]},
    "p = max(x)*min(x) - prod(x)\nlog(p^2)": {"x": [2, -2, 3]},
    "q = W[0, :] * s + W[1, 1]\nsum(exp(q))": {"W": W, "s": 0.5},
    "k = 2*pi\na = sin(k*x)*k\na - k": {"x": 0.3},
    "a = (sum(x)*x) @ x\na": {"x": [1, 2]},
}


def steps_of(result: Result) -> StatementSteps:
    return StatementSteps(result, Program(result.program).statements)


def agree(result: Result) -> None:
    """Every right-hand side, read as a program, comes to what was sent."""
    nodes, steps = result.graph.nodes, steps_of(result)
    known = {node.name: value for node, value in zip(nodes, result.values, strict=True)}
    for node, delta in zip(nodes, result.accumulators, strict=True):
        if delta is not None:
            known[f"delta_{node.name}"] = delta
    rows = {node.name for node in nodes if node.type.row}
    last: dict[str, Any] = {}
    for move in steps.moves():
        program = Program(move.formula)
        inputs = {name: known[name] for name in program.names.free if name in known}
        if rows & {name.removeprefix("delta_") for name in inputs}:
            continue  # no input can be a transposed vector
        found = program.evaluate(inputs, check=False, gradient=False).value
        np.testing.assert_allclose(
            np.broadcast_to(found, np.shape(move.value)), move.value, rtol=1e-9, atol=1e-12
        )
        before = 0 if move.before is None else move.before
        np.testing.assert_allclose(before + move.value, move.accumulator, atol=1e-12)
        last[move.to.name] = move.final, move.accumulator
    assert all(final for final, _ in last.values())
    for name, gradient in result.gradient.items():
        if name in last:
            np.testing.assert_array_equal(last[name][1], gradient)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_formulas_say_what_was_computed(program: str) -> None:
    result = evaluate(program, PROGRAMS[program])
    agree(result)
    named = [step.node.name for step in steps_of(result).steps()]
    assert (
        named == [*Program(program).statements & set(named)]
        or len(named) == program.count("\n") + 1
    )


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"nonfinite"}))
def test_samples(name: str) -> None:
    agree(samples()[name])


@pytest.mark.parametrize("program", PROGRAMS)
def test_listing(program: str, snapshot: SnapshotAssertion) -> None:
    result = evaluate(program, PROGRAMS[program])
    assert "".join(trace.pieces(steps_of(result), PIPE, Choice(), lambda: result)) == snapshot


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed: int) -> None:
    program, point = random_program(seed)
    try:
        result = evaluate(program, point)
    except GradcliError:
        return
    agree(result)
    for width in (None, 60):
        look = Style(width=width, color=False, ascii=False)
        for steps in (steps_of(result), Steps(result)):
            assert "".join(trace.pieces(steps, look, Choice(), lambda: result))


def test_values_that_are_not_finite() -> None:
    result = samples()["nonfinite"]
    text = "".join(trace.pieces(steps_of(result), PIPE, Choice(), lambda: result))
    assert "delta_y" in text


def test_the_tutorials_statement() -> None:
    code, out, _ = gradcli(SIGMOID, "--x", "3", "--y", "-4", "--by", "statement")
    assert code == 0
    assert "a = 1/(1 + exp(-y))  " in out
    assert "delta_y += delta_a * exp(-y)/(1 + exp(-y))^2 " in out
    assert "= -0.120719 + 0.2 * 0.0176627\n" in out
    assert "(4)" in out
    assert "(5)" not in out


def test_json() -> None:
    text = gradcli(SIGMOID, "--x", "3", "--y", "-4", "--by", "statement", "--json")[1]
    found = strict(text)
    assert found["by"] == "statement"
    assert [step["name"] for step in found["steps"]] == ["a", "b", "c", "f"]
    assert found["backward"][0] == {
        "step": 4,
        "node": "f",
        "to": "b",
        "local": "1/c",
        "local_value": 0.2,
        "upstream": 1.0,
        "contribution": 0.2,
        "accumulator": 0.2,
        "final": True,
        "assign": "=",
        "formula": "1/c",
        "before": None,
        "paths": 1,
    }


def test_what_would_be_too_long_stays_in_operations() -> None:
    long = "y = " + "sin(" * 60 + "x" + ")" * 60 + "\ny*x"
    result = evaluate(long, {"x": 1})
    agree(result)
    assert len(list(steps_of(result).steps())) == 61


def test_what_the_language_can_not_write_down_stays_in_operations() -> None:
    """A number times a transposed vector is no transposed vector any more."""
    result = evaluate("g = x.T @ x + y\ng*y", {"x": [1, 2], "y": 3})
    steps = [step.expression for step in steps_of(result).steps()]
    assert steps == ["x.T", "a @ x", "b + y", "g * y"]


def test_a_node_that_two_statements_use_keeps_its_step() -> None:
    """Functions are unfolded where they are called, each call by itself."""
    agree(evaluate("g(u) = exp(u)*u\na = g(x) + 1\nb = g(x)*a", {"x": 0.5}))


def test_many_statements() -> None:
    lines = ["v0 = x*2", *(f"v{i} = sin(v{i - 1}) + x" for i in range(1, 300))]
    result = evaluate("\n".join(lines), {"x": 1})
    assert sum(1 for _ in steps_of(result).steps()) == 300
    agree(result)


@pytest.mark.parametrize(
    ("left", "right", "product"),
    [
        ("1", "a", "a"),
        ("a", "1", "a"),
        ("-1", "a", "-a"),
        ("-1", "-a", "a"),
        ("a", "-1/b^2", "-a/b^2"),
        ("-2*a", "-b", "2*a*b"),
        ("a", "1/b", "a/b"),
        ("1/b", "a", "a/b"),
        ("a/b", "c/d", "a/b*c/d"),
        ("a + b", "c", "(a + b)*c"),
        ("a", "b - c", "a*(b - c)"),
    ],
)
def test_products(left: str, right: str, product: str) -> None:
    def tree(text: str) -> Any:
        return parse_expression(Source(text))

    assert print_tree(times(tree(left), tree(right)), spaced=False) == product


def test_sums() -> None:
    a, b = (parse_expression(Source(text)) for text in ("a", "-2*b"))
    assert print_tree(plus(None, a)) == "a"
    assert print_tree(plus(a, b)) == "a - 2*b"
    assert print_tree(negated(negated(b))) == "-2 * b"
