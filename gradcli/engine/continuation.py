"""A pass that continues from known values, kept for more runs: it makes matrices of derivatives.

A graph comes in whose first nodes have a value at every run, with the nodes that are wanted; a
`Continuation` comes out. It knows which nodes are needed and works out once what depends on no
value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.engine.forward import apply, fill_in, operand_values
from gradcli.graph.graph import Graph


class Continuation:
    """The pass from the values of the first `start` nodes to those of the `wanted`.

    Of the further inputs those in `batched` have a batch axis in front, at every run, and those
    `given` the same values.
    """

    def __init__(
        self,
        graph: Graph,
        start: int,
        wanted: Iterable[int],
        batched: Collection[str] = (),
        given: Mapping[str, Any] | None = None,
    ) -> None:
        self.graph, self.start, self.wanted = graph, start, tuple(wanted)
        self.constants = _constants(graph, graph.reaching(self.wanted), start, given or {})
        needed = graph.reaching(self.wanted, self.constants)
        nodes = [node for node in graph.nodes if needed[node.id]]
        inputs = {n.name: n.id for n in graph.nodes[start:] if n.kind == "input"}
        self.varies = graph.dependent({i for name, i in inputs.items() if name in batched})
        self.further = {
            name: i for name, i in inputs.items() if needed[i] and i not in self.constants
        }
        self.nodes = [
            n for n in nodes if n.id >= start and n.kind != "input" and n.id not in self.constants
        ]
        self._needed = needed

    def run(self, values: Sequence[Any], inputs: Mapping[str, Any]) -> Sequence[Any]:
        """The wanted values, from those of the first nodes and of the further inputs by name.

        Infinite values and nan are let through.
        """
        every = [*values[: self.start], *[None] * (len(self.graph.nodes) - self.start)]
        for name, i in self.further.items():
            every[i] = inputs[name]
        for i, value in self.constants.items():
            every[i] = value
        with np.errstate(all="ignore"):
            fill_in(self.graph, every, self._needed)
        return [every[i] for i in self.wanted]


def _constants(
    graph: Graph, needed: Sequence[bool], start: int, given: Mapping[str, Any]
) -> dict[int, Any]:
    """The values of the nodes behind the first that depend on no other value, as ones_like(x)."""
    found: list[Any] = [None] * len(graph.nodes)
    for node in graph.nodes[start:]:
        if not needed[node.id] or node.kind == "input":
            found[node.id] = given.get(node.name) if node.kind == "input" else None
            continue
        operation = node.operation
        if operation is not None and operation.constant is not None:
            found[node.id] = np.broadcast_to(operation.constant, node.type.shape)[()]
        elif all(not isinstance(o, int) or found[o] is not None for o in node.operands):
            operands = operand_values(node, found)
            with np.errstate(all="ignore"):
                value = operands[0] if node.operation is None else apply(graph, node, operands)
            found[node.id] = np.asarray(value)[()]
    return {i: value for i, value in enumerate(found) if value is not None}
