"""The rows that put the elements of an array into another order or shape, and beside one another.

Most of them are one function of NumPy, applied to the places of the elements: what it makes of the
places says where each element goes, and the derivative takes it back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.ops.kernels import arrays as k
from gradcli.ops.operation import Array, Infer, Misfit, Operation, Shape, Site, Type
from gradcli.ops.options import (
    Keywords,
    one_axis,
    shape_option,
    shape_text,
    shown,
    whole,
    whole_numbers,
    whole_parts,
)
from gradcli.ops.table.indexing import Places, pick_kernel, pick_rules
from gradcli.ops.table.rows import array_row
from gradcli.ops.table.shaping import MOVES, concat, concat_kernel, concat_rules, stack, stack_rules

# --- elements by the places that NumPy gives them ----------------------------------------


def moved(name: str, parameters: str, move: Callable[..., Any], doc: str, **more: Any) -> Operation:
    """A row whose output has elements of x, at places that `move` finds in the array of all places.

    `move` takes that array and the options, whose numbers are whole. Where it raises, they do not
    fit.
    """

    def infer(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
        (t,) = types
        for key, value in options.items():
            options[key] = whole_parts(value, "a length" if key == "shape" else key)
        try:
            places = move(np.arange(t.size).reshape(t.shape), **options)
        except (ValueError, IndexError, TypeError) as error:
            raise Misfit(f"{name} does not fit {t}: {error}", plain=True) from None
        at = Places(tuple(places.ravel().tolist()))
        options.update(at=at, result=places.shape)
        return Type(places.shape), {"at": at.array, "shape": places.shape, "rank": len(t.shape)}

    more = {"rules": pick_rules, **MOVES, **more}
    return array_row(name, parameters, pick_kernel, infer, doc=doc, **more)


def _opposite(site: Site) -> tuple[str, ...]:
    """Rolled back."""
    shift, axis = site.options["shift"], site.options["axis"]
    back = tuple(-s for s in shift) if isinstance(shift, tuple) else -shift
    return (f"roll(delta, {shown(back)}{'' if axis is None else f', axis={shown(axis)}'})",)


def _part(places: Any, n: Any, i: int, axis: int) -> Any:
    """The i-th of the parts that an axis is cut into."""
    return np.split(places, list(n) if isinstance(n, tuple) else n, axis)[i]


def _broadcast(places: Any, shape: Any) -> Any:
    """Repeated to a shape, in which -1 leaves a length as it is (PyTorch)."""
    if -1 not in whole_numbers(shape, "a length"):
        shape = shape_option(shape)
    own = (1,) * (len(np.atleast_1d(shape)) - places.ndim) + places.shape
    wanted = [m if n == -1 else n for n, m in zip(np.atleast_1d(shape), own, strict=True)]
    return np.broadcast_to(places, tuple(map(int, wanted)))


def _flatten_from(places: Any, start: int, end: int) -> Any:
    """Some neighbouring axes as one."""
    rank = places.ndim
    first, last = one_axis(start, rank), one_axis(end, rank)
    return places.reshape(*places.shape[:first], -1, *places.shape[last + 1 :])


# fmt: off
PLACED = (
    moved("roll", "x shift: axis:=None", np.roll, "elements moved on in a circle, along an axis",
          rules=_opposite, propagates="x"),
    moved("tile", "x reps:", np.tile, "the array repeated, along each axis"),
    moved("broadcast_to", "x shape:", _broadcast, "the array repeated to a shape", aliases="expand",
          traits="view"),
    moved("flatten_from", "x start:=0 end:=-1", _flatten_from, "some neighbouring axes as one",
          numpy="np.reshape({x}, {shape})", traits="view"),
    moved("atleast_1d", "x", np.atleast_1d, "a number as a vector, else x", traits="view"),
    moved("atleast_2d", "x", np.atleast_2d, "a vector as a matrix of one row, else x",
          traits="view"),
    moved("rot90", "x k:=1", np.rot90, "a matrix turned by 90 degrees", numpy="np.rot90({x}, {k?})",
          traits="view"),
    moved("fliplr", "x", np.fliplr, "the columns in reverse order", traits="view"),
    moved("flipud", "x", np.flipud, "the rows in reverse order", traits="view"),
    moved("half_of", "x i: axis:=-1", lambda p, i, axis: _part(p, 2, i, axis),
          "the first or second half of an axis", numpy="np.split({x}, 2, {axis})[{i}]",
          traits="view selects"),
    moved("split_part", "x n: i: axis:=0", _part,
          "split(x, n)[i]: a part of the axis, cut in n or at places",
          numpy="np.split({x}, {n}, {axis=})[{i}]", traits="view selects"),
    moved("pad_by_copy", "x width: mode:",
          lambda places, width, mode: np.pad(places, width, mode=mode),
          "x with elements of its own around it: mode 'edge', 'reflect', 'wrap' …",
          numpy="np.pad({x}, {width}, mode={mode})", aliases="pad"),
)
# fmt: on


# --- axes in another order ---------------------------------------------------------------


def _axes_kernel(x: Array, order: tuple[int, ...]) -> Array:
    batch = np.ndim(x) - len(order)
    return np.transpose(x, (*range(batch), *(batch + i for i in order)))


def _ordered(
    name: str, parameters: str, order: Callable[..., Any], doc: str, **more: Any
) -> Operation:
    """A row that puts axes into the order that a function of the rank and the options gives."""

    def infer(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
        (t,) = types
        axes = tuple(order(len(t.shape), **options))
        options["order"] = axes
        return Type(tuple(t.shape[i] for i in axes)), {"order": axes}

    def rules(site: Site) -> tuple[str, ...]:
        return (f"permute(delta, {shown(tuple(map(int, np.argsort(site.options['order']))))})",)

    more |= {"rules": rules, "latex": r"{x}^\top", "traits": "view", "propagates": "x"}
    return array_row(name, parameters, _axes_kernel, infer, doc=doc, **MOVES, **more)


def _permuted(rank: int, axes: Any) -> list[int]:
    order = [one_axis(a, rank) for a in whole_numbers(axes, "an axis")]
    if sorted(order) != list(range(rank)):
        raise Misfit(f"the axes are the numbers from 0 to {rank - 1} in another order", plain=True)
    return order


def _swapped(rank: int, axis1: int, axis2: int) -> list[int]:
    order, first, second = list(range(rank)), one_axis(axis1, rank), one_axis(axis2, rank)
    order[first], order[second] = second, first
    return order


def _carried(rank: int, source: Any, destination: Any) -> list[int]:
    sources = [one_axis(a, rank) for a in whole_numbers(source, "an axis")]
    targets = [one_axis(a, rank) for a in whole_numbers(destination, "an axis")]
    if len(sources) != len(targets):
        raise Misfit("there are as many sources as destinations", plain=True)
    order = [i for i in range(rank) if i not in sources]
    for target, axis in sorted(zip(targets, sources, strict=True)):
        order.insert(target, axis)
    return order


# fmt: off
AXES = (
    _ordered("permute", "x axes:", _permuted, "the axes in another order", aliases="transpose",
             numpy="np.transpose"),
    _ordered("swapaxes", "x axis1: axis2:", _swapped, "two axes swapped"),
    _ordered("moveaxis", "x source: destination:", _carried, "axes moved to other places"),
)
# fmt: on


# --- arrays beside one another -----------------------------------------------------------


def _beside(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    """Vectors end to end, matrices side by side; numbers make a vector."""
    rank = len(types[0].shape)
    if rank == 0 and any(len(t.shape) > 1 for t in types):
        raise Misfit("a number stands beside numbers and vectors only")
    options["axis"] = None if rank == 0 else min(rank - 1, 1)
    return concat(types, options)


def _joining(axis: int) -> Infer:
    """Vectors stand side by side along a new axis, matrices along the one they have."""

    def infer(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
        if not types[0].shape:
            raise Misfit("there is no array among them", "numbers are put together as [a, b]")
        options["axis"] = axis
        return (stack if len(types[0].shape) < 2 else concat)(types, options)

    return infer


def _joined_kernel(*arrays: Array, **keywords: Any) -> Array:
    return (
        k.stack(*arrays, **keywords) if "shape" in keywords else concat_kernel(*arrays, **keywords)
    )


def _joined_rules(site: Site) -> tuple[str, ...]:
    stacked = len(site.out.shape) > len(site.types[0].shape) and site.options["axis"] is not None
    return stack_rules(site) if stacked else concat_rules(site)


JOINED_ROWS: Keywords = {"rules": _joined_rules, "sequence": True, "propagates": "arrays", **MOVES}

# fmt: off
JOINED = (
    array_row("hstack", "*arrays", _joined_kernel, _beside,
              doc="vectors end to end, matrices side by side", **JOINED_ROWS),
    array_row("vstack", "*arrays", _joined_kernel, _joining(0),
              doc="vectors as rows, matrices one on another", **JOINED_ROWS),
    array_row("column_stack", "*arrays", _joined_kernel, _joining(1),
              doc="vectors as columns, matrices side by side", **JOINED_ROWS),
)
# fmt: on


# --- a border of numbers, and differences ------------------------------------------------

Widths = tuple[tuple[int, int], ...]


def _widths(given: Any, rank: int) -> Widths:
    """NumPy's widths: a number, a pair for all axes, or a pair for each."""
    pairs = given if isinstance(given, tuple) else (given,)
    if not any(isinstance(p, tuple) for p in pairs):
        pairs = (pairs,) * rank
    elif len(pairs) == 1:
        pairs *= rank
    if len(pairs) != rank:
        raise Misfit(f"there is a pair of widths for each of {rank} axes", plain=True)
    both = (p if isinstance(p, tuple) else (p,) for p in pairs)  # one number is for both sides
    return tuple((whole(p[0], "a width", 0), whole(p[-1], "a width", 0)) for p in both)


def _pad(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    (t,) = types
    widths = options["width"] = _widths(options["width"], len(t.shape))
    return _with_border(t, widths, options)


def _pad_last(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    """PyTorch's widths: two numbers for the last axis, then two for the one before it."""
    (t,) = types
    flat = whole_numbers(options["width"], "a width")
    pairs = [(flat[i], flat[i + 1]) for i in range(0, len(flat) - 1, 2)][::-1]
    missing = len(t.shape) - len(pairs)
    if len(flat) % 2 or missing < 0:
        raise Misfit("there are two widths for the last axis, two for the one before …", plain=True)
    return _with_border(t, ((0, 0),) * missing + tuple(pairs), options)


def _with_border(t: Type, widths: Widths, options: Keywords) -> tuple[Type, Keywords]:
    options["widths"] = widths
    if not t.shape:
        raise Misfit("a number has no border", plain=True)
    shape = tuple(n + a + b for n, (a, b) in zip(t.shape, widths, strict=True))
    value = options.get("value", 0)
    if not isinstance(value, int | float):
        raise Misfit(f"the value is a number, not {shown(value)}", plain=True)
    return Type(shape), {"widths": widths, "value": value}


def _pad_kernel(x: Array, widths: Widths, value: float) -> Array:
    batch = ((0, 0),) * (np.ndim(x) - len(widths))
    return np.pad(x, (*batch, *widths), constant_values=value)


def _pad_rules(site: Site) -> tuple[str, ...]:
    pairs = zip(site.types[0].shape, site.options["widths"], strict=True)
    return (f"delta[{', '.join(f'{a}:{a + n}' for n, (a, _) in pairs)}]",)


def _diff(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    (t,) = types
    n, rank = whole(options["n"], "n", least=0), len(t.shape)
    axis = one_axis(options["axis"], rank)
    options.update(n=n, axis=axis)
    shape: Shape = (*t.shape[:axis], max(t.shape[axis] - n, 0), *t.shape[axis + 1 :])
    return Type(shape), {"n": n, "axis": axis - rank}


def _diff_rules(site: Site) -> tuple[str, ...]:
    """Differences of delta with zeros around it, the sign changed each time."""
    n, axis, rank = site.options["n"], site.options["axis"], len(site.types[0].shape)
    if not site.out.size:
        return (f"zeros({shape_text(site.types[0].shape)})",)
    widths = tuple((n, n) if i == axis else (0, 0) for i in range(rank))
    return (f"{'-' * (n % 2)}diff(pad(delta, {shown(widths)}), {n}, {axis})",)


# fmt: off
BORDERS = (
    array_row("pad", "x width: value:=0", _pad_kernel, _pad, rules=_pad_rules, propagates="x",
              doc="x with a border of a number, its widths for each axis before and behind",
              **MOVES),
    array_row("pad_last", "x width: value:=0", _pad_kernel, _pad_last, rules=_pad_rules,
              doc="pad with the widths of the last axis first, as PyTorch's F.pad", propagates="x",
              **MOVES),
    array_row("diff", "x n:=1 axis:=-1", np.diff, _diff, rules=_diff_rules, composite=True,
              doc="differences of neighbours along an axis, n times",
              numpy="np.diff({x}, {n}, {axis})", group="along an axis"),
)
# fmt: on

ROWS = (*PLACED, *AXES, *JOINED, *BORDERS)
