"""The backward pass as a graph, against the backward pass, and applied to itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ops_samples import applied
from random_programs import random_programs
from sweep import each_sample

from gradcli import Program, ops
from gradcli.diagnostics.error import GradcliError
from gradcli.engine.adjoint import Adjoint, adjoint
from gradcli.engine.backward import backward
from gradcli.engine.forward import forward
from gradcli.graph.graph import Graph, input_like
from gradcli.ops.operation import keywords

SEED = "seed of the output"


def both(graph: Graph, inputs: dict[str, Any], upstream: Any) -> tuple[list[Any], list[Any]]:
    """δ of every node by the backward pass, and by the values of the graph of it."""
    active = graph.dependent(set(graph.inputs))
    values = forward(graph, inputs, allow_nonfinite=True)
    wanted = backward(graph, values, active, upstream, allow_nonfinite=True).accumulators
    whole = adjoint(graph, upstream=SEED, values=values)
    found = forward(whole.graph, {**inputs, SEED: upstream}, allow_nonfinite=True)
    assert whole.graph.nodes[: len(graph.nodes)] == graph.nodes
    return wanted, deltas(whole, graph, found)


def deltas(whole: Adjoint, graph: Graph, values: list[Any]) -> list[Any]:
    active = graph.dependent(set(graph.inputs))
    return [
        values[whole.deltas[node.id]]
        if node.id in whole.deltas
        else np.zeros(node.type.shape)
        if active[node.id]
        else None
        for node in graph.nodes
    ]


def expect_equal(graph: Graph, wanted: list[Any], found: list[Any]) -> None:
    for node, a, b in zip(graph.nodes, wanted, found, strict=True):
        if a is None:
            assert b is None or not np.any(b)
        else:
            assert np.shape(b) == node.type.shape
            np.testing.assert_allclose(b, a, rtol=1e-14, atol=0, err_msg=node.name)


def graph_of_inputs(row: Any, sample: str) -> tuple[Graph, dict[str, Any]] | None:
    """The graph of one operation whose operands are all inputs."""
    found = applied(row, sample)
    graph, node = found.graph, found.node
    if not node.operands:
        return None
    inputs = {f"in{i}": operand for i, operand in enumerate(found.operands)}
    types = [graph.operand_type(o) for o in node.operands]
    leaves = [
        input_like(node, i, name, t) for i, (name, t) in enumerate(zip(inputs, types, strict=True))
    ]
    last = node.moved(
        id=len(leaves), carries=True, operands=tuple(range(len(leaves))), selections=()
    )
    return Graph(graph.source, (*leaves, last), len(leaves)), inputs


@each_sample
def test_every_operation(row: Any, sample: str) -> None:
    made = graph_of_inputs(row, sample)
    if made is None:
        return  # it has no operands
    graph, inputs = made
    upstream = random(np.random.default_rng(1), graph.nodes[-1].type.shape)
    expect_equal(graph, *both(graph, inputs, upstream))


def random(draw: np.random.Generator, shape: Any) -> Any:
    return np.float64(draw.normal()) if shape == () else draw.normal(size=shape)


def _tie(graph: Graph, inputs: dict[str, Any]) -> Any:
    """Whether the operation stands on a border."""
    node = graph.nodes[-1]
    assert node.operation is not None
    assert node.operation.tie is not None
    return node.operation.tie(*inputs.values(), **keywords(node.kernel))


@each_sample
def test_second_derivatives_of_every_operation(row: Any, sample: str) -> None:
    """The gradient of w · δ along a direction, against δ at points nearby."""
    made = graph_of_inputs(row, sample)
    if made is None:
        return  # it has no operands
    graph, inputs = made
    draw = np.random.default_rng(2)
    row_kinks = row.tie is not None and np.any(_tie(graph, inputs))
    sizes = np.concatenate([np.abs(np.ravel(x)) for x in inputs.values()])
    extreme = sizes.max(initial=0) > 1e100 or sizes[sizes > 0].min(initial=1) < 1e-100
    if row_kinks or extreme or (row.name == "cofactor" and abs(np.linalg.det(inputs["in0"])) < 1):
        return  # no second derivative in reach there
    upstream = random(draw, graph.nodes[-1].type.shape)
    first = adjoint(graph, upstream=SEED)
    # x^n by n has no derivative at x <= 0, where some samples are.
    still = "in1" if row.name == "pow" else None
    held = {
        f"w{i}": first.deltas[i]
        for i in graph.inputs
        if i in first.deltas and still != graph.nodes[i].name
    }
    if not held:
        return
    weights = {name: random(draw, first.graph.nodes[i].type.shape) for name, i in held.items()}
    second = adjoint(first.graph, graph.inputs, upstream=held)
    given = {**inputs, SEED: upstream, **weights}
    values = forward(second.graph, given, allow_nonfinite=True)
    move = {
        name: random(draw, np.shape(x)) * np.maximum(np.abs(x), 1e-3)
        for name, x in inputs.items()
        if name != still
    }
    parts = [
        values[second.deltas[i]] * move[graph.nodes[i].name]
        for i in graph.inputs
        if i in second.deltas and graph.nodes[i].name in move
    ]
    slope = float(sum(map(np.sum, parts)))

    def weighted(t: float) -> float:
        at = {name: x + t * move.get(name, 0.0) for name, x in inputs.items()}
        found = forward(first.graph, {**at, SEED: upstream}, allow_nonfinite=True)
        return float(sum(np.sum(found[held[name]] * w) for name, w in weights.items()))

    estimates = []
    for h in 10.0 ** -np.arange(2, 9):
        coarse, fine = ((weighted(t) - weighted(-t)) / (2 * t) for t in (h, h / 2))
        estimates.append((4 * fine - coarse) / 3)
    size = max(1e-300, abs(slope), *(np.abs(part).max() for part in parts)) if parts else 1e-300
    noise = 1e-9 * abs(weighted(0.0))
    error = np.nanmin([abs(e - slope) for e in estimates])
    assert error <= 2e-6 * size + noise, (error, size, slope, estimates)


def test_random_programs() -> None:
    done = 0
    for text, point in random_programs(400):
        program = Program(text)
        inputs = {name: np.float64(x) for name, x in point.items() if name in program.inputs}
        graph = program.graph(inputs)
        used = {name: inputs[name] for name in (graph.nodes[i].name for i in graph.inputs)}
        values = forward(graph, used, allow_nonfinite=True)
        shape = graph.nodes[graph.output].type.shape
        if not np.isfinite(values[graph.output]).all():
            continue
        wanted, found = both(graph, used, np.full(shape, 1.7) if shape else np.float64(1.7))
        if all(a is None or np.isfinite(a).all() for a in wanted):
            expect_equal(graph, wanted, found)
            done += 1
    assert done > 250


def graph_of(text: str, **inputs: Any) -> tuple[Graph, dict[str, Any]]:
    program = Program(text)
    bound = program.bind(inputs)
    return program.graph(bound), bound


def gradient(text: str, **inputs: Any) -> dict[str, Any]:
    graph, bound = graph_of(text, **inputs)
    whole = adjoint(graph)
    values = forward(whole.graph, bound)
    return {graph.nodes[i].name: values[n] for i, n in whole.deltas.items() if i in graph.inputs}


def second(text: str, **inputs: Any) -> dict[tuple[str, str], Any]:
    """The second derivatives of a function of numbers."""
    graph, bound = graph_of(text, **inputs)
    first = adjoint(graph)
    found = {}
    for i in graph.inputs:
        if i not in first.deltas:
            continue
        again = Graph(graph.source, first.graph.nodes, first.deltas[i])
        whole = adjoint(again, graph.inputs)
        values = forward(whole.graph, bound)
        for j in graph.inputs:
            value = values[whole.deltas[j]] if j in whole.deltas else 0.0
            found[graph.nodes[i].name, graph.nodes[j].name] = float(value)
    return found


def test_the_tutorials_function() -> None:
    found = second("(x + sigmoid(y)) / (x^2 + y)", x=3, y=-4)
    # SymPy's, at 20 digits.
    assert found["x", "x"] == pytest.approx(1.0169211601411974128, rel=1e-14)
    assert found["x", "y"] == pytest.approx(0.24548762666517092163, rel=1e-14)
    assert found["y", "y"] == pytest.approx(0.050280230048008001644, rel=1e-14)


def test_nothing_of_the_unchosen_branch() -> None:
    """log(x) and its derivatives are nan and infinite where `where` does not choose them."""
    text = "sum(where(x > 0, log(x)*x^0.5, x^2))"
    found = gradient(text, x=[-1.0, 0.0, 2.0])["x"]
    assert found[:2].tolist() == [-2.0, 0.0]
    graph, bound = graph_of(text, x=[-1.0, 0.0, 2.0])
    first = adjoint(graph)
    (x,) = graph.inputs
    whole = adjoint(first.graph, [x], upstream={"v": first.deltas[x]})
    for i, wanted in ((0, 2.0), (1, 2.0), (2, -np.log(2) / (4 * 2**1.5))):
        v = np.zeros(3)
        v[i] = 1.0
        row = forward(whole.graph, {**bound, "v": v})[whole.deltas[x]]
        assert row[i] == pytest.approx(wanted, rel=1e-12)
        assert np.count_nonzero(row) == 1


def test_a_whole_array_that_is_not_chosen() -> None:
    found = gradient("where(n > 0, sum(softmax(log(x))), sum(x^2))", x=[-1.0, 3.0], n=-1)
    assert found["x"].tolist() == [-2.0, 6.0]


def test_steps_of_one_are_no_multiplications() -> None:
    graph, _ = graph_of("x + y + (-z)", x=1, y=2, z=3)
    assert len(adjoint(graph).graph.nodes) <= len(graph.nodes) + 2


def test_what_is_flat_is_no_path() -> None:
    graph, _ = graph_of("floor(x) + y", x=1.5, y=2)
    whole = adjoint(graph)
    x, y = graph.inputs
    assert x not in whole.deltas
    assert y in whole.deltas


def test_only_what_is_asked_for() -> None:
    graph, _ = graph_of("sin(x)*exp(y)", x=1, y=2)
    x, y = graph.inputs
    whole = adjoint(graph, [y])
    assert x not in whole.deltas
    assert whole.graph.nodes[whole.deltas[y]].operation is not None


def test_an_output_of_several_needs_an_upstream() -> None:
    graph, _ = graph_of("2*x", x=[1.0, 2.0])
    with pytest.raises(GradcliError, match="starts from a number"):
        adjoint(graph)


def test_a_deep_graph() -> None:
    n = 20_000
    graph, bound = graph_of("x" + "*1.0000001 + x" * (n // 2), x=1.0)
    whole = adjoint(graph)
    assert len(whole.graph.nodes) < 3 * len(graph.nodes)
    active = graph.dependent(set(graph.inputs))
    wanted = backward(graph, forward(graph, bound), active, np.float64(1.0)).accumulators
    (x,) = graph.inputs
    assert forward(whole.graph, bound)[whole.deltas[x]] == wanted[x]


@pytest.mark.parametrize("row", ops.TABLE, ids=[row.name for row in ops.TABLE])
def test_every_derivative_can_be_differentiated_again(row: Any) -> None:
    """Whatever stands in a derivative has one itself: graphs of the third order can be made."""
    for sample in row.samples:
        made = graph_of_inputs(row, sample)
        if made is None:
            continue
        graph, inputs = made
        for order in range(3):
            whole = adjoint(graph, graph.inputs[: len(inputs)], upstream=f"upstream {order}")
            found = [i for i in graph.inputs[: len(inputs)] if i in whole.deltas]
            if not found:
                break
            graph = Graph(graph.source, whole.graph.nodes, whole.deltas[found[0]])
        assert len(graph.nodes) < 2000
