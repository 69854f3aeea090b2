"""A program along one input: points, pieces between which no line is drawn, and what is there.

A function and its derivative at many points come in (by `Program.batch`). Where a piece ends is
found by bisection: in the middle of a suspect interval the program is evaluated again, and the
half with the larger change is kept, until the two ends lie side by side. What is left of the
change then is a corner, a jump or a pole; of a smooth function nothing is left. What the check
says at that point (`Program.evaluate`) goes beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.program import Program
from gradcli.report.numbers import number

POINTS = 1025
"""Points along a range."""
SUSPECTS = 64
"""At most these many intervals are looked into."""
HALVINGS = 60
REMAINS = 0.3
"""A change of which this part is left when the interval has closed is no smooth one."""
OUT, STEEP = 1e6, 1e2
"""A function (or slope) that is so much larger than usual beside a point has a pole there (or a
vertical tangent)."""
BESIDE = 1e-9
"""How far beside a point its two sides are looked at, as a part of the interval it was found in."""

KindOfMark = Literal["kink", "jump", "pole", "vertical", "edge", "hole"]
Sampler = Callable[[Any], tuple[Any, Any]]
"""Values and slopes at points; nan where the mathematics fails."""


class Mark(NamedTuple):
    """A point where a curve has no derivative, or ends."""

    kind: KindOfMark
    at: float
    left: float
    right: float
    """Slopes on both sides of a corner, values on both sides of a jump; nan where there is none."""

    def words(self, name: str, precision: int) -> str:
        """What is said of it."""
        at, left, right = (number(x, precision) for x in (self.at, self.left, self.right))
        side = "right" if np.isnan(self.left) else "left"
        return WORDS[self.kind].format(f"at {name} = {at}", left, right, side)


WORDS = {
    "kink": "corner {}: slope {} on the left, {} on the right",
    "jump": "jump {}: from {} to {}",
    "vertical": "vertical tangent {}: the slope is infinite",
    "hole": "hole {}: the function has no value there",
    "pole": "pole {}: the function grows without bound",
    "edge": "edge {0}: the function is defined only to the {3}",
}


class Tangent(NamedTuple):
    """The tangent at a point."""

    at: float
    value: float
    slope: float


@dataclass(frozen=True)
class Curve:
    """f and f′ along an input, in pieces. Arrays of shape (n,), in the order of `x`."""

    program: str
    name: str
    output: str
    x: Any
    value: Any
    slope: Any
    breaks: tuple[int, ...]
    """Places in `x` before which a new piece of f begins."""
    slope_breaks: tuple[int, ...]
    """The same of f′: also at corners."""
    marks: tuple[Mark, ...]
    tangent: Tangent | None = None

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """The intervals in which f has no value."""
        bad = ~np.isfinite(self.value)
        ends = np.flatnonzero(np.diff(np.concatenate(([False], bad, [False])).astype(int)))
        edges = [mark.at for mark in self.marks if mark.kind == "edge"]

        def snapped(k: int, inner: int) -> float:
            """The edge that bisection has found beside a point, if there is one."""
            low, high = sorted((self.x[k], self.x[min(max(inner, 0), len(self.x) - 1)]))
            return next((e for e in edges if low <= e <= high), float(self.x[k]))

        pairs = zip(ends[::2], ends[1::2] - 1, strict=True)
        return [(snapped(a, a - 1), snapped(b, b + 1)) for a, b in pairs if b > a]


def curve(
    program: Program,
    name: str,
    ends: tuple[float, float],
    fixed: Mapping[str, Any],
    *,
    at: float | None = None,
    points: int = POINTS,
) -> Curve:
    """The curve of a program along the input `name`, the others `fixed`.

    Raises `GradcliError` as `Program.batch` does, and where f has no value anywhere in the range.
    """
    sample = sampler(program, name, fixed)
    x = np.linspace(*ends, points)
    value, slope = sample(x)
    x, value, slope = _with_round_numbers(sample, x, value, slope)
    if not np.isfinite(value).any():
        program.evaluate({**fixed, name: float(x[points // 2])}, check=False)
        raise GradcliError(
            Kind.DOMAIN, f"no point between {name} = {x[0]:g} and {x[-1]:g} has a value"
        )
    marks, breaks, slope_breaks = _marks(sample, x, value, slope)
    marks = [_checked(program, name, fixed, mark) for mark in marks]
    tangent = None
    if at is not None:
        found = program.evaluate({**fixed, name: at}, wrt=name, check=False)
        tangent = Tangent(at, float(found.value), float(found.gradient[name]))
    output = program.evaluate(
        {**fixed, name: float(x[np.isfinite(value)][0])}, check=False, allow_nonfinite=True
    ).output.name
    return Curve(
        *(program.source.text, name, output, x, value, slope),
        *(breaks, slope_breaks, tuple(marks), tangent),
    )


def _with_round_numbers(sample: Sampler, x: Any, value: Any, slope: Any) -> tuple[Any, Any, Any]:
    """The points, and the round numbers between them at which the mathematics fails.

    That is where a single point has no value (sin(x)/x at 0), which no other point shows.
    """
    step = 10.0 ** np.floor(np.log10((x[-1] - x[0]) / 20))
    round_numbers = np.arange(np.ceil(x[0] / step), np.floor(x[-1] / step) + 1) * step
    extra = np.setdiff1d(round_numbers, x)
    extra = extra[(extra > x[0]) & (extra < x[-1])]
    values, slopes = sample(extra) if len(extra) else (extra, extra)
    bad = ~(np.isfinite(values) & np.isfinite(slopes))
    places = np.searchsorted(x, extra[bad])
    arrays = ((x, extra), (value, values), (slope, slopes))
    a, b, c = (np.insert(old, places, new[bad]) for old, new in arrays)
    return a, b, c


def sampler(program: Program, name: str, fixed: Mapping[str, Any]) -> Sampler:
    """Values and slopes of a program along an input."""

    def sample(x: Any) -> tuple[Any, Any]:
        both = program.batch({name: x}, wrt=name, errors="nan", **fixed)
        value, slope = (both[key].reshape(len(x)) for key in ("value", f"d_{name}"))
        failed = ~np.isfinite(value)
        if failed.any():  # a value may stand where only the slope is infinite
            alone = program.batch({name: x[failed]}, only="value", errors="nan", **fixed)
            value[failed] = alone["value"].reshape(-1)
        return value, slope

    return sample


def limits(values: Any) -> tuple[float, float]:
    """From where to where a curve is shown: all of it, unless a few values are far off."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return -1.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    inner = np.percentile(finite, [4, 96])
    spread = float(inner[1] - inner[0])
    if spread > 0 and high - low > 12 * spread:
        low, high = max(low, inner[0] - spread), min(high, inner[1] + spread)
    room = (high - low) * 0.06 or max(abs(high) * 0.1, 1e-12)
    return low - room, high + room


# --- where a piece ends ------------------------------------------------------------------


class _Ends(NamedTuple):
    """Both ends of suspect intervals, halved together: points, values, slopes."""

    x: Any
    value: Any
    slope: Any


def _marks(
    sample: Sampler, x: Any, value: Any, slope: Any
) -> tuple[list[Mark], tuple[int, ...], tuple[int, ...]]:
    """What is at the ends of pieces, and before which points they begin."""
    suspects = _suspects(x, value, slope)
    low, high = (_Ends(x[k], value[k], slope[k]) for k in (suspects, suspects + 1))
    left, right = _sides(sample, *_closed(sample, low, high), (low.x, high.x))
    size, steep = _usual(value), _usual(slope)
    marks: list[Mark] = []
    breaks, slope_breaks = [], []
    for i, k in enumerate(suspects.tolist()):
        mark = _kind(
            _Ends(*(part[i] for part in left)),
            _Ends(*(part[i] for part in right)),
            abs(high.value[i] - low.value[i]),
            abs(high.slope[i] - low.slope[i]),
            (size, max(steep, *np.nan_to_num(np.abs([low.slope[i], high.slope[i]]), posinf=0.0))),
        )
        if mark is None:
            continue
        if marks and abs(mark.at - marks[-1].at) < 1e-9 * (x[-1] - x[0]):
            # Two intervals meet in one point.
            before = marks[-1]
            if before.kind == mark.kind == "edge":
                marks[-1] = Mark("hole", before.at, before.left, mark.right)
            elif before.kind != "pole" and mark.kind not in ("kink", "vertical"):
                marks[-1] = mark
        else:
            marks.append(mark)
        slope_breaks.append(k + 1)
        if mark.kind not in ("kink", "vertical"):
            breaks.append(k + 1)
    return marks, tuple(breaks), tuple(slope_breaks)


def _sides(
    sample: Sampler, left: _Ends, right: _Ends, whole: tuple[Any, Any]
) -> tuple[_Ends, _Ends]:
    """Closed intervals seen from a little further out: at a corner itself the convention holds."""
    room = BESIDE * (whole[1] - whole[0]) + 4 * np.spacing(np.abs(right.x))
    out = np.maximum(left.x - room, whole[0]), np.minimum(right.x + room, whole[1])
    if not len(left.x):
        return left, right
    ends = [_Ends(x, *sample(x)) for x in out]
    return ends[0], ends[1]


def _suspects(x: Any, value: Any, slope: Any) -> Any:
    """The intervals in which something may be: those whose change stands out from its neighbours'.

    A smooth function changes from interval to interval by little more than in the next ones.
    """
    with np.errstate(all="ignore"):
        low, high = _Ends(x[:-1], value[:-1], slope[:-1]), _Ends(x[1:], value[1:], slope[1:])
        turn, miss = _turn(low, high), _miss(low, high)
        stands_out = _against_neighbours(turn) + _against_neighbours(miss)
        worth = np.maximum(turn / _usual(slope), miss / _usual(value))
        stands_out[~(worth > 1e-9)] = 0
    stands_out[~np.isfinite(stands_out)] = 0
    for values in (slope, value):
        stands_out[np.isfinite(values[1:]) != np.isfinite(values[:-1])] = np.inf
    order = np.argsort(-stands_out, kind="stable")[:SUSPECTS]
    return np.sort(order[stands_out[order] > 4])


def _against_neighbours(change: Any) -> Any:
    """Each change by the larger of the two at a distance of two intervals."""
    padded = np.pad(change, 2, mode="edge")
    around = np.fmax(padded[:-4], padded[4:])
    return change / np.maximum(around, 1e-300)


def _usual(values: Any) -> float:
    """How large finite values usually are: the spread of their middle nine tenths."""
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [5, 95]) if finite.size else (0.0, 0.0)
    return float(max(high - low, np.abs(finite).min(initial=np.inf) * 1e-12, 1e-300))


def _closed(sample: Sampler, low: _Ends, high: _Ends) -> tuple[_Ends, _Ends]:
    """The intervals halved until their ends lie side by side."""
    with np.errstate(all="ignore"):
        turn, miss, width = _turn(low, high), _miss(low, high), high.x - low.x
        # Either may be 0 where the interval has a corner or a jump just in its middle.
        first = np.fmax(turn, 4 * miss / width), np.fmax(miss, width * turn / 4)
    for _ in range(HALVINGS if len(low.x) else 0):
        x = low.x + (high.x - low.x) / 2
        middle = _Ends(x, *sample(x))
        go_right = _change(middle, high, first) > _change(low, middle, first)
        go_right = np.where((x == low.x) | (x == high.x), x == low.x, go_right)
        low = _Ends(*(np.where(go_right, m, a) for m, a in zip(middle, low, strict=True)))
        high = _Ends(*(np.where(go_right, b, m) for m, b in zip(middle, high, strict=True)))
    return low, high


def _turn(a: _Ends, b: _Ends) -> Any:
    """How much the slope changes."""
    return np.abs(b.slope - a.slope)


def _miss(a: _Ends, b: _Ends) -> Any:
    """How far the value is from where the slopes would have it."""
    return np.abs(b.value - a.value - (b.x - a.x) * (a.slope + b.slope) / 2)


def _change(a: _Ends, b: _Ends, first: tuple[Any, Any]) -> Any:
    """How much changes from a to b, as parts of what changed in the whole interval."""
    with np.errstate(all="ignore"):
        found = np.nan_to_num(_turn(a, b) / first[0], nan=0.0)
        found += np.nan_to_num(_miss(a, b) / first[1], nan=0.0)
        # A function that falls between two points where it rises has leapt.
        way = np.sign(b.value - a.value)
        found[(way != 0) & (np.sign(a.slope) == -way) & (np.sign(b.slope) == -way)] = 1e200
    found[np.isfinite(a.slope) != np.isfinite(b.slope)] = 1e300
    found[np.isfinite(a.value) != np.isfinite(b.value)] = np.inf
    return found


def _kind(
    left: _Ends, right: _Ends, moved: float, turned: float, usual: tuple[float, float]
) -> Mark | None:
    """What is left of an interval that has closed; None if that is nothing.

    `left` and `right` are its ends, a little further out than it has closed to; `moved` and
    `turned` say how much changed in it at first, `usual` how large values and slopes are elsewhere.
    """
    finite = np.isfinite(left.value), np.isfinite(right.value)
    if not any(finite):
        return None
    at = simplest(float(left.x), float(right.x))
    values = [float(end.value) for end, known in zip((left, right), finite, strict=True) if known]
    if max(map(abs, values)) > OUT * usual[0]:
        return Mark("pole", at, np.nan, np.nan)
    if finite != (True, True):
        return Mark("edge", at, float(left.value), float(right.value))
    jump, turn = abs(right.value - left.value), abs(right.slope - left.slope)
    if jump > max(REMAINS * moved, 1e-9 * usual[0]):
        return Mark("jump", at, float(left.value), float(right.value))
    slopes = float(left.slope), float(right.slope)
    if not np.isfinite(slopes).all() or max(map(abs, slopes)) > STEEP * usual[1]:
        return Mark("vertical", at, *slopes)
    if turn > max(REMAINS * turned, 1e-7 * usual[1]):
        return Mark("kink", at, *slopes)
    return None


def simplest(low: float, high: float) -> float:
    """The number with the fewest digits in an interval that has closed, or beside it."""
    for digits in range(13):
        candidate = round((low + high) / 2, digits)
        if low <= candidate <= high:
            return candidate + 0.0
    return (low + high) / 2


def _checked(program: Program, name: str, fixed: Mapping[str, Any], mark: Mark) -> Mark:
    """A mark with the slopes that the check finds on both sides of it, if it finds the same."""
    if mark.kind != "kink":
        return mark
    try:
        result = program.evaluate({**fixed, name: mark.at}, wrt=name)
    except GradcliError:
        return mark
    check = result[name].check
    if check is None or check.left is None or check.right is None:
        return mark
    size = max(abs(check.left), abs(check.right))
    left, right = (0.0 if abs(x) < 1e-12 * size else x for x in (check.left, check.right))
    return mark._replace(left=left, right=right)
