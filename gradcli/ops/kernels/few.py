"""Reductions and softmax of a line of few numbers, on Python's floats.

Numbers come in, and a float goes out, or a list of them: what the kernels in `reductions` make of
the line, in a fifth of the time. Where numbers are not ordinary, those are called.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from operator import add, mul

import numpy as np

from gradcli.ops.kernels import reductions as rk

LAST: rk.Axes = (-1,)
LANES = 8
"""NumPy adds up as many sums side by side where a line has as many elements."""


def total(x: Sequence[float]) -> float:
    """The sum, with NumPy's rounding."""
    return reduce(add, x) if 0 < len(x) < LANES else float(np.add.reduce(x))


def mean(*x: float) -> float:
    """The sum over the number of elements."""
    return total(x) / len(x)


def amax(*x: float) -> float:
    """The largest."""
    return max(x) if math.isfinite(sum(x)) else float(np.max(x))


def amin(*x: float) -> float:
    """The smallest."""
    return min(x) if math.isfinite(sum(x)) else float(np.min(x))


def squared_norm(*x: float) -> float:
    """The sum of squares."""
    return total([*map(mul, x, x)])


def norm(*x: float, p: float = 2) -> float:
    """The p-norm."""
    squares = squared_norm(*x)
    least, most = rk.SAFE_SQUARES
    if p == 2 and least < squares < most:
        return math.sqrt(squares)
    return float(rk.norm(np.array(x), LAST, keepdims=False, p=p))


def _below(x: Sequence[float]) -> tuple[float, list[float], list[float]] | None:
    """The largest, the elements less that, and e to these; None where more care is needed."""
    top = max(x)
    if not top - min(x) <= rk.SPREAD:
        return None
    shifted = [number - top for number in x]
    return top, shifted, np.exp(shifted).tolist()


def softmax(*x: float) -> list[float]:
    """Exponentials over their sum."""
    below = _below(x)
    if below is None:
        return list(rk.softmax(np.array(x), LAST).tolist())
    *_, powers = below
    whole = total(powers)
    return [power / whole for power in powers]


def log_softmax(*x: float) -> list[float]:
    """The logarithm of softmax."""
    below = _below(x)
    if below is None:
        return list(rk.log_softmax(np.array(x), LAST).tolist())
    _, shifted, powers = below
    logarithm = _log_sum(shifted, powers)
    return [number - logarithm for number in shifted]


def logsumexp(*x: float) -> float:
    """The logarithm of the sum of exponentials."""
    below = _below(x)
    if below is None:
        return float(rk.logsumexp(np.array(x), LAST, keepdims=False))
    top, shifted, powers = below
    return top + _log_sum(shifted, powers)


def _log_sum(shifted: Sequence[float], powers: Sequence[float]) -> float:
    whole = total(powers)
    if whole > rk.FAR_FROM_1:
        return float(np.log(whole))
    rest = total([p - (s == 0.0) for p, s in zip(powers, shifted, strict=True)])
    return float(np.log1p(rest + (shifted.count(0.0) - 1.0)))
