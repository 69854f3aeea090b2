"""The function under test, evaluated at many points at once.

A `Coordinate` is one real variable: a node that is a number, an element of an array, or a
direction through an array. Everything else being fixed, the output is a function of it. A
`Sampler` takes requests, "the function of this coordinate at these points", and serves any
number of them, of different coordinates, in one pass up the graph: every kernel is called
once for all rows of all requests. That is why a check of a hundred points per node costs
little more than a few evaluations of the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from gradcli.check.choices import (
    Signature,
    branch_codes,
    chooses,
    chosen,
    mixed,
    speaking,
    spread,
)
from gradcli.check.clock import Clock
from gradcli.check.inline_blocks import Flat
from gradcli.check.jitter import SHORT, Jitter, error_of_sum
from gradcli.engine.forward import fill_in, line_up, operand_values
from gradcli.graph.graph import Graph, Node
from gradcli.ops.operation import Array, keywords

MOST_ELEMENTS = 3_000_000
"""The rows of a pass times the elements of the widest value don't exceed this: 24 MB."""

MOST_VALUES = 12_000_000
"""The rows of a pass times the nodes don't exceed this: 96 MB."""

_GOLDEN = 0.6180339887498949
"""Multiples of it, modulo 1, spread evenly; they are the weights of an array's elements."""


class Coordinate:
    """One real variable of the program: where it is, and its value `x`.

    Along a `direction` U through an array W the variable is t in W + (t - 1)·U, so x = 1.
    """

    __slots__ = ("direction", "index", "node", "value", "x")

    def __init__(
        self,
        node: int,
        value: Any,
        index: tuple[int, ...] | None = None,
        direction: Array | None = None,
    ) -> None:
        self.node, self.value, self.index, self.direction = node, value, index, direction
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
        if self.direction is not None:
            axes = tuple(range(-self.direction.ndim, 0))
            return (accumulator * self.direction).sum(axis=axes)
        place: Any = (..., *(self.index or ()))
        return accumulator if self.index is None else accumulator[place]


class Points(NamedTuple):
    """Where the function of a coordinate is wanted; the first point is x itself.

    The last `jittered` of them are computed with rounding jitter; of these the last `held` stay
    at x, and every node's value there is kept, for the scatter of the gradient.
    """

    t: Array
    jittered: int = 0
    held: int = 0


class Request:
    """Points and the coordinate that they are of."""

    __slots__ = ("coordinate", "held", "jittered", "t", "watched")

    def __init__(self, coordinate: Coordinate, points: Points, *, watched: bool = False) -> None:
        """If `watched`, or if there is jitter, the nodes between are shown as well."""
        self.coordinate = coordinate
        self.t, self.jittered, self.held = points
        self.watched = watched or self.jittered > 0


class Samples:
    """What a request found, a column per point.

    Row 0 of `y` is the function, the others are the nodes between (arrays projected to a
    number), whose numbers in the flat graph are `nodes`. The `signature` differs from point 0's
    where some operation is on another branch. `held` has the values at the held points of all
    requests that were served in one pass, of which `rows` are this one's; `scatter` is how far
    rounding moves the accumulator itself (see `gradcli.check.scatter`).
    """

    __slots__ = ("held", "nodes", "rows", "scatter", "signature", "y")

    def __init__(
        self,
        y: Array,
        nodes: list[int],
        signature: Signature,
        held: dict[int, Array],
        rows: slice,
    ) -> None:
        self.y, self.nodes, self.signature, self.held, self.rows = y, nodes, signature, held, rows
        self.scatter = 0.0


class Sampler:
    """The program as a function of any of its coordinates, about the point where it stands.

    `values` are the nodes' values at that point, `upstream` the weights of the output's elements.
    """

    def __init__(
        self,
        graph: Graph,
        values: Sequence[Any],
        upstream: Any,
        seed: int = 0,
        clock: Clock | None = None,
    ) -> None:
        flat = Flat(graph)
        self.clock = clock
        self.place = flat.place
        self.graph = flat.graph
        self.upstream = upstream
        self.jitter = Jitter(seed)
        self.values = list(values) if flat.graph is graph else _values(flat, values)
        self.speaking = speaking(self.graph, self.values)
        """For every node whether the output takes anything of it (see `choices`)."""
        self.ties = [node.id for node in self.graph.nodes if self._is_tied(node)]
        sizes = [node.type.size for node in reversed(self.graph.nodes)]
        self._widest: list[int] = list(accumulate(sizes, max))[::-1]
        self._done_after: list[list[int]] = [[] for _ in self.graph.nodes]
        """For every node those that nothing behind it uses."""
        for i, users in enumerate(self.graph.consumers):
            if i != self.graph.output:
                self._done_after[users[-1] if users else i].append(i)

    def _is_tied(self, node: Node) -> bool:
        """Whether the point is on the border between two branches of the operation."""
        operation = node.operation
        if operation is None or operation.tie is None or not node.carries:
            return False
        if not self.speaking[node.id]:
            return False
        assert node.kernel is not None
        if len(node.operands) == 2 and node.operands[0] == node.operands[1]:
            return False
        arguments = operand_values(node, self.values)
        arguments = line_up(self.graph, node, arguments)
        return bool(np.any(operation.tie(*arguments, **keywords(node.kernel))))

    def ties_of(self, coordinate: Coordinate) -> list[Node]:
        """The operations that depend on a coordinate and stand on a border."""
        if not self.ties:
            return []
        downstream = set(self.graph.downstream(self.place[coordinate.node]))
        return [self.graph.nodes[i] for i in self.ties if i in downstream]

    def rows_at_once(self, coordinate: Coordinate) -> int:
        """How many rows of this coordinate fit into one pass."""
        start: int = self.place[coordinate.node]
        nodes = len(self.graph.nodes) - start
        return max(1, min(MOST_ELEMENTS // max(self._widest[start], 1), MOST_VALUES // nodes))

    def sample(self, requests: list[Request]) -> list[Samples]:
        """Serve every request, in as many passes as memory asks for.

        Raises `OutOfTimeError` where one request takes several, and too long.
        """
        size = sum(len(r.t) for r in requests)
        limit = min(self.rows_at_once(r.coordinate) for r in requests)
        if size <= limit or (len(requests) == 1 and len(requests[0].t) == 1):
            return _Pass(self, requests).run()
        if len(requests) == 1:
            return [self._in_parts(_parts(requests[0], limit))]
        half = len(requests) // 2
        return self.sample(requests[:half]) + self.sample(requests[half:])

    def _in_parts(self, parts: list[Request]) -> Samples:
        """The answer to a request that takes several passes, if there is time for them."""
        begun = self.clock.spent if self.clock else 0.0
        found: list[Samples] = []
        for part in parts:
            found += _Pass(self, [part]).run()
            if self.clock:
                self.clock.foresee(begun, len(found), len(parts))
        return _joined(found)

    def total(self, output: Array) -> Array:
        """The function's values: upstream · output, summed over the output's elements."""
        if output.ndim == 1:
            return output if self.upstream == 1 else output * self.upstream
        flat = output.reshape(len(output), -1)
        result: Array = flat @ np.ravel(self.upstream)
        return result


def _values(flat: Flat, original: Sequence[Any]) -> list[Any]:
    """The values of a flat graph's nodes: the original's, and what is inside its blocks."""
    values: list[Any] = [None] * len(flat.graph.nodes)
    for i, place in enumerate(flat.place):
        values[place] = original[i]
    return fill_in(flat.graph, values)


def _parts(request: Request, rows: int) -> list[Request]:
    """A request cut into smaller ones, each of one kind of points."""
    plain = len(request.t) - request.jittered
    moved = len(request.t) - request.held
    bounds = ((0, plain, 0, 0), (plain, moved, 1, 0), (moved, len(request.t), 1, 1))
    cuts = [
        (slice(i, min(i + rows, end)), jittered, held)
        for start, end, jittered, held in bounds
        for i in range(start, end, rows)
    ]
    return [
        Request(
            request.coordinate,
            Points(t := request.t[cut], len(t) * jittered, len(t) * held),
            watched=request.watched,
        )
        for cut, jittered, held in cuts
    ]


def _joined(parts: list[Samples]) -> Samples:
    """The answer to a request from the answers to its parts."""
    y = np.concatenate([part.y for part in parts], axis=1)
    signature = np.concatenate([part.signature for part in parts])
    last = [p for p in parts if p.held]
    held = {i: np.concatenate([p.held[i] for p in last]) for i in parts[-1].held}
    count = len(next(iter(held.values()), ()))
    return Samples(y, parts[0].nodes, signature, held, slice(0, count))


def _terms(graph: Graph, node: Node) -> int:
    """About how many terms an element of the result is the sum of."""
    largest = max(graph.operand_type(o).size for o in node.operands)
    return largest // max(node.type.size, 1)


class _Pass:
    """One way up the graph with all rows of some requests.

    `owners` says for each node which requests are about it, as a set of bits; the bits in
    `touched` say which requests' rows move a node. Rows that don't move it hold its value.
    """

    def __init__(self, sampler: Sampler, requests: list[Request]) -> None:
        self.sampler, self.requests = sampler, requests
        lengths = [len(r.t) for r in requests]
        self.ends = np.cumsum(lengths).tolist()
        self.starts = [end - n for end, n in zip(self.ends, lengths, strict=True)]
        self.rows = self.ends[-1]
        self.owner = np.repeat(np.arange(len(requests)), lengths)
        self.shaky: Any = np.zeros(self.rows, dtype=bool)
        held: list[Array] = []
        for r, end in zip(requests, self.ends, strict=True):
            self.shaky[end - r.jittered : end] = True
            held.append(np.arange(end - r.held, end))
        self.alone: slice | None = None
        """The held rows as a slice, if there is one request only."""
        if len(requests) == 1:
            self.shaky = slice(self.rows - requests[0].jittered, self.rows)
            self.alone = slice(self.rows - requests[0].held, self.rows)
        self.held = np.concatenate(held)
        self.jittered = any(r.jittered for r in requests)
        self.watched = any(r.watched for r in requests)
        self.here: dict[int, list[int]] = {}
        for k, r in enumerate(requests):
            self.here.setdefault(sampler.place[r.coordinate.node], []).append(k)
        self.now: dict[int, Array] = {}
        self.touched: dict[int, int] = {}
        self.series: list[Array] = []
        self.series_of: list[tuple[int, int]] = []
        self.kept: dict[int, Array] = {}
        self._masks: dict[int, Array] = {}
        self.choices: dict[int, tuple[Any, Any]] = {}
        """What every `where` takes, row by row."""
        self.codes: dict[int, Array] = {}
        """The branches of every operation, row by row."""

    def run(self) -> list[Samples]:
        """Fill in all rows and hand them out."""
        graph = self.sampler.graph
        everyone = (1 << len(self.requests)) - 1
        done_after = self.sampler._done_after  # noqa: SLF001 - one of its own
        speaking = self.sampler.speaking
        for node in graph.nodes[min(self.here) :]:
            i = node.id
            moved = 0
            for o in node.operands:
                if type(o) is int:
                    moved |= self.touched.get(o, 0)
            mine = self.here.get(i, ())
            if not moved and not mine:
                continue
            if not moved and len(self.requests) == 1:
                value = self.requests[0].coordinate.rows(self.requests[0].t)
            else:
                value = self._computed(node) if moved else self._base(i)
                if mine or moved != everyone:
                    value = self._with_fixed_rows(value, i, moved, mine)
            self.now[i] = value
            if self.watched and moved and i != graph.output and speaking[i]:
                self.series.append(self._projected(value, i))
                self.series_of.append((i, moved))
            for k in mine:
                moved |= 1 << k
            self.touched[i] = moved
            if len(self.held):
                self.kept[i] = value[self.alone].copy() if self.alone else value[self.held]
            for done in done_after[i]:
                self.now.pop(done, None)
        return self._handed_out()

    def _base(self, i: int) -> Array:
        value = np.asarray(self.sampler.values[i])
        return np.broadcast_to(value, (self.rows, *value.shape))

    def _computed(self, node: Node) -> Array:
        """The operation on all rows, with jitter where that is wanted."""
        sampler, operation, operands = self.sampler, node.operation, node.operands
        assert operation is not None
        assert node.kernel is not None
        now, values = self.now, sampler.values
        arguments: list[Any] = []
        for o in operands:
            if type(o) is not int:
                arguments.append(o.value)  # type: ignore[union-attr]
            elif o in now:
                value = now[o]
                if operation.composite and self.jittered:
                    value = sampler.jitter.disturb(value, self.shaky)
                arguments.append(value)
            else:
                arguments.append(values[o])
        if not node.aligned:
            arguments = line_up(sampler.graph, node, arguments)
        if operation.branch is not None:
            code = np.asarray(operation.branch(*arguments, **keywords(node.kernel)))
            if not operation.elementwise or code.ndim > len(node.type.shape):
                self.codes[node.id] = branch_codes(code, self.rows)
        if chooses(node):
            self.choices[node.id] = chosen(arguments[0], self.rows)
        value = node.kernel(*arguments)
        if value.ndim == len(node.type.shape):
            value = np.broadcast_to(value, (self.rows, *value.shape))
        if not self.jittered or operation.exact:
            return value
        if operation.elementwise:
            return sampler.jitter.disturb(value, self.shaky)
        return sampler.jitter.disturb(value, self.shaky, error_of_sum(_terms(sampler.graph, node)))

    def _with_fixed_rows(self, value: Array, i: int, moved: int, mine: Sequence[int]) -> Array:
        """Rows that leave the node where it is, and rows that set it."""
        base = self.sampler.values[i]
        value = np.where(self._mask(moved).reshape((-1,) + (1,) * (value.ndim - 1)), value, base)
        for k in mine:
            request = self.requests[k]
            value[self.starts[k] : self.ends[k]] = request.coordinate.rows(request.t)
        return value

    def _mask(self, bits: int) -> Array:
        """The rows of the requests in a set."""
        if bits not in self._masks:
            chosen = [bool(bits >> k & 1) for k in range(len(self.requests))]
            self._masks[bits] = np.array(chosen)[self.owner]
        return self._masks[bits]

    def _projected(self, value: Array, i: int) -> Array:
        """A value as one number per row: an array along a fixed direction without zeros.

        The sum is rounded like any other, so where there is jitter it is disturbed.
        """
        if value.ndim == 1:
            return value
        flat = value.reshape(len(value), -1)
        if flat.shape[1] == 1:
            return flat[:, 0]
        jitter, terms = self.sampler.jitter, flat.shape[1]
        flat = jitter.disturb(flat, self.shaky)
        weights = 0.5 + np.arange(i + 1, i + 1 + terms) * _GOLDEN % 1.0 / 2
        projected: Array = flat @ weights
        if terms <= SHORT:
            return projected
        return jitter.disturb(projected, self.shaky, error_of_sum(terms))

    def _handed_out(self) -> list[Samples]:
        sampler = self.sampler
        place = sampler.graph.output
        output = self.now[place] if place in self.now else self._base(place)
        if self.jittered and output.ndim > 1:
            output = sampler.jitter.disturb(output, self.shaky)
        f = sampler.total(output)
        say = spread(sampler.graph, self.touched, self.choices) if self.choices else None
        signature = mixed(self.codes, say, self.rows)
        y = np.array([f, *self.series])
        ids = np.array([i for i, _ in self.series_of], dtype=np.int64)
        moved = np.array([bits for _, bits in self.series_of], dtype=np.uint64)
        result, start = [], 0
        for k, request in enumerate(self.requests):
            (chosen,) = np.nonzero(moved >> np.uint64(k) & np.uint64(1))
            rows = slice(self.starts[k], self.ends[k])
            held_rows = slice(start, start + request.held)
            start += request.held
            result.append(
                Samples(
                    y[np.append(0, chosen + 1), rows],
                    [place, *ids[chosen].tolist()],
                    signature[rows],
                    self.kept if request.held else {},
                    held_rows,
                )
            )
        return result
