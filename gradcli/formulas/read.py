"""From a graph to expressions: each node as the expression of its operation.

The nodes of a graph come in, some of them with a name to stand for them; an `Expr` goes out for
each that is asked for. Arithmetic, powers, transposes and matrix products become forms of the
algebra, any other operation a call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from fractions import Fraction

import numpy as np

from gradcli.formulas.algebra import Algebra
from gradcli.formulas.arithmetic import ONE
from gradcli.formulas.expression import Expr, Kind
from gradcli.graph.draft import Literal
from gradcli.graph.graph import Graph, Node, OperationNode
from gradcli.ops import operation, roles
from gradcli.ops.operation import SCALAR, Notation, Type

HALF = Fraction(1, 2)
EXPAND_DIMS = operation("expand_dims")


ARITHMETIC: dict[str | None, Callable[..., Expr]] = {
    "-": lambda algebra, a, b: algebra.add([(ONE, a), (-ONE, b)]),
    "neg": Algebra.negative,
    "*": Algebra.times,
    "/": lambda algebra, a, b: algebra.mul(ONE, [(a, ONE), (b, -ONE)]),
    "^": Algebra.power,
    "sqrt": lambda algebra, a: algebra.mul(ONE, [(a, HALF)]),
}
"""The operators that have a form of the algebra's own."""


class UnreadableError(Exception):
    """A node has no expression: a number that isn't finite, a product of shapes unknown here."""


class SizeError(Exception):
    """A formula contains a length that stands for any."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length


def expect_no_size(node: OperationNode, lengths: Collection[int]) -> None:
    """Raise `SizeError` where an option of a node is one of these lengths."""
    stack = list(node.given.values())
    while stack:
        value = stack.pop()
        if isinstance(value, tuple):
            stack += value
        elif isinstance(value, int) and value in lengths:
            raise SizeError(value)


class Reader:
    """Expressions of the nodes of one graph."""

    def __init__(
        self,
        algebra: Algebra,
        graph: Graph,
        names: Mapping[int, Expr],
        sizes: Mapping[int, Expr] | None = None,
        own: int | None = None,
    ) -> None:
        self.algebra, self.graph, self.names = algebra, graph, names
        self.sizes = sizes or {}
        """For lengths that stand for any length, how each is written as a number."""
        self.own = len(graph.nodes) if own is None else own
        """How many nodes the program has; behind them stand those of the backward pass."""
        self._found: dict[int, Expr] = {}

    def expressions(self, wanted: Iterable[int], *, skip: Iterable[int] = ()) -> dict[int, Expr]:
        """The expressions of these nodes; those in `skip` aren't replaced by their names."""
        wanted, opened = list(wanted), set(skip)
        found: dict[int, Expr] = {}
        for i in sorted(self._needed(wanted, opened)):
            known = None if i in opened else self.names.get(i, self._found.get(i))
            found[i] = self._node(self.graph.nodes[i], found) if known is None else known
            if i not in opened:
                self._found[i] = found[i]
        return found

    def _needed(self, wanted: list[int], opened: set[int]) -> set[int]:
        """The nodes to go through for those that are wanted."""
        needed: set[int] = set()
        stack = list(wanted)
        while stack:
            i = stack.pop()
            known = (i in self.names or i in self._found) and i not in opened
            if i not in needed and not known:
                stack += [o for o in self.graph.nodes[i].operands if isinstance(o, int)]
            needed.add(i)
        return needed

    def _node(self, node: Node, found: Mapping[int, Expr]) -> Expr:
        operands = [
            found[o] if isinstance(o, int) else self._literal(o, counts=node.id >= self.own)
            for o in node.operands
        ]
        if node.operation is None:
            if node.kind == "input":
                return self.algebra.name(node.name, node.type)
            return operands[0]
        made, own = self._applied(node, operands), node.type
        if made.type.shape == own.shape:
            return made
        try:  # it has lost the node's shape
            broadcast = np.broadcast_shapes(made.type.shape, own.shape) == own.shape
        except ValueError:
            broadcast = False
        if not broadcast or made.type.size == own.size:
            raise UnreadableError
        return self.algebra.fitted(made, own)

    def _literal(self, literal: Literal, *, counts: bool) -> Expr:
        algebra = self.algebra
        if np.ndim(literal.value):
            return algebra.name(literal.text, literal.type)
        value = float(literal.value)
        if not np.isfinite(value):
            raise UnreadableError
        if literal.text == "e":
            return algebra.e
        if literal.text.isalpha():
            return algebra.name(literal.text, SCALAR)
        number = algebra.number(value)
        return self._with_sizes(number) if counts and self.sizes and value else number

    def _with_sizes(self, number: Expr) -> Expr:
        """A number of a rule that depends on lengths, with these in the place of their numbers."""
        c: Fraction = number.label
        factors: list[tuple[Expr, Fraction]] = []
        for length, written in self.sizes.items():
            for k in (1, -1):
                while (c.numerator if k > 0 else c.denominator) % length == 0:
                    c = c / Fraction(length) ** k
                    factors.append((written, Fraction(k)))
        return self.algebra.mul(c, factors) if factors else number

    def _applied(self, node: OperationNode, x: list[Expr]) -> Expr:
        """An operation as the form of the algebra that it has, else as a call."""
        algebra, row = self.algebra, node.operation
        if row.symbol in ARITHMETIC:
            return ARITHMETIC[row.symbol](algebra, *x)
        match row.symbol:
            case "+":
                # An accumulator gets its contributions last to first: they are written in order.
                summed = node.id >= self.own and all(isinstance(o, int) for o in node.operands)
                return algebra.add((ONE, e) for e in (reversed(x) if summed else x))
            case "T":
                return algebra.transpose(self._as_typed(x[0], node, 0))
            case "@":
                return self._product(node, x)
        if row.exponent is not None:
            return algebra.mul(ONE, [(x[0], Fraction(row.exponent))])
        if row.notation is Notation.SAME:
            return x[0]
        if row.constant is not None:
            return algebra.ones(node.type, x[0]) if row.constant else algebra.zeros(node.type)
        if row.body is not None:
            graph, result = row.body(tuple(self.graph.operand_type(o) for o in node.operands))
            inner = Reader(algebra, graph, dict(enumerate(x)), self.sizes)
            return inner.expressions([result])[result]
        return self._special(node, x) or self._called(node, x)

    def _special(self, node: OperationNode, x: list[Expr]) -> Expr | None:
        """The form of a function that has one for these operands."""
        algebra, row, shape = self.algebra, node.operation, node.type.shape
        if row is roles.EXP:
            return algebra.exp(x[0])
        if row is roles.FULL:
            return algebra.fitted(x[0], node.type)
        if row is roles.EYE and len(set(shape)) == 1:
            return algebra.eye(shape[0])
        if row in roles.PRODUCTS and all(len(e.type.shape) == 1 for e in x):
            return algebra.matmul(*x)
        if row is roles.SUM and x[0].kind is Kind.ONES and not shape and not self.sizes:
            return algebra.number(x[0].type.size)
        return None

    def _called(self, node: OperationNode, x: list[Expr]) -> Expr:
        row = node.operation
        made = self.algebra.call(row, node.given, tuple(x), node.type)
        kept = made.calls(row) or row not in roles.RESHAPES
        if kept and self.sizes and node.id >= self.own:
            expect_no_size(node, self.sizes)
        return made

    def _product(self, node: OperationNode, x: list[Expr]) -> Expr:
        if any(not 1 <= len(e.type.shape) <= 2 for e in x):
            return self.algebra.call(node.operation, {}, tuple(x), node.type)
        return self.algebra.matmul(*(self._as_typed(e, node, i) for i, e in enumerate(x)))

    def _as_typed(self, e: Expr, node: Node, i: int) -> Expr:
        """An operand that is a row only here, as the matrix of one row that it is in the graph."""
        t = self.graph.operand_type(node.operands[i])
        if not e.type.row or t.row:
            return e
        flat = self.algebra.transpose(e)
        return self.algebra.plain_call(EXPAND_DIMS, {"axis": 0}, (flat,), Type(e.type.shape))
