"""The check of formulas: each is computed as it is printed, and compared with backpropagation.

At 16 random points where the program and its gradient are finite, the text of every formula is
parsed, lowered and evaluated as a program of its own. Points are looked for by several
distributions in turn, or around given values, until there are enough. Where lengths are free, half
of the points have other lengths than the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source
from gradcli.engine.block import ENGINE
from gradcli.engine.forward import all_finite, fill_in
from gradcli.engine.run import Executable, Passes, active_nodes
from gradcli.formulas.types import Formula
from gradcli.graph.build import build
from gradcli.graph.graph import Graph
from gradcli.graph.lower import lower
from gradcli.graph.resolve import resolve
from gradcli.ops.operation import Shape, Type
from gradcli.syntax.parser import parse

POINTS = 16
TRIES = 640
TOLERANCE = 1e-9
MOST_DIGITS = 15.9
MOVE, MOST_CHANGE = 1e-12, 1e-7
"""A point is used if a relative move by the first changes gradients by less than the second."""
ALIKE = 6
"""The digits that a formula's number must share with the derivative at a given point."""
NOISE = 256 * 2.0**-52
"""A smaller error, relative to the largest intermediate number, is rounding: 1 - tanh(20)^2."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A graph, and points with the value and accumulator of its nodes: arrays of (points, …)."""

    graph: Graph
    values: list[Any]
    deltas: list[Any]
    sent: list[Any]
    """The largest element of all contributions to a node, for every point."""
    count: int


def samples(
    graphs: Sequence[Graph], around: Mapping[str, Any], rng: np.random.Generator
) -> list[Sample]:
    """Points inside the domain for each graph, 16 together.

    Raises `GradcliError` of kind domain where none are found.
    """
    each = POINTS // len(graphs)
    return [_sample(graph, each, around, rng) for graph in graphs]


def _sample(
    graph: Graph, count: int, around: Mapping[str, Any], rng: np.random.Generator
) -> Sample:
    ready = Executable(graph)
    active = active_nodes(graph, None)
    upstream = np.ones(graph.nodes[graph.output].type.shape)[()]
    found = []
    problem: GradcliError | None = None
    for inputs in _candidates(graph, around, rng):
        try:
            passes = ready.both(inputs, active, upstream, allow_nonfinite=False)
        except GradcliError as error:
            problem = error
            continue
        if all(a is None or all_finite(np.asarray(a)) for a in passes.accumulators):
            moved = {name: value * (1 + MOVE) for name, value in inputs.items()}
            if _is_steady(passes, ready.both(moved, active, upstream, allow_nonfinite=True)):
                found.append(passes)
        if len(found) == count:
            break
    if not found:
        raise GradcliError(
            Kind.DOMAIN,
            "no point was found where the program and its gradient are finite, to check its "
            "formulas at",
            source=graph.source,
            span=None if problem is None else problem.span,
            hint="give the inputs values: points are then looked for around them",
        )
    return sample_of(graph, found)


def sample_of(graph: Graph, found: Sequence[Passes]) -> Sample:
    """Passes at some points together."""
    sent = np.zeros((len(graph.nodes), len(found)))
    for k, passes in enumerate(found):
        for one in passes.contributions:
            sent[one.to, k] = max(sent[one.to, k], largest(one.value))
    values = zip(*(passes.values for passes in found), strict=True)
    deltas = zip(*(passes.accumulators for passes in found), strict=True)
    return Sample(
        graph,
        [np.stack(each) for each in values],
        [None if each[0] is None else np.stack(each) for each in deltas],
        list(sent),
        len(found),
    )


def _is_steady(passes: Passes, moved: Passes) -> bool:
    """Whether a small move of the point changes the gradient little: not at singular matrices."""
    pairs = zip(passes.accumulators, moved.accumulators, strict=True)
    return all(
        a is None or largest(a - b) <= MOST_CHANGE * max(largest(a), 1e-300) + 1e-9
        for a, b in pairs
    )


def largest(array: Any) -> float:
    """The size of the largest element."""
    return float(np.max(np.abs(array), initial=0.0))


Draw = Callable[[np.random.Generator, Shape], Any]


def _definite(rng: np.random.Generator, shape: Shape) -> Any:
    """A positive definite matrix where the shape is square."""
    if len(shape) != 2 or shape[0] != shape[1]:
        return rng.uniform(0.2, 1.8, shape)
    half = rng.normal(size=shape)
    return half @ half.T / shape[0] + np.eye(shape[0])


DRAWS: tuple[Draw, ...] = (
    lambda rng, shape: rng.normal(size=shape),
    lambda rng, shape: rng.uniform(0.2, 1.8, shape),
    lambda rng, shape: rng.uniform(0.05, 0.95, shape),
    _definite,
    lambda rng, shape: rng.uniform(1.1, 4.0, shape),
    lambda rng, shape: -rng.uniform(0.2, 1.8, shape),
    lambda rng, shape: rng.normal(size=shape) * np.exp(rng.uniform(-2, 4)),
    lambda rng, shape: rng.uniform(1, 40, shape),
)


def _candidates(
    graph: Graph, around: Mapping[str, Any], rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Points: first by one distribution for all inputs, then by any for each."""
    names = [(graph.nodes[i].name, graph.nodes[i].type.shape) for i in graph.inputs]
    for attempt in range(TRIES):
        point: dict[str, Any] = {}
        which = attempt // POINTS if attempt < POINTS * len(DRAWS) else -1
        for name, shape in names:
            if name in around and attempt % 2 == 0:
                value = np.asarray(around[name], dtype=np.float64)
                drawn = value * (1 + 0.1 * rng.normal(size=shape)) + 0.01 * rng.normal(size=shape)
            else:
                drawn = DRAWS[which if which >= 0 else int(rng.integers(len(DRAWS)))](rng, shape)
            drawn = np.asarray(drawn, dtype=np.float64)
            point[name] = drawn if shape else np.float64(drawn)
        yield point


# --- formulas at points ------------------------------------------------------------------


class Computed(NamedTuple):
    """A formula's values, and at every point the largest number on the way to it."""

    values: Any
    largest: Any


def computed(
    text: str, names: Mapping[str, Type], values: Mapping[str, Any], count: int
) -> Computed:
    """A formula's value at several points, by its text: an array of (count, …).

    `values` are arrays of (count, …) by name, `names` the types without the first axis. Raises
    `GradcliError` where the text is no program of the language.
    """
    graph = formula_graph(text, names)
    known: list[Any] = [None] * len(graph.nodes)
    for i in graph.inputs:
        known[i] = values[graph.nodes[i].name]
    with np.errstate(all="ignore"):
        found = fill_in(graph, known)
    most = np.zeros(count)
    for node, value in zip(graph.nodes, found, strict=True):
        lines = np.abs(_per_point(value, node.type.shape, count)).reshape(count, -1)
        most = np.maximum(most, np.max(lines, axis=1, initial=0.0))
    shape = graph.nodes[graph.output].type.shape
    return Computed(_per_point(found[graph.output], shape, count), most)


def _per_point(value: Any, shape: Shape, count: int) -> Any:
    """A value that is the same at all points once for each."""
    return np.broadcast_to(value, (count, *shape)) if np.ndim(value) == len(shape) else value


def formula_graph(text: str, names: Mapping[str, Type]) -> Graph:
    """A formula's text as a program. Raises `GradcliError` where it can't be read."""
    resolved = resolve(parse(Source(text, "the formula")))
    draft = lower(resolved, frozenset(resolved.free) & frozenset(names), engine=ENGINE)
    return build(draft, names)


def digits(found: Computed, expected: Any, sent: Any) -> float:
    """How many digits agree at the worst point, relative to the largest element there.

    Where rounding alone explains the difference, they are counted relative to the largest number
    on the way: of the formula, or `sent`, the largest contribution of the backward pass.
    """
    if found.values.shape != expected.shape:
        return 0.0
    each = zip(found.values, expected, np.maximum(found.largest, sent), strict=True)
    return min(_digits(a, b, float(most)) for a, b, most in each)


Expected = Callable[[Formula, Sample], tuple[Any, Any]]
"""What a formula should give at the points of a sample, and the largest contribution there."""


def agreement(formulas: Sequence[Formula], points: Sequence[Sample], expected: Expected) -> float:
    """The digits that all formulas have right, at the worst of the points."""
    pairs = ((formula, sample) for sample in points for formula in formulas)
    found = (digits(_computed(*pair), *expected(*pair)) for pair in pairs)
    return min(found, default=MOST_DIGITS)


def direction(shape: Shape) -> Any:
    """The direction that a product with one is compared along."""
    return np.arange(1.0, 1.0 + int(np.prod(shape))).reshape(shape)


def _computed(formula: Formula, sample: Sample) -> Computed:
    """What a formula gives, over all names that may stand in it."""
    types: dict[str, Type] = {}
    values: dict[str, Any] = {}
    for node in sample.graph.nodes:
        if sample.deltas[node.id] is not None:
            types[f"delta_{node.name}"] = node.type
            values[f"delta_{node.name}"] = sample.deltas[node.id]
    for node in sample.graph.nodes:  # a program may have a name that begins so itself
        types[node.name], values[node.name] = node.type, sample.values[node.id]
    if formula.direction is not None:
        own = types[formula.direction] = types[formula.wrt[1]]
        along = np.broadcast_to(direction(own.shape), (sample.count, *own.shape))
        values[formula.direction] = along
    return computed(formula.text, types, values, sample.count)


def with_value(formula: Formula, sample: Sample, expected: Expected) -> Formula:
    """A formula with its derivative at a point, which a product with a direction has not.

    What the formula gives there differs where a convention decides (max at a tie), or where it is
    0/0.
    """
    if formula.direction is not None:
        return formula
    own, (value, _) = _computed(formula, sample), expected(formula, sample)
    same = np.array_equal(own.values, value, equal_nan=True)
    differs = not same and digits(own, value, np.zeros(1)) < ALIKE
    return replace(formula, value=value[0], differs=differs)


def _digits(a: Any, b: Any, most: float) -> float:
    size, error = max(largest(a), largest(b)), largest(a - b)
    if not np.isfinite(error) or not np.isfinite(size):
        return 0.0
    if error == 0:
        return MOST_DIGITS
    right = float(-np.log10(error / size))
    if right < -np.log10(TOLERANCE) and error <= NOISE * most:
        right = float(-np.log10(error / most))
    return max(right, 0.0)
