"""A line of calls as the body of one loop over the rows, for a compiler.

`kernel` makes a NumPy call of every operation, and each goes through the memory. A `Schedule` comes
in here and goes out as a `Loop`: the same operations, in the same order, as expressions of numbers,
whose values between stay in registers. `native` makes C of it and `jit` a function of Numba. What
has no form here (arrays in a row, special functions) goes through NumPy.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from gradcli import ops
from gradcli.batch.kernel import PAGE, Chunk, column, on_all_cores, sound
from gradcli.batch.schedule import POWERS, Call, Schedule
from gradcli.batch.watch import Truth
from gradcli.graph.draft import Operand
from gradcli.graph.graph import shown

ROWS = 16_384
"""Rows that are looked at together for numbers that are not finite."""
OPERATIONS_ALONE = 2 * 10**7
"""Rows × operations that one core has done before a second core has started."""
FEWEST = 8
"""Rows that a processor's widest registers hold: fewer are filled up with the last one."""
MOST_CALLS = 2_000
"""Compiling a longer line takes too long."""

FUNCTIONS = {
    **{name: name for name in ("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "cbrt")},
    **{name: name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "hypot", "sqrt")},
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
    **{name: name for name in ("floor", "ceil", "rint", "logaddexp", "deg2rad", "rad2deg")},
    "absolute": "fabs",
}
"""NumPy's functions that are called by their own names, and what C calls them."""


class Loop(NamedTuple):
    """What a row of the loop reads, computes and writes; numbers are those of nodes."""

    columns: tuple[int, ...]
    numbers: tuple[int, ...]
    """What is the same in all rows."""
    made: tuple[int, ...]
    """The nodes that are computed, in order."""
    forms: tuple[str, ...]
    """For each of them an expression of Python, in which `v7` is the value of node 7."""
    watched: tuple[str, ...]
    """Expressions like the forms: their sum is 0 in a row where everything is finite, else nan."""
    wanted: tuple[int, ...]


Rows = Callable[[int, int], bool]
"""Fills the results from a row to before another, and says whether a number is not finite."""
Ready = Callable[[Sequence[Any], Sequence[float], Sequence[Any]], Rows]
"""A compiled loop: columns, numbers and results come in."""


class Compiled:
    """A line made ready for rows, as `Line` is, with its loop compiled."""

    def __init__(self, line: Schedule, loop: Loop, ready: Ready) -> None:
        self.line, self.loop, self.ready = line, loop, ready

    def run(
        self, inputs: Mapping[int, Any], count: int, *, threads: int | None = None
    ) -> tuple[list[Any], list[Chunk]]:
        """The wanted values of `count` rows, and the chunks in which a number is not finite."""
        if 0 < count < FEWEST:
            columns = {i: np.resize(inputs[i], FEWEST) for i in self.loop.columns}
            for filled in columns.values():
                filled[count:] = filled[count - 1]
            results, found = self.run({**inputs, **columns}, FEWEST, threads=1)
            return [result[:count] for result in results], [(0, count)] if found else []
        if count * len(self.loop.made) < OPERATIONS_ALONE:
            threads = 1
        results = _results(count, len(self.loop.wanted))
        given = [np.ascontiguousarray(inputs[i], dtype=np.float64) for i in self.loop.columns]
        fixed = self.line.fixed(inputs)
        rows = self.ready(given, [float(fixed[i]) for i in self.loop.numbers], results)
        suspect = not sound(fixed)

        def worker(todo: Iterator[Chunk]) -> list[Chunk]:
            firsts = ((first, stop) for start, stop in todo for first in range(start, stop, ROWS))
            parts = ((first, min(first + ROWS, stop)) for first, stop in firsts)
            return [part for part in parts if rows(*part) or suspect]

        return results, on_all_cores(count, _taken(count), threads, worker, suspect=False)


def _taken(count: int) -> int:
    """How many rows a core takes at a time: where they suffice, those of a large page.

    Two cores that write to a new page at the same time both clear it.
    """
    page = PAGE // 8
    return page if 2 * count >= 3 * page * (os.cpu_count() or 1) else ROWS


def _results(count: int, many: int) -> list[Any]:
    """Empty arrays of this many rows; short ones share large pages of memory (see `column`)."""
    if 8 * count >= PAGE:
        return [column(count) for _ in range(many)]
    return list(column(count * many).reshape(many, count))


def loop_of(line: Schedule) -> Loop | None:
    """The line as a loop, or None where it has operations without a form."""
    assert not line.shares  # the forms take the operands of the operations themselves
    nodes = line.graph.nodes
    columns = [i for i in line.graph.inputs if line.varies[i]]
    read = {o for call in line.calls for o in call.operands if isinstance(o, int)}
    read |= {i for call in line.calls for _, i in call.guard}
    numbers = sorted(i for i in read.union(line.wanted) if not line.varies[i])
    arrays = any(nodes[i].type.shape for i in (*line.wanted, *columns, *numbers))
    if arrays or len(line.calls) > MOST_CALLS:
        return None
    forms = []
    for call in line.calls:
        form = _form(call)
        if form is None:
            return None
        forms.append(form)
    made = [call.node.id for call in line.calls]
    seen = shown((call.node, call.operands) for call in line.calls)
    guards = {call.node.id: call.guard for call in line.calls}
    watched = [_counted(i, guards.get(i, ())) for i in (*columns, *made) if i not in seen]
    given = tuple(columns), tuple(numbers)
    return Loop(*given, tuple(made), tuple(forms), tuple(watched), tuple(line.wanted))


def _form(call: Call) -> str | None:
    """A call as an expression; None if it has no form."""
    operation, operands = call.node.operation, call.operands
    assert operation is not None
    if call.node.type.shape or any(not isinstance(o, int) and np.ndim(o.value) for o in operands):
        return None
    names = [_text(o) for o in operands]
    if call.function in POWERS.values():
        return "*".join(names * next(int(p) for p, f in POWERS.items() if f is call.function))
    for symbol, ufunc in (("-", np.subtract), ("+", np.add)):
        if call.function is ufunc:  # also where it was another operation
            return ops.for_symbol(symbol).jit.format(*names)
    if operation.jit:
        if operation.operands[0].variadic:
            return reduce(operation.jit.format, names)
        return operation.jit.format(*names)
    function = getattr(call.node.kernel, "__name__", "")
    return f"{function}({', '.join(names)})" if function in FUNCTIONS else None


def _counted(i: int, guard: Sequence[Truth]) -> str:
    """A number that is 0 if a value is finite or counts for nothing, else nan."""
    found = f"v{i}*0.0"
    for holds, condition in guard:
        found = f"({found} if v{condition} {'!=' if holds else '=='} 0.0 else 0.0)"
    return found


def _text(operand: Operand) -> str:
    return f"v{operand}" if isinstance(operand, int) else f"({float(operand.value)!r})"
