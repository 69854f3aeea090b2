"""`gradcli jacobian`: the derivatives of any output as matrices."""

from __future__ import annotations

from typing import Literal

from gradcli.cli.command import Outcome, declare
from gradcli.cli.evaluation import asked, matrices
from gradcli.cli.options import CheckOptions, MatrixOptions, PointOptions, in_computation


class JacobianOptions(MatrixOptions):
    """The report, and which way round its matrices are."""

    layout: Literal["denominator", "numerator"] = in_computation(
        "--layout LAYOUT",
        "denominator: rows are inputs; numerator: rows are the output's elements",
        default="denominator",
    )


@declare(
    "jacobian",
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
def command(point: PointOptions, method: CheckOptions, report: JacobianOptions) -> Outcome:
    """The derivatives of any output, as matrices.

    A row belongs to an element of an input, a column to an element of the output (--layout
    numerator: the other way round). Matrices are taken apart row by row. Every block is checked
    by finite differences.

    Exit codes: 0 all is well; 1 the mathematics failed; 2 wrong usage; 3 a check failed.
    """
    read, options = asked(point, method, report)
    found = read.program.jacobian(read.inputs, layout=report.layout, **options)
    return matrices(found, report)
