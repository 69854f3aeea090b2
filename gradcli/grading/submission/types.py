"""What was handed in: statements of a listing, or numbers beside names.

These types stand between reading and marking. A number keeps how it was written, since the
tolerance comes from its digits.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from gradcli.diagnostics.source import LINE_END, Source, Span
from gradcli.syntax.tree import Call, Name, Statement, Tree


@dataclass(frozen=True)
class Written:
    """A number or array, and how it was written."""

    value: Any
    """A NumPy float64, or an array of them; may be nan or infinite."""
    radius: Any
    """Half a unit in the last place that was written, in the shape of `value`."""
    digits: int
    """Significant digits of the number with the fewest."""


EntryKind: TypeAlias = Literal["value", "gradient", "part"]


@dataclass(frozen=True)
class Entry:
    """A number that was handed in for a node."""

    name: str
    """The node."""
    kind: EntryKind
    written: Written
    line: int | None
    label: str
    """As it was written: `dfdx`, `x<-b`, `W[0, 1]`."""
    sources: tuple[str, ...] = ()
    """For a part: the operations whose contributions it adds up."""


@dataclass(frozen=True)
class Values:
    """Numbers without a computation."""

    entries: tuple[Entry, ...]
    gradients_only: bool
    """Nothing but gradients of inputs."""
    point: tuple[tuple[str, Written], ...] = ()
    """The inputs' values that an answer sheet was printed for."""
    student: str = ""
    """Whose sheet it says it is."""


@dataclass(frozen=True)
class Several:
    """`a, b = x, y`, also with one tuple on either side; `a = b = x` if it is a `chain`."""

    targets: tuple[Name, ...]
    values: tuple[Tree, ...]
    span: Span
    chain: bool = False
    bundle: bool = False
    """`cache = a, b`: all values together have one name."""


@dataclass(frozen=True)
class Entries:
    """`name = {"a": x, "b": y}`: the keys are names."""

    target: Name
    keys: tuple[Name, ...]
    values: tuple[Tree, ...]
    span: Span


@dataclass(frozen=True)
class Returned:
    """What a function gives back: values, and perhaps a dictionary behind them.

    The values of a dictionary are the last ones, as many as there are `keys`.
    """

    values: tuple[Tree, ...]
    span: Span
    keys: tuple[Name, ...] | None = None


@dataclass(frozen=True)
class Performed:
    """A call of the listing's own function that stands alone."""

    call: Call
    span: Span


@dataclass(frozen=True)
class Procedure:
    """A function of several statements."""

    name: Name
    parameters: tuple[Name, ...]
    body: tuple[Step, ...]
    span: Span


Step: TypeAlias = Statement | Several | Entries | Returned | Performed | Procedure


@dataclass(frozen=True)
class Listing:
    """Statements in order, as syntax trees of the project's own grammar."""

    source: Source
    """The text as it was handed in: for lines and error messages."""
    statements: tuple[Step, ...]
    cells: tuple[tuple[int, int], ...] = ()
    """Of a notebook: each cell's number and the line of the text where it begins."""

    @cached_property
    def _ends(self) -> list[int]:
        """Where the lines of the text end."""
        return [end.end() for end in LINE_END.finditer(self.source.text)]

    def line(self, offset: int) -> int:
        """The number of the line with a character of the text."""
        return bisect_right(self._ends, offset) + 1

    def place(self, line: int | None) -> tuple[int | None, int | None]:
        """The cell and the line in it, for a line of the text; no cell where there are none."""
        if line is None or not self.cells:
            return None, line
        number, first = self.cells[bisect_right([c[1] for c in self.cells], line) - 1]
        return number, line - first + 1


Submission: TypeAlias = Values | Listing


@dataclass(frozen=True)
class Vocabulary:
    """The names that a submission can speak of."""

    inputs: tuple[str, ...]
    nodes: tuple[str, ...]
    """All nodes of the task, inputs and output among them."""
    output: str
