"""How JavaScript writes the elementwise operations, for a page that computes by itself.

A row's form for compiled loops (`jit`) is an expression of Python over plain numbers. JavaScript
has the same operators, so that form is translated; where a row has none, JavaScript's own function
of its name is called, or one of `FUNCTIONS` below. Rows with neither have no form here.
"""

from __future__ import annotations

import ast
from functools import cache, reduce

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

COMPARED = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "===", ast.NotEq: "!=="}
BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


def expression(operation: Operation, operands: list[str]) -> str | None:
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
    tree = ast.parse(form.format(*places), mode="eval").body
    return _written(tree)


def _written(node: ast.expr) -> str:
    """The forms are the table's own, a few levels deep; what is none of these is an error."""
    match node:
        case ast.Constant(value=value):
            return repr(value)
        case ast.Name(id=name):
            return f"{{{name[1:]}}}"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"(-{_written(operand)})"
        case ast.BinOp(left=left, op=op, right=right):
            return f"({_written(left)} {BINARY[type(op)]} {_written(right)})"
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return f"({_written(left)} {COMPARED[type(op)]} {_written(right)})"
        case ast.IfExp(test=test, body=body, orelse=other):
            return f"({_written(test)} ? {_written(body)} : {_written(other)})"
        case ast.Call(func=ast.Name(id=name), args=arguments):
            if name in FUNCTIONS or name in MATH:
                function = name if name in FUNCTIONS else f"Math.{name}"
                return f"{function}({', '.join(map(_written, arguments))})"
    raise ValueError(f"no JavaScript for {ast.dump(node)}")
