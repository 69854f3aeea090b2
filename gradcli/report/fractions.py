"""Derivatives as fractions: names in; ∂f/∂x and ∂²f/∂x∂y in every notation out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Fraction(NamedTuple):
    """How a notation writes derivatives: the first, the second by two names and by one twice."""

    first: str
    second: str
    twice: str
    along: str
    """A second derivative times a direction."""

    def derivative(self, of: str, by: Sequence[str], direction: str | None = None) -> str:
        """The derivative of something by one name or two."""
        form = self.first
        if len(by) == 2:
            form = self.twice if by[0] == by[1] else self.second
        text = form.format(of, *by)
        return text if direction is None else self.along.format(text, direction)


PLAIN = Fraction("∂{}/∂{}", "∂²{}/∂{}∂{}", "∂²{}/∂{}²", "{} · {}")
ASCII = Fraction("d{}/d{}", "d2{}/d{}d{}", "d2{}/d{}2", "{} * {}")
LATEX = Fraction(
    r"\frac{{\partial {}}}{{\partial {}}}",
    r"\frac{{\partial^2 {}}}{{\partial {} \, \partial {}}}",
    r"\frac{{\partial^2 {}}}{{\partial {{{}}}^2}}",
    r"{} \cdot {}",
)
_TOP = "<mfrac><mrow><msup><mo>∂</mo><mn>2</mn></msup>{}</mrow><mrow><mo>∂</mo>"
MATHML = Fraction(
    "<mfrac><mrow><mo>∂</mo>{}</mrow><mrow><mo>∂</mo>{}</mrow></mfrac>",
    _TOP + "{}<mo>∂</mo>{}</mrow></mfrac>",
    _TOP + "<msup><mrow>{}</mrow><mn>2</mn></msup></mrow></mfrac>",
    "{}<mo>·</mo>{}",
)
