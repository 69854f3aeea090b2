"""A homework tested before it is set: which mistakes would go unnoticed at this point?

A task comes in, a `Finding` goes out: every mistake of the table applied to the true solution, and
what the wrong number has in common with the right one. Which slips are no mistakes at all, because
they come to the same everywhere (a local derivative that is 1, passed on), is asked of points in
general position, so no operation has to state it.
"""

from __future__ import annotations

import hashlib
import math
import random
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain, combinations, permutations, product
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.exercise.draws import in_general, one_of, short_number, within
from gradcli.grading.mistakes.case import Case, Slip
from gradcli.grading.mistakes.table import slips
from gradcli.grading.model.flow import Flow, of_result
from gradcli.grading.model.task import Task

TOLERANCE = 0.5e-2
"""Numbers this close count as equal where they are written by hand with two digits."""
ROUNDING = 1e-9
"""Numbers this close are equal in all digits."""
GENERAL = 6
"""Two numbers that agree at this many points in general position agree everywhere."""
PATIENCE = 12
"""After this many points at which the program can't be evaluated, whole numbers are kept."""
WORK = 40_000
"""The mistakes that a search examines, about; the points are `MOST` at most."""
FEWEST, MOST = 6, 60
ON_PAPER = 12
"""The most elements of an array on a sheet."""

Draw: TypeAlias = Callable[..., Any]
"""Draws a value of an input: from its own value, a generator, and `all_digits`."""


class SlipId(NamedTuple):
    """Which slip it is, at whatever point: the row, the tag, its key, and a number."""

    row: str
    tag: str
    key: Any
    number: int


@dataclass(frozen=True)
class Made:
    """All slips at one point, and the right accumulators with the size of their parts."""

    slips: dict[SlipId, Slip]
    right: dict[str, tuple[Any, float]]

    def is_right(self, place: SlipId, tolerance: float) -> bool:
        """Whether a slip's number passes for the right one."""
        return _same(self.slips[place].value, *self.right[place.row], tolerance)

    def groups(self, places: Iterable[SlipId]) -> Iterator[list[SlipId]]:
        """Slips of one row with one number: each joins the first one that it passes for."""
        rows: dict[str, _Numbers] = {}
        for place in places:
            if place.row not in rows:
                rows[place.row] = _Numbers(self.right[place.row][1])
            rows[place.row].add(self.slips[place].value, place)
        for numbers in rows.values():
            yield from numbers.groups


class Seen(NamedTuple):
    """A slip at one point."""

    tag: str
    row: str
    slip: Slip
    visible: bool
    """Whether the number is another one, by more than the tolerance of handwriting."""
    exact: bool
    """Whether it is the very same number."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The wrong lines; an empty text stands for one that has no short form."""
        return self.slip.lines


class Confusion(NamedTuple):
    """Mistakes of different kinds that give the same wrong number in a row."""

    row: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """What the mistakes do at one point."""

    inputs: Mapping[str, Any]
    slips: tuple[Seen, ...]
    kink: bool
    """Whether the derivatives of both sides differ here: marking accepts either."""
    find_confused: Callable[[], Iterator[Confusion]]

    @cached_property
    def confused(self) -> tuple[Confusion, ...]:
        """What can't be told apart here; found out when it is asked for."""
        return tuple(dict.fromkeys(self.find_confused()))

    @cached_property
    def unseen(self) -> tuple[Seen, ...]:
        """The slips that change nothing."""
        return tuple(slip for slip in self.slips if not slip.visible)

    def worse(self, other: Finding) -> bool:
        """Whether another point tells more."""
        return (self.kink, self.rank) > (other.kink, other.rank)

    @property
    def rank(self) -> tuple[int, int]:
        """How little a point tells: the less, the better."""
        return len(self.unseen), len(self.confused)


class Lint:
    """A task and its mistakes, at any point."""

    def __init__(self, task: Task) -> None:
        self.task = task
        graph = task.result.graph
        names = [node.name for node in reversed(graph.nodes)]
        self.rows = tuple(n for n in names if n in task.accumulators and n != task.output)
        inputs = [graph.nodes[i].name for i in graph.inputs]
        self.inputs = {name: task.result.inputs[name] for name in inputs}
        lines = task.lines
        self.drawn: dict[str, Draw] = {
            **{name: partial(within, bounds) for name, bounds in lines.ranges.items()},
            **{name: partial(one_of, values) for name, values in lines.values.items()},
        }
        """How an input with a range or values of its own is drawn."""
        self.free = tuple(
            name
            for name in inputs
            if name in self.drawn
            or (name in task.asked and name not in lines.fixed
                and np.size(self.inputs[name]) <= ON_PAPER)
        )  # fmt: skip
        """The inputs that a search may change. Fixed ones stay; so do data without a gradient that
        is asked for, and what is too large to be worked with by hand, unless a line of the task
        gives them values."""

    def flow(self, inputs: Mapping[str, Any]) -> Flow | None:
        """The computation at a point; None where the program is not defined or has no gradient."""
        point = {**self.inputs, **inputs}
        try:
            return of_result(self.task.program.evaluate(point, wrt=self.task.asked, check=False))
        except GradcliError:
            return None

    def drawn_point(
        self, generator: random.Random, draw: Callable[[Any], Any], *, all_digits: bool
    ) -> dict[str, Any]:
        """The free inputs as their lines say they are drawn, else as `draw` does."""
        return {
            name: self.drawn[name](value, generator, all_digits=all_digits)
            if name in self.drawn
            else draw(value)
            for name in self.free
            for value in (self.inputs[name],)
        }

    # --- slips at a point ---

    def made(self, flow: Flow) -> Made:
        """All slips of a computation."""
        follows, parts = flow.passes({})
        made = Made({}, {})
        for row in self.rows:
            if row not in follows:
                continue
            case = Case(flow, row, parts, follows)
            sizes = (float(np.max(np.abs(part.value), initial=0.0)) for part in case.own)
            made.right[row] = follows[row], max(sizes, default=0.0)
            count: Counter[tuple[str, Any]] = Counter()
            for mistake, slip in slips(case):
                key = slip.lines if slip.key is None else slip.key
                count[mistake.tag, key] += 1
                place = SlipId(row, mistake.tag, key, count[mistake.tag, key])
                made.slips[place] = slip._replace(value=_plain(slip.value))
        return made

    @cached_property
    def size(self) -> int:
        """How many slips there are."""
        return len(self.made(self.task.flow).slips)

    @cached_property
    def general(self) -> list[Made]:
        """The slips at points in general position."""
        generator = _generator("general", self.task)
        found: list[Made] = []
        for i in range(PATIENCE * GENERAL):
            draw = partial(in_general, generator=generator, turn=i)
            flow = self.flow(self.drawn_point(generator, draw, all_digits=True))
            if flow is not None:
                found.append(self.made(flow))
            if len(found) == GENERAL:
                break
        return found

    @cached_property
    def harmless(self) -> frozenset[SlipId]:
        """The slips that are none: they give the right number at every point."""
        return frozenset(
            place
            for place in (self.general[0].slips if self.general else ())
            if all(place not in m.slips or m.is_right(place, ROUNDING) for m in self.general)
        )

    @cached_property
    def kinds(self) -> dict[SlipId, tuple[int, ...]]:
        """Slips that come to the same number at every point have the same kind."""
        kinds: dict[SlipId, tuple[int, ...]] = {}
        for made in self.general:
            for places in made.groups(made.slips):
                kind = hash(places[0])
                for place in places:
                    kinds[place] = (*kinds.get(place, ()), kind)
        return kinds

    def confusions(self, made: Made) -> Iterator[Confusion]:
        """Visible slips of several tags with one number, if it is not the same one everywhere."""
        shown = (place for place in made.slips if place not in self.harmless)
        for places in made.groups(p for p in shown if not made.is_right(p, TOLERANCE)):
            tags: dict[tuple[int, ...], set[str]] = {}
            for place in places:
                tags.setdefault(self.kinds.get(place, ()), set()).add(place.tag)
            everywhere = set(chain.from_iterable(permutations(of, 2) for of in tags.values()))
            pairs = combinations(tags.values(), 2)
            here = (pair for one, other in pairs for pair in product(one, other))
            if any(a != b and (a, b) not in everywhere for a, b in here):
                yield Confusion(places[0].row, tuple(sorted(set().union(*tags.values()))))

    def at(
        self, inputs: Mapping[str, Any] | None = None, *, smooth: bool = False
    ) -> Finding | None:
        """What the mistakes do at a point (the task's own without one).

        None where the program is not defined, or with `smooth` where it has a kink.
        """
        flow = self.task.flow if inputs is None else self.flow(inputs)
        kink = flow is not None and _has_kink(flow)
        if flow is None or (kink and smooth):
            return None
        made = self.made(flow)
        seen = []
        for place, slip in made.slips.items():
            if place not in self.harmless:
                near = made.is_right(place, TOLERANCE)
                exact = near and made.is_right(place, ROUNDING)
                seen.append(Seen(place.tag, place.row, slip, not near, exact))
        found = {**self.inputs, **(inputs or {})}
        return Finding(found, tuple(seen), kink, partial(self.confusions, made))

    # --- better points ---

    def better(
        self, purpose: str, number: int = 3, enough: tuple[int, int] = (0, 0)
    ) -> list[Finding]:
        """Points at which most is seen, the best first; the same ones for the same purpose.

        The search ends once there are `number` of them that tell `enough` (a rank).
        """
        found: list[Finding] = []
        good: list[Finding] = []
        tried = set()
        for inputs in self.candidates(purpose):
            key = tuple(np.asarray(value).tobytes() for value in inputs.values())
            finding = None if key in tried else self.at(inputs, smooth=True)
            tried.add(key)
            if finding is None:
                continue
            found.append(finding)
            if len(finding.unseen) <= enough[0] and finding.rank <= enough:
                good.append(finding)
                if len(good) == number:
                    found = good
                    break
        return sorted(found, key=lambda finding: finding.rank)[:number]

    def candidates(self, purpose: str) -> Iterator[dict[str, Any]]:
        """Points with few decimals, of the signs and sizes of the task's own."""
        if not self.free:
            return
        generator = _generator(purpose, self.task)
        for i in range(max(FEWEST, min(MOST, WORK // max(1, self.size)))):
            whole = i % 4 == 3 or (i >= PATIENCE and not self.general)
            draw = partial(short_number, generator=generator, width=1 + i / 20, keep_whole=whole)
            yield self.drawn_point(generator, draw, all_digits=False)


# --- numbers -----------------------------------------------------------------------------


def _has_kink(flow: Flow) -> bool:
    """Whether the derivatives of both sides differ: at such a point several answers are right."""
    right, *sides = (flow.passes({}, side=side)[0] for side in (0, -1, 1))
    return any(
        not _same(side[key], delta, 0.0, 1e-6) for side in sides for key, delta in right.items()
    )


class _Numbers:
    """The numbers of a row, those within rounding of each other as one.

    They are kept sorted by their first element: a new one is compared with those next to it.
    """

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.groups: list[list[SlipId]] = []
        self._firsts: dict[tuple[int, ...], list[tuple[float, ...]]] = {}
        """For each shape the first elements of its values, and which group they began."""
        self._values: list[Any] = []

    def add(self, value: Any, place: SlipId) -> None:
        """Put a slip into the first group that it belongs to, or into one of its own."""
        first = float(np.ravel(value)[0]) if np.size(value) else 0.0
        firsts = self._firsts.setdefault(np.shape(value), [])
        reach = 2 * (ROUNDING * abs(first) + 1e-12 * max(self.scale, 1e-300))
        start, end = (bisect_left(firsts, (first + by,)) for by in (-reach, reach))
        for k in sorted(int(k) for _, k in firsts[start:end]):
            if _same(value, self._values[k], self.scale, ROUNDING):
                self.groups[k].append(place)
                return
        if math.isfinite(first):  # what is not is like no other number
            insort(firsts, (first, len(self.groups)))
        self.groups.append([place])
        self._values.append(value)


def _plain(value: Any) -> Any:
    """The value, a number as such and not as an array without axes."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _same(value: Any, true: Any, scale: float, tolerance: float) -> bool:
    """Whether a number passes for another one, in shape and value."""
    if isinstance(value, float) and isinstance(true, float):  # the same without NumPy's cost
        one, other = float(value), float(true)
        return abs(one - other) <= tolerance * abs(other) + 1e-12 * max(scale, 1e-300)
    if np.shape(value) != np.shape(true):
        return False
    with np.errstate(all="ignore"):
        allowed = tolerance * np.abs(true) + 1e-12 * max(scale, 1e-300)
        return bool(np.all(np.abs(np.asarray(value) - true) <= allowed))


def _generator(purpose: str, task: Task) -> random.Random:
    """Random numbers that are the same everywhere for the same purpose and computation.

    Title, marks, comments and the point itself may change without changing them.
    """
    computation = (
        " ".join(
            (
                node.operation.name,
                *(str(o if isinstance(o, int) else o.text) for o in node.operands),
            )
        )
        for node in task.result.graph.nodes
        if node.operation is not None
    )
    text = "\0".join(("gradcli 1", purpose, *task.asked, *computation))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return random.Random(int.from_bytes(digest[:16], "big"))  # noqa: S311 - no secret
