"""What a function of NumPy is going to cost.

Its name and its plain arguments come in, the number of elements or multiplications comes out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcli.python.spellings import UNIVERSAL

MOST = 10**18
DEEPEST = 100
"""Lists in lists."""


def expanded(value: Any, known: dict[int, int] | None = None, depth: int = 0) -> int:
    """The elements of nested lists and dicts, one that is in there several times counted so often.

    A list in itself, or nested deeper than 100, has more than any bound.
    """
    if not isinstance(value, tuple | list | dict | set):
        return 1
    known = {} if known is None else known
    if id(value) not in known:
        known[id(value)] = MOST
        inside = value.values() if isinstance(value, dict) else value
        if depth <= DEEPEST:
            total = 1 + sum([expanded(v, known, depth + 1) for v in inside])
            known[id(value)] = min(MOST, total)
    return known[id(value)]


def elements(name: str, arguments: list[Any], keywords: dict[str, Any]) -> int:
    """How many elements the result may have, and so what is taken while it is made."""
    given = [*arguments, *keywords.values()]
    sizes = [max(1, size(a)) for a in given]
    growing = _GROWING.get(name, _broadcast if name in UNIVERSAL else None)
    count = 0.0 if growing is None else growing(given, sizes)
    return max(int(min(count, MOST)), sum(sizes))


def multiplications(name: str, arguments: list[Any]) -> int:
    """At most how many numbers are multiplied, in a product of arrays."""
    if name == "polyfit":
        return min(
            size(arguments[0]) * int(max(_numbers(arguments[2:3]), default=1.0) + 1) ** 2, 10**12
        )
    if name not in ("matmul", "dot", "inner", "vdot", "tensordot", "einsum", "kron", "outer"):
        return 0
    return min(math.prod(max(1, size(a)) for a in arguments[:3]), 10**12)


def size(value: Any) -> int:
    """The number of elements of an array, or of nested lists."""
    if isinstance(value, tuple | list):
        return sum(map(size, value))
    return int(np.size(value)) if isinstance(value, np.ndarray) else 1


def _numbers(values: Any) -> Iterator[float]:
    """The numbers among arguments: lengths, counts, bounds."""
    for value in values:
        if isinstance(value, tuple | list):
            yield from _numbers(value)
        elif isinstance(value, bool | int | float | np.number):
            yield abs(float(value))


def _shape(given: list[Any], _sizes: list[int]) -> float:
    return math.prod(max(1.0, n) for n in _numbers(given))


def _range(given: list[Any], _sizes: list[int]) -> float:
    start, stop, step = 0.0, 0.0, 1.0
    match [float(v) for v in given if isinstance(v, int | float | np.number)]:
        case [stop]:
            pass
        case [start, stop]:
            pass
        case [start, stop, step, *_]:
            pass
    return abs((stop - start) / (step or 1.0))


def _square(given: list[Any], sizes: list[int]) -> float:
    return float(max([*sizes, *_numbers(given)])) ** 2


def _longest(given: list[Any], sizes: list[int]) -> float:
    return float(max([*sizes, *_numbers(given)]))


def _repeated(given: list[Any], sizes: list[int]) -> float:
    return sizes[0] * math.prod(max(1.0, n) for n in _numbers(given[1:]))


def _products(_given: list[Any], sizes: list[int]) -> float:
    return float(math.prod(sizes))


def _grid(_given: list[Any], sizes: list[int]) -> float:
    return float(math.prod(sizes) * len(sizes))


def _padded(given: list[Any], sizes: list[int]) -> float:
    return (sum(sizes) + 2 * sum(_numbers(given))) ** 2


def _largest(given: list[Any], _sizes: list[int]) -> float:
    return max((float(np.max(a)) for a in given if np.size(a)), default=0.0)


def _quantiles(given: list[Any], sizes: list[int]) -> float:
    shortest = min((n for n in np.shape(given[0]) if n), default=1)
    return sizes[0] / shortest * (sizes[1] if len(sizes) > 1 else 1)


def _broadcast(given: list[Any], _sizes: list[int]) -> float:
    try:
        shapes = [np.shape(a) for a in given if isinstance(a, np.ndarray)]
        return float(math.prod(np.broadcast_shapes(*shapes)))
    except ValueError:
        return 0.0


_GROWING: dict[str, Callable[[list[Any], list[int]], float]] = {
    **dict.fromkeys(("zeros", "ones", "full", "broadcast_to"), _shape),
    "indices": lambda given, sizes: 3 * _shape(given, sizes),
    "arange": _range,
    **dict.fromkeys(
        (
            *("eye", "identity", "tri", "diag", "diagflat", "vander", "tril_indices"),
            *("triu_indices", "mask_indices", "ix_"),
        ),
        _square,
    ),
    **dict.fromkeys(
        (
            *("linspace", "logspace", "geomspace", "histogram", "hanning", "hamming", "blackman"),
            "diag_indices",
        ),
        _longest,
    ),
    **dict.fromkeys(("tile", "repeat"), _repeated),
    **dict.fromkeys(("outer", "kron"), _products),
    "meshgrid": _grid,
    **dict.fromkeys(  # slow for every element
        ("unique", "union1d", "intersect1d", "setdiff1d", "isin", "in1d"),
        lambda _given, sizes: 8.0 * sum(sizes),
    ),
    "pad": _padded,
    "bincount": _largest,
    **dict.fromkeys(("isclose", "allclose", "cross"), _broadcast),
    **dict.fromkeys(("quantile", "percentile"), _quantiles),
}
"""By the functions whose result can be much larger than what they are given, ufuncs apart."""
