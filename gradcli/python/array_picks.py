"""Functions that pick elements by places: padding, gathering, sorting with the places."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from gradcli.python import sizes
from gradcli.python.array_shapes import ArrayShapes
from gradcli.python.library_calls import Call, taken
from gradcli.python.stores import store
from gradcli.python.values import Array, Builtin, Class, Instance, Value, unread
from gradcli.syntax.library.meant import Meant


class ArrayPicks(ArrayShapes):
    """Elements of arrays by places that are known."""

    def _pad(self, call: Call) -> Value:
        """`np.pad`, `F.pad`: elements around an array, of a number or of the array's own."""
        where, a, k = call.where, call.arguments, call.keywords
        if call.family == "torch":
            return self._padded_by_torch(call)
        fill = k.pop("constant_values", 0.0)
        of, width, mode = taken(a, k, "array", "pad_width", mode="constant")
        of, width = self.numeric(of, where), self.by_value(width, "a width")
        shape = self.tape.shape(of)
        self.budget.elements(sizes.elements("pad", [np.empty(shape, dtype=np.bool_), width], {}))
        widths = np.broadcast_to(np.asarray(width, dtype=int), (len(shape), 2))
        return self._padded(of, [(int(i), int(j)) for i, j in widths], mode, fill, call)

    def _padded_by_torch(self, call: Call) -> Value:
        """`F.pad(x, (left, right, top, bottom))`: the last axis first."""
        of, width, mode, fill = taken(
            call.arguments, call.keywords, "input", "pad", mode="constant", value=0.0
        )
        of = self.numeric(of, call.where)
        flat = [self.whole(v) for v in self.sequence(width)]
        shape = self.tape.shape(of)
        pairs = [(flat[i], flat[i + 1]) for i in range(0, len(flat) - 1, 2)][::-1]
        widths = [(0, 0)] * (len(shape) - len(pairs)) + pairs
        if any(n < 0 for pair in widths for n in pair):
            raise unread("a padding of less than nothing is not read")
        self.budget.elements(sizes.elements("pad", [np.empty(shape, dtype=np.bool_), flat], {}))
        name = {"replicate": "edge", "circular": "wrap"}.get(mode, mode)
        return self._padded(of, widths, name, fill, call)

    def _padded(
        self, of: Value, widths: list[tuple[int, int]], mode: Any, fill: Value, call: Call
    ) -> Value:
        if mode in ("edge", "reflect", "symmetric", "wrap"):
            return self._moved(of, lambda x: np.pad(x, widths, mode), call.where, copy=True)
        if mode != "constant":
            raise unread(f"the padding {mode!r} is not read")
        shape = self.tape.shape(of)
        lengths = tuple(n + sum(w) for n, w in zip(shape, widths, strict=True))
        self.budget.elements(int(np.prod([float(n) for n in lengths])))
        if np.ndim(self.by_value(fill, "a padding")):
            raise unread("a padding of several numbers is not read")
        out = Array(data=np.full(lengths, self.by_value(fill, "a padding"), dtype=float))
        inside = tuple(slice(w[0], w[0] + n) for n, w in zip(shape, widths, strict=True))
        store(self.tape, out, inside, of, call.where)
        return out

    def _along_axis(self, call: Call) -> Value:
        """`np.take_along_axis`."""
        of, indices, axis = taken(call.arguments, call.keywords, "arr", "indices", axis=-1)
        places = np.asarray(self.by_value(indices, "an index"), dtype=np.intp)
        along = self.axes(axis)
        return self._moved(
            of, lambda x: np.take_along_axis(x, places, axis=along), call.where, copy=True
        )

    def _gather(self, call: Call) -> Value:
        """`torch.gather(x, dim, index)`: an index may be shorter than x on the other axes."""
        of, axis, index = taken(call.arguments, call.keywords, "input", "axis", "index")
        places = np.asarray(self.by_value(index, "an index"), dtype=np.intp)
        along = self.whole(axis)
        grid: list[Any] = list(np.indices(places.shape, sparse=True))
        grid[along] = places
        return self._moved(of, lambda x: x[tuple(grid)], call.where, copy=True)

    def _pair(self, values: Value, places: Any, kind: str) -> Value:
        """What torch gives back for sorting: values and indices."""
        of = Class(kind, [], {}, fields=("values", "indices"), is_tuple=True)
        return Instance(of, {"values": values, "indices": self.tape.plain(places)})

    def _sorted_pair(self, call: Call) -> Value:
        """`torch.sort(x, dim, descending)`."""
        of, axis, down = taken(call.arguments, call.keywords, "input", axis=-1, descending=False)
        of, along = self.numeric(of, call.where), self.whole(axis)
        plain = np.asarray(self.by_value(of, "sort()"))
        order = np.argsort(-plain if self.truth(down) else plain, axis=along, kind="stable")
        values = self._moved(
            of, lambda x: np.take_along_axis(x, order, axis=along), call.where, copy=True
        )
        return self._pair(values, order, "sort")

    def _top(self, call: Call) -> Value:
        """`torch.topk(x, k)`."""
        of, count, axis, largest = taken(
            call.arguments, call.keywords, "input", "k", axis=-1, largest=True
        )
        of, along = self.numeric(of, call.where), self.whole(axis)
        plain = np.asarray(self.by_value(of, "topk()"))
        order = np.argsort(-plain if self.truth(largest) else plain, axis=along, kind="stable")
        order = np.take(order, np.arange(self.whole(count)), axis=along)
        values = self._moved(
            of, lambda x: np.take_along_axis(x, order, axis=along), call.where, copy=True
        )
        return self._pair(values, order, "topk")

    def with_places(self, found: Value, of: Value, meant: Meant) -> Value:
        """What PyTorch gives along an axis: values and their places."""
        axis = self.whole(meant.keywords["axis"])
        kept = self.truth(meant.keywords.get("keepdims", False))
        plain, values = (np.asarray(self.by_value(v, f"{meant.name}()")) for v in (of, found))
        same = plain == (values if kept else np.expand_dims(values, axis))
        return self._pair(found, np.argmax(same, axis=axis, keepdims=kept), meant.name)

    def _unbound(self, call: Call) -> Value:
        """`torch.unbind(x, dim)`."""
        of, axis = taken(call.arguments, call.keywords, "input", axis=0)
        of, along = self.numeric(of, call.where), self.whole(axis)
        count = self.tape.shape(of)[along]
        return tuple(self._slice_along(of, along, i, call) for i in range(count))

    def _selected(self, call: Call) -> Value:
        """`x.select(dim, index)`."""
        of, axis, index = taken(call.arguments, call.keywords, "input", "axis", "index")
        return self._slice_along(of, self.whole(axis), self.whole(index), call)

    def _narrowed(self, call: Call) -> Value:
        """`x.narrow(dim, start, length)`."""
        of, axis, start, length = taken(
            call.arguments, call.keywords, "input", "axis", "start", "length"
        )
        first = self.whole(start)
        part = slice(first, first + self.whole(length))
        return self._slice_along(of, self.whole(axis), part, call)

    def _slice_along(self, of: Value, axis: int, index: Any, call: Call) -> Value:
        items = (*[slice(None)] * (axis % len(self.tape.shape(of))), index)
        return self.element(of, items, call.where)

    def _rolled(self, call: Call) -> Value:
        """`np.rollaxis`."""
        of, axis, start = taken(call.arguments, call.keywords, "a", "axis", start=0)
        first, to = self.whole(axis), self.whole(start)
        return self._moved(of, lambda x: np.rollaxis(x, first, to), call.where)

    def _with_factor(self, call: Call) -> Value:
        """`torch.add(x, y, alpha=2)`."""
        k = call.keywords
        sign = ast.Add if call.name == "add" else ast.Sub
        x, y, factor = taken(call.arguments, k, "input", "other", alpha=1.0)
        more = self.binary(ast.Mult, factor, y, call.where, call.node)
        return self.binary(sign, x, more, call.where, call.node)

    def _rolled_by_torch(self, call: Call) -> Value:
        """`torch.roll(x, shifts, dims)`."""
        of, shifts, axis = taken(call.arguments, call.keywords, "input", "shifts", axis=None)
        by, along = self.by_value(shifts, "roll()"), self.axes(axis)
        return self._moved(of, lambda x: np.roll(x, by, along), call.where, copy=True)

    def _tiled(self, call: Call) -> Value:
        """`x.tile(2, 2)`."""
        of, *counts = call.arguments
        whole = counts[0] if counts and isinstance(counts[0], tuple | list) else tuple(counts)
        return self.library(Builtin("numpy", "tile"), [of, whole or call.keywords["axis"]], {},
                            call.node)  # fmt: skip
