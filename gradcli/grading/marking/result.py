"""What marking found out: the only thing that the reports of homework read.

Marking makes the types here, and puts nothing of how it found out into them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from gradcli.diagnostics.equality import by_value
from gradcli.grading.submission.types import Listing

Mode: TypeAlias = Literal["listing", "values", "gradients"]
"""What was handed in: code, or numbers."""
ELSEWHERE = "not judged: this is for another point"


class Status(StrEnum):
    """What became of a row."""

    OK = "ok"
    CARRIED = "carried"
    """Right work on a wrong number."""
    WRONG = "wrong"
    """A root: neither true nor what follows from the rows before."""
    INCONSISTENT = "inconsistent"
    """The true number, which does not follow from the rows before."""
    MISSING = "missing"


def place(line: int | None, cell: int | None, turn: str = "") -> str:
    """A line, the cell of a notebook in which it is, and the turn of the loops around it."""
    if line is None:
        return ""
    return ", ".join(part for part in (cell and f"cell {cell}", f"line {line}", turn) if part)


@by_value
@dataclass(frozen=True)
class MarkedRow:
    """A row that was judged."""

    name: str
    kind: Literal["value", "gradient", "part"]
    status: Status
    tags: tuple[str, ...]
    line: int | None
    """The line at fault, else the last that wrote the row."""
    text: str
    """That line, unchanged."""
    submitted: Any
    """None where nothing was handed in, or nothing could be computed."""
    true: Any
    carried: Any
    """What follows from the student's own numbers."""
    earned: float
    """Below zero for a root that is not asked for: what it takes off the sum."""
    max: float
    """What the row is worth: nothing, unless the task asks for it."""
    message: str
    sources: tuple[str, ...] = ()
    """For a part: the operations that send it."""
    follow: int = 0
    """How many later rows follow from this one and keep their marks."""
    cell: int | None = None
    """Of a notebook: the cell in which the line is."""
    turn: str = ""
    """In loops: the turn at fault, by their variables: `t = 1`."""

    @property
    def elsewhere(self) -> bool:
        """Whether it is wrong, and for another point than the task's: that is no mistake."""
        return self.message == ELSEWHERE

    @property
    def place(self) -> str:
        """Where it is: `line 3`, `cell 2, line 3`, `line 22, t = 1`, or nothing."""
        return place(self.line, self.cell, self.turn)


@dataclass(frozen=True)
class Note:
    """A remark that costs nothing."""

    tag: str
    text: str
    line: int | None = None
    cell: int | None = None

    @property
    def place(self) -> str:
        """Where it is: `line 3`, `cell 2, line 3`, or nothing."""
        return place(self.line, self.cell)


@by_value
@dataclass(frozen=True)
class Marked:
    """A submission, marked."""

    rows: tuple[MarkedRow, ...]
    """Values in forward order, then gradients in backward order."""
    notes: tuple[Note, ...]
    mode: Mode
    elsewhere: bool = False
    """Whether it is for another point than the task's: then no wrong row is a mistake."""
    renderer: Callable[[Marked], str] | None = field(default=None, repr=False, compare=False)
    """What makes the report of `str()`."""

    @property
    def score(self) -> float:
        """The marks that were earned, without what roots take off; never less than none."""
        return max(0.0, _sum(row.earned for row in self.rows))

    @property
    def max_score(self) -> float:
        """The marks of all that the task asks, whatever was handed in."""
        return _sum(row.max for row in self.rows)

    def out_of(self, points: float | None) -> Marked:
        """The same with this many points in total; with None, or nothing asked, as it is."""
        most = self.max_score
        if points is None or not most:
            return self
        share = points / most
        rows = (replace(r, earned=r.earned * share, max=r.max * share) for r in self.rows)
        return replace(self, rows=tuple(rows))

    @property
    def right(self) -> bool:
        """Whether every row is right, or follows from what is wrong elsewhere."""
        return all(row.status in (Status.OK, Status.CARRIED) for row in self.rows)

    @property
    def roots(self) -> tuple[MarkedRow, ...]:
        """The rows where something went wrong first; of another point only what is missing."""
        right = {Status.OK, Status.CARRIED}
        return tuple(row for row in self.rows if row.status not in right and not row.elsewhere)

    def __str__(self) -> str:
        """The report, as `gradcli grade` prints it, where a renderer was handed in."""
        return repr(self) if self.renderer is None else self.renderer(self)


def _sum(marks: Iterable[float]) -> float:
    """The sum, without the rounding of shares."""
    return round(sum(marks), 9)


def in_cells(marked: Marked, listing: Listing) -> Marked:
    """Of a notebook: with every line as the line of its cell."""
    if not listing.cells:
        return marked
    rows = [(row, *listing.place(row.line)) for row in marked.rows]
    notes = [(note, *listing.place(note.line)) for note in marked.notes]
    return replace(
        marked,
        rows=tuple(replace(row, cell=cell, line=line) for row, cell, line in rows),
        notes=tuple(replace(note, cell=cell, line=line) for note, cell, line in notes),
    )
