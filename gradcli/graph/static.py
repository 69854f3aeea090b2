"""Constants that are no values of the graph: trees of axes, shapes, indices in, a value out."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.diagnostics.error import Kind
from gradcli.graph.work import Scope, Work
from gradcli.syntax.tree import Array, Compare, Name, Nothing, Number, Slice, Text, Tree, Tuple

MOST_NESTED = 2
FARTHEST = 2.0**62
"""Larger than any index of an array."""


def static(work: Work, tree: Tree, scope: Scope) -> Any:
    """What an option is: None, a number (int where whole), or a tuple of them."""
    match tree:
        case Nothing():
            return None
        case Text():
            return tree.text
        case Number():
            return _whole(tree.value)
        case Tuple() | Array():
            return tuple(_element(work, element, scope) for element in tree.elements)
        case Name() if tree.name in scope.constants and not tree.qualified:
            return scope.constants[tree.name]
        case Name() if not tree.qualified and tree.name == "inf":
            return np.inf
    work.static_depth += 1
    if work.static_depth > 20:
        work.fail(Kind.SYNTAX, "indices in indices are nested too deep", tree.span)
    operand = work.evaluate(tree, scope)
    work.static_depth -= 1
    if work.carries(operand):
        hint = "write the number, or give it a name in the program: n = 2"
        if isinstance(tree, Compare):
            hint = "elements are chosen by where(x > 0, x, 0): the others become 0"
        what = "a constant is needed here, and this depends on an input"
        work.fail(Kind.SHAPE, what, tree.span, hint)
    value = work.engine.constant_value(work.source, work.steps, operand)
    if np.ndim(value) > 0:
        return tuple(_whole(v) for v in np.ravel(value))
    return _whole(float(value))


def _element(work: Work, tree: Tree, scope: Scope, depth: int = 1) -> Any:
    """An element of an option that is a tuple: `((1, 1), (0, 0))` is the deepest there is."""
    if not isinstance(tree, Tuple | Array):
        return static(work, tree, scope)
    if depth > MOST_NESTED:
        work.fail(Kind.SHAPE, "this is nested too deep here", tree.span)
    return tuple(_element(work, element, scope, depth + 1) for element in tree.elements)


def index_item(work: Work, item: Tree, scope: Scope) -> Any:
    """What stands between the brackets of an index: a number, a slice, None, `...`, a tuple."""
    match item:
        case Slice():
            return slice(*(_in_range(static(work, part, scope)) for part in item.parts))
        case Nothing():
            return None
        case Text(text="..."):
            return ...
        case Array():
            return tuple(map(_in_range, static(work, item, scope)))
    value = _in_range(static(work, item, scope))
    if not isinstance(value, int) or isinstance(value, bool):
        hint = "slices are written x[0:2], several elements x[[0, 2]]"
        work.fail(Kind.SHAPE, "an index is a whole number", item.span, hint)
    return value


def _whole(value: float) -> int | float:
    return int(value) if abs(value) < 2**53 and float(value).is_integer() else float(value)


def _in_range(value: Any) -> Any:
    """A whole number too large for an index as the largest (or smallest) there is."""
    if isinstance(value, float) and value.is_integer():
        return int(max(-FARTHEST, min(value, FARTHEST)))
    return value
