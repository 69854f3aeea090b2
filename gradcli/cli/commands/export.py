"""`gradcli export`: the program and its backward pass for other tools."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated

from gradcli.cli.command import Outcome
from gradcli.cli.command import command as make
from gradcli.cli.options import OutputOptions, PointOptions, in_report
from gradcli.cli.parameters import option
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.trace.steps import Steps

EXPORT = "Export"


class ExportOptions(OutputOptions):
    """How and where it is written."""

    formats = ("numpy", "python", "latex", "graph-json", "json")

    format: Annotated[
        str | None,
        in_report(
            "--format",
            "--to",
            metavar="TARGET",
            help="numpy (a listing that runs), python (a function), latex, graph-json (or json)",
        ),
    ] = None

    def target(self, *, standalone: bool) -> str:
        """What is to be written. Raises `GradcliError` where the options contradict each other."""
        target = self.chosen_format()
        if standalone and target != "latex":
            raise usage_error("--standalone is for --format latex")
        return "graph-json" if target == "json" else target


@make(
    "export",
    usage="PROGRAM [--NAME VALUE ...] [options]",
    examples=(
        'gradcli export "(x + sigmoid(y)) / (x^2 + y)" --x 3 --y -4',
        'gradcli export "||W @ x||^2" --W "[[1, 2], [3, 4]]" \\',
        '               --x "[1, 0]" --format python',
        'gradcli export "sin(x*y)" --x 1 --y 2 --format latex',
        'gradcli export "x*y + x" --x 1 --y 2 --format graph-json',
    ),
)
def command(
    point: PointOptions,
    report: ExportOptions,
    *,
    standalone: Annotated[
        bool,
        option(
            "--standalone",
            help="latex: a whole document, which compiles on its own",
            group=EXPORT,
        ),
    ] = False,
) -> Outcome:
    """Both passes as NumPy, a Python function, LaTeX or a graph in JSON.

    numpy is a listing of both passes that runs unchanged, python a function that returns
    value and gradients, latex an align* of both passes, graph-json the nodes and edges of the
    graph with their values and deltas.

    Exit codes: 0 all is well; 1 the mathematics failed; 2 wrong usage.
    """
    target = report.target(standalone=standalone)
    read = point.point()
    result = read.program.evaluate(
        read.inputs,
        data=read.data,
        wrt=read.wrt,
        upstream=read.upstream,
        check=False,
        allow_nonfinite=point.allow_nonfinite,
        seed=point.seed,
    )
    from gradcli.trace.steps import Steps

    write = _writer(target, read.program.statements, standalone=standalone)
    return Outcome(write(Steps(result), report.style()), 0, report.file)


def _writer(
    target: str, statements: frozenset[str], *, standalone: bool
) -> Callable[[Steps, Style], Iterable[str]]:
    """The function that writes for a target."""
    from functools import partial

    if target == "latex":
        from gradcli.report.trace import latex as trace_latex

        return partial(trace_latex.pieces, standalone=standalone, statements=statements)
    if target == "graph-json":
        from gradcli.export import graph_json as export_graph

        return export_graph.pieces
    if target == "python":
        from gradcli.export import python_function as export_python

        return export_python.pieces
    from gradcli.export import numpy_listing

    return numpy_listing.pieces
