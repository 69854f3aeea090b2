"""Sums, products and powers that keep themselves short.

Like terms and like powers collect by the form of an `Expr` itself; numbers are folded, 0 and 1
disappear, signs and factors that are numbers go in front of sums, transposes and matrix products.
What is true of certain operations only is handed in as `Rewrites` (`simplify` has the table).
Whether a factored form is shorter than an expanded one is decided afterwards (`forms`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from gradcli.formulas.expression import Expr, Kind, Pool, rational
from gradcli.ops import for_symbol, roles
from gradcli.ops.operation import SCALAR, Type

Terms = dict[Expr, Fraction]
Factors = dict[Expr, Fraction]

TRANSPOSE = for_symbol("T")
ONE = Fraction(1)
MOST_EXPONENT = 64
"""Numbers are raised to whole powers up to this one."""


class Rewrite(NamedTuple):
    """An identity, with an example: a text of the language and what it becomes."""

    name: str
    apply: Callable[..., Any]
    before: str
    after: str


class Rewrites(NamedTuple):
    """The identities of single operations, by what they rewrite.

    `apply(algebra, terms)` changes the terms of a sum in place; `apply(algebra, factors, c)` the
    factors of a product, and returns the number that they are multiplied with; `apply(algebra,
    call)` gives another form of a call, or None; `apply(algebra, chain)` changes the factors of a
    matrix product, and returns numbers that come out of it.
    """

    of_terms: tuple[Rewrite, ...]
    of_factors: tuple[Rewrite, ...]
    of_calls: tuple[Rewrite, ...]
    of_chains: tuple[Rewrite, ...]


class Arithmetic(Pool, ABC):
    """Sums, products and powers of expressions, each simplified."""

    def __init__(self, rewrites: Rewrites) -> None:
        super().__init__()
        self.rewrites = rewrites
        self.e = self.made(Kind.NAME, "exp(1)", (), SCALAR)
        """The base of exp."""
        self._scaled: dict[Any, tuple[Expr, Fraction]] = {}

    # --- arrays of one number ---

    def ones(self, of: Type, like: Expr | None = None) -> Expr:
        """Ones of a shape; `like` is an expression of that shape."""
        if not of.shape:
            return self.one
        return self.made(Kind.ONES, None, () if like is None else (like,), Type(of.shape), "ones")

    def zeros(self, of: Type) -> Expr:
        """Zeros of a shape."""
        return self.made(Kind.ZEROS, None, (), Type(of.shape)) if of.shape else self.zero

    def eye(self, n: int) -> Expr:
        """The identity matrix."""
        return self.made(Kind.EYE, None, (), Type((n, n)))

    def fitted(self, found: Expr, of: Type) -> Expr:
        """The expression repeated to a shape that it broadcasts to."""
        if found.type.shape == of.shape:
            return found
        if found is self.zero or found.kind is Kind.ZEROS:
            return self.zeros(of)
        return self.times(found, self.ones(of))

    # --- sums ---

    def add(self, terms: Iterable[tuple[Fraction, Expr]]) -> Expr:
        """The sum of coefficient times expression."""
        terms = list(terms)
        whole = common_type(e.type for _, e in terms)
        if whole.row:
            return self.transpose(self.add([(c, self.transpose(e)) for c, e in terms]))
        found: Terms = {}
        for c, e in terms:
            self.collect(found, c, e)
        for rewrite in self.rewrites.of_terms:
            if len(found) > 1:
                rewrite.apply(self, found)
        return self.fitted(self.total(found), whole) if whole.shape else self.total(found)

    def collect(self, found: Terms, c: Fraction, e: Expr) -> None:
        """Add a term to those that were found; sums inside of sums are opened."""
        if not c or e.kind is Kind.ZEROS:
            return
        c, e = self.split(c, e)
        if e.kind is Kind.SUM and abs(c) == 1:
            for inner, part in zip(e.label, e.parts, strict=True):
                self.collect(found, c * inner, part)
            return
        value = found.get(e, 0) + c
        if value:
            found[e] = rational(value)
        else:
            found.pop(e, None)

    def split(self, c: Fraction, e: Expr) -> tuple[Fraction, Expr]:
        """A term as coefficient and the rest."""
        if e.kind is Kind.NUMBER:
            return c * e.label, self.one
        if e.kind is Kind.PRODUCT and e.label[0] != 1:
            number, factors = self.factors(e)
            return c * number, self.product(ONE, factors)
        return c, e

    def terms(self, e: Expr) -> Terms:
        """The terms of a sum; of anything else it is the only one."""
        if e.kind is Kind.SUM:
            return dict(zip(e.parts, e.label, strict=True))
        c, rest = self.split(ONE, e)
        return {rest: c} if c else {}

    def total(self, found: Terms) -> Expr:
        """The expression of collected terms."""
        if not found:
            return self.zero
        if len(found) == 1:
            ((core, c),) = found.items()
            return core if c == 1 else self.scaled(c, core)
        whole = common_type(core.type for core in found)
        key = frozenset(found.items())
        return self.made(Kind.SUM, tuple(found.values()), tuple(found), whole, key)

    def scaled(self, c: Fraction, e: Expr) -> Expr:
        """A number times an expression."""
        if e.kind is Kind.NUMBER:
            return self.number(rational(c * e.label))
        if e.kind is Kind.PRODUCT:
            coefficient, factors = self.factors(e)
            return self.product(rational(c * coefficient), factors)
        if c == -1 and e.kind is Kind.SUM:
            return self.total({part: -k for part, k in self.terms(e).items()})
        return self.product(c, {e: ONE})

    def negative(self, e: Expr) -> Expr:
        """Minus an expression."""
        return self.scaled(-ONE, e)

    # --- products ---

    def mul(self, c: Fraction, factors: Iterable[tuple[Expr, Fraction]]) -> Expr:
        """The product of powers, element by element, times a number."""
        factors = list(factors)
        whole = common_type(e.type for e, _ in factors)
        found: Factors = {}
        if whole.row:
            rows = [(e, k) for e, k in factors if e.type.shape]
            if len(rows) > 1 or rows[0][1] != 1 or rows[0][0].kind is Kind.SUM:
                turned = [(self.transpose(e), k) for e, k in factors]
                return self.transpose(self.mul(c, turned))
        for e, k in factors:
            if e.calls(TRANSPOSE) and e.parts[0].kind is Kind.ONES and not whole.row:
                e = self.ones(e.type)  # noqa: PLW2901 - a row of ones, repeated
            c = rational(c * self.gather(found, e, k))
        if not c:
            return self.zeros(whole)
        for rewrite in self.rewrites.of_factors:
            if len(found) > 1:
                c = rewrite.apply(self, found, c)
        self._cover(found, whole)
        return self.product(c, found)

    def gather(self, found: Factors, e: Expr, k: Fraction) -> Fraction:
        """Multiply what was found by e^k; returns the number that comes out of it."""
        if e.kind is Kind.NUMBER:
            return self._number(found, e, k)
        if e.kind is Kind.ZEROS:
            return Fraction(0)
        if e.kind is Kind.PRODUCT and k.denominator == 1:
            c, factors = self.factors(e)
            if k < 0 or abs(k) <= MOST_EXPONENT:
                c = c**k.numerator
                for part, exponent in factors.items():
                    c *= self.gather(found, part, exponent * k)
                return rational(c)
        c = ONE
        if e.kind is Kind.SUM and k.denominator == 1:
            e, scale = self._first_of_its_ratio(e)
            if abs(k) <= MOST_EXPONENT:
                c = scale**k.numerator
        if e.kind is Kind.ONES or (e.is_comparison and k > 0):
            found[e] = ONE
            return c
        exponent = found.get(e, Fraction(0)) + k
        whole = exponent.denominator == 1 and k.denominator != 1
        if exponent and whole and e.kind in (Kind.PRODUCT, Kind.SUM):
            del found[e]  # two roots of 2*pi are 2 and pi, which cancel by themselves
            return rational(c * self.gather(found, e, exponent))
        if exponent:
            found[e] = exponent
        else:
            found.pop(e, None)
        return rational(c)

    def _number(self, found: Factors, e: Expr, k: Fraction) -> Fraction:
        """A number's power as a number if it is rational, else as a factor."""
        value: Fraction = e.label
        if k.denominator == 1 and abs(k) <= MOST_EXPONENT and (value or k > 0):
            return rational(value**k.numerator)
        exponent = found.get(e, Fraction(0)) + k
        if exponent.denominator == 1 and abs(exponent) <= MOST_EXPONENT:
            found.pop(e, None)
            return rational(value**exponent.numerator)
        found[e] = exponent
        return ONE

    def _first_of_its_ratio(self, e: Expr) -> tuple[Expr, Fraction]:
        """A sum as the first one seen that is a multiple of it, and the ratio: 2 - 2*x of x - 1."""
        lead = e.label[min(range(len(e.parts)), key=lambda i: e.parts[i].serial)]
        key = frozenset((p, c / lead) for p, c in zip(e.parts, e.label, strict=True)), e.type
        first, its_lead = self._scaled.setdefault(key, (e, lead))
        return first, lead / its_lead

    def _cover(self, found: Factors, whole: Type) -> None:
        """Keep ones among the factors only where the others don't have the product's shape."""
        ones = [e for e in found if e.kind is Kind.ONES]
        for e in ones:
            del found[e]
        if ones and common_type(e.type for e in found).shape != whole.shape:
            like = next((e for e in ones if e.type.shape == whole.shape), None)
            found[like or self.ones(whole)] = ONE

    def factors(self, e: Expr) -> tuple[Fraction, Factors]:
        """An expression as a number and powers."""
        if e.kind is Kind.NUMBER:
            return e.label, {}
        if e.kind is Kind.PRODUCT:
            return e.label[0], dict(zip(e.parts, e.label[1], strict=True))
        return ONE, {e: ONE}

    def product(self, c: Fraction, found: Factors) -> Expr:
        """The expression of collected factors."""
        if not found:
            return self.number(c)
        if len(found) == 1:
            ((base, k),) = found.items()
            if k == 1 and c == 1:
                return base
            if k == 1 and c == -1 and base.kind is Kind.SUM:
                return self.scaled(c, base)
        whole = common_type(base.type for base in found)
        key = c, frozenset(found.items())
        return self.made(Kind.PRODUCT, (c, tuple(found.values())), tuple(found), whole, key)

    def times(self, *factors: Expr) -> Expr:
        """The product of expressions."""
        return self.mul(ONE, [(e, ONE) for e in factors])

    # --- powers ---

    def power(self, base: Expr, exponent: Expr) -> Expr:
        """base^exponent; the numeric part of the exponent is a power of its own."""
        if exponent.kind is Kind.NUMBER:
            return self.mul(ONE, [(base, exponent.label)])
        return self.mul(ONE, [self._power(base, *term) for term in self.terms(exponent).items()])

    def _power(self, base: Expr, core: Expr, c: Fraction) -> tuple[Expr, Fraction]:
        if core is self.one:
            return base, c
        if base is self.e and core.calls(roles.LOG):
            return core.parts[0], c
        whole = common_type((base.type, core.type))
        return self.made(Kind.POWER, None, (base, core), Type(whole.shape)), c

    def is_exp(self, base: Expr) -> bool:
        """Whether a factor is a power of e."""
        return base is self.e or (base.kind is Kind.POWER and base.parts[0] is self.e)

    def exp(self, exponent: Expr) -> Expr:
        """e^exponent."""
        return self.one if exponent is self.zero else self.power(self.e, exponent)

    @abstractmethod
    def transpose(self, e: Expr) -> Expr:
        """The transpose: of a vector a row, of a row the vector."""


def common_type(types: Iterable[Type]) -> Type:
    """The type of what is computed element by element: a row only where all arrays are rows."""
    there = list({t for t in types if t.shape})
    if not there:
        return SCALAR
    if len(there) == 1:
        return there[0]
    return Type(np.broadcast_shapes(*(t.shape for t in there)))
