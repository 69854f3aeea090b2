"""The check of one real variable: a conversation with the function.

`examine` asks for points, is given values, and comes to a finding: first the ladder over all
scales, then, around the best of them, halvings to extrapolate from. It says nothing that it
can't know: where the function is too noisy or too wild to measure a slope, it is
inconclusive. The caller holds many such conversations at once and answers all in one pass.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

import numpy as np

from gradcli.check.finding import BLURRED, COARSE, SAFETY, SCATTER_SAFETY, Finding, decide
from gradcli.check.function import Coordinate, Function
from gradcli.check.jitter import EPS, TINY
from gradcli.check.sampling import HELD, Points, Samples
from gradcli.check.series import (
    COLUMNS,
    SETTLED,
    Candidates,
    Series,
    between,
    consistent,
    displacement,
    drowned,
    extrapolate,
    finite,
    power,
    resolved,
    sound,
    tail,
)
from gradcli.check.special import BENT, Conversation, View, corner, edge, settled
from gradcli.check.steps import halvings, ladder
from gradcli.ops.operation import Array
from gradcli.results.result import Verdict


def examine(function: Function, coordinate: Coordinate, names: list[str]) -> Conversation:
    """Compare an accumulator with the slope of the function at a variable's value.

    `names` are the operations of the function's graph by number.
    """
    x = coordinate.x
    h = ladder(x)
    n = len(h)
    sides = np.concatenate([x + h, x - h])
    t = np.concatenate([[x], sides, sides, np.full(HELD, x)])
    samples = yield Points(t, 2 * n + HELD, HELD)
    y, signature = samples.y, samples.signature
    # What is not finite between x and a finite output does not count (a `where` left it out).
    counts = np.isfinite(y[:, 0])
    counts[0] = True
    y = y[counts]
    floor = np.max(displacement(y[:, 4 * n + 1 :], y[:, :1]), axis=1, keepdims=True)
    series = Series(x, h, y[:, : 2 * n + 1], y[:, 2 * n + 1 : 4 * n + 1], floor)
    view = View(
        x,
        function.point.gradient(coordinate),
        samples.scatter,
        series,
        signature[1 : n + 1],
        signature[n + 1 : 2 * n + 1],
        int(signature[0]),
        function.ties(coordinate),
        [names[i] for i, counted in zip(samples.nodes, counts, strict=True) if counted],
        partial(function.smooth, coordinate),
        partial(function.moves, coordinate),
    )
    found = yield from _judge(view)
    if found.verdict is Verdict.FAIL and found.slope is not None and found.error is not None:
        flat = abs(found.slope) < 10 * found.error
        if flat and 0 < abs(x) < found.step:  # only steps larger than x itself saw it
            found = yield from _judge(view.upto(abs(x) / 2))
    found.scatter = view.scatter
    return found


def _judge(view: View) -> Conversation:
    """The finding from what the ladder showed, special points first."""
    s = view.series
    if len(s.h) < SETTLED:
        return Finding(Verdict.INCONCLUSIVE, "no room for a step")
    special = yield from _one_sided_domain(view)
    if special is not None:
        return special
    ok = np.isfinite(s.right[0]) & np.isfinite(s.left[0])
    same = ok & (view.right == view.here) & (view.left == view.here)
    on_border = bool(view.ties) or not same[-SETTLED:].any()
    if on_border:
        special = yield from corner(view)
        if special is not None:
            return _plausible(view, special)
        # The operation on the border is not smooth, but the function is.
        same, s = ok, s.of_function()
    run = tail(same & np.isfinite(s.D[0]))
    if run.stop - run.start < 2:
        verdict = Verdict.INCONCLUSIVE if ok.all() else Verdict.EDGE
        return Finding(verdict, "no room for a step")
    special = yield from _undeclared(view, s, run)
    if special is not None:
        return _plausible(view, special)
    found = yield from _smooth(view, s, run, use_signature=not on_border)
    if on_border and found.verdict is Verdict.FAIL:
        # Only to the next border, to accuse: relu may have one a bit farther on.
        run = tail(_next_piece(view, ok) & np.isfinite(s.D[0]))
        if run.stop - run.start < 2:
            return Finding(Verdict.INCONCLUSIVE, "no room for a step")
        found = yield from _smooth(view, s, run, use_signature=False)
    return found


def _plausible(view: View, found: Finding) -> Finding:
    """A special point, unless the function is smooth there and only turns too sharply to see it.

    So does hypot(v, v) + 1 at 1e-30, whose kink at 0 is all that doubles show of it.
    """
    if found.verdict in (Verdict.KINK, Verdict.JUMP, Verdict.EDGE) and view.smooth():
        return Finding(Verdict.INCONCLUSIVE, "f bends nearer to the point than any step")
    return found


def _next_piece(view: View, ok: Array) -> Array:
    """The steps on the two pieces that meet at x.

    Those are the nearest ones that three steps in a row are on: still closer to x, rounding may say
    on which side of a border a point is.
    """
    right, left = view.right, view.left
    for k in range(len(ok) - 1, SETTLED - 2, -1):
        row = slice(k - SETTLED + 1, k + 1)
        if ok[row].all() and (right[row] == right[k]).all() and (left[row] == left[k]).all():
            same: Array = ok & (right == right[k]) & (left == left[k])
            same[k + 1 :] = False
            return same
    return ok


def _one_sided_domain(view: View) -> Generator[Points, Samples, Finding | None]:
    """Overflow next to the point, or the end of the domain; None where both sides exist."""
    s = view.series
    left, right = s.left[0, -SETTLED:], s.right[0, -SETTLED:]
    has_left, has_right = np.isfinite(left).any(), np.isfinite(right).any()
    if not view.ties and not (has_left and has_right):
        beyond = right if has_left else left
        if np.isinf(beyond).any():
            return Finding(Verdict.OVERFLOW, "the values next to the point overflow")
        if not has_left and not has_right:
            return Finding(Verdict.EDGE, "not defined on either side")
        return (yield from edge(view, 1 if has_right else -1))
    if np.isinf(s.D[0, -SETTLED:]).all():
        return Finding(Verdict.OVERFLOW, "the slope exceeds the largest double")
    return None


def _undeclared(view: View, s: Series, run: slice) -> Generator[Points, Samples, Finding | None]:
    """Jumps, vertical tangents and kinks at which no operation says that it stands on a border."""
    h, f0 = s.h[run], view.f0
    growth = power(h, s.D[0, run], s.N[0, run])
    if growth is not None and growth < -0.1:
        right, left = s.right[0, run], s.left[0, run]
        if growth >= -0.9:
            limit = float(np.copysign(np.inf, s.D[0, run][-1]))
            agrees = view.gradient == limit
            steeper = np.isfinite(view.gradient) and abs(view.gradient) >= abs(s.D[0, run][-1])
            if steeper and view.gradient * limit > 0:
                return Finding(Verdict.INCONCLUSIVE, "f bends nearer to the point than any step")
            return Finding(
                Verdict.EDGE,
                "agrees" if agrees else "the gradient differs",
                left=limit,
                right=limit,
                operation=_culprit(view, s, run, -0.1),
            )
        if settled(right, f0) and settled(left, f0):
            leap = abs(float(right[-1] - left[-1]))
            return Finding(
                Verdict.JUMP, f"f leaps by {leap:.3g}", operation=_culprit(view, s, run, -0.9)
            )
    evenness = power(h, s.S[0, run], s.N[0, run])
    if evenness is None or evenness >= 0.75:
        return None
    found = yield from corner(view._replace(ties=[]))
    if found is not None and found.operation is None:
        found.operation = _culprit(view, s, run, 0.75, even=True)
    return found


def _culprit(view: View, s: Series, run: slice, below: float, *, even: bool = False) -> str | None:
    """The first operation between x and the output that shows the same power of h."""
    which = s.S if even else s.D
    for j in [*range(1, len(which)), 0]:
        p = power(s.h[run], which[j, run], s.N[j, run])
        if p is not None and p < below:
            name: str = view.operations[j]
            return name
    return None


def _smooth(view: View, s: Series, run: slice, *, use_signature: bool) -> Conversation:
    """The ordinary case: choose a scale, extrapolate around it, decide."""
    if not resolved(s, run)[0]:
        return Finding(Verdict.INCONCLUSIVE, BLURRED)
    # Sound for f and every node between: a flat f over a wildly moving inner node says nothing.
    sound_for, errors = sound(s, run, np.arange(len(s.D))[:, None] > 0)
    settled, error = sound_for.all(axis=0), errors[0]
    if not settled.any():
        return Finding(Verdict.INCONCLUSIVE, "there is no step at which the slope settles")
    h = s.h[run]
    ok = settled & ~drowned(s, run)[0, :-1]
    if not ok.any():
        a = int(np.argmin(np.where(settled, error, np.inf)))
        return Finding(
            Verdict.INCONCLUSIVE,
            "rounding noise in f",
            slope=float(s.D[0, run][a]),
            error=float(error[a]),
            tolerance=SAFETY * float(error[a]) + SCATTER_SAFETY * view.scatter,
            scatter=view.scatter,
        )
    a = int(np.argmin(np.where(ok, error, np.inf)))
    center, rough = float(h[a]), float(error[a])
    widest = float(h[:-1][ok][0])
    fine = halvings(view.x, center, 9, 15, h[-1], min(h[0], 4 * widest))
    found = (s.D[0, run][a : a + 1], error[a : a + 1], h[a : a + 1])
    if len(fine) >= 3:
        samples = yield Points(np.concatenate([[view.x], view.x + fine, view.x - fine]))
        better = _candidates(view, s, run, fine, samples, use_signature=use_signature)
        value, errors, steps = map(np.concatenate, zip(found, better, strict=True))
        found = (value, errors, steps)
    alone = tuple(part[None] for part in found)
    chosen = consistent(alone, s.of_function(), run, center, rough)
    slope, error_of_slope, step = (float(part[0]) for part in chosen)
    if error_of_slope == np.inf:
        return Finding(Verdict.INCONCLUSIVE, "no slope is consistent across the scales")
    result = decide_at(view, s, run, slope, error_of_slope)
    result.step = step
    if result.verdict is not Verdict.FAIL:
        return result
    if not _witnessed(view.gradient, s, run, step, rough, center):
        result.verdict, result.reason = Verdict.INCONCLUSIVE, COARSE
    elif (drowned(s, run)[:, a:].mean(axis=1) > 0.5).any():
        # Something between has no digits, tan(1e60) say: whatever f seems to do is chance.
        result.verdict, result.reason = Verdict.INCONCLUSIVE, "rounding noise in f"
    elif a >= len(ok) - 2 and rough > BENT * abs(s.D[0, run][a]):
        # The slope still changes at the smallest steps, as of sin(x) at 1e235: chance again.
        result.verdict, result.reason = Verdict.INCONCLUSIVE, COARSE
    return result


def _witnessed(
    gradient: float, s: Series, run: slice, step: float, rough: float, center: float
) -> bool:
    """Whether steps smaller than the one that the slope rests on speak against the gradient too.

    Where they agree with both, as they do if rounding hides what f does close to the point, the
    large step may have seen another part of the function: logaddexp(x, y^2) far from y.
    """
    h, D, N = s.h[run], s.D[0, run], s.N[0, run]
    small = h < 0.9 * step
    slack = 3 * N[small] + 2 * rough * (h[small] / center) ** 2
    return bool(np.any(np.abs(D[small] - gradient) > slack))


def _candidates(
    view: View, s: Series, run: slice, fine: Array, samples: Samples, *, use_signature: bool
) -> Candidates:
    """Extrapolated slopes from the halvings, as far as they are on one smooth piece."""
    f = Series(view.x, fine, samples.y[:1], None, None)
    n = len(fine)
    same = np.isfinite(f.D[0])
    if use_signature:
        signature = samples.signature
        same &= (signature[1 : n + 1] == signature[0]) & (signature[n + 1 :] == signature[0])
    part = tail(same)
    noise = between(fine, s.h[run], s.noise[0, run])
    noise = np.fmax(noise, 0.5 * EPS * finite(f.size[0])) + f.uneven[0]
    return extrapolate(fine[part], f.D[0, part], noise[part], 2, COLUMNS)


def decide_at(view: View, s: Series, run: slice, slope: float, error: float) -> Finding:
    """The decision, with what is needed to say whether a slope of zero is one."""
    h, f0, unit = s.h[run], view.f0, max(abs(view.x), 1.0)
    near = h <= 2 * unit
    slopes = s.moves[0, run][near] / h[near]
    clear = slopes > 20 * s.N[0, run][near]
    nearby = float(np.max(slopes[clear], initial=0.0))
    flat = bool(np.all(s.moves[0, run] == 0))
    if flat and f0 == 0 and view.gradient == 0 and np.all(s.noise[0, run] <= TINY):
        return Finding(Verdict.ZERO, slope=0.0, error=0.0, tolerance=0.0)
    level = abs(f0) / unit
    if view.gradient == 0 and level > nearby and view.moves():
        # Rounding swallows x, as in x + 1e300: that f is large or flat is no sign of a slope of 0.
        flat, level = False, 0.0
    return decide(view.gradient, slope, error, view.scatter, nearby, level, flat=flat)
