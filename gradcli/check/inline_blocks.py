"""Blocks opened up: the function under test is what a block's body says.

A user's block is one operation with a derivative of its own, and that derivative is what is on
trial. Its value is taken apart into the operations of its body, so that rounding errors,
branches and wild values inside of it are seen like those of any other operation.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradcli import ops
from gradcli.graph.draft import Operand
from gradcli.graph.graph import Graph, Node, OperationNode


def without_blocks(graph: Graph) -> tuple[Graph, Sequence[int]]:
    """A graph without blocks, and where the nodes of the original are in it."""
    place: Sequence[int] = range(len(graph.nodes))
    while any(node.operation and node.operation.body for node in graph.nodes):
        graph, moved = _opened(graph)
        place = [moved[i] for i in place]
    return graph, place


def _opened(old: Graph) -> tuple[Graph, list[int]]:
    """Replace every block by its body; the blocks in that are left for the next round."""
    nodes: list[Node] = []
    moved: list[int] = []
    for node in old.nodes:
        if node.operation is None:
            moved.append(len(nodes))
            nodes.append(node._replace(id=len(nodes), origin=None))
            continue
        operands = [_moved(o, moved) for o in node.operands]
        if node.operation.body is None:
            moved.append(len(nodes))
            nodes.append(node.moved(id=len(nodes), operands=tuple(operands), selections=()))
        else:
            body, result = node.operation.body(tuple(old.operand_type(o) for o in node.operands))
            last = _copy_body(nodes, node, body, operands)[result]
            if body.nodes[result].kernel is None:
                last = _identity(nodes, node, last)
            assert isinstance(last, int)
            moved.append(last)
    return Graph(old.source, tuple(nodes), moved[old.output]), moved


def _moved(operand: Operand, moved: list[int]) -> Operand:
    return moved[operand] if isinstance(operand, int) else operand


def _copy_body(
    nodes: list[Node], block: OperationNode, body: Graph, arguments: list[Operand]
) -> list[Operand]:
    """Append a body's operations; the result says what each of its nodes has become."""
    inside: list[Operand] = []
    for node in body.nodes:
        if node.kind == "input":
            inside.append(arguments[len(inside)])
        elif node.operation is None:
            inside.append(node.operands[0])
        else:
            operands = tuple(inside[o] if isinstance(o, int) else o for o in node.operands)
            inside.append(len(nodes))
            nodes.append(node.moved(id=len(nodes), name=block.name, operands=operands))
    return inside


def _identity(nodes: list[Node], block: OperationNode, operand: Operand) -> int:
    """A node of its own for a block that is just one of its parameters, or a number."""
    identity = ops.operation("identity")
    nodes.append(
        block.moved(
            id=len(nodes),
            operation=identity,
            operands=(operand,),
            options={},
            given={},
            kernel=identity.forward,
            aligned=True,
            selections=(),
        )
    )
    return len(nodes) - 1
