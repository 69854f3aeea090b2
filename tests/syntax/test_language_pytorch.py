"""Lines of PyTorch as they are pasted, against PyTorch's values and gradients.

The numbers are in data/pytorch.json, which data/make_pytorch.py writes with PyTorch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
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
    _expect_pytorchs(entry, program, program.names.inputs(POINT))


def test_a_function_of_python_without_an_import_has_them_too() -> None:
    sweep(_expect_pytorchs_in_python, [(entry,) for entry in LINES])


def _expect_pytorchs_in_python(entry: dict[str, Any]) -> None:
    names = sorted(
        entry["gradient"].keys() | set(re.findall(r"(?<!['.\w])[A-Zpxy]\b", entry["line"]))
    )
    names = [name for name in names if name in POINT]
    _expect_pytorchs(entry, Program(f"lambda {', '.join(names)}: {entry['line']}"), names)


def _expect_pytorchs(entry: dict[str, Any], program: Program, inputs: Iterable[str]) -> None:
    result = program.evaluate({name: POINT[name] for name in inputs}, check=False)
    close = 1e-7 if any(word in entry["line"] for word in SINGLE) else 1e-8
    np.testing.assert_allclose(np.ravel(result.value)[0], entry["value"], rtol=close, atol=1e-12)
    for name, slope in entry["gradient"].items():
        got = result.gradient.get(name, np.zeros(np.shape(slope)))
        np.testing.assert_allclose(got, slope, rtol=close, atol=close, err_msg=name)


@pytest.mark.parametrize(
    ("text", "ddof"),
    [
        ("F.std()", 0),
        ("F.std(axis=0)", 0),
        ("F.abs().std()", 0),
        ("F.relu(F).std()", 1),
        ("nn.relu(F).std()", 1),
        ("nn.functional.relu(F).std()", 1),
        ("jnp.abs(nn.relu(F)).std()", 0),
    ],
)
def test_a_matrix_f_has_methods_and_nn_is_pytorchs_unless_jax_stands_beside(
    text: str, ddof: int
) -> None:
    found = Program(text).evaluate(F=[1, 2, 4], check=False).value
    assert found == pytest.approx(np.std([1, 2, 4], ddof=ddof))


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
