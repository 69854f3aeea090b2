"""Reading what was handed in: names, numbers, listings, values, sheets, notebooks, bytes."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import random
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source
from gradcli.grading.listing.notation import python_of
from gradcli.grading.marking.mark import mark
from gradcli.grading.model.task import make_task
from gradcli.grading.submission.decimals import Texts, written
from gradcli.grading.submission.labels import Reading, read_name, readings
from gradcli.grading.submission.notebook import code_only, read_notebook
from gradcli.grading.submission.read import MOST_BYTES, MOST_NOTEBOOK, read_bytes, read_submission
from gradcli.grading.submission.tables import delimiter_of
from gradcli.grading.submission.types import (
    Entry,
    Listing,
    Submission,
    Values,
    Vocabulary,
)

FOLDER = Path(__file__).parents[1] / "homework"
TUTORIAL = Vocabulary(("x", "y"), tuple("xyabcdef"), "f")
ARRAYS = Vocabulary(("W", "x", "b"), ("W", "x", "b", "c", "z", "a", "d", "J"), "J")


def read(text: str, name: str = "", vocabulary: Vocabulary = TUTORIAL) -> Submission:
    return read_submission(text.encode(), name, vocabulary)


def entries(text: str, name: str = "v.csv", vocabulary: Vocabulary = ARRAYS) -> list[Entry]:
    submission = read(text, name, vocabulary)
    assert isinstance(submission, Values)
    return list(submission.entries)


def statements(text: str) -> list[str]:
    """The statements of a listing, as Python writes them."""
    tree, _ = python_of(read_listing(text).source)
    return [ast.unparse(statement) for statement in tree.body]


def read_listing(text: str) -> Listing:
    found = read(text, "a.py")
    assert isinstance(found, Listing)
    return found


def refusal(text: str, name: str = "v.csv", vocabulary: Vocabulary = ARRAYS) -> str:
    with pytest.raises(GradcliError) as caught:
        read(text, name, vocabulary)
    assert caught.value.kind is Kind.SUBMISSION
    assert caught.value.exit_code == 5
    return caught.value.message


# --- names -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        *("delta_{}", "d_{}", "d{}", "dfd{}", "df_d{}", "grad_{}", "{}.grad", "δ{}", "δ_{}"),
        *("∂f/∂{}", "df/d{}", "d f/d {}"),
    ],
)
@pytest.mark.parametrize("node", ["x", "y", "ŷ", "W1"])
def test_every_form_of_a_gradients_name(form: str, node: str) -> None:
    vocabulary = Vocabulary((node,), (node, "f"), "f")
    assert readings(form.format(node), vocabulary) == [Reading("gradient", node)]


def test_names_have_one_form() -> None:
    vocabulary = Vocabulary(("x1",), ("x1", "ŷ"), "ŷ")
    assert read_name("δx₁", vocabulary) == Reading("gradient", "x1")
    assert read_name("delta_y\u0302", vocabulary) == Reading("gradient", "ŷ")


def test_the_output_of_a_quotient_is_that_of_the_task() -> None:
    vocabulary = Vocabulary(("W",), ("W", "J"), "J")
    assert read_name("dJ_dW", vocabulary) == Reading("gradient", "W")
    assert read_name("dL_dW", vocabulary) == Reading("value", "dL_dW")


def test_two_readings_are_an_error_with_both() -> None:
    for nodes, label in ((("x", "dx"), "dx"), (("x", "fdx"), "dfdx"), (("x", "_x"), "d_x")):
        vocabulary = Vocabulary(nodes, (*nodes, "f"), "f")
        with pytest.raises(GradcliError, match="can be read in two ways") as caught:
            read_name(label, vocabulary)
        assert all(f"'{node}'" in caught.value.message for node in nodes)


def test_names_of_ones_own_staging_have_gradients_too() -> None:
    assert read_name("delta_q", TUTORIAL).kind == "value"
    assert read_name("delta_q", TUTORIAL, ["q"]) == Reading("gradient", "q")


# --- numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "radius", "digits"),
    [
        ("0.018", 0.018, 0.0005, 2),
        ("-1.2e-3", -0.0012, 0.00005, 2),
        ("−5", -5, 0.5, 1),
        ("1200", 1200, 0.5, 4),
        ("3.00", 3, 0.005, 3),
        (".5", 0.5, 0.05, 1),
        ("½", 0.5, 0, 4),
        ("-1/3", -1 / 3, 0, 4),
        ("-5243/10000", -0.5243, 0.00005, 4),
        ("2411/4598", 2411 / 4598, 0, 4),
        ("1/10", 0.1, 0.05, 1),
        ("-1 ½", -1.5, 0, 4),
        ("2·10⁻³", 0.002, 0.0005, 1),
        ("52.43 %", 0.5243, 0.00005, 4),
        ("inf", np.inf, 0, 17),
        ("1e999", np.inf, 0, 1),
        ("1e-999999999999", 0, 0, 1),
    ],
)
def test_a_number_remembers_its_digits(text: str, value: float, radius: float, digits: int) -> None:
    number = written(text)
    assert (number.value, number.digits) == (value, digits)
    assert number.radius == pytest.approx(radius)


WAYS = (
    "{n}/{q}", "−{n} / {q}", "-({n}/{q})", "\\frac{{{n}}}{{{q}}}", "$-\\dfrac{{-{n}}}{{{q}}}$",
    "{n}⁄{q}", "{f}", "{f}0", "–{f}", "≈ {f}", "= {f}", "{e}e-2", "{e}·10⁻²", "{e}*10^-2",
    "-{e} \\cdot 10^{{-2}}", "{e} × 10**(-2)", "{e}%", "{e} %",
)  # fmt: skip


def test_all_ways_to_write_a_number() -> None:
    """Each has the value and the digits of the decimal that it stands for."""
    draw = random.Random(11)  # noqa: S311
    for way in WAYS:
        for places in (1, 2, 4, 7):
            n = draw.randrange(10 ** (places - 1), 10**places)
            decimal = f"{n / 10**places:.{places}f}"
            hundredths = f"{100 * n / 10**places:.{max(0, places - 2)}f}"
            if places < 2 and "{e}" in way:
                continue
            number = written(way.format(n=n, q=10**places, f=decimal, e=hundredths))
            plain = written(decimal + "0" * way.count("{f}0"))
            assert abs(number.value) == pytest.approx(plain.value, rel=1e-12), way
            assert number.radius == pytest.approx(plain.radius), way
            assert number.digits == plain.digits, way
            negative = way.lstrip("$").startswith(("-", "−", "–")) != ("-{n}" in way)
            assert (number.value < 0) == negative, way


def test_a_fraction_counts_as_it_is_written() -> None:
    """In a table, in JSON, in a sheet's cell and in code; wrong digits are wrong."""
    task = make_task(gradcli.Program("(x + sigmoid(y)) / (x^2 + y)"), {"x": 3, "y": -4})
    for text, right in (("-5243/10000", True), ("-5343/10000", False), ("-1/2", False)):
        for name, content in {
            "a.csv": f"x,{text}\ny,-0.1172",
            "a.json": json.dumps({"x": text, "y": -0.1172}),
            "a.py": f"dx = {text}\ndy = -0.1172",
            "a.txt": f"Gradient   df/dx = {text}   df/dy = -0.1172",
        }.items():
            content_ = f"Backward pass\n{content}" if name == "a.txt" else content
            submission = read_submission(content_.encode(), name, task.vocabulary)
            assert mark(task, submission).right == right, (text, name)


SAME = (
    "39/739", "−39/−739", "(39/739)", "+39/739", "\\frac{39}{739}", "0.0528", "+.0528", "5.28e-2",
    "5,28%", "0,0528", "528*10^-4", "sqrt(2)/2*0.07463", "3.9/73.9", "np.float64(0.0528)",
    "1/18.95", "'0.0528'", "exp(-2.9418)",
)  # fmt: skip
GROUPED = ("1000", "1 000", "1\u202f000,0", "1.000,00", "1,000.0", "1e3", "10**3")


@pytest.mark.parametrize(
    ("true", "texts"), [(39 / 739 * (1 - 1e-5), SAME), (1000.001, GROUPED)], ids=["39/739", "1000"]
)
def test_every_kind_of_submission_takes_the_same_numbers(
    true: float, texts: tuple[str, ...]
) -> None:
    """Each is as right as the decimal, twice as much is wrong; code takes what is Python."""
    tasks = [
        make_task(gradcli.Program(f"f = {w}*x + y"), {"x": 1, "y": 1}) for w in (true, 2 * true)
    ]
    for text in texts:
        ways = {
            "a.csv": f'x,"{text}"\ny,1', "b.csv": f"x;{text}\ny;1", "a.tsv": f"x\t{text}\ny\t1",
            "a.json": json.dumps({"x": text, "y": 1}), "b.txt": f"x; {text}\ny; 1",
            "c.txt": f"Backward pass\nGradient   df/dx = {text}   df/dy = 1",
        }  # fmt: skip
        if re.fullmatch(r"[\w\s.+*/^()-]+", text) and " " not in text:
            ways["a.py"] = f"import numpy as np\nfrom math import *\ndx = {text}\ndy = 1"
        for name, content in ways.items():
            right = [
                mark(task, read_submission(content.encode(), name, task.vocabulary)).right
                for task in tasks
            ]
            assert right == [True, False], (text, name)


def sheets(a: str, b: str, separators: str = ",;\t") -> dict[str, str]:
    """Two numbers in every kind of file that takes texts, the second of three decimals."""
    tables = {f"table {s}.csv": f'a{s}"{a}"\nb{s}"{b}"\n' for s in separators}
    return tables | {
        "sep.csv": f'sep=;\na;{a}\n"b";{b}', "a.tsv": f"a\t{a}\nb\t{b}", "b.txt": f"a; {a}\nb; {b}",
        "c.txt": f"a: {a}\nb: {b}", "a.json": json.dumps({"a": a, "b": b}),
        "list.json": json.dumps({"a": [a], "b": [b]}),
        "d.txt": f"Forward pass   x = 0.5\na = sigmoid(y) = {a}  (1)\nb = x + a = {b}  (2)\n",
        "e.txt": f"Backward pass\nGradient   da/da = {a}   da/db = {b}",
    }  # fmt: skip


@pytest.mark.parametrize("settling", ["-0,5243", "0,5", "≈ 12,34 %", "1.000,5", "1 000,5", "0,018"])
@pytest.mark.parametrize("number", ["3,018", "−3,018", "≈ 3,018", "3,018 %"])
def test_what_settles_a_decimal_comma(settling: str, number: str) -> None:
    """Three decimals are decimals where another number of the file shows what its comma is."""
    true = written(number.replace(",", "."))
    for name, text in sheets(settling, number).items():
        _, b = entries(text, name, TUTORIAL)
        assert b.written.value == true.value, name
        assert np.ravel(b.written.radius) == true.radius, name
        assert b.written.digits == 4


@pytest.mark.parametrize("other", ["0.5", "1,234.5", "12", "", "[1.5, 2]", "1,234,567"])
def test_what_leaves_a_comma_unsettled(other: str) -> None:
    """Beside decimal points, or nothing that tells, it is refused; after a semicolon alone not."""
    points = not other.isdecimal() and other != ""
    for name, text in sheets(other, "1,234").items():
        if other[:1] == "[" and name in ("list.json", "c.txt", "d.txt", "e.txt"):
            continue
        if not points and (";" in text):
            assert entries(text, name, TUTORIAL)[-1].written.value == 1.234, name
        else:
            assert re.search("1,234.* isn't a number", refusal(text, name, TUTORIAL)), name


@pytest.mark.parametrize(
    "text",
    [
        'W,"[1, 2]"\n', '"W","[1, 2]"\n', '# mine; yours\nW,"[1, 2]"\n', 'W[0],1\n"W[1]","2;"\n',
        "W,[1, 2]\n", 'W;"[1, 2]"\n', 'W\t"[1, 2]"\n', '"W";[1, 2]\n',
    ],
)  # fmt: skip
def test_the_separator_stands_between_the_cells(text: str) -> None:
    """What is in quotes, in an array or in a comment is none."""
    expected = next(sign for sign in ";\t," if sign in re.sub(r"#.*|\[.*?\]|\d;", "", text))
    assert delimiter_of(text) == expected
    for inside in ("[1; 2]", "[1\t2]"):
        assert delimiter_of(text.replace("[1, 2]", f"{inside}")) == expected


def test_a_long_blank_in_an_array_takes_no_time() -> None:
    begun = time.process_time()
    assert refusal(f"x,[{' ' * 100_000}]").endswith("an element is missing")
    assert time.process_time() - begun < 5


LABELLED = ("{x}: {n}", "d{x}: {n}", "{x}.grad: {n}", "∂f/∂{x} : {n}", '"d{x}": {n}', "d{x}:{n}")


@pytest.mark.parametrize("form", LABELLED)
def test_lines_of_a_name_a_colon_and_a_value(form: str) -> None:
    task = make_task(gradcli.Program("f = sum(x*y)"), {"x": [1.0, 2.5], "y": [3.0, -0.5]})
    scalar = make_task(gradcli.Program("f = x*y"), {"x": -0.5243, "y": 3.018})
    for name in ("a.txt", ""):
        for ours, x, y in (
            (scalar, "3.018", "-0.5243"),
            (scalar, "3,018", "-0,5243"),
            (task, "[3, -0.5]", "[1,\n  2.5]"),
        ):
            rows = f"# mine\n{form.format(x='x', n=x)}\n\n{form.format(x='y', n=y)}\n"
            marked = mark(ours, read_submission(rows.encode(), name, ours.vocabulary))
            assert marked.right, (rows, marked)
    assert "isn't a name of the task" in refusal("Task: 3\ndx: 2\n", "a.txt")


WITHOUT_EFFECT = (
    "{x}: {n}", "d{x}: {n}", "d{x} == {n}", "d{x}, {n}", "(d{x}, 1) == ({n}, 1)", "d{x} is {n}",
    "d{x} {n}", "d{x}", '"d{x} = {n}"', '{{"d{x}": {n}}}', "[d{x}, {n}]", "dict(d{x}={n})",
    "print('d{x}:', {n})", '"""\nd{x}: {n}\n"""', "x.d{x} == {n}", "{x}.grad: {n}",
)  # fmt: skip


@pytest.mark.parametrize("form", WITHOUT_EFFECT)
def test_a_statement_without_effect_is_said(form: str) -> None:
    """Of every gradient that is missing, with the line where it is named; of no other."""
    task = make_task(gradcli.Program("f = x*y"), {"x": 3.0, "y": 2.0})
    text = f"# mine\n{form.format(x='x', n='-0.5')}\ndy = 3\n"
    found = mark(task, read(text, "a.py"))
    assert {row.name: str(row.status) for row in found.rows} == {"x": "missing", "y": "ok"}
    assert [note.line for note in found.notes if "x" in note.text] == [2], found.notes
    right = mark(task, read(f"{text}dx = 2\n", "a.py"))
    assert right.right
    assert not [note for note in right.notes if note.tag == "not-read"]


@pytest.mark.parametrize(
    "given", ["[2.4, null]", '["2.4", ""]', '"[2.4, ____]"', '["2.4", "n/a"]', '"[None 2.4]"']
)
def test_an_array_with_a_blank_is_not_handed_in(given: str) -> None:
    """It alone is missing; the other gradients count, also those behind it."""
    task = make_task(gradcli.Program("h = W*x\nf = sum(h^2)"), {"x": [1.0, 2.0], "W": [3.0, 4.0]})
    text = f'{{"dh": {given}, "dx": {given}, "dW": [6, 32]}}'
    cell = json.loads(given)
    csv = f'dh,"{cell}"\ndx,"{cell}"\nW,"[6, 32]"\n' if isinstance(cell, str) else ""
    for name, content in {"a.json": text, "a.csv": csv}.items():
        if content:
            rows = mark(task, read_submission(content.encode(), name, task.vocabulary)).rows
            assert {row.name: str(row.status) for row in rows} == {"W": "ok", "x": "missing"}


@pytest.mark.parametrize(
    "text",
    [
        "[-1/2, 1 / 3]", "(-.5, .333)", "array([-0.5, 0.3333])", "[-50%, ⅓]", "[-sqrt(1)/2 1/3]",
        "tensor([-0.5000, 0.3333], dtype=torch.float64)", "[np.float64(-0.5), np.float64(0.33333)]",
        "-np.array([1/2, -.333])",
    ],
)  # fmt: skip
def test_arrays_of_such_numbers(text: str) -> None:
    values = {"x": np.ones(2), "a": np.array([-0.5, 1 / 3])}
    task = make_task(gradcli.Program("f = sum(a*x)"), values, wrt=("x",))
    ways = {"a.csv": f'x,"{text}"', "a.json": json.dumps({"x": text}), "a.py": f"dx = {text}"}
    for name, content in ways.items():
        if (name == "a.py") == ("%" in text or "1)/2 1" in text) or (
            name != "a.py" and text[0] == "-"
        ):
            continue
        marked = mark(task, read_submission(content.encode(), name, task.vocabulary))
        assert marked.right, (name, marked.rows)


TABLES = {
    "plain": "x,2\ny,3\n",
    "sep": "sep=;\nname;value\nx;2\ny;3\n",
    "sep in quotes": '"sep=|"\r\n"x"|"2"\r\n"y"|"3"\r\n',
    "sep of tabs": "SEP=\t\nx\t2\ny\t3\n",
    "blanks": ' "name" , "value" \t\n\n   \n "x" , 2  \n\ty\t, " 3 " \n,,\n\n',
    "commas at the end": "x,2,,\ny,3,,\n,,,\n",
    "own heading": "Variable name,My result\nx,2\ny,3\n",
    "heading of three": "Name,Your answer,Remarks\nx,2,easy\ny,3,\n",
    "comments": "# mine\nx,2\n#N is 3\ny,3\n",
    "not available": "a,#N/A\nx,2\nb,NA\ny,3\nf,n/a\n",
}


@pytest.mark.parametrize("table", TABLES)
def test_every_table_of_an_editor_or_spreadsheet(table: str) -> None:
    """In every encoding that they write, with and without a suffix."""
    names = Vocabulary(("x", "y"), ("x", "y", "a", "b", "f"), "f")
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        for name in ("a.csv", "a.tsv", ""):
            found = read_submission(TABLES[table].encode(encoding), name, names)
            assert isinstance(found, Values), (encoding, name)
            given = [(e.name, e.kind, float(e.written.value)) for e in found.entries]
            assert given == [("x", "gradient", 2.0), ("y", "gradient", 3.0)], (encoding, name)


@pytest.mark.parametrize("error", ["#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"])
def test_errors_of_a_spreadsheet(error: str) -> None:
    """One as an answer is a wrong number; one as a name is refused, not taken for a comment."""
    task = make_task(gradcli.Program("f = x*y"), {"x": 3, "y": 2})
    for name, text in {
        "a.csv": f"x,{error}\ny,3", "a.tsv": f"x\t{error}\ny\t3",
        "a.json": json.dumps({"x": error, "y": 3}),
    }.items():  # fmt: skip
        marked = mark(task, read_submission(text.encode(), name, task.vocabulary))
        assert [row.status for row in marked.rows] == ["wrong", "ok"]
    with pytest.raises(GradcliError, match=f"'{re.escape(error)}' isn't a name of the task"):
        read_submission(f"{error},2\ny,3".encode(), "a.csv", task.vocabulary)


LONG = {
    "sum": "f = x*y{}", "product": "f = x*y{}", "quotient": "f = x*y{}", "and": "if x > 9{}: y = 1",
    "or": "if x > 9{}: y = 1", "or and": "if x > 9{}: y = 1", "comparison": "q = 1{}",
    "elif": "if x > 9: q = 1{}\nelse: pass", "texts": "q = 'a'{}", "f": "q = f'{{x}}'{}",
    "names": "{}f = x*y", "calls": "f = (x*y){}", "indices": "q = [1]{}", "attributes": "q = x{}",
    "called": "q = print{}", "signs": "f = {}(x*y)", "not": "q = {}x", "power": "q = 1{}",
    "choice": "q = 1{}", "lambda": "q = {}1",
}  # fmt: skip
PARTS = {
    "sum": " + 0*x", "product": "*1", "quotient": "/1", "and": " and x > 8", "or": " or x > 8",
    "or and": " and x > 2 or x > 8", "comparison": " <= 1", "elif": "\nelif x > 8: q = 2",
    "texts": " + 'a'", "f": " f'{x}'", "names": "q = ", "calls": ".copy()", "indices": "[0]",
    "attributes": ".T", "called": "()", "signs": "- ", "not": "not ", "power": " ** 1",
    "choice": " if x else 1", "lambda": "lambda: ",
}  # fmt: skip


@pytest.mark.parametrize("count", [120, 4000])
@pytest.mark.parametrize("kind", LONG)
def test_what_is_long_and_not_deep(kind: str, count: int) -> None:
    """It is read and gets its marks, or is refused at its line for what it is."""
    task = make_task(gradcli.Program("f = x*y"), {"x": 3.0, "y": 2.0})
    text = f"import numpy as np\n{LONG[kind].format(PARTS[kind] * count)}\ndx = y\ndy = x"
    try:
        marked = mark(task, read_submission(text.encode(), "a.py", task.vocabulary))
    except GradcliError as error:
        assert kind in LONG_REFUSED or count > 1000
        assert error.span is not None
        assert 1 <= text.count("\n", 0, error.span.start) <= count + 2
        assert ("nested more" in error.message) == (kind in ("power", "choice", "lambda"))
        return
    assert kind not in LONG_REFUSED
    assert marked.right


LONG_REFUSED = frozenset(
    {"calls", "indices", "attributes", "called", "signs", "not", "power", "choice", "lambda"}
)


def test_a_name_that_is_also_a_function_is_no_number() -> None:
    """`exp = np.exp(x)`: what is made of it is judged as code, to six digits."""
    task = make_task(gradcli.Program("a = exp(x)\nf = 2*a"), {"x": 1})
    code = "exp = np.exp(x)\na = exp\nf = 2*a\nda = 4*x/2\ndx = da*exp*{}"
    for factor, right in (("1", True), ("1.001", False)):
        submission = read_submission(code.format(factor).encode(), "a.py", task.vocabulary)
        assert mark(task, submission).right == right


def test_arrays_of_texts() -> None:
    array = written([["1", "2.50"], ["-3e2", "nan"]])
    np.testing.assert_array_equal(array.value, [[1, 2.5], [-300, np.nan]])
    np.testing.assert_allclose(array.radius, [[0.5, 0.005], [50.0, 0.0]])
    assert array.digits == 1


@pytest.mark.parametrize(
    "text",
    ["", "abc", "1,500", "1.2.3", "3*e", "0x1F", "1/0", "2x", "1_", "1;", "sum(1)", "9^9^9^9"],
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(GradcliError, match="isn't a number"):
        written(text)


@pytest.mark.parametrize("texts", [["1", ["2"]], [["1", "2"], ["3"]], [], [[], []]])
def test_what_is_no_array(texts: Texts) -> None:
    with pytest.raises(GradcliError, match="this isn't an array"):
        written(texts)


# --- listings ----------------------------------------------------------------------------


def test_every_part_stands_where_its_text_does() -> None:
    text = (FOLDER / "listing.py").read_text(encoding="utf-8") + "u = W'@x^2 + √y\n∂f/∂x = x₁^u'\n"
    tree, places = python_of(Source(text))
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    shown = {text[span.start : span.end] for span in map(places.span, names)}
    assert {"W", "u", "y", "∂f/∂x", "x₁", "delta_d"} <= shown
    assert {node.id for node in names} - shown == {"sqrt", "x1", "d_f_d_x"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f = 2*x^2", "f = 2 * x ** 2"),
        ("f = 'a^b' # c^d", "f = 'a^b'"),
        ("∂f / ∂x = x.grad.T", "d_f_d_x = x.grad.T"),
        ("x = y' * 2", "x = y.T * 2"),
        ("x = W'@(y')'", "x = W.T @ y.T.T"),
        ("x = W'@y; s = 'a'; t = 'b'", "t = 'b'"),
        ("f(a, b) = a*b'", "f = lambda a, b: a * b.T"),
        ("    x = 1\n    y = x'", "y = x.T"),
        ("δx = √y", "δx = sqrt(y)"),
        ("δx = 2·√(y₁ + 1)", "δx = 2 * sqrt(y1 + 1)"),
        ("c = a ≤ b", "c = a <= b"),
        ("%matplotlib inline\n!pip install numpy\nx = 1", "x = 1"),
        ("\ufeffx = 1", "x = 1"),
        ("x = 1\r\n# y\r\n", "x = 1"),
        ("x = 3 − 1", "x = 3 - 1"),
    ],
)
def test_what_mathematics_writes_otherwise(text: str, expected: str) -> None:
    assert statements(text)[-1] == expected


SKIPPED = (
    "import numpy as np",
    "from numpy import (exp,\n  log)",
    "print('a', f'{b}', (1, 2))",
    'print("""\nfor x in y:\n""")',
    "'''a\nfor b in c:\n'''",
    "'don\\'t' 'two'",
    "%matplotlib inline",
    "!pip install numpy",
    "x.shape",
    "x + np.exp(y)",
    "x == 3",
    "# x.grad",
    "",
)


@pytest.mark.parametrize("text", SKIPPED)
def test_what_is_skipped(text: str) -> None:
    task = make_task(gradcli.Program("#: x = 3\n#: y = -4\n(x + sigmoid(y)) / (x^2 + y)"))
    found = mark(task, read_listing(f"{text}\ndx, dy = -0.5243166904, -0.1171869072"))
    assert found.right
    assert found.notes == ()


def test_nothing_is_executed(tmp_path: Path) -> None:
    target = tmp_path / "made"
    task = make_task(gradcli.Program("#: x = 3\nx^2"))
    for text in (f"import os\nx = __import__('os').system('touch {target}')",
                 f"open('{target}', 'w')", f"dx = os.system('touch {target}')"):  # fmt: skip
        with contextlib.suppress(GradcliError):
            mark(task, read_listing(text))
    assert not target.exists()


# --- values ------------------------------------------------------------------------------


def test_a_file_of_values() -> None:
    submission = read_submission(FOLDER / "values.csv", None, TUTORIAL)
    assert isinstance(submission, Values)
    assert not submission.gradients_only
    assert [
        (e.line, e.kind, e.name, e.sources, e.label, float(e.written.value))
        for e in submission.entries
    ] == [
        (2, "value", "a", (), "a", 0.018),
        (3, "value", "b", (), "b", 3.018),
        (4, "gradient", "b", (), "delta_b", 0.2),
        (5, "part", "x", ("c",), "x<-c", -0.724),
        (6, "gradient", "x", (), "dx", -0.524),
        (7, "gradient", "y", (), "∂f/∂y", -0.12),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "W,[[1, 2], [3, 4]]",
        "W\t[[1, 2], [3, 4]]",
        "name;value\nW;[[1, 2], [3, 4]]",
        'W,"[[1, 2],\n [3, 4]]"',
        "W,[[1, 2],\n   [3, 4]]",
        "W,[[1. 2.]\n [3. 4.]]",
        "W[0, 0],1\nW[0,1],2\ndW[1][0],3\nW[1, 1],4",
        "name,gradient,comment\nW,[[1, 2], [3, 4]],done",
    ],
)
def test_arrays_in_a_table(text: str) -> None:
    (entry,) = entries(text)
    assert (entry.kind, entry.name) == ("gradient", "W")
    np.testing.assert_array_equal(entry.written.value, [[1, 2], [3, 4]])


def test_json_keeps_digits_and_has_groups() -> None:
    text = '{"gradient": {"x": [1.50, 2]}, "values": {"x": [0, 0], "z": ["1", "2"]},\n"a": null}'
    x, z = entries(text, "v.json")
    assert (x.kind, z.kind, z.name) == ("gradient", "value", "z")
    np.testing.assert_allclose(x.written.radius, [0.005, 0.5])


def test_gradients_only() -> None:
    for text, only in (("x,1\ndy,2", True), ("x,1\ndelta_a,2", False), ("x,1\nb,3", False)):
        submission = read(text, "v.csv")
        assert isinstance(submission, Values)
        assert submission.gradients_only is only


def test_blanks_are_not_handed_in() -> None:
    assert [e.name for e in entries('x,\nz,____\nnobody,\nW,"[[__, __]]"\na,nan')] == ["a"]


def test_what_gradcli_prints_is_read(gradcli_json: str) -> None:
    submission = read(gradcli_json, "e.json")
    assert isinstance(submission, Values)
    result = json.loads(gradcli_json)
    deltas = {e.name: float(e.written.value) for e in submission.entries if e.kind == "gradient"}
    assert deltas == {node["name"]: node["delta"] for node in result["nodes"]}


@pytest.fixture
def gradcli_json() -> str:
    nodes = [
        {"name": "x", "kind": "input", "value": 3.0, "delta": -0.5243166903909},
        {"name": "f", "kind": "operation", "value": 0.6035972419924, "delta": 1.0},
    ]
    return json.dumps({"schema": "gradcli.eval/1", "gradient": {"x": -0.5}, "nodes": nodes})


# --- sheets ------------------------------------------------------------------------------


def test_a_sheet_left_blank_hands_nothing_in() -> None:
    for name, vocabulary in (
        ("blank_listing.txt", TUTORIAL),
        ("blank_table.txt", TUTORIAL),
        ("blank_arrays.txt", ARRAYS),
    ):
        submission = read_submission(FOLDER / name, None, vocabulary)
        assert isinstance(submission, Values)
        assert submission.entries == ()
        assert not submission.gradients_only


def fill(name: str) -> str:
    """A sheet with 1, 2, 3, … in its blanks, in order."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    for number in range(1, text.count("________") + 1):
        text = text.replace("________", str(number), 1)
    return text


def test_a_sheet_filled_in() -> None:
    submission = read(fill("blank_listing.txt"), "s.txt")
    assert isinstance(submission, Values)
    assert [(name, float(number.value)) for name, number in submission.point] == [
        ("x", 3),
        ("y", -4),
    ]
    found = {(e.kind, e.name, e.sources): float(e.written.value) for e in submission.entries}
    values: dict[tuple[str, str, tuple[str, ...]], float] = {}
    values |= {("value", name, ()): i for i, name in enumerate("abcdef", start=1)}
    assert found == {
        **values,
        ("gradient", "b", ()): 7,
        ("gradient", "e", ()): 8,
        ("gradient", "d", ()): 9,
        ("gradient", "c", ()): 10,
        ("part", "y", ("d",)): 11,
        ("part", "x", ("c",)): 12,
        ("gradient", "x", ()): 13,
        ("gradient", "a", ()): 14,
        ("gradient", "y", ()): 15,
    }


def test_the_last_line_of_a_sheet_counts_where_the_others_are_blank() -> None:
    text = (FOLDER / "blank_listing.txt").read_text(encoding="utf-8")
    text = text.replace("df/dx = ________", "df/dx = -0.524")
    submission = read(text, "s.txt")
    assert isinstance(submission, Values)
    assert submission.gradients_only
    assert [(e.name, float(e.written.value)) for e in submission.entries] == [("x", -0.524)]


def test_a_table_filled_in() -> None:
    submission = read(fill("blank_table.txt"), "s.txt")
    assert isinstance(submission, Values)
    found = {(e.kind, e.name, e.sources): float(e.written.value) for e in submission.entries}
    gradients = {name: value for (kind, name, _), value in found.items() if kind == "gradient"}
    # Four blanks a row: upstream, local derivative, contribution, accumulator.
    assert gradients == {"b": 10, "e": 14, "d": 18, "c": 22, "x": 34, "a": 38, "y": 42}
    parts = {(name, *sources): v for (kind, name, sources), v in found.items() if kind == "part"}
    assert parts == {("y", "d"): 26, ("y", "a"): 41, ("x", "c"): 30, ("x", "b"): 33}


def test_arrays_on_a_sheet() -> None:
    text = (FOLDER / "blank_arrays.txt").read_text(encoding="utf-8")
    blanks = iter(["[1, 2]", "[3, 4]", "[5, 6]", "7", "8", "9", "[1, 1]", "[2, 2]", "[3, 3]"])
    blanks = iter([*blanks, "[4, 4]", "[[1, 2],\n      [3, 4]]", "[5, 5]", "", "", ""])
    text = re.sub("________", lambda _: next(blanks), text)
    submission = read(text, "s.txt", ARRAYS)
    assert isinstance(submission, Values)
    found = {(e.kind, e.name): e.written.value.tolist() for e in submission.entries}
    assert found["gradient", "W"] == [[1, 2], [3, 4]]
    assert found["gradient", "x"] == [5, 5]
    assert found["value", "c"] == [1, 2]
    assert dict(submission.point)["W"].value.tolist() == [[1, 2], [3, 4]]


# --- notebooks ---------------------------------------------------------------------------


def notebook(*cells: tuple[str, object]) -> str:
    made = [{"cell_type": kind, "source": source} for kind, source in cells]
    return json.dumps({"cells": made, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def test_a_notebook_is_its_code_cells() -> None:
    text = notebook(
        ("markdown", "# for x in y:"),
        ("code", ["import numpy as np\n", "%matplotlib inline\n", "a = 1\n"]),
        ("code", "%%bash\nfor i in a; do b; done"),
        ("code", "delta_a = 2"),
    )
    for name in ("n.ipynb", "n.json", ""):
        listing = read(text, name)
        assert isinstance(listing, Listing)
        tree, _ = python_of(listing.source)
        assert [ast.unparse(s) for s in tree.body[-2:]] == ["a = 1", "delta_a = 2"]


def _clutter(draw: random.Random, size: int) -> Any:
    """What outputs, attachments and metadata may have in them."""
    words = ('"outputs": [', "}]", '\\"', "\n", "é", '{"cells": []}', "a" * size)
    return draw.choice(
        (
            None, 1.5, [], {}, "".join(draw.sample(words, 4)), [[[1, {"source": "x"}]]],
            {"outputs": [{"source": ["b = 1"]}], "cell_type": "code", "cells": [{"source": "c"}]},
            {"image/png": "iVBORw0K" * size, "text": ["x\n"] * size},
        )
    )  # fmt: skip


def test_pictures_in_a_notebook_do_not_matter(tmp_path: Path) -> None:
    """Its code is the same with and without outputs, however large these are."""
    draw = random.Random(7)  # noqa: S311
    for i in range(150):
        size = 60_000 if i % 30 == 0 else 3
        cells: list[dict[str, Any]] = []
        for number in range(draw.randrange(1, 5)):
            kind = draw.choice(("code", "code", "markdown", "raw"))
            code = [f"a{number} = {number}\n", f'print("x: [{{", a{number})\n', "\n"]
            text = code if kind == "code" else ["![](data:image/png;base64," + "A" * size]
            parts = [
                ("cell_type", kind),
                ("source", draw.choice((text, "".join(text)))),
                ("metadata", _clutter(draw, size)),
                *[("outputs", _clutter(draw, size))] * (kind == "code"),
                *[("attachments", _clutter(draw, size))] * (kind != "code"),
            ]
            draw.shuffle(parts)
            cells.append(dict(parts))
        whole = {"nbformat": 4, "metadata": _clutter(draw, size), "cells": cells}
        if i % 2:
            whole = dict(reversed(whole.items()))
        written = json.dumps(whole, ensure_ascii=bool(i % 3), indent=draw.choice((None, 1)))
        bare = [{k: c[k] for k in ("cell_type", "source")} for c in cells]
        wanted = read_notebook(Source(json.dumps({"nbformat": 4, "cells": bare})))
        left = code_only(written.encode())
        assert left.count(b"\n") == written.count("\n")
        assert read_notebook(Source(left.decode())) == wanted
        assert len(left) - left.count(b"\n") < 5000
        if not wanted.source.text.strip():
            continue
        for name in ("a.ipynb", "a.json", "a"):
            (tmp_path / name).write_text(written, "utf-8")
            found = read_submission(tmp_path / name, None, TUTORIAL)
            assert isinstance(found, Listing)
            assert found.source.text == wanted.source.text
            assert read_submission(written.encode(), None, TUTORIAL) == replace(
                found, source=Source(wanted.source.text, None)
            )


def test_how_large_a_notebook_may_be(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": "a = 1\n" * 400_000, "outputs": []}
    text = json.dumps({"nbformat": 4, "cells": [cell]})
    assert "without outputs it has more than 2 MB" in refusal(text, "a.ipynb")
    path = tmp_path / "a.ipynb"
    with path.open("wb") as file:
        file.write(b"{")
        file.truncate(MOST_NOTEBOOK + 1)
    with pytest.raises(GradcliError, match=r"100\.0 MB, and at most 100 MB are read"):
        read_bytes(path)


def test_an_error_in_a_notebook_names_the_cell() -> None:
    text = notebook(("markdown", "a\nb"), ("code", "a = 1\nb = 2\n"), ("code", "c = 1\nc = 'd"))
    listing = read(text, "n.ipynb")
    assert isinstance(listing, Listing)
    with pytest.raises(GradcliError, match="cell 3, line 2: this isn't Python"):
        mark(make_task(gradcli.Program("#: x = 3\nx^2")), listing)


# --- bytes -------------------------------------------------------------------------------


def test_what_a_file_is_goes_by_what_it_looks_like() -> None:
    assert isinstance(read("delta_x = 1"), Listing)
    assert isinstance(read("x,1"), Values)
    assert isinstance(read('{"x": 1}'), Values)
    assert isinstance(read("x;1\ny;2", "a.txt"), Values)
    assert isinstance(read("f(x, y) = x*y"), Listing)
    assert isinstance(read("x = [1, 2]\nprint(x, y)", "a.txt"), Listing)
    assert isinstance(read(fill("blank_listing.txt")), Values)
    assert isinstance(read("# Forward pass\nx = 1"), Listing)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    listing = read_submission("δx = 1\r\n".encode(encoding), "a.py", TUTORIAL)
    assert isinstance(listing, Listing)
    assert listing.source.text.strip() == "δx = 1"


def test_files_that_are_none(tmp_path: Path) -> None:
    folder, outside = tmp_path / "in", tmp_path / "secret.py"
    folder.mkdir()
    outside.write_text("x = 1")
    inner = folder / "a.py"
    inner.write_text("x = 1")
    (folder / "link.py").symlink_to(outside)
    (folder / "good.py").symlink_to(inner)
    (folder / "loop.py").symlink_to(folder / "loop.py")
    (folder / "lost.py").symlink_to(folder / "nothing.py")
    os.mkfifo(folder / "fifo.py")
    big = folder / "big.py"
    with big.open("wb") as file:
        file.truncate(20_000_000)
    assert read_bytes(folder / "good.py", inside=folder) == b"x = 1"
    assert read_bytes(folder / "link.py") == b"x = 1"
    for path, words in (
        (folder / "link.py", "outside of its folder"),
        (folder / ".." / "secret.py", "outside of its folder"),
        (folder / "loop.py", "can't be read"),
        (folder / "lost.py", "does not exist"),
        (folder / "fifo.py", "isn't a regular file"),
        (Path("/dev/zero"), "outside of its folder"),
        (folder, "is a folder"),
        (big, "is too large: 20.0 MB"),
    ):
        with pytest.raises(GradcliError, match=words) as caught:
            read_bytes(path, inside=folder)
        assert caught.value.exit_code == 5
    with pytest.raises(GradcliError, match="isn't a regular file"):
        read_bytes("/dev/zero")


def test_a_submission_is_never_too_much() -> None:
    texts = {
        "a.py": [
            "(" * 100_000,
            "x = 1\n" * 1_000_000,
            "x = 1\n" * 30_000,
            "x = " + "1" * 10_000_000,
            "x = " + "9" * 190_000,
            "x=" + "a+" * 90_000 + "1",
        ],
        "a.csv": ["x,[" + "1," * 900_000, "W[" + "9" * 1000 + "],1", "x,1\n" * 400_000],
        "a.json": ["[" * 100_000, '{"x": ' * 100_000, '{"x": [' + "1," * 900_000 + "1]}"],
    }
    task = make_task(gradcli.Program("#: x = 3\nx^2"))
    for name, several in texts.items():
        for text in several:
            with pytest.raises(GradcliError) as caught:
                mark(task, read(text, name))
            assert caught.value.kind is Kind.SUBMISSION
    assert MOST_BYTES == 2_000_000
