"""Exported code run as a student would run it, and compared with what was evaluated."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli import Program
from gradcli.export.numpy_listing import pieces
from gradcli.export.python_function import FUNCTION
from gradcli.export.python_function import pieces as python_pieces
from gradcli.report import Style
from gradcli.results.result import Result
from gradcli.trace.statements import StatementSteps
from gradcli.trace.steps import Steps

PIPE = Style(width=None, color=False, ascii=False)


def listing(result: Result, steps: Steps | None = None) -> str:
    """The NumPy listing of a result."""
    return "".join(pieces(steps or Steps(result), PIPE))


def by_statement(program: Program, result: Result) -> Steps:
    """The statements of a program as steps."""
    return StatementSteps(result, program.statements)


def executed(text: str) -> dict[str, Any]:
    """The names that a text of Python leaves behind."""
    names: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        exec(compile(text, "<export>", "exec"), names)  # noqa: S102 - it was made by the tests
    return names


def differences(
    result: Result, names: dict[str, Any], tolerance: float, *, every: bool = True
) -> list[str]:
    """What is not as it was evaluated, by name; without `every`, missing nodes are no fault."""
    wrong = []
    for node in result.graph.nodes:
        for name, value in (
            (node.name, result.values[node.id]),
            (f"delta_{node.name}", result.accumulators[node.id]),
        ):
            if value is None:
                continue
            expected = value[0] if node.type.row else value
            if name not in names:
                wrong += [f"{name} is missing"] * every
            elif np.shape(names[name]) != np.shape(expected):
                wrong.append(f"{name} has shape {np.shape(names[name])}")
            elif not close(names[name], expected, tolerance):
                wrong.append(f"{name} is {names[name]}, not {expected}")
    return wrong


def close(found: Any, expected: Any, tolerance: float) -> bool:
    """Whether two values agree, relative to each element; above `ROUNDED`, to the largest."""
    largest = np.max(np.abs(expected), initial=0.0) if tolerance > ROUNDED else 0.0
    least = max(1e-300, tolerance * largest) if np.isfinite(largest) else 1e-300
    return bool(np.allclose(found, expected, rtol=tolerance, atol=least, equal_nan=True))


ROUNDED = 1e-14
"""A tolerance for code that computes the same in another order."""


def function_differences(result: Result, tolerance: float) -> list[str]:
    """What the exported function returns that was not evaluated."""
    function = executed("".join(python_pieces(Steps(result), PIPE)))[FUNCTION]
    with np.errstate(all="ignore"):
        value, gradient = function(*result.inputs.values())
    if result.output.type.row:
        value = value[None]
    wrong = [] if close(value, result.value, tolerance) else [f"value {value}"]
    if list(gradient) != list(result.gradient):
        wrong.append(f"gradients of {list(gradient)}")
    for name, expected in result.gradient.items():
        found = gradient[name]
        if np.shape(found) != np.shape(expected) or not close(found, expected, tolerance):
            wrong.append(f"gradient of {name}: {found}, not {expected}")
    return wrong
