"""A first look at a variable whose whole check takes long, with a few points.

The whole method wants about 130 points, each with everything behind it, and eight backward passes.
Where an array has a million elements, that takes long. For a right gradient of a function that
is smooth at the point, six steps and three points with jitter are enough to see it, by the same
criteria and with an honest error. What they don't confirm gets the whole check, if there is time;
the first gradient that looks wrong gets it in any case.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcli.check.extrapolation import extrapolate
from gradcli.check.finding import Finding
from gradcli.check.method import consistent, decide_at
from gradcli.check.sampling import Points, Samples
from gradcli.check.series import Series, admissible, displacement, drowned, resolved, tail
from gradcli.check.special import SETTLED, View
from gradcli.check.steps import MANTISSA, exact
from gradcli.ops.operation import Array

STEPS = 6

BITS = 3.0
"""Neighbouring steps differ by 2³. In the ladder it is 2⁴, but here slopes are extrapolated, with
an error that noise in the next two steps is part of; so those may not be much smaller."""

JITTERED = 3

COLUMNS = 3


def steps(x: float) -> Array:
    """From an eighth of x (of 1 at 0) downwards."""
    return exact(x, MANTISSA * (abs(x) or 1.0) * np.exp2(-BITS * np.arange(1, STEPS + 1)))


def points(x: float) -> Points:
    """Where the function is wanted."""
    h = steps(x)
    return Points(np.concatenate([[x], x + h, x - h, np.full(JITTERED, x)]), JITTERED, JITTERED)


def look(x: float, gradient: float, samples: Samples, moves: Callable[[], bool]) -> Finding | None:
    """What the points show; None if that is not a slope. `moves` is as in `method.examine`."""
    h = steps(x)
    counts = np.isfinite(samples.y[:, 0])
    y, n = samples.y[counts], len(h)
    if not counts[0] or not np.isfinite(gradient):
        return None
    plain, jittered = y[:, : 2 * n + 1], y[:, 2 * n + 1 :]
    floor = np.max(displacement(jittered, y[:, :1]), axis=1, keepdims=True)
    s = Series(x, h, plain, None, floor)
    same = samples.signature[1 : 2 * n + 1] == samples.signature[0]
    run = tail(same[:n] & same[n:] & np.isfinite(s.D[0]))
    if run.stop != n or run.stop - run.start < SETTLED or not resolved(s, run):
        return None
    settled, error = admissible(s, run)
    ok = settled & ~drowned(s, run)[0, :-1]
    if not ok.any():
        return None
    a = int(np.argmin(np.where(ok, error, np.inf)))
    ladder = h[run], s.D[0, run], s.N[0, run] * h[run]
    better = extrapolate(*ladder, 2, COLUMNS, bits=BITS)
    found = (ladder[1][a : a + 1], error[a : a + 1], ladder[0][a : a + 1])
    value, errors, largest = map(np.concatenate, zip(found, better, strict=True))
    chosen = consistent((value, errors, largest), s, run, float(ladder[0][a]), float(error[a]))
    if chosen is None:
        return None
    nothing = samples.signature[:0]
    view = View(x, gradient, samples.scatter, s, nothing, nothing, 0, [], [], lambda: True, moves)
    slope, error_of_slope, _ = chosen
    return decide_at(view, s, run, slope, error_of_slope)
