"""Rows through a line of NumPy calls: columns come in, arrays with the wanted values go out.

Rows go through in chunks that stay in the cache, and chunks run on all cores: NumPy lets go of
Python's lock inside its loops.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from math import prod
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from gradcli.batch.memory import owned
from gradcli.batch.schedule import CHEAP, Arrays, Call, Schedule
from gradcli.batch.watch import Condition, any_counts, none_counts
from gradcli.engine.forward import all_finite, line_up
from gradcli.graph.draft import Literal, Operand
from gradcli.graph.graph import Graph, OperationNode
from gradcli.ops.operation import Shape

CACHE = 3 * 2**19
"""Bytes that a chunk's columns, buffers and results may take: they stay in a core's own cache."""
PAGE = 2**21
"""Bytes of a large page of memory, which Linux gives to large arrays where it can."""
NUMBERS_ALONE = 10**6
"""Numbers that one core computes sooner than threads have started."""
ROWS = 2_048, 32_768
"""The fewest and the most rows in a chunk: a call costs as much as some hundred numbers."""

Chunk = tuple[int, int]
"""The first row, and the one behind the last."""


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


class Line(Schedule):
    """A graph made ready for rows."""

    @cached_property
    def rows(self) -> int:
        """How many rows a chunk has."""
        nodes = [self.nodes[i] for i in (*self.wanted, *self.graph.inputs)]
        sizes = [n.type.size for n in nodes] + [prod(shape) for shape in self.buffers]
        widest = max((c.node.type.size for c in self.calls), default=1)
        fewest, most = (max(1, rows // max(1, widest)) for rows in ROWS)
        return min(max(CACHE // (8 * max(1, sum(sizes))), fewest), most)

    def run(
        self, inputs: Mapping[int, Any], count: int, *, threads: int | None = None
    ) -> tuple[list[Any], list[Chunk]]:
        """The wanted values of `count` rows, and the chunks to look at.

        Those are chunks that raised an IEEE exception or in which a number is not finite.
        `inputs` has an array with a leading axis of rows for inputs that vary, a value for others.
        """
        if count * sum(call.node.type.size for call in self.calls) < NUMBERS_ALONE:
            threads = 1
        results = [column(count, self.graph.nodes[i].type.shape) for i in self.wanted]
        fixed, place = self.fixed(inputs), self.plan.place
        start = [_held(operand, fixed) for operand in self.plan.operands]
        columns = {place[i]: inputs[i] for i in self.graph.inputs if self.varies[i]}

        def worker(todo: Iterator[Chunk]) -> list[Chunk]:
            # None of them owns its memory: `owned` takes what does for no buffer.
            buffers = [np.empty((self.rows, *shape))[:] for shape in self.buffers]
            return [c for c in todo if self._chunk(c, start, columns, results, buffers)]

        return results, on_all_cores(count, self.rows, threads, worker, suspect=not sound(fixed))

    @cached_property
    def plan(self) -> _Plan:
        """The calls by places in a list of values."""
        return _Plan(self)

    def _chunk(
        self,
        chunk: Chunk,
        start: list[Any],
        columns: Mapping[int, Any],
        results: list[Any],
        buffers: list[Any],
    ) -> bool:
        """Compute a chunk; whether to look at it."""
        first, stop = chunk
        plan, values, suspect = self.plan, start.copy(), False
        values[: len(buffers)] = [buffer[: stop - first] for buffer in buffers]
        for i, given in columns.items():
            values[i] = given[first:stop]
        targets = list(zip(plan.wanted, [result[first:stop] for result in results], strict=True))
        for i, target in targets:
            if i in plan.written:
                values[i] = target
        flags: list[str] = []
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
        for i, target in targets:
            # What is wanted twice, a column itself, or made without `out=`, is copied.
            if values[i] is not target:
                target[...] = values[i]
        return suspect or not all(_sum_is_finite(values[i]) for i in columns)


class _Plan:
    """A place in a list for each value of a chunk, and the calls by these places.

    First are the buffers, then the nodes with a place of their own (columns, wanted results,
    results of functions without `out=`), then what is the same for all rows.
    """

    def __init__(self, line: Line) -> None:
        self.line = line
        self.operands: list[Operand | None] = [None] * len(line.buffers)
        """What has each place, a node or a literal; the buffers have the first."""
        self.place: dict[int, int] = {}
        for i in (*line.graph.inputs, *line.wanted):
            self.placed(i)
        self.wanted = [self.place[i] for i in line.wanted]
        inputs = set(line.graph.inputs)
        self.written = {self.place[i] for i in line.wanted if line.varies[i] and i not in inputs}
        """The places of wanted results that a call writes."""
        self.steps = list(map(self.step, line.calls))

    def placed(self, operand: Operand) -> int:
        """The place of a node or literal, now or from now on."""
        if type(operand) is int:
            if operand in self.place:
                return self.place[operand]
            self.place[operand] = len(self.operands)
        self.operands.append(operand)
        return len(self.operands) - 1

    def step(self, call: Call) -> Step:
        """A call by its places."""
        line, node, function = self.line, call.node, call.function
        reads = list(map(self.placed, call.operands))
        if call.buffer >= 0:
            self.place[node.id] = call.buffer
        to = self.placed(node.id)
        if not (node.aligned or len(reads) == 1):
            function = partial(_lined_up, function, line.graph, node)
        guard = tuple((self.placed(i), holds, line.varies[i]) for holds, i in call.guard)
        gone = tuple(self.place[o] for o in call.free if self.place[o] >= len(line.buffers))
        get = itemgetter(*reads, to) if call.out else itemgetter(*reads, *reads)
        optional = call.buffer >= 0 and bool(guard) and call.function not in CHEAP
        given = function, get, -1 if call.out else to, len(reads), gone, call.fresh
        return Step(*given, call.watched, guard, optional)


def _held(operand: Operand | None, fixed: Arrays) -> Any:
    """What a place has at the start of every chunk; a number as an array of no axes.

    NumPy would make one of it at each call.
    """
    value = operand.value if isinstance(operand, Literal) else fixed.get(operand)  # type: ignore[arg-type]
    return np.asarray(value) if isinstance(value, float) else value


def _lined_up(function: Callable[..., Any], graph: Graph, node: OperationNode, *given: Any) -> Any:
    """A function of operands that differ in their number of axes."""
    count = len(node.operands)
    return function(*line_up(graph, node, list(given[:count])), *given[count:])


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
