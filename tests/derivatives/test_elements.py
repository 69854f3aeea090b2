"""Derivatives by arrays of few elements, taken apart, are those of passes over arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcli import Program
from gradcli.derivatives import elements, rows
from gradcli.engine.run import RUNS

POINT = {"v": [0.7, -1.3], "A": [[1.5, 0.5], [-0.25, 2.0]], "a": 0.4}
APART = [
    "(v[0] + sigmoid(v[1])) / (v[0]^2 + v[1])",
    "v[0]*exp(a*v[1]) - v[-1]/A[0, 1]",
    "where(v[0] > 0, log(v[0])*v[1], v[1]^3)",
    "max(v[0]*a, v[1]^2) + relu(-v[1])*v[0]",
    "sum([v[0]*v[1], cos(v[0]), a*v[1]]^2)",
    "sum(v[::-1]*sin(v))*a",
    "sum(v*2 - a) + v[0]^3*a",
    "A[0, 0]*v[0]^2 + A[1, 1]*sin(v[1])",
]
WHOLE = ["v @ A @ v + a*v[0]", "softmax(v)[0]*v[1]"]


def matrices(program: Program, at: dict[str, Any]) -> list[Any]:
    every: list[Any] = [program.jacobian(at, mode=m, check=False) for m in ("reverse", "forward")]
    if program.evaluate(at, gradient=False).value.ndim == 0:
        every.append(program.hessian(at, check=False))
        every.append(program.hessian(at, check=False, vector=at))
    return [made.matrix for made in every]


@pytest.mark.parametrize("text", [*APART, *WHOLE, "[v[0]*cos(v[1]), v[0]*sin(v[1])]"])
def test_the_first_run_and_later_ones(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []

    def apart(*given: Any) -> Any:
        taken.append(elements.apart(*given))
        return taken[-1]

    monkeypatch.setattr(rows, "apart", apart)
    program = Program(text)
    at = {name: POINT[name] for name in program.inputs}
    wanted = matrices(program, at)
    for _ in range(RUNS + 2):
        for one, other in zip(wanted, matrices(program, at), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-14, atol=1e-15)
    assert taken
    assert all(taken) == (text not in WHOLE)


@pytest.mark.parametrize("text", ["v[0] + exp(315*v[1]^2)", "sqrt(v[0])*v[1]", "v[0]^0.5 + v[1]^3"])
def test_what_is_not_finite(text: str) -> None:
    program = Program(text)
    at = {"v": [0.0, 1.5]}
    wanted = program.hessian(at, check=False, allow_nonfinite=True).matrix
    assert not np.isfinite(wanted).all()
    for _ in range(RUNS + 2):
        found = program.hessian(at, check=False, allow_nonfinite=True).matrix
        np.testing.assert_array_equal(found, wanted)
