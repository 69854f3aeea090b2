"""NumPy forms of the array functions, all of which take batches.

A kernel works on the trailing axes; whatever stands in front is a batch, on any of its
operands, and broadcasts. Hence negative axes everywhere, and `aligned` where operands differ
in rank. None raises on what mathematics has no answer for: it gives nan, for the element of
the batch that is concerned, and the forward pass says what happened.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.operation import Array, Shape


def aligned(arrays: Sequence[Array], ranks: Sequence[int]) -> list[Array]:
    """The arrays with their own axes filled up to one rank, behind the batch axes."""
    top = max(ranks)
    return [_lifted(np.asarray(a), rank, top) for a, rank in zip(arrays, ranks, strict=True)]


def _lifted(array: Array, rank: int, top: int) -> Array:
    batch = array.ndim - rank
    if rank == top:
        return array
    return array.reshape(array.shape[:batch] + (1,) * (top - rank) + array.shape[batch:])


def batch_of(arrays: Sequence[Array], ranks: Sequence[int]) -> Shape:
    """The batch axes that arrays of these ranks have in common."""
    pairs = zip(arrays, ranks, strict=True)
    return np.broadcast_shapes(*(np.shape(a)[: np.ndim(a) - rank] for a, rank in pairs))


def spread(arrays: Sequence[Array], shapes: Sequence[Shape]) -> tuple[int, list[Array]]:
    """The number of batch axes, and every array repeated to all of the batch."""
    batch = batch_of(arrays, [len(s) for s in shapes])
    pairs = zip(arrays, shapes, strict=True)
    return len(batch), [np.broadcast_to(a, batch + shape) for a, shape in pairs]


# --- products ----------------------------------------------------------------------------


def matmul(A: Array, B: Array, case: str = "mm", ranks: tuple[int, int] = (2, 2)) -> Array:
    """The product of (m)atrices, (v)ectors and (r)ows, by case."""
    match case:
        case "mm":
            return np.matmul(A, B)
        case "mv":
            return matvec(A, B)
        case "vm":
            return A @ B if B.ndim == 2 else (A[..., None, :] @ B)[..., 0, :]
        case "vv":
            return np.vecdot(A, B)
        case "rv":
            return np.vecdot(A[..., 0, :], B)
        case "vr":
            return A[..., :, None] * B
    return _stacked_matmul(A, B, ranks)


def matvec(A: Array, x: Array) -> Array:
    """Matrix times vector; a batch of vectors is one product of matrices."""
    if x.ndim == 1:
        return A @ x
    return x @ A.T if A.ndim == 2 else (A @ x[..., None])[..., 0]


def _stacked_matmul(A: Array, B: Array, ranks: tuple[int, int]) -> Array:
    """NumPy's matmul where one operand has more than two dimensions of its own."""
    left, right = ranks
    vector_left, vector_right = left == 1, right == 1
    if vector_left:
        A, left = A[..., None, :], 2
    if vector_right:
        B, right = B[..., None], 2
    A, B = aligned((A, B), (left, right))
    result = np.matmul(A, B)
    if vector_left:
        result = result[..., 0, :]
    return result[..., 0] if vector_right else result


def dot(a: Array, b: Array, case: str = "mm", ranks: tuple[int, int] = (2, 2)) -> Array:
    """NumPy's dot: a number times anything, else the matrix product."""
    if case == "scale":
        a, b = aligned((a, b), ranks)
        return a * b
    return matmul(a, b, case, ranks)


def inner(a: Array, b: Array, case: str, ranks: tuple[int, int]) -> Array:
    """Sums of products along the last axis of both."""
    match case:
        case "vv":
            return np.vecdot(a, b)
        case "mv":
            return matvec(a, b)
        case "vm":
            return matvec(b, a)
        case "mm":
            return a @ np.swapaxes(b, -1, -2)
    a, b = aligned((a, b), ranks)
    return a * b


def flat(array: Array, rank: int) -> Array:
    """An operand's own axes as one."""
    array = np.asarray(array)
    batch = array.shape[: array.ndim - rank]
    return array.reshape((*batch, int(np.prod(array.shape[array.ndim - rank :], dtype=int))))


def outer(a: Array, b: Array, ranks: tuple[int, int]) -> Array:
    """Every element of a times every element of b."""
    return flat(a, ranks[0])[..., :, None] * flat(b, ranks[1])[..., None, :]


def kron(A: Array, B: Array, ranks: tuple[int, int]) -> Array:
    """The Kronecker product: every element of A, replaced by itself times B."""
    A, B = aligned((A, B), ranks)
    rank = max(ranks)
    left = tuple(range(-2 * rank + 1, 0, 2))
    right = tuple(range(-2 * rank, 0, 2))
    blocks = np.expand_dims(A, left) * np.expand_dims(B, right) if rank else A * B
    batch = blocks.shape[: blocks.ndim - 2 * rank]
    pairs = zip(A.shape[A.ndim - rank :], B.shape[B.ndim - rank :], strict=True)
    return blocks.reshape(batch + tuple(m * n for m, n in pairs))


def cross(a: Array, b: Array) -> Array:
    """The cross product of 3-vectors."""
    return np.cross(a, b)


# --- transposes, diagonals ---------------------------------------------------------------


def transpose(x: Array, case: str = "axes", rank: int = 2) -> Array:
    """The transpose of a number, a vector, a row, or of an array with its axes reversed."""
    match case:
        case "number":
            return x
        case "vector":
            return x[..., None, :]
        case "row":
            return x[..., 0, :]
    batch = x.ndim - rank
    if not batch:
        return x.T
    return np.transpose(x, (*range(batch), *reversed(range(batch, x.ndim))))


def matrix_transpose(x: Array) -> Array:
    """The last two axes swapped."""
    return np.swapaxes(x, -1, -2)


def symmetric(A: Array) -> Array:
    """(A + A.T)/2, halved first: the sum could overflow."""
    return A / 2 + np.swapaxes(A, -1, -2) / 2


def diagonal(A: Array, k: int = 0) -> Array:
    """The k-th diagonal of a matrix."""
    return np.diagonal(A, offset=k, axis1=-2, axis2=-1)


def place_diagonal(d: Array, shape: Shape, k: int = 0) -> Array:
    """A matrix of zeros with d on its k-th diagonal."""
    result = np.zeros(d.shape[:-1] + shape)
    i = np.arange(d.shape[-1])
    result[..., i + max(-k, 0), i + max(k, 0)] = d
    return result


def diag(x: Array, shape: Shape | None, k: int) -> Array:
    """The matrix of this shape with diagonal x; without a shape the diagonal of a matrix."""
    return diagonal(x, k) if shape is None else place_diagonal(x, shape, k)


def lower_half(A: Array) -> Array:
    """The lower triangle with half of the diagonal."""
    return (np.tril(A) + np.tril(A, -1)) / 2


def trace(A: Array) -> Array:
    """The sum of the diagonal."""
    return np.trace(A, axis1=-2, axis2=-1)


# --- reductions --------------------------------------------------------------------------

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
    """x - mean(x); exactly 0 where all elements are equal, whose mean may be off by an ulp."""
    centred = x - np.mean(x, axis=axis, keepdims=True)
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
    result = np.where(np.isfinite(largest), largest + _log_sum(x - largest, axis), largest)
    return result if keepdims else np.squeeze(result, axis)


FAR_FROM_1 = 1.5
"""Above this, the logarithm of a sum has lost no digits to the 1 that is in it."""


def _log_sum(x: Array, axis: Axes) -> Array:
    """log Σ exp x where the maximum is 0, exact also next to 0; it keeps its axes.

    There it is log1p(rest): the elements that are the maximum are counted, and one is the 1.
    """
    powers = np.exp(x)
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
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def log_softmax(x: Array, axis: Axes) -> Array:
    """x - logsumexp(x), exact also where the result is next to 0."""
    shifted = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    return shifted - _log_sum(shifted, axis)


# --- recurrences -------------------------------------------------------------------------


def shift(x: Array, axis: int, k: int = 1, fill: float = 0.0) -> Array:
    """Elements moved k places along an axis, `fill` in the places left free."""
    result = np.full(x.shape, float(fill))
    lines, source = np.moveaxis(result, axis, -1), np.moveaxis(x, axis, -1)
    if k >= 0:
        lines[..., k:] = source[..., : max(source.shape[-1] - k, 0)]
    else:
        lines[..., :k] = source[..., -k:]
    return result


def recurrence(a: Array, b: Array, axis: int) -> Array:
    """r_i = a_i r_(i-1) + b_i along an axis, with nothing before the first."""
    a, b = np.broadcast_arrays(a, b)
    result = np.array(b)
    r, factor = np.moveaxis(result, axis, 0), np.moveaxis(a, axis, 0)
    for i in range(1, len(r)):
        r[i] += factor[i] * r[i - 1]
    return result


def recurrence_back(a: Array, b: Array, axis: int) -> Array:
    """r_i = b_i + a_(i+1) r_(i+1) along an axis, with nothing after the last."""
    a, b = np.broadcast_arrays(a, b)
    result = np.array(b)
    r, factor = np.moveaxis(result, axis, 0), np.moveaxis(a, axis, 0)
    for i in range(len(r) - 2, -1, -1):
        r[i] += factor[i + 1] * r[i + 1]
    return result


# --- shapes ------------------------------------------------------------------------------


def reshape(x: Array, shape: Shape, rank: int) -> Array:
    """Another shape for the same elements."""
    x = np.asarray(x)
    return x.reshape(x.shape[: x.ndim - rank] + shape)


def concat(*arrays: Array, axis: int, shapes: tuple[Shape, ...]) -> Array:
    """Arrays one after the other along an axis."""
    return np.concatenate(spread(arrays, shapes)[1], axis=axis)


def concat_flat(*arrays: Array, ranks: tuple[int, ...]) -> Array:
    """All elements of all arrays as one vector."""
    vectors = [flat(a, rank) for a, rank in zip(arrays, ranks, strict=True)]
    return concat(*vectors, axis=-1, shapes=tuple(v.shape[-1:] for v in vectors))


def stack(*arrays: Array, axis: int, shape: Shape) -> Array:
    """Arrays of one shape side by side along a new axis."""
    return np.stack(spread(arrays, [shape] * len(arrays))[1], axis=axis)


def array(*elements: Array, shape: Shape, of: Shape) -> Array:
    """An array literal: elements in row-major order."""
    batch, wide = spread(elements, [of] * len(elements))
    joined = np.stack(wide, axis=batch)
    return joined.reshape(joined.shape[:batch] + shape + of)


def index(x: Array, items: tuple[Any, ...], rank: int) -> Array:
    """NumPy's basic indexing of an operand's own axes."""
    return x[items] if np.ndim(x) == rank else x[(..., *items)]


def scatter(x: Array, shape: Shape, at: Shape, step: Shape, rank: int) -> Array:
    """Zeros of a shape with the block x in it, from a corner on and every so many places."""
    x = np.asarray(x)
    if rank == 0:
        x = x.reshape(x.shape + (1,) * len(shape))
    batch = x.ndim - len(shape)
    result = np.zeros(x.shape[:batch] + shape)
    block: tuple[Any, ...] = tuple(
        slice(start, end if end >= 0 else None, by)
        for start, n, by in zip(at, x.shape[batch:], step, strict=True)
        for end in (start + n * by,)
    )
    result[(..., *block)] = x
    return result


def full(value: Array, shape: Shape, rank: int) -> Array:
    """A value repeated to a shape."""
    (wide,) = (_lifted(np.asarray(value), rank, len(shape)),)
    batch = wide.shape[: wide.ndim - len(shape)]
    return np.broadcast_to(wide, batch + shape).copy()


def linspace(start: Array, stop: Array, num: int) -> Array:
    """`num` numbers from start to stop, both included; exact at both ends."""
    if np.ndim(start) == 0 and np.ndim(stop) == 0:
        return np.linspace(start, stop, num)
    start, stop = np.broadcast_arrays(start, stop)
    return np.linspace(start, stop, num, axis=-1)
