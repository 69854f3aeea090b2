"""Lowering of names, literals, operators and arrays: what is done with each of these trees.

`work` has the loop that calls the methods here; `lower` adds calls and statements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcli import ops
from gradcli.diagnostics.error import Kind
from gradcli.diagnostics.source import Source, Span
from gradcli.graph.brackets import array_text, flattened
from gradcli.graph.draft import Literal, Operand
from gradcli.graph.names import CONSTANTS, Definition, Names
from gradcli.graph.work import Engine, Scope, Work
from gradcli.syntax.tree import (
    Array,
    Call,
    Compare,
    Index,
    Name,
    Nothing,
    Number,
    Operator,
    Text,
    Tree,
    Tuple,
)


class Operators(Work):
    """What is done with each kind of tree but calls and statements."""

    def __init__(
        self,
        source: Source,
        engine: Engine,
        names: Names | None = None,
        *,
        keep_divisions: bool = False,
    ) -> None:
        super().__init__(source, engine)
        self.names = names
        self.definitions: Mapping[str, Definition] = names.definitions if names else {}
        self.keep_divisions = keep_divisions
        self.nodes: dict[str, int] = {}
        self.visitors |= {
            Number: self.number,
            Name: self.name,
            Operator: self.operator,
            Compare: self.compare,
            Array: self.array,
            Index: self.index,
            Tuple: self.bracketed,
            Nothing: self.nothing,
            Text: self.word,
        }

    # --- leaves ---

    def number(self, tree: Number, _scope: Scope) -> None:
        """A literal."""
        self.values.append(Literal(np.float64(tree.value), tree.text))

    def nothing(self, tree: Nothing, _scope: Scope) -> None:
        """`None`, which is only an option."""
        self.fail(Kind.SYNTAX, "None isn't a value", tree.span, "it is for axis=None, x[:, None]")

    def word(self, tree: Text, _scope: Scope) -> None:
        """A word in quotes, which is only an option."""
        hint = "words are options of a function: mse_loss(x, y, reduction='sum')"
        self.fail(Kind.SYNTAX, "a word in quotes isn't a value", tree.span, hint)

    def bracketed(self, tree: Tuple, _scope: Scope) -> None:
        """A tuple, which is only an argument."""
        self.fail(
            Kind.SYNTAX,
            "a tuple can't be used as a value",
            tree.span,
            "an array is written with square brackets: [1, 2]",
        )

    def name(self, tree: Name, scope: Scope) -> None:
        """A node, a constant, or what a name stands for inside a function."""
        word = tree.name
        if tree.qualified:
            self.values.append(Literal(np.float64(CONSTANTS[word]), word))
        elif word in scope.local:
            self.values.append(scope.local[word])
        elif word in scope.constants:
            value = scope.constants[word]
            self.values.append(Literal(np.float64(value), str(value)))
        elif word in self.nodes:
            self.values.append(self.nodes[word])
        elif word in CONSTANTS:
            self.values.append(Literal(np.float64(CONSTANTS[word]), word))
        else:
            self.fail(Kind.NAME, f"'{word}' has no value here", tree.span)

    # --- operators ---

    def operator(self, tree: Operator, scope: Scope) -> None:
        """An operator, once its operands are lowered."""
        inside = self.squared_norm(tree)
        if inside is not None:
            self.then(self.apply_squared_norm, tree, scope)
            self.visit(inside, scope)
            return
        self.then(self.apply_operator, tree, scope)
        self.visit_all(tree.operands, scope)

    def squared_norm(self, tree: Operator) -> Tree | None:
        """The v of `||v||^2` or `norm(v)^2`, which is one operation; None for anything else."""
        if tree.symbol != "^":
            return None
        base, exponent = tree.operands
        if not isinstance(exponent, Number) or exponent.value != 2:
            return None
        match base:
            case Operator(symbol="norm"):
                return base.operands[0]
            case Call(name="norm", arguments=(inside,), keywords=()) if (
                base.qualified or "norm" not in self.definitions
            ):
                return inside
        return None

    def apply_squared_norm(self, tree: Operator, scope: Scope) -> None:
        """`||v||^2` on the operand that is lowered."""
        row = ops.operation("squared_norm")
        self.push(row, self.pop(1), tree, tree.symbol_span, scope)

    def apply_operator(self, tree: Operator, scope: Scope) -> None:
        """An operator on the operands that are lowered."""
        operands = self.pop(len(tree.operands))
        if tree.symbol == "/":
            self.divide(tree, tree.symbol_span, operands, scope)
        else:
            self.push(ops.for_symbol(tree.symbol), operands, tree, tree.symbol_span, scope)

    def divide(
        self, tree: Operator | Call, span: Span, operands: tuple[Operand, ...], scope: Scope
    ) -> None:
        """`p / q`: by a constant it is one operation, else 1/q and a product (Figure 1)."""
        p, q = operands
        if self.keep_divisions or not self.carries(q):
            self.push(ops.for_symbol("/"), operands, tree, span, scope)
            return
        one = isinstance(p, Literal) and np.ndim(p.value) == 0 and p.value == 1
        whole = one or isinstance(tree, Call)
        reciprocal_span = tree.span if whole else Span(span.start, tree.children()[1].span.end)
        inverse = self.add(
            ops.operation("reciprocal"), (q,), tree, span, scope, span=reciprocal_span
        )
        if one:
            self.values.append(inverse)
        else:
            self.push(ops.for_symbol("*"), (p, inverse), tree, span, scope)

    def compare(self, tree: Compare, scope: Scope) -> None:
        """A chain of comparisons, once its operands are lowered."""
        self.then(self.apply_compare, tree, scope)
        self.visit_all(tree.operands, scope)

    def apply_compare(self, tree: Compare, scope: Scope) -> None:
        """`a < b < c` is the product of `a < b` and `b < c`."""
        operands = self.pop(len(tree.operands))
        for i, symbol in enumerate(tree.symbols):
            pair, place = operands[i : i + 2], tree.symbol_spans[i]
            span = tree.operands[i].span.to(tree.operands[i + 1].span)
            part = self.add(ops.for_symbol(symbol), pair, tree, place, scope, span=span)
            if i:
                both = (self.values.pop(), part)
                part = self.add(ops.for_symbol("*"), both, tree, place, scope)
            self.values.append(part)

    # --- arrays ---

    def array(self, tree: Array, scope: Scope) -> None:
        """`[[a, b], [c, d]]` is one operation on its elements; of literals alone it is one."""
        elements, shape = flattened(tree, self.source)
        self.then(self.apply_array, (len(elements), shape, tree), scope)
        self.visit_all(elements, scope)

    def apply_array(self, flat: tuple[int, tuple[int, ...], Array], scope: Scope) -> None:
        """An array of the elements that are lowered; of literals a literal."""
        count, shape, tree = flat
        operands = self.pop(count)
        literals = [o for o in operands if isinstance(o, Literal)]
        if len(literals) == len(operands) and all(np.ndim(o.value) == 0 for o in literals):
            value = np.array([o.value for o in literals], dtype=np.float64).reshape(shape)
            value.setflags(write=False)  # every result of the program has this one
            self.values.append(Literal(value, array_text([o.text for o in literals], shape)))
            return
        options = {"shape": shape}
        self.push(ops.operation("array"), operands, tree, tree.span, scope, options)

    def index(self, tree: Index, scope: Scope) -> None:
        """An index, once its base is lowered."""
        items = tuple(self.index_item(item, scope) for item in tree.items)
        self.then(self.apply_index, (tree, items), scope)
        self.visit(tree.base, scope)

    def apply_index(self, indexed: tuple[Index, tuple[Any, ...]], scope: Scope) -> None:
        """An index into the base that is lowered."""
        tree, items = indexed
        place = Span(tree.base.span.end, tree.span.end)
        self.push(ops.operation("index"), self.pop(1), tree, place, scope, {"items": items})
