"""Numbers, arrays and words in reports."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import gradcli
from gradcli.diagnostics.error import cell_width
from gradcli.report import Style, bare
from gradcli.report.numbers import (
    array_lines,
    decimals,
    folded,
    inline,
    is_small,
    number,
    shown,
    summary,
)

UNICODE = Style(width=None, color=False, ascii=False)
ASCII = Style(width=None, color=False, ascii=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "precision", "text"),
    [
        (9.0, 6, "9"),
        (0.6035972419924184, 6, "0.603597"),
        (1e6, 6, "1000000"),
        (1234567.0, 6, "1.23457e6"),
        (1.5e9, 6, "1.5e9"),
        (1e-5, 6, "1e-5"),
        (-0.0, 6, "0"),
        (0.1, 17, "0.10000000000000001"),
        (1e300, 1, "1e300"),
        (math.inf, 6, "inf"),
        (-math.inf, 6, "-inf"),
        (math.nan, 6, "nan"),
    ],
)
def test_numbers(value: float, precision: int, text: str) -> None:
    assert number(value, precision) == text


@settings(deadline=None)
@given(FINITE, st.integers(1, 17))
def test_a_number_has_the_digits_that_it_was_given(value: float, precision: int) -> None:
    text = number(value, precision)
    assert float(text) == float(f"{value:.{precision}g}")
    digits = text.lstrip("-").split("e")[0].replace(".", "").lstrip("0")
    assert len(digits) <= precision or float(text) == value


@settings(deadline=None)
@given(FINITE)
def test_seventeen_digits_round_trip(value: float) -> None:
    assert float(number(value, 17)) == value


@settings(deadline=None)
@given(st.lists(FINITE, min_size=1))
def test_the_points_of_a_column_stand_below_each_other(values: list[float]) -> None:
    texts = [number(value, 6) for value in values]
    room = decimals(texts)
    padded = [room.pad(text) for text in texts]
    assert [text.strip() for text in padded] == texts
    if room.before:
        assert len({len(text) for text in padded}) == 1
        assert len({text.index(".") for text in padded if "." in text}) <= 1


@settings(deadline=None)
@given(arrays(np.float64, array_shapes(max_dims=4, max_side=3), elements=FINITE))
def test_arrays_are_nested_lists(array: np.ndarray) -> None:
    if is_small(array):
        lines = array_lines(array, 17)
        assert np.array_equal(json.loads(" ".join(lines)), array)
        assert np.array_equal(json.loads(inline(array, 17, UNICODE)), array)
    else:
        assert inline(array, 6, UNICODE).startswith("×".join(map(str, array.shape)))


def test_matrices_are_aligned() -> None:
    assert array_lines(np.array([[1, -20.5], [300, 4]]), 6) == ["[[  1, -20.5],", " [300,     4]]"]
    cube = np.arange(8).reshape(2, 2, 2)
    assert array_lines(cube, 6) == ["[[[0, 1],", "  [2, 3]],", " [[4, 5],", "  [6, 7]]]"]


def test_vectors_go_on_below() -> None:
    assert array_lines(np.array([1, 2.5, -3]), 6, 1) == ["[  1,", " 2.5,", "  -3]"]
    assert array_lines(np.array([1, 2.5, -3]), 6, 11) == ["[  1, 2.5,", "  -3]"]


def test_the_norm_does_not_overflow() -> None:
    assert summary(np.array([3e200, 4e200]), 6) == ("3e200", "4e200", "5e200")
    assert summary(np.array([0.0, 0.0]), 6) == ("0", "0", "0")
    assert summary(np.array([1.0, np.nan]), 6) == ("nan", "nan", "nan")
    assert summary(np.array([1.0, -np.inf]), 6) == ("-inf", "1", "inf")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(2, 40))
def test_folding_keeps_every_word(text: str, width: int) -> None:
    text = shown(text, UNICODE)
    lines = folded(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:  # only a number may be wider: it is never broken
        assert cell_width(line) <= width or re.fullmatch(r"\s*[-−]?\d[\d.]*(e[-+]?\d+)?", line)


@settings(deadline=None)
@given(st.text())
def test_nothing_from_outside_controls_the_terminal(text: str) -> None:
    assert shown(text, UNICODE).isprintable()
    assert shown(text, ASCII).isascii()


def test_ascii_words() -> None:
    assert shown("∂f/∂δ_λ = −√x² ± √(Γ + 1), ∞ → x̂", ASCII) == (
        "df/ddelta_lambda = -sqrt(x)^2 +/- sqrt(Gamma + 1), inf -> x\\u0302"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(0.1), "0.1\n"),
        (np.float64(-0.0), "-0.0\n"),
        (np.float64("nan"), "nan\n"),
        (np.float64("-inf"), "-inf\n"),
        (np.array([[1, 0.1]]), "[[1.0, 0.1]]\n"),
        (np.array([np.nan, np.inf, -np.inf]), "[nan, inf, -inf]\n"),
        (np.zeros((2, 0)), "[[], []]\n"),
    ],
)
def test_bare_values(value: object, text: str) -> None:
    assert bare(value, UNICODE) == text


@settings(deadline=None)
@given(FINITE)
def test_bare_numbers_round_trip(value: float) -> None:
    assert float(bare(np.float64(value), UNICODE)) == value


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("x = 3; x^2", "Leave out 'x = 3' and give --x 3"),
        (
            "v=[1,2]; k=-2; sum(v)*k",
            """Leave out 'v = [1, 2]', 'k = -2' and give --v "[1, 2]" --k -2""",
        ),
        ("y = 2*pi; y^2", None),
        ("3*4", None),
    ],
)
def test_constants_say_how_they_become_inputs(program: str, words: str | None) -> None:
    last = str(gradcli.evaluate(program)).strip().splitlines()[-1]
    assert (words is None) == last.endswith("no inputs, so no gradient")
    assert words is None or last.endswith(words)
