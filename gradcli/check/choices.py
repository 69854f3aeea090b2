"""Which branch every operation is on, and which operations the output depends on.

The branches of all operations, mixed into one number per row, are the row's signature: two points
of one signature are on one smooth piece of the function.

In `where(x < 1, x, sqrt(x))` at 0 the root has no slope, and the function needs none: it is x on
both sides. So nodes that reach the output only where they are not selected are left out when the
check looks for kinks, edges and noise between a variable and the output.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from gradcli.engine.forward import operand_values
from gradcli.graph.graph import Graph, Node
from gradcli.ops.operation import Array

Chosen: TypeAlias = Mapping[int, tuple[Any, Any]]
"""For every `where` whether its second and its third operand are chosen, row by row."""


Signature: TypeAlias = Array

_WEIGHT = 6364136223846793005
"""Knuth's multiplier, to mix the branch codes of one operation after another into a signature."""


def branch_codes(codes: Array, rows: int) -> Array:
    """An operation's branches as one integer per row."""
    codes = codes.reshape(rows, -1)
    if codes.dtype == np.bool_ and codes.size > rows:
        codes = np.packbits(codes, axis=1)
    weights = np.arange(codes.shape[1], dtype=np.int64) * 2 + 2654435761
    if codes.dtype == np.float64 and codes.size > rows:
        largest = max(codes.max(), -codes.min())
        if largest * weights[-1] * len(weights) < 2.0**53:  # all sums are exact
            return (codes @ weights.astype(np.float64)).astype(np.int64)
    whole = _whole_numbers(codes)
    return (whole * weights if len(weights) > 1 else whole).sum(axis=1)


def _whole_numbers(codes: Array) -> Array:
    """Branch codes as integers; those too large for one, as floor(1e100), stay distinct."""
    if codes.dtype.kind != "f":
        return codes.astype(np.int64)
    large = np.abs(codes) >= 2.0**62
    if not large.any():
        return codes.astype(np.int64)
    bits = codes.astype(np.float64).view(np.int64)
    return np.where(large, bits ^ (bits >> 31), np.where(large, 0.0, codes).astype(np.int64))


def mixed(codes: Mapping[int, Array], say: Mapping[int, Any] | None, rows: int) -> Signature:
    """The signature of every row, from the operations that have a `say` there (None for all)."""
    signature: Signature = np.zeros(rows, dtype=np.int64)
    for i, code in codes.items():
        part = code if say is None else np.where(say.get(i, False), code, 0)
        signature = signature * _WEIGHT + part
    return signature


def chooses(node: Node) -> bool:
    """Whether the operation leaves out some of its operands."""
    return node.operation is not None and node.operation.chooses


def chosen(condition: Array, rows: int | None = None) -> tuple[Any, Any]:
    """Whether a `where` with this condition takes anything of its second and third operand.

    With `rows` the condition's first axis is a batch of that size, and the answers are arrays.
    """
    holds = np.asarray(condition) != 0
    if rows is None or holds.ndim == 0 or len(holds) != rows:
        return bool(holds.any()), not bool(holds.all())
    flat = holds.reshape(rows, -1)
    return flat.any(axis=1), ~flat.all(axis=1)


def speaking(graph: Graph, values: Sequence[Any]) -> list[bool]:
    """For every node whether it reaches the output through what is chosen at this point."""
    where = (node for node in graph.nodes if chooses(node))
    at = {node.id: chosen(operand_values(node, values)[0]) for node in where}
    if not at:
        return [True] * len(graph.nodes)
    found = spread(graph, range(len(graph.nodes)), at)
    return [bool(found.get(node.id, False)) for node in graph.nodes]


def spread(graph: Graph, nodes: Iterable[int], at: Chosen) -> dict[int, Any]:
    """For every one of the `nodes` (in order) that reaches the output, in which rows it does."""
    found: dict[int, Any] = {graph.output: True}
    for i in reversed(list(nodes)):
        rows = found.get(i)
        if rows is None:
            continue
        taken = (True, *at.get(i, ()))
        for place, operand in enumerate(graph.nodes[i].operands):
            if type(operand) is int:
                part = taken[place] if i in at else True
                found[operand] = np.logical_or(found.get(operand, False), rows & np.asarray(part))
    return found
