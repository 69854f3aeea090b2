"""Points at which gradient checks go wrong; the truth is mpmath's (data/make_check_hard.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcli.check import check_gradients
from gradcli.engine.plan import Backward
from gradcli.program import Program
from gradcli.results.result import Result, Verdict

CASES = json.loads((Path(__file__).parents[1] / "data/check_hard.json").read_text(encoding="utf-8"))
SMOOTH = [case for case in CASES if "truth" in case]
ACQUITTED = (Verdict.PASS, Verdict.ZERO)


def _name(case: dict[str, Any]) -> str:
    value = case["value"]
    return f"{case['program']} at {value if not isinstance(value, list) else len(value)}"


def _evaluated(case: dict[str, Any], **options: Any) -> Result:
    point = {case["input"]: case["value"]}
    return Program(case["program"]).evaluate(point, allow_nonfinite=True, **options)


@pytest.fixture(autouse=True)
def _without_second_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested is the check in doubles."""
    monkeypatch.setattr("gradcli.check.second_opinion.available", lambda: False)


def test_there_are_many() -> None:
    assert len(SMOOTH) >= 200


@pytest.mark.parametrize("case", SMOOTH, ids=_name)
def test_right_gradients_are_not_accused_and_wrong_ones_not_acquitted(
    case: dict[str, Any],
) -> None:
    result = _evaluated(case)
    assert result.checks is not None
    check, gradient = result.checks.rows[0], result.accumulators[0]
    truth = np.array(case["truth"], dtype=float)
    size = float(np.max(np.maximum(np.abs(gradient), np.abs(truth))))
    error = float(np.max(np.abs(gradient - truth))) if np.isfinite(gradient).all() else np.inf
    if error <= 1e-6 * size:
        assert check.verdict is not Verdict.FAIL
    if error >= 1e-3 * size > 0:
        assert check.verdict is not Verdict.PASS
    if check.verdict is Verdict.ZERO:
        assert check.error_estimate is not None
        assert size <= check.error_estimate or size == 0
    if check.verdict is Verdict.PASS:
        for factor in (1.001, -1.0):
            assert _with_factor(result, factor) not in ACQUITTED


def _with_factor(result: Result, factor: float) -> Verdict:
    accumulators = [None if a is None else a * factor for a in result.accumulators]
    passed = Backward(accumulators, list(result.contributions))
    active = [a is not None for a in accumulators]
    checks = check_gradients(result.graph, result.values, passed, active, result.upstream)
    return checks.rows[0].verdict


def test_most_of_them_are_decided() -> None:
    verdicts = [_evaluated(case).checks.rows[0].verdict for case in SMOOTH]  # type: ignore[union-attr]
    assert sum(v in ACQUITTED for v in verdicts) >= 0.85 * len(verdicts)


@pytest.mark.parametrize("case", [case for case in CASES if "verdict" in case], ids=_name)
def test_points_without_a_derivative_are_named(case: dict[str, Any]) -> None:
    result = _evaluated(case)
    assert result.checks is not None
    assert result.checks.rows[0].verdict == case["verdict"]
