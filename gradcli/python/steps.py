"""What reading a text comes to: its steps, and the tape on which the values were computed.

A step is what one statement did in one turn of the loops around it: which name it gave which
value. `grade` takes steps for the stages of a computation and for the lines of a backward pass,
`trace --by statement` for the rows of its table. What a step is made of is not written down: it is
what stands on the tape between its node and the nodes of earlier steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gradcli.diagnostics.source import Source, Span
from gradcli.python.values import Unknown, Value


@dataclass(frozen=True, slots=True)
class Step:
    """A statement that gave a name a value."""

    name: str
    """The target as it is written, with indices as they were then: `h`, `h[2]`, `grads["W1"]`."""
    sign: str
    """`=`, or an augmented form: `+=`, `-=` …"""
    value: Value
    """What the name stands for now. Of an array that is changed later: see `node`."""
    own: Value
    """The value of the right-hand side."""
    node: int | None
    """The node of the name's value; None for plain data."""
    own_node: int | None
    before: int | None
    """For an augmented form or a store into an array: the node that was there."""
    number: Any
    """The value as it was: a NumPy scalar or array; None for what is no number."""
    whole: int | None
    """The node of all of the array that the name is an element of, else `node`."""
    span: Span
    line: int
    turns: tuple[tuple[str, Any], ...]
    """The loops around it, outermost first: the variable and its value."""
    calls: tuple[str, ...]
    """The functions around it, outermost first."""

    @property
    def turn(self) -> str:
        """The turn of the loops around it: `l = 2, t = 1`."""
        return ", ".join(f"{variable} = {value}" for variable, value in self.turns)


@dataclass(slots=True)
class Reading:
    """A text that was read."""

    source: Source
    steps: list[Step] = field(default_factory=list)
    notes: list[tuple[str, int, str]] = field(default_factory=list)
    """Tag, line and text of what was passed over or fixed."""
    unknown: list[tuple[str, Unknown]] = field(default_factory=list)
    """Names whose value could not be found out."""
