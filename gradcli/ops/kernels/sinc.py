"""Kernels of sinc, sin(πx)/(πx), and of its derivative, exact next to whole numbers and roots.

π·x has lost the digits by which x differs from a whole number. So x is parted first, which is
exact, and the sine is taken of π times the rest.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from gradcli.ops.kernels.compensated import Pair, pair_polynomial, pair_product, pair_sum
from gradcli.ops.operation import Array

PI = math.pi, 1.2246467991473532e-16
"""π as a double, and what that lacks."""
TERMS = 13
"""Of the series of sine and cosine: for arguments below 1/2, the next is below 1e-33."""


def sinc(x: Array) -> Array:
    """sin(πx) / (πx), 1 at 0; next to whole numbers to full precision, where π·x has lost it.

    sin(πx) is ±sin(πr), with r what x is off the nearest whole number, which is exact.
    """
    whole = np.round(x)
    zero = np.equal(x, 0.0)
    value = _sign(whole) * np.sin(math.pi * (x - whole)) / (math.pi * (x + zero))
    return np.where(zero, 1.0, value + 0.0)[()]  # no -0 at whole numbers


def _sign(whole: Array) -> Array:
    """cos(πn) for a whole number n: 1 if it is even, else -1."""
    half = 0.5 * whole
    return 1.0 - 4.0 * (half - np.floor(half))


def sinc_slope(x: Array) -> Array:
    """d sinc / dx."""
    return slope_of(sinc(x), x)


def slope_of(value: Array, x: Array) -> Array:
    """(cos(πx) - sinc(x)) / x; near 0 by its Taylor series in (πx)².

    Next to its roots, where tan(πx) = πx, the two terms cancel: there to twice the digits.
    """
    value, given = np.atleast_1d(value, x)
    size = np.abs(given)
    near = size < NEAR_0
    whole = np.round(size)
    # As a sine, cos(πr) keeps its digits next to r = 1/2.
    difference = _sign(whole) * np.sin(math.pi * (0.5 - np.abs(size - whole))) - value
    result = difference / (given + near)
    cancels = (np.abs(difference) < 0.5 * np.abs(value)) & (size > 1.0)
    for where, form in ((near, _next_to_0), (cancels, _next_to_root)):
        places = np.nonzero(where)
        if len(places[0]):
            result[places] = form(given[places])
    return result.reshape(np.shape(x))[()]


NEAR_0 = 0.4
RATIOS = tuple(1.0 / (2 * k * (2 * k + 3)) for k in range(12, 0, -1))
"""Of the terms of the Taylor series in (πx)², the smallest first."""


def _next_to_0(x: Array) -> Array:
    t = (math.pi * x) ** 2
    series = np.ones_like(t)
    for ratio in RATIOS:
        series = 1.0 - ratio * t * series
    return -(math.pi**2) / 3.0 * x * series


def _next_to_root(x: Array) -> Array:
    """The slope by v = π(x - r) for the root r next to x, by addition theorems without a remainder.

    With h = n + 1/2, s = sin(π(r - h)) and c = cos(π(r - h)) it is
    ∓(c πx sin(v) + s (v cos(v) - sin(v)))/(πx²).
    """
    size = np.abs(x)
    n = np.floor(size)
    high, low = _known_roots() if n.max() < KNOWN else _roots(n)
    if n.max() < KNOWN:
        place = n.astype(np.int64)
        high, low = high[place], low[place]
    v = math.pi * ((size - high) - low)
    t = math.pi * (high - (n + 0.5))
    sine = np.sin(v)
    total = np.cos(t) * (math.pi * size) * sine + np.sin(t) * (v * np.cos(v) - sine)
    sign = np.sign(x) * (2.0 * np.abs(np.fmod(n, 2.0)) - 1.0)
    return sign * total / (math.pi * size * size)


KNOWN = 256
"""The roots below are computed once."""


@cache
def _known_roots() -> Pair:
    return _roots(np.arange(float(KNOWN)))


def _roots(n: Array) -> Pair:
    """The root of tan(πx) = πx between n and n + 1/2, to twice the digits (n from 1 on).

    In y = πx that is y sin(z) + cos(z) = 0 for z = y - π(n + 1/2): steps of Newton's method.
    """
    h = n + 0.5
    t = -1.0 / (math.pi**2 * h)
    for _ in range(3):
        z, y = math.pi * t, math.pi * (h + t)
        t = t - (y * np.sin(z) + np.cos(z)) / (math.pi * y * np.cos(z))
    x = h + t
    t = x - h  # exact
    nothing = np.zeros_like(t)
    z, y = (pair_product((part, nothing), PI) for part in (t, x))
    square = pair_product(z, z)
    sines, cosines = _series()
    sine = pair_product(z, pair_polynomial(square, sines))
    total = pair_sum(pair_product(y, sine), pair_polynomial(square, cosines))
    return x, -total[0] / (math.pi * y[0] * np.cos(z[0]))


@cache
def _series() -> tuple[tuple[tuple[float, float], ...], ...]:
    """The coefficients of sin(z)/z and of cos(z) in z², each to twice the digits."""
    from fractions import Fraction  # noqa: PLC0415 - imports decimal, seldom needed

    found = []
    for odd in (1, 0):
        exact = [Fraction((-1) ** k, math.factorial(2 * k + odd)) for k in reversed(range(TERMS))]
        found.append(tuple((float(c), float(c - Fraction(float(c)))) for c in exact))
    return tuple(found)
