"""A verdict in words. Reports print what `describe` says; nothing else puts it together."""

from __future__ import annotations

import math
from typing import Any

from gradcli.results.result import Check, Verdict

_PLAIN = str.maketrans({"±": "+-", "→": "->", "∞": "inf", "−": "-", "·": "*", "∂": "d"})


def describe(check: Check, gradient: Any, *, ascii_only: bool = False) -> str:
    """The verdict on an accumulator in a line: `agrees to 10.3 digits`.

    `gradient` is the accumulator; of an array the element that the check speaks of is taken.
    """
    if getattr(gradient, "ndim", 0):
        gradient = math.nan if check.element is None else gradient[check.element]
    words = _in_words(check, float(gradient))
    if check.element is not None and check.verdict not in (Verdict.PASS, Verdict.ZERO):
        words += f" at [{', '.join(map(str, check.element))}]"
    if check.exact is not None and check.verdict is not Verdict.FAIL:
        words += _second_opinion(check)
    return words.translate(_PLAIN) if ascii_only else words


def _in_words(check: Check, gradient: float) -> str:
    place = f" in {check.operation}" if check.operation else ""
    match check.verdict:
        case Verdict.PASS:
            return f"agrees to {check.digits or 0.0:.1f} digits{_note(check)}"
        case Verdict.ZERO:
            error = check.error_estimate or 0.0
            return f"zero{f' to within {error:.0e}' if error > 1e-300 else ''}{_note(check)}"
        case Verdict.FAIL:
            return _fail(check, gradient)
        case Verdict.KINK:
            return _kink(check, gradient)
        case Verdict.JUMP:
            here = " here" if check.reason.startswith("f leaps") else ""
            return f"jump{place}: {check.reason}{here}"
        case Verdict.EDGE:
            return _edge(check, place)
        case Verdict.OVERFLOW:
            return f"overflow{place or f': {check.reason}'}"
        case Verdict.INCONCLUSIVE:
            digits = f" ({check.digits:.1f} digits)" if check.digits else ""
            return f"inconclusive: {check.reason}{digits}"


def _fail(check: Check, gradient: float) -> str:
    slope = math.nan if check.slope is None else check.slope
    error = check.error_estimate or 0.0
    if math.isnan(gradient):
        return f"WRONG{_note(check)}"
    a, b = distinct(slope, gradient)
    return f"WRONG: slope {a} ± {error:.0e}, gradient {b}{_note(check)}"


def _kink(check: Check, gradient: float) -> str:
    left, right = (number(slope, check.error_estimate) for slope in (check.left, check.right))
    if left == right and check.left is not None and check.right is not None:
        left, right = distinct(check.left, check.right)
    whose = f"{check.operation}'s" if check.operation else "the"
    words = f"corner: slope {left} on the left, {right} on the right"
    outside = "" if check.reason == "lies between" else ", which is not between them"
    return f"{words}; {whose} convention gives {number(gradient)}{outside}"


def _edge(check: Check, place: str) -> str:
    left, right = check.left, check.right
    if left is None and right is None:
        return f"edge{place}: {check.reason}"
    if left is not None and right is not None and left != right:
        slopes = f"{_arrow(left, check)} on the left, {_arrow(right, check)} on the right"
        return f"edge: slope {slopes}"
    limit = right if left is None else left
    side = " on the right" if left is None else " on the left" if right is None else ""
    return f"edge: slope {_arrow(limit, check)}{side} ({check.reason})"


def _note(check: Check) -> str:
    return f"; {check.reason}" if check.reason else ""


def _second_opinion(check: Check) -> str:
    assert check.exact is not None
    if check.ulps is None or not math.isfinite(check.ulps):
        return f"; 50 digits say {check.exact:.17g}"
    if check.ulps < 1e6:
        return f"; off by {check.ulps:.1f} ulp" if check.ulps else "; exact"
    return f"; 50 digits say {check.exact:.17g}, {check.ulps:.0e} ulp away"


def number(value: float | None, error: float | None = None) -> str:
    """A slope in short: `0.5`, `−∞`, `?` where it is not known; 0 if it is within its error."""
    if value is None or math.isnan(value):
        return "?"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0 or abs(value) <= 2 * (error or 0.0):
        return "0"
    return f"{value:.6g}"


def _arrow(value: float | None, check: Check) -> str:
    if value is not None and math.isinf(value):
        return "→ +∞" if value > 0 else "→ −∞"
    return number(value, check.error_estimate)


def distinct(a: float, b: float) -> tuple[str, str]:
    """Two numbers with enough digits to show their difference."""
    for digits in range(5, 17):
        x, y = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if x != y:
            more = min(17, digits + 1) if digits > 5 else digits
            return f"{a:.{more}g}", f"{b:.{more}g}"
    return repr(a), repr(b)
