"""Kernels of the Bessel functions of whole order, with their digits near 0 and far out.

From 5 on SciPy computes J0 and J1 as an amplitude times the cosine of a phase, x - π/4 or x - 3π/4,
and Y0 and Y1 as the amplitude times its sine. The phase is rounded, at 1e16 to whole numbers. The
two together give the function at the true phase.
"""

from __future__ import annotations

import math

import numpy as np

from gradcli.ops.kernels.compensated import difference
from gradcli.ops.kernels.scipy_functions import special
from gradcli.ops.operation import Array

WAVES = 5.0
"""From here on SciPy has amplitude and phase."""
QUARTER = 0.7853981633974483, 3.061616997868383e-17
THREE_QUARTERS = 2.356194490192345, 9.184850993605148e-17
"""π/4 and 3π/4 as doubles, and what those lack."""


def j0(x: Array) -> Array:
    """J0(x)."""
    return _wave(np.abs(x), special.j0, special.y0, QUARTER)


def j1(x: Array) -> Array:
    """J1(x), which is odd."""
    wave = _wave(np.abs(x), special.j1, special.y1, THREE_QUARTERS)
    return (np.copysign(1.0, x) * wave)[()]


def _wave(x: Array, cosine: Array, sine: Array, phase: tuple[float, float]) -> Array:
    """SciPy's function of x ≥ 0; from `WAVES` on at the true phase, with the one beside it."""
    value = cosine(x)
    far = x >= WAVES
    if not np.any(far):
        return value
    error = difference(x, np.float64(phase[0]))[1] - phase[1]
    turned = value * np.cos(error) - sine(np.maximum(x, WAVES)) * np.sin(error)
    return np.where(far, turned, value)[()]


def bessel_j(x: Array, n: int) -> Array:
    """J_n(x): by its series near 0, by recurrence from J0 and J1 from n on (DLMF 10.6.1)."""
    if n < 2:
        return j1(x) if n else j0(x)
    size = np.abs(x)
    far = size >= max(NEAR, n)
    value = np.where(size < NEAR, _series(x, n, -1.0), special.jv(n, np.clip(x, -n, n)))
    if not np.any(far):
        return value[()]
    reached = np.where(far, x, n)
    before, last = j0(reached), j1(reached)
    for k in range(1, n):
        before, last = last, 2.0 * k / reached * last - before
    return np.where(far, last, value)[()]


def i0(x: Array) -> Array:
    """I0(x)."""
    return _grown(special.i0e(x), x)


def i1(x: Array) -> Array:
    """I1(x)."""
    return _grown(special.i1e(x), x)


def bessel_i(x: Array, n: int) -> Array:
    """I_n(x); near 0 by its series."""
    if n < 2:
        return i1(x) if n else i0(x)
    value: Array = np.where(np.abs(x) < NEAR, _series(x, n, 1.0), _grown(special.ive(n, x), x))
    return value[()]


def _grown(scaled: Array, x: Array) -> Array:
    """e^|x| times a function; e^|x| may overflow where that doesn't."""
    half = np.exp(0.5 * np.abs(x))
    return scaled * half * half


NEAR = 2.0
TERMS = 14
"""1/(14! 16!) is below the last digit of the sum."""


def _series(x: Array, n: int, sign: float) -> Array:
    """(x/2)^n Σ (±x²/4)^k / (k! (n + k)!), for |x| below `NEAR` (DLMF 10.2.2, 10.25.2)."""
    half = np.clip(x, -NEAR, NEAR) / 2.0
    square, total = sign * half * half, 1.0
    for k in range(TERMS, 0, -1):
        total = 1.0 + square / (k * (n + k)) * total
    return half**n / math.factorial(n) * total
