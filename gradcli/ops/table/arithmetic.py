"""The rows of arithmetic, comparison, rounding and choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.ops.kernels import elementwise as k
from gradcli.ops.kernels import in_place as ik
from gradcli.ops.kernels import precise as pk
from gradcli.ops.operation import Array, Kernel, Loss, Notation, Operation, Site
from gradcli.ops.table.rows import grouped, row, unary

# --- rules that depend on what an operand is written as ----------------------------------


def _power_rules(site: Site) -> tuple[str, str]:
    """`2*x` for x², and the general forms where exponent or base are no literals.

    0^n has derivative 0 by n for n > 0 (the limit); for negative x it does not exist.
    """
    base, exponent = site.literals
    if exponent is None:
        by_base = "where(n == 0, 0, n*x^(n - 1))"
    elif exponent == 0:
        by_base = "0"
    elif exponent == 1:
        by_base = "1"
    elif exponent == 2:
        by_base = "2*x"
    else:
        lower = f"{exponent - 1:.17g}"
        by_base = f"{exponent:.17g}*x^{lower}" if exponent > 1 else f"{exponent:.17g}*x^({lower})"
    positive = base is not None and base > 0
    by_exponent = "out*log(x)" if positive else "where((x == 0)*(n > 0), 0, out*log(x))"
    return by_base, by_exponent


def _careful_power_rules(site: Site) -> tuple[str, str]:
    """A function where n - 1 may be rounded; from 1/2 on, and of whole numbers, it is exact."""
    exponent = site.literals[1]
    if exponent is not None and (exponent >= 0.5 or exponent.is_integer()):
        return "", ""
    return "pow_slope(x, n)", ""


def _winner_rules(sign: str) -> Callable[[Site], tuple[str, ...]]:
    """Rules of the largest (`>`) or smallest (`<`): evenly among those that are tied."""

    def rules(site: Site) -> tuple[str, ...]:
        count = len(site.types)
        if count == 1:
            return ("1",)
        if count == 2:
            return f"(x1 {sign} x2) + (x1 == x2)/2", f"(x2 {sign} x1) + (x1 == x2)/2"
        tied = " + ".join(f"(x{i + 1} == out)" for i in range(count))
        return tuple(f"(x{i + 1} == out)/({tied})" for i in range(count))

    return rules


# --- branches and ties -------------------------------------------------------------------


def _chosen(find: Callable[..., Any]) -> Callable[..., Any]:
    """Which operand is the largest or the smallest, as a code."""
    return lambda *arrays: find(np.stack(np.broadcast_arrays(*arrays)), axis=0)


def _tied(best: Kernel) -> Callable[..., Any]:
    def tie(*arrays: Array) -> Any:
        top = best(*arrays)
        return sum((np.equal(a, top) * 1 for a in arrays), start=0) > 1

    return tie


def _piece_of_clip(x: Array, lo: Array, hi: Array) -> Any:
    return np.sign(x - lo) * 3 + np.sign(x - hi) + 9 * np.where(x > hi, 0, np.sign(hi - lo))


def _is_whole(x: Array) -> Any:
    return x == np.floor(x)


def _divides(x: Array, y: Array) -> Any:
    return np.mod(x, y) == 0


COMPARISON: dict[str, Any] = {
    "branch": lambda a, b: np.sign(a - b),
    "tie": lambda a, b: a == b,
    "exact": True,
    "selects": True,
    "jumps": True,
    "convention": "derivative 0 everywhere, also where the comparison changes",
}


def _comparison(name: str, symbol: str, latex: str, function: Any, words: str) -> Operation:
    return row(
        name,
        "a b",
        lambda a, b: function(a, b).astype(np.float64),
        "0",
        "0",
        symbol=symbol,
        aliases=name,
        latex=f"{{a}} {latex} {{b}}",
        doc=f"1 where a is {words} b, else 0",
        jit=f"1.0 if {{0}} {symbol} {{1}} else 0.0",
        in_place=function,
        **COMPARISON,
    )


# fmt: off
ARITHMETIC = (
    row("add", "x y", np.add, "1", "1", symbol="+", aliases="add", latex="{x} + {y}", doc="sum",
        jit="{0} + {1}", traits="floats", propagates="x y"),
    row(
        "sub", "x y", np.subtract, "1", "-1", symbol="-", aliases="subtract sub", latex="{x} - {y}",
        doc="difference", jit="{0} - {1}", traits="floats", propagates="x y"),
    row("mul", "x y", np.multiply, "y", "x", symbol="*", aliases="multiply mul",
        latex=r"{x} \cdot {y}", doc="product, element by element",
        jit="{0}*{1}", traits="floats", propagates="x y"),
    row("div", "x y", np.divide, "1/y", "-x/y^2", symbol="/", aliases="divide true_divide div",
        careful=" | -out/y", latex=r"\frac{{x}}{{y}}", domain="y ≠ 0", doc="quotient by a constant",
        jit="{0}/{1}", propagates="x",
        losses=(Loss("y", "where x/y is below 1e-307 and |y| below 1", (5e-324, 0.0007)),),
        wrong="y | 1/y; x/y; -x/y; -1/y^2; x"),
    unary("reciprocal", np.reciprocal, "-1/x^2", "1/x; p/q is 1/q and a product", careful="-out/x",
          latex=r"\frac{1}{{x}}", domain="x ≠ 0", jit="1.0/{0}", notation=Notation.RECIPROCAL,
          exponent=-1, traits="floats", wrong="1/x; -1/x; log(x); -1/x^3"),
    unary("neg", np.negative, "-1", "minus", symbol="neg", aliases="negative neg", latex="-{x}",
          jit="-{0}", traits="exact floats", propagates="x"),
    unary("identity", np.positive, "1", "another name for the same value", call=False, latex="{x}",
          jit="{0}", notation=Notation.SAME, traits="exact", propagates="x"),
    row("pow", "x n", np.power, rules=_power_rules, symbol="^", aliases="pow power",
        careful=_careful_power_rules, latex="{x}^{n}",
        domain="x > 0, or a whole n (x ≠ 0 where n < 0)", convention="0^n by n is 0 for n > 0",
        doc="power", mpmath=pk.power, jit="{0}**{1}", traits="floats divides"),
)
# fmt: on

COMPARISONS = (
    _comparison("less", "<", "<", np.less, "less than"),
    _comparison("less_equal", "<=", r"\le", np.less_equal, "at most"),
    _comparison("greater", ">", ">", np.greater, "greater than"),
    _comparison("greater_equal", ">=", r"\ge", np.greater_equal, "at least"),
    _comparison("equal", "==", "=", np.equal, "equal to"),
    _comparison("not_equal", "!=", r"\ne", np.not_equal, "different from"),
)


# fmt: off
ROUNDING = (
    unary("floor", np.floor, "0", "largest whole number not above x", latex=r"\lfloor {x} \rfloor",
          convention="0, also at whole numbers, where it jumps", traits="exact selects jumps",
          branch=np.floor, tie=_is_whole),
    unary("ceil", np.ceil, "0", "smallest whole number not below x", latex=r"\lceil {x} \rceil",
          convention="0, also at whole numbers, where it jumps", traits="exact selects jumps",
          branch=np.floor, tie=_is_whole),
    unary("round", np.round, "0", "nearest whole number, halves to even", aliases="rint",
          convention="0, also at halves, where it jumps", mpmath="nint", jit="rint({0})",
          in_place=np.rint, traits="exact selects jumps", branch=np.round,
          tie=lambda x: x - np.floor(x) == 0.5),
    unary("trunc", np.trunc, "0", "whole part, x rounded towards 0", aliases="fix",
          convention="0, also at whole numbers, where it jumps", traits="exact selects jumps",
          mpmath=lambda mp, x: mp.floor(x) if x > 0 else mp.ceil(x), branch=np.trunc,
          tie=_is_whole),
    row("fmod", "x y", np.fmod, "1", "-trunc(x/y)", careful=" | round(out/y - x/y)",
        latex=r"{x} \bmod {y}", domain="y ≠ 0", convention="1 by x, also where it jumps",
        doc="x - y·trunc(x/y), the sign of x",
        mpmath=lambda mp, x, y: x - y * (mp.floor if x / y > 0 else mp.ceil)(x / y),
        traits="selects jumps", branch=lambda x, y: np.trunc(x / y), tie=_divides),
    row("mod", "x y", np.mod, "1", "-floor(x/y)", aliases="remainder", numpy="np.mod",
        careful=" | round(out/y - x/y)", latex=r"{x} \bmod {y}", domain="y ≠ 0",
        convention="1 by x, also where it jumps", doc="x - y·floor(x/y), the sign of y",
        mpmath=lambda mp, x, y: x - y * mp.floor(x / y), traits="selects jumps",
        branch=lambda x, y: np.floor(x / y), tie=_divides),
)

CHOICE = (
    row("where", "c a b", k.where, "0", "c != 0", "c == 0",
        convention="derivative 0 by the condition",
        doc="a where c is not 0, else b; what is not chosen is not differentiated",
        jit="{1} if {0} != 0.0 else {2}",
        in_place=ik.where, traits="exact selects chooses divides", branch=lambda c, _a, _b: c != 0),
    row(
        "maximum", "*x", k.maximum, rules=_winner_rules(">"), aliases="max maximum amax fmax",
        call=False, latex=r"\max({x})", convention="evenly among the tied",
        doc="largest of several, element by element", jit="larger({0}, {1})",
        traits="exact selects", square="", branch=_chosen(np.argmax), tie=_tied(k.maximum)),
    row(
        "minimum", "*x", k.minimum, rules=_winner_rules("<"), aliases="min minimum amin fmin",
        call=False, latex=r"\min({x})", convention="evenly among the tied",
        doc="smallest of several, element by element", jit="smaller({0}, {1})",
        traits="exact selects", square="", branch=_chosen(np.argmin), tie=_tied(k.minimum)),
    row(
        "clip", "x lo=-inf hi=inf", lambda x, lo, hi: np.minimum(np.maximum(x, lo), hi),
        "(lo < x)*(x < hi)", "(x <= lo)*(lo <= hi)", "(hi < lo) + (lo <= hi)*(lo < x)*(hi <= x)",
        convention="0 on the boundary", aliases="clamp", doc="x cut off at lo and hi",
        jit="smaller(larger({0}, {1}), {2})", traits="exact selects", branch=_piece_of_clip,
        tie=lambda x, lo, hi: (x == lo) | (x == hi) | ((x < hi) & (lo == hi))),
    unary("ones_like", k.ones_like, "0", "ones in the shape of x", latex=r"\mathbf{1}", jit="1.0",
          constant=1.0, traits="exact"),
    unary("zeros_like", np.zeros_like, "0", "zeros in the shape of x", latex=r"\mathbf{0}",
          jit="0.0", constant=0.0, traits="exact"),
)
# fmt: on


ROWS: tuple[Operation, ...] = (
    *grouped("arithmetic", ARITHMETIC),
    *grouped("comparison", COMPARISONS),
    *grouped("rounding", ROUNDING),
    *grouped("choice", CHOICE),
)
