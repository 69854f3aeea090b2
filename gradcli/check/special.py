"""Points where there is no slope to compare with: kinks, jumps, edges, vertical tangents.

Central differences are blind to them (of relu at 0 they say 1/2 at every h). So the two
sides are looked at on their own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import NamedTuple, TypeAlias

import numpy as np

from gradcli.check.choices import Signature
from gradcli.check.finding import FLOOR, SAFETY, Finding
from gradcli.check.jitter import EPS, TINY
from gradcli.check.sampling import Points, Samples
from gradcli.check.series import SETTLED, Series, between, extrapolate, finite, power, tail
from gradcli.check.steps import halvings
from gradcli.ops.operation import Array, Operation
from gradcli.results.result import Verdict

Conversation: TypeAlias = Generator[Points, Samples, Finding]
"""How a check goes on: it asks for points, is given samples, and comes to a finding."""

OUTSIDE = "does not lie between"
"""Said of a gradient at a kink that is neither slope nor between them."""

BENT = 1e-3
"""The most a slope may change from one step to the next, if no smaller step confirms it."""


class View(NamedTuple):
    """What the ladder showed, and what it is to be compared with."""

    x: float
    gradient: float
    scatter: float
    series: Series
    right: Signature
    left: Signature
    """The signatures on both sides."""
    here: int
    """The signature at x."""
    ties: list[Operation]
    """The operations that stand on a border at x."""
    operations: list[str]
    """The operation of every row of the series."""
    smooth: Callable[[], bool]
    """Whether the function has a slope at x, however sharply it turns there."""
    moves: Callable[[], bool]
    """Whether rules of the table say that it has one other than 0."""

    @property
    def f0(self) -> float:
        """The function's value at x."""
        return float(self.series.y0[0, 0])

    def upto(self, largest: float) -> View:
        """The same with only the smaller steps."""
        keep = self.series.h <= largest
        return self._replace(
            series=self.series.upto(largest), right=self.right[keep], left=self.left[keep]
        )


class Side(NamedTuple):
    """One side of the point: slopes q towards it at steps h, and their limit."""

    slope: float
    error: float
    exponent: float | None
    """p where the slopes grow like hᵖ."""
    q: Array
    h: Array
    moves: Array
    """How far f is from its value at x."""
    noise: Array

    @property
    def leaps(self) -> bool:
        """The value does not come back to f(x) as the step goes to 0."""
        return self.exponent is not None and self.exponent < -0.9 and settled(self.q * self.h, 0.0)

    @property
    def steep(self) -> bool:
        """The slope grows without bound, the value does not leap."""
        if self.exponent is not None and -0.9 <= self.exponent < -0.05:
            return True
        return bool(
            self.q.size
            and abs(self.q[-1]) * self.h[-1] < abs(self.q[0]) * self.h[0]
            and self._runs_away(self.q, self.noise / self.h) is not None
        )

    @property
    def bends(self) -> bool:
        """The slopes go to 0 as those of |x|^1.25 do, and no polynomial in h shows it."""
        return self.exponent is not None and 0.05 < self.exponent < 0.9

    @property
    def goes_to(self) -> float | None:
        """±∞ where the value itself grows without bound: like 1/h, or like log(1/h), say."""
        return self._runs_away(self.moves, self.noise)

    def _runs_away(self, quantity: Array, noise: Array) -> float | None:
        """±∞ where a quantity grows without bound, if only as log(1/h) does.

        So it does if each of the last four steps moves it as far as the one before (per step of
        the logarithm of h), or farther; a quantity with a limit in sight moves less and less.
        """
        last = slice(-SETTLED - 1, None)
        moves, h, noise = quantity[last], self.h[last], noise[last]
        if len(h) <= SETTLED:
            return None
        ways = np.diff(moves) / np.log(h[:-1] / h[1:])
        clear = np.abs(np.diff(moves)) > 40 * noise[1:]
        one_way = bool((ways > 0).all() or (ways < 0).all()) and ways[-1] * moves[-1] > 0
        size = np.abs(ways)
        if not (one_way and clear.all() and (size[1:] > 0.98 * size[:-1]).all()):
            return None
        return float(np.copysign(np.inf, ways[-1]))


def settled(values: Array, f0: float) -> bool:
    """Whether values on one side have a limit: the last three agree, compared with their way."""
    last = values[-SETTLED:]
    return bool(np.max(last) - np.min(last) <= 0.1 * max(np.max(np.abs(last - f0)), TINY))


def one_side(view: View, sign: int) -> Generator[Points, Samples, Side | None]:
    """The slope on one side, by Richardson in h; None where there is no room for steps."""
    s, x, f0 = view.series, view.x, view.f0
    h, f = s.h, (s.right if sign > 0 else s.left)[0]
    signature = view.right if sign > 0 else view.left
    noise = np.fmax(np.fmax(0.5 * EPS * np.fmax(np.abs(finite(f)), abs(f0)), TINY), s.noise[0])
    q = (f - f0) / ((x + sign * h) - x)
    doubt = 2 * noise / h
    ok = np.isfinite(f)
    if not ok.any():
        return None
    ok &= ~_swallowed(q, h, noise, signature, (signature == view.here) & (f == f0))
    if not ok.any():
        return None
    branch = signature[np.nonzero(ok)[0][-1]]
    run = tail(ok & (signature == branch))
    if run.stop - run.start < SETTLED:
        return None
    exponent = power(h[run], q[run], doubt[run])
    best = _best_scale(q[run], doubt[run], np.abs(f[run] - f0) <= 4 * noise[run])
    side = Side(np.nan, np.inf, exponent, q[run], h[run], (f - f0)[run], noise[run])
    if side.bends:
        return side._replace(slope=0.0, error=float(abs(side.q[-1])))
    if best is None:
        return side
    error, a = best
    center = float(side.h[a])
    side = side._replace(slope=float(side.q[a]), error=error)
    fine = halvings(x, center, 8, 16, side.h[-1], side.h[0])
    if len(fine) < 4:
        return side
    t = x + sign * fine
    samples = yield Points(np.append(x, t))
    values, found = samples.y[0, 1:], samples.signature[1:]
    run2 = tail(np.isfinite(values) & (found == found[-1]))
    nu = 2 * np.fmax(between(fine, side.h, noise[run]), 0.5 * EPS * np.abs(finite(values)))
    slopes = (values - samples.y[0, 0]) / (t - x)
    value, errors, step = extrapolate(fine[run2], slopes[run2], nu[run2], 1, 5)
    near = np.maximum(1, side.h / center)
    slack = 3 * (errors[:, None] + doubt[run]) + 2 * error * near
    agree = np.abs(side.q - value[:, None]) <= slack
    agree = (agree | (side.h > step[:, None])).all(axis=1)
    if agree.any():
        k = int(np.argmin(np.where(agree, errors, np.inf)))
        if errors[k] < error:
            return side._replace(slope=float(value[k]), error=float(errors[k]))
    return side


def _swallowed(q: Array, h: Array, noise: Array, signature: Signature, still: Array) -> Array:
    """The smallest steps, if at them rounding is all that keeps a function on its border.

    1 + x is 1 for |x| below 1e-16, and max(1 + x, 1) stands on its border at all of these. They
    are passed over if the three steps before are on one piece, and if the slope there would have
    moved f by no more than its noise.
    """
    found = np.zeros_like(still)
    (moving,) = np.nonzero(~still)
    last = int(moving[-1]) if len(moving) else 0
    before = signature[max(0, last - SETTLED + 1) : last + 1]
    one_piece = len(before) == SETTLED and bool((before == before[0]).all())
    hidden = np.abs(q[last]) * h <= 4 * noise
    found[last + 1 :] = one_piece and bool(hidden[last + 1 :].all())
    return found


def _best_scale(q: Array, doubt: Array, flat: Array) -> tuple[float, int] | None:
    """The least error among the scales that all smaller ones confirm, and which it is."""
    best = None
    change = np.abs(q[1:] - q[:-1])
    error = change + doubt[:-1] + doubt[1:]
    bent = ~flat[:-1] & (error > 0.5 * np.abs(q[:-1])) & (np.abs(q[1:]) > 0.75 * np.abs(q[:-1]))
    for a in np.argsort(error, kind="stable"):
        if bent[a] or not np.isfinite(error[a]):
            continue
        slack = 2.5 * change[a] + 3 * (doubt[a + 1 :] + doubt[a])
        if np.all(np.abs(q[a] - q[a + 1 :]) <= slack):
            best = (float(error[a]), int(a))
            break
    return best


def corner(view: View) -> Generator[Points, Samples, Finding | None]:
    """A kink, a jump or a cusp, from the two sides; None if their slopes agree."""
    name = view.ties[0].name if view.ties else None
    jumping = next((tied.name for tied in view.ties if tied.jumps), name)
    if name and (gap := _gap(view)):
        return Finding(Verdict.JUMP, f"f leaps by {gap:.3g}", operation=jumping)
    right = yield from one_side(view, 1)
    left = yield from one_side(view, -1)
    for found, where in ((right, "right"), (left, "left")):
        limit = found and found.goes_to
        if limit is not None:
            reason = f"f → {'+' if limit > 0 else '−'}∞ on the {where}"
            return Finding(Verdict.JUMP, reason, operation=jumping)
    if right is None or left is None:
        return _one_missing(view, right, left, name)
    if right.leaps or left.leaps:
        leap = _leap(view, right, left)
        if leap is None:
            return Finding(Verdict.INCONCLUSIVE, "a border is nearer than any step", operation=name)
        return Finding(Verdict.JUMP, f"f leaps by {leap:.3g}", operation=jumping)
    if right.steep or left.steep:
        return Finding(
            Verdict.EDGE,
            "the slope is infinite",
            left=_limit(left),
            right=_limit(right),
            operation=name,
        )
    if right.bends and left.bends:
        return Finding(Verdict.INCONCLUSIVE, "f bends nearer to the point than any step")
    error = SAFETY * (right.error + left.error)
    size = max(abs(right.slope), abs(left.slope))
    if not abs(right.slope - left.slope) > error + FLOOR * size:
        return None
    if not right.error + left.error <= BENT * size:
        return Finding(Verdict.INCONCLUSIVE, "the one-sided slopes do not settle", operation=name)
    return Finding(
        Verdict.KINK,
        _between(view.gradient, left, right),
        error=right.error + left.error,
        left=left.slope,
        right=right.slope,
        operation=name,
    )


def _one_missing(view: View, right: Side | None, left: Side | None, name: str | None) -> Finding:
    """A corner with no room for steps on one side, or on both."""
    if right is None and left is None:
        return Finding(Verdict.INCONCLUSIVE, "no room for a step on either side")
    missing, values = ("left", view.series.left) if right else ("right", view.series.right)
    # Where f has values the domain does not end: another border is too near.
    verdict = Verdict.INCONCLUSIVE if np.isfinite(values[0, -1]) else Verdict.EDGE
    return Finding(verdict, f"no room for a step on the {missing}", operation=name)


def _leap(view: View, right: Side, left: Side) -> float | None:
    """How far f leaps at the smallest step; None if rounding of f or x may be all of it."""
    above, below = float(view.series.right[0, -1]), float(view.series.left[0, -1])
    leap = abs(above - below) or max(abs(above - view.f0), abs(below - view.f0))
    slope = max(abs(view.gradient), abs(float(right.q[0])), abs(float(left.q[0])))
    return None if leap <= 64 * EPS * max(abs(view.f0), abs(view.x) * slope) else leap


def _gap(view: View) -> float:
    """How far apart the two sides stay as h goes to 0; 0 if they meet, or it can't be told.

    At a border rounding may put x itself, and its nearest neighbours, on either side; such steps,
    at which jitter moves f by about the gap, are passed over. Behind them three steps must show
    one gap, and nothing of it may be noise.
    """
    s = view.series
    gap, noise = np.abs(s.right[0] - s.left[0]), s.beside[0]
    (quiet,) = np.nonzero(np.isfinite(gap) & (noise <= 1e-3 * gap))
    if len(quiet) < SETTLED or not np.isfinite(gap).all():
        return 0.0
    last = quiet[-SETTLED:]
    if last[-1] - last[0] != SETTLED - 1:
        return 0.0
    size = float(gap[last[-1]])
    alike = float(np.ptp(gap[last])) <= 0.01 * size
    crossing = bool(np.all(noise[last[-1] + 1 :] >= 0.2 * size))
    return size if alike and crossing else 0.0


def _between(gradient: float, left: Side, right: Side) -> str:
    """Whether the gradient is a value that the kink allows."""
    low, high = sorted((left, right), key=lambda side: side.slope)
    margin = FLOOR * max(abs(low.slope), abs(high.slope))
    least = low.slope - SAFETY * low.error - margin
    most = high.slope + SAFETY * high.error + margin
    return "lies between" if least <= gradient <= most else OUTSIDE


def _limit(side: Side) -> float:
    """The slope on a side: infinite where it grows like a power."""
    return float(np.copysign(np.inf, side.q[-1])) if side.steep else side.slope


def edge(view: View, sign: int) -> Generator[Points, Samples, Finding]:
    """The end of the domain: the slope on the side that there is."""
    s = view.series
    beyond = s.left if sign > 0 else s.right
    rows = [*range(1, len(beyond)), 0]  # the first operation without a value there
    name = next((view.operations[j] for j in rows if not np.isfinite(beyond[j, -1])), None)
    side = yield from one_side(view, sign)
    if side is None:
        return Finding(Verdict.EDGE, "no room for a step", operation=name)
    limit = _limit(side)
    g, unknown = view.gradient, Finding(Verdict.EDGE, operation=name)
    if side.steep:
        agrees = bool(np.isinf(g)) and (g > 0) == (limit > 0)
        if np.isfinite(g) and g * limit > 0 and abs(g) >= abs(side.q[-1]):
            # The end is near, not here: closer to it than the steps, slopes may be as steep as g.
            unknown.reason = "no step is small enough, the domain ends next to it"
            return unknown
    elif not np.isfinite(side.error):
        unknown.reason = "the slope on the one side is not resolved"
        return unknown
    else:
        tolerance = SAFETY * side.error + FLOOR * abs(g) + 8 * view.scatter
        agrees = bool(abs(g - side.slope) <= tolerance)
    reason = "agrees" if agrees else "the gradient differs"
    left, right = (None, limit) if sign > 0 else (limit, None)
    return Finding(Verdict.EDGE, reason, left=left, right=right, error=side.error, operation=name)
