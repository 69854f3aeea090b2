"""The rows that work along axes: sums, extremes, norms, softmax, running sums and products.

A reduction's upstream has lost the axes that were summed over. The rules put them back with
`expand_dims(delta, axis)`, unless everything was reduced or `keepdims` kept them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.kernels import precise as pk
from gradcli.ops.kernels import reductions as rk
from gradcli.ops.operation import Array, Misfit, Notation, Site, Type
from gradcli.ops.options import (
    Keywords,
    along,
    axis_argument,
    behind,
    expanded,
    reduced_count,
    reduction,
    shown,
)
from gradcli.ops.table.rows import HELPER, array_row, of_array

# --- sums, means, products ---------------------------------------------------------------


def _reduce(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    shape, keywords = reduction(types[0], options)
    return Type(shape), keywords


def _reduce_something(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    """For reductions that have no value without elements."""
    shape, keywords = reduction(types[0], options)
    if reduced_count(types[0], options) == 0:
        raise Misfit(f"there is nothing to reduce in {types[0]}", plain=True)
    return Type(shape), keywords


def _mean_rules(site: Site) -> tuple[str, ...]:
    text = f"{expanded(site, 'delta')}*ones_like(x)" if site.types[0].shape else "delta"
    count = reduced_count(site.types[0], site.options)
    return (text if count == 1 else f"{text}/{count}",)


def _prod_others(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    if len({t.shape for t in types}) > 1:
        raise Misfit
    return Type(types[0].shape), behind(types[0], options)


def _prod_others_rules(site: Site) -> tuple[str, ...]:
    """A mixed derivative is symmetric: by a direction, `delta` stands in the direction's place."""
    names = [f"x{i + 1}" for i in range(len(site.types))]
    axis = axis_argument(site.options)
    by_x = f"prod_others({', '.join([*names, 'delta'])}{axis})"
    by_direction = [
        f"prod_others({', '.join([*names[:i], 'delta', *names[i + 1 :]])}{axis})"
        for i in range(1, len(names))
    ]
    return (by_x, *by_direction)


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


def _count(site: Site) -> str:
    """The number that the sum of squares is divided by."""
    return shown(reduced_count(site.types[0], site.options) - site.options["ddof"])


def _centred(site: Site) -> str:
    return f"(x - mean(x{along(site)}))"


def _twice_centred(site: Site) -> str:
    """x - mean(x) without the rounding error of the mean, which is large where x is."""
    once = _centred(site)
    return f"({once} - mean({once}{along(site)}))"


def _var_rule(site: Site, centred: str) -> tuple[str, ...]:
    return (f"2/{_count(site)}*{expanded(site, 'delta')}*{centred}",)


def _std_rule(site: Site, centred: str) -> tuple[str, ...]:
    count = _count(site)
    delta, out = expanded(site, "delta"), expanded(site, "out")
    divisor = out if count == "1" else f"({count}*{out})"
    return (f"{delta}*where({out} == 0, 0, {centred}/{divisor})",)


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


# --- exponentials ------------------------------------------------------------------------


def _logsumexp_rules(site: Site) -> tuple[str, ...]:
    shape = site.types[0].shape
    if not shape:
        return ("delta",)
    axis = axis_argument(site.options) or (", axis=None" if len(shape) > 1 else "")
    return (f"{expanded(site, 'delta')}*softmax(x{axis})",)


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
    array_row("mean", AXES, np.mean, _reduce_something, rules=_mean_rules, aliases="average",
              doc="mean of the elements", traits="composite", propagates="x", **REDUCTION),
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
              square="", branch=first_place(np.argmax), tie=several(np.max), **REDUCTION),
    array_row("amin", AXES, np.min, _reduce_something, rules=EVENLY, aliases="min amin", call=False,
              latex=r"\min {x}", convention="evenly among the tied", doc="smallest element",
              numpy="np.min", mpmath=pk.along(lambda _mp, row: min(row)), traits="exact selects",
              square="", branch=first_place(np.argmin), tie=several(np.min), **REDUCTION),
)

SPREAD = (
    array_row("var", "x axis:=None ddof:=0 keepdims:=False", rk.var, _moment,
              rules=lambda site: _var_rule(site, _centred(site)),
              careful=lambda site: _var_rule(site, _twice_centred(site)),
              doc="variance: the mean squared distance from the mean (ddof=1: over n - 1)",
              mpmath=pk.along(pk.variance), traits="composite", **REDUCTION),
    array_row("std", "x axis:=None ddof:=0 keepdims:=False", rk.std, _moment,
              rules=lambda site: _std_rule(site, _centred(site)),
              careful=lambda site: _std_rule(site, _twice_centred(site)),
              convention="0 where all elements are equal",
              doc="standard deviation, the square root of var",
              mpmath=pk.along(lambda mp, row, count: mp.sqrt(pk.variance(mp, row, count))),
              traits="composite", square="var(x)", branch=_std_tie, tie=_std_tie, **REDUCTION),
    array_row("norm", "x p:=None axis:=None keepdims:=False", rk.norm, _norm, rules=_norm_rules,
              symbol="norm", latex=r"\lVert {x} \rVert",
              convention="0 at 0; for p = 1 by sign, for p = inf evenly among the tied",
              doc="Euclidean norm, of a matrix the Frobenius norm; p = 1, 2, inf for vectors",
              mpmath=pk.along(pk.norm), traits="composite", square="||x||^2", branch=_norm_branch,
              tie=_norm_tie,
              jacobian=lambda site: (
                  "{x}/{out}" if not site.out.shape and site.options["p"] in {None, 2} else ""),
              wrong="delta*x; 2*delta*x", **REDUCTION),
    array_row("squared_norm", "x", lambda x, axis: np.add.reduce(np.square(x), axis=axis),
              lambda types, _: (Type(()), {"axis": tuple(range(-len(types[0].shape), 0))}),
              "delta*(2*x)", latex=r"\lVert {x} \rVert^2",
              doc="||x||^2, the sum of all squares, also written norm(x)^2",
              mpmath=pk.along(pk.squared_norm), notation=Notation.SQUARED_NORM, traits="composite",
              propagates="x", jacobian="2*{x}",
              wrong="delta*x; delta*2*sqrt(out); delta*x/sqrt(out)", **REDUCTION),
)

EXPONENTIALS = (
    array_row("logsumexp", AXES, rk.logsumexp, _reduce_something, rules=_logsumexp_rules,
              latex=r"\log \sum e^{{x}}", doc="log of the sum of exponentials, without overflow",
              mpmath=pk.along(pk.log_sum), traits="composite", **REDUCTION),
)
# fmt: on

ROWS = (*SUMS, *EXTREMES, *SPREAD, *EXPONENTIALS)
