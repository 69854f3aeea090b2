"""Every operation of the table as NumPy writes it.

An operation is applied to pieces of code of known types; out comes the code of its value. Its row
has NumPy's spelling; where shapes decide what is written, `Calls` has a method of the row's name.
What NumPy and SciPy lack is noted as a helper. There is a short method per operation: the module is
as long as their list.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partialmethod
from typing import Any, TypeAlias

import numpy as np

from gradcli.export.numpy.code import (
    ATOM,
    COMPARISON,
    POWER,
    Code,
    as_type,
    call,
    exact,
    fractional,
    number,
    numeric,
    numpy_shape,
    product,
    shape_text,
    total,
)
from gradcli.export.numpy.code import array as code_array
from gradcli.export.numpy.elementwise import Elementwise
from gradcli.ops import numpy_helpers as helpers
from gradcli.ops.operation import Operation, Shape, Type
from gradcli.ops.options import shown
from gradcli.ops.table.products import product_case

Options: TypeAlias = Mapping[str, Any]


class Calls(Elementwise, ABC):
    """Operations as code. `helpers` and `imports` are what the code needs besides NumPy."""

    def apply(
        self,
        operation: Operation,
        operands: list[Code],
        out: Type,
        options: Options,
        *,
        wide: bool = False,
    ) -> Code:
        """The operation on operands; `wide` puts spaces around the sign of a product."""
        if operation.body is not None:
            types = tuple(x.type for x in operands)
            return call(self.block(operation, types), *(x.text for x in operands), type=out)
        if operation.elementwise:
            lined_up = self._lined_up(operands, out)
            return self.elementwise(operation, lined_up, out, options, wide=wide)
        write: Callable[..., Code] | None = getattr(self, f"_{operation.name}", None)
        if write is None:
            return as_type(self.spelled(operation, operands, out, options), out)
        return as_type(write(operands, out, options), out)

    @abstractmethod
    def block(self, operation: Operation, types: tuple[Type, ...]) -> str:
        """The name of the function for a block of the program."""

    def _lined_up(self, operands: list[Code], out: Type) -> list[Code]:
        """Operands with the axes that make NumPy broadcast them to the output's shape."""
        shapes = [x.shape for x in operands]
        if operands and np.broadcast_shapes(*shapes) != numpy_shape(out):
            return [exact(x) for x in operands]
        return operands

    # --- products ------------------------------------------------------------------------

    def _matmul(self, x: list[Code], out: Type, _options: Options) -> Code:
        a, b = map(numeric, x)
        case = product_case(a.type, b.type)
        if case == "stack":
            a, b = exact(a), exact(b)
        elif case == "vr" or (case == "mm" and b.type.row):
            if a.type.row:
                return product(a, b, out)
            return call("np.outer", a.text, b.text, type=Type(out.shape))
        return product(a, b, out, "@")

    def _dot(self, x: list[Code], out: Type, options: Options) -> Code:
        a, b = map(numeric, x)
        if a.type.shape and b.type.shape:
            return self._matmul(x, out, options)
        return product(exact(a), exact(b), Type(out.shape))

    # --- one matrix ----------------------------------------------------------------------

    def _T(self, x: list[Code], out: Type, _options: Options) -> Code:
        (a,) = map(numeric, x)
        if len(a.shape) < 2:
            return a._replace(type=out)
        return Code(f"{a.at(ATOM)}.T", ATOM, out, view=True)

    def _matrix_transpose(self, x: list[Code], out: Type, options: Options) -> Code:
        a = exact(x[0])
        if len(a.shape) == 2:
            return self._T([a], out, options)
        return call("np.swapaxes", a.text, "-1", "-2", type=out, view=True)

    def _col(self, x: list[Code], out: Type, _options: Options) -> Code:
        return Code(f"{numeric(x[0]).at(ATOM)}[:, None]", ATOM, out, view=True)

    def _row(self, x: list[Code], out: Type, _options: Options) -> Code:
        return numeric(x[0])._replace(type=out)

    def _place_diagonal(self, x: list[Code], out: Type, options: Options) -> Code:
        k, (m, n) = options["k"], options["shape"]
        side = x[0].shape[0] + abs(k)
        found = call("np.diag", fractional(x[0]).text, str(k) if k else "", type=Type((side, side)))
        text = found.text
        if m < side or n < side:
            text = f"{text}[:{min(m, side)}, :{min(n, side)}]"
        if m > side or n > side:
            text = f"np.pad({text}, ((0, {max(m - side, 0)}), (0, {max(n - side, 0)})))"
        return Code(text, ATOM, out)

    # --- reductions ----------------------------------------------------------------------

    def _norm(self, x: list[Code], out: Type, options: Options) -> Code:
        a, p = fractional(x[0]), options["p"]
        whole = options["axis"] is None and not options["keepdims"]
        a = a if whole else exact(a)
        size = f"np.abs({a.text})"
        if p == 1:
            return call("np.sum", size, *_axes(options), type=out)
        if p == np.inf:
            return call("np.max", size, *_axes(options), "initial=0.0", type=out)
        axis = options["axis"]
        gone = range(len(a.shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        if not a.shape:
            return call("np.abs", a.text, type=out)
        if len(gone) > 2 and not whole:
            return call(
                "np.sqrt", f"np.sum({a.at(ATOM)}**2, {', '.join(_axes(options))})", type=out
            )
        return call("np.linalg.norm", a.text, *_axes(options), type=out)

    def _squared_norm(self, x: list[Code], out: Type, _options: Options) -> Code:
        (a,) = map(fractional, x)
        if not a.shape:
            return Code(f"{a.at(ATOM)}**2", POWER, out)
        return call("np.sum", f"{a.at(ATOM)}**2", type=out)

    def _with_axis(self, name: str, axis: Any, rank: int) -> str:
        """A helper with an axis in its text; its name."""
        everything = axis is None or rank <= 1
        suffix = "" if everything else "_axis" + "_".join(map(str, np.atleast_1d(axis)))
        keep = "" if everything else f", axis={shown(axis)}, keepdims=True"
        if name == "log_softmax":
            self._with_axis("log_of_sum", axis, rank)
        parameters, text = helpers.OPTIONS[name]
        self.note(name + suffix, parameters, text.format(axis=keep, suffix=suffix))
        return name + suffix

    def _normalised(self, name: str, x: list[Code], out: Type, options: Options) -> Code:
        helper = self._with_axis(name, options["axis"], len(out.shape))
        return call(helper, *(exact(fractional(a)).text for a in x), type=out)

    _softmax = partialmethod(_normalised, "softmax")
    _softmax_slope = partialmethod(_normalised, "softmax_slope")
    _log_softmax = partialmethod(_normalised, "log_softmax")

    def _logsumexp(self, x: list[Code], out: Type, options: Options) -> Code:
        a, axis, keep = exact(fractional(x[0])), options["axis"], options["keepdims"]
        rank = len(a.shape)
        if not rank:
            return a._replace(type=out)
        rest = self._with_axis("log_of_sum", axis, rank)
        kept = "" if axis is None or rank == 1 else f", axis={shown(axis)}, keepdims=True"
        name = rest.replace("log_of_sum", "logsumexp") + ("_kept" if keep else "")
        text = f"np.max(x{kept}) + {rest}(x, np.max(x{kept}))"
        if kept and not keep:
            text = f"np.squeeze({text}, axis={shown(axis)})"
        elif keep and not kept:
            text = f"np.reshape({text}, {shape_text(out.shape)})"
        self.note(name, "x", text)
        return call(name, a.text, type=out)

    # --- along an axis -------------------------------------------------------------------

    def _shift(self, x: list[Code], out: Type, options: Options) -> Code:
        a, k, fill = exact(fractional(x[0])), options["k"], float(options["fill"])
        axis = options["axis"] or 0
        n = out.shape[axis]
        if not k:
            return a
        free = (*out.shape[:axis], min(abs(k), n), *out.shape[axis + 1 :])
        blank = f"np.full({shape_text(free)}, {fill!r})"
        if abs(k) >= n:
            return Code(blank, ATOM, Type(out.shape))
        taken = f":{n - k}" if k > 0 else f"{-k}:"
        rest = f"{a.at(ATOM)}[{':, ' * axis}{taken}]"
        parts = f"({blank}, {rest})" if k > 0 else f"({rest}, {blank})"
        return call("np.concatenate", parts, f"axis={axis}" if axis else "", type=Type(out.shape))

    def _lines(self, name: str, x: list[Code], out: Type, options: Options) -> Code:
        """A helper that works along the last axis, along another one or several."""
        arrays = [exact(fractional(a)) for a in x]
        rank, axis = len(out.shape), options["axis"]
        axes = tuple(range(rank)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        if rank == 0:
            axes = ()
        last = tuple(range(-len(axes), 0))
        rest = tuple(n for i, n in enumerate(out.shape) if i not in axes)
        joined = (*rest, math.prod(out.shape[i] for i in axes))
        split = (*rest, *(out.shape[i] for i in axes))
        moved = axes != tuple(range(rank - len(axes), rank))
        texts = []
        for a in arrays:
            text = a.text
            if moved:
                text = f"np.moveaxis({text}, {axes}, {last})"
            if joined != split:
                text = f"np.reshape({text}, {shape_text(joined)})"
            texts.append(text)
        text = f"{name}({', '.join(texts)})"
        if joined != split:
            text = f"np.reshape({text}, {shape_text(split)})"
        if moved:
            text = f"np.moveaxis({text}, {last}, {axes})"
        return Code(text, ATOM, Type(out.shape))

    def _recurring(self, name: str, x: list[Code], out: Type, options: Options) -> Code:
        return self._lines(self.needed(name), x, out, {"axis": options["axis"] or 0})

    _recurrence = partialmethod(_recurring, "recurrence")
    _recurrence_back = partialmethod(_recurring, "recurrence_back")

    def _prod_others(self, x: list[Code], out: Type, options: Options) -> Code:
        count = len(x) - 1
        if not count:
            return self._lines(self.needed("products_of_others"), x, out, options)
        name = f"products_of_others_along_{count}"
        self.note(name, *_mixed_products(count))
        return self._lines(name, x, out, options)

    # --- shapes --------------------------------------------------------------------------

    def _array(self, x: list[Code], out: Type, options: Options) -> Code:
        level = [exact(fractional(a)).text for a in x]
        for n in reversed(options["shape"]):
            starts = range(0, len(level), n) if n else [0]
            level = [f"[{', '.join(level[i : i + n])}]" for i in starts]
        return call("np.array", level[0], type=out)

    def _index(self, x: list[Code], out: Type, options: Options) -> Code:
        items = [list(i) if isinstance(i, tuple) else i for i in options["items"]]
        while len(items) > 1 and items[-1] == slice(None):
            items.pop()
        text = ", ".join(map(_item, items)) or "..."
        return Code(f"{exact(numeric(x[0])).at(ATOM)}[{text}]", ATOM, out, view=True)

    def _given(self, _x: list[Code], out: Type, options: Options) -> Code:
        """A value that depends on shapes alone."""
        return code_array(np.array(options["value"]))._replace(type=out)

    _shape = _size = _ndim = _given

    def _einsum(self, x: list[Code], out: Type, options: Options) -> Code:
        spec = ",".join(options["terms"]) + f"->{options['to']}"
        return call("np.einsum", f"'{spec}'", *(exact(fractional(a)).text for a in x), type=out)

    _tensordot = _einsum

    def _pad(self, x: list[Code], out: Type, options: Options) -> Code:
        value = options["value"]
        filled = f"constant_values={float(value)!r}" if value else ""
        widths = shown(options["widths"])
        return call("np.pad", exact(fractional(x[0])).text, widths, filled, type=Type(out.shape))

    _pad_last = _pad

    def _targets(self, x: list[Code], out: Type, _options: Options) -> Code:
        t, z = (exact(a) for a in x)
        if t.shape == z.shape:
            return t
        return call(
            "1.0*np.equal",
            f"np.expand_dims({t.text}, -1)",
            f"np.arange({out.shape[-1]})",
            type=Type(out.shape),
        )

    def _quantile_weights(self, x: list[Code], out: Type, options: Options) -> Code:
        axis = options["axis"]
        axes = range(len(out.shape)) if axis is None else np.atleast_1d(axis)
        place = (math.prod(out.shape[i] for i in axes) - 1) * options["q"]
        low, part = int(place), place - int(place)
        name = f"quantile_weights_{low}_{f'{part:g}'.replace('.', '_')}"
        ends = ((low, 1 - part), (low + 1, part)) if part else ((low, 1.0),)
        text = " + ".join(
            f"{weight!r}*(x == s[..., {i}:{i + 1}])"
            f"/np.sum(x == s[..., {i}:{i + 1}], axis=-1, keepdims=True)"
            for i, weight in ends
        )
        self.note(f"{name}_of", "x, s", text)
        self.note(name, "x", f"{name}_of(x, np.sort(x, axis=-1))")
        return self._lines(name, x, out, options)

    def _taken_back(self, where: str, x: list[Code], out: Type, options: Options) -> Code:
        """A sum over the elements: 1 where one came from a place, else 0."""
        d, i = (exact(fractional(a)) for a in x)
        axis, rank = options["axis"], len(out.shape)
        n = out.shape[axis]
        name = f"{where}_{n}_{axis}_{rank}_{len(i.shape)}"
        if where == "take_along_back":
            places = f"np.arange({n}).reshape(1, -1{', 1' * (rank - 1)})"
            chosen = f"np.moveaxis(i % {n}, {axis}, 0)[:, None] == {places}"
            moved = f"np.moveaxis(d, {axis}, 0)[:, None]"
            text = f"np.moveaxis(np.sum({moved}*({chosen}), axis=0), 0, {axis})"
        else:
            own = tuple(range(axis, axis + len(i.shape)))
            rest = ", ".join(map(str, (*out.shape[:axis], *out.shape[axis + 1 :])))
            text = (
                f"np.moveaxis(np.tensordot(1.0*(np.arange({n}) == np.ravel(i)[:, None] % {n}), "
                f"np.reshape(np.moveaxis(d, {own}, {tuple(range(len(own)))}), "
                f"(np.size(i), {rest})), "
                f"(0, 0)), 0, {axis})"
            )
        self.note(name, "d, i", text)
        return call(name, d.text, i.text, type=Type(out.shape))

    _take_back = partialmethod(_taken_back, "take_back")
    _take_along_back = partialmethod(_taken_back, "take_along_back")

    def _expm_slope(self, x: list[Code], out: Type, _options: Options) -> Code:
        """A block of the exponential of a larger matrix."""
        n = out.shape[0]
        A, *others = (exact(fractional(a)).text for a in x)
        for k, E in enumerate(others):
            copies = f"np.kron(np.eye({2**k}), {E})" if k else E
            A = f"np.block([[{A}, {copies}], [np.zeros(({n * 2**k}, {n * 2**k})), {A}]])"
        self.imports["expm"] = "scipy.linalg"
        text = f"expm({A})[:{n}, -{n}:]"
        return Code(text, ATOM, Type(out.shape))

    def _eigenvectors(self, x: list[Code], out: Type, _options: Options) -> Code:
        return call(self.needed("eigenvectors"), exact(fractional(x[0])).text, type=Type(out.shape))

    def _pick(self, x: list[Code], out: Type, options: Options) -> Code:
        flat = f"np.ravel({exact(fractional(x[0])).text})[{list(options['at'])}]"
        return _shaped(flat, len(options["at"]), out)

    def _put(self, x: list[Code], out: Type, options: Options) -> Code:
        """What was there, with the new values appended, and a choice of all elements."""
        a, v = (exact(fractional(code)).text for code in x)
        chosen = list(range(out.size))
        for i, place in enumerate(options["at"]):
            chosen[place] = out.size + min(i, x[1].type.size - 1)
        both = f"np.concatenate((np.ravel({a}), np.ravel({v})))[{chosen}]"
        return _shaped(both, out.size, out)

    def _put_add(self, x: list[Code], out: Type, options: Options) -> Code:
        a, v = fractional(x[0]), exact(fractional(x[1])).text
        at, n = list(options["at"]), out.size
        if x[1].type.size != len(at) or not at:
            v = f"np.broadcast_to(np.ravel({v}), {len(at)})"
        added = f"np.bincount({at}, np.ravel({v}), {n})"
        return total(a, _shaped(added, n, out), out)

    def _scatter(self, x: list[Code], out: Type, options: Options) -> Code:
        """Zeros beside the block by concatenation; where it has gaps, by a product with 0 and 1."""
        a = exact(numeric(x[0]))
        at, step, shape = options["at"], options["step"], out.shape
        if not a.shape:
            if len(shape) == 1:
                place = Code(f"np.arange({shape[0]}) == {at[0]}", COMPARISON, out, truth=True)
                return product(a, place, out)
            a = call("np.reshape", a.text, shape_text((1,) * len(shape)), type=Type((1,) * len(at)))
        for axis, n in enumerate(shape):
            a = _embedded(a, axis, n, at[axis], step[axis])
        return a

    # --- makers --------------------------------------------------------------------------

    def _eye(self, _x: list[Code], out: Type, _options: Options) -> Code:
        n, m = out.shape
        return call("np.eye", str(n), str(m) if m != n else "", type=out)

    def _arange(self, _x: list[Code], out: Type, options: Options) -> Code:
        found = call("np.arange", f"{float(out.shape[0])!r}", type=out)
        if options["step"] != 1:
            found = product(number(options["step"], shown(options["step"])), found, out)
        start = options["start"]
        return total(number(start, shown(start)), found, out) if start else found


def _shaped(flat: str, size: int, out: Type) -> Code:
    """A vector of the size as an array of another type."""
    if out.shape == (size,):
        return Code(flat, ATOM, out)
    return call("np.reshape", flat, shape_text(out.shape) if out.shape else "()", type=out)


def _axes(options: Options) -> list[str]:
    """`axis` and `keepdims` as arguments, where they are given."""
    axis = [] if options["axis"] is None else [f"axis={shown(options['axis'])}"]
    return [*axis, *(["keepdims=True"] if options["keepdims"] else [])]


def _item(item: Any) -> str:
    """An item of an index."""
    if isinstance(item, slice):
        start, stop, step = (
            "" if part is None else str(part) for part in (item.start, item.stop, item.step)
        )
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return str(item)


def _mixed_products(count: int) -> tuple[str, str]:
    """Parameters and text for the products of all but several, along as many directions."""
    directions = [f"d{i + 1}" for i in range(count)]
    axes = count + 1
    marks = " + ".join(
        f"np.eye(x.shape[-1])[{', '.join(':' if j == i else 'None' for j in range(axes))}, :]"
        for i in range(axes)
    )
    lifted = "x[..., " + "None, " * axes + ":]"
    text = f"np.all({marks} <= 1, axis=-1)*np.prod(np.where({marks} > 0, 1.0, {lifted}), axis=-1)"
    for i in range(count, 0, -1):
        text = f"np.sum({text}*{directions[i - 1]}[..., {'None, ' * i}:], axis=-1)"
    return ", ".join(["x", *directions]), text


def _embedded(block: Code, axis: int, n: int, at: int, step: int) -> Code:
    """A block within zeros along one axis: from a place on, at equal distances."""
    shape: Shape = block.shape
    count, rank = shape[axis], len(shape)
    out = Type((*shape[:axis], n, *shape[axis + 1 :]))
    if count == n and step == 1:
        return block
    if step == 1 or count == 1:
        before, after = (
            f"np.zeros({shape_text((*shape[:axis], k, *shape[axis + 1 :]))})" if k else ""
            for k in (at, n - at - count)
        )
        parts = ", ".join(part for part in (before, block.text, after) if part)
        return call("np.concatenate", f"({parts})", f"axis={axis}" if axis else "", type=out)
    sign, size = ("-", -step) if step < 0 else ("+", step)
    places = (
        f"{at} {sign} {size}*np.arange({count})" if at or step < 0 else f"{size}*np.arange({count})"
    )
    chosen = f"1.0*(np.arange({n})[:, None] == {places})"
    if axis == 0 and rank <= 2:
        return Code(f"({chosen}) @ {block.at(ATOM)}", 2, out, symbol="@")
    if axis == 1 and rank == 2:
        return Code(f"{block.at(ATOM)} @ ({chosen}).T", 2, out, symbol="@")
    text = f"np.moveaxis(np.tensordot({chosen}, {block.text}, (1, {axis})), 0, {axis})"
    return Code(text, ATOM, out)
