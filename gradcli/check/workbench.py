"""A program at a point, ready to have any of its variables examined."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from gradcli.check import quick_check
from gradcli.check.clock import Clock, OutOfTimeError
from gradcli.check.finding import BLURRED, COARSE, SCATTER_SAFETY, Finding
from gradcli.check.function import Coordinate, Function, Point
from gradcli.check.sampling import HELD, Request, rows_at_once, sample
from gradcli.results.result import Verdict

if TYPE_CHECKING:
    from gradcli.check.scatter import Scatter

AT_ONCE = 512
"""The most variables that are looked at in one pass."""

SIDE_BY_SIDE = 64
"""The most checks by the whole method in progress side by side."""

IN_CACHE = 1_500_000
"""The rows of a look times the elements of the widest value don't exceed this: 12 MB."""

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
        self, point: Point, seed: int = 0, clock: Clock | None = None, *, scattered: bool = False
    ) -> None:
        """Where there is a `clock`, what will take too long is not begun, or broken off.

        With `scattered` every finding says how far rounding moves its accumulator.
        """
        self.point, self.seed, self.clock, self.scattered = point, seed, clock, scattered
        self.function = Function(point, seed)
        self._rough: dict[int, Finding] = {}
        """What larger steps have confirmed, though smaller ones might do so better."""
        self._contradicted: set[int] = set()
        """Variables with a slope near the point that is not their gradient."""
        self.doubted = False
        """Whether a gradient that failed the quick check has had its full examination."""

    @cached_property
    def scatter(self) -> Scatter:
        """The backward passes that show how far rounding moves the accumulators."""
        from gradcli.check.scatter import Scatter  # noqa: PLC0415 - most programs need none

        return Scatter(self.point, self.function.place, self.seed)

    @cached_property
    def names(self) -> list[str]:
        """The operations of the flat graph, by number."""
        nodes = self.function.graph.nodes
        return [node.operation.name if node.operation else node.kind for node in nodes]

    def room(self, coordinate: Coordinate) -> int:
        """How many variables like this one are looked at in one pass."""
        rows = rows_at_once(self.function, coordinate)
        return max(1, min(AT_ONCE, rows // quick_check.POINTS))

    def large(self, coordinate: Coordinate) -> bool:
        """Whether a conversation takes long: for the size of arrays, or of the program."""
        behind = len(self.function.graph.nodes) - self.function.place[coordinate.node]
        return behind > MANY or rows_at_once(self.function, coordinate) < POINTS

    def _is_plain(self, coordinate: Coordinate) -> bool:
        """Whether no operation behind a variable is at a border, or blurred: a look may do."""
        return not (self.function.ties(coordinate) or self.function.blurred(coordinate))

    def examine(self, coordinates: Sequence[Coordinate]) -> list[Finding | None]:
        """The findings on some variables; None for those that there was no time for.

        Raises `OutOfTimeError` where the only one of them is large and the clock says so.
        """
        if len(coordinates) == 1 and self.large(coordinates[0]):
            return [self._examine_large(coordinates[0])]
        found: list[Finding | None] = [None] * len(coordinates)
        place = self.function.place
        order = sorted(range(len(coordinates)), key=lambda k: place[coordinates[k].node])
        plain = order
        if self.function.tied or self.function.far:
            plain = [k for k in order if self._is_plain(coordinates[k])]
        self._rough.clear()
        self._contradicted.clear()
        for along, ladder in quick_check.LADDERS:
            plain = [k for k in plain if found[k] is None]
            fit = [k for k in plain if (coordinates[k].direction is not None) == along]
            self._look(coordinates, fit, found, ladder)
        left = [k for k in order if found[k] is None]
        while left:
            rows = rows_at_once(self.function, coordinates[left[0]])
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
        if len(these) > self._at_once(these[0]):
            half = len(places) // 2
            for part in (places[:half], places[half:]):
                self._look(coordinates, part, found, ladder, inside=inside)
            return
        gradient = np.array([self.point.gradient(c) for c in these])
        shown = quick_check.look(self.function, these, ladder, inside=inside)
        first = shown.judged(gradient, inside=inside)
        looks: list[tuple[quick_check.Looks, Sequence[int]]] = [(first, range(len(these)))]
        if first.promising.any() and shown.between:
            again = shown.confirmed(first)
            if again:
                looks.append((shown.judged(gradient[again], again, inside=True), again))
        for seen, rows in looks:
            self._take(seen, coordinates, [places[row] for row in rows], found)
        hopeless = []
        if ladder in (quick_check.ordinary, quick_check.along):
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

    def _at_once(self, first: Coordinate) -> int:
        """How many variables are looked at in one pass, of which most lies behind the first."""
        widest = self.function.widest[self.function.place[first.node]]
        rows = min(rows_at_once(self.function, first), IN_CACHE // widest)
        return max(1, rows // quick_check.POINTS)

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
            if not self.function.moves(coordinates[places[row]]):
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
        held, asked = shown.outputs.held(order), [these[row] for row in order]
        return dict(zip(order, self.scatter.spreads(held, asked, own), strict=True))

    def _examine_large(self, coordinate: Coordinate) -> Finding:
        """The finding on a variable that takes long, at a glance where that is enough."""
        clock = self.clock
        begun = clock.spent if clock else 0.0
        if clock and begun > clock.limit:
            raise OutOfTimeError
        looked, doubtful = 0, False
        if self._is_plain(coordinate):
            gradient = np.array([self.point.gradient(coordinate)])
            for along, ladder in quick_check.LADDERS:
                if along != (coordinate.direction is not None) or doubtful:
                    continue
                shown = quick_check.look(self.function, [coordinate], ladder, inside=True)
                looks = shown.judged(gradient, inside=True)
                looked += 1
                if looks.passes[0] and looks.best[0]:
                    ((_, found),) = looks.findings(looks.passes)
                    if self.scattered:
                        found.scatter = self._spreads(shown, [coordinate], {0})[0]
                    return found
                if looks.differs(gradient)[0]:
                    scatter = self._spreads(shown, [coordinate], {0})[0]
                    doubtful = bool(looks.differs(gradient, SCATTER_SAFETY * scatter)[0])
        if clock and doubtful and not self.doubted:
            self.doubted = True
            with clock.stopped():
                return self._converse([coordinate])[0]
        if clock:
            clock.foresee(begun, max(looked, 1), max(looked, 1) + CLOSER)
        return self._converse([coordinate])[0]

    def _converse(self, coordinates: Sequence[Coordinate]) -> list[Finding]:
        """The findings on some variables, their conversations held side by side."""
        from gradcli.check.method import examine  # noqa: PLC0415 - most programs need none

        talks = [examine(self.function, c, self.names) for c in coordinates]
        found: list[Finding] = [Finding(Verdict.INCONCLUSIVE)] * len(talks)
        asked = {k: next(talk) for k, talk in enumerate(talks)}
        while asked:
            requests = [
                Request(coordinates[k], points, watched=points.jittered > 0)
                for k, points in asked.items()
            ]
            answers = sample(self.function, requests, self.clock)
            self.scatter.measure(requests, answers)
            waiting, asked = list(asked), {}
            for k, answer in zip(waiting, answers, strict=True):
                try:
                    asked[k] = talks[k].send(answer)
                except StopIteration as end:
                    found[k] = end.value
                    if found[k].verdict in DECIDED and self.function.blurred(coordinates[k]):
                        found[k].verdict, found[k].reason = Verdict.INCONCLUSIVE, BLURRED
                        found[k].digits = None
        return found
