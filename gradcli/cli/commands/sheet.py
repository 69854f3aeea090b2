"""`gradcli sheet`: the answer sheet of a homework, for one student or for all, or its solution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradcli.cli.command import Outcome, declare
from gradcli.cli.homework_options import TaskOptions
from gradcli.cli.options import OutputOptions
from gradcli.cli.parameters import option
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    from gradcli.grading.model.task import Task
    from gradcli.results.result import Result


class SheetOptions(TaskOptions):
    """The task, and whose sheet it is."""

    student: str | None = option(
        "--for ID",
        "numbers for this student alone, the same each time it is printed",
        group="Sheet",
    )
    answers: bool = option("--answers", "the solution of the sheet", group="Sheet")


class SheetOutput(OutputOptions):
    """A sheet is text."""

    formats = ("table",)
    json = pretty = False


@declare(
    "sheet",
    usage="TASK [--NAME VALUE ...] [--for ID] [options]",
    examples=(
        'gradcli sheet "(x + sigmoid(y)) / (x^2 + y)" \\',
        "              --x 3 --y -4",
        'gradcli sheet "x*y + z^2" --x 1 --y 2 --z 0 --for anna',
        'gradcli sheet "x*y + z^2" --x 1 --y 2 --z 0 --for anna \\',
        "              --answers",
    ),
)
def command(task: SheetOptions, report: SheetOutput) -> Outcome:
    """An answer sheet, with different numbers for each student.

    The two passes with blanks for the numbers, to be filled in and handed in to 'gradcli grade'.
    With --for, the inputs have other values of the same sign and about the same size, at which
    mistakes show ('gradcli lint'); 'gradcli grade --for ID' marks what comes back.

    Exit codes: 0 the sheet is written; 1 the mathematics failed; 2 wrong usage.
    """
    report.chosen_format()  # what is wrong with the options is said before anything is read
    student = task.student
    if student is not None and not student.strip():
        raise usage_error("--for: the ID is empty", "as in: gradcli sheet task.grad --for s1234")
    set_ = task.read("sheet task.grad")
    if student is not None:
        from gradcli.grading.exercise.own_points import own_task

        set_ = own_task(set_, student)
    return Outcome(_sheet(set_, student, report, answers=task.answers), 0, report.file)


def _sheet(
    task: Task, student: str | None, report: OutputOptions, *, answers: bool
) -> Iterator[str]:
    """The head of a sheet, then the trace with blanks or numbers."""
    from gradcli.diagnostics.error import visible
    from gradcli.report.numbers import shown
    from gradcli.report.trace import listing as trace
    from gradcli.trace.steps import Steps

    style = report.style()
    head = [text for text in (task.title, student and f"for {student.strip()}") if text]
    for text in head:
        yield f"# {shown(visible(text), style)}\n"
    if head:
        yield "\n"

    def late() -> Result:
        return task.program.check(task.result, "sample", wrt=task.asked)

    yield from trace.pieces(Steps(task.result), style, trace.Choice(blank=not answers), late)
