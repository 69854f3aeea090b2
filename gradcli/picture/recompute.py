"""The two passes of a scalar program in JavaScript, so that a page computes them at other inputs.

The steps of a result come in. Out comes a function of JavaScript that fills the values of all
nodes, and for every line of the backward pass the local derivative as a function of them.
Operations are spelled by `ops/javascript.py`. Where an operation has no spelling there, or where a
value is an array, there is no such program, and the page shows this one point.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import numpy as np

from gradcli import ops
from gradcli.engine.notation import folded, formula_tree
from gradcli.graph.draft import Literal
from gradcli.graph.graph import OperationNode
from gradcli.ops import javascript
from gradcli.ops.operation import Operation, Type
from gradcli.syntax.tree import Call, Compare, Name, Number, Operator, Tree
from gradcli.trace.steps import Steps

CONSTANTS = {
    **dict.fromkeys(("pi", "π"), "Math.PI"),
    **dict.fromkeys(("tau", "τ"), "(2*Math.PI)"),
    "e": "Math.E",
    "inf": "Infinity",
    "nan": "NaN",
}


class Missing(Exception):
    """Something has no form in JavaScript."""


class Recompute(NamedTuple):
    """A program in JavaScript."""

    forward: str
    """Statements that fill `v`, the values by the nodes' numbers, from those of the inputs."""
    locals: tuple[str, ...]
    """The local derivative of every line of the backward pass, as an expression over `v`."""


def recompute(steps: Steps) -> Recompute | None:
    """The passes of some steps; None where they can't be written in JavaScript."""
    result, nodes = steps.result, steps.graph.nodes
    if any(node.type.shape for node in nodes if node.kind != "constant"):
        return None
    try:
        known = {node.id: result.values[node.id] for node in nodes if node.kind == "constant"}
        forward = [f"v[{i}] = {_number(float(value))};" for i, value in known.items()]
        forward += [
            f"v[{node.id}] = {_node(node)};"
            for node in nodes
            if node.operation is not None and node.carries
        ]
        return Recompute("".join(forward), tuple(_locals(steps)))
    except (Missing, TypeError):  # a constant array has no one number
        return None


def _locals(steps: Steps) -> Iterator[str]:
    """The local derivatives, in the form that runs where that can be written, else as shown."""
    graph = steps.graph
    places = {node.name: f"v[{node.id}]" for node in graph.nodes}
    part = partial(_part, places=places)
    for k, move in enumerate(steps.moves()):
        if move.local is None:
            raise Missing(move.text)
        if steps.by == "operation":
            running = move.node.operation.running(graph.site(move.node))
            text = running[steps.result.contributions[k].operand]
            with suppress(Missing):
                yield folded(formula_tree(graph, move.node, text), part)
                continue
        yield folded(move.local, part)


def _node(node: OperationNode) -> str:
    """A node's value, over `v`."""
    operands = [f"v[{o}]" if isinstance(o, int) else _literal(o) for o in node.operands]
    operation = node.operation
    if operation.body is not None:
        graph, result = operation.body(tuple(Type(()) for _ in operands))
        inside = (f"v[{inner.id}] = {_node(inner)};" for inner in graph.nodes if inner.operation)
        return f"((v) => {{{''.join(inside)} return v[{result}];}})([{', '.join(operands)}])"
    return _spelled(operation, operands)


def _spelled(operation: Operation, operands: Sequence[str]) -> str:
    found = javascript.expression(operation, operands) if operation.elementwise else None
    if found is None:
        raise Missing(operation.name)
    return found


def _literal(literal: Literal) -> str:
    if np.ndim(literal.value):
        raise Missing(literal.text)
    return _number(float(literal.value))


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "(-Infinity)"
    return repr(value) if value >= 0 else f"({value!r})"


def _part(node: Tree, parts: Sequence[str], places: dict[str, str]) -> str:
    match node:
        case Number():
            return _number(node.value)
        case Name():
            found = places.get(node.name) if not node.qualified else None
            if found or node.name in CONSTANTS:
                return found or CONSTANTS[node.name]
        case Operator():
            return _spelled(ops.for_symbol(node.symbol), parts)
        case Compare():
            if len(node.symbols) == 1:
                return _spelled(ops.for_symbol(node.symbols[0]), parts)
        case Call():
            return _called(node, parts)
    raise Missing(str(node))


def _called(node: Call, parts: Sequence[str]) -> str:
    count = len(parts) - len(node.keywords)
    row = ops.function(node.name, count, node.keywords)
    if not isinstance(row, Operation):
        raise Missing(node.name)
    named = dict(zip(node.keywords, parts[count:], strict=True))
    given = list(parts[:count])
    if not row.operands[0].variadic:
        for p in row.parameters[count:]:
            if p.option:
                raise Missing(node.name)
            given.append(named.get(p.name) or _number(float(p.default)))
    return _spelled(row, given)
