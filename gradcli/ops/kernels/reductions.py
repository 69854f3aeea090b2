"""NumPy forms of sums, products, norms and softmax along axes, careful with rounding and overflow.

As in `arrays`, axes are counted from the end and whatever stands in front is a batch.
"""

from __future__ import annotations

import itertools

import numpy as np

from gradcli.ops.kernels.arrays import flat
from gradcli.ops.kernels.compensated import difference
from gradcli.ops.operation import Array

Axes = tuple[int, ...]
SAFE_PRODUCTS = (1e-290, 1e290)
"""Partial products between these have lost nothing to underflow or overflow."""


def gathered(x: Array, axis: Axes) -> Array:
    """The axes of a reduction as one, at the end."""
    n = len(axis)
    moved = np.moveaxis(x, axis, range(-n, 0)) if n else x
    return flat(moved, n)


def scattered_back(y: Array, like: Array, axis: Axes) -> Array:
    """What `gathered` did, undone; `like` has the axes in their places."""
    n = len(axis)
    lengths = tuple(like.shape[a] for a in axis)
    opened = y.reshape(y.shape[:-1] + lengths)
    return np.moveaxis(opened, range(-n, 0), axis) if n else opened


def products_of_others(x: Array) -> Array:
    """For every element the product of the others along the last axis, right with zeros."""
    if x.shape[-1] == 0:
        return x
    backwards = x[..., ::-1]
    before, after = _products_before(x), _products_before(backwards)
    if _in_range(before, x) and _in_range(after, backwards):
        return before * after[..., ::-1]
    significand, exponent = _scaled_products_before(x)
    other_significand, other_exponent = _scaled_products_before(backwards)
    return np.ldexp(
        significand * other_significand[..., ::-1], _small(exponent + other_exponent[..., ::-1])
    )


def _products_before(x: Array) -> Array:
    """For every element the product of those before it along the last axis."""
    one = np.ones((*x.shape[:-1], 1))
    return np.cumprod(np.concatenate([one, x[..., :-1]], axis=-1), axis=-1)


def _in_range(before: Array, x: Array) -> bool:
    """Whether no partial product has overflowed or underflowed; a zero in x excuses a zero."""
    size = np.abs(before)
    least, most = SAFE_PRODUCTS
    if np.all((least < size) & (size < most)):
        return True
    zero = np.logical_or.accumulate(x == 0, axis=-1)
    excused = np.concatenate([np.zeros_like(zero[..., :1]), zero[..., :-1]], axis=-1)
    return bool(np.all(((least < size) & (size < most)) | excused))


def _scaled_products_before(x: Array) -> tuple[Array, Array]:
    """`_products_before` as significands and powers of two, whose range is never left."""
    factors, powers = np.frexp(x)
    significands, exponents = np.ones(x.shape), np.zeros(x.shape, dtype=np.int64)
    for i in range(1, x.shape[-1]):
        product = significands[..., i - 1] * factors[..., i - 1]
        significands[..., i], carry = np.frexp(product)
        exponents[..., i] = exponents[..., i - 1] + powers[..., i - 1] + carry
    return significands, exponents


def _small(exponent: Array) -> Array:
    """Exponents as ldexp takes them; beyond these limits all is 0 or infinite anyway."""
    return np.clip(exponent, -5000, 5000).astype(np.int32)


def prod(x: Array, axis: Axes, keepdims: bool) -> Array:  # noqa: FBT001
    """The product; where a partial product may have left the range, with the exponents apart."""
    result = np.prod(x, axis=axis, keepdims=keepdims)
    least, most = SAFE_PRODUCTS
    size = np.abs(result)
    if np.all((least < size) & (size < most)) or not np.all(x):
        return result
    lines = gathered(x, axis)
    padded = np.concatenate([lines, np.ones((*lines.shape[:-1], 1))], axis=-1)
    significands, exponents = _scaled_products_before(padded)
    careful = np.ldexp(significands[..., -1], _small(exponents[..., -1]))
    return careful.reshape(np.shape(result))


def prod_others(x: Array, *directions: Array, axis: Axes) -> Array:
    """The gradient of the product of x, or that gradient's slope in some directions."""
    arrays = np.broadcast_arrays(x, *directions)
    first, *rest = (gathered(a, axis) for a in arrays)
    result = _mixed_others(first, rest) if rest else products_of_others(first)
    return scattered_back(result, arrays[0], axis)


def _mixed_others(x: Array, directions: list[Array]) -> Array:
    """∂/∂x_j of the mixed derivative of the product along several directions.

    The product of all (x_k + Σ ε_i d_ik) but the j-th, with ε_i² = 0, as partial products from
    both ends; the coefficient of ε_1 ε_2 … is the result. A state holds one coefficient per
    subset of the directions.
    """
    count, length = len(directions), x.shape[-1]
    subsets = [s for k in range(count + 1) for s in itertools.combinations(range(count), k)]

    def partial_products(order: range) -> list[dict[tuple[int, ...], Array]]:
        one, zero = np.ones(x.shape[:-1]), np.zeros(x.shape[:-1])
        states = [{s: zero if s else one for s in subsets}]
        for k in order:
            old = states[-1]
            states.append(
                {
                    s: old[s] * x[..., k]
                    + sum(old[tuple(j for j in s if j != i)] * directions[i][..., k] for i in s)
                    for s in subsets
                }
            )
        return states

    before = partial_products(range(length))
    after = partial_products(range(length - 1, -1, -1))
    result = np.empty(x.shape)
    for j in range(length):
        left, right = before[j], after[length - 1 - j]
        result[..., j] = sum(
            left[s] * right[tuple(i for i in range(count) if i not in s)] for s in subsets
        )
    return result


def std(x: Array, axis: Axes, keepdims: bool, count: float) -> Array:  # noqa: FBT001
    """The square root of the mean squared distance from the mean, over `count`."""
    return norm(_centred(x, axis), axis, keepdims) / np.sqrt(count)


def var(x: Array, axis: Axes, keepdims: bool, count: float) -> Array:  # noqa: FBT001
    """The sum of squared distances from the mean, over `count`."""
    centred = _centred(x, axis)
    return np.sum(centred * centred, axis=axis, keepdims=keepdims) / count


def _centred(x: Array, axis: Axes) -> Array:
    """x - mean(x), without the rounding error of that mean; 0 where all elements are equal."""
    centred = x - np.mean(x, axis=axis, keepdims=True)
    centred -= np.mean(centred, axis=axis, keepdims=True)
    most = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    least = np.min(x, axis=axis, keepdims=True, initial=np.inf)
    return np.where(most == least, 0.0, centred) if np.any(most == least) else centred


SAFE_SQUARES = (1e-280, 1e300)
"""Sums of squares between these have lost nothing to underflow or overflow that counts."""


def norm(x: Array, axis: Axes, keepdims: bool, p: float = 2) -> Array:  # noqa: FBT001
    """The p-norm along some axes; squares are scaled by a power of two where they must be."""
    if p == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    if p == np.inf:
        return np.max(np.abs(x), axis=axis, keepdims=keepdims, initial=0.0)
    squares = np.sum(np.square(x), axis=axis, keepdims=keepdims)
    least, most = SAFE_SQUARES
    if np.all((least < squares) & (squares < most)):
        return np.sqrt(squares)
    largest = np.max(np.abs(x), axis=axis, keepdims=True, initial=0.0)
    _, exponent = np.frexp(largest)
    scaled = np.ldexp(x, -exponent)
    root = np.sqrt(np.sum(np.square(scaled), axis=axis, keepdims=keepdims))
    return np.ldexp(root, exponent if keepdims else np.squeeze(exponent, axis))


def logsumexp(x: Array, axis: Axes, keepdims: bool) -> Array:  # noqa: FBT001
    """log Σ exp x = m + log1p(rest), for the maximum m; an infinite m is the result."""
    largest = np.maximum.reduce(x, axis=axis, keepdims=True)
    sums = _log_sum(*_below(x, largest), axis)
    result = np.where(np.isfinite(largest), largest + sums, largest)
    return result if keepdims else np.squeeze(result, axis)


FAR_FROM_1 = 1.5
"""Above this, the logarithm of a sum has lost no digits to the 1 that is in it."""


def _log_sum(x: Array, powers: Array, axis: Axes) -> Array:
    """log Σ exp x where the maximum is 0, exact also next to 0; it keeps its axes.

    There it is log1p(rest): the elements that are the maximum are counted, and one is the 1.
    """
    total = np.add.reduce(powers, axis=axis, keepdims=True)
    if total.size and total.flat[total.argmin()] > FAR_FROM_1:
        return np.log(total)
    top = x == 0.0
    powers -= top
    rest = np.add.reduce(powers, axis=axis, keepdims=True)
    rest += np.add.reduce(top, axis=axis, keepdims=True, dtype=np.float64) - 1.0
    return np.log1p(rest)


def softmax(x: Array, axis: Axes) -> Array:
    """exp(x) over its sum."""
    _, powers = _below(x, np.maximum.reduce(x, axis=axis, keepdims=True))
    return powers / np.add.reduce(powers, axis=axis, keepdims=True)


def _below(x: Array, top: Array) -> tuple[Array, Array]:
    """x - top, and exp of the unrounded difference."""
    shifted = x - top
    powers = np.exp(shifted)
    if np.minimum.reduce(shifted, axis=None, initial=0.0) < -SPREAD:
        powers *= 1.0 + difference(x, top)[1]
    return shifted, powers


SPREAD = 8.0
"""Where elements are further apart, the rounding error of their difference shows in e^x."""


def softmax_slope(p: Array, d: Array, axis: Axes) -> Array:
    """p·(d - Σ p·d) for p with the sum 1, the differences taken from d at the largest p.

    With the sum 1, d may be shifted; so shifted, nothing cancels where one p is nearly 1.
    """
    top = np.equal(p, np.max(p, axis=axis, keepdims=True))
    chosen = np.sum(d * top, axis=axis, keepdims=True) / np.sum(top, axis=axis, keepdims=True)
    shifted = d - chosen
    return p * (shifted - np.sum(shifted * p, axis=axis, keepdims=True))


def log_softmax(x: Array, axis: Axes) -> Array:
    """x - logsumexp(x), exact also where the result is next to 0."""
    shifted, powers = _below(x, np.maximum.reduce(x, axis=axis, keepdims=True))
    return shifted - _log_sum(shifted, powers, axis)
