"""The function under test, evaluated at many points at once.

A `Sampler` takes requests, "the function of this coordinate at these points", and serves any
number of them, of different coordinates, in one pass up the graph (`stencil`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from gradcli.check.choices import Signature
from gradcli.check.clock import Clock
from gradcli.check.function import Coordinate, Function
from gradcli.check.stencil import Outputs, Pass, Stencil, Visit, columns_of
from gradcli.engine.forward import line_up, operand_values
from gradcli.graph.graph import Graph, Node
from gradcli.ops.operation import Array, keywords

MOST_ELEMENTS = 3_000_000
"""The rows of a pass times the elements of the widest value don't exceed this: 24 MB."""

MOST_VALUES = 14_000_000
"""The rows of a pass times the nodes don't exceed this: 112 MB."""

HELD = 8
"""Points at x itself with jitter: they show the noise of f(x), and what moves the gradient."""


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


class Between:
    """The nodes between variables and output, as a pass shows them."""

    def __init__(self) -> None:
        self.nodes: list[int] = []
        self.sets: list[int] = []
        self.values: list[Array] = []

    def see(self, node: int, bits: int, values: Array) -> None:
        """Keep what is shown."""
        self.nodes.append(node)
        self.sets.append(bits)
        self.values.append(values)

    def samples(self, output: int, outputs: Outputs, count: int) -> list[Samples]:
        """Everything sorted by columns: for each the function first, then the nodes in order."""
        place, owner = columns_of([(1 << count) - 1, *self.sets], count)
        nodes = np.array([output, *self.nodes])[place]
        order = np.argsort(owner, kind="stable")
        y = np.concatenate([outputs.f, *self.values], axis=1)[:, order].T
        nodes = nodes[order]
        held = outputs.held()
        ends = np.cumsum(np.bincount(owner, minlength=count)).tolist()
        return [
            Samples(
                y[start:end],
                nodes[start:end].tolist(),
                outputs.signature[:, k],
                held,
                slice(k, None, count),
            )
            for k, (start, end) in enumerate(zip([0, *ends], ends, strict=False))
        ]


class Sampler(Function):
    """A function that serves requests for its values."""

    def __init__(
        self,
        graph: Graph,
        values: Sequence[Any],
        upstream: Any,
        seed: int = 0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(graph, values, upstream, seed)
        self.clock = clock
        self.ties = [node.id for node in self.graph.nodes if self._is_tied(node)]
        sizes = [node.type.size for node in reversed(self.graph.nodes)]
        self._widest: list[int] = list(accumulate(sizes, max))[::-1]

    def _is_tied(self, node: Node) -> bool:
        """Whether the point is on the border between two branches of the operation."""
        if node.operation is None or node.operation.tie is None or not node.carries:
            return False
        if not self.speaking[node.id]:
            return False
        if len(node.operands) == 2 and node.operands[0] == node.operands[1]:
            return False
        arguments = operand_values(node, self.values)
        arguments = line_up(self.graph, node, arguments)
        return bool(np.any(node.operation.tie(*arguments, **keywords(node.kernel))))

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
        size = len(requests) * max(len(r.t) for r in requests)
        limit = min(self.rows_at_once(r.coordinate) for r in requests)
        if size <= limit or (len(requests) == 1 and len(requests[0].t) == 1):
            return self._served(requests)
        if len(requests) == 1:
            return [self._in_parts(_parts(requests[0], limit))]
        half = len(requests) // 2
        return self.sample(requests[:half]) + self.sample(requests[half:])

    def _served(self, requests: list[Request]) -> list[Samples]:
        """Serve requests in one pass; if one has jitter, all have it at as many last points."""
        order = sorted(range(len(requests)), key=lambda k: self.place[requests[k].coordinate.node])
        ordered = [requests[k] for k in order]
        longest = max(len(r.t) for r in ordered)
        t = np.empty((longest, len(ordered)))
        for k, r in enumerate(ordered):
            missing = longest - len(r.t)
            t[0, k], t[1 : missing + 1, k], t[missing + 1 :, k] = r.t[0], r.t[0], r.t[1:]
        first = ordered[0]
        stencil = Stencil([r.coordinate for r in ordered], t, first.jittered, first.held)
        between = Between()
        watched = any(r.watched for r in ordered)
        outputs = Pass(self, stencil, between.see if watched else None).run()
        found = between.samples(self.graph.output, outputs, len(ordered))
        served: list[Samples] = [*found]
        for k, r, samples in zip(order, ordered, found, strict=True):
            keep = np.r_[0, longest - len(r.t) + 1 : longest]
            if len(r.t) < longest:
                samples.y, samples.signature = samples.y[:, keep], samples.signature[keep]
            served[k] = samples
        return served

    def climb(self, stencil: Stencil, visit: Visit | None) -> Outputs:
        """One pass with all points of a stencil; a `visit` is shown the nodes between."""
        return Pass(self, stencil, visit).run()

    def _in_parts(self, parts: list[Request]) -> Samples:
        """The answer to a request that takes several passes, if there is time for them."""
        begun = self.clock.spent if self.clock else 0.0
        found: list[Samples] = []
        for part in parts:
            found += self._served([part])
            if self.clock:
                self.clock.foresee(begun, len(found), len(parts))
        return _joined(found)


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
    return Samples(y, parts[0].nodes, signature, held, slice(None))
