"""A program at a point, ready to have any of its variables examined."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.check import quick_check
from gradcli.check.clock import Clock, OutOfTimeError
from gradcli.check.finding import BLURRED, COARSE, SCATTER_SAFETY, Finding
from gradcli.check.function import Coordinate
from gradcli.check.sampling import HELD, Request, Sampler
from gradcli.check.underflow import SMALLEST_NORMAL
from gradcli.engine.backward import backward
from gradcli.engine.forward import operand_values
from gradcli.engine.rules import Rules
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Operation
from gradcli.results.result import Verdict

if TYPE_CHECKING:
    from gradcli.check.scatter import Scatter

AT_ONCE = 512
"""The most variables that are looked at in one pass."""

SIDE_BY_SIDE = 64
"""The most checks by the whole method in progress side by side."""

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
        *,
        scattered: bool = False,
        rules: Rules | None = None,
    ) -> None:
        """Where there is a `clock`, what will take too long is not begun, or broken off.

        With `scattered` every finding says how far rounding moves its accumulator. `rules` are
        those of the graph, where somebody has them already.
        """
        self.scattered = scattered
        self._rough: dict[int, Finding] = {}
        """What larger steps have confirmed, though smaller ones might do so better."""
        self._contradicted: set[int] = set()
        """Variables with a slope near the point that is not their gradient."""
        self.graph, self.values, self.accumulators = graph, values, accumulators
        self.active, self.clock = active, clock
        self.doubted = False
        """Whether a gradient that failed the quick check has had its full examination."""
        self.sampler = Sampler(graph, values, upstream, seed, clock)
        self.upstream, self.seed, self.rules = upstream, seed, rules
        nodes = self.sampler.graph.nodes
        self.names = [node.operation.name if node.operation else node.kind for node in nodes]

    @cached_property
    def scatter(self) -> Scatter:
        """The backward passes that show how far rounding moves the accumulators."""
        from gradcli.check.scatter import Scatter  # noqa: PLC0415 - most programs need none

        point = self.graph, self.values, self.active, self.upstream
        return Scatter(*point, self.sampler.place, self.seed, self.rules)

    def room(self, coordinate: Coordinate) -> int:
        """How many variables like this one are looked at in one pass."""
        rows = self.sampler.rows_at_once(coordinate)
        return max(1, min(AT_ONCE, rows // quick_check.POINTS))

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
            node = graph.operation(i)
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

    @cached_property
    def _far(self) -> set[int]:
        """The periodic operations that stand where doubles are sparse.

        Steps may then fall into one rhythm with the period, and what they show looks smooth.
        """
        values, speaking = self.sampler.values, self.sampler.speaking
        return {
            node.id
            for node in self.sampler.graph.nodes
            if node.operation is not None and node.operation.periodic and speaking[node.id]
            if any(np.any(np.abs(values[o]) > FAR) for o in node.operands if isinstance(o, int))
        }

    def blurred(self, coordinate: Coordinate) -> bool:
        """Whether a periodic operation behind a variable stands where doubles are sparse."""
        if not self._far:
            return False
        behind = self.sampler.graph.downstream(self.sampler.place[coordinate.node])
        return not self._far.isdisjoint(behind)

    def large(self, coordinate: Coordinate) -> bool:
        """Whether a conversation takes long: for the size of arrays, or of the program."""
        behind = len(self.sampler.graph.nodes) - self.sampler.place[coordinate.node]
        return behind > MANY or self.sampler.rows_at_once(coordinate) < POINTS

    def examine(self, coordinates: Sequence[Coordinate]) -> list[Finding | None]:
        """The findings on some variables; None for those that there was no time for.

        Raises `OutOfTimeError` where the only one of them is large and the clock says so.
        """
        if len(coordinates) == 1 and self.large(coordinates[0]):
            return [self._examine_large(coordinates[0])]
        found: list[Finding | None] = [None] * len(coordinates)
        place = self.sampler.place
        order = sorted(range(len(coordinates)), key=lambda k: place[coordinates[k].node])
        plain = order
        if self.sampler.ties or self._far:
            plain = [
                k for k in order if not (self.ties(coordinates[k]) or self.blurred(coordinates[k]))
            ]
        self._rough.clear()
        self._contradicted.clear()
        for along, ladder in quick_check.LADDERS:
            fit = [k for k in plain if (coordinates[k].direction is not None) == along]
            self._look(coordinates, [k for k in fit if found[k] is None], found, ladder)
        left = [k for k in order if found[k] is None]
        while left:
            rows = self.sampler.rows_at_once(coordinates[left[0]])
            room = max(1, min(SIDE_BY_SIDE, rows // POINTS))
            part, left = left[:room], left[room:]
            for k, one in zip(part, self._converse([coordinates[k] for k in part]), strict=True):
                if one.verdict is Verdict.ZERO and k in self._contradicted:
                    # Nothing beside the slopes nearby, but no gradient of this function either.
                    one.verdict, one.reason = Verdict.INCONCLUSIVE, COARSE
                found[k] = one
            if self.clock and self.clock.spent > self.clock.limit:
                break
        return found

    def _look(
        self,
        coordinates: Sequence[Coordinate],
        places: list[int],
        found: list[Finding | None],
        ladder: quick_check.Ladder,
        *,
        inside: bool = False,
    ) -> None:
        """Fill in what a first look at some of the variables shows to agree."""
        if not places:
            return
        these = [coordinates[k] for k in places]
        room = self.sampler.rows_at_once(these[0])  # sorted: most lies behind the first
        if len(these) > max(1, room // quick_check.POINTS):
            half = len(places) // 2
            for part in (places[:half], places[half:]):
                self._look(coordinates, part, found, ladder, inside=inside)
            return
        gradient = np.array([self._gradient(c) for c in these])
        shown = quick_check.look(self.sampler, these, ladder, inside=inside)
        first = shown.judged(gradient, inside=inside)
        looks: list[tuple[quick_check.Looks, Sequence[int]]] = [(first, range(len(these)))]
        if first.promising.any() and shown.between:
            again = shown.confirmed(first)
            if again:
                looks.append((shown.judged(gradient[again], again, inside=True), again))
        for seen, rows in looks:
            self._take(seen, coordinates, [places[row] for row in rows], found)
        hopeless = []
        if ladder is not quick_check.finer:
            hopeless = [
                (row, partial(seen.undecided, k, float(gradient[row])))
                for seen, rows in looks
                for k, row in enumerate(rows)
                if seen.hopeless[k]
            ]
        done = [row for row, k in enumerate(places) if self.scattered and found[k] is not None]
        spreads = self._spreads(shown, these, {*(row for row, _ in hopeless), *done})
        for row, undecided in hopeless:
            found[places[row]] = undecided(spreads[row])
        for row in done:
            one = found[places[row]]
            assert one is not None
            one.scatter = spreads[row]
        if not shown.between:
            promising = [places[row] for row in np.flatnonzero(first.promising).tolist()]
            self._look(coordinates, promising, found, ladder, inside=True)

    def _take(
        self,
        looks: quick_check.Looks,
        coordinates: Sequence[Coordinate],
        places: list[int],
        found: list[Finding | None],
    ) -> None:
        """Fill in which gradients agree, and remember what else the variables at `places` show."""
        self._contradicted.update(places[row] for row in np.flatnonzero(looks.contradicted))
        passes, zero = (which & ~looks.promising for which in (looks.passes, looks.zero))
        for row, one in looks.findings(zero):
            if not self.moves(coordinates[places[row]]):
                found[places[row]] = one
        for row, one in looks.findings(passes & looks.best):
            found[places[row]] = one
        if self._rough:
            for row, k in enumerate(places):
                known = self._rough.pop(k, None)
                settled = looks.joined[row] and looks.error[row] < np.inf
                if known is not None and settled and (known.error or 0.0) <= looks.error[row]:
                    found[k] = known  # smaller steps know no better
        for row, one in looks.findings(passes & ~looks.best):
            self._rough[places[row]] = one

    def _spreads(
        self, shown: quick_check.Shown, these: Sequence[Coordinate], rows: set[int]
    ) -> dict[int, float]:
        """The scatter of the accumulators of some of the variables that were looked at."""
        if not rows:
            return {}
        order = sorted(rows)
        own = [slice(k, None, len(order)) for k in range(len(order))]
        held = shown.outputs.held(order)
        return dict(
            zip(order, self.scatter.spreads(held, [these[row] for row in order], own), strict=True)
        )

    def _gradient(self, coordinate: Coordinate) -> float:
        """The accumulator that is on trial."""
        return float(coordinate.component(self.accumulators[coordinate.node]))

    def _examine_large(self, coordinate: Coordinate) -> Finding:
        """The finding on a variable that takes long, at a glance where that is enough."""
        clock = self.clock
        begun = clock.spent if clock else 0.0
        if clock and begun > clock.limit:
            raise OutOfTimeError
        doubtful = False
        if not (self.ties(coordinate) or self.blurred(coordinate)):
            gradient = np.array([self._gradient(coordinate)])
            along = coordinate.direction is not None
            ladder = quick_check.along if along else quick_check.ordinary
            shown = quick_check.look(self.sampler, [coordinate], ladder, inside=True)
            looks = shown.judged(gradient, inside=True)
            if looks.passes[0] and looks.best[0]:
                ((_, found),) = looks.findings(looks.passes)
                if self.scattered:
                    found.scatter = self._spreads(shown, [coordinate], {0})[0]
                return found
            if looks.differs(gradient)[0]:
                scatter = self._spreads(shown, [coordinate], {0})[0]
                doubtful = bool(looks.differs(gradient, SCATTER_SAFETY * scatter)[0])
        if clock is None:
            return self._converse([coordinate])[0]
        if doubtful and not self.doubted:
            self.doubted = True
            with clock.stopped():
                return self._converse([coordinate])[0]
        clock.foresee(begun, 1, 1 + CLOSER)
        return self._converse([coordinate])[0]

    def _converse(self, coordinates: Sequence[Coordinate]) -> list[Finding]:
        """The findings on some variables, their conversations held side by side."""
        from gradcli.check.method import examine  # noqa: PLC0415 - most programs need none

        talks = []
        for c in coordinates:
            smooth = partial(self.smooth, c)
            moves = partial(self.moves, c)
            talks.append(examine(c.x, self._gradient(c), self.ties(c), self.names, smooth, moves))
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
