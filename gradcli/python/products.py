"""Products and norms of arrays, as libraries call them."""

from __future__ import annotations

import ast
import math
from typing import Any

from gradcli.python.array_picks import ArrayPicks
from gradcli.python.einsum import contraction
from gradcli.python.library_calls import Call, taken
from gradcli.python.values import Value, Where, is_traced, unread


def dot(calls: ArrayPicks, call: Call) -> Value:
    """`np.dot` of values of any kind."""
    where, node, a, k = call.where, call.node, call.arguments, call.keywords
    first, second = (calls.numeric(v, where) for v in taken(a, k, "a", "b"))
    return product(calls, first, second, where, node)


def product(calls: ArrayPicks, first: Value, second: Value, where: Where, node: Any) -> Value:
    """`np.dot`."""
    if not calls.tape.shape(first) or not calls.tape.shape(second):
        return calls.binary(ast.Mult, first, second, where, node)
    if not is_traced(first) and not is_traced(second):
        return calls.binary(ast.MatMult, first, second, where, node)
    if len(calls.tape.shape(second)) > 2:
        raise unread("np.dot of more than two dimensions is not read", "use np.einsum")
    return calls.apply("matmul", [first, second], where)


def einsum(calls: ArrayPicks, call: Call) -> Value:
    """`np.einsum`."""
    where, a = call.where, call.arguments
    text, *arrays = a
    if not isinstance(text, str):
        raise unread("einsum is read with its letters: np.einsum('ij,jk->ik', A, B)")
    return contraction(calls, text, [calls.numeric(x, where) for x in arrays], where)


def tensordot(calls: ArrayPicks, call: Call) -> Value:
    """`np.tensordot`, as an `einsum`."""
    where, a, k = call.where, call.arguments, call.keywords
    if "axis" in k:  # torch's dims
        k["axes"] = k.pop("axis")
    first, second, axes = taken(a, k, "a", "b", axes=2)
    first, second = calls.numeric(first, where), calls.numeric(second, where)
    m, n = len(calls.tape.shape(first)), len(calls.tape.shape(second))
    axes = calls.by_value(axes, "tensordot()")
    if isinstance(axes, int):
        pairs = list(zip(range(m - axes, m), range(axes), strict=True))
    else:
        left, right = ([v] if isinstance(v, int) else list(v) for v in axes)
        pairs = [(i % m, j % n) for i, j in zip(left, right, strict=True)]
    one = [chr(97 + i) for i in range(m)]
    two = [chr(97 + m + j) for j in range(n)]
    for i, j in pairs:
        two[j] = one[i]
    kept = [c for c in one + two if (c in one) != (c in two)]
    text = f"{''.join(one)},{''.join(two)}->{''.join(kept)}"
    return contraction(calls, text, [first, second], where)


def norm(calls: ArrayPicks, call: Call) -> Value:
    """`np.linalg.norm` and its kin."""
    where, a, k = call.where, call.arguments, call.keywords
    of, p, axis, keep = taken(a, k, "x", p=None, axis=None, keepdims=False)
    of, axis = calls.numeric(of, where), calls.axes(axis)
    vector = getattr(getattr(call.node, "func", None), "attr", "") == "vector_norm"
    flattens = call.family == "torch" or vector
    if flattens and axis is None and p != "fro":
        of = calls.reshaped(of, (math.prod(calls.tape.shape(of)),), where)
    rank = len(calls.tape.shape(of)) if axis is None else 1 if isinstance(axis, int) else 2
    if p == "fro" or (p == 2 and rank == 1):
        p = None
    if p is not None:
        p = float(calls.by_value(p, "an option"))
        if rank > 1 and (abs(p) not in (1, math.inf) or axis is not None):
            raise unread("a norm of matrices is read for 'fro', 1 and inf")
        if rank > 1:
            of = _sums_of_lines(calls, of, 0 if abs(p) == 1 else 1, where)
            return calls.apply("amax" if p > 0 else "amin", [of], where._replace(operands=()))
        p = int(p) if p.is_integer() else p
        if p not in (1, 2, math.inf):
            return _power_norm(calls, of, p, axis, calls.truth(keep), where)
    options = {"p": p, "axis": axis, "keepdims": calls.truth(keep)}
    return calls.apply("norm", [of], where._replace(operands=where.operands[:1]), options)


def _sums_of_lines(calls: ArrayPicks, of: Value, axis: int, where: Where) -> Value:
    """The sums of absolute values along an axis."""
    where = where._replace(operands=())
    options = {"axis": axis, "keepdims": False}
    return calls.apply("sum", [calls.apply("abs", [of], where)], where, options)


def _power_norm(
    calls: ArrayPicks,
    of: Value,
    p: float,
    axis: Any,
    keep: bool,  # noqa: FBT001 - as NumPy has it
    where: Where,
) -> Value:
    """The norm of vectors for any other p."""
    where = where._replace(operands=())
    size, options = calls.apply("abs", [of], where), {"axis": axis, "keepdims": keep}
    if p == 0:
        options_of_zero = calls.apply("not_equal", [of, 0.0], where)
        return calls.apply("sum", [options_of_zero], where, options)
    if p == -math.inf:
        return calls.apply("amin", [size], where, options)
    total = calls.apply("sum", [calls.apply("pow", [size, p], where)], where, options)
    return calls.apply("pow", [total, 1.0 / p], where)


def vdot(calls: ArrayPicks, call: Call) -> Value:
    """`np.vdot`: of matrices too, element by element."""
    where = call.where._replace(operands=())
    flat = []
    for value in call.arguments:
        array = calls.numeric(value, where)
        flat.append(calls.reshaped(array, (math.prod(calls.tape.shape(array)),), where))
    return calls.apply("dot", flat, where)
