"""Kernels that write into an array that is given, for batches: their results need no memory.

Only for rows whose kernel isn't a function of NumPy, which takes `out=` by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcli.ops.kernels import elementwise as kernels
from gradcli.ops.kernels import special
from gradcli.ops.kernels.scipy_functions import special as functions


def same(part: Any, *more: Any) -> Any:
    """The part itself; an array for it comes behind the operands."""
    out = more[-1]
    np.copyto(out, part)
    return out


SMALL = 1e-300
"""Below, e^-x is next to overflow, or σ(x) next to underflow."""


def sigmoid(x: Any, out: Any) -> Any:
    """The kernel's short form in place; where that would underflow, the kernel itself."""
    return sigmoid_by_part(exp_of_minus(x, out), x, out)


def exp_of_minus(x: Any, out: Any) -> Any:
    """e^-x, the part that σ(x) and σ'(x) share."""
    np.negative(x, out=out)
    return np.exp(out, out=out)


def sigmoid_by_part(part: Any, x: Any, out: Any) -> Any:
    """1/(1 + e^-x)."""
    np.add(part, 1.0, out=out)
    np.divide(1.0, out, out=out)
    if out.size and out.min() < SMALL:
        out[...] = kernels.sigmoid(x)
    return out


def sigmoid_slope_by_part(part: Any, value: Any, out: Any) -> Any:
    """σ(x)² e^-x, which has no 1 - σ(x) that cancels; far to the left it is σ(x)."""
    np.multiply(part, value, out=out)
    np.multiply(out, value, out=out)
    if value.size and not value.min() > SMALL:
        far = value <= SMALL
        out[far] = value[far]
    return out


def tanh_slope(x: Any, out: Any) -> Any:
    """The kernel in place."""
    np.cosh(x, out=out)
    np.divide(1.0, out, out=out)
    return np.square(out, out=out)


BLOCK = 8192
"""Elements of a block: its temporaries come from memory that the process has already."""


def where(condition: Any, a: Any, b: Any, out: Any) -> Any:
    """a where the condition is not zero, else b, chosen bit by bit.

    Branches of the processor's that go now here and now there, as those of `np.where`, cost more
    than all of these operations. `out` may not be one of the operands.
    """
    chosen = np.not_equal(condition, 0.0)
    if chosen.all():
        np.copyto(out, a)
    elif not chosen.any():
        np.copyto(out, b)
    else:
        bits = out.view(np.int64)
        np.copyto(bits, chosen)
        np.negative(bits, out=bits)  # all bits are 1 where a is chosen
        part = np.bitwise_and(bits, np.asarray(a, np.float64).view(np.int64))
        np.invert(bits, out=bits)
        np.bitwise_and(bits, np.asarray(b, np.float64).view(np.int64), out=bits)
        np.bitwise_or(bits, part, out=bits)
    return out


def in_blocks(
    kernel: Callable[..., Any], operands: Sequence[Any], rows: Sequence[bool], out: Any
) -> Any:
    """Fill an array by an elementwise kernel, some rows at a time.

    A kernel makes temporaries, and large ones come fresh from the system each time, which costs
    more than the arithmetic. `rows` says which operands have an axis of rows in front, as `out`
    has.
    """
    step = max(1, BLOCK * len(out) // max(1, out.size))
    for start in range(0, len(out), step):
        part = slice(start, start + step)
        given = [o[part] if r else o for o, r in zip(operands, rows, strict=True)]
        out[part] = kernel(*given)
    return out


def blocked(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel whose operands all have rows, in blocks."""
    return lambda *given: in_blocks(kernel, given[:-1], (True,) * (len(given) - 1), given[-1])


def with_erfc(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel of one operand and erfc, in blocks; SciPy's erfc where all of them are many."""

    def call(x: Any, out: Any) -> Any:
        erfc: Callable[..., Any] = kernels.erfc
        if np.size(x) > kernels.LARGE:
            erfc = functions.erfc
        return blocked(partial(kernel, erfc=erfc))(x, out)

    return call


def gelu_by_part(part: Any, x: Any, out: Any) -> Any:
    """x Φ(x), for Φ(x); where that is next to underflow, the kernel itself."""
    np.multiply(part, x, out=out)
    if out.size and not x.min() >= special.TAIL:
        out[...] = special.gelu(x)
    return out


def of_scipy(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
    """SciPy's function where there are many elements, else the kernel."""

    def call(x: Any, out: Any) -> Any:
        if np.size(x) > kernels.LARGE:
            return getattr(functions, name)(x, out=out)
        out[...] = kernel(x)
        return out

    return call


def erfinv(x: Any, out: Any) -> Any:
    """SciPy's function."""
    return functions.erfinv(x, out=out)
