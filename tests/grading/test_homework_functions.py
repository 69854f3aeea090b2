"""Listings as students write them: functions of several lines, tuples, dictionaries."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.grading.exercise.classroom import Mark, Standing, reason_of
from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Marked, MarkedRow, Status
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.submission.read import read_submission
from gradcli.program import Program
from gradcli.python import limits
from gradcli.report import Style
from gradcli.report.homework import classroom as reports
from gradcli.report.homework.marked import as_text

TUTORIAL = make_task(Program("#: x = 3\n#: y = -4\n(x + sigmoid(y)) / (x^2 + y)"))


def marked(task: Task, text: str, name: str = "a.py") -> Marked:
    return mark(task, read_submission(dedent(text).encode(), name, task.vocabulary))


def refusal(task: Task, text: str) -> str:
    with pytest.raises(GradcliError) as caught:
        marked(task, text)
    assert caught.value.kind is Kind.SUBMISSION
    return caught.value.message


def root(found: Marked) -> MarkedRow:
    (row,) = found.roots
    return row


# --- functions ---------------------------------------------------------------------------

SCRIPT = """\
import numpy as np

def forward(x: float, y: float) -> float:
    '''The forward pass.'''
    a = 1 / (1 + np.exp(-y))
    b = x + a
    d = x ** 2 + y
    f = b / d
    return f

def grad(x, y):
    a = 1 / (1 + np.exp(-y))
    b = x + a
    d = x ** 2 + y
    db = 1 / d
    dd = -b / d ** 2
    dx = 2 * x * dd + db
    dy = dd + db * a * (1 - a)
    return dx, dy

if __name__ == "__main__":
    x: float = 3.0
    y: float = -4.0
    f = forward(x, y)
    dx, dy = grad(x, y)
    assert abs(dx) < 1, "too large"
    print(f"dx = {dx:.4f}", round(dy, 4))
"""


def test_a_script_of_functions() -> None:
    found = marked(TUTORIAL, SCRIPT)
    assert found.right
    assert [row.name for row in found.rows] == ["f", "d", "b", "x", "y"]


def test_a_mistake_in_a_function_has_its_line() -> None:
    row = root(marked(TUTORIAL, SCRIPT.replace("dd = -b", "dd = b")))
    assert (row.name, row.tags, row.line, row.text) == ("d", ("sign",), 16, "dd = b / d ** 2")
    assert row.follow == 2


def test_functions_that_are_never_called() -> None:
    whole = SCRIPT.partition("if __name__")[0]
    assert [row.status for row in marked(TUTORIAL, whole).rows] == [Status.OK] * 5


@pytest.mark.parametrize(
    "text",
    [
        """\
        def f(x, y): return (x + 1/(1 + np.exp(-y)))/(x**2 + y)
        def dfdx(x, y):
            s = 1/(1 + np.exp(-y))
            return 1/(x**2 + y) - 2*x*(x + s)/(x**2 + y)**2
        def dfdy(x, y):
            s = 1/(1 + np.exp(-y))
            return s*(1 - s)/(x**2 + y) - (x + s)/(x**2 + y)**2
        """,
        """\
        def sigmoid(z):
            s = 1/(1 + np.exp(-z))
            return s
        def grad(x, y):
            u, v = x + sigmoid(y), x**2 + y
            f = u/v
            s = sigmoid(y)
            return 1/v - 2*x*u/v**2, s*(1 - s)/v - u/v**2
        """,
        """\
        def grad(x, y):
            a = 1/(1 + np.exp(-y))
            b, d = x + a, x**2 + y
            f = b/d
            return np.array([1/d - b/d**2*2*x, a*(1 - a)/d - b/d**2])
        g = grad(x, y)
        """,
    ],
)
def test_gradients_that_functions_give_back(text: str) -> None:
    found = marked(TUTORIAL, text)
    assert found.right
    assert {"x", "y"} <= {row.name for row in found.rows}
    assert not marked(TUTORIAL, text.replace("2*x", "x")).right


def test_what_is_given_back_in_another_order() -> None:
    found = marked(TUTORIAL, SCRIPT.replace("dx, dy = grad", "dy, dx = grad"))
    assert [(row.name, row.line) for row in found.roots] == [("x", 25), ("y", 25)]
    assert found.roots[0].message == "this is the number of delta_y, not of delta_x"


def test_a_function_of_some_lines_is_a_word_for_an_expression() -> None:
    text = """\
    def sigmoid(z):
        e = np.exp(-z)
        e += 0
        s = 1/(1 + e)
        return s
    u = x + sigmoid(y)
    v = x**2 + y
    f = u/v
    du, dv = 1/v, -u/v**2
    dx = du + dv*2*x
    dy = dv + du*sigmoid(y)*(1 - sigmoid(z=y))
    """
    found = marked(TUTORIAL, text)
    assert found.right
    assert [row.name for row in found.rows] == ["f", "v", "u", "x", "y"]
    found = marked(TUTORIAL, text.replace("f = u/v", ""))  # u and v are the task's, by number
    assert (found.right, [row.name for row in found.rows]) == (True, ["d", "b", "x", "y"])


def test_names_in_a_function_are_its_own() -> None:
    text = """\
    def half(y):
        x = y/2
        y = 3*x
        return y/3
    f = (x + 1/(1 + np.exp(-2*half(y))))/(x**2 + y)
    dx = 1/(x**2 + y) - (x + 1/(1 + np.exp(-y)))/(x**2 + y)**2*2*x
    """
    assert marked(TUTORIAL, text).roots[0].status is Status.MISSING


def test_a_cache_goes_from_the_forward_to_the_backward_pass() -> None:
    text = """\
    def forward(p, q):
        s = 1/(1 + np.exp(-q))
        u, v = p + s, p**2 + q
        return u/v, (p, (s, u), v)
    def backward(cache):
        x, inner, v = cache
        s, u = inner
        du, dv = 1/v, u/v**2
        grads = {}
        grads["x"] = du + 2*x*dv
        grads["y"] = dv
        grads["y"] += du*s*(1 - s)
        return grads
    f, cache = forward(3.0, -4.0)
    grads = backward(cache)
    """
    row = root(marked(TUTORIAL, text))
    assert (row.name, row.tags, row.line) == ("v", ("sign",), 8)


def test_a_main_function() -> None:
    text = """\
    def main():
        x, y = 3.0, -4.0
        a = 1/(1 + np.exp(-y))
        f = (x + a)/(x**2 + y)
        dx = 1/(x**2 + y) - (x + a)/(x**2 + y)**2*2*x
        dy = -(x + a)/(x**2 + y)**2
    main()
    """
    row = root(marked(TUTORIAL, text))
    assert (row.name, row.line) == ("y", 6)
    assert "dropped-path" in row.tags or "forward-slip" not in row.tags


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "def f(v):\n    a = f(v)\n    return a, a\nz = f(x)",
            "line 2: reading this program takes",
        ),
        (
            "def f(v):\n    a = v\n    return a, v\nz = f(x) + 1",
            "line 4: Python stops here: TypeError",
        ),
        ("def f(v):\n    a = v\n    return a, v\nz, u, w = f(x)", "2 values for 3 names"),
        ("def f(u): return u*w\ndx = f(x)", "line 1: 'w' has no value here"),
        ("z, u = x*y", "line 1: 1 value for 2 names"),
        ("k = (x, y)\nz = k + 1", "line 2: Python stops here: TypeError"),
        ("k = {'u': x}\nz = k['w']", "line 2: the dictionary has no 'w'"),
        ("k = x\nk['u'] = y", "line 2: a number can't be stored into"),
        ("x, y = y, x", "line 1: 'x' has another value here"),
        ("def f(u, v):\n    a = u\n    return a, v\nz, w = f(x)", "f needs 'v'"),
        ("if y > 0\n    dx = 3", "line 1: this isn't Python: expected ':'"),
        ("dx = gamma_of(x)", "line 1: 'gamma_of' has no value here"),
    ],
)
def test_what_can_not_be_meant(text: str, message: str) -> None:
    assert message in refusal(TUTORIAL, text)


def test_functions_that_double_do_not_take_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    doubled = "".join(
        f"def f{i}(x, y):\n    a, b = f{i + 1}(x, y)\n    a, b = f{i + 1}(x, y)\n"
        "    return a, (b, a)\n"
        for i in range(18)
    )
    text = doubled + "def f18(x, y):\n    return x, y\nz, w = f0(x, y)"
    with monkeypatch.context() as patch:
        patch.setattr(limits, "MOST_OPERATIONS", 20_000)
        assert "takes more than 20,000 operations" in refusal(TUTORIAL, text)
    grown = "def f(a):\n" + "    a = a + a\n" * 40 + "    return a\nz = f(x)"
    assert marked(TUTORIAL, grown).rows


def test_what_two_functions_compute_is_one_variable() -> None:
    text = """\
    def f(x, y):
        u = x + 1/(1 + np.exp(-y))
        v = x**2 + y
        return u/v
    def grad(x, y):
        s = 1/(1 + np.exp(-y))
        u, v = x + s, x**2 + y
        du, dv = 1/v, -u/v**2
        ds = du
        return du + dv*2*x, dv + ds*s*(1 - s)
    """
    found = marked(TUTORIAL, text)
    assert found.right
    assert {row.name for row in found.rows} == {"f", "u", "v", "s", "x", "y"}
    row = root(marked(TUTORIAL, text.replace("ds = du", "ds = -du")))
    assert (row.name, row.tags, row.follow) == ("s", ("sign",), 1)


def test_a_local_derivative_is_no_row() -> None:
    text = """\
    s = 1/(1 + np.exp(-y))
    ds = s*(1 - s)
    u, v = x + s, x**2 + y
    f = u/v
    dfdx = (1*v - u*2*x)/v**2
    dfdy = (ds*v - u*1)/v**2
    """
    found = marked(TUTORIAL, text)
    assert found.right
    assert [row.name for row in found.rows] == ["f", "x", "y"]
    assert [note.tag for note in found.notes] == ["local-derivative"]
    assert not marked(TUTORIAL, text.replace("u*1", "u*2")).right
    apart = marked(TUTORIAL, text.replace("f = u/v", "f = u/v\n    w = x**2\n    dw = 2*x"))
    assert [(row.name, row.status) for row in apart.rows][:1] == [("f", Status.OK)]
    without = marked(TUTORIAL, text.replace("f = u/v", ""))
    assert without.right
    assert [note.tag for note in without.notes] == ["no-output"]


LINES = [
    *("def f(x, y):", "def g(u):", "def main():", "    return a, b", "    return f", "    return"),
    *("    a = 1/(1 + np.exp(-y))", "    b, d = x + a, x**2 + y", "    f = b/d", "    g(a)"),
    *("    dx, dy = 1/d, -b/d**2", "    dx += 2*x", "    return {'dx': dx, 'dy': dy}"),
    *("    cache = (a, (b, d))", "    a, c = cache", "    u['k'] = x", "    return u['k']"),
    *("f, cache = f(x, y)", "grads = f(x, y)", "dx, dy = f(x, y)", "dx = grads['dx']", "main()"),
    *(
        "z = g(f(x, y))",
        "x = y = 3.0",
        "grads = {}",
        "grads['y'] = z",
        "if __name__ == '__main__':",
    ),
    *("    x = x + 1", "dy = dx = 0", "dy += g(u=x)", "a, b = b, a", "(a, b), c = x, y", "pass"),
]


@given(st.lists(st.sampled_from(LINES), max_size=14))
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_is_marked_or_refused(lines: list[str]) -> None:
    try:
        found = marked(TUTORIAL, "\n".join(lines) + "\nz = 1\n")
    except GradcliError as error:
        assert error.kind is Kind.SUBMISSION
        assert error.message.startswith("line ")
    else:
        assert 0 <= found.score <= found.max_score


# --- tuples, chains, and what is around values -------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        "db, dd = 1/d, -b/d**2\ndx, dy = db + 2*x*dd, dd + db*a*(1 - a)",
        "(db, dd) = (1/d, -b/d**2)\ndx, dy = (db + 2*x*dd,  # by x\n          dd + db*a*(1 - a))",
        "db, dd = -b/d**2, 1/d\ndb, dd = dd, db\ndx = db + 2*x*dd\ndy = dd + db*a*(1 - a)",
        "dx = dy = 0.0\ndx += 1/d\ndx += -b/d**2*2*x\ndy += -b/d**2\ndy += 1/d*a*(1 - a)",
        "dx: float = 1/d - b/d**2*2*x; pass\ndy: 'number' = float(-b/d**2 + a*(1 - a)/d)",
        "dx = np.round(1/d - b/d**2*2*x, 4)\ndy = round(-b/d**2 + a*(1 - a)/d, ndigits=4)",
        "dx = (1/d - b/d**2*2*x).item()\ndy = np.float64(-b/d**2 + a*(1 - a)/d)\nassert (dx < 0)",
        "dx = np.subtract(1/d, b/d**2*2*x)\ndy = np.add(-b/d**2, np.multiply(a, 1-a)/d)",
        "g = {'dx': 1/d - b/d**2*2*x}\ng['dy'] = -b/d**2\ng['dy'] += a*(1 - a)/d",
        "grads = {\n  'x': 1/d - b/d**2*2*x,  # by x\n  'y': -b/d**2 + a*(1 - a)/d,\n}",
        "∂f/∂x, ∂f/∂y = 1/d - b/d**2*2*x, -b/d**2 + a*(1 - a)/d",
        "x.grad, y.grad = 1/d - b/d**2*2*x, -b/d**2 + a*(1 - a)/d",
    ],
)
def test_ways_to_write_the_same(lines: str) -> None:
    forward = "a = 1/(1 + np.exp(-y))\nb, d = x + a, x**2 + y\nf = b/d\n"
    found = marked(TUTORIAL, forward + lines)
    assert found.right
    assert {"x", "y"} <= {row.name for row in found.rows if row.kind == "gradient"}
    wrong = marked(TUTORIAL, (forward + lines).replace("2*x", "3*x"))
    assert "x" in [row.name for row in wrong.roots]


# --- notebooks ---------------------------------------------------------------------------


def test_lines_of_a_notebook_have_their_cell() -> None:
    cells = [
        ("markdown", "# Homework"),
        ("code", "import numpy as np\nx, y = 3.0, -4.0"),
        ("code", "def s(z):\n    t = np.exp(-z)\n    return 1/(1 + t)\n"),
        ("code", "u = x + s(y)\nv = x**2 + y\nf = u/v\nf"),
        ("code", "du = 1/v\ndv = u/v**2\ndx = du + 2*x*dv\ndy = dv + du*s(y)*(1 - s(y))"),
    ]
    text = json.dumps({"cells": [{"cell_type": k, "source": s} for k, s in cells], "nbformat": 4})
    row = root(marked(TUTORIAL, text, "a.ipynb"))
    assert (row.cell, row.line, row.place) == (5, 2, "cell 5, line 2")
    assert as_text(marked(TUTORIAL, text, "a.ipynb")).startswith("cell 5, line 2   dv = u/v**2")


def test_an_error_in_a_notebook_has_its_cell_and_no_other_place() -> None:
    cells = [{"cell_type": "code", "source": text} for text in ("x = 3.0\ny = -4.0", "a = 'b")]
    text = json.dumps({"cells": cells, "nbformat": 4})
    with pytest.raises(GradcliError) as caught:
        marked(TUTORIAL, text, "a.ipynb")
    assert reason_of(caught.value, "a.ipynb") == (
        "cell 2, line 1: this isn't Python: unterminated string literal"
    )


@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_a_list_of_marks_has_the_cell(form: str) -> None:
    mark_ = Mark("a", "a.ipynb", Standing.WRONG, 1.0, 2.0, "sign", 3, "", ("sign",), 2)
    if form == "csv":
        assert '"cell 2, line 3"' in reports.csv_text([mark_])
    elif form == "json":
        assert reports.as_object([mark_])["submissions"][0]["cell"] == 2
    else:
        style = Style(width=80, color=False, ascii=False)
        assert "cell 2, line 3" in "".join(reports.pieces([mark_], style, listed=True))


# --- a dictionary behind values, and guards ----------------------------------------------

BOTH = """\
import numpy as np

def value_and_gradient(x, y):
    if x**2 + y == 0:
        raise ValueError(f"undefined at {x}, {y}")  # no more to say
    if x > 1e9: raise ValueError
    a = 1/(1 + np.exp(-y))
    d = x**2 + y
    f = (x + a)/d
    return f, {
        "x": 1/d - f/d*2*x,
        "y": a*(1 - a)/d - f/d,
    }

f, grads = value_and_gradient(x, y)
dx, dy = grads["x"], grads["y"]
"""


def test_a_dictionary_behind_a_value() -> None:
    found = marked(TUTORIAL, BOTH)
    assert (found.right, found.score, found.max_score) == (True, 2, 2)
    wrong = marked(TUTORIAL, BOTH.replace("1/d - f/d*2*x", "1/d + f/d*2*x"))
    assert (root(wrong).name, wrong.score) == ("x", 1)


def test_values_that_do_not_fit_their_names_are_refused() -> None:
    text = BOTH.replace("return f, {", 'return f, {"a": a}, {')
    assert "3 values for 2 names" in refusal(TUTORIAL, text)


@pytest.mark.parametrize(
    "guard", ["if x > 0: a = 1", "if x < 0: raise ValueError\nelse: a = 1", "a = 1 if x > 0 else 2"]
)
def test_conditions_go_the_way_of_the_point(guard: str) -> None:
    found = marked(TUTORIAL, f"{guard}\nf = (x + sigmoid(y))/(x**2 + y)\ndx = a*0 - 0.5243166904")
    assert [row.status for row in found.rows][:2] == [Status.OK, Status.OK]


@pytest.mark.parametrize(
    "extra", ["lr = 0.1", "m = 5", "i = 0\ni += 1", "eps = 1e-8", "num_grad = 3", "n_x = 2"]
)
def test_what_is_no_answer_is_not_remarked(extra: str) -> None:
    """But for where a gradient is missing, or where the name speaks of one."""
    right = "dx = -0.5243166904\ndy = -0.1171869072\n"
    for text in (f"{extra}\n{right}", f"{right}{extra}\n"):
        assert marked(TUTORIAL, text).notes == ()
        (note,) = marked(TUTORIAL, f"{text}delta_hidden = 3\n").notes
        assert (note.tag, note.text) == ("not-read", "not read as an answer: delta_hidden")
    (note,) = marked(TUTORIAL, f"slope_x = 2\n{extra}\ndy = -0.1171869072\n").notes
    assert note.text.startswith("not read as an answer: slope_x, ")
