"""Lowering of names, literals, operators and arrays: a tree comes in, an operand goes out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcli import ops
from gradcli.diagnostics.error import Kind
from gradcli.diagnostics.source import Span
from gradcli.graph.draft import Literal, Operand
from gradcli.graph.names import CONSTANTS
from gradcli.graph.static import index_item
from gradcli.graph.work import Inner, Leaves, Lowered, Scope, Work
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

MOST_DIMENSIONS = 32


# --- leaves ------------------------------------------------------------------------------


def _number(_work: Work, tree: Number, _scope: Scope) -> Literal:
    return Literal(np.float64(tree.value), tree.text)


def _name(work: Work, tree: Name, scope: Scope) -> Operand:
    """A node, a constant, or what a name stands for inside a function."""
    word = tree.name
    if not tree.qualified:
        if word in scope.local:
            return scope.local[word]
        if word in scope.constants:
            value = scope.constants[word]
            return Literal(np.float64(value), str(value))
        if word in work.nodes:
            return work.nodes[word]
    if word not in CONSTANTS:
        work.fail(Kind.NAME, f"'{word}' has no value here", tree.span)
    return Literal(np.float64(CONSTANTS[word]), word)


NO_VALUES = {
    Nothing: ("None isn't a value", "it is for axis=None, x[:, None]"),
    Text: (
        "a word in quotes isn't a value",
        "words are options of a function: mse_loss(x, y, reduction='sum')",
    ),
    Tuple: ("a tuple can't be used as a value", "an array is written with square brackets: [1, 2]"),
}
"""What is only an option or an argument."""


def _no_value(work: Work, tree: Nothing | Text | Tuple, _scope: Scope) -> Operand:
    message, hint = NO_VALUES[type(tree)]
    work.fail(Kind.SYNTAX, message, tree.span, hint)


LEAVES: Leaves = {Number: _number, Name: _name, **dict.fromkeys(NO_VALUES, _no_value)}


# --- operators ---------------------------------------------------------------------------


def _operator(work: Work, tree: Operator, scope: Scope) -> Lowered:
    inside = _squared_norm(work, tree)
    if inside is not None:
        operands = yield (inside,), scope
        return work.add(ops.operation("squared_norm"), operands, tree, tree.symbol_span, scope)
    operands = yield tree.operands, scope
    if tree.symbol == "/":
        return divide(work, tree, tree.symbol_span, operands, scope)
    return work.add(ops.for_symbol(tree.symbol), operands, tree, tree.symbol_span, scope)


def _squared_norm(work: Work, tree: Operator) -> Tree | None:
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
            base.qualified or "norm" not in work.definitions
        ):
            return inside
    return None


def divide(
    work: Work, tree: Operator | Call, span: Span, operands: Sequence[Operand], scope: Scope
) -> int:
    """`p / q`: by a constant it is one operation, else 1/q and a product (Figure 1)."""
    p, q = operands
    if work.keep_divisions or not work.carries(q):
        return work.add(ops.for_symbol("/"), operands, tree, span, scope)
    one = isinstance(p, Literal) and np.ndim(p.value) == 0 and p.value == 1
    whole = one or isinstance(tree, Call)
    place = tree.span if whole else Span(span.start, tree.children()[1].span.end)
    inverse = work.add(ops.operation("reciprocal"), (q,), tree, span, scope, span=place)
    return inverse if one else work.add(ops.for_symbol("*"), (p, inverse), tree, span, scope)


def _compare(work: Work, tree: Compare, scope: Scope) -> Lowered:
    """`a < b < c` is the product of `a < b` and `b < c`."""
    operands = yield tree.operands, scope
    value = -1
    for i, symbol in enumerate(tree.symbols):
        place = tree.symbol_spans[i]
        span = tree.operands[i].span.to(tree.operands[i + 1].span)
        pair = operands[i : i + 2]
        part = work.add(ops.for_symbol(symbol), pair, tree, place, scope, span=span)
        value = work.add(ops.for_symbol("*"), (value, part), tree, place, scope) if i else part
    return value


# --- arrays ------------------------------------------------------------------------------


def _array(work: Work, tree: Array, scope: Scope) -> Lowered:
    """`[[a, b], [c, d]]` is one operation on its elements; of literals alone it is one."""
    elements, shape = _flattened(work, tree)
    operands = yield elements, scope
    literals = [o for o in operands if isinstance(o, Literal)]
    if len(literals) == len(operands) and all(np.ndim(o.value) == 0 for o in literals):
        value = np.array([o.value for o in literals], dtype=np.float64).reshape(shape)
        value.setflags(write=False)  # every result of the program has this one
        return Literal(value, array_text([o.text for o in literals], shape))
    options = {"shape": shape}
    return work.add(ops.operation("array"), operands, tree, tree.span, scope, options=options)


def _flattened(work: Work, tree: Array) -> tuple[list[Tree], tuple[int, ...]]:
    """The elements of nested brackets, row by row, and the shape that the brackets give."""
    level: list[Tree] = [tree]
    shape: list[int] = []
    while arrays := [item for item in level if isinstance(item, Array)]:
        if len(arrays) < len(level):
            message = "an array is either of numbers or of arrays of one shape"
            work.fail(Kind.SHAPE, message, arrays[0].span)
        length = len(arrays[0].elements)
        odd = next((a for a in arrays if len(a.elements) != length), None)
        if odd is not None:
            message = f"the rows of an array have equal length: {length} and {len(odd.elements)}"
            work.fail(Kind.SHAPE, message, odd.span)
        shape.append(length)
        level = [element for a in arrays for element in a.elements]
    if len(shape) > MOST_DIMENSIONS:
        message = f"an array has at most {MOST_DIMENSIONS} dimensions, not {len(shape)}"
        work.fail(Kind.SHAPE, message, tree.span)
    return level, tuple(shape)


def array_text(texts: list[str], shape: tuple[int, ...]) -> str:
    """The literal as it is shown inside an operation."""
    for n in reversed(shape):
        rows = [texts[i : i + n] for i in range(0, len(texts), n)] if n else [[]]
        texts = [f"[{', '.join(row)}]" for row in rows]
    return texts[0]


def _index(work: Work, tree: Index, scope: Scope) -> Lowered:
    options = {"items": tuple(index_item(work, item, scope) for item in tree.items)}
    base = yield (tree.base,), scope
    place = Span(tree.base.span.end, tree.span.end)
    return work.add(ops.operation("index"), base, tree, place, scope, options=options)


INNER: Inner = {Operator: _operator, Compare: _compare, Array: _array, Index: _index}
