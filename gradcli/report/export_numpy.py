"""The tutorial's listing: both passes as NumPy that runs as it stands.

The inputs at their point come first, then the forward pass with the numbers of its steps, then
a block per step in exactly the reverse order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gradcli.report.numpy_text import Numpy
from gradcli.report.text import inline, shown
from gradcli.steps import Steps

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.report.trace import Choice

COLUMN = 36
"""Where comments with values begin, if the code is not longer."""


def pieces(
    steps: Steps, style: Style, *, values: bool = False, choice: Choice | None = None
) -> Iterator[str]:
    """The listing; with `values` the trace's numbers stand in comments."""
    writer = Writer(Numpy(steps, style), style, values=values)
    head, body = [], []
    if choice is None or choice.forward:
        head = list(writer.forward())
    if choice is None or choice.backward:
        body = list(writer.backward())
    yield from writer.numpy.preamble()
    yield "\n"
    yield from writer.inputs()
    yield from head
    yield from body


class Writer:
    """Statements as lines, with comments."""

    def __init__(self, numpy: Numpy, style: Style, *, values: bool) -> None:
        self.numpy, self.style, self.values = numpy, style, values

    def inputs(self) -> Iterator[str]:
        """The inputs at the point."""
        for name, value in self.numpy.inputs():
            yield f"{name} = {self.numpy.value(value)}\n"

    def forward(self) -> Iterator[str]:
        """The forward pass."""
        yield "\n# Forward pass\n"
        for line in self.numpy.forward():
            mark = "" if line.number is None else f"({line.number})"
            value = f"= {self._inline(line.value)}" if self.values else ""
            text = f"{self.numpy.name(line.node)} = {line.text}"
            yield self._line(text, "  ".join(part for part in (mark, value) if part))

    def backward(self) -> Iterator[str]:
        """The backward pass, a block per step."""
        start = self.numpy.starting()
        yield "\n# Backward pass\n"
        if start is None:
            return
        yield f"{start[0]} = {self.numpy.value(start[1])}\n"
        steps = self.numpy.steps
        last = None
        for line in self.numpy.backward():
            if line.number != last:
                last = line.number
                written = shown(steps.step(line.node).expression, self.style)
                name = shown(line.node.name, self.style)
                yield f"\n# Backprop {name} = {written} ({line.number})\n"
            note = f"= {self._inline(line.accumulator)}" if self.values else ""
            if self.values and line.final:
                note += "  final" if line.paths == 1 else f"  final, {line.paths} paths"
            yield self._line(f"{line.target} {line.assign} {line.text}", note)

    def _line(self, text: str, comment: str) -> str:
        return f"{text:{COLUMN}}  # {comment}\n" if comment else f"{text}\n"

    def _inline(self, value: object) -> str:
        return inline(value, self.style.precision, self.style)
