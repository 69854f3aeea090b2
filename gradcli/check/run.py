"""All the rows of a program: what is checked, in which order, and with how much time.

Inputs come first, since they are what was asked for. If the rest won't fit into the budget,
every operation's local derivative is checked next, each on its own. Then the other accumulators,
from the output backwards: these are the cheapest, since the fewest operations lie between, and
with every local derivative right, an accumulator is right if those after it are. What there
was no time for is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from functools import cache, cached_property
from itertools import islice
from typing import Any

import numpy as np

from gradcli.check.blas_threads import LARGE, one_thread
from gradcli.check.clock import Clock, OutOfTimeError
from gradcli.check.finding import Finding
from gradcli.check.function import Coordinate, Point
from gradcli.check.rows import DIRECTIONS, Row
from gradcli.check.sampling import MOST_ELEMENTS
from gradcli.check.undefined import Undefined, lost
from gradcli.check.workbench import Bench
from gradcli.engine.plan import Backward
from gradcli.engine.rules import Rules
from gradcli.graph.graph import Graph
from gradcli.results.result import Checks, Verdict


def check_gradients(
    graph: Graph,
    values: Sequence[Any],
    passed: Backward,
    active: Sequence[bool],
    upstream: Any,
    *,
    every_element: bool = False,
    budget: float = 2.0,
    exact: bool = False,
    seed: int = 0,
    clock: Clock | None = None,
    rules: Rules | None = None,
) -> Checks:
    """The verdict on every accumulator that the backward pass filled in.

    `values` and `passed` are the two passes' results at the point, `active` says which nodes
    have an accumulator, `upstream` weighs the output's elements, `rules` are those of the graph's
    operations, where they are known already. Large arrays are checked along
    random directions unless `every_element`; all takes about `budget` seconds, and `exact`
    adds the second opinion. Raises `GradcliError` (option) if that needs a package.
    """
    if exact:
        from gradcli.check.second_opinion import require  # noqa: PLC0415 - imports mpmath

        require()
    clock = clock or Clock(budget)
    point = Point(graph, values, passed, active, upstream, rules or Rules(graph))
    with np.errstate(all="ignore"):
        rows = [
            Row(node, values[node.id], accumulator, every_element=every_element, seed=seed)
            for node, accumulator in zip(graph.nodes, passed.accumulators, strict=True)
            if node.carries and accumulator is not None
        ]
        bench = Bench(point, seed, clock, scattered=exact)
        if bench.function.widest[0] > 1:
            keep_memory()
        with one_thread if 1 < bench.function.widest[0] < LARGE else nullcontext():
            return _Run(bench, rows, clock, exact=exact).checks()


@cache
def keep_memory() -> None:
    """Free an array as large as those of a pass may be, without a look into it.

    After that glibc keeps twice its size of what is freed; else it would give the memory of every
    pass back to the system, and fetch empty pages for the next, at a quarter of the check's time.
    """
    np.empty(MOST_ELEMENTS)


SMALL = 128
"""So many variables may be looked at before it is known how long one takes."""


class _Run:
    """One run over all rows, with a clock."""

    def __init__(self, bench: Bench, rows: list[Row], clock: Clock, *, exact: bool) -> None:
        self.bench, self.rows, self.clock, self.exact = bench, rows, clock, exact
        self.point = bench.point
        self.undefined = Undefined(self.point)
        self.begun = clock.spent
        self.examined = 0
        self.local: int | None = None

    def checks(self) -> Checks:
        """Examine what there is time for, and say whose fault the failures are."""
        everywhere = self.undefined.output()
        if everywhere is not None:
            return Checks({row.node.id: everywhere for row in self.rows})
        inputs = [row for row in self.rows if row.node.kind == "input"]
        others = [row for row in reversed(self.rows) if row.node.kind != "input"]
        if self.small:
            inputs, others = inputs + others, []
        self.examine(inputs, self.clock.soon, costly=not self.small)
        wrong: dict[int, str] = {}
        if not self.affordable(others):
            wrong = self.local_derivatives()
            behind = [row for row in others if row.node.id in wrong]
            self.examine(behind, self.clock.limit, surely=True)
            others = [row for row in others if row.node.id not in wrong]
        self.examine(others, self.clock.budget)
        found = self._blame()
        done = [row for row in self.rows if row.found or row.complete]
        rows = {row.node.id: row.check() for row in done}
        found += [words for i, words in wrong.items() if i not in rows and words not in found]
        in_part = sum(not row.complete for row in done)
        return Checks(rows, len(self.rows) - len(done), self.local, tuple(found), in_part)

    def _blame(self) -> list[str]:
        """Find the rules behind the failures; what is wrong with rules of blocks behind zeros."""
        failing = (
            pair for row in self.rows for pair in row.found if pair[1].verdict is Verdict.FAIL
        )
        blocks = (node for node in self.point.graph.nodes if node.operation and node.operation.body)
        if next(failing, None) is None and next(blocks, None) is None:
            return []
        from gradcli.check.local import Blame  # noqa: PLC0415 - seldom needed

        for row in self.rows:
            if row.fails:
                ties = self.bench.function.ties(row.worst()[0])
                row.ties = [tied.name for tied in ties]
                if row.along_directions:
                    self._locate(row)
        blame = Blame(self.point, self.clock)
        blame.explain(self.rows)
        return list(blame.rules_of_blocks(self.rows))

    def local_derivatives(self) -> dict[int, str]:
        """Check every operation's rules on their own; the nodes that wrong ones lead to, and why.

        Of those that the quick look at all of them doubts, one is always looked at closely.
        """
        from gradcli.check import local, screen  # noqa: PLC0415 - for large programs

        self.local = 0
        behind: dict[int, str] = {}
        until, looked = self.clock.soon, False
        for group in screen.alike(self.point):
            doubtful = screen.suspicious(self.point, group)
            self.local += len(group) - len(doubtful)
            for node in doubtful:
                if looked and self.clock.spent > until:
                    break
                looked = True
                try:
                    found = local.wrong_rules(self.point, node, self.clock)
                except OutOfTimeError:
                    continue
                self.local += 1
                for wrong in found:
                    operand = node.operands[wrong.operand]
                    assert isinstance(operand, int)
                    behind.setdefault(operand, wrong.words)
        return behind

    def _locate(self, row: Row) -> None:
        """Halve a failing direction until one element is left that fails by itself."""
        failing, _ = row.worst()
        assert failing.direction is not None
        shape = row.node.type.shape
        low, high = 0, row.node.type.size
        places = np.arange(high).reshape(shape)
        while high - low > 1:
            middle = (low + high) // 2
            part = np.where((places >= low) & (places < middle), failing.direction, 0.0)
            half = Coordinate(row.node.id, row.value, direction=part)
            try:
                (found,) = self.bench.examine([half])
            except OutOfTimeError:
                return
            if found is None:
                return
            low, high = (low, middle) if found.verdict is Verdict.FAIL else (middle, high)
        element = tuple(int(i) for i in np.unravel_index(low, shape))
        coordinate = Coordinate(row.node.id, row.value, element)
        (found,) = self.bench.examine([coordinate])
        if found and found.verdict is Verdict.FAIL:
            row.found = [(coordinate, self._confirmed(coordinate, found))]
            row.size = 1

    @cached_property
    def small(self) -> bool:
        """Whether all rows fit into one pass that takes next to no time."""
        elements = sum(node.type.size for node in self.point.graph.nodes)
        return elements <= 16 * SMALL and sum(row.size for row in self.rows) <= SMALL

    @property
    def each(self) -> float:
        """The seconds that a variable has taken so far."""
        return (self.clock.spent - self.begun) / max(self.examined, 1)

    def affordable(self, rows: list[Row]) -> bool:
        """Whether the rest will fit, going by what the variables so far have taken."""
        size = sum(row.size for row in rows)
        return not self.examined or self.each * size < 1.5 * (self.clock.budget - self.clock.spent)

    def examine(
        self, rows: list[Row], until: float, *, costly: bool = False, surely: bool = False
    ) -> None:
        """Examine rows in order, in portions that fit into memory and time.

        The first portion of all, or if `surely` the first of these, is always begun; after that,
        if they are `costly`, only what is likely to be done in time.
        """
        begun = bool(self.examined) and not surely
        portion: list[tuple[Row, Coordinate]] = []
        room = 0
        for row, coordinate in _in_turn(rows):
            found = self.undefined.variable(coordinate)
            if found is not None:
                row.found.append((coordinate, found))
                continue
            large = not self.small and self.bench.large(coordinate)
            if large:
                self._serve(portion)
            if not portion:
                left = until - self.clock.spent
                if begun and left < (self.each if costly else 0.0):
                    break
                begun = True
                room = 1 if large else self.bench.room(coordinate)
                if not self.examined:  # to learn what one takes
                    room = 1 if row.along_directions and not self.small else min(room, SMALL)
                if self.examined:
                    room = max(1, min(room, int(left / self.each)))
            portion.append((row, coordinate))
            if len(portion) >= room:
                self._serve(portion)
        self._serve(portion)

    def _serve(self, portion: list[tuple[Row, Coordinate]]) -> None:
        """Examine some variables, and take them out of the portion."""
        served = portion.copy()
        portion.clear()
        self.examined += len(served)
        try:
            findings = self.bench.examine([c for _, c in served]) if served else []
        except OutOfTimeError:
            return
        for (row, coordinate), found in zip(served, findings, strict=True):
            if found is not None:
                doubted = self.exact or found.verdict is Verdict.FAIL
                sure = self._confirmed(coordinate, found) if doubted else found
                row.found.append((coordinate, self.undefined.explained(coordinate, sure)))

    @cached_property
    def lost(self) -> list[float]:
        """How much every accumulator may lack since local derivatives have underflowed."""
        return lost(self.point)

    def _confirmed(self, coordinate: Coordinate, finding: Finding) -> Finding:
        """The finding after a look at 50 digits: if that is asked for, and before accusing.

        Late failures go without, as all do where mpmath is not installed.
        """
        gradient = self.point.gradient(coordinate)
        failing = finding.verdict is Verdict.FAIL
        if self.exact or (failing and self.clock.spent < self.clock.limit):
            from gradcli.check import second_opinion  # noqa: PLC0415 - seldom needed

            if self.exact or second_opinion.available():
                from gradcli.check.mpmath_ops import derivative  # noqa: PLC0415 - mpmath

                truth = derivative(self.bench.function, coordinate)
                if truth is not None:
                    finding = second_opinion.settle(finding, gradient, truth)
        if finding.verdict is Verdict.FAIL and self.bench.function.underflows(coordinate):
            finding.verdict, finding.reason = Verdict.INCONCLUSIVE, "values underflow"
        lacking = self.lost[coordinate.node] if finding.verdict is Verdict.FAIL else 0.0
        if lacking and finding.slope is not None:
            if coordinate.direction is not None:
                lacking *= float(np.sum(np.abs(coordinate.direction)))
            if abs(gradient - finding.slope) <= lacking:
                finding.verdict = Verdict.INCONCLUSIVE
                finding.reason = "a local derivative underflows"
        return finding


def _in_turn(rows: list[Row]) -> Iterator[tuple[Row, Coordinate]]:
    """All variables of rows in order, but of large arrays one direction of each at a time."""
    later = []
    for row in rows:
        coordinates = row.coordinates()
        if row.along_directions:
            later.append((row, coordinates))
            coordinates = islice(coordinates, 1)
        for coordinate in coordinates:
            yield row, coordinate
    for _ in range(DIRECTIONS - 1):
        for row, coordinates in later:
            yield row, next(coordinates)
