"""Slopes over all scales, and at 0: what the ladder shows of f and of every node between.

From values at x, x + h and x - h come, for each h, the central slope D, the even part S (how
much the two one-sided slopes differ) and the noise of D. All arrays have a row per quantity
(row 0 is the function, the others are the nodes between it and the coordinate) and a column
per step, the largest step first. Rows may belong to several coordinates: then `x` and the steps
`h` have a row for each as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from gradcli.check.jitter import EPS, TINY
from gradcli.ops.operation import Array

SETTLED = 3
"""Steps at the small end that show where a value or a slope goes."""

COLUMNS = 7
"""More columns gain nothing in doubles: the seventh is already of order h¹⁴."""

Candidates: TypeAlias = tuple[Array, Array, Array]
"""Values, their errors (infinite where there is no value), and each one's largest step."""


class Series:
    """Values at x and on both sides of it, with slopes and noise.

    Made from `y` with columns for x, for all x + h, and for all x - h.
    """

    def __init__(
        self, x: Any, h: Array, y: Array, jittered: Array | None, floor: Array | None
    ) -> None:
        """See the class; `jittered` is for x + h and x - h only.

        `floor` is each row's noise at x itself, which is the least it has anywhere. Only `beside`
        leaves it out: rounding may move x from one side of a border to the other, and its
        neighbours not.
        """
        n = h.shape[-1]
        self.x, self.h = x, h
        self.y0, self.right, self.left = y[:, :1], y[:, 1 : n + 1], y[:, n + 1 : 2 * n + 1]
        up, down = (x + h) - x, x - (x - h)
        self.D = (self.right - self.left) / (up + down)
        self.S = ((self.right - self.y0) - (self.y0 - self.left)) / h
        self.size = np.fmax(np.abs(self.right), np.abs(self.left))
        self.noise = np.fmax(0.5 * EPS * self.size, TINY)
        if jittered is not None:
            self._see(jittered, y[:, 1 : 2 * n + 1])
        self.beside = self.noise
        if floor is not None:
            self.noise = np.fmax(self.noise, floor)
        # Steps above |x| are not exact on both sides; what that moves is not the slope.
        self.uneven = finite(np.abs(up - down) / 2 * np.abs(self.S))
        self.N = (self.noise + self.uneven) / h
        self.moves = np.fmax(np.abs(self.right - self.y0), np.abs(self.left - self.y0))

    def _see(self, jittered: Array, plain: Array) -> None:
        """Take the noise from the jittered twin, the larger of both sides and of neighbours.

        A disturbance may happen to be small at one step, so its neighbours count as well, but
        only as far as the noise there is no rounding of a far larger value.
        """
        n = self.h.shape[-1]
        both = displacement(jittered, plain)
        here = np.fmax(both[:, :n], both[:, n:])
        around = here.copy()
        around[:, 1:] = np.fmax(around[:, 1:], here[:, :-1])
        around[:, :-1] = np.fmax(around[:, :-1], here[:, 1:])
        seen = np.minimum(around, np.fmax(here, 32 * EPS * self.size))
        nothing = self.size == 0
        if nothing.any():
            # Where the values are all 0, as (3 + h) - 3 for tiny h, chance may have spared some.
            alike = np.max(here, axis=1, keepdims=True, where=nothing, initial=0.0)
            seen = np.where(nothing, alike, seen)
        self.noise = np.fmax(self.noise, seen)

    def _part(self, take: Callable[[str, Any], Any]) -> Series:
        some = Series.__new__(Series)
        for name, value in vars(self).items():
            setattr(some, name, take(name, value))
        return some

    def upto(self, largest: float) -> Series:
        """The same with only the steps up to a size."""
        keep = self.h <= largest
        return self._part(lambda name, value: value if name in ("x", "y0") else value[..., keep])

    def of_function(self) -> Series:
        """The same without the nodes between."""
        return self._part(lambda name, value: value if name in ("x", "h") else value[:1])

    def of_rows(self, rows: Any) -> Series:
        """The same of some quantities only, if each has its own `x` and steps."""
        return self._part(lambda _, value: value[rows])


def displacement(jittered: Array, plain: Array) -> Array:
    """How far jitter moved a value; where it made one not finite, everything is noise."""
    moved = np.where(np.isfinite(jittered), np.abs(jittered - plain), np.inf)
    return np.where(np.isfinite(plain), moved, 0.0)


def finite(array: Array) -> Array:
    """The array with zeros where it is not finite."""
    return np.where(np.isfinite(array), array, 0.0)


def tail(ok: Array) -> slice:
    """The unbroken run of true entries that ends at the last one."""
    (places,) = np.nonzero(ok)
    if not len(places):
        return slice(0, 0)
    end = int(places[-1]) + 1
    (gaps,) = np.nonzero(~ok[:end])
    return slice(int(gaps[-1]) + 1 if len(gaps) else 0, end)


def power(h: Array, q: Array, noise: Array) -> float | None:
    """The exponent p of |q| ~ hᵖ towards small h; None where there is no such law.

    Taken from the four smallest steps at which q stands clear of its noise (the two smallest
    of all may be ragged), and only if their three ratios agree and the steps below them do not
    contradict: what grows like 1/h must go on growing.
    """
    size = np.abs(q)
    (clear,) = np.nonzero(size > 20 * noise)
    for cut in range(min(3, len(clear) - 3)):
        end = len(clear) - cut
        i = clear[end - 4 : end]
        log_size, log_h = np.log(size[i]), np.log(h[i])
        exponents = sorted(((log_size[1:] - log_size[:-1]) / (log_h[1:] - log_h[:-1])).tolist())
        if not exponents[2] - exponents[0] <= 0.12:
            continue
        p = exponents[1]
        last = i[-1]
        below = slice(last + 1, None)
        expected = 0.5 * size[last] * (h[below] / h[last]) ** p
        return p if np.all(size[below] + 3 * noise[below] >= expected) else None
    return None


def sound(s: Series, run: slice, between: Any) -> tuple[Array, Array]:
    """Where a scale counts for a quantity, and the error of its slope (without the last step).

    A scale counts when its slope is confirmed by all smaller ones within twice its truncation
    (as the next scale shows it) and noise, and when odd and even part follow the quadratic model
    of a smooth function. `between` says which quantities are nodes between, where nothing but
    rounding is no objection.
    """
    h = s.h[..., run]
    D, S, N, noise = s.D[:, run], s.S[:, run], s.N[:, run], s.noise[:, run]
    ratio = h[..., :-1] / h[..., 1:]
    Da, Db, Sa, Sb, Na, Nb = D[:, :-1], D[:, 1:], S[:, :-1], S[:, 1:], N[:, :-1], N[:, 1:]
    change = np.abs(Da - Db)
    error = change + Na + Nb
    flat = s.moves[:, run][:, :-1] <= 4 * noise[:, :-1]
    usable = np.isfinite(error) | (flat & between)
    # |Da - Dl| ≤ 2·change + 3·(Na + Nl) for every smaller l, as bounds from below and above.
    least = np.fmin.accumulate((D + 3 * N)[:, ::-1], axis=1)[:, ::-1][:, 1:]
    most = np.fmax.accumulate((D - 3 * N)[:, ::-1], axis=1)[:, ::-1][:, 1:]
    slack = 2 * change + 3 * Na
    confirmed = ~((Da - least > slack) | (most - Da > slack))
    # Below the last pair nothing confirms: there the function must be a straight line.
    confirmed[:, -1] &= ~(np.abs(Sb[:, -1]) > 0.5 * np.abs(Db[:, -1]) + 4 * Nb[:, -1])
    error[:, -1] = np.maximum(error[:, -1], np.abs(Sb[:, -1]))
    decays = (np.abs(Sb) <= 1.5 * np.abs(Sa) / ratio + 4 * Nb) & (
        np.abs(Db) <= 1.5 * np.abs(Da) + Nb
    )
    decays[:, -1] = False
    bend = finite(np.abs(Sa - Sb * ratio) - 8 * Nb * ratio)
    rough = np.maximum(error, bend) > 0.3 * np.maximum(np.abs(Da), np.abs(Sa))
    return usable & confirmed & (flat | decays | ~rough), error


def drowned(s: Series, run: slice) -> Array:
    """Where a quantity has no digits: its noise is more than a twentieth of its size."""
    least: Array = np.maximum(0.05 * np.maximum(s.size[:, run], np.abs(s.y0)), 64 * TINY)
    return s.noise[:, run] > least


def resolved(s: Series, run: slice) -> Array:
    """Whether a quantity looks smooth at the two smallest steps, where it moves at all.

    Otherwise it oscillates between neighbouring doubles, and no step says anything.
    """
    h = s.h[..., run]
    Da, Db = np.abs(s.D[:, run][:, -2]), np.abs(s.D[:, run][:, -1])
    Sa, Sb = np.abs(s.S[:, run][:, -2]), np.abs(s.S[:, run][:, -1])
    Na, Nb = s.N[:, run][:, -2], s.N[:, run][:, -1]
    still = s.moves[:, run][:, -1] <= 20 * s.noise[:, run][:, -1]
    steady = (Db <= 1.5 * Da + 3 * (Na + Nb)) & (
        Sb <= 1.5 * Sa * h[..., -1] / h[..., -2] + 0.3 * Db + 4 * Nb
    )
    smooth: Array = still | steady
    return smooth


def between(h: Array, known: Array, values: Array) -> Array:
    """Noise at other steps, interpolated on a log-log scale; `known` is descending."""
    return np.exp(np.interp(np.log(h), np.log(known[::-1]), np.log(values[::-1])))


def extrapolate(
    h: Array, slopes: Array, noise: Array, order: int, columns: int, *, bits: float = 1.0
) -> Candidates:
    """Richardson's candidates for the slope at 0, from slopes at h, h/2, h/4 … (or h/2^`bits` …).

    A central slope is D + c₁h² + c₂h⁴ + …, a one-sided one D + c₁h + c₂h² + …; combining two
    neighbours of the sequence removes one term, combining the results the next. Each column of
    this table is one order better and a little noisier, so none is always right: every entry
    is a candidate, with an error of its own.
    (L. F. Richardson, The deferred approach to the limit, 1927.)

    The steps, the largest first, are the last axis. The error is how much an entry still changes
    in the next two rows, plus what the noise of the values (`noise`, not divided by h) can do at
    worst.
    """
    value, doubt = slopes, noise / h
    values: list[Array] = [value[..., :0]]
    errors: list[Array] = [value[..., :0]]
    steps: list[Array] = [h[..., :0]]
    for column in range(columns):
        if column:
            factor = 2.0 ** (bits * order * column)
            value = (factor * value[..., 1:] - value[..., :-1]) / (factor - 1)
            doubt = (factor * doubt[..., 1:] + doubt[..., :-1]) / (factor - 1)
        if value.shape[-1] < 3:
            break
        change = np.abs(value[..., 1:] - value[..., :-1])
        values.append(value[..., :-2])
        errors.append(np.maximum(change[..., :-1], change[..., 1:]) + doubt[..., :-2])
        steps.append(h[..., : value.shape[-1] - 2])
    found, error, step = (np.concatenate(part, axis=-1) for part in (values, errors, steps))
    return found, np.where(np.isfinite(found) & np.isfinite(error), error, np.inf), step


def consistent(found: Candidates, s: Series, run: slice, center: Any, rough: Any) -> Candidates:
    """The candidate of least error that every smaller step of the ladder agrees with.

    One for every coordinate of the series, whose row it is; its error is infinite where there is
    none. `center` and `rough` are the scale that is believed most, and the error there.
    """
    h, D, N = np.atleast_2d(s.h[..., run]), s.D[:, run], s.N[:, run]
    value, error, step = found
    center, rough = np.reshape(center, (-1, 1)), np.reshape(rough, (-1, 1))
    # |D - value| ≤ 3·error + slack for all steps up to `center`, as bounds from below and above.
    slack, ignored = 3 * N + 2 * rough * (h / center) ** 2, h > center
    least = np.where(ignored, np.inf, D + slack).min(axis=-1, keepdims=True)
    most = np.where(ignored, -np.inf, D - slack).max(axis=-1, keepdims=True)
    agree = (value - least <= 3 * error) & (most - value <= 3 * error)
    error = np.where(agree, error, np.inf)
    best = np.arange(len(error)), np.argmin(error, axis=-1)
    return value[best], error[best], step[best]
