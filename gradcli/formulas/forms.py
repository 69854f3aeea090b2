"""The shortest form of an expression: other forms of its parts are tried, from the leaves up.

`simplify` keeps an expression in the form in which it comes. Here sums and products are factored,
put over a common denominator, or multiplied out, and the form with the fewest operations is kept.

A common denominator has to save a fifth of the operations, a common factor one: 1/q - p/q²
is easier to read than (1 - p/q)/q. Sums of more than `MOST_TERMS` terms are left as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from math import gcd, lcm

from gradcli.formulas.algebra import Algebra
from gradcli.formulas.arithmetic import ONE, TRANSPOSE, Factors, common_type
from gradcli.formulas.expression import Expr, Kind, rational, settle
from gradcli.formulas.layout import Writer
from gradcli.ops import roles
from gradcli.ops.operation import Type

MOST_TERMS = 40
MOST_ROUNDS = 12
FRACTION = 0.19
"""A common denominator has to save this part of the operations."""
MOST_OPENED = 24
"""A product is multiplied out if it then has at most this many terms."""

SQUARES = ((roles.COS, roles.SIN, -1), (roles.COSH, roles.SINH, 1))
"""The functions whose squares add up to that of twice the angle, with the second one's sign."""


class Forms:
    """Other forms of the expressions of one algebra."""

    def __init__(self, algebra: Algebra, writer: Writer, *, exponentials: bool = True) -> None:
        self.algebra, self.writer = algebra, writer
        self.exponentials = exponentials
        """Whether exp(-x) may come out of a sum: exp(-x) + 1 as (1 + exp(x))/exp(x)."""

    def of(self, e: Expr) -> Iterator[tuple[Expr, float]]:
        """Other forms of an expression, each with the part of its cost that it has to save."""
        if e.kind is Kind.SUM and len(e.parts) <= MOST_TERMS:
            yield from self._forms_of_sum(e)
        elif e.kind is Kind.PRODUCT:
            yield from self._forms_of_product(e)
        elif e.kind is Kind.MATRIX:
            if len(e.type.shape) == 2 and not e.type.row:  # A.T @ B.T as (B @ A).T
                turned = tuple(self.algebra.transpose(part) for part in reversed(e.parts))
                chain = self.algebra.made(Kind.MATRIX, None, turned, Type(e.type.shape[::-1]))
                yield self.algebra.plain_call(TRANSPOSE, {}, (chain,), e.type), 0
        elif e.calls(TRANSPOSE) and e.parts[0].kind is Kind.SUM:
            (inner,) = e.parts
            terms = [(c, self.algebra.transpose(p)) for p, c in self.algebra.terms(inner).items()]
            alike = all(p.type.shape in ((), inner.type.shape) for p in inner.parts)
            if alike and not inner.type.row and len(inner.type.shape) == 2:
                yield self.algebra.add(terms), 0

    # --- sums ---

    def _forms_of_sum(self, e: Expr) -> Iterator[tuple[Expr, float]]:
        opened = self._opened(e)
        for other in (opened, self._multiplied(e)):
            if other is not e:
                yield other, 0
                if other.kind is Kind.SUM:
                    yield self._common(other, below=False), 0
        if opened is not e and opened.kind is Kind.SUM:
            yield self._common(opened, below=True), FRACTION
        yield self._common(e, below=False), 0
        above = [{b for b, k in self.algebra.factors(core)[1].items() if k > 0} for core in e.parts]
        yield self._common(e, below=True), 0 if set.intersection(*above) else FRACTION
        yield from self._grouped(e)
        yield from self._common_matrix(e)
        yield from self._double_angle_of_sum(e)
        yield from self._choice(e)

    def _choice(self, e: Expr) -> Iterator[tuple[Expr, float]]:
        """a·[x > 0] + b·[x <= 0] as where(x > 0, a, b)."""
        algebra = self.algebra
        terms = algebra.terms(e)
        chosen = [(core, *found) for core, c in terms.items() for found in self._where(core, c)]
        chosen.sort(key=lambda found: found[1].serial)  # the condition that was written first
        for (one, condition, a), (two, other, b) in combinations(chosen, 2):
            row = roles.OPPOSITE[condition.label[0]]
            if one is two or not other.calls(row) or other.parts != condition.parts:
                continue
            left = [(n, t) for t, n in terms.items() if t not in (one, two)]
            type_ = common_type((condition.type, a.type, b.type))
            both = algebra.call(roles.WHERE, {}, (condition, a, b), type_)
            yield algebra.add([(ONE, both), *left]), 0

    def _where(self, core: Expr, c: Fraction) -> Iterator[tuple[Expr, Expr]]:
        """The conditions without which a term is 0, each with what the term is where it holds."""
        algebra = self.algebra
        factors = algebra.factors(core)[1]
        for base, k in factors.items():
            rest = {b: n for b, n in factors.items() if b is not base}
            if base.is_comparison:
                yield base, algebra.product(c, rest)
            elif k == 1 and base.calls(roles.WHERE) and base.parts[2] is algebra.zero:
                condition, value, _ = base.parts
                if condition.is_comparison:
                    yield condition, algebra.mul(c, [*rest.items(), (value, ONE)])

    def _opened(self, e: Expr) -> Expr:
        """2·(a + b) + c as 2a + 2b + c."""
        return self.algebra.add(
            (c * k, part)
            for core, c in self.algebra.terms(e).items()
            for part, k in (
                self.algebra.terms(core) if core.kind is Kind.SUM else {core: ONE}
            ).items()
        )

    def _multiplied(self, e: Expr) -> Expr:
        """The sum with products of sums multiplied out."""
        terms: list[tuple[Fraction, Expr]] = []
        for core, c in self.algebra.terms(e).items():
            terms += [(c * k, part) for k, part in self._open_product(core)]
            if len(terms) > MOST_OPENED:
                return e
        return self.algebra.add(terms)

    def _open_product(self, e: Expr) -> list[tuple[Fraction, Expr]]:
        """A product multiplied out: its terms; itself alone where there are too many."""
        algebra = self.algebra
        coefficient, factors = algebra.factors(e)
        closed = {b: k for b, k in factors.items() if not _opens(b, k)}
        terms = [(coefficient, algebra.product(ONE, closed))]
        for base, k in factors.items():
            for _ in range(k.numerator if _opens(base, k) else 0):
                inner = algebra.terms(base)
                terms = [(c * d, algebra.times(t, p)) for c, t in terms for p, d in inner.items()]
                if len(terms) > MOST_OPENED:
                    return [(ONE, e)]
        return terms

    def _common(self, e: Expr, *, below: bool) -> Expr:
        """The factors that all terms have in front of a bracket; `below` with denominators."""
        algebra = self.algebra
        terms = algebra.terms(e)
        split = [algebra.factors(core)[1] for core in terms]
        # Powers of ones and of comparisons are all the same.
        bases = dict.fromkeys(
            b for fs in split for b in fs if not (b.kind is Kind.ONES or b.is_comparison)
        )
        shared: Factors = {}
        for base in bases:
            exponents = [factors.get(base, Fraction(0)) for factors in split]
            least = min(exponents)
            if not self.exponentials and least < 0 and algebra.is_exp(base):
                continue
            if least > 0 or (below and least < 0):
                shared[base] = least
        # The greatest number that all are whole multiples of; negative where all are.
        coefficients = list(terms.values())
        above, under = (
            gcd(*(c.numerator for c in coefficients)),
            lcm(*(c.denominator for c in coefficients)),
        )
        number = Fraction(-above if all(c < 0 for c in coefficients) else above, under)
        if not shared and number == 1:
            return e
        inner = algebra.add(
            (
                rational(c / number),
                algebra.mul(ONE, [*factors.items(), *((b, -k) for b, k in shared.items())]),
            )
            for (c, factors) in zip(terms.values(), split, strict=True)
        )
        if inner.kind is Kind.SUM:
            inner = min((inner, self._opened(inner), self._multiplied(inner)), key=self.writer.cost)
            found = self._common(inner, below=False) if shared else inner
            inner = min((inner, found), key=self.writer.cost)
        return algebra.fitted(algebra.mul(number, [*shared.items(), (inner, ONE)]), e.type)

    def _grouped(self, e: Expr) -> Iterator[tuple[Expr, float]]:
        """Some terms with a factor in common: x·y + x·z + w as x·(y + z) + w."""
        algebra = self.algebra
        terms = algebra.terms(e)
        if len(terms) < 3:
            return
        having: dict[Expr, list[Expr]] = {}
        for core in terms:
            for base, k in algebra.factors(core)[1].items():
                if k > 0:
                    having.setdefault(base, []).append(core)
        for some in having.values():
            if 2 <= len(some) < len(terms):
                part = algebra.add([(terms[core], core) for core in some])
                if part.kind is not Kind.SUM:
                    continue
                rest = [(c, core) for core, c in terms.items() if core not in some]
                yield algebra.add([(ONE, self._common(part, below=False)), *rest]), 0

    def _common_matrix(self, e: Expr) -> Iterator[tuple[Expr, float]]:
        """A @ x + B @ x as (A + B) @ x, and the same on the left."""
        algebra = self.algebra
        terms = algebra.terms(e)
        if any(core.kind is not Kind.MATRIX for core in terms):
            return
        for end in (-1, 0):
            shared = {core.parts[end] for core in terms}
            if len(shared) > 1:
                continue
            rests = [core.parts[:-1] if end else core.parts[1:] for core in terms]
            inner = algebra.add(
                (c, algebra.matrix_product(rest))
                for c, rest in zip(terms.values(), rests, strict=True)
            )
            if not inner.type.shape or inner.kind is not Kind.SUM:
                continue
            (part,) = shared
            chain = [inner, part] if end else [part, inner]
            yield algebra.matrix_product(chain), 0

    def _double_angle_of_sum(self, e: Expr) -> Iterator[tuple[Expr, float]]:
        """cos² - sin² as the cosine of twice the angle, cosh² + sinh² as its cosh."""
        algebra = self.algebra
        terms = algebra.terms(e)
        for core, c in terms.items():
            for base, k in algebra.factors(core)[1].items():
                pair = next((p for p in SQUARES if base.calls(p[0])), None)
                if k != 2 or pair is None:
                    continue
                cosine, sine, sign = pair
                other = algebra.plain_call(sine, {}, base.parts, base.type)
                factors = {b: n for b, n in algebra.factors(core)[1].items() if b is not base}
                partner = algebra.product(ONE, {**factors, other: Fraction(2)})
                if terms.get(partner) != sign * c:
                    continue
                (x,) = base.parts
                twice = algebra.call(cosine, {}, (algebra.scaled(Fraction(2), x),), base.type)
                rest = [(n, t) for t, n in terms.items() if t not in (core, partner)]
                new = algebra.mul(ONE, [*factors.items(), (twice, ONE)])
                yield algebra.add([(c, new), *rest]), 0

    # --- products ---

    def _forms_of_product(self, e: Expr) -> Iterator[tuple[Expr, float]]:
        algebra = self.algebra
        coefficient, factors = algebra.factors(e)
        sums = [(b, k) for b, k in factors.items() if b.kind is Kind.SUM and k.denominator == 1]
        for base, k in sums:
            rest = {b: n for b, n in factors.items() if b is not base}
            if k == 1 and len(base.parts) <= MOST_OPENED:
                part = algebra.product(coefficient, rest)
                terms = algebra.terms(base).items()
                yield algebra.add((c, algebra.times(part, term)) for term, c in terms), 0
            taken = self._common(base, below=True)
            if taken is not base:
                yield algebra.mul(coefficient, [(taken, k), *rest.items()]), 0
            if k == 1 and coefficient == -1:
                negative = algebra.negative(base)
                turned = {negative if b is base else b: n for b, n in factors.items()}
                yield algebra.product(ONE, turned), 0
        if coefficient % 2 == 0:
            yield from self._double_angle(coefficient, factors)

    def _double_angle(
        self, coefficient: Fraction, factors: Factors
    ) -> Iterator[tuple[Expr, float]]:
        """2·sin·cos as the sine of twice the angle, and the same of sinh and cosh."""
        algebra = self.algebra
        for base, k in factors.items():
            for row, partner, _ in SQUARES:
                if k != 1 or not base.calls(row):
                    continue
                other = algebra.plain_call(partner, {}, base.parts, base.type)
                if factors.get(other) != 1:
                    continue
                (x,) = base.parts
                twice = algebra.scaled(Fraction(2), x)
                sine = algebra.call(partner, {}, (twice,), base.type)
                rest = {b: n for b, n in factors.items() if b not in (base, other)}
                yield algebra.mul(coefficient / 2, [(sine, ONE), *rest.items()]), 0


def _opens(base: Expr, k: Fraction) -> bool:
    """Whether a factor is multiplied out."""
    return base.kind is Kind.SUM and k.denominator == 1 and 0 < k <= 3


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
