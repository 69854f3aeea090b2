"""The derivative at 50 digits, and the operations at any number of digits, in mpmath.

Central differences of the same graph, with numbers of mpmath in place of doubles. At 50 digits
h can be so small (|x|·10⁻²⁰) that neither truncation nor rounding counts, and no derivative
rule is needed, so nothing that is on trial takes part. (Dual numbers would be no second opinion:
they lose the same digits in the same place.)

A row names a function of mpmath or has a form of its own (`ops/kernels/precise.py`). Most
operations on arrays only move, add and multiply elements; for those the kernel itself works on
numbers of any kind.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import mpmath as mp
import numpy as np

from gradcli.check.function import Coordinate, Function
from gradcli.engine.forward import line_up, operand_values
from gradcli.graph.draft import Literal
from gradcli.graph.graph import OperationNode
from gradcli.ops.kernels.precise import each
from gradcli.ops.operation import Operation, keywords

Form = Callable[..., Any]

MOST_BITS = 5000
"""Binary exponents beyond this are refused; those of doubles end at 1074."""

DIGITS = (50, 100, 200, 400, 800)
"""Raised until two results in a row agree, and to the last where they agree on 0: at 100 digits
1 + 1e-200 does not move."""

AGREE = 1e-20

MOST_NUMBERS = 20_000
"""An evaluation of more numbers than this takes too long at 50 digits."""


class _NotExactError(Exception):
    """The graph can't be evaluated at many digits, or is not the same function there."""


def derivative(function: Function, coordinate: Coordinate) -> float | None:
    """The slope of the function at a variable's value, correct to double precision.

    None where an operation has no precise form, where the program is too large, where the
    digits never settle, or where at 50 digits the operations stand on other branches than in
    doubles.
    """
    if np.size(coordinate.value) > MOST_NUMBERS:
        return None
    x = coordinate.x
    before = None
    for digits in DIGITS:
        with mp.workdps(digits):
            h = mp.mpf(abs(x) or 1.0) * mp.mpf(10) ** (-digits * 2 // 5)
            center = mp.mpf(x)
            try:
                high, above = _evaluate(function, coordinate, center + h)
                low, below = _evaluate(function, coordinate, center - h)
                if before is None and not above == below == _branches(function, coordinate):
                    return None
            except _NotExactError:
                return None
            slope = (high - low) / (2 * h)
            if not mp.isfinite(slope):
                return None
            if before is not None and slope and abs(slope - before) <= AGREE * abs(slope):
                return float(slope)
            before = slope
    # No movement at all: the slope is less than the last digit of the values, per step.
    unseen = max(abs(high), abs(low)) * mp.mpf(10) ** -DIGITS[-1] / h
    return 0.0 if before == 0 and unseen < mp.mpf(10) ** -340 else None


def _evaluate(function: Function, coordinate: Coordinate, t: Any) -> tuple[Any, list[bytes]]:
    """The function at t, and the branch of every operation that has branches."""
    start = function.place[coordinate.node]
    graph = function.graph
    now: dict[int, Any] = {start: _placed(coordinate, t)}
    branches: list[bytes] = []
    for i in function.behind(coordinate):
        node = graph.operation(i)
        if node.type.size > MOST_NUMBERS or len(now) > MOST_NUMBERS:
            raise _NotExactError
        precise = form(node.operation)
        if precise is None:
            raise _NotExactError
        arguments = [
            lifted(o.value)
            if isinstance(o, Literal)
            else now[o]
            if o in now
            else lifted(function.values[o])
            for o in node.operands
        ]
        if node.operation.branch is not None:
            branches.append(_code(function, node, [_double(a) for a in arguments]))
        try:
            value = precise(*arguments, **keywords(node.kernel))
        except TypeError:  # a kernel that has come to need doubles
            raise _NotExactError from None
        if not moderate(value):
            raise _NotExactError
        now[i] = value.item() if isinstance(value, np.ndarray) and not value.ndim else value
    output = graph.output
    value = now[output] if output in now else lifted(function.values[output])
    return _total(function, value), branches


def _branches(function: Function, coordinate: Coordinate) -> list[bytes]:
    """The branches in doubles, at the point itself."""
    return [
        _code(function, node, operand_values(node, function.values))
        for node in map(function.graph.operation, function.behind(coordinate))
        if node.operation.branch is not None
    ]


def _code(function: Function, node: OperationNode, arguments: list[Any]) -> bytes:
    assert node.operation.branch is not None
    arguments = line_up(function.graph, node, arguments)
    code = node.operation.branch(*arguments, **keywords(node.kernel))
    return np.asarray(code, dtype=np.float64).tobytes()


def _double(value: Any) -> Any:
    """Numbers as doubles that lie on the same side of any other double.

    1 + 1e-20 is to the right of 1, where `clip(x, 0, 1)` has another branch, and 1e100 + 1e80 has
    another whole number below it than 1e100.
    """
    near = np.asarray(value, dtype=np.float64)
    exact = np.asarray(value, dtype=object)
    side = np.where(exact > near, np.inf, np.where(exact < near, -np.inf, near))
    return np.nextafter(near, side.astype(np.float64))


def _placed(coordinate: Coordinate, t: Any) -> Any:
    """The node's value at t."""
    if coordinate.direction is not None:
        shift: Any = lifted(coordinate.direction) * (t - 1)
        return lifted(coordinate.value) + shift
    if coordinate.index is None:
        return t
    value = lifted(coordinate.value)
    value[coordinate.index] = t
    return value


def _total(function: Function, output: Any) -> Any:
    weighted = lifted(function.upstream) * output
    return np.sum(weighted) if isinstance(weighted, np.ndarray) else weighted


def form(operation: Operation) -> Form | None:
    """The precise form of an operation on object arrays; None if there is none."""
    if operation.elementwise and operation.infer is None:
        one = of_numbers(operation)
        return None if one is None else lambda *operands: each(one, operands)
    given = operation.mpmath
    if operation.body is not None or given is None:
        return None
    return partial(given, mp) if callable(given) else operation.forward


def of_numbers(operation: Operation) -> Form | None:
    """The precise form of an elementwise operation on numbers of mpmath; None if there is none."""
    given = operation.mpmath
    if operation.body is not None or given is None:
        return None
    if callable(given):
        return _real(partial(given, mp))
    return _real(getattr(mp, given or operation.name))


def number(value: float) -> Any:
    """A double as a number of mpmath, exactly."""
    return mp.mpf(float(value))


def lifted(value: Any) -> Any:
    """A value of the graph: a number of mpmath, or an object array of them."""
    if np.ndim(value) == 0:
        return number(value)
    array = np.empty(np.shape(value), dtype=object)
    array[...] = np.frompyfunc(number, 1, 1)(np.asarray(value, dtype=object))
    return array


def moderate(value: Any) -> bool:
    """Whether numbers are finite and not far outside of what doubles can be.

    The sine of exp(1e300) would need π to more digits than there is memory for.
    """
    for v in np.ravel(np.asarray(value, dtype=object)):
        if not mp.isfinite(v) or (v and abs(mp.mag(v)) > MOST_BITS):
            return False
    return True


def _real(function: Form) -> Form:
    """A function whose values are nan where they are complex or there are none."""

    def real(*operands: Any) -> Any:
        try:
            value = function(*operands)
        except (ValueError, ZeroDivisionError, OverflowError):
            return mp.nan
        if isinstance(value, mp.mpc):
            return value.real if value.imag == 0 else mp.nan
        return value

    return real
