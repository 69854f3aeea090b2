"""Numbers of a listing with the digits that they are written with."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.submission.decimals import fraction_of, written
from gradcli.grading.submission.types import Written


def as_written(code: ast.expr | None, text_of: Callable[[ast.AST], str]) -> Written | None:
    """How a bare number, an array of numbers or a fraction such as `-5243/10000` was written.

    None for an expression with more in it; `text_of` gives the text of a node.
    """
    texts = None if code is None else _texts(code, text_of)
    if texts is None:
        return None
    if isinstance(texts, str) and "/" in texts:
        fraction = fraction_of(texts)
        return fraction if fraction is not None and fraction.radius else None
    try:
        return written(texts)
    except GradcliError:
        return None


def _texts(code: ast.expr, text_of: Callable[[ast.AST], str]) -> Any:
    """The numbers of an expression as they are written; None where there is more in it."""
    match code:
        case ast.Constant(value=int() | float()) if not isinstance(code.value, bool):
            return text_of(code)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _texts(operand, text_of)
            return f"-{inner}" if isinstance(inner, str) else None
        case ast.BinOp(op=ast.Div(), left=above, right=below):
            parts = _texts(above, text_of), _texts(below, text_of)
            return "/".join(parts) if all(isinstance(p, str) for p in parts) else None
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            inner = [_texts(e, text_of) for e in elements]
            return None if None in inner else inner
        case ast.Call(func=function, args=[of]) if _is_array(function):
            return _texts(of, text_of)
        case _:
            return None


def _is_array(function: ast.expr) -> bool:
    name = getattr(function, "attr", getattr(function, "id", ""))
    return name in ("array", "asarray", "float64")
