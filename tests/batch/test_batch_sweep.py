"""Generated programs through `batch`: every row has what `evaluate` has for its point.

`scripts/bench batch-sweep` runs thousands of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from batch_agreement import Agreement, array_cases, compare, edgy_cases, guarded_cases, measured
from batch_programs import SPECIAL

from gradcli import ops
from gradcli.batch.schedule import SIGNALLING

OPERANDS: dict[Any, int] = {row.in_place: len(row.operands) for row in ops.TABLE if row.in_place}
for made in filter(None, (row.shared for row in ops.TABLE)):
    many = len(ops.operation(made.function).operands)
    OPERANDS |= {
        made.part: many,
        made.value: 1 + many,
        made.slope: 2 if made.by_value else 1 + many,
    }

VIEWS = (
    "sum(A @ atan(v))",
    "tanh(v*v).T @ atan(v)",
    "sin(v[0:2]).T @ cos(v[1:3])",
    "block same(u) = u with delta_u = delta; s = same(sin(v)); t = cos(v); sum(exp(t)*s)",
    "block turned(u) = u.T with delta_u = delta.T; sum(turned(sin(A)) @ cos(A) + A.T @ tanh(A))",
)
"""Results that lie in another's buffer."""
BROADCAST = (
    "n = [[[sum(v)]]]; sum(where(A, cos(n), sin(n))^2)",
    "n = [[sum(v)]]; sum(where(v, cos(n), where(A, sin(n), n))^2)",
)
"""Branches of a `where` that are broadcast to a condition with fewer or more axes."""


@pytest.mark.parametrize("row", [r for r in ops.TABLE if r.shared], ids=lambda row: row.name)
def test_a_function_and_its_slope_where_one_of_them_does_not_count(row: ops.Operation) -> None:
    found = Agreement()
    of = "(y)" if len(row.operands) == 1 else "(y, 2.5)"
    function, slope = f"{row.shared.function}{of}", f"{row.name}{of}"  # type: ignore[union-attr]
    for a, b in ((function, slope), (slope, function)):
        for text in (f"where(x < 1, y^2, {a})*{b}", f"where(x < 1, {a}, y^2)*{b}"):
            for x in (0.0, 2.0):
                compare(found, text, {"x": np.array([x] * 2), "y": np.array([0.3, 0.4])})
    assert not found.differences, found.differences[0]
    assert not found.refused


def test_array_programs_of_the_whole_table() -> None:
    found = measured(array_cases(60))
    assert not found.differences, found.differences[0]
    assert found.rows > 130
    assert found.exact > 0.95 * found.numbers


@pytest.mark.parametrize(("count", "jit"), [(70, False), (12, True)])
def test_the_rows_that_evaluate_refuses(count: int, jit: bool) -> None:  # noqa: FBT001
    """At kinks, at borders of domains, at huge and tiny numbers, with every kind of `errors`."""
    found = measured(edgy_cases(count, jit=jit))
    assert not found.differences, found.differences[0]
    assert 0 < found.refused < found.rows


@pytest.mark.parametrize(("count", "jit"), [(70, False), (12, True)])
def test_guards_of_numbers_and_arrays(count: int, jit: bool) -> None:  # noqa: FBT001
    """Conditions of columns and of values for all rows, with more axes than what they select."""
    found = measured(guarded_cases(count, jit=jit))
    assert not found.differences, found.differences[0]
    assert 0 < found.refused < found.rows


@pytest.mark.parametrize("function", sorted(SIGNALLING, key=repr))
def test_functions_that_signal(function: Callable[..., Any]) -> None:
    """No infinity and no nan comes out of numbers without an IEEE exception, at any length."""
    values = np.array([*SPECIAL, 1e308, 700.0, -700.0, *np.linspace(-5, 5, 11)])
    many = OPERANDS[function] if function in OPERANDS else int(getattr(function, "nin", 1))
    points = itertools.product(values[:: max(1, many - 1)], repeat=many)
    for repeated, point in itertools.product((1, 40), points):
        given = [np.full(repeated, v) for v in point]
        flags: list[str] = []
        with np.errstate(all="call", under="ignore", call=lambda f, _, to=flags: to.append(f)):
            out = np.empty(repeated)
            ufunc = isinstance(function, np.ufunc)
            made = function(*given, out=out) if ufunc else function(*given, out)
        assert flags or np.isfinite(made).all(), point


DEAD_ENDS = (
    *("acos(tanh(round(x)))", "0*sqrt(x)", "sqrt(floor(x))", "0/x^0", "x^2 + inf", "floor(1/x)"),
    *("(log(x) > 0) + x", "where(x > 1, acos(round(x)), x)", "min(exp(exp(x)), 3)"),
    *("cbrt(std([x])) + x", "where(1, x, log(x))", "where(x > 2, where(0, log(-x), x), sqrt(x))"),
)
"""What fails in them reaches no result, or no IEEE exception tells of it."""


@pytest.mark.parametrize("jit", [False, True])
def test_what_fails_and_reaches_no_result(jit: bool) -> None:  # noqa: FBT001
    x, found = np.tile([20.0, 0.0, 0.5, -1.0, 7.0, 1.0], 25), Agreement()
    for text in DEAD_ENDS:
        compare(found, text, {"x": x}, jit=jit)
    assert not found.differences, found.differences[0]
    assert found.refused > 0


@pytest.mark.parametrize("text", VIEWS + BROADCAST)
def test_shapes_that_once_went_wrong(text: str) -> None:
    draw, found = np.random.default_rng(0), Agreement()
    columns = {"A": draw.normal(size=(5, 2, 3)), "v": draw.normal(size=(5, 3))}
    columns = {name: column for name, column in columns.items() if name in text}
    for chunk in (None, 1, 2):
        compare(found, text, columns, chunk=chunk, threads=1)
    assert not found.differences, found.differences[0]
