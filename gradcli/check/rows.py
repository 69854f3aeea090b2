"""A row of the check: one accumulator, the variables it is checked in, and their findings as one.

A number is one variable. A small array is as many as it has elements. A large array is checked
along random directions U through its value W: the slope of f along U is Σ δ·U if δ is right,
and a wrong element almost never leaves that sum unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcli.check.finding import ZERO, Finding
from gradcli.check.function import Coordinate
from gradcli.check.jitter import uniform
from gradcli.graph.graph import Node
from gradcli.ops.operation import Array
from gradcli.results.result import Check, Verdict

FEW = 64
"""Arrays with more elements are checked along directions."""

DIRECTIONS = 3

_BY_SEVERITY = (
    *(Verdict.ZERO, Verdict.PASS, Verdict.KINK, Verdict.JUMP, Verdict.EDGE),
    *(Verdict.OVERFLOW, Verdict.INCONCLUSIVE, Verdict.FAIL),
)


def badness(found: Finding | Check) -> tuple[int, float]:
    """The order in which verdicts speak for several: that with the largest is the worst."""
    return _BY_SEVERITY.index(found.verdict), -(found.digits or 0.0)


class Row:
    """An accumulator under test."""

    def __init__(
        self, node: Node, value: Any, gradient: Any, *, every_element: bool, seed: int
    ) -> None:
        self.node, self.value, self.gradient = node, value, gradient
        elements = node.type.size
        self.along_directions = elements > FEW and not every_element
        self.size = DIRECTIONS if self.along_directions else elements
        self.found: list[tuple[Coordinate, Finding]] = []
        self.seed = seed
        self.ties: list[str] = []
        self.remark = ""

    def coordinates(self) -> Iterator[Coordinate]:
        """The variables to check, made when they are asked for."""
        shape = self.node.type.shape
        if not shape:
            yield Coordinate(self.node.id, self.value)
        elif self.along_directions:
            for k in range(DIRECTIONS):
                draw = uniform(self.seed + self.node.id * DIRECTIONS + k, self.node.type.size)
                direction = draw_direction(self.value, draw.reshape(shape))
                yield Coordinate(self.node.id, self.value, direction=direction)
        else:
            for index in np.ndindex(*shape):
                yield Coordinate(self.node.id, self.value, index)

    @property
    def fails(self) -> bool:
        """Whether the accumulator is wrong in some variable."""
        return any(finding.verdict is Verdict.FAIL for _, finding in self.found)

    @property
    def complete(self) -> bool:
        """Whether the verdict is one on the whole array, as that of one direction is."""
        return len(self.found) == self.size or bool(self.along_directions and self.found)

    def worst(self) -> tuple[Coordinate, Finding]:
        """The variable that speaks for the row, and what was found there."""
        return max(self.found, key=lambda pair: badness(pair[1]))

    def check(self) -> Check:
        """The row's verdict, that of its worst variable."""
        if not self.found:
            return Check(Verdict.ZERO, np.zeros(self.node.type.shape), 0.0, reason="no elements")
        coordinate, found = self.found[0]
        if len(self.found) > 1:
            self._compare()
            coordinate, found = self.worst()
        return Check(
            verdict=found.verdict,
            finite_difference=found.slope if coordinate.plain else self._slopes(),
            error_estimate=found.error,
            digits=found.digits,
            left=found.left,
            right=found.right,
            operation=found.operation,
            reason=self._reason(found),
            slope=found.slope,
            element=coordinate.index,
            exact=found.exact,
            ulps=found.ulps,
        )

    def _compare(self) -> None:
        """Elements that drown in rounding are zero, if others say how little that is.

        So is an element of the gradient of det of a singular matrix whose cofactor is 0: neither
        the function nor the cofactor has a digit, but both are far below the elements that have.
        """
        passing = [abs(f.slope or 0.0) for _, f in self.found if f.verdict is Verdict.PASS]
        if not passing or self.along_directions:
            return
        for coordinate, found in self.found:
            if found.verdict is not Verdict.INCONCLUSIVE or found.slope is None:
                continue
            size = max(abs(float(coordinate.component(self.gradient))), abs(found.slope))
            if size <= found.tolerance <= ZERO * max(passing):
                found.verdict, found.reason, found.digits = Verdict.ZERO, "", None
                found.error = found.tolerance

    def _slopes(self) -> Any:
        """The finite differences in the shape of the array; None along directions."""
        if self.along_directions:
            return None
        slopes = np.full(self.node.type.shape, np.nan)
        for coordinate, found in self.found:
            if found.slope is not None and coordinate.index is not None:
                slopes[coordinate.index] = found.slope
        return slopes

    def _reason(self, found: Finding) -> str:
        """The worst finding's reason, and how far it speaks for the whole array."""
        if self.size == 1 and not self.remark:
            return found.reason
        parts = [part for part in (found.reason, self.remark) if part]
        if self.along_directions:
            if found.verdict is Verdict.PASS:
                parts.append(self._chance())
        elif not self.complete:
            parts.append(f"{len(self.found):,} of {self.size:,} elements checked")
        elif self.size > 1 and found.verdict not in (Verdict.PASS, Verdict.ZERO):
            same = sum(f.verdict is found.verdict for _, f in self.found)
            parts += [f"{same} of {self.size} elements"] if same > 1 else []
        return "; ".join(parts)

    def _chance(self) -> str:
        """How likely three directions are to miss a typical element that is off by 0.1 %.

        Along one direction the chance is about tolerance / ‖error ⊙ U‖.
        """
        chance = 1.0
        typical = 1e-3 / np.sqrt(self.node.type.size)
        for coordinate, found in self.found:
            assert coordinate.direction is not None
            error = typical * float(np.linalg.norm(self.gradient * coordinate.direction))
            chance *= min(1.0, found.tolerance / error) if error else 1.0
        shown = "less than 1e-12" if chance < 1e-12 else f"about {chance:.0e}"
        n = len(self.found)
        return (
            f"{n} random direction{'s' if n > 1 else ''}: an element off by 0.1 % "
            f"is missed with probability {shown}"
        )


def draw_direction(value: Array, draw: Array) -> Array:
    """±[0.5, 1.5]·|W|, with the array's root mean square where an element is 0.

    With plain ±1, two equal errors would cancel in half of all directions.
    """
    magnitude = np.abs(value)
    if not magnitude.all():
        magnitude[magnitude == 0] = float(np.sqrt(np.mean(magnitude**2))) or 1.0
    direction: Array = (draw + np.copysign(0.5, draw)) * magnitude
    return direction
