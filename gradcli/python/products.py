"""Products and norms of arrays, as libraries call them: a call comes in, its value comes out."""

from __future__ import annotations

import ast
import math
from typing import Any

from gradcli.python.array_shapes import flat
from gradcli.python.calls import Call
from gradcli.python.subscripts import Subscripts
from gradcli.python.values import Builtin, Value, is_traced, unread


def dot(reader: Subscripts, call: Call, x: Value, b: Value) -> Value:
    """`np.dot` of values of any kind."""
    second = reader.numeric(b, call.where)
    if not reader.tape.shape(x) or not reader.tape.shape(second):
        return reader.binary(ast.Mult, x, second, call.where, call.node)
    if not is_traced(x) and not is_traced(second):
        return reader.binary(ast.MatMult, x, second, call.where, call.node)
    if len(reader.tape.shape(second)) > 2:
        raise unread("np.dot of more than two dimensions is not read", "use np.einsum")
    return reader.apply("matmul", [x, second], call.where)


def einsum(reader: Subscripts, call: Call) -> Value:
    """`np.einsum`."""
    text, *arrays = call.arguments
    if not isinstance(text, str):
        raise unread("einsum is read with its letters: np.einsum('ij,jk->ik', A, B)")
    given = [reader.numeric(x, call.where) for x in arrays]
    return reader.apply("einsum", given, call.bare, {"spec": text})


def tensordot(
    reader: Subscripts, call: Call, x: Value, b: Value, axes: Value = 2, axis: Any = None
) -> Value:
    """`np.tensordot`; torch's `dims` are the axes."""
    pairs = reader.by_value(axes if axis is None else axis, "tensordot()")
    if not isinstance(pairs, int):
        pairs = tuple(v if isinstance(v, int) else tuple(v) for v in pairs)
    given = [x, reader.numeric(b, call.where)]
    return reader.apply("tensordot", given, call.bare, {"axes": pairs})


def norm(
    reader: Subscripts,
    call: Call,
    x: Value,
    p: Value = None,
    axis: Any = None,
    keepdims: Any = False,
) -> Value:
    """`np.linalg.norm` and its kin."""
    vector = getattr(getattr(call.node, "func", None), "attr", "") == "vector_norm"
    if (call.family == "torch" or vector) and axis is None and p != "fro":
        x = flat(reader, x, call.where)
    rank = len(reader.tape.shape(x)) if axis is None else 1 if isinstance(axis, int) else 2
    if p == "fro" or (p == 2 and rank == 1):
        p = None
    if p is not None:
        p = float(reader.by_value(p, "an option"))
        if rank > 1 and (abs(p) not in (1, math.inf) or axis is not None):
            raise unread("a norm of matrices is read for 'fro', 1 and inf")
        if rank > 1:
            lines = {"axis": 0 if abs(p) == 1 else 1, "keepdims": False}
            sums = reader.apply("sum", [reader.apply("abs", [x], call.bare)], call.bare, lines)
            return reader.apply("amax" if p > 0 else "amin", [sums], call.bare)
        p = int(p) if p.is_integer() else p
        if p not in (1, 2, math.inf):
            options = {"axis": axis, "keepdims": keepdims}
            return reader.library(Builtin("gradcli", "power_norm"), [x, p], options, call.node)
    return reader.apply("norm", [x], call.first, {"p": p, "axis": axis, "keepdims": keepdims})
