"""The rows that work along axes: sums, extremes, norms; softmax and running sums keep them.

A reduction's upstream has lost the axes that were summed over. The rules put them back with
`expand_dims(delta, axis)`, unless everything was reduced or `keepdims` kept them. A running product
is differentiated by a backward recurrence instead of a division by x, so that zeros do no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.ops.kernels import arrays as k
from gradcli.ops.kernels import few
from gradcli.ops.kernels import precise as pk
from gradcli.ops.kernels import reductions as rk
from gradcli.ops.operation import Array, Misfit, Notation, Site, Type
from gradcli.ops.options import (
    Keywords,
    along,
    axis_argument,
    behind,
    expanded,
    line_axis,
    reduced_count,
    reduction,
    shown,
    whole,
)
from gradcli.ops.table.rows import HELPER, array_row, filled, of_array

# --- sums, means, products ---------------------------------------------------------------


def _reduce(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    shape, keywords = reduction(types[0], options)
    return Type(shape), keywords


def _reduce_something(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    """For reductions that have no value without elements."""
    found = _reduce(types, options)
    if reduced_count(types[0], options) == 0:
        raise Misfit(f"there is nothing to reduce in {types[0]}", plain=True)
    return found


def _prod_others(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    if len({t.shape for t in types}) > 1:
        raise Misfit
    return Type(types[0].shape), behind(types[0], options)


def _prod_others_rules(site: Site) -> tuple[str, ...]:
    """A mixed derivative is symmetric: by a direction, `delta` stands in the direction's place."""
    names = [f"x{i + 1}" for i in range(len(site.types))]
    places = [[*names, "delta"]]
    places += [[*names[:i], "delta", *names[i + 1 :]] for i in range(1, len(names))]
    axis = axis_argument(site.options)
    return tuple(f"prod_others({', '.join(given)}{axis})" for given in places)


# --- the spread of values ----------------------------------------------------------------


def _moment(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    shape, keywords = reduction(types[0], options)
    ddof = options["ddof"] = options.get("ddof", 0)
    if not isinstance(ddof, int | float):
        raise Misfit(f"ddof must be a number, not {shown(ddof)}", plain=True)
    count = reduced_count(types[0], options) - ddof
    if count <= 0:
        raise Misfit(
            f"with ddof = {shown(ddof)} it needs more than {shown(ddof)} elements", plain=True
        )
    return Type(shape), {**keywords, "count": count}


def _std_tie(x: Array, axis: rk.Axes, keepdims: bool, count: float) -> Any:  # noqa: FBT001
    return rk.var(x, axis, keepdims, count) == 0


# --- the largest and the smallest --------------------------------------------------------


def first_place(find: Any) -> Any:
    """Which element is chosen, as a branch."""

    def branch(x: Array, axis: rk.Axes, keepdims: bool) -> Any:  # noqa: ARG001, FBT001
        return find(rk.gathered(x, axis), axis=-1)

    return branch


def several(best: Any) -> Any:
    """Whether more than one element is chosen."""

    def tie(x: Array, axis: rk.Axes, keepdims: bool) -> Any:  # noqa: ARG001, FBT001
        return np.sum(x == best(x, axis=axis, keepdims=True), axis=axis) > 1

    return tie


# --- norms -------------------------------------------------------------------------------

NORMS = (None, 1, 2, np.inf)


def _norm(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    (t,) = types
    given = options.get("p")
    p = options["p"] = None if given == "fro" else given
    if p not in NORMS:
        raise Misfit(f"p must be 1, 2 or inf, not {shown(p)}", plain=True)
    shape, keywords = reduction(t, options)
    if p is not None and len(keywords["axis"]) > 1:
        raise Misfit(
            f"norm with p is for vectors, not for {t}",
            "norm(A) is the Frobenius norm; with axis=0 or axis=1, that of every column or row",
            plain=True,
        )
    return Type(shape), keywords if p in {None, 2} else {**keywords, "p": p}


def _norm_rules(site: Site) -> tuple[str, ...]:
    delta, out = expanded(site, "delta"), expanded(site, "out")
    match site.options["p"]:
        case 1:
            return (f"{delta}*sign(x)",)
        case np.inf:
            largest = f"abs(x) == max(abs(x){along(site)})"
            return (f"{delta}*sign(x)*({largest})/sum({largest}{along(site)})",)
    return (f"{delta}*where({out} == 0, 0, x/{out})",)


def _norm_branch(x: Array, axis: rk.Axes, keepdims: bool, p: float = 2) -> Any:  # noqa: ARG001, FBT001
    if p == 1:
        return np.sign(x)
    if p == np.inf:
        lines = rk.gathered(x, axis)
        place = np.argmax(np.abs(lines), axis=-1, keepdims=True)
        return (2 * place + (np.take_along_axis(lines, place, axis=-1) > 0))[..., 0]
    return np.all(x == 0, axis=axis)


def _norm_tie(x: Array, axis: rk.Axes, keepdims: bool, p: float = 2) -> Any:  # noqa: ARG001, FBT001
    if p == 1:
        return x == 0
    size = np.abs(x)
    if p == np.inf:
        largest = np.max(size, axis=axis, keepdims=True, initial=0.0)
        return (np.sum(size == largest, axis=axis) > 1) | np.all(size == 0, axis=axis)
    return np.all(size == 0, axis=axis)


CENTRED = "(x - mean(x{along}))"
TWICE_CENTRED = f"({CENTRED} - mean({CENTRED}{{along}}))"
"""Without the rounding error of the mean, which is large where x is."""
EVENLY = of_array("{delta}*(x == {out})/sum(x == {out}{along})")
AXES = "x axis:=None keepdims:=False"
REDUCTION: dict[str, Any] = {"group": "reductions", "scalar": True}

# fmt: off
SUMS = (
    array_row("sum", AXES, np.add.reduce, _reduce, rules=of_array("{delta}*ones_like(x)"),
              latex=r"\sum {x}", doc="sum of the elements",
              numpy="np.sum({x:count}, {axis=}, {keepdims=})",
              mpmath=lambda _mp, x, **more: np.sum(x, **more), traits="composite", propagates="x",
              jacobian=lambda site: "" if site.out.shape else "ones({n})", **REDUCTION),
    array_row("mean", AXES, np.mean, _reduce_something, aliases="average",
              rules=of_array("{delta}*ones_like(x){over}"), doc="mean of the elements",
              traits="composite", propagates="x", few=few.mean, **REDUCTION),
    array_row("prod", AXES, rk.prod, _reduce, latex=r"\prod {x}",
              rules=of_array("{delta}*prod_others(x{given_axis})"),
              doc="product of the elements; its derivative is right with zeros too",
              mpmath=pk.along(lambda mp, row: mp.fprod(row)), traits="composite", **REDUCTION),
    array_row(
        "prod_others", "*x axis:=None", rk.prod_others, _prod_others, rules=_prod_others_rules,
        latex=r"\prod_{{k \ne j}} {x}_k",
        doc="for every element the product of the others, the gradient of prod; with directions "
            "after x, that gradient's derivative along them", mpmath=None, **HELPER),
)

EXTREMES = (
    array_row("amax", AXES, np.max, _reduce_something, rules=EVENLY, aliases="max amax", call=False,
              latex=r"\max {x}", convention="evenly among the tied", doc="largest element",
              numpy="np.max", mpmath=pk.along(lambda _mp, row: max(row)), traits="exact selects",
              square="", branch=first_place(np.argmax), tie=several(np.max), few=few.amax,
              **REDUCTION),
    array_row("amin", AXES, np.min, _reduce_something, rules=EVENLY, aliases="min amin", call=False,
              latex=r"\min {x}", convention="evenly among the tied", doc="smallest element",
              numpy="np.min", mpmath=pk.along(lambda _mp, row: min(row)), traits="exact selects",
              square="", branch=first_place(np.argmin), tie=several(np.min), few=few.amin,
              **REDUCTION),
)

SPREAD = (
    array_row("var", "x axis:=None ddof:=0 keepdims:=False", rk.var, _moment,
              "2/{count}*{delta}*" + CENTRED, careful="2/{count}*{delta}*" + TWICE_CENTRED,
              doc="variance: the mean squared distance from the mean (ddof=1: over n - 1)",
              mpmath=pk.along(pk.variance), traits="composite", **REDUCTION),
    array_row("std", "x axis:=None ddof:=0 keepdims:=False", rk.std, _moment,
              f"{{delta}}*where({{out}} == 0, 0, {CENTRED}/{{scaled_out}})",
              careful=f"{{delta}}*where({{out}} == 0, 0, {TWICE_CENTRED}/{{scaled_out}})",
              convention="0 where all elements are equal",
              doc="standard deviation, the square root of var",
              mpmath=pk.along(lambda mp, row, count: mp.sqrt(pk.variance(mp, row, count))),
              traits="composite", square="var(x)", branch=_std_tie, tie=_std_tie, **REDUCTION),
    array_row("norm", "x p:=None axis:=None keepdims:=False", rk.norm, _norm, rules=_norm_rules,
              symbol="norm", latex=r"\lVert {x} \rVert",
              convention="0 at 0; for p = 1 by sign, for p = inf evenly among the tied",
              doc="Euclidean norm, of a matrix the Frobenius norm; p = 1, 2, inf for vectors",
              mpmath=pk.along(pk.norm), traits="composite", square="||x||^2", branch=_norm_branch,
              tie=_norm_tie, few=few.norm,
              jacobian=lambda site: (
                  "{x}/{out}" if not site.out.shape and site.options["p"] in {None, 2} else ""),
              wrong="delta*x; 2*delta*x", **REDUCTION),
    array_row("squared_norm", "x", lambda x, axis: np.add.reduce(np.square(x), axis=axis),
              lambda types, _: (Type(()), {"axis": tuple(range(-len(types[0].shape), 0))}),
              "delta*(2*x)", latex=r"\lVert {x} \rVert^2",
              doc="||x||^2, the sum of all squares, also written norm(x)^2",
              mpmath=pk.along(pk.squared_norm), notation=Notation.SQUARED_NORM, traits="composite",
              propagates="x", jacobian="2*{x}", few=few.squared_norm,
              wrong="delta*x; delta*2*sqrt(out); delta*x/sqrt(out)", **REDUCTION),
)

EXPONENTIALS = (
    array_row("logsumexp", AXES, rk.logsumexp, _reduce_something,
              rules=of_array("{delta}*softmax(x{given_axis_or_all})"), latex=r"\log \sum e^{{x}}",
              doc="log of the sum of exponentials, without overflow", mpmath=pk.along(pk.log_sum),
              traits="composite", few=few.logsumexp, **REDUCTION),
)
# fmt: on


# --- softmax ---------------------------------------------------------------------------


def _normalise(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    (t,) = types
    if not t.shape:
        raise Misfit("it needs a vector or a matrix, not a number")
    options.setdefault("axis", -1)
    keywords = behind(t, options)
    if any(t.shape[i] == 0 for i in keywords["axis"]):
        raise Misfit(f"there is nothing to take together in {t}", plain=True)
    return Type(t.shape), keywords


def _for_vector(jacobian: str) -> Callable[[Site], str]:
    """A matrix of derivatives that holds where the output is a vector."""
    return lambda site: jacobian if len(site.out.shape) == 1 else ""


def _softmax_slope(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    if types[0].shape != types[1].shape:
        raise Misfit
    return _normalise(types[:1], options)


TOP = "(p == max(p{keep}))"
SHIFTED = f"(d - sum(d*{TOP}{{keep}})/sum({TOP}{{keep}}))"
"""d less what it is at the largest p, as the kernel has it."""


# --- running sums and products -----------------------------------------------------------


def _line(what: str) -> Any:
    def infer(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
        shape = types[0].shape
        if any(t.shape != shape for t in types):
            raise Misfit
        return Type(shape), {"axis": line_axis(types[0], options, what) - len(shape)}

    return infer


def _shift(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    out, keywords = _line("shift")(types, options)
    places = options["k"] = whole(options.get("k", 1), "k")
    fill = options["fill"] = options.get("fill", 0)
    if not isinstance(fill, int | float):
        raise Misfit(f"fill must be a number, not {shown(fill)}", plain=True)
    return out, {**keywords, "k": places, "fill": fill}


LINE: dict[str, Any] = {"composite": True, "group": "along an axis"}

# fmt: off
SOFTMAX = (
    array_row("softmax", "x axis:=-1", rk.softmax, _normalise, "out*(delta - sum(delta*out{keep}))",
              careful="softmax_slope(out, delta, axis={axis})",
              doc="exponentials divided by their sum, along the last axis unless told",
              mpmath=pk.softmax, jacobian=_for_vector("diag({out}) - {out} @ {out}.T"),
              wrong="delta*out*(1 - out); delta*out; delta*(1 - out)", few=few.softmax, **LINE),
    array_row("log_softmax", "x axis:=-1", rk.log_softmax, _normalise,
              "delta - exp(out)*sum(delta{keep})",
              careful="-delta*expm1(out) - exp(out)*(sum(delta{keep}) - delta)",
              latex=r"\log \operatorname{softmax}({x})",
              doc="logarithm of softmax, without overflow or lost digits", mpmath=pk.log_softmax,
              propagates="x", jacobian=_for_vector("eye({n}) - exp({out}) @ ones({n}).T"),
              wrong="delta - exp(out); delta*(1 - exp(out))", few=few.log_softmax, **LINE),
)

RUNNING = (
    array_row("cumsum", "x axis:=None", np.cumsum, _line("cumsum"),
              "flip(cumsum(flip(delta{given_axis}){given_axis}){given_axis})",
              doc="running sums; of a matrix it needs the axis", propagates="x", **LINE),
    array_row("logcumsumexp", "x axis:=None", np.logaddexp.accumulate, _line("logcumsumexp"),
              "exp(x - out)*recurrence_back(exp(minimum(shift(out{given_axis}) - out, 0)), "
                  "delta{given_axis})",
              doc="logarithms of the running sums of exponentials, without overflow",
              numpy="np.logaddexp.accumulate", mpmath=pk.cumulated_log_sum, **LINE),
    array_row("cumprod", "x axis:=None", np.cumprod, _line("cumprod"),
              "shift(out{given_axis}, fill=1)*recurrence_back(x, delta{given_axis})",
              doc="running products; of a matrix it needs the axis", **LINE),
    array_row(
        "shift", "x k:=1 axis:=None fill:=0", k.shift, _shift,
        rules=lambda site: (f"shift(delta, {-site.options['k']}{axis_argument(site.options)})",),
        doc="elements moved k places towards the end, `fill` in the places left free", mpmath=None,
        traits="exact", **HELPER),
    array_row("recurrence", "a b axis:=None", k.recurrence, _line("recurrence"),
              "shift(out{given_axis})*recurrence_back(a, delta{given_axis})",
              "recurrence_back(a, delta{given_axis})", latex=r"r_i = {a}_i r_{i-1} + {b}_i",
              doc="r[i] = a[i]*r[i - 1] + b[i], with r[0] = b[0]", traits="composite", **HELPER),
    array_row(
        "recurrence_back", "a b axis:=None", k.recurrence_back, _line("recurrence_back"),
        "shift(recurrence(a, delta{given_axis}){given_axis})*out",
        "recurrence(a, delta{given_axis})", latex=r"r_i = {a}_{i+1} r_{i+1} + {b}_i",
        doc="r[i] = a[i + 1]*r[i + 1] + b[i], from the last, r[n - 1] = b[n - 1], to the first",
        traits="composite", **HELPER),
)

SOFTMAX_SLOPE = (
    array_row(
        "softmax_slope", "p d axis:=-1", rk.softmax_slope, _softmax_slope,
        f"delta*({SHIFTED} - sum({SHIFTED}*p{{keep}})) - {SHIFTED}*sum(delta*p{{keep}})",
        "softmax_slope(p, delta, axis={axis})", latex=r"{p} \odot ({d} - {p}^\top {d})",
        doc="p*(d - sum(p*d)), for p with the sum 1: the derivative of softmax in a direction",
        mpmath=None, traits="composite",
        apart=filled(f"p*({SHIFTED} - sum({SHIFTED}*p{{keep}}))"), **HELPER),
)
# fmt: on

ROWS = (*SUMS, *EXTREMES, *SPREAD, *EXPONENTIALS, *SOFTMAX, *RUNNING, *SOFTMAX_SLOPE)
