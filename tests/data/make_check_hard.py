"""Writes check_hard.json: programs that are hard to check, with the truth from mpmath.

Run it with `python tests/data/make_check_hard.py`. A program is one expression; mpmath evaluates
it at 80 digits with its own functions (nothing of gradcli takes part) and every literal as the
double that it is. Points with a `verdict` have no derivative there.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import mpmath as mp

HERE = Path(__file__).resolve().parent

SMOOTH: dict[str, dict[str, list[float]]] = {
    "aliasing": {
        "sin(pi*x)": [1, 2, 0.5, 3, 10, 128, 1e4],
        "cos(2*pi*x)": [1, 0.25, 3, 64],
        "sin(pi*x)^2": [1, 0.5, 2.25, 7],
        "sin(pi*x)*x": [1, 2, 4, 1024],
        "sin(8*pi*x) + x": [1, 0.125, 5],
    },
    "staircase": {
        "(1 + x) - 1": [1e-8, 1e-5, 1e-12, 3e-16, 1e-3],
        "(1e3 + x) - 1e3": [1e-8, 1e-5, 1e-10],
        "(1 + x)^2 - 1": [1e-8, 1e-10],
        "log(1 + x)": [1e-8, 1e-10, 1e-14],
        "exp(x) - 1": [1e-8, 1e-10, 1e-15],
        "sqrt(1 + x) - 1": [1e-8, 1e-12],
        "1e6*((1 + x) - 1)": [1e-9],
    },
    "flat outside, wild inside": {
        "sigmoid(1e-3*cos(x))": [1e7, 1e5, 1e9, 1e12],
        "sigmoid(0.3*cos(x))": [1e7, 1e15],
        "tanh(1e-6*sin(x))": [1e6, 1e8, 1e10],
        "1 + 1e-8*sin(x)": [1e4, 1e7],
        "exp(1e-9*sin(1e5*x))": [1, 3, 100],
        "softplus(1e-4*sin(x^2))": [1e3, 1e5],
    },
    "digits lost": {
        "(exp(x) - 1)/x": [1e-9, 1e-6, 1e-3],
        "(1 - cos(x))/x^2": [1e-4, 1e-6, 1e-2],
        "(x - sin(x))/x^3": [1e-2, 1e-4],
        "x - x + 1e-3*x": [1.7, 1e8, 1e-8],
        "1e8*x - 1e8*x + x": [1.7, 3e5],
        "sqrt(x + 1) - sqrt(x)": [1e8, 1e12],
        "log(x + 1) - log(x)": [1e10, 1e14],
        "(x + 1)^3 - x^3": [1e6, 1e9],
        "1/(x - 1) - 1/(x + 1)": [1e8],
        "cosh(x)^2 - sinh(x)^2": [1, 8, 15],
    },
    "scales": {
        "x^2": [1e150, 1e-150, 1e-300],
        "1/x": [1e-150, 1e150, 1e-200],
        "1/(x*x)": [1e-100, 1e-60],
        "exp(x)": [700, -700, -740, 1e-300],
        "log(x)": [1e-300, 1e300, 5e-324],
        "sqrt(x)": [1e-300, 1e300],
        "x^3": [1e-90, 1e100],
        "x*1e-300": [1e5, 1e-5],
        "x*1e-320": [3],
        "exp(-x^2)": [26, 5, 1e-10],
        "x^10": [1e30, 1e-30],
    },
    "something close by": {
        "1e6 + abs(x - 1e-9)": [0],
        "abs(x - 1e-9)": [0, 1e-6],
        "relu(x - 1e-6)": [0, 2e-6],
        "abs(x)*x": [1e-12, -1e-12, 1e-200],
        "max(x, x^2)": [1.000000001, 0.999999999],
        "softplus(1e6*x)": [1e-6, 1e-9, -1e-5],
        "tanh(1e8*(x - 1))": [1, 1.00000001],
        "sqrt(x^2 + 1e-16)": [1e-9, 1e-7],
        "floor(x)*x": [2.0000001, 2.9999999],
        "log(abs(x))": [1e-9, -1e-9],
    },
    "almost singular": {
        "1/(x - 1)": [1.00000001, 1.0000000000001],
        "tan(x)": [1.5707, 1.570796],
        "asin(x)": [0.999999999999, 0.9999],
        "sqrt(1 - x)": [0.9999999999],
        "log(1 - x)": [0.99999999999],
        "atanh(x)": [0.9999999999, -0.99999],
        "x^0.1": [1e-30],
        "log(x)/x": [1e-12],
        "1/sin(x)": [3.14159265, 1e-12],
    },
    "stationary": {
        "(x - 1)^2": [1, 1.000000001, 1.0000000000000002],
        "x^4": [1e-3, 0, 1e-20],
        "cos(x)": [0, 1e-8, 3.141592653589793],
        "(x - 1)^3": [1, 1.00001],
        "x^2*exp(-x)": [2, 0],
        "sin(x) - x": [1e-5, 0],
        "1e6*cos(x)": [1e-3, 0],
    },
    "fast": {
        "sin(1e6*x)": [1, 0.3],
        "sin(1/x)": [1e-3, 1e-6, 1e-9],
        "x*sin(1/x)": [1e-3, 1e-5],
        "sin(x^2)": [1e4, 1e6],
        "sin(exp(x))": [5, 10, 20],
        "cos(1e10*x)": [1, 1e-9],
        "sin(x)": [1e15, 1e8, 1e3],
        "x^2*sin(1/x^2)": [1e-2, 1e-4],
    },
    "saturated": {
        "sigmoid(x)": [20, 30, -30, -700, 36],
        "tanh(x)": [10, 18, -15],
        "erf(x)": [3, 5, -4],
        "exp(-exp(x))": [2, 5],
        "1/(1 + exp(-x))": [40, -40],
        "atan(x)": [1e8, 1e20],
        "log(1 + exp(x))": [-30, 50],
        "sigmoid(sigmoid(x))": [25, 30],
    },
    "a tie and no kink": {
        "relu(x)^2": [0],
        "abs(x)*x": [0],
        "max(x, 0)^3": [0],
        "abs(x)^3": [0],
        "max(x, -x)^2": [0],
        "relu(x)*sin(x)": [0],
        "min(x^2, x^4)": [0],
        "elu(x)": [0],
        "abs(sin(x))^2": [0],
    },
}

NO_DERIVATIVE: list[tuple[str, float, str]] = [
    ("relu(x)", 0, "kink"),
    ("abs(x)", 0, "kink"),
    ("3*relu(x) - x", 0, "kink"),
    ("abs(x - 1) + x^2", 1, "kink"),
    ("leaky_relu(x)", 0, "kink"),
    ("selu(x)", 0, "kink"),
    ("hardtanh(x)", 1, "kink"),
    ("clip(x, 0, 2)", 2, "kink"),
    ("max(x, 2 - x)", 1, "kink"),
    ("min(x, x^2)", 1, "kink"),
    ("exp(abs(x))", 0, "kink"),
    ("sqrt(x^2)", 0, "kink"),
    ("1e-6*abs(x) + x^2", 0, "kink"),
    ("floor(x)", 2, "jump"),
    ("ceil(x)", -1, "jump"),
    ("round(x)", 0.5, "jump"),
    ("sign(x)", 0, "jump"),
    ("step(x)*x + step(x)", 0, "jump"),
    ("mod(x, 2)", 4, "jump"),
    ("x*floor(x)", 3, "jump"),
    ("where(x > 1, x, 0)", 1, "jump"),
    ("sqrt(x)", 0, "edge"),
    ("cbrt(x)", 0, "edge"),
    ("asin(x)", 1, "edge"),
    ("acos(x)", -1, "edge"),
    ("x^0.5", 0, "edge"),
    ("sqrt(abs(x))", 0, "edge"),
    ("acosh(x)", 1, "edge"),
    ("x^1.5", 0, "edge"),
    ("sqrt(1 - x^2)", 1, "edge"),
    ("log(x)", 0, "edge"),
    ("1/x", 0, "edge"),
    ("log(x)", -1, "edge"),
    ("sqrt(x)", -1, "edge"),
    ("exp(x)", 1000, "overflow"),
    ("x^2", 1e200, "overflow"),
    ("1/x", 1e-310, "overflow"),
]

HILBERT = {"det(A)": range(3, 9), "trace(inv(A))": range(3, 8), "logdet(A)": range(3, 9)}


def functions() -> dict[str, Any]:
    """The language's functions in mpmath."""
    names = ["sin", "cos", "tan", "asin", "acos", "atan", "atanh", "sinh", "cosh", "tanh"]
    names += ["exp", "log", "sqrt", "floor", "erf"]
    own = {
        "pi": mp.mpf(math.pi),
        "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
        "softplus": lambda x: mp.log(1 + mp.exp(x)),
        "relu": lambda x: max(x, mp.mpf(0)),
        "elu": lambda x: x if x > 0 else mp.exp(x) - 1,
        "abs": abs,
        "max": max,
        "min": min,
        "mpf": mp.mpf,
    }
    return {name: getattr(mp, name) for name in names} | own


LITERAL = re.compile(r"(?<![\w.])(\d+\.?\d*(?:e[+-]?\d+)?)")


def slope(program: str, x: float) -> str:
    """The derivative at a double, to 25 digits."""
    python = LITERAL.sub(r"mpf(float('\1'))", program).replace("^", "**")
    function = eval(f"lambda x: {python}", functions())  # noqa: S307 - the programs above
    size = abs(mp.mpf(x)) or mp.mpf(1)
    with mp.workdps(120 + int(max(0, -mp.log10(size)))):
        wide, value = (
            (function(mp.mpf(x) + h) - function(mp.mpf(x) - h)) / (2 * h)
            for h in (size * mp.mpf(10) ** -40, size * mp.mpf(10) ** -42)
        )
        # What shrinks with h² is only the next term of the series, and 1e-60 is rounding.
        level = abs(function(mp.mpf(x))) / max(size, 1)
        rounding = mp.mpf(10) ** (-60 if level else -100)
        zero = abs(value) < abs(wide) / 100 or abs(value) < rounding * (level or 1)
        text: str = mp.nstr(mp.mpf(0) if zero else value, 25)
    return text


def hilbert(program: str, n: int) -> dict[str, Any]:
    """A function of the Hilbert matrix (in doubles), differentiated by every element."""
    entries = [[1.0 / (i + j + 1) for j in range(n)] for i in range(n)]
    A = mp.matrix([[mp.mpf(v) for v in row] for row in entries])
    inverse = A**-1
    det = mp.det(A)
    square = inverse * inverse
    true = [
        [
            {
                "det(A)": det * inverse[j, i],
                "logdet(A)": inverse[j, i],
                "trace(inv(A))": -square[j, i],
            }[program]
            for j in range(n)
        ]
        for i in range(n)
    ]
    truth = [[mp.nstr(v, 25) for v in row] for row in true]
    return {"group": "Hilbert", "program": program, "input": "A", "value": entries, "truth": truth}


def cases() -> list[dict[str, Any]]:
    """All of them."""
    found: list[dict[str, Any]] = []
    for group, programs in SMOOTH.items():
        for program, points in programs.items():
            for x in points:
                case = {"group": group, "program": program, "input": "x", "value": x}
                if "tie" in group:
                    case["truth"] = "1.0" if program == "elu(x)" else "0.0"
                else:
                    case["truth"] = slope(program, x)
                found.append(case)
    for program, x, verdict in NO_DERIVATIVE:
        found.append(
            {"group": "special", "program": program, "input": "x", "value": x, "verdict": verdict}
        )
    found += [hilbert(program, n) for program, sizes in HILBERT.items() for n in sizes]
    return found


if __name__ == "__main__":
    mp.mp.dps = 120
    lines = ",\n".join(json.dumps(case) for case in cases())
    (HERE / "check_hard.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
