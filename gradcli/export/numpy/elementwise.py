"""The elementwise operations as NumPy writes them, and the account of helpers.

A row has NumPy's spelling. What NumPy and SciPy lack is noted as a helper (`ops.numpy_helpers`),
to be defined above the code.
"""

from __future__ import annotations

import re
from functools import reduce

from gradcli.export.numpy.code import (
    ATOM,
    COMPARISON,
    SUM,
    Code,
    call,
    exact,
    fractional,
    negative,
    number,
    numeric,
    power,
    product,
    total,
)
from gradcli.ops import numpy_helpers as helpers
from gradcli.ops.operation import Notation, Operation, Options, Type
from gradcli.ops.options import shape_text, shown

FIELD = re.compile(r"(, )?\{(\w+)([=?]|:\w+)?\}")
"""An operand or option in a row's spelling, with the comma before it."""


class Elementwise:
    """Elementwise operations as code, and the helpers that they and others need."""

    def __init__(self) -> None:
        self.helpers: dict[str, str] = {}
        """The text of every helper that is called, callees first."""
        self.imports: dict[str, str] = {}
        """What is taken from SciPy: names, and the module that has them."""

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
                self.imports[function] = "scipy.special"
        self.helpers.setdefault(name, helpers.definition(name, parameters, expression))

    def elementwise(
        self, row: Operation, x: list[Code], out: Type, options: Options, *, wide: bool
    ) -> Code:
        """An elementwise operation on operands that broadcast to the output's shape."""
        if row.chooses:
            condition = x[0] if x[0].truth else Code(f"{x[0].at(SUM)} != 0", COMPARISON, out)
            texts = condition.text, fractional(x[1]).text, fractional(x[2]).text
            return call("np.where", *texts, type=out)
        if row.is_product:
            left, right = (numeric(a) if x[1 - i].truth else a for i, a in enumerate(x))
            return product(left, right, out, wide=wide)
        x = [numeric(a) for a in x]
        if row.is_comparison:
            text = f"{x[0].at(SUM)} {row.symbol} {x[1].right(SUM)}"
            return Code(text, COMPARISON, out, truth=True)
        if row.constant is not None and not out.shape:
            return number(row.constant)
        match row.symbol or row.notation:
            case "+" | "-" as sign:
                return total(x[0], x[1], out, sign)
            case "/":
                return product(x[0], x[1], out, "/", wide=wide)
            case "^":
                return power(x[0], x[1], out)
            case "neg":
                return negative(x[0])._replace(type=out)
            case Notation.RECIPROCAL:
                return product(number(1.0, "1"), x[0], out, "/")
            case Notation.SAME:
                return x[0]._replace(type=out)
        return self.spelled(row, x, out, options)

    def spelled(self, row: Operation, x: list[Code], out: Type, options: Options) -> Code:
        """An operation by NumPy's spelling in its row."""
        text = helpers.spelling(row)
        module = next((m for m in helpers.MODULES if text.startswith(f"{m}.")), "")
        text = text.removeprefix(f"{module}.")
        if module:
            self.imports[text.partition("(")[0]] = module
        elif text.startswith("special."):
            self.imports["special"] = "scipy"
        for function in sorted(helpers.calls(f"{text}(")) if not module else ():
            self.needed(function)
        view = row.view and out.size <= x[0].type.size
        if "(" in text:
            return Code(_filled(text, row, x, out, options), ATOM, Type(out.shape), view=view)
        if row.elementwise and row.operands[0].variadic:
            return reduce(
                lambda a, b: call(text, a.text, b.text, type=out), x[1:], fractional(x[0])
            )
        texts = [(fractional(a) if row.elementwise else exact(fractional(a))).text for a in x]
        return call(text, *texts, type=out if row.elementwise else Type(out.shape), view=view)


def _filled(template: str, row: Operation, x: list[Code], out: Type, options: Options) -> str:
    """A spelling with operands and options filled in; what is left out takes its comma along."""
    several = row.operands and row.operands[-1].variadic
    operands = {p.name: x if several else [a] for p, a in zip(row.operands, x, strict=False)}
    defaults = {p.name: p.default for p in row.parameters}
    axes = options.get("axis") is not None or options.get("keepdims")

    def fill(field: re.Match[str]) -> str:
        comma, name, mark = field[1] or "", field[2], field[3] or ""
        if name == "shape":
            return comma + shape_text(out.shape)
        if name in operands:
            found = [_operand(a, mark, row, axes=bool(axes)) for a in operands[name]]
            return comma + ", ".join(found) + ("," if several and len(found) == 1 else "")
        value = options[name]
        if mark and value == defaults[name]:
            return ""
        return f"{comma}{name}={shown(value)}" if mark == "=" else comma + shown(value)

    return FIELD.sub(fill, template)


def _operand(x: Code, mark: str, row: Operation, *, axes: bool) -> str:
    """An operand as a spelling wants it."""
    if mark == ":count":
        return (exact(x) if axes else x).text
    if row.elementwise:
        return x.text
    x = fractional(x)
    return (x if mark == ":flat" or (mark == ":all" and not axes) else exact(x)).text
