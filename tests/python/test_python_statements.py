"""Every statement and spelling of Python that is read: values and gradients are Python's own.

The files hold the bodies of functions of a number `s`, a vector `v` and a matrix `A`, with `---`
between them; what stands above `===` is the module's. A last line without `return` is returned.
"""

from __future__ import annotations

import math
import re
import sys
import textwrap
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special

from gradcli import ops
from gradcli.diagnostics.error import GradcliError
from gradcli.program import Program

DATA = Path(__file__).parents[1] / "data"
POINT: dict[str, Any] = {
    "s": np.float64(0.7),
    "v": np.array([0.4, -0.9, 1.3]),
    "A": np.array([[0.5, -0.3, 0.8], [1.1, 0.2, -0.7], [-0.4, 0.9, 0.6]]),
}
GROUPS = 12


def cases(name: str) -> list[str]:
    """The texts of a file, each a module with a function f."""
    found = []
    for part in (DATA / name).read_text().strip().split("\n---\n"):
        before, _, body = part.rpartition("\n===\n")
        *lines, last = body.strip("\n").split("\n")
        if not any(line.startswith("return") for line in (*lines, last)):
            last = f"return {last}"
        inside = textwrap.indent("\n".join([*lines, last]), "    ")
        imports = "import numpy as np, math, scipy\nfrom scipy import special\n"
        found.append(f"{imports}{before}\ndef f(s, v, A):\n{inside}\n")
    return found


def run(text: str) -> Any:
    """The function f of a text of our own, as Python has it."""
    names: dict[str, Any] = {"__name__": "generated", "scipy": scipy}
    sys.modules["generated"] = types.ModuleType("generated")  # where dataclasses look up types
    exec(compile(text, "generated", "exec"), names)  # noqa: S102 - text of our own
    return names["f"]


def copies(by: float = 0.0) -> dict[str, Any]:
    """The point, moved along a fixed direction."""
    return {
        name: (at + by * np.sin(1.0 + np.arange(np.size(at))).reshape(np.shape(at)))[()]
        for name, at in POINT.items()
    }


def compare(text: str) -> None:
    """A text's value is Python's to the last bits, its gradient that of finite differences."""
    function = run(text)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        true = np.asarray(function(**copies()), dtype=float)
        weights = np.cos(np.arange(true.size)).reshape(true.shape)
        up, down = (np.sum(np.asarray(function(**copies(h))) * weights) for h in (1e-6, -1e-6))
    result = Program(text, function="f").evaluate(copies(), check=False, upstream=weights)
    np.testing.assert_allclose(result.value, true, rtol=1e-13, atol=1e-14, err_msg=text)
    moved = {
        n: np.sin(1.0 + np.arange(np.size(at))).reshape(np.shape(at)) for n, at in POINT.items()
    }
    slope = sum(np.sum(np.asarray(result.gradient.get(n, 0.0)) * d) for n, d in moved.items())
    assert slope == pytest.approx((up - down) / 2e-6, rel=3e-5, abs=3e-6), text


@pytest.mark.parametrize("part", range(GROUPS))
@pytest.mark.parametrize("name", ["python_statements.txt", "python_libraries.txt"])
def test_what_is_read_is_what_python_does(name: str, part: int) -> None:
    for text in cases(name)[part::GROUPS]:
        compare(text)


def spelled(row: Any) -> str:
    """The function of NumPy or SciPy that a row is; empty where there is none."""
    plain = f"np.{row.name}" if not row.numpy and hasattr(np, row.name) else row.numpy
    return plain if ops.is_function(row.name) and re.fullmatch(r"[\w.]+\.\w+", plain) else ""


SPELLED = [row for row in ops.TABLE if spelled(row)]
"""Rows that NumPy or SciPy has as a function."""
NUMBERS = ({"a": 0.3, "b": 0.4, "c": 0.6}, {"a": 1.3, "b": 1.4, "c": 1.6})
MATRIX = {"a": [[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 1.0]], "b": [1.0, 0.5, -0.5]}


@pytest.mark.parametrize("row", SPELLED, ids=lambda row: row.name)
def test_a_row_is_read_under_the_name_that_numpy_and_scipy_have(row: Any) -> None:
    count = sum(1 + p.variadic for p in row.parameters if not p.option and p.required)
    names = ["a", "b", "c"][:count]
    call = ", ".join(names)
    python, language = (
        Program(f"lambda {call}: {spelled(row)}({call})"),
        Program(f"{row.name}({call})"),
    )
    for point in NUMBERS if row.elementwise else [MATRIX]:
        given = {name: point[name] for name in names}
        try:
            wanted = language.evaluate(given, gradient=False, check=False).value
        except GradcliError:
            continue
        weights = np.cos(np.arange(np.size(wanted))).reshape(np.shape(wanted))
        results = [p.evaluate(given, upstream=weights, check=False) for p in (python, language)]
        assert results[0].value == pytest.approx(results[1].value, rel=1e-14)
        for name in names:
            np.testing.assert_allclose(
                results[0].gradient.get(name, 0.0), results[1].gradient.get(name, 0.0), rtol=1e-12
            )


def test_math_is_numpy() -> None:
    for name in ("sin", "exp", "log", "tanh", "sqrt", "erf", "gamma", "lgamma", "cbrt"):
        text = f"lambda x: math.{name}(x)"
        assert Program(text).evaluate(x=0.4, check=False).value == pytest.approx(
            getattr(math, name, np.cbrt)(0.4), rel=1e-15
        )


def test_the_normal_distribution_is_scipys() -> None:
    text = "from scipy.stats import norm\ndef f(x):\n    return norm.pdf(x, 0.5, 2) + norm.sf(x)"
    found = Program(text).evaluate(x=0.3, check=False)
    density = math.exp(-0.005) / (2 * math.sqrt(2 * math.pi))
    assert found.value == pytest.approx(density + 0.5 * math.erfc(0.3 / math.sqrt(2)), rel=1e-14)
