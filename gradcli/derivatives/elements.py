"""Arrays of few elements taken apart: a graph of derivatives as one of numbers.

In a program over x[0], x[1], … every derivative by x is an array of few elements, and each call of
NumPy for it takes as long as ten operations on numbers. A graph whose first nodes have values comes
in, and a longer one goes out that computes the same derivatives from the same values, element by
element, where every operation behind the first nodes is elementwise or moves and adds elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.derivatives.sparsity import parts
from gradcli.engine.continuation import Continuation
from gradcli.engine.forward import apply
from gradcli.engine.growing import ZERO, Growing, is_literal_number, is_number
from gradcli.engine.rules import Rules
from gradcli.graph.draft import Literal, Operand
from gradcli.graph.graph import Graph, OperationNode, input_like
from gradcli.ops.operation import Operation, Type

NUMBER = Type(())

Elements = Sequence[Operand]
"""The elements of a node, row by row."""
Moves = Sequence[tuple[Operand, Sequence[tuple[int, float]]]]


def apart(
    run: Continuation,
    wanted: Sequence[tuple[int | None, Type]],
    units: Sequence[Mapping[str, Any]],
    free: Mapping[str, Type] | None = None,
) -> Continuation | None:
    """What a continuation computes, on numbers; None where an operation can't be taken apart.

    A unit has values for further inputs, and the result the `wanted` elements of all units behind
    each other; an exact zero of a unit leaves out what it is multiplied by. The elements of the
    `free` inputs stay inputs, in order.
    """
    graph = run.graph
    taken = _Taken(graph, run.start, run.constants)
    for name, t in (free or {}).items():
        elements = [taken.input(f"{name}, {k}") for k in range(t.size)]
        if name in run.further:
            taken.elements[run.further[name]] = elements
    output = graph.nodes[graph.output]
    numbers: list[int] = []
    for unit in units:
        for name, i in run.further.items():
            if name in unit:
                taken.elements[i] = _literals(unit[name])
        for node in run.nodes:
            if node.id in taken.elements and not run.varies[node.id]:
                continue
            assert isinstance(node, OperationNode)
            apply_to = taken.elementwise if node.operation.elementwise else taken.moved
            if (made := apply_to(node)) is None:
                return None
            taken.elements[node.id] = made
        found = [taken.of(i) if i is not None else [ZERO] * t.size for i, t in wanted]
        numbers += [taken.as_node(element, output) for elements in found for element in elements]
    return Continuation(Graph(graph.source, tuple(taken.nodes), graph.output), run.start, numbers)


def _literals(value: Any) -> Elements:
    return [Literal(element, "") for element in np.ravel(value)]


class _Taken(Growing):
    """The first nodes of a graph, and behind them the elements of the others."""

    def __init__(self, graph: Graph, start: int, constants: Mapping[int, Any]) -> None:
        super().__init__(Graph(graph.source, graph.nodes[:start], graph.output))
        self.whole, self.start = graph, start
        self.rules = Rules(graph)
        self.moves: dict[int, Moves | None] = {}
        self.elements: dict[int, Elements] = {i: _literals(v) for i, v in constants.items()}

    def emit(
        self, operation: Operation, operands: tuple[Operand, ...], *more: Any, **named: Any
    ) -> Operand:
        """A sum, difference or product with an exact 0 or 1 needs no node."""
        numbers = tuple(o.value if is_literal_number(o) else None for o in operands)
        match operation.symbol, numbers:
            case "*", (0.0, _) | (_, 0.0):
                return ZERO
            case ("*", (1.0, _)) | ("+", (0.0, _)):
                return operands[1]
            case ("*", (_, 1.0)) | ("+" | "-", (_, 0.0)):
                return operands[0]
        return super().emit(operation, operands, *more, **named)

    def input(self, name: str) -> Operand:
        """A further input that is a number."""
        node = input_like(self.nodes[self.graph.output], len(self.nodes), name, NUMBER)
        return self.add(node, may_fail=False)

    def of(self, operand: Operand) -> Elements:
        """The elements of an operand; those of an array that is given are read out of it."""
        if isinstance(operand, Literal):
            return _literals(operand.value)
        if operand not in self.elements:
            node = self.nodes[operand]
            places = np.ndindex(*node.type.shape) if node.type.shape else ()
            self.elements[operand] = [
                self.apply("index", (operand,), node, items=place) for place in places
            ] or [operand] * node.type.size
        return self.elements[operand]

    def elementwise(self, node: OperationNode) -> Elements:
        """An elementwise operation, applied to one element after the other."""
        row, columns = node.operation, []
        for operand in node.operands:
            elements, t = self.of(operand), self.whole.operand_type(operand)
            if t.size == 1:
                elements = [*elements] * node.type.size
            elif t.shape != node.type.shape:
                places = np.arange(t.size).reshape(t.shape)
                spread = np.broadcast_to(places, node.type.shape).ravel().tolist()
                elements = [elements[i] for i in spread]
            columns.append(elements)
        out, kernel, options = row.bind((NUMBER,) * len(columns), node.options, numpy_rules=True)
        return [
            self.emit(row, operands, options, node.given, out, kernel, node, ())
            for operands in zip(*columns, strict=True)
        ]

    def moved(self, node: OperationNode) -> Elements | None:
        """An operation that moves elements, adds and subtracts them; None for another."""
        given = [e for o in node.operands if isinstance(o, int) for e in self.of(o)]
        if node.id not in self.moves:
            self.moves[node.id] = self.found_moves(node, len(given))
        moves = self.moves[node.id]
        if moves is None:
            return None
        found: list[Operand] = []
        for start, terms in moves:
            total: Operand = start
            for k, sign in terms:
                total = self.summed(total, given[k], sign, node)
            found.append(total)
        return found

    def found_moves(self, node: OperationNode, count: int) -> Moves | None:
        """For each element of the output a number, and which operands' elements are added to it."""
        own = [k for k, o in enumerate(node.operands) if isinstance(o, int)]
        if not all(self.rules.of(node, k).moves for k in own):
            return None
        rows = np.vstack([np.zeros(count), np.eye(count)])
        made = apply(self.whole, node, parts(self.whole, node, rows, numbers=True))
        constant, *units = np.reshape(made, (count + 1, node.type.size))
        units = np.subtract(units, constant).reshape(count, -1)
        if not np.isin(units, (-1, 0, 1)).all():
            return None
        terms = [[(k, column[k]) for k in np.flatnonzero(column).tolist()] for column in units.T]
        return list(zip(_literals(constant), terms, strict=True))

    def summed(self, total: Operand, element: Operand, sign: float, node: OperationNode) -> Operand:
        """A sum with one element more, or less where the sign is negative."""
        if is_number(total, 0.0):
            return element if sign > 0 else self.apply("neg", (element,), node)
        return self.apply("add" if sign > 0 else "sub", (total, element), node)
