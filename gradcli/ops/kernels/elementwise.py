"""Numerically careful NumPy forms of the elementwise functions.

Each takes float64 scalars or arrays and returns the same; none overflows where the
mathematics does not, none cancels where a stable form exists. `np.where` evaluates both
branches, so the branch that is not taken works on a harmless argument.
"""

from __future__ import annotations

import math
from functools import cache, reduce

import numpy as np

from gradcli.ops.kernels.scipy_functions import special
from gradcli.ops.operation import Array, Kernel

LARGE = 10_000
"""From this many elements on, importing SciPy costs less than a Python call per element."""


FAR_LEFT = -700.0
"""Above this, exp(-x) is far from overflow."""


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow: far out the exponential is taken of -|x| only."""
    if np.ndim(x) and x.size and x.min() > FAR_LEFT:
        z = np.negative(x)
        np.exp(z, out=z)
        z += 1.0
        return np.divide(1.0, z, out=z)
    z = np.exp(-np.abs(x))
    if not np.ndim(x):
        return (1.0 if x >= 0 else z) / (1.0 + z)
    return np.where(x >= 0, 1.0, z) / (1.0 + z)


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def logit(x: Array) -> Array:
    """log(x / (1 - x)); near 1/2 as log1p((2x - 1) / (1 - x)), where the quotient is near 1."""
    near = np.abs(x - 0.5) < 0.25
    quotient = np.where(near, 0.5, x) / (1.0 - np.where(near, 0.5, x))
    return np.where(near, np.log1p((2.0 * x - 1.0) / (1.0 - x)), np.log(quotient))


def mish(x: Array) -> Array:
    """x tanh(softplus(x)), which is x e^x far to the left."""
    return _with_tail(x, x * np.tanh(softplus(x)))


def silu(x: Array) -> Array:
    """x sigmoid(x), which is x e^x far to the left."""
    return _with_tail(x, x * sigmoid(x))


def _with_tail(x: Array, value: Array) -> Array:
    """The value, far to the left x e^x; no factor is subnormal before the product is."""
    tail = x < FAR_LEFT
    if not np.any(tail):
        return value
    half = np.exp(0.5 * np.minimum(x, 0.0))
    return np.where(tail, x * half * half, value)[()]


def sech(x: Array) -> Array:
    """1/cosh(x), also where cosh overflows."""
    z = np.exp(-np.abs(x))
    return 2.0 * z / (1.0 + z * z)


def csch(x: Array) -> Array:
    """1/sinh(x), also where sinh overflows."""
    size = np.abs(x)
    return np.copysign(2.0 * np.exp(-size) / -np.expm1(-2.0 * size), x)


def huber(x: Array, delta: Array) -> Array:
    """x²/2 up to delta, delta (|x| - delta/2) beyond (Huber 1964)."""
    size = np.abs(x)
    value = np.where(size <= delta, x * (0.5 * x), delta * (size - 0.5 * delta))
    return np.where(delta < 0.0, np.nan, value)[()]


def elu(x: Array, alpha: Array) -> Array:
    """x above zero, alpha (e^x - 1) below."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
"""Klambauer et al. 2017, Self-Normalizing Neural Networks, equation (14) to double precision."""


def selu(x: Array) -> Array:
    """The scaled exponential linear unit."""
    return SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0.0)))


def where(condition: Array, a: Array, b: Array) -> Array:
    """a where the condition is not zero, else b."""
    return np.where(condition != 0, a, b)


def maximum(*arrays: Array) -> Array:
    """The largest of several, element by element."""
    return reduce(np.maximum, arrays)


def minimum(*arrays: Array) -> Array:
    """The smallest of several, element by element."""
    return reduce(np.minimum, arrays)


def ones_like(x: Array) -> Array:
    """Ones in the shape of x."""
    ones = np.empty(np.shape(x))
    ones.fill(1.0)
    return ones


# --- functions from the C library and from SciPy -----------------------------------------


def _of_c(name: str) -> Kernel:
    """The C library's function; for many elements SciPy's."""
    one = getattr(math, name)
    each = np.frompyfunc(one, 1, 1)

    def kernel(x: Array) -> Array:
        if np.size(x) > LARGE:
            return getattr(special, name)(x)
        return np.float64(one(x)) if np.ndim(x) == 0 else each(x).astype(np.float64)

    return kernel


erf, erfc = _of_c("erf"), _of_c("erfc")


def scipy_special(name: str) -> Kernel:
    """A kernel that finds its function in `scipy.special` when it is first used."""

    def kernel(*arrays: Array) -> Array:
        return getattr(special, name)(*arrays)

    return kernel


def digamma(x: Array) -> Array:
    """ψ(x); next to a pole as ψ(1 - x) - π cot(πr), with r its distance, where SciPy loses digits.

    (DLMF 5.5.4.)
    """
    distance = x - np.round(x)
    near = (x < 0) & (np.abs(distance) < 0.1) & (distance != 0)
    if not np.any(near):
        return special.digamma(x)
    mirrored = special.digamma(np.where(near, 1.0 - x, x))
    cotangent = math.pi / np.tan(math.pi * np.where(near, distance, 0.5))
    return np.where(near, mirrored - cotangent, mirrored)[()]


def polygamma(x: Array, n: int) -> Array:
    """The n-th derivative of the digamma function; left of 0 by the reflection formula.

    (DLMF 5.15.6.) SciPy's time there grows with the distance from 0.
    """
    distance = x - np.round(x)
    left = (x < 0) & (distance != 0) & (n <= MOST_DERIVATIVES)
    if n == 0 or not np.any(left):
        return special.polygamma(n, x)
    mirrored = special.polygamma(n, np.where(left, 1.0 - x, x))
    away = np.where(left, np.abs(distance), 0.5)  # cot πr = tan π(1/2 - r), exactly 0 in the middle
    cotangent = np.sign(distance) * np.tan(math.pi * (0.5 - away))
    near = away < 0.25
    cotangent = np.where(near, 1.0 / np.tan(math.pi * np.where(near, distance, 0.25)), cotangent)
    slope = math.pi ** (n + 1) * np.polyval(_cotangent_derivative(n), cotangent)
    return np.where(left, (-1.0) ** n * mirrored - slope, mirrored)[()]


MOST_DERIVATIVES = 100
"""Beyond, powers of π and factorials are out of range."""


@cache
def _cotangent_derivative(n: int) -> Array:
    """The n-th derivative of cot x as a polynomial in cot x, the highest power first."""
    if n == 0:
        return np.array([1.0, 0.0])
    return np.polymul([-1.0, 0.0, -1.0], np.polyder(_cotangent_derivative(n - 1)))
