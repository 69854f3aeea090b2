"""The rows that read and replace elements of an array, by their places in it or by an index.

A place counts the elements in row-major order, as `np.ravel` does. Any mask or array of integers of
any shape comes to a list of places once shapes are known, and so do a view and a view of a view: a
store `a[i] = v` is `put(a, v, places)`, a new array. Indices and slices have a shorter way: for
`x[1]` of a vector of 3 the derivative is `scatter(delta, 3, at=1)`, zeros with delta at place 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.ops.kernels import arrays as k
from gradcli.ops.operation import Array, Misfit, Notation, Shape, Site, Type
from gradcli.ops.options import Keywords, shape_option, shape_text, whole, whole_numbers
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
    shape = site.types[0].shape
    return (f"put_add({f'zeros({shape_text(shape)})' if shape else '0'}, delta, at)",)


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
PICKED = (
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


# --- indices -----------------------------------------------------------------------------


def _index(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    shape = types[0].shape
    given = _without_ellipsis(options["items"], len(shape))
    used = sum(item is not None for item in given)
    if used > len(shape):
        dimensions = "is a number" if not shape else f"has {len(shape)} dimension"
        raise Misfit(
            f"too many indices: what is indexed {dimensions}{'s' * (len(shape) > 1)}, "
            f"{used} {'index is' if used == 1 else 'indices are'} given",
            plain=True,
        )
    items: list[Any] = []
    axis = 0
    for item in (*given, *[slice(None)] * (len(shape) - used)):
        if item is None:
            items.append(item)
            continue
        items.append(_index_item(item, axis, shape[axis]))
        axis += 1
    options["items"] = tuple(items)
    if any(isinstance(item, tuple) for item in items):
        return _chosen(shape, options)
    return Type(_indexed(shape, items)), {"items": tuple(items), "rank": len(shape)}


def _chosen(shape: Shape, options: Keywords) -> tuple[Type, Keywords]:
    """Elements by lists of numbers: as in NumPy, several lists go together."""
    every = np.arange(math.prod(shape)).reshape(shape)
    items = tuple(list(i) if isinstance(i, tuple) else i for i in options["items"])
    try:
        places = every[items]
    except IndexError as error:
        raise Misfit(str(error), plain=True) from None
    options.update(at=Places(tuple(places.ravel().tolist())), shape=places.shape)
    at = options["at"].array
    return Type(places.shape), {"at": at, "shape": places.shape, "rank": len(shape)}


def index_kernel(x: Array, rank: int, **keywords: Any) -> Array:
    """Elements of x by its own axes, or by their places."""
    if "at" in keywords:
        return pick_kernel(x, keywords["at"], keywords["shape"], rank)
    return k.index(x, keywords["items"], rank)


def _without_ellipsis(items: tuple[Any, ...], rank: int) -> tuple[Any, ...]:
    """The items with a colon for each axis that `...` stands for."""
    if ... not in [i for i in items if not isinstance(i, tuple)]:
        return items
    place = items.index(...)
    rest = items[place + 1 :]
    if ... in [i for i in rest if not isinstance(i, tuple)]:
        raise Misfit("an index has one '...'", plain=True)
    used = sum(item is not None for item in items) - 1
    return (*items[:place], *[slice(None)] * max(rank - used, 0), *rest)


def _index_item(item: Any, axis: int, length: int) -> Any:
    """An index from the front, or a slice as it is. Raises `Misfit`."""
    if isinstance(item, slice):
        for part in (item.start, item.stop, item.step):
            if part is not None:
                whole(part, "a part of a slice")
        if item.step == 0:
            raise Misfit("the step of a slice can't be 0", plain=True)
        return item
    if isinstance(item, tuple):
        return tuple(_index_item(one, axis, length) for one in item)
    place = whole(item, "an index")
    if not -length <= place < length:
        elements = "1 element" if length == 1 else f"{length} elements"
        raise Misfit(f"index {place} is out of range for axis {axis} with {elements}", plain=True)
    return place % length


def _indexed(shape: Shape, items: list[Any]) -> Shape:
    result, axis = [], 0
    for item in items:
        if item is None:
            result.append(1)
            continue
        if isinstance(item, slice):
            result.append(len(range(*item.indices(shape[axis]))))
        axis += 1
    return tuple(result)


def _index_rules(site: Site) -> tuple[str, ...]:
    """The piece back in its place: `scatter(delta, (3, 4), at=(1, 0))`."""
    if "at" in site.options:
        return pick_rules(site)
    shape, items = site.types[0].shape, site.options["items"]
    new = _new_axes(items)
    text = f"squeeze(delta, {shape_text(new)})" if new else "delta"
    own = [item for item in items if item is not None]
    ranges = [
        range(*item.indices(n)) if isinstance(item, slice) else range(item, item + 1)
        for item, n in zip(own, shape, strict=True)
    ]
    dropped = [i for i, item in enumerate(own) if not isinstance(item, slice)]
    if all(r == range(n) for r, n in zip(ranges, shape, strict=True)):
        return (_with_axes(text, dropped),)
    block = text if len(dropped) == len(own) else _with_axes(text, dropped)
    at = shape_text([r.start for r in ranges])
    steps = [r.step for r in ranges]
    step = f", step={shape_text(steps)}" if any(s != 1 for s in steps) else ""
    return (f"scatter({block}, {shape_text(shape)}, at={at}{step})",)


def _new_axes(items: tuple[Any, ...]) -> list[int]:
    """Where the output has axes that the operand has not."""
    places, axis = [], 0
    for item in items:
        if item is None:
            places.append(axis)
        if item is None or isinstance(item, slice):
            axis += 1
    return places


def _with_axes(text: str, axes: list[int]) -> str:
    if not axes:
        return text
    return f"expand_dims({text}, {shape_text(axes)})"


def _scatter(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    (t,) = types
    shape = shape_option(options["shape"])
    at = whole_numbers(options["at"], "at")
    step = whole_numbers(options.get("step") or (1,) * len(shape), "step")
    block = t.shape or (1,) * len(shape)
    if not len(block) == len(at) == len(step) == len(shape) or 0 in step:
        raise Misfit
    for length, start, n, by in zip(shape, at, block, step, strict=True):
        last = start + (n - 1) * by
        if n and not (0 <= start < length and 0 <= last < length):
            raise Misfit
    options.update(shape=shape, at=at, step=step)
    return Type(shape), {"shape": shape, "at": at, "step": step, "rank": len(t.shape)}


def _scatter_rules(site: Site) -> tuple[str, ...]:
    block, at, step = site.types[0].shape, site.options["at"], site.options["step"]
    places = map(_slice_text, at, block, step) if block else map(str, at)
    return (f"delta[{', '.join(places)}]",)


def _slice_text(start: int, count: int, step: int) -> str:
    if count == 0:
        return "0:0"
    if step == 1:
        return f"{start}:{start + count}"
    end = start + count * step
    return f"{start}:{end if end >= 0 else ''}:{step}"


# fmt: off
INDEXED = (
    array_row("index", "x items:", index_kernel, _index, rules=_index_rules, call=False,
              latex=r"{x}_{{items}}",
              doc="x[i], x[i, j], x[a:b], x[:, None]: elements by place, counted from 0",
              notation=Notation.INDEX, traits="exact selects", group="shapes and elements"),
    array_row(
        "scatter", "x shape: at: step:=None", k.scatter, _scatter, rules=_scatter_rules,
        doc="zeros of a shape with the block x in it, its corner `at` a place, `step` places apart",
        mpmath=None, traits="exact", propagates="x", group="used in derivatives"),
)
# fmt: on

ROWS = (*INDEXED, *PICKED)
