"""`gradcli grade`: what a student handed in, marked, with the first mistake named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gradcli.cli.command import Options, Outcome, declare
from gradcli.cli.homework_options import MarkingOptions, TaskOptions, in_marking
from gradcli.cli.options import OutputOptions, in_report
from gradcli.diagnostics.failures import submission_error, usage_error

if TYPE_CHECKING:
    from gradcli.diagnostics.error import GradcliError
    from gradcli.grading.marking.result import Marked
    from gradcli.grading.model.deadline import Deadline
    from gradcli.grading.model.task import Task

GRADERS = ("gradescope", "prairielearn", "coderunner")
RESULTS = "results.json"
"""Where Gradescope looks for what a grader has to say."""


class SubmissionOptions(Options):
    """What was handed in, and by whom."""

    names: list[str] | None = in_marking(
        "SUBMISSION",
        "a listing (.py, .ipynb), values (.csv, .tsv, .json), a filled-in sheet; - is standard "
        "input",
    )
    student: str | None = in_marking(
        "--for ID", "mark by the student's own point, as 'gradcli sheet --for ID' gave it"
    )


class GradeOutput(OutputOptions):
    """A report for people, for scripts, or for a grader."""

    formats = ("table", "json", *GRADERS)

    reveal: bool = in_report("--reveal", "show the right answers, and why they are so")


@declare(
    "grade",
    usage="TASK [--NAME VALUE ...] SUBMISSION ... [options]",
    examples=(
        "gradcli grade task.grad answer.py",
        'gradcli grade "(x + sigmoid(y)) / (x^2 + y)" \\',
        "              --x 3 --y -4 answer.csv --reveal",
        "gradcli grade task.grad */answer.ipynb --json",
        "gradcli grade task.grad answer.py --format gradescope",
    ),
)
def command(
    task: TaskOptions, handed_in: SubmissionOptions, marking: MarkingOptions, report: GradeOutput
) -> Outcome:
    """Read homework, find the first mistake, name it.

    A row is right if it is true, or if it follows from the student's own rows before it: what
    follows from a mistake is not held against it. Nothing of a submission is executed.

    Exit codes: 0 every row is right; 2 wrong usage; 4 there are wrong rows; 5 a submission
    can't be read. With a grader's format it is 0 once the file is written.
    """
    submissions = [*filter(None, [task.pushed_along()]), *(handed_in.names or ())]
    if not submissions:
        nothing = task.task is None and task.file is None
        missing = "the task and the submission are" if nothing else "the submission is"
        raise usage_error(f"{missing} missing", "as in: gradcli grade task.grad answer.py")
    from gradcli.cli.inputs import expect_one_reader
    from gradcli.diagnostics.error import GradcliError
    from gradcli.grading.model.deadline import Deadline

    form = report.chosen_format()
    grader = form if form in GRADERS else None
    if grader is not None and len(submissions) > 1:
        raise usage_error(f"--format {grader} is for one submission")
    expect_one_reader(task.data, "a submission", *submissions)
    deadline = Deadline.of(marking.seconds)
    set_ = _read(task, handed_in.student, deadline)
    grading = Grading(marking, report, deadline)
    if grader is not None:
        return grading.for_grader(grader, set_, submissions[0])
    if isinstance(set_, GradcliError):
        raise set_
    return Outcome(grading.text(set_, submissions), lambda: grading.code, report.file)


def _read(task: TaskOptions, student: str | None, deadline: Deadline) -> Task | GradcliError:
    """The task at the student's point, or the error that it takes too long.

    Raises `GradcliError`.
    """
    from gradcli.cli.timer import TimeUpError, limited

    try:
        with limited(deadline.left):
            found = task.read("grade task.grad answer.py")
            if student is None:
                return found
            from gradcli.grading.exercise.own_points import own_task

            return own_task(found, student)
    except TimeUpError:
        message = f"the task can't be evaluated within {deadline.seconds:g} seconds"
        return submission_error(message, "--time-limit gives it more time")


class Grading:
    """Submissions marked one after the other, and the gravest exit code."""

    def __init__(self, marking: MarkingOptions, report: GradeOutput, deadline: Deadline) -> None:
        self.report, self.scheme, self.seconds = report, marking.scheme(), marking.seconds
        self.deadline: Deadline | None = deadline
        """That of the first submission, which the task's evaluation is part of."""
        self.code = 0
        """5 if a submission could not be read, else 4 if one has wrong rows."""

    def text(self, task: Task, names: Sequence[str]) -> Iterator[str]:
        """The report of every submission; what can't be read is an error."""
        from gradcli.diagnostics.error import GradcliError
        from gradcli.report.homework import marked as grade
        from gradcli.trace.explain import Explainer
        from gradcli.trace.steps import Steps

        style, reveal = self.report.style(), self.report.reveal
        as_json = self.report.chosen_format() == "json"
        words = Explainer(Steps(task.result)).about if reveal and not as_json else None
        for name in names:
            marked = self.marked(task, name)
            if isinstance(marked, GradcliError):
                self.report.environment.explain(marked, json=as_json)
            elif as_json:
                yield grade.json_text(grade.as_object(name, marked), style)
            else:
                own = name if len(names) > 1 else None
                yield from grade.pieces(own, marked, style, reveal=reveal, words=words)

    def marked(self, task: Task, name: str) -> Marked | GradcliError:
        """A submission marked, or the error that says why it can't be read."""
        from gradcli.diagnostics.error import ExitCode, GradcliError

        found = self._marked(task, name)
        if isinstance(found, GradcliError):
            self.code = ExitCode.UNREADABLE
        elif not found.right:
            self.code = max(self.code, ExitCode.WRONG_ROWS)
        return found

    def for_grader(self, grader: str, task: Task | GradcliError, name: str) -> Outcome:
        """The file that a grader reads: it is written whatever was handed in."""
        from gradcli.diagnostics.error import GradcliError
        from gradcli.report.homework import graders as formats
        from gradcli.report.homework import marked as grade

        readable = None if isinstance(task, GradcliError) else task
        found = task if isinstance(task, GradcliError) else self.marked(task, name)
        make = getattr(formats, grader)
        made = make(found, readable, reveal=self.report.reveal, points=self.scheme.points)
        text = grade.json_text(made, self.report.style())
        if grader == "gradescope" and self.report.out is None:
            from gradcli.files.files import write_whole

            write_whole(RESULTS, [text])
        return Outcome([text], 0, self.report.file)

    def _marked(self, task: Task, name: str) -> Marked | GradcliError:
        """A file marked before the deadline, or the error that says why it can't be."""
        from gradcli.cli.timer import TimeUpError, limited
        from gradcli.diagnostics.error import GradcliError, Kind
        from gradcli.grading.code.graded import graded
        from gradcli.grading.model.deadline import Deadline
        from gradcli.grading.submission.read import MOST_NOTEBOOK

        deadline, self.deadline = self.deadline or Deadline.of(self.seconds), None
        content: str | bytes = name
        shown: str | None = name
        if name == "-":
            outside = self.report.environment
            outside.say_how_to_end("the submission")
            if outside.stdin is not None:
                content, shown = outside.stdin.read(MOST_NOTEBOOK + 1), None
        if deadline.left <= 0:
            return deadline.passed()
        try:
            with limited(deadline.left):
                return graded(task, content, shown, self.scheme, deadline)
        except TimeUpError:
            return deadline.passed()
        except GradcliError as error:
            if error.kind is Kind.SUBMISSION:
                return error
            message = f"'{name}' can't be marked: {error.message}"
            return GradcliError(
                Kind.SUBMISSION, message, source=error.source, span=error.span, hint=error.hint
            )
        except Exception as error:  # noqa: BLE001 - a grader's file is written whatever happens
            what = f"{type(error).__name__}: {error}"[:200]
            message = f"'{name}' can't be marked: gradcli itself failed here ({what})"
            return submission_error(message, "please report it with the submission")
