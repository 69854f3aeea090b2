"""NumPy forms of what chooses elements by their values: sorting, quantiles, elements by number.

As everywhere, axes are counted from the end and whatever stands in front is a batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.kernels.arrays import batch_of, per_place
from gradcli.ops.kernels.reductions import Axes, gathered, scattered_back
from gradcli.ops.operation import Array, Shape


def order(x: Array, axis: int) -> Array:
    """The places that sort x, the first of equal elements first."""
    return np.argsort(x, axis=axis, kind="stable")


def argsort(x: Array, axis: int) -> Array:
    """The places that sort x, as numbers."""
    return order(x, axis).astype(np.float64)


def place_of(find: Any) -> Any:
    """The place of the largest or smallest element, as a kernel."""

    def kernel(x: Array, axis: Axes, keepdims: bool) -> Array:  # noqa: FBT001 - a keyword
        found = find(gathered(x, axis), axis=-1).astype(np.float64)
        return np.expand_dims(found, axis) if keepdims else found

    return kernel


def sorted_by(d: Array, x: Array, axis: int) -> Array:
    """d in the order that sorts x."""
    d, x = np.broadcast_arrays(d, x)
    return np.take_along_axis(d, order(x, axis), axis)


def unsorted(d: Array, x: Array, axis: int) -> Array:
    """What `sorted_by` did, undone."""
    d, x = np.broadcast_arrays(d, x)
    return np.take_along_axis(d, order(order(x, axis), axis), axis)


def _between(n: int, q: float) -> tuple[int, int, float]:
    """The places between which a quantile of n sorted elements lies, and how far from the first."""
    place = (n - 1) * q
    low = int(place)
    return low, min(low + 1, n - 1), place - low


def quantile(x: Array, q: float, axis: Axes, keepdims: bool) -> Array:  # noqa: FBT001 - a keyword
    """The q-quantile, linear between two elements."""
    lines = np.sort(gathered(x, axis), axis=-1)
    low, high, part = _between(lines.shape[-1], q)
    found = lines[..., low]
    if part:
        found = found + part * (lines[..., high] - found)
    return np.expand_dims(found, axis) if keepdims else found


def quantile_weights(x: Array, q: float, axis: Axes) -> Array:
    """How a quantile moves with each element; evenly with those that are tied."""
    rows = gathered(x, axis)
    lines = np.sort(rows, axis=-1)
    low, high, part = _between(lines.shape[-1], q)
    result = np.zeros(rows.shape)
    for place, weight in ((low, 1.0 - part), (high, part)):
        chosen = rows == lines[..., place : place + 1]
        result += weight * chosen / np.maximum(np.sum(chosen, axis=-1, keepdims=True), 1)
    return scattered_back(result, x, axis)


# --- elements by number ------------------------------------------------------------------


def _places(i: Array, n: int) -> tuple[Any, Any]:
    """The nearest places to numbers, counted from the front, and which are none of n elements."""
    number = np.round(np.where(np.isfinite(i), i, n))
    wrong = ~((number >= -n) & (number < n))
    return np.where(wrong, 0, number).astype(np.intp) % max(n, 1), wrong


def take(x: Array, i: Array, axis: int, ranks: tuple[int, int]) -> Array:
    """The elements of an axis of these numbers, from the end below 0; nan for a number of none."""

    def one(a: Array, b: Array) -> Array:
        places, wrong = _places(b, a.shape[axis])
        found = np.take(a, places, axis=axis)
        if np.any(wrong):
            behind = -1 - axis
            found = np.where(wrong.reshape(wrong.shape + (1,) * behind), np.nan, found)
        return found

    return one(x, i) if np.ndim(i) == ranks[1] else per_place(one, (x, i), ranks)


def take_back(d: Array, i: Array, axis: int, shape: Shape, ranks: tuple[int, int]) -> Array:
    """Zeros of a shape, to which d is added at the numbers i of an axis."""

    def one(delta: Array, numbers: Array) -> Array:
        result = np.zeros(shape)
        own = tuple(range(axis + len(shape), axis + len(shape) + numbers.ndim))
        moved = np.moveaxis(delta, own, range(numbers.ndim))
        np.add.at(np.moveaxis(result, axis, 0), _places(numbers, shape[axis])[0], moved)
        return result

    return per_place(one, (d, i), ranks)


def take_along(x: Array, i: Array, axis: int, ranks: tuple[int, int]) -> Array:
    """For every number of i the element of x in the same line; nan for a number of none."""

    def one(a: Array, b: Array) -> Array:
        places, wrong = _places(b, a.shape[axis])
        found = np.take_along_axis(a, places, axis)
        return np.where(wrong, np.nan, found) if np.any(wrong) else found

    return per_place(one, (x, i), ranks)


def take_along_back(d: Array, i: Array, axis: int, shape: Shape, ranks: tuple[int, int]) -> Array:
    """Zeros of a shape, to which d is added in its lines at the numbers i."""

    def one(delta: Array, numbers: Array) -> Array:
        result = np.zeros(shape)
        places = list(np.indices(numbers.shape))
        places[axis] = _places(numbers, shape[axis])[0]
        np.add.at(result, tuple(places), delta)
        return result

    return per_place(one, (d, i), ranks)


def one_hot(x: Array, n: int) -> Array:
    """1 at the place that x numbers, of n, else 0."""
    return (np.asarray(x)[..., None] == np.arange(n)).astype(np.float64)


def targets(t: Array, x: Array, same: bool, ranks: tuple[int, int]) -> Array:  # noqa: FBT001
    """t as it is, or the classes that it numbers as zeros and a one, in the shape of x."""
    found = t if same else one_hot(t, np.shape(x)[-1])
    shape = np.broadcast_shapes(
        np.shape(found), batch_of((t, x), ranks) + np.shape(x)[np.ndim(x) - ranks[1] :]
    )
    return np.array(np.broadcast_to(found, shape))


def constant(x: Array, value: Any, rank: int) -> Array:
    """What depends on the shape of x alone, for each place of a batch."""
    batch = np.shape(x)[: np.ndim(x) - rank]
    return np.array(np.broadcast_to(value, batch + np.shape(value)), dtype=np.float64)


def segment(x: Array, xp: Array, rank: int) -> Array:
    """The number of the segment between the points xp in which x lies; the outermost go on."""

    def one(v: Array, points: Array) -> Array:
        last = len(points) - 2
        return np.clip(np.searchsorted(points, v, side="right") - 1, 0, last).astype(np.float64)

    return np.asarray(per_place(one, (x, xp), (rank, 1)))[()]
