"""A graph as a straight line of NumPy calls: which are made, in which order, in which buffers.

A `Graph` and the numbers of the wanted nodes come in. Equal operations are merged, what nothing
needs is left out, what no column reaches is computed once, and results are written to buffers that
are used again after their last reader. `kernel` runs the calls, `loop` compiles them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from gradcli import ops
from gradcli.batch.memory import Pool, Written, buffers_of, ends
from gradcli.batch.order import ordered
from gradcli.batch.rewrite import choices, differences, merged, shared
from gradcli.batch.watch import Truth, Truths, quiet
from gradcli.engine.forward import apply
from gradcli.graph.draft import Literal, Operand
from gradcli.graph.graph import Graph, Node, OperationNode, shown
from gradcli.ops.kernels.in_place import erfinv, in_blocks

Arrays = dict[int, Any]


class Call(NamedTuple):
    """One call of the line: where its operands are and where its result goes."""

    node: OperationNode
    function: Callable[..., Any]
    operands: tuple[Operand, ...]
    out: bool
    """The function takes `out=`."""
    buffer: int
    """The buffer that the result may use."""
    free: tuple[int, ...]
    """Operands that no later call reads."""
    fresh: bool
    """The result may not lie in a buffer: see `owned`."""
    watched: bool
    """Whether to look at the result for numbers that are not finite: see `watch`."""
    guard: tuple[Truth, ...]
    """Under which conditions the result's elements count: see `watch`."""


def _cube(x: Any, out: Any) -> Any:
    square = np.multiply(x, x)
    return np.multiply(square, x, out=out)


POWERS: dict[float, Callable[..., Any]] = {2.0: np.square, 3.0: _cube}
CHEAP: set[Callable[..., Any]] = {
    np.add, np.subtract, np.multiply, np.divide, np.reciprocal, np.square, _cube, np.negative,
    np.absolute, np.maximum, np.minimum,
    *(row.in_place for row in ops.TABLE if row.exact and row.in_place),
}  # fmt: skip
"""What takes no longer than to see whether it is needed."""
SIGNALLING: set[Callable[..., Any]] = {
    np.add, np.subtract, np.multiply, np.divide, np.reciprocal, np.square, _cube, np.sqrt, np.exp,
    np.log, np.negative, np.absolute, np.sign, np.maximum, np.minimum, np.floor, np.ceil, np.rint,
    np.sin, np.cos, np.tanh, np.arctan, *(row.in_place for row in ops.TABLE if row.in_place),
    *(f for row in ops.TABLE if row.shared for f in row.shared[1:4] if f is not erfinv),
}  # fmt: skip
"""What makes a number that is not finite out of finite ones only with an IEEE exception."""


class Schedule:
    """The calls for a graph. `varying` are the numbers of the inputs that have a column.

    Nodes `besides` the wanted are computed as well, to see whether they are finite. With `share`,
    slopes use a part of the functions that they belong to; a compiled loop shares by itself.
    """

    def __init__(
        self,
        graph: Graph,
        wanted: Sequence[int],
        varying: Collection[int],
        besides: Collection[int] = (),
        *,
        share: bool = False,
    ) -> None:
        self.graph, self.shares = graph, share
        self.nodes = list(graph.nodes)
        """The graph's nodes, and behind them the parts that rows share."""
        self.varies = graph.dependent(set(varying))
        self.same = merged(graph)
        self.truths = Truths(graph.nodes, self.same)
        self.wanted = [self.same[i] for i in wanted]
        self.besides = sorted({self.same[i] for i in besides} - set(self.wanted))
        self.rewritten = dict(differences(graph, self.same))
        self.choices = dict(choices(graph, self.truths))
        self.guards = dict(self.truths.guards)
        order = self._needed()
        if share:
            found = shared(graph, self.same, [i for i in order if self.varies[i]])
            self.nodes += found.parts.values()
            self.varies += [True] * len(found.parts)
            self.rewritten |= found.calls
            for i, call in found.calls.items():  # what it reads counts where it counts itself
                for o in call.operands:
                    if isinstance(o, int) and o in self.guards:
                        self.guards[o] &= self.guards.get(i, frozenset())
            order = [
                i for o in order for i in ((found.parts[o].id, o) if o in found.parts else (o,))
            ]
        self.once = [self.nodes[i] for i in order if not self.varies[i]]
        self.calls, self.buffers = self._scheduled([i for i in order if self.varies[i]])

    def _needed(self) -> list[int]:
        needed = {*self.wanted, *self.besides}
        for node in reversed(self.graph.nodes):
            if node.id in needed:
                needed |= self._reads(node)
        return sorted(needed)

    def _scheduled(self, order: list[int]) -> tuple[list[Call], list[tuple[int, ...]]]:
        """The calls, and the shapes of the buffers that they share."""
        nodes, pool, keep = self.nodes, Pool(), {*self.wanted, *self.graph.inputs}
        operations = {i: node for i in order if isinstance(node := nodes[i], OperationNode)}
        reads = {i: self._reads(node) for i, node in operations.items()}
        order = ordered(self.wanted, reads, keep, self.besides)
        last = {o: i for i in order for o in (i, *reads[i])}
        written = {i: self._written(operations[i]) for i in order}
        inside = buffers_of(self.graph, order, written, self.varies)
        free_after = ends(order, last, inside, keep)
        watched = quiet(order, nodes, written, SIGNALLING)
        watched -= shown((nodes[i], written[i].operands) for i in order)
        calls = []
        for i in order:
            node, buffer, done = operations[i], -1, free_after[i]
            function, out, operands = written[i]
            # NumPy's own functions may write over what they read.
            if isinstance(function, np.ufunc) or function in POWERS.values():
                after = {i, *(o for _, o in self.guard(i))}
                pool.release(o for o in done if o not in after)
                done = tuple(o for o in done if o in after)
            if out and i not in keep:
                buffer = pool.take(i, node.type.shape)
            pool.release(done)
            free = tuple(o for o in {*reads[i], i} if last.get(o) == i and o not in keep)
            fresh = not out and not inside[i] and any(inside.get(o) for o in reads[i])
            seen = i in watched, self.guard(i)
            calls.append(Call(node, function, operands, out, buffer, free, fresh, *seen))
        return calls, pool.shapes

    def _reads(self, node: Node) -> set[int]:
        """The nodes that a call needs, those of its guard included."""
        given: Iterable[Operand] = [self.same[o] for o in node.operands if isinstance(o, int)]
        if isinstance(node, OperationNode) and self.varies[node.id]:
            given = self._written(node).operands  # `fixed` makes the graph's own calls
        guard = [i for _, i in self.guard(node.id)]
        return {o for o in (*given, *guard) if isinstance(o, int)}

    def guard(self, i: int) -> tuple[Truth, ...]:
        """The conditions under which the elements of a result count."""
        return tuple(self.guards.get(i, ()))

    def _written(self, node: OperationNode) -> Written:
        if node.id in self.rewritten:
            return self.rewritten[node.id]
        operands = tuple(self.same[o] if isinstance(o, int) else o for o in node.operands)
        operands = self.choices.get(node.id, operands)
        if _power(node) in POWERS:
            return Written(POWERS[_power(node)], out=True, operands=operands[:1])
        rows = tuple(isinstance(o, int) and self.varies[o] for o in operands)
        return Written(*_function(node, rows), operands)

    def fixed(self, inputs: Mapping[int, Any]) -> Arrays:
        """The values of the nodes that are the same in all rows."""
        values: Arrays = {}
        with np.errstate(all="ignore"):
            for node in self.once:
                operands = node.operands
                given = [values[self.same[o]] if isinstance(o, int) else o.value for o in operands]
                if node.operation is not None:
                    values[node.id] = apply(self.graph, node, given)
                else:
                    values[node.id] = inputs[node.id] if node.kind == "input" else given[0]
        return values


def _function(node: OperationNode, rows: tuple[bool, ...]) -> tuple[Callable[..., Any], bool]:
    """What computes a node, and whether it takes `out=`; `rows` are the operands that vary."""
    if node.operation.elementwise and node.operation.body is None:
        if node.operation.in_place is not None:
            return node.operation.in_place, True
        if isinstance(node.kernel, np.ufunc):
            return node.kernel, True
        return partial(_in_blocks, node.kernel, rows), True
    return node.kernel, False


def _in_blocks(kernel: Callable[..., Any], rows: tuple[bool, ...], *given: Any) -> Any:
    """A kernel without `out=`, as a call that has it."""
    return in_blocks(kernel, given[:-1], rows, given[-1])


def _power(node: Node) -> float:
    """The exponent, if the node is a power with a number for it; else 0."""
    if node.operation is not None and node.operation.is_power:
        exponent = node.operands[1]
        if isinstance(exponent, Literal) and np.ndim(exponent.value) == 0:
            return float(exponent.value)
    return 0.0
