"""Functions that put elements elsewhere by known places: padding, gathering.

A call comes in, a new array comes out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.python import sizes
from gradcli.python.array_shapes import moved
from gradcli.python.calls import Call
from gradcli.python.stores import store
from gradcli.python.subscripts import Subscripts
from gradcli.python.values import Array, Class, Instance, Value, unread
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
    if any(n < 0 for pair in widths for n in pair):
        raise unread("a padding of less than nothing is not read")
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


def with_places(reader: Subscripts, found: Value, of: Value, meant: Meant) -> Value:
    """What PyTorch gives along an axis: values and their places."""
    axis = reader.whole(meant.keywords["axis"])
    kept = reader.truth(meant.keywords.get("keepdims", False))
    plain, values = (np.asarray(reader.by_value(v, f"{meant.name}()")) for v in (of, found))
    same = plain == (values if kept else np.expand_dims(values, axis))
    return _pair(reader, found, np.argmax(same, axis=axis, keepdims=kept), meant.name)
