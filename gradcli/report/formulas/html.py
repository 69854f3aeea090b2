"""Formulas as a page: MathML in one self-contained file, light or dark as the reader has it."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from gradcli.diagnostics.source import Source
from gradcli.formulas.types import Derivative, Formula
from gradcli.report.formulas.labels import checked, with_number
from gradcli.report.formulas.mathml import mathml, name
from gradcli.report.numbers import shown
from gradcli.report.style import Style
from gradcli.syntax.parser import parse_expression

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; background: light-dark(#fff, #15181c); color: light-dark(#1b1f24, #e3e6ea); }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; }}
.formula {{ overflow-x: auto; margin: 1rem 0; }}
.formula math {{ font-size: 1.25rem; }}
.formula code, p.check {{ color: light-dark(#59636e, #9aa4af); font-size: .875rem; }}
.formula code {{ display: block; overflow-wrap: anywhere; }}
</style>
</head>
<body>
"""


def pieces(found: Derivative, style: Style) -> Iterator[str]:
    """The page."""
    program = escape(shown(found.program.strip(), style))
    yield HEAD.format(title=f"Derivative of {escape(shown(found.output, style))}")
    yield f"<pre>{program}</pre>\n"
    shapes = dict(found.shapes)
    for word, text in found.definitions:
        tree = mathml(parse_expression(Source(text)), shapes)
        yield _shown(f"{name(word)}<mo>=</mo>{tree}", f"{word} = {text}", style)
    for formula in found.formulas:
        row = f"{_label(found, formula)}<mo>=</mo>{mathml(formula.tree, shapes)}"
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


def _label(found: Derivative, formula: Formula) -> str:
    if found.named:
        return name(f"delta_{formula.wrt[0]}")
    f, names = name(found.output), [name(word) for word in formula.wrt]
    d = "<mo>∂</mo>"
    if found.order == 1:
        return f"<mfrac><mrow>{d}{f}</mrow><mrow>{d}{names[0]}</mrow></mfrac>"
    below = f"{d}{names[0]}{d}{names[1]}"
    if names[0] == names[1]:
        below = f"{d}<msup><mrow>{names[0]}</mrow><mn>2</mn></msup>"
    text = f"<mfrac><mrow><msup>{d}<mn>2</mn></msup>{f}</mrow><mrow>{below}</mrow></mfrac>"
    if formula.direction is not None:
        text += f"<mo>·</mo>{name(formula.direction)}"
    return text
