"""The graph as boxes and wires: what every drawing of it shows.

The steps of a result come in. Out comes a `Drawing`: a box per operation, a leaf per input, and
a variable per box whose wires lead to the boxes that read it. As in hand-drawn circuits the
value stands above a wire and δ below it. Where a variable forks, each of its wires has the
contribution that comes back along it, and the variable has their sum.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.diagnostics.error import cell_width
from gradcli.engine.notation import NOWHERE, substitute
from gradcli.report.numbers import inline, is_small, number, shape_text, shown, whole_rows
from gradcli.report.trace.listing import BLANK, Choice
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Call, Name, Operator, Tree, postorder

if TYPE_CHECKING:
    from gradcli.graph.graph import Node
    from gradcli.report.style import Style
    from gradcli.trace.steps import Steps


@dataclass(frozen=True)
class Box:
    """A node: what stands in its box, and what stands at the wire that leaves it."""

    id: int
    name: str
    kind: str
    """`input`, `constant` or `operation`."""
    title: str
    """What stands in the box; empty for an input, which has none."""
    expression: str
    number: int | None
    value: tuple[str, ...]
    """The value, line by line; empty where none is shown."""
    delta: tuple[str, ...]
    """δ, the same."""
    symbol: str = "δ"

    @property
    def above(self) -> list[str]:
        """What stands above the wire: `a = 0.0179862`."""
        return headed(self.name, self.value) if self.value else [self.name]

    @property
    def below(self) -> list[str]:
        """What stands below it: `δ = 0.2`."""
        return headed(self.symbol, self.delta) if self.delta else []


def headed(head: str, lines: tuple[str, ...]) -> list[str]:
    """`x = 3`; a matrix goes on under its first line."""
    head += " = "
    return [head + lines[0], *(" " * cell_width(head) + line for line in lines[1:])]


@dataclass(frozen=True)
class Wire:
    """A variable on its way into one of the boxes that read it."""

    source: int
    target: int
    contribution: str = ""
    """What comes back along the wire, if the variable forks; in pictures of several lines."""


@dataclass(frozen=True)
class Drawing:
    """Boxes in evaluation order, and wires in the order of the boxes that they lead to."""

    boxes: dict[int, Box]
    wires: tuple[Wire, ...]
    output: int

    @cached_property
    def into(self) -> dict[int, list[Wire]]:
        """The wires that lead into every box."""
        return self._by(attrgetter("target"))

    @cached_property
    def out_of(self) -> dict[int, list[Wire]]:
        """The wires of every variable."""
        return self._by(attrgetter("source"))

    def _by(self, end: Callable[[Wire], int]) -> dict[int, list[Wire]]:
        found: dict[int, list[Wire]] = {i: [] for i in self.boxes}
        for wire in self.wires:
            found[end(wire)].append(wire)
        return found

    @cached_property
    def layers(self) -> dict[int, int]:
        """How many boxes stand before each; one that reads nothing is just before its reader."""
        found: dict[int, int] = {}
        for i, wires in self.into.items():
            found[i] = 1 + max((found[wire.source] for wire in wires), default=-1)
        for i, wires in self.out_of.items():
            if wires and not self.into[i]:
                found[i] = min(found[wire.target] for wire in wires) - 1
        return found

    @property
    def depth(self) -> int:
        """How many operations there are on the longest way from an input to the output."""
        return max(self.layers.values(), default=0)

    @cached_property
    def forks(self) -> frozenset[int]:
        """The variables with several wires."""
        return frozenset(i for i, wires in self.out_of.items() if len(wires) > 1)


DEEP = 12
"""More operations than these one behind the other are drawn downwards: to the right, they would be
a band ten times as wide as high."""

WIDE, NARROW = 40, 28
"""The cells that the elements of a small array may take in one line."""


def drawing(steps: Steps, style: Style, choice: Choice, *, narrow: bool = False) -> Drawing:
    """The boxes and wires of some steps. `narrow` writes vectors as columns."""
    return _Maker(steps, style, choice, NARROW if narrow else WIDE).made()


class _Maker:
    """What the boxes and wires are made from."""

    def __init__(self, steps: Steps, style: Style, choice: Choice, line: int) -> None:
        self.steps, self.style, self.choice, self.line = steps, style, choice, line
        self.graph, self.result = steps.graph, steps.result
        self.numbers = {node.name: node.id for node in self.graph.nodes}
        self.trees = {step.node.id: step.tree for step in steps.steps()}
        self.sent: dict[tuple[int, int], list[Any]] = defaultdict(list)
        if choice.backward:
            for move in steps.moves():
                self.sent[move.node.id, move.to.id].append(move.value)

    def made(self) -> Drawing:
        """The whole drawing."""
        nodes = [n for n in self.graph.nodes if n.kind == "input" or n.id in self.trees]
        pairs = [(source, node.id, k) for node in nodes for source, k in self._sources(node)]
        uses = Counter(source for source, _, _ in pairs)
        wires = [
            Wire(source, target, self._contribution(source, target, k) if uses[source] > 1 else "")
            for source, target, k in pairs
        ]
        boxes = {node.id: self._box(node) for node in nodes}
        return Drawing(boxes, tuple(wires), self.graph.output)

    def _sources(self, node: Node) -> list[tuple[int, int | None]]:
        """The variables that a box reads, each with the place of its contribution.

        A variable that is read twice has two wires, unless both send one contribution.
        """
        if node.id not in self.trees:
            return []
        trees = postorder(self.trees[node.id])
        names = (t.name for t in trees if isinstance(t, Name))
        read = [self.numbers[name] for name in names if name in self.numbers]
        found: list[tuple[int, int | None]] = []
        for source in dict.fromkeys(read):
            sent = self.sent.get((node.id, source), [])
            count = read.count(source)
            several = len(sent) == count if sent else self.steps.by == "operation"
            found += [(source, k) for k in range(count)] if several else [(source, None)]
        return found

    def _contribution(self, source: int, target: int, place: int | None) -> str:
        sent = self.sent.get((target, source), [])
        if not sent:
            return ""
        if self.choice.blank:
            return BLANK
        values = sent if place is None else sent[place : place + 1]
        return " + ".join(map(self._written, values))

    def _written(self, value: Any) -> str:
        """A contribution: on one line, or in a picture on as many as the variable itself."""
        if self.line == NARROW or not is_small(value):
            return "\n".join(value_lines(value, self.style, self.line))
        return inline(value, self.style.precision, self.style)

    def _box(self, node: Node) -> Box:
        tree = self.trees.get(node.id)
        delta = self.result.accumulators[node.id] if self.choice.backward else None
        return Box(
            node.id,
            shown(node.name, self.style),
            node.kind,
            "" if tree is None else shown(self._title(tree), self.style),
            "" if tree is None else shown(print_tree(tree), self.style),
            self.steps.numbers.get(node.id),
            self._lines(self.result.values[node.id]) if self.choice.forward else (),
            () if delta is None else self._lines(delta),
            shown("δ", self.style),
        )

    def _lines(self, value: Any) -> tuple[str, ...]:
        """`3`; an array on as many lines as it takes; a large one as its shape."""
        if self.choice.blank and is_small(value):
            return (BLANK,)
        return value_lines(value, self.style, self.line)

    def _title(self, tree: Tree) -> str:
        """What stands in a box: `+`, `sigmoid`, `·^2`, `1/·`; with names where order matters."""
        names = [t.name for t in postorder(tree) if isinstance(t, Name)]
        read = [name for name in names if name in self.numbers]
        match tree:
            case Operator(symbol="+" | "*" as symbol, operands=(Name(), Name())) if len(read) == 2:
                return symbol if self.style.ascii else symbol.replace("*", "×")
            case Call() if len(read) == len(tree.children()) == 1:
                return tree.name
        if len(read) != 1:
            return print_tree(tree)
        hole = Name("_" if self.style.ascii else "•", NOWHERE)
        text = print_tree(substitute(tree, {read[0]: hole}))
        return text.replace("•", "·")


def value_lines(value: Any, style: Style, line: int) -> tuple[str, ...]:
    """What stands for a value at its wire, with this many cells for a row of an array."""
    if not is_small(value):
        return (_shape(value, style),)
    if np.ndim(value) == 0:
        return (number(float(value), style.precision),)
    return tuple(whole_rows(value, style.precision, line))


def _shape(value: Any, style: Style) -> str:
    shape = shape_text(np.shape(value), style)
    return f"({shape})" if np.ndim(value) > 1 else f"({shape} elements)"
