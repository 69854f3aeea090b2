"""The second opinion: what a verdict becomes, where the derivative is known to 50 digits.

It tells a wrong rule from a right rule that has lost its digits. The derivative comes from
`mpmath_ops`; whether there is mpmath is asked here.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from gradcli.check.finding import FLOOR, RESOLVED, SCATTER_SAFETY, Finding
from gradcli.diagnostics.failures import usage_error
from gradcli.results.result import Verdict

SPECIAL = (Verdict.KINK, Verdict.JUMP, Verdict.EDGE, Verdict.OVERFLOW)


def available() -> bool:
    """Whether mpmath is installed."""
    return find_spec("mpmath") is not None


def require() -> None:
    """Raise `GradcliError` (option) if mpmath is not installed."""
    if not available():
        hint = "pip install 'gradcli[exact]'"
        raise usage_error("the second opinion at 50 digits needs mpmath", hint)


def settle(finding: Finding, gradient: float, truth: float) -> Finding:
    """A finding with the true derivative taken into account.

    The verdict is decided anew: the truth has no error, so what is left between it and a right
    gradient is the gradient's own rounding.
    """
    finding.exact = truth
    difference = abs(gradient - truth)
    unit = float(np.spacing(abs(truth)))
    finding.ulps = difference / unit if np.isfinite(difference) else None
    if finding.verdict in SPECIAL:
        return finding
    size = max(abs(gradient), abs(truth))
    finding.slope, finding.error, finding.reason = truth, unit / 2, ""
    finding.digits = None
    if not difference <= FLOOR * size + SCATTER_SAFETY * finding.scatter:
        finding.verdict = Verdict.FAIL
    elif size <= unit / 2:
        finding.verdict = Verdict.ZERO
    elif difference <= RESOLVED * size:
        finding.verdict = Verdict.PASS
        finding.digits = min(15.954589770191003, float(-np.log10(difference / size + 2.0**-53)))
    else:
        finding.verdict = Verdict.INCONCLUSIVE
        finding.reason = "right rule, digits lost"
    return finding
