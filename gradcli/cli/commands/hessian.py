"""`gradcli hessian`: second derivatives, as a matrix or times a vector."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gradcli.cli.command import Outcome, declare
from gradcli.cli.evaluation import asked, matrices
from gradcli.cli.options import CheckOptions, MatrixOptions, PointOptions, in_computation
from gradcli.diagnostics.failures import usage_error
from gradcli.diagnostics.names import is_name, normal

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMED = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)(.*)", re.DOTALL)
_NEXT = re.compile(r",(?=\s*[^\W\d]\w*\s*=(?!=))")


class HessianOptions(MatrixOptions):
    """The report, and what of the Hessian it is about."""

    vector: list[str] | None = in_computation(
        "--vector NAME=VALUE",
        "the product with a vector, without the matrix: a part per input (repeat it), "
        "0 for the others; VALUE alone where there is one input",
    )


@declare(
    "hessian",
    examples=(
        'gradcli hessian "(x + sigmoid(y)) / (x^2 + y)" \\',
        "                --x 3 --y -4",
        'gradcli hessian "logsumexp(A @ x)" --A "normal(3, 2)" \\',
        '                --x "[1, 2]" --wrt x',
        'gradcli hessian "sum(x^3)" --x "[1, 2, 3]" \\',
        '                --vector "[1, 0, -1]"',
        'gradcli hessian "sin(x*y)" --x 1 --y 2 --vector x=1 --json',
    ),
)
def command(point: PointOptions, method: CheckOptions, report: HessianOptions) -> Outcome:
    """Second derivatives, as a matrix or times a vector.

    The output is one number. There is a block for every pair of inputs; matrices are taken apart
    row by row. The whole is symmetric to the last digit. Every block is checked by finite
    differences of the gradient.

    Exit codes: 0 all is well; 1 the mathematics failed; 2 wrong usage; 3 a check failed.
    """
    parts = None if report.vector is None else _parts(report.vector)
    read, options = asked(point, method, report)
    vector = None if parts is None else _vector(parts, point.seed)
    return matrices(read.program.hessian(read.inputs, vector=vector, **options), report)


def _parts(written: Sequence[str]) -> list[tuple[str | None, str]]:
    """Names and texts of the parts of a vector. Raises `GradcliError` of kind option."""
    parts: list[tuple[str | None, str]] = []
    for text in written:
        if _NAMED.fullmatch(text) is None:
            parts.append((None, text))
            continue
        for piece in _NEXT.split(text):
            match = _NAMED.fullmatch(piece)
            if match is None or not is_name(match[1]):
                raise usage_error(f"--vector takes NAME=VALUE, not '{piece.strip()}'")
            parts.append((normal(match[1]), match[2].strip()))
    names = [name for name, _ in parts]
    if None in names and len(parts) > 1:
        raise usage_error(
            "--vector with a value alone is for one input", "name each part: --vector x=1"
        )
    for name in names:
        if names.count(name) > 1:
            raise usage_error(f"--vector gives '{name}' twice", "leave out one of them")
    return parts


def _vector(parts: Sequence[tuple[str | None, str]], seed: int) -> Any:
    """The vector: a mapping by name, or one value."""
    from gradcli.cli.inputs import value_of

    found = {
        name: value_of(text, "--vector", stream=f"--vector {name or ''}", seed=seed)
        for name, text in parts
    }
    return found.get(None, found)
