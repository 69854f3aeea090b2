"""Mistakes with arrays: transposes, sums over a batch, sizes.

Each rule takes a right accumulator (a `Case`) and makes the wrong ones, as those of `mistakes` do,
whose table has them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcli.engine.formula import parsed
from gradcli.engine.notation import NOWHERE
from gradcli.grading.mistakes.case import (
    Case,
    Slip,
    Slips,
    Term,
    inside,
    scaled,
    with_formula,
)
from gradcli.grading.model.flow import Part
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Operator, Tree


def transpose(case: Case) -> Slips:
    """A transpose missing or too much, in a product or of the whole."""
    for node, operand, consumer in inside(case):
        if node.operation.elementwise:
            continue
        graph = case.flow.stages[consumer].graph
        right = parsed(node.operation.formulas(graph.site(node))[operand])
        if isinstance(right, Operator) and right.symbol == "@":
            for formula in _turned(right):
                yield from with_formula(case, consumer, node, operand, formula)
    if len(case.shape) == 2 and case.terms:
        terms = (Term(np.transpose(t.value), f"({t.text}).T") for t in case.terms)
        yield case.slip(terms)


def _turned(product: Operator) -> Iterator[str]:
    """A product with one of its factors transposed, or not transposed any more."""
    left, right = product.operands
    turned = transposed(left), transposed(right)
    for factors in ((turned[0], right), (left, turned[1]), turned):
        yield print_tree(Operator("@", factors, NOWHERE, NOWHERE))


def transposed(tree: Tree) -> Tree:
    """The transpose, without a second one on top of a first."""
    if isinstance(tree, Operator) and tree.symbol == "T":
        return tree.operands[0]
    return Operator("T", (tree,), NOWHERE, NOWHERE)


def not_summed(case: Case) -> Slips:
    """A broadcast dimension that is not summed."""
    raws = [part.raw for part in case.own]
    if any(np.shape(raw) != case.shape for raw in raws):
        try:
            value = sum(raws[1:], start=raws[0])
        except ValueError:
            return
        yield Slip(value, case.lines(term.text for term in case.terms))
    for part in case.own:  # b[:, None] in a statement is broadcast one operation later
        if len(case.own) == 1 and _summed_upstream(case, part):
            upstream = case.follows[part.consumer]
            yield Slip(upstream, case.lines(term.text for term in case.terms))


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
            yield case.slip(scaled(term, by) for term in case.terms)
            if len(case.terms) > 1:
                for i, term in enumerate(case.terms):
                    yield case.changed(i, scaled(term, by))


def factor(case: Case) -> Slips:
    """Off by a constant: 2, ½, the size of an array."""
    if case.key == case.flow.output and not case.terms:
        yield Slip(np.full(case.shape, 2.0)[()], ())
        yield Slip(np.full(case.shape, 0.5)[()], ())
    sizes = dict.fromkeys((*_summed(case), *_sizes(case)))
    for factor in dict.fromkeys((2.0, 0.5, *sizes, *(1 / n for n in sizes))):
        yield case.slip(scaled(term, factor) for term in case.terms)
        if len(case.terms) > 1:
            for i, term in enumerate(case.terms):
                yield case.changed(i, scaled(term, factor))
    yield from constant_left_out(case)


def constant_left_out(case: Case) -> Slips:
    """A number by which a statement scales an array left out, or squared: √d in `S / sqrt(d)`."""
    if not case.shape:
        return
    for node, operand, consumer in inside(case):
        stage = case.flow.stages[consumer]
        scales = node.operation.is_product or node.operation.is_quotient
        if not scales or len(node.operands) != 2 or len(stage.operations()) < 2:
            continue
        other, graph = node.operands[1 - operand], stage.graph
        reads = zip(graph.inputs, stage.reads, strict=True)
        arrays = [i for i, read in reads if np.ndim(case.flow.values[read])]
        if not isinstance(other, int) or not graph.dependent(arrays)[other]:
            yield from with_formula(case, consumer, node, operand, "1")
            if node.operation.is_quotient and operand == 0:
                yield from with_formula(case, consumer, node, operand, "1/y^2")


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
        node = case.node(part)
        adds = node.operation is not None and node.operation.is_sum
        if not adds and not _summed_upstream(case, part):
            continue
        stage = case.flow.stages[part.consumer]
        for read in stage.reads:
            if read == case.key:
                continue
            weight = _weight_gets(case, part.consumer, read)
            for value in weight:
                if len(case.terms) > 1 and np.shape(value) != case.shape:
                    continue
                yield case.replaced(part.consumer, Term(value, ""))


def _weight_gets(case: Case, consumer: str, read: str) -> Iterator[Any]:
    """What the factors of a product beside a bias get: δxᵀ, and δ·x for numbers."""
    upstream = case.follows[consumer]
    stage = case.flow.stages[consumer]
    if len(stage.operations()) > 1:  # z = W @ x + b in one statement
        for one in case.backward(consumer).sent:
            if stage.reads[one.read] == read:
                yield one.value
    elif read in case.flow.stages:
        product = case.flow.stages[read]
        rows = (node.operation for node in product.operations())
        if any(row.is_product or row.contracts for row in rows):
            for parts in case.flow.sent(read, upstream).values():
                yield from (part.value for part in parts)
