"""What takes elements by their places and puts them there, as NumPy writes it.

No array is changed in place, so that the code says what the graph says: a sum with zeros, a
concatenation or a product with 0 and 1 stands for a store.
"""

from __future__ import annotations

from functools import partialmethod

from gradcli.export.numpy.code import (
    ATOM,
    COMPARISON,
    Code,
    call,
    exact,
    fractional,
    numeric,
    product,
    total,
)
from gradcli.export.numpy.lines import Lines
from gradcli.ops.operation import Options, Shape, Type
from gradcli.ops.options import shape_text


class Placing(Lines):
    """Operations that pick, put and scatter as code: a method of the row's name for each."""

    def _taken_back(self, where: str, x: list[Code], out: Type, options: Options) -> Code:
        """A sum over the elements: 1 where one came from a place, else 0."""
        d, i = (exact(fractional(a)) for a in x)
        axis, rank = options["axis"], len(out.shape)
        n = out.shape[axis]
        name = f"{where}_{n}_{axis}_{rank}_{len(i.shape)}"
        if where == "take_along_back":
            places = f"np.arange({n}).reshape(1, -1{', 1' * (rank - 1)})"
            chosen = f"np.moveaxis(np.rint(i) % {n}, {axis}, 0)[:, None] == {places}"
            moved = f"np.moveaxis(d, {axis}, 0)[:, None]"
            text = f"np.moveaxis(np.sum({moved}*({chosen}), axis=0), 0, {axis})"
        else:
            own = tuple(range(axis, axis + len(i.shape)))
            rest = ", ".join(map(str, (*out.shape[:axis], *out.shape[axis + 1 :])))
            chosen = f"np.arange({n}) == np.rint(np.ravel(i))[:, None] % {n}"
            moved = f"np.moveaxis(d, {own}, {tuple(range(len(own)))})"
            text = (
                f"np.moveaxis(np.tensordot(1.0*({chosen}), "
                f"np.reshape({moved}, (np.size(i), {rest})), (0, 0)), 0, {axis})"
            )
        self.note(name, "d, i", text)
        return call(name, d.text, i.text, type=Type(out.shape))

    _take_back = partialmethod(_taken_back, "take_back")
    _take_along_back = partialmethod(_taken_back, "take_along_back")

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


def _shaped(flat: str, size: int, out: Type) -> Code:
    """A vector of the size as an array of another type."""
    if out.shape == (size,):
        return Code(flat, ATOM, out)
    return call("np.reshape", flat, shape_text(out.shape) if out.shape else "()", type=out)


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
