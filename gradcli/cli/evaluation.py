"""From the options of a command to a `Result`, and to the text that is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gradcli.cli.command import Outcome

if TYPE_CHECKING:
    from gradcli.cli.environment import Environment
    from gradcli.cli.options import (
        CheckOptions,
        MatrixOptions,
        PointOptions,
        ReportOptions,
    )
    from gradcli.results.matrices import Hessian, Jacobian
    from gradcli.results.result import Result


def evaluate(
    point: PointOptions,
    method: CheckOptions,
    report: ReportOptions,
    *,
    allow_nonfinite: bool,
) -> Result:
    """Evaluate the program at its point, as far as the report needs it. Raises `GradcliError`."""
    report.chosen_format()  # what is wrong with the options is said before anything is read
    mode = "none" if report.is_bare() else method.mode()
    budget = method.budget()
    read = point.point()
    return read.program.evaluate(
        read.inputs,
        data=read.data,
        wrt=report.wanted(read.wrt),
        upstream=read.upstream,
        gradient=not report.value,
        check=mode,
        check_budget=budget,
        exact=method.exact,
        allow_nonfinite=allow_nonfinite,
        seed=point.seed,
    )


def text(result: Result, report: ReportOptions, command: str) -> Iterable[str]:
    """The report of a result, in pieces."""
    from gradcli.report import pieces

    if report.is_bare():
        return [_bare(result, report)]
    return pieces(result, report.chosen_format(), report.style(), command)


def _bare(result: Result, report: ReportOptions) -> str:
    from gradcli.graph.resolve import spelled_in
    from gradcli.report import bare

    value: Any = result.value
    name = report.gradient_name()
    if name is not None:
        value = result.gradient[spelled_in(name, result.gradient)]
    if report.chosen_format() == "json":
        from gradcli.report.json import encoder, plain

        return encoder(ascii_only=True)(plain(value)) + "\n"
    return bare(value, report.style())


def say_failure(result: Result, environment: Environment) -> None:
    """Name on standard error what the check found wrong, for a report that does not show it."""
    from gradcli.check.wording import describe
    from gradcli.results.result import Verdict

    checks = result.checks
    assert checks is not None
    for i, check in checks.rows.items():
        if check.verdict is Verdict.FAIL:
            words = describe(check, result.accumulators[i], ascii_only=True)
            environment.complain(f"check failed: {result.graph.nodes[i].name}: {words}")
    for rule in checks.rules:
        environment.complain(f"check failed: {rule}")


# --- jacobian and hessian ----------------------------------------------------------------


def matrices(found: Jacobian | Hessian, report: MatrixOptions) -> Outcome:
    """The output of a command for matrices, and its exit code. Raises `GradcliError`."""
    from gradcli.diagnostics.error import ExitCode

    form = report.chosen_format()
    if report.is_bare():
        from gradcli.report.json import encoder, plain, written

        matrix = found.matrix if report.value else _part(found, report.gradient_name() or "")
        text = encoder(ascii_only=True)(plain(matrix)) if form == "json" else written(matrix)
        return Outcome([text + "\n"], ExitCode.OK, report.file)
    from gradcli.report.tables.matrices import pieces

    code = ExitCode.CHECK_FAILED if found.verdict == "fail" else ExitCode.OK
    return Outcome(pieces(found, form, report.style()), code, report.file)


def _part(found: Jacobian | Hessian, name: str) -> Any:
    """What concerns one input. Raises `GradcliError` of kind name."""
    from gradcli.graph.resolve import spelled_in

    part = found.part(spelled_in(name, {b.by for b in found.blocks}))
    if part is None:
        from gradcli.diagnostics.error import GradcliError, Kind
        from gradcli.diagnostics.suggestion import did_you_mean

        names = list(dict.fromkeys(b.by for b in found.blocks))
        listed = f"its inputs are {', '.join(names)}" if names else "it has no inputs"
        raise GradcliError(
            Kind.NAME,
            f"'{name}' isn't an input of the program",
            hint=did_you_mean(name, names) or listed,
        )
    return part
