"""Errors of the elementwise rows in ulps: value and local derivatives against mpmath.

A row comes in with the number of points that it is tried at; out comes a `Worst` for its value and
for each operand's derivative. The points are drawn from all magnitudes and both signs, from
numbers of everyday size, and from next to the roots and poles of the function and its derivative,
which are looked for. The reference is `check.precise` at as many digits as it takes until two
evaluations agree; the reference of a derivative is a central difference of that. An ulp is that of
the true result, and at least the least subnormal number.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

from gradcli import ops
from gradcli.check.mpmath_ops import form, number
from gradcli.engine.formula import formula
from gradcli.ops.kernels import precise
from gradcli.ops.operation import SCALAR, Kernel, Operation, Site

Point = tuple[float, ...]

LEAST, LARGEST = 5e-324, 1.7976931348623157e308
SIZES = (
    *(LEAST, 1e-310, 2.3e-308, 1e-300, 1e-200, 1e-154, 1e-100, 1e-30, 1e-16, 1e-8, 1e-5, 1e-3),
    *(0.1, 0.2, 0.25, 0.5, 0.75, 0.9999999, 1 - 2**-53, 1.0, 1 + 2**-52, 1.0000001, 1.5, 2.0, 2.5),
    *(np.pi / 2, np.pi, 3.0, 5.0, 10.0, 17.0, 18.5, 26.0, 30.0, 36.5, 40.0, 100.0, 300.0, 500.0),
    *(700.0, 709.5, 720.0, 745.0, 1e3, 1e5, 1e8, 1e16, 1e22, 1e50, 1e100, 1e154, 1e156, 1e200),
    *(1e300, LARGEST),
)
FAMILIES = 4


class Worst(NamedTuple):
    """The largest error of a value or a derivative."""

    row: str
    operand: str
    """The operand that the derivative is taken by; empty for the value."""
    ulps: float
    point: Point
    errors: tuple[float, ...]
    """The errors at all points where there was something to compare."""

    def __str__(self) -> str:
        what = f"∂/∂{self.operand}" if self.operand else "value"
        return f"{self.row} {what}: {self.ulps:.3g} ulp at {self.point}"


def measured(row: Operation, count: int, seed: int = 0) -> list[Worst]:
    """The errors of a row's value, and of each of its derivatives, at `count` points."""
    draw = random.Random(f"{row.name} {seed}")  # noqa: S311 - no secrets
    return errors(row, list(dict.fromkeys(points_of(row, count, draw))))


def errors(row: Operation, points: Sequence[Point]) -> list[Worst]:
    """The errors of a row's value, and of each of its derivatives, at these points.

    Where the row states a convention, and where the value is out of range, no derivative is
    compared.
    """
    columns = [np.array(column) for column in zip(*points, strict=True)]
    precise = precise_form(row)
    with np.errstate(all="ignore"):
        out = np.asarray(kernel_of(row, len(columns))(*columns))
        ties = np.zeros(out.shape, bool) if row.tie is None else row.tie(*columns)
        ties = np.broadcast_to(ties, out.shape)
        found = [("", out)]
        for i, name in enumerate(row.operand_names(len(columns))):
            local = formula(row, site(row, len(columns)), i)([*columns, out])
            found.append((name, np.broadcast_to(local, out.shape)))
    values = [exact(precise, point) for point in points]
    worst = []
    for k, (name, got) in enumerate(found):
        sizes: list[tuple[float, Point]] = []
        for point, true, value, tie in zip(points, values, got, ties, strict=True):
            if true is None or abs(true) > LARGEST or (k and tie):
                continue
            error = ulps(float(value), true if k == 0 else exact_slope(row, point, k - 1))
            if error is not None:
                sizes.append((error, point))
        most, where = max(sizes, default=(0.0, ()))
        worst.append(Worst(row.name, name, most, where, tuple(e for e, _ in sizes)))
    return worst


def site(row: Operation, count: int) -> Site:
    """The row on numbers."""
    return Site((SCALAR,) * count, SCALAR, OPTIONS.get(row.name, {}), (None,) * count)


def kernel_of(row: Operation, count: int) -> Kernel:
    """The row's kernel for numbers."""
    return row.bind((SCALAR,) * count, OPTIONS.get(row.name, {})).kernel


def precise_form(row: Operation) -> Callable[..., Any]:
    """The row's form in mpmath."""
    found = form(row)
    assert found is not None
    return partial(found, **OPTIONS.get(row.name, {}))


OPTIONS: dict[str, dict[str, Any]] = {
    "polygamma": {"n": 1},
    **{name: {"n": 2} for name in ("bessel_i", "bessel_j")},
    **{name: {"a": 2.5} for name in ("gammainc", "gammaincc", "gamma_density")},
}


# --- the truth -----------------------------------------------------------------------------

DIGITS = (60, 120, 240, 480, 960, 1920)
AGREE = 1e-19
BELOW = mp.mpf(2) ** -1100
"""What is less is 0 for doubles."""


def exact(function: Callable[..., Any], point: Point) -> Any:
    """The value at exactly these doubles; None where there is none or it doesn't settle."""
    return _settled(lambda _d: function(*map(number, point)))


SLOPES: dict[str, Callable[[Any], Any]] = {
    "erf": lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
    "erfc": lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
    "erfinv": lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(mp.erfinv(x) ** 2),
    "gelu": partial(precise.gelu_slope, mp),
    "gelu_slope": lambda x: (2 - x * x) * mp.npdf(x),
    "gamma": lambda x: mp.gamma(x) * mp.digamma(x),
    "lgamma": mp.digamma,
    "digamma": partial(precise.reflected_polygamma, mp, 1),
    "polygamma": partial(precise.reflected_polygamma, mp, 2),
}
"""Derivatives of functions that take mpmath long at many digits."""


def exact_slope(row: Operation, point: Point, operand: int) -> Any:
    """The slope by one operand at exactly these doubles."""
    if row.name in SLOPES:
        return exact(SLOPES[row.name], point)
    function = precise_form(row)

    def difference(digits: int) -> Any:
        x = [number(v) for v in point]
        gaps = (abs(x[operand] - other) for other in (*x, mp.mpf(0)))
        h = min(min((gap for gap in gaps if gap), default=mp.mpf(1)), mp.mpf(1))
        h *= mp.mpf(10) ** -(digits // 3)
        ends = [function(*x[:operand], x[operand] + s * h, *x[operand + 1 :]) for s in (1, -1)]
        return (ends[0] - ends[1]) / (2 * h)

    return _settled(difference)


def _settled(value: Callable[[int], Any]) -> Any:
    before = None
    for digits in DIGITS:
        with mp.workdps(digits):
            try:
                now = value(digits)
            except (ValueError, ZeroDivisionError, OverflowError, mp.libmp.NoConvergence):
                return None
            if isinstance(now, mp.mpc) or not mp.isfinite(now):
                return None
            if before and abs(now - before) <= AGREE * abs(now):
                return now
            before = now
    return now if abs(now) < BELOW else None


def ulps(got: float, true: Any) -> float | None:
    """The error in units of the last place of the true result; None where that is out of range."""
    if true is None or abs(true) > LARGEST:
        return None
    if not np.isfinite(got):
        return np.inf
    unit = np.spacing(min(abs(float(true)), LARGEST / 2))
    with mp.workdps(60):
        return float(abs(mp.mpf(got) - true) / mp.mpf(unit))


# --- points --------------------------------------------------------------------------------


def points_of(row: Operation, count: int, draw: random.Random) -> Iterator[Point]:
    arity = len(row.operands)
    if arity != 1 or any(p.variadic for p in row.operands):
        arity = max(arity, 2)
        yield from itertools.islice(_several(row, arity, draw), count)
        return
    yield from ((float(x),) for x in _one(row, count, draw))


def _one(row: Operation, count: int, draw: random.Random) -> list[float]:
    near = _near_roots(row)
    part = count // FAMILIES
    picked = draw.sample(near, min(part, len(near)))
    sizes = [s * sign for s in SIZES for sign in (1, -1)]
    picked += draw.sample(sizes, min(part, len(sizes)))
    while len(picked) < count:
        picked.append(_drawn(draw))
    return picked


def _drawn(draw: random.Random) -> float:
    """A number of any size, or of everyday size, or next to a whole number."""
    sign = draw.choice((-1.0, 1.0))
    match draw.randrange(8):
        case 0:
            return sign * 10 ** draw.uniform(-307, 307)
        case 1:
            return sign * 10 ** draw.uniform(-20, 20)
        case 2 | 3:
            return sign * 10 ** draw.uniform(-3, 3)
        case 4:
            return sign * (draw.randrange(1, 6) + draw.choice((1e-3, 1e-8, 1e-14)) * draw.gauss())
    return draw.uniform(-3, 3)


def _several(row: Operation, arity: int, draw: random.Random) -> Iterator[Point]:
    """Operands of any sizes, of like size, equal but for an ulp or so, whole numbers."""
    while True:
        first = draw.choice((_drawn(draw), draw.choice(SIZES) * draw.choice((1, -1))))
        rest = []
        for _ in range(arity - 1):
            match draw.randrange(5):
                case 0:
                    rest.append(first * draw.choice((1, -1)) * (1 + draw.choice((0, 1e-15, 1e-6))))
                case 1:
                    rest.append(first * draw.uniform(-2, 2))
                case 2:
                    rest.append(float(draw.randrange(-5, 6)))
                case _:
                    rest.append(_drawn(draw))
        point = (first, *rest)
        if all(map(np.isfinite, point)):
            yield tuple(map(float, draw.sample(point, arity)))


GRID = np.concatenate([-np.geomspace(1e-3, 1e3, 400)[::-1], np.geomspace(1e-3, 1e3, 400)])


def _near_roots(row: Operation) -> list[float]:
    """Numbers next to where the function or its derivative changes sign."""

    def both(x: Any) -> list[Any]:
        with np.errstate(all="ignore"):
            out = kernel_of(row, 1)(x)
            return [out, np.broadcast_to(formula(row, site(row, 1), 0)([x, out]), out.shape)]

    found: list[float] = []
    for k in (0, 1):
        signs = np.sign(both(GRID)[k])
        places = np.flatnonzero(signs[:-1] * signs[1:] < 0)
        for place in places[np.argsort(np.abs(GRID[places]))][:12]:
            lo, hi, sign = GRID[place], GRID[place + 1], signs[place]
            for _ in range(70):
                middle = (lo + hi) / 2
                if np.sign(both(np.array([middle]))[k][0]) == sign:
                    lo = middle
                else:
                    hi = middle
            found += [lo, hi, *(lo * (1 + d) for d in (1e-14, -1e-11, 1e-8, -1e-5, 1e-3))]
    return found


ROWS = tuple(row for row in ops.TABLE if row.elementwise)
