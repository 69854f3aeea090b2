"""Kernels of the rows in `slopes`: derivatives that the textbook's form gives too few digits of.

Three causes recur. A difference such as 1 - out cancels: what is left is computed directly. The
argument of an exponential is rounded, and e^x has x times that error: the rounding error of the
argument is computed too (`compensated`). Two terms cancel next to a root: there the
derivative is a Taylor series about the root, whose place is known to twice the digits (`Root`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gradcli.ops.kernels import elementwise as k
from gradcli.ops.kernels import in_place as ik
from gradcli.ops.kernels.compensated import difference, squared
from gradcli.ops.kernels.scipy_functions import special
from gradcli.ops.kernels.special import FAR, normal_cdf, times_pdf, without_constant
from gradcli.ops.operation import Array, Kernel


class Root(NamedTuple):
    """A root, and the function about it as a polynomial in the distance from it."""

    high: float
    low: float
    """What the root has beyond its double."""
    coefficients: tuple[float, ...]
    """Of the distance's powers, from 1 on."""
    radius: float

    def corrected(self, x: Array, value: Array) -> Array:
        """The value, replaced next to the root by that of the polynomial."""
        below, above = self.high - self.radius, self.high + self.radius
        if np.min(x, initial=math.inf) > above or np.max(x, initial=-math.inf) < below:
            return value
        distance = x - self.high
        if np.ndim(distance) == 0:
            return self._series(distance) if abs(distance) < self.radius else value
        near = np.nonzero(np.abs(distance) < self.radius)
        value[near] = self._series(distance[near])
        return value

    def _series(self, distance: Array) -> Array:
        return without_constant(distance - self.low, self.coefficients)


def sigmoid_slope(x: Array) -> Array:
    """σ(x)² e^-x, where out·(1 - out) has a 1 - out that cancels."""
    if np.ndim(x):
        part = ik.exp_of_minus(x, np.empty(np.shape(x)))
        value = ik.sigmoid_by_part(part, x, np.empty(np.shape(x)))
        return ik.sigmoid_slope_by_part(part, value, part)
    if x < k.FAR_LEFT:
        return k.sigmoid(x)
    part = np.exp(-x)
    value = 1.0 / (1.0 + part)
    return part * value * value


def tanh_slope(x: Array) -> Array:
    """1/cosh² x, where 1 - out² cancels."""
    if np.ndim(x):
        return ik.tanh_slope(x, np.empty(np.shape(x)))
    sech = 1.0 / np.cosh(x)
    return sech * sech


def gauss(x: Array) -> Array:
    """e^-x², with the rounding error of x²."""
    square, error = squared(np.minimum(np.abs(x), FAR))
    return np.exp(-square) * (1.0 - error)


def logaddexp_slope(x: Array, y: Array) -> Array:
    """e^x/(e^x + e^y), the sigmoid of x - y."""
    d, error = difference(np.minimum(x, y), np.maximum(x, y))
    part = np.exp(d) * (1.0 + error)
    return np.maximum(part, np.greater_equal(x, y)) / (1.0 + part)


def logaddexp_in_place(x: Array, y: Array, out: Array) -> Array:
    """The kernel, log(e^x + e^y), by functions that take less time than `np.logaddexp`."""
    part = np.subtract(x, y, out=np.empty(out.shape))
    np.negative(np.abs(part, out=part), out=part)
    return logaddexp_by_part(np.exp(part, out=part), x, y, out)


def logaddexp_part_in_place(x: Array, y: Array, out: Array) -> Array:
    """The part that log(e^x + e^y) and both of its slopes share."""
    d = np.minimum(x, y, out=np.empty(out.shape))
    top = np.maximum(x, y, out=np.empty(out.shape))
    d, error = difference(d, top)
    np.exp(d, out=out)
    error += 1.0
    return np.multiply(out, error, out=out)


def logaddexp_by_part(part: Array, x: Array, y: Array, out: Array) -> Array:
    """max(x, y) + log(1 + e^-|x - y|)."""
    np.log1p(part, out=out)
    return np.add(out, np.maximum(x, y), out=out)


def logaddexp_slope_by_part(part: Array, x: Array, y: Array, out: Array) -> Array:
    """1 or e^-|x - y|, divided by their sum."""
    np.greater_equal(x, y, out=out)
    np.maximum(out, part, out=out)
    return np.divide(out, 1.0 + part, out=out)


def erfinv_slope(x: Array) -> Array:
    """√π/2·e^(y²) for y = erfinv(x)."""
    return erfinv_slope_of(special.erfinv(x), x)


def erfinv_slope_of(y: Array, x: Array) -> Array:
    """The kernel, for erfinv(x): where y² is large, e^(y²) is erfcx(|y|)/(1 - |x|)."""
    y, size = np.atleast_1d(np.abs(y), np.abs(x))
    power = np.exp(y * y)
    far = np.nonzero(size >= 0.8)
    power[far] = special.erfcx(y[far]) / (1.0 - size[far])
    return (math.sqrt(math.pi) / 2.0 * power).reshape(np.shape(x))[()]


def gelu_slope(x: Array, erfc: Kernel = k.erfc) -> Array:
    """Φ(x) + x φ(x)."""
    return gelu_slope_of(normal_cdf(x, erfc), x)


def gelu_slope_of(part: Array, x: Array) -> Array:
    """The kernel, for Φ(x)."""
    return GELU.corrected(x, part + times_pdf(x))


def silu_slope(x: Array) -> Array:
    """σ(x) (1 + x σ(-x)); its terms cancel less than those of σ(x) + x σ'(x)."""
    if _between(x, k.FAR_LEFT, -k.FAR_LEFT):
        z = np.exp(-x)
        share = 1.0 / (1.0 + z)
        return SILU.corrected(x, share * (1.0 + x * (z * share)))
    z = np.exp(-np.abs(x))
    larger = 1.0 / (1.0 + z)  # of σ(x) and σ(-x)
    smaller = z * larger
    right = x >= 0.0
    value = np.where(right, larger, smaller) * (1.0 + x * np.where(right, smaller, larger))
    return SILU.corrected(x, _with_tails(x, z, value, k.silu))


def silu_by_part(part: Array, x: Array, out: Array) -> Array:
    """x σ(x), for e^-x."""
    if not _between(x, k.FAR_LEFT, math.inf):
        return ik.blocked(k.silu)(x, out)
    return np.divide(x, np.add(part, 1.0, out=out), out=out)


def silu_slope_by_part(part: Array, x: Array, out: Array) -> Array:
    """The kernel, for e^-x."""
    if not _between(x, k.FAR_LEFT, -k.FAR_LEFT):
        return ik.blocked(silu_slope)(x, out)
    share = np.divide(1.0, np.add(part, 1.0, out=out), out=out)
    factor = part * share
    factor *= x
    factor += 1.0
    return SILU.corrected(x, np.multiply(share, factor, out=out))


def mish_slope(x: Array) -> Array:
    """tanh(s) + x σ(x) tanh'(s) for s = softplus(x), as a quotient of polynomials in z = e^-x.

    It is (1 + 4 z + (6 + 4 x) z² + 4 (1 + x) z³)/(1 + 2 z + 2 z²)²: there x is added to numbers of
    its own size, and less cancels next to the root. To the left the same with e^x for 1/z.
    """
    if _between(x, -FOURTH, -k.FAR_LEFT):
        return MISH.corrected(x, _mish_slope(np.exp(-x), x))
    z = np.exp(-np.abs(x))
    right = x >= 0.0
    constant, linear = 6.0 + 4.0 * x, 4.0 * (1.0 + x)
    numerator = np.where(
        right,
        1.0 + z * (4.0 + z * (constant + z * linear)),
        z * (linear + z * (constant + z * (4.0 + z))),
    )
    root = np.where(right, 1.0 + z * (2.0 + 2.0 * z), 2.0 + z * (2.0 + z))
    return MISH.corrected(x, _with_tails(x, z, numerator / np.square(root), k.mish))


def mish_by_part(part: Array, x: Array, out: Array) -> Array:
    """x tanh(log(1 + 1/z)) = x (1 + 2 z)/(1 + 2 z + 2 z²), for z = e^-x."""
    if not _between(x, -FOURTH, math.inf):
        return ik.blocked(k.mish)(x, out)
    twice = part + part
    np.add(twice, 1.0, out=out)
    twice *= part
    twice += out
    np.multiply(out, x, out=out)
    return np.divide(out, twice, out=out)


def mish_slope_by_part(part: Array, x: Array, out: Array) -> Array:
    """The kernel, for e^-x."""
    if not _between(x, -FOURTH, -k.FAR_LEFT):
        return ik.blocked(mish_slope)(x, out)
    return MISH.corrected(x, ik.blocked(_mish_slope)(part, x, out))


def _mish_slope(z: Array, x: Array) -> Array:
    numerator = 1.0 + z * (4.0 + z * ((6.0 + 4.0 * x) + z * (4.0 * (1.0 + x))))
    return numerator / np.square(1.0 + z * (2.0 + 2.0 * z))


def _between(x: Array, least: float, most: float) -> bool:
    """Whether all elements are between two numbers."""
    above = np.min(x, initial=math.inf) > least
    return bool(above and np.max(x, initial=-math.inf) < most)


FOURTH = 170.0
"""Right of -170, the fourth power of e^-x does not overflow."""


def _with_tails(x: Array, z: Array, value: Array, function: Kernel) -> Array:
    """The slope of x σ(x) or its like where z = e^-|x| is next to 0: there z x has lost digits.

    To the left it is that of x e^x, to the right 1.
    """
    tail = np.abs(x) >= -k.FAR_LEFT
    if not np.any(tail):
        return value
    return np.where(tail, np.where(x > 0.0, 1.0, function(np.minimum(x, 0.0)) + z), value)[()]


# fmt: off
GELU = Root(
    -0.7517915246935645,
    1.4956759177009883e-17,
    (
        0.4314939923140469, 0.388284982990552, -0.018199676398671087, -0.1140082332972217,
        -0.014771522148244337, 0.019421679838189067, 0.004539228379125415, -0.002239538068073497,
        -0.0007448268386746817, 0.00018633974623233514, 8.615947861116571e-05,
        -1.121438018842664e-05, -7.74846130700372e-06, 4.3284506257392273e-07,
        5.702764979242107e-07,
    ),
    0.25,
)
SILU = Root(
    -1.2784645427610737,
    -1.0946994183093437e-16,
    (
        0.2178117057198001, 0.1466487969969469, 0.018874814223782312, -0.015222655223188032,
        -0.006606589138356696, 0.000126627410081122, 0.0007985218818397998, 0.00018570724361186496,
        -4.090534237428612e-05, -2.9733542213263917e-05, -2.942631888842464e-06,
        2.346029682463866e-06, 8.599695028268575e-07, -3.051244750055421e-08,
        -9.266646309267441e-08, -1.8877622907727957e-08,
    ),
    0.25,
)
MISH = Root(
    -1.1924312145154952,
    -4.8484829848031044e-17,
    (
        0.2669479140495345, 0.20473126408010586, 0.04190782104360987, -0.020271822716684245,
        -0.01582112656173338, -0.0033606849270232685, 0.0010924055409445854, 0.0009898181021289196,
        0.00025412936386191073, -4.1961496031696126e-05, -5.582891567360688e-05,
        -1.72992708103044e-05, 9.427361327376651e-07, 2.9088199364912223e-06,
        1.071676702702074e-06, 2.6879417855557728e-08,
    ),
    0.25,
)
# fmt: on
