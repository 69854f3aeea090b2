"""The operations at any number of digits, in mpmath, from the rows of the table.

A row names a function of mpmath or has a form of its own (`ops/kernels/precise.py`). Most
operations on arrays only move, add and multiply elements; for those the kernel itself works on
numbers of any kind. No derivative is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import mpmath as mp
import numpy as np

from gradcli.ops.kernels.precise import each
from gradcli.ops.operation import Operation

Form = Callable[..., Any]

MOST_BITS = 5000
"""Binary exponents beyond this are refused; those of doubles end at 1074."""


def form(operation: Operation) -> Form | None:
    """The precise form of an operation on object arrays; None if there is none."""
    if operation.elementwise and operation.infer is None:
        one = of_numbers(operation)
        return None if one is None else lambda *operands: each(one, operands)
    given = operation.mpmath
    if operation.body is not None or given is None:
        return None
    return partial(given, mp) if callable(given) else operation.forward


def of_numbers(operation: Operation) -> Form | None:
    """The precise form of an elementwise operation on numbers of mpmath; None if there is none."""
    given = operation.mpmath
    if operation.body is not None or given is None:
        return None
    if callable(given):
        return _real(partial(given, mp))
    return _real(getattr(mp, given or operation.name))


def number(value: float) -> Any:
    """A double as a number of mpmath, exactly."""
    return mp.mpf(float(value))


def lifted(value: Any) -> Any:
    """A value of the graph: a number of mpmath, or an object array of them."""
    if np.ndim(value) == 0:
        return number(value)
    array = np.empty(np.shape(value), dtype=object)
    array[...] = np.frompyfunc(number, 1, 1)(np.asarray(value, dtype=object))
    return array


def moderate(value: Any) -> bool:
    """Whether numbers are finite and not far outside of what doubles can be.

    The sine of exp(1e300) would need π to more digits than there is memory for.
    """
    for v in np.ravel(np.asarray(value, dtype=object)):
        if not mp.isfinite(v) or (v and abs(mp.mag(v)) > MOST_BITS):
            return False
    return True


def _real(function: Form) -> Form:
    """A function whose values are nan where they are complex or there are none."""

    def real(*operands: Any) -> Any:
        try:
            value = function(*operands)
        except (ValueError, ZeroDivisionError, OverflowError):
            return mp.nan
        if isinstance(value, mp.mpc):
            return value.real if value.imag == 0 else mp.nan
        return value

    return real
