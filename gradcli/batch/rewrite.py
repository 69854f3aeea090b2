"""Calls that a line need not make: what a graph computes, in fewer or cheaper calls.

A graph comes in; out come, for every node, the first that computes the same, and for some nodes
another call that computes them. Every rewritten call gives the same numbers, but for the last
digits of slopes that share a part with the function that they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli import ops
from gradcli.batch.memory import Written
from gradcli.batch.watch import Truths, zero_compared
from gradcli.engine.formula import frozen
from gradcli.engine.growing import operand_key
from gradcli.graph.draft import Operand
from gradcli.graph.graph import Graph, Node, OperationNode
from gradcli.ops.operation import Operation


def merged(graph: Graph) -> list[int]:
    """For every node the first that computes the same."""
    known: dict[Any, int] = {}
    same = list(range(len(graph.nodes)))
    truths = Truths(graph.nodes, same)
    for node in graph.nodes:
        if node.operation is not None:
            operands = tuple(same[o] if isinstance(o, int) else o for o in node.operands)
            inner = _already(node, operands, truths)
            if inner is not None:
                same[node.id] = inner
                continue
            key = (id(node.operation), _keys(operands), frozen(node.options), node.type)
            same[node.id] = known.setdefault(key, node.id)
    return same


def _already(node: OperationNode, operands: tuple[Operand, ...], truths: Truths) -> int | None:
    """An operand that is the node itself: c of `c != 0`, the inner of two equal `where`."""
    tested = zero_compared(node)
    if tested is not None:
        equal, x = tested
        x = truths.same[x]
        return x if not equal and truths.is_truth(x) and _alike(node, truths.nodes[x]) else None
    branches = _branches(node, operands)
    if branches is None:
        return None
    condition, inner, other = branches
    if not isinstance(inner, int) or not _alike(node, truths.nodes[inner]):
        return None
    within = _branches(truths.nodes[inner], truths.nodes[inner].operands)
    if within is None or truths.of(within[0]) != truths.of(condition):
        return None
    kept = truths.same[within[2]] if isinstance(within[2], int) else within[2]
    return inner if _keys((other,)) == _keys((kept,)) else None


def _branches(node: Node, operands: tuple[Operand, ...]) -> tuple[int, Operand, Operand] | None:
    """Condition and branches of a `where` with a computed condition."""
    if node.operation is None or not node.operation.chooses or not node.aligned:
        return None
    condition, first, second = operands
    return (condition, first, second) if isinstance(condition, int) else None


def _alike(node: OperationNode, other: Node) -> bool:
    return node.type == other.type and node.aligned


def _keys(operands: tuple[Operand, ...]) -> tuple[Any, ...]:
    return tuple(map(operand_key, operands))


def differences(graph: Graph, same: Sequence[int]) -> Iterator[tuple[int, Written]]:
    """The sums a + (-b), as calls of a - b."""
    nodes = graph.nodes
    for node in nodes:
        if node.operation is None or not node.operation.is_sum or not node.aligned:
            continue
        a, b = (same[o] if isinstance(o, int) else o for o in node.operands)
        for plus, minus in ((a, b), (b, a)):
            other = nodes[minus] if isinstance(minus, int) else None
            if other is None or other.operation is None:
                continue
            if other.operation.is_negation and other.type == node.type:
                inner = other.operands[0]
                to = same[inner] if isinstance(inner, int) else inner
                yield node.id, Written(np.subtract, out=True, operands=(plus, to))
                break


def choices(graph: Graph, truths: Truths) -> Iterator[tuple[int, tuple[Operand, ...]]]:
    """The calls `where(c, c*a, b)`, with the operands c, a, b; c*a is a where c is 1."""
    same, nodes = truths.same, graph.nodes
    for node in nodes:
        operands = tuple(same[o] if isinstance(o, int) else o for o in node.operands)
        branches = _branches(node, operands)
        if node.operation is None or branches is None:
            continue
        condition, first, second = branches
        if not isinstance(first, int):
            continue
        product = nodes[first]
        if product.operation is None or not product.operation.is_product:
            continue
        if not product.aligned or not _alike(node, product):
            continue
        a, b = (same[o] if isinstance(o, int) else o for o in product.operands)
        for truth, factor in ((a, b), (b, a)):
            if not isinstance(truth, int) or not truths.is_truth(truth):
                continue
            if truths.of(truth) == truths.of(condition):
                yield node.id, (condition, factor, second)
                break


class Sharing(NamedTuple):
    """Parts that a function and its slope share, and the calls that use them."""

    parts: dict[int, Node]
    """By the number of the function."""
    calls: dict[int, Written]


def shared(graph: Graph, same: Sequence[int], order: Sequence[int]) -> Sharing:
    """The parts for all slopes in `order` that stand beside the function that they belong to."""
    nodes, found = graph.nodes, Sharing({}, {})
    places: dict[tuple[Operation, tuple[Any, ...]], int] = {}
    given: dict[int, tuple[Operand, ...]] = {}
    for i in order:
        node = nodes[i]
        if node.operation is not None and (node.aligned or len(node.operands) == 1):
            given[i] = tuple(same[o] if isinstance(o, int) else o for o in node.operands)
            places[node.operation, _keys(given[i])] = i
    for (operation, keys), i in places.items():
        sharing = operation.shared
        if sharing is None:
            continue
        row = ops.operation(sharing.function)
        function = places.get((row, keys))
        if function is None and sharing.symmetric:
            function = places.get((row, keys[::-1]))
        if function is None:
            continue
        operands = given[function]
        if function not in found.parts:
            number = len(nodes) + len(found.parts)
            found.parts[function] = graph.operation(function).moved(id=number, operands=operands)
            found.calls[number] = Written(sharing.part, out=True, operands=operands)
        part = found.parts[function].id
        found.calls[function] = Written(sharing.value, out=True, operands=(part, *operands))
        others = (function,) if sharing.by_value else given[i]
        found.calls[i] = Written(sharing.slope, out=True, operands=(part, *others))
    return found
