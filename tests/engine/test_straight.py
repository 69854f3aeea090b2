"""The passes written out as functions give what the loops give, to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from ops_samples import fresh, weights
from random_programs import random_programs
from sweep import each_sample

from gradcli import GradcliError, Program, Result, examples
from gradcli.engine.run import MOST_NODES, RUNS, Executable, Passes
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Operation

BLOCK = """
block cube(p) = p^3 with d/dp = 3*p^2
where(x > 0, log(x), x) * cube(y) + x
"""
DEEP = f"block long(p) = p with d/dp = {'sin(' * 300}p{')' * 300}\nlong(x)"


def same(a: Any, b: Any) -> bool:
    """Whether two numbers or arrays are alike in type, shape and every bit."""
    if a is None or b is None:
        return a is b
    return type(a) is type(b) and a.shape == b.shape and a.tobytes() == b.tobytes()


def ready_for(program: Program, result: Result) -> Executable:
    """What a program has run to come to a result."""
    ready = program.executable(result.inputs)
    assert ready.graph is result.graph
    return ready


def runs(graph: Graph, inputs: dict[str, Any], active: Sequence[bool]) -> tuple[Passes, Passes]:
    """What came of the first run, and of one after the passes were written out."""
    upstream = weights(graph.nodes[graph.output].type.shape)
    ready = Executable(graph)
    found = [ready.both(inputs, active, upstream, allow_nonfinite=True) for _ in range(RUNS + 1)]
    assert ready.both_passes.line is not None
    return found[0], found[-1]


def assert_same(graph: Graph, inputs: dict[str, Any], active: Sequence[bool]) -> None:
    loops, line = runs(graph, inputs, active)
    assert all(map(same, loops.values, line.values))
    assert all(map(same, loops.accumulators, line.accumulators))
    assert len(loops.contributions) == len(line.contributions)
    for one, other in zip(loops.contributions, line.contributions, strict=True):
        assert type(other) is type(one)
        assert one[:3] == other[:3]
        assert one.final is other.final
        assert same(one.value, other.value)
        assert same(one.accumulator, other.accumulator)


@pytest.mark.parametrize("name", examples.ORDER)
def test_examples(name: str) -> None:
    program = Program(examples.text(name))
    inputs = program.bind({})
    graph = program.graph(inputs)
    assert_same(graph, inputs, graph.dependent(set(graph.inputs)))


READ_BY_ELEMENT = [
    "v[0]*v[1] - v[0]*v[2]^2",
    "-v[1]*0 + v[3]*v[3]*v[3] - 0*v[0]",
    "M[0, 1]*M[1, 0] + sin(M[1, 1])*M[0, 1]",
    "s[0] - s[0]^2",
    "v[0]*v[1] + v[2:] @ v[:2]",
    "sum(v[[0, 1]]) * v[2]",
    "where(v[0] > 0, v[1]/v[0], v[2])",
]


@pytest.mark.parametrize("text", READ_BY_ELEMENT)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_arrays_that_are_read_by_element(text: str, sign: float) -> None:
    program = Program(text)
    arrays = {
        "v": np.array([1.5, 0.0, -0.0, 2.0]),
        "M": np.array([[0.5, -2.0], [0.0, 1.0]]),
        "s": np.array([0.0]),
    }
    inputs = {name: sign * arrays[name] for name in program.inputs}
    graph = program.graph(inputs)
    assert_same(graph, inputs, graph.dependent(set(graph.inputs)))


@each_sample
def test_every_operation(row: Operation, sample: str) -> None:
    graph = fresh(row, sample).graph
    assert_same(graph, {}, [True] * len(graph.nodes))


@pytest.mark.parametrize("text", [BLOCK, DEEP, "x + y", "2 + 0*y", "z = x"])
def test_blocks_branches_and_constants(text: str) -> None:
    program = Program(text)
    inputs = {name: np.float64(-2.0) for name in program.inputs}
    graph = program.graph(inputs)
    for wanted in (set(graph.inputs), set(graph.inputs[:1]), set()):
        assert_same(graph, inputs, graph.dependent(wanted))


def test_random_programs() -> None:
    for text, given in random_programs(60):
        inputs = {name: np.float64(value) for name, value in given.items()}
        graph = Program(text).graph(inputs)
        assert_same(graph, inputs, graph.dependent(set(graph.inputs)))


@pytest.mark.parametrize("text", ["x*exp(y)", "where(x > 0, log(x), x)*y", "[x, 2] @ [y, y]"])
def test_values_alone(text: str) -> None:
    program = Program(text)
    found = [program.evaluate(x=-1, y=2, gradient=False) for _ in range(RUNS + 1)]
    assert ready_for(program, found[-1]).forward_pass.line is not None
    assert all(map(same, found[0].values, found[-1].values))


def test_errors_are_the_same() -> None:
    program = Program("log(x) + y/x")
    for _ in range(RUNS + 1):
        program.evaluate(x=1, y=1, check=False)
    with pytest.raises(GradcliError, match=r"log\(x\) is not defined at x = -1"):
        program.evaluate(x=-1, y=1, check=False)
    root = Program("sqrt(x)")
    for _ in range(RUNS + 1):
        root.evaluate(x=1, check=False)
    with pytest.raises(GradcliError, match="is infinite at x = 0"):
        root.evaluate(x=0, check=False)


def test_long_programs_stay_loops() -> None:
    program = Program(" + ".join(["x"] * (MOST_NODES + 2)))
    for _ in range(RUNS + 1):
        result = program.evaluate(x=1, check=False)
    assert ready_for(program, result).both_passes.line is None
    assert result.gradient["x"] == MOST_NODES + 2


class TestLargeProducts:
    """The accumulator of a weight is looked at through its factors."""

    W, X = np.full((20, 30), 1e-3), np.full((2, 20), 0.5)

    def test_finite(self) -> None:
        program = Program("sum(X @ W)")
        result = program.evaluate(X=self.X, W=self.W, wrt=["W"], check=False)
        plan = ready_for(program, result).plan
        assert plan is not None
        assert list(plan.products) == [result.graph.input_numbers["W"]]
        np.testing.assert_array_equal(result.gradient["W"], np.ones((20, 30)))

    def test_large_and_finite(self) -> None:
        upstream = np.full((2, 30), 1e155)
        result = Program("X @ W").evaluate(
            X=self.X, W=self.W, wrt=["W"], upstream=upstream, check=False
        )
        np.testing.assert_allclose(result.gradient["W"], np.full((20, 30), 1e155))

    def test_a_large_value_and_small_columns(self) -> None:
        program = Program("X @ W")
        for _ in range(RUNS + 2):
            result = program.evaluate(
                X=2e307 * self.X, W=self.W, wrt=["W"], upstream=np.full((2, 30), 0.05), check=False
            )
        np.testing.assert_allclose(result.gradient["W"], np.full((20, 30), 1e306))

    def test_overflow_in_the_written_function(self) -> None:
        program = Program("X @ W")
        one: dict[str, Any] = {
            "X": self.X,
            "W": self.W,
            "upstream": np.ones((2, 30)),
            "check": False,
        }
        for _ in range(RUNS + 2):
            program.evaluate(**one)
        with pytest.raises(GradcliError, match="accumulator of W overflows"):
            program.evaluate(**one | {"X": 2e307 * self.X, "upstream": np.full((2, 30), 20.0)})
        with pytest.raises(GradcliError, match="overflow in X @ W"):
            program.evaluate(**one | {"X": 2e307 * self.X, "W": 1e5 * self.W})

    def test_overflow(self) -> None:
        program = Program("X @ W")
        with pytest.raises(GradcliError, match="accumulator of W overflows"):
            program.evaluate(
                X=1e200 * self.X, W=1e-200 * self.W, upstream=np.full((2, 30), 1e200), check=False
            )

    def test_a_second_use(self) -> None:
        program = Program("sum(X @ W) + sum(W)")
        result = program.evaluate(X=self.X, W=self.W, check=False)
        plan = ready_for(program, result).plan
        assert plan is not None
        assert not plan.products
        np.testing.assert_array_equal(result.gradient["W"], np.full((20, 30), 2.0))


@pytest.mark.parametrize("count", [1, 254, 255, 256, 600, MOST_NODES - 2])
def test_any_number_of_nodes(count: int) -> None:
    program = Program(" + ".join(["x"] * count))
    for _ in range(RUNS + 1):
        result = program.evaluate(x=1.5, check=False)
    assert ready_for(program, result).both_passes.line is not None
    assert (result.value, result.gradient["x"]) == (1.5 * count, count)


def test_many_inputs() -> None:
    names = [f"x{i}" for i in range(400)]
    program = Program("*".join(names))
    for _ in range(RUNS + 1):
        result = program.evaluate(dict.fromkeys(names, 1.0), check=False)
    assert set(result.gradient.values()) == {1.0}
