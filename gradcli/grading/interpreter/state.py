"""The state of an interpreted listing: cells for its names, lines for its gradients.

`interpreter` works a listing through on these types, and marking reads them. A cell is what a name
stands for at some time; it keeps what it was computed from, so that it can be computed again with
other values. The `Desk` has all that is known while a listing is worked through.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import submission_error
from gradcli.diagnostics.source import Span
from gradcli.grading.model.flow import Flow, Key
from gradcli.grading.model.stage import Stage
from gradcli.grading.submission.types import Listing, Vocabulary, Written
from gradcli.syntax.tree import Name, Tree


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
    before: Cell | None = None
    """For `+=`: what was there."""
    problem: GradcliError | None = None
    text: str = ""
    """The statement."""
    written: Written | None = None
    """Where it is a bare number: how that was written."""
    tree: Tree | None = None

    @property
    def source(self) -> Cell | None:
        """The cell that it is the same as, where it is another's name and nothing more."""
        return self.reads[0] if isinstance(self.tree, Name) and len(self.reads) == 1 else None

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
    text: str
    own: Any
    """The value of the right-hand side; None where it could not be computed."""

    @property
    def number(self) -> int | None:
        """Its number in the file."""
        return self.cell.line


@dataclass
class Work:
    """A listing that has been worked through."""

    flow: Flow
    lines: dict[Key, list[Line]]
    """The lines of every gradient, in order."""
    forward_lines: dict[Key, int]
    texts: dict[Key, str]
    problems: dict[Key, GradcliError]
    """Statements that could not be computed, and are made of nothing that could not be."""
    lost: frozenset[Key] = frozenset()
    """Variables that could not be computed, be it for want of others."""
    notes: list[tuple[str, int | None, str]] = field(default_factory=list)
    """Tag, line and text of what is worth a remark."""
    originals: dict[Key, Any] = field(default_factory=dict)
    """Inputs that were given another value in a descent step: the one they had."""
    written: dict[Key, Written] = field(default_factory=dict)
    """Values of the forward pass that are given as numbers, without a computation."""
    unread: dict[str, int] = field(default_factory=dict)
    """Names that are neither rows nor used for any, and their lines."""

    def submitted(self, key: Key) -> Any:
        """The gradient as it is after the last line; None where it could not be computed."""
        return self.lines[key][-1].cell.value


Value: TypeAlias = "Cell | tuple[Value, ...] | dict[str, Value]"
"""What a name of a listing stands for: also a tuple or a dictionary of such."""


class Placed(Protocol):
    """Whatever has a place in the listing."""

    @property
    def span(self) -> Span:
        """Where it stands."""


@dataclass
class Desk:
    """What is known while a listing is worked through."""

    listing: Listing
    task: Flow
    vocabulary: Vocabulary
    assumed: Mapping[str, Any]
    """Gradients, by the name of the node, for lines that can't be computed."""
    scope: ChainMap[str, Value]
    """What names stand for here: those of a function before those of the listing."""
    own: list[Cell] = field(default_factory=list)
    """The variables of the student's forward pass."""
    gradients: dict[str, list[list[Line]]] = field(default_factory=dict)
    """By name: groups of lines, each of which begins with `=`."""
    spoilt: list[Cell] = field(default_factory=list)
    """Values between gradients that could not be computed."""
    problems: list[GradcliError] = field(default_factory=list)
    """Why statements could not be computed at any point, but for shapes."""
    notes: list[tuple[str, int | None, str]] = field(default_factory=list)
    originals: dict[Key, Any] = field(default_factory=dict)
    last_forward: Cell | None = None
    read: frozenset[str] = frozenset()
    """The names that expressions of the listing use."""
    within: str | None = None
    """The function whose names are its own business: none of them is a step."""
    function: str | None = None
    """The function whose lines are read."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the student's own variables."""
        return tuple(dict.fromkeys(cell.name for cell in self.own))

    def line(self, placed: Placed) -> int:
        """The number of the line where something begins."""
        return self.listing.line(placed.span.start)

    def text(self, placed: Placed) -> str:
        """A part of the listing as written, in one line."""
        return " ".join(self.listing.source.text[placed.span.start : placed.span.end].split())

    def refused(
        self,
        statement: Placed,
        message: str,
        hint: str | None = None,
        error: GradcliError | None = None,
    ) -> GradcliError:
        """The error about a statement, or about the place in it that another error has."""
        span = statement.span
        if error is not None and error.span is not None and error.span.start >= span.start:
            span = error.span
        if not message.startswith("line "):
            message = f"line {self.line(statement)}: {message}"
        source = self.listing.source
        return submission_error(message, hint, source=source, span=span)
