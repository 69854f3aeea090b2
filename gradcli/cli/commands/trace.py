"""`gradcli trace`: the two passes step by step, for homework."""

from __future__ import annotations

from functools import cached_property, partial
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Literal, TypeAlias

from gradcli.cli.command import Options, Outcome, declare
from gradcli.cli.evaluation import notes_on, say_failure, steps_of, text
from gradcli.cli.options import CheckOptions, PointOptions, ReportOptions
from gradcli.cli.parameters import option
from gradcli.diagnostics.failures import usage_error
from gradcli.diagnostics.names import normal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradcli.report.trace.listing import Choice
    from gradcli.results.result import Result

in_trace = partial(option, group="Trace")

Name: TypeAlias = Literal["listing", "table", "wires", "code", "math"]
WRITERS = {
    "listing": ("gradcli.report.trace.listing", "pieces"),
    "table": ("gradcli.report.trace.table", "pieces"),
    "wires": ("gradcli.picture.text", "pieces"),
    "code": ("gradcli.export.numpy_listing", "traced"),
    "html": ("gradcli.picture.page", "pieces"),
}
"""Who writes the styles, and the page."""


class TraceOptions(Options):
    """What of the trace is shown, and how."""

    style: Name = in_trace(
        "--style STYLE",
        "listing, table (a row per contribution), wires (the graph), code (NumPy that "
        "runs), math (LaTeX)",
        default="listing",
    )
    by: Literal["operation", "statement"] | None = in_trace(
        "--by STEP",
        "one step per operation, or per statement: a = 1/(1 + exp(-y)) is one "
        "[default: operation; statement for Python]",
    )
    only: Literal["forward", "backward"] | None = in_trace(
        "--pass PASS", "forward or backward: one of the passes alone"
    )
    node: str | None = in_trace(
        "--node NAME",
        "only what concerns one node: its paths, its contributions, their sum",
    )
    jacobians: bool = in_trace(
        "--jacobians",
        "also the matrices that rules on arrays come from: diag(g'(z)), W.T",
    )
    step: bool = in_trace("--step", "wait for a key after each step (q ends)")
    standalone: bool = in_trace("--standalone", "with --style math: a whole LaTeX document")
    blank: bool = in_trace("--blank", "numbers left out: an answer sheet")
    explain: bool = in_trace(
        "--explain", "a sentence for each step: which rule, why +=, when it is final"
    )

    def look(self, report: ReportOptions) -> tuple[str, Name]:
        """Format and style; the ending of `--out` chooses the style `code` too."""
        form = report.chosen_format()
        if form == "code" and self.style in ("listing", "code"):
            return "table", "code"
        if report.asked_format() is None and form == "latex" and self.style == "math":
            return "table", "math"
        return form, self.style

    def choice(self, form: str, style: Name) -> Choice:
        """What is shown. Raises `GradcliError` where the options contradict each other."""
        from gradcli.report.trace.listing import Choice

        if self.node is not None and self.only is not None:
            raise usage_error("--node and --pass contradict each other", "leave out --pass")
        written = "--style " + style if style != "listing" else f"--format {form}"
        plain = style == "listing" and form == "table"
        if self.node is not None and not plain and form != "json":
            raise usage_error(f"--node and {written} contradict each other")
        if style != "listing" and form not in ("table", "json"):
            raise usage_error(f"--style {style} and --format {form} contradict each other")
        if self.standalone and style != "math" and form != "latex":
            raise usage_error("--standalone is for --style math")
        listed = (
            ("--jacobians", self.jacobians),
            ("--step", self.step),
            ("--explain", self.explain and form not in ("html", "json")),
        )
        for name, given in listed:
            if given and (not plain or self.node is not None):
                other = "--node" if plain else written
                raise usage_error(
                    f"{name} is for the listing of all steps", f"leave out {name} or {other}"
                )
        if form == "html" and self.blank:
            raise usage_error("--blank and --format html contradict each other")
        if self.jacobians and self.by == "statement":
            raise usage_error("--jacobians is for single operations", "leave out --by statement")
        forward, backward = self.only != "backward", self.only != "forward"
        return Choice(forward, backward, self.blank, self.jacobians, self.explain)


class TraceReport(ReportOptions):
    """The formats of a trace: a `.py` is NumPy that runs, an `.html` the page."""

    formats = (*ReportOptions.formats, "code", "html")


@declare(
    "trace",
    examples=(
        'gradcli trace "(x + sigmoid(y)) / (x^2 + y)" --x 3 --y -4',
        'gradcli trace "sin(x*y)" --x 1 --y 2 --pass backward',
        'gradcli trace "||W @ x||^2" --W "[[1, 2], [3, 4]]" \\',
        '              --x "[1, 0]"',
    ),
)
def command(
    point: PointOptions, method: CheckOptions, report: TraceReport, shown: TraceOptions
) -> Outcome:
    """Both passes step by step, as they are written by hand.

    The forward pass is numbered (1) to (n), the backward pass goes in exactly the reverse
    order. The first assignment of an accumulator is =, every later one +=; 'final' says that
    it is complete.

    Exit codes: 0 all is well; 1 the mathematics failed; 2 wrong usage; 3 a check failed.
    """
    evaluation = Evaluation(point, method, report, shown)
    return Outcome(evaluation.text(), evaluation.exit_code, report.file)


class Evaluation:
    """A program evaluated, and its check, which is made when it is needed.

    So the trace of a large program begins before the check has ended.
    """

    def __init__(
        self, point: PointOptions, method: CheckOptions, report: ReportOptions, shown: TraceOptions
    ) -> None:
        self.form, self.style = form, style = shown.look(report)
        choice = shown.choice(form, style)
        self.report, self.shown, self.choice = report, shown, choice
        if shown.step and (report.file is not None or not report.environment.interactive()):
            raise usage_error("--step waits for a key, and this is not a terminal")
        if choice.blank and (form == "json" or report.is_bare()):
            part = "--json" if form == "json" else "--value" if report.value else "--grad"
            raise usage_error(f"--blank leaves out the numbers, and {part} is for numbers")
        if report.grad is not None and not choice.backward:
            raise usage_error("--pass forward makes no gradient, and --grad asks for one")
        checked = choice.backward and not choice.blank and not report.is_bare()
        mode, budget = method.mode() if checked else "none", method.budget()
        self.read = point.point()
        wrt = report.wanted(self.read.wrt)
        self.check = partial(
            self.read.program.check,
            mode=mode,
            wrt=wrt,
            budget=budget,
            exact=method.exact,
            seed=point.seed,
        )
        self.result = self.read.program.evaluate(
            self.read.inputs,
            **self.read.options | {"wrt": wrt},
            gradient=choice.backward and not report.value,
            check=False,
            allow_nonfinite=point.allow_nonfinite,
        )

    @cached_property
    def checked(self) -> Result:
        """The result with its check."""
        return self.check(self.result) if self.result.gradient else self.result

    def text(self) -> Iterable[str]:
        """What is to be printed, in pieces."""
        if self.report.is_bare():
            return text(self.result, self.report, "trace")
        program, form, choice = self.read.program, self.form, self.choice
        by = self.shown.by or ("operation" if program.python is None else "statement")
        steps, look = steps_of(self.result, program, by), self.report.style()

        def late() -> Result:
            return self.checked

        found = None
        if self.shown.node is not None:
            from gradcli.trace.paths import focus

            found = focus(steps, normal(self.shown.node))
        if form == "json":
            from gradcli.report.trace import json as trace_json

            return trace_json.pieces(steps, look, self.checked, found, explain=choice.explain)
        if found is not None:
            from gradcli.report.trace import node as trace_node

            return trace_node.pieces(steps, found, look, choice, late)
        if form in ("csv", "markdown"):
            from gradcli.report.trace import rows as trace_rows

            return trace_rows.pieces(steps, form, look, choice, late)
        if form == "latex" or self.style == "math":
            from gradcli.report.trace import latex

            alone = self.shown.standalone
            names = program.statements if choice.forward else frozenset()
            styled = latex.pieces(steps, look, standalone=alone, choice=choice, statements=names)
        elif self.shown.step:
            from gradcli.report.trace.listing import sections

            styled = self.report.environment.stepwise(sections(steps, look, choice, late))
        else:
            module, function = WRITERS["html" if form == "html" else self.style]
            styled = getattr(import_module(module), function)(steps, look, choice, late)
        return chain(styled, notes_on(program, self.report) if form == "table" else [])

    def exit_code(self) -> int:
        """3 if a check has failed."""
        from gradcli.diagnostics.error import ExitCode

        wrong = self.checked.verdict == "fail"
        if wrong and self.report.chosen_format() != "json":
            say_failure(self.checked, self.report.environment)
        return ExitCode.CHECK_FAILED if wrong else ExitCode.OK
