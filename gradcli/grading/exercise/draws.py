"""How the inputs of a task are drawn for other points.

An input's own value and a generator come in, another value goes out: with all digits, or with few,
as on paper.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np


def _each(value: Any, make: Callable[[float], float]) -> Any:
    """A function of every element, as an array of the same shape."""
    if np.ndim(value) == 0:
        return np.float64(make(float(value)))
    flat = [make(float(v)) for v in np.ravel(value)]
    return np.array(flat, dtype=np.float64).reshape(np.shape(value))


def in_general(value: Any, generator: random.Random, turn: int) -> Any:
    """A value with all digits; in turns of that sign or any, of about that size or about 1."""

    def moved(v: float) -> float:
        sign = generator.choice((-1.0, 1.0))
        size = (abs(v) or 1.0) if turn % 4 < 2 else 1.0
        size *= 0.4 + 1.8 * generator.random()
        return sign * size if turn % 2 or v == 0 else float(np.copysign(size, v))

    return _each(value, moved)


def short_number(value: Any, generator: random.Random, width: float, *, keep_whole: bool) -> Any:
    """A value of that sign and about that size with a digit or two; `width` says how near."""
    whole = bool(np.all(np.asarray(value) == np.round(value)))
    if keep_whole and whole and np.ndim(value):
        return value

    def moved(v: float) -> float:
        sign = generator.choice((-1.0, 1.0)) if v == 0 else float(np.copysign(1.0, v))
        size = abs(v) or 1.0
        low, high = size / (1 + width), size * (1 + width)
        drawn = low + (high - low) * generator.random()
        short = round(drawn, 1) or 0.1
        return sign * (short if 0.1 <= drawn < 100 else float(f"{drawn:.2g}"))

    return _each(value, moved)


def within(
    bounds: tuple[float, float], value: Any, generator: random.Random, *, all_digits: bool
) -> Any:
    """A value within a range: with all digits, or with about three."""
    low, high = bounds
    digits = max(0, 2 - math.floor(math.log10(high - low)))

    def drawn(_: float) -> float:
        number = low + (high - low) * generator.random()
        return number if all_digits else min(high, max(low, round(number, digits)))

    return _each(value, drawn)


def one_of(values: tuple[float, ...], value: Any, generator: random.Random, **_: bool) -> Any:
    """One of some values, for each element."""
    return _each(value, lambda _: generator.choice(values))
