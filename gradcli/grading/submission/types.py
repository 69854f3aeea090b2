"""What was handed in: the code of a listing, or numbers beside names.

These types go out of reading and into marking. A number keeps how it was written, since the
tolerance comes from its digits.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source


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
class Listing:
    """Code, as it was handed in."""

    source: Source
    """The text as it was handed in: for lines and error messages."""
    cells: tuple[tuple[int, int], ...] = ()
    """Of a notebook: each cell's number and the line of the text where it begins."""

    def line(self, offset: int) -> int:
        """The number of the line with a character of the text."""
        return self.source.position(offset)[0]

    def located(self, error: GradcliError) -> GradcliError:
        """An error about a line with the line in front, of a notebook the cell and its line."""
        if error.span is None:
            return error
        message = _LINE.sub("", error.message)
        cell, line = self.place(self.line(error.span.start))
        error.message = f"{'' if cell is None else f'cell {cell}, '}line {line}: {message}"
        return error

    def place(self, line: int | None) -> tuple[int | None, int | None]:
        """The cell and the line in it, for a line of the text; no cell where there are none."""
        if line is None or not self.cells:
            return None, line
        number, first = self.cells[bisect_right([c[1] for c in self.cells], line) - 1]
        return number, line - first + 1


_LINE = re.compile(r"(cell \d+, )?line \d+: ")

Submission: TypeAlias = Values | Listing


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The names that a submission can speak of; compared by identity, as they may be thousands."""

    inputs: tuple[str, ...]
    nodes: tuple[str, ...]
    """All nodes of the task, inputs and output among them."""
    output: str

    @cached_property
    def names(self) -> frozenset[str]:
        """All of them, to look names up."""
        return frozenset((*self.nodes, *self.inputs, self.output))
