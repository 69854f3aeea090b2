"""The function under test, evaluated at many points at once.

Requests come in, "the function of this coordinate at these points". Any number of them, of
different coordinates, are served in one pass up the graph (`stencil`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gradcli.check.choices import Signature
from gradcli.check.clock import Clock
from gradcli.check.function import Coordinate, Function
from gradcli.check.stencil import Pass, Seen, Stencil, columns_of
from gradcli.ops.operation import Array

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


class Request(NamedTuple):
    """Points and the coordinate that they are of."""

    coordinate: Coordinate
    points: Points
    watched: bool
    """Whether the nodes between are shown as well."""


@dataclass(slots=True)
class Samples:
    """What a request found, a column per point.

    Row 0 of `y` is the function, the others are the nodes between (arrays projected to a
    number), whose numbers in the flat graph are `nodes`. The `signature` differs from point 0's
    where some operation is on another branch. `held` has the values at the held points of all
    requests that were served in one pass, of which `rows` are this one's; `scatter` is how far
    rounding moves the accumulator itself (see `gradcli.check.scatter`).
    """

    y: Array
    nodes: list[int]
    signature: Signature
    held: dict[int, Array]
    rows: slice
    scatter: float = 0.0


def rows_at_once(function: Function, coordinate: Coordinate) -> int:
    """How many rows of this coordinate fit into one pass."""
    start: int = function.place[coordinate.node]
    nodes, widest = len(function.graph.nodes) - start, function.widest[start]
    return max(1, min(MOST_ELEMENTS // max(widest, 1), MOST_VALUES // nodes))


def sample(
    function: Function, requests: list[Request], clock: Clock | None = None
) -> list[Samples]:
    """Serve every request, in as many passes as memory asks for.

    Raises `OutOfTimeError` where one request takes several, and longer than the clock allows.
    """
    size = len(requests) * max(len(r.points.t) for r in requests)
    limit = min(rows_at_once(function, r.coordinate) for r in requests)
    if size <= limit or (len(requests) == 1 and len(requests[0].points.t) == 1):
        return _served(function, requests)
    if len(requests) > 1:
        half = len(requests) // 2
        first = sample(function, requests[:half], clock)
        return first + sample(function, requests[half:], clock)
    begun = clock.spent if clock else 0.0
    found: list[Samples] = []
    parts = _parts(requests[0], limit)
    for part in parts:
        found += _served(function, [part])
        if clock:
            clock.foresee(begun, len(found), len(parts))
    return [_joined(found)]


def _served(function: Function, requests: list[Request]) -> list[Samples]:
    """Serve requests in one pass; if one has jitter, all have it at as many last points."""
    place, count = function.place, len(requests)
    order = sorted(range(count), key=lambda k: place[requests[k].coordinate.node])
    ordered = [requests[k] for k in order]
    longest = max(len(r.points.t) for r in ordered)
    t = np.empty((longest, count))
    for k, r in enumerate(ordered):
        missing = longest - len(r.points.t)
        t[: missing + 1, k], t[missing + 1 :, k] = r.points.t[0], r.points.t[1:]
    _, jittered, held_points = ordered[0].points
    stencil = Stencil([r.coordinate for r in ordered], t, jittered, held_points)
    seen: list[Seen] = []
    watched = any(r.watched for r in ordered)
    outputs = Pass(function, stencil, seen.append if watched else None).run()
    output = function.graph.output, (1 << count) - 1, outputs.f
    nodes, sets, values = zip(output, *seen, strict=True)
    # Sorted by columns: for each the function first, then the nodes in order.
    rows, owner = columns_of(sets, count)
    by_owner = np.argsort(owner, kind="stable")
    y = np.concatenate(values, axis=1)[:, by_owner].T
    shown = np.array(nodes)[rows][by_owner]
    held, found = outputs.held(), dict[int, Samples]()
    ends = np.cumsum(np.bincount(owner, minlength=count)).tolist()
    for k, (own, r, start, end) in enumerate(zip(order, ordered, [0, *ends], ends, strict=False)):
        keep: Any = slice(None)
        if (missing := longest - len(r.points.t)) > 0:
            keep = np.r_[0, missing + 1 : longest]
        signature, mine = outputs.signature[:, k], slice(k, None, count)
        found[own] = Samples(
            y[start:end, keep], shown[start:end].tolist(), signature[keep], held, mine
        )
    return [found[k] for k in range(count)]


def _parts(request: Request, rows: int) -> list[Request]:
    """A request cut into smaller ones, each of one kind of points."""
    t, jittered, held = request.points
    bounds = ((0, len(t) - jittered, 0, 0), (len(t) - jittered, len(t) - held, 1, 0))
    return [
        request._replace(points=Points(part, len(part) * shaken, len(part) * still))
        for start, end, shaken, still in (*bounds, (len(t) - held, len(t), 1, 1))
        for i in range(start, end, rows)
        for part in (t[i : min(i + rows, end)],)
    ]


def _joined(parts: list[Samples]) -> Samples:
    """The answer to a request from the answers to its parts."""
    y = np.concatenate([part.y for part in parts], axis=1)
    signature = np.concatenate([part.signature for part in parts])
    last = [p for p in parts if p.held]
    held = {i: np.concatenate([p.held[i] for p in last]) for i in parts[-1].held}
    return Samples(y, parts[0].nodes, signature, held, slice(None))
