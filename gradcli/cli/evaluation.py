"""From the options of a command to a `Result`, and to the text that is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gradcli.cli.command import Outcome
from gradcli.diagnostics.ascii import ascii_form

if TYPE_CHECKING:
    from gradcli.cli.environment import Environment
    from gradcli.cli.inputs import Point
    from gradcli.cli.options import CheckOptions, MatrixOptions, PointOptions, ReportOptions
    from gradcli.program import Program
    from gradcli.results.matrices import Hessian, Jacobian
    from gradcli.results.result import Result
    from gradcli.trace.steps import Steps

MOST_NOTES = 8
"""The most notes about a text of Python, and lines for one of them, that are shown."""


def asked(
    point: PointOptions, method: CheckOptions, report: ReportOptions
) -> tuple[Point, dict[str, Any]]:
    """The program at its point, and what its methods take of the options.

    Raises `GradcliError`.
    """
    report.chosen_format()  # what is wrong with the options is said before anything is read
    mode = "none" if report.is_bare() else method.mode()
    budget = method.budget()
    read = point.point()
    report.wanted(read.wrt)
    return read, {
        **read.options,
        "check": mode,
        "check_budget": budget,
        "exact": method.exact,
        "allow_nonfinite": point.allow_nonfinite,
    }


def evaluate(
    point: PointOptions, method: CheckOptions, report: ReportOptions
) -> tuple[Result, list[str]]:
    """Evaluate the program at its point, as far as the report needs it, with notes on its text.

    Raises `GradcliError`.
    """
    read, options = asked(point, method, report)
    options["wrt"] = report.wanted(read.wrt)
    result = read.program.evaluate(read.inputs, gradient=not report.value, **options)
    return result, notes_on(read.program, report)


def notes_on(program: Program, report: ReportOptions) -> list[str]:
    """What was passed over or fixed in a text of Python, as lines below a table; else none."""
    if report.chosen_format() != "table" or report.is_bare() or not program.notes:
        return []
    lines: dict[str, list[int]] = {}
    for _, line, what in program.notes:
        lines.setdefault(what, []).append(line)
    found = ["\n"]
    for what, places in list(lines.items())[:MOST_NOTES]:
        shown = ", ".join(map(str, places[:MOST_NOTES])) + (", …" if places[MOST_NOTES:] else "")
        found.append(f"note: line{'s' if len(places) > 1 else ''} {shown}: {what}\n")
    if len(lines) > MOST_NOTES:
        found.append(f"note: and {len(lines) - MOST_NOTES} more of this kind\n")
    return [ascii_form(line) if report.style().ascii else line for line in found]


def text(result: Result, report: ReportOptions, command: str) -> Iterable[str]:
    """The report of a result, in pieces."""
    from gradcli.report import pieces

    if report.is_bare():
        return _bare(result, report)
    return pieces(result, report.chosen_format(), report.style(), command)


def _bare(result: Result, report: ReportOptions) -> list[str]:
    """The value, or a gradient in each line."""
    from gradcli.graph.names import spelled_in

    found = result.gradient
    names = report.gradient_names()
    values: list[Any] = [found[spelled_in(n, found)] for n in names] if names else [result.value]
    return _lines(values, report.chosen_format())


def _lines(values: Iterable[Any], form: str) -> list[str]:
    """Bare values, a line each."""
    from gradcli.report.json import encoder, plain, written

    if form == "json":
        encode = encoder(ascii_only=True)
        return [encode(plain(value)) + "\n" for value in values]
    return [written(value) + "\n" for value in values]


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


def steps_of(result: Result, program: Program, by: str) -> Steps:
    """Both passes, a step per operation or per statement."""
    if by == "statement":
        from gradcli.trace.statements import StatementSteps

        return StatementSteps(result, program.statements)
    from gradcli.trace.steps import Steps

    return Steps(result)


# --- jacobian and hessian ----------------------------------------------------------------


def matrices(found: Jacobian | Hessian, report: MatrixOptions) -> Outcome:
    """The output of a command for matrices, and its exit code. Raises `GradcliError`."""
    from gradcli.diagnostics.error import ExitCode

    form = report.chosen_format()
    if report.is_bare():
        names = report.gradient_names()
        parts = [_part(found, name) for name in names] if names else [found.matrix]
        return Outcome(_lines(parts, form), ExitCode.OK, report.file)
    from gradcli.report.tables.matrices import pieces

    code = ExitCode.CHECK_FAILED if found.verdict == "fail" else ExitCode.OK
    return Outcome(pieces(found, form, report.style()), code, report.file)


def _part(found: Jacobian | Hessian, name: str) -> Any:
    """What concerns one input. Raises `GradcliError` of kind name."""
    from gradcli.graph.names import spelled_in

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
