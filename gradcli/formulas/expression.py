"""Expressions of formulas: what a derivative is made of while it is simplified.

An `Expr` is made by a `Pool` alone, which keeps one object for all equal expressions: they are
compared by identity, and what two formulas share is held once. Sums and products are flat. A sum
has numeric coefficients, a product one coefficient and numeric exponents, so that like terms and
powers collect by themselves; equality doesn't depend on the order, which stays as it was first
written. Exponents that aren't numbers are `POWER`s inside of a product: x^(n - 1) is x^n times
x^-1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from fractions import Fraction
from typing import Any, TypeVar

from gradcli.ops.operation import SCALAR, Operation, Type


class Kind(Enum):
    """What an expression is."""

    NUMBER = "a rational number (label)"
    NAME = "an input, a node, or a constant as pi (label)"
    SUM = "terms (parts) times coefficients (label)"
    PRODUCT = "a coefficient and exponents (label), bases (parts)"
    POWER = "a base to an exponent without numeric factor (parts)"
    MATRIX = "a product of matrices, vectors and rows (parts), in order"
    CALL = "an operation (label) on operands (parts)"
    ONES = "ones of a shape; parts has an expression of that shape for writing it"
    EYE = "the identity matrix"
    ZEROS = "zeros of a shape"


class Expr:
    """An expression; `serial` numbers them in the order in which they were first made."""

    __slots__ = ("given", "kind", "label", "parts", "serial", "type")

    def __init__(
        self, kind: Kind, label: Any, parts: tuple[Expr, ...], of: Type, serial: int
    ) -> None:
        self.kind, self.label, self.parts, self.type, self.serial = kind, label, parts, of, serial
        self.given: Mapping[str, Any] = {}
        """The options of a call as they are written."""

    def __repr__(self) -> str:
        return f"<{self.kind.name} {self.label!r} {list(self.parts)!r}>"

    @property
    def value(self) -> Fraction | None:
        """The number that it is, or None."""
        return self.label if self.kind is Kind.NUMBER else None

    def calls(self, *rows: Operation) -> bool:
        """Whether it is a call of one of these operations."""
        return self.kind is Kind.CALL and self.label[0] in rows

    @property
    def is_comparison(self) -> bool:
        """Whether it is 0 or 1 by a comparison."""
        return self.kind is Kind.CALL and bool(self.label[0].is_comparison)


Made = TypeVar("Made")


def settle(
    e: Expr,
    known: dict[Expr, Made],
    parts: Callable[[Expr], Iterable[Expr]],
    make: Callable[[Expr], Made],
) -> Made:
    """What `make` makes of an expression, once it is `known` of the parts."""
    stack = [e]
    while stack:
        top = stack[-1]
        if top in known:
            stack.pop()
        elif missing := [part for part in parts(top) if part not in known]:
            stack += missing
        else:
            known[top] = make(top)
            stack.pop()
    return known[e]


class Pool:
    """All expressions of a derivation, each once."""

    def __init__(self) -> None:
        self._known: dict[Any, Expr] = {}
        self.one = self.number(1)
        self.zero = self.number(0)

    def made(
        self, kind: Kind, label: Any, parts: tuple[Expr, ...], of: Type, key: Any = None
    ) -> Expr:
        """The expression; `key` identifies it among those of its kind (default: label, parts)."""
        key = (kind, (label, parts) if key is None else key, of)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Expr(kind, label, parts, of, len(self._known))
        return found

    def number(self, value: float | Fraction) -> Expr:
        """A rational number; doubles by their shortest decimals."""
        return self.made(Kind.NUMBER, rational(value), (), SCALAR)

    def name(self, name: str, of: Type) -> Expr:
        """A name with a value of this type."""
        return self.made(Kind.NAME, name, (), of)


LARGEST = 10**18
"""A fraction with a larger numerator or denominator is rounded to a double."""


def rational(value: float | Fraction) -> Fraction:
    """A finite number as a fraction: 0.1 is 1/10."""
    if isinstance(value, Fraction):
        if max(abs(value.numerator), value.denominator) < LARGEST:
            return value
        value = float(value)
    return Fraction(repr(float(value))) if value % 1 else Fraction(int(value))
