"""What gradcli writes out itself is read by the grader, and is right."""

from __future__ import annotations

import pytest

from gradcli import Program
from gradcli.examples import ORDER, text
from gradcli.homework.marking import mark
from gradcli.homework.reading import read_text
from gradcli.homework.task import make_task
from gradcli.report import Style, export_python
from gradcli.report.export_numpy import traced
from gradcli.report.trace import Choice
from gradcli.steps import Steps


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
    assert result.max_score > len(task.vocabulary.inputs)


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
    assert result.max_score > len(task.vocabulary.inputs)
