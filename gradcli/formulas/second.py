"""Second derivatives as formulas: the adjoint of the adjoint, and the matrix in a linear map.

For a pair of inputs, δ of one is differentiated along a direction `d_name` for the other. Where
that is a number, the direction is 1; for two vectors the formula is linear in the direction, and
the matrix that it is multiplied by is the Hessian's block. A block of matrices has four axes and
no matrix: it stays a product with the direction.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.engine.adjoint import adjoint
from gradcli.engine.forward import fill_in
from gradcli.formulas import check
from gradcli.formulas.algebra import Algebra
from gradcli.formulas.arithmetic import ONE, Factors
from gradcli.formulas.derive import UNREADABLE, Deriver, TooLongError
from gradcli.formulas.expression import Expr, settle
from gradcli.formulas.expression import Kind as Form
from gradcli.formulas.types import Derivative, Formula, Task
from gradcli.graph.graph import Graph
from gradcli.ops import roles
from gradcli.ops.operation import Type


def derivatives(task: Task) -> Derivative:
    """The formulas of all second derivatives, a block for every pair of inputs.

    Raises `GradcliError` of kind shape where one has no formula of reasonable length.
    """
    graph = task.graph
    pairs = combinations_with_replacement(task.wrt, 2)
    try:
        shown = tuple(_block(task, first, other) for first, other in pairs)
    except TooLongError:
        raise GradcliError(
            Kind.SHAPE,
            "the second derivatives of this program have no formulas of reasonable length",
            hint="'gradcli hessian' computes them at a point",
        ) from None
    shapes = {graph.nodes[i].name: graph.nodes[i].type.shape for i in graph.inputs}
    for formula in shown:
        if formula.direction is not None:
            shapes[formula.direction] = shapes[formula.wrt[1]]
    return Derivative(
        program=task.program,
        output=task.output,
        order=2,
        formulas=shown,
        named=False,
        shapes=shapes,
        sizes=task.sizes,
        graph=task.examples[0],
    )


def _direction(graph: Graph, name: str) -> str:
    """The name of the direction for an input; the program does not use it."""
    word = f"d_{name}"
    while any(node.name == word for node in graph.nodes):
        word = f"d{word}"
    return word


def _along(graph: Graph, name: str, *, textbook: bool) -> tuple[Graph, dict[int, int]] | None:
    """The graph of δ_name, and behind it its derivative along a direction; None where δ is 0."""
    first = adjoint(graph, textbook=textbook)
    delta = first.deltas.get(graph.input_numbers[name])
    if delta is None or not first.graph.nodes[delta].carries:
        return None
    inner = Graph(first.graph.source, first.graph.nodes, delta)
    found = adjoint(inner, upstream=_direction(graph, name), textbook=textbook)
    return found.graph, found.deltas


def _block(task: Task, first: str, other: str) -> Formula:
    """∂²f/∂first∂other: of the two, the one with fewer axes is the direction."""
    graph = task.graph
    types = {name: graph.nodes[graph.input_numbers[name]].type for name in (first, other)}
    by, to = sorted((other, first), key=lambda name: len(types[name].shape))
    shape = types[to].shape
    flat = len(types[by].shape) == 1 == len(shape)
    deriver = Deriver(graph, (), task.free)
    algebra = deriver.algebra
    found = _along(graph, by, textbook=True)
    wanted = None if found is None else found[1].get(graph.input_numbers[to])
    if found is None or wanted is None:
        block = shape + types[by].shape if flat else shape
        tree = deriver.written(algebra.zeros(Type(block)), block)
        direction = None if flat or not types[by].shape else _direction(graph, by)
        return Formula.of((to, by), tree, block, direction)
    whole, _ = found
    word = _direction(graph, by)
    number = whole.input_numbers[word]
    scalar = not types[by].shape
    symbol = algebra.one if scalar else algebra.name(word, types[by])
    reader = deriver.reader(whole, {**deriver.symbols, number: symbol})
    direction = None if scalar else word
    try:
        reader.expressions([graph.output])
        e = reader.expressions([wanted])[wanted]
        e = deriver.expression(algebra.fitted(e, types[to]), types[to].shape)
    except UNREADABLE:
        symbols = {**deriver.symbols, number: algebra.name(word, types[by])}
        tree = deriver.plain(whole, symbols, wanted, ())
        return Formula.of((to, by), tree, shape, word)
    if flat:
        matrix = Linear(algebra, symbol).matrix(e)
        if matrix is not None:
            e, direction, shape = matrix, None, shape + types[by].shape
    if direction is not None:
        deriver.symbols[number] = symbol
    tree = deriver.written(e, shape)
    return Formula.of((to, by), tree, shape, direction)


class Linear:
    """The matrix of an expression that is linear in a vector."""

    def __init__(self, algebra: Algebra, vector: Expr) -> None:
        self.algebra, self.vector = algebra, vector
        self._has: dict[Expr, bool] = {}

    def has(self, e: Expr) -> bool:
        """Whether the vector stands in an expression."""
        return settle(
            e,
            self._has,
            lambda top: top.parts,
            lambda top: top is self.vector or any(self._has[p] for p in top.parts),
        )

    def matrix(self, e: Expr) -> Expr | None:
        """M with e = M @ vector, for a vector e; None where there is no form for it."""
        algebra = self.algebra
        if e is self.vector:
            return algebra.eye(e.type.shape[0])
        match e.kind:
            case Form.SUM:
                return self._of_sum(e, self.matrix)
            case Form.PRODUCT:
                return self._of_product(e)
            case Form.MATRIX if self.has(e.parts[-1]) and len(e.parts[-1].type.shape) == 1:
                inner = self.matrix(e.parts[-1])
                if inner is None or any(map(self.has, e.parts[:-1])):
                    return None
                return algebra.matrix_product([*e.parts[:-1], inner])
        return None

    def _of_sum(self, e: Expr, form: Callable[[Expr], Expr | None]) -> Expr | None:
        parts = [(c, form(p)) for p, c in self.algebra.terms(e).items()]
        found = [(c, part) for c, part in parts if part is not None]
        return self.algebra.add(found) if len(found) == len(parts) else None

    def _split(self, e: Expr) -> tuple[Expr | None, Fraction, Factors]:
        """The factor of a product that the vector stands in, and the rest; None for several."""
        c, factors = self.algebra.factors(e)
        inside = [b for b in factors if self.has(b)]
        base = inside[0] if len(inside) == 1 and factors[inside[0]] == 1 else None
        return base, c, {b: k for b, k in factors.items() if b is not base}

    def _of_product(self, e: Expr) -> Expr | None:
        algebra = self.algebra
        base, c, rest = self._split(e)
        if base is None:
            return None
        numbers = algebra.mul(c, [(b, k) for b, k in rest.items() if not b.type.shape])
        array = algebra.mul(ONE, [(b, k) for b, k in rest.items() if b.type.shape])
        if base.kind is Form.SUM and array is not algebra.one:
            terms = algebra.terms(base).items()
            return self.matrix(algebra.add((k, algebra.times(numbers, array, p)) for p, k in terms))
        if not base.type.shape:
            row = self.row(base)
            if row is None or len(array.type.shape) != 1:
                return None
            return algebra.times(numbers, algebra.matrix_product([array, row]))
        matrix = self.matrix(base)
        if matrix is None:
            return None
        if len(array.type.shape) == 1:
            n = array.type.shape[0]
            diagonal = algebra.call(roles.DIAG, {"k": 0}, (array,), Type((n, n)))
            scale = algebra.eye(n) if array.kind is Form.ONES else diagonal
            matrix = algebra.matrix_product([scale, matrix])
        return algebra.times(numbers, matrix)

    def row(self, e: Expr) -> Expr | None:
        """r with e = r @ vector, for a number e."""
        algebra = self.algebra
        if e.kind is Form.SUM:
            return self._of_sum(e, self.row)
        if e.kind is Form.PRODUCT:
            base, c, rest = self._split(e)
            row = base and self.row(base)
            return row and algebra.times(algebra.mul(c, rest.items()), row)
        if e.kind is Form.MATRIX:
            parts = e.parts
            if self.has(parts[0]) and not any(map(self.has, parts[1:])):
                parts = tuple(algebra.transpose(p) for p in reversed(parts))
            if any(map(self.has, parts[:-1])) or len(parts[-1].type.shape) != 1:
                return None
            inner = self.matrix(parts[-1])
            return None if inner is None else algebra.matrix_product([*parts[:-1], inner])
        if e.calls(roles.SUM) and len(e.parts[0].type.shape) == 1:
            inner = self.matrix(e.parts[0])
            if inner is None:
                return None
            if inner.calls(roles.DIAG):
                return algebra.transpose(inner.parts[0])
            ones = algebra.ones(e.parts[0].type, self.vector)
            return algebra.matrix_product([algebra.transpose(ones), inner])
        return None


# --- the check ---------------------------------------------------------------------------


def expected(formula: Formula, sample: check.Sample) -> tuple[Any, Any]:
    """A block by two backward passes, and the largest number on the way at every point."""
    graph = sample.graph
    to, by = formula.wrt
    shape = graph.nodes[graph.input_numbers[by]].type.shape
    if formula.direction is not None:
        found = _derivative(graph, sample, to, by, check.direction(shape))
    elif shape:
        columns = [_derivative(graph, sample, to, by, row) for row in np.eye(shape[0])]
        found = np.stack(columns, axis=-1)
    else:
        found = _derivative(graph, sample, to, by, np.float64(1.0))
    sizes = [np.max(np.abs(v).reshape(len(v), -1), axis=1, initial=0.0) for v in sample.values]
    return found, np.max(np.stack([*sample.sent, *sizes]), axis=0)


def _derivative(graph: Graph, sample: check.Sample, to: str, by: str, v: Any) -> Any:
    """The derivative of δ_to along `v` for the input `by`, at every point."""
    target = graph.nodes[graph.input_numbers[to]].type
    zero = np.zeros((sample.count, *target.shape))
    found = _along(graph, by, textbook=False)
    wanted = None if found is None else found[1].get(graph.input_numbers[to])
    if found is None or wanted is None:
        return zero
    whole, _ = found
    known: list[Any] = [None] * len(whole.nodes)
    known[: len(graph.nodes)] = sample.values
    direction = whole.input_numbers.get(_direction(graph, by))
    if direction is not None:
        known[direction] = np.broadcast_to(v, (sample.count, *np.shape(v)))
    with np.errstate(all="ignore"):
        value = fill_in(whole, known)[wanted]
    return zero + value
