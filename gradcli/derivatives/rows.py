"""All rows of a matrix of derivatives in one pass.

`Rows` take a graph that `adjoint` has made, with inputs for directions and nodes for derivatives.
At every point the values of its first nodes come in, and matrices go out with a row for each
direction, or for each colour of directions (`sparsity`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np

from gradcli.graph.graph import Graph
from gradcli.ops.operation import Array, Type
from gradcli.results.matrices import (
    Colours,
    continued,
    directions,
    flat_rows,
    joined,
)


class Rows:
    """A pass for a batch of directions, from the values of a graph's first nodes.

    `types` are the inputs whose elements are the directions, `wanted` the nodes that hold the
    derivatives, with their types; without a node they are 0. `fixed` are further inputs.
    """

    def __init__(
        self,
        graph: Graph,
        types: Mapping[str, Type],
        wanted: Sequence[tuple[int | None, Type]],
        fixed: Mapping[str, Any] | None = None,
    ) -> None:
        self.graph, self.types, self.wanted, self.fixed = graph, types, wanted, fixed or {}
        total = sum(t.size for t in types.values())
        self.colours = Colours(np.arange(total), total)
        self.held = [i for i, _ in wanted if i is not None]
        """The nodes with derivatives."""
        self.needed = needed = graph.reaching(self.held)
        varies = graph.dependent({i for n, i in graph.input_numbers.items() if n in types})
        nodes = (n for n in graph.nodes if needed[n.id] and varies[n.id] and n.kind != "input")
        self.width = total + sum(node.type.size for node in nodes)
        """How many numbers there are for each direction."""

    def __call__(self, values: Sequence[Any]) -> Array:
        """A matrix: directions × the elements of all wanted nodes."""
        rows = [np.zeros((0, sum(t.size for _, t in self.wanted)))]
        for batch in directions(self.types, self.colours, self.width):
            found = continued(self.graph, values, {**batch, **self.fixed}, self.held, self.needed)
            count = len(next(iter(batch.values())))
            parts = [
                flat_rows(0.0 if i is None else found[i], count, t.shape) for i, t in self.wanted
            ]
            rows.append(joined(parts, 1) if parts else np.zeros((count, 0)))
        return rows[1] if len(rows) == 2 else np.concatenate(rows)

    def with_colours(self, colours: Colours) -> Rows:
        """The same passes with a row for each colour."""
        made = copy(self)
        made.colours = colours
        return made
