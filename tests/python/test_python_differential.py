"""Generated Python programs: the interpreter against Python and NumPy themselves."""

from __future__ import annotations

import collections
import functools
import itertools
import math
import sys
import types
from typing import Any

import numpy as np
import pytest
from python_programs import Writer

from gradcli.program import Program

POINT: dict[str, Any] = {
    "s": np.float64(0.7137),
    "v": np.array([0.4211, -0.9173, 1.3019]),
    "A": np.array(
        [[0.5323, -0.3117, 0.8209], [1.1031, 0.2273, -0.7411], [-0.4059, 0.9127, 0.6301]]
    ),
}
"""Numbers that no sum of a few others hits: there are no jumps at the point."""
PROGRAMS = 160


def run(text: str) -> Any:
    """The function f of our own generated text, as Python has it."""
    names: dict[str, Any] = {"np": np, "math": math, "__name__": "generated"}
    names |= {"itertools": itertools, "functools": functools, "collections": collections}
    sys.modules.setdefault("generated", types.ModuleType("generated"))
    exec(compile(text, "generated", "exec"), names)  # noqa: S102 - text that this test wrote
    return names["f"]


def copies(**changed: Any) -> dict[str, Any]:
    return {name: np.copy(v)[()] for name, v in {**POINT, **changed}.items()}


@pytest.mark.parametrize("part", range(4))
def test_values_and_gradients_are_those_of_python(part: int) -> None:
    for seed in range(part, PROGRAMS, 4):
        text = Writer(seed).text()
        function, program = run(text), Program(text, function="f")
        with np.errstate(all="ignore"):
            true = function(**copies())
        weights = np.cos(np.arange(true.size))
        result = program.evaluate(copies(), upstream=weights, check=False)
        np.testing.assert_allclose(
            result.value, true, rtol=1e-13, atol=1e-14, err_msg=f"seed {seed}\n{text}"
        )
        found = result.gradient
        moves = {
            name: np.sin(1.0 + np.arange(np.size(at))).reshape(np.shape(at))
            for name, at in POINT.items()
        }
        up, down = (
            function(**copies(**{n: POINT[n] + h * d for n, d in moves.items()})) @ weights
            for h in (1e-6, -1e-6)
        )
        slope = sum(np.sum(np.asarray(found.get(n, 0.0)) * d) for n, d in moves.items())
        assert slope == pytest.approx((up - down) / 2e-6, rel=2e-5, abs=4e-6), (
            f"seed {seed}\n{text}"
        )
