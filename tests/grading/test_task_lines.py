"""The `#:` lines of a task: every command goes by them, and a wrong one has its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcli import GradcliError, Program
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.grading.exercise.own_points import OwnPoints
from gradcli.grading.model.task import make_task

POINT = "#: x = 3\n#: y = -4\n#: k = 2\n"
PROGRAM = "a = sigmoid(y)\nb = x + a\nd = x^2 + y\nf = k*b/d\n"
RIGHT = """\
a = 1 / (1 + np.exp(-y))
b = x + a
d = x**2 + y
f = k * b / d
delta_b = k / d
delta_d = -k * b / d**2
delta_x = delta_b + 2*x*delta_d
delta_y = delta_b*a*(1 - a) + delta_d
delta_k = b / d
"""


def gradcli(*words: str) -> tuple[int, str, str]:
    environment = Environment.captured()
    return run(words, environment), *environment.written()


def graded(tmp_path: Path, lines: str, answer: str, suffix: str = ".py") -> dict[str, Any]:
    task, file = tmp_path / "task.grad", tmp_path / f"answer{suffix}"
    task.write_text(POINT + lines + PROGRAM)
    file.write_text(answer)
    code, out, err = gradcli("grade", str(task), str(file), "--json")
    assert err == ""
    assert code in (0, 4)
    found: dict[str, Any] = json.loads(out)
    return found


def states(found: dict[str, Any]) -> dict[str, str]:
    return {row["name"]: row["status"] for row in found["rows"] if row["kind"] == "gradient"}


# --- what is asked ---------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["#: wrt x, y\n", "#: wrt y x  # not k\n", "#: wrt: x, y\n"])
def test_wrt_is_what_all_commands_ask_for(line: str, tmp_path: Path) -> None:
    found = graded(tmp_path, line, "delta_x = 1\n")
    assert found["max_score"] == 2
    assert states(found) == {"x": "wrong", "y": "missing"}
    task = str(tmp_path / "task.grad")
    assert "df/dk" not in gradcli("sheet", task)[1]
    slips = json.loads(gradcli("lint", task, "--json")[1])["slips"]
    assert "k" not in {slip["row"] for slip in slips}
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "anna.py").write_text(RIGHT)
    marks = json.loads(gradcli("class", task, str(tmp_path / "in"), "--json")[1])
    assert marks["submissions"][0]["max_score"] == 2
    assert graded(tmp_path, line, RIGHT)["score"] == 2
    option = gradcli("grade", task, str(tmp_path / "answer.py"), "--wrt", "k", "--json")[1]
    assert json.loads(option)["max_score"] == 1  # what is typed wins


@pytest.mark.parametrize("suffix", [".py", ".csv", ".json"])
@pytest.mark.parametrize(("ask", "most"), [("inputs", 3), ("named", 6)])
def test_ask_is_the_same_for_all_who_hand_it_in(
    ask: str, most: int, suffix: str, tmp_path: Path
) -> None:
    answers = {
        ".py": (RIGHT, "delta_x = 1\n", "for i in range(1):\n    dx = x*0\n"),
        ".csv": ("delta_b,0.4\ndelta_d,-0.24\n", "dx,1\n", "f,1.2\n"),
        ".json": ('{"delta_b": 0.4}', '{"dx": 1, "a": 2}', '{"f": 1.2}'),
    }
    for answer in answers[suffix]:
        found = graded(tmp_path, f"#: ask {ask}\n", answer, suffix)
        assert found["max_score"] == most
        missing = {row["name"] for row in found["rows"] if row["status"] == "missing"}
        assert (ask == "named") >= bool(missing & {"a", "b", "d"})


def test_marks_of_what_is_asked(tmp_path: Path) -> None:
    lines = "#: ask named\n#: wrt x\n#: marks b = 3\n#: marks x = 2\n"
    found = graded(tmp_path, lines, RIGHT)
    assert found["max_score"] == 3 + 2 + 1  # no row of a, which leads to y alone
    assert states(found)["b"] == "ok"


# --- the direction ---------------------------------------------------------------------------

NEGATED = RIGHT.replace("delta_b = k", "delta_b = -k").replace("= -k * b /", "= k * b /").replace(
    "delta_k = b", "delta_k = -b"
)  # fmt: skip


@pytest.mark.parametrize(
    ("direction", "answer", "score", "roots"),
    [
        ("either", RIGHT, 3, set()),
        ("either", NEGATED, 3, set()),
        ("gradient", RIGHT, 3, set()),
        ("gradient", NEGATED, 0, {"b", "d", "k"}),
        ("descent", NEGATED, 3, set()),
        ("descent", RIGHT, 0, {"b", "d", "k"}),
        # a slip is judged in the direction that the others have
        ("either", NEGATED.replace("2*x*", "3*x*"), 2, {"x"}),
        ("descent", NEGATED.replace("2*x*", "3*x*"), 2, {"x"}),
        ("either", RIGHT.replace("2*x*", "3*x*"), 2, {"x"}),
    ],
)
@pytest.mark.parametrize("form", ["listing", "loop", "values"])
def test_direction(
    direction: str, answer: str, score: float, roots: set[str], form: str, tmp_path: Path
) -> None:
    if form != "values" and len(roots) == 3:
        return  # to look for what explains them takes long
    suffix = ".py"
    if form == "values":
        names: dict[str, Any] = {"x": 3.0, "y": -4.0, "k": 2.0, "np": np}
        exec(answer, names)  # noqa: S102 - the test's own text
        answer = "".join(f"{n},{float(v)!r}\n" for n, v in names.items() if n[:6] == "delta_")
        suffix = ".csv"
    elif form == "loop":
        answer = "for i in range(1):\n" + "".join(f"    {li}\n" for li in answer.splitlines())
    found = graded(tmp_path, f"#: direction {direction}\n#: ask inputs\n", answer, suffix)
    wrong = {r["name"] for r in found["rows"] if r["status"] in ("wrong", "inconsistent")}
    notes = {note["tag"] for note in found["notes"]}
    if form == "loop":
        assert (found["score"] == 3) == (not roots)
        assert wrong <= {"x", "y", "k"}
    else:
        assert wrong == roots
        assert len(roots) == 3 or found["score"] == score
    down = direction == "either" and "delta_k = -b" in answer
    assert ("descent-convention" in notes) >= down
    assert direction == "either" or not notes


# --- points ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_points_keep_to_the_lines(seed: int) -> None:
    """Fixed inputs stay, others keep to their range or their values, arrays in each element."""
    generator = np.random.default_rng(seed)
    low = round(float(generator.uniform(-3, 0)), 1)
    high = low + float(generator.choice([0.5, 2.0, 40.0]))
    lines = (
        f"#: t = [{low}, {low}]\n#: c = 1\n#: x = 1.5\n#: y = 2.5\n"
        f"#: fixed y\n#: range t {low} {high}\n#: values c 0, 1, 2.5\n#: wrt x, y\n"
    )
    task = make_task(Program(lines + "sum((x*t + y)^2)*(c + 1)"))
    points = [OwnPoints(task).point(f"s{i}") for i in range(12)]
    assert {float(p["y"]) for p in points} == {2.5}
    assert {float(p["c"]) for p in points} <= {0.0, 1.0, 2.5}
    values = np.array([p["t"] for p in points])
    assert values.shape == (12, 2)
    assert np.all((values >= low) & (values <= high))
    assert len(np.unique(values)) > 3
    assert len({float(p["x"]) for p in points}) > 3
    assert OwnPoints(task).point("s0")["x"] == points[0]["x"]


# --- a call ----------------------------------------------------------------------------------

AFFINE = """\
#: x = [[1, 2], [3, 4.5]]
#: w = [[0.5, -1, 2], [0.3, 0.2, -0.7]]
#: b = [0.1, 0.2, 0.3]
#: dout = [[1, -2, 0.5], [0.3, 0.7, 1.1]]
#: wrt x, w, b
#: call {}
sum(dout * (x @ w + b))
"""
FUNCTION = """\
import numpy as np
def affine_backward(g, stuff):
    p, q, _ = stuff
    u = g @ q.T
    v = p.T @ g
    return u, v, g.sum(axis=0)
"""


@pytest.mark.parametrize(
    "call",
    [
        "dx, dw, db = affine_backward(dout, (x, w, b))",
        "dx, dw, db = affine_backward(g=dout, stuff=(x, w, b))",
        "(dx, dw, db) = affine_backward(dout, [x, w, b])",
    ],
)
def test_a_function_is_called_as_the_task_says(call: str, tmp_path: Path) -> None:
    task, answer = tmp_path / "task.grad", tmp_path / "answer.py"
    task.write_text(AFFINE.format(call))
    answer.write_text(FUNCTION)
    code, out, err = gradcli("grade", str(task), str(answer), "--json")
    assert (code, err, json.loads(out)["score"]) == (0, "", 3)
    answer.write_text(FUNCTION.replace("p.T @ g", "g.T @ p"))
    found = json.loads(gradcli("grade", str(task), str(answer), "--json")[1])
    (wrong,) = (row for row in found["rows"] if row["status"] == "wrong")
    assert (wrong["name"], wrong["line"], wrong["text"]) == ("w", 5, "v = g.T @ p")
    answer.write_text(FUNCTION + "dx, dw, db = affine_backward(dout, (x, 2*w, b))\n")
    assert gradcli("grade", str(task), str(answer))[0] == 4  # the student's own call is what counts
    cells = [{"cell_type": "code", "source": FUNCTION}]
    book = tmp_path / "answer.ipynb"
    book.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
    assert gradcli("grade", str(task), str(book))[:2] == (0, "score 3 / 3\n")


# --- wrong lines -----------------------------------------------------------------------------

WRONG = [
    ("wrt x, q", "the task has no input 'q'", "q"),
    ("wrt x, a", "the task has no input 'a'", "a"),
    ("wrt x, x", "'x' stands here a second time", "x"),
    ("wrt 3", "'3' isn't a name", "3"),
    ("wrt", "'wrt' has nothing behind it", "wrt"),
    ("wrt x\n#: wrt y", "a second 'wrt' line", "wrt"),
    ("ask inputs\n#: ask named", "a second 'ask' line", "ask"),
    ("ask all", "'ask' is inputs or named", "all"),
    ("ask input", "'ask' is inputs or named", "input"),
    ("direction up", "'direction' is gradient, descent or either", "up"),
    ("direction  # none", "'direction' has nothing behind it", "direction"),
    ("fixed q", "the task has no input 'q'", "q"),
    ("fixed x=3", "'x=3' isn't a name", "x=3"),
    ("range x 0", "a range has two numbers, the lower one first", "x 0"),
    ("range x 5 0", "a range has two numbers, the lower one first", "x 5 0"),
    ("range x 0 1e999", "'1e999' isn't a number", "1e999"),
    ("range x 0 pi", "'pi' isn't a number", "pi"),
    ("range q 0 1", "the task has no input 'q'", "q"),
    ("range x 0 1", "the task's own x is outside of its range, 0 to 1", "x"),
    ("values x", "the values are missing", "x"),
    ("values x 0, 1", "the task's own x isn't one of its values", "x"),
    ("values x 0, 3\n#: range x 0 5", "'x' stands here a second time", "x"),
    ("fixed x\n#: range x 0 5", "'x' is fixed, and has a range or values too", "x"),
    ("call backward", "this isn't a call of a function, in Python", "backward"),
    ("call dx = f(x", "this isn't a call of a function, in Python", "dx = f(x"),
    ("call dx = f(x); import os", "this isn't a call of a function, in Python", None),
    ("call dx = f(x).T", "this isn't a call of a function, in Python", None),
    ("call dx = f(q)", "the call reads 'q', and the task has no such node", "q"),
    ("call dx = f(x)\n#: call dx = f(x)", "a second 'call' line", "call"),
]


@pytest.mark.parametrize(("line", "message", "place"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_line_is_one_error_with_its_place(
    line: str, message: str, place: str | None, tmp_path: Path
) -> None:
    text = f"{POINT}#: {line}\n{PROGRAM}"
    with pytest.raises(GradcliError) as caught:
        make_task(Program(text, name="task.grad"))
    error = caught.value
    assert error.message == message
    assert error.span is not None
    start, end = error.span
    assert text[start:end] == (place or line.removeprefix("call "))
    assert error.source is not None
    assert error.source.position(start)[0] >= 4
    if place == "q":
        return
    task, answer = tmp_path / "task.grad", tmp_path / "answer.py"
    task.write_text(text)
    answer.write_text(RIGHT)
    for words in (["grade", str(task), str(answer)], ["lint", str(task)], ["sheet", str(task)],
                  ["class", str(task), str(tmp_path)]):  # fmt: skip
        code, out, err = gradcli(*words)
        assert (code, out) == (2, "")
        assert err.startswith(f"error: {message}\n")


@pytest.mark.parametrize("name", ["wrt", "ask", "direction", "fixed", "range", "values", "call"])
def test_an_input_may_have_the_name_of_a_line(name: str) -> None:
    result = Program(f"#: {name} = 3\n{name}^2").evaluate()
    assert float(result.value) == 9


def test_other_commands_pass_them_over() -> None:
    lines = "#: wrt x\n#: ask named\n#: direction gradient\n#: fixed y\n#: range x 0 9\n"
    result = Program(POINT + lines + "#: values k 1, 2\n#: call d = f(x)\n" + PROGRAM).evaluate()
    assert sorted(result.gradient) == ["k", "x", "y"]


def test_a_value_over_several_lines_may_have_such_a_word_in_it() -> None:
    program = Program("#: x = [1,\n#:  fixed,\n#: 2]\nsum(x)")
    with pytest.raises(GradcliError, match="fixed"):
        program.evaluate()
