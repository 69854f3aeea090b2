"""The rows that careful derivatives are made of: each is a derivative, or a part of one.

The textbook's forms of these derivatives lose digits (`kernels/slopes` says where and why). As rows
they have derivatives of their own, so that second derivatives keep their digits too.
"""

from __future__ import annotations

import numpy as np

from gradcli.ops.kernels import in_place as ik
from gradcli.ops.kernels import powers
from gradcli.ops.kernels import precise as pk
from gradcli.ops.kernels import slopes as sk
from gradcli.ops.kernels import special as special_kernels
from gradcli.ops.operation import Loss, Shared
from gradcli.ops.table.rows import grouped, row, unary

WHOLE = "9007199254740992"
"""2^53: beyond it n and n - 1 are not told apart."""
ROOT, REST = "1.4142135623730951", "9.667293313452913e-17"
"""√2 is their difference."""

# fmt: off
ROWS = grouped("used in derivatives", (
    unary("sigmoid_slope", sk.sigmoid_slope, "-out*tanh(x/2)",
          "the derivative of sigmoid, with all digits where that is next to 0 or 1",
          latex=r"\sigma'({x})", jit="bell(exp(-abs({0})))",
          shared=Shared("sigmoid", ik.exp_of_minus, ik.sigmoid_by_part, ik.sigmoid_slope_by_part)),
    unary("tanh_slope", sk.tanh_slope, "-2*out*tanh(x)",
          "the derivative of tanh, 1/cosh(x)^2, with all digits where tanh is next to 1 or -1",
          latex=r"\operatorname{sech}^2 {x}", jit="4.0*bell(exp(-2.0*abs({0})))",
          in_place=ik.tanh_slope),
    row("pow_slope", "x n", powers.power_slope, "n*(n - 1)*x^(n - 2)", "x^(n - 1)*(1 + n*log(x))",
        careful=f"where(n == 0, 0, where(((n < 0.5) + (abs(n) > {WHOLE}))*(x != 0), "
            "(n - 1)*out/x, n*pow_slope(x, n - 1)))"
            " | where((n < 0.5)*(x != 0), x^n/x, x^(n - 1))"
            " + where((x == 0)*(n > 1), 0, out*log(x))",
        latex="{n} {x}^{{n} - 1}", domain="x > 0, or a whole n (x ≠ 0 where n < 1)",
        convention="0 where n is 0",
        doc="the derivative of x^n by x, with all digits where n - 1 is rounded",
        mpmath=pk.power_slope,
        jit="0.0 if {1} == 0.0 else {1}*{0}**{1}/{0} if ({1} - 1.0) + 1.0 != {1}"
            " else {1}*{0}**({1} - 1.0)",
        shared=Shared("pow", np.power, ik.same, powers.power_slope_by_part,
            by_value=False), traits="divides",
        losses=(Loss("x", "where n is below 1e-307", (0.037646359236078966, 5e-324)),
                Loss("n", "where n*log(x) is next to -1", (0.5, 1.4426950408889634)))),
    row("logaddexp_slope", "x y", sk.logaddexp_slope, "out*logaddexp_slope(y, x)",
        "-out*logaddexp_slope(y, x)", latex=r"\frac{e^{{x}}}{e^{{x}} + e^{{y}}}",
        doc="the derivative of logaddexp by its first operand, e^x/(e^x + e^y)",
        mpmath=lambda mp, x, y: pk.sigmoid(mp, x - y), jit="share({0}, {1})",
        shared=Shared("logaddexp", sk.logaddexp_part_in_place, sk.logaddexp_by_part,
            sk.logaddexp_slope_by_part, by_value=False, symmetric=True)),
    unary("asin_slope", lambda x: 1.0/np.sqrt((1.0 - x)*(1.0 + x)), "x*out^3",
          "the derivative of asin, with all digits in its own derivative next to 0",
          latex=r"\tfrac{1}{\sqrt{1 - {x}^2}}", domain="-1 < x < 1",
          jit="1.0/sqrt((1.0 - {0})*(1.0 + {0}))"),
    unary("atanh_slope", lambda x: 1.0/((1.0 - x)*(1.0 + x)), "2*x*out^2",
          "the derivative of atanh, with all digits in its own derivative next to 0",
          latex=r"\tfrac{1}{1 - {x}^2}", domain="-1 < x < 1", jit="1.0/((1.0 - {0})*(1.0 + {0}))"),
    unary("gauss", sk.gauss, "-2*out*x", "e^(-x^2), with all digits of small results",
          latex=r"e^{-{x}^2}", mpmath=lambda mp, x: mp.exp(-x * x)),
    unary("normal_pdf", special_kernels.normal_pdf, "-x*out",
          "density of the normal distribution, e^(-x^2/2)/√(2π)", latex=r"\varphi({x})",
          mpmath="npdf"),
    unary("erfinv_slope", sk.erfinv_slope, "2*erfinv(x)*out^2", "the derivative of erfinv (SciPy)",
          latex=r"\tfrac{\sqrt\pi}{2} e^{\operatorname{erf}^{-1}({x})^2}", domain="-1 < x < 1",
          mpmath=lambda mp, x: mp.sqrt(mp.pi) / 2 * mp.exp(mp.erfinv(x) ** 2),
          shared=Shared("erfinv", ik.erfinv, ik.same, ik.blocked(sk.erfinv_slope_of),
              by_value=False)),
    unary("gelu_slope", sk.gelu_slope, "2*normal_pdf(x) - x*(x*normal_pdf(x))",
          "the derivative of gelu, with all digits next to its root at -0.75",
          careful=f"-((x - {ROOT}) + {REST})*(((x + {ROOT}) - {REST})*normal_pdf(x))",
          latex=r"\operatorname{gelu}'({x})", mpmath=pk.gelu_slope,
          in_place=ik.with_erfc(sk.gelu_slope),
          shared=Shared("gelu", ik.with_erfc(special_kernels.normal_cdf), ik.gelu_by_part,
              ik.blocked(sk.gelu_slope_of), by_value=False), traits="composite"),
    unary("silu_slope", sk.silu_slope, "sigmoid_slope(x)*(2 - x*tanh(x/2))",
          "the derivative of silu, with all digits next to its root at -1.28",
          latex=r"\operatorname{silu}'({x})",
          mpmath=lambda mp, x: pk.sigmoid(mp, x) + x * mp.sech(x / 2) ** 2 / 4,
          shared=Shared("silu", ik.exp_of_minus, sk.silu_by_part, sk.silu_slope_by_part,
              by_value=False),
          losses=(Loss("x", "next to its roots, at 2.4 and -2.4", (2.399357280515468,)),)),
    unary("mish_slope", sk.mish_slope,
          "2*sigmoid(x)*tanh_slope(softplus(x)) + x*tanh_slope(softplus(x))"
              "*(sigmoid_slope(x) - 2*sigmoid(x)^2*tanh(softplus(x)))",
          "the derivative of mish, with all digits next to its root at -1.19",
          latex=r"\operatorname{mish}'({x})", mpmath=pk.mish_slope,
          shared=Shared("mish", ik.exp_of_minus, sk.mish_by_part, sk.mish_slope_by_part,
              by_value=False),
          losses=(Loss("x", "next to its roots", (-2.256376396360793,)),)),
))
# fmt: on
