"""Which elements of a matrix of derivatives can be other than zero, seen from the graph alone.

An elementwise operation takes each element from one of each operand; an index, a slice or a
concatenation moves elements; a sum or a difference along an axis adds some of them. Followed from
the inputs up, they say which elements of the inputs an element of a node depends on, as long as
these are few. Directions that meet in no element of the result get one colour and go into one pass
together: a Jacobian of an elementwise map is one pass, a banded one as many as the band is wide
(Curtis, Powell and Reid, 1974).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from gradcli.engine.forward import apply
from gradcli.engine.rules import Rules
from gradcli.graph.graph import Graph, Node, OperationNode
from gradcli.ops.operation import Array
from gradcli.results.matrices import Colours

FEW = 8
"""An element that depends on more elements of the inputs counts as depending on all of them."""
LEAST = 64
"""For fewer directions than this, a pass with all of them is as quick."""
MOST_ELEMENTS = 2**22
"""Nodes that have more elements together are not looked at."""

Pattern: TypeAlias = Any
"""For every element of a node, row by row, the elements of the inputs that it may depend on.

They are counted from 1, and 0 fills up the rows. None where they are not few."""


def patterns(graph: Graph, wrt: Sequence[int], wanted: Sequence[int]) -> dict[int, Pattern]:
    """The patterns of the wanted nodes; the elements of the inputs `wrt` are counted in order."""
    needed = graph.reaching(wanted)
    nodes = [node for node in graph.nodes if needed[node.id]]
    if sum(node.type.size for node in nodes) > MOST_ELEMENTS:
        return dict.fromkeys(wanted)
    rules, found, first = Rules(graph), dict[int, Pattern](), 1
    for i in wrt:
        size = graph.nodes[i].type.size
        found[i] = np.arange(first, first + size)[:, None]
        first += size
    for node in nodes:
        if node.id not in found:
            found[node.id] = _pattern(rules, node, found)
    return {i: found[i] for i in wanted}


def _pattern(rules: Rules, node: Node, found: Mapping[int, Pattern]) -> Pattern:
    size = node.type.size
    operands = [o for o in node.operands if isinstance(o, int)]
    reads = [o for o in operands if found[o] is None or found[o].shape[1]]
    if not reads or (node.operation is not None and node.operation.constant is not None):
        return np.zeros((size, 0), dtype=int)
    if any(found[o] is None for o in reads):
        return None
    if node.operation is None:
        return found[reads[0]]
    graph = rules.graph
    if node.operation.elementwise:
        spread = []
        for o in reads:
            own, pattern = graph.nodes[o].type.shape, found[o]
            shaped = pattern.T.reshape(-1, *(1,) * (len(node.type.shape) - len(own)), *own)
            spread.append(np.broadcast_to(shaped, (len(shaped), *node.type.shape)))
        return _distinct(np.concatenate(spread).reshape(-1, size).T)
    every = np.concatenate([np.zeros((1, FEW), dtype=int), *(_filled(found[o]) for o in operands)])
    sources = _sources(rules, node)
    if sources is None:
        return _distinct(every.reshape(1, -1), repeat=size)
    return _distinct(every[sources].reshape(size, -1))


def _filled(pattern: Pattern) -> Pattern:
    return np.pad(pattern, ((0, 0), (0, FEW - pattern.shape[1])))


def _distinct(pattern: Pattern, repeat: int = 1) -> Pattern:
    """Each element once in a row, the rows as short as can be; None where they are too long."""
    pattern = np.sort(pattern, axis=1)
    pattern[:, 1:][pattern[:, 1:] == pattern[:, :-1]] = 0
    longest = int(np.count_nonzero(pattern, axis=1).max(initial=0))
    if longest > FEW:
        return None
    pattern = np.sort(pattern, axis=1)[:, pattern.shape[1] - longest :]
    return np.repeat(pattern, repeat, axis=0) if repeat != 1 else pattern


def _sources(rules: Rules, node: OperationNode) -> Array | None:
    """Which elements of its operands each element of a node is made of; None for all of them.

    They are counted through all operands from 1; 0 is a 0 or a number. An operation whose rules
    read nothing but the upstream is linear. Applied to labels, it moves them, or makes of them what
    is no label; then it is applied to one element after the other.
    """
    graph, places = rules.graph, range(len(node.operands))
    if not all(rules.of(node, k).moves for k in places if isinstance(node.operands[k], int)):
        return None
    total = sum(graph.nodes[o].type.size for o in node.operands if isinstance(o, int))
    if not total:
        return np.zeros(node.type.size, dtype=int)
    labels = np.random.default_rng(1).uniform(1.0, 2.0, total)
    made = np.ravel(apply(graph, node, parts(graph, node, labels)))
    order = np.argsort(labels)
    place = np.minimum(np.searchsorted(labels, made, sorter=order), total - 1)
    sources: Array = order[place] + 1
    if np.all((made == 0) | (labels[sources - 1] == made)):
        return np.where(made == 0, 0, sources)
    if total * max(total, node.type.size) > MOST_ELEMENTS:
        return None
    units = apply(graph, node, parts(graph, node, np.eye(total))).reshape(total, -1)
    counted = np.arange(1, total + 1)[:, None] * (units != 0)
    return _distinct(counted.T)


def parts(graph: Graph, node: Node, elements: Array, *, numbers: bool = False) -> list[Any]:
    """The operands of a node made of the elements of all of them.

    Those that are written as `numbers` have their values, or else are 0.
    """
    given: list[Any] = []
    batch, first = elements.shape[:-1], 0
    for operand in node.operands:
        t = graph.operand_type(operand)
        if isinstance(operand, int):
            part = elements[..., first : first + t.size]
            given.append(part.reshape((*batch, *t.shape))[()])
            first += t.size
        else:
            given.append(operand.value if numbers else np.zeros(t.shape)[()])
    return given


# --- colours -----------------------------------------------------------------------------


def pairs(pattern: Pattern) -> tuple[Array, Array]:
    """The places that a pattern has: element of the node, element of the inputs, from 0."""
    rows, columns = np.nonzero(pattern)
    return rows, pattern[rows, columns] - 1


def coloured(
    directions: Array, places: Array, count: int, alone: Sequence[int] = ()
) -> Colours | None:
    """Colours for `count` directions, by pairs of a direction and a place that it changes.

    No place gets two directions of one colour. The directions `alone` have a colour to
    themselves. None where that would not save half of the passes.
    """
    reach: list[list[int]] = [[] for _ in range(count)]
    for direction, place in zip(directions.tolist(), places.tolist(), strict=True):
        reach[direction].append(place)
    taken: dict[int, int] = {}
    found = np.zeros(count, dtype=int)
    most, single = 1, set(alone)
    for direction, own in enumerate(reach):
        if direction in single:
            continue
        used = 0
        for place in own:
            used |= taken.get(place, 0)
        colour = (~used & (used + 1)).bit_length() - 1
        for place in own:
            taken[place] = taken.get(place, 0) | (1 << colour)
        found[direction] = colour
        most = max(most, colour + 1)
    for k, direction in enumerate(alone):
        found[direction] = most + k
    most += len(alone)
    return Colours(found, most) if 2 * most <= count else None
