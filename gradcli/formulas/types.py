"""What `diff` is given and finds: a `Task` in, a `Derivative` with its check out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradcli.graph.graph import Graph
from gradcli.ops.operation import Shape
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Tree


@dataclass(frozen=True)
class Task:
    """What is to be differentiated by what."""

    program: str
    graph: Graph
    """For the sizes that formulas are found with."""
    examples: tuple[Graph, ...]
    """For the sizes that they are checked at, one or two."""
    sizes: Mapping[str, list[int | str]]
    free: tuple[int, ...]
    wrt: tuple[str, ...]
    statements: frozenset[str]
    """The names that the program gives to its nodes."""
    point: Mapping[str, Any]
    """The values that inputs have, if any."""
    order: int = 1
    expand: bool = False
    seed: int = 0
    allow_nonfinite: bool = False
    """Whether values at the point may be infinite or nan."""

    @property
    def output(self) -> str:
        """What the output is called: f where the program gives it no name."""
        name = self.graph.nodes[self.graph.output].name
        taken = {self.graph.nodes[i].name for i in self.graph.inputs} | self.statements
        return name if name in self.statements or "f" in taken else "f"


@dataclass(frozen=True, eq=False)
class Formula:
    """The derivative of the output by one name, or its second derivative by two.

    `tree` is the right-hand side, a tree of the language, and `text` the same as text. Without
    `matrix`, a second derivative is its product with a direction, called `direction`.
    """

    wrt: tuple[str, ...]
    tree: Tree
    text: str
    shape: Shape
    direction: str | None = None
    value: Any = None
    """The number or array at the point, where the inputs have values."""
    differs: bool = False
    """Whether the formula has another value there: at a tie, or where it is 0/0."""

    @classmethod
    def of(
        cls, wrt: tuple[str, ...], tree: Tree, shape: Shape, direction: str | None = None
    ) -> Formula:
        """A formula with its text."""
        return cls(wrt, tree, print_tree(tree, spaced=False), shape, direction)


@dataclass(frozen=True, eq=False)
class Derivative:
    """The formulas of a program's derivative.

    With `named`, formulas are in terms of the program's own names: `delta_z` is ∂output/∂z, and
    `definitions` says what a name is that the program doesn't give.
    """

    program: str
    output: str
    order: int
    formulas: tuple[Formula, ...]
    named: bool
    shapes: Mapping[str, Shape]
    """Of every name in the formulas."""
    sizes: Mapping[str, list[int | str]]
    """The inputs' shapes; a letter stands for any length."""
    graph: Graph
    """The program's graph, at sizes that are an example."""
    points: int = 0
    digits: float = 0.0
    definitions: tuple[tuple[str, str], ...] = ()
    point: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """The text of the formula by an input's name, or by two as in `"x,y"`."""
        wanted = tuple(part.strip() for part in name.split(","))
        for formula in self.formulas:
            if formula.wrt == wanted:
                return formula.text
        raise KeyError(name)
