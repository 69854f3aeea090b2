"""The task of a homework: what its `#:` lines may say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gradcli import GradcliError, Program
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.diagnostics.error import Kind
from gradcli.grading.model.task import make_task

if TYPE_CHECKING:
    from pathlib import Path

TASK = "#: x = 3\n#: y = -4\n#: marks {} = 2\na = sigmoid(y)\nb = x + a\nb * y"


@pytest.mark.parametrize("row", ["x", "y", "a", "b", "c"])
def test_marks_of_a_row(row: str) -> None:
    task = make_task(Program(TASK.format(row)))
    assert [task.marks(name) for name in "xyabc"] == [1 + (name == row) for name in "xyabc"]


@pytest.mark.parametrize(
    ("row", "hint"),
    [
        ("q", "its rows are y, x, a, b, c"),
        ("delta_x", "its rows are y, x, a, b, c"),
        ("d", "its rows are y, x, a, b, c"),
    ],
)
def test_marks_of_no_row(row: str, hint: str) -> None:
    with pytest.raises(GradcliError) as caught:
        make_task(Program(TASK.format(row), name="task.grad"))
    error = caught.value
    assert (error.kind, error.hint) == (Kind.NAME, hint)
    assert error.message == f"there are marks for '{row}', and the task has no such row"
    assert error.span is not None
    assert error.source is not None
    assert error.source.position(error.span.start) == (3, 10)


@pytest.mark.parametrize("command", ["grade", "lint", "sheet"])
def test_every_command_of_homework_says_so(command: str, tmp_path: Path) -> None:
    task, answer = tmp_path / "task.grad", tmp_path / "answer.py"
    task.write_text(TASK.format("q"))
    answer.write_text("delta_x = -4\n")
    environment = Environment.captured()
    code = run([command, str(task), *([str(answer)] * (command == "grade"))], environment)
    out, err = environment.written()
    assert (code, out) == (2, "")
    assert err.startswith("error: there are marks for 'q'")


def test_an_evaluation_does_not_ask_for_marks() -> None:
    assert Program(TASK.format("q")).evaluate().verdict == "pass"
