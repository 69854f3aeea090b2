r"""Both passes as mathematics: an `align*` for pdfLaTeX with amsmath, or a whole document.

A line is a step or an assignment of the backward pass, with its number on the right; `final`
stands beside an accumulator that is complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from gradcli.engine.notation import NOWHERE
from gradcli.report.mathematics import names
from gradcli.report.mathematics.latex import Latex, mathematics, name, product
from gradcli.report.mathematics.printer import ATOM, PRODUCT, Piece
from gradcli.report.tables import latex
from gradcli.report.trace.listing import Choice, note
from gradcli.syntax.tree import Call, Name
from gradcli.trace.statements import StatementSteps
from gradcli.trace.steps import Move, Steps, reduction

if TYPE_CHECKING:
    from gradcli.ops.operation import Shape
    from gradcli.report.style import Style

HEAD = r"""\documentclass{article}
\usepackage[margin=2cm]{geometry}
\usepackage{amsmath, amssymb}
\setcounter{MaxMatrixCols}{20}
\allowdisplaybreaks
\begin{document}
"""
END = "\\end{document}\n"
NEEDS = "% \\usepackage{amsmath, amssymb}\n"
BLANK = r"\underline{\hspace{4em}}"
TOO_WIDE = 64
"""A formula and a value that take more characters together stand on two lines."""


def pieces(
    steps: Steps,
    style: Style,
    *,
    standalone: bool = False,
    choice: Choice | None = None,
    statements: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """The function, then the formulas; `standalone` makes a document of them.

    `statements` are the names that the program gives.
    """
    writer = Writer(steps, style, choice or Choice())
    return document(writer.lines(_function(steps, statements)), standalone=standalone)


def document(lines: Iterable[str], *, standalone: bool, comment: str = "") -> Iterator[str]:
    """Lines, with their ends, as an `align*`; `standalone` makes a document of it."""
    yield HEAD if standalone else NEEDS
    yield comment + "\\begin{align*}\n"
    yield from lines
    yield "\\end{align*}\n" + (END if standalone else "")


def _function(steps: Steps, statements: frozenset[str]) -> Iterator[str]:
    """The program as it was written, a line per statement; the last as a function of the inputs.

    Nothing where that is the forward pass again.
    """
    whole = [*StatementSteps(steps.result, statements).steps()]
    if len(whole) == len([*steps.steps()]):
        return
    inputs = ", ".join(names.name(name) for name in steps.result.inputs)
    yield r"\intertext{Function}"
    for step in whole:
        formula = mathematics(step.tree, steps.shapes).text
        left = names.name(step.node.name)
        if step.node.id == steps.graph.output and len(whole) == 1:
            left += f"({inputs})"
        yield f"{left} &= {formula}"


def equations(steps: Steps, style: Style) -> str:
    """Both passes without headings, for a notebook's MathJax."""
    lines = Writer(steps, style, Choice()).formulas()
    return _aligned(line for line in lines if not line.startswith(r"\intertext"))


def formulas(steps: Steps) -> str:
    """The forward pass without numbers, for a notebook's MathJax."""
    return _aligned(
        f"{names.name(step.node.name)} &= {mathematics(step.tree, steps.shapes).text}"
        for step in steps.steps()
    )


def _aligned(lines: Iterable[str]) -> str:
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"


class Writer:
    """The lines of both passes."""

    def __init__(self, steps: Steps, style: Style, choice: Choice) -> None:
        self.steps, self.style, self.choice = steps, style, choice
        self.shapes: dict[str, Shape] = steps.shapes

    def lines(self, function: Iterable[str] = ()) -> Iterator[str]:
        r"""The lines, with `\\` between; those of the function stand above them."""
        after_heading = None
        for line in (*function, *self.formulas()):
            # A heading stands between two lines by itself; no `\\` may be before it.
            heading = line.startswith(r"\intertext")
            end = "\n" if heading or after_heading else " \\\\\n"
            yield line if after_heading is None else end + line
            after_heading = heading
        yield "&\n" if after_heading is None else "\n"

    def formulas(self) -> Iterator[str]:
        """The lines, and headings as `intertext`."""
        if self.choice.forward:
            yield r"\intertext{Forward pass}"
            for key, value in self.steps.result.inputs.items():
                yield self._line(names.name(key), None, value, "")
            for step in self.steps.steps():
                mark = "" if step.number is None else f"({step.number})"
                formula = mathematics(step.tree, self.shapes)
                yield self._line(names.name(step.node.name), formula, step.value, mark)
        if self.choice.backward:
            yield from self._backward()

    def _backward(self) -> Iterator[str]:
        result = self.steps.result
        output = result.output
        if result.accumulators[output.id] is None:
            return
        yield r"\intertext{Backward pass}"
        yield self._line(name(f"delta_{output.name}"), None, result.upstream, "")
        last = None
        for move in self.steps.moves():
            mark = f"({move.step})" if move.step != last else ""
            last = move.step
            words = note(move)
            end = f"{mark}\\ \\text{{{words}}}" if words else mark
            sign = "=" if move.before is None else r"\mathrel{+}="
            target = name(f"delta_{move.to.name}")
            yield self._line(target, self._formula(move), move.accumulator, end, sign)

    def _formula(self, move: Move) -> Piece:
        """Upstream times local derivative, or the rule; summed where it was broadcast."""
        delta = Piece(name(f"delta_{move.node.name}"), ATOM, bool(move.node.type.shape))
        if move.local is None:
            assert move.rule is not None
            return mathematics(move.rule, self.shapes)
        local = mathematics(move.local, self.shapes)
        found = local if self.steps.starts(move.node) else product(delta, local)
        own, shape = move.node.type.shape, move.to.type.shape
        if own == shape:
            return found
        tree, axes = reduction(Name("x", NOWHERE), own, shape), []
        while isinstance(tree, Call):
            if "axis" in tree.keywords:
                axes.append(mathematics(tree.arguments[1], {}).text)
            tree = tree.arguments[0]
        under = rf"_{{\text{{axis }} {', '.join(axes)}}}" if axes else ""
        text = Latex({}).at(found, PRODUCT)
        return Piece(rf"\sum{under} {text}", PRODUCT, array=bool(shape))

    def _line(
        self, left: str, formula: Piece | None, value: Any, mark: str, sign: str = "="
    ) -> str:
        shown = BLANK if self.choice.blank else latex.value(value, self.style.precision)
        end = f" && {mark}" if mark else ""
        if formula is None:
            return f"{left} &{sign} {shown}{end}"
        if len(formula.text) + max(map(len, shown.split(r"\\"))) <= TOO_WIDE:
            return f"{left} &{sign} {formula.text} = {shown}{end}"
        return f"{left} &{sign} {formula.text} \\\\\n&= {shown}{end}"
