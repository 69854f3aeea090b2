"""A draft of the graph: the operations in evaluation order, before any shape is known.

`lower` makes them out of trees, and `build` gives them shapes. Steps that do not
reach the output are dropped here, and the unnamed get their letters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple, TypeAlias

from gradcli.diagnostics.equality import by_value
from gradcli.diagnostics.source import Source, Span
from gradcli.ops.operation import SCALAR, Operation, Shape, Type
from gradcli.syntax.tree import Tree

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@by_value
class Literal(NamedTuple):
    """A constant that stands inside the operation that uses it."""

    value: Any
    """A NumPy float64, or an array of them."""
    text: str

    @property
    def type(self) -> Type:
        """The type of the constant."""
        shape: Shape = self.value.shape
        return SCALAR if not shape else Type(shape)


Operand: TypeAlias = int | Literal
"""What an operation works on: an earlier step by its number, or a literal."""


@dataclass(slots=True, eq=False)
class Selection:
    """A branch of a `where`: what is written inside counts only where `condition` holds."""

    chosen: bool
    condition: Operand = 0


class Step(NamedTuple):
    """One row of the graph to be: an input, a constant or an operation."""

    kind: str
    """`input`, `constant` (reaches no input) or `operation`."""
    name: str | None
    operation: Operation | None
    operands: tuple[Operand, ...]
    options: Mapping[str, Any]
    tree: Tree
    """What was written; two steps of one tree (1/q and the product) share it."""
    span: Span
    symbol_span: Span
    """The place of the operator or of the function's name."""
    selections: tuple[Selection, ...] = ()
    numpy_rules: bool = False
    """Whether a vector is added to the rows of any matrix, as in NumPy: so in compositions."""

    def called(self, name: str) -> Step:
        """The step with a name."""
        return tuple.__new__(Step, (self[0], name, *self[2:]))  # a fifth of the time of _replace


class Draft(NamedTuple):
    """Steps in evaluation order, inputs first; every step has a name and reaches `output`."""

    source: Source
    steps: list[Step]
    output: int


NO_OPTIONS: Mapping[str, Any] = {}


def reached(
    rows: Sequence[Any], wanted: Iterable[int], constants: Collection[int] = ()
) -> list[bool]:
    """Which steps or nodes any of the wanted depends on, itself included; `constants` need none."""
    found = [False] * len(rows)
    for i in wanted:
        found[i] = True
    for i in range(len(rows) - 1, -1, -1):
        if found[i] and i not in constants:
            for operand in rows[i].operands:
                if type(operand) is int:
                    found[operand] = True
    return found


def pruned(source: Source, steps: list[Step], output: int) -> Draft:
    """Only the steps that the output depends on, numbered anew."""
    keep = reached(steps, [output])
    if all(keep):
        return Draft(source, steps, output)
    number: dict[int, int] = {}
    selections: dict[int, Selection | None] = {}
    kept: list[Step] = []

    def moved(operand: Operand) -> Operand:
        return number[operand] if isinstance(operand, int) else operand

    for i, step in enumerate(steps):
        if keep[i]:
            number[i] = len(kept)
            for old in step.selections:
                if id(old) not in selections:  # one whose `where` is gone goes with it
                    there = not isinstance(old.condition, int) or old.condition in number
                    new = Selection(old.chosen, moved(old.condition)) if there else None
                    selections[id(old)] = new
            chosen = filter(None, (selections[id(old)] for old in step.selections))
            operands = tuple(map(moved, step.operands))
            kept.append(step._replace(operands=operands, selections=tuple(chosen)))
    return Draft(source, kept, number[output])


def named(draft: Draft, used: set[str]) -> Draft:
    """Names for the unnamed: letters as far as they go, else v1, v2 and so on."""
    unnamed = sum(step.name is None for step in draft.steps)
    fresh = (letter for letter in LETTERS if letter not in used)
    if unnamed > len(set(LETTERS) - used):
        fresh = (name for i in count(1) if (name := f"v{i}") not in used)
    for i, step in enumerate(draft.steps):
        if step.name is None:
            draft.steps[i] = step.called(next(fresh))
    return draft
