"""The rows that choose elements by value or by number: sorting, quantiles, lookups, classes.

What only looks at its operand (`argmax`, `one_hot`, `x.shape`) has the derivative 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.ops.kernels import choice as ck
from gradcli.ops.kernels import precise as pk
from gradcli.ops.kernels.reductions import gathered
from gradcli.ops.operation import (
    Array,
    Infer,
    Kernel,
    Misfit,
    Operation,
    Shape,
    Site,
    Type,
    parse_parameters,
)
from gradcli.ops.options import Keywords, behind, one_axis, reduction, shape_option, shown, whole
from gradcli.ops.table.reductions import first_place, several
from gradcli.ops.table.rows import HELPER, array_row

ELEMENTS: dict[str, Any] = {"group": "shapes and elements"}


# --- what has no gradient ----------------------------------------------------------------


def observed(
    name: str, parameters: str, kernel: Kernel, infer: Infer, doc: str, **more: Any
) -> Operation:
    """A row whose output doesn't move with its operands but for jumps."""
    more = {"group": "shapes and elements", "traits": "exact selects jumps"} | more
    rules = (f"zeros_like({p.name})" for p in parse_parameters(parameters) if not p.option)
    return array_row(name, parameters, kernel, infer, *rules, doc=doc, **more)


def _place(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    shape, keywords = reduction(types[0], options)
    if types[0].size == 0:
        raise Misfit("there is nothing to choose from", plain=True)
    return Type(shape), keywords


def _one_hot(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    n = options["n"] = whole(options["n"], "n", least=1)
    return Type((*types[0].shape, n)), {"n": n}


def _of_shape(value: Callable[[Type, Keywords], Any]) -> Infer:
    def infer(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
        found = np.asarray(value(types[0], options), dtype=float)
        options["value"] = tuple(found.tolist()) if found.shape else float(found)
        return Type(found.shape), {"value": found, "rank": len(types[0].shape)}

    return infer


def _size(t: Type, options: Keywords) -> int:
    if options.get("axis") is None:
        return t.size
    return t.shape[one_axis(options["axis"], len(t.shape))]


def _segment(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
    x, points = types
    if len(points.shape) != 1 or points.size < 2:
        raise Misfit("the points are a vector of two or more")
    return Type(x.shape), {"rank": len(x.shape)}


def _targets(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
    t, x = types
    same = t.shape == x.shape
    if not x.shape or not (same or t.shape == x.shape[:-1]):
        raise Misfit(
            f"for {x} the classes are numbered by {Type(x.shape[:-1])}, not {t}", plain=True
        )
    return Type(x.shape), {"same": same, "ranks": (len(t.shape), len(x.shape))}


def _targets_rules(site: Site) -> tuple[str, ...]:
    return ("delta" if site.types[0].shape == site.out.shape else "zeros_like(t)"), "zeros_like(x)"


# fmt: off
OBSERVED = (
    observed("argmax", "x axis:=None keepdims:=False", ck.place_of(np.argmax), _place,
             "place of the largest element; without an axis, of the flattened array",
             numpy="1.0*np.argmax({x:all}, {axis=}, {keepdims=})", branch=first_place(np.argmax),
             tie=several(np.max)),
    observed("argmin", "x axis:=None keepdims:=False", ck.place_of(np.argmin), _place,
             "place of the smallest element; without an axis, of the flattened array",
             numpy="1.0*np.argmin({x:all}, {axis=}, {keepdims=})", branch=first_place(np.argmin),
             tie=several(np.min)),
    observed("one_hot", "x n:", ck.one_hot, _one_hot, "1 at the place that x numbers, of n, else 0",
             numpy="1.0*(np.expand_dims({x}, -1) == np.arange({n}))",
             branch=lambda x, n: np.round(x) + 0 * n),
    observed("shape", "x", ck.constant, _of_shape(lambda t, _: t.shape),
             "lengths of the axes: x.shape, x.shape[0]", traits="exact selects"),
    observed("size", "x axis:=None", ck.constant, _of_shape(_size),
             "number of elements, or length of an axis: x.size, len(x)", traits="exact selects",
             aliases="numel"),
    observed("ndim", "x", ck.constant, _of_shape(lambda t, _: len(t.shape)), "number of axes",
             traits="exact selects"),
    observed("segment", "x points", ck.segment, _segment,
             "number of the segment between rising points in which x lies",
             group="used in derivatives",
             numpy="np.clip(np.searchsorted({points}, {x}, 'right') - 1.0, 0, "
             "np.size({points}) - 2)",
             branch=ck.segment),
)

CLASSES = (
    array_row("targets", "t x", ck.targets, _targets, rules=_targets_rules, exact=True,
              doc="classes as zeros and a one in the shape of x; probabilities as they are",
              mpmath=None, **HELPER),
)
# fmt: on


# --- sorting -----------------------------------------------------------------------------


def _line(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    """Along one axis, the last unless told; None is that of a vector."""
    shape = types[0].shape
    if any(t.shape != shape for t in types):
        raise Misfit
    rank = len(shape)
    given = options.get("axis", -1)
    if given is None and rank > 1:
        raise Misfit("it works along an axis", "flatten(x) is all elements as one vector")
    axis = options["axis"] = one_axis(-1 if given is None else given, rank)
    return Type(shape), {"axis": axis - rank}


def _equal_neighbours(x: Array, axis: int) -> Any:
    return np.diff(np.sort(x, axis=axis), axis=axis) == 0


# fmt: off
SORTED = (
    array_row("sort", "x axis:=-1", lambda x, axis: np.sort(x, axis=axis), _line,
              "unsorted(delta, x, {axis})",
              doc="elements from the smallest to the largest along an axis",
              convention="the first of equal elements first", numpy="np.sort({x}, {axis})",
              exact=True, propagates="x", branch=ck.order, tie=_equal_neighbours,
              group="along an axis"),
    observed("argsort", "x axis:=-1", ck.argsort, _line,
             "the places of the elements in their order along an axis",
             numpy="1.0*np.argsort({x}, {axis}, kind='stable')", group="along an axis",
             branch=ck.order, tie=_equal_neighbours),
    array_row("sorted_by", "d x axis:=-1", ck.sorted_by, _line, "unsorted(delta, x, {axis})",
              "zeros_like(x)", doc="d in the order that sorts x", exact=True, propagates="d",
              numpy="np.take_along_axis({d}, np.argsort({x}, {axis}, kind='stable'), {axis})",
              **HELPER),
    array_row("unsorted", "d x axis:=-1", ck.unsorted, _line, "sorted_by(delta, x, {axis})",
              "zeros_like(x)", doc="sorted_by undone", exact=True, propagates="d",
              numpy="np.take_along_axis({d}, np.argsort(np.argsort({x}, {axis}, kind='stable'), "
                  "{axis}), {axis})", **HELPER),
)
# fmt: on


# --- quantiles ---------------------------------------------------------------------------


def _part(options: Keywords) -> float:
    q = options["q"]
    if not isinstance(q, int | float) or not 0 <= q <= 1:
        raise Misfit(f"q is a number from 0 to 1, not {shown(q)}", plain=True)
    return float(q)


def _quantile(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    out, keywords = _place(types, options)
    return out, {**keywords, "q": _part(options)}


# fmt: off
QUANTILES = (
    array_row("quantile", "x q: axis:=None keepdims:=False", ck.quantile, _quantile,
              "{delta}*quantile_weights(x, {q}{given_axis})",
              doc="where a part q of the sorted elements lies below, linear between two",
              convention="evenly among the tied", composite=True,
              branch=lambda x, axis, **_: ck.order(gathered(x, axis), -1),
              tie=lambda x, axis, **_: _equal_neighbours(gathered(x, axis), -1), group="reductions",
              scalar=True),
    array_row("quantile_weights", "x q: axis:=None", ck.quantile_weights,
              lambda types, o: (types[0], {**behind(types[0], o), "q": _part(o)}), "zeros_like(x)",
              doc="how quantile(x, q) moves with each element", mpmath=None, traits="selects",
              **HELPER),
)
# fmt: on


# --- elements by number ------------------------------------------------------------------


def _take(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    x, i = types
    rank = len(x.shape)
    if options.get("axis") is None and rank > 1:
        raise Misfit("take of a matrix needs its axis", "take(flatten(x), i) counts row by row")
    axis = options["axis"] = one_axis(options.get("axis") or 0, rank)
    shape = (*x.shape[:axis], *i.shape, *x.shape[axis + 1 :])
    return Type(shape), {"axis": axis - rank, "ranks": (rank, len(i.shape))}


def _into(fits: Callable[[Shape, Shape, Shape, int], bool]) -> Infer:
    """Zeros of a shape with d at the numbers i of an axis, if these four fit."""

    def infer(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
        d, i = (t.shape for t in types)
        shape = options["shape"] = shape_option(options["shape"])
        axis = options["axis"] = one_axis(options["axis"], len(shape))
        if not fits(d, i, shape, axis):
            raise Misfit
        keywords = {"shape": shape, "axis": axis - len(shape), "ranks": (len(d), len(i))}
        return Type(shape), keywords

    return infer


def _same_lines(d: Shape, i: Shape, shape: Shape, axis: int) -> bool:
    return d == i and len(d) == len(shape) and _others(d, axis) == _others(shape, axis)


def _others(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def _take_along(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    x, i = (t.shape for t in types)
    rank = len(x)
    axis = options["axis"] = one_axis(options["axis"], rank)
    if len(i) != rank or _others(i, axis) != _others(x, axis):
        raise Misfit(hint="x and i have the same lengths but for the axis")
    return Type(i), {"axis": axis - rank, "ranks": (rank, rank)}


# fmt: off
LOOKUPS = (
    array_row("take", "x i axis:=None", ck.take, _take, "take_back(delta, i, {shape}, {axis})",
              "zeros_like(i)", exact=True,
              doc="elements of an axis by number; the numbers may be an input",
              domain="i the numbers of elements",
              numpy="np.take({x}, np.rint({i}).astype(int), {axis})", mpmath=pk.by_number(ck.take),
              **ELEMENTS),
    array_row("take_back", "d i shape: axis:", ck.take_back,
              _into(lambda d, i, shape, n: d == (*shape[:n], *i, *shape[n + 1 :])),
              "take(delta, i, {axis})", "zeros_like(i)",
              doc="zeros of a shape with d added at the numbers i of an axis", mpmath=None,
              **HELPER),
    array_row("take_along", "x i axis:", ck.take_along, _take_along,
              "take_along_back(delta, i, {shape}, {axis})", "zeros_like(i)",
              doc="for every number in i the element of x in the same line", exact=True,
              domain="i the numbers of elements", aliases="take_along_axis",
              mpmath=pk.by_number(ck.take_along),
              numpy="np.take_along_axis({x}, np.rint({i}).astype(int), {axis})", **ELEMENTS),
    array_row("take_along_back", "d i shape: axis:", ck.take_along_back, _into(_same_lines),
              "take_along(delta, i, {axis})", "zeros_like(i)",
              doc="zeros of a shape with d added in its lines at the numbers i", mpmath=None,
              **HELPER),
)
# fmt: on

ROWS = (*OBSERVED, *CLASSES, *SORTED, *QUANTILES, *LOOKUPS)
