"""`gradcli check`: the verdicts alone, for scripts and for testing a user's block."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from gradcli.cli.command import Outcome, declare
from gradcli.cli.evaluation import evaluate, say_failure, text
from gradcli.cli.options import CheckOptions, NodeReport, PointOptions, in_check
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    from gradcli.diagnostics.error import ExitCode
    from gradcli.results.result import Result


class StrictOptions(CheckOptions):
    """The check, and what passes it."""

    strict: bool = in_check("--strict", "exit with 3 on everything but pass and zero")


@declare(
    "check",
    examples=(
        'gradcli check "relu(x)" --x 0',
        'gradcli check "(exp(x) - 1)/x" --x 1e-9 --exact',
        "gradcli check --file net.grad --data net.npz --check all",
        'gradcli check "block sq(x) = x^2 with d/dx = 3*x',
        '               sq(a)" --a 2 --strict',
    ),
)
def command(point: PointOptions, method: StrictOptions, report: NodeReport) -> Outcome:
    """Only the verdicts of the finite-difference check.

    Every accumulator is compared with the slope of the output. Where 'eval' would stop, at a
    value or an accumulator that is not finite, 'check' computes on and says what it found.

    Exit codes: 0 no check failed (with --strict: all pass); 1 the output is not finite; 2 wrong
    usage; 3 a check failed.
    """
    import numpy as np

    if not report.is_bare() and method.mode() == "none":
        raise usage_error("there is nothing to report without a check", "leave out --no-check")
    point.allow_nonfinite = True
    result, notes = evaluate(point, method, report)
    if not np.isfinite(result.value).all():
        from gradcli.check.undefined import undefined

        error = undefined(result.graph, result.values)
        if result.checks is None or not result.checks.rows:
            if not report.is_bare():
                raise error
            report.environment.explain(error, json=report.chosen_format() == "json")
    elif result.verdict == "fail" and report.chosen_format() == "latex":
        say_failure(result, report.environment)
    return Outcome(
        chain(text(result, report, "check"), notes),
        _exit_code(result, strict=method.strict),
        report.file,
    )


def _exit_code(result: Result, *, strict: bool) -> ExitCode:
    import numpy as np

    from gradcli.diagnostics.error import ExitCode

    if not np.isfinite(result.value).all():
        return ExitCode.MATHEMATICS
    if result.verdict == "fail" or (strict and result.verdict not in ("pass", None)):
        return ExitCode.CHECK_FAILED
    return ExitCode.OK
