"""Kernels for operands without a batch axis in front: shorter ways to the same numbers.

A kernel bound to its options comes in, and one that takes no look at the operands' axes goes out:
for an index that is a call in C instead of two functions in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

from gradcli.ops.kernels import arrays
from gradcli.ops.operation import Array, Kernel, Shape
from gradcli.ops.table.indexing import index_kernel


def unbatched(kernel: Kernel) -> Kernel:
    """A kernel that gives the same for operands without a batch axis."""
    if not isinstance(kernel, partial) or kernel.func not in SHORTER:
        return kernel
    return SHORTER[kernel.func](kernel, **kernel.keywords)


def _index(kernel: Kernel, items: tuple[Any, ...] | None = None, **_options: Any) -> Kernel:
    if items is None:
        return kernel
    return itemgetter(items[0] if len(items) == 1 else items)


def _scatter(_kernel: Kernel, shape: Shape, at: Shape, step: Shape, rank: int) -> Kernel:
    place: Any = at[0] if len(at) == 1 else at
    own: Shape = ()

    def scattered(x: Array) -> Array:
        nonlocal own, place
        if rank and x.shape != own:
            own, place = x.shape, arrays.block_at(x.shape, at, step)
        result = np.zeros(shape)
        result[place] = x
        return result

    return scattered


def _array(kernel: Kernel, shape: Shape, of: Shape) -> Kernel:
    return kernel if of or len(shape) != 1 else lambda *elements: np.array(elements)


SHORTER: Mapping[Kernel, Callable[..., Kernel]] = {
    index_kernel: _index,
    arrays.scatter: _scatter,
    arrays.array: _array,
}
