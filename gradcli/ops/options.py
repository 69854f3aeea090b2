"""How options are read, and how they are written into rules.

Options come in as the user wrote them (axes may count from the end, a shape may have a -1). Their
normalised form goes out, or `Misfit` where they make no sense; and texts of them as literals of a
rule, so that a rule reads like a line of NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradcli.ops.operation import Misfit, Options, Shape, Site, Type, times

Keywords = dict[str, Any]


# --- reading options ---------------------------------------------------------------------


def whole(value: Any, what: str, least: int | None = None) -> int:
    """A whole number, `what` being its name in the message. Raises `Misfit`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int):
        raise Misfit(f"{what} must be a whole number, not {shown(value)}", plain=True)
    if least is not None and value < least:
        raise Misfit(f"{what} must be at least {least}, not {value}", plain=True)
    return int(value)


def whole_numbers(value: Any, what: str) -> tuple[int, ...]:
    """One whole number or several, always as a tuple. Raises `Misfit`."""
    many = value if isinstance(value, tuple) else (value,)
    return tuple(whole(v, what) for v in many)


def whole_parts(value: Any, what: str) -> Any:
    """A whole number, or a tuple of such and of tuples; None and words stay. Raises `Misfit`."""
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, tuple):
        return whole(value, what)
    return tuple(whole_numbers(v, what) if isinstance(v, tuple) else whole(v, what) for v in value)


def shape_option(value: Any, *, unknown: bool = False) -> Shape:
    """A shape; with `unknown`, one -1 may stand in it. Raises `Misfit`."""
    shape = whole_numbers(value, "a length in a shape")
    for n in shape:
        if n < 0 and not (unknown and n == -1):
            raise Misfit(f"a length in a shape can't be negative: {n}", plain=True)
    return shape


def one_axis(value: Any, rank: int) -> int:
    """An axis, counted from the front. Raises `Misfit`."""
    axis = whole(value, "an axis")
    if not -rank <= axis < rank:
        dimensions = "is a number" if rank == 0 else f"has {rank} dimension{'s' * (rank > 1)}"
        raise Misfit(f"axis {axis} is out of range: the operand {dimensions}", plain=True)
    return axis % rank


def some_axes(value: Any, rank: int) -> tuple[int, ...]:
    """One axis or several, counted from the front and in order. Raises `Misfit`."""
    axes = [one_axis(v, rank) for v in whole_numbers(value, "an axis")]
    if len(set(axes)) < len(axes):
        raise Misfit("an axis is named twice", plain=True)
    return tuple(sorted(axes))


def axis_option(options: Keywords, rank: int) -> tuple[int, ...] | None:
    """The option `axis` as a tuple, None where it is not given; normalised in place."""
    given = options.get("axis")
    axes = None if given is None else some_axes(given, rank)
    options["axis"] = axes if axes is None or isinstance(given, tuple) else axes[0]
    return axes


def reduction(t: Type, options: Keywords) -> tuple[Shape, Keywords]:
    """The shape that is left by `axis` and `keepdims`, and both as a kernel wants them."""
    rank = len(t.shape)
    keep = options["keepdims"] = bool(options.get("keepdims"))
    axes = axis_option(options, rank)
    gone = tuple(range(rank)) if axes is None else axes
    if keep:
        shape = tuple(1 if i in gone else n for i, n in enumerate(t.shape))
    else:
        shape = tuple(n for i, n in enumerate(t.shape) if i not in gone)
    return shape, {"axis": tuple(i - rank for i in gone), "keepdims": keep}


def behind(t: Type, options: Keywords) -> Keywords:
    """The axes that are given, or all, as a kernel wants them; normalised in place."""
    rank = len(t.shape)
    axes = axis_option(options, rank)
    return {"axis": tuple(i - rank for i in (range(rank) if axes is None else axes))}


def reduced_count(t: Type, options: Options) -> int:
    """How many elements a normalised `axis` takes together."""
    axis = options["axis"]
    axes = range(len(t.shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return math.prod(t.shape[i] for i in axes)


def line_axis(t: Type, options: Keywords, what: str) -> int:
    """The one axis along which a row works; a vector's needs no mention. Raises `Misfit`."""
    rank = len(t.shape)
    if rank == 0:
        raise Misfit(f"{what} needs a vector, not a number", plain=True)
    given = options.get("axis")
    if given is None and rank > 1:
        raise Misfit(
            f"{what} of {times(t.shape)} needs its axis",
            "axis=0 goes down the columns, axis=1 along the rows",
            plain=True,
        )
    axis = one_axis(0 if given is None else given, rank)
    options["axis"] = None if given is None else axis
    return axis


# --- writing options ---------------------------------------------------------------------


def shown(value: Any) -> str:
    """An option as a literal of the language: `0`, `(1, 2)`, `None`, `True`."""
    if isinstance(value, tuple):
        return f"({', '.join(map(shown, value))}{',' * (len(value) == 1)})"
    if isinstance(value, str):
        return f"'{value}'"
    return f"{value:.17g}" if isinstance(value, float) else str(value)


def shape_text(shape: Sequence[int]) -> str:
    """A shape as an argument: `6`, `(2, 3)`."""
    return str(shape[0]) if len(shape) == 1 else shown(tuple(shape))


def axis_argument(options: Options, more: str = "") -> str:
    """`, axis=0` where an axis is given, followed by `more`; nothing for None."""
    axis = options["axis"]
    return "" if axis is None else f", axis={shown(axis)}{more}"


def expanded(site: Site, name: str) -> str:
    """A reduction's output in a shape that broadcasts against its operand."""
    if site.options["axis"] is None or site.options["keepdims"]:
        return name
    return f"expand_dims({name}, {shown(site.options['axis'])})"


def transposed(t: Type, name: str) -> str:
    """A matrix transposed; of a row, `.T` would be the vector."""
    return f"matrix_transpose({name})" if t.row else f"{name}.T"


def along(site: Site) -> str:
    """The arguments that repeat a reduction so that it broadcasts against its operand."""
    return axis_argument(site.options, ", keepdims=True")


# --- types -------------------------------------------------------------------------------


def matrix(t: Type, *, square: bool = False) -> Shape:
    """The shape of an operand that has to be a matrix. Raises `Misfit`."""
    if len(t.shape) != 2:
        raise Misfit(f"it needs a matrix, not {t}")
    if square and t.shape[0] != t.shape[1]:
        raise Misfit(f"it needs a square matrix, not {times(t.shape)}")
    return t.shape


def square(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
    """Square matrices of one size, and one more of it. Raises `Misfit`."""
    for t in types:
        matrix(t, square=True)
    if len({t.shape for t in types}) > 1:
        raise Misfit
    return Type(types[0].shape), {}
