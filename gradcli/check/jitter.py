"""Rounding errors made visible: every rounded result times 1 + ε·U(-1, 1).

The difference of two values of a function says how far it moved, and nothing of how much of that
is rounding: 1 + x - 1 has perfectly repeatable values, all of them wrong. So the same points
are computed again with each operation's result disturbed by about its rounding error; how far
the outcome moves is the noise that rounding puts on it. (Stochastic arithmetic, after
J. Vignes, Discrete stochastic arithmetic for validating results of numerical software, 2004.)
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from gradcli.ops.operation import Array

EPS = 2.0**-52
TINY = 5e-324
"""The smallest double above 0."""


def uniform(seed: int, count: int) -> Array:
    """Numbers in [-1, 1), the same on every machine: Vigna's SplitMix64.

    `numpy.random` would cost a fifth of a small command's time to import.
    """
    with np.errstate(over="ignore"):
        z = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(seed * 0x9E3779B9 % 2**63)
        z *= np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
            z ^= z >> np.uint64(shift)
            z *= np.uint64(factor)
    return (z >> np.uint64(11)) * 2.0**-52 - 1.0


def error_of_sum(terms: int) -> float:
    """About the relative rounding error of a sum of this many terms: ε, and more for long ones.

    They are added up a few at a time, in an order that the library chooses: what is lost
    grows like the square root of the number of additions in a row.
    """
    return EPS * max(1.0, math.sqrt(terms / SHORT))


SHORT = 2000
"""Sums of fewer terms have hardly more error than their last addition."""


class Jitter:
    """A supply of disturbances; slices of one pool, so that they cost next to nothing."""

    POOL = 16381
    """A prime, so that arrays longer than the pool don't fall into step with it."""

    def __init__(self, seed: int) -> None:
        self._pool = _pool(seed)
        self._long = dict(self._pool)
        """The same, repeated as often as the longest array so far has asked for."""
        self.next = 0

    def disturb(self, value: Array, error: float = EPS) -> Array:
        """value · (1 + ε·U), a different U for every element; `error` is ε."""
        result: Array = value * self._near_one(value, error)
        return result

    def shake(self, value: Array, first: int, error: float = EPS) -> Array:
        """Disturb an array in place, from its row `first` on, and return it."""
        part = value[first:]
        part *= self._draws("one", part) if error == EPS else self._near_one(part, error)
        return value

    def round(self, value: Array) -> Array:
        """The same for results that may have underflowed: they are right to 5e-324 only."""
        result: Array = value * self._near_one(value, EPS)
        return result + self._draws("tiny", value)

    def _near_one(self, value: Array, error: float) -> Array:
        if error == EPS:
            return self._draws("one", value)
        return 1.0 + error * self._draws("plain", value)

    def _draws(self, kind: str, value: Array) -> Array:
        start, supply = self.next, self._long[kind]
        end = start + value.size
        self.next = (end + 61) % self.POOL
        if end > supply.size:
            self._long[kind] = supply = np.tile(self._pool[kind], -(-end // self.POOL))
        part = supply[start:end]
        return part if value.ndim == 1 else part.reshape(value.shape)


@lru_cache(maxsize=8)
def _pool(seed: int) -> dict[str, Array]:
    pool = uniform(seed, Jitter.POOL)
    return {"one": 1.0 + EPS * pool, "plain": pool, "tiny": TINY * pool}
