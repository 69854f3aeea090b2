"""What a formula is the derivative of: a `Formula` in; ∂f/∂x, delta_z, ∂²f/∂x∂y out."""

from __future__ import annotations

from collections.abc import Callable

from gradcli.formulas.types import Derivative, Formula
from gradcli.report.fractions import ASCII, PLAIN, Fraction
from gradcli.report.numbers import inline, shown
from gradcli.report.style import Style


def left_side(
    found: Derivative, formula: Formula, form: Fraction, name: Callable[[str], str] = str
) -> str:
    """What a formula is of; a second derivative without a matrix is shown times its direction."""
    if found.named:
        return name(f"delta_{formula.wrt[0]}")
    direction = None if formula.direction is None else name(formula.direction)
    return form.derivative(name(found.output), [*map(name, formula.wrt)], direction)


def label(found: Derivative, formula: Formula, style: Style) -> str:
    """The left-hand side as text."""
    return shown(left_side(found, formula, ASCII if style.ascii else PLAIN), style)


def with_number(formula: Formula, style: Style) -> str:
    """The formula's text, and its number where the inputs have values."""
    text = shown(formula.text, style)
    if formula.value is None:
        return text
    number = inline(formula.value, style.precision, style)
    if formula.differs:
        return f"{text}; at this point backpropagation gives {number}"
    return f"{text} = {number}"


def checked(found: Derivative) -> str:
    """The line that says how the formulas were checked."""
    points = "1 random point" if found.points == 1 else f"{found.points} random points"
    return f"checked against backpropagation at {points}: agree to {found.digits:.1f} digits"
