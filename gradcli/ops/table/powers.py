"""The rows of powers, exponentials and logarithms."""

from __future__ import annotations

import numpy as np

from gradcli.ops.kernels import elementwise as k
from gradcli.ops.kernels import slopes as sk
from gradcli.ops.operation import Loss
from gradcli.ops.table.rows import AT_ZERO, grouped, row, unary

# fmt: off
ROWS = grouped("powers, exponentials, logarithms", (
    unary("abs", np.abs, "sign(x)", "absolute value, also |x|", symbol="abs",
          aliases="abs absolute fabs", latex=r"\lvert {x} \rvert", convention="0 at 0",
          mpmath="fabs", traits="exact", propagates="x", square="x^2", wrong="abs(x); x",
          **AT_ZERO),
    unary("sign", np.sign, "0", "-1, 0 or 1", convention="0 at 0, where the function jumps",
          jit="1.0 if {0} > 0.0 else -1.0 if {0} < 0.0 else abs({0})", traits="exact selects",
          **AT_ZERO, aliases="sgn"),
    unary("sqrt", np.sqrt, "1/(2*out)", "square root, also √x", symbol="sqrt", aliases="sqrt",
          latex=r"\sqrt{{x}}", domain="x ≥ 0", propagates="x",
          wrong="1/sqrt(x); sqrt(x)/2; 2*sqrt(x); 1/(2*x)"),
    unary("cbrt", np.cbrt, "1/(3*out^2)", "cube root, also of negative numbers",
          latex=r"\sqrt[3]{{x}}", mpmath=lambda mp, x: mp.sign(x) * mp.cbrt(abs(x)), propagates="x",
          wrong="1/cbrt(x)^2; cbrt(x)/3"),
    unary("square", np.square, "2*x", "x²", latex="{x}^2", jit="{0}*{0}", exponent=2),
    unary("rsqrt", lambda x: 1.0 / np.sqrt(x), "-out/(2*x)", "1/√x", latex=r"\frac{1}{\sqrt{{x}}}",
          domain="x > 0", numpy="1/np.sqrt({x})", mpmath=lambda mp, x: 1 / mp.sqrt(x),
          careful="-0.5*(out/x)"),
    unary("exp", np.exp, "out", "e to the x", latex="e^{{x}}",
          hint="log of a sum of exponentials is logsumexp; softmax and sigmoid are safe too",
          traits="floats", wrong="x*exp(x - 1); log(x)"),
    unary("expm1", np.expm1, "exp(x)", "e^x - 1, exact near 0", latex="e^{{x}} - 1"),
    unary("exp2", np.exp2, "out*log(2)", "2 to the x", latex="2^{{x}}",
          mpmath=lambda mp, x: mp.mpf(2) ** x),
    unary("log", np.log, "1/x", "natural logarithm", aliases="ln", latex=r"\log {x}",
          domain="x > 0", traits="floats", propagates="x",
          wrong="1/log(x); log(x); exp(x); -1/x^2"),
    row("log_base", "x base", lambda x, base: np.log(x) / np.log(base),
        "1/(x*log(base))", "-out/(base*log(base))", aliases="log",
        call=False, careful="1/log(base)/x | -out/log(base)/base", latex=r"\log_{{base}} {x}",
        domain="x > 0, base > 0, base ≠ 1", doc="logarithm to a base",
        mpmath=lambda mp, x, base: mp.log(x) / mp.log(base) if min(x, base) > 0 else mp.nan),
    unary("log1p", np.log1p, "1/(1 + x)", "log(1 + x), exact near 0", latex=r"\log(1 + {x})",
          domain="x > -1"),
    unary("log2", np.log2, "1/(x*log(2))", "logarithm to base 2", careful="1/log(2)/x",
          latex=r"\log_2 {x}", domain="x > 0", mpmath=lambda mp, x: mp.log(x) / mp.log(2),
          wrong="1/x"),
    unary("log10", np.log10, "1/(x*log(10))", "logarithm to base 10", careful="1/log(10)/x",
          latex=r"\log_{10} {x}", domain="x > 0", wrong="1/x"),
    row("logaddexp", "x y", np.logaddexp, "exp(x - out)", "exp(y - out)",
        careful="logaddexp_slope(x, y) | logaddexp_slope(y, x)", latex=r"\log(e^{{x}} + e^{{y}})",
        doc="log(e^x + e^y) without overflow",
        mpmath=lambda mp, x, y: max(x, y) + mp.log1p(mp.exp(-abs(x - y))),
        in_place=sk.logaddexp_in_place,
        losses=(Loss("", "next to its roots, where e^x + e^y is 1", (-0.5, -0.9327521295671886)),)),
    row("xlogy", "x y", k.scipy_special("xlogy"), "log(y)", "where((x == 0)*(y == 0), 0, x/y)",
        latex=r"{x} \log {y}", domain="y > 0, or x = 0", doc="x·log(y), 0 where x is 0 (SciPy)",
        convention="0 by y where the value is 0 for all y", numpy="scipy.special.xlogy",
        mpmath=lambda mp, x, y: x * mp.log(y) if x else mp.mpf(0), traits="divides"),
    row("xlog1py", "x y", k.scipy_special("xlog1py"), "log1p(y)",
        "where((x == 0)*(y == -1), 0, x/(1 + y))", latex=r"{x} \log(1 + {y})",
        domain="y > -1, or x = 0", doc="x·log(1 + y), 0 where x is 0 (SciPy)",
        convention="0 by y where the value is 0 for all y", numpy="scipy.special.xlog1py",
        mpmath=lambda mp, x, y: x * mp.log1p(y) if x else mp.mpf(0), traits="divides"),
    row("hypot", "x y", np.hypot, "where(out == 0, 0, x/out)", "where(out == 0, 0, y/out)",
        latex=r"\sqrt{{x}^2 + {y}^2}", convention="0 at 0", doc="√(x² + y²) without overflow",
        square="x^2 + y^2", branch=lambda x, y: (x == 0) & (y == 0),
        tie=lambda x, y: (x == 0) & (y == 0),
        losses=(Loss("x", "where the value is below 1e-307", (-5e-324, 5e-324)),
                Loss("y", "where the value is below 1e-307", (-5e-324, 5e-324)))),
))
# fmt: on
