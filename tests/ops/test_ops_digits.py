"""The digits of every elementwise row against mpmath, and the two forms of a rule.

`scripts/bench ulp` tries more points and prints a table of what it finds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from ops_samples import CASES, applied, label, weights
from sweep import each_sample
from ulp import ROWS, errors, kernel_of, measured, points_of, ulps

from gradcli import GradcliError, Program, ops
from gradcli.check.mpmath_ops import form
from gradcli.engine.formula import formula
from gradcli.ops.operation import Operation

MOST = 8.0
"""Units of the last place."""
POINTS = 24
SELDOM = 0.4
"""The part of a row's points at which it may lose digits, if it says where it does."""


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_every_row_has_its_digits(row: Operation) -> None:
    stated = {loss.operand: loss for loss in row.losses}
    for worst in measured(row, POINTS):
        if worst.operand in stated:
            lost = sum(error > MOST for error in worst.errors)
            assert lost <= SELDOM * len(worst.errors), str(worst)
        else:
            assert worst.ulps <= MOST, str(worst)


def test_no_loss_is_stated_without_need() -> None:
    for row in ops.TABLE:
        for loss in row.losses:
            found = {worst.operand: worst.ulps for worst in errors(row, [loss.point])}
            assert found[loss.operand] > MOST, f"{row.name}: the loss {loss} is none any more"


def test_sinc_has_its_digits_at_every_root_of_its_slope() -> None:
    draw, points = np.random.default_rng(0), []
    for n in (*range(1, 12), 255, 256, 12_345, 10**9):
        with mp.workdps(40):
            h = n + mp.mpf(0.5)
            root = h - 1 / (mp.pi**2 * h)
            if n < 1000:
                root = mp.findroot(lambda x: mp.cospi(x) - mp.sincpi(x), root)
        x = float(root)
        beside = [x, np.nextafter(x, 0), np.nextafter(x, 2 * x)]
        beside += [x * (1 + e * draw.uniform(-2, 2)) for e in (1e-14, 1e-11, 1e-7, 1e-4, 1e-2)]
        points += [(sign * float(v),) for v in beside for sign in (1, -1)]
    points += [(float(v),) for v in draw.uniform(-1.5, 1.5, 200)]
    for worst in errors(ops.operation("sinc"), points):
        assert worst.ulps <= MOST, str(worst)


# --- forms for many rows ---------------------------------------------------------------------


def _close(found: Any, wanted: Any) -> Any:
    """Where two results agree within `MOST` ulps; small numbers below the normal ones are equal."""
    ulp = np.maximum(np.spacing(np.abs(wanted)), 2.0**-1022 * 2.0**-52)
    near = np.abs(found - wanted) <= MOST * ulp
    return near | (found == wanted) | ~(np.isfinite(found) | np.isfinite(wanted))


def _columns(row: Operation) -> list[Any]:
    """Points of all sizes; for one operand, a grid over all exponents of e as well."""
    count = len(row.operands)
    points = [*_drawn(row)]
    if count == 1:
        points += [(float(x),) for x in np.linspace(-750, 750, 301)]
    return [np.array(column) for column in zip(*points, strict=True)]


def _drawn(row: Operation) -> list[tuple[float, ...]]:
    return list(dict.fromkeys(points_of(row, POINTS, random.Random(row.name))))  # noqa: S311


ONE_OR_TWO = [row for row in ROWS if not row.operands[0].variadic]


@pytest.mark.parametrize("row", ONE_OR_TWO, ids=label)
def test_a_point_has_the_same_digits_alone_and_among_others(row: Operation) -> None:
    """Kernels take a short way where no element of an array is far out."""
    columns = _columns(row)
    kernel = kernel_of(row, len(columns))
    with np.errstate(all="ignore"):
        together = np.asarray(kernel(*columns))
        alone = np.array([kernel(*point) for point in zip(*columns, strict=True)])
        ones = [kernel(*(np.array([v]) for v in point))[0] for point in zip(*columns, strict=True)]
        agree = _close(alone, together) & _close(np.array(ones), together)
    assert agree.all(), [column[~agree] for column in columns]


@pytest.mark.parametrize("row", [row for row in ops.TABLE if row.shared], ids=label)
def test_what_a_slope_shares_has_the_digits_of_the_kernels(row: Operation) -> None:
    shared = row.shared
    assert shared is not None
    function = ops.operation(shared.function)
    columns = _columns(function)
    for size in (1, len(columns[0])):
        for start in range(0, len(columns[0]), size):
            given = [column[start : start + size] for column in columns]
            part, value, slope = (np.empty(len(given[0])) for _ in range(3))
            with np.errstate(all="ignore"):
                shared.part(*given, part)
                shared.value(part, *given, value)
                assert _close(value, function.forward(*given)).all(), given
                for operands in (given, given[::-1]) if shared.symmetric else (given,):
                    shared.slope(part, *([value] if shared.by_value else operands), slope)
                    assert _close(slope, row.forward(*operands)).all(), operands


# --- two forms of a rule ---------------------------------------------------------------------


TWO_FORMS = [(row, sample) for row, sample in CASES if row.careful]


@partial(each_sample, cases=TWO_FORMS)
def test_both_forms_are_one_rule(row: Operation, sample: str) -> None:
    """At the samples the textbook's form is well conditioned."""
    application = applied(row, sample)
    site = application.site
    delta = weights(site.out.shape)
    for i in range(len(site.types)):
        given = [*application.operands, application.out]
        given += [] if row.elementwise else [delta]
        with np.errstate(all="ignore"):
            shown = formula(row, site, i, textbook=True)(given)
            careful = formula(row, site, i)(given)
        largest = np.max(np.abs(careful[np.isfinite(careful)]), initial=0.0)
        np.testing.assert_allclose(careful, shown, rtol=1e-12, atol=1e-13 * largest)


# --- arrays at hard points -------------------------------------------------------------------


def _softmax(row: list[Any]) -> list[Any]:
    powers = [mp.exp(v) for v in row]
    return [p / mp.fsum(powers) for p in powers]


def _softmax_slope(row: list[Any]) -> list[Any]:
    """By every element, the slope of the first."""
    first, *rest = _softmax(row)
    return [first * mp.fsum(rest), *(-first * p for p in rest)]


def _var(row: list[Any]) -> Any:
    mean = mp.fsum(row) / len(row)
    return mp.fsum((v - mean) ** 2 for v in row) / len(row)


def _centred(row: list[Any]) -> list[Any]:
    mean = mp.fsum(row) / len(row)
    return [(v - mean) / len(row) for v in row]


def _var_slope(row: list[Any]) -> list[Any]:
    return [2 * v for v in _centred(row)]


def _std_slope(row: list[Any]) -> list[Any]:
    return [v / mp.sqrt(_var(row)) for v in _centred(row)]


def _det(flat: list[Any]) -> Any:
    n = math.isqrt(len(flat))
    return mp.det(mp.matrix([flat[n * i : n * i + n] for i in range(n)]))


def _cofactors(flat: list[Any]) -> list[Any]:
    """det is linear in every element."""
    found = []
    for i in range(len(flat)):
        ends = [_det([*flat[:i], mp.mpf(v), *flat[i + 1 :]]) for v in (1, 0)]
        found.append(ends[0] - ends[1])
    return found


def test_hard_arrays_have_their_digits() -> None:
    draw = np.random.default_rng(0)
    for i in range(40):
        offset = 10.0 ** draw.integers(0, 9)
        row = offset + draw.standard_normal(int(draw.integers(2, 6)))
        winner = draw.standard_normal(4)
        winner[0] += draw.integers(0, 300)
        n = 1 + i % 3
        matrix = draw.standard_normal((n, n)) * 10.0 ** draw.integers(-8, 8, (n, n))
        if n > 1 and i % 2:
            matrix[1] = 3 * matrix[0] * (1 + 1e-12 * draw.standard_normal(n))
        _has_digits("softmax(x)[0]", winner, lambda row: _softmax(row)[0], _softmax_slope)
        turned = winner[::-1].copy()
        _has_digits("softmax(x)[0]", turned, lambda row: _softmax(row)[0], _softmax_slope)
        _has_digits("var(x)", row, _var, _var_slope)
        _has_digits("std(x)", row, lambda row: mp.sqrt(_var(row)), _std_slope)
        _has_digits("det(x)", matrix, _det, _cofactors)


def _has_digits(
    text: str,
    x: Any,
    value: Callable[[list[Any]], Any],
    slope: Callable[[list[Any]], list[Any]],
) -> None:
    """Value and every element of the gradient within `MOST` ulps of mpmath's."""
    found = Program(text).evaluate(x=x, check=False)
    got = [found.value, *np.ravel(found.gradient["x"])]
    with mp.workdps(120):
        numbers = [mp.mpf(float(v)) for v in np.ravel(x)]
        true = [value(numbers), *slope(numbers)]
    for g, t in zip(got, true, strict=True):
        error = ulps(float(g), t)
        assert error is not None
        assert error <= MOST, (text, x.tolist(), float(g), error)


@pytest.mark.parametrize("x", [1e-8, 1e-12, 1 + 1e-9, -1 + 1e-9])
def test_second_derivatives_next_to_where_they_vanish(x: float) -> None:
    """Of all functions but those that are derivatives themselves: asin''(x) is x next to 0."""
    seen = 0
    for row in ops.TABLE:
        function = form(row)
        slope = row.name.endswith("_slope") or row.name == "normal_pdf"
        if slope or function is None or not row.elementwise or len(row.parameters) != 1:
            continue
        try:
            got = Program(f"{row.name}(x)").hessian(x=x, check=False).matrix[0, 0]
        except GradcliError:
            continue  # outside of its domain
        with mp.workdps(100):
            step, at = mp.mpf(10) ** -30, mp.mpf(x)
            before, here, behind = (function(at + k * step) for k in (-1, 0, 1))
            true = mp.re(before - 2 * here + behind) / step**2
        if abs(true) > 1e-30:
            seen += 1
            assert abs(got - true) <= 1e-13 * abs(true), row.name
    assert seen > 20
