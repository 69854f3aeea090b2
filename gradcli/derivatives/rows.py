"""All rows of a matrix of derivatives in one pass, kept for more points.

`Rows` take a graph that `adjoint` has made, with inputs for directions and nodes for derivatives.
At every point the values of its first nodes come in, and matrices go out with a row for each
direction, or for each colour of directions (`sparsity`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from gradcli.derivatives.elements import apart
from gradcli.engine.continuation import Continuation
from gradcli.engine.run import Often
from gradcli.graph.graph import Graph, getter
from gradcli.ops.operation import Array, Type
from gradcli.results.matrices import (
    Colours,
    directions,
    flat_rows,
    joined,
)

FEW = 16
"""Up to this many directions, a pass over numbers may be faster than one over arrays."""
FEW_EACH = 20
"""As many numbers are computed in the time of one call for arrays, or fewer."""
MOST_KEPT = 2**15
"""The most numbers between directions and derivatives of which some are kept for further points."""
MOST_NODES = 4000
"""The most numbers between them that are made nodes."""


class Rows:
    """A pass for a batch of directions, from the values of a graph's first `start` nodes.

    `types` are the inputs whose elements are the directions, `wanted` the nodes that hold the
    derivatives, with their types; without a node they are 0. `fixed` are further inputs.
    """

    def __init__(
        self,
        graph: Graph,
        start: int,
        types: Mapping[str, Type],
        wanted: Sequence[tuple[int | None, Type]],
        *,
        colours: Colours | None = None,
        fixed: Mapping[str, Any] | None = None,
    ) -> None:
        self.graph, self.start = graph, start
        self.types, self.wanted, self.fixed = types, wanted, fixed or {}
        total = sum(t.size for t in types.values())
        self.colours = colours or Colours(np.arange(total), total)
        held = [i for i, _ in wanted if i is not None]
        self.batch = Continuation(graph, start, held, types)
        nodes = self.batch.nodes
        computed = sum(n.type.size for n in nodes if self.batch.varies[n.id])
        self.width = computed + total
        self._often = Often()
        work = min(MOST_NODES, FEW_EACH * len(nodes))
        self.few = 0 < total <= FEW and total * computed <= work
        """Whether a pass over numbers for each direction may be faster than one over arrays."""
        self.kept = self.few or 0 < self.colours.number * self.width <= MOST_KEPT
        """Whether a pass keeps the directions, and what depends on nothing else."""

    def __call__(self, values: Sequence[Any]) -> Array:
        """A matrix: directions × the elements of all wanted nodes."""
        line = self._often.next(self._unrolled, self.graph) if self.kept else None
        if line is not None:
            with np.errstate(all="ignore"):
                found: Array | None = line(values)
            if found is not None:
                return found
        rows = [np.zeros((0, sum(t.size for _, t in self.wanted)))]
        for batch in directions(self.types, self.colours, self.width):
            count = len(next(iter(batch.values())))
            rows.append(self._joined(self.batch.run(values, {**batch, **self.fixed}), count))
        return rows[1] if len(rows) == 2 else np.concatenate(rows)

    def _joined(self, found: Sequence[Any], count: int) -> Array:
        """The derivatives along as many directions, from the values of the nodes that hold them."""
        run = iter(found)
        parts = [flat_rows(0.0 if i is None else next(run), count, t.shape) for i, t in self.wanted]
        return joined(parts, 1) if parts else np.zeros((count, 0))

    def with_colours(self, colours: Colours) -> Rows:
        """The same passes with a row for each colour."""
        return Rows(
            self.graph, self.start, self.types, self.wanted, colours=colours, fixed=self.fixed
        )

    def _unrolled(self, _graph: Graph) -> Callable[[Sequence[Any]], Array | None]:
        """The matrix as a function of the values of the first nodes; None for the other pass."""
        (batch,) = directions(self.types, self.colours, self.width)
        count = self.colours.number
        if self.few:
            units = [{n: b[k] for n, b in batch.items()} for k in range(count)]
            numbers = apart(self.batch, self.wanted, [{**unit, **self.fixed} for unit in units])
            if numbers is not None:
                return _as_matrix(numbers, count)
        held = self.batch.wanted
        run = Continuation(self.graph, self.start, held, self.types, {**batch, **self.fixed})
        line, known = run.written(), run.known_values
        return lambda values: self._joined(line(*known(values)), count)


class Along:
    """A pass along one direction, another at every run: Rows with a single row.

    `types` are the inputs that hold the direction, `wanted` the nodes with the derivatives.
    """

    def __init__(
        self, graph: Graph, start: int, types: Mapping[str, Type], wanted: Sequence[int]
    ) -> None:
        self.run, self.types = Continuation(graph, start, wanted), types
        self.wanted = [(i, graph.nodes[i].type) for i in wanted]
        nodes = self.run.nodes
        self.few = sum(n.type.size for n in nodes) <= min(MOST_NODES, FEW_EACH * len(nodes))
        self._often = Often()

    def __call__(self, values: Sequence[Any], direction: Mapping[str, Any]) -> Sequence[Any]:
        """The derivatives, each in its node's shape or one that is broadcast to it."""
        line = self._often.next(self._on_numbers, self.run.graph) if self.few else None
        if line is None:
            return self.run.run(values, direction)
        with np.errstate(all="ignore"):
            found: Sequence[Any] = line(values, direction)
        return found

    def _on_numbers(self, _graph: Graph) -> Callable[..., Sequence[Any]]:
        numbers = apart(self.run, self.wanted, [{}], self.types)
        if numbers is None:
            return self.run.run
        line, known = numbers.written(), numbers.known_values
        names = [f"{name}, {k}" for name, t in self.types.items() for k in range(t.size)]
        used = getter([names.index(name) for name in numbers.further])
        shapes = [t.shape for _, t in self.wanted]
        ends = np.cumsum([t.size for _, t in self.wanted]).tolist()

        def parts(values: Sequence[Any], direction: Mapping[str, Any]) -> Sequence[Any]:
            flat = [element for name in self.types for element in np.ravel(direction[name])]
            found = np.array(line(*known(values), *used(flat)))
            pairs = zip(shapes, [0, *ends], ends, strict=False)
            return [found[first:end].reshape(shape) for shape, first, end in pairs]

        return parts


def _as_matrix(numbers: Continuation, count: int) -> Callable[[Sequence[Any]], Array | None]:
    line, known = numbers.written(), numbers.known_values

    def matrix(values: Sequence[Any]) -> Array | None:
        found = np.array(line(*known(values)))
        # Without the products with exact zeros there may be fewer nans than in a pass over arrays.
        return found.reshape(count, -1) if isfinite(found.dot(found)) else None

    return matrix
