"""`gradcli jacobian`: the derivatives of any output as matrices."""

from __future__ import annotations

from typing import Annotated, Literal

from gradcli.cli.command import Outcome
from gradcli.cli.command import command as make
from gradcli.cli.evaluation import matrices
from gradcli.cli.options import COMPUTED, CheckOptions, MatrixOptions, PointOptions
from gradcli.cli.parameters import option


@make(
    "jacobian",
    usage="PROGRAM [--NAME VALUE ...] [options]",
    examples=(
        'gradcli jacobian "W @ x" --W "[[1, 2], [3, 4]]" \\',
        '                 --x "[1, 0]"',
        'gradcli jacobian "softmax(z)" --z "[1, 2, 4]"',
        'gradcli jacobian "[r*cos(t), r*sin(t)]" --r 2 --t pi/3',
        'gradcli jacobian "tanh(W @ x)" --W "normal(3, 2)" \\',
        '                 --x "ones(2)" --wrt x --layout numerator',
        'gradcli jacobian "x^2" --x "[1, 2, 3]" --value',
    ),
)
def command(
    point: PointOptions,
    method: CheckOptions,
    report: MatrixOptions,
    *,
    layout: Annotated[
        Literal["denominator", "numerator"],
        option(
            "--layout",
            metavar="LAYOUT",
            help="denominator: rows are inputs; numerator: rows are the output's elements",
            show_default=True,
            group=COMPUTED,
        ),
    ] = "denominator",
) -> Outcome:
    """The derivatives of any output, as matrices.

    A row belongs to an element of an input, a column to an element of the output (--layout
    numerator: the other way round). Matrices are taken apart row by row. Every block is checked
    by finite differences.

    Exit codes: 0 all is well; 1 the mathematics failed; 2 wrong usage; 3 a check failed.
    """
    report.chosen_format()  # what is wrong with the options is said before anything is read
    mode = "none" if report.is_bare() else method.mode()
    budget = method.budget()
    read = point.point()
    report.wanted(read.wrt)
    found = read.program.jacobian(
        read.inputs,
        data=read.data,
        wrt=read.wrt,
        upstream=read.upstream,
        layout=layout,
        check=mode,
        check_budget=budget,
        exact=method.exact,
        allow_nonfinite=point.allow_nonfinite,
        seed=point.seed,
    )
    return matrices(found, report)
