"""Operations, transposes and matrix products: expressions in, simplified ones out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any, NamedTuple

from gradcli.engine.formula import frozen
from gradcli.formulas.arithmetic import ONE, TRANSPOSE, Arithmetic
from gradcli.formulas.expression import Expr, Kind
from gradcli.ops.operation import Operation, Type
from gradcli.ops.table.products import product_case, product_type


class Applied(NamedTuple):
    """An operation on operands."""

    row: Operation
    given: Mapping[str, Any]
    operands: tuple[Expr, ...]
    type: Type


class Algebra(Arithmetic):
    """All that formulas are made of, each simplified."""

    def call(
        self, row: Operation, given: Mapping[str, Any], operands: tuple[Expr, ...], of: Type
    ) -> Expr:
        """An operation of type `of` that has no form of its own here."""
        one = Applied(row, given, operands, of)
        for rewrite in self.rewrites.of_calls:
            found = rewrite.apply(self, one)
            if found is not None:
                return self.fitted(found, of) if row.elementwise else found
        return self.plain_call(*one)

    def plain_call(
        self, row: Operation, given: Mapping[str, Any], operands: tuple[Expr, ...], of: Type
    ) -> Expr:
        """The call as it is; options that have their default are left out."""
        defaults = {p.name: p.default for p in row.parameters if p.option and not p.required}
        given = {k: v for k, v in given.items() if k not in defaults or v != defaults[k]}
        made = self.made(Kind.CALL, (row, frozen(given) if given else ()), operands, of)
        made.given = given
        return made

    # --- matrices ---

    def transpose(self, e: Expr) -> Expr:
        """The transpose: of a vector a row, of a row the vector."""
        shape = e.type.shape
        if not shape or e.kind is Kind.EYE:
            return e
        if len(shape) > 2:
            return self.plain_call(TRANSPOSE, {}, (e,), Type(shape[::-1]))
        if e.calls(TRANSPOSE):
            return e.parts[0]
        if e.kind is Kind.MATRIX:
            return self.matrix_product([self.transpose(part) for part in reversed(e.parts)])
        if len(shape) == 1:
            type_ = Type((1, *shape), row=True)
        elif e.type.row:
            type_ = Type(shape[1:])
        else:
            return self._transposed_matrix(e)
        number, rest = self.numbers_out(e)
        if number is not self.one:
            return self.times(number, self.transpose(rest))
        return self.plain_call(TRANSPOSE, {}, (e,), type_)

    def _transposed_matrix(self, e: Expr) -> Expr:
        """Of a matrix: into sums and products where each part is easily transposed."""
        m, n = e.type.shape
        if e.kind in (Kind.ONES, Kind.ZEROS):
            return (self.ones if e.kind is Kind.ONES else self.zeros)(Type((n, m)))
        if e.kind is Kind.SUM and all(_turns(part, e) for part in e.parts):
            return self.add([(c, self.transpose(p)) for p, c in self.terms(e).items()])
        if e.kind is Kind.PRODUCT:
            c, rest = self.numbers_out(e)
            if c is not self.one:
                return self.times(c, self.transpose(rest))
            if all(_turns(part, e) for part in e.parts):
                coefficient, factors = self.factors(e)
                return self.mul(coefficient, [(self.transpose(b), k) for b, k in factors.items()])
        return self.plain_call(TRANSPOSE, {}, (e,), Type((n, m)))

    def numbers_out(self, e: Expr) -> tuple[Expr, Expr]:
        """An array as a number times the rest; the rest is never a number."""
        if e.kind is not Kind.PRODUCT or not e.type.shape:
            return self.one, e
        c, factors = self.factors(e)
        inside = {b: k for b, k in factors.items() if b.type.shape}
        outside = {b: k for b, k in factors.items() if not b.type.shape}
        return self.product(c, outside), self.product(ONE, inside)

    def matmul(self, a: Expr, b: Expr) -> Expr:
        """The matrix product of vectors, rows and matrices."""
        case = product_case(a.type, b.type)
        if case == "vm":
            a, b = self.transpose(b), a
        elif case == "vv":
            a = self.transpose(a)
        return self.matrix_product([a, b])

    def matrix_product(self, parts: Iterable[Expr]) -> Expr:
        """The product of a chain: numbers go in front, identities away."""
        numbers: list[Expr] = []
        chain: list[Expr] = []
        parts = list(parts)
        whole = reduce(product_type, [part.type for part in parts])
        for part in parts:
            number, rest = self.numbers_out(part)
            numbers.append(number)
            if rest is self.zero or rest.kind is Kind.ZEROS:
                numbers.append(self.zero)
            chain += rest.parts if rest.kind is Kind.MATRIX and rest.type.shape else (rest,)
        if self.zero in numbers:
            return self.zeros(whole)
        for rewrite in self.rewrites.of_chains:
            if len(chain) > 1:
                numbers += rewrite.apply(self, chain)
        if len(chain) == 1 or not chain:
            return self.times(*numbers, *chain)
        return self.times(*numbers, self._chain(tuple(chain)))

    def _chain(self, chain: tuple[Expr, ...]) -> Expr:
        whole = reduce(product_type, [part.type for part in chain])
        if not whole.shape:  # a number is its own transpose: x.T @ A @ y is y.T @ A.T @ x
            turned = tuple(self.transpose(part) for part in reversed(chain))
            if (Kind.MATRIX, (None, turned), whole) in self._known:
                chain = turned
        return self.made(Kind.MATRIX, None, chain, whole)


def _turns(part: Expr, whole: Expr) -> bool:
    """Whether a part's transpose is a part of the transpose, and written no longer."""
    if not part.type.shape:
        return True
    same = part.type.shape == whole.type.shape
    return same and (part.calls(TRANSPOSE) or part.kind in (Kind.EYE, Kind.ONES))
