"""The rows that read and replace single elements of an array, by their places in it.

A place counts the elements in row-major order, as `np.ravel` does. Any index, slice, mask or
array of integers of any shape comes to a list of places once shapes are known, and so do a view
and a view of a view: a store `a[i] = v` is `put(a, v, places)`, a new array.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.ops.kernels import arrays as k
from gradcli.ops.operation import Array, Misfit, Shape, Site, Type
from gradcli.ops.options import Keywords, shape_option, shape_text, whole_numbers
from gradcli.ops.table.rows import array_row


class Places(tuple[int, ...]):  # noqa: SLOT001 - it has attributes
    """Places of elements, made an array and hashed once."""

    def __init__(self, places: tuple[int, ...]) -> None:
        self.array = np.array(places, dtype=np.intp)
        self.unique = len(set(places)) == len(places)
        self._hash = hash(self.array.tobytes())

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Places):
            return np.array_equal(self.array, other.array)
        return tuple.__eq__(self, other) is True


def _places(types: tuple[Type, ...], options: Keywords) -> Places:
    """The option `at`, normalised. Raises `Misfit` for a place outside of the first operand."""
    given = options["at"]
    if not isinstance(given, Places):
        given = Places(whole_numbers(given, "a place"))
    size = types[0].size
    if len(given) and not (given.array.min() >= 0 and given.array.max() < size):
        raise Misfit(f"a place is from 0 to {size - 1}: there are {size} elements", plain=True)
    options["at"] = given
    return given


def _pick(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    at = _places(types, options)
    shape = (len(at),) if options.get("shape") is None else shape_option(options["shape"])
    if math.prod(shape) != len(at):
        raise Misfit(f"{len(at)} elements do not fit into that shape", plain=True)
    options["shape"] = shape
    return Type(shape), {"at": at.array, "shape": shape, "rank": len(types[0].shape)}


def pick_kernel(x: Array, at: Any, shape: Shape, rank: int) -> Array:
    """Elements of x by their places, in a shape."""
    found = k.flat(x, rank)[..., at]
    return found.reshape(found.shape[:-1] + shape)


def pick_rules(site: Site) -> tuple[str, ...]:
    """Elements of delta added up at the places that they came from."""
    return (f"put_add({_zeros(site.types[0].shape)}, delta, at)",)


def _zeros(shape: Shape) -> str:
    return f"zeros({shape_text(shape)})" if shape else "0"


def _put(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    at = _places(types, options)
    x, v = types
    if v.size not in (1, len(at)):
        raise Misfit(f"{v.size} elements do not fit into {len(at)} places", plain=True)
    ranks = len(x.shape), len(v.shape)
    return Type(x.shape), {"at": at.array, "unique": at.unique, "ranks": ranks}


def _put_once(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    out, keywords = _put(types, options)
    if not keywords.pop("unique"):
        raise Misfit(
            "a place is given twice", "put_add adds up what comes to one place", plain=True
        )
    return out, keywords


def _copied(x: Array, v: Array, ranks: tuple[int, int]) -> tuple[Array, Array, Shape]:
    """x as a flat copy with the batch axes of both, v flat, and the shape of the result."""
    x = np.asarray(x)
    own = x.shape[x.ndim - ranks[0] :]
    flat, values = k.flat(x, ranks[0]), k.flat(v, ranks[1])
    batch = np.broadcast_shapes(flat.shape[:-1], values.shape[:-1])
    return np.array(np.broadcast_to(flat, batch + flat.shape[-1:])), values, batch + own


def _put_kernel(x: Array, v: Array, at: Any, ranks: tuple[int, int]) -> Array:
    if np.ndim(x) == ranks[0] and np.ndim(v) == ranks[1]:
        copy = np.array(x, order="K")  # as NumPy keeps the layout of what it stores into
        copy.flat[at] = np.ravel(v)
        return copy
    result, values, shape = _copied(x, v, ranks)
    result[..., at] = values
    return result.reshape(shape)


def _put_add_kernel(x: Array, v: Array, at: Any, unique: bool, ranks: tuple[int, int]) -> Array:  # noqa: FBT001
    result, values, shape = _copied(x, v, ranks)
    if unique:
        result[..., at] += values
    else:
        np.add.at(result, (..., at), values)  # type: ignore[arg-type]
    return result.reshape(shape)


def _back_to_value(site: Site) -> str:
    """What the elements that were put in get: those of delta at their places."""
    v = site.types[1]
    if not v.shape:
        return "sum(pick(delta, at))"
    if v.size == 1 and len(site.options["at"]) != 1:
        return f"reshape(sum(pick(delta, at)), {shape_text(v.shape)})"
    return f"pick(delta, at, {shape_text(v.shape)})"


# fmt: off
ROWS = (
    array_row("pick", "x at: shape:=None", pick_kernel, _pick, rules=pick_rules,
              latex=r"\operatorname{pick}({x})",
              doc="elements of x by their places, counted row by row, in a shape", exact=True,
              group="used in derivatives"),
    array_row("put", "x v at:", _put_kernel, _put_once,
              rules=lambda site: ("put(delta, 0, at)", _back_to_value(site)),
              latex=r"\operatorname{put}({x}, {v})",
              doc="x with the elements at some places replaced by those of v", propagates="v",
              exact=True, group="used in derivatives"),
    array_row("put_add", "x v at:", _put_add_kernel, _put,
              rules=lambda site: ("delta", _back_to_value(site)),
              latex=r"\operatorname{put\_add}({x}, {v})",
              doc="x with the elements of v added at some places, also several at one",
              propagates="x v", group="used in derivatives"),
)
# fmt: on
