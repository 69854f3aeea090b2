"""A graph that grows: operations applied to its nodes become nodes behind them.

Operands come in, nodes or literals; an operand goes out that stands for the result. An operation
that exists already is not added again, and one on numbers alone is computed at once. This is the
algebra in which `adjoint` applies the formulas of the table to a graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

from gradcli import ops
from gradcli.engine.formula import Formula, frozen
from gradcli.engine.forward import all_finite
from gradcli.graph.draft import Literal, Operand, Selection
from gradcli.graph.graph import ConstantNode, Graph, Node, OperationNode
from gradcli.ops.operation import Operation, Shape, Type

ONE = Literal(np.float64(1.0), "1")
ZERO = Literal(np.float64(0.0), "0")


class Growing:
    """The nodes of a graph, and those that are put behind them."""

    def __init__(
        self, graph: Graph, values: Sequence[Any] | None = None, *, fold: bool = True
    ) -> None:
        self.graph, self.fold = graph, fold
        self.nodes: list[Node] = list(graph.nodes)
        self.known: dict[Any, int] = {}
        """Nodes by what they compute; with `fold` the graph's own too."""
        if fold:
            for node in graph.nodes:
                if node.operation is not None:
                    key = _computed(node.operation, node.operands, node.options, node.selections)
                    self.known.setdefault(key, node.id)
        self.may_fail: list[bool] = []
        """For every node, whether its value may be infinite or nan."""
        if values is None:
            self.may_fail += [False] * len(graph.nodes)
        else:
            self.may_fail += [not all_finite(np.asarray(value)) for value in values]
            for node in graph.nodes[len(values) :]:
                self.may_fail.append(self.fails(node.operation, node.operands))

    def as_node(self, operand: Operand, of: Node) -> int:
        """The number of the node that holds a node's δ; a constant gets one."""
        if isinstance(operand, Literal):
            literal = operand if operand.text else Literal(operand.value, f"{operand.value:.17g}")
            key = ("constant", operand_key(operand))
            if key not in self.known:
                number, place = len(self.nodes), (of.span, of.symbol_span)
                node = ConstantNode(number, f"#{number}", literal, literal.type, *place)
                self.known[key] = self.add(node, may_fail=not _is_finite(literal))
            operand = self.known[key]
        if operand >= len(self.graph.nodes) and self.nodes[operand].name.startswith("#"):
            self.nodes[operand] = self.nodes[operand]._replace(name=f"delta_{of.name}")
        return operand

    def splice(
        self,
        rule: Formula,
        arguments: list[Operand],
        owner: Node,
        selections: tuple[Selection, ...],
    ) -> Operand:
        """A formula's nodes behind the others, with these operands for its names."""
        if rule.picks is not None:
            arguments = [arguments[i] for i in rule.picks]
        place: dict[int, Operand] = dict(enumerate(arguments))
        inner: dict[int, Selection] = {}
        for node in rule.graph.nodes[len(arguments) :]:
            operands = tuple(place[o] if isinstance(o, int) else o for o in node.operands)
            if node.operation is None:
                place[node.id] = operands[0]
                continue
            for selection in node.selections:
                if id(selection) not in inner:
                    condition = selection.condition
                    at = place[condition] if isinstance(condition, int) else condition
                    inner[id(selection)] = Selection(selection.chosen, at)
            own = (*selections, *(inner[id(s)] for s in node.selections))
            place[node.id] = self.emit(
                node.operation, operands, node.options, node.given, node.type, node.kernel,
                owner, own,
            )  # fmt: skip
        return place[rule.result]

    def apply(
        self,
        name: str,
        operands: tuple[Operand, ...],
        owner: Node,
        selections: tuple[Selection, ...] = (),
        **options: Any,
    ) -> Operand:
        """One operation of the table."""
        row = ops.operation(name)
        types = tuple(map(self.type, operands))
        out, kernel, seen = row.bind(types, options, numpy_rules=True)
        return self.emit(row, operands, seen, options, out, kernel, owner, selections)

    def emit(
        self,
        operation: Operation,
        operands: tuple[Operand, ...],
        options: Mapping[str, Any],
        given: Mapping[str, Any],
        out: Type,
        kernel: Any,
        owner: Node,
        selections: tuple[Selection, ...],
    ) -> Operand:
        """A node for an operation; one that exists, or the number that it equals, if it can be."""
        folds = operands and not out.shape and all(map(is_literal_number, operands))
        if folds and self.fold:
            with np.errstate(all="ignore"):
                value = np.float64(kernel(*(o.value for o in operands)))  # type: ignore[union-attr]
            if np.isfinite(value):
                return Literal(value, "")
        key = _computed(operation, operands, options, selections)
        if key not in self.known:
            number, rank = len(self.nodes), len(out.shape)
            aligned = operation.infer is not None or all(
                len(self.type(o).shape) == rank for o in operands
            )
            self.known[key] = self.add(
                OperationNode(
                    number,
                    f"#{number}",
                    any(isinstance(o, int) and self.nodes[o].carries for o in operands),
                    operation,
                    tuple(map(_written, operands)),
                    options,
                    given,
                    out,
                    kernel,
                    aligned,
                    selections,
                    owner.span,
                    owner.symbol_span,
                ),
                may_fail=self.fails(operation, operands),
            )
        return self.known[key]

    def add(self, node: Node, *, may_fail: bool) -> int:
        """Append a node, and return its number."""
        self.nodes.append(node)
        self.may_fail.append(may_fail)
        return node.id

    def type(self, operand: Operand) -> Type:
        """The type of a node or literal."""
        return self.nodes[operand].type if isinstance(operand, int) else operand.type

    # --- sums and products ---

    def plus(self, a: Operand, b: Operand, owner: Node) -> Operand:
        """The sum of two parts of an accumulator, which keeps their type."""
        return self.fit(self.apply("add", (a, b), owner), self.type(a), owner)

    def times(self, delta: Operand, local: Operand, owner: OperationNode) -> Operand:
        """Upstream times local derivative, in the output's shape."""
        if is_number(local, 1.0):
            return delta
        if is_number(delta, 1.0):
            return local
        if is_number(local, -1.0):
            return self.apply("neg", (delta,), owner, owner.selections)
        return self.apply("mul", (delta, local), owner, owner.selections)

    def fit(self, operand: Operand, target: Type, owner: Node) -> Operand:
        """Sum over the axes that were broadcast, or repeat to the target's shape."""
        own = self.type(operand)
        if own == target:
            return operand
        if own.shape != target.shape:
            operand = self.reduced("sum", operand, target.shape, owner)
            if self.type(operand).shape != target.shape:
                operand = self.apply("full", (operand,), owner, shape=target.shape)
        if self.type(operand).row != target.row:
            if target.row:
                operand = self.apply("row", (self.apply("flatten", (operand,), owner),), owner)
            else:
                operand = self.apply("reshape", (operand,), owner, shape=target.shape)
        return operand

    def reduced(self, name: str, operand: Operand, shape: Shape, owner: Node) -> Operand:
        """A reduction over the axes that broadcasting gave to something of this shape."""
        own = self.type(operand).shape
        extra = len(own) - len(shape)
        if extra > 0:
            front = tuple(range(extra)) if extra > 1 else 0
            operand = self.apply(name, (operand,), owner, axis=front)
        elif extra < 0 and own:
            operand = self.apply("reshape", (operand,), owner, shape=(1,) * -extra + own)
        own = self.type(operand).shape
        if own:
            axes = tuple(i for i, n in enumerate(shape) if n == 1 and own[i] != 1)
            if axes:
                axis = axes if len(axes) > 1 else axes[0]
                operand = self.apply(name, (operand,), owner, axis=axis, keepdims=True)
        return operand

    def any_over_broadcast(self, part: Operand, shape: Shape, node: Node) -> Operand:
        """An element of `shape` counts if any that it is broadcast to counts."""
        own = self.type(part).shape
        try:
            np.broadcast_shapes(own, shape)
        except ValueError:
            return self.any(part, node)
        if len(own) < len(shape):
            trailing = shape[len(shape) - len(own) :]
            if all(m == 1 or n != 1 for m, n in zip(own, trailing, strict=True)):
                return part
        return self.reduced("amax" if self.type(part).size else "sum", part, shape, node)

    def any(self, part: Operand, node: Node) -> Operand:
        """1 if any element is: the largest, or of no elements, which have none, the sum."""
        return self.apply("amax" if self.type(part).size else "sum", (part,), node)

    def fails(self, operation: Operation | None, operands: Sequence[Operand]) -> bool:
        """Whether an operation may come to infinity or nan: by itself, or by its operands."""
        if any(self.may_fail[o] if isinstance(o, int) else not _is_finite(o) for o in operands):
            return True
        if operation is None or not operation.domain:
            return False
        last = operands[-1]
        if operation.symbol in ("/", "^") and isinstance(last, Literal):
            positive = np.all(last.value > 0) and np.all(last.value == np.floor(last.value))
            return not (positive if operation.symbol == "^" else np.all(last.value != 0))
        return True


def _is_finite(literal: Literal) -> bool:
    return bool(np.isfinite(literal.value).all())


def is_literal_number(operand: Operand) -> TypeGuard[Literal]:
    """Whether an operand is written as a number."""
    return isinstance(operand, Literal) and np.ndim(operand.value) == 0


def is_number(operand: Operand, number: float) -> bool:
    """Whether an operand is written as this very number."""
    return isinstance(operand, Literal) and not np.ndim(operand.value) and operand.value == number


def _written(operand: Operand) -> Operand:
    """A number that was worked out gets its digits as its text."""
    if isinstance(operand, Literal) and not operand.text:
        return operand._replace(text=f"{operand.value:.17g}")
    return operand


def _computed(
    operation: Operation,
    operands: tuple[Operand, ...],
    options: Mapping[str, Any],
    selections: tuple[Selection, ...],
) -> Any:
    """What a node computes, as a key."""
    return operation, tuple(map(operand_key, operands)), frozen(options), tuple(map(id, selections))


def operand_key(operand: Operand) -> Any:
    """An operand as a part of a key: equal numbers (-0 is not 0) are one, arrays themselves."""
    if isinstance(operand, int):
        return operand
    if np.ndim(operand.value):
        return "array", id(operand.value)
    return "number", np.float64(operand.value).tobytes()
