"""Code in the styles of courses: right code gets all marks, a slip is found in its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from code_cases import COURSES, Course

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source
from gradcli.grading.code.marking import mark_code
from gradcli.grading.marking.expected import sides_of
from gradcli.grading.marking.result import Marked, Status
from gradcli.grading.model.deadline import Deadline
from gradcli.grading.model.task import Task, make_task
from gradcli.program import Program
from gradcli.python import limits

SLIPS = [(name, old) for name, course in COURSES.items() for old in course.slips]


def task_of(course: Course) -> Task:
    return make_task(Program(course.task, name="task.grad"), wrt=course.wrt.split(","))


def marked(course: Course, code: str) -> Marked:
    task = task_of(course)
    sides = [task.flow.passes({}, side=side)[0] for side in sides_of(task.flow)]
    found = mark_code(task, Source(code), sides, Deadline.of(20))
    assert found is not None
    return found


def grade(course: Course, code: str, folder: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    (folder / "task.grad").write_text(course.task)
    (folder / "answer.py").write_text(code)
    outside = Environment.captured(variables={"NO_COLOR": "1"})
    words = ["grade", str(folder / "task.grad"), str(folder / "answer.py"), "--wrt", course.wrt]
    code_ = run([*words, "--json", *more], outside)
    out, err = outside.written()
    return code_, json.loads(out) if out else {}, err


@pytest.mark.parametrize("name", COURSES)
def test_right_code_gets_all_marks(name: str, tmp_path: Path) -> None:
    course = COURSES[name]
    code, found, err = grade(course, course.right, tmp_path)
    assert (code, err) == (0, "")
    assert found["score"] == found["max_score"]


@pytest.mark.parametrize(("name", "old"), SLIPS)
def test_a_slip_is_one_root_in_its_line(name: str, old: str) -> None:
    course = COURSES[name]
    code, line = course.slip(old)
    found = marked(course, code)
    (root,) = found.roots
    assert (root.status, root.line) == (Status.WRONG, line)
    assert set(root.tags) & set(course.slips[old][1].split())
    assert found.score == found.max_score - 1


def test_a_slip_is_found_by_the_command(tmp_path: Path) -> None:
    code, line = COURSES["cache"].slip("dZ[Z <= 0] = 0")
    exit_code, found, _ = grade(COURSES["cache"], code, tmp_path)
    wrong = [row for row in found["rows"] if row["status"] == "wrong"]
    assert exit_code == 4
    assert [(row["line"], row["tags"]) for row in wrong] == [(line, ["wrong-rule"])]
    assert found["max_score"] - found["score"] == 1


@pytest.mark.parametrize("name", [name for name, course in COURSES.items() if course.functions])
def test_functions_alone_get_all_marks(name: str, tmp_path: Path) -> None:
    course = COURSES[name]
    code, found, err = grade(course, course.functions, tmp_path)
    assert (code, err) == (0, "")
    assert found["score"] == found["max_score"]


def test_functions_without_their_call(tmp_path: Path) -> None:
    course = COURSES["cache"]
    code, found, err = grade(course, course.functions, tmp_path)
    assert (code, err) == (0, "")
    assert found["score"] == found["max_score"] == 4
    lost = course.functions.replace("X, Z, H, W2 = cache", "X, Z, H, W2 = cache[0], *cache[1:]")
    code, _, err = grade(course, lost.replace("def forward", "def other"), tmp_path)
    assert code in (0, 5)  # what `cache` is made of is known only where `forward` was read


@pytest.mark.parametrize("call", ["", "dx = back(d, (x, k))\n"])
@pytest.mark.parametrize(
    "slip", ["d[i]*k[::-1]", "2*d[i]*k", pytest.param("d[i]*x[i]", marks=pytest.mark.slow)]
)
def test_a_slip_in_a_function_is_not_at_its_call(slip: str, call: str, tmp_path: Path) -> None:
    course = Course(
        "#: k = [0.3, -0.5]\n#: d = [0.4, 0.2, -0.7]\n#: x = [0.5, 1.2, -0.4, 0.9]\n"
        + ("" if call else "#: call dx = back(d, (x, k))\n")
        + "L = sum(d*(k[0]*x[0:3] + k[1]*x[1:4]))\n",
        "x",
        "def back(d, cache):\n    x, k = cache\n    dx = np.zeros(4)\n    for i in range(3):\n"
        f"        dx[i:i+2] += d[i]*k\n    return dx\n{call}",
    )
    assert grade(course, course.right, tmp_path)[0] == 0
    code, found, _ = grade(course, course.right.replace("d[i]*k", slip), tmp_path)
    assert code == 4
    assert [row["line"] for row in found["rows"] if row["status"] == "wrong"] == [5]


@pytest.mark.parametrize("given", ["dz", "dz*1"])
def test_a_copy_that_overwrites_is_the_line_at_fault(given: str, tmp_path: Path) -> None:
    course = Course(
        "#: w = 0.7\n#: b = 0.2\n#: xs = [0.5, -1.2, 2.0]\nL = sum(tanh(w*xs + b)^2)\n",
        "w,b",
        "db = dw = 0\nfor i in range(3):\n    h = np.tanh(w*xs[i] + b)\n"
        f"    dz = 2*h*(1 - h**2)\n    db += {given}\n    dw += dz*xs[i]\n",
    )
    assert grade(course, course.right, tmp_path)[0] == 0
    _, found, _ = grade(course, course.right.replace("db +=", "db ="), tmp_path)
    (wrong,) = (row for row in found["rows"] if row["status"] == "wrong")
    assert (wrong["line"], wrong["tags"]) == (5, ["overwritten"])


def test_the_direction_of_descent_is_a_note() -> None:
    course = COURSES["class"]
    code = course.right.replace("self.predict(X) - y", "y - self.predict(X)")
    found = marked(course, code)
    assert found.right
    assert [note.tag for note in found.notes] == ["descent-convention"]


def test_gradients_of_each_example_are_a_note() -> None:
    task = Course(
        "#: A = [[1.0, 2.0, 0.5], [0.3, -1.0, 0.8]]\n#: W = [[0.5, -1.0]]\n"
        "#: dZ = [[0.7, 1.3, -1.4]]\nZ = W @ A\nL = sum(Z*dZ)/3\n",
        "A,W",
        "m = 3\ndW = np.dot(dZ, A.T) / m\ndA = np.dot(W.T, dZ)\n",
    )
    found = marked(task, task.right)
    assert found.right
    assert [note.tag for note in found.notes] == ["per-example"]
    assert not marked(task, task.right.replace("/ m", "")).right


def test_shapes_that_do_not_go_together_are_one_wrong_row() -> None:
    course = COURSES["cache"]
    code = course.right.replace("dW2 = H.T.dot(dS)", "dW2 = H.dot(dS)")
    found = marked(course, code)
    (root,) = found.roots
    assert (root.name, root.line) == ("W2", 10)
    assert "shape" in root.tags


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("from course import backward\ndx, dw, du = backward(x, w, u)", "backward is not read"),
        ("while True:\n    dw = x", "more than"),
        ("dw = exec('x')\ndu = open('/etc/passwd')", "nothing of the text is run"),
        ("def f(x):\n    return f(x)\ndw = f(x)\ndu = dw", "too deep"),
        ("dw = np.zeros(10**10)\ndu = 10**10**10", "takes an array of"),
    ],
)
def test_what_can_not_be_read_is_refused(
    code: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_OPERATIONS", 2000)
    course = COURSES["loops"]
    task = task_of(course)
    with pytest.raises(GradcliError, match=part):
        mark_code(task, Source(code), [task.flow.passes({})[0]])
    exit_code, _, err = grade(course, code, tmp_path, "--time-limit", "2")
    assert exit_code == 5
    assert "Traceback" not in err
