"""Every message of the language, as a user sees it: one snapshot for each text.

When a message changes on purpose: `pytest tests/test_language_errors.py --snapshot-update`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion  # noqa: TC002 - pytest reads the annotation

import gradcli.ops  # noqa: F401 - hands the functions' names to the syntax
from gradcli.diagnostics.error import (
    GradcliError,
    Kind,
    Label,
    as_json,
    cell_width,
    render,
)
from gradcli.diagnostics.source import Source, Span
from gradcli.syntax.header import read_header
from gradcli.syntax.parser import parse, parse_expression

PROGRAMS = {
    "no operator": [
        "x y",
        "sin x",
        "x^T A x",
        "(a + b)^T A",
        "(a)(b)",
        "f(x)(y)",
        "f(x) g(y)",
        "x[0](y)",
        "x''(y)",
        "2x y",
        "x½",
        "x(a b)",
        "2 3",
        "1.2.3",
        "sin²(x)",
        "f'(x)",
        "f'(x + (y",
        "(a +\n b)(c)",
        "x yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
        "W.T x",
        "W' x",
        "|x|y",
        "||a*b|| ||c||",
        "[1 2]",
        "[a b, c]",
        "|x|_2",
        "||x||_F",
        "‖x‖₂²",
        "||x||_inf",
        "||x||_",
        "d/dx x^2",
        "a = 1; d/dx 2x",
    ],
    "powers of functions": [
        "exp^2(x)",
        "2sin^2(x + 1)",
        "log^2 x",
        "tan**3(x)",
        "sin^-1(x)",
        "sin⁻¹(x)",
        "exp^-1(x)",
        "sinc^-1(x)",
    ],
    "readings": ["1/2x", "a/-2x", "a*b/2x", "(a + b)/2(c - d)", "2^3x", "x^2y", "(x + 1)^-2(y)"],
    "numbers": [
        "0x1F",
        "0b12",
        "2j",
        "1.5e3J",
        "1__0",
        "1_",
        "2_x",
        "1e999",
        "2.T",
        "2'",
        "2.sum()",
        "2[1, 2]",
        "1,5",
        "1,000",
        "12,345",
        "1..2",
    ],
    "brackets": [
        "(x",
        "f(x, [y",
        "x)",
        "(x]",
        "x + (a + b]",
        "(a + b\nc = 3",
        "a = (x +\nb = 3",
        "(x; y)",
        "[1, 2; 3, 4]",
        "()",
        "[]",
        "x[]",
        "f(x,) + [,]",
    ],
    "bars": [
        "|x",
        "|x\n|",
        "||x|",
        "(|x)",
        "|x +|",
        "x|",
        "2|x|",
        "2||x||",
        "|x||y|",
        "||x| - |y||",
        "a | b",
        "a || b",
        "|x, y|",
    ],
    "something is missing": [
        "",
        " \n# only a comment\n",
        ";",
        "x +",
        "x = 3 *\ny",
        "x^",
        "√",
        "+",
        "x =",
        "f(x=)",
        "(x + )",
        "f(,x)",
        "f(x,,y)",
        "* x",
        "a = b\n  + c",
        "²",
        "x.",
        "x. + 1",
        ".x",
    ],
    "doubled": ["x + * y", "x */ y", "x^²", "√-x", "x < > y", "x^*y"],
    "equals": [
        "x = y = 3",
        "= 3",
        "(x = 3)",
        "x += y = 3",
        "x = y += 2",
        "x < = 3",
        "f(2 = x)",
        "f(a=1, b)",
        "f(a=1, a=2)",
        "where(x=0, 1, 2)",
        "3 = x",
        "2x = 3",
        "x + 1 = 3",
        "x < 1 = 3",
        "[a, b] = c",
        "x[0] = 3",
        "|x| = 3",
        "x.sum() = 3",
        "np.sum(x) = 3",
        "np.pi = 3",
        "True = 1",
        "inf = 1",
        "x + 1 += 3",
        "f(2) = 3",
        "f() = 3",
        "f(x=2) = 3",
        "f(x, y, x) = 3",
        "df/dx = 2x",
        "dL/dw1 = 2x",
        "d/dx = 2x",
        "distance/duration = 2x",
    ],
    "blocks": [
        "block = 3",
        "block f = x with d/dx = 1",
        "block f(x) = x^2",
        "block f(x) = x^2 with",
        "block f(x) = x^2 with d/dx",
        "block f(x) = x^2 d/dx = 2x",
        "block f(x) = x^2 with dx = 2x",
        "block f(x) = x^2 with d/dy = 2x",
        "block f(x) = x^2 with d/dx = 2x d/dx = 3",
        "block f(x) = x^2 with d/dx = 2x, d/dx = 3",
        "block f(x) = x^2 with d/dx = 2x = 3",
        "x with y",
        "with x",
        "x + block",
    ],
    "points": [
        "x^2 where x = 3",
        "x^2 at x=-1.5",
        "x^2 | x = 3",
        "y = x^2 for x = 3",
        "x^2 at x",
        "y format = 3",
        "|x| y = 3",
        "x where(x == 3, 1, 2)",
        "x^2 where x == 3",
    ],
    "statements": ["x\ny", "f == 3\nf", "a, b = 1, 2", "x; y; z"],
    "tuples, slices, None": [
        "(1, 2)",
        "f((a, b) + c)",
        "f((a, b)[0])",
        "[1:3]",
        "f(1:3)",
        "x: 3",
        "x[1:2:3:4]",
        "None + 1",
        "x = None",
        "f(None + 1)",
        "x..T",
    ],
    "names": [
        "xⁿ",
        "x⁻",
        "⁺",
        "ᵃ",
        "x → y",
        "x ÷ 2",
        "∂x",
        "∞",
        "x ⊗ y",
        "¼",
        "⅓x",
        "x⅝y",
        "2½",
        "（x）",
        "x ☃",
        "x\u200by",
        "\u202ex",
        "x\x00",
        "x\x1b[31m",
        "x\ufe0f",
        "x\ud800",
        "\u0301x",
        "٣x",
        "₁x",
        "x\ufeff",
        "x.sum",
        "(a + b).mean",
        "np.random",
        "np.sin",
        "scipy.special.pi",
        "np.random.normal(3)",
        "W.x",
        "∇f",
        "∫x",
        "x ± 1",
        "f ∘ g",
        "30°",
        "x – 1",
        "x ∙ y",
        "x ＋ 1",
    ],
    "other languages": [
        "def f(x): return x",
        "lambda x: x^2",
        "for i in x: y",
        "while x: y",
        "x if c else y",
        "if x > 0: y",
        "import numpy as np",
        "return x",
        "print x",
        "class A: x",
        "let x = 3",
        "a and b",
        "a or b",
        "not x",
        "x is y",
        "x in y",
        "x == 1 == = 2",
        "x === 3",
        "x := 3",
        "x -> y",
        "x => y",
        "x =< y",
        "x <> y",
        "x++",
        "x--",
        "a && b",
        "a & b",
        "!x",
        "~x",
        '"abc"',
        "'abc'",
        "“abc”",
        "`x`",
        '"abc',
        "{x}",
        "x}",
        "$x$",
        r"\foo x",
        r"\partial f",
        "\\",
        "x^{n + 1}",
        "x_{1}",
        "x_{i,j}",
        "{1, 2}",
        "{1}_",
        "(a)^{2}",
        "x_{",
        "x^^2",
        "x***2",
        "x /* y */",
        "x ?",
        "x @@ y",
    ],
}

EXPRESSIONS = ["", "\n", "x = 3", "f(x) = 3", "1; 2", "[1, 2]\n[3, 4]", "x +"]

HEADERS = [
    "#: x = 3\n#: x = 4\nx",
    "#: marks x = 1\n#: marks x = 2\nx",
    "#: y\nx",
    "#: f(x) = 3\nx",
    "#: x = 3 +\nx",
    "#: x = (1,\nx",
    "#: marks x = y\nx",
    "#: marks x = -1\nx",
    "#: title one\n#: title two\nx",
    "#: titel The tutorial's example\nx",
    "#: Title\nx",
    "#: marsk x = 2\nx",
    "#: x: 3\nx",
    "#: x = [1,\n#:      y 3]\nx",
    "#: dirction gradient\nx",
    "#: direction up\nx",
    "#: range x 1 0\nx",
    "#: fixed x\n#: values x 1, 2\nx",
    "#: call dx = f(x\nx",
    "x = 3\n#: y = 4",
]

ROWS = [
    pytest.param(reader, text, id=f"{family}: {text!r}")
    for reader, family, text in [
        *((parse, family, text) for family, texts in PROGRAMS.items() for text in texts),
        *((parse_expression, "expression", text) for text in EXPRESSIONS),
        *((read_header, "header", text) for text in HEADERS),
    ]
]


@pytest.mark.parametrize(("reader", "text"), ROWS)
def test_error(reader: Callable[[Source], object], text: str, snapshot: SnapshotAssertion) -> None:
    source = Source(text)
    with pytest.raises(GradcliError) as raised:
        reader(source)
    assert raised.value.kind is Kind.SYNTAX
    assert raised.value.source is source
    assert raised.value.span is not None
    assert render(raised.value) == snapshot


def test_an_error_names_the_file() -> None:
    with pytest.raises(GradcliError) as raised:
        parse(Source("x +", "task.grad"))
    assert "task.grad:" in render(raised.value)


LINE_ENDS = ["\n", "\r", "\r\n", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("end", LINE_ENDS)
@pytest.mark.parametrize("second", LINE_ENDS)
def test_whatever_ends_a_line_is_counted(end: str, second: str) -> None:
    text = f"# é{end}a = 1{second}b = 2{end}{second}  c = y x{end}"
    with pytest.raises(GradcliError) as raised:
        parse(Source(text))
    error = raised.value
    number = 5 if end + second != "\r\n" else 4
    place = as_json(error)["error"]
    assert (place["line"], place["column"], place["end_column"]) == (number, 7, 10)
    assert render(error).split("\n")[1:3] == [f"  {number} |   c = y x", "    |       ^^^"]


CHARACTERS = st.sampled_from("ab +*\t漢あx̂é\x1b\u200b")


@given(
    st.text(CHARACTERS, min_size=1, max_size=120),
    st.data(),
    st.integers(28, 110),
    st.integers(0, 200),
)
def test_an_excerpt_fits_into_the_width(
    text: str, data: st.DataObject, width: int, above: int
) -> None:
    """However wide its characters are, and with labels; the first `^` is under its character."""
    places = st.integers(0, len(text))
    start, end, other = (data.draw(places) for _ in range(3))
    span = Span(above + min(start, end), above + max(start, end))
    labels = (Label(Span(above + other, above + other + 1), "12 elements"),)
    source = Source("\n" * above + text)
    error = GradcliError(Kind.SYNTAX, "wrong", source=source, span=span, labels=labels)
    character = text[span.start - above : span.start - above + 1]
    for ascii_only in (False, True):
        _, shown, marks, *_ = lines = render(error, width, ascii_only=ascii_only).split("\n")
        assert all(cell_width(line) <= width for line in lines)
        assert lines[1].isascii() or not ascii_only
        cells = [c for c in shown for _ in range(cell_width(c))]
        if character.isascii() and character.isprintable() and character:
            assert cells[marks.index("^")] == character
