"""Kernels of the normal distribution and of log Γ.

Numbers come in, values go out that keep the digits which plain forms lose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from gradcli.ops.kernels.compensated import product, squared
from gradcli.ops.kernels.elementwise import erfc
from gradcli.ops.kernels.scipy_functions import special
from gradcli.ops.operation import Array, Kernel

FAR = 50.0
"""From here on, e^(-x²/2) is 0."""
DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
ROOT_HALF = math.sqrt(0.5), -4.833646656726457e-17
"""√½ as a double, and what that lacks."""
TAIL = -37.0
"""Left of this, Φ is next to the least normal number, and its product with x loses digits."""


def normal_cdf(x: Array, erfc: Kernel = erfc) -> Array:
    """Φ(x) = erfc(-x/√2)/2, with the rounding error of x/√2 by one term of the Taylor series."""
    near = x if within(x, FAR) else np.clip(x, -FAR, FAR)
    high, low = product(near, np.float64(ROOT_HALF[0]))
    low = low + near * ROOT_HALF[1]
    return 0.5 * erfc(-high) + low * (np.exp(-(high * high)) * (1.0 / math.sqrt(math.pi)))


def normal_pdf(x: Array) -> Array:
    """e^(-x²/2)/√(2π), with the rounding error of x²."""
    square, error = squared(np.minimum(np.abs(x), FAR))
    return np.exp(-0.5 * square) * ((1.0 - 0.5 * error) * DENSITY)


def times_pdf(x: Array) -> Array:
    """x e^(-x²/2)/√(2π); no factor is subnormal before the product is."""
    if within(x, -TAIL):
        square, error = squared(x)
        return np.exp(-0.5 * square) * ((1.0 - 0.5 * error) * DENSITY) * x
    square, error = squared(np.minimum(np.abs(x), FAR))
    half = np.exp(-0.25 * square)
    return (np.clip(x, -FAR, FAR) * half) * half * ((1.0 - 0.5 * error) * DENSITY)


def within(x: Array, most: float) -> bool:
    """Whether all elements are between -most and most."""
    return bool(np.min(x, initial=0.0) > -most and np.max(x, initial=0.0) < most)


def gelu(x: Array, erfc: Kernel = erfc) -> Array:
    """x Φ(x); in the left tail by the asymptotic series of Φ (DLMF 7.12.1)."""
    value = x * normal_cdf(x, erfc)
    tail = x < TAIL
    if not np.any(tail):
        return value
    t = 1.0 / np.square(np.where(tail, x, TAIL))
    series = 1.0 - t * (1.0 - 3.0 * t * (1.0 - 5.0 * t * (1.0 - 7.0 * t * (1.0 - 9.0 * t))))
    return np.where(tail, -normal_pdf(x) * series, value)[()]


def log_ndtr(x: Array) -> Array:
    """log Φ(x); to the right by the other tail, which is small there."""
    right = np.log1p(-normal_cdf(-np.maximum(x, 0.0)))
    return np.where(x > 0.0, right, special.log_ndtr(np.minimum(x, 0.0)))[()]


def mills(x: Array) -> Array:
    """φ(x)/Φ(x) = √(2/π)/erfcx(-x/√2); to the right the quotient itself."""
    left = math.sqrt(2.0 / math.pi) / special.erfcx(-np.minimum(x, 0.0) * ROOT_HALF[0])
    return np.where(x < 0.0, left, normal_pdf(x) / normal_cdf(np.maximum(x, 0.0)))[()]


FRACTION = 40
"""Steps of the continued fraction of φ/Φ; from `LEFT` on, they give all digits."""
LEFT = -3.0
EXCESS = (
    *(0.4885659702067296, 0.24899371358354006, 0.05091581945379481, 0.008339245473925066),
    *(0.0010190991404158392, 6.37498441328789e-05, -8.60016185539193e-06, -3.6883344859620867e-06),
    *(-6.826488601357862e-07, -7.00052787516691e-08, 1.3270361528967942e-09),
    *(2.3022800496332906e-09, 5.467383560381345e-10, 7.349470224810128e-11),
    *(3.084149016738623e-12, -1.323200468116911e-12, -4.269090578142621e-13),
    *(-7.103633982341318e-14, -5.857073288034151e-15, 5.522917614037417e-16),
    *(3.106620326017642e-16, 6.359254920711983e-17, 7.304281953229797e-18),
)
"""x + φ(x)/Φ(x) between -3 and 0, in Chebyshev polynomials of (2x + 3)/3."""


def mills_excess(x: Array) -> Array:
    """x + φ(x)/Φ(x), left of 0 without the difference (DLMF 7.9.2)."""
    inside = np.polynomial.chebyshev.chebval(np.clip(x, LEFT, 0.0) / 1.5 + 1.0, EXCESS)
    value = np.where(x < 0.0, inside, x + mills(np.maximum(x, 0.0)))
    tail = x < LEFT
    if not np.any(tail):
        return value[()]
    t = -np.minimum(x, LEFT)
    rest = 0.5 * (np.hypot(t, 2.0 * math.sqrt(FRACTION)) + t)
    for k in range(FRACTION - 1, 1, -1):
        rest = t + k / rest
    return np.where(tail, 1.0 / rest, value)[()]


def gamma_density(x: Array, a: float) -> Array:
    """x^(a - 1) e^-x/Γ(a)."""
    if a < SMALL_ORDER:
        half = np.exp(-0.5 * x)  # no factor is subnormal before the product is
        return half * np.power(x, a - 1.0) / math.gamma(a) * half
    return np.exp((a - 1.0) * np.log(x) - x - math.lgamma(a))


SMALL_ORDER = 100.0


def without_constant(u: Array, coefficients: Sequence[float]) -> Array:
    """A polynomial without a constant, by Horner's rule; the coefficients are those from u on."""
    total = u * coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        total += coefficient
        total *= u
    return total


def lgamma(x: Array) -> Array:
    """log|Γ(x)|; next to 1 and 2, where it is 0, by the series about 2 (DLMF 5.7.3)."""
    given = np.atleast_1d(x)
    by_series = (given > 0.65) & (given < 2.15)
    near, far = np.nonzero(by_series), np.nonzero(~by_series)
    value = np.empty(given.shape)
    below = (given[near] < 1.5) * 1.0
    u = given[near] - (2.0 - below)
    value[near] = without_constant(u, _zeta_series()) - below * np.log1p(u)
    size = np.abs(rest := given[far])
    value[far] = special.gammaln(rest)
    if size.size and not size.min() >= SMALLEST_NORMAL:
        value[far] = np.where(size < SMALLEST_NORMAL, -np.log(size), value[far])
    return value.reshape(np.shape(x))[()]


SMALLEST_NORMAL = 2.0**-1022
ZETA_TERMS = 28
"""(1/4)^k is below the last digit from here on."""


@cache
def _zeta_series() -> tuple[float, ...]:
    """1 - γ and (-1)^k (ζ(k) - 1)/k: the coefficients of u, u², … in log Γ(2 + u)."""
    k = np.arange(2, ZETA_TERMS)
    return 1.0 - np.euler_gamma, *((-1.0) ** k * special.zetac(k) / k).tolist()
