"""The tutorial's listing: both passes as NumPy that runs unchanged.

The inputs at their point come first, then the forward pass with the numbers of its steps, then
a block per step in exactly the reverse order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from gradcli.export.numpy.passes import Numpy
from gradcli.report.numbers import inline, shown
from gradcli.report.tables import rows
from gradcli.report.trace.listing import BLANK, Choice, Late, note
from gradcli.trace.steps import Steps

if TYPE_CHECKING:
    from gradcli.report.style import Style

COLUMN = 36
"""Where comments with values begin, if the code is not longer."""


def pieces(steps: Steps, style: Style) -> Iterator[str]:
    """The listing."""
    yield from _listing(Writer(Numpy(steps, style), style), Choice())


def traced(steps: Steps, style: Style, choice: Choice, late: Late) -> Iterator[str]:
    """The listing with the trace's numbers in comments, and what the check says below."""
    yield from _listing(Writer(Numpy(steps, style), style, choice), choice)
    if choice.backward and not choice.blank and steps.result.gradient:
        yield f"\n# {shown(rows.checked(late()), style)}\n"


def _listing(writer: Writer, choice: Choice) -> Iterator[str]:
    # Which helpers are needed is known when all lines have been made.
    forward = list(writer.forward()) if choice.forward else []
    backward = list(writer.backward()) if choice.backward else []
    yield from writer.numpy.preamble()
    yield "\n"
    yield from writer.inputs()
    yield from forward
    yield from backward


class Writer:
    """Statements as lines; where a trace's `choice` is given, with comments on the values."""

    def __init__(self, numpy: Numpy, style: Style, choice: Choice | None = None) -> None:
        self.numpy, self.style, self.choice = numpy, style, choice

    def inputs(self) -> Iterator[str]:
        """The inputs at the point."""
        for name, value in self.numpy.inputs():
            yield f"{name} = {self.numpy.value(value)}\n"

    def forward(self) -> Iterator[str]:
        """The forward pass."""
        yield "\n# Forward pass\n"
        for step, text in self.numpy.forward():
            mark = "" if step.number is None else f"({step.number})"
            comment = "  ".join(filter(None, (mark, self._comment(step.value))))
            yield self._line(f"{self.numpy.name(step.node)} = {text}", comment)

    def backward(self) -> Iterator[str]:
        """The backward pass, a block per step."""
        start = self.numpy.starting()
        yield "\n# Backward pass\n"
        if start is None:
            return
        yield f"{start[0]} = {self.numpy.value(start[1])}\n"
        for _, lines in groupby(self.numpy.backward(), key=lambda line: line[0].step):
            for k, (move, text) in enumerate(lines):
                if k == 0:
                    own = self.numpy.steps.step(move.node)
                    name = f"{move.node.name} = {own.expression}"
                    yield f"\n# Backprop {shown(name, self.style)} ({move.step})\n"
                comment = self._comment(move.accumulator)
                if comment and move.final:
                    comment += f"  {note(move)}"
                target = f"delta_{self.numpy.name(move.to)}"
                yield self._line(f"{target} {move.assign} {text}", comment)

    def _line(self, text: str, comment: str) -> str:
        return f"{text:{COLUMN}}  # {comment}\n" if comment else f"{text}\n"

    def _comment(self, value: object) -> str:
        if self.choice is None:
            return ""
        text = BLANK if self.choice.blank else inline(value, self.style.precision, self.style)
        return f"= {text}"
