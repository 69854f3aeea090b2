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
from gradcli.check.finding import RESOLVED, SAFETY, ZERO, Finding, agreement, decide
from gradcli.check.function import Coordinate
from gradcli.check.jitter import EPS, TINY
from gradcli.check.method import consistent
from gradcli.check.sampling import Sampler
from gradcli.check.series import Series, displacement, drowned, resolved, sound
from gradcli.check.special import SETTLED
from gradcli.check.stencil import Outputs, Stencil
from gradcli.check.steps import LARGEST, MANTISSA, exact
from gradcli.ops.operation import Array
from gradcli.results.result import Verdict

STEPS = 9
"""An odd number: of the nodes between, every second step is looked at."""

FEW = 7
"""So many along a direction through a large array, where each costs a lot."""

JITTERED = 3

POINTS = 1 + 2 * STEPS + JITTERED

COLUMNS = 5

KNOWN = 6.0
"""An error of more than so many times the smallest step's noise is not the best that can be had:
smaller steps would know the slope better."""

SURE = 1e-6
"""A gradient that agrees with a slope to this, relatively, does so by no chance."""

BEYOND = 5.0
"""Where the slope is known so many times less well than a pass asks for, no points will help."""

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
    contradicted: Array
    """Where the slope is known well, and is another than the gradient."""
    best: Array
    """Whether other steps would hardly know the slope better."""
    joined: Array
    """Whether the steps begin before the ordinary ones end."""
    promising: Array
    """Where a look at the nodes between is all that is missing."""
    zero: Array
    """Where function and gradient are 0, as far as the values show it."""
    hopeless: Array
    """Where the slope agrees with the gradient as far as it is known, which is far too little."""
    nearby: Array
    """The steepest slope that is no noise."""
    level: Array
    """The function's size per unit of x."""
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

    def undecided(self, k: int, gradient: float, scatter: float) -> Finding | None:
        """What is found on a hopeless variable: that nothing can be known, if so it is."""
        slope, error = float(self.slope[k]), float(self.error[k])
        nearby, level = float(self.nearby[k]), float(self.level[k])
        found = decide(gradient, slope, error, scatter, nearby, level, flat=False)
        return found if found.verdict is Verdict.INCONCLUSIVE else None

    def differs(self, gradient: Array, scatter: float = 0.0) -> Array:
        """Which gradients seem to be wrong, if rounding moves them by no more than `scatter`."""
        noisy = scatter > 0.5 * np.abs(gradient)
        apart: Array = np.abs(gradient - self.slope) > self.tolerance + scatter
        return apart & np.isfinite(self.error) & ~noisy


class Steps(NamedTuple):
    """Steps of some variables, the largest first, and by how many bits neighbours differ."""

    h: Array
    bits: float


Ladder = Callable[[Array], Steps]


def ordinary(x: Array) -> Steps:
    """Steps about the larger of |x| and 1, the scale of most functions."""
    return _ladder(x, 2 * np.maximum(np.abs(x), 1.0), 10, STEPS)


def finer(x: Array) -> Steps:
    """Steps from |x| downwards, or from where the ordinary ones end."""
    size = np.where(x == 0, 1.0, np.abs(x))
    return _ladder(x, np.minimum(size, np.maximum(size, 1.0) / 32), 8, STEPS)


def along(x: Array) -> Steps:
    """Steps along a direction: from 1/2 to where few elements come to a border."""
    return _ladder(x, np.full(x.shape, 0.5), 18, FEW)


LADDERS: tuple[tuple[bool, Ladder], ...] = ((False, ordinary), (False, finer), (True, along))
"""The steps for numbers, those for what is left of them, and the steps along directions."""


def _ladder(x: Array, top: Array, whole: int, count: int) -> Steps:
    """Steps over so many bits as a whole."""
    bits = whole / (count - 1)
    h = MANTISSA * top[:, None] * np.exp2(-bits * np.arange(count))
    return Steps(exact(x[:, None], h), bits)


def look(
    sampler: Sampler,
    coordinates: Sequence[Coordinate],
    gradient: Array,
    ladder: Ladder,
    *,
    inside: bool,
) -> Looks:
    """Compare accumulators with slopes; the coordinates are sorted by their place in the graph.

    With `inside` the nodes between are looked at as well. Otherwise only what agrees to many digits
    passes: a flat function over a wildly moving inner node says nothing, but does not agree with a
    gradient to six digits by chance either. The values at x with jitter are kept, for the scatter
    of the gradient.
    """
    x = np.array([[c.x] for c in coordinates])
    h, bits = ladder(x[:, 0])
    n = h.shape[1]
    t = np.concatenate([x, x + h, x - h, np.repeat(x, JITTERED, axis=1)], axis=1).T
    between = _Between(x, h)
    stencil = Stencil(coordinates, np.ascontiguousarray(t), JITTERED, JITTERED)
    outputs = sampler.climb(stencil, between.see if inside else None)
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
    value, error, step = (np.column_stack(pair) for pair in zip(first, better, strict=True))
    slope, error, step = consistent((value, error, step), s, ALL, center, rough)
    good = ok.any(axis=1) & same[:, -SETTLED] & resolved(s, ALL) & np.isfinite(gradient)
    error = np.where(good, error, np.inf)
    # As good as it gets: smaller steps are noisier, and the next larger ones no better.
    best = good & (error <= KNOWN * s.N[:, -1]) & (s.N[:, -1] >= 0.9 * s.N[:, -2])
    joined = h[:, 0] > ordinary(x[:, 0]).h[:, -1]
    if ladder is finer:
        best &= (step < h[:, 0]) | joined
    tolerance, digits, passes = agreement(gradient, slope, error)
    unit = np.maximum(np.abs(x), 1.0)
    clear = s.moves > 20 * s.noise
    nearby = np.max(s.moves / h, axis=1, where=clear & (h <= 2 * unit), initial=0.0)
    level = np.abs(s.y0 / unit)[:, 0]
    size = np.maximum(np.abs(gradient), np.abs(slope))
    farther = np.where(step == h[:, 0], LARGEST, 1.0)
    hopeless = best & (np.abs(gradient - slope) <= tolerance)
    hopeless &= SAFETY * error > BEYOND * farther * RESOLVED * size
    contradicted = best & (np.abs(gradient - slope) > tolerance) & (tolerance <= RESOLVED * size)
    promising = passes & (not inside) & (tolerance > SURE * size)
    passes &= ~promising
    flat = (gradient == 0) & (s.moves == 0).all(axis=1)
    nothing = (s.y0[:, 0] == 0) & (s.noise <= TINY).all(axis=1)
    zero = flat & (nothing | (tolerance <= ZERO * level))
    promising |= zero & (not inside)
    zero &= inside
    hopeless &= ~flat & (np.abs(gradient) > 64 * EPS * nearby)
    judged = (tolerance, digits, passes, contradicted, best, joined, promising, zero, hopeless)
    return Looks(slope, error, *judged, nearby, level, outputs)


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
