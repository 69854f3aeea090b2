"""Functions that move elements: shapes, transposes, joining, splitting.

A call comes in; an array that looks at the one it is made of comes out, or a copy, as in NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.python import sizes
from gradcli.python.array_makers import copied
from gradcli.python.calls import Call
from gradcli.python.subscripts import Subscripts
from gradcli.python.tape import described
from gradcli.python.values import NOWHERE, Array, Scalar, Value, Where, is_traced, unread

Look = Callable[[Any], Any]
"""A function of NumPy that only moves elements."""


def _like(reader: Subscripts, of: Value) -> Any:
    """An array of a value's shape, to see what shape a function of NumPy makes of it."""
    return np.empty(reader.tape.shape(of), dtype=np.bool_)


def flat(reader: Subscripts, of: Value, where: Where) -> Value:
    """All elements in one row."""
    return reader.reshaped(of, (math.prod(reader.tape.shape(of)),), where)


def reshape(reader: Subscripts, call: Call) -> Value:
    """`np.reshape(x, shape)`, `x.reshape(2, 3)`."""
    of, *more = call.arguments
    shape = call.keywords.get("shape", call.keywords.get("newshape"))
    if shape is None:
        shape = more[0] if len(more) == 1 else tuple(more)
    of, lengths = reader.numeric(of, call.where), reader.shape_of(shape)
    try:
        lengths = _like(reader, of).reshape(lengths).shape
    except ValueError:
        count = math.prod(reader.tape.shape(of))
        text = f"{count} elements do not fit into the shape {lengths}"
        raise unread(text, kind="shape") from None
    return reader.reshaped(of, lengths, call.where)


def ravel(reader: Subscripts, call: Call, x: Value) -> Value:
    """`np.ravel`, `x.flatten()`: the second is a copy."""
    found = flat(reader, x, call.where)
    return copied(reader, found) if call.name == "flatten" else found


def moved(reader: Subscripts, of: Value, look: Look, where: Where, *, copy: bool = False) -> Value:
    """Elements that are only moved, by a function of NumPy."""
    of = reader.numeric(of, where)
    if not isinstance(of, Array):
        if is_traced(of):
            of = reader.apply("reshape", [of], where._replace(operands=()), {"shape": (1,)})
            return reader.tape.view(of, lambda a: look(a.reshape(())), "", {}, where)
        return reader.tape.plain(look(np.asarray(of)))
    reader.budget.elements(math.prod(reader.tape.shape(of)))
    found = reader.tape.view(of, look, "", {}, where)
    return copied(reader, found) if copy else found


def transposed(reader: Subscripts, of: Value, axes: Value, where: Where) -> Value:
    """`x.T`, `np.transpose(x, axes)`."""
    of = reader.numeric(of, where)
    rank = len(reader.tape.shape(of))
    if rank < 2 or not isinstance(of, Array):
        return of
    order = None if axes is None else tuple(reader.whole(v) for v in axes)
    if order is None or order == tuple(reversed(range(rank))):
        return reader.tape.view(of, np.transpose, "T", {}, where)
    return moved(reader, of, lambda a: np.transpose(a, order), where)


def transpose(reader: Subscripts, call: Call) -> Value:
    """`np.transpose(x, axes)`, `x.permute(1, 0)`; `torch.transpose(x, 0, 1)` swaps two axes."""
    (of, *axes), k = call.arguments, call.keywords
    given = axes[0] if axes else k.get("axes", k.get("axis"))
    if len(axes) > 1 or isinstance(given, int):
        given = tuple(axes)
    if call.family == "torch" and call.name == "transpose" and len(axes) == 2:
        first, second = (reader.whole(v) for v in axes)
        return moved(reader, of, lambda x: np.swapaxes(x, first, second), call.where)
    return transposed(reader, of, given, call.where)


def matrix_transposed(reader: Subscripts, of: Value, where: Where) -> Value:
    """`x.mT`: the last two axes of any number of them."""
    of = reader.numeric(of, where)
    if len(reader.tape.shape(of)) < 3:
        return transposed(reader, of, None, where)
    return moved(reader, of, lambda a: np.swapaxes(a, -1, -2), where)


def view(reader: Subscripts, call: Call) -> Value:
    """Functions that only show elements otherwise, or choose among them."""
    name, (of, *more) = call.name, call.arguments
    options = [_option(reader.by_value(v, f"{name}()")) for v in more]
    named = {
        {"n": "repeats", "k": "offset", "shifts": "shift"}.get(key, key): _option(
            reader.by_value(v, f"{name}()")
        )
        for key, v in call.keywords.items()
    }
    if name in ("tile", "repeat", "broadcast_to", "take"):
        reader.budget.elements(_count_of(reader, name, of, [*options, *named.values()]))
    of = reader.numeric(of, call.where)
    if name == "squeeze" and not options and not named:
        shape = tuple(n for n in reader.tape.shape(of) if n != 1)
        return reader.reshaped(of, shape, call.where)
    function = getattr(np, name)
    return moved(reader, of, lambda x: function(x, *options, **named), call.where)


def _count_of(reader: Subscripts, name: str, of: Value, options: list[Any]) -> int:
    """How many elements a repetition is going to have."""
    is_array = isinstance(of, Array) or (isinstance(of, Scalar) and of.kind == "f")
    size = math.prod(reader.tape.shape(of)) if is_array else 1
    if name == "take":
        along = reader.tape.shape(of)[options[1]] if len(options) > 1 else size
        return np.size(options[0]) * size // max(1, along)
    counts = np.asarray(options[0], dtype=float)
    if name == "broadcast_to":
        return int(np.prod(counts))
    return int(size * np.prod(np.maximum(1, np.abs(counts))))


def _option(value: Any) -> Any:
    """A number without a fraction as a whole one."""
    if isinstance(value, tuple | list):
        return tuple(map(_option, value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return int(value)
    return value


def expand_dims(reader: Subscripts, call: Call, x: Value, axis: Any) -> Value:
    """`np.expand_dims`."""
    return reader.reshaped(x, np.expand_dims(_like(reader, x), axis).shape, call.where)


def at_least(reader: Subscripts, call: Call, x: Value) -> Value:
    """`np.atleast_2d`."""
    return reader.reshaped(x, getattr(np, call.name)(_like(reader, x)).shape, call.where)


# --- joined and split ---


def sequence(reader: Subscripts, value: Value) -> list[Value]:
    """The items of a list, or the rows of an array."""
    if isinstance(value, tuple | list | range):
        return list(value)
    if isinstance(value, Array):
        return [reader.element(value, i, NOWHERE) for i in range(reader.tape.shape(value)[0])]
    raise unread(f"{described(value)} isn't a list of arrays")


def joined(reader: Subscripts, call: Call, arrays: Value, axis: Any = 0) -> Value:
    """`concatenate`, `stack`, `hstack`, `vstack`, `column_stack`."""
    name = call.name
    parts = [reader.numeric(v, call.where) for v in sequence(reader, arrays)]
    if name in ("hstack", "vstack", "column_stack"):
        lift = np.atleast_1d if name == "hstack" else np.atleast_2d
        for i, part in enumerate(parts):
            shape = lift(_like(reader, part)).shape
            if name == "column_stack" and len(reader.tape.shape(part)) < 2:
                shape = shape[::-1]
            parts[i] = reader.reshaped(part, shape, call.where)
        first_rank = len(reader.tape.shape(parts[0])) if parts else 1
        axis = 0 if name == "vstack" or (name == "hstack" and first_rank == 1) else 1
    row = "stack" if name == "stack" else "concat"
    if any(map(is_traced, parts)):
        return reader.apply(row, parts, call.bare, {"axis": axis})
    plain = [reader.tape.value(p) for p in parts]
    reader.budget.elements(sum(np.size(x) for x in plain))
    function = np.stack if row == "stack" else np.concatenate
    return reader.tape.plain(function(plain, axis=axis))


def joined_along(reader: Subscripts, name: str, index: Value, where: Where) -> Value:
    """`np.r_[a, b]`, `np.c_[a, b]`."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(p, str) for p in parts):
        raise unread(f"np.{name} is read of numbers, arrays and slices")
    arrays = []
    for part in parts:
        if isinstance(part, slice):
            reader.budget.elements(sizes.elements("arange", [part.start or 0, part.stop], {}))
            part = reader.tape.plain(np.arange(part.start or 0, part.stop, part.step or 1))  # noqa: PLW2901 - the array that it stands for
        arrays.append(reader.numeric(part, where))
    if name == "c_":
        return joined(reader, Call("column_stack", "numpy", [], {}, where, None), arrays)
    lifted = [a if reader.tape.shape(a) else reader.reshaped(a, (1,), where) for a in arrays]
    return joined(reader, Call("concatenate", "numpy", [], {}, where, None), lifted)


def slice_along(reader: Subscripts, x: Value, axis: int, index: Any, where: Where) -> Value:
    """The elements at an index, or of a slice, of one axis."""
    items = (*[slice(None)] * (axis % len(reader.tape.shape(x))), index)
    return reader.element(x, items, where)


def split(reader: Subscripts, call: Call, x: Value, parts: Value, axis: Any = None) -> Value:
    """`np.split` and its kin; `torch.split` takes the length of a part."""
    axis = axis if axis is not None else int(call.name == "hsplit")
    parts = reader.by_value(parts, "split()")
    length = reader.tape.shape(x)[axis]
    if call.family == "torch" and call.name == "split":
        one = not isinstance(parts, tuple | list)
        parts = (
            range(reader.whole(parts), length, reader.whole(parts))
            if one
            else np.cumsum(parts)[:-1]
        )
    if isinstance(parts, tuple | list | range | np.ndarray):
        parts = list(parts)
    else:
        parts = reader.whole(parts)
    function = np.split if call.name != "array_split" else np.array_split
    found = []
    for piece in function(np.arange(length), parts):
        start, stop = (int(piece[0]), int(piece[-1]) + 1) if len(piece) else (0, 0)
        found.append(slice_along(reader, x, axis, slice(start, stop), call.where))
    return found
