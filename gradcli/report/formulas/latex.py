r"""Formulas as mathematics: an `align*` for pdfLaTeX with amsmath, or a whole document."""

from __future__ import annotations

from collections.abc import Iterator

from gradcli.diagnostics.source import Source
from gradcli.formulas.types import Derivative, Formula
from gradcli.report.formulas.labels import checked
from gradcli.report.style import Style
from gradcli.report.tables import latex
from gradcli.report.trace.latex import END, HEAD, NEEDS
from gradcli.report.trace.mathematics import mathematics, name
from gradcli.syntax.parser import parse_expression


def pieces(found: Derivative, style: Style, *, standalone: bool = False) -> Iterator[str]:
    """The formulas; `standalone` makes a document of them."""
    yield HEAD if standalone else NEEDS
    yield f"% {checked(found)}\n"
    yield "\\begin{align*}\n"
    yield " \\\\\n".join(_lines(found, style))
    yield "\n\\end{align*}\n"
    if standalone:
        yield END


def _lines(found: Derivative, style: Style) -> Iterator[str]:
    shapes = dict(found.shapes)
    for word, text in found.definitions:
        tree = parse_expression(Source(text))
        yield f"{name(word)} &= {mathematics(tree, shapes).text}"
    for formula in found.formulas:
        line = f"{label(found, formula)} &= {mathematics(formula.tree, shapes).text}"
        if formula.value is not None:
            number = latex.value(formula.value, style.precision)
            line += rf" \quad\text{{here }} {number}" if formula.differs else f" = {number}"
        yield line


def label(found: Derivative, formula: Formula) -> str:
    """The left-hand side."""
    if found.named:
        return name(f"delta_{formula.wrt[0]}")
    f, names = name(found.output), [name(word) for word in formula.wrt]
    if found.order == 1:
        return rf"\frac{{\partial {f}}}{{\partial {names[0]}}}"
    below = rf"\partial {names[0]} \, \partial {names[1]}"
    if names[0] == names[1]:
        below = rf"\partial {{{names[0]}}}^2"
    text = rf"\frac{{\partial^2 {f}}}{{{below}}}"
    if formula.direction is not None:
        text += rf" \cdot {name(formula.direction)}"
    return text
