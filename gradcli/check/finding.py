"""What the method finds out about one real variable, and the decision between the verdicts."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass

import numpy as np

from gradcli.check.jitter import EPS, TINY
from gradcli.ops.operation import Array
from gradcli.results.result import Verdict

SAFETY = 4.0
"""The error estimate of a slope is multiplied by this before a gradient is called wrong."""

SCATTER_SAFETY = 8.0
"""So is what jitter does to the accumulator: a few samples of a scatter underestimate it."""

FLOOR = 1e-10
"""Relative errors below this are ignored: the formulas' own constants have them."""

RESOLVED = 1e-4
"""A slope known less well than this confirms no gradient."""

SPECIAL = (Verdict.KINK, Verdict.JUMP, Verdict.EDGE, Verdict.OVERFLOW)
"""Where there is no slope to compare with."""

BLURRED = "f is not resolved between neighbouring doubles"
COARSE = "the slope is too coarse to convict"

ZERO = 1e-9
"""Zero means zero compared with slopes nearby."""


@dataclass(slots=True, eq=False)
class Finding:
    """A verdict about one variable, and the numbers that it is made of."""

    verdict: Verdict
    reason: str = ""
    _: KW_ONLY
    slope: float | None = None
    error: float | None = None
    """That of `slope`, or of the one-sided slopes `left` and `right`."""
    left: float | None = None
    right: float | None = None
    operation: str | None = None
    """The one at fault."""
    digits: float | None = None
    tolerance: float = math.inf
    """How far a gradient may be from the slope without being accused."""
    scatter: float = 0.0
    """The part of it that is the gradient's own rounding."""
    step: float = 0.0
    """The largest step that the slope rests on."""
    exact: float | None = None
    ulps: float | None = None
    """The second opinion, where it was taken."""


def agreement(gradient: Array, slope: Array, error: Array) -> tuple[Array, Array, Array]:
    """For many accumulators the tolerance, the digits, and whether they pass.

    What rounding does to the accumulators is left out.
    """
    size, difference = np.maximum(np.abs(gradient), np.abs(slope)), np.abs(gradient - slope)
    tolerance = SAFETY * error + FLOOR * size
    passes = (difference <= tolerance) & (tolerance <= RESOLVED * size)
    passes &= np.isfinite(tolerance) & (size > TINY / EPS**2)
    doubt = np.maximum(np.maximum(difference, error), np.maximum(EPS * size, TINY))
    digits = np.log10(size) - np.log10(doubt)
    return tolerance, digits, passes


def decide(
    gradient: float,
    slope: float,
    error: float,
    scatter: float,
    nearby: float,
    level: float,
    *,
    flat: bool,
) -> Finding:
    """The verdict on an accumulator from a slope with its error, both finite.

    `scatter` is what rounding does to the accumulator, `nearby` the steepest slope seen about the
    point, `level` the function's size per unit of x, `flat` says that it never moved at all.
    """
    size = max(abs(gradient), abs(slope))
    difference = abs(gradient - slope)
    for_slope = SAFETY * error + FLOOR * size
    for_gradient = SCATTER_SAFETY * scatter
    tolerance = for_slope + for_gradient
    doubt = max(difference, error, scatter, EPS * size, TINY)
    digits = math.log10(size) - math.log10(doubt) if size and doubt < math.inf else 0.0
    found = Finding(
        Verdict.PASS,
        slope=slope,
        error=error,
        digits=digits if digits >= 0.1 else None,
        tolerance=tolerance,
        scatter=scatter,
    )
    if not difference <= tolerance:
        return _disagreement(found, gradient, difference, error / size, for_gradient)
    if size > 0 and tolerance <= RESOLVED * size:
        return found
    if size <= tolerance and (
        tolerance < 1e-300
        or (flat and gradient == 0 and tolerance <= ZERO * level)
        or (abs(gradient) <= for_gradient and tolerance <= ZERO * max(nearby, level))
        or (abs(gradient) <= 4 * EPS * nearby and tolerance <= ZERO * nearby)
    ):
        found.verdict, found.digits, found.error = Verdict.ZERO, None, tolerance
        return found
    found.verdict = Verdict.INCONCLUSIVE
    found.reason = "rounding noise in " + ("the gradient" if for_gradient > for_slope else "f")
    return found


def _disagreement(
    found: Finding, gradient: float, difference: float, coarse: float, for_gradient: float
) -> Finding:
    """A failure, unless the gradient is noise itself or the slope too coarse to convict."""
    found.verdict = Verdict.INCONCLUSIVE
    if for_gradient > 0.5 * abs(gradient) > 0:
        found.reason = "rounding noise in the gradient"
    elif coarse > 1e-2 and found.error is not None and difference <= 25 * found.error:
        found.reason = COARSE
    else:
        found.verdict = Verdict.FAIL
        found.digits = None
    return found
