"""A program at a point, ready to have any of its variables examined."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np

from gradcli.check import quick_check
from gradcli.check.clock import Clock, OutOfTimeError
from gradcli.check.finding import BLURRED, Finding
from gradcli.check.method import HELD, examine
from gradcli.check.sampling import Coordinate, Request, Sampler
from gradcli.check.scatter import Scatter
from gradcli.check.underflow import SMALLEST_NORMAL
from gradcli.engine.backward import backward
from gradcli.engine.forward import operand_values
from gradcli.engine.rules import Rules
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Operation
from gradcli.results.result import Verdict

AT_ONCE = 64
"""The most checks in progress side by side."""

FAR = 2.0**48
"""From here on, neighbouring doubles are so far apart that those hardly show a slope."""

DECIDED = (Verdict.PASS, Verdict.ZERO, Verdict.FAIL)

MANY = 20_000
"""A pass through more operations than this takes a good part of a second."""

CLOSER = 4
"""A full check takes at least this many times as long as a quick one."""

POINTS = 2 * 2 * 25 + HELD
"""About as many rows as the first request of a conversation has."""


class Bench:
    """A program at a point, ready to have any of its variables examined."""

    def __init__(
        self,
        graph: Graph,
        values: Sequence[Any],
        accumulators: Sequence[Any],
        active: Sequence[bool],
        upstream: Any,
        seed: int = 0,
        clock: Clock | None = None,
    ) -> None:
        """Where there is a `clock`, what will take too long is not begun, or broken off."""
        self.graph, self.values, self.accumulators = graph, values, accumulators
        self.active, self.clock = active, clock
        self.doubted = False
        """Whether a gradient that failed the quick check has had its full examination."""
        self.sampler = Sampler(graph, values, upstream, seed, clock)
        self.scatter = Scatter(graph, values, active, upstream, self.sampler.place, seed)
        nodes = self.sampler.graph.nodes
        self.names = [node.operation.name if node.operation else node.kind for node in nodes]

    def room(self, coordinate: Coordinate) -> int:
        """How many conversations like this one fit into one pass."""
        return max(1, min(AT_ONCE, self.sampler.rows_at_once(coordinate) // POINTS))

    def ties(self, coordinate: Coordinate) -> list[Operation]:
        """The operations downstream of a variable that stand on a border."""
        return [n.operation for n in self.sampler.ties_of(coordinate) if n.operation]

    def underflows(self, coordinate: Coordinate) -> bool:
        """Whether numbers of less than full precision come up behind a variable."""
        graph, values = self.sampler.graph, self.sampler.values
        start = self.sampler.place[coordinate.node]
        speaking = self.sampler.speaking
        return any(
            bool(np.any((v != 0) & (np.abs(v) < SMALLEST_NORMAL)))
            for i in (start, *graph.downstream(start))
            if speaking[i]
            for v in (*operand_values(graph.nodes[i], values), values[i])
        )

    def smooth(self, coordinate: Coordinate) -> bool:
        """Whether the function has a slope at the point, as far as local derivatives show it.

        It has where no operation behind the variable stands on a border and the rules of all are
        finite: the composition of smooth operations is smooth, however sharply it may turn.
        """
        graph, values = self.sampler.graph, [*self.sampler.values]
        start = self.sampler.place[coordinate.node]
        behind = [i for i in graph.downstream(start) if self.sampler.speaking[i]]
        moving, rules = {start, *behind}, Rules(graph)
        if self.ties(coordinate):
            return False
        for i in behind:
            node = graph.nodes[i]
            assert node.operation is not None
            arguments = [*operand_values(node, values), values[i]]
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
        place = self.sampler.place[coordinate.node]
        accumulator = self._by_rules[place]
        if accumulator is None:
            return False
        slope = coordinate.component(accumulator)
        return bool(slope != 0 and not np.isnan(slope))

    @cached_property
    def _by_rules(self) -> list[Any]:
        """Accumulators of the flat graph, in which no block has a rule of its own."""
        graph, place = self.sampler.graph, self.sampler.place
        active = graph.dependent({place[i] for i in self.graph.inputs})
        passed = backward(
            graph, self.sampler.values, active, self.sampler.upstream, allow_nonfinite=True
        )
        return passed.accumulators

    def blurred(self, coordinate: Coordinate) -> bool:
        """Whether a periodic operation behind a variable stands where doubles are sparse.

        Steps may then fall into one rhythm with the period, and what they show looks smooth.
        """
        graph, values = self.sampler.graph, self.sampler.values
        return any(
            bool(np.any(np.abs(values[o]) > FAR))
            for i in graph.downstream(self.sampler.place[coordinate.node])
            if (operation := graph.nodes[i].operation) is not None
            and operation.periodic
            and self.sampler.speaking[i]
            for o in graph.nodes[i].operands
            if isinstance(o, int)
        )

    def large(self, coordinate: Coordinate) -> bool:
        """Whether a conversation takes long: for the size of arrays, or of the program."""
        behind = len(self.sampler.graph.nodes) - self.sampler.place[coordinate.node]
        return behind > MANY or self.sampler.rows_at_once(coordinate) < POINTS

    def examine(self, coordinates: Sequence[Coordinate]) -> list[Finding]:
        """The findings on some variables.

        Raises `OutOfTimeError` where one of them is large and the clock says so.
        """
        if len(coordinates) > 1 or not self.large(coordinates[0]):
            return self._converse(coordinates)
        begun = self.clock.spent if self.clock else 0.0
        if self.clock and begun > self.clock.limit:
            raise OutOfTimeError
        found = self._glance(coordinates[0])
        if found is not None and found.verdict is Verdict.PASS:
            return [found]
        if self.clock is None:
            return self._converse(coordinates)
        if found is not None and found.verdict is Verdict.FAIL and not self.doubted:
            self.doubted = True
            with self.clock.stopped():
                return self._converse(coordinates)
        self.clock.foresee(begun, 1, 1 + CLOSER)
        return self._converse(coordinates)

    def _glance(self, coordinate: Coordinate) -> Finding | None:
        """What a few points show; None if that is not a slope, or if something is on a border."""
        if self.ties(coordinate) or self.blurred(coordinate):
            return None
        request = Request(coordinate, quick_check.points(coordinate.x))
        answers = self.sampler.sample([request])
        gradient = float(coordinate.component(self.accumulators[coordinate.node]))
        moves = partial(self.moves, coordinate)
        found = quick_check.look(coordinate.x, gradient, answers[0], moves)
        if found is not None and found.verdict is Verdict.FAIL:
            self.scatter.measure([request], answers)
            found = quick_check.look(coordinate.x, gradient, answers[0], moves)
        return found

    def _converse(self, coordinates: Sequence[Coordinate]) -> list[Finding]:
        """The findings on some variables, their conversations held side by side."""
        talks = []
        for c in coordinates:
            gradient = float(c.component(self.accumulators[c.node]))
            smooth = partial(self.smooth, c)
            moves = partial(self.moves, c)
            talks.append(examine(c.x, gradient, self.ties(c), self.names, smooth, moves))
        found: list[Finding] = [Finding(Verdict.INCONCLUSIVE)] * len(talks)
        asked = {k: next(talk) for k, talk in enumerate(talks)}
        while asked:
            requests = [Request(coordinates[k], points) for k, points in asked.items()]
            answers = self.sampler.sample(requests)
            self.scatter.measure(requests, answers)
            waiting, asked = list(asked), {}
            for k, answer in zip(waiting, answers, strict=True):
                try:
                    asked[k] = talks[k].send(answer)
                except StopIteration as end:
                    found[k] = end.value
                    if found[k].verdict in DECIDED and self.blurred(coordinates[k]):
                        found[k].verdict, found[k].reason = Verdict.INCONCLUSIVE, BLURRED
                        found[k].digits = None
        return found
