"""Plots of a program over ranges of its inputs: what is sampled, and how it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from gradcli.plots.curve import Curve
    from gradcli.plots.field import Field
    from gradcli.program import Program


def plot(program: str | Program, *, at: Any = None, **values: Any) -> Figure:
    """A figure of a program over one or two ranges, for notebooks and scripts (extra `plots`).

    A value `(low, high)`, a tuple of two numbers, is a range; all else is the value of an input at
    every point. One range gives f above its derivative, with the tangent at `at`; two give the
    contours of f with arrows along the gradient, and `at` is a pair.

    Raises `GradcliError`: option without a range or with more than two, else as `Program.batch`.

    >>> figure = plot("relu(x) + y*x^2", x=(-2, 2), y=0.5, at=1)
    """
    from gradcli.diagnostics.failures import usage_error  # noqa: PLC0415 - only when called
    from gradcli.plots.figure import figure  # noqa: PLC0415
    from gradcli.program import Program  # noqa: PLC0415

    made = Program(program) if isinstance(program, str) else program
    ranges = {
        name: (float(value[0]), float(value[1]))
        for name, value in values.items()
        if isinstance(value, tuple) and len(value) == 2
    }
    if len(ranges) not in (1, 2):
        raise usage_error(f"there are {len(ranges)} ranges", "plot(program, x=(-1, 1)) has one")
    if any(not low < high for low, high in ranges.values()):
        raise usage_error("a range is empty", "the smaller number comes first")
    fixed = {name: value for name, value in values.items() if name not in ranges}
    return figure(sampled(made, ranges, fixed, at))


def sampled(
    program: Program,
    ranges: Mapping[str, tuple[float, float]],
    fixed: Mapping[str, Any],
    at: Any = None,
    points: int | None = None,
) -> Curve | Field:
    """A program over one range, or over two. Raises `GradcliError` as `Program.batch` does."""
    if len(ranges) == 1:
        from gradcli.plots.curve import POINTS, curve  # noqa: PLC0415 - one of two

        ((name, ends),) = ranges.items()
        return curve(program, name, ends, fixed, at=at, points=points or POINTS)
    from gradcli.plots.field import SIDE, field  # noqa: PLC0415 - one of two

    return field(program, ranges, fixed, at=at, points=points or SIDE)
