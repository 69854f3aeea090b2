"""A listing that was worked through: cells for its names, lines for its gradients.

The types between reading a listing (`worked` makes them) and marking it. A cell is what a name
stands for after a statement; it keeps what it was computed from, so that it can be computed again
with other values. Marking reads the `Work`: the flow of the student's own forward pass (or the
task's), and the lines of every gradient.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.model.flow import Flow, Key
from gradcli.grading.model.stage import Stage
from gradcli.grading.submission.types import Written


@dataclass(eq=False)
class Cell:
    """What a name stands for at some time: a variable, a gradient, or a value on the way."""

    name: str
    kind: str
    """`variable` (of the forward pass), `gradient`, `helper` (depends on a gradient)."""
    value: Any
    """None where it could not be computed."""
    line: int | None = None
    stage: Stage | None = None
    reads: tuple[Cell, ...] = ()
    words: tuple[str, ...] = ()
    """What the cells in `reads` are called in the statement."""
    stand_in: Any = None
    """What later statements reckon with where it could not be computed."""
    replaced: bool = False
    """Whether they do so although there is a value: its shape is wrong."""
    key: Key = ""
    node: int | None = None
    """The node of the tape that is its value."""
    problem: GradcliError | None = None
    text: str = ""
    """The statement."""
    turn: str = ""
    """The turn of the loops around it: `t = 1`."""
    label: str = ""
    """The name as it is written."""
    written: Written | None = None
    """Where it is a bare number: how that was written."""
    code: ast.expr | None = None
    """The right-hand side."""
    step: int | None = None
    """The step of the reading that it comes from."""
    behind: tuple[int, str] | None = None
    """The line, and its text, where something is missing if it is missing behind the statement."""
    named_at: tuple[int, str] | None = None
    """Of a copy the line, and its text, that gives it its name; `line` is where it was made."""
    source: Cell | None = None
    """The cell that it is the same as, where it is another's name and nothing more."""

    @property
    def passed_on(self) -> Any:
        """The value that later statements see."""
        return self.stand_in if self.value is None or self.replaced else self.value

    @property
    def spoils(self) -> bool:
        """Whether it could not be computed although all could that it is made of."""
        return self.problem is not None and all(r.passed_on is not None for r in self.reads)

    @property
    def after_gradients(self) -> bool:
        """Whether it is part of the backward pass."""
        return self.kind != "variable"

    def recomputed(self, value_of: Callable[[Cell], Any | None]) -> Any:
        """The value with some cells' values exchanged: `value_of` says which, else None.

        What was there before a `+=` takes no part in it.
        """
        if self.stage is None:
            return self.value
        operands = []
        for read in self.reads:
            value = value_of(read)
            if value is None:
                value = read.recomputed(value_of) if read.kind == "helper" else read.passed_on
            operands.append(value)
        return self.stage.value(operands)

    def mentions(self) -> set[str]:
        """The gradients and variables that it is computed from, through values on the way."""
        found: set[str] = set()
        for read in self.reads:
            if read.kind == "helper":
                found |= read.mentions()
            else:
                found.add(("delta_" if read.kind == "gradient" else "") + read.name)
        return found


@dataclass(eq=False)
class Line:
    """A line that gives a gradient: what was assigned or added there."""

    cell: Cell
    assign: str
    own: Any
    """The value of the right-hand side; None where it could not be computed."""
    partly: bool = False
    """It changes some elements, or what was there: no contribution of its own."""

    @property
    def number(self) -> int | None:
        """Its number in the file."""
        return self.cell.line

    @property
    def text(self) -> str:
        """The statement."""
        return self.cell.text


@dataclass
class Work:
    """A listing that has been worked through."""

    flow: Flow
    lines: dict[Key, list[Line]]
    """The lines of every gradient, in order."""
    variables: dict[Key, Cell]
    """The forward pass, with what of it could not be computed."""
    problems: dict[Key, GradcliError]
    """Statements that could not be computed, and are made of nothing that could not be."""
    notes: list[tuple[str, int | None, str]] = field(default_factory=list)
    """Tag, line and text of what is worth a remark."""
    originals: dict[Key, Any] = field(default_factory=dict)
    """Inputs that were given another value in a descent step: the one they had."""
    unread: dict[str, int] = field(default_factory=dict)
    """Names that are neither rows nor used for any, and their lines."""
    evaluated: Callable[[ast.expr, Cell, Mapping[str, Any]], Any] = lambda *_: None
    """The value of an expression in the place of a cell's own, with some names' values given; None
    where it has none."""

    def label(self, key: Key) -> str:
        """What the code calls a gradient."""
        return self.lines[key][-1].cell.label

    def submitted(self, key: Key) -> Any:
        """The gradient as it is after the last line; None where it could not be computed."""
        return self.lines[key][-1].cell.value

    @property
    def forward_lines(self) -> dict[Key, int | None]:
        """The lines of the forward pass."""
        return {key: cell.line for key, cell in self.variables.items()}

    @property
    def written(self) -> dict[Key, Written]:
        """Values of the forward pass that are given as numbers, without a computation."""
        own = self.variables.items()
        found = {key: cell.written for key, cell in own if cell.written is not None}
        return {k: n for k, n in found.items() if not self.flow.own or k in self.flow.stages}
