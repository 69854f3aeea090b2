"""The function under test: the output of a program, as it depends on one variable.

A `Coordinate` is one real variable: a node that is a number, an element of an array, or a
direction through an array. Everything else being fixed, the output is a function of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from gradcli.check.choices import speaking
from gradcli.check.inline_blocks import without_blocks
from gradcli.check.jitter import Jitter
from gradcli.engine.backward import backward
from gradcli.engine.forward import apply, fill_in, line_up, operand_values
from gradcli.engine.plan import Backward
from gradcli.engine.rules import Rules
from gradcli.graph.graph import Graph, Node
from gradcli.ops.operation import Array, Operation, keywords

FAR = 2.0**48
"""From here on, neighbouring doubles are so far apart that those hardly show a slope."""

SMALLEST_NORMAL = 2.0**-1022
"""Doubles below this have lost digits, and no jitter shows how many."""


class Coordinate:
    """One real variable of the program: where it is, and its value `x`.

    Along a `direction` U through an array W the variable is t in W + (t - 1)·U, so x = 1.
    """

    __slots__ = ("direction", "index", "node", "plain", "value", "x")

    def __init__(
        self,
        node: int,
        value: Any,
        index: tuple[int, ...] | None = None,
        direction: Array | None = None,
    ) -> None:
        self.node, self.value, self.index, self.direction = node, value, index, direction
        self.plain = index is None and direction is None
        """Whether the node is the variable: it is a number."""
        self.x = 1.0 if direction is not None else float(value if index is None else value[index])

    def rows(self, t: Array) -> Array:
        """The node's value at every t, with t as the batch axis."""
        if self.direction is not None:
            shift = (t - 1.0).reshape((-1,) + (1,) * self.direction.ndim)
            result: Array = shift * self.direction
            result += self.value
            return result
        if self.index is None:
            return t
        rows = np.repeat(self.value[None], len(t), axis=0)
        place: Any = (slice(None), *self.index)
        rows[place] = t
        return rows

    def component(self, accumulator: Array) -> Any:
        """The part of an accumulator (or of a batch of them) that belongs to this variable."""
        if self.plain:
            return accumulator
        if self.direction is not None:
            axes = tuple(range(-self.direction.ndim, 0))
            return (accumulator * self.direction).sum(axis=axes)
        place: Any = (..., *(self.index or ()))
        return accumulator[place]


class Point(NamedTuple):
    """A program at a point, with the results of both passes there."""

    graph: Graph
    values: Sequence[Any]
    passed: Backward
    active: Sequence[bool]
    """Which nodes have an accumulator."""
    upstream: Any
    """The weights of the output's elements."""
    rules: Rules

    def gradient(self, coordinate: Coordinate) -> float:
        """The part of an accumulator that is on trial."""
        return float(coordinate.component(self.passed.accumulators[coordinate.node]))


class Function:
    """A program as a function of any of its coordinates, about the point where it stands.

    Its graph is flat: the blocks of the program's are opened up.
    """

    def __init__(self, point: Point, seed: int = 0) -> None:
        self.point = point
        self.graph, self.place = without_blocks(point.graph)
        self.upstream = point.upstream
        self.jitter = Jitter(seed)
        self.values: Sequence[Any] = point.values
        if self.graph is not point.graph:
            values: list[Any] = [None] * len(self.graph.nodes)
            for place, value in zip(self.place, point.values, strict=True):
                values[place] = value
            self.values = fill_in(self.graph, values)
        self.speaking = speaking(self.graph, self.values)
        """For every node whether the output takes anything of it (see `choices`)."""
        self.done_after: list[list[int]] = [[] for _ in self.graph.nodes]
        """For every node those that nothing behind it uses."""
        for i, users in enumerate(self.graph.consumers):
            if i != self.graph.output:
                self.done_after[users[-1] if users else i].append(i)
        sizes = [node.type.size for node in reversed(self.graph.nodes)]
        self.widest: list[int] = list(accumulate(sizes, max))[::-1]
        """The elements of the largest value from every node on."""
        self.tied = [node.id for node in self.graph.nodes if self._is_tied(node)]
        """The operations that stand on the border between two of their branches."""

    def total(self, output: Array) -> Array:
        """The function's values: upstream · output, summed over the output's elements."""
        if output.ndim == 1:
            return output if self.upstream == 1 else output * self.upstream
        flat = output.reshape(len(output), -1)
        result: Array = flat @ np.ravel(self.upstream)
        return result

    def behind(self, coordinate: Coordinate) -> list[int]:
        """The operations that a variable moves and the output takes something of, in order."""
        moved = self.graph.downstream(self.place[coordinate.node])
        return [i for i in moved if self.speaking[i]]

    def straight(self, variable: Coordinate, t: Array) -> dict[int, Array]:
        """The products that a direction goes into, at every t; empty if it goes anywhere else.

        A product is linear in each operand, so one product of the direction serves all t.
        """
        start = self.place[variable.node]
        if variable.direction is None or start == self.graph.output:
            return {}
        users = [self.graph.operation(i) for i in self.graph.consumers[start]]
        if not all(node.operation.contracts for node in users):
            return {}
        moved, found = {start, *self.graph.downstream(start)}, dict[int, Array]()
        for node in users:
            if sum(o in moved for o in node.operands) > 1:
                return {}
            operands = operand_values(node, self.values)
            operands[node.operands.index(start)] = variable.direction
            move, value = np.asarray(apply(self.graph, node, operands)), self.values[node.id]
            if not np.isfinite(move + value).all():
                return {}
            found[node.id] = (t - 1.0).reshape(-1, 1, *(1,) * move.ndim) * move + value
        return found

    def _is_tied(self, node: Node) -> bool:
        if node.operation is None or node.operation.tie is None or not node.carries:
            return False
        same = len(node.operands) == 2 and node.operands[0] == node.operands[1]
        if same or not self.speaking[node.id]:
            return False
        arguments = line_up(self.graph, node, operand_values(node, self.values))
        return bool(np.any(node.operation.tie(*arguments, **keywords(node.kernel))))

    def ties(self, coordinate: Coordinate) -> list[Operation]:
        """The operations behind a variable that stand on a border."""
        if not self.tied:
            return []
        behind = set(self.behind(coordinate))
        return [self.graph.operation(i).operation for i in self.tied if i in behind]

    def blurred(self, coordinate: Coordinate) -> bool:
        """Whether a periodic operation behind a variable stands where doubles are sparse.

        Steps may then fall into one rhythm with the period, and what they show looks smooth.
        """
        return bool(self.far) and not self.far.isdisjoint(self.behind(coordinate))

    @cached_property
    def far(self) -> set[int]:
        """The periodic operations that stand where doubles are sparse."""
        return {
            node.id
            for node in self.graph.nodes
            if node.operation is not None and node.operation.periodic and self.speaking[node.id]
            if any(_beyond(self.values[o], FAR) for o in node.operands if isinstance(o, int))
        }

    def underflows(self, coordinate: Coordinate) -> bool:
        """Whether numbers of less than full precision come up behind a variable."""
        start = self.place[coordinate.node]
        nodes = [start] if self.speaking[start] else []
        return any(
            bool(np.any((v != 0) & (np.abs(v) < SMALLEST_NORMAL)))
            for i in (*nodes, *self.behind(coordinate))
            for v in (*operand_values(self.graph.nodes[i], self.values), self.values[i])
        )

    def smooth(self, coordinate: Coordinate) -> bool:
        """Whether the function has a slope at the point, as far as local derivatives show it.

        It has where no operation behind the variable stands on a border and the rules of all are
        finite: the composition of smooth operations is smooth, however sharply it may turn.
        """
        if self.ties(coordinate):
            return False
        behind, rules = self.behind(coordinate), Rules(self.graph)
        moving = {self.place[coordinate.node], *behind}
        for node in map(self.graph.operation, behind):
            arguments = [*operand_values(node, self.values), self.values[node.id]]
            if not node.operation.elementwise:
                arguments.append(np.ones(node.type.shape)[()])
            for place, operand in enumerate(node.operands):
                if type(operand) is int and operand in moving:
                    local = rules.of(node, place)(arguments)
                    if not np.isfinite(local).all():
                        return False
        return True

    def moves(self, coordinate: Coordinate) -> bool:
        """Whether the function has a slope other than 0 by the rules of the table.

        These may be on trial as well; they are asked only before a 0 is acquitted that the values
        alone would not convict.
        """
        accumulator = self._by_rules[self.place[coordinate.node]]
        if accumulator is None:
            return False
        slope = coordinate.component(accumulator)
        return bool(slope != 0 and not np.isnan(slope))

    @cached_property
    def _by_rules(self) -> list[Any]:
        """Accumulators of the flat graph, in which no block has a rule of its own."""
        active = self.graph.dependent({self.place[i] for i in self.point.graph.inputs})
        return backward(
            self.graph, self.values, active, self.upstream, allow_nonfinite=True
        ).accumulators


def _beyond(value: Any, bound: float) -> bool:
    """Whether some element is larger than this; for a number no array is made."""
    larger = abs(value) > bound
    return bool(larger.any() if isinstance(larger, np.ndarray) else larger)
