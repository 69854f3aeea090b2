"""The backward pass: a loop down the graph that fills in every accumulator.

Values come in, accumulators δ_u = ∂f/∂u come out, and the list of contributions, each of
which is one line of a hand-written backward pass. An operation sends to each of its operands
upstream × local derivative (or what its backward rule makes of the upstream); the first
contribution to a node sets its accumulator, every later one is added: the general chain
rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind, Label
from gradcli.engine.formula import formula
from gradcli.engine.forward import (
    all_finite,
    describe_operands,
    floating_point_flags,
    operand_values,
    written_text,
)
from gradcli.engine.plan import (
    BELOW_1,
    Backward,
    Contribution,
    Plan,
    plan_of,
    reduce_to,
)
from gradcli.engine.rules import Rules
from gradcli.graph.graph import Graph, OperationNode


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
    return run_plan(graph, plan, values, upstream, allow_nonfinite=allow_nonfinite)


def run_plan(
    graph: Graph, plan: Plan, values: Sequence[Any], upstream: Any, *, allow_nonfinite: bool
) -> Backward:
    """`backward`, by a plan that was made before."""
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
            # Cauchy and Schwarz: the sum of these |b| is at most 1, so no element exceeds the
            # largest of a; or the product of both norms, which bounds every element, is finite.
            if terms * squares < BELOW_1 or isfinite(np.vdot(a, a) * squares):
                continue
        if not all_finite(accumulators[i]):
            return False
    return True


def local_derivative(rules: Rules, values: Sequence[Any], contribution: Contribution) -> Any:
    """∂out/∂operand of an elementwise operation; None where the rule is for whole arrays.

    It is worked out anew: a pass that kept them would hold twice the memory.
    """
    node = rules.graph.operation(contribution.node)
    if not node.operation.elementwise:
        return None
    rule = rules.of(node, contribution.operand)
    with np.errstate(all="ignore"):
        return rule([*operand_values(node, values), values[node.id]])


# --- where the derivative fails ----------------------------------------------------------


def accumulator_error(
    graph: Graph,
    node: OperationNode,
    operand: int,
    values: Sequence[Any],
    delta: Any,
    counts: Any = True,  # noqa: FBT002 - a mask, or all of it
) -> GradcliError:
    """The error of a contribution that is not finite: an edge, no derivative, or overflow.

    For an elementwise operation, `counts` are the elements at fault.
    """
    operation, to = node.operation, node.operands[operand]
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
