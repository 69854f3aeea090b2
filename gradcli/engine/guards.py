"""Exact zeros of the backward pass: what an operation does not take gets nothing, not even 0·∞.

`relu` of a negative number, `max` of what is smaller, `x[0]` of the other elements do not move
with their operand, so the local derivative is exactly 0, and what is sent there is 0 even where a
factor is infinite. The 0 of `2*x` at 0 is a limit, and 0·∞ stays undefined. A plan and values come
in; the pass goes down the graph with a mask beside every accumulator, of the elements that
anything reaches. `backward` asks for it only where the plain pass was not finite.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradcli.engine.formula import Formula
from gradcli.engine.forward import any_over_broadcast, selected
from gradcli.engine.plan import (
    Backward,
    Contribution,
    Plan,
    Send,
    nothing,
    reduce_to,
)
from gradcli.graph.graph import Graph, OperationNode
from gradcli.ops.operation import Shape

Mask: TypeAlias = Any
"""True for the elements that count."""


class Sent(NamedTuple):
    """A contribution before it is reduced to its operand's shape."""

    node: OperationNode
    send: Send
    value: Any
    counts: Mask
    """The elements of `value` that are not an exact zero."""
    exceeds: Any = False
    """In the operand's shape: where finite contributions have an infinite sum."""


def guarded(
    graph: Graph, plan: Plan, values: list[Any], upstream: Any
) -> tuple[Backward, list[Sent]]:
    """The backward pass of `plan`; `values` are the nodes', and behind them the graph's constants.

    An exact zero is 0 in it whatever it is multiplied with.
    """
    accumulators: list[Any] = [None] * len(graph.nodes)
    reached: list[Mask] = [None] * len(graph.nodes)
    contributions: list[Contribution] = []
    lines: list[Sent] = []
    if plan.active[graph.output]:
        accumulators[graph.output] = upstream
        reached[graph.output] = np.ones(np.shape(upstream), dtype=bool)
    for number, _, sends in plan.steps:
        node = graph.operation(number)
        given = [*graph.calls[number][1](values), values[number]]
        for send in sends:
            to = send.to
            sent = _sent(node, send, given, values, accumulators[number], reached[number])
            value = reduce_to(np.asarray(sent.value), send.shape)[()]
            counts = any_over_broadcast(sent.counts, send.shape)
            before, known = accumulators[to], reached[to]
            total = accumulators[to] = value if before is None else before + value
            reached[to] = counts if known is None else known | counts
            wild = any_over_broadcast(~np.isfinite(sent.value), send.shape)
            if before is not None:
                wild = wild | ~np.isfinite(before)
            lines.append(sent._replace(exceeds=~np.isfinite(total) & ~wild))
            contributions.append(Contribution(number, send.operand, to, value, total, send.final))
    return Backward(accumulators, contributions), lines


def _sent(
    node: OperationNode,
    send: Send,
    given: list[Any],
    values: Sequence[Any],
    delta: Any,
    reached: Mask,
) -> Sent:
    operation, rule = node.operation, send.rule
    if operation.elementwise:
        local = rule(given) if rule.constant is None else rule.constant
        value = np.asarray(delta * local)
        counts = reached & np.not_equal(local, 0) if operation.selects else reached
    else:
        value = np.asarray(rule([*given, delta]))
        counts = reached_through(rule, given, reached, selects=operation.selects)
    if send.mask is nothing:
        counts = np.False_
    if node.selections:
        mask: Any = selected(node, values)
        counts = counts & (mask if operation.elementwise else mask.any())
    counts = np.broadcast_to(counts, value.shape)
    return Sent(node, send, np.where(counts, value, 0.0), counts)


def reached_through(rule: Formula, given: Sequence[Any], reached: Mask, *, selects: bool) -> Mask:
    """Which elements a backward rule sends the reached elements of its upstream to.

    A rule that only moves and adds elements says so itself, applied to ones; so does a product of
    matrices with a factor of ones, and the rule of an operation that `selects`. Where differences
    could cancel ones, the rule gets `uneven` numbers. Any other rule may send every element
    everywhere.
    """
    ones, upstream = reached.astype(np.float64), len(given)
    if rule.cancels():
        ones = ones * uneven(reached.shape)
    if selects or rule.moves:
        return np.not_equal(rule([*given, ones]), 0)
    first, second, _ = rule.factors() or (upstream, upstream, 0)
    if first == second:
        return reached.any()
    filled = list(given)
    other = first if second == upstream else second
    filled[other] = np.ones(np.shape(given[other]))
    return np.not_equal(rule([*filled, ones]), 0)


def uneven(shape: Shape) -> Any:
    """Positive numbers, drawn at random: their sums and differences are 0 only if they are empty.

    They are the same for the same shape. That two of a million neighbours are equal has a
    probability of 10⁻⁹.
    """
    return np.random.default_rng(1).uniform(1.0, 2.0, shape)


# --- which contribution is at fault ---------------------------------------------------------


def at_fault(plan: Plan, accumulators: Sequence[Any], lines: Sequence[Sent]) -> Sent | None:
    """The first contribution that makes an input's accumulator infinite or nan, or leads to one.

    Its `counts` are the elements at fault. None where all that is not finite reaches no input.
    """
    senders = {node for node, _, _ in plan.steps}
    guilty: dict[int, Mask] = {
        i: ~np.isfinite(delta)
        for i, delta in enumerate(accumulators)
        if delta is not None and i not in senders
    }
    found: Sent | None = None
    for line in reversed(lines):
        here = _leads_to(line, guilty.get(line.send.to))
        if not here.any():
            continue
        wild = ~np.isfinite(accumulators[line.node.id])
        whole = not line.send.elementwise
        inherited = wild & here.any() if whole else wild & here
        own = here & ~inherited.any() if whole else here & ~wild
        if own.any():
            found = line._replace(counts=own)
        guilty[line.node.id] = guilty.get(line.node.id, np.False_) | inherited
    return found


def _leads_to(line: Sent, guilty: Mask) -> Mask:
    """The elements of a contribution that make the elements at fault in its operand not finite."""
    if guilty is None or not guilty.any():
        return np.False_
    shape = line.value.shape
    to, exceeds = (
        np.reshape(m, (1,) * (len(shape) - m.ndim) + m.shape) if m.ndim < len(shape) else m
        for m in (np.asarray(guilty), np.asarray(line.exceeds))
    )
    bad = line.counts & ~np.isfinite(line.value)
    try:
        return (bad | (line.counts & exceeds)) & np.broadcast_to(to, shape)
    except ValueError:  # one number that is sent to every element
        return (bad | exceeds.any()) & to.any()
