"""The rows of the activation functions."""

from __future__ import annotations

import numpy as np

from gradcli.ops.kernels import elementwise as k
from gradcli.ops.kernels import in_place as ik
from gradcli.ops.kernels import precise as pk
from gradcli.ops.kernels import special as sk
from gradcli.ops.operation import Loss
from gradcli.ops.table.rows import AT_ZERO, grouped, piece, row, unary

# fmt: off
ROWS = grouped("activations", (
    unary("sigmoid", k.sigmoid, "out*(1 - out)", "1/(1 + e^-x) without overflow", aliases="σ expit",
          careful="sigmoid_slope(x)", latex=r"\sigma({x})", jit="logistic({0}, exp(-abs({0})))",
          in_place=ik.sigmoid, traits="floats",
          wrong="out*(1 + out); 1 - out^2; out; 1 - out; out^2"),
    unary("logsigmoid", lambda x: np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x))), "sigmoid(-x)",
          "log(sigmoid(x)) without overflow", latex=r"\log \sigma({x})",
          jit="smaller({0}, 0.0) - log1p(exp(-abs({0})))"),
    unary("logit", k.logit, "1/(x*(1 - x))", "log(x/(1 - x)), the inverse of sigmoid",
          domain="0 < x < 1", mpmath=lambda mp, x: mp.log(x / (1 - x))),
    unary("relu", lambda x: np.maximum(x, 0.0), "x > 0", "max(x, 0)", convention="0 at 0",
          numpy="np.maximum({x}, 0.0)", jit="larger({0}, 0.0)",
          in_place=lambda x, out: np.maximum(x, 0.0, out=out), traits="exact selects",
          wrong="x; x < 0", **AT_ZERO),
    row(
        "leaky_relu", "x slope=0.01", lambda x, slope: np.where(x > 0, x, slope * x),
        "where(x > 0, 1, slope)", "where(x > 0, 0, x)", latex=r"\operatorname{leaky\_relu}({x})",
        convention="its slope at 0", doc="x above zero, slope·x below",
        jit="{0} if {0} > 0.0 else {1}*{0}", traits="selects", wrong="x > 0", **piece(0.0)),
    row("elu", "x alpha=1", k.elu, "where(x >= 0, 1, alpha*exp(min(x, 0)))",
        "where(x > 0, 0, expm1(min(x, 0)))", latex=r"\operatorname{elu}({x})",
        convention="1 at 0, the right-hand value", doc="x above zero, alpha·(e^x - 1) below",
        jit="{0} if {0} > 0.0 else {1}*expm1(smaller({0}, 0.0))",
        losses=(Loss("x", "where e^x is below 1e-307 and alpha large", (-740.0, 1e10)),),
        **piece(0.0)),
    unary("selu", k.selu, "where(x >= 0, 1.0507009873554805, 1.7580993408473766*exp(min(x, 0)))",
          "scaled elu of self-normalising networks", convention="1.0507 at 0, the right-hand value",
          mpmath=lambda mp, x: k.SELU_SCALE * (x if x > 0 else k.SELU_ALPHA * mp.expm1(x)),
          **piece(0.0)),
    unary("gelu", sk.gelu, "erfc(-x/sqrt(2))/2 + x*exp(-x^2/2)/sqrt(2*pi)",
          "x times the normal distribution function (the erf form)", careful="gelu_slope(x)",
          mpmath=lambda mp, x: x / 2 * mp.erfc(-x / mp.sqrt(2)), in_place=ik.with_erfc(sk.gelu),
          traits="composite"),
    unary("silu", k.silu, "sigmoid(x)*(1 + x*sigmoid(-x))", "x·sigmoid(x)", aliases="swish",
          careful="silu_slope(x)", mpmath=lambda mp, x: x * pk.sigmoid(mp, x)),
    unary("mish", k.mish, "tanh(softplus(x)) + x*sigmoid(x)*(1 - tanh(softplus(x))^2)",
          "x·tanh(softplus(x))", careful="mish_slope(x)",
          mpmath=lambda mp, x: x * mp.tanh(pk.softplus(mp, x))),
    unary("softplus", k.softplus, "sigmoid(x)", "log(1 + e^x) without overflow",
          latex=r"\log(1 + e^{{x}})", jit="larger({0}, 0.0) + log1p(exp(-abs({0})))",
          wrong="exp(x); out"),
    unary("softsign", lambda x: x / (1.0 + np.abs(x)), "1/(1 + abs(x))^2", "x/(1 + |x|)",
          careful="(1/(1 + abs(x)))^2", latex=r"\frac{{x}}{1 + \lvert {x} \rvert}",
          jit="{0}/(1.0 + abs({0}))"),
    unary("hardtanh", lambda x: np.clip(x, -1.0, 1.0), "(-1 < x)*(x < 1)", "x cut off at -1 and 1",
          convention="0 on the boundary", numpy="np.clip({x}, -1.0, 1.0)",
          jit="smaller(larger({0}, -1.0), 1.0)", traits="exact selects", **piece(-1.0, 1.0)),
    row("huber", "x delta=1", k.huber, "where(abs(x) <= delta, x, delta*sign(x))",
        "where(abs(x) <= delta, 0, abs(x) - delta)", domain="delta > 0",
        doc="x²/2 up to delta, delta·(|x| - delta/2) beyond", mpmath=pk.huber,
        branch=lambda x, delta: np.where(np.abs(x) <= delta, 0, np.sign(x)),
        tie=lambda x, delta: np.abs(x) == delta),
    unary("step", lambda x: np.heaviside(x, 0.5), "0", "0 below zero, 1 above", aliases="heaviside",
          latex=r"\theta({x})", convention="step(0) = 1/2, derivative 0",
          numpy="np.heaviside({x}, 0.5)", mpmath=lambda mp, x: (mp.sign(x) + 1) / 2,
          traits="exact selects jumps", **AT_ZERO),
))
# fmt: on
