"""`gradcli diff`: the derivative's formula, without a point."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from importlib import import_module

from gradcli.cli.command import Outcome, declare
from gradcli.cli.options import OutputOptions, RowOptions
from gradcli.cli.parameters import option
from gradcli.diagnostics.failures import usage_error
from gradcli.diagnostics.names import is_name, normal

in_formula = partial(option, group="Formula")

Shape = tuple[int, ...]


class FormulaOptions(OutputOptions):
    """How and where the formulas are written."""

    formats = ("text", "json", "latex", "python", "html")

    vector: str | None = in_formula(
        "--vector x,y", "inputs that are vectors, of any size that fits"
    )
    matrix: str | None = in_formula("--matrix W", "inputs that are matrices")
    shape: list[str] | None = in_formula("--shape W=3x2", "the size of an input (repeat it)")
    order: int = in_formula("--order 1|2", "2 for second derivatives", default=1, min=1, max=2)
    expand: bool = in_formula("--expand", "in terms of the inputs alone: no names of statements")
    standalone: bool = in_formula(
        "--standalone", "with --format latex: a document that compiles by itself"
    )


@declare(
    "diff",
    examples=(
        'gradcli diff "(x + sigmoid(y)) / (x^2 + y)"',
        'gradcli diff "||y - W @ x||^2" --matrix W --vector x,y',
        'gradcli diff "x^2*sin(y)" --order 2',
        'gradcli diff "x.T @ A @ x" --vector x --matrix A --wrt x',
        'gradcli diff "exp(-x^2/2)" --format latex',
        "gradcli diff --file network.grad --expand",
    ),
)
def command(point: RowOptions, report: FormulaOptions) -> Outcome:
    """The derivative's formula, without a point.

    Inputs are numbers unless a value or an option says otherwise. A program of several statements
    keeps its names: delta_z is the derivative by z. Every formula is compared with
    backpropagation at 16 random points. With values for all inputs, its number stands behind it.

    Exit codes: 0 all is well; 1 the mathematics failed; 2 wrong usage.
    """
    form = report.chosen_format()
    if report.standalone and form != "latex":
        raise usage_error("--standalone is for --format latex")
    sizes = _sizes(report.shape or [])
    from gradcli.cli.inputs import names_in

    vectors = names_in(report.vector, "--vector") if report.vector is not None else ()
    matrices = names_in(report.matrix, "--matrix") if report.matrix is not None else ()
    _expect_one_size(sizes, vectors, matrices)
    read = point.inputs()
    found = read.program.diff(
        read.inputs,
        data=read.data,
        wrt=read.wrt,
        order=report.order,
        expand=report.expand,
        vectors=vectors,
        matrices=matrices,
        shapes=sizes,
        allow_nonfinite=point.allow_nonfinite,
        seed=point.seed,
    )
    home = (
        "gradcli.export.formulas_python" if form == "python" else f"gradcli.report.formulas.{form}"
    )
    alone = {"standalone": True} if report.standalone else {}
    return Outcome(import_module(home).pieces(found, report.style(), **alone), 0, report.file)


def _sizes(written: Iterable[str]) -> dict[str, Shape]:
    """The shapes of `W=3x2`, `x=3`, several apart by commas. Raises `GradcliError`."""
    found: dict[str, Shape] = {}
    for text in (part for one in written for part in one.split(",")):
        name, equals, lengths = text.partition("=")
        name = name.strip()
        parts = lengths.strip().replace("×", "x").replace("X", "x").split("x")
        digits = all(part.strip().isascii() and part.strip().isdecimal() for part in parts)
        if not equals or not is_name(name) or not digits:
            raise usage_error(f"--shape takes NAME=SIZE, not '{text}'", "as in --shape W=3x2,x=2")
        shape = tuple(map(int, parts))
        if found.setdefault(normal(name), shape) != shape:
            raise usage_error(f"--shape gives '{name}' two sizes", "leave out one of them")
    return found


def _expect_one_size(
    sizes: dict[str, Shape], vectors: tuple[str, ...], matrices: tuple[str, ...]
) -> None:
    """Raise where two options say different things of one input."""
    for name in vectors:
        if name in matrices:
            raise usage_error(f"'{name}' is in --vector and in --matrix", "leave out one of them")
    for rank, names in ((1, vectors), (2, matrices)):
        for name in names:
            if name in sizes and len(sizes[name]) != rank:
                option = "--vector" if rank == 1 else "--matrix"
                raise usage_error(f"{option} and --shape contradict each other about '{name}'")
