"""A line of calls as one compiled loop over the rows, by Numba (extra `jit`).

`kernel` makes a NumPy call of every operation, and each goes through the memory. Here a
`Line` comes in and the same operations, in the same order, go out as one loop whose values
between stay in registers. It pays where there are many cheap operations; to compile it takes a
second or so. What has no form here (arrays in a row, special functions) still goes through NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from gradcli import ops
from gradcli.batch.kernel import (
    POWERS,
    Call,
    Chunk,
    Line,
    column,
    on_all_cores,
    sound,
)
from gradcli.batch.watch import Truth
from gradcli.graph.draft import Operand
from gradcli.graph.graph import shown

ROWS = 16_384
"""Rows that a core takes at a time."""
MOST_CALLS = 2_000
"""Compiling a longer line takes too long."""

FUNCTIONS = {
    *("absolute", "sqrt", "cbrt", "exp", "expm1", "exp2", "log", "log1p", "log2", "log10"),
    *("logaddexp", "hypot", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh"),
    *("cosh", "tanh", "arcsinh", "arccosh", "arctanh", "deg2rad", "rad2deg", "floor", "ceil"),
    "rint",
}
"""NumPy's functions that are called by their own names."""


def larger(a: float, b: float) -> float:
    """`np.maximum` of two numbers, also where one is nan and for the two zeros."""
    return a if a > b or a != a else b  # noqa: PLR0124 - a nan


def smaller(a: float, b: float) -> float:
    """`np.minimum` of two numbers."""
    return a if a < b or a != a else b  # noqa: PLR0124 - a nan


def logistic(x: float, z: float) -> float:
    """The sigmoid of x, for z = e^-|x|: an argument, so that it is computed once for all uses."""
    value = 1.0 / (1.0 + z)
    return value if x >= 0.0 else z * value


def bell(z: float) -> float:
    """The slope of the sigmoid at x, for z = e^-|x|, which its value needs too."""
    return z / ((1.0 + z) * (1.0 + z))


def share(a: float, b: float) -> float:
    """e^a/(e^a + e^b), as the kernel has it: with the rounding error of a - b."""
    d = a - b
    part = d - a
    error = (a - (d - part)) - (b + part)
    z = math.exp(-abs(d))
    value = (1.0 if d >= 0.0 else z) / (1.0 + z)
    return value + (error * z / ((1.0 + z) * (1.0 + z)) if abs(error) < math.inf else 0.0)


CALLED = (larger, smaller, logistic, bell, share)
"""What the forms call besides NumPy's functions."""


class Compiled:
    """A line made ready for rows, as `Line` is; `forms` are its calls as expressions."""

    def __init__(
        self, line: Line, columns: list[int], numbers: list[int], forms: list[str]
    ) -> None:
        self.line, self.columns, self.numbers = line, columns, numbers
        self.function = _function(line, columns, numbers, forms)

    def run(
        self, inputs: Mapping[int, Any], count: int, *, threads: int | None = None
    ) -> tuple[list[Any], list[Chunk]]:
        """The wanted values of `count` rows, and the chunks in which a number is not finite."""
        results = [column(count) for _ in self.line.wanted]
        columns = [np.ascontiguousarray(inputs[i], dtype=np.float64) for i in self.columns]
        fixed = self.line.fixed(inputs)
        numbers = [float(fixed[i]) for i in self.numbers]

        def worker(todo: Iterator[Chunk]) -> list[Chunk]:
            return [c for c in todo if self.function(*c, *columns, *numbers, *results)]

        return results, on_all_cores(count, ROWS, threads, worker, suspect=not sound(fixed))


def compiled(line: Line) -> Compiled | None:
    """The line compiled, or None where it has operations without a form.

    Raises ImportError where Numba is missing.
    """
    import numba  # noqa: F401, PLC0415 - missing, it is missed whatever the line

    assert not line.shares  # the forms take the operands of the operations themselves
    columns = [i for i in line.graph.inputs if line.varies[i]]
    read = {o for call in line.calls for o in call.operands if isinstance(o, int)}
    numbers = sorted(i for i in read.union(line.wanted) if not line.varies[i])
    arrays = any(line.graph.nodes[i].type.shape for i in (*line.wanted, *columns, *numbers))
    if arrays or len(line.calls) > MOST_CALLS:
        return None
    forms = [form for form in map(_form, line.calls) if form is not None]
    return Compiled(line, columns, numbers, forms) if len(forms) == len(line.calls) else None


def _form(call: Call) -> str | None:
    """A call as an expression; None if it has no form."""
    operation, operands = call.node.operation, call.operands
    if call.node.type.shape or any(not isinstance(o, int) and np.ndim(o.value) for o in operands):
        return None
    names = [_text(o) for o in operands]
    if call.function in POWERS.values():
        return "*".join(names * next(int(p) for p, f in POWERS.items() if f is call.function))
    if call.function is np.subtract:  # also where it was a + (-b)
        return ops.for_symbol("-").jit.format(*names)
    if operation.jit:
        if operation.operands[0].variadic:
            return reduce(operation.jit.format, names)
        return operation.jit.format(*names)
    function = getattr(call.function, "__name__", "")
    return f"{function}({', '.join(names)})" if function in FUNCTIONS else None


def _counted(i: int, guard: Sequence[Truth]) -> str:
    """A number that is 0 if a value is finite or counts for nothing, else nan."""
    conditions = " and ".join(f"v{c} {'!=' if holds else '=='} 0.0" for holds, c in guard)
    return f"(v{i}*0.0 if {conditions} else 0.0)" if guard else f"v{i}*0.0"


def _text(operand: Operand) -> str:
    return f"v{operand}" if isinstance(operand, int) else f"({float(operand.value)!r})"


def _function(
    line: Line, columns: Sequence[int], numbers: Sequence[int], forms: Sequence[str]
) -> Any:
    """A function of first row, last row + 1, columns, numbers and results.

    It fills the results and says whether in some row a number is not finite: an infinity or nan,
    times 0, makes a nan of the sum that looks at it.
    """
    import numba  # noqa: PLC0415 - an extra

    made = [call.node.id for call in line.calls]
    seen = shown((call.node, call.operands) for call in line.calls)
    guards = {call.node.id: call.guard for call in line.calls}
    watched = [_counted(i, guards.get(i, ())) for i in (*columns, *made) if i not in seen]
    rows = [f"v{i} = x{i}[i]" for i in columns]
    rows += [f"v{i} = {form}" for i, form in zip(made, forms, strict=True)]
    rows += [f"out{k}[i] = v{i}" for k, i in enumerate(line.wanted)]
    rows.append("bad |= " + " + ".join(["0.0", *watched]) + " != 0.0")
    results = [f"out{k}" for k in range(len(line.wanted))]
    parameters = [*(f"x{i}" for i in columns), *(f"v{i}" for i in numbers), *results]
    body = "\n        ".join(rows)
    text = (
        f"def run(start, stop, {', '.join(parameters)}):\n    bad = False\n"
        f"    for i in range(start, stop):\n        {body}\n    return bad\n"
    )
    scope = {name: getattr(np, name) for name in (*FUNCTIONS, "inf", "nan")}
    scope |= {function.__name__: numba.njit(function) for function in CALLED}
    exec(text, scope)  # noqa: S102 - names that are made here, nothing of the user's
    number, row = numba.float64, numba.int64
    given, filled = (numba.types.Array(number, 1, "C", readonly=r) for r in (True, False))
    kinds = [given] * len(columns) + [number] * len(numbers) + [filled] * len(results)
    signature = numba.boolean(row, row, *kinds)
    return numba.njit(signature, nogil=True, error_model="numpy")(scope["run"])
