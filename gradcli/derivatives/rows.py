"""All rows of a matrix of derivatives in one pass.

`Rows` take a graph that `adjoint` has made, with inputs for directions and nodes for derivatives.
At every point the values of its first nodes come in, and matrices go out with a row for each
direction, or for each colour of directions (`sparsity`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.engine.continuation import Continuation
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Array, Type
from gradcli.results.matrices import (
    Colours,
    directions,
    flat_rows,
    joined,
)


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
        self.width = total + sum(n.type.size for n in self.batch.nodes if self.batch.varies[n.id])

    def __call__(self, values: Sequence[Any]) -> Array:
        """A matrix: directions × the elements of all wanted nodes."""
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
