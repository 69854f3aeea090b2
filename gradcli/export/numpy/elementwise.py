"""The elementwise operations as NumPy writes them, and the account of helpers.

Most are a function of NumPy under the same name. What NumPy and SciPy lack is noted as a helper
(`ops.numpy_helpers`), to be defined above the code.
"""

from __future__ import annotations

from gradcli.export.numpy.code import (
    COMPARISON,
    SUM,
    Code,
    call,
    fractional,
    negative,
    number,
    numeric,
    power,
    product,
    total,
)
from gradcli.ops import numpy_helpers as helpers
from gradcli.ops.operation import Operation, Type

NAMES = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
}
"""Functions that older versions of NumPy have under these names only."""

ELEMENTWISE = {
    *("floor", "ceil", "round", "mod", "ones_like", "zeros_like", "abs", "sign", "sqrt", "cbrt"),
    *("square", "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "logaddexp", "hypot"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh"),
    *("acosh", "atanh", "sinc", "deg2rad", "rad2deg", "clip"),
}
COMPARED = {
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}


class Elementwise:
    """Elementwise operations as code, and the helpers that they and others need."""

    def __init__(self) -> None:
        self.helpers: dict[str, str] = {}
        """The text of every helper that is called, callees first."""
        self.imports: dict[str, None] = {}
        """What is taken from `scipy.special`."""

    def needed(self, name: str) -> str:
        """Take note of a helper of `ops.numpy_helpers`; its name."""
        for helper in helpers.in_order([name]):
            parameters, expression = helpers.HELPERS[helper]
            self.note(helper, parameters, expression)
        return name

    def note(self, name: str, parameters: str, expression: str) -> None:
        """Take note of a helper that is made for the occasion."""
        for function in sorted(helpers.calls(expression)):
            if function in helpers.SCIPY:
                self.imports[helpers.SCIPY[function]] = None
        self.helpers.setdefault(name, helpers.definition(name, parameters, expression))

    def elementwise(self, row: Operation, x: list[Code], out: Type, *, wide: bool) -> Code:
        """An elementwise operation on operands that broadcast to the output's shape."""
        name = row.name
        if name in COMPARED:
            left, right = numeric(x[0]), numeric(x[1])
            text = f"{left.at(SUM)} {COMPARED[name]} {right.right(SUM)}"
            return Code(text, COMPARISON, out, truth=True)
        if name == "mul":
            left, right = (numeric(a) if x[1 - i].truth else a for i, a in enumerate(x))
            return product(left, right, out, wide=wide)
        if name == "where":
            condition = x[0] if x[0].truth else Code(f"{x[0].at(SUM)} != 0", COMPARISON, out)
            texts = condition.text, fractional(x[1]).text, fractional(x[2]).text
            return call("np.where", *texts, type=out)
        x = [numeric(a) for a in x]
        match name:
            case "add" | "sub":
                return total(x[0], x[1], out, "+" if name == "add" else "-")
            case "div":
                return product(x[0], x[1], out, "/", wide=wide)
            case "reciprocal":
                return product(number(1.0, "1"), x[0], out, "/")
            case "neg":
                return negative(x[0])._replace(type=out)
            case "identity":
                return x[0]._replace(type=out)
            case "pow":
                return power(x[0], x[1], out)
            case "maximum" | "minimum":
                found = fractional(x[0])
                for other in x[1:]:
                    found = call(f"np.{name}", found.text, other.text, type=out)
                return found
            case "relu":
                return call("np.maximum", x[0].text, "0.0", type=out)
            case "hardtanh":
                return call("np.clip", x[0].text, "-1.0", "1.0", type=out)
            case "step":
                return call("np.heaviside", x[0].text, "0.5", type=out)
        if name in ("ones_like", "zeros_like") and not out.shape:
            return number(1.0 if name == "ones_like" else 0.0)
        if name in ELEMENTWISE:
            function = f"np.{NAMES.get(name, name)}"
        elif name in helpers.SCIPY:
            function = helpers.SCIPY[name]
            self.imports[function] = None
        else:
            function = self.needed(name)
        return call(function, *(fractional(a).text for a in x), type=out)
