"""Functions of arrays that are more than one row, or whose meaning differs by library.

A call of a sum, a mean, a rounding … comes in, its value comes out.
"""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np

from gradcli.python.array_shapes import flat
from gradcli.python.calls import Call
from gradcli.python.plain_calls import plain_call, plain_numpy
from gradcli.python.subscripts import Subscripts
from gradcli.python.values import Builtin, Class, Instance, Value, has_traced, is_traced, unread

MOST_COUNTED = 170
"""Whose factorial a float has."""


def reduced(
    reader: Subscripts,
    call: Call,
    x: Value,
    axis: Any = None,
    keepdims: Any = False,
    initial: Value = None,
    where: Value = None,
) -> Value:
    """`sum`, `mean`, `prod`, `max`, `min`, of some elements, and with one more number."""
    name = {"amax": "max", "amin": "min"}.get(call.name, call.name)
    if where is not None:
        if name not in ("sum", "prod"):
            raise unread(f"{name} with where= is not read")
        chosen = [where, x, float(name == "prod")]
        x = reader.library(Builtin("numpy", "where"), chosen, {}, call.node)
    found = _reduced(reader, call._replace(name=name), x, axis, keepdims)
    if initial is None:
        return found
    sign = {"sum": ast.Add, "prod": ast.Mult}.get(name)
    if sign is not None:
        return reader.binary(sign, found, initial, call.where, call.node)
    both = [reader.numeric(v, call.where) for v in (found, initial)]
    return reader.apply("maximum" if name == "max" else "minimum", both, call.where)


def _reduced(reader: Subscripts, call: Call, x: Value, axis: Any, keepdims: Any) -> Value:
    name, options = call.name, {"axis": axis, "keepdims": keepdims}
    if axis == () or (is_traced(x) and not reader.tape.shape(x)):
        return x
    if is_traced(x):
        kind = reader.kind(x)
        if name not in ("max", "min"):
            kind = "i" if kind in "ib" and name in ("sum", "prod") else "f"
        row = {"max": "amax", "min": "amin"}.get(name, name)
        return reader.apply(row, [x], call.first, options, kind)
    plain = np.asarray(reader.tape.value(x))
    reader.budget.elements(plain.size)
    if not plain.size and name in ("max", "min"):
        raise unread(f"{name} of an empty array")
    with np.errstate(all="ignore"):
        return reader.tape.plain(getattr(np, name)(plain, **options))


def running(reader: Subscripts, call: Call, x: Value, axis: Any = None) -> Value:
    """`cumsum`, `cumprod`: without an axis of the flattened array."""
    if len(reader.tape.shape(x)) > 1 and axis is None:
        if call.family == "torch":
            raise unread(f"{call.name} needs dim")
        x = flat(reader, x, call.where)
    return reader.apply(call.name, [x], call.bare, {"axis": axis})


def exactly(reader: Subscripts, call: Call) -> Value:
    """Counts of SciPy, of whole numbers that depend on no input."""
    plain = [reader.by_value(v, f"{call.name}()") for v in call.arguments]
    if any(np.size(v) > 1 or abs(v) > MOST_COUNTED for v in plain):
        raise reader.budget.exceeded("a whole number that is too large")
    functions: Any = {"binom": math.comb, "comb": math.comb, "perm": math.perm}
    function = functions.get(call.name, math.factorial)
    return float(function(*(reader.whole(v) for v in plain)))


def slogdet(reader: Subscripts, call: Call, x: Value) -> Value:
    """`np.linalg.slogdet`."""
    sign = np.float64(np.linalg.slogdet(reader.tape.value(x))[0])
    reader.fix(x, "the sign of a determinant")
    logarithm = reader.apply("logdet", [x], call.where)
    of = Class("slogdet", [], {}, fields=("sign", "logabsdet"), is_tuple=True)
    return Instance(of, {"sign": sign, "logabsdet": logarithm})


def clip(
    reader: Subscripts,
    call: Call,
    x: Value,
    lo: Value = None,
    hi: Value = None,
    min: Value = None,  # noqa: A002 - NumPy's
    max: Value = None,  # noqa: A002 - NumPy's
) -> Value:
    """`np.clip`, with one bound or both."""
    bounds = [lo if min is None else min, hi if max is None else max]
    given = [x, *(reader.numeric(v, call.where) for v in bounds if v is not None)]
    if len(given) == 1:
        return x
    if len(given) == 3:
        return reader.apply("clip", given, call.where)
    return reader.apply("minimum" if bounds[0] is None else "maximum", given, call.bare)


def round_(reader: Subscripts, call: Call, x: Value, decimals: Value = 0) -> Value:
    """`np.round`."""
    digits = reader.whole(decimals)
    if not digits:
        return reader.apply("round", [x], call.first)
    given = [x, digits]
    return (
        reader.library(Builtin("gradcli", "round_to"), given, {}, call.node) if reader.rounds else x
    )


def where(
    reader: Subscripts, call: Call, condition: Value, x: Any = None, y: Value = None
) -> Value:
    """`np.where`: a choice element by element, or the places of what is true."""
    if x is None:
        found = np.nonzero(reader.by_value(condition, "where()"))
        return tuple(reader.tape.plain(f) for f in found)
    three = [reader.numeric(v, call.where) for v in (condition, x, y)]
    if any(map(is_traced, three)):
        return reader.apply("where", three, call.where)
    plain = [reader.tape.value(v) for v in three]
    reader.budget.broadcast(plain)
    return reader.tape.plain(np.where(*plain))


def log(reader: Subscripts, call: Call) -> Value:
    """`math.log(x, base)`; NumPy's has no base."""
    given = call.arguments
    if len(given) == 2 and call.family == "math":
        return reader.apply("log_base", [reader.numeric(v, call.where) for v in given], call.where)
    if len(given) != 1:
        raise unread("np.log takes one array")
    if not has_traced(given) and (found := plain_call(reader, call)) is not NotImplemented:
        return found
    return reader.apply("log", [reader.numeric(given[0], call.where)], call.where)


def quantile(
    reader: Subscripts, call: Call, x: Value, q: Value, axis: Any = None, keepdims: Any = False
) -> Value:
    """`np.quantile`: a row for one part that depends on no input."""
    options = {"axis": axis, "keepdims": keepdims}
    if is_traced(q) or np.shape(reader.by_value(q, "a part")):
        return reader.library(Builtin("gradcli", "quantiles"), [x, q], options, call.node)
    return reader.apply("quantile", [x], call.bare, {"q": float(q), **options})


def sort(reader: Subscripts, call: Call, x: Value, axis: Any = -1) -> Value:
    """`np.sort`: without an axis of the flattened array."""
    if axis is None:
        x, axis = flat(reader, x, call.where), 0
    if is_traced(x):
        return reader.apply("sort", [x], call.bare, {"axis": axis})
    return plain_numpy(reader, "sort", [x, axis], {})
