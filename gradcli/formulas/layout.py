"""How an expression is written: the order of terms and factors, fractions, signs, and the cost.

`Layout` takes an expression apart into what stands above and below a fraction bar; `tree` makes a
tree of the language of it, `cost` counts its operations: operators and calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from gradcli.engine.notation import NOWHERE, operation_tree
from gradcli.formulas.algebra import Algebra
from gradcli.formulas.arithmetic import ONE
from gradcli.formulas.expression import Expr, Kind, settle
from gradcli.ops import for_symbol, roles
from gradcli.syntax.tree import Call, Name, Number, Operator, Tree

HALF = Fraction(1, 2)
MOST_DIGITS = 4
"""A fraction whose decimal form has at most this many digits is written as that: 1.5, not 3/2."""


UPSTREAM = -1.0
"""Where δ of a node stands among the factors: in front of them, and of their number."""


RANKS = {
    Kind.NUMBER: -2.0,
    Kind.NAME: 0.0,
    Kind.PRODUCT: 1.5,
    **dict.fromkeys((Kind.SUM, Kind.MATRIX), 2.0),
    **dict.fromkeys((Kind.ONES, Kind.EYE), 3.0),
}
"""Where a factor stands among the others; any other kind at 1."""


class Item(NamedTuple):
    """A factor as it is written: a base, its exponent, and where it stands among the others."""

    base: Expr
    exponent: Expr | None
    """None for 1."""
    order: tuple[float, str, int]


class Layout(NamedTuple):
    """A product as a fraction: a number in front, items above and below, a number below."""

    negative: bool
    number: Fraction
    above: list[Item]
    below: list[Item]
    divisor: int


def is_decimal(value: Fraction) -> bool:
    """Whether a number is written with a decimal point and not as a fraction."""
    if value.denominator == 1:
        return True
    text = repr(float(value))
    if Fraction(text) != value:
        return False
    short = len(text.lstrip("-0.").replace(".", "")) <= MOST_DIGITS and value.denominator > 1
    return "e" not in text and (short or value.denominator > 1000)


class Writer:
    """Costs, layouts and trees of the expressions of one algebra."""

    def __init__(self, algebra: Algebra, example: Callable[[Expr], Tree | None]) -> None:
        self.algebra = algebra
        self._costs: dict[Expr, int] = {}
        self.upstream: set[Expr] = set()
        """The names that stand for δ of a node."""
        self.example = example
        """For ones, zeros or an identity, what is written for it; None where there is nothing."""

    # --- layout ---

    def layout(self, e: Expr) -> Layout:
        """A product as a fraction."""
        algebra = self.algebra
        c, factors = algebra.factors(e)
        groups: dict[Expr, list[tuple[Fraction, Expr]]] = {}
        for base, k in factors.items():
            if base.kind is Kind.POWER:
                groups.setdefault(base.parts[0], []).append((k, base.parts[1]))
            elif base is algebra.e:
                groups.setdefault(base, []).append((k, algebra.one))
        above: list[Item] = []
        below: list[Item] = []
        comparisons: list[Expr] = []
        for base, k in factors.items():
            if base.kind is Kind.POWER or base is algebra.e:
                continue
            if base in groups:
                groups[base].append((k, algebra.one))
            elif base.is_comparison and k == 1:
                comparisons.append(base)
            elif k > 0:
                above.append(self._item(base, k))
            else:
                below.append(self._item(base, -k))
        for base, exponents in groups.items():
            exponent = algebra.add(exponents)
            order = (1.0 if base is algebra.e else 0.6, "", exponent.serial)
            if base is not algebra.e and all(c < 0 for c in algebra.terms(exponent).values()):
                below.append(Item(base, algebra.negative(exponent), order))
            else:
                above.append(Item(base, exponent, order))
        if comparisons:
            above.append(self._choice(comparisons))
        above.sort(key=lambda item: item.order)
        below.sort(key=lambda item: item.order)
        number, divisor = abs(c), 1
        if not is_decimal(number) or (number.numerator == 1 and number.denominator <= 1000):
            number, divisor = Fraction(number.numerator), number.denominator
        return Layout(c < 0, number, above, below, divisor)

    def _item(self, base: Expr, k: Fraction) -> Item:
        rank = RANKS.get(base.kind, 1.0)
        if base in self.upstream:
            rank = UPSTREAM
        word = base.label if base.kind is Kind.NAME else ""
        return Item(base, None if k == 1 else self.algebra.number(k), (rank, word, base.serial))

    def _choice(self, comparisons: list[Expr]) -> Item:
        """where(a > b, 1, 0) for a product of comparisons."""
        algebra = self.algebra
        comparisons.sort(key=lambda e: e.serial)
        condition = comparisons[0]
        for more in comparisons[1:]:
            key = (condition, more)
            condition = algebra.made(Kind.CALL, (_ALL, ()), key, condition.type)
        operands = (condition, algebra.one, algebra.zero)
        chosen = algebra.plain_call(roles.WHERE, {}, operands, condition.type)
        return Item(chosen, None, (4.0, "", chosen.serial))

    # --- cost ---

    def cost(self, e: Expr) -> int:
        """How many operations the expression is written with."""
        known = self._costs.get(e)
        return settle(e, self._costs, self._written, self._cost) if known is None else known

    def _written(self, e: Expr) -> Sequence[Expr]:
        """The expressions that stand in an expression as it is written."""
        if e.kind in (Kind.PRODUCT, Kind.POWER):
            layout = self.layout(e)
            items = (*layout.above, *layout.below)
            return [x for item in items for x in (item.base, item.exponent) if x is not None]
        if e.kind in (Kind.NAME, Kind.NUMBER, Kind.ONES, Kind.ZEROS, Kind.EYE):
            return ()
        return e.parts

    def _cost(self, e: Expr) -> int:
        known = [self._costs[part] for part in self._written(e)]
        match e.kind:
            case Kind.NAME:
                return 0
            case Kind.NUMBER:
                return 0 if is_decimal(e.label) else 1
            case Kind.ONES | Kind.EYE | Kind.ZEROS:
                return 1
            case Kind.SUM:
                signs = 0 if any(c > 0 for c in e.label) else 1
                numbers = sum(
                    1 if is_decimal(abs(c)) or abs(c.numerator) == 1 else 2
                    for c, part in zip(e.label, e.parts, strict=True)
                    if part is not self.algebra.one and abs(c) != 1
                )
                return sum(known) + len(known) - 1 + signs + numbers
            case Kind.MATRIX:
                return sum(known) + len(known) - 1
            case Kind.PRODUCT | Kind.POWER:
                layout = self.layout(e)
                above = len(layout.above) + (layout.number != 1)
                below = len(layout.below) + (layout.divisor != 1)
                powers = sum(i.exponent is not None for i in (*layout.above, *layout.below))
                sign = layout.negative and layout.number == 1 and bool(layout.above)
                return sum(known) + max(above - 1, 0) + below + powers + sign
        return sum(known) + 1

    # --- trees ---

    def tree(self, e: Expr) -> Tree:
        """The expression as a tree of the language. What is shared is one object."""
        done: dict[Expr, Tree] = {}
        e = self._choice([e]).base if e.is_comparison else e
        return settle(e, done, self._written, lambda part: self._tree(part, done))

    def _tree(self, e: Expr, done: dict[Expr, Tree]) -> Tree:
        match e.kind:
            case Kind.NAME:
                if e is self.algebra.e:
                    return Call("exp", (_number(ONE),), (), NOWHERE, NOWHERE)
                return Name(e.label, NOWHERE)
            case Kind.NUMBER:
                return _fraction(e.label)
            case Kind.ONES | Kind.EYE | Kind.ZEROS:
                return self.example(e) or Name("?", NOWHERE)
            case Kind.SUM:
                return self._sum(e, done)
            case Kind.MATRIX:
                return _joined("@", [done[part] for part in e.parts])
            case Kind.PRODUCT | Kind.POWER:
                return self._product_tree(self.layout(e), done)
        return operation_tree(e.label[0], e.given, tuple(done[part] for part in e.parts))

    def _sum(self, e: Expr, done: dict[Expr, Tree]) -> Tree:
        terms = list(zip(e.label, e.parts, strict=True))
        first = next((i for i, (c, _) in enumerate(terms) if c > 0), 0)
        terms.insert(0, terms.pop(first))
        (c, part), *others = terms
        tree = self._term(abs(c), part, done)
        tree = tree if c > 0 else negated(tree)
        for c, part in others:
            size = self._term(abs(c), part, done)
            tree = Operator("+" if c > 0 else "-", (tree, size), NOWHERE, NOWHERE)
        return tree

    def _term(self, c: Fraction, part: Expr, done: dict[Expr, Tree]) -> Tree:
        if c == 1:
            return self._alone(part, done)
        if part is self.algebra.one:
            return _fraction(c)
        return self._product_tree(self.layout(self.algebra.scaled(c, part)), done)

    def _alone(self, part: Expr, done: dict[Expr, Tree]) -> Tree:
        """A comparison as a number: where(a > b, 1, 0)."""
        if not part.is_comparison:
            return done[part]
        chosen = self._choice([part]).base
        operands = (done[part], _number(ONE), _number(Fraction(0)))
        return operation_tree(chosen.label[0], chosen.given, operands)

    def _product_tree(self, layout: Layout, done: dict[Expr, Tree]) -> Tree:
        for item in (*layout.above, *layout.below):
            for x in (item.base, item.exponent):
                if x is not None and x not in done:
                    done[x] = self.tree(x)
        above = [self._powered(item, done) for item in layout.above]
        below = [self._powered(item, done) for item in layout.below]
        number = layout.number if layout.number != 1 or not above else None
        if len(above) == 1 and not below and layout.divisor == 1:
            (single,) = layout.above
            if single.base.kind is Kind.MATRIX and single.exponent is None:
                parts = [done[p] if p in done else self.tree(p) for p in single.base.parts]
                return self._scaled_chain(layout, parts)
        upstream = bool(layout.above) and layout.above[0].order[0] == UPSTREAM
        if number is not None and upstream:
            above.insert(1, _fraction(number))
            if layout.negative:
                above[0] = negated(above[0])
        elif number is not None:
            above.insert(0, _fraction(-number if layout.negative else number))
        elif layout.negative:
            above[0] = negated(above[0], inside=layout.above[0].base.kind is not Kind.MATRIX)
        if layout.divisor != 1:
            below.insert(0, _number(Fraction(layout.divisor)))
        top = _joined("*", above)
        return Operator("/", (top, _joined("*", below)), NOWHERE, NOWHERE) if below else top

    def _scaled_chain(self, layout: Layout, parts: list[Tree]) -> Tree:
        """A number in front of the first factor of a matrix product: `-2*A @ B`."""
        if layout.number != 1:
            number = _fraction(-layout.number if layout.negative else layout.number)
            parts[0] = Operator("*", (number, parts[0]), NOWHERE, NOWHERE)
        elif layout.negative:
            parts[0] = negated(parts[0], inside=False)
        return _joined("@", parts)

    def _powered(self, item: Item, done: dict[Expr, Tree]) -> Tree:
        base, exponent = item.base, item.exponent
        if base is self.algebra.e:
            inside = _number(ONE) if exponent is None else done[exponent]
            return Call("exp", (inside,), (), NOWHERE, NOWHERE)
        if exponent is None:
            return done[base]
        if exponent.value == HALF:
            return Call("sqrt", (done[base],), (), NOWHERE, NOWHERE)
        return Operator("^", (done[base], done[exponent]), NOWHERE, NOWHERE)


_ALL = for_symbol("*")
"""Two conditions at once: as a call, a product of comparisons is written as it is."""


def negated(tree: Tree, *, inside: bool = True) -> Tree:
    """Minus a tree; with `inside` the sign stands at its first factor."""
    if isinstance(tree, Number):
        return _number(Fraction(tree.text) * -1)
    if inside and isinstance(tree, Operator) and tree.symbol in {"*", "/", "@"}:
        first, second = tree.operands
        return Operator(tree.symbol, (negated(first), second), NOWHERE, NOWHERE)
    return Operator("neg", (tree,), NOWHERE, NOWHERE)


def _joined(symbol: str, parts: list[Tree]) -> Tree:
    """A product from left to right; of nothing it is 1."""
    tree = parts[0] if parts else _number(ONE)
    for part in parts[1:]:
        tree = Operator(symbol, (tree, part), NOWHERE, NOWHERE)
    return tree


def _number(value: Fraction) -> Number:
    text = str(value.numerator) if value.denominator == 1 else repr(float(value))
    return Number(float(value), text, NOWHERE)


def _fraction(value: Fraction) -> Tree:
    """A number as a literal where it has a decimal form, else as a quotient."""
    if is_decimal(value):
        return _number(value)
    above, below = Fraction(value.numerator), Fraction(value.denominator)
    return Operator("/", (_number(above), _number(below)), NOWHERE, NOWHERE)
