"""Whatever is handed in: places stay, and nothing but `GradcliError` comes out."""

from __future__ import annotations

import ast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradcli.diagnostics.error import GradcliError, Kind, as_json, render
from gradcli.diagnostics.source import Source
from gradcli.grading.listing.notation import python_of
from gradcli.grading.submission.decimals import written
from gradcli.grading.submission.labels import readings
from gradcli.grading.submission.read import read_submission
from gradcli.grading.submission.types import Vocabulary

TASK = Vocabulary(("x", "y"), tuple("xyabcdef"), "f")
NAMES = ["", "a.py", "a.csv", "a.tsv", "a.json", "a.ipynb", "a.txt"]

WORDS = [
    *"xyabf0159()[]{}.,;:=+-*/@'\"#%!\\\n\t ",
    *("delta_x", "x.grad", "∂f/∂x", "δ", "d_", "<-", "\r\n", "np.array(", "dtype=", "'float'"),
    *("def ", "def f(a):", "return ", "lambda ", "lambda a:", "import ", "from ", "print(", "f'"),
    *("for ", "if ", " = ", " += ", "'''", '"""', "\n    ", "# ", "__", "________", "1.5", "½"),
    *("Forward pass", "\nBackward pass", "\nBackprop f = b", "\n  delta_x = ", " = ", " final"),
    *("\nGradient  df/dx = ", "(1)", "  ", "→", "step  node", "name,value\n", '{"x": ', "null"),
    *(
        '{"cells": [',
        '"cell_type"',
        "nan",
        "1e999",
        "[[1, 2], [3, 4]]",
        "W[0, 1]",
        "\ufeff",
        "\u2028",
    ),
]
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=40).map("".join))


@given(TEXTS)
@example("\x85A")
@settings(max_examples=400, deadline=None)
def test_every_part_of_a_listing_has_its_place(text: str) -> None:
    try:
        tree, places = python_of(Source(text))
    except GradcliError as error:
        assert error.span is None or 0 <= error.span.start <= error.span.end <= len(text) + 1
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            span = places.span(node)
            assert 0 <= span.start < span.end <= len(text)
            assert text.count("\n", 0, span.start) + 1 == places.line(span)


@pytest.mark.parametrize(
    "text",
    [
        "x =\u00a0y + longer",
        "x = y *\u2003longer; z = x",
        "x = \u2212y * longer",
        "\ufeffx = y * longer",
        "\x85x = y\u2028z = x * longer",
    ],
)
def test_names_have_their_place_behind_characters_that_are_read_as_others(text: str) -> None:
    tree, places = python_of(Source(text))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    assert [text[slice(*places.span(node))] for node in names] == [node.id for node in names]


@given(TEXTS, st.sampled_from(NAMES))
@settings(max_examples=800, deadline=None)
def test_the_reader_raises_nothing_but_its_own_error(text: str, name: str) -> None:
    try:
        submission = read_submission(text.encode("utf-8", "surrogatepass"), name, TASK)
    except GradcliError as error:
        assert error.kind is Kind.SUBMISSION
        assert error.exit_code == 5
        assert render(error)
        assert as_json(error)
    else:
        assert submission is not None


@given(st.binary(max_size=200), st.sampled_from(NAMES))
@settings(max_examples=300, deadline=None)
def test_bytes_of_any_kind(content: bytes, name: str) -> None:
    try:
        read_submission(content, name, TASK)
    except GradcliError as error:
        assert error.kind is Kind.SUBMISSION


@given(st.text())
def test_any_label_has_readings(label: str) -> None:
    for reading in readings(label, TASK):
        assert reading.name in TASK.nodes


@given(st.floats(allow_nan=False), st.integers(0, 12))
def test_a_number_is_within_its_radius(number: float, places: int) -> None:
    text = f"{number:.{places}e}"
    read = written(text)
    assert read.value == float(text)
    if abs(read.value) < 1e300:
        assert abs(number - float(read.value)) <= float(read.radius) * 1.001 + 5e-324


@pytest.mark.parametrize("text", ["x = 1", "δ = 2\n", "def f(a): return a", "∂f/∂x = 3"])
def test_what_can_be_read_is_read(text: str) -> None:
    read_submission(text.encode(), "a.py", TASK)
    assert python_of(Source(text))[0].body
