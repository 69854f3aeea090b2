"""`gradcli eval`: value, gradient and check of a program in one table."""

from __future__ import annotations

from itertools import chain

from gradcli.cli.command import Outcome, declare
from gradcli.cli.evaluation import evaluate, say_failure, text
from gradcli.cli.options import CheckOptions, NodeReport, PointOptions


@declare(
    "eval",
    examples=(
        'gradcli eval "(x + sigmoid(y)) / (x^2 + y)" --x 3 --y -4',
        'gradcli eval "f(x, y) = x*y + sin(x)" --x pi/2 --y 2',
        'gradcli eval "sum(W @ x + b)" --W "[[1, 2], [3, 4]]" \\',
        '             --x "[1, 0]" --b @b.csv',
        'gradcli eval "||W @ x||" --W "normal(3, 2)" --x "ones(2)"',
        "gradcli eval --file task.grad --data point.json --json",
        'gradcli eval "-x^2" --x -3 --grad x',
    ),
)
def command(point: PointOptions, method: CheckOptions, report: NodeReport) -> Outcome:
    """Value, gradient and check of every node, in one table.

    VALUE is a number, an array or an expression of constants in the program's own language
    (-4, 1e-3, pi/2, [1, 2, 3], eye(3)), or @FILE (.npy, .csv, .tsv, .json, text of numbers).

    Exit codes: 0 all is well; 1 the mathematics failed; 2 wrong usage; 3 a check failed.
    """
    from gradcli.diagnostics.error import ExitCode

    result, notes = evaluate(point, method, report)
    code = ExitCode.CHECK_FAILED if result.verdict == "fail" else ExitCode.OK
    if code is ExitCode.CHECK_FAILED and report.chosen_format() == "latex":
        say_failure(result, report.environment)
    return Outcome(chain(text(result, report, "eval"), notes), code, report.file)
