"""When two numbers are the same, given how they were written.

A number that was handed in and the one that is expected come in; whether they agree goes out. The
tolerance is half a unit in the last place that was written, what the numbers before it leave open
(`Digits`), and a relative share. Nothing is looser than the digits that are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from gradcli.grading.model.deadline import NEVER, Deadline
from gradcli.grading.model.flow import Flow, Key
from gradcli.grading.model.moves import Moves
from gradcli.grading.submission.decimals import FEW_DIGITS
from gradcli.grading.submission.types import Written

HAND, CODE = 1e-2, 1e-6
"""The relative tolerance of numbers written by hand, and of those that a program computed."""
EACH = 32
"""This many elements are moved one by one; more of them all at once, at random."""
SAMPLES = 8


@dataclass(frozen=True)
class Tolerance:
    """What is asked of the digits."""

    rtol: float | None = None
    """None for the default: `HAND` for few digits, else `CODE`."""
    digits: int = 2

    @property
    def most(self) -> float:
        """The loosest relative tolerance."""
        return float(0.5 * 10.0**-self.digits)

    def open(self, number: Written, size: Any) -> Any:
        """Half a unit in the last place, but no looser than is allowed for numbers of a size.

        The elements of an array are written with the same decimals: so a small one may have as
        many as the finest has, if these are enough for the largest.
        """
        finest = np.min(number.radius, initial=np.inf, where=np.greater(number.radius, 0))
        together = min(float(finest), self.most * _largest(size))
        return np.minimum(number.radius, np.maximum(self.most * size, together))

    def same(self, number: Written, expected: Any, spread: Any = 0.0, scale: float = 0.0) -> bool:
        """Whether a number in this writing may be the expected one, in value and shape.

        `spread` is what the numbers that it is made of leave open, `scale` the size of what was
        added up to it: rounding is measured by that.
        """
        if np.shape(number.value) != np.shape(expected):
            return False
        if not (np.all(np.isfinite(number.value)) and np.all(np.isfinite(expected))):
            return bool(np.array_equal(number.value, expected))
        rtol = self.rtol
        if rtol is None:
            rtol = HAND if number.digits <= FEW_DIGITS else CODE
        size = np.abs(expected)
        largest = max(scale, float(np.max(size, initial=0.0)))
        open_ = self.open(number, np.maximum(size, np.abs(number.value)))
        allowed = open_ + spread + min(rtol, self.most) * size + 1e-12 * largest
        with np.errstate(all="ignore"):
            return bool(np.all(np.abs(number.value - expected) <= allowed))


def _largest(value: Any) -> float:
    """The largest finite size among the elements."""
    sizes = np.abs(value)
    return float(np.max(sizes, initial=0.0, where=np.isfinite(sizes)))


def close(value: Any, right: Any, rtol: float, share: float) -> bool:
    """Whether numbers agree to `rtol`, or to a share of the largest; what is no number never."""
    size = float(np.max(np.abs(right), initial=0))
    atol = share * size if np.isfinite(size) else 0.0
    return bool(np.allclose(value, right, rtol=rtol, atol=atol))


def alike(value: Any, right: Any, rtol: float = 1e-6) -> bool:
    """Whether two values are the same up to rounding; None is like nothing."""
    known = value is not None and right is not None and np.shape(value) == np.shape(right)
    return known and close(value, right, rtol, 1e-12)


def exact(value: Any) -> Written:
    """A number that a computation came to."""
    return Written(value, np.zeros(np.shape(value))[()], 17)


class Spreads(NamedTuple):
    """How much the accumulators and values that follow are left open by the digits."""

    gradients: dict[Key, Any]
    values: dict[Key, Any]


def own_values(flow: Flow) -> dict[Key, Any]:
    """The value of every stage, from the values that it reads."""
    return {
        key: stage.value([flow.values[read] for read in stage.reads])
        for key, stage in flow.stages.items()
    }


def _moves(number: Written, tolerance: Tolerance) -> Iterator[tuple[Any, float]]:
    """A written number moved within its radius, and the weight of the effect."""
    radius = tolerance.open(number, np.abs(number.value))  # how far it may be from what was meant
    size = np.size(number.value)
    if not np.all(np.isfinite(number.value)) or not np.any(radius):
        return
    if np.ndim(number.value) == 0:
        yield number.value + radius, 1.0
    elif size <= EACH:
        for i in range(size):
            unit = np.zeros(size)
            unit[i] = 1.0
            yield number.value + radius * unit.reshape(np.shape(number.value)), 1.0
    else:
        generator = np.random.default_rng(size)
        for _ in range(SAMPLES):
            signs = generator.choice((-1.0, 1.0), np.shape(number.value))
            yield number.value + radius * signs, 3.0 / SAMPLES


def _open(
    open_: dict[Key, Any], right: Mapping[Key, Any], moved: Mapping[Key, Any], share: float
) -> None:
    for key, value in moved.items():
        difference = share * np.abs(value - right[key])
        open_[key] = open_.get(key, 0.0) + np.nan_to_num(difference)


@dataclass(frozen=True)
class Digits:
    """What the digits of numbers leave open in all that follows from them."""

    flow: Flow
    """With the values that were written."""
    values: Mapping[Key, Written]
    gradients: Mapping[Key, Written]
    """What is passed on."""
    tolerance: Tolerance
    deadline: Deadline = NEVER

    @cached_property
    def allowed(self) -> Spreads:
        """As far as the tolerance allows."""
        return self._by(self.tolerance)

    @cached_property
    def whole(self) -> Spreads:
        """However few they are."""
        return self._by(Tolerance(digits=0))

    def _by(self, tolerance: Tolerance) -> Spreads:
        """Move every number by what its digits leave open, and see what follows.

        Raises `GradcliError` of kind submission after the deadline.
        """
        numbers = (*self.values.values(), *self.gradients.values())
        if all(not np.any(number.radius) for number in numbers):
            return Spreads({}, {})
        given = {key: number.value for key, number in self.gradients.items()}
        moves = Moves(self.flow, given, *self.flow.passes(given))
        own = own_values(self.flow) if self.values else {}
        open_ = Spreads({}, {})
        with np.errstate(all="ignore"):
            for key, number in self.values.items():
                for moved, share in _moves(number, tolerance):
                    self.deadline.check()
                    others, changed = moves.of_value(key, moved, self.values)
                    _open(open_.gradients, moves.follows, changed, share)
                    _open(open_.values, own, others, share)
            for key, number in self.gradients.items():
                for moved, share in _moves(number, tolerance):
                    self.deadline.check()
                    changed = moves.of_gradient(key, moved)
                    _open(open_.gradients, moves.follows, changed, share)
        return open_


def vague(number: Written, expected: Any, spread: Any) -> bool:
    """Whether a number is the expected one as far as it, and those before it, are written."""
    if not np.any(number.radius) or np.shape(number.value) != np.shape(expected):
        return False
    allowed = (number.radius + spread) * (1 + 1e-9)
    return bool(np.all(np.abs(number.value - expected) <= allowed))
