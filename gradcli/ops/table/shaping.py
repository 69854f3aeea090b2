"""The rows that move elements about, and the makers of arrays.

They compute nothing, so their rules undo the move: `reshape` back, the piece of `delta` that
came from an operand, and for an index the block put back into zeros (`scatter`).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from gradcli.ops.kernels import arrays as k
from gradcli.ops.operation import Array, Misfit, Notation, Shape, Site, Type, times
from gradcli.ops.options import (
    Keywords,
    axis_option,
    behind,
    one_axis,
    shape_option,
    shape_text,
    shown,
    some_axes,
    whole,
    whole_numbers,
)
from gradcli.ops.table.rows import array_row

# --- joining -----------------------------------------------------------------------------


def concat(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    """The type of arrays joined along an axis. Raises `Misfit`."""
    shapes = tuple(t.shape for t in types)
    if options.get("axis", 0) is None:
        options["axis"] = None
        return Type((sum(t.size for t in types),)), {"ranks": tuple(map(len, shapes))}
    if not all(shapes):
        raise Misfit("a number has no axis to join along", "numbers are put together as [a, b]")
    rank = len(shapes[0])
    axis = options["axis"] = one_axis(options.get("axis", 0), rank)
    rest = {s[:axis] + s[axis + 1 :] for s in shapes}
    if len(rest) > 1 or any(len(s) != rank for s in shapes):
        raise Misfit
    joined = (*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :])
    return Type(joined), {"axis": axis - rank, "shapes": shapes}


def concat_kernel(*arrays: Array, **keywords: Any) -> Array:
    """Arrays joined, without an axis as one vector."""
    return (k.concat if "axis" in keywords else k.concat_flat)(*arrays, **keywords)


def concat_rules(site: Site) -> tuple[str, ...]:
    """The pieces of delta."""
    return _pieces(tuple(t.shape for t in site.types), site.options["axis"])


@lru_cache(maxsize=256)
def _pieces(shapes: tuple[Shape, ...], axis: int | None) -> tuple[str, ...]:
    """The part of delta that came from each operand."""
    texts, start = [], 0
    for shape in shapes:
        length = math.prod(shape) if axis is None else shape[axis]
        piece = f"delta[{':, ' * (axis or 0)}{start}:{start + length}]"
        flat = axis is None and len(shape) != 1
        texts.append(_shaped(piece, shape) if flat else piece)
        start += length
    return tuple(texts)


def stack(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    """The type of arrays along a new axis. Raises `Misfit`."""
    shape = types[0].shape
    if any(t.shape != shape for t in types):
        raise Misfit(hint="stack takes arrays of one shape, concat joins along an axis")
    rank = len(shape) + 1
    axis = options["axis"] = one_axis(options.get("axis", 0), rank)
    out = Type((*shape[:axis], len(types), *shape[axis:]))
    return out, {"axis": axis - rank, "shape": shape}


def stack_rules(site: Site) -> tuple[str, ...]:
    """The slices of delta."""
    return _slots(len(site.types), site.options["axis"])


@lru_cache(maxsize=256)
def _slots(count: int, axis: int) -> tuple[str, ...]:
    return tuple(f"delta[{':, ' * axis}{i}]" for i in range(count))


def _array(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    shape, of = options["shape"], types[0].shape
    if any(t.shape != of for t in types):
        odd = next(t for t in types if t.shape != of)
        raise Misfit(f"the elements of an array have one shape, not {types[0]} and {odd}")
    return Type(shape + of), {"shape": shape, "of": of}


@lru_cache(maxsize=256)
def _places(shape: Shape) -> tuple[str, ...]:
    return tuple(f"delta[{', '.join(map(str, place))}]" for place in np.ndindex(shape))


# --- shapes ------------------------------------------------------------------------------


def _shaped(text: str, shape: Shape) -> str:
    """A text for something of one element too many or too few axes, in another shape."""
    return f"reshape({text}, {shape_text(shape)})" if shape else f"sum({text})"


def _reshape(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    (t,) = types
    shape = shape_option(options["shape"], unknown=True)
    known = math.prod(n for n in shape if n != -1)
    free = shape.count(-1)
    fits = known > 0 and t.size % known == 0 if free == 1 else known == t.size
    if free > 1 or not fits:
        many = "only one length can be -1" if free > 1 else None
        raise Misfit(f"{t.size} elements do not fit into {times(shape)}", many, plain=True)
    shape = tuple(t.size // known if n == -1 else n for n in shape)
    options["shape"] = shape
    return Type(shape), {"shape": shape, "rank": len(t.shape)}


def _flatten(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
    return _reshape(types, {"shape": types[0].size})


def _back(site: Site) -> tuple[str, ...]:
    shape = site.types[0].shape
    if len(shape) == 1:
        return ("flatten(delta)" if len(site.out.shape) != 1 else "delta",)
    return (_shaped("delta", shape),)


def _squeeze(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    (t,) = types
    rank = len(t.shape)
    axes = axis_option(options, rank)
    gone = tuple(i for i, n in enumerate(t.shape) if n == 1) if axes is None else axes
    for axis in gone:
        if t.shape[axis] != 1:
            raise Misfit(f"axis {axis} has {t.shape[axis]} elements, not one", plain=True)
    out = Type(tuple(n for i, n in enumerate(t.shape) if i not in gone))
    return out, {"axis": tuple(i - rank for i in gone)}


def _squeeze_rules(site: Site) -> tuple[str, ...]:
    shape, axis = site.types[0].shape, site.options["axis"]
    ones = tuple(i for i, n in enumerate(shape) if n == 1)
    if axis is None and not ones:
        return ("delta",)
    return (f"expand_dims(delta, {shape_text(ones) if axis is None else shown(axis)})",)


def _expand_dims(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    (t,) = types
    given = whole_numbers(options["axis"], "an axis")
    rank = len(t.shape) + len(given)
    if not all(-rank <= axis < rank for axis in given):
        raise Misfit(
            f"the result has {rank} dimensions, no axis {shown(options['axis'])}", plain=True
        )
    new = some_axes(given, rank)
    options["axis"] = new if isinstance(options["axis"], tuple) else new[0]
    own = iter(t.shape)
    out = Type(tuple(1 if i in new else next(own) for i in range(rank)))
    return out, {"axis": tuple(i - rank for i in new)}


def _repeat(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    (t,) = types
    n = options["n"] = whole(options["n"], "n", least=0)
    if options.get("axis") is None:
        options["axis"] = None
        return Type((t.size * n,)), {"n": n, "axis": None, "rank": len(t.shape)}
    rank = len(t.shape)
    axis = options["axis"] = one_axis(options["axis"], rank)
    shape = (*t.shape[:axis], t.shape[axis] * n, *t.shape[axis + 1 :])
    return Type(shape), {"n": n, "axis": axis - rank, "rank": rank}


def _repeat_kernel(x: Array, n: int, axis: int | None, rank: int) -> Array:
    return np.repeat(k.flat(x, rank), n, axis=-1) if axis is None else np.repeat(x, n, axis=axis)


def _repeat_rules(site: Site) -> tuple[str, ...]:
    shape, n, axis = site.types[0].shape, site.options["n"], site.options["axis"]
    if not shape:
        return ("sum(delta)",)
    if axis is None:
        apart, at = (math.prod(shape), n), 1
    else:
        apart, at = (*shape[: axis + 1], n, *shape[axis + 1 :]), axis + 1
    total = f"sum(reshape(delta, {shape_text(apart)}), axis={at})"
    return (_shaped(total, shape) if axis is None and len(shape) > 1 else total,)


# --- makers ------------------------------------------------------------------------------


def _made(_types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    shape = options["shape"] = shape_option(options["shape"])
    return Type(shape), {"shape": shape}


def _full(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    (t,) = types
    shape = options["shape"] = shape_option(options["shape"])
    try:
        fits = np.broadcast_shapes(t.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise Misfit(f"{t} can't be repeated to {times(shape)}")
    return Type(shape), {"shape": shape, "rank": len(t.shape)}


def _eye(_types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    n = options["n"] = whole(options["n"], "n", least=0)
    m = options["m"] = n if options.get("m") is None else whole(options["m"], "m", least=0)
    return Type((n, m)), {"N": n, "M": m}


def _linspace(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    if any(t.shape for t in types):
        raise Misfit(hint="start and stop are numbers")
    num = options["num"] = whole(options.get("num", 50), "num", least=0)
    return Type((num,)), {"num": num}


def _arange(_types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    start, stop, step = options["start"], options.get("stop"), options.get("step", 1)
    if stop is None:
        start, stop = 0, start
    for value in (start, stop, step):
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise Misfit(f"arange takes numbers, not {shown(value)}", plain=True)
    if step == 0:
        raise Misfit("the step of arange can't be 0", plain=True)
    options.update(start=start, stop=stop, step=step)
    count = max(0, math.ceil((stop - start) / step))
    return Type((count,)), {"start": start, "count": count, "step": step}


MOVES: dict[str, Any] = {"exact": True, "group": "shapes and elements"}
MAKER: dict[str, Any] = {"exact": True, "group": "makers of arrays"}

# fmt: off
JOINING = (
    array_row("concat", "*arrays axis:=0", concat_kernel, concat, rules=concat_rules,
              aliases="concatenate cat", sequence=True,
              doc="arrays joined along an axis that they have; axis=None flattens them first",
              numpy="np.concatenate", propagates="arrays", **MOVES),
    array_row("stack", "*arrays axis:=0", k.stack, stack, rules=stack_rules, sequence=True,
              doc="arrays of one shape side by side along a new axis", propagates="arrays",
              **MOVES),
    array_row("array", "*elements shape:", k.array, _array,
              rules=lambda site: _places(site.options["shape"]), call=False,
              latex=r"\begin{bmatrix} {elements} \end{bmatrix}",
              doc="[a, b] and [[a, b], [c, d]]: an array of what stands in the brackets",
              notation=Notation.ARRAY, propagates="elements", **MOVES),
)

SHAPES = (
    array_row("reshape", "x shape:", k.reshape, _reshape, rules=_back,
              doc="the same elements in another shape; one length may be -1",
              numpy="np.reshape({x:flat}, {shape})", traits="view", propagates="x", **MOVES,
              aliases="view"),
    array_row("flatten", "x", k.reshape, _flatten, rules=_back, aliases="ravel",
              latex=r"\operatorname{vec}({x})", doc="all elements as one vector, row by row",
              numpy="np.ravel({x:flat})", traits="view", propagates="x", **MOVES),
    array_row("squeeze", "x axis:=None", np.squeeze, _squeeze, rules=_squeeze_rules, latex=r"{x}",
              doc="without the axes of one element", traits="view", propagates="x", **MOVES),
    array_row("expand_dims", "x axis:", np.expand_dims, _expand_dims, "squeeze(delta, {axis})",
              latex=r"{x}", doc="with new axes of one element", traits="view", propagates="x",
              **MOVES, aliases="unsqueeze"),
    array_row("repeat", "x n: axis:=None", _repeat_kernel, _repeat, rules=_repeat_rules,
              latex=r"\operatorname{repeat}({x}, {n})",
              doc="every element n times; without an axis, of the flattened array", **MOVES,
              aliases="repeat_interleave"),
    array_row("flip", "x axis:=None", np.flip,
              lambda types, o: (Type(types[0].shape), behind(types[0], o)),
              "flip(delta{given_axis})",
              doc="the elements in reverse order, along all axes or the given", traits="view",
              propagates="x", **MOVES),
)

MAKERS = (
    array_row("zeros", "shape:", np.zeros, _made, latex=r"\mathbf{0}", doc="an array of zeros",
              **MAKER),
    array_row("ones", "shape:", np.ones, _made, latex=r"\mathbf{1}", doc="an array of ones",
              **MAKER),
    array_row("full", "shape: value", k.full, _full,
              rules=lambda site: ("delta" if site.types[0].shape else "sum(delta)",),
              latex=r"{value} \, \mathbf{1}", doc="an array of one value", **MAKER),
    array_row("eye", "n: m:=None", np.eye, _eye, latex=r"I", doc="the identity matrix, n×n or n×m",
              **MAKER),
    array_row("linspace", "start stop num:=50", k.linspace, _linspace,
              rules=lambda site: tuple(f"delta @ linspace({ends}, {site.options['num']})"
                                       for ends in ("1, 0", "0, 1")),
              doc="num numbers from start to stop at equal distances, both included",
              numpy="np.linspace({start:flat}, {stop:flat}, {num})", group="makers of arrays"),
    array_row("arange", "start: stop:=None step:=1",
              lambda start, count, step: start + step * np.arange(count, dtype=np.float64), _arange,
              latex=r"\operatorname{arange}({start}, {stop})",
              doc="start, start + step, … below stop; arange(n) is 0, 1, …, n - 1", **MAKER),
)
# fmt: on

ROWS = (*JOINING, *SHAPES, *MAKERS)
