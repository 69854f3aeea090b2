"""The graph as JSON: steps in; nodes with values and deltas, and edges with what is sent, out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradcli.engine.notation import expression
from gradcli.report import json
from gradcli.results.result import Result
from gradcli.trace.steps import Steps

if TYPE_CHECKING:
    from gradcli.graph.graph import Node
    from gradcli.report.style import Style


def pieces(steps: Steps, style: Style) -> Iterator[str]:
    """The object of schema gradcli.export/1, piece by piece."""
    return json.laid_out(document(steps), steps.result.program, style)


def document(steps: Steps) -> Iterator[tuple[str, Any]]:
    """The object's keys and values in order; long lists as iterators."""
    result = steps.result
    yield "schema", "gradcli.export/1"
    yield "program", result.program
    yield "output", result.output.name
    yield "upstream", json.late(result.upstream)
    yield "nodes", (_node(result, node) for node in result.graph.nodes)
    yield "edges", _edges(steps)


def _node(result: Result, node: Node) -> json.Object:
    return {
        "id": node.id,
        "name": node.name,
        "kind": node.kind,
        "step": result.graph.steps.get(node.id),
        "operation": None if node.operation is None else node.operation.name,
        "expression": expression(result.graph, node),
        "shape": list(node.type.shape),
        "value": json.late(result.values[node.id]),
        "delta": json.late(result.accumulators[node.id]),
    }


def _edges(steps: Steps) -> Iterator[json.Object]:
    """An edge for every use of a node, in forward order; its numbers from the backward pass."""
    graph = steps.graph
    sent = zip(steps.result.contributions, steps.moves(), strict=True)
    moves = {(c.node, c.operand): move for c, move in sent}
    for node in graph.nodes:
        for i, operand in enumerate(node.operands):
            if not isinstance(operand, int):
                continue
            move = moves.get((node.id, i))  # None where no gradient is asked for
            yield {
                "from": operand,
                "to": node.id,
                "operand": i,
                "formula": move and move.formula,
                "local_value": move and json.late(move.local_value),
                "contribution": move and json.late(move.value),
            }
