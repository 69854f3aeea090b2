"""The trace: both passes as people write them on paper, line by line.

`Steps` come in, pieces of text go out, so that the first line of a program of ten thousand
operations is there before the last is made. A line has a text on the left, numbers in the
middle, and on the right a mark: `(3)` for the operation, `final` for an accumulator that is
∂f/∂u. The columns are as wide as the first lines need; what doesn't fit goes on below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import cell_width
from gradcli.ops.operation import Shape
from gradcli.report.numbers import (
    TALL,
    array_lines,
    folded,
    inline,
    is_small,
    number,
    padded,
    painted,
    shape_text,
    shown,
    summary,
)
from gradcli.report.tables import rows
from gradcli.syntax.printer import print_tree
from gradcli.trace.explain import Explainer
from gradcli.trace.steps import Move, Step, Steps, factor_shapes

if TYPE_CHECKING:
    from gradcli.report.style import Style
    from gradcli.results.result import Result

MEASURED = 200
"""This many lines of each pass decide where the columns are."""

VALUES, HEAD, NOTES, END = 32, 21, 25, 34
"""Where the values begin if nothing needs more, and from there: headings, notes, the end."""

WORDS = 88
"""Sentences are broken into lines of at most these many cells."""

WIDEST = 60
"""A text of more cells than this has its values below it."""

NOTE = len("final, 2 paths")
BLANK = "________"

Late = Callable[[], "Result"]
"""The result with its check, which is only made when it is asked for."""


@dataclass(frozen=True)
class Choice:
    """What of the trace is shown: which passes, and whether with numbers."""

    forward: bool = True
    backward: bool = True
    blank: bool = False
    jacobians: bool = False
    """Below a rule on arrays stands the matrix that it comes from."""
    explain: bool = False
    """Below each line stand sentences that say why it is so."""


class Columns(NamedTuple):
    """Where the parts of a line begin, in cells."""

    values: int
    head: int
    notes: int
    end: int


class Line(NamedTuple):
    """A line: text, numbers (each a line of its own), and a note or a mark."""

    text: str
    values: list[str]
    note: str = ""
    mark: str = ""


def pieces(steps: Steps, style: Style, choice: Choice, late: Late) -> Iterator[str]:
    """The listing. `late` gives the checked result for its last line."""
    for section in sections(steps, style, choice, late):
        yield from section


def sections(steps: Steps, style: Style, choice: Choice, late: Late) -> Iterator[Iterator[str]]:
    """The listing step by step: each section is what belongs to one."""
    listing = Listing(steps, style, choice)
    if choice.forward:
        yield from listing.forward()
    if choice.forward and choice.backward:
        yield iter("\n")
    if choice.backward:
        yield from listing.backward()
        yield iter(["\n" + listing.closing(late) + "\n"])


class Listing:
    """The passes of some steps as lines in one style."""

    def __init__(self, steps: Steps, style: Style, choice: Choice) -> None:
        self.steps, self.style, self.choice = steps, style, choice
        self.columns = self._columns()
        self.explainer = Explainer(steps) if choice.explain else None

    def _columns(self) -> Columns:
        """Columns in which the first lines of both passes have room."""
        texts: list[str] = []
        if self.choice.forward:
            texts += map(_step_text, islice(self.steps.steps(), MEASURED))
        if self.choice.backward:
            texts += (f"  {move.text}" for move in islice(self.steps.moves(), MEASURED))
        longest = [n for text in texts if (n := cell_width(self._shown(text))) <= WIDEST]
        width = self.style.width
        values = max(VALUES, max(longest, default=0) + 2)
        if width is None:
            return Columns(values, values + HEAD, values + NOTES, values + END)
        values = max(4, min(values, width - NOTE - 16))
        notes = max(values, min(values + NOTES, width - NOTE))
        return Columns(values, min(values + HEAD, notes), notes, min(values + END, width))

    def _shown(self, text: str) -> str:
        return shown(text, self.style)

    # --- the passes ----------------------------------------------------------------------

    def forward(self) -> Iterator[Iterator[str]]:
        """The forward pass, numbered: a section per step."""
        result = self.steps.result
        yield self.heading("Forward pass", self.inputs(result))
        for step in self.steps.steps():
            yield self.forward_line(step)

    def forward_line(self, step: Step) -> Iterator[str]:
        """A line of the forward pass."""
        mark = "" if step.number is None else f"({step.number})"
        values = self.value_lines(step.value)
        shapes = self.shapes(step.node.type.shape, step.tree)
        yield from self.laid_out(Line(_step_text(step), [*shapes, *values], "", mark))
        if self.explainer is not None:
            yield from self.words(self.explainer.forward(step).text)

    def words(self, text: str) -> Iterator[str]:
        """Sentences below a line."""
        width = min(self.style.width or WORDS, WORDS)
        for line in folded(self._shown(text), max(16, width - 6)):
            yield f"      {line}\n"

    def backward(self) -> Iterator[Iterator[str]]:
        """The backward pass in exactly the reverse order: a section per step."""
        result = self.steps.result
        if result.upstream is None or result.accumulators[result.graph.output] is None:
            yield self.heading("Backward pass", ["no inputs, so no gradient"])
            return
        name = f"delta_{result.output.name}"
        yield self.heading("Backward pass", [f"{name} = {self.inline(result.upstream)}"])
        if self.explainer is not None:
            yield self.words(self.explainer.start())
        for _, moves in groupby(self.steps.moves(), key=attrgetter("step")):
            yield self._backprop_step(moves)

    def _backprop_step(self, moves: Iterator[Move]) -> Iterator[str]:
        """What one step sends."""
        for i, move in enumerate(moves):
            if i == 0:
                yield from self.backprop(move)
            yield from self.laid_out(self.move(move))
            if self.choice.jacobians:
                from gradcli.report.trace.general_form import general  # noqa: PLC0415 - seldom

                text = general(self.steps, move)
                if text is not None:
                    yield from self.laid_out(Line(f"    from {text}", []))
            if self.explainer is not None:
                yield from self.words(self.explainer.backward(move).text)

    def backprop(self, move: Move) -> Iterator[str]:
        """The line above a step's moves: which operation is backpropped."""
        text = f"Backprop {_step_text(self.steps.step(move.node))}"
        yield from self.laid_out(Line(text, [], "", f"({move.step})"))

    def move(self, move: Move) -> Line:
        """A line of the backward pass."""
        shapes = [] if move.rule is None else self.shapes(move.to.type.shape, move.rule)
        values = [*shapes, *self._worked(move), *self.value_lines(move.accumulator)]
        return Line(f"  {move.text}", values, note(move))

    # --- numbers -------------------------------------------------------------------------

    def value_lines(self, value: Any) -> list[str]:
        """`= 0.2`, an array on as many lines as it takes."""
        if self.choice.blank:
            return [f"= {BLANK}"]
        precision, width = self.style.precision, self.style.width
        if np.ndim(value) == 0:
            return [f"= {number(float(value), precision)}"]
        room = None if width is None else max(8, width - self.columns.values - 2)
        lines = [self.inline(value)]
        if is_small(value):
            lines = array_lines(value, precision, room)
        too_large = room is not None and (max(map(len, lines)) > room or len(lines) > TALL)
        if too_large and np.size(value):
            shape = shape_text(np.shape(value), self.style)
            lines = [f"({shape})", *summary(value, precision).lines()]
        return [f"{'  ' if i else '= '}{line}" for i, line in enumerate(lines)]

    def _worked(self, move: Move) -> list[str]:
        """How the number comes about: `= -0.724317 + 0.2`, `= 3.01799 * -0.04`."""
        if self.choice.blank:
            return []
        text = self._product(move)
        if move.before is not None:
            sent = text or self.inline(move.value)
            minus = sent.startswith("-") and np.ndim(move.value) == 0
            text = f"{self.inline(move.before)} {f'- {sent[1:]}' if minus else f'+ {sent}'}"
        if text is None:
            return []
        room = (self.style.width or 100) - self.columns.values - 2
        if np.ndim(move.accumulator) or np.ndim(move.upstream):
            arrays = (move.before, move.value, move.upstream, move.local_value)
            if len(text) > room or not all(is_small(a) for a in arrays if a is not None):
                return []
        first, *more = folded(f"= {text}", max(8, room + 2))
        return [first, *(f"  {line}" for line in more)]

    def _product(self, move: Move) -> str | None:
        """Upstream times local derivative, where that is more than one of the two alone."""
        local, upstream = move.local_value, move.upstream
        if local is None or not np.isfinite(np.asarray(local)).all():
            return None
        alone = self.steps.starts(move.node) or (np.ndim(local) == 0 and local == 1)
        if alone or move.to.type.shape != move.node.type.shape:
            return None
        return f"{self.inline(upstream)} * {self.inline(local)}"

    def shapes(self, shape: Shape, tree: Any) -> list[str]:
        """`(2×3) = (2)(1×3)` for a matrix product."""
        factors = factor_shapes(tree, self.steps.shapes)
        if factors is None:
            return []
        own = f"({shape_text(shape, self.style)}) = " if shape else "= "
        return [own + "".join(f"({shape_text(s, self.style)})" for s in factors)]

    def inline(self, value: Any) -> str:
        """A value on one line."""
        return inline(value, self.style.precision, self.style)

    def inputs(self, result: Result) -> list[str]:
        """The inputs: `x = 3`, `y = -4`."""
        return [f"{name} = {self.inline(value)}" for name, value in result.inputs.items()]

    # --- lines ---------------------------------------------------------------------------

    def heading(self, title: str, items: list[str]) -> Iterator[str]:
        """A pass's name, and what it starts from; that goes below where it is long."""
        head, width = self.columns.head, self.style.width
        text = self._shown(", ".join(items))
        bold = painted(title, "bold", self.style)
        space = " " * (head - len(title))
        if cell_width(text) <= (width or self.columns.end + 2) - head and space:
            yield f"{bold}{space}{text}".rstrip() + "\n"
            return
        yield f"{bold}\n"
        for item in items:
            lines = folded(self._shown(item), max(8, width - 4)) if width else [self._shown(item)]
            yield "".join(f"  {'  ' if i else ''}{line}\n" for i, line in enumerate(lines))

    def laid_out(self, line: Line) -> Iterator[str]:
        """A line as text; its parts go on below where they don't fit beside each other."""
        columns, width = self.columns, self.style.width
        texts, values = [self._shown(line.text)], [*line.values]
        if width is not None and cell_width(texts[0]) > width:
            indent = " " * (len(texts[0]) - len(texts[0].lstrip()))
            first, *more = folded(texts[0], max(8, width - 6))
            texts = [indent + first, *(f"      {part}" for part in more)]
        beside = not values or cell_width(texts[-1]) + 2 <= columns.values
        if not beside:
            texts.append("")
        marked = len(texts) - 1
        if values:
            last = texts.pop()
            starts = [last, *[""] * (len(values) - 1)]
            texts += map(str.__add__, (padded(start, columns.values) for start in starts), values)
        if line.mark:
            texts[marked : marked + 1] = self._beside(
                texts[marked], line.mark, columns.end - len(line.mark)
            )
        if line.note:
            texts[-1:] = self._beside(texts[-1], line.note, columns.notes)
        yield "".join(f"{text.rstrip()}\n" for text in texts)

    def _beside(self, text: str, note: str, column: int) -> list[str]:
        """A note in its column, after the text if that is long, or below it."""
        start = max(column, cell_width(text) + 2)
        if self.style.width is not None and start + len(note) > self.style.width:
            return [text, " " * max(0, min(column, self.style.width - len(note))) + note]
        return [padded(text, start) + note]

    # --- the end -------------------------------------------------------------------------

    def closing(self, late: Late) -> str:
        """The gradient, and what the check says of it."""
        result = self.steps.result
        top = rows.objective(result)
        items = [
            f"d{top}/d{name} = {BLANK if self.choice.blank else self.gradient_text(value)}"
            for name, value in result.gradient.items()
        ]
        if not items:
            text = BLANK if self.choice.blank else self.inline(result.value)
            items = [f"{result.output.name} = {text}", "no inputs"]
        items = [self._shown(item) for item in items]
        mood, end = "", ""
        if not self.choice.blank and result.gradient:
            checked = late()
            end = self._shown(rows.checked(checked))
            mood = {"pass": "green", "fail": "bold red"}.get(checked.verdict or "", "bold")
        start = "Gradient" if result.gradient else "Value"
        lines = _filled([*items, *([end] if end else [])], self.style.width)
        first = painted(start, "bold", self.style) + " " * (11 - len(start))
        text = first + ("\n" + " " * 11).join(lines)
        if end and text.endswith(end):
            return text.removesuffix(end) + painted(end, mood, self.style)
        return text

    def gradient_text(self, value: Any) -> str:
        """A gradient on one line."""
        text = self.inline(value)
        return text if is_small(value) else f"({text})"


def note(move: Move) -> str:
    """What is said of an accumulator: that it is complete, and how many contributions it got."""
    if not move.final:
        return ""
    return "final" if move.paths == 1 else f"final, {move.paths} paths"


def step_fields(step: Step) -> dict[str, Any]:
    """A step of the forward pass as columns of a table."""
    return {
        "pass": "forward",
        "step": "" if step.number is None else str(step.number),
        "node": step.node.name,
        "assign": "=",
        "formula": step.expression,
        "value": step.value,
    }


def move_fields(move: Move) -> dict[str, Any]:
    """A line of the backward pass as columns of a table."""
    return {
        "pass": "backward",
        "step": str(move.step),
        "node": move.node.name,
        "to": move.to.name,
        "assign": move.assign,
        "formula": move.formula,
        "upstream": move.upstream,
        "local": None if move.local is None else print_tree(move.local, spaced=False),
        "local_value": move.local_value,
        "contribution": move.value,
        "accumulator": move.accumulator,
        "final": "true" if move.final else "false",
    }


def _step_text(step: Step) -> str:
    return f"{step.node.name} = {step.expression}"


def _filled(items: Iterable[str], width: int | None) -> list[str]:
    """Items beside each other as far as they fit."""
    lines = [""]
    room = None if width is None else max(8, width - 11)
    for item in items:
        longer = f"{lines[-1]}   {item}" if lines[-1] else item
        if room is None or cell_width(longer) <= room:
            lines[-1] = longer
            continue
        lines += folded(item, room)
    return [line for line in lines if line]
