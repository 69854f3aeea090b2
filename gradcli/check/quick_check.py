"""A first look at all variables together, with a few points of each.

The whole method wants about 130 points, each with everything behind it, and eight backward passes.
For a right gradient of a function that is smooth at the point, a few steps on both sides and
three points with jitter are enough to see it, by the same criteria and with an honest error. All
variables go up the graph in one pass, and slopes, scales, extrapolation and decision are arrays
with a row for each. What they don't confirm gets the whole check: nothing is accused here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.check.finding import RESOLVED, SAFETY, ZERO, Finding, agreement, decide
from gradcli.check.function import Coordinate, Function
from gradcli.check.jitter import EPS, TINY
from gradcli.check.series import (
    SETTLED,
    Series,
    consistent,
    displacement,
    drowned,
    extrapolate,
    resolved,
    sound,
)
from gradcli.check.stencil import Outputs, Pass, Seen, Stencil, columns_of
from gradcli.check.steps import LARGEST, MANTISSA, exact
from gradcli.ops.operation import Array
from gradcli.results.result import Verdict

STEPS = 11
"""An odd number: of the nodes between, every second step is looked at."""

BITS = 1.25
"""By so many bits neighbouring steps differ."""

FINER = 9
"""So many between those and the next larger border."""

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

BEYOND = 4.0
"""Where the slope is known so many times less well than a pass asks for, no points will help."""

AT_ONCE = 2048
"""So many quantities are looked at together: their arrays stay in the processor's cache."""

KEPT = 4096
"""The variables times the nodes behind them don't exceed this where all these nodes' values are
kept, in case that they are asked for."""

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
    """Where a look at the nodes between is missing before these two can be believed."""
    scale: Array
    """Which of the steps is believed most."""
    zero: Array
    """Where function and gradient are 0, as far as the values show it."""
    hopeless: Array
    """Where the slope agrees with the gradient as far as it is known, which is far too little."""
    nearby: Array
    """The steepest slope that is no noise."""
    level: Array
    """The function's size per unit of x."""

    def findings(self, which: Array) -> Iterator[tuple[int, Finding]]:
        """Which variables these are, all of which pass or are zero, and what is found on each."""
        (rows,) = which.nonzero()
        numbers = (part[rows].tolist() for part in (self.slope, self.error, self.tolerance))
        told = self.passes[rows].tolist(), self.digits[rows].tolist()
        for k, slope, error, tolerance, passes, digits in zip(
            rows.tolist(), *numbers, *told, strict=True
        ):
            verdict = Verdict.PASS if passes else Verdict.ZERO
            yield (
                k,
                Finding(
                    verdict,
                    slope=slope,
                    error=error if passes else tolerance,
                    tolerance=tolerance,
                    digits=digits if passes else None,
                ),
            )

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
    """Steps downwards from the largest of all, which is beyond the scale of most functions."""
    _, exponent = np.frexp(x)
    return _ladder(x, np.maximum(np.ldexp(2.0, exponent), LARGEST), STEPS, BITS)


def finer(x: Array) -> Steps:
    """Steps from |x| downwards, or from where the ordinary ones end."""
    size = np.where(x == 0, 1.0, np.abs(x))
    return _ladder(x, np.minimum(size, np.maximum(size, 1.0) / 32), FINER, 1.0)


def along(x: Array) -> Steps:
    """Steps along a direction: from 1/2 to where few elements come to a border."""
    return _ladder(x, np.full(x.shape, 0.5), FEW, 3.0)


def finer_along(x: Array) -> Steps:
    """Steps along a direction that stay before borders which many elements come close to."""
    return _ladder(x, np.full(x.shape, 2.0**-14), FEW, 3.0)


LADDERS: tuple[tuple[bool, Ladder], ...] = (
    *((False, ordinary), (False, finer)),
    *((True, along), (True, finer_along)),
)
"""The steps for numbers and along directions, each with those for what is left."""


def _ladder(x: Array, top: Array, count: int, bits: float) -> Steps:
    """So many steps, each by some bits smaller than the one before.

    In memory a step of all variables comes after the other, so that some of the steps are a block.
    """
    h = MANTISSA * top * np.exp2(-bits * np.arange(count))[:, None]
    return Steps(exact(x, h).T, bits)


class Shown(NamedTuple):
    """What the points of some variables show, a row for each."""

    ladder: Ladder
    steps: Steps
    series: Series
    near: Array
    """Whether the smallest steps are on the piece of the function that x is on."""
    outputs: Outputs
    between: _Between | None
    """The nodes between, where they were looked at or kept."""

    def judged(self, gradient: Array, rows: Any = ALL, *, inside: bool) -> Looks:
        """Compare the accumulators of the variables in some `rows` with the slopes.

        With `inside` by what the nodes between show as well. Otherwise only what agrees to many
        digits passes: a flat function over a wildly moving inner node says nothing, but does not
        agree with a gradient to six digits by chance either.
        """
        s = self.series if rows is ALL else self.series.of_rows(rows)
        h, x = s.h, s.x
        ok, error = sound(s, ALL, between=False)
        ok &= ~drowned(s, ALL)[:, :-1]
        if inside:
            assert self.between is not None
            ok &= self.between.settled(rows)
        every, a = np.arange(len(h)), np.argmin(np.where(ok, error, np.inf), axis=1)
        center, rough = h[every, a], error[every, a]
        better = extrapolate(h, s.D, s.N * h, 2, COLUMNS, bits=self.steps.bits)
        first = s.D[every, a], rough, center
        value, error, step = (
            np.concatenate([one[:, None], more], axis=1)
            for one, more in zip(first, better, strict=True)
        )
        slope, error, step = consistent((value, error, step), s, ALL, center, rough)
        good = ok.any(axis=1) & self.near[rows] & resolved(s, ALL) & np.isfinite(gradient)
        error = np.where(good, error, np.inf)
        # As good as it gets: smaller steps are noisier, and the next larger ones no better.
        best = good & (error <= KNOWN * s.N[:, -1]) & (s.N[:, -1] >= 0.9 * s.N[:, -2])
        joined = np.ones(len(h), dtype=bool)
        if self.ladder is finer:
            joined = h[:, 0] > ordinary(x[:, 0]).h[:, -1]
            best &= (step < h[:, 0]) | joined
        tolerance, digits, passes = agreement(gradient, slope, error)
        apart = np.abs(gradient - slope) > tolerance
        unit = np.maximum(np.abs(x), 1.0)
        clear = s.moves > 20 * s.noise
        nearby = np.max(s.moves / h, axis=1, where=clear & (h <= 2 * unit), initial=0.0)
        level = np.abs(s.y0 / unit)[:, 0]
        size = np.maximum(np.abs(gradient), np.abs(slope))
        # The ordinary steps end where all do; another's largest may not be the best one.
        farther = 1.0 if self.ladder is ordinary else np.where(step == h[:, 0], LARGEST, 1.0)
        hopeless = best & ~apart & (SAFETY * error > BEYOND * farther * RESOLVED * size)
        contradicted = best & apart & (tolerance <= RESOLVED * size)
        flat = gradient == 0
        zero = flat
        if flat.any():
            flat &= (s.moves == 0).all(axis=1)
            nothing = (s.y0[:, 0] == 0) & (s.noise <= TINY).all(axis=1)
            zero = flat & (nothing | (tolerance <= ZERO * level))
        loosely = passes & (np.abs(gradient - slope) > SURE * size)
        promising = (not inside) & (loosely | zero)
        hopeless &= ~flat & (np.abs(gradient) > 64 * EPS * nearby)
        which = (passes, contradicted, best, joined, promising, a, zero, hopeless)
        return Looks(slope, error, tolerance, digits, *which, nearby, level)

    def confirmed(self, looks: Looks) -> list[int]:
        """Look at the nodes between for what is promising; the rows that are to be judged anew.

        If none of these nodes objects to the scale that is believed most, all stays as it was.
        """
        assert self.between is not None
        rows = np.flatnonzero(looks.promising)
        settled = self.between.settled(rows)
        changed = ~settled[np.arange(len(rows)), looks.scale[rows]]
        looks.promising[rows[~changed]] = False
        again: list[int] = rows[changed].tolist()
        return again


def look(
    function: Function, coordinates: Sequence[Coordinate], ladder: Ladder, *, inside: bool
) -> Shown:
    """Put some variables through the steps of a ladder; they are sorted by their place.

    With `inside` the nodes between are shown as well; where there are few they always are. The
    values at x with jitter are kept, for the scatter of the gradient.
    """
    at = np.array([c.x for c in coordinates])
    steps = ladder(at)
    x, h, n = at[:, None], steps.h, steps.h.shape[1]
    t = np.concatenate([x, x + h, x - h, *[x] * JITTERED], axis=1).T
    behind = len(function.graph.nodes) - function.place[coordinates[0].node]
    between = None
    if inside or behind * len(coordinates) <= KEPT:
        between = _Between(x, h, at_once=inside)
    stencil = Stencil(coordinates, t, JITTERED, JITTERED)
    outputs = Pass(function, stencil, between.visit if between else None).run()
    f, signature = outputs.f.T, outputs.signature.T
    near = np.isfinite(f) & (signature == signature[:, :1])
    # The steps that all smaller ones share x's piece with; others count as undefined.
    same = (near[:, 1 : n + 1] & near[:, n + 1 : 2 * n + 1])[:, ::-1]
    same = np.logical_and.accumulate(same, axis=1)[:, ::-1]
    y = f[:, : 2 * n + 1].copy(order="K")
    if not same.all():
        y[:, 1:][~np.concatenate([same, same], axis=1)] = np.nan
    series = Series(x, h, y, None, _floor(f))
    return Shown(ladder, steps, series, same[:, -SETTLED], outputs, between)


def _floor(y: Array) -> Array:
    """The noise at x: how far jitter moves the values there."""
    return np.max(displacement(y[:, -JITTERED:], y[:, :1]), axis=1, keepdims=True)


class _Between:
    """At which scales all nodes between a variable and the output are sound, every second one.

    They are judged `at_once`, or kept until some of the variables are asked for; only these can
    then be asked for again.
    """

    def __init__(self, x: Array, h: Array, *, at_once: bool) -> None:
        self.x, self.h, self.steps = x, h[:, ::2], h.shape[1]
        self.ok = np.ones((len(x), self.steps // 2), dtype=bool)
        self.seen: list[Seen] = []
        self.waiting = 0
        self.visit = self._see if at_once else self.seen.append

    def _see(self, node: Seen) -> None:
        """Take what a node shows, and look at it when there is enough."""
        self.seen.append(node)
        self.waiting += node[1].bit_count()
        if self.waiting >= AT_ONCE:
            self._judge(ALL)

    def settled(self, rows: Any) -> Array:
        """Where a scale (the smallest aside) is sound for all nodes behind some variables."""
        if self.seen:
            self._judge(rows)
        return np.repeat(self.ok[rows], 2, axis=1)

    def _judge(self, rows: Any) -> None:
        _, sets, values = zip(*self.seen, strict=True)
        self.seen.clear()
        self.waiting = 0
        _, columns = columns_of(sets, len(self.x))
        wanted = np.zeros(len(self.x), dtype=bool)
        wanted[rows] = True
        these = wanted[columns]
        columns = columns[these]
        y = np.concatenate(values, axis=1)[:, these].T
        n = self.steps
        seen = np.concatenate([y[:, :1], y[:, 1 : n + 1 : 2], y[:, n + 1 : 2 * n + 1 : 2]], axis=1)
        s = Series(self.x[columns], self.h[columns], seen, None, _floor(y))
        rough = ~sound(s, ALL, between=True)[0] & np.isfinite(y[:, :1])
        for k, bad in enumerate(rough.T):
            self.ok[:, k] &= np.bincount(columns[bad], minlength=len(self.x)) == 0
