"""Expressions of Python over plain numbers in languages that have C's operators.

Rows have such an expression as their form for compiled loops (`jit`). The walk over it is here;
what a language writes in its own way is its `Spelling`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import NamedTuple

SIGNS: Mapping[type[ast.operator | ast.cmpop], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/",
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


class Spelling(NamedTuple):
    """How a language writes what expressions are made of."""

    number: Callable[[float], str]
    name: Callable[[str], str]
    call: Callable[[str, list[str]], str]
    """The call of a function of this name; raises ValueError where there is no such function."""
    signs: Mapping[type[ast.operator | ast.cmpop], str] = SIGNS
    """Without a sign for a power it is a call of `pow`."""


def written(form: str, spelling: Spelling) -> str:
    """An expression in another language. Raises ValueError where it has no form there."""
    return _written(ast.parse(form, mode="eval").body, spelling)


def _written(node: ast.expr, of: Spelling) -> str:
    """The forms are the table's own, a few levels deep."""
    match node:
        case ast.Constant(value=float() | int() as value):
            return of.number(value)
        case ast.Name(id=name):
            return of.name(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"(-{_written(operand, of)})"
        case ast.BinOp(left=left, op=ast.Pow(), right=right) if ast.Pow not in of.signs:
            return of.call("pow", [_written(left, of), _written(right, of)])
        case ast.BinOp(left=left, op=sign, right=right):
            return f"({_written(left, of)} {of.signs[type(sign)]} {_written(right, of)})"
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return f"({_written(left, of)} {of.signs[type(sign)]} {_written(right, of)})"
        case ast.IfExp(test=test, body=body, orelse=other):
            return f"({_written(test, of)} ? {_written(body, of)} : {_written(other, of)})"
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return of.call(name, [_written(argument, of) for argument in arguments])
    raise ValueError(f"no form for {ast.dump(node)}")
