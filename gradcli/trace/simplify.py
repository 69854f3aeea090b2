"""Products and sums of formulas, as short as one writes them by hand.

Trees of the language come in and go out. What is taken out: factors of 1, pairs of minus signs,
and `p * (1/q)` for `p/q`. Nothing else is rearranged, so that the rules can still be recognised.
"""

from __future__ import annotations

from gradcli.engine.notation import NOWHERE, number
from gradcli.syntax.tree import Number, Operator, Tree

ONE = number(1.0)


def times(left: Tree, right: Tree) -> Tree:
    """The product."""
    left_sign, left = signed(left)
    right_sign, right = signed(right)
    product = _times(left, right)
    return product if left_sign == right_sign else negated(product)


def _times(left: Tree, right: Tree) -> Tree:
    if is_one(left):
        return right
    if is_one(right):
        return left
    if isinstance(right, Operator) and right.symbol == "/":
        above, below = right.operands
        return _operator("/", _times(left, above), below)
    if isinstance(left, Operator) and left.symbol == "/" and is_one(left.operands[0]):
        return _operator("/", right, left.operands[1])
    return _operator("*", left, right)


def plus(left: Tree | None, right: Tree) -> Tree:
    """The sum; without a left side the right one alone."""
    if left is None:
        return right
    sign, positive = signed(right)
    return _operator("+", left, positive) if sign > 0 else _operator("-", left, positive)


def negated(tree: Tree) -> Tree:
    """Minus the tree."""
    sign, positive = signed(tree)
    if sign < 0:
        return positive
    if isinstance(tree, Number):
        return number(-tree.value)
    if isinstance(tree, Operator) and tree.symbol in {"*", "/"}:
        first, second = tree.operands
        return _operator(tree.symbol, negated(first), second)
    return _operator("neg", tree)


def signed(tree: Tree) -> tuple[int, Tree]:
    """The sign that a product begins with, and the tree without it."""
    if isinstance(tree, Number) and tree.value < 0:
        return -1, number(-tree.value)
    if isinstance(tree, Operator):
        if tree.symbol == "neg":
            return -1, tree.operands[0]
        if tree.symbol in {"*", "/"}:
            sign, first = signed(tree.operands[0])
            if sign < 0:
                return -1, _operator(tree.symbol, first, tree.operands[1])
    return 1, tree


def is_one(tree: Tree) -> bool:
    """Whether a tree is the number 1."""
    return isinstance(tree, Number) and tree.value == 1


def _operator(symbol: str, *operands: Tree) -> Operator:
    return Operator(symbol, operands, NOWHERE, NOWHERE)
