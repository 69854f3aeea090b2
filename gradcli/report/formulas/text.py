"""Formulas as text of the language: a `Derivative` in, a line for each formula out."""

from __future__ import annotations

from collections.abc import Iterator

from gradcli.formulas.types import Derivative
from gradcli.report.formulas.labels import checked, label, with_number
from gradcli.report.numbers import shown
from gradcli.report.style import Style


def pieces(found: Derivative, style: Style) -> Iterator[str]:
    """The lines. Behind `=` everything is a text of the language."""
    for name, text in found.definitions:
        yield f"{shown(name, style)} = {shown(text, style)}\n"
    for formula in found.formulas:
        yield f"{label(found, formula, style)} = {with_number(formula, style)}\n"
    yield checked(found) + "\n"
