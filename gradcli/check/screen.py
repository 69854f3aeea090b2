"""Every local derivative of a large program, quickly.

Operations on numbers that are alike (all products, say) are checked together, as arrays: local
derivative against a central difference at two steps. Agreement to 1e-6 of two so different
computations is proof enough; what does not reach it is not accused, but looked at on its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.check.function import Point
from gradcli.check.steps import MANTISSA
from gradcli.graph.draft import Literal
from gradcli.graph.graph import OperationNode

STEP = MANTISSA * 2.0**-13
"""Relative: with one extrapolation, truncation and rounding are both near 1e-11."""

AGREE = 1e-6


def alike(point: Point) -> list[list[OperationNode]]:
    """Operations in groups that can be computed together, those not on numbers by themselves.

    A user's blocks come first: their rules are the ones that may be wrong.
    """
    graph = point.graph
    groups: dict[Any, list[OperationNode]] = {}
    plain = [not node.type.shape for node in graph.nodes]
    for node in graph.nodes:
        if node.operation is None or not point.active[node.id]:
            continue
        operation = node.operation
        operands = node.operands
        numbers = [
            plain[o] if type(o) is int else not graph.operand_type(o).shape for o in operands
        ]
        key: Any = node.id
        if operation.elementwise and plain[node.id] and all(numbers):
            key = operation, len(operands)
            if not isinstance(operation.rules, tuple) or operation.body is not None:
                texts = [o.text if isinstance(o, Literal) else None for o in operands]
                key = operation, tuple(texts)
        groups.setdefault(key, []).append(node)
    return sorted(groups.values(), key=lambda group: group[0].operation.body is None)


def suspicious(point: Point, group: list[OperationNode]) -> list[OperationNode]:
    """The nodes of a group whose local derivatives this look does not confirm."""
    if len(group) == 1:
        return group
    values, active, places = point.values, point.active, range(len(group[0].operands))
    columns = [
        np.array([
            float(o.value if isinstance(o, Literal) else values[o])
            for o in (node.operands[i] for node in group)
        ])
        for i in places
    ]  # fmt: skip
    out = np.array([float(values[node.id]) for node in group])
    good = np.ones(len(group), dtype=bool)
    for i in places:
        operands = (node.operands[i] for node in group)
        wanted = np.array([isinstance(o, int) and active[o] for o in operands])
        if wanted.any():
            good &= ~wanted | _confirmed(point, group, wanted, columns, out, i)
    return [node for node, ok in zip(group, good, strict=True) if not ok]


def _confirmed(
    point: Point, group: list[OperationNode], wanted: Any, columns: list[Any], out: Any, i: int
) -> Any:
    """Where the rule for operand i agrees with the slope."""
    node = group[int(np.argmax(wanted))]
    local = np.broadcast_to(point.rules.of(node, i)([*columns, out]), out.shape)
    x = columns[i]
    h = STEP * np.where(x == 0, 1.0, np.abs(x))
    slopes = []
    for step in (h, h / 2):
        high, low = x + step, x - step
        up = node.kernel(*columns[:i], high, *columns[i + 1 :])
        down = node.kernel(*columns[:i], low, *columns[i + 1 :])
        slopes.append((up - down) / (high - low))
    coarse, fine = slopes
    best = (4 * fine - coarse) / 3
    size = np.maximum(np.abs(local), np.abs(best))
    return (np.abs(local - best) <= AGREE * size) & (np.abs(fine - coarse) <= 1e-3 * size)
