"""A loop over the rows compiled by Numba (extra `jit`), for systems without a C compiler.

A `Loop` comes in, a function goes out that fills the results of some rows. To compile takes a
second or so, and what was compiled is gone with the process.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.batch.loop import FUNCTIONS, Loop, Ready, Rows


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


def built(loop: Loop) -> Ready:
    """The loop, compiled. Raises ImportError where Numba is missing."""
    function = _function(loop)

    def ready(columns: Sequence[Any], numbers: Sequence[float], results: Sequence[Any]) -> Rows:
        return lambda start, stop: bool(function(start, stop, *columns, *numbers, *results))

    return ready


def _function(loop: Loop) -> Any:
    """A function of first row, last row + 1, columns, numbers and results.

    It fills the results and says whether in some row a number is not finite: an infinity or nan,
    times 0, makes a nan of the sum that looks at it.
    """
    import numba  # noqa: PLC0415 - an extra

    rows = [f"v{i} = x{i}[i]" for i in loop.columns]
    rows += [f"v{i} = {form}" for i, form in zip(loop.made, loop.forms, strict=True)]
    rows += [f"out{k}[i] = v{i}" for k, i in enumerate(loop.wanted)]
    rows.append("bad |= " + " + ".join(["0.0", *loop.watched]) + " != 0.0")
    results = [f"out{k}" for k in range(len(loop.wanted))]
    parameters = [*(f"x{i}" for i in loop.columns), *(f"v{i}" for i in loop.numbers), *results]
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
    kinds = [given] * len(loop.columns) + [number] * len(loop.numbers)
    signature = numba.boolean(row, row, *kinds, *[filled] * len(loop.wanted))
    return numba.njit(signature, nogil=True, error_model="numpy")(scope["run"])
