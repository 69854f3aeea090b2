r"""Formulas as mathematics: a `Derivative` in; an `align*` for amsmath, or a document, out."""

from __future__ import annotations

from collections.abc import Iterator

from gradcli.diagnostics.source import Source
from gradcli.formulas.types import Derivative
from gradcli.report.formulas.labels import checked, left_side
from gradcli.report.fractions import LATEX
from gradcli.report.mathematics.latex import mathematics, name
from gradcli.report.style import Style
from gradcli.report.tables import latex
from gradcli.report.trace.latex import document
from gradcli.syntax.parser import parse_expression


def pieces(found: Derivative, style: Style, *, standalone: bool = False) -> Iterator[str]:
    """The formulas; `standalone` makes a document of them."""
    text = " \\\\\n".join(_lines(found, style)) + "\n"
    return document([text], standalone=standalone, comment=f"% {checked(found)}\n")


def _lines(found: Derivative, style: Style) -> Iterator[str]:
    shapes = dict(found.shapes)
    for word, text in found.definitions:
        tree = parse_expression(Source(text))
        yield f"{name(word)} &= {mathematics(tree, shapes).text}"
    for formula in found.formulas:
        line = (
            f"{left_side(found, formula, LATEX, name)} &= {mathematics(formula.tree, shapes).text}"
        )
        if formula.value is not None:
            number = latex.value(formula.value, style.precision)
            line += rf" \quad\text{{here }} {number}" if formula.differs else f" = {number}"
        yield line
