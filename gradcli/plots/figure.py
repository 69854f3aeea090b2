"""Curves and fields as figures of Matplotlib (extra `plots`).

f stands above f′ over the same range. Pieces are lines of their own, so that nothing is drawn over
a jump, a pole or a gap; what is there is marked by shape and in words, not by colour alone.
"""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from gradcli.plots.curve import Curve, Mark, limits
from gradcli.plots.field import Field
from gradcli.report.numbers import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREY = "#0055a4", "#b35900", "#777777"
LABELS = {
    "kink": "corner",
    "jump": "jump",
    "pole": "pole",
    "edge": "edge of the domain",
    "hole": "hole",
    "vertical": "vertical tangent",
}
LONGEST_TITLE = 70
ARROWS = 13
"""Arrows along each side of a field."""


class Plot(Figure):
    """A figure that a notebook shows, also where pyplot was never imported."""

    def _repr_png_(self) -> bytes:
        written = BytesIO()
        self.savefig(written, format="png", dpi=110)
        return written.getvalue()


def figure(found: Curve | Field, precision: int = 6) -> Plot:
    """The figure of a curve or a field."""
    made = Plot(figsize=(7, 6 if isinstance(found, Curve) else 5.6), layout="constrained")
    title = " ".join(found.program.split())
    if len(title) <= LONGEST_TITLE and title.isprintable():
        made.suptitle(title.replace("$", r"\$"), fontfamily="monospace")
    if isinstance(found, Curve):
        _draw_curve(made, found, precision)
    else:
        _draw_field(made, found)
    return made


def rendered(found: Curve | Field, form: str, precision: int = 6) -> bytes:
    """The figure as svg, png or pdf; the same bytes for the same figure."""
    import matplotlib as mpl  # noqa: PLC0415 - an extra

    mpl.rcParams["svg.hashsalt"] = "gradcli"
    written = BytesIO()
    nothing: dict[str, Any] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    figure(found, precision).savefig(written, format=form, dpi=150, metadata=nothing[form])
    return written.getvalue()


def _draw_curve(made: Figure, found: Curve, precision: int) -> None:
    top, bottom = made.subplots(2, sharex=True)
    _line(top, found.x, found.value, found.breaks, BLUE)
    _line(bottom, found.x, found.slope, found.slope_breaks, ORANGE)
    top.set_ylabel(found.output)
    bottom.set_ylabel(f"∂{found.output}/∂{found.name}")
    bottom.set_xlabel(found.name)
    top.set_xlim(found.x[0], found.x[-1])
    for axes, values in ((top, found.value), (bottom, found.slope)):
        axes.grid(alpha=0.25)
        axes.axhline(0, color=GREY, linewidth=0.6)
        axes.set_ylim(*limits(values))
        for low, high in found.gaps:
            axes.axvspan(low, high, color=GREY, alpha=0.15, linewidth=0, label="no value")
    for mark in found.marks:
        _mark(top, bottom, found, mark)
    if found.tangent is not None:
        at, value, slope = found.tangent
        ends = np.array([found.x[0], found.x[-1]])
        where, steep = number(at, precision), number(slope, precision)
        text = f"tangent at {found.name} = {where}: slope {steep}"
        top.plot(ends, value + slope * (ends - at), "--", color=ORANGE, linewidth=1.3, label=text)
        top.plot([at], [value], "o", color=ORANGE)
        bottom.plot([at], [slope], "o", color=ORANGE)
    handles, labels = top.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    if unique:
        top.legend(unique.values(), unique.keys(), fontsize="small")


def _line(axes: Axes, x: Any, y: Any, breaks: tuple[int, ...], color: str) -> None:
    for start, stop in pairwise([0, *breaks, len(x)]):
        axes.plot(x[start:stop], y[start:stop], color=color, linewidth=1.6)


def _mark(top: Axes, bottom: Axes, found: Curve, mark: Mark) -> None:
    """A corner is a filled dot, the ends of a jump are open ones, a pole or an edge is a line."""
    label = LABELS[mark.kind]
    style: dict[str, Any] = {"linestyle": "none", "color": "black", "markersize": 5}
    ends = [mark.left, mark.right]
    if mark.kind == "kink":
        value = np.interp(mark.at, found.x, found.value)
        top.plot([mark.at], [value], marker="D", label=label, **style)
        bottom.plot([mark.at] * 2, ends, marker="o", markerfacecolor="white", **style)
    elif mark.kind in ("jump", "hole"):
        ends = ends if mark.kind == "jump" else [float(np.nanmean(ends))]
        at = [mark.at] * len(ends)
        top.plot(at, ends, marker="o", markerfacecolor="white", label=label, **style)
    else:
        dashes = {"pole": "-.", "edge": ":", "vertical": "--"}[mark.kind]
        for axes in (top, bottom):
            axes.axvline(mark.at, color="black", linestyle=dashes, linewidth=1, label=label)


def _draw_field(made: Figure, found: Field) -> None:
    axes = made.subplots()
    value = np.ma.masked_invalid(found.value)
    low, high = limits(found.value)
    if value.min() < value.max():
        heights = found.x, found.y, value, np.linspace(low, high, 15)
        drawn = axes.contourf(*heights, extend="both", cmap="cividis")
        lines: dict[str, Any] = {"linewidths": 0.4, "negative_linestyles": "solid"}
        axes.contour(*heights, colors="black", **lines)
        made.colorbar(drawn, ax=axes, label=found.output, format="%.4g")
    step = max(1, len(found.x) // ARROWS)
    half = step // 2
    u, v = (g[half::step, half::step] for g in found.gradient)
    with np.errstate(all="ignore"):
        length = np.hypot(u, v)
        shown = np.sqrt(np.minimum(length, np.nanpercentile(length, 80)))  # long ones shorter
        scale = np.where(length > 0, shown / length, 0)
    axes.quiver(found.x[half::step], found.y[half::step], u * scale, v * scale, angles="xy",
                color="white", edgecolor="black", linewidth=0.5, pivot="mid")  # fmt: skip
    if found.at is not None:
        axes.plot(*found.at, "o", color="white", markeredgecolor="black")
    axes.set_xlabel(found.names[0])
    axes.set_ylabel(found.names[1])
    axes.set_title("arrows along the gradient", fontsize="small")
