"""Where there is no second derivative: the first operation at fault, and its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.engine.adjoint import Adjoint
from gradcli.engine.forward import (
    all_finite,
    describe_operands,
    floating_point_flags,
    operand_values,
    selected,
    written_text,
)
from gradcli.graph.graph import Graph, Node
from gradcli.ops.operation import Array
from gradcli.results.matrices import continued


def refuse(graph: Graph, second: Adjoint, values: Sequence[Any], given: Mapping[str, Any]) -> None:
    """Raise at the first value behind the gradient that is not finite with finite operands.

    `second` is the graph of second derivatives along the vector `given`.
    """
    found = continued(second.graph, values, given, second.deltas.values())
    for node in second.graph.nodes[len(graph.nodes) :]:
        value = found[node.id]
        if value is None or node.kernel is None or all_finite(np.asarray(value)):
            continue
        arguments = operand_values(node, found)
        mask = selected(node, found)
        bad = ~np.isfinite(value)
        if mask is not None and not (bad & mask).any():
            continue
        if all(map(all_finite, map(np.asarray, arguments))):
            raise _error(graph, values, node, arguments, np.asarray(value))


def _error(
    graph: Graph, values: Sequence[Any], node: Node, arguments: list[Any], value: Array
) -> GradcliError:
    """The error of a second derivative that is not finite, at the operation whose rule it is in."""
    owner = next(
        (
            n
            for n in graph.nodes
            if n.operation is not None and (n.span, n.symbol_span) == (node.span, node.symbol_span)
        ),
        node,
    )
    assert node.kernel is not None
    flags = floating_point_flags(node.kernel, arguments)
    written = written_text(graph, owner)
    where = ""
    if owner is not node and owner.type.shape == node.type.shape:
        place = tuple(np.argwhere(~np.isfinite(np.broadcast_to(value, node.type.shape)))[0])
        where = describe_operands(graph, owner, operand_values(owner, values), place)
    if flags == {"overflow"}:
        kind, what = Kind.OVERFLOW, "overflows"
    elif np.isnan(value).any():
        kind, what = Kind.EDGE, "does not exist"
    else:
        kind, what = Kind.EDGE, "is infinite"
    return GradcliError(
        kind,
        f"the second derivative of {written} {what}{where}",
        source=graph.source,
        span=owner.span,
        hint="--wrt leaves an input out, --allow-nonfinite computes on",
    )
