"""The rows that keep the length of an axis: softmax, running sums and products.

A running product is differentiated by a backward recurrence instead of a division by x, so
that zeros do no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.ops.kernels import arrays as k
from gradcli.ops.kernels import precise as pk
from gradcli.ops.kernels import reductions as rk
from gradcli.ops.operation import Misfit, Site, Type
from gradcli.ops.options import Keywords, along, axis_argument, behind, line_axis, shown, whole
from gradcli.ops.table.rows import HELPER, array_row

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


def _total(site: Site, text: str) -> str:
    """A sum over what softmax takes together, to be broadcast."""
    keep = along(site) if len(site.types[0].shape) > 1 else ""
    return f"sum({text}{keep})"


def _for_vector(jacobian: str) -> Callable[[Site], str]:
    """A matrix of derivatives that holds where the output is a vector."""
    return lambda site: jacobian if len(site.out.shape) == 1 else ""


def _softmax_slope(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    if types[0].shape != types[1].shape:
        raise Misfit
    return _normalise(types[:1], options)


def _softmax_slope_rules(site: Site) -> tuple[str, ...]:
    """By p as the kernel has it, with d shifted; by d the matrix is symmetric."""
    keep = along(site) if len(site.types[0].shape) > 1 else ""
    top = f"(p == max(p{keep}))"
    shifted = f"(d - {_total(site, f'd*{top}')}/{_total(site, top)})"
    return (
        f"delta*({shifted} - {_total(site, f'{shifted}*p')}) - {shifted}*{_total(site, 'delta*p')}",
        f"softmax_slope(p, delta, axis={shown(site.options['axis'])})",
    )


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
    array_row("softmax", "x axis:=-1", rk.softmax, _normalise,
              rules=lambda site: (f"out*(delta - {_total(site, 'delta*out')})",),
              careful="softmax_slope(out, delta, axis={axis})",
              doc="exponentials divided by their sum, along the last axis unless told",
              mpmath=pk.softmax, jacobian=_for_vector("diag({out}) - {out} @ {out}.T"),
              wrong="delta*out*(1 - out); delta*out; delta*(1 - out)", **LINE),
    array_row("log_softmax", "x axis:=-1", rk.log_softmax, _normalise,
              rules=lambda site: (f"delta - exp(out)*{_total(site, 'delta')}",),
              careful=lambda site: (
                  f"-delta*expm1(out) - exp(out)*({_total(site, 'delta')} - delta)",),
              latex=r"\log \operatorname{softmax}({x})",
              doc="logarithm of softmax, without overflow or lost digits", mpmath=pk.log_softmax,
              propagates="x", jacobian=_for_vector("eye({n}) - exp({out}) @ ones({n}).T"),
              wrong="delta - exp(out); delta*(1 - exp(out))", **LINE),
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

SLOPES = (
    array_row(
        "softmax_slope", "p d axis:=-1", rk.softmax_slope, _softmax_slope,
        rules=_softmax_slope_rules, latex=r"{p} \odot ({d} - {p}^\top {d})",
        doc="p*(d - sum(p*d)), for p with the sum 1: the derivative of softmax in a direction",
        mpmath=None, traits="composite", **HELPER),
)
# fmt: on

ROWS = (*SOFTMAX, *RUNNING, *SLOPES)
