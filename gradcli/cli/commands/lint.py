"""`gradcli lint`: a homework tested before it is set."""

from __future__ import annotations

from gradcli.cli.command import Outcome, declare
from gradcli.cli.homework_options import TaskOptions
from gradcli.cli.options import TextOutput


@declare(
    "lint",
    usage="TASK [--NAME VALUE ...] [options]",
    examples=(
        'gradcli lint "x*y + z^2" --x 1 --y 2 --z 0',
        'gradcli lint "(x + sigmoid(y)) / (x^2 + y)" \\',
        "             --x 3 --y -4 --json",
        'gradcli lint "||W @ x||^2" --W "eye(2)" --x "[1, 2]"',
    ),
)
def command(task: TaskOptions, report: TextOutput) -> Outcome:
    """Test a homework: which mistakes would go unnoticed at this point.

    Applies every mistake of the table to the true solution. At x = 1, at x = 0 or where two
    inputs are equal many of them don't change the number. Points at which fewer go unnoticed
    are proposed; inputs that --wrt leaves out keep their values.

    Exit codes: 0 the report is written; 1 the mathematics failed; 2 wrong usage.
    """
    form = report.chosen_format()
    set_ = task.read("lint task.grad")
    from gradcli.grading.exercise.lint import Lint
    from gradcli.report.homework import lint as reports

    lint = Lint(set_)
    finding = lint.at()
    assert finding is not None  # the task has been evaluated
    better = lint.better("lint")
    style = report.style()
    if form == "json":
        found = reports.as_object(set_.program.source.text, finding, better)
        from gradcli.report.homework.marked import json_text

        return Outcome([json_text(found, style)], 0, report.file)
    return Outcome(reports.pieces(finding, better, style, task.option_names), 0, report.file)
