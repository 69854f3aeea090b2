"""Numbers of a listing with the digits that they are written with.

An expression comes in; a `Written` goes out where it is nothing but numbers.
"""

from __future__ import annotations

import ast
from contextlib import suppress
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.submission.decimals import FEW_DIGITS, FORMULA_WORDS, written
from gradcli.grading.submission.types import Written
from gradcli.python.core import Text

_MAKERS = frozenset({"array", "asarray", "tensor", "float64", "float32", "float", "double"})
_WORDS = FORMULA_WORDS | _MAKERS | {"torch", "jnp", "list", "tuple", "reshape", "T"}
"""What code may name and still be nothing but numbers."""


def as_written(code: ast.expr | None, value: Any, text: Text) -> Written | None:
    """How a number, an array of numbers or an expression of numbers (`sqrt(2)/2`) was written.

    None for code with more in it; `value` is the code's, `text` the one that it stands in.
    """
    if code is None or not np.all(np.isfinite(value)) or not is_of_numbers(code):
        return None
    with suppress(GradcliError):
        texts = _texts(code, text)
        if texts is not None:
            return written(texts)
    return Written(value, np.zeros(np.shape(value))[()], FEW_DIGITS)


def is_of_numbers(code: ast.expr) -> bool:
    """Whether code is nothing but numbers, signs between them, and brackets around them."""
    nodes = list(ast.walk(code))
    words = [n.func for n in nodes if isinstance(n, ast.Call)]
    words += [n.value for n in nodes if isinstance(n, ast.Attribute)]
    variables = (n for n in nodes if isinstance(n, ast.Name) and n not in words)
    return all(n.id == "pi" for n in variables) and all(map(_may_be_of_numbers, nodes))


def _may_be_of_numbers(node: ast.AST) -> bool:
    match node:
        case ast.Constant():
            return isinstance(node.value, int | float) and not isinstance(node.value, bool)
        case ast.Name(id=word) | ast.Attribute(attr=word):
            return word in _WORDS
        case ast.keyword(arg=word):
            return word == "dtype"
        case _:
            return isinstance(
                node,
                ast.BinOp | ast.UnaryOp | ast.Call | ast.List | ast.Tuple
                | ast.operator | ast.unaryop | ast.expr_context,
            )  # fmt: skip


def _texts(code: ast.expr, text: Text, sign: str = "") -> Any:
    """The numbers of an expression as they are written; None where they are put together."""
    match code:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _texts(operand, text, f"-{sign}")
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _texts(operand, text, sign)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            inner = [_texts(e, text, sign) for e in elements]
            return None if None in inner else inner
        case ast.Call(func=function, args=[of]) if _is_array(function):
            return _texts(of, text, sign)
        case ast.Constant() | ast.BinOp() | ast.Call():
            return sign + text.written(text.span(code))
        case _:
            return None


def _is_array(function: ast.expr) -> bool:
    return getattr(function, "attr", getattr(function, "id", "")) in _MAKERS
