"""Values and accumulators that are not finite: which operation is to blame, and why.

What accumulators may lack because a local derivative fell below the smallest double is found too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from gradcli.check.choices import chooses
from gradcli.check.finding import SPECIAL, Finding
from gradcli.check.function import SMALLEST_NORMAL, Coordinate, Point
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.engine.backward import accumulator_error
from gradcli.engine.forward import all_finite, nonfinite_error, operand_values
from gradcli.engine.plan import Contribution
from gradcli.graph.graph import Graph, Node
from gradcli.results.result import Check, Verdict


def undefined(graph: Graph, values: Sequence[Any]) -> GradcliError:
    """What went wrong where the output is not finite, as the forward pass would have raised it."""
    return _undefined(graph, values)[1]


def _undefined(graph: Graph, values: Sequence[Any]) -> tuple[Node | None, GradcliError]:
    """The first operation that is not finite at finite operands, and the error of that."""
    for node in graph.nodes:
        error = nonfinite_error(graph, node, values)
        if error is not None:
            return node, error
    return None, GradcliError(Kind.DOMAIN, "the output is not finite", source=graph.source)


class Undefined:
    """The point where the passes ran into infinity or nan, if they did."""

    def __init__(self, point: Point) -> None:
        self.point, self.graph, self.values = point, point.graph, point.values

    def output(self) -> Check | None:
        """The verdict on every row where the output itself is not finite; else None."""
        if all_finite(np.asarray(self.values[self.graph.output])):
            return None
        node, error = _undefined(self.graph, self.values)
        name = node.operation.name if node and node.operation else None
        return Check(_verdict(error), operation=name, reason=error.message)

    def variable(self, coordinate: Coordinate) -> Finding | None:
        """The verdict on a variable that can't be varied; None if it can.

        That is one that is not finite itself, or one that is true or false: as long as it is
        only a condition, there is nothing between the two.
        """
        if coordinate.node in self.conditions:
            return Finding(Verdict.ZERO, "a condition has derivative 0", slope=0.0, error=0.0)
        if math.isfinite(coordinate.x):
            return None
        gradient = self.point.gradient(coordinate)
        if gradient == 0 and self.graph.nodes[coordinate.node].selections:
            return Finding(Verdict.ZERO, "not selected", slope=0.0, error=0.0)
        return Finding(Verdict.EDGE, "the value is not finite")

    @cached_property
    def conditions(self) -> set[int]:
        """Comparisons, and products of them, that serve as conditions and as nothing else."""
        nodes, found = self.graph.nodes, set[int]()
        truths = set[int]()
        for node in nodes:
            if node.operation is None:
                continue
            if node.operation.is_comparison or (
                node.operation.is_product
                and all(isinstance(o, int) and o in truths for o in node.operands)
            ):
                truths.add(node.id)
        for i in sorted(truths, reverse=True):
            uses = [nodes[user] for user in self.graph.consumers[i]]
            if uses and all(
                u.id in found or (chooses(u) and u.operands[0] == i and i not in u.operands[1:])
                for u in uses
            ):
                found.add(i)
        return found

    def explained(self, coordinate: Coordinate, finding: Finding) -> Finding:
        """A finding on an accumulator that is not finite, with the operation that made it so.

        At a kink or an edge of the function the finding stays: it says more.
        """
        gradient = self.point.gradient(coordinate)
        if math.isfinite(gradient) or finding.verdict in SPECIAL:
            return finding
        if np.isinf(gradient) and finding.slope is not None:
            reason = f"the gradient overflows, the slope is {finding.slope:.6g}"
            return Finding(Verdict.OVERFLOW, reason, slope=finding.slope, error=finding.error)
        sender = self._sender(coordinate)
        if sender is None:
            return finding
        node = self.graph.operation(sender.node)
        delta = self.point.passed.accumulators[sender.node]
        error = accumulator_error(self.graph, node, sender.operand, self.values, delta)
        verdict = _verdict(error)
        if "underflow" in local_flags(self.point, sender)[1]:
            verdict = Verdict.OVERFLOW  # -1/x² at 1e-200 is not infinite, only too large
        return Finding(
            verdict,
            error.message,
            slope=finding.slope,
            error=finding.error,
            operation=node.operation.name,
        )

    def _sender(self, coordinate: Coordinate) -> Contribution | None:
        """The contribution that was the first to be not finite on the way to an accumulator."""
        by_target: dict[int, Contribution] = {}
        for c in self.point.passed.contributions:
            if not np.all(np.isfinite(c.value)):
                by_target.setdefault(c.to, c)
        at, found = coordinate.node, None
        while at in by_target:
            found = by_target[at]
            at = found.node
        return found


def _verdict(error: GradcliError) -> Verdict:
    return Verdict.OVERFLOW if error.kind is Kind.OVERFLOW else Verdict.EDGE


def lost(point: Point) -> list[float]:
    """For every node, how much an element of its accumulator may lack; 0 for most programs.

    A contribution is upstream × local derivative. The -1/x² of 1/x at 1e200 is 0 as a double, and
    however large the upstream is, so is the product, though 1e150 · 1e-400 could be written. The
    rule is right and the accumulator is not. How much it may lack is known: less than
    upstream · 2⁻¹⁰²², and what that becomes on the way down.
    """
    graph, passed = point.graph, point.passed
    found = [0.0] * len(graph.nodes)
    for c in passed.contributions:
        before = found[c.node]
        local, flags = local_flags(point, c)
        if before:
            # Of a rule for whole arrays it is not known what it makes of a small change.
            largest = np.inf if local is None else float(np.max(np.abs(local), initial=0.0))
            found[c.to] += before * largest * graph.nodes[c.node].type.size
        if flags and local is not None and np.any(np.abs(local) < SMALLEST_NORMAL):
            upstream = np.sum(np.abs(passed.accumulators[c.node]))
            found[c.to] += SMALLEST_NORMAL * float(upstream)
    return found


def local_flags(point: Point, c: Contribution) -> tuple[Any, set[str]]:
    """A local derivative (None for a rule for whole arrays), and whether numbers left the range.

    That is `overflow` or `underflow` somewhere inside of it.
    """
    node = point.graph.nodes[c.node]
    if node.operation is None or not node.operation.elementwise:
        return None, set()
    rule = point.rules.of(node, c.operand)
    if rule.constant is not None:
        return rule.constant, set()
    raised: set[str] = set()
    calls = {"under": "call", "over": "call", "call": lambda flag, _bits: raised.add(flag)}
    with np.errstate(divide="ignore", invalid="ignore", **calls):  # type: ignore[arg-type]
        local = rule([*operand_values(node, point.values), point.values[node.id]])
    return local, raised
