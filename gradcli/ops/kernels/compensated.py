"""Rounding errors as numbers: products and differences to twice the digits.

Each function gives a result as a double and what it lacks, which is a double too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcli.ops.operation import Array

SPLIT = 2.0**27 + 1.0
"""Veltkamp's constant: it splits a double into halves whose products are exact."""


def _halves(x: Array) -> tuple[Array, Array]:
    high = SPLIT * x
    high = high - (high - x)
    return high, x - high


def squared(x: Array) -> tuple[Array, Array]:
    """x² and its rounding error, by Dekker's product; |x| up to 1e150."""
    square = x * x
    high, low = _halves(x)
    return square, ((high * high - square) + 2.0 * high * low) + low * low


def product(x: Array, y: Array) -> tuple[Array, Array]:
    """x·y and its rounding error, by Dekker's product; operands and product up to 1e290."""
    result = x * y
    a, b = _halves(x)
    c, d = _halves(y)
    return result, ((a * c - result) + a * d + b * c) + b * d


def difference(x: Array, y: Array) -> tuple[Array, Array]:
    """x - y and its rounding error, by Knuth's sum; the error is 0 where the sum overflows."""
    result = x - y
    part = result - x
    error = (x - (result - part)) - (y + part)
    if np.isfinite(np.sum(error)):  # only if every element is
        return result, error
    return result, np.where(np.isfinite(error), error, 0.0)


Pair = tuple[Array, Array]
"""A number to twice the digits: a double, and what it lacks."""


def pair_product(x: Pair, y: Pair) -> Pair:
    """x·y of pairs, to nearly twice the digits."""
    high, low = product(x[0], y[0])
    return _tidied(high, low + (x[0] * y[1] + x[1] * y[0]))


def pair_sum(x: Pair, y: Pair) -> Pair:
    """x + y of pairs; what cancels is right to twice the digits of the operands."""
    high, low = difference(x[0], -y[0])
    return _tidied(high, low + (x[1] + y[1]))


def _tidied(high: Array, low: Array) -> Pair:
    total = high + low
    return total, low - (total - high)


def pair_polynomial(x: Pair, coefficients: Sequence[tuple[float, float]]) -> Pair:
    """A polynomial in x, the coefficient of the highest power first."""
    result: Pair = coefficients[0]
    for coefficient in coefficients[1:]:
        result = pair_sum(pair_product(result, x), coefficient)
    return result


def sum_of_products(factors: Array, signs: Array) -> Array:
    """Σ sign · product, over the terms on the last axis but one, of the factors on the last.

    Significands and exponents go apart, so that no product leaves the range; products and sums are
    computed to twice the digits.
    """
    parts, powers = np.frexp(factors)
    high, low = parts[..., 0], np.zeros(parts.shape[:-1])
    for i in range(1, parts.shape[-1]):
        factor = parts[..., i]
        high, error = product(high, factor)
        low = low * factor + error
    power = np.where(high == 0, LOWEST, powers.sum(axis=-1))
    top = np.max(power, axis=-1, keepdims=True)
    scale = np.maximum(power - top, LOWEST)
    high, low = np.ldexp(high * signs, scale), np.ldexp(low * signs, scale)
    total, rest = high[..., 0], low[..., 0]
    for i in range(1, high.shape[-1]):
        total, error = difference(total, -high[..., i])
        rest = rest + error + low[..., i]
    return np.ldexp(total + rest, np.clip(top[..., 0], LOWEST, -LOWEST))


LOWEST = -4000
"""A power of two far below the range of doubles."""
