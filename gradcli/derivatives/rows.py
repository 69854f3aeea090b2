"""All rows of a matrix of derivatives in one pass, kept for more points.

A `Subject` is what is differentiated at a point, with the `Executable` that keeps what is made of
its graph. `Rows` take a graph that `adjoint` has made, with inputs for directions and nodes for
derivatives. At every point the values of its first nodes come in, and matrices go out with a row
for each direction, or for each colour of directions (`sparsity`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from gradcli.engine.adjoint import adjoint
from gradcli.engine.continuation import Continuation
from gradcli.engine.forward import all_finite
from gradcli.engine.run import Executable, Made
from gradcli.graph.draft import Operand
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Array, Type
from gradcli.results.matrices import (
    Colours,
    continued,
    directions,
    flat_rows,
    with_upstream,
)
from gradcli.results.result import Result


class Subject(NamedTuple):
    """What is differentiated at a point: the output of a graph with its values."""

    graph: Graph
    values: Sequence[Any]
    ready: Executable
    key: Any
    """What tells it from other subjects of the executable; None where a value is not finite."""

    def kept(self, what: Any, make: Callable[[], Made]) -> Made:
        """What was made before at another point, where it holds here too, or what `make` makes."""
        return make() if self.key is None else self.ready.kept((what, self.key), make)


def subject(ready: Executable, result: Result, upstream: Any) -> Subject:
    """The output of a result, or J, the sum of upstream · output."""
    graph, values, key = result.graph, result.values, b""
    if upstream is not None:
        key = np.asarray(upstream).tobytes()
        graph = ready.kept(("J", key), lambda: with_upstream(result, upstream))
        values = tuple(continued(graph, values, {}, [graph.output]))
    finite = all(all_finite(values[i]) for i in graph.watched)
    return Subject(graph, values, ready, key if finite else None)


MOST_NUMBERS = 16
"""So many derivatives of numbers by numbers take less time each by itself than as arrays."""
MOST_NODES = 300
"""They are not written out for a graph with more nodes."""


class Numbers:
    """The derivatives of a few numbers by a few numbers, each a node of one graph."""

    def __init__(
        self,
        graph: Graph,
        start: int,
        outputs: Sequence[Operand],
        wrt: Sequence[int],
        values: Sequence[Any],
    ) -> None:
        self.shape = len(outputs), len(wrt)
        self.places: list[int] = []
        wanted: list[int] = []
        for k, output in enumerate(outputs):
            if isinstance(output, int):
                found = adjoint(replace(graph, output=output), wrt, values=values)
                graph = found.graph
                for j, i in enumerate(wrt):
                    if i in found.deltas:
                        self.places.append(k * len(wrt) + j)
                        wanted.append(found.deltas[i])
        self.continuation = Continuation(graph, start, wanted)

    @staticmethod
    def suit(graph: Graph, outputs: Sequence[Operand], wrt: Sequence[int]) -> bool:
        """Whether all of these are numbers, and few."""
        few = 0 < len(outputs) * len(wrt) <= MOST_NUMBERS and len(graph.nodes) <= MOST_NODES
        return few and all(graph.operand_type(o) == Type(()) for o in (*outputs, *wrt))

    def __call__(self, values: Sequence[Any]) -> Array:
        """A matrix: outputs × inputs."""
        found = self.continuation.run(values, {})
        rows, columns = self.shape
        if len(found) == rows * columns:
            return np.array(found).reshape(self.shape)
        matrix = np.zeros(rows * columns)
        matrix[self.places] = found
        return matrix.reshape(self.shape)


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
        self.width = sum(n.type.size for n in nodes if self.batch.varies[n.id]) + total

    def __call__(self, values: Sequence[Any]) -> list[Array]:
        """For every wanted node a matrix: directions × its elements."""
        batches: list[list[Array]] = [[] for _ in self.wanted]
        for batch in directions(self.types, self.colours, self.width):
            found = iter(self.batch.run(values, {**batch, **self.fixed}))
            count = len(next(iter(batch.values())))
            for (i, t), rows in zip(self.wanted, batches, strict=True):
                rows.append(flat_rows(0.0 if i is None else next(found), count, t.shape))
        return [
            rows[0] if len(rows) == 1 else np.concatenate(rows or [np.zeros((0, t.size))])
            for (_, t), rows in zip(self.wanted, batches, strict=True)
        ]

    def with_colours(self, colours: Colours) -> Rows:
        """The same passes with a row for each colour."""
        return Rows(
            self.graph, self.start, self.types, self.wanted, colours=colours, fixed=self.fixed
        )
