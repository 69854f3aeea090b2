"""Corners that have no second derivative by the rules: |x|² at 0, ‖v‖²·y at v = 0.

At a corner the first derivative is a convention: 0 for |x| at 0, between the slopes -1 and 1.
Where f depends on |x| by its square alone, the gradient is right (2|x|·0 = 0), and its derivative
by the same rules is not: 2·0·0 for 2·(±1)². A graph and its values come in; where f curves along
operations at such a corner and has no slope there, the Hessian is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.engine.adjoint import adjoint
from gradcli.engine.forward import describe_operands, operand_values, selected, written_text
from gradcli.engine.notation import formula_tree
from gradcli.graph.graph import Graph, Node, OperationNode
from gradcli.ops.operation import keywords
from gradcli.results.matrices import continued
from gradcli.syntax.printer import print_tree

WEIGHTS = (0.734, 1.219, 1.618, 0.577, 0.915)
"""A direction of irregular numbers, in which curvatures cancel only by accident."""


def with_corners(graph: Graph) -> list[Node]:
    """The nodes whose operations have a corner with slopes on both sides of the convention's."""
    return [
        node
        for node in graph.nodes
        if (own := node.operation) is not None and own.square is not None and own.tie is not None
    ]


def refuse_corners(
    graph: Graph, values: Sequence[Any], wrt: Sequence[int], nodes: Iterable[Node]
) -> None:
    """Raise `GradcliError` of kind edge where the rules have no right second derivative.

    `nodes` are those of `with_corners`.
    """
    found = [(node.id, _corner(node, values)) for node in nodes]
    if all(places is None for _, places in found):
        return
    active = graph.dependent(set(wrt))
    corners = {i: places for i, places in found if active[i] and places is not None}
    if not corners:
        return
    first = adjoint(graph, corners, values=values)
    slopes = continued(first.graph, values, {}, first.deltas.values())
    held = {
        i: places & (slopes[first.deltas[i]] == 0)
        for i, places in corners.items()
        if i in first.deltas
    }
    names = {f"direction {i}": i for i in held}
    seeds = {name: first.deltas[i] for name, i in names.items()}
    second = adjoint(first.graph, held, upstream=seeds, values=values)
    directions = {
        name: np.where(held[i], np.resize(WEIGHTS, np.shape(held[i])), 0.0)[()]
        for name, i in names.items()
    }
    wanted = [second.deltas[i] for i in held if i in second.deltas]
    curvatures = continued(second.graph, values, directions, wanted)
    for i, places in held.items():
        if i in second.deltas:
            bent = places & (curvatures[second.deltas[i]] != 0)
            if np.any(bent):
                raise _error(graph, graph.operation(i), values, bent)


def at_corners(graph: Graph, values: Sequence[Any], wrt: Iterable[int]) -> list[str]:
    """The operations, as written, that stand at a corner: their derivatives are a convention."""
    active = graph.dependent(set(wrt))
    nodes = (node for node in graph.nodes if active[node.id] and _stands_at_corner(node, values))
    return list(dict.fromkeys(written_text(graph, node) for node in nodes))


@np.errstate(all="ignore")
def _stands_at_corner(node: Node, values: Sequence[Any]) -> bool:
    if node.operation is None or node.operation.tie is None or node.operation.jumps:
        return False
    tied = node.operation.tie(*operand_values(node, values), **keywords(node.kernel))
    if not np.any(tied):
        return False
    mask = selected(node, values)
    return mask is None or np.shape(mask) != np.shape(tied) or bool(np.any(tied & mask))


@np.errstate(all="ignore")
def _corner(node: Node, values: Sequence[Any]) -> Any:
    """Where a node's value is at a corner whose slopes are on both sides of the convention's."""
    if node.operation is None or node.operation.tie is None:
        return None
    arguments, options = operand_values(node, values), keywords(node.kernel)
    tied = np.asarray(node.operation.tie(*arguments, **options))
    if not tied.any():
        return None
    if tied.size != node.type.size:  # element by element of what is reduced
        tied = np.any(tied, axis=options["axis"])
    # The output's shape, with `keepdims` or without, or one number.
    own = node.type.shape if tied.size == node.type.size else ()
    tied = np.broadcast_to(np.reshape(tied, own), node.type.shape)
    mask = selected(node, values)
    return tied if mask is None else tied & mask


def _error(graph: Graph, node: OperationNode, values: Sequence[Any], bent: Any) -> GradcliError:
    operation = node.operation
    written, hint = written_text(graph, node), "write its square without it"
    place = tuple(np.argwhere(bent)[0])
    where = describe_operands(graph, node, operand_values(node, values), place)
    options = [p for p in operation.parameters if p.option]
    if operation.square and all(node.given.get(p.name, p.default) == p.default for p in options):
        hint = f"its square is {print_tree(formula_tree(graph, node, operation.square))}"
    return GradcliError(
        Kind.EDGE,
        f"the second derivative does not follow from the rules: {written} has a corner{where}",
        source=graph.source,
        span=node.span,
        hint=f"{hint}; --allow-nonfinite takes the convention",
    )
