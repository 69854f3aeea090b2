"""Functions that pick elements by places: padding, gathering, sorting with the places.

In comes a call, out comes a new array, or the values with their places.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from gradcli.python import sizes
from gradcli.python.array_shapes import in_order, moved, sequence, slice_along
from gradcli.python.calls import Call
from gradcli.python.stores import store
from gradcli.python.subscripts import Subscripts
from gradcli.python.values import Array, Builtin, Class, Instance, Value, unread
from gradcli.syntax.library.meant import Meant


def pad(
    reader: Subscripts,
    call: Call,
    x: Value,
    pad_width: Value,
    mode: Value = "constant",
    constant_values: Value = 0.0,
) -> Value:
    """`np.pad`: elements around an array, of a number or of the array's own."""
    width, shape = reader.by_value(pad_width, "a width"), reader.tape.shape(x)
    reader.budget.elements(sizes.elements("pad", [np.empty(shape, dtype=np.bool_), width], {}))
    widths = np.broadcast_to(np.asarray(width, dtype=int), (len(shape), 2))
    return _padded(reader, x, [(int(i), int(j)) for i, j in widths], mode, constant_values, call)


def pad_by_torch(
    reader: Subscripts,
    call: Call,
    x: Value,
    pad: Value,
    mode: Value = "constant",
    value: Value = 0.0,
) -> Value:
    """`F.pad(x, (left, right, top, bottom))`: the last axis first."""
    ends = [reader.whole(v) for v in sequence(reader, pad)]
    shape = reader.tape.shape(x)
    pairs = [(ends[i], ends[i + 1]) for i in range(0, len(ends) - 1, 2)][::-1]
    widths = [(0, 0)] * (len(shape) - len(pairs)) + pairs
    if any(n < 0 for pair in widths for n in pair):
        raise unread("a padding of less than nothing is not read")
    reader.budget.elements(sizes.elements("pad", [np.empty(shape, dtype=np.bool_), ends], {}))
    name = {"replicate": "edge", "circular": "wrap"}.get(mode, mode)
    return _padded(reader, x, widths, name, value, call)


def _padded(
    reader: Subscripts,
    of: Value,
    widths: list[tuple[int, int]],
    mode: Any,
    fill: Value,
    call: Call,
) -> Value:
    if mode in ("edge", "reflect", "symmetric", "wrap"):
        return moved(reader, of, lambda x: np.pad(x, widths, mode), call.where, copy=True)
    if mode != "constant":
        raise unread(f"the padding {mode!r} is not read")
    shape = reader.tape.shape(of)
    lengths = tuple(n + sum(w) for n, w in zip(shape, widths, strict=True))
    reader.budget.elements(int(np.prod([float(n) for n in lengths])))
    number = reader.by_value(fill, "a padding")
    if np.ndim(number):
        raise unread("a padding of several numbers is not read")
    out = Array(data=np.full(lengths, number, dtype=float))
    inside = tuple(slice(w[0], w[0] + n) for n, w in zip(shape, widths, strict=True))
    store(reader.tape, out, inside, of, call.where)
    return out


def _places(reader: Subscripts, index: Value) -> Any:
    return np.asarray(reader.by_value(index, "an index"), dtype=np.intp)


def gather(reader: Subscripts, call: Call, x: Value, axis: Any, index: Value) -> Value:
    """`torch.gather(x, dim, index)`: an index may be shorter than x on the other axes."""
    places = _places(reader, index)
    grid: list[Any] = list(np.indices(places.shape, sparse=True))
    grid[axis] = places
    return moved(reader, x, lambda a: a[tuple(grid)], call.where, copy=True)


def _pair(reader: Subscripts, values: Value, places: Any, kind: str) -> Value:
    """What torch gives back for sorting: values and indices."""
    of = Class(kind, [], {}, fields=("values", "indices"), is_tuple=True)
    return Instance(of, {"values": values, "indices": reader.tape.plain(places)})


def _order(reader: Subscripts, x: Value, axis: Any, what: str, *, falling: bool) -> Any:
    """The places of the elements along an axis, by their size."""
    plain = np.asarray(reader.by_value(x, what))
    return np.argsort(-plain if falling else plain, axis=axis, kind="stable")


def sort(
    reader: Subscripts, call: Call, x: Value, axis: Any = -1, descending: Value = False
) -> Value:
    """`torch.sort(x, dim, descending)`."""
    order = _order(reader, x, axis, "sort()", falling=reader.truth(descending))
    return _pair(reader, in_order(reader, x, order, axis, call.where), order, "sort")


def topk(
    reader: Subscripts, call: Call, x: Value, k: Value, axis: Any = -1, largest: Value = True
) -> Value:
    """`torch.topk(x, k)`."""
    order = _order(reader, x, axis, "topk()", falling=reader.truth(largest))
    order = np.take(order, np.arange(reader.whole(k)), axis=axis)
    return _pair(reader, in_order(reader, x, order, axis, call.where), order, "topk")


def with_places(reader: Subscripts, found: Value, of: Value, meant: Meant) -> Value:
    """What PyTorch gives along an axis: values and their places."""
    axis = reader.whole(meant.keywords["axis"])
    kept = reader.truth(meant.keywords.get("keepdims", False))
    plain, values = (np.asarray(reader.by_value(v, f"{meant.name}()")) for v in (of, found))
    same = plain == (values if kept else np.expand_dims(values, axis))
    return _pair(reader, found, np.argmax(same, axis=axis, keepdims=kept), meant.name)


def unbind(reader: Subscripts, call: Call, x: Value, axis: Any = 0) -> Value:
    """`torch.unbind(x, dim)`."""
    count = reader.tape.shape(x)[axis]
    return tuple(slice_along(reader, x, axis, i, call.where) for i in range(count))


def select(reader: Subscripts, call: Call, x: Value, axis: Any, index: Value) -> Value:
    """`x.select(dim, index)`."""
    return slice_along(reader, x, axis, reader.whole(index), call.where)


def narrow(
    reader: Subscripts, call: Call, x: Value, axis: Any, start: Value, length: Value
) -> Value:
    """`x.narrow(dim, start, length)`."""
    first = reader.whole(start)
    part = slice(first, first + reader.whole(length))
    return slice_along(reader, x, axis, part, call.where)


def rollaxis(reader: Subscripts, call: Call, x: Value, axis: Any, start: Value = 0) -> Value:
    """`np.rollaxis`."""
    to = reader.whole(start)
    return moved(reader, x, lambda a: np.rollaxis(a, axis, to), call.where)


def roll(reader: Subscripts, call: Call, x: Value, shifts: Value, axis: Any = None) -> Value:
    """`torch.roll(x, shifts, dims)`."""
    by = reader.by_value(shifts, "roll()")
    return moved(reader, x, lambda a: np.roll(a, by, axis), call.where, copy=True)


def with_factor(
    reader: Subscripts, call: Call, x: Value, other: Value, alpha: Value = 1.0
) -> Value:
    """`torch.add(x, y, alpha=2)`."""
    sign = ast.Add if call.name == "add" else ast.Sub
    more = reader.binary(ast.Mult, alpha, other, call.where, call.node)
    return reader.binary(sign, x, more, call.where, call.node)


def tile(reader: Subscripts, call: Call) -> Value:
    """`x.tile(2, 2)`."""
    of, *counts = call.arguments
    whole = counts[0] if counts and isinstance(counts[0], tuple | list) else tuple(counts)
    given = [of, whole or call.keywords["axis"]]
    return reader.library(Builtin("numpy", "tile"), given, {}, call.node)
