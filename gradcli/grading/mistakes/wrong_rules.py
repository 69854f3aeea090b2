"""Wrong derivatives that people write, as formulas in the language of the operation table.

`x`, `out` and the other names are those of the operation's row. A derivative with nothing but its
sign changed is not here: that is the mistake `sign`, for every operation. Those that are here and
differ by the sign alone (cos' = sin) are known by heart wrongly as a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from gradcli import ops
from gradcli.engine.formula import compile_formula, parsed
from gradcli.engine.notation import NOWHERE, substitute
from gradcli.graph.graph import Graph, OperationNode
from gradcli.ops.operation import Operation, Type
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import (
    Call,
    Name,
    Number,
    Operator,
    Tree,
    postorder,
)

IN_OTHER_WORDS = ("sigmoid", "tanh", "softplus")
"""Functions that are often written out, with exp alone."""

PROBES = (0.37, 1.61, -0.83)
"""Numbers at which a function shows which one it is."""

POWERS = (2.0, 3.0, -1.0)
"""Powers that are often written as products and quotients."""


def wrong_formulas(graph: Graph, node: OperationNode, operand: int) -> Iterator[str]:
    """What the rule of an operation for one operand is mistaken for, by heart or in haste."""
    operation = node.operation
    right = operation.formulas(graph.site(node))[operand]
    seen = {right}
    for text in (*_of_power(graph, node, operand), *_by_heart(node, operand), *_haste(right)):
        if text not in seen:
            seen.add(text)
            yield text


def _power(exponent: float, z: Any) -> Any:
    return np.power(z, exponent)


def in_other_words(function: Callable[[Any], Any], z: Any) -> Iterator[tuple[bool, Any]]:
    """Wrong derivatives at z of a function, if it is one of the table that is often written out.

    `1/(1 + exp(-z))` is a sigmoid, `z*z` and `z**-1` are powers. Each comes with whether it is
    taken in the wrong place.
    """
    a = function(z)

    def is_(known: Callable[[Any], Any]) -> bool:
        probes = (z, *(z * 0 + number for number in PROBES))
        return all(np.allclose(known(p), function(p), rtol=1e-9, atol=0) for p in probes)

    with np.errstate(all="ignore"):
        for name in IN_OTHER_WORDS:
            operation = ops.operation(name)
            if is_(operation.forward):
                yield from _of_function(operation, z, a)
                return
        for exponent in POWERS:
            if is_(partial(_power, exponent)):
                formulas = [(False, text) for text in _wrong_powers(exponent)]
                if exponent == -1:
                    formulas += [(False, text) for text in ops.operation("reciprocal").wrong[0]]
                    formulas.append((True, "-1/out^2"))
                yield from _computed(formulas, "x", z, a)
                return


def _of_function(operation: Operation, z: Any, a: Any) -> Iterator[tuple[bool, Any]]:
    rules = operation.rules
    assert isinstance(rules, tuple)
    (operand,) = operation.operand_names(1)
    formulas = [(False, text) for text in operation.wrong[0]]
    formulas += [(True, text) for text in _misplaced(operation, rules[0])]
    yield from _computed(formulas, operand, z, a)


def _computed(
    formulas: list[tuple[bool, str]], operand: str, z: Any, a: Any
) -> Iterator[tuple[bool, Any]]:
    types = Type(np.shape(z)), Type(np.shape(a))
    for place, text in formulas:
        yield place, compile_formula(text, (operand, "out"), types, {})([z, a])


def _by_heart(node: OperationNode, operand: int) -> tuple[str, ...]:
    rows = node.operation.wrong
    return rows[operand] if operand < len(rows) else ()


def _of_power(graph: Graph, node: OperationNode, operand: int) -> Iterator[str]:
    """The power not lowered, the coefficient lost, both, or the power lowered in front as well."""
    exponent = node.operation.exponent
    if operand != 0 or not (node.operation.is_power or exponent == 2):
        return
    exponent = exponent or graph.site(node).literals[1]
    if exponent is None:
        yield from ("n*x^n", "x^(n - 1)", "(n - 1)*x^(n - 1)", "n*x")
        return
    yield from _wrong_powers(exponent)
    if exponent == -1:
        yield from ops.operation("reciprocal").wrong[0]


def _wrong_powers(exponent: float) -> Iterator[str]:
    n, lower = f"({exponent:.17g})", f"({exponent - 1:.17g})"
    yield from (f"{n}*x^{n}", f"x^{lower}", f"{lower}*x^{lower}", f"{n}*x^({exponent + 1:.17g})")
    yield from (f"x^{n}", n)
    if exponent != 2:
        yield f"{n}*x"


def _haste(right: str) -> Iterator[str]:
    """A number in front forgotten: `x` for `2*x`, `1/sqrt(x)` for `0.5/sqrt(x)`."""
    tree = parsed(right)
    if not isinstance(tree, Operator):
        return
    first, *rest = tree.operands
    if tree.symbol == "*" and isinstance(first, Number) and abs(first.value) != 1:
        yield print_tree(rest[0])
    if tree.symbol == "/" and isinstance(first, Number) and abs(first.value) != 1:
        yield print_tree(Operator("/", (Number(1.0, "1", NOWHERE), *rest), NOWHERE, NOWHERE))


def wrong_places(node: OperationNode, right: str) -> Iterator[str]:
    """The derivative taken at the output for the input, or the reverse: σ'(a), z(1 − z)."""
    operation = node.operation
    alone = sum(isinstance(operand, int) for operand in node.operands) == 1
    if operation.elementwise and alone and isinstance(node.operands[0], int):
        yield from _misplaced(operation, right, len(node.operands))


def _misplaced(operation: Operation, right: str, count: int = 1) -> Iterator[str]:
    operand = operation.operand_names(count)[0]
    tree = parsed(right)
    words = {n.name for n in postorder(tree) if isinstance(n, Name)}
    name: Tree = Name(operand, NOWHERE)
    out: Tree = Name("out", NOWHERE)
    if not words & {operand, "out"}:
        return
    if "out" in words and operand not in words:
        yield print_tree(substitute(tree, {"out": name}))
    if operand in words and "out" not in words:
        yield print_tree(substitute(tree, {operand: out}))
    if "out" in words and count == 1 and operation.aliases:
        again = Call(operation.aliases[0], (out,), (), NOWHERE, NOWHERE)
        yield print_tree(substitute(tree, {operand: out, "out": again}))
