"""The function under test: the output of a program, as it depends on one variable.

A `Coordinate` is one real variable: a node that is a number, an element of an array, or a
direction through an array. Everything else being fixed, the output is a function of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.check.choices import speaking
from gradcli.check.inline_blocks import Flat
from gradcli.check.jitter import Jitter
from gradcli.engine.forward import fill_in
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Array


class Coordinate:
    """One real variable of the program: where it is, and its value `x`.

    Along a `direction` U through an array W the variable is t in W + (t - 1)·U, so x = 1.
    """

    __slots__ = ("direction", "index", "node", "value", "x")

    def __init__(
        self,
        node: int,
        value: Any,
        index: tuple[int, ...] | None = None,
        direction: Array | None = None,
    ) -> None:
        self.node, self.value, self.index, self.direction = node, value, index, direction
        self.x = 1.0 if direction is not None else float(value if index is None else value[index])

    @property
    def plain(self) -> bool:
        """Whether the node is the variable: it is a number."""
        return self.index is None and self.direction is None

    def rows(self, t: Array) -> Array:
        """The node's value at every t, with t as the batch axis."""
        if self.direction is not None:
            shift = (t - 1.0).reshape((-1,) + (1,) * self.direction.ndim)
            result: Array = shift * self.direction
            result += self.value
            return result
        if self.index is None:
            return t
        rows = np.repeat(self.value[None], len(t), axis=0)
        place: Any = (slice(None), *self.index)
        rows[place] = t
        return rows

    def component(self, accumulator: Array) -> Any:
        """The part of an accumulator (or of a batch of them) that belongs to this variable."""
        if self.direction is not None:
            axes = tuple(range(-self.direction.ndim, 0))
            return (accumulator * self.direction).sum(axis=axes)
        place: Any = (..., *(self.index or ()))
        return accumulator if self.index is None else accumulator[place]


class Function:
    """A program as a function of any of its coordinates, about the point where it stands.

    `values` are the nodes' values at that point, `upstream` the weights of the output's elements.
    """

    def __init__(self, graph: Graph, values: Sequence[Any], upstream: Any, seed: int = 0) -> None:
        flat = Flat(graph)
        self.place = flat.place
        self.graph = flat.graph
        self.upstream = upstream
        self.jitter = Jitter(seed)
        self.values = list(values) if flat.graph is graph else _values(flat, values)
        self.speaking = speaking(self.graph, self.values)
        """For every node whether the output takes anything of it (see `choices`)."""
        self.done_after: list[list[int]] = [[] for _ in self.graph.nodes]
        """For every node those that nothing behind it uses."""
        for i, users in enumerate(self.graph.consumers):
            if i != self.graph.output:
                self.done_after[users[-1] if users else i].append(i)

    def total(self, output: Array) -> Array:
        """The function's values: upstream · output, summed over the output's elements."""
        if output.ndim == 1:
            return output if self.upstream == 1 else output * self.upstream
        flat = output.reshape(len(output), -1)
        result: Array = flat @ np.ravel(self.upstream)
        return result


def _values(flat: Flat, original: Sequence[Any]) -> list[Any]:
    """The values of a flat graph's nodes: the original's, and what is inside its blocks."""
    values: list[Any] = [None] * len(flat.graph.nodes)
    for i, place in enumerate(flat.place):
        values[place] = original[i]
    return fill_in(flat.graph, values)
