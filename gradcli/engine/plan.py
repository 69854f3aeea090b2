"""The plan of a backward pass: which operation sends what to which operand, in which order.

A graph and the nodes that get an accumulator come in, a `Plan` goes out; no number is computed.
With it are the two things that every way down does with what an operation sends: take out what a
`where` has not selected, and sum over the axes along which the operand was broadcast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradcli.diagnostics.equality import by_value, same
from gradcli.diagnostics.gc_pause import collector_paused
from gradcli.engine.formula import Formula
from gradcli.engine.forward import (
    all_finite,
    selected,
)
from gradcli.engine.rules import Rules
from gradcli.graph.graph import Getter, Graph, Node, OperationNode
from gradcli.ops.operation import Shape

BELOW_1 = 0.99
"""A bound that rounding does not lift above 1."""

Mask: TypeAlias = Callable[[Any, Sequence[Any]], Any]
"""Takes what an operation sends and all values, and returns what counts of it."""


@by_value
class Contribution(NamedTuple):
    """One line of the backward pass: what operation `node` sends to its operand `to`."""

    node: int
    operand: int
    """Which operand of the operation, counted from 0."""
    to: int
    value: Any
    """upstream × local, reduced to the operand's shape."""
    accumulator: Any
    """The running sum after this contribution."""
    final: bool
    """No operation that uses the node is left: the accumulator is ∂f/∂u."""


class Contributions(Sequence[Contribution]):
    """The contributions of a pass that ran as one function: made of their fields when first read.

    Most callers of a program that is run often take the gradient alone. Instead of a total
    there may be a kernel that puts the contribution of an element into zeros.
    """

    def __init__(self, fields: tuple[tuple[Any, ...], ...]) -> None:
        self._fields = fields

    @cached_property
    def _all(self) -> tuple[Contribution, ...]:
        totals: dict[int, Any] = {}
        return tuple([_with_total(Contribution(*row), totals) for row in self._fields])

    def __len__(self) -> int:
        return len(self._fields)

    def __getitem__(self, place: Any) -> Any:
        return self._all[place]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Contributions | tuple):
            return NotImplemented
        return same(self._all, tuple(other))

    def __hash__(self) -> int:
        return hash(self._all)

    def __repr__(self) -> str:
        return repr(self._all)

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (self._all,)


def _with_total(made: Contribution, totals: dict[int, Any]) -> Contribution:
    """A contribution whose total may be a kernel yet; `totals` are the running sums of those."""
    if not callable(made.accumulator):
        return made
    sent = made.accumulator(made.value)
    totals[made.to] = total = totals[made.to] + sent if made.to in totals else sent
    return made._replace(value=sent, accumulator=total)


class Backward(NamedTuple):
    """What the backward pass computes; `accumulators` is None for nodes it does not reach."""

    accumulators: list[Any]
    contributions: list[Contribution]


class Send(NamedTuple):
    """A line of the backward pass before there are numbers: a contribution that will be made."""

    operand: int
    to: int
    rule: Formula
    elementwise: bool
    """The rule is a local derivative, by which the upstream is multiplied."""
    mask: Mask | None
    """Sets the elements to zero that a `where` has not selected, or all of them."""
    shape: Shape
    """The shape of the operand, to which the contribution is reduced."""
    final: bool


class Plan(NamedTuple):
    """The backward pass of a graph, for some inputs."""

    active: Sequence[bool]
    """The nodes that get an accumulator."""
    steps: tuple[tuple[int, Getter | None, tuple[Send, ...]], ...]
    """The operations that send something, from the output down, and what they send.

    Between them what takes out their operands; None where every local derivative is a number.
    """
    watched: tuple[int, ...]
    """The accumulators to look at: if one is not finite, one of these is not."""
    products: Mapping[int, tuple[int, int, int]]
    """Accumulators that are a product of a value and an accumulator, both of which are smaller.

    And how many terms are summed up for an element.
    """


def plan_of(graph: Graph, active: Sequence[bool], rules: Rules | None = None) -> Plan:
    """What each operation will send where, so that the `active` nodes get their accumulators.

    `rules` are those of the graph, if they have been made.
    """
    with collector_paused():
        return _planned(rules or Rules(graph), active)


def _planned(rules: Rules, active: Sequence[bool]) -> Plan:
    graph = rules.graph
    left = _uses(graph, active)
    reached = [False] * len(graph.nodes)
    reached[graph.output] = active[graph.output]
    flows = reached.copy()  # where a path leads there on which no derivative is the number 0
    steps: list[tuple[int, Getter | None, tuple[Send, ...]]] = []
    watched: list[int] = []
    products: dict[int, tuple[int, int, int]] = {}
    nodes, calls = graph.nodes, graph.calls
    for node in reversed(nodes):
        number = node.id
        if not reached[number]:
            continue
        sends: list[Send] = []
        numbers, shows, flow = True, False, flows[number]
        for i, to in enumerate(node.operands):
            if type(to) is not int or not active[to]:
                continue
            assert isinstance(node, OperationNode)
            rule, elementwise = rules.of(node, i), node.operation.elementwise
            left[to] -= 1
            final = left[to] == 0
            line = i, to, rule, elementwise, _mask(node, flows=flow), nodes[to].type.shape, final
            send = tuple.__new__(Send, line)  # half the time of a call of the class
            sends.append(send)
            if (
                not elementwise
                and final
                and not reached[to]
                and (of := _factors(graph, node, send))
            ):
                products[to] = of
            reached[to] = True
            flows[to] |= flow and rule.constant != 0
            numbers = numbers and elementwise and rule.constant is not None
            shows = shows or rule.passes_on
        if sends:
            steps.append((number, None if numbers else calls[number][1], tuple(sends)))
        if node.selections or not flow or not shows:
            watched.append(number)
    return Plan(active, tuple(steps), tuple(watched), products)


def _factors(graph: Graph, node: Node, send: Send) -> tuple[int, int, int] | None:
    """The value and the accumulator whose product, larger than both, an operation sends.

    And the most terms that an element of it is a sum of.
    """
    if send.elementwise or send.mask or send.rule.type.shape != send.shape:
        return None
    count = len(node.operands)
    first, second, terms = send.rule.factors() or (0, 0, 0)
    if max(first, second) != count + 1:  # where the upstream is, behind the operands and `out`
        return None
    other = [*node.operands, node.id][min(first, second)]
    if type(other) is not int:
        return None
    size = graph.nodes[other].type.size + node.type.size
    return (other, node.id, terms) if size < graph.nodes[send.to].type.size else None


def _mask(node: Node, *, flows: bool) -> Mask | None:
    """The mask for what a node sends: it sets to zero what does not count."""
    if not flows:
        return nothing
    return partial(_masked, node) if node.selections else None


def _uses(graph: Graph, active: Sequence[bool]) -> list[int]:
    """How many contributions each node will get."""
    uses = [0] * len(graph.nodes)
    for node in graph.nodes:
        if active[node.id]:
            for operand in node.operands:
                if type(operand) is int:
                    uses[operand] += 1
    return uses


def nothing(sent: Any, _values: Sequence[Any]) -> Any:
    """Zero where the upstream is 0 by a rule and no number: floor(sqrt(x)) has a slope at 0."""
    return np.zeros(np.shape(sent))[()]


def _masked(node: Node, sent: Any, values: Sequence[Any]) -> Any:
    """Exactly zero for what a `where` has not selected, if anything is not finite."""
    if all_finite(np.asarray(sent)):
        return sent
    mask: Any = selected(node, values)
    if not mask.any():
        return np.zeros(np.shape(sent))[()]
    elementwise = node.operation is not None and node.operation.elementwise
    return np.where(mask, sent, 0.0)[()] if elementwise else sent


def reduce_to(array: Any, shape: Shape, front: int = 0) -> Any:
    """Sum over the dimensions along which an operand of `shape` was broadcast.

    Where a rule gave less than the operand's shape (one number for all its elements), it is
    repeated. `front` is how many axes of a batch stand in front and stay.
    """
    own = np.shape(array)
    shape = own[:front] + shape
    if own == shape:
        return array
    extra = len(own) - len(shape)
    if extra > 0:
        axes = tuple(range(front, front + extra))
        array = np.add.reduce(array, front if extra == 1 else axes)
        if array.shape == shape:
            return array
    else:
        array = np.reshape(array, own[:front] + (1,) * -extra + own[front:])
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and array.shape[i] != 1)
    if axes:
        array = array.sum(axis=axes, keepdims=True)
    return array if array.shape == shape else np.broadcast_to(array, shape)
