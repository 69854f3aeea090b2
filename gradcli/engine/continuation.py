"""A pass that continues from known values, kept for more runs: it makes matrices of derivatives.

A graph comes in whose first nodes have a value at every run, with the nodes that are wanted; a
`Continuation` comes out. It knows which nodes are needed and works out once what depends on no
value. When it has run often it is one function (`compiled`) of the same kernels in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.engine.forward import apply, fill_in, operand_values
from gradcli.engine.run import Often
from gradcli.graph.graph import Graph, getter


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
        read = {o for n in self.nodes for o in n.operands if isinstance(o, int)} | {*self.wanted}
        self.known = sorted(i for i in read if i < start and i not in self.constants)
        self._needed = needed
        self.known_values: Any = getter(self.known)
        self._often = Often()

    def run(self, values: Sequence[Any], inputs: Mapping[str, Any]) -> Sequence[Any]:
        """The wanted values, from those of the first nodes and of the further inputs by name.

        Infinite values and nan are let through.
        """
        given = [inputs[name] for name in self.further]
        line = self._often.next(self.written, self.graph)
        with np.errstate(all="ignore"):
            if line is not None:
                found: Sequence[Any] = line(*self.known_values(values), *given)
                return found
            every = [*values[: self.start], *[None] * (len(self.graph.nodes) - self.start)]
            for i, value in zip(self.further.values(), given, strict=True):
                every[i] = value
            for i, value in self.constants.items():
                every[i] = value
            fill_in(self.graph, every, self._needed)
        return [every[i] for i in self.wanted]

    def written(self, _graph: Graph | None = None) -> Callable[..., Any]:
        """A function from the known values and those of the further inputs to the wanted ones."""
        from gradcli.engine.compiled import continued_line  # noqa: PLC0415 - most run once

        given = [*self.known, *self.further.values()]
        parts = (self.nodes, self.constants, self.wanted, self.varies)
        return continued_line(self.graph, given, *parts)


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
