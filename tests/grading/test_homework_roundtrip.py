"""What gradcli writes out itself is read by the grader, and is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcli import Program
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.examples import ORDER, text
from gradcli.export import python_function as export_python
from gradcli.export.numpy_listing import traced
from gradcli.grading.marking.mark import mark
from gradcli.grading.model.task import make_task
from gradcli.grading.submission.read import read_text
from gradcli.report import Style
from gradcli.report.trace.listing import Choice
from gradcli.trace.steps import Steps


@pytest.mark.parametrize("name", ORDER)
def test_a_trace_as_code_is_a_right_submission(name: str) -> None:
    """What `trace --style code` prints can be handed in, and is right."""
    program = Program(text(name))
    task = make_task(program)
    steps = Steps(task.result)
    code = "".join(
        traced(steps, Style(width=None, color=False, ascii=False), Choice(), lambda: task.result)
    )
    result = mark(task, read_text(code, "trace.py", task.vocabulary, ".py"))
    assert result.right, result.roots
    assert result.score == result.max_score == sum(map(task.marks, task.asked))
    assert len(result.rows) > len(task.vocabulary.inputs)


@pytest.mark.parametrize("name", ORDER)
def test_a_function_that_is_exported_is_a_right_submission(name: str) -> None:
    """`export --to python`: shapes are guarded, and a dictionary comes back behind the value."""
    program = Program(text(name))
    task = make_task(program)
    code = "".join(
        export_python.pieces(Steps(task.result), Style(width=None, color=False, ascii=False))
    )
    result = mark(task, read_text(code, "exported.py", task.vocabulary, ".py"))
    assert result.right, result.roots
    assert result.score == result.max_score == sum(map(task.marks, task.asked))
    assert len(result.rows) > len(task.vocabulary.inputs)


LETTERS = ("λ = σ(ŷ)*np; L̂ = λ*x + ŷ*Θ1; L̂*δ", "--x", "1", "--ŷ", "2", "--np", "3", "--Θ1", "5",
           "--δ", "7")  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        ("sheet", "--answers"),
        ("trace", "--style", "listing"),
        ("trace", "--style", "table"),
        ("trace", "--style", "code"),
        ("trace", "--style", "code", "--by", "statement"),
        ("export", "--to", "numpy"),
        ("export", "--to", "python"),
        ("eval", "--format", "csv"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_letters_that_a_stream_has_not(
    command: tuple[str, ...], encoding: str, tmp_path: Path
) -> None:
    """What is written in ASCII is read as what it was: `y_hat`, `\\u0177` and `lambda`."""
    outside = Environment.captured(encoding=encoding)
    assert run((command[0], *LETTERS, *command[1:]), outside) == 0
    text = outside.written()[0]
    assert text.isascii() == (encoding == "ascii")
    file = tmp_path / ("handed.csv" if "csv" in command else "handed")
    file.write_text(text, encoding="utf-8")
    grader = Environment.captured()
    code = run(("grade", *LETTERS, str(file)), grader)
    out, err = grader.written()
    assert (code, err) == (0, ""), out


def test_a_name_of_the_task_is_what_it_is() -> None:
    """`y_hat` stands for ŷ only where the task has no `y_hat`."""
    program = Program("λ*lambda_*y_hat*ŷ")
    task = make_task(program, {"λ": 2.0, "lambda_": 3.0, "y_hat": 5.0, "ŷ": 7.0})
    text = "delta_lambda = 105\ndelta_lambda_ = 70\ndelta_y_hat = 42\ndelta_\\u0177 = 30\n"
    result = mark(task, read_text(text, None, task.vocabulary))
    right = {row.name for row in result.rows if row.status == "ok"}
    assert right >= {"λ", "lambda_", "y_hat", "ŷ"}


@pytest.mark.parametrize("by", ["operation", "statement"])
@pytest.mark.parametrize("style", ["listing", "table"])
def test_a_part_is_of_an_operation_or_of_a_statement(by: str, style: str, tmp_path: Path) -> None:
    """A statement of several operations sends to y by more than one of them."""
    program = "l = sigmoid(y)*n; p = y*l*x + y*t + y; p*d*y + y^2"
    point = ("--y", "2", "--n", "3", "--x", "1", "--t", "5", "--d", "7")
    file = tmp_path / "sheet.txt"
    command = ("trace", program, *point, "--by", by, "--style", style, "--out", str(file))
    assert run(command, Environment.captured()) == 0
    grader = Environment.captured()
    assert run(("grade", program, *point, str(file)), grader) == 0, grader.written()[0]
