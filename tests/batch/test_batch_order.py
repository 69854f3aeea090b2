"""The order of calls in a batch: what it keeps to, and that fewer results wait in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcli import Program
from gradcli.batch import order as batch_order
from gradcli.batch.order import ordered
from gradcli.engine.adjoint import adjoint

Reads = dict[int, set[int]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[int], Reads, set[int]]:
    """Calls that read calls before them and inputs (negative), results wanted, results kept."""
    count = draw(st.integers(0, 30))
    reads = {i: draw(st.sets(st.integers(max(-3, i - 8), i - 1), max_size=3)) for i in range(count)}
    wanted = draw(st.lists(st.integers(0, count - 1), max_size=5)) if count else []
    kept = {*wanted, *draw(st.sets(st.integers(-3, max(0, count - 1)), max_size=5))}
    return wanted, reads, kept


def needed(wanted: Sequence[int], reads: Mapping[int, Collection[int]]) -> set[int]:
    found: set[int] = set()
    stack = [i for i in wanted if i in reads]
    while stack:
        i = stack.pop()
        if i not in found:
            found.add(i)
            stack.extend(o for o in reads[i] if o in reads)
    return found


def live(wanted: Sequence[int], reads: Reads) -> tuple[list[int], Reads]:
    """A line without dead calls, as `Line` hands it over."""
    alive = needed(wanted, reads)
    return list(wanted), {i: o for i, o in reads.items() if i in alive}


def waiting(
    order: Sequence[int], reads: Mapping[int, Collection[int]], kept: Collection[int]
) -> int:
    """The most results that wait in buffers at the same time."""
    last = {o: step for step, i in enumerate(order) for o in reads[i]}
    alive: set[int] = set()
    most = 0
    for step, i in enumerate(order):
        alive -= {o for o in alive if last.get(o) == step}  # a result may take an operand's place
        if i not in kept and last.get(i, -1) > step:
            alive.add(i)
        most = max(most, len(alive))
    return most


@given(graphs())
def test_every_call_once_and_behind_what_it_reads(
    case: tuple[list[int], Reads, set[int]],
) -> None:
    wanted, all_reads, kept = case
    wanted, reads = live(wanted, all_reads)
    order = ordered(wanted, reads, kept)
    assert sorted(order) == sorted(reads)
    place = {i: step for step, i in enumerate(order)}
    assert all(place[o] < place[i] for i in order for o in reads[i] if o in reads)


@given(graphs())
def test_the_same_each_time(case: tuple[list[int], Reads, set[int]]) -> None:
    wanted, all_reads, kept = case
    wanted, reads = live(wanted, all_reads)
    turned = {i: sorted(reads[i], reverse=True) for i in reads}
    assert ordered(wanted, reads, kept) == ordered(wanted, turned, kept)


@given(st.lists(graphs(), min_size=1, max_size=4), st.randoms())
def test_what_needs_least_comes_first(
    parts: list[tuple[list[int], Reads, set[int]]], random: Random
) -> None:
    """Of results that share nothing, those that need fewer calls."""
    roots: dict[int, int] = {}
    reads: Reads = {}
    for part, (_, all_reads, _) in enumerate(parts):
        if all_reads:
            root = max(all_reads)
            alive = needed([root], all_reads)
            start = 1000 * part
            roots[start + root] = len(alive)
            reads |= {start + i: {start + o for o in all_reads[i] if o >= 0} for i in sorted(alive)}
    wanted = list(roots)
    random.shuffle(wanted)
    order = ordered(wanted, reads, set(wanted))
    found = [roots[i] for i in order if i in roots]
    assert found == sorted(found)


EXAMPLES = {
    "tutorial": "(x + sigmoid(y)) / (x^2 + y)",
    "Rosenbrock": " + ".join(f"100*(x{i + 1} - x{i}^2)^2 + (1 - x{i})^2" for i in range(9)),
    "chain": "sin(" * 40 + "x" + ")" * 40,
    "products": "*".join(f"x{i}" for i in range(20)),
    "network": "tanh(a*x + b*y)*c + tanh(d*x + e1*y)*f1 + g*tanh(a*d)",
    "powers": "x^3 + y^3 + (x*y)^3 + sqrt(x^2 + y^2)",
}


def value_and_gradient(text: str) -> tuple[list[int], Reads, set[int]]:
    """The calls of both passes of a program."""
    program = Program(text)
    graph = program.graph(dict.fromkeys(program.inputs, np.float64(1.5)))
    found = adjoint(graph, set(graph.inputs))
    wanted = [graph.output, *(found.deltas[i] for i in graph.inputs)]
    reads = {
        node.id: {o for o in node.operands if isinstance(o, int)}
        for node in found.graph.nodes
        if node.operation is not None
    }
    return *live(wanted, reads), {*wanted, *graph.inputs}


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_more_waits_than_in_the_program(name: str) -> None:
    wanted, reads, kept = value_and_gradient(EXAMPLES[name])
    order = ordered(wanted, reads, kept)
    assert waiting(order, reads, kept) <= waiting(sorted(order), reads, kept)


def test_a_sum_of_parts_needs_few_places() -> None:
    """The forward pass of one part need not wait for that of the last."""
    wanted, reads, kept = value_and_gradient(" + ".join(f"sin(x{i})*cos(x{i})" for i in range(50)))
    order = ordered(wanted, reads, kept)
    assert waiting(order, reads, kept) < 10
    assert waiting(sorted(order), reads, kept) >= 50


def test_long_lines_are_ordered_without_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: Reads = {i: {i - 1} for i in range(100)}
    monkeypatch.setattr(batch_order, "MANY", 10)
    assert ordered([99, 50], reads, {99, 50}) == list(range(100))


def test_a_very_long_line_does_not_recurse() -> None:
    reads: Reads = {i: {i - 1} for i in range(200_000)}
    assert ordered([199_999], reads, {199_999}) == list(range(200_000))


def test_nothing_to_order() -> None:
    assert ordered([], {}, set()) == []
    assert ordered([-1], {}, {-1}) == []  # an input that is wanted itself
