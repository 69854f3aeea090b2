"""Kernels of the slope of a power by its base, n x^(n - 1).

The rounding error of n - 1 costs x^(n - 1) log x times that error: where n - 1 is not exact, x^n/x
has more digits. In a batch that is the short way too, since the value x^n is there.
"""

from __future__ import annotations

import numpy as np

from gradcli.ops.operation import Array

RANGE = 1e-290, 1e290
"""Between these, neither x^n nor x^n/x has lost digits to underflow or is next to overflow."""

WHOLE = 2.0**53
"""Up to here, n and n - 1 are told apart."""


def power_slope(x: Array, n: Array) -> Array:
    """n x^(n - 1), which is 0 where n is 0; from n = 1/2 on, n - 1 is exact up to 2^53."""
    slope = n * np.power(x, n - 1.0)
    zero = np.equal(n, 0.0)
    if np.any(zero):
        slope = np.where(zero, 0.0, slope)[()]
    rounded = ((n < 0.5) & (n != np.round(n)) | (np.abs(n) > WHOLE)) & (x != 0)
    if np.any(rounded):
        slope = np.where(rounded, n * np.power(x, n) / np.where(rounded, x, 1.0), slope)[()]
    return slope


def power_slope_by_part(part: Array, x: Array, n: Array, out: Array) -> Array:
    """The kernel, for x^n: n x^n/x, but for whole n, and where x^n has left its range."""
    least, most = RANGE
    inside = np.min(part, initial=1.0) > least and np.max(part, initial=1.0) < most
    whole = np.equal(np.rint(n), n)
    if whole.all() and np.max(np.abs(n), initial=0.0) <= WHOLE:
        np.power(x, np.subtract(n, 1.0, out=out), out=out)
        np.multiply(out, n, out=out)
        zero = np.equal(n, 0.0)
        if zero.any():
            out[np.broadcast_to(zero, out.shape)] = 0.0
        return out
    if inside:
        other = whole
        np.divide(part, x, out=out)
    else:  # x may be 0
        other = whole | ~((part > least) & (part < most))
        np.divide(part, np.where(other, 1.0, x), out=out)
    np.multiply(out, n, out=out)
    if other.any():
        places = np.nonzero(np.broadcast_to(other, out.shape))
        given = (np.broadcast_to(operand, out.shape)[places] for operand in (x, n))
        out[places] = power_slope(*given)
    return out
