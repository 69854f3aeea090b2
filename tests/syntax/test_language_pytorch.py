"""Lines of PyTorch as they are pasted, against PyTorch's values and gradients.

The numbers are in data/pytorch.json, which data/make_pytorch.py writes with PyTorch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep import sweep

from gradcli import Program, ops
from gradcli.diagnostics.source import Source
from gradcli.ops import Composition
from gradcli.syntax.parser import parse_expression
from gradcli.syntax.tree import Call

DATA = json.loads((Path(__file__).parents[1] / "data" / "pytorch.json").read_text(encoding="utf-8"))
POINT: dict[str, Any] = DATA["point"]
LINES: list[dict[str, Any]] = DATA["lines"]
SINGLE = {"hardsigmoid", "hardswish"}
"""PyTorch has the constants of these in single precision."""


@pytest.mark.parametrize("entry", LINES, ids=[entry["line"] for entry in LINES])
def test_a_pasted_line_has_pytorchs_value_and_gradient(entry: dict[str, Any]) -> None:
    program = Program(entry["line"])
    inputs = program.names.inputs(POINT)
    result = program.evaluate({name: POINT[name] for name in inputs}, check=False)
    close = 1e-7 if any(word in entry["line"] for word in SINGLE) else 1e-8
    np.testing.assert_allclose(np.ravel(result.value)[0], entry["value"], rtol=close, atol=1e-12)
    for name, slope in entry["gradient"].items():
        got = result.gradient.get(name, np.zeros(np.shape(slope)))
        np.testing.assert_allclose(got, slope, rtol=close, atol=close, err_msg=name)


# --- what stands for several operations ------------------------------------------------------


@pytest.mark.parametrize("one", ops.COMPOSITIONS, ids=lambda one: one.name)
def test_every_composition_has_the_right_gradient(one: Composition) -> None:
    """On all its samples, by the check; and its names, its parameters and its text are in order."""
    assert one.doc
    assert not one.doc.endswith(".")
    assert all(ops.is_function(name) for name in one.aliases)
    sweep(_expect_checked, [(one, sample) for sample in one.samples])


def _expect_checked(one: Composition, sample: str) -> None:
    """The sample with its first operand moved by an input, by its squares at t = ½."""
    call = f"f({sample})"
    tree = parse_expression(Source(call))
    assert isinstance(tree, Call)
    at = next(i for i, p in enumerate(one.parameters) if not p.option)
    span = tree.arguments[at].span
    operand = call[span.start : span.end]
    first = f"({operand} + (t - 0.5)*{operand}*{operand})"
    text = f"sum(sin({one.name}{call[1 : span.start]}{first}{call[span.end :]}))"
    result = Program(text).evaluate(t=0.5)
    assert result.verdict in {"pass", "tie"}, (text, result.verdict)


def test_a_composition_uses_the_languages_own_functions() -> None:
    """Whatever the program defines under their names, and whatever it names `pi`."""
    found = Program("clip(u, v, w) = 100*u; relu6(x) + norm_pdf(x)").evaluate(x=0.5, check=False)
    assert found.value == pytest.approx(0.5 + np.exp(-0.125) / np.sqrt(2 * np.pi))
