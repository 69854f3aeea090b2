"""In which buffers results lie, and when a buffer is free: what a line of calls may write over.

A function with `out=` fills a buffer. Any other may return a view of an operand (a transpose, an
index, a user's block that gives back its parameter), and then what it returns lies in the
operand's buffer, which is in use until the last view of it is read. Whether it does is not stated
anywhere but tried out on one row, when the calls are put in order; a result that was said to lie in
no buffer, and lies in one all the same, is copied (`owned`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.engine.forward import line_up
from gradcli.graph.draft import Operand
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Shape


class Written(NamedTuple):
    """What computes a node of a line."""

    function: Callable[..., Any]
    out: bool
    """The function takes `out=`."""
    operands: tuple[Operand, ...]


class Pool:
    """Buffers that results share: each is used again after its last reader."""

    def __init__(self) -> None:
        self.shapes: list[Shape] = []
        self._of: dict[int, int] = {}
        self._idle: dict[Shape, list[int]] = {}

    def take(self, node: int, shape: Shape) -> int:
        """The buffer for a node's result, an idle one where there is one."""
        idle = self._idle.setdefault(shape, [])
        if not idle:
            idle.append(len(self.shapes))
            self.shapes.append(shape)
        self._of[node] = idle.pop()
        return self._of[node]

    def release(self, nodes: Iterable[int]) -> None:
        """Take back the buffers of some nodes."""
        for node in nodes:
            buffer = self._of[node]
            self._idle[self.shapes[buffer]].append(buffer)


def buffers_of(
    graph: Graph, order: Sequence[int], calls: Mapping[int, Written], varies: Sequence[bool]
) -> dict[int, frozenset[int]]:
    """For every call the nodes in whose buffers its result may lie.

    With `out=` that is its own; else none, or, for a view of an operand, those of all operands.
    """
    inside: dict[int, frozenset[int]] = {}
    for i in order:
        call = calls[i]
        if call.out:
            inside[i] = frozenset((i,))
            continue
        read = [inside[o] for o in call.operands if type(o) is int and inside.get(o)]
        views = bool(read) and _views(graph, i, call, varies)
        inside[i] = frozenset[int]().union(*read) if views else frozenset()
    return inside


def _views(graph: Graph, i: int, call: Written, varies: Sequence[bool]) -> bool:
    """Whether a function's result shares memory with an operand, on one row of ones."""
    given: list[Any] = []
    for o in call.operands:
        if isinstance(o, int):
            shape = graph.nodes[o].type.shape
            given.append(np.ones((1, *shape) if varies[o] else shape))
        else:
            given.append(o.value)
    with np.errstate(all="ignore"):
        made = call.function(*line_up(graph, graph.operation(i), given))
    return any(np.may_share_memory(made, operand) for operand in given)


def owned(made: Any, operands: Sequence[Any]) -> Any:
    """A result that lies in no buffer: itself, or a copy. No buffer owns its memory."""
    if made.flags.owndata or not any(np.may_share_memory(made, o) for o in operands):
        return made
    return made.copy()


def ends(
    order: Sequence[int],
    last: Mapping[int, int],
    inside: Mapping[int, frozenset[int]],
    keep: Collection[int],
) -> dict[int, tuple[int, ...]]:
    """For every call the nodes whose buffers are free after it.

    `last` is the last call that reads a node; what lies in the buffer of a node that is kept,
    or is itself kept, holds the buffer for good.
    """
    at = {i: n for n, i in enumerate(order)}
    end: dict[int, int] = {}
    for i in order:
        use = len(order) if i in keep else at[last[i]]
        for owner in inside[i]:
            end[owner] = max(end.get(owner, 0), use)
    found: dict[int, list[int]] = {i: [] for i in order}
    for owner, n in end.items():
        if n < len(order) and owner not in keep:
            found[order[n]].append(owner)
    return {i: tuple(owners) for i, owners in found.items()}
