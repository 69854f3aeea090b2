"""Where boxes and wires go in a drawing: a layered layout, without Graphviz.

Boxes of known sizes, their layers and the wires between them come in; centres and the points of
every wire come out. The first coordinate goes along the way of the data, the second across it, so
that the same layout serves a drawing to the right and one downwards. The steps are those of
Sugiyama, Tagawa and Toda (1981): layers by the longest way from the inputs (`Drawing.layers`),
places in a layer by the barycenters of the neighbours, and for the coordinates the least squares
that keep the order (pool adjacent violators).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 12
"""Times that the places are improved, forth and back."""

GAP_ACROSS, WIRE = 22.0, 14.0
"""Room between boxes of a layer, and what a wire takes on its way past them."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Size:
    """What a box takes: along the way of the data, and across it."""

    along: float
    across: float


@dataclass(frozen=True)
class Layout:
    """Centres of boxes, the points that every wire goes through, and the whole size."""

    centres: dict[int, Point]
    wires: list[list[Point]]
    along: float
    across: float


def layout(
    sizes: Mapping[int, Size],
    layer: Mapping[int, int],
    wires: Sequence[tuple[int, int]],
    rooms: Sequence[float],
) -> Layout:
    """The layout of boxes in layers, with wires from earlier to later ones.

    `rooms` has for every wire what must be free in front of the box that it leads to.
    """
    chains = _chains(layer, wires)
    size = dict(sizes)
    rank = dict(layer)
    for chain in chains:
        for k, point in enumerate(chain[1:-1], rank[chain[0]] + 1):
            size[point], rank[point] = Size(0.0, WIRE), k
    columns: list[list[int]] = [[] for _ in range(1 + max(rank.values(), default=0))]
    for i in sorted(rank, key=lambda i: (i < 0, abs(i))):
        columns[rank[i]].append(i)
    before, after = _neighbours(rank, chains)
    columns = _ordered(columns, before, after)
    across = _across(columns, size, before, after)
    gaps = [0.0] * len(columns)
    for (_, target), room in zip(wires, rooms, strict=True):
        gaps[rank[target]] = max(gaps[rank[target]], room)
    along = _along(columns, size, gaps)
    lowest = min((across[i] - size[i].across / 2 for i in across), default=0.0)
    centres = {i: (along[rank[i]], across[i] - lowest) for i in rank}
    points = [[centres[i] for i in chain] for chain in chains]
    return Layout(
        {i: centres[i] for i in sizes},
        points,
        along[-1] + max((size[i].along for i in columns[-1]), default=0.0) / 2 if rank else 0.0,
        max((centres[i][1] + size[i].across / 2 for i in rank), default=0.0),
    )


def _chains(layer: Mapping[int, int], wires: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Each wire as its ends and a point (a negative number) in every layer between them."""
    chains, made = [], 0
    for source, target in wires:
        between = layer[target] - layer[source] - 1
        chains.append([source, *(-(made + k + 1) for k in range(between)), target])
        made += between
    return chains


Neighbours = dict[int, list[int]]


def _neighbours(rank: dict[int, int], chains: list[list[int]]) -> tuple[Neighbours, Neighbours]:
    before: Neighbours = {i: [] for i in rank}
    after: Neighbours = {i: [] for i in rank}
    for chain in chains:
        for a, b in pairwise(chain):
            after[a].append(b)
            before[b].append(a)
    return before, after


def _ordered(columns: list[list[int]], before: Neighbours, after: Neighbours) -> list[list[int]]:
    """The order of every layer with the fewest crossings that the sweeps have come upon."""
    best, fewest = columns, _crossings(columns, after)
    now = [[*column] for column in columns]
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        forth = sweep % 2 == 0
        around = before if forth else after
        places = range(1, len(now)) if forth else range(len(now) - 2, -1, -1)
        for k in places:
            at = {i: p for p, i in enumerate(now[k - 1 if forth else k + 1])}
            old = {i: float(p) for p, i in enumerate(now[k])}
            wanted = {i: _mean([at[j] for j in around[i] if j in at], old[i]) for i in now[k]}
            now[k].sort(key=lambda i: (wanted[i], old[i]))
        crossings = _crossings(now, after)
        if crossings < fewest:
            best, fewest = [[*column] for column in now], crossings
    return best


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(columns: list[list[int]], after: Neighbours) -> int:
    """How many pairs of wires cross between neighbouring layers."""
    count = 0
    for left, right in pairwise(columns):
        at = {i: p for p, i in enumerate(right)}
        ends = [p for i in left for p in sorted(at[j] for j in after[i] if j in at)]
        seen: list[int] = []
        for p in ends:
            count += sum(q > p for q in seen)
            seen.append(p)
    return count


def _across(
    columns: list[list[int]], size: Mapping[int, Size], before: Neighbours, after: Neighbours
) -> dict[int, float]:
    """Coordinates across: each box as near to its neighbours as the order allows."""
    at: dict[int, float] = {}
    for column in columns:
        place = 0.0
        for i, step in zip(column, _distances(column, size), strict=True):
            place += step
            at[i] = place
    for sweep in range(SWEEPS):
        forth = sweep % 2 == 0
        for column in columns if forth else reversed(columns):
            around, other = (before, after) if forth else (after, before)
            wanted = [_mean([at[j] for j in around[i] or other[i]], at[i]) for i in column]
            at |= zip(column, _spread(wanted, _distances(column, size)), strict=True)
    return at


def _distances(column: list[int], size: Mapping[int, Size]) -> list[float]:
    """How far each box of a layer must be from the one before it; 0 for the first."""
    found = [0.0]
    for a, b in pairwise(column):
        gap = GAP_ACROSS if a >= 0 and b >= 0 else GAP_ACROSS / 2
        found.append((size[a].across + size[b].across) / 2 + gap)
    return found[: len(column)]


def _spread(wanted: list[float], distances: list[float]) -> list[float]:
    """The places nearest to those wanted (least squares) that keep order and distances."""
    offsets = [sum(distances[: k + 1]) for k in range(len(distances))]
    blocks: list[tuple[float, int]] = []
    for value, offset in zip(wanted, offsets, strict=True):
        mean, count = value - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, n = blocks.pop()
            mean, count = (mean * count + other * n) / (count + n), count + n
        blocks.append((mean, count))
    free = [mean for mean, count in blocks for _ in range(count)]
    return [place + offset for place, offset in zip(free, offsets, strict=True)]


def _along(columns: list[list[int]], size: Mapping[int, Size], gaps: list[float]) -> list[float]:
    """The middle of every layer."""
    found, end = [], 0.0
    for k, column in enumerate(columns):
        room = max((size[i].along for i in column), default=0.0)
        found.append(end + (gaps[k] if k else 0.0) + room / 2)
        end = found[-1] + room / 2
    return found
