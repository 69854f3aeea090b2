"""Functions that move elements: shapes, transposes, joining, splitting, sorting."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.python import sizes
from gradcli.python.array_makers import ArrayMakers
from gradcli.python.library_calls import Call, taken
from gradcli.python.tape import described
from gradcli.python.values import NOWHERE, Array, Scalar, Value, Where, is_traced, unread


class ArrayShapes(ArrayMakers):
    """Functions that move the elements of arrays."""

    def _is_array(self, value: Value) -> bool:
        return isinstance(value, Array) or (isinstance(value, Scalar) and value.kind == "f")

    def _reshape(self, call: Call) -> Value:
        where, a, k = call.where, call.arguments, call.keywords
        k.pop("newshape", None) if "shape" in k else None
        shape = k.pop("shape", k.pop("newshape", None))
        of, *more = a
        if shape is None:
            shape = more[0] if len(more) == 1 else tuple(more)
        of = self.numeric(of, where)
        lengths = self.shape_of(shape)
        plain = np.asarray(self.tape.value(of))
        try:
            lengths = np.empty(plain.shape, dtype=np.bool_).reshape(lengths).shape
        except ValueError:
            text = f"{plain.size} elements do not fit into the shape {lengths}"
            raise unread(text, kind="shape") from None
        return self.reshaped(of, lengths, where)

    def _ravel(self, call: Call) -> Value:
        where, a = call.where, call.arguments
        of = self.numeric(a[0], where)
        if call.family == "torch" and (len(a) > 1 or call.keywords):
            _, first, last = taken(a, call.keywords, "input", start_dim=0, end_dim=-1)
            shape = self.tape.shape(of)
            start, end = self.whole(first) % len(shape), self.whole(last) % len(shape)
            middle = math.prod(shape[start : end + 1])
            return self.reshaped(of, (*shape[:start], middle, *shape[end + 1 :]), where)
        found = self.reshaped(of, (math.prod(self.tape.shape(of)),), where)
        return self.copied(found, where) if call.name == "flatten" else found

    def _moved(
        self, of: Value, look: Callable[[Any], Any], where: Where, *, copy: bool = False
    ) -> Value:
        """Elements that are only moved, by a function of NumPy."""
        of = self.numeric(of, where)
        if not isinstance(of, Array):
            if is_traced(of):
                of = self.apply("reshape", [of], where._replace(operands=()), {"shape": (1,)})
                first = look
                return self.tape.view(of, lambda a: first(a.reshape(())), "", {}, where)
            return self.tape.plain(look(np.asarray(of)))
        self.budget.elements(math.prod(self.tape.shape(of)))
        found = self.tape.view(of, look, "", {}, where)
        return self.copied(found, where) if copy else found

    def transposed(self, of: Value, axes: Value, where: Where) -> Value:
        """`x.T`, `np.transpose(x, axes)`."""
        of = self.numeric(of, where)
        rank = len(self.tape.shape(of))
        if rank < 2 or not isinstance(of, Array):
            return of
        order = None if axes is None else tuple(self.whole(v) for v in axes)
        if order is None or order == tuple(reversed(range(rank))):
            return self.tape.view(of, np.transpose, "T", {}, where)
        return self._moved(of, lambda a: np.transpose(a, order), where)

    def _transpose(self, call: Call) -> Value:
        where, family, a, k = call.where, call.family, call.arguments, call.keywords
        of, *axes = a
        axes = list(axes) or [k.get("axes", k.get("axis"))]
        if family == "torch" and len(axes) == 2 and not isinstance(axes[0], tuple | list):
            first, second = (self.whole(v) for v in axes)
            return self._moved(of, lambda x: np.swapaxes(x, first, second), where)
        if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
            return self.transposed(of, axes[0], where)
        return self.transposed(of, tuple(axes), where)

    def matrix_transposed(self, of: Value, where: Where) -> Value:
        """`x.mT`: the last two axes of any number of them."""
        of = self.numeric(of, where)
        if len(self.tape.shape(of)) < 3:
            return self.transposed(of, None, where)
        return self._moved(of, lambda a: np.swapaxes(a, -1, -2), where)

    def _matrix_transposed(self, call: Call) -> Value:
        return self.matrix_transposed(call.arguments[0], call.where)

    def _permute(self, call: Call) -> Value:
        where, a, k = call.where, call.arguments, call.keywords
        of, *axes = a
        order = axes[0] if axes and isinstance(axes[0], tuple | list) else tuple(axes)
        return self.transposed(of, order or k.get("axis"), where)

    def _view(self, call: Call) -> Value:
        """Functions that only show elements otherwise, or choose among them."""
        where, a, k = call.where, call.arguments, call.keywords
        name = call.name
        of, *more = a
        options = [self.by_value(v, f"{name}()") for v in more]
        named = {key: self.by_value(v, f"{name}()") for key, v in k.items()}
        named = {{"n": "repeats", "k": "offset"}.get(key, key): v for key, v in named.items()}
        options = [
            v if isinstance(v, np.ndarray | str | None) else self._as_option(v) for v in options
        ]
        named = {key: self._as_option(v) for key, v in named.items()}
        function = getattr(np, name)
        if name in ("tile", "repeat", "broadcast_to"):
            self.budget.elements(self.count_of(name, of, [*options, *named.values()]))
        of = self.numeric(of, where)
        if name == "squeeze" and not options and not named:
            shape = tuple(n for n in self.tape.shape(of) if n != 1)
            return self.reshaped(of, shape, where)
        return self._moved(of, lambda x: function(x, *options, **named), where)

    def count_of(self, name: str, of: Value, options: list[Any]) -> int:
        """How many elements a repetition is going to have."""
        size = math.prod(self.tape.shape(of)) if self._is_array(of) else 1
        if name == "broadcast_to":
            return int(np.prod(np.asarray(options[0], dtype=float)))
        return int(size * np.prod(np.maximum(1, np.abs(np.asarray(options[0], dtype=float)))))

    def _as_option(self, value: Any) -> Any:
        if isinstance(value, tuple | list):
            return tuple(self._as_option(v) for v in value)
        if isinstance(value, float | np.floating) and float(value).is_integer():
            return int(value)
        return value

    def _expand_dims(self, call: Call) -> Value:
        where, a, k = call.where, call.arguments, call.keywords
        of, axis = taken(a, k, "a", "axis")
        of, axes = self.numeric(of, where), self.axes(axis)
        shape = np.expand_dims(np.empty(self.tape.shape(of), dtype=np.bool_), axes).shape
        return self.reshaped(of, shape, where)

    def _atleast(self, call: Call) -> Value:
        where, a = call.where, call.arguments
        of = self.numeric(a[0], where)
        function = getattr(np, call.name)
        return self.reshaped(
            of, function(np.empty(self.tape.shape(of), dtype=np.bool_)).shape, where
        )

    def _joined(self, call: Call) -> Value:
        """`concatenate`, `stack`, `hstack`, `vstack`, `column_stack`."""
        where, a, k = call.where, call.arguments, call.keywords
        name = call.name
        k.pop("dtype", None)
        first, axis = taken(a, k, "arrays", axis=0)
        parts = [self.numeric(v, where) for v in self.sequence(first)]
        if name in ("hstack", "vstack", "column_stack"):
            at_least = np.atleast_1d if name == "hstack" else np.atleast_2d
            for i, part in enumerate(parts):
                shape = at_least(np.empty(self.tape.shape(part), dtype=np.bool_)).shape
                if name == "column_stack" and len(self.tape.shape(part)) < 2:
                    shape = shape[::-1]
                parts[i] = self.reshaped(part, shape, where)
            first_rank = len(self.tape.shape(parts[0])) if parts else 1
            axis = 0 if name == "vstack" or (name == "hstack" and first_rank == 1) else 1
            name = "concatenate"
        row = "stack" if name == "stack" else "concat"
        if not any(map(is_traced, parts)):
            arrays = [self.tape.value(p) for p in parts]
            self.budget.elements(sum(np.size(x) for x in arrays))
            function = np.stack if row == "stack" else np.concatenate
            return self.tape.plain(function(arrays, axis=self.axes(axis)))
        options = {"axis": self.axes(axis)}
        return self.apply(row, parts, where._replace(operands=()), options)

    def joined_along(self, name: str, index: Value, where: Where) -> Value:
        """`np.r_[a, b]`, `np.c_[a, b]`."""
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(p, str) for p in parts):
            raise unread(f"np.{name} is read of numbers, arrays and slices")
        arrays = []
        for part in parts:
            if isinstance(part, slice):
                self.budget.elements(sizes.elements("arange", [part.start or 0, part.stop], {}))
                part = self.tape.plain(np.arange(part.start or 0, part.stop, part.step or 1))  # noqa: PLW2901 - the array that it stands for
            arrays.append(self.numeric(part, where))
        call = Call("concatenate", "numpy", [arrays], {}, where, None)
        if name == "c_":
            return self._joined(call._replace(name="column_stack"))
        lifted = [a if self.tape.shape(a) else self.reshaped(a, (1,), where) for a in arrays]
        return self._joined(call._replace(arguments=[lifted]))

    def sequence(self, value: Value) -> list[Value]:
        """The items of a list, or the rows of an array."""
        if isinstance(value, tuple | list | range):
            return list(value)
        if isinstance(value, Array):
            return [self.element(value, i, NOWHERE) for i in range(self.tape.shape(value)[0])]
        raise unread(f"{described(value)} isn't a list of arrays")

    def _append(self, call: Call) -> Value:
        of, more, axis = taken(call.arguments, call.keywords, "arr", "values", axis=None)
        if axis is None:
            parts = [self.numeric(v, call.where) for v in (of, more)]
            parts = [self.reshaped(p, (math.prod(self.tape.shape(p)),), call.where) for p in parts]
            of, more, axis = *parts, 0
        return self._joined(
            call._replace(name="concatenate", arguments=[[of, more], axis], keywords={})
        )

    def _split(self, call: Call) -> Value:
        """`np.split` and its kin; `torch.split` takes the length of a part."""
        where, family, a, k = call.where, call.family, call.arguments, call.keywords
        name = call.name
        of, parts, axis = taken(a, k, "ary", "parts", axis=1 if name == "hsplit" else 0)
        axis, of = self.whole(axis), self.numeric(of, where)
        parts = self.by_value(parts, "split()")
        length = self.tape.shape(of)[axis]
        if family == "torch" and name == "split" and not isinstance(parts, tuple | list):
            parts = list(range(self.whole(parts), length, self.whole(parts)))
        elif family == "torch" and name == "split":
            parts = list(np.cumsum(parts)[:-1])
        whole = parts if isinstance(parts, tuple | list | np.ndarray) else self.whole(parts)
        split = np.split if name != "array_split" else np.array_split
        found = []
        for piece in split(np.arange(length), whole):
            start, stop = (int(piece[0]), int(piece[-1]) + 1) if len(piece) else (0, 0)
            items = (*[slice(None)] * (axis % len(self.tape.shape(of))), slice(start, stop))
            found.append(self.element(of, items, where))
        return found

    def _sorted(self, call: Call) -> Value:
        """`np.sort`: the elements in an order that their values decide."""
        where, a, k = call.where, call.arguments, call.keywords
        of, axis = taken(a, k, "a", axis=-1)
        of = self.numeric(of, where)
        self.budget.spend(math.prod(self.tape.shape(of)) // 50)
        if not is_traced(of):
            return self.tape.plain(np.sort(self.tape.value(of), axis=self.axes(axis)))
        order = np.argsort(self.by_value(of, "sort()"), axis=self.axes(axis), kind="stable")
        along = self.axes(axis)
        return self._moved(of, lambda x: np.take_along_axis(x, order, axis=along), where, copy=True)
