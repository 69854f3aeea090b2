"""Arrays of few elements taken apart: a graph of derivatives as one of numbers.

In a program over x[0], x[1], … every derivative by x is an array of few elements, and each call of
NumPy for it takes as long as ten operations on numbers. A graph whose first nodes have values comes
in, and a longer one goes out that computes the same derivatives from the same values, element by
element, where every operation behind the first nodes is elementwise or moves and adds elements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.engine.continuation import Continuation
from gradcli.engine.forward import apply
from gradcli.engine.growing import ZERO, Growing, is_number
from gradcli.engine.rules import Rules
from gradcli.graph.draft import Literal, Operand
from gradcli.graph.graph import Graph, OperationNode, input_like
from gradcli.ops.operation import Array, Type

NUMBER = Type(())

Elements = Sequence[Operand]
"""The elements of a node, row by row."""


class Apart(NamedTuple):
    """A graph of numbers behind the first nodes of another, with what was asked of it."""

    graph: Graph
    directions: list[str]
    """The elements of the further inputs that are directions, as inputs."""
    wanted: list[int]
    """The elements of all wanted nodes, behind each other."""


def apart(
    run: Continuation,
    types: Mapping[str, Type],
    wanted: Sequence[tuple[int | None, Type]],
    fixed: Mapping[str, Any],
) -> Apart | None:
    """What a continuation computes, on numbers; None where an operation can't be taken apart.

    `types`, `wanted` and `fixed` are as in `rows.Rows`.
    """
    graph = run.graph
    taken = _Taken(graph, run.start, run.constants)
    names: list[str] = []
    for name, t in types.items():
        own = [f"{name}, {k}" for k in range(t.size)]
        elements = [taken.input(element) for element in own]
        if name in run.further:
            taken.elements[run.further[name]] = elements
        names += own
    for name, value in fixed.items():
        if name in run.further:
            taken.elements[run.further[name]] = _literals(value)
    for node in run.nodes:
        if not isinstance(node, OperationNode) or (made := taken.apply_apart(node)) is None:
            return None
        taken.elements[node.id] = made
    output = graph.nodes[graph.output]
    found = [taken.of(i) if i is not None else [ZERO] * t.size for i, t in wanted]
    numbers = [taken.as_node(element, output) for elements in found for element in elements]
    return Apart(Graph(graph.source, tuple(taken.nodes), graph.output), names, numbers)


def _literals(value: Any) -> Elements:
    return [Literal(element, "") for element in np.ravel(value)]


class _Taken(Growing):
    """The first nodes of a graph, and behind them the elements of the others."""

    def __init__(self, graph: Graph, start: int, constants: Mapping[int, Any]) -> None:
        super().__init__(Graph(graph.source, graph.nodes[:start], graph.output))
        self.whole, self.start = graph, start
        self.rules = Rules(graph)
        self.elements: dict[int, Elements] = {i: _literals(v) for i, v in constants.items()}

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

    def apply_apart(self, node: OperationNode) -> Elements | None:
        """The elements of an operation's output."""
        return self.elementwise(node) if node.operation.elementwise else self.moved(node)

    def elementwise(self, node: OperationNode) -> Elements:
        """An elementwise operation, applied to one element after the other."""
        row, columns = node.operation, []
        for operand in node.operands:
            elements, t = self.of(operand), self.whole.operand_type(operand)
            places = np.arange(t.size).reshape(t.shape)
            spread = np.broadcast_to(places, node.type.shape).ravel().tolist()
            columns.append([elements[i] for i in spread])
        out, kernel, options = row.bind((NUMBER,) * len(columns), node.options, numpy_rules=True)
        return [
            self.emit(row, operands, options, node.given, out, kernel, node, ())
            for operands in zip(*columns, strict=True)
        ]

    def moved(self, node: OperationNode) -> Elements | None:
        """An operation that moves elements, adds and subtracts them; None for another."""
        own = [k for k, o in enumerate(node.operands) if isinstance(o, int)]
        if not all(self.rules.of(node, k).moves for k in own):
            return None
        given = [e for k in own for e in self.of(node.operands[k])]
        constant = self.applied(node, np.zeros((1, len(given))))
        units = self.applied(node, np.eye(len(given))) - constant
        if not np.isin(units, (-1, 0, 1)).all():
            return None
        found: list[Operand] = []
        for start, column in zip(_literals(constant), units.T, strict=True):
            total: Operand = start
            for k in np.flatnonzero(column):
                total = self.summed(total, given[k], column[k], node)
            found.append(total)
        return found

    def summed(self, total: Operand, element: Operand, sign: float, node: OperationNode) -> Operand:
        """A sum with one element more, or less where the sign is negative."""
        if is_number(total, 0.0):
            return element if sign > 0 else self.apply("neg", (element,), node)
        return self.apply("add" if sign > 0 else "sub", (total, element), node)

    def applied(self, node: OperationNode, elements: Array) -> Array:
        """An operation on rows of the elements of its operands that are nodes, as a matrix."""
        arguments: list[Any] = []
        first = 0
        for operand in node.operands:
            t = self.whole.operand_type(operand)
            if isinstance(operand, int):
                part = elements[:, first : first + t.size]
                arguments.append(part.reshape(-1, *t.shape))
                first += t.size
            else:
                arguments.append(operand.value)
        made = np.asarray(apply(self.whole, node, arguments))
        return np.reshape(made, (len(elements), node.type.size))
