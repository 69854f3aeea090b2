"""Wrong derivatives that people write, as formulas in the language of the operation table.

An operation with its right formula comes in, or a statement that writes out a function of the
table; the wrong formulas, or the slips that they make, go out. `x`, `out` and the other names are
those of the operation's row. A derivative with nothing but its sign changed is not here: that is
the mistake `sign`, for every operation. Those that are here and differ by the sign alone
(cos' = sin) are known by heart wrongly as a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from gradcli import ops
from gradcli.engine.formula import compile_formula, parsed
from gradcli.engine.notation import NOWHERE, substitute
from gradcli.grading.mistakes.case import Case, Inside, Slips
from gradcli.grading.model.flow import Key
from gradcli.ops.operation import Operation, Type
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Call, Name, Number, Operator, Tree, postorder

IN_OTHER_WORDS = ("sigmoid", "tanh", "softplus")
"""Functions that are often written out, with exp alone."""

PROBES = (0.37, 1.61, -0.83)
"""Numbers at which a function shows which one it is."""

POWERS = (2.0, 3.0, -1.0)
"""Powers that are often written as products and quotients."""


def wrong_formulas(at: Inside) -> Iterator[str]:
    """What the rule of an operation for one operand is mistaken for, by heart or in haste."""
    by_heart = at.node.operation.wrong[at.operand : at.operand + 1]
    found = (*_of_power(at), *chain.from_iterable(by_heart), *_haste(at.formula))
    yield from (text for text in dict.fromkeys(found) if text != at.formula)


def _of_power(at: Inside) -> Iterator[str]:
    """The power not lowered, the coefficient lost, both, or the power lowered in front as well."""
    operation = at.node.operation
    exponent = operation.exponent
    if at.operand != 0 or not (operation.is_power or exponent == 2):
        return
    exponent = exponent or at.graph.site(at.node).literals[1]
    if exponent is None:
        yield from ("n*x^n", "x^(n - 1)", "(n - 1)*x^(n - 1)", "n*x")
    else:
        yield from _wrong_powers(exponent)


def _wrong_powers(exponent: float) -> Iterator[str]:
    n, lower = f"({exponent:.17g})", f"({exponent - 1:.17g})"
    yield from (f"{n}*x^{n}", f"x^{lower}", f"{lower}*x^{lower}", f"{n}*x^({exponent + 1:.17g})")
    yield from (f"x^{n}", n)
    if exponent != 2:
        yield f"{n}*x"
    if exponent == -1:
        yield from ops.operation("reciprocal").wrong[0]


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


def wrong_places(at: Inside) -> Iterator[str]:
    """The derivative taken at the output for the input, or the reverse: σ'(a), z(1 − z)."""
    operation, operands = at.node.operation, at.node.operands
    alone = sum(isinstance(operand, int) for operand in operands) == 1
    if operation.elementwise and alone and isinstance(operands[0], int):
        yield from _misplaced(operation, at.formula, len(operands))


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


# --- statements that write a function out ------------------------------------------------


def in_other_words(case: Case) -> Slips:
    """Wrong derivatives of a function of the table that a statement has written out."""
    for consumer in case.consumers:
        yield from _of_statement(case, consumer, misplaced=False)


def statement_at_output(case: Case) -> Slips:
    """A whole statement of one variable: σ'(a), and z(1 − z) where it is a σ in other words."""
    for consumer in case.consumers:
        if _of_one_variable(case, consumer):
            stage, upstream = case.flow.stages[consumer], case.follows[consumer]
            sent = stage.backward(stage.values([case.flow.values[consumer]]), upstream).sent
            yield case.replaced(consumer, sum(part.value for part in sent))
            yield from _of_statement(case, consumer, misplaced=True)


def _of_one_variable(case: Case, consumer: Key) -> bool:
    """Whether a statement is an elementwise function of the variable, and not one of the table."""
    stage = case.flow.stages[consumer]
    if len(stage.reads) != 1 or stage.shape != case.shape or not stage.is_elementwise:
        return False
    operands = [node.operands for node in stage.operations()]
    # x*x is a power in other words, x^2 is the one of the table.
    squared = len(operands) == 1 and [type(o) for o in operands[0]] == [int, int]
    return len(operands) > 1 or squared


def _of_statement(case: Case, consumer: Key, *, misplaced: bool) -> Slips:
    """The wrong derivatives of a statement, if it is a function that is often written out.

    `1/(1 + exp(-z))` is a sigmoid, `z*z` and `z**-1` are powers.
    """
    if not _of_one_variable(case, consumer):
        return
    stage, z = case.flow.stages[consumer], case.flow.values[case.key]
    probes = (z, *(z * 0 + number for number in PROBES))
    with np.errstate(all="ignore"):
        written = [stage.value([at]) for at in probes]
        for known in _often_written_out():
            same = (np.allclose(known.value(at), own, rtol=1e-9, atol=0)
                    for at, own in zip(probes, written, strict=True))  # fmt: skip
            if all(same):
                types = Type(np.shape(z)), Type(np.shape(written[0]))
                for text in known.misplaced if misplaced else known.wrong:
                    formula = compile_formula(text, (known.operand, "out"), types, {})
                    local = formula([z, written[0]])
                    yield case.replaced(consumer, case.follows[consumer] * local)
                return


class _Known(NamedTuple):
    """A function, and its wrong derivatives as formulas of its operand and `out`."""

    value: Callable[[Any], Any]
    operand: str
    wrong: tuple[str, ...]
    misplaced: tuple[str, ...]


@cache
def _often_written_out() -> tuple[_Known, ...]:
    found: list[_Known] = []
    for operation in map(ops.operation, IN_OTHER_WORDS):
        assert isinstance(operation.rules, tuple)
        misplaced = tuple(_misplaced(operation, operation.rules[0]))
        (operand,) = operation.operand_names(1)
        found.append(_Known(operation.forward, operand, operation.wrong[0], misplaced))
    for exponent in POWERS:
        at_output = ("-1/out^2",) if exponent == -1 else ()
        power = partial(_power, exponent)
        found.append(_Known(power, "x", tuple(_wrong_powers(exponent)), at_output))
    return tuple(found)


def _power(exponent: float, z: Any) -> Any:
    return np.power(z, exponent)
