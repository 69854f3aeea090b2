"""Formulas as a page: a `Derivative` in, MathML in one self-contained file out."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from gradcli.diagnostics.source import Source
from gradcli.formulas.types import Derivative
from gradcli.report.document import html_head
from gradcli.report.formulas.labels import checked, left_side, with_number
from gradcli.report.fractions import MATHML
from gradcli.report.mathematics.mathml import MathML, name
from gradcli.report.numbers import shown
from gradcli.report.style import Style
from gradcli.syntax.parser import parse_expression
from gradcli.syntax.tree import Tree

STYLE = """\
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; background: light-dark(#fff, #15181c); color: light-dark(#1b1f24, #e3e6ea); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.formula { overflow-x: auto; margin: 1rem 0; }
.formula math { font-size: 1.25rem; }
.formula code, p.check { color: light-dark(#59636e, #9aa4af); font-size: .875rem; }
.formula code { display: block; overflow-wrap: anywhere; }
"""


def pieces(found: Derivative, style: Style) -> Iterator[str]:
    """The page."""
    program = escape(shown(found.program.strip(), style))
    yield html_head(f"Derivative of {escape(shown(found.output, style))}", STYLE)
    yield f"<pre>{program}</pre>\n"
    mathml = MathML(found.shapes)

    def written(tree: Tree) -> str:
        return f"<mrow>{mathml.tree(tree).text}</mrow>"

    for word, text in found.definitions:
        tree = written(parse_expression(Source(text)))
        yield _shown(f"{name(word)}<mo>=</mo>{tree}", f"{word} = {text}", style)
    for formula in found.formulas:
        row = f"{left_side(found, formula, MATHML, name)}<mo>=</mo>{written(formula.tree)}"
        yield _shown(row, with_number(formula, style), style)
    yield f'<p class="check">{escape(checked(found))}</p>\n</body>\n</html>\n'


def _shown(row: str, text: str, style: Style) -> str:
    """A formula, and below it the same as text of the language."""
    code = escape(shown(text, style))
    if style.ascii:
        row = row.encode("ascii", "xmlcharrefreplace").decode()
    return (
        f'<div class="formula"><math display="block"><mrow>{row}</mrow></math>'
        f"<code>{code}</code></div>\n"
    )
