"""What a formula is the derivative of: ∂f/∂x, delta_z, ∂²f/∂x∂y."""

from __future__ import annotations

from gradcli.formulas.types import Derivative, Formula
from gradcli.report.numbers import inline, shown
from gradcli.report.style import Style


def label(found: Derivative, formula: Formula, style: Style) -> str:
    """The left-hand side; a second derivative without a matrix is shown times its direction."""
    f, names = found.output, formula.wrt
    if found.named:
        return shown(f"delta_{names[0]}", style)
    d, two = ("d", "2") if style.ascii else ("∂", "²")
    if found.order == 1:
        return shown(f"{d}{f}/{d}{names[0]}", style)
    same = names[0] == names[1]
    under = f"{d}{names[0]}{two}" if same else f"{d}{names[0]}{d}{names[1]}"
    text = f"{d}{two}{f}/{under}"
    if formula.direction is not None:
        text += f" * {formula.direction}" if style.ascii else f" · {formula.direction}"
    return shown(text, style)


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
