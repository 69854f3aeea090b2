"""Mistakes with arrays: transposes, sums over a batch, sizes.

A right accumulator (a `Case`) comes in, the wrong ones that a mistake makes of it go out; which
mistake has which rules says the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcli.engine.formula import parsed
from gradcli.engine.notation import NOWHERE
from gradcli.grading.mistakes.case import Case, Inside, Slip, Slips, Term
from gradcli.grading.model.stage import Part, added
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Operator, Tree


def turned(at: Inside) -> Iterator[str]:
    """A product with a transpose missing or too much."""
    right = None if at.node.operation.elementwise else parsed(at.formula)
    if isinstance(right, Operator) and right.symbol == "@":
        left, second = right.operands
        for factors in (
            (_transposed(left), second),
            (left, _transposed(second)),
            (_transposed(left), _transposed(second)),
        ):
            yield print_tree(Operator("@", factors, NOWHERE, NOWHERE))


def turned_whole(case: Case) -> Slips:
    """The transpose of the right array."""
    if len(case.shape) == 2 and case.terms:
        yield case.slip(Term(np.transpose(t.value), f"({t.text}).T") for t in case.terms)


def _transposed(tree: Tree) -> Tree:
    """The transpose, without a second one on top of a first."""
    if isinstance(tree, Operator) and tree.symbol == "T":
        return tree.operands[0]
    return Operator("T", (tree,), NOWHERE, NOWHERE)


def not_summed(case: Case) -> Slips:
    """A broadcast dimension that is not summed."""
    lines = case.lines(term.text for term in case.terms)
    if any(np.shape(part.raw) != case.shape for part in case.own):
        try:
            yield Slip(added(part.raw for part in case.own), lines)
        except ValueError:
            return
    if len(case.own) == 1 and _summed_upstream(case, case.own[0]):
        # b[:, None] in a statement is broadcast one operation later
        yield Slip(case.follows[case.own[0].consumer], lines)


def _summed_upstream(case: Case, part: Part) -> bool:
    """Whether a consumer sends its accumulator, added up along some axes: it adds a bias."""
    upstream = case.follows[part.consumer]
    axes = range(np.ndim(upstream))
    for axis in ((), *((a,) for a in axes), tuple(axes)):
        added = np.sum(upstream, axis=axis)
        if axis and np.shape(added) == case.shape and np.allclose(added, part.value):
            return True
    return False


def mean_for_sum(case: Case) -> Slips:
    """A mean for a sum, or the reverse."""
    for n in _summed(case):
        for by in (1 / n, n):
            yield from case.scaled(by)


def factor(case: Case) -> Slips:
    """Off by a constant: 2, ½, the size of an array."""
    sizes = dict.fromkeys((*_summed(case), *_sizes(case)))
    for by in dict.fromkeys((2.0, 0.5, *sizes, *(1 / n for n in sizes))):
        yield from case.scaled(by)


def constant_left_out(case: Case) -> Slips:
    """A number by which a statement scales an array left out, or squared: √d in `S / sqrt(d)`."""
    for at in case.inside if case.shape else ():
        stage, operands = case.flow.stages[at.consumer], at.node.operands
        is_quotient = at.node.operation.is_quotient
        scales = at.node.operation.is_product or is_quotient
        if not scales or len(operands) != 2 or len(stage.operations()) < 2:
            continue
        other = operands[1 - at.operand]
        arrays = [i for i in at.graph.inputs if at.graph.nodes[i].type.shape]
        if not isinstance(other, int) or not at.graph.dependent(arrays)[other]:
            yield from case.with_formula(at, "1")
            if is_quotient and at.operand == 0:
                yield from case.with_formula(at, "1/y^2")


def softmax_in_other_words(case: Case) -> Slips:
    """Wrong derivatives of a softmax that is written out, in one statement or in several."""
    z, reached = case.flow.values[case.key], case.flow.reached
    for key in case.flow.stages:
        p, upstream = case.flow.values[key], case.follows.get(key)
        if key not in reached or np.shape(p) != np.shape(z) or upstream is None or not np.ndim(z):
            continue
        axes = [a for a in range(np.ndim(z)) if np.allclose(np.sum(p, axis=a), 1)]
        for axis in axes[:1]:
            powers = np.exp(z - np.max(z, axis=axis, keepdims=True))
            if not np.allclose(p, powers / np.sum(powers, axis=axis, keepdims=True), rtol=1e-9):
                continue
            text = f"{case.flow.name(key)} is a softmax: its derivative is another one."
            for value in _wrong_softmax(p, upstream, axis):
                yield Slip(value, (), key, text)


def _wrong_softmax(p: Any, upstream: Any, axis: int) -> Iterator[Any]:
    yield upstream * p * (1 - p)
    yield upstream * p
    yield upstream * (1 - p)
    sent = upstream * p
    for other in (None, *range(np.ndim(p))):
        if other != axis:
            yield p * (upstream - np.sum(sent, axis=other, keepdims=True))
    yield p * (upstream - np.sum(upstream, axis=axis, keepdims=True))
    yield upstream - np.sum(sent, axis=axis, keepdims=True)


def _summed(case: Case) -> list[float]:
    """How many elements are added up in the row: along a batch, in a mean or a sum.

    A product with a weight adds up along the batch for the weight, not for what is below. Sums and
    means between the row and the output count as well, since rows may have been left out.
    """
    found = list(case.flow.summed_over.get(case.key, ()))
    for part in case.own:
        if np.size(part.raw) > np.size(part.value) > 0:
            found.append(np.size(part.raw) / np.size(part.value))
        elif _summed_upstream(case, part):
            found.append(np.size(case.follows[part.consumer]) / np.size(part.value))
        if case.key in case.flow.stages or len(case.shape) != 2:
            continue
        for node in case.flow.stages[part.consumer].operations():
            shape = node.type.shape
            if node.operation.is_matrix_product and len(shape) == 2:
                found.append(float(shape[1] if part.operand == 0 else shape[0]))
    return [n for n in dict.fromkeys(found) if n > 1]


def _sizes(case: Case) -> list[float]:
    """The sizes of all arrays around, any of which a number may have been divided by."""
    found: list[float] = []
    for consumer in case.consumers:
        of = (consumer, *case.flow.stages[consumer].reads)
        found.extend(float(n) for key in of for n in np.shape(case.flow.values[key]))
    found.extend(map(float, np.shape(case.flow.values[case.key])))
    return [n for n in dict.fromkeys(found) if n > 1]


def bias_used_input(case: Case) -> Slips:
    """For a bias what the weight beside it gets."""
    for part in case.own:
        operation = case.node(part).operation
        adds = operation is not None and operation.is_sum
        if not adds and not _summed_upstream(case, part):
            continue
        for read in case.flow.stages[part.consumer].reads:
            for value in _weight_gets(case, part.consumer, read) if read != case.key else ():
                if len(case.terms) == 1 or np.shape(value) == case.shape:
                    yield case.replaced(part.consumer, value)


def _weight_gets(case: Case, consumer: str, read: str) -> Iterator[Any]:
    """What the factors of a product beside a bias get: δxᵀ, and δ·x for numbers."""
    upstream = case.follows[consumer]
    stage = case.flow.stages[consumer]
    if len(stage.operations()) > 1:  # z = W @ x + b in one statement
        yield from (part.value for part in case.passes[consumer].sent if part.read == read)
    elif read in case.flow.stages:
        product = case.flow.stages[read]
        rows = (node.operation for node in product.operations())
        if any(row.is_product or row.contracts for row in rows):
            for parts in case.flow.sent(read, upstream).values():
                yield from (part.value for part in parts)
