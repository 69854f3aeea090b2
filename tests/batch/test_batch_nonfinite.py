"""Infinities and nan in the points of a batch, wherever they stand: the rows that `eval` refuses.

Where all operations are plain arithmetic, a batch trusts the signals of the processor and looks
at nothing but its columns; elsewhere it looks at its results too. Both have to find the same rows.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli import GradcliError, Program

PLAIN = (
    "x + y",
    "x*y - x/y",
    "x^2 + y^3",
    "1/x + y",
    "abs(x)*y - x",
    "(x - y)*(x + y) / (x^2 + 1)",
    "0*x + y",
    "x - x + y",
    "1/(1 + x^2) + y",
    "sum(c)*x - c[0]*y",
)
OTHERS = (
    "sin(x)*y",
    "relu(x) + y",
    "tanh(x)/y",
    "(x > 1) + y",
    "where(x > 0, y, 2*y)",
    "max(x, y)",
    "exp(-x^2)*y",
    "sigmoid(x) + y",
    "floor(x)*y + sign(y)",
    "1/(1 + exp(x)) + y",
    "log(x) + sqrt(y)",
    "norm(c)*x + y",
)
BAD = (np.nan, np.inf, -np.inf)
LONG = 70_001
"""Some chunks, whatever their size."""


@cache
def program(text: str) -> Program:
    return Program(text)


def refused(text: str, columns: dict[str, Any]) -> list[bool]:
    """For every row whether `eval` has an error for it."""
    found = []
    for row in range(len(columns["x"])):
        try:
            program(text).evaluate({n: c[row] for n, c in columns.items()}, check=False)
        except GradcliError:
            found.append(True)
        else:
            found.append(False)
    return found


def short(text: str, count: int = 7) -> dict[str, Any]:
    random = np.random.default_rng(0)
    columns: dict[str, Any] = {n: random.uniform(1.5, 2.5, count) for n in ("x", "y")}
    if "c" in program(text).inputs:
        columns["c"] = random.uniform(1, 2, (count, 3))
    return {n: columns[n] for n in program(text).inputs}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("text", PLAIN + OTHERS)
def test_in_any_column_and_any_row(text: str, bad: float) -> None:
    """Also where the results are finite all the same, as of 1/x at infinity."""
    for name in program(text).inputs:
        for row in (0, 3, 6):
            columns = short(text)
            place = (row, 1) if name == "c" else row
            columns[name][place] = bad
            with pytest.raises(GradcliError, match=rf"row {row + 1}: .*'{name}' is not finite"):
                program(text).batch(columns)
            for only in (None, "value", "grad"):
                found = program(text).batch(columns, errors="nan", only=only)
                left = program(text).batch(columns, errors="skip", only=only)
                for key, column in found.items():
                    nans = np.isnan(column.reshape(7, -1))
                    assert nans.all(axis=1).tolist() == [i == row for i in range(7)]
                    assert nans.any(axis=1).tolist() == [i == row for i in range(7)]
                    np.testing.assert_array_equal(left[key], np.delete(column, row, axis=0))


@pytest.mark.parametrize("text", ["x*y - x/y", "1/(1 + x^2) + y", "sin(x)*y", "(x > 1) + y"])
@pytest.mark.parametrize("bad", BAD)
def test_in_any_chunk(text: str, bad: float) -> None:
    whole = short(text, LONG)
    rows = {0, 2047, 2048, 16_383, 16_384, 32_767, 32_768, 65_536, LONG - 2, LONG - 1}
    for name in ("x", "y"):
        columns = {n: c.copy() for n, c in whole.items()}
        columns[name][list(rows)] = bad
        found = program(text).batch(columns, errors="nan")["value"]
        assert set(np.flatnonzero(np.isnan(found)).tolist()) == rows
        assert len(program(text).batch(columns, errors="skip")["d_x"]) == LONG - len(rows)
        with pytest.raises(GradcliError, match="row 1: "):
            program(text).batch(columns)
        columns[name][[0, 2047, 2048]] = 1.5
        with pytest.raises(GradcliError, match="row 16,384: "):
            program(text).batch(columns)


NUMBERS = st.one_of(
    st.sampled_from([*BAD, 0.0, -0.0, 1.0, -1.0, 1e-320, 1e-160, 1e160, 1e308, -1e308]),
    st.floats(-10, 10),
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(PLAIN + OTHERS),
    st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=6),
)
def test_the_rows_that_eval_refuses(text: str, rows: list[tuple[float, float, float]]) -> None:
    """Overflow and division by zero on the way count as well, infinite data or not."""
    x, y, z = (np.array(column) for column in zip(*rows, strict=True))
    columns = {"x": x, "y": y, "c": np.stack([z, x, np.ones_like(x)], axis=1)}
    columns = {n: columns[n] for n in program(text).inputs}
    wanted = refused(text, columns)
    found = program(text).batch(columns, errors="nan")
    assert np.isnan(found["value"]).tolist() == wanted
    assert len(program(text).batch(columns, errors="skip")["value"]) == wanted.count(False)
    if any(wanted):
        with pytest.raises(GradcliError, match=f"row {wanted.index(True) + 1}: "):
            program(text).batch(columns)
    else:
        program(text).batch(columns)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("text", ["a*x", "x/a", "x + 0*a"])
def test_a_value_for_all_rows_that_is_not_finite(text: str, bad: float) -> None:
    with pytest.raises(GradcliError, match="the value of 'a' is not finite"):
        Program(text).batch({"x": [1.0, 2.0]}, a=bad)


@pytest.mark.parametrize(
    ("text", "a"), [("x + log(a)", -1.0), ("x*exp(a)", 1e3), ("x*sqrt(a)", 0.0)]
)
def test_mathematics_that_fails_for_all_rows(text: str, a: float) -> None:
    with pytest.raises(GradcliError, match="row 1: "):
        Program(text).batch({"x": [1.0, 2.0]}, a=a)
    assert np.isnan(Program(text).batch({"x": [1.0, 2.0]}, a=a, errors="nan")["value"]).all()


def test_large_numbers_are_no_reason_to_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Program("x/2").batch({"x": [1e308, 1e308]})
    assert found["value"].tolist() == [5e307, 5e307]


@pytest.mark.parametrize(
    ("text", "x"),
    [("log(x)", [0.5, -1.0]), ("log1p(x - 2)", [1.5, 0.5]), ("atanh(x)", [0.0, 2.0])],
)
@pytest.mark.parametrize("jit", [False, True])
def test_gradients_alone_need_a_value(text: str, x: list[float], jit: bool) -> None:  # noqa: FBT001
    with pytest.raises(GradcliError, match="row 2: "):
        Program(text).batch({"x": x}, only="grad", jit=jit)
    found = Program(text).batch({"x": x}, only="grad", errors="skip", jit=jit)
    assert list(found) == ["d_x"]
    assert len(found["d_x"]) == 1


@pytest.mark.parametrize(
    "options", [{"errors": "Skip"}, {"only": "gradient"}, {"errors": None}, {"only": "grads"}]
)
def test_options_that_are_none(options: dict[str, Any]) -> None:
    with pytest.raises(GradcliError, match="is not known"):
        Program("log(x)").batch({"x": [1.0, -1.0]}, **options)
