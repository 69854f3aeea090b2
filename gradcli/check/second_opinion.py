"""The second opinion: the derivative at 50 digits.

Central differences of the same graph, with numbers of mpmath in place of doubles. At 50 digits
h can be so small (|x|·10⁻²⁰) that neither truncation nor rounding counts, and no derivative
rule is needed, so nothing that is on trial takes part. It tells a wrong rule from a right
rule that has lost its digits. (Dual numbers would be no second opinion: they lose the same
digits in the same place.)
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.check.finding import FLOOR, RESOLVED, SCATTER_SAFETY, Finding
from gradcli.diagnostics.failures import usage_error
from gradcli.engine.forward import line_up, operand_values
from gradcli.graph.draft import Literal
from gradcli.graph.graph import OperationNode
from gradcli.ops.operation import keywords
from gradcli.results.result import Verdict

if TYPE_CHECKING:
    from gradcli.check.function import Coordinate
    from gradcli.check.sampling import Sampler

DIGITS = (50, 100, 200, 400, 800)
"""Raised until two results in a row agree, and to the last where they agree on 0: at 100 digits
1 + 1e-200 does not move."""

AGREE = 1e-20
MOST_NUMBERS = 20_000
"""An evaluation of more numbers than this takes too long at 50 digits."""

SPECIAL = (Verdict.KINK, Verdict.JUMP, Verdict.EDGE, Verdict.OVERFLOW)


def available() -> bool:
    """Whether mpmath is installed."""
    return find_spec("mpmath") is not None


def require() -> None:
    """Raise `GradcliError` (option) if mpmath is not installed."""
    if not available():
        hint = "pip install 'gradcli[exact]'"
        raise usage_error("the second opinion at 50 digits needs mpmath", hint)


class _NotExactError(Exception):
    """The graph can't be evaluated at many digits, or is not the same function there."""


def derivative(sampler: Sampler, coordinate: Coordinate) -> float | None:
    """The slope of the function at a variable's value, correct to double precision.

    None where an operation has no precise form, where the program is too large, where the
    digits never settle, or where at 50 digits the operations stand on other branches than in
    doubles.
    """
    if np.size(coordinate.value) > MOST_NUMBERS:
        return None
    mp: Any = import_module("mpmath")
    x = coordinate.x
    before = None
    for digits in DIGITS:
        with mp.workdps(digits):
            h = mp.mpf(abs(x) or 1.0) * mp.mpf(10) ** (-digits * 2 // 5)
            center = mp.mpf(x)
            try:
                high, above = _evaluate(sampler, coordinate, center + h)
                low, below = _evaluate(sampler, coordinate, center - h)
                if before is None and not above == below == _branches(sampler, coordinate):
                    return None
            except _NotExactError:
                return None
            slope = (high - low) / (2 * h)
            if not mp.isfinite(slope):
                return None
            if before is not None and slope and abs(slope - before) <= AGREE * abs(slope):
                return float(slope)
            before = slope
    # No movement at all: the slope is less than the last digit of the values, per step.
    unseen = max(abs(high), abs(low)) * mp.mpf(10) ** -DIGITS[-1] / h
    return 0.0 if before == 0 and unseen < mp.mpf(10) ** -340 else None


def _evaluate(sampler: Sampler, coordinate: Coordinate, t: Any) -> tuple[Any, list[bytes]]:
    """The function at t, and the branch of every operation that has branches."""
    from gradcli.check import mpmath_ops  # noqa: PLC0415 - imports mpmath

    start = sampler.place[coordinate.node]
    graph = sampler.graph
    now: dict[int, Any] = {start: _placed(coordinate, t)}
    branches: list[bytes] = []
    for i in graph.downstream(start):
        if not sampler.speaking[i]:
            continue
        node = graph.operation(i)
        if node.type.size > MOST_NUMBERS or len(now) > MOST_NUMBERS:
            raise _NotExactError
        form = mpmath_ops.form(node.operation)
        if form is None:
            raise _NotExactError
        arguments = [
            mpmath_ops.lifted(o.value)
            if isinstance(o, Literal)
            else now[o]
            if o in now
            else mpmath_ops.lifted(sampler.values[o])
            for o in node.operands
        ]
        options = keywords(node.kernel)
        if node.operation.branch is not None:
            branches.append(_code(sampler, node, [_double(a) for a in arguments]))
        try:
            value = form(*arguments, **options)
        except TypeError:  # a kernel that has come to need doubles
            raise _NotExactError from None
        if not mpmath_ops.moderate(value):
            raise _NotExactError
        now[i] = value.item() if isinstance(value, np.ndarray) and not value.ndim else value
    output = graph.output
    value = now[output] if output in now else mpmath_ops.lifted(sampler.values[output])
    return _total(sampler, value), branches


def _branches(sampler: Sampler, coordinate: Coordinate) -> list[bytes]:
    """The branches in doubles, at the point itself."""
    graph, start = sampler.graph, sampler.place[coordinate.node]
    moving = (graph.operation(i) for i in graph.downstream(start) if sampler.speaking[i])
    return [
        _code(sampler, node, operand_values(node, sampler.values))
        for node in moving
        if node.operation.branch is not None
    ]


def _code(sampler: Sampler, node: OperationNode, arguments: list[Any]) -> bytes:
    assert node.operation.branch is not None
    arguments = line_up(sampler.graph, node, arguments)
    code = node.operation.branch(*arguments, **keywords(node.kernel))
    return np.asarray(code, dtype=np.float64).tobytes()


def _double(value: Any) -> Any:
    """Numbers as doubles that lie on the same side of any other double.

    1 + 1e-20 is to the right of 1, where `clip(x, 0, 1)` has another branch, and 1e100 + 1e80 has
    another whole number below it than 1e100.
    """
    near = np.asarray(value, dtype=np.float64)
    exact = np.asarray(value, dtype=object)
    side = np.where(exact > near, np.inf, np.where(exact < near, -np.inf, near))
    return np.nextafter(near, side.astype(np.float64))


def _placed(coordinate: Coordinate, t: Any) -> Any:
    """The node's value at t."""
    from gradcli.check import mpmath_ops  # noqa: PLC0415 - imports mpmath

    if coordinate.direction is not None:
        shift: Any = mpmath_ops.lifted(coordinate.direction) * (t - 1)
        return mpmath_ops.lifted(coordinate.value) + shift
    if coordinate.index is None:
        return t
    value = mpmath_ops.lifted(coordinate.value)
    value[coordinate.index] = t
    return value


def _total(sampler: Sampler, output: Any) -> Any:
    from gradcli.check import mpmath_ops  # noqa: PLC0415 - imports mpmath

    weighted = mpmath_ops.lifted(sampler.upstream) * output
    return np.sum(weighted) if isinstance(weighted, np.ndarray) else weighted


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
