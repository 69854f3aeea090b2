"""The shortest form of an expression: other forms are tried, from the leaves up.

`simplify` keeps an expression in the form in which it comes. Here the other forms of each part
(`forms`) are compared, and the one with the fewest operations is kept.
"""

from __future__ import annotations

from gradcli.formulas.algebra import Algebra
from gradcli.formulas.arithmetic import TRANSPOSE
from gradcli.formulas.expression import Expr, Kind, settle
from gradcli.formulas.forms import Forms
from gradcli.formulas.layout import Writer

MOST_ROUNDS = 12


class Shortener:
    """The shortest forms found for the expressions of one algebra."""

    def __init__(self, algebra: Algebra, writer: Writer, *, exponentials: bool = True) -> None:
        self.algebra, self._cost = algebra, writer.cost
        self._forms = Forms(algebra, writer, exponentials=exponentials)
        self._done: dict[Expr, Expr] = {}

    def shortest(self, e: Expr) -> Expr:
        """The shortest form found, with the shortest forms of its parts."""
        return settle(e, self._done, lambda top: top.parts, lambda e: self._best(self._rebuilt(e)))

    def from_the_top(self, e: Expr) -> Expr:
        """The shortest form found where the whole is tried before its parts."""
        return self.shortest(self._best(e))

    def _rebuilt(self, e: Expr) -> Expr:
        """The expression with the shortest forms of its parts, where one has changed."""
        algebra = self.algebra
        parts = tuple(self._done[part] for part in e.parts)
        if parts == e.parts:
            return e
        match e.kind:
            case Kind.SUM:
                return algebra.add(list(zip(e.label, parts, strict=True)))
            case Kind.PRODUCT:
                c, exponents = e.label
                return algebra.mul(c, list(zip(parts, exponents, strict=True)))
            case Kind.POWER:
                return algebra.power(*parts)
            case Kind.MATRIX:
                return algebra.matrix_product(parts)
            case Kind.ONES:
                return e
        row = e.label[0]
        if row is TRANSPOSE:
            return algebra.transpose(parts[0])
        return algebra.call(row, e.given, parts, e.type)

    def _best(self, e: Expr) -> Expr:
        for _ in range(MOST_ROUNDS):
            cost = self._cost(e)
            forms = [f for f, saves in self._forms.of(e) if self._cost(f) < cost * (1 - saves)]
            if not forms:
                return e
            e = min(forms, key=self._cost)
        return e
