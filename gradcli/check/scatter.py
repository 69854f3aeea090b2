"""The accumulator's own rounding error: the backward pass on jittered values, with jitter.

A right rule can lose all digits, as (exp(x) - 1)/x does near 0, and then the accumulator, not the
slope, is what is uncertain. The points that a sampler holds at x, with everything downstream
disturbed by rounding, go down the graph again here: a batch of backward passes in one, each
contribution and each sum disturbed as well. How far the results scatter says how many digits
of the accumulator mean anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from gradcli.check.function import Coordinate, Point
from gradcli.check.jitter import EPS, Jitter
from gradcli.check.sampling import Request, Samples
from gradcli.engine.formula import Formula
from gradcli.engine.guards import guarded
from gradcli.engine.plan import plan_of, reduce_to
from gradcli.graph.graph import OperationNode
from gradcli.ops.kernels.linear import SMALL
from gradcli.ops.operation import Array, Shape

FACTORED = 8 * EPS
"""About the error of a factorisation, relative to the matrix and to what comes out."""


class Scatter:
    """Batches of backward passes through a graph at the point where it stands."""

    def __init__(self, point: Point, place: Any, seed: int = 0) -> None:
        """`place` is where the graph's nodes are in the function's flat graph."""
        self.point, self.place = point, place
        self.jitter = Jitter(seed + 1)

    def measure(self, requests: list[Request], answers: list[Samples]) -> None:
        """Fill in the scatter of the accumulators that the answers belong to.

        It is half the range of the disturbed results and knows nothing of the accumulator that
        is on trial, which may be wrong.
        """
        together: dict[int, list[int]] = {}
        for k, answer in enumerate(answers):
            if answer.held:
                together.setdefault(id(answer.held), []).append(k)
        for members in together.values():
            coordinates = [requests[k].coordinate for k in members]
            rows = [answers[k].rows for k in members]
            found = self.spreads(answers[members[0]].held, coordinates, rows)
            for k, spread in zip(members, found, strict=True):
                answers[k].scatter = spread

    def spreads(
        self, held: dict[int, Array], coordinates: Sequence[Coordinate], rows: Sequence[slice]
    ) -> list[float]:
        """The scatter of every coordinate's accumulator, from its rows of the held values."""
        spreads = [0.0]
        for repaired in (False, True):
            deltas = self._backward(held, coordinates, repaired=repaired)
            spreads = [
                _half_range(coordinate.component(deltas[coordinate.node][own]).tolist())
                if coordinate.node in deltas
                else 0.0
                for coordinate, own in zip(coordinates, rows, strict=True)
            ]
            if math.isfinite(sum(spreads)):
                break
        return spreads

    def _backward(
        self, held: dict[int, Array], coordinates: Sequence[Coordinate], *, repaired: bool
    ) -> dict[int, Array]:
        """The coordinates' accumulators for all held rows, which are the batch axis.

        If `repaired`, what is not finite counts only where it is a contribution at the point; else
        it spreads, and the accumulators that it reaches are not finite.
        """
        graph, at, active = self.point.graph, self.point.values, self.point.active
        place = self.place
        rows = len(next(iter(held.values())))
        wanted = {c.node for c in coordinates}
        first = min(wanted)
        values = held
        if type(place) is not range:
            values = {i: held[p] for i, p in enumerate(place) if p in held}
        start = np.asarray(self.point.upstream)
        deltas: dict[int, Array] = {graph.output: np.broadcast_to(start, (rows, *start.shape))}
        kept: dict[int, Array] = {}
        for node in reversed(graph.nodes[first:]):
            delta = deltas.pop(node.id, None)
            if delta is None:
                continue
            if node.id in wanted:
                kept[node.id] = delta
            if node.operation is None:
                continue
            own = [
                values.get(o, at[o]) if type(o) is int else o.value
                for o in (*node.operands, node.id)
            ]
            for i, to in enumerate(node.operands):
                if type(to) is not int or not active[to] or to < first:
                    continue
                sent = self._sent(node, i, own, delta, repaired=repaired)
                before = deltas.get(to)
                deltas[to] = sent if before is None else self.jitter.round(before + sent)
        return kept

    @cached_property
    def _counts(self) -> dict[tuple[int, int], Any]:
        """Which elements of every contribution are no exact zero, before it is reduced."""
        point = self.point
        plan, constants = plan_of(point.graph, point.active), point.graph.constants
        with np.errstate(all="ignore"):
            _, lines = guarded(point.graph, plan, [*point.values, *constants], point.upstream)
        return {(line.node.id, line.send.operand): line.counts for line in lines}

    def _sent(
        self, node: OperationNode, i: int, values: list[Any], delta: Array, *, repaired: bool
    ) -> Array:
        """What a node sends to its operand, for every row; disturbed where it is rounded.

        `values` are those of its operands and its own.
        """
        rule, disturb = self.point.rules.of(node, i), self.jitter.disturb
        exact = node.operation.exact
        if not node.operation.elementwise:
            sent = self._moved(node, rule, values, delta)
        elif rule.constant is None:
            local = rule.disturbed(values, disturb)
            sent = delta * _lifted(local, rule.type.shape, len(node.type.shape))
        else:
            sent = delta * rule.constant if rule.constant else np.zeros_like(delta)
            exact = abs(rule.constant) == 1
        if repaired and not np.isfinite(sent).all():
            sent = np.where(self._counts[node.id, i], sent, 0.0)
        shape = self.point.graph.operand_type(node.operands[i]).shape
        if sent.shape[1:] != shape:
            sent = reduce_to(sent, shape, front=1)
        return sent if exact else self.jitter.round(sent)

    def _moved(self, node: OperationNode, rule: Formula, values: list[Any], delta: Array) -> Array:
        """What an operation that is not elementwise sends, before its last rounding.

        That of a factorisation is like an error in the matrix, unless it is that of a small
        determinant, which is a sum of products.
        """
        operation, disturb, rows = node.operation, self.jitter.disturb, len(delta)
        shapes = [self.point.graph.operand_type(o).shape for o in node.operands]
        small = operation.minors and shapes[0][-1] <= SMALL
        factored = operation.factorises and not small
        if factored:
            values = [
                disturb(_batched(value, shape, rows), error=FACTORED) if shape else value
                for value, shape in zip(values, (*shapes, ()), strict=True)
            ]
        sent = _batched(rule.disturbed([*values, delta], disturb), rule.type.shape, rows)
        if factored:
            largest = np.abs(sent).max(axis=tuple(range(1, sent.ndim)), keepdims=True)
            sent = sent + (disturb(largest + 0 * sent, error=FACTORED) - largest)
        return sent


def _half_range(results: list[float]) -> float:
    return (max(results) - min(results)) / 2 if math.isfinite(sum(results)) else math.inf


def _batched(value: Any, shape: Shape, rows: int) -> Array:
    """A value with the batch axis in front, repeated if it had none."""
    array = np.asarray(value)
    return array if array.ndim > len(shape) else np.broadcast_to(array, (rows, *shape))


def _lifted(value: Any, shape: Shape, rank: int) -> Array:
    """A local derivative whose own axes are filled up to a rank, behind the batch axis."""
    array = np.asarray(value)
    if array.ndim <= len(shape) or len(shape) == rank:
        return array
    return array.reshape((len(array),) + (1,) * (rank - len(shape)) + array.shape[1:])
