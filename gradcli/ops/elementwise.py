"""The rows of the elementwise operations.

A formula is the local derivative ∂out/∂parameter; `x` is the operand, `out` the output. It is
what runs, what the trace prints and what docs/operations.md shows. Where a function has no
derivative, the formula gives the value that `convention` states.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.ops import kernels as k
from gradcli.ops.operation import Array, Kernel, Operation, Rules, Site, Type, parse_parameters


def row(name: str, parameters: str, forward: Kernel, *rules: str, **more: Any) -> Operation:
    """An elementwise row: a name, parameters, a kernel, and a local derivative for each.

    A function called by its own name needs no `aliases`; an operator (`symbol`) has no name
    to call unless `aliases` gives one.
    """
    aliases = tuple(more.pop("aliases", "").split())
    if more.get("symbol") is None and more.pop("call", True):
        aliases = (name, *aliases)
    given: Rules = more.pop("rules", None) or rules
    return Operation(
        name=name,
        parameters=parse_parameters(parameters),
        forward=forward,
        rules=given,
        aliases=aliases,
        **more,
    )


# --- rules that depend on what an operand is written as ----------------------------------


def _power_rules(site: Site) -> tuple[str, str]:
    """`2*x` for x², and the general forms where exponent or base are no literals.

    0^n has derivative 0 by n for n > 0 (the limit); for negative x there is none over the reals.
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


# --- branches and ties, for the functions that are smooth in pieces ----------------------


def _sign(x: Array) -> Any:
    return np.sign(x)


def _zero(x: Array, *_: Array) -> Any:
    return x == 0


def _sign_of_difference(a: Array, b: Array) -> Any:
    return np.sign(a - b)


def _equal(a: Array, b: Array) -> Any:
    return a == b


def _winner(*arrays: Array) -> Any:
    """Which operand is the largest, as a code."""
    return np.argmax(np.stack(np.broadcast_arrays(*arrays)), axis=0)


def _loser(*arrays: Array) -> Any:
    return np.argmin(np.stack(np.broadcast_arrays(*arrays)), axis=0)


def _tied(best: Kernel) -> Callable[..., Any]:
    def tie(*arrays: Array) -> Any:
        top = best(*arrays)
        return sum((np.equal(a, top) * 1 for a in arrays), start=0) > 1

    return tie


def _piece_of_clip(x: Array, lo: Array, hi: Array) -> Any:
    return np.sign(x - lo) * 3 + np.sign(x - hi)


def _piece(*borders: float) -> dict[str, Any]:
    """Branch and tie of a function that changes its form at fixed points."""

    def branch(x: Array, *_: Array) -> Any:
        return sum(np.sign(x - b) * 3**i for i, b in enumerate(borders))

    def tie(x: Array, *_: Array) -> Any:
        return np.any([x == b for b in borders], axis=0)

    return {"branch": branch, "tie": tie}


def _whole(x: Array) -> Any:
    return np.floor(x)


def _is_whole(x: Array) -> Any:
    return x == np.floor(x)


def _half(x: Array) -> Any:
    return np.round(x)


def _is_half(x: Array) -> Any:
    return x - np.floor(x) == 0.5


def _quotient(x: Array, y: Array) -> Any:
    return np.floor(x / y)


def _divides(x: Array, y: Array) -> Any:
    return np.mod(x, y) == 0


AT_ZERO = {"branch": _sign, "tie": _zero}
COMPARISON: dict[str, Any] = {
    "branch": _sign_of_difference,
    "tie": _equal,
    "exact": True,
    "convention": "derivative 0 everywhere, also where the comparison changes",
    "group": "comparison",
    "samples": ("1, 2", "2, 1", "[1, 2.5], [1.5, 2]"),
}


def _comparison(name: str, symbol: str, function: Any, words: str) -> Operation:
    return row(
        name,
        "a b",
        k.truth(function),
        "0",
        "0",
        symbol=symbol,
        latex=r"{a} "
        + {"<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne"}.get(symbol, symbol)
        + " {b}",
        doc=f"1 where a is {words} b, else 0",
        **COMPARISON,
    )


ARITHMETIC = (
    row(
        "add",
        "x y",
        np.add,
        "1",
        "1",
        symbol="+",
        latex="{x} + {y}",
        doc="sum",
        samples=("3, -4", "[1, 2], 3"),
    ),
    row(
        "sub",
        "x y",
        np.subtract,
        "1",
        "-1",
        symbol="-",
        latex="{x} - {y}",
        doc="difference",
        samples=("3, -4", "[1, 2], 3"),
    ),
    row(
        "mul",
        "x y",
        np.multiply,
        "y",
        "x",
        symbol="*",
        latex=r"{x} \cdot {y}",
        doc="product, element by element",
        samples=("3, -4", "[1, 2], 3"),
    ),
    row(
        "div",
        "x y",
        np.divide,
        "1/y",
        "-x/y^2",
        symbol="/",
        latex=r"\frac{{x}}{{y}}",
        domain="y ≠ 0",
        doc="quotient by a constant",
        samples=("3, -4", "[1, 2], 3"),
    ),
    row(
        "reciprocal",
        "x",
        np.reciprocal,
        "-1/x^2",
        latex=r"\frac{1}{{x}}",
        domain="x ≠ 0",
        doc="1/x; p/q is 1/q and a product",
        samples=("5", "-0.25", "[1, 2]"),
    ),
    row(
        "neg",
        "x",
        np.negative,
        "-1",
        symbol="neg",
        latex="-{x}",
        exact=True,
        aliases="negative",
        doc="minus",
        samples=("3", "[1, -2]"),
    ),
    row(
        "identity",
        "x",
        np.positive,
        "1",
        call=False,
        latex="{x}",
        exact=True,
        doc="another name for the same value",
        samples=("3",),
    ),
    row(
        "pow",
        "x n",
        np.power,
        symbol="^",
        rules=_power_rules,
        aliases="pow power",
        latex="{x}^{n}",
        domain="x > 0, or a whole n (x ≠ 0 where n < 0)",
        convention="0^n by n is 0 for n > 0",
        doc="power",
        samples=("3, 2", "-2, 3", "2, 0.5", "0, 2", "[1, 2], [2, 3]", "2, -3"),
    ),
)

COMPARISONS = (
    _comparison("less", "<", np.less, "less than"),
    _comparison("less_equal", "<=", np.less_equal, "at most"),
    _comparison("greater", ">", np.greater, "greater than"),
    _comparison("greater_equal", ">=", np.greater_equal, "at least"),
    _comparison("equal", "==", np.equal, "equal to"),
    _comparison("not_equal", "!=", np.not_equal, "different from"),
)

POWERS = (
    row(
        "abs",
        "x",
        np.abs,
        "sign(x)",
        symbol="abs",
        aliases="abs absolute fabs",
        latex=r"\lvert {x} \rvert",
        convention="0 at 0",
        doc="absolute value, also |x|",
        exact=True,
        samples=("3", "-4", "[1, -2]"),
        **AT_ZERO,
    ),
    row(
        "sign",
        "x",
        np.sign,
        "0",
        latex=r"\operatorname{sign}({x})",
        convention="0 at 0, where the function jumps",
        doc="-1, 0 or 1",
        exact=True,
        samples=("3", "-4"),
        **AT_ZERO,
    ),
    row(
        "sqrt",
        "x",
        np.sqrt,
        "1/(2*out)",
        symbol="sqrt",
        aliases="sqrt",
        latex=r"\sqrt{{x}}",
        domain="x ≥ 0",
        doc="square root, also √x",
        samples=("4", "0.3", "[1, 2]"),
    ),
    row(
        "cbrt",
        "x",
        np.cbrt,
        "1/(3*out^2)",
        latex=r"\sqrt[3]{{x}}",
        doc="cube root, also of negative numbers",
        samples=("8", "-8", "[1, 2]"),
    ),
    row("square", "x", np.square, "2*x", latex="{x}^2", doc="x²", samples=("3", "-4", "[1, 2]")),
    row(
        "exp",
        "x",
        np.exp,
        "out",
        latex="e^{{x}}",
        hint="log of a sum of exponentials is logsumexp; softmax and sigmoid are safe too",
        doc="e to the x",
        samples=("1", "-4", "[1, 2]"),
    ),
    row(
        "expm1",
        "x",
        np.expm1,
        "exp(x)",
        latex="e^{{x}} - 1",
        doc="e^x - 1, exact near 0",
        samples=("1e-10", "1", "-2"),
    ),
    row(
        "exp2",
        "x",
        np.exp2,
        "out*log(2)",
        latex="2^{{x}}",
        doc="2 to the x",
        samples=("1", "-4.5", "[1, 2]"),
    ),
    row(
        "log",
        "x",
        np.log,
        "1/x",
        aliases="ln",
        latex=r"\log {x}",
        domain="x > 0",
        doc="natural logarithm",
        samples=("3", "1e-3", "[1, 2]"),
    ),
    row(
        "log_base",
        "x base",
        k.log_base,
        "1/(x*log(base))",
        "-out/(base*log(base))",
        call=False,
        aliases="log",
        latex=r"\log_{{base}} {x}",
        domain="x > 0, base > 0, base ≠ 1",
        doc="logarithm to a base",
        samples=("3, 10", "0.5, 2"),
    ),
    row(
        "log1p",
        "x",
        np.log1p,
        "1/(1 + x)",
        latex=r"\log(1 + {x})",
        domain="x > -1",
        doc="log(1 + x), exact near 0",
        samples=("1e-10", "1", "-0.5"),
    ),
    row(
        "log2",
        "x",
        np.log2,
        "1/(x*log(2))",
        latex=r"\log_2 {x}",
        domain="x > 0",
        doc="logarithm to base 2",
        samples=("3", "[1, 2]"),
    ),
    row(
        "log10",
        "x",
        np.log10,
        "1/(x*log(10))",
        latex=r"\log_{10} {x}",
        domain="x > 0",
        doc="logarithm to base 10",
        samples=("3", "[1, 2]"),
    ),
    row(
        "logaddexp",
        "x y",
        np.logaddexp,
        "exp(x - out)",
        "exp(y - out)",
        latex=r"\log(e^{{x}} + e^{{y}})",
        doc="log(e^x + e^y) without overflow",
        samples=("1, 2", "1000, 999", "-800, -801"),
    ),
    row(
        "hypot",
        "x y",
        np.hypot,
        "where(out == 0, 0, x/out)",
        "where(out == 0, 0, y/out)",
        latex=r"\sqrt{{x}^2 + {y}^2}",
        convention="0 at 0",
        doc="√(x² + y²) without overflow",
        samples=("3, -4", "1e200, 1e200", "1e-200, 2e-200"),
        branch=lambda x, y: (x == 0) & (y == 0),
        tie=lambda x, y: (x == 0) & (y == 0),
    ),
)

TRIGONOMETRY = (
    row(
        "sin",
        "x",
        np.sin,
        "cos(x)",
        latex=r"\sin {x}",
        doc="sine (radians)",
        samples=("1", "-4", "[1, 2]"),
    ),
    row(
        "cos",
        "x",
        np.cos,
        "-sin(x)",
        latex=r"\cos {x}",
        doc="cosine (radians)",
        samples=("1", "-4", "[1, 2]"),
    ),
    row(
        "tan",
        "x",
        np.tan,
        "1 + out^2",
        latex=r"\tan {x}",
        domain="x not an odd multiple of π/2",
        doc="tangent (radians)",
        samples=("1", "-4", "[1, 2]"),
    ),
    row(
        "asin",
        "x",
        np.arcsin,
        "1/sqrt((1 - x)*(1 + x))",
        aliases="arcsin",
        latex=r"\arcsin {x}",
        domain="-1 ≤ x ≤ 1",
        doc="inverse sine",
        samples=("0.5", "-0.9", "0.999"),
    ),
    row(
        "acos",
        "x",
        np.arccos,
        "-1/sqrt((1 - x)*(1 + x))",
        aliases="arccos",
        latex=r"\arccos {x}",
        domain="-1 ≤ x ≤ 1",
        doc="inverse cosine",
        samples=("0.5", "-0.9", "0.999"),
    ),
    row(
        "atan",
        "x",
        np.arctan,
        "1/(1 + x^2)",
        aliases="arctan",
        latex=r"\arctan {x}",
        doc="inverse tangent",
        samples=("1", "-4", "[1, 2]"),
    ),
    row(
        "atan2",
        "y x",
        np.arctan2,
        "x/hypot(x, y)/hypot(x, y)",
        "-y/hypot(x, y)/hypot(x, y)",
        aliases="arctan2",
        latex=r"\operatorname{atan2}({y}, {x})",
        convention="jumps on the negative x axis",
        doc="angle of the point (x, y); the ordinate comes first",
        samples=("1, 2", "-3, -4", "1e-200, 1e-200"),
        branch=lambda y, x: np.where(x < 0, np.where(y >= 0, 1, -1), 0),
        tie=lambda y, x: (y == 0) & (x <= 0),
    ),
    row(
        "sinh",
        "x",
        np.sinh,
        "cosh(x)",
        latex=r"\sinh {x}",
        doc="hyperbolic sine",
        samples=("1", "-4", "[1, 2]"),
    ),
    row(
        "cosh",
        "x",
        np.cosh,
        "sinh(x)",
        latex=r"\cosh {x}",
        doc="hyperbolic cosine",
        samples=("1", "-4", "[1, 2]"),
    ),
    row(
        "tanh",
        "x",
        np.tanh,
        "1 - out^2",
        latex=r"\tanh {x}",
        doc="hyperbolic tangent",
        samples=("1", "-2", "[1, 2]"),
    ),
    row(
        "asinh",
        "x",
        np.arcsinh,
        "1/hypot(x, 1)",
        aliases="arcsinh",
        latex=r"\operatorname{arsinh} {x}",
        doc="inverse hyperbolic sine",
        samples=("1", "-4", "1e200"),
    ),
    row(
        "acosh",
        "x",
        np.arccosh,
        "1/(sqrt(x - 1)*sqrt(x + 1))",
        aliases="arccosh",
        latex=r"\operatorname{arcosh} {x}",
        domain="x ≥ 1",
        doc="inverse hyperbolic cosine",
        samples=("2", "1.001", "1e200"),
    ),
    row(
        "atanh",
        "x",
        np.arctanh,
        "1/((1 - x)*(1 + x))",
        aliases="arctanh",
        latex=r"\operatorname{artanh} {x}",
        domain="-1 < x < 1",
        doc="inverse hyperbolic tangent",
        samples=("0.5", "-0.9", "0.999"),
    ),
    row(
        "sinc",
        "x",
        np.sinc,
        "sinc_slope(x)",
        latex=r"\operatorname{sinc} {x}",
        doc="sin(πx)/(πx), 1 at 0",
        samples=("0.3", "1e-5", "2.7", "0"),
    ),
    row(
        "sinc_slope",
        "x",
        k.sinc_slope,
        "where(x == 0, -pi^2/3, -pi^2*sinc(x) - 2*out/where(x == 0, 1, x))",
        latex=r"\operatorname{sinc}' {x}",
        doc="the derivative of sinc",
        samples=("0.3", "2.7"),
    ),
    row(
        "deg2rad",
        "x",
        np.deg2rad,
        "pi/180",
        aliases="radians",
        latex=r"\frac{\pi}{180} {x}",
        doc="degrees to radians",
        samples=("30",),
    ),
    row(
        "rad2deg",
        "x",
        np.rad2deg,
        "180/pi",
        aliases="degrees",
        latex=r"\frac{180}{\pi} {x}",
        doc="radians to degrees",
        samples=("1",),
    ),
)

ACTIVATIONS = (
    row(
        "sigmoid",
        "x",
        k.sigmoid,
        "out*(1 - out)",
        aliases="σ expit",
        latex=r"\sigma({x})",
        doc="1/(1 + e^-x); past x = 17 its derivative loses digits, logsigmoid's does not",
        samples=("-4", "1", "[1, 2]", "-800", "800"),
    ),
    row(
        "logsigmoid",
        "x",
        k.logsigmoid,
        "sigmoid(-x)",
        latex=r"\log \sigma({x})",
        doc="log(sigmoid(x)) without overflow",
        samples=("-4", "1", "-800", "40"),
    ),
    row(
        "logit",
        "x",
        k.logit,
        "1/(x*(1 - x))",
        latex=r"\operatorname{logit}({x})",
        domain="0 < x < 1",
        doc="log(x/(1 - x)), the inverse of sigmoid",
        samples=("0.3", "1e-10", "0.5001"),
    ),
    row(
        "relu",
        "x",
        k.relu,
        "x > 0",
        latex=r"\operatorname{relu}({x})",
        convention="0 at 0",
        doc="max(x, 0)",
        exact=True,
        samples=("3", "-4", "[1, -2]"),
        **AT_ZERO,
    ),
    row(
        "leaky_relu",
        "x slope=0.01",
        k.leaky_relu,
        "where(x > 0, 1, slope)",
        "where(x > 0, 0, x)",
        latex=r"\operatorname{leaky\_relu}({x})",
        convention="its slope at 0",
        doc="x above zero, slope·x below",
        samples=("3", "-4", "-4, 0.2"),
        **_piece(0.0),
    ),
    row(
        "elu",
        "x alpha=1",
        k.elu,
        "where(x >= 0, 1, alpha*exp(min(x, 0)))",
        "where(x > 0, 0, expm1(min(x, 0)))",
        latex=r"\operatorname{elu}({x})",
        convention="1 at 0, the right-hand value",
        doc="x above zero, alpha·(e^x - 1) below",
        samples=("3", "-4", "-1, 2"),
        **_piece(0.0),
    ),
    row(
        "selu",
        "x",
        k.selu,
        "where(x >= 0, 1.0507009873554805, 1.7580993408473766*exp(min(x, 0)))",
        latex=r"\operatorname{selu}({x})",
        convention="1.0507 at 0, the right-hand value",
        doc="scaled elu of self-normalising networks",
        samples=("3", "-4", "-0.1"),
        **_piece(0.0),
    ),
    row(
        "gelu",
        "x",
        k.gelu,
        "erfc(-x/sqrt(2))/2 + x*exp(-x^2/2)/sqrt(2*pi)",
        latex=r"\operatorname{gelu}({x})",
        doc="x times the normal distribution function (the erf form)",
        samples=("1", "-2", "[0, 3]"),
    ),
    row(
        "silu",
        "x",
        k.silu,
        "sigmoid(x)*(1 + x*sigmoid(-x))",
        aliases="swish",
        latex=r"\operatorname{silu}({x})",
        doc="x·sigmoid(x)",
        samples=("1", "-4", "[0, 30]"),
    ),
    row(
        "mish",
        "x",
        k.mish,
        "tanh(softplus(x)) + x*sigmoid(x)*(1 - tanh(softplus(x))^2)",
        latex=r"\operatorname{mish}({x})",
        doc="x·tanh(softplus(x))",
        samples=("1", "-4", "[0, 5]"),
    ),
    row(
        "softplus",
        "x",
        k.softplus,
        "sigmoid(x)",
        latex=r"\log(1 + e^{{x}})",
        doc="log(1 + e^x) without overflow",
        samples=("1", "-40", "40", "800"),
    ),
    row(
        "softsign",
        "x",
        k.softsign,
        "1/(1 + abs(x))^2",
        latex=r"\frac{{x}}{1 + \lvert {x} \rvert}",
        doc="x/(1 + |x|)",
        samples=("1", "-4", "[0.1, 2]"),
    ),
    row(
        "hardtanh",
        "x",
        k.hardtanh,
        "(-1 < x)*(x < 1)",
        latex=r"\operatorname{hardtanh}({x})",
        convention="0 on the boundary",
        doc="x cut off at -1 and 1",
        exact=True,
        samples=("0.5", "-4", "[2, 0]"),
        **_piece(-1.0, 1.0),
    ),
    row(
        "step",
        "x",
        k.step,
        "0",
        aliases="heaviside",
        latex=r"\theta({x})",
        convention="step(0) = 1/2, derivative 0",
        doc="0 below zero, 1 above",
        exact=True,
        samples=("3", "-4"),
        **AT_ZERO,
    ),
)

SPECIAL = (
    row(
        "erf",
        "x",
        k.erf,
        "2/sqrt(pi)*exp(-x^2)",
        latex=r"\operatorname{erf}({x})",
        doc="error function",
        samples=("1", "-2", "[0, 0.5]"),
    ),
    row(
        "erfc",
        "x",
        k.erfc,
        "-2/sqrt(pi)*exp(-x^2)",
        latex=r"\operatorname{erfc}({x})",
        doc="1 - erf(x), exact for large x",
        samples=("1", "-2", "10"),
    ),
    row(
        "erfinv",
        "x",
        k.scipy_special("erfinv"),
        "sqrt(pi)/2*exp(out^2)",
        latex=r"\operatorname{erf}^{-1}({x})",
        domain="-1 < x < 1",
        doc="inverse error function (SciPy)",
        samples=("0.5", "-0.9"),
    ),
    row(
        "gamma",
        "x",
        k.scipy_special("gamma"),
        "out*digamma(x)",
        aliases="Γ",
        latex=r"\Gamma({x})",
        domain="x not 0, -1, -2, …",
        doc="gamma function (SciPy)",
        samples=("3.5", "-0.5", "0.1"),
    ),
    row(
        "lgamma",
        "x",
        k.scipy_special("gammaln"),
        "digamma(x)",
        aliases="gammaln",
        latex=r"\log \lvert \Gamma({x}) \rvert",
        domain="x not 0, -1, -2, …",
        doc="log|gamma(x)| (SciPy)",
        samples=("3.5", "100", "0.1"),
    ),
    row(
        "digamma",
        "x",
        k.scipy_special("digamma"),
        "polygamma(x, 1)",
        aliases="psi",
        latex=r"\psi({x})",
        domain="x not 0, -1, -2, …",
        doc="derivative of lgamma (SciPy)",
        samples=("3.5", "0.1", "10"),
    ),
)

ROUNDING = (
    row(
        "floor",
        "x",
        np.floor,
        "0",
        latex=r"\lfloor {x} \rfloor",
        convention="0, also at whole numbers, where it jumps",
        doc="largest whole number not above x",
        exact=True,
        samples=("2.5", "-2.5"),
        branch=_whole,
        tie=_is_whole,
    ),
    row(
        "ceil",
        "x",
        np.ceil,
        "0",
        latex=r"\lceil {x} \rceil",
        convention="0, also at whole numbers, where it jumps",
        doc="smallest whole number not below x",
        exact=True,
        samples=("2.5", "-2.5"),
        branch=_whole,
        tie=_is_whole,
    ),
    row(
        "round",
        "x",
        k.half_even,
        "0",
        aliases="rint",
        latex=r"\operatorname{round}({x})",
        convention="0, also at halves, where it jumps",
        doc="nearest whole number, halves to even",
        exact=True,
        samples=("2.4", "-2.6"),
        branch=_half,
        tie=_is_half,
    ),
    row(
        "mod",
        "x y",
        k.mod,
        "1",
        "-floor(x/y)",
        aliases="remainder",
        latex=r"{x} \bmod {y}",
        domain="y ≠ 0",
        convention="1 by x, also where it jumps",
        doc="x - y·floor(x/y), the sign of y",
        samples=("7.5, 2", "-7.5, 2"),
        branch=_quotient,
        tie=_divides,
    ),
)

CHOICE = (
    row(
        "where",
        "c a b",
        k.where,
        "0",
        "c != 0",
        "c == 0",
        latex=r"\operatorname{where}({c}, {a}, {b})",
        convention="derivative 0 by the condition",
        doc="a where c is not 0, else b; what is not chosen is not differentiated",
        exact=True,
        samples=("1, 2, 3", "0, 2, 3", "[1, 0], [2, 3], 4"),
        branch=lambda c, _a, _b: c != 0,
    ),
    row(
        "maximum",
        "*x",
        k.maximum,
        rules=_winner_rules(">"),
        call=False,
        aliases="max maximum amax fmax",
        latex=r"\max({x})",
        convention="evenly among the tied",
        doc="largest of several, element by element",
        exact=True,
        samples=("3, -4", "1, 2, 3", "[1, 5], 3"),
        branch=_winner,
        tie=_tied(k.maximum),
    ),
    row(
        "minimum",
        "*x",
        k.minimum,
        rules=_winner_rules("<"),
        call=False,
        aliases="min minimum amin fmin",
        latex=r"\min({x})",
        convention="evenly among the tied",
        doc="smallest of several, element by element",
        exact=True,
        samples=("3, -4", "1, 2, 3", "[1, 5], 3"),
        branch=_loser,
        tie=_tied(k.minimum),
    ),
    row(
        "clip",
        "x lo hi",
        k.clip,
        "(lo < x)*(x < hi)",
        "(x <= lo)*(lo <= hi)",
        "(hi <= x) + (x < hi)*(hi < lo)",
        latex=r"\operatorname{clip}({x}, {lo}, {hi})",
        convention="0 on the boundary",
        doc="x cut off at lo and hi",
        exact=True,
        samples=("0.5, 0, 1", "-4, 0, 1", "[2, 0.1], 0, 1"),
        branch=_piece_of_clip,
        tie=lambda x, lo, hi: (x == lo) | (x == hi),
    ),
    row(
        "ones_like",
        "x",
        np.ones_like,
        "0",
        latex=r"\mathbf{1}",
        doc="ones in the shape of x",
        exact=True,
        samples=("[1, 2]",),
    ),
    row(
        "zeros_like",
        "x",
        np.zeros_like,
        "0",
        latex=r"\mathbf{0}",
        doc="zeros in the shape of x",
        exact=True,
        samples=("[1, 2]",),
    ),
)

POLYGAMMA = Operation(
    name="polygamma",
    parameters=parse_parameters("x n:"),
    forward=k.polygamma,
    rules=lambda site: (f"polygamma(x, {site.options['n'] + 1})",),
    infer=lambda types, options: (Type(types[0].shape), dict(options)),
    aliases=("polygamma",),
    latex=r"\psi^{({n})}({x})",
    domain="x not 0, -1, -2, …",
    doc="n-th derivative of digamma (SciPy); x comes first",
    samples=("3.5, 1", "0.7, 2"),
)

ROWS: tuple[Operation, ...] = (
    *ARITHMETIC,
    *COMPARISONS,
    *POWERS,
    *TRIGONOMETRY,
    *ACTIVATIONS,
    *SPECIAL,
    POLYGAMMA,
    *ROUNDING,
    *CHOICE,
)
