"""The rows of the special functions: error, gamma, beta and Bessel functions."""

from __future__ import annotations

from collections.abc import Callable

from gradcli.ops.kernels import bessel as bk
from gradcli.ops.kernels import elementwise as k
from gradcli.ops.kernels import in_place as ik
from gradcli.ops.kernels import precise as pk
from gradcli.ops.kernels import special as sk
from gradcli.ops.kernels.scipy_functions import special
from gradcli.ops.operation import Loss, Misfit, Operation, Site, Type
from gradcli.ops.options import Keywords, whole
from gradcli.ops.table.rows import grouped, row, unary

LEFT_OF_0 = "next to its roots left of 0"
"""Reasons of several rows: two terms cancel, and each root would have to be known by itself."""


def _oscillating(root: float, turn: float) -> tuple[Loss, Loss]:
    """What a Bessel function loses next to a root and to a root of its derivative."""
    return (
        Loss("", "next to its roots", (root,)),
        Loss("x", "next to the roots of its derivative", (turn,)),
    )


# fmt: off
SPECIAL = (
    unary("erf", k.erf, "2/sqrt(pi)*exp(-x^2)", "error function", careful="2/sqrt(pi)*gauss(x)",
          numpy="scipy.special.erf", in_place=ik.of_scipy("erf", k.erf)),
    unary("erfc", k.erfc, "-2/sqrt(pi)*exp(-x^2)", "1 - erf(x), exact for large x",
          careful="-2/sqrt(pi)*gauss(x)", numpy="scipy.special.erfc",
          in_place=ik.of_scipy("erfc", k.erfc)),
    unary("erfinv", k.scipy_special("erfinv"), "sqrt(pi)/2*exp(out^2)",
          "inverse error function (SciPy)", careful="erfinv_slope(x)",
          latex=r"\operatorname{erf}^{-1}({x})", domain="-1 < x < 1", numpy="scipy.special.erfinv"),
    unary("ndtr", sk.normal_cdf, "normal_pdf(x)", "normal distribution function, Φ(x)",
          numpy="scipy.special.ndtr", mpmath="ncdf"),
    unary("log_ndtr", sk.log_ndtr, "normal_pdf(x)/ndtr(x)",
          "logarithm of the normal distribution function (SciPy)", careful="mills(x)",
          numpy="scipy.special.log_ndtr", mpmath=lambda mp, x: mp.log(mp.ncdf(x))),
    unary("mills", sk.mills, "-out*(x + out)", "φ(x)/Φ(x), the derivative of log_ndtr (SciPy)",
          careful="-out*mills_excess(x)", mpmath=lambda mp, x: mp.npdf(x) / mp.ncdf(x)),
    unary("mills_excess", sk.mills_excess, "1 - mills(x)*out",
          "x + φ(x)/Φ(x), without the difference left of 0 (SciPy)",
          mpmath=lambda mp, x: (mp.pcfd(-2, -x) / mp.pcfd(-1, -x) if x < -1e4
                                else x + mp.npdf(x) / mp.ncdf(x)),
          losses=(Loss("x", "left of -1, where the two terms cancel", (-100.0,)),)),
    unary("i0", bk.i0, "i1(x)", "modified Bessel function of order 0 (SciPy)",
          mpmath=pk.bessel("besseli", 0), numpy="special.i0({x})"),
    unary("i1", bk.i1, "where(x == 0, 0.5, i0(x) - out/where(x == 0, 1, x))",
          "modified Bessel function of order 1 (SciPy)", careful="0.5*i0(x) + 0.5*bessel_i(x, 2)",
          mpmath=pk.bessel("besseli", 1), numpy="special.i1({x})"),
    unary("j0", bk.j0, "-j1(x)", "Bessel function of order 0 (SciPy)",
          mpmath=pk.bessel("besselj", 0), traits="composite periodic", numpy="special.j0({x})",
          losses=_oscillating(5.520078110286311, 3.8317059702075125)),
    unary("j1", bk.j1, "where(x == 0, 0.5, j0(x) - out/where(x == 0, 1, x))",
          "Bessel function of order 1 (SciPy)", careful="0.5*j0(x) - 0.5*bessel_j(x, 2)",
          mpmath=pk.bessel("besselj", 1), numpy="special.j1({x})", traits="composite periodic",
          losses=_oscillating(3.8317059702075125, 1.8411837813406593)),
    unary("gamma", k.scipy_special("gamma"), "out*digamma(x)", "gamma function (SciPy)",
          aliases="Γ", latex=r"\Gamma({x})", domain="x not 0, -1, -2, …",
          numpy="scipy.special.gamma", traits="composite periodic",
          losses=(Loss("x", LEFT_OF_0, (-2.6107208684441443,)),)),
    unary("lgamma", sk.lgamma, "digamma(x)", "log|gamma(x)| (SciPy)", aliases="gammaln",
          latex=r"\log \lvert \Gamma({x}) \rvert", domain="x not 0, -1, -2, …",
          numpy="scipy.special.gammaln", mpmath=lambda mp, x: mp.log(abs(mp.gamma(x))),
          traits="composite periodic",
          losses=(Loss("", LEFT_OF_0, (-2.7476826467274402,)),
                  Loss("x", LEFT_OF_0, (-2.6107208684441443,)))),
    unary("digamma", k.digamma, "polygamma(x, 1)", "derivative of lgamma (SciPy)", aliases="psi",
          latex=r"\psi({x})", domain="x not 0, -1, -2, …", numpy="scipy.special.digamma",
          traits="composite periodic", losses=(Loss("", LEFT_OF_0, (-2.6107208684441443,)),)),
)
# fmt: on


def _order(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    """The parameter a of the incomplete gamma function: a number above 0."""
    a = options["a"]
    if not isinstance(a, int | float) or a <= 0:
        raise Misfit(f"a is a number above 0, not {a}", plain=True)
    return Type(types[0].shape), {"a": a}


def _whole_order(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    return Type(types[0].shape), {"n": whole(options["n"], "n", least=0)}


def _density_rule(site: Site) -> tuple[str, ...]:
    """(a - 1 - x)/x times the density, of which x^(a - 2) stays in range for small x."""
    a = site.options["a"]
    if a <= 1:
        return (f"out*({a - 1!r}/x - 1)",)
    return (f"({a - 1!r} - x)*gamma_density({a - 1!r}, x)/{a - 1!r}",)


def _neighbours(letter: str, sign: str) -> Callable[[Site], tuple[str, ...]]:
    """Rules of a Bessel function: half the sum of its neighbours, or half their difference."""

    def rules(site: Site) -> tuple[str, ...]:
        n = site.options["n"]
        if n == 0:
            return (f"{sign.strip('+')}{letter}1(x)",)
        below = f"bessel_{letter}(x, {n - 1})" if n > 2 else f"{letter}{n - 1}(x)"
        return (f"0.5*{below} {sign} 0.5*bessel_{letter}(x, {n + 1})",)

    return rules


SCIPYS = "by the accuracy of SciPy's function"

# fmt: off
OF_AN_ORDER = (
    row(
        "polygamma", "x n:", k.polygamma, infer=_whole_order, latex=r"\psi^{({n})}({x})",
        rules=lambda site: (f"polygamma(x, {site.options['n'] + 1})",), domain="x not 0, -1, -2, …",
        numpy="scipy.special.polygamma({n}, {x})", mpmath=pk.polygamma,
        doc="n-th derivative of digamma (SciPy); x comes first",
        losses=(Loss("x", LEFT_OF_0, (-0.49571567691304336,)),), traits="composite"),
    row("gammainc", "a: x", lambda x, a: special.gammainc(a, x), infer=_order, latex=r"P({a}, {x})",
        domain="x ≥ 0", rules=lambda site: (f"gamma_density({site.options['a']!r}, x)",),
        mpmath=pk.incomplete(lambda mp, v, a: mp.gammainc(a, 0, v, regularized=True)),
        numpy="scipy.special.gammainc", losses=(Loss("", SCIPYS, (1e-16,)),),
        doc="lower incomplete gamma function, regularised (SciPy); a is a constant",
        traits="composite"),
    row("gammaincc", "a: x", lambda x, a: special.gammaincc(a, x), infer=_order,
        latex=r"Q({a}, {x})", domain="x ≥ 0",
        rules=lambda site: (f"-gamma_density({site.options['a']!r}, x)",),
        mpmath=pk.incomplete(lambda mp, v, a: mp.gammainc(a, v, regularized=True)),
        numpy="scipy.special.gammaincc", losses=(Loss("", SCIPYS, (30.0,)),),
        doc="upper incomplete gamma function, regularised (SciPy); a is a constant",
        traits="composite"),
    row(
        "gamma_density", "a: x", sk.gamma_density, infer=_order, rules=_density_rule,
        latex=r"\frac{{x}^{a - 1} e^{-{x}}}{\Gamma(a)}", domain="x > 0", traits="composite",
        mpmath=pk.incomplete(lambda mp, v, a: v ** (mp.mpf(a) - 1) * mp.exp(-v) / mp.gamma(a)),
        doc="density of the gamma distribution, x^(a-1)·e^-x/gamma(a)"),
    row("bessel_i", "x n:", bk.bessel_i, infer=_whole_order, rules=_neighbours("i", "+"),
        latex=r"I_{n}({x})", numpy="special.iv({n}, {x})", mpmath=pk.bessel("besseli"),
        doc="modified Bessel function of order n (SciPy); x comes first", traits="composite"),
    row("bessel_j", "x n:", bk.bessel_j, infer=_whole_order, rules=_neighbours("j", "-"),
        latex=r"J_{n}({x})", numpy="special.jv({n}, {x})", mpmath=pk.bessel("besselj"),
        doc="Bessel function of order n (SciPy); x comes first",
        losses=_oscillating(5.135622301840683, 3.054236928227140), traits="composite periodic"),
)
# fmt: on

ROWS: tuple[Operation, ...] = grouped("special functions", (*SPECIAL, *OF_AN_ORDER))
