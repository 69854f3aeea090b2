"""`gradcli export`: the program and its backward pass for other tools."""

from __future__ import annotations

from importlib import import_module

from gradcli.cli.command import Outcome, declare
from gradcli.cli.options import OutputOptions, PointOptions, in_report
from gradcli.cli.parameters import option
from gradcli.diagnostics.failures import usage_error

WRITERS = {
    "numpy": "gradcli.export.numpy_listing",
    "python": "gradcli.export.python_function",
    "latex": "gradcli.report.trace.latex",
    "graph-json": "gradcli.export.graph_json",
    "json": "gradcli.export.graph_json",
}
"""The formats, the usual one first, and the modules that write them."""


class ExportOptions(OutputOptions):
    """How and where it is written."""

    formats = tuple(WRITERS)

    format: str | None = in_report(
        "--format --to TARGET",
        "numpy (a listing that runs), python (a function), latex, graph-json (or json)",
    )

    standalone: bool = option(
        "--standalone", "latex: a whole document, which compiles on its own", group="Export"
    )


@declare(
    "export",
    examples=(
        'gradcli export "(x + sigmoid(y)) / (x^2 + y)" --x 3 --y -4',
        'gradcli export "||W @ x||^2" --W "[[1, 2], [3, 4]]" \\',
        '               --x "[1, 0]" --format python',
        'gradcli export "sin(x*y)" --x 1 --y 2 --format latex',
        'gradcli export "x*y + x" --x 1 --y 2 --format graph-json',
    ),
)
def command(point: PointOptions, report: ExportOptions) -> Outcome:
    """Both passes as NumPy, a Python function, LaTeX or a graph in JSON.

    numpy is a listing of both passes that runs unchanged, python a function that returns
    value and gradients, latex an align* of both passes, graph-json the nodes and edges of the
    graph with their values and deltas.

    Exit codes: 0 all is well; 1 the mathematics failed; 2 wrong usage.
    """
    target = report.chosen_format()
    if report.standalone and target != "latex":
        raise usage_error("--standalone is for --format latex")
    read = point.point()
    result = read.program.evaluate(
        read.inputs, **read.options, check=False, allow_nonfinite=point.allow_nonfinite
    )
    from gradcli.trace.steps import Steps

    pieces = import_module(WRITERS[target]).pieces
    more = {"standalone": report.standalone, "statements": read.program.statements}
    text = pieces(Steps(result), report.style(), **(more if target == "latex" else {}))
    return Outcome(text, 0, report.file)
