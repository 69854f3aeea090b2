"""Marked submissions as graders read them, and values marked from a namespace."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Marked, Status
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.submission.read import read_text
from gradcli.report.homework.graders import coderunner, gradescope, prairielearn

TEXT = "(x + sigmoid(y)) / (x^2 + y)"
TASK = make_task(gradcli.Program(TEXT), {"x": 3, "y": -4})
TRUE = TASK.result.gradient
ONE_WRONG = "delta_b = 0.2\ndelta_x = 7 < 8\ndelta_y = -0.117186907155825\n"
UNREADABLE = GradcliError(
    Kind.SUBMISSION, "line 1: '<b>\x1b[31m' isn't a name", hint="<i>\nwrite x"
)


def marked(text: str, suffix: str = ".py", task: Task = TASK) -> Marked:
    return mark(task, read_text(text, f"answer{suffix}", task.vocabulary, suffix))


def strict(made: dict[str, Any]) -> str:
    return json.dumps(made, allow_nan=False)


NETWORK = Path(__file__).parents[1] / "homework" / "mistakes" / "rows.grad"


# --- the three formats -------------------------------------------------------------------


def test_gradescope_has_a_test_for_each_row() -> None:
    made = gradescope(marked(ONE_WRONG), TASK)
    assert list(made) == ["score", "tests", "visibility", "stdout_visibility", "output"]
    assert made["score"] == 1
    assert made["visibility"] == "visible"
    assert [t["name"] for t in made["tests"]] == ["delta_b", "delta_x", "delta_y"]
    wrong = made["tests"][1]
    assert list(wrong) == [
        "name", "number", "score", "max_score", "status", "output", "output_format", "tags",
    ]  # fmt: skip
    assert (wrong["number"], wrong["score"], wrong["max_score"]) == ("2", 0, 1)
    assert wrong["status"] == "failed"
    assert "line 2: delta_x = 7 &lt; 8" in wrong["output"]
    assert "line 2, delta_x" in made["output"]
    assert [t["status"] for t in made["tests"]] == ["passed", "failed", "passed"]


def test_prairielearn_has_a_score_from_0_to_1() -> None:
    made = prairielearn(marked(ONE_WRONG), TASK)
    assert list(made) == ["gradable", "score", "format_errors", "message", "tests"]
    assert made["gradable"] is True
    assert made["score"] == pytest.approx(1 / 2)
    assert made["format_errors"] == []
    assert list(made["tests"][1]) == ["name", "description", "points", "max_points", "message"]
    assert made["tests"][1]["description"] == "the gradient of f by x"
    assert [(t["points"], t["max_points"]) for t in made["tests"]] == [(0, 0), (0, 1), (1, 1)]


def test_coderunner_has_a_table_with_a_header() -> None:
    made = coderunner(marked(ONE_WRONG), TASK)
    assert list(made) == ["fraction", "testresults", "prologuehtml"]
    assert made["fraction"] == pytest.approx(1 / 2)
    header, *rows = made["testresults"]
    assert header[0] == "iscorrect"
    assert {len(row) for row in rows} == {len(header)}
    assert [row[0] for row in rows] == [1, 0, 1]
    assert made["prologuehtml"].startswith("<p>score 1 / 2</p>")


def test_tags_and_followers_are_told() -> None:
    listing = "delta_b = 1\ndelta_x = 2*3*e*0 + delta_b\ndelta_a = delta_b\n"
    made = gradescope(marked(listing), TASK)
    first = made["tests"][0]
    assert first["tags"] == ["missing-local"]
    assert "1 later row follows from it and keeps its mark." in first["output"]


@pytest.mark.parametrize("write", [gradescope, prairielearn, coderunner])
def test_what_is_unreadable_has_its_reason(write: Callable[..., dict[str, Any]]) -> None:
    made = write(UNREADABLE, TASK)
    text = strict(made)
    assert "isn't a name (hint: &lt;i&gt; write x)" in text
    assert "<b>" not in text
    assert "u001b" not in text
    assert made.get("score", made.get("fraction")) == 0


def test_what_is_unreadable_is_not_gradable() -> None:
    made = prairielearn(UNREADABLE, TASK)
    assert made["gradable"] is False
    assert len(made["format_errors"]) == 1
    test = gradescope(UNREADABLE, TASK)["tests"][0]
    assert (test["score"], test["max_score"], test["status"]) == (0, 2, "failed")


@pytest.mark.parametrize("write", [gradescope, prairielearn, coderunner])
def test_right_answers_only_if_revealed(write: Callable[..., dict[str, Any]]) -> None:
    found = marked('{"delta_x": 1.5, "delta_b": 9.25}', ".json")
    shown = f"{float(TRUE['x']):.6g}"
    assert shown not in strict(write(found, TASK))
    assert shown in strict(write(found, TASK, reveal=True))


@pytest.mark.parametrize("write", [gradescope, prairielearn, coderunner])
@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999", "1e-400", "0"])
def test_any_number_makes_strict_json(write: Callable[..., dict[str, Any]], number: str) -> None:
    found = marked(f"delta_x,{number}\ndelta_y,{number}\n", ".csv")
    made = write(found, TASK, reveal=True)
    assert json.loads(strict(made)) == made


def test_no_marks_at_all_is_all_or_nothing() -> None:
    task = make_task(gradcli.Program("#: x = 2\n#: marks x = 0\nx^2"))
    right, wrong = marked("dx,4\n", ".csv", task), marked("dx,5\n", ".csv", task)
    assert right.max_score == 0
    assert prairielearn(right, task)["score"] == 1
    assert coderunner(wrong, task)["fraction"] == 0


def test_large_arrays_are_cut() -> None:
    task = make_task(gradcli.Program("sum(W*W)"), {"W": np.ones((30, 30))})
    found = gradcli.grade_values(task, {"dW": np.zeros((30, 30))})
    cell = coderunner(found, task)["testresults"][1][3]
    assert len(cell) == 200
    assert cell.endswith("…")


# --- Gradescope's own file ---------------------------------------------------------------

AUTOGRADER = Path(__file__).parents[2] / "docs" / "run_autograder"


@pytest.mark.skipif(shutil.which("bash") is None, reason="it is a Bash script")
@pytest.mark.parametrize(
    ("answer", "score"),
    [("dx = 12\n", 10), ("y = x**3\ndy = 1\ndx = 5\n", 0), ("for\n", 0), (None, 0)],
)
def test_run_autograder_as_it_stands(tmp_path: Path, answer: str | None, score: float) -> None:
    for folder in ("source", "submission", "results", "bin"):
        (tmp_path / folder).mkdir()
    (tmp_path / "source" / "task.grad").write_text("#: x = 2\nx^3\n", encoding="utf-8")
    if answer is not None:
        (tmp_path / "submission" / "a b.py").write_text(answer, encoding="utf-8")
    command = tmp_path / "bin" / "gradcli"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gradcli "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "AUTOGRADER": str(tmp_path)}
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run([bash, str(AUTOGRADER)], env=environment, check=True)
    made = json.loads((tmp_path / "results" / "results.json").read_text("utf-8"))
    assert made["score"] == pytest.approx(score, abs=0.005)
    assert sum(test["max_score"] for test in made["tests"]) == pytest.approx(10)


# --- from a namespace --------------------------------------------------------------------

FORMS = (
    "delta_{}", "d_{}", "d{}", "dfd{}", "df_d{}", "grad_{}", "{}.grad", "δ{}", "δ_{}", "∂f/∂{}",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_gradients_name(form: str) -> None:
    namespace = {form.format(name): float(TRUE[name]) for name in "xy"}
    found = gradcli.grade_values(TEXT, namespace, x=3, y=-4)
    assert (found.score, found.max_score, found.right) == (2, 2, True)


def notebook() -> dict[str, Any]:
    """The names that a notebook has when it has worked through the task."""
    names: dict[str, Any] = {"math": math, "np": np, "__name__": "__main__", "_": 3, "_1": "text"}
    x, y = 3.0, -4.0
    a = 1 / (1 + math.exp(-y))
    b, c = x + a, x**2
    d = c + y
    e = 1 / d
    f = b * e
    db, de = e, b
    dd = -de / d**2
    dx = db + dd * 2 * x
    dy = dd + db * a * (1 - a)
    names |= {"x": x, "y": y, "a": a, "b": b, "c": c, "d": d, "e": e, "f": f}
    return names | {"delta_b": db, "delta_e": de, "delta_d": dd, "dx": dx, "dfdy": dy}


def test_a_notebooks_globals() -> None:
    found = gradcli.grade_values(TEXT, notebook(), x=3, y=-4)
    assert found.right
    assert found.notes == ()
    assert {row.name for row in found.rows if row.kind == "gradient"} == {"b", "e", "d", "x", "y"}


def test_rows_that_follow_from_a_mistake_keep_their_marks() -> None:
    names = notebook()
    names["delta_d"] = -names["delta_e"]  # its local derivative is missing
    names["dx"] = names["delta_b"] + names["delta_d"] * 6
    del names["dfdy"]
    found = gradcli.grade_values(TEXT, names, x=3, y=-4)
    by_name = {row.name: row for row in found.rows if row.kind == "gradient"}
    assert by_name["d"].status is Status.WRONG
    assert by_name["x"].status is Status.CARRIED
    assert by_name["y"].status is Status.MISSING
    assert "delta_d" in str(found)
    assert gradcli.grade_values(TEXT, names, x=3, y=-4, carried=0.5).score == 0


class Awkward:
    """An object that raises at whatever one does with it."""

    def __array__(self, *_: object) -> None:
        raise RuntimeError("boom")

    def __float__(self) -> float:
        raise RuntimeError("boom")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("boom")

    __hash__ = None  # type: ignore[assignment]


ODD = [
    None, "text", b"bytes", math, print, lambda: 1, Awkward(), {}, {"x": 1}, {1, 2}, [], [[]],
    [1, [2, 3]], [1, "2"], ["a"], object(), 1j, np.array(["a"]), np.array(None), np.zeros((0, 3)),
    iter([1]), int, 10**400, Fraction(10**400), [10**400], True, [Awkward()], np.datetime64("2026"),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(type(odd)))
@pytest.mark.parametrize("label", ["dx", "b", "x", "delta_b", "f"])
def test_odd_values_never_raise(
    odd: Any, label: str, capsys: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    found = gradcli.grade_values(TEXT, {**notebook(), label: odd}, x=3, y=-4)
    strict(gradescope(found, TASK))
    assert str(found)
    assert capsys.readouterr() == ("", "")
    assert not recwarn.list


def test_odd_names_never_raise() -> None:
    names: Any = {3: 1.0, None: 2.0, "": 1, " ": 1, "x" * 10_000: 1, "\ud800": 1, "δ": 1, "∂f/∂": 1}
    assert not gradcli.grade_values(TEXT, names, x=3, y=-4).right


def test_nan_is_a_wrong_number() -> None:
    found = gradcli.grade_values(TEXT, {"dx": math.nan, "dy": TRUE["y"]}, x=3, y=-4)
    assert [row.status for row in found.rows] == [Status.WRONG, Status.OK]


def test_values_from_code_are_exact_to_a_millionth() -> None:
    def right(share: float, **options: Any) -> bool:
        names = {"dx": float(TRUE["x"]) * (1 + share), "dy": TRUE["y"]}
        return gradcli.grade_values(TEXT, names, x=3, y=-4, **options).right

    assert right(5e-7)
    assert not right(5e-6)
    assert right(5e-4, rtol=1e-3)
    assert not right(5e-4, rtol=1e-4)


def test_a_bare_name_is_the_point_or_else_the_gradient() -> None:
    bare = {"x": float(TRUE["x"]), "y": float(TRUE["y"])}
    assert gradcli.grade_values(TEXT, bare, x=3, y=-4).right
    other = gradcli.grade_values(TEXT, {"x": 2.0, "dx": TRUE["x"], "dy": TRUE["y"]}, x=3, y=-4)
    assert other.right
    assert [note.tag for note in other.notes] == ["other-point"]


def test_names_of_ones_own_are_not_those_of_the_trace() -> None:
    names = {"a": 100.0, "b": "text", "c": [1, 2], "e": math.e, "delta_b": 5.0}
    names |= {"dx": TRUE["x"], "dy": TRUE["y"]}
    found = gradcli.grade_values(TEXT, names, x=3, y=-4)
    assert found.right
    assert {row.name for row in found.rows} == {"x", "y"}


def test_two_names_for_one_gradient() -> None:
    found = gradcli.grade_values(TEXT, {"delta_x": TRUE["x"], "dx": 1.0}, x=3, y=-4, wrt=["x"])
    assert found.right
    assert [note.tag for note in found.notes] == ["twice"]


def test_arrays_of_all_kinds() -> None:
    text = "#: W = [[1, 2], [3, 4]]\n#: x = [5, 6]\nsum((W @ x)^2)"
    W, x = np.array([[1, 2], [3, 4]]), np.array([5, 6])
    z = W @ x
    dW, dx = np.outer(2 * z, x), W.T @ (2 * z)
    for namespace in (
        {"dW": dW, "dx": dx},
        {"dW": dW.tolist(), "dx": tuple(dx.tolist())},
        {"dW": dW.astype(np.float32), "dx": dx.astype(np.int16)},
    ):
        assert gradcli.grade_values(text, namespace).right
    column = gradcli.grade_values(text, {"dW": dW, "dx": dx[:, None]})
    assert [row.tags for row in column.rows if row.name == "x"] == [("shape",)]
    turned = gradcli.grade_values(text, {"dW": dW.T, "dx": dx})
    assert [row.tags for row in turned.rows if row.name == "W"] == [("transpose",)]


def test_a_task_is_a_text_a_file_a_program_or_a_task(tmp_path: Path) -> None:
    file = tmp_path / "task.grad"
    file.write_text("#: x = 2\nx^3\n", encoding="utf-8")
    tasks = (file, str(file), gradcli.Program("#: x = 2\nx^3"), "#: x = 2\nx^3")
    for task in tasks:
        assert gradcli.grade_values(task, {"dx": 12}).right
    assert gradcli.grade_values("eta*seed", {"deta": 3, "dseed": 2}, {"eta": 2, "seed": 3}).right
    with pytest.raises(GradcliError) as refused:
        gradcli.grade_values(tmp_path / "none.grad", {})
    assert refused.value.kind is Kind.FILE


@pytest.mark.parametrize("count", [15, pytest.param(60, marks=pytest.mark.slow)])
def test_values_of_any_shape_and_size_are_marked(count: int) -> None:
    """Whatever is wrong with them, there is a report and never another error."""
    task = make_task(gradcli.Program(NETWORK.read_text("utf-8")))
    random = np.random.default_rng(0)
    for _ in range(count):
        names: dict[str, Any] = {}
        for key, value in task.flow.values.items():
            for label in (key, f"delta_{key}"):
                shape = np.shape(value)
                some = np.round(random.normal(size=shape), 3)
                odd = random.normal(size=random.integers(1, 4, random.integers(3)))
                extreme = random.choice([np.nan, np.inf, 1e308, 1e-320, 0])
                kinds = (some, np.transpose(some), odd, np.full(shape, extreme), None)
                names[label] = kinds[random.integers(len(kinds))]
        names = {k: np.asarray(v).tolist() for k, v in names.items() if v is not None}
        inputs = task.vocabulary.inputs  # in a file a bare input's name is its gradient
        text = json.dumps({k: v for k, v in names.items() if k not in inputs})
        for number in ("NaN", "-Infinity", "Infinity"):
            text = re.sub(f'(?<!["I-]){number}', f'"{number}"', text)
        for found in (gradcli.grade_values(task, names), marked(text, ".json", task)):
            for write in (gradescope, prairielearn, coderunner):
                strict(write(found, task, reveal=True))


def test_it_is_frozen() -> None:
    found = gradcli.grade_values("x^2", {"dx": 6}, x=3)
    with pytest.raises(AttributeError):
        found.rows = ()  # type: ignore[misc]


# --- what is handed in is never passed over ----------------------------------------------

NAMES = (
    "delta_{x}", "d_{x}", "d{x}", "df_d{x}", "dfd{x}", "grad_{x}", "{x}_grad", "f_{x}",
    "nabla_{x}", "partial_{x}", "grad_f_{x}", "df_by_d{x}", "d_f_d_{x}", "delta{x}", "grad{x}",
    "{x}_delta", "{x}_gradient",
)  # fmt: skip
LABELS = ("{x}.grad", "df/d{x}", "∂f/∂{x}", "δ{x}", "δ_{x}", "∇{x}", "∇_{x}")
UNKNOWN = ("g{x}", "dLd{x}", "dL_d{x}", "{x}bar", "F_{x}", "slope_{x}", "dq", "f_q", "result")


@pytest.mark.parametrize("form", [*NAMES, *LABELS, *UNKNOWN])
def test_a_name_is_a_gradient_or_is_said_not_to_be_read(form: str) -> None:
    """In code, in a function, in a table and in JSON; wrong numbers are wrong under every name."""
    numbers = {name: float(TRUE[name]) for name in ("x", "y")}
    asked = {form.format(x=name): number for name, number in numbers.items()}
    for right in (True, False):
        given = {k: v if right else v + 1 for k, v in asked.items()}
        if form not in LABELS:
            lines = [f"{name} = {number!r}" for name, number in given.items()]
            inside = "".join(f"    {line}\n" for line in lines)
            function = f"def grad(x, y):\n{inside}    return {', '.join(given)}\n"
            for text in ("\n".join(lines), function):
                found = marked(text)
                if form not in UNKNOWN:
                    assert (found.right, found.notes) == (right, ()), text
                elif text is not function:
                    assert found.score == 0
                    (note,) = found.notes
                    assert (note.tag, note.line) == ("not-read", 1)
                    assert note.text == f"not read as an answer: {', '.join(given)}"
        rows = "".join(f"{name},{number!r}\n" for name, number in given.items())
        for suffix, text in ((".csv", rows), (".json", json.dumps(given))):
            if form in UNKNOWN:
                with pytest.raises(GradcliError, match="isn't a name of the task"):
                    marked(text, suffix)
            else:
                assert marked(text, suffix).right == right


def test_names_of_ones_own_are_not_taken_for_gradients() -> None:
    """`f_x` on the way to the output is a value; a node's own name comes first."""
    text = "f_x = x + 1/(1 + np.exp(-y))\nf = f_x/(x**2 + y)\n"
    found = marked(text + "\n".join(f"d{name} = {float(TRUE[name])!r}" for name in ("x", "y")))
    assert found.right
    assert found.notes == ()
    task = make_task(gradcli.Program("f_x = x*y\nf = f_x + x"), {"x": 3, "y": 2})
    found = marked("f_x = 6\nf = 9\ndx = 3\ndy = 3\n", ".py", task)
    assert (found.right, len(found.rows)) == (True, 4)
