"""A graph differentiated twice: the Hessian as numbers, whole or times a vector.

The gradient is a graph (`adjoint`), so its derivative along a vector v, the sum of all
v · δ differentiated once more, is one too: the product of Hessian and v in about four times the
work of a gradient. With a batch of unit vectors in the place of v, it is the matrix; of vectors
for several elements at once, where the graph says which derivatives are zero (`sparsity`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcli.derivatives.rows import Rows
from gradcli.derivatives.sparsity import LEAST, coloured, pairs, patterns
from gradcli.derivatives.undefined import refuse
from gradcli.engine.adjoint import Adjoint, adjoint
from gradcli.engine.forward import all_finite
from gradcli.graph.graph import Graph, Node
from gradcli.ops.operation import Array, Type
from gradcli.results.corners import with_corners
from gradcli.results.matrices import Colours, continued, directions

if TYPE_CHECKING:
    from gradcli.derivatives.line import Line


@dataclass(frozen=True)
class Twice:
    """A graph, its gradient, and the gradient's derivative along a vector."""

    graph: Graph
    wrt: tuple[int, ...]
    first: Adjoint
    second: Adjoint
    names: dict[int, str]
    """For every input the name of the input that holds its part of the vector."""

    def size(self, node: int) -> int:
        """The number of elements of a node."""
        return self.graph.nodes[node].type.size

    @cached_property
    def corners(self) -> list[Node]:
        """The nodes that may be at a corner."""
        return with_corners(self.graph)

    @cached_property
    def places(self) -> dict[int, slice]:
        """Where the elements of each input stand among those of all."""
        ends = np.cumsum([0, *map(self.size, self.wrt)]).tolist()
        return {i: slice(*ends[k : k + 2]) for k, i in enumerate(self.wrt)}

    @cached_property
    def total(self) -> int:
        """The number of elements of all inputs."""
        return sum(map(self.size, self.wrt))

    @cached_property
    def headings(self) -> dict[tuple[int, int | None], tuple[str, str, Type, Type]]:
        """What a block of the matrix is called, and the types of its rows and columns.

        Without a column it is a part of the product with a vector.
        """
        nodes = self.graph.nodes
        columns: dict[int | None, tuple[str, Type]] = {None: ("v", Type(()))}
        columns |= {i: (nodes[i].name, nodes[i].type) for i in self.wrt}
        return {
            (i, j): (nodes[i].name, name, nodes[i].type, of)
            for i in self.wrt
            for j, (name, of) in columns.items()
        }

    @cached_property
    def rows(self) -> Rows:
        """The passes for all directions."""
        nodes = self.graph.nodes
        types = {self.names[i]: nodes[i].type for i in self.wrt}
        wanted = [(self.second.deltas.get(i), nodes[i].type) for i in self.wrt]
        return Rows(self.second.graph, types, wanted)

    def line(self, *, along: bool) -> Line | None:
        """The matrix, or the product with a vector, as a function of the inputs' values."""
        from gradcli.derivatives.elements import Function  # noqa: PLC0415 - most run once

        active = self.graph.dependent(set(self.wrt))
        compressed = None if along else self.compressed
        return Function(
            self.rows if compressed is None else compressed.rows,
            self.graph,
            [*range(len(self.graph.nodes)), *self.first.deltas.values()],
            len(self.first.graph.nodes),
            [node for node in self.corners if active[node.id]],
            along=along,
            matrix=None if compressed is None else compressed.matrix,
            symmetric=not along and compressed is None,
        ).written()

    @cached_property
    def compressed(self) -> _Compressed | None:
        """The passes for combined directions; None where it does not pay to combine them."""
        return _compressed(self)


class _Compressed(NamedTuple):
    """Passes for colours of directions, and the places of their results in the matrix."""

    rows: Rows
    whole: Array
    """The elements whose rows and columns are full: each is a direction by itself."""
    places: tuple[Array, Array]
    """Rows and columns of the others' elements that may be other than zero."""
    mirrored: Array
    """The number of each of these places with row and column exchanged."""

    def matrix(self, made: Array) -> Array:
        """The Hessian, from the derivatives along the combined directions."""
        (rows, columns), colour, whole = self.places, self.rows.colours.of, self.whole
        matrix = np.zeros((made.shape[1], made.shape[1]))
        found = made[colour[rows], columns]
        matrix[rows, columns] = _mean(found, found[self.mirrored])
        if len(whole):
            full = made[colour[whole]]
            full[:, whole] = _mean(full[:, whole], full[:, whole].T)
            matrix[whole] = full
            matrix[:, whole] = full.T
        return matrix


def _mean(one: Array, other: Array) -> Array:
    """The mean of the two halves of a matrix, which differ by rounding."""
    if math.isfinite(np.vdot(one, one)):  # no sum overflows
        return (one + other) * 0.5
    same = one == other
    return np.where(same, one, one / 2 + other / 2)


def _compressed(made: Twice) -> _Compressed | None:
    """Combined directions where rows have few nonzeros; full rows get one direction each."""
    total = made.total
    if total < LEAST:
        return None
    held = [i for i in made.wrt if i in made.first.deltas]
    found = patterns(made.first.graph, made.wrt, [made.first.deltas[i] for i in held])
    rows, columns, first = list[Array](), list[Array](), 0
    whole: list[int] = []
    for i in made.wrt:
        pattern = (
            found[made.first.deltas[i]] if i in held else np.zeros((made.size(i), 0), dtype=int)
        )
        if pattern is None:
            whole += range(first, first + made.size(i))
        else:
            own, others = pairs(pattern)
            rows.append(own + first)
            columns.append(others)
        first += made.size(i)
    if 2 * len(whole) >= total:
        return None
    row, column = np.concatenate(rows), np.concatenate(columns)
    full = np.zeros(total, dtype=bool)
    full[whole] = True
    kept = ~full[column]
    both = row[kept] * total + column[kept], column[kept] * total + row[kept]
    places = np.unique(np.concatenate(both))
    row, column = places // total, places % total
    colours = coloured(row, column, total, whole)
    if colours is None:
        return None
    mirrored = np.searchsorted(places, column * total + row)
    rows_of = made.rows.with_colours(colours)
    return _Compressed(rows_of, np.array(whole, dtype=int), (row, column), mirrored)


def twice(graph: Graph, wrt: Sequence[int], values: Sequence[Any]) -> Twice:
    """Differentiate a graph twice by these inputs; `values` are those of its nodes."""
    first = adjoint(graph, wrt, values=values)
    names = {i: f"direction {i}" for i in wrt}
    seeds = {names[i]: first.deltas[i] for i in wrt if i in first.deltas}
    second = adjoint(first.graph, wrt, upstream=seeds, values=values)
    return Twice(graph, tuple(wrt), first, second, names)


def hessian_matrix(made: Twice, values: Sequence[Any], *, allow_nonfinite: bool = False) -> Array:
    """All second derivatives as one matrix, the elements of the inputs in their order.

    `values` are those of the nodes of the first graph. The two halves are made separately and
    differ by rounding; the result is their mean. Raises `GradcliError` (edge, domain, overflow)
    where a second derivative is not finite, unless `allow_nonfinite`.
    """
    if made.compressed is not None and all_finite(found := made.compressed.rows(values)):
        return made.compressed.matrix(found)
    whole = made.rows(values)
    if math.isfinite(np.vdot(whole, whole)):  # all elements are, and no sum of two overflows
        return (whole + whole.T) * 0.5
    if not (allow_nonfinite or all_finite(whole)):
        bad = int(np.argwhere(~np.isfinite(whole))[0][0])
        colours = Colours(np.where(np.arange(len(whole)) == bad, 0, -1), 1)
        (unit,) = directions(made.rows.types, colours, 1)
        refuse(made.graph, made.second, values, {name: rows[0] for name, rows in unit.items()})
    with np.errstate(all="ignore"):
        return _mean(whole, whole.T)


def hessian_product(
    made: Twice,
    values: Sequence[Any],
    vector: Mapping[int, Any],
    *,
    allow_nonfinite: bool = False,
) -> Array:
    """Hessian times vector, without the matrix, the elements of the inputs in their order.

    Raises `GradcliError` as `hessian_matrix` does.
    """
    whole = np.zeros(made.total)
    given = {made.names[i]: vector[i] for i in made.wrt}
    rows = made.rows
    found = continued(rows.graph, values, given, rows.held, rows.needed)
    for i, (delta, t) in zip(made.wrt, rows.wanted, strict=True):
        if delta is not None:
            whole[made.places[i]] = np.broadcast_to(found[delta], t.shape).ravel()
    if not (allow_nonfinite or all_finite(whole)):
        refuse(made.graph, made.second, values, given)
    return whole
