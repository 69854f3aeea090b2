"""`gradcli plot`: the function and its derivative over a range of an input."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gradcli.cli.argv import Binding
from gradcli.cli.command import Outcome, declare
from gradcli.cli.options import DrawingOutput, RowOptions, in_program, require
from gradcli.diagnostics.failures import usage_error

if TYPE_CHECKING:
    from gradcli.cli.inputs import Point
    from gradcli.plots.curve import Curve
    from gradcli.plots.field import Field

DRAWN = ("svg", "png", "pdf")


class PlotOptions(DrawingOutput):
    """What is drawn, and where it goes."""

    formats = ("table", "json", "csv", *DRAWN)
    name = "plot"


class RangeOptions(RowOptions):
    """A program, ranges of one or two inputs, the values of the others."""

    at: str | None = in_program(
        "--at x=0.3",
        "the tangent at a point; of two ranges the point itself: x=1,y=2",
    )
    points: int | None = in_program(
        "--points N", "points along the range", min=9, max=1_000_000, group="Program and inputs"
    )

    def ranges(self) -> dict[str, tuple[float, float]]:
        """The inputs with a range, `--x -1:1`, in their order. Raises `GradcliError`."""
        found = {b.name: _range(b) for b in self.bindings if _is_range(b.text)}
        if not found:
            raise usage_error("there is no range to plot over", "give an input one: --x -1:1")
        if len(found) > 2:
            raise usage_error(
                f"there are {len(found)} ranges: {', '.join(found)}",
                "a plot has one or two; give the other inputs a value",
            )
        return found

    def middle(self, ranges: dict[str, tuple[float, float]]) -> Point:
        """The program and its point, in the middle of the ranges."""
        middles = {name: repr(low + (high - low) / 2) for name, (low, high) in ranges.items()}
        self.bindings = tuple(
            b._replace(text=middles[b.name]) if b.name in middles else b for b in self.bindings
        )
        return self.point_of(self.read())

    def where(self, names: Iterable[str]) -> tuple[float, ...] | None:
        """The point of `--at`: a number for every name. Raises `GradcliError`."""
        if self.at is None:
            return None
        from gradcli.cli.inputs import value_of

        names = [*names]
        parts = [part.partition("=") for part in self.at.split(",")]
        given = {name.strip(): text for name, _, text in parts}
        if given.keys() != set(names) or len(parts) != len(names):
            wanted = ",".join(f"{name}=…" for name in names)
            raise usage_error(
                f"--at {self.at}: it takes a value for {' and '.join(names)}", f"--at {wanted}"
            )
        return tuple(_number(value_of(given[name], "--at"), f"--at {self.at}") for name in names)


@declare(
    "plot",
    usage="PROGRAM --NAME LOW:HIGH [--NAME VALUE ...] [options]",
    examples=(
        'gradcli plot "x^2*sin(1/x)" --x -1:1',
        'gradcli plot "relu(x) + y*x^2" --x -2:2 --y 0.5 --at x=1 \\',
        "             --out plot.svg",
        'gradcli plot "x^2 - y^2" --x -2:2 --y -2:2',
    ),
)
def command(point: RangeOptions, report: PlotOptions) -> Outcome:
    """The function and its derivative over a range of an input.

    f stands above its derivative; corners, jumps, poles and edges of the domain are found and
    marked, and no line is drawn over them. Over two ranges it is the contours of f, with arrows
    along the gradient. Pictures need Matplotlib.

    Exit codes: 0 all is well; 1 the mathematics failed; 2 wrong usage.
    """
    form = report.chosen_format()
    if form in DRAWN:
        require("matplotlib", "plots", f"--format {form}")
    return Outcome(_written(_sampled(point), form, report), 0, report.file)


def _written(found: Curve | Field, form: str, report: PlotOptions) -> Iterable[str] | bytes:
    """A plot in its format."""
    if form in DRAWN:
        from gradcli.plots.figure import rendered

        return rendered(found, form, report.precision)
    from gradcli.plots import data, text

    if form == "table":
        return text.pieces(found, report.style())
    return data.pieces(found, form, report.style())


def _sampled(point: RangeOptions) -> Curve | Field:
    """The program over its ranges."""
    from gradcli.plots import sampled

    ranges = point.ranges()
    at = point.where(ranges)
    read = point.middle(ranges)
    bound = read.program.bind(read.inputs, read.data, point.seed)
    fixed = {name: value for name, value in bound.items() if name not in ranges}
    place = at[0] if at is not None and len(ranges) == 1 else at
    return sampled(read.program, ranges, fixed, place, point.points)


def _is_range(text: str) -> bool:
    """Whether a value is written as `low:high`: a colon outside of brackets."""
    depth = 0
    for char in text:
        depth += (char in "([") - (char in ")]")
        if char == ":" and depth == 0:
            return True
    return False


def _range(binding: Binding) -> tuple[float, float]:
    from gradcli.cli.inputs import value_of

    low, _, high = binding.text.partition(":")
    if not low.strip() or not high.strip() or ":" in high:
        raise usage_error(
            f"{binding.origin} {binding.text}: a range is low:high", f"{binding.origin} -1:1"
        )
    ends = [_number(value_of(text, binding.origin), binding.origin) for text in (low, high)]
    if not ends[0] < ends[1]:
        raise usage_error(
            f"{binding.origin} {binding.text}: the range is empty", "the smaller number comes first"
        )
    return ends[0], ends[1]


def _number(value: Any, origin: str) -> float:
    import numpy as np

    if np.ndim(value) or not np.isfinite(value):
        raise usage_error(f"{origin}: it takes finite numbers", f"as in {origin} -1:1")
    return float(value)
