"""`gradcli sheet`: what is printed can be filled in, read again and marked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.grading.exercise.own_points import own_task
from gradcli.grading.graded import graded
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Status
from gradcli.grading.model.deadline import NEVER
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.submission.read import read_submission
from gradcli.grading.submission.types import Values
from gradcli.program import Program

TASKS = {
    "forks": "#: title Sheet 4 [forks = hard\n#: x = 3\n#: y = -4\n(x + sigmoid(y)) / (x^2 + y)\n",
    "named": "#: title Forward pass\n#: x = 1\n#: y = 2\n#: z = 0\na = x*y\nb = a + z^2\nb * x\n",
    "arrays": "#: W = [[1, 2], [3, 4]]\n#: x = [1, 0]\n||W @ x||^2 / 2\n",
}


def gradcli(*words: str, **outside: Any) -> tuple[int, str, str]:
    environment = Environment.captured(**outside)
    return run(words, environment), *environment.written()


@pytest.fixture(params=TASKS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    file = tmp_path / "task.grad"
    file.write_text(TASKS[request.param], encoding="utf-8")
    return str(file)


def task_of(path: str) -> Task:
    return make_task(Program(Path(path).read_text(encoding="utf-8")))


def test_without_an_id_it_is_the_blank_trace() -> None:
    words = ("(x + sigmoid(y)) / (x^2 + y)", "--x", "3", "--y", "-4")
    assert gradcli("sheet", *words) == gradcli("trace", *words, "--blank")
    answers = gradcli("sheet", *words, "--answers")
    assert answers == gradcli("trace", *words)


class TestOfOnesOwn:
    def test_head(self, path: str) -> None:
        out = gradcli("sheet", path, "--for", " s1 ")[1]
        title = task_of(path).title
        head = [f"# {title}", "# for s1", ""] if title else ["# for s1", ""]
        assert out.splitlines()[: len(head)] == head

    def test_answers_are_all_right(self, path: str) -> None:
        """A sheet with its solution filled in gets full marks at the student's point."""
        for student in ("s1", "s2", "zoë"):
            out = gradcli("sheet", path, "--for", student, "--answers")[1]
            own = own_task(task_of(path), student)
            submission = read_submission(out.encode(), "sheet.txt", own.vocabulary)
            assert isinstance(submission, Values)
            for name, written in submission.point:
                assert (written.value == own.result.inputs[name]).all()
            assert len(submission.point) == len(own.vocabulary.inputs)
            marked = mark(own, submission)
            assert marked.score == marked.max_score >= len(own.asked)
            other = mark(task_of(path), submission)
            assert other.score < other.max_score

    def test_blank_is_nothing_handed_in(self, path: str) -> None:
        out = gradcli("sheet", path, "--for", "s1")[1]
        own = own_task(task_of(path), "s1")
        submission = read_submission(out.encode(), "sheet.txt", own.vocabulary)
        assert isinstance(submission, Values)
        assert submission.entries == ()
        assert mark(own, submission).score == 0

    def test_one_wrong_number(self, path: str) -> None:
        out = gradcli("sheet", path, "--for", "s1", "--answers", "--precision", "4")[1]
        own = own_task(task_of(path), "s1")
        out, number = re.subn(r"(?m)(= )(-?[\d.]+)( +final\n)", r"\g<1>77\3", out, count=1)
        assert number == 1
        marked = mark(own, read_submission(out.encode(), "sheet.txt", own.vocabulary))
        assert [row.status for row in marked.rows].count(Status.WRONG) == 1

    def test_again_and_another(self, path: str) -> None:
        again = {gradcli("sheet", path, "--for", "s1") for _ in range(2)}
        assert len(again) == 1
        assert gradcli("sheet", path, "--for", "s2") not in again

    def test_a_name_is_no_markup_and_no_escape(self, path: str) -> None:
        out = gradcli("sheet", path, "--for", "[red]\x1b]0;x\x07\nForward pass x = 1")[1]
        assert "\x1b" not in out
        assert out.count("\nForward pass") == 1


def test_large_arrays_stay_and_are_no_point_of_ones_own() -> None:
    task = make_task(Program("sum(W @ x)"), {"W": [[1.0] * 4] * 4, "x": [1.0, 2.0, 3.0, 4.0]})
    own = own_task(task, "s1")
    assert (own.result.inputs["W"] == 1).all()
    assert (own.result.inputs["x"] != task.result.inputs["x"]).any()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "the task is missing"),
        (("x^2", "--x", "1", "--for", " "), "--for: the ID is empty"),
        (("x^2", "--x", "1", "--json"), "unknown option '--json'"),
        (("x^2", "--for", "anna"), "'x' has no value"),
    ],
)
def test_errors(words: tuple[str, ...], message: str) -> None:
    code, out, err = gradcli("sheet", *words)
    assert (code, out) == (2, "")
    assert message in err


class TestAnotherPoint:
    """A sheet that is marked by a point which is not its own."""

    def graded(self, folder: Path, program: str, *for_: str, by: tuple[str, ...] = ()) -> str:
        task, sheet = folder / "task.grad", folder / "sheet.txt"
        task.write_text(program, encoding="utf-8")
        gradcli("sheet", str(task), "--answers", *for_, "--out", str(sheet))
        return gradcli("grade", str(task), str(sheet), *by)[1]

    def test_it_says_so_once(self, tmp_path: Path) -> None:
        program = "#: x = 3\n#: y = -4\n(x + sigmoid(y)) / (x^2 + y)\n"
        out = " ".join(self.graded(tmp_path, program, "--for", "anna").split())
        assert out.count("note (other-point)") == 1
        assert "the sheet is for another point than the task's: x = " in out
        assert ", not 3, y = " in out
        assert "it was made for anna: mark it with --for anna" in out
        assert "other-point" not in self.graded(tmp_path, program)
        own = self.graded(tmp_path, program, "--for", "anna", by=("--for", "anna"))
        assert "other-point" not in own
        other = " ".join(self.graded(tmp_path, program, by=("--for", "anna")).split())
        assert "x = 3, not " in other
        assert "made for" not in other

    @pytest.mark.parametrize("precision", ["3", "6", "17"])
    def test_arrays_and_digits(self, tmp_path: Path, precision: str) -> None:
        program = "#: A = [[1, 2.3456789], [3, 1/3]]\n#: x = [1, 2e-9/3]\nsum(A @ x)\n"
        out = self.graded(tmp_path, program, "--precision", precision)
        assert "other-point" not in out
        out = self.graded(tmp_path, program, "--precision", precision, "--for", "s1")
        assert "another A, another x" in " ".join(out.split())


POINT = "a = x*y\nb = sin(a)\nf = a + b^2\n"
ANSWERS = {"a": 10.0, "b": -0.54402, "delta_b": -1.088, "delta_a": 1.9129}
FINAL = {"delta_x": 9.5647, "delta_y": 3.8259}
FORMS: dict[str, Callable[[dict[str, int]], Any]] = {
    "values.json": lambda p: {"values": {**p, "a": 10.0}, "gradients": FINAL},
    "point.json": lambda p: {"point": p, "a": 10.0, **FINAL},
    "inputs.json": lambda p: {"inputs": p, "answers": FINAL},
    "columns.csv": lambda p: "name,value,gradient\n"
    + "".join(f"{n},{v},{FINAL['delta_' + n]}\n" for n, v in p.items()),
    "columns.tsv": lambda p: "node\tvalue\tdelta\na\t10\t1.9129\n"
    + "".join(f"{n}\t{v}\t{FINAL['delta_' + n]}\n" for n, v in p.items()),
    "numbers.txt": lambda p: "".join(f"{n} = {v}\n" for n, v in {**p, **ANSWERS, **FINAL}.items()),
    "formulas.py": lambda p: "".join(f"{n} = {v}\n" for n, v in p.items())
    + "a = x*y\nb = np.sin(a)\nf = a + b**2\ndelta_b = 2*b\n"
    + "".join(f"{n} = {v}\n" for n, v in FINAL.items()),
    "right.py": lambda p: "".join(f"{n} = {v}\n" for n, v in p.items())
    + "a = x*y\nb = np.sin(a)\nf = a + b**2\ndelta_a = 1 + 2*b*np.cos(a)\n"
    "delta_x, delta_y = delta_a*y, delta_a*x\n",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_another_point_in_every_form(form: str, tmp_path: Path) -> None:
    """It is said once for the whole, and no number is a mistake; of the own point nothing is."""
    task = make_task(Program(POINT), {"x": 3, "y": -4})
    for point in ({"x": 2, "y": 5}, {"x": 3, "y": -4}):
        content = FORMS[form](point)
        text = content if isinstance(content, str) else json.dumps(content)
        found = graded(task, text.encode(), form, Scheme(), NEVER)
        tags = {note.tag for note in found.notes}
        assert ("other-point" in tags) == (point["x"] == 2)
        wrong = [row for row in found.rows if row.status is Status.WRONG]
        if point["x"] == 2:
            assert all(row.elsewhere and not row.tags for row in wrong)
            assert not [row for row in found.roots if row.status is not Status.MISSING]
            assert bool(wrong) == found.elsewhere == (form != "right.py")
        else:
            assert bool(wrong) == (form != "right.py")
            assert not any(row.elsewhere for row in wrong)


def test_in_code_for_another_point_formulas_are_judged() -> None:
    task = make_task(Program(POINT), {"x": 3, "y": -4})
    code = "x = 2\ny = 5\na = x*y\nb = np.sin(a)\nf = a + b**2\ndelta_b = 2*b\n"
    code += "delta_a = 1 + delta_b*np.sin(a)\ndelta_x = delta_a*y\ndelta_y = 3.8259\n"
    found = graded(task, code.encode(), "a.py", Scheme(), NEVER)
    assert [(row.line, row.tags) for row in found.roots] == [(7, ("wrong-rule",))]
    assert [row.name for row in found.rows if row.elsewhere] == ["y"]
    assert not found.elsewhere
