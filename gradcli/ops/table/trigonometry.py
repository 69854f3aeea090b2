"""The rows of trigonometry, of its inverses and of the hyperbolic functions."""

from __future__ import annotations

import numpy as np

from gradcli.ops.kernels import elementwise as k
from gradcli.ops.kernels import in_place as ik
from gradcli.ops.kernels import sinc
from gradcli.ops.operation import Loss, Shared
from gradcli.ops.table.rows import grouped, row, unary

# fmt: off
ROWS = grouped("trigonometry", (
    unary("sin", np.sin, "cos(x)", "sine (radians)", traits="periodic", propagates="x",
          wrong="-cos(x); sin(x); -sin(x)"),
    unary("cos", np.cos, "-sin(x)", "cosine (radians)", traits="periodic", propagates="x",
          wrong="sin(x); cos(x); -cos(x)"),
    unary("tan", np.tan, "1 + out^2", "tangent (radians)", domain="x not an odd multiple of π/2",
          traits="periodic", wrong="1/cos(x); tan(x)^2; 1 - tan(x)^2"),
    unary("asin", np.arcsin, "1/sqrt((1 - x)*(1 + x))", "inverse sine", aliases="arcsin",
          careful="asin_slope(x)", latex=r"\arcsin {x}", domain="-1 ≤ x ≤ 1"),
    unary("acos", np.arccos, "-1/sqrt((1 - x)*(1 + x))", "inverse cosine", aliases="arccos",
          careful="-asin_slope(x)", latex=r"\arccos {x}", domain="-1 ≤ x ≤ 1"),
    unary("atan", np.arctan, "1/(1 + x^2)", "inverse tangent", aliases="arctan",
          careful="where(abs(x) < 1e150, 1/(1 + x^2), (1/x)^2)", latex=r"\arctan {x}"),
    row("atan2", "y x", np.arctan2, "x/hypot(x, y)/hypot(x, y)", "-y/hypot(x, y)/hypot(x, y)",
        aliases="arctan2", convention="jumps on the negative x axis",
        doc="angle of the point (x, y); the ordinate comes first", traits="divides",
        branch=lambda y, x: np.where(x < 0, np.where(y >= 0, 1, -1), 0),
        tie=lambda y, x: (y == 0) & (x <= 0),
        losses=(
            Loss("y", "where x/hypot(x, y) is below 1e-307", (-2.6474220345068205e-11, 5e-324)),
            Loss("x", "where y/hypot(x, y) is below 1e-307", (5e-324, -2.6474220345068205e-11)))),
    unary("sinh", np.sinh, "cosh(x)", "hyperbolic sine", wrong="sinh(x); -cosh(x)"),
    unary("cosh", np.cosh, "sinh(x)", "hyperbolic cosine", wrong="cosh(x); -sinh(x)"),
    unary("sech", k.sech, "-out*tanh(x)", "1/cosh(x)", latex=r"\operatorname{sech} {x}"),
    unary("csch", k.csch, "-out*coth(x)", "1/sinh(x)", latex=r"\operatorname{csch} {x}",
          domain="x ≠ 0"),
    unary("coth", lambda x: 1.0 / np.tanh(x), "1 - out^2", "1/tanh(x)", careful="-csch(x)^2",
          domain="x ≠ 0", numpy="1/np.tanh({x})"),
    unary("tanh", np.tanh, "1 - out^2", "hyperbolic tangent", careful="tanh_slope(x)",
          wrong="1 - out; 1 + out^2; out*(1 - out); 1/cosh(x); out"),
    unary("asinh", np.arcsinh, "1/hypot(x, 1)", "inverse hyperbolic sine", aliases="arcsinh",
          latex=r"\operatorname{arsinh} {x}"),
    unary("acosh", np.arccosh, "1/(sqrt(x - 1)*sqrt(x + 1))", "inverse hyperbolic cosine",
          aliases="arccosh", latex=r"\operatorname{arcosh} {x}", domain="x ≥ 1"),
    unary("atanh", np.arctanh, "1/((1 - x)*(1 + x))", "inverse hyperbolic tangent",
          careful="atanh_slope(x)", aliases="arctanh", latex=r"\operatorname{artanh} {x}",
          domain="-1 < x < 1"),
    unary("sinc", sinc.sinc, "sinc_slope(x)", "sin(πx)/(πx), 1 at 0",
          latex=r"\operatorname{sinc} {x}", mpmath="sincpi", traits="periodic"),
    unary("sinc_slope", sinc.sinc_slope,
          "where(x == 0, -pi^2/3, -pi^2*sinc(x) - 2*out/where(x == 0, 1, x))",
          "the derivative of sinc", latex=r"\operatorname{sinc}' {x}",
          mpmath=lambda mp, x: (mp.cospi(x) - mp.sincpi(x)) / x if x else mp.mpf(0),
          shared=Shared("sinc", ik.blocked(sinc.sinc), ik.same, ik.blocked(sinc.slope_of),
              by_value=False), traits="periodic",
          losses=(Loss("x", "next to its roots", (0.6625862125821924,)),)),
    unary("deg2rad", np.deg2rad, "pi/180", "degrees to radians", aliases="radians",
          latex=r"\frac{\pi}{180} {x}", mpmath="radians"),
    unary("rad2deg", np.rad2deg, "180/pi", "radians to degrees", aliases="degrees",
          latex=r"\frac{180}{\pi} {x}", mpmath="degrees"),
))
# fmt: on
