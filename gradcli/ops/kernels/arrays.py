"""NumPy forms of the array functions, all of which take batches.

A kernel works on the trailing axes; whatever stands in front is a batch, on any of its
operands, and broadcasts. Hence negative axes everywhere, and `aligned` where operands differ
in rank. None raises on what mathematics has no answer for: it gives nan, for the element of
the batch that is concerned, and the forward pass says what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
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


def per_place(
    function: Callable[..., Array], arrays: Sequence[Array], ranks: Sequence[int]
) -> Array:
    """A function of arrays without a batch, for each place of the batch."""
    batch = batch_of(arrays, ranks)
    if not batch:
        return function(*arrays)
    pairs = zip(arrays, ranks, strict=True)
    wide = [np.broadcast_to(a, batch + np.shape(a)[np.ndim(a) - rank :]) for a, rank in pairs]
    found = [function(*(w[place] for w in wide)) for place in np.ndindex(batch)]
    return np.reshape(found, batch + np.shape(found[0]))


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


def symmetric(A: Array) -> Array:
    """(A + A.T)/2, halved first: the sum could overflow."""
    return A / 2 + np.swapaxes(A, -1, -2) / 2


def place_diagonal(d: Array, shape: Shape, k: int = 0) -> Array:
    """A matrix of zeros with d on its k-th diagonal."""
    result = np.zeros(d.shape[:-1] + shape, dtype=d.dtype)
    i = np.arange(d.shape[-1])
    result[..., i + max(-k, 0), i + max(k, 0)] = d
    return result


def diag(x: Array, shape: Shape | None, k: int) -> Array:
    """The matrix of this shape with diagonal x; without a shape the diagonal of a matrix."""
    return np.diagonal(x, k, -2, -1) if shape is None else place_diagonal(x, shape, k)


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
    next_factor = shift(np.flip(a, axis), axis)
    return np.flip(recurrence(next_factor, np.flip(b, axis), axis), axis)


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
    if not of and not any(map(np.ndim, elements)):
        return np.array(elements).reshape(shape)
    batch, wide = spread(elements, [of] * len(elements))
    joined = np.stack(wide, axis=batch)
    return joined.reshape(joined.shape[:batch] + shape + of)


def index(x: Array, items: tuple[Any, ...], rank: int) -> Array:
    """NumPy's basic indexing of an operand's own axes."""
    return x[items] if np.ndim(x) == rank else x[(..., *items)]


def scatter(x: Array, shape: Shape, at: Shape, step: Shape, rank: int) -> Array:
    """Zeros of a shape with the block x in it, from a corner on, at equal distances."""
    x = np.asarray(x)
    if rank == 0:
        block: tuple[Any, ...] = (..., *at)
        result = np.zeros(x.shape + shape)
    else:
        batch = x.ndim - len(shape)
        block = block_at(x.shape[batch:], at, step)
        result = np.zeros(x.shape[:batch] + shape)
    result[block] = x
    return result


@lru_cache(maxsize=1024)
def block_at(own: Shape, at: Shape, step: Shape) -> tuple[Any, ...]:
    """The place of a block of this shape, from a corner on, at equal distances."""
    ends = [start + n * by for start, n, by in zip(at, own, step, strict=True)]
    places = zip(at, ends, step, strict=True)
    return (..., *[slice(start, end if end >= 0 else None, by) for start, end, by in places])


def full(value: Array, shape: Shape, rank: int) -> Array:
    """A value repeated to a shape."""
    wide = _lifted(np.asarray(value), rank, len(shape))
    batch = wide.shape[: wide.ndim - len(shape)]
    return np.broadcast_to(wide, batch + shape).copy()


def linspace(start: Array, stop: Array, num: int) -> Array:
    """`num` numbers from start to stop, both included; exact at both ends."""
    if np.ndim(start) == 0 and np.ndim(stop) == 0:
        return np.linspace(start, stop, num)
    start, stop = np.broadcast_arrays(start, stop)
    return np.linspace(start, stop, num, axis=-1)
