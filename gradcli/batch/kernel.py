"""A graph as a straight line of NumPy calls over many rows at once.

A `Graph` and the numbers of the wanted nodes come in; a `Line` comes out, which fills arrays with
the wanted values. Equal operations are merged, what nothing needs is left out, what no column
reaches is computed once. Rows go through in chunks that stay in the cache, results are written
to buffers that are used again after their last reader, and chunks run on all cores: NumPy
lets go of Python's lock inside its loops.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import prod
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from gradcli import ops
from gradcli.batch.memory import Written, buffers_of, ends, owned
from gradcli.batch.order import ordered
from gradcli.batch.rewrite import choices, differences, masked, merged, shared
from gradcli.batch.watch import Condition, Truth, Truths, any_counts, none_counts, quiet
from gradcli.engine.forward import all_finite, apply, line_up
from gradcli.graph.draft import Literal, Operand
from gradcli.graph.graph import Graph, Node, OperationNode, shown
from gradcli.ops.kernels.in_place import erfinv, in_blocks
from gradcli.ops.operation import Shape

CACHE = 3 * 2**19
"""Bytes that a chunk's columns, buffers and results may take: they stay in a core's own cache."""
PAGE = 2**21
"""Bytes of a large page of memory, which Linux gives to large arrays where it can."""
NUMBERS_ALONE = 10**6
"""Numbers that one core computes sooner than threads have started."""
ROWS = 2_048, 32_768
"""The fewest and the most rows in a chunk: a call costs as much as some hundred numbers."""

Arrays = dict[int, Any]
Chunk = tuple[int, int]
"""The first row, and the one behind the last."""


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


class Step(NamedTuple):
    """A call with the places of what it reads and writes."""

    function: Callable[..., Any]
    get: Callable[[list[Any]], Any]
    """Takes the operands, and the place for the result behind them, out of the list of values."""
    to: int
    """Where the result goes if the function doesn't take `out=`, else -1."""
    arity: int
    """How many operands there are."""
    gone: tuple[int, ...]
    fresh: bool
    watched: bool
    guard: tuple[tuple[int, bool, bool], ...]
    """The places of the conditions, whether they must hold, and whether they have rows."""
    optional: bool
    """Where the guard leaves no element that counts, the call need not be made."""


class Plan(NamedTuple):
    """A line made ready for a run."""

    start: list[Any]
    """What every chunk begins with, place by place."""
    place: dict[int, int]
    steps: list[Step]


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


class Line:
    """A graph made ready for rows. `varying` are the numbers of the inputs that have a column.

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
        self.rewritten = {
            **dict(differences(graph, self.same)),
            **dict(masked(graph, self.truths)),
        }
        self.choices = dict(choices(graph, self.truths))
        order = self._needed()
        if share:
            found = shared(graph, self.same, [i for i in order if self.varies[i]])
            self.nodes += found.parts.values()
            self.varies += [True] * len(found.parts)
            self.rewritten |= found.calls
            order = [
                i for o in order for i in ((found.parts[o].id, o) if o in found.parts else (o,))
            ]
        self.once = [self.nodes[i] for i in order if not self.varies[i]]
        self.calls, self.buffers = self._scheduled([i for i in order if self.varies[i]])
        self.rows = self._rows()

    def _rows(self) -> int:
        """How many rows a chunk has."""
        nodes = [self.nodes[i] for i in (*self.wanted, *self.graph.inputs)]
        sizes = [n.type.size for n in nodes] + [prod(shape) for shape in self.buffers]
        widest = max((c.node.type.size for c in self.calls), default=1)
        fewest, most = (max(1, rows // max(1, widest)) for rows in ROWS)
        return min(max(CACHE // (8 * max(1, sum(sizes))), fewest), most)

    def _needed(self) -> list[int]:
        needed = {*self.wanted, *self.besides}
        for node in reversed(self.graph.nodes):
            if node.id in needed:
                needed |= self._reads(node)
        return sorted(needed)

    def _operands(self, node: Node) -> tuple[Operand, ...]:
        given = node.operands
        if self.varies[node.id]:  # `fixed` makes the graph's own calls
            if node.id in self.rewritten:
                return self.rewritten[node.id].operands
            if node.id in self.choices:
                return self.choices[node.id]
            given = given[:1] if _power(node) in POWERS else given
        return tuple(self.same[o] if isinstance(o, int) else o for o in given)

    def _scheduled(self, order: list[int]) -> tuple[list[Call], list[tuple[int, ...]]]:
        """The calls, and the shapes of the buffers that they share."""
        nodes, last = self.nodes, dict.fromkeys(order, -1)
        keep, idle = {*self.wanted, *self.graph.inputs}, dict[tuple[int, ...], list[int]]()
        calls_only = {i: node for i in order if isinstance(node := nodes[i], OperationNode)}
        reads = {i: self._reads(node) for i, node in calls_only.items()}
        order = ordered(self.wanted, reads, keep, self.besides)
        for i in order:
            last[i] = i
            for o in reads[i]:
                last[o] = i
        shapes: list[tuple[int, ...]] = []
        place: dict[int, int] = {}
        written = {i: self._written(calls_only[i]) for i in order}
        inside = buffers_of(self.graph, order, written, self.varies)
        free_after = ends(order, last, inside, keep)
        watched = quiet(order, nodes, written, SIGNALLING)
        watched -= shown((nodes[i], written[i].operands) for i in order)
        calls = []

        def release(done: Iterable[int]) -> None:
            for o in done:
                idle[shapes[place[o]]].append(place[o])

        for i in order:
            node = calls_only[i]
            function, out, operands = written[i]
            shape, buffer = node.type.shape, -1
            # NumPy's own functions may write over what they read.
            overwrites = isinstance(function, np.ufunc) or function in POWERS.values()
            done = free_after[i]
            if overwrites:
                after = {i, *(o for _, o in self.guard(i))}
                release(o for o in done if o not in after)
                done = tuple(o for o in done if o in after)
            if out and i not in keep:
                left = idle.setdefault(shape, [])
                buffer = left.pop() if left else len(shapes)
                if buffer == len(shapes):
                    shapes.append(shape)
                place[i] = buffer
            release(done)
            free = tuple(o for o in {*reads[i], i} if last.get(o) == i and o not in keep)
            fresh = not out and not inside[i] and any(inside.get(o) for o in reads[i])
            seen = i in watched, self.guard(i)
            calls.append(Call(node, function, operands, out, buffer, free, fresh, *seen))
        return calls, shapes

    def _reads(self, node: Node) -> set[int]:
        """The nodes that a call needs, those of its guard included."""
        operands = {o for o in self._operands(node) if isinstance(o, int)}
        return operands.union(i for _, i in self.guard(node.id))

    def guard(self, i: int) -> tuple[Truth, ...]:
        """The conditions under which the elements of a result count."""
        return tuple(self.truths.guards.get(i, ()))

    def _written(self, node: OperationNode) -> Written:
        if node.id in self.rewritten and self.varies[node.id]:
            return self.rewritten[node.id]
        operands = self._operands(node)
        rows = tuple(isinstance(o, int) and self.varies[o] for o in operands)
        return Written(*_function(node, rows), operands)

    # --- running ---

    def run(
        self,
        inputs: Mapping[int, Any],
        count: int,
        *,
        threads: int | None = None,
    ) -> tuple[list[Any], list[Chunk]]:
        """The wanted values of `count` rows, and the chunks to look at.

        Those are chunks that raised an IEEE exception or in which a number is not finite.
        `inputs` has an array with a leading axis of rows for inputs that vary, a value for others.
        """
        if count * sum(call.node.type.size for call in self.calls) < NUMBERS_ALONE:
            threads = 1
        fixed = self.fixed(inputs)
        plan = self._planned(fixed)
        results = [column(count, self.graph.nodes[i].type.shape) for i in self.wanted]

        def worker(todo: Iterator[Chunk]) -> list[Chunk]:
            # None of them owns its memory: `owned` takes what does for no buffer.
            buffers = [np.empty((self.rows, *shape))[:] for shape in self.buffers]
            return [c for c in todo if self._chunk(c, inputs, results, buffers, plan)]

        return results, on_all_cores(count, self.rows, threads, worker, suspect=not sound(fixed))

    def fixed(self, inputs: Mapping[int, Any]) -> Arrays:
        """The values of the nodes that are the same in all rows."""
        values: Arrays = {}
        for node in self.once:
            if node.operation is not None:
                with np.errstate(all="ignore"):
                    values[node.id] = apply(self.graph, node, self._arguments(node, values))
            elif node.kind == "input":
                values[node.id] = inputs[node.id]
            else:
                values[node.id] = node.operands[0].value  # type: ignore[union-attr]
        return values

    def _arguments(self, node: Node, values: Arrays) -> list[Any]:
        return [values[self.same[o]] if isinstance(o, int) else o.value for o in node.operands]

    def _planned(self, fixed: Arrays) -> Plan:
        """What every chunk begins with, place by place, and the calls by their places.

        First are the buffers, then the nodes with a place of their own (columns, wanted results,
        results of functions without `out=`), then what is the same for all rows.
        """
        start: list[Any] = [None] * len(self.buffers)
        place: dict[int, int] = {}

        def placed(operand: Operand) -> int:
            if type(operand) is int and operand in place:
                return place[operand]
            value = fixed.get(operand) if type(operand) is int else operand.value  # type: ignore[union-attr]
            # An array of no axes: NumPy would make one of a number at each call.
            start.append(np.asarray(value) if isinstance(value, float) else value)
            if type(operand) is int:
                place[operand] = len(start) - 1
            return len(start) - 1

        for i in (*self.graph.inputs, *self.wanted):
            placed(i)
        steps = []
        for node, function, operands, out, buffer, free, fresh, watched, guard in self.calls:
            reads = [placed(o) for o in operands]
            if buffer >= 0:
                place[node.id] = buffer
            to = placed(node.id)
            alone = node.aligned or len(operands) == 1
            call = function if alone else self._lined_up(node, function)
            conditions = tuple((placed(i), holds, self.varies[i]) for holds, i in guard)
            gone = tuple(place[o] for o in free if place[o] >= len(self.buffers))
            get = itemgetter(*reads, to) if out else itemgetter(*reads, *reads)
            optional = buffer >= 0 and bool(guard) and function not in CHEAP
            given = call, get, -1 if out else to, len(reads), gone, fresh
            steps.append(Step(*given, watched, conditions, optional))
        return Plan(start, place, steps)

    def _lined_up(self, node: OperationNode, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function whose operands differ in their number of axes."""
        count = len(node.operands)

        def call(*given: Any) -> Any:
            return function(*line_up(self.graph, node, list(given[:count])), *given[count:])

        return call

    def _chunk(
        self,
        chunk: Chunk,
        inputs: Mapping[int, Any],
        results: list[Any],
        buffers: list[Any],
        plan: Plan,
    ) -> bool:
        start, stop = chunk
        values, place = plan.start.copy(), plan.place
        values[: len(buffers)] = (
            buffers if stop - start == self.rows else [b[: stop - start] for b in buffers]
        )
        columns = [i for i in inputs if self.varies[i] and i in place]
        for i in columns:
            values[place[i]] = inputs[i][start:stop]
        targets = [result[start:stop] for result in results]
        for i, target in zip(self.wanted, targets, strict=True):
            if i not in inputs and self.varies[i]:
                values[place[i]] = target
        flags: list[str] = []
        suspect = False
        with np.errstate(all="call", under="ignore", call=lambda flag, _: flags.append(flag)):
            for function, get, to, arity, gone, fresh, watched, guard, optional in plan.steps:
                operands = get(values)
                if optional and none_counts(_conditions(values, guard)):
                    made = operands[-1]
                    made.fill(0.0)  # what lay there might have made a nan of an accumulator
                elif to < 0:
                    made = function(*operands)
                else:
                    operands = operands[:arity]
                    made = function(*operands)
                    values[to] = made = owned(made, operands) if fresh else made
                if not suspect:  # while it is in the cache
                    suspect = bool(flags) or (watched and not _sum_is_finite(made))
                    if suspect and guard:
                        suspect = any_counts(made, _conditions(values, guard))
                        flags.clear()
                for o in gone:
                    values[o] = None
        for i, target in zip(self.wanted, targets, strict=True):
            # What is wanted twice, a column itself, or made without `out=`, is copied.
            if values[place[i]] is not target:
                target[...] = values[place[i]]
        return suspect or not all(_sum_is_finite(values[place[i]]) for i in columns)


def _conditions(values: list[Any], guard: Iterable[tuple[int, bool, bool]]) -> list[Condition]:
    """The conditions of a guard, those that hold for all rows with an axis of one row."""
    return [
        (values[i] if rows else np.asarray(values[i])[np.newaxis], holds)
        for i, holds, rows in guard
    ]


def _sum_is_finite(values: Any) -> bool:
    """Whether the sum of all elements is finite: only if every one of them is."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(np.add.reduce(values, axis=None)))


def column(count: int, shape: Shape = ()) -> Any:
    """An empty array of this many rows, a large one at the start of a large page of memory.

    The first write to every page costs as much as a good many operations: fewer, larger pages.
    """
    size = count * prod(shape)
    if size * 8 < PAGE:
        return np.empty((count, *shape))
    pages = -(-size * 8 // PAGE)
    memory = np.empty((pages + 1) * PAGE // 8)
    start = -memory.ctypes.data % PAGE // 8
    return memory[start : start + size].reshape(count, *shape)


def on_all_cores(
    count: int,
    rows: int,
    threads: int | None,
    worker: Callable[[Iterator[Chunk]], list[Chunk]],
    *,
    suspect: bool,
) -> list[Chunk]:
    """The chunks that workers give back, in order, of `count` rows in chunks of `rows`.

    A worker that is free takes the next: cores may be busy with other things. Where all rows are
    `suspect` anyway, all chunks come back.
    """
    chunks = [(a, min(a + rows, count)) for a in range(0, count, rows)]
    todo = iter(chunks)
    workers = max(1, min(threads or os.cpu_count() or 1, len(chunks)))
    if workers == 1:
        found = worker(todo)
    else:
        with ThreadPoolExecutor(workers) as pool:
            parts = pool.map(worker, [todo] * workers)
        found = sorted(chunk for part in parts for chunk in part)
    return chunks if suspect else found


def sound(fixed: Arrays) -> bool:
    """Whether what is the same in all rows is finite."""
    return all(map(all_finite, map(np.asarray, fixed.values())))


def _function(node: OperationNode, rows: tuple[bool, ...]) -> tuple[Callable[..., Any], bool]:
    """What computes a node, and whether it takes `out=`; `rows` are the operands that vary."""
    if _power(node) in POWERS:
        return POWERS[_power(node)], True
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
