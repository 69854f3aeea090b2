"""Pieces of NumPy code: a text, how tightly it holds together, and the type of its value.

In NumPy a vector has no direction: what is a row here (the transpose of a vector, of shape
1×n) is an array of shape (n,) there, so that `x.T` of a vector is x itself. `numpy_shape` says
which shape a value of some type has in the code; `exact` brings back the axis of a row where
an operation tells rows from vectors.
"""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.draft import Literal
from gradcli.ops.operation import Shape, Type
from gradcli.ops.options import shape_text

SUM, PRODUCT, SIGN, POWER, ATOM = 1, 2, 3, 4, 5
COMPARISON = 0

PLAIN_NUMBER = re.compile(r"(0|[1-9]\d*)(\.\d*)?([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?")
WHOLE = re.compile(r"-?\d+")
CONSTANTS = {
    **dict.fromkeys(("pi", "π"), "np.pi"),
    **dict.fromkeys(("tau", "τ"), "(2*np.pi)"),
    "e": "np.e",
    "inf": "np.inf",
    "nan": "np.nan",
}


class Code(NamedTuple):
    """An expression of NumPy."""

    text: str
    level: int
    type: Type
    symbol: str = ""
    """The operator of a product, `*` or `@`."""
    truth: bool = False
    """It gives True and False, which NumPy does not count and subtract as numbers."""
    view: bool = False
    """It may share its memory with the array it is made of."""

    @property
    def shape(self) -> Shape:
        """The shape that it has in NumPy."""
        return numpy_shape(self.type)

    def at(self, level: int) -> str:
        """The text, in brackets where it must be to stand beside something tighter."""
        return self.text if self.level >= level else f"({self.text})"

    def right(self, level: int) -> str:
        """The same on the right of an operator, where a minus gets brackets too."""
        return f"({self.text})" if self.text.startswith("-") else self.at(level)


def numpy_shape(t: Type) -> Shape:
    """The shape of a value in NumPy: a row has no axis of length 1 there."""
    return t.shape[1:] if t.row else t.shape


def call(function: str, *arguments: str, type: Type, view: bool = False) -> Code:  # noqa: A002
    """`np.function(a, b)`; arguments that are empty are left out."""
    inside = ", ".join(argument for argument in arguments if argument)
    return Code(f"{function}({inside})", ATOM, type, view=view)


def product(left: Code, right: Code, t: Type, symbol: str = "*", *, wide: bool = False) -> Code:
    """`a*b`, `a/b` or `a @ b`."""
    level = ATOM if left.symbol and (left.symbol == "@") != (symbol == "@") else PRODUCT
    other = ATOM if right.symbol else POWER
    space = " " if wide or symbol == "@" else ""
    text = f"{left.at(level)}{space}{symbol}{space}{right.right(other)}"
    return Code(text, PRODUCT, t, symbol="@" if symbol == "@" else "*")


def total(left: Code, right: Code, t: Type, symbol: str = "+") -> Code:
    """`a + b` or `a - b`."""
    return Code(f"{left.at(SUM)} {symbol} {right.right(PRODUCT)}", SUM, t)


def power(base: Code, exponent: Code, t: Type) -> Code:
    """`x**n`."""
    left = f"({base.text})" if base.text.startswith("-") else base.at(ATOM)
    return Code(f"{left}**{exponent.right(POWER)}", POWER, t)


def negative(x: Code) -> Code:
    """`-x`."""
    text = f"({x.text})" if x.text.startswith("-") else x.at(POWER)
    return Code(f"-{text}", SIGN, x.type)


def numeric(x: Code) -> Code:
    """The same with 1 and 0 for True and False."""
    return x if not x.truth else Code(f"1.0*({x.text})", PRODUCT, x.type, symbol="*")


def fractional(x: Code) -> Code:
    """The same with `2.0` for the literal `2`, of which NumPy would make an array of integers."""
    x = numeric(x)
    return x._replace(text=f"{x.text}.0") if WHOLE.fullmatch(x.text) else x


def exact(x: Code) -> Code:
    """The same with the axis of length 1 that a row has."""
    if not x.type.row:
        return x
    return Code(f"{x.at(ATOM)}[None, :]", ATOM, Type(x.type.shape), view=True)


def as_type(x: Code, t: Type) -> Code:
    """The same for a value of another type of the same shape: with or without the row's axis."""
    if x.type.row and not t.row:
        return exact(x)
    if t.row and not x.type.row:
        return Code(f"{x.at(ATOM)}[0]", ATOM, t, view=True)
    return x


# --- literals ----------------------------------------------------------------------------


def literal(found: Literal) -> Code:
    """A number as it was written, a constant of NumPy, an array by its elements."""
    if np.ndim(found.value):
        return array(found.value)
    if found.text in CONSTANTS:
        return Code(CONSTANTS[found.text], ATOM, Type(()))
    return number(float(found.value), found.text)


def number(value: float, text: str = "") -> Code:
    """A number, by its text if Python reads that."""
    if not PLAIN_NUMBER.fullmatch(text.removeprefix("-")):
        text = scalar(value)
    return Code(text, SIGN if text.startswith("-") else ATOM, Type(()))


def scalar(value: float) -> str:
    """A number that is read back as the same double."""
    if math.isnan(value):
        return "np.nan"
    if math.isinf(value):
        return "np.inf" if value > 0 else "-np.inf"
    return repr(float(value))


def array(value: Any) -> Code:
    """An array by its elements, row by row."""
    found = np.asarray(value, dtype=np.float64)
    if not found.size:
        return call("np.zeros", shape_text(found.shape), type=Type(found.shape))
    return call("np.array", _nested(found), type=Type(found.shape))


def _nested(found: Any) -> str:
    if found.ndim == 0:
        return scalar(float(found))
    return f"[{', '.join(map(_nested, found))}]"


# --- shapes ------------------------------------------------------------------------------


def summed(x: Code, t: Type, function: str = "np.sum") -> Code:
    """The sum over the dimensions along which an operand of type `t` was broadcast.

    It says what `plan.reduce_to` does; `function` may be another reduction.
    """
    own, shape = x.shape, numpy_shape(t)
    if own == shape:
        return x._replace(type=t)
    if not shape:
        return call(function, x.text, type=t)
    extra = len(own) - len(shape)
    if extra > 0:
        axes = tuple(range(extra))
        axis = f"axis={axes[0] if extra == 1 else axes}"
        x = call(function, x.text, axis, type=Type(own[extra:]))
    elif extra < 0:
        own = (1,) * -extra + own
    kept = tuple(i for i, n in enumerate(shape) if n == 1 and own[max(extra, 0) + i] != 1)
    if kept:
        axis = f"axis={kept[0] if len(kept) == 1 else kept}"
        inner = tuple(1 if i in kept else n for i, n in enumerate(x.shape))
        x = call(function, x.text, axis, "keepdims=True", type=Type(inner))
    if x.shape != shape:
        ones = call("np.ones", shape_text(shape), type=Type(shape))
        x = product(x, ones, t)
    return x._replace(type=t)
