"""`gradcli class`: a folder of submissions marked at once, a row per submission."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gradcli.cli.command import Options, Outcome, declare
from gradcli.cli.homework_options import MarkingOptions, TaskOptions, in_marking
from gradcli.cli.options import OutputOptions, format_by_ending, in_report
from gradcli.diagnostics.failures import file_error, reason, usage_error
from gradcli.files.files import unwritable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gradcli.cli.environment import Environment
    from gradcli.grading.exercise.classroom import Mark, Setting, Submitted
    from gradcli.grading.model.task import Task
    from gradcli.report import Style
    from gradcli.report.homework.feedback import PageFormat


class FolderOptions(Options):
    """The submissions of a class, and how they are worked off."""

    folder: str | None = in_marking(
        "DIR", "the folder: a file per student, or a folder per student"
    )
    own_points: bool = in_marking(
        "--own-points",
        "each at the point of 'gradcli sheet --for ID'; the ID is the file's name "
        "without its suffix, or the folder's",
    )
    jobs: int | None = in_marking(
        "--jobs N",
        "how many processes to use; without it, one per processor",
        min=1,
        max=256,
    )


class ClassOutput(OutputOptions):
    """A list of marks, or what the class did."""

    formats = ("table", "json", "csv")

    out: str | None = in_report(
        "--out FILE", "write the list of marks to a file (.csv, .json, .txt)"
    )

    feedback: str | None = in_report("--feedback DIR", "write a page for each student to a folder")
    feedback_format: Literal["html", "md"] = in_report(
        "--feedback-format html|md", "the pages as HTML or Markdown", default="html"
    )

    def list_format(self) -> str:
        """The format of the list of marks in the file. Raises `GradcliError`."""
        return format_by_ending(self.file, self.formats) or "csv"


@declare(
    "class",
    usage="TASK [--NAME VALUE ...] DIR [options]",
    examples=(
        "gradcli class task.grad submissions --out marks.csv",
        "gradcli class task.grad submissions --own-points",
        "gradcli class task.grad submissions --feedback pages",
        "gradcli class task.grad submissions --json",
    ),
)
def command(
    task: TaskOptions, submissions: FolderOptions, marking: MarkingOptions, report: ClassOutput
) -> Outcome:
    """Mark a folder of submissions, list the marks, count the mistakes.

    A submission that can't be read gets a row with the reason and never stops the others. The
    marks do not depend on the order or the number of processes.

    Exit codes: 0 the marks are written; 1 the mathematics of the task failed; 2 wrong usage.
    """
    form, list_form = report.asked_format() or "table", report.list_format()
    folder = task.pushed_along() or submissions.folder
    if folder is None and (task.task is not None or task.file is not None):
        raise usage_error("the folder is missing", "as in: gradcli class task.grad submissions")
    if report.file is not None and not Path(report.file).parent.is_dir():
        raise unwritable(f"'{report.file}'", FileNotFoundError(2, "No such file or directory"))
    _expect_folder_for_pages(report.feedback, folder)
    set_ = task.read("class task.grad submissions")
    assert folder is not None
    from gradcli.cli import folder as folders
    from gradcli.grading.exercise.classroom import Setting, with_files

    found, refused = folders.found(folder, [set_.program.source.name, report.file])
    setting = Setting.of(
        set_,
        marking.scheme(),
        folder,
        own_points=submissions.own_points,
        seconds=marking.seconds,
        feedback=report.feedback is not None,
    )
    try:
        marks = _marked(setting, found, submissions.jobs, report.environment)
    except OSError as error:
        raise file_error(f"the submissions can't be marked: {reason(error)}") from error
    listed = with_files(sorted([*marks, *refused], key=lambda mark: (mark.student, mark.file)))
    if report.feedback is not None:
        _write_pages(report.feedback, set_, listed, report.feedback_format)
    return _outcome(listed, form, list_form, report)


def _expect_folder_for_pages(pages: str | None, submissions: str | None) -> None:
    """Raise where no pages can be written, or they would be taken for submissions."""
    if pages is None:
        return
    path = Path(pages)
    try:
        if path.exists() and not path.is_dir():
            raise file_error(f"'{pages}' is a file: --feedback takes the name of a folder")
        if not path.parent.is_dir():
            raise unwritable(f"'{pages}'", FileNotFoundError(2, "No such file or directory"))
        if submissions is not None and path.resolve().is_relative_to(Path(submissions).resolve()):
            raise usage_error(
                f"--feedback: '{pages}' is inside of the folder of submissions",
                "the pages would be taken for submissions; take a folder beside it",
            )
    except (OSError, ValueError) as error:
        raise unwritable(f"'{pages}'", error) from error


def _write_pages(folder: str, task: Task, marks: Sequence[Mark], form: PageFormat) -> None:
    """A page for each student, each written whole or not at all."""
    from gradcli.files.files import write_whole
    from gradcli.report.homework.feedback import pages

    written = list(pages(task.title or "Homework", marks, form))
    try:
        Path(folder).mkdir(exist_ok=True)
    except OSError as error:
        raise unwritable(f"'{folder}'", error) from error
    for name, text in written:
        write_whole(str(Path(folder) / name), [text])


def _marked(
    setting: Setting, submissions: Sequence[Submitted], jobs: int | None, environment: Environment
) -> list[Mark]:
    """All marks, with a bar on standard error if that is a terminal."""
    from gradcli.cli import workers
    from gradcli.cli.progress import progress

    number = jobs or workers.processors()
    marks: list[Mark] = []
    done = "{task.completed}/{task.total}"
    with progress(environment, lambda: len(submissions), done, doing="marking") as advance:
        for mark in workers.marks(setting, submissions, number, setting.seconds):
            marks.append(mark)
            advance(1)
    return marks


def _outcome(marks: Sequence[Mark], form: str, list_form: str, report: ClassOutput) -> Outcome:
    """The list of marks to its file, the rest to standard output."""
    if report.file is not None:
        from gradcli.files.files import write_whole

        write_whole(report.file, _written(marks, list_form, report.style(), listed=True))
    style = report.style()
    return Outcome(_written(marks, form, style, listed=report.file is None))


def _written(marks: Sequence[Mark], form: str, style: Style, *, listed: bool) -> Iterable[str]:
    from gradcli.report.homework import classroom as reports
    from gradcli.report.homework.marked import json_text

    if form == "json":
        return [json_text(reports.as_object(marks), style)]
    if form == "csv":
        return [reports.csv_text(marks)]
    return reports.pieces(marks, style, listed=listed)
