"""A first look at all variables together, with a few points of each.

The whole method wants about 130 points, each with everything behind it, and eight backward passes.
For a right gradient of a function that is smooth at the point, a few steps on both sides and
three points with jitter are enough to see it, by the same criteria and with an honest error. All
variables go up the graph in one pass, and slopes, scales, extrapolation and decision are arrays
with a row for each. What they don't confirm gets the whole check: nothing is accused here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from gradcli.check.extrapolation import extrapolate
from gradcli.check.finding import ZERO, Finding, agreement
from gradcli.check.jitter import TINY
from gradcli.check.method import consistent
from gradcli.check.sampling import Coordinate, Sampler
from gradcli.check.series import Series, displacement, drowned, resolved, sound
from gradcli.check.special import SETTLED
from gradcli.check.steps import MANTISSA, exact
from gradcli.check.stencil import Outputs, Stencil
from gradcli.ops.operation import Array
from gradcli.results.result import Verdict

STEPS = 9
"""An odd number: of the nodes between, every second step is looked at."""

FEW = 7
"""So many along a direction through a large array, where each costs a lot."""

JITTERED = 3

POINTS = 1 + 2 * STEPS + JITTERED

COLUMNS = 5

KNOWN = 2.0
"""An error of more than so many times the smallest step's noise is not the best that can be had:
smaller steps would know the slope better."""

AT_ONCE = 2048
"""So many quantities are looked at together: their arrays stay in the processor's cache."""

ALL = slice(None)


class Looks(NamedTuple):
    """What the points show, an entry per variable.

    A slope that can't be told has an infinite error. `passes` says which gradients agree with
    theirs, `digits` to how many.
    """

    slope: Array
    error: Array
    tolerance: Array
    digits: Array
    passes: Array
    zero: Array
    """Where function and gradient are 0, as far as the values show it."""
    outputs: Outputs

    def finding(self, k: int) -> Finding:
        """What is found on a variable that passes or is zero."""
        verdict = Verdict.PASS if self.passes[k] else Verdict.ZERO
        found = Finding(verdict, slope=float(self.slope[k]), error=float(self.error[k]))
        found.tolerance = float(self.tolerance[k])
        if verdict is Verdict.ZERO:
            found.error = found.tolerance
        else:
            found.digits = float(self.digits[k])
        return found

    def differs(self, gradient: Array, scatter: float = 0.0) -> Array:
        """Which gradients seem to be wrong, if rounding alone moves them by no more than so much."""
        noisy = scatter > 0.5 * np.abs(gradient)
        apart: Array = np.abs(gradient - self.slope) > self.tolerance + scatter
        return apart & np.isfinite(self.error) & ~noisy


class Steps(NamedTuple):
    """Steps of some variables, the largest first, and by how many bits neighbours differ."""

    h: Array
    bits: Array


Ladder = Callable[[Array], Steps]


def ordinary(x: Array) -> Steps:
    """Steps from the larger of |x| and 1 to well below the smaller: a scale may be either."""
    top, whole = _range(x)
    return _ladder(x, top, whole, STEPS)


def finer(x: Array) -> Steps:
    """Steps from where the ordinary ones end."""
    top, whole = _range(x)
    return _ladder(x, top * np.exp2(1 - whole), np.full(x.shape, STEPS - 1.0), STEPS)


def along(x: Array) -> Steps:
    """Steps along a direction: from 1/2 to where few elements come to a border."""
    return _ladder(x, np.full(x.shape, 0.5), np.full(x.shape, 3.0 * (FEW - 1)), FEW)


LADDERS: tuple[tuple[bool, Ladder], ...] = ((False, ordinary), (False, finer), (True, along))
"""The steps for numbers, those for what is left of them, and the steps along directions."""


def _range(x: Array) -> tuple[Array, Array]:
    """The largest step, and how many bits the smallest is below it. At 0 the only scale is 1."""
    size = np.where(x == 0, 1.0, np.abs(x))
    top, low = np.maximum(size, 1.0), np.minimum(size, 1.0)
    return top, np.clip(np.log2(top / low) + 4, STEPS - 1, 4 * (STEPS - 1))


def _ladder(x: Array, top: Array, whole: Array, count: int) -> Steps:
    bits = (whole / (count - 1))[:, None]
    h = MANTISSA * top[:, None] * np.exp2(-bits * np.arange(count))
    return Steps(exact(x[:, None], h), bits)


def look(
    sampler: Sampler,
    coordinates: Sequence[Coordinate],
    gradient: Array,
    ladder: Ladder,
    *,
    held: bool = False,
) -> Looks:
    """Compare accumulators with slopes; the coordinates are sorted by their place in the graph.

    With `held` the values at x with jitter are kept, for the scatter of the gradient.
    """
    x = np.array([[c.x] for c in coordinates])
    h, bits = ladder(x[:, 0])
    n = h.shape[1]
    t = np.concatenate([x, x + h, x - h, np.repeat(x, JITTERED, axis=1)], axis=1).T
    between = _Between(x, h)
    stencil = Stencil(coordinates, np.ascontiguousarray(t), JITTERED, JITTERED if held else 0)
    outputs = sampler.climb(stencil, between.see)
    f, signature = outputs.f.T, outputs.signature.T
    near = np.isfinite(f) & (signature == signature[:, :1])
    # The steps that all smaller ones share x's piece with; others count as undefined.
    same = (near[:, 1 : n + 1] & near[:, n + 1 : 2 * n + 1])[:, ::-1]
    same = np.logical_and.accumulate(same, axis=1)[:, ::-1]
    y = f[:, : 2 * n + 1].copy()
    y[:, 1:][~np.concatenate([same, same], axis=1)] = np.nan
    s = Series(x, h, y, None, _floor(f))
    ok, error = sound(s, ALL, between=False)
    ok &= between.settled() & ~drowned(s, ALL)[:, :-1]
    rows, a = np.arange(len(x)), np.argmin(np.where(ok, error, np.inf), axis=1)
    center, rough = h[rows, a], error[rows, a]
    better = extrapolate(h, s.D, s.N * h, 2, COLUMNS, bits=bits)
    first = s.D[rows, a], rough, center
    found = tuple(np.column_stack(pair) for pair in zip(first, better, strict=True))
    slope, error, _ = consistent(found, s, ALL, center, rough)
    good = ok.any(axis=1) & same[:, -SETTLED] & resolved(s, ALL) & np.isfinite(gradient)
    error = np.where(good, error, np.inf)
    judged = agreement(gradient, slope, error, KNOWN * s.N[:, -1])
    return Looks(slope, error, *judged, _is_zero(x[:, 0], gradient, judged[0], s), outputs)


def _is_zero(x: Array, gradient: Array, tolerance: Array, s: Series) -> Array:
    """Where a function never moves, nor is its gradient other than 0."""
    flat = (gradient == 0) & (s.moves == 0).all(axis=1)
    nothing = (s.y0[:, 0] == 0) & (s.noise <= TINY).all(axis=1)
    level = np.abs(s.y0[:, 0]) / np.maximum(np.abs(x), 1.0)
    zero: Array = flat & (nothing | (tolerance <= ZERO * level))
    return zero


def _floor(y: Array) -> Array:
    """The noise at x: how far jitter moves the values there."""
    return np.max(displacement(y[:, -JITTERED:], y[:, :1]), axis=1, keepdims=True)


class _Between:
    """At which scales all nodes between a variable and the output are sound, every second one."""

    def __init__(self, x: Array, h: Array) -> None:
        self.x, self.h, self.steps = x, h[:, ::2], h.shape[1]
        self.ok = np.ones((len(x), self.steps // 2), dtype=bool)
        self.columns: list[Array] = []
        self.values: list[Array] = []
        self.waiting = 0

    def see(self, _node: int, columns: Array, values: Array) -> None:
        """Take what a node shows, and look at it when there is enough."""
        self.columns.append(columns)
        self.values.append(values)
        self.waiting += len(columns)
        if self.waiting >= AT_ONCE:
            self._judge()

    def settled(self) -> Array:
        """Where a scale (the smallest aside) is sound for all nodes between."""
        if self.waiting:
            self._judge()
        return np.repeat(self.ok, 2, axis=1)

    def _judge(self) -> None:
        columns = np.concatenate(self.columns)
        y = np.concatenate(self.values, axis=1).T
        n = self.steps
        seen = np.concatenate([y[:, :1], y[:, 1 : n + 1 : 2], y[:, n + 1 : 2 * n + 1 : 2]], axis=1)
        s = Series(self.x[columns], self.h[columns], seen, None, _floor(y))
        ok = sound(s, ALL, between=True)[0] | ~np.isfinite(y[:, :1])
        start = 0
        for part in self.columns:
            self.ok[part] &= ok[start : start + len(part)]
            start += len(part)
        self.columns, self.values, self.waiting = [], [], 0
