"""`gradcli check`: the verdicts alone, for scripts and for a block of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gradcli.cli.command import Outcome
from gradcli.cli.command import command as make
from gradcli.cli.evaluation import evaluate, text
from gradcli.cli.options import CHECK, CheckOptions, PointOptions, ReportOptions
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    from gradcli.diagnostics.error import ExitCode
    from gradcli.results.result import Result


@make(
    "check",
    usage="PROGRAM [--NAME VALUE ...] [options]",
    examples=(
        'gradcli check "relu(x)" --x 0',
        'gradcli check "(exp(x) - 1)/x" --x 1e-9 --exact',
        "gradcli check --file net.grad --data net.npz --check all",
        'gradcli check "block sq(x) = x^2 with d/dx = 3*x',
        '               sq(a)" --a 2 --strict',
    ),
)
def command(
    point: PointOptions,
    method: CheckOptions,
    report: ReportOptions,
    *,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="exit with 3 on everything but pass and zero",
            rich_help_panel=CHECK,
        ),
    ] = False,
) -> Outcome:
    """Only the verdicts of the finite-difference check.

    Every accumulator is compared with the slope of the output. Where 'eval' would stop, at a
    value or an accumulator that is not finite, 'check' computes on and says what it found.

    Exit codes: 0 no check failed (with --strict: all pass); 1 the output is not finite; 2 wrong
    usage; 3 a check failed.
    """
    if not report.is_bare() and method.mode() == "none":
        raise usage_error("there is nothing to report without a check", "leave out --no-check")
    result = evaluate(point, method, report, allow_nonfinite=True)
    return Outcome(text(result, report, "check"), _exit_code(result, strict=strict), report.file)


def _exit_code(result: Result, *, strict: bool) -> ExitCode:
    import numpy as np

    from gradcli.diagnostics.error import ExitCode

    if not np.isfinite(result.value).all():
        return ExitCode.MATHEMATICS
    if result.verdict == "fail" or (strict and result.verdict not in ("pass", None)):
        return ExitCode.CHECK_FAILED
    return ExitCode.OK
