"""How JavaScript writes the elementwise operations, for a page that computes by itself.

A row's form for compiled loops (`jit`) is an expression of Python over plain numbers. JavaScript
has the same operators, so that form is translated; where a row has none, JavaScript's own function
of its name is called, or one of `FUNCTIONS` below. Rows with neither have no form here.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache, reduce

from gradcli.ops.c_like import SIGNS, Spelling, written
from gradcli.ops.operation import Operation

MATH = frozenset(
    {
        *("abs", "sign", "sqrt", "cbrt", "exp", "expm1", "log", "log1p", "log2", "log10", "hypot"),
        *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh"),
        *("acosh", "atanh", "floor", "ceil"),
    }
)
"""What JavaScript's `Math` has by the same name, with the same arguments."""

FUNCTIONS = {
    "larger": "(a, b) => (a > b || a !== a ? a : b)",
    "smaller": "(a, b) => (a < b || a !== a ? a : b)",
    "logistic": "(x, z) => (x >= 0 ? 1 : z) / (1 + z)",
    "bell": "(z) => z / ((1 + z) * (1 + z))",
    "rint": "(x) => { const r = Math.round(x); return r - x === 0.5 && r % 2 !== 0 ? r - 1 : r; }",
    "share": "(a, b) => { const z = Math.exp(-Math.abs(a - b)); "
    "return (a >= b ? 1 : z) / (1 + z); }",
    "exp2": "(x) => 2 ** x",
    "deg2rad": "(x) => (x * Math.PI) / 180",
    "rad2deg": "(x) => (x * 180) / Math.PI",
    "logaddexp": "(a, b) => (a === b ? a + Math.LN2 : "
    "Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b))))",
    "log_base": "(x, b) => Math.log(x) / Math.log(b)",
    "mod": "(x, y) => { const r = x % y; return r !== 0 && r < 0 !== y < 0 ? r + y : r; }",
    "step": "(x) => (x > 0 ? 1 : x < 0 ? 0 : x === 0 ? 0.5 : x)",
    "logit": "(x) => Math.log(x / (1 - x))",
    "silu": "(x) => { const z = Math.exp(-Math.abs(x)); return (x * (x >= 0 ? 1 : z)) / (1 + z); }",
    "selu": "(x) => (x > 0 ? 1.0507009873554805 * x : 1.7580993408473766 * Math.expm1(x))",
    "mish": "(x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))))",
    "sinc": "(x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))",
}
"""What the forms call besides `Math`, as functions of JavaScript."""


def expression(operation: Operation, operands: Sequence[str]) -> str | None:
    """An elementwise operation on numbers, in JavaScript; None where it has no form there.

    `operands` are names and numbers, or expressions in brackets.
    """
    if operation.jit:
        form = translated(operation.jit)
    elif operation.name in MATH:
        form = f"Math.{operation.name}({{}})"
    elif operation.name in FUNCTIONS:
        form = f"{operation.name}({{}})"
    else:
        return None
    if operation.operands and operation.operands[0].variadic:
        return reduce(form.format, operands)
    return form.format(", ".join(operands)) if "{}" in form else form.format(*operands)


@cache
def translated(form: str) -> str:
    """A row's `jit` form, an expression of Python, as one of JavaScript with the same places."""
    places = [f"_{i}" for i in range(9)]
    return written(form.format(*places), JAVASCRIPT)


def _call(name: str, arguments: list[str]) -> str:
    if name not in FUNCTIONS and name not in MATH:
        raise ValueError(f"JavaScript has no {name}")
    return f"{name if name in FUNCTIONS else f'Math.{name}'}({', '.join(arguments)})"


JAVASCRIPT = Spelling(
    number=repr,
    name=lambda name: f"{{{name[1:]}}}",
    call=_call,
    signs={**SIGNS, ast.Pow: "**", ast.Eq: "===", ast.NotEq: "!=="},
)
