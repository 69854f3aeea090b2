"""`gradcli export`: the program and its backward pass for other tools."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from gradcli.cli.command import Outcome
from gradcli.cli.command import command as make
from gradcli.cli.options import Format, OutputOptions, PointOptions, format_by_ending, in_report
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.trace.steps import Steps

EXPORT = "Export"

Target: TypeAlias = Literal["numpy", "python", "latex", "graph-json"]

FORMATS: dict[str, Target] = {"json": "graph-json", "latex": "latex"}
"""Formats that say the same as a target."""
TARGETS: dict[str, Target] = {"numpy": "numpy", "latex": "latex", "graph-json": "graph-json"}
"""The targets that the ending of a file's name stands for."""


class ExportOptions(OutputOptions):
    """How and where it is written."""

    formats = tuple(TARGETS)

    format: Annotated[
        Format | None,
        in_report("--format", metavar="FORMAT", help="json or latex: the same as --to"),
    ] = None


@make(
    "export",
    usage="PROGRAM [--NAME VALUE ...] [options]",
    examples=(
        'gradcli export "(x + sigmoid(y)) / (x^2 + y)" --x 3 --y -4',
        'gradcli export "||W @ x||^2" --W "[[1, 2], [3, 4]]" \\',
        '               --x "[1, 0]" --to python',
        'gradcli export "sin(x*y)" --x 1 --y 2 --to latex',
        'gradcli export "x*y + x" --x 1 --y 2 --to graph-json',
    ),
)
def command(
    point: PointOptions,
    report: ExportOptions,
    *,
    to: Annotated[
        Literal["numpy", "python", "latex", "graph-json"] | None,
        typer.Option(
            "--to",
            metavar="TARGET",
            help="numpy (a listing that runs, the default), python (a function), latex, graph-json",
            rich_help_panel=EXPORT,
        ),
    ] = None,
    standalone: Annotated[
        bool,
        typer.Option(
            "--standalone",
            help="latex: a whole document, which compiles on its own",
            rich_help_panel=EXPORT,
        ),
    ] = False,
) -> Outcome:
    """Both passes as NumPy, a Python function, LaTeX or a graph in JSON.

    numpy is a listing of both passes that runs unchanged, python a function that returns
    value and gradients, latex an align* of both passes, graph-json the nodes and edges of the
    graph with their values and deltas.

    Exit codes: 0 all is well; 1 the mathematics failed; 2 wrong usage.
    """
    target = _target(to, report, standalone=standalone)
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


def _target(to: Target | None, report: OutputOptions, *, standalone: bool) -> Target:
    """What is to be written. Raises `GradcliError` where the options contradict each other."""
    form = report.asked_format()
    if form is None and to is None:
        to = TARGETS.get(format_by_ending(report.file, report.formats) or "")
    if form is not None:
        if form not in FORMATS:
            raise usage_error(f"export has no format '{form}'", "--to says what is written")
        if to not in (None, FORMATS[form]):
            raise usage_error(f"--to {to} and --format {form} contradict each other")
        to = FORMATS[form]
    if standalone and to != "latex":
        raise usage_error("--standalone is for --to latex")
    return to or "numpy"


def _writer(
    target: Target, statements: frozenset[str], *, standalone: bool
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
    from gradcli.export import numpy_listing as export_numpy

    return export_numpy.pieces
