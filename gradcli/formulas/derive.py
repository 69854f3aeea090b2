"""The derivative of a graph as formulas: adjoint, expressions, shortest forms, trees.

A graph and the names that may stand in formulas come in; a tree for the δ of every name goes out.
The adjoint graph of the textbook's rules is read as expressions. Where a node has a name, the name
stands for its value, and `delta_name` for its δ. What can't be simplified is written as the
adjoint graph has it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.engine.adjoint import adjoint
from gradcli.engine.notation import NOWHERE, node_tree, number, option_tree, substitute
from gradcli.formulas.algebra import Algebra
from gradcli.formulas.expression import Expr
from gradcli.formulas.expression import Kind as Form
from gradcli.formulas.forms import Shortener
from gradcli.formulas.layout import Writer
from gradcli.formulas.read import Reader, SizeError, UnreadableError, expect_no_size
from gradcli.formulas.simplify import algebra_of_formulas
from gradcli.graph.draft import Literal
from gradcli.graph.graph import Graph
from gradcli.ops import roles
from gradcli.ops.operation import SCALAR, Misfit, Shape, Type
from gradcli.syntax.tree import Call, Index, Name, Nothing, Operator, Slice, Tree

LONGEST = 1_000
"""A longer formula, in operations, is written with names for its parts."""

SEVERAL_WAYS = 80
"""Up to this many operations, shorter forms are also looked for from the top."""

UNREADABLE = (UnreadableError, ArithmeticError, Misfit)
"""What is raised for a node that the algebra has no form for: 1/0, a product of zeros."""


class TooLongError(Exception):
    """A formula has more than `LONGEST` operations."""


@dataclass
class Deriver:
    """Formulas over the names of one graph."""

    graph: Graph
    named: Collection[int]
    """The nodes whose names may stand in formulas; inputs always may."""
    free: Sequence[int] = ()
    """Lengths that stand for any length."""
    algebra: Algebra = field(default_factory=algebra_of_formulas)

    def __post_init__(self) -> None:
        nodes = self.graph.nodes
        self.symbols = {
            i: self.algebra.name(nodes[i].name, nodes[i].type)
            for i in sorted({*self.graph.inputs, *self.named})
        }
        self.writer = Writer(self.algebra, self._example)
        self.shorteners = [
            Shortener(self.algebra, self.writer, exponentials=choice) for choice in (True, False)
        ]
        self.target: Shape = ()
        sizes = {n: self._count(n) for n in self.free}
        self.sizes = {n: e for n, e in sizes.items() if e is not None}

    # --- first derivatives ---

    def first(self, targets: Iterable[int]) -> dict[int, Tree]:
        """δ of each of these nodes. Raises `TooLongError`."""
        targets = list(targets)
        found = adjoint(self.graph, self.graph.inputs, textbook=True)
        names = dict(self.symbols)
        own = len(self.graph.nodes)
        for i in sorted(self.named, reverse=True):
            d = found.deltas.get(i)
            if d is None or i == self.graph.output or d < own:
                continue
            if found.graph.nodes[d].carries:
                node = self.graph.nodes[i]
                names.setdefault(d, self.algebra.name(f"delta_{node.name}", node.type))
                self.writer.upstream.add(names[d])
        reader = self.reader(found.graph, names)
        with suppress(*UNREADABLE):  # what is written first in the program comes first
            output = reader.expressions([self.graph.output])[self.graph.output]
            if not self.named and self.writer.cost(output) > 4 * LONGEST:
                raise TooLongError  # a derivative is seldom shorter than what it is of
        trees: dict[int, Tree] = {}
        for i in targets:
            node = self.graph.nodes[i]
            d = found.deltas.get(i)
            if d is None:
                trees[i] = self.written(self.algebra.zeros(node.type), node.type.shape)
                continue
            symbol = names.get(d)
            own_name = symbol is not None and symbol.label == f"delta_{node.name}"
            opened = [d] if own_name and d >= own else []
            try:
                e = reader.expressions([d], skip=opened)[d]
                trees[i] = self.written(e, node.type.shape)
            except UNREADABLE:
                trees[i] = self.plain(found.graph, names, d, opened)
        return trees

    def reader(self, graph: Graph, names: Mapping[int, Expr]) -> Reader:
        """Expressions of a graph that begins with this one."""
        return Reader(self.algebra, graph, names, self.sizes, own=len(self.graph.nodes))

    def expression(self, e: Expr, shape: Shape) -> Expr:
        """The shortest form, in a shape; never longer than given. Raises `TooLongError`."""
        e = self.algebra.fitted(e, Type(shape))
        if self.writer.cost(e) > 4 * LONGEST:
            raise TooLongError
        forms = [e]
        for shortener in self.shorteners[: 1 + self._has_exponentials(e)]:
            forms += [shortener.shortest(e)]
            if self.writer.cost(e) <= SEVERAL_WAYS:
                forms += [shortener.from_the_top(e)]
        found = min(forms[1:] + forms[:1], key=self.writer.cost)
        if self.writer.cost(found) > LONGEST:
            raise TooLongError
        return self.algebra.fitted(found, Type(shape))

    def _has_exponentials(self, e: Expr) -> bool:
        """Whether exp stands in an expression."""
        seen, stack = {e}, [e]
        while stack:
            top = stack.pop()
            if self.algebra.is_exp(top):
                return True
            new = [part for part in top.parts if part not in seen]
            seen.update(new)
            stack += new
        return False

    def written(self, e: Expr, shape: Shape) -> Tree:
        """The tree of an expression's shortest form. Raises `TooLongError`."""
        self.target = shape
        return self.writer.tree(self.expression(e, shape))

    # --- where the algebra has no form ---

    def plain(
        self, graph: Graph, names: Mapping[int, Expr], wanted: int, opened: Collection[int]
    ) -> Tree:
        """A node as the graph has it, operation in operation."""
        trees: dict[int, Tree] = {}
        sizes: dict[int, int] = {}
        stack = [wanted]
        while stack:
            i = stack[-1]
            node = graph.nodes[i]
            operands = [o for o in node.operands if isinstance(o, int)]
            if i in trees:
                stack.pop()
            elif i in names and i not in opened:
                trees[i], sizes[i] = Name(names[i].label, NOWHERE), 0
            elif missing := [o for o in operands if o not in trees]:
                stack += missing
            else:
                sizes[i] = 1 + sum(sizes[o] for o in operands)
                if sizes[i] > LONGEST:
                    raise TooLongError
                if node.operation is not None:
                    expect_no_size(node, self.free)
                rules = i >= len(self.graph.nodes)
                for o in node.operands if rules else ():
                    number = isinstance(o, Literal) and not o.type.shape and float(o.value)
                    for length in self.free if number else ():
                        if number % length == 0:  # a length that stands for any
                            raise SizeError(length)
                tree = node_tree(graph, node)
                inner = {graph.nodes[o].name: trees[o] for o in operands}
                trees[i] = substitute(tree, inner)
        return trees[wanted]

    # --- arrays of one number ---

    def _count(self, n: int) -> Expr | None:
        """A length that stands for any as a number of the language: sum(ones_like(x))."""
        symbol = next((s for s in self.symbols.values() if n in s.type.shape), None)
        ones = self.algebra.ones(Type((n,)), symbol)
        return symbol and self.algebra.plain_call(roles.SUM, {}, (ones,), SCALAR)

    def _example(self, e: Expr) -> Tree | None:
        """What is written for ones, zeros or an identity."""
        shape = e.type.shape
        if e.kind is Form.EYE:
            if shape[0] not in self.free:
                return _call("eye", number(float(shape[0])))
            line = self._like("ones_like", shape[:1])
            return line and _call("diag", line)
        word = "zeros" if e.kind is Form.ZEROS else "ones"
        found = self._like(f"{word}_like", shape)
        if found is None and e.parts and e.parts[0].type.shape == shape:
            found = _call(f"{word}_like", self.writer.tree(e.parts[0]))
        if found is None and not {*shape} & {*self.free}:
            found = _call(word, option_tree(shape if len(shape) > 1 else shape[0]))
        return found

    def _like(self, function: str, shape: Shape) -> Tree | None:
        """`ones_like(x)` for a name of this shape, `ones_like(W[0])` for a line of a matrix."""
        found = self._named(shape)
        if found is not None:
            return _call(function, found)
        if len(shape) == 2:
            lines = [self._line(n) for n in shape]
            if lines[0] is None or lines[1] is None:
                return None
            row = Operator("T", (lines[1],), NOWHERE, NOWHERE)
            return _call(function, Operator("@", (lines[0], row), NOWHERE, NOWHERE))
        line = self._line(shape[0]) if len(shape) == 1 else None
        return line and _call(function, line)

    def _named(self, shape: Shape) -> Tree | None:
        """A name of this shape."""
        symbols = (s for s in self.symbols.values() if s.type.shape == shape)
        return next((Name(symbol.label, NOWHERE) for symbol in symbols), None)

    def _line(self, n: int) -> Tree | None:
        """A vector of this length: a name, or the first line of a matrix."""
        found = self._named((n,))
        if found is not None:
            return found
        for symbol in self.symbols.values():
            own = symbol.type.shape
            if len(own) == 2 and n in own:
                name, first = Name(symbol.label, NOWHERE), number(0.0)
                whole = Slice(Nothing(NOWHERE), Nothing(NOWHERE), Nothing(NOWHERE), NOWHERE)
                return Index(name, (first,) if own[1] == n else (whole, first), NOWHERE)
        return None


def _call(name: str, argument: Tree) -> Tree:
    return Call(name, (argument,), (), NOWHERE, NOWHERE)


def refuse_arrays(graph: Graph, type: str) -> None:  # noqa: A002
    """Raise `GradcliError` of kind shape for an output that is no single number.

    `type` is what the output is, in words.
    """
    output = graph.nodes[graph.output]
    if output.type.size != 1:
        raise GradcliError(
            Kind.SHAPE,
            f"the output {output.name} is {type}: a derivative's formula needs an output that is a "
            "number",
            source=graph.source,
            span=output.span,
            hint="sum(…) or ||…||^2 makes a number of it; 'gradcli jacobian' takes an array",
        )
