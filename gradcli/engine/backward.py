"""The backward pass: a loop down the graph that fills in every accumulator.

Values come in, accumulators δ_u = ∂f/∂u come out, and the list of contributions, each of
which is one line of a hand-written backward pass. An operation sends to each of its operands
upstream × local derivative (or what its backward rule makes of the upstream); the first
contribution to a node sets its accumulator, every later one is added: the general chain
rule. Reduction over broadcast dimensions happens here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradcli.diagnostics.equality import by_value
from gradcli.diagnostics.error import GradcliError, Kind, Label
from gradcli.diagnostics.gc_pause import collector_paused
from gradcli.engine.formula import Formula, formula
from gradcli.engine.forward import (
    all_finite,
    describe_operands,
    floating_point_flags,
    operand_values,
    selected,
    written_text,
)
from gradcli.graph.graph import Getter, Graph, Node, Often
from gradcli.ops.operation import Shape

BELOW_1 = 0.99
"""A bound that rounding does not lift above 1."""

Mask: TypeAlias = Callable[[Any, Sequence[Any]], Any]
"""From what an operation sends, and all values, to what counts of it."""


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


class Backward(NamedTuple):
    """What the backward pass computes; `accumulators` is None for nodes it does not reach."""

    accumulators: list[Any]
    contributions: list[Contribution]


def backward(
    graph: Graph,
    values: Sequence[Any],
    active: Sequence[bool],
    upstream: Any,
    *,
    allow_nonfinite: bool = False,
) -> Backward:
    """Fill the accumulators of the `active` nodes, starting from δ_output = `upstream`.

    Raises `GradcliError` (edge, domain, overflow) at the first contribution that makes the
    accumulator of an input infinite or nan, directly or through others, unless `allow_nonfinite`.
    Between the two an infinite accumulator is no error where all that it sends on is exactly 0.
    """
    plan = plan_of(graph, active)
    values = [*values, *graph.constants]
    with np.errstate(all="ignore"):
        passed = _loop(graph, plan, values, upstream)
        if _finite(plan, values, passed.accumulators):
            return passed
        return _guarded(graph, plan, values, upstream, allow_nonfinite=allow_nonfinite)


def _guarded(
    graph: Graph, plan: Plan, values: list[Any], upstream: Any, *, allow_nonfinite: bool
) -> Backward:
    """The pass in which an exact zero times infinity is zero. Raises as `backward` does."""
    from gradcli.engine.guards import at_fault, guarded  # noqa: PLC0415 - most passes are finite

    passed, sent = guarded(graph, plan, values, upstream)
    if not allow_nonfinite:
        worst = at_fault(plan, passed.accumulators, sent)
        if worst is not None:
            node, operand, delta = (
                worst.node,
                worst.send.operand,
                passed.accumulators[worst.node.id],
            )
            raise accumulator_error(graph, node, operand, values, delta, worst.counts)
    return passed


def _loop(graph: Graph, plan: Plan, values: list[Any], upstream: Any) -> Backward:
    accumulators: list[Any] = [None] * len(graph.nodes)
    contributions: list[Contribution] = []
    if plan.active[graph.output]:
        accumulators[graph.output] = upstream
    for node, operands, sends in plan.steps:
        delta = accumulators[node]
        given = [] if operands is None else [*operands(values), values[node]]
        for operand, to, rule, elementwise, mask, shape, final in sends:
            if not elementwise:
                sent = rule([*given, delta])
            elif rule.constant is None:
                sent = delta * rule(given)
            else:
                sent = delta if rule.constant == 1 else delta * rule.constant
            if mask is not None:
                sent = mask(sent, values)
            if sent.shape != shape:
                sent = reduce_to(sent, shape)
            before = accumulators[to]
            total = accumulators[to] = sent if before is None else before + sent
            line = node, operand, to, sent, total, final
            contributions.append(tuple.__new__(Contribution, line))  # half the time of a call
    return Backward(accumulators, contributions)


def _finite(plan: Plan, values: Sequence[Any], accumulators: Sequence[Any]) -> bool:
    """Whether no accumulator is infinite or nan."""
    for i in plan.watched:
        if i in plan.products:
            value, delta, terms = plan.products[i]
            a, b = values[value], accumulators[delta]
            squares = np.vdot(b, b)
            # Cauchy and Schwarz: a sum of so many |b|s is at most 1, no element is larger than
            # the largest of a; or the product of both norms, which none exceeds, is finite.
            if terms * squares < BELOW_1 or isfinite(np.vdot(a, a) * squares):
                continue
        if not all_finite(accumulators[i]):
            return False
    return True


# --- the way down ------------------------------------------------------------------------


class Send(NamedTuple):
    """A line of the backward pass before there are numbers: a contribution that will be made."""

    operand: int
    to: int
    rule: Formula
    elementwise: bool
    """The rule is a local derivative, by which the upstream is multiplied."""
    mask: Mask | None
    """What takes out the elements that a `where` has not selected, or all of them."""
    shape: Shape
    """The shape of the operand, to which the contribution is reduced."""
    final: bool


@dataclass(slots=True)
class Plan:
    """The backward pass of a graph, for some inputs."""

    active: Sequence[bool]
    """The nodes that get an accumulator."""
    steps: list[tuple[int, Getter | None, tuple[Send, ...]]]
    """The operations that send something, from the output down, and what they send.

    Between them what takes out their operands; None where every local derivative is a number.
    """
    watched: list[int]
    """The accumulators to look at: if one is not finite, one of these is not."""
    products: dict[int, tuple[int, int, int]]
    """Accumulators that are a product of a value and an accumulator, both of which are smaller.

    And how many terms are summed up for an element.
    """
    often: Often = field(default_factory=Often)
    """How often both passes ran, and both written out as one function."""


def plan_of(graph: Graph, active: Sequence[bool]) -> Plan:
    """What each operation will send where; remembered in the graph for the next time."""
    known: Plan | None = graph.plan
    if known is not None and (known.active is active or known.active == active):
        return known
    with collector_paused():
        graph.plan = plan = _planned(graph, active)
    return plan


def _planned(graph: Graph, active: Sequence[bool]) -> Plan:
    left = _uses(graph, active)
    reached = [False] * len(graph.nodes)
    reached[graph.output] = active[graph.output]
    flows = reached.copy()  # where a path leads there on which no derivative is the number 0
    plan = Plan(active, [], [], {})
    for node in reversed(graph.nodes):
        if not reached[node.id]:
            continue
        sends = []
        for i, to in enumerate(node.operands):
            if type(to) is int and active[to]:
                left[to] -= 1
                send = _line(graph, node, i, to, final=left[to] == 0, flows=flows[node.id])
                sends.append(send)
                factors = _factors(graph, node, send)
                if factors and send.final and not reached[to]:
                    plan.products[to] = factors
                reached[to] = True
                flows[to] |= flows[node.id] and send.rule.constant != 0
        if sends:
            numbers = all(s.elementwise and s.rule.constant is not None for s in sends)
            plan.steps.append((node.id, None if numbers else graph.calls[node.id][1], tuple(sends)))
        if node.selections or not flows[node.id] or not any(send.rule.passes_on for send in sends):
            plan.watched.append(node.id)
    return plan


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


def _line(graph: Graph, node: Node, operand: int, to: int, *, final: bool, flows: bool) -> Send:
    assert node.operation is not None
    rule, shape = rule_for(graph, node, operand), graph.nodes[to].type.shape
    mask: Mask | None = partial(_masked, node) if node.selections else None
    mask = mask if flows else nothing
    return Send(operand, to, rule, node.operation.elementwise, mask, shape, final)


def _uses(graph: Graph, active: Sequence[bool]) -> list[int]:
    """How many contributions each node will get."""
    uses = [0] * len(graph.nodes)
    for node in graph.nodes:
        if active[node.id]:
            for operand in node.operands:
                if type(operand) is int:
                    uses[operand] += 1
    return uses


def rule_for(graph: Graph, node: Node, operand: int) -> Formula:
    """The rule of a node for one operand, remembered in the graph.

    Scalar operations that look alike share one; an operation on arrays has its own.
    """
    operation = node.operation
    assert operation is not None
    formulas: dict[Any, Formula] = graph.formulas
    shared, own = (operation, operand), (node.id, operand)
    found = formulas.get(own if node.type.shape else shared) or formulas.get(own)
    if found is None:
        site = graph.site(node)
        found = formula(operation, site, operand)
        same = isinstance(operation.rules, tuple) and not node.options
        same = same and not any(t.shape for t in (*site.types, site.out))
        formulas[shared if same else own] = found
    return found


def local_derivative(graph: Graph, values: Sequence[Any], contribution: Contribution) -> Any:
    """∂out/∂operand of an elementwise operation; None where the rule is for whole arrays.

    It is worked out anew: a pass that kept them would hold twice the memory.
    """
    node = graph.nodes[contribution.node]
    assert node.operation is not None
    if not node.operation.elementwise:
        return None
    rule = rule_for(graph, node, contribution.operand)
    with np.errstate(all="ignore"):
        return rule([*operand_values(node, values), values[node.id]])


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


def reduce_to(array: Any, shape: Shape) -> Any:
    """Sum over the dimensions along which an operand of `shape` was broadcast.

    Where a rule gave less than the operand's shape (one number for all its elements), it is
    repeated.
    """
    own = np.shape(array)
    if own == shape:
        return array
    extra = len(own) - len(shape)
    if extra > 0:
        array = np.add.reduce(array, 0 if extra == 1 else tuple(range(extra)))
        if array.shape == shape:
            return array
    else:
        array = np.reshape(array, (1,) * -extra + own)
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and array.shape[i] != 1)
    if axes:
        array = array.sum(axis=axes, keepdims=True)
    return array if array.shape == shape else np.broadcast_to(array, shape)


# --- where the derivative fails ----------------------------------------------------------


def accumulator_error(
    graph: Graph,
    node: Node,
    operand: int,
    values: Sequence[Any],
    delta: Any,
    counts: Any = True,  # noqa: FBT002 - a mask, or all of it
) -> GradcliError:
    """The error of a contribution that is not finite: an edge, no derivative, or overflow.

    For an elementwise operation, `counts` are the elements at fault.
    """
    operation, to = node.operation, node.operands[operand]
    assert operation is not None
    assert isinstance(to, int)
    rule = formula(operation, graph.site(node), operand)
    arguments = operand_values(node, values)
    given = [*arguments, values[node.id]] + ([] if operation.elementwise else [delta])
    flags = floating_point_flags(rule, [given])
    with np.errstate(all="ignore"):
        derivative = np.asarray(rule(given))
    if operation.elementwise:
        derivative = np.where(counts, np.broadcast_to(derivative, node.type.shape), 0.0)
    bad = [tuple(place) for place in np.argwhere(~np.isfinite(derivative))]
    where = describe_operands(graph, node, arguments, bad[0]) if bad else ""
    undefined = bool(bad) and bool(np.isnan(derivative[bad[0]]))
    name, written = graph.nodes[to].name, written_text(graph, node)
    if not bad or flags == {"overflow"}:
        kind, message = Kind.OVERFLOW, f"the accumulator of {name} overflows in {written}{where}"
    elif undefined and operation.elementwise:
        kind = Kind.DOMAIN
        message = f"the derivative of {written} by {name} does not exist over the reals{where}"
    else:
        kind = Kind.EDGE
        what = "does not exist" if undefined else "is infinite"
        message = f"the derivative of {written} by {name} {what}{where}"
    own = operation.written  # the rules of a user's block
    labels: tuple[Label, ...] = ()
    if own is not None and own.source is graph.source:
        labels = (Label(own.trees[operand].span, "its rule"),)
    return GradcliError(
        kind,
        message,
        source=graph.source,
        span=node.span,
        labels=labels,
        hint="--wrt leaves an input out, --allow-nonfinite computes on",
    )
