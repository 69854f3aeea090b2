"""Elements, slices, masks: reading and storing them, with NumPy's views and copies; and loops.

A value with an index comes in and an element comes out; or what a loop goes through comes in, and
its items come out: of an array, a list, or a stream, which is gone through once and lazily. `zip`,
`enumerate`, `map`, `itertools` and generators give a stream, so an element that is stored into
before its turn is seen as it is then, and an endless one costs what is taken of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcli.python.operators import Operators
from gradcli.python.stores import store
from gradcli.python.tape import described
from gradcli.python.values import (
    Array,
    Filled,
    Instance,
    Partial,
    Scalar,
    Scope,
    Stream,
    Unread,
    Value,
    Where,
    is_traced,
    unread,
)

NO_LOOP = "a loop goes through a list, a range or an array, not a number"


class Subscripts(Operators):
    """`x[i]`, `x[i] = v`, and the items of whatever a loop goes through."""

    def item(self, value: Value) -> Any:
        """One index, as NumPy takes it."""
        self.known(value)
        if value is None or value is Ellipsis or isinstance(value, slice):
            return value
        if isinstance(value, tuple | list | range):
            return self._index_array(np.array(self.by_value(list(value), "an index")))
        found = self.by_value(value, "an index")
        if isinstance(found, np.ndarray):
            return self._index_array(found)
        if isinstance(found, bool | np.bool_):
            return bool(found)
        return self.whole(found)

    def _index_array(self, found: Any) -> Any:
        if found.dtype.kind == "f":
            if not found.size:
                return found.astype(np.intp)
            if not np.array_equal(found, np.floor(found)):
                raise unread("an index is a whole number")
            return found.astype(np.intp)
        if found.dtype.kind not in "iub":
            raise unread("an index is a whole number or a truth value")
        return found

    def items(self, value: Value) -> tuple[Any, ...]:
        """All indices between the brackets."""
        return tuple(map(self.item, value)) if isinstance(value, tuple) else (self.item(value),)

    def element(self, of: Value, index: Value, where: Where) -> Value:
        """`of[index]`."""
        self.known(of)
        self.known(index)
        if isinstance(of, Array):
            return self._of_array(of, self.items(index), where)
        if isinstance(of, Scalar | np.generic):
            items = self.items(index)
            if all(i is None or i is Ellipsis for i in items):
                return self.reshaped(of, np.asarray(self.tape.value(of))[items].shape, where)
            raise unread("a number has no elements", kind="shape")
        if isinstance(of, dict):
            key = self.key(index)
            if key not in of:
                if isinstance(of, Filled):
                    self.budget.spend()
                    of[key] = self.call(of.fill, [], {}, None)
                    return of[key]
                raise unread(f"the dictionary has no {_brief_key(key)}", raised="KeyError")
            return of[key]
        if isinstance(of, str | tuple | list | range):
            if isinstance(index, slice):
                self.budget.spend(len(of) // (100 if isinstance(of, str) else 10))
                return of[index]
            place = self.whole(index)
            if not -len(of) <= place < len(of):
                text = f"index {place} is out of range: there are {len(of)} elements"
                raise unread(text, raised="IndexError")
            return of[place]
        if isinstance(of, Partial):  # x.at[i] of jax
            return Partial(of.function, (*of.arguments, index), {})
        if isinstance(of, Instance):
            if of.of.is_tuple:
                return self.element(tuple(of.names[f] for f in of.of.fields), index, where)
            found = self.call_method(of, "__getitem__", [index], None)
            if found is not NotImplemented:
                return found
        raise unread(f"{described(of)} has no elements", raised="TypeError")

    def reshaped(self, of: Value, shape: tuple[int, ...], where: Where) -> Value:
        """A number or array in another shape."""
        if isinstance(of, Array):
            return self.tape.view(
                of, lambda a: a.reshape(shape), "reshape", {"shape": shape}, where
            )
        if not shape:
            return of
        if not is_traced(of):
            return self.tape.plain(np.asarray(of).reshape(shape))
        return self.apply("reshape", [of], where, {"shape": shape}, kind=self.kind(of))

    def _of_array(self, of: Array, items: tuple[Any, ...], where: Where) -> Value:
        shape = self.tape.shape(of)
        row = _row_items(items, len(shape))

        def look(a: Any) -> Any:
            return a[items]

        if row is None:
            self.budget.elements(_chosen(items, shape))
            return self.tape.view(of, look, "", {}, where)
        return self.tape.view(of, look, "index", {"items": row}, where)

    def store(self, of: Value, index: Value, value: Value, where: Where) -> None:
        """`of[index] = value`."""
        self.known(of)
        self.known(index)
        if isinstance(of, Array):
            self.known(value)
            store(self.tape, of, self.items(index), self.numeric(value, where), where)
        elif isinstance(of, dict):
            self.budget.spend()
            of[self.key(index)] = value
        elif isinstance(of, list):
            if isinstance(index, slice):
                of[index] = self.listed(value, where)
                self.budget.spend(len(of) // 50)
                return
            place = self.whole(index)
            if not -len(of) <= place < len(of):
                text = f"index {place} is out of range: the list has {len(of)} elements"
                raise unread(text, raised="IndexError")
            of[place] = value
        elif isinstance(of, Instance):
            if self.call_method(of, "__setitem__", [index, value], None) is NotImplemented:
                raise unread("the object can't be stored into", raised="TypeError")
        else:
            raise unread(f"{described(of)} can't be stored into", raised="TypeError")

    def slice_of(self, parts: list[Value]) -> slice:
        """A slice of whole numbers."""
        return slice(*(None if p is None else self.whole(p, "a part of a slice") for p in parts))

    # --- what a loop goes through ---

    def iterated(self, value: Value, where: Where) -> Iterator[Value]:
        """The items of something that a loop goes through, each at the cost of one operation."""
        self.known(value)
        if isinstance(value, Stream):
            for item in value.items:
                self.budget.spend()
                yield item
            return
        if isinstance(value, Scalar | np.generic | int | float):
            raise unread(NO_LOOP, raised="TypeError")
        if isinstance(value, Array):
            shape = self.tape.shape(value)
            if not shape:
                raise unread(NO_LOOP, raised="TypeError")
            for i in range(shape[0]):
                self.budget.spend()
                yield self.element(value, i, where)
            return
        if isinstance(value, Instance):
            yield from self._of_object(value, where)
            return
        if not isinstance(value, str | tuple | list | dict | set | range):
            raise unread(f"a loop can't go through {described(value)}", raised="TypeError")
        for item in list(value) if isinstance(value, dict | set) else value:
            self.budget.spend()
            yield item

    def _of_object(self, value: Instance, where: Where) -> Iterator[Value]:
        """The items of an object: of a named tuple, or by `__iter__` and `__next__`."""
        if value.of.is_tuple:
            yield from (value.names[name] for name in value.of.fields)
            return
        given = self.call_method(value, "__iter__", [], None)
        if given is NotImplemented:
            raise unread("a loop can't go through an object without __iter__", raised="TypeError")
        if not isinstance(given, Instance):
            yield from self.iterated(given, where)
            return
        while True:
            self.budget.spend()
            try:
                item = self.call_method(given, "__next__", [], None)
            except Unread as stop:
                if stop.unknown.raised != "StopIteration":
                    raise
                return
            if item is NotImplemented:
                raise unread("an iterator has a method __next__", raised="TypeError")
            yield item

    def listed(self, value: Value, where: Where) -> list[Value]:
        """All items at once."""
        if isinstance(value, range | list | tuple | str):
            self.budget.spend(len(value))
            return list(value)
        return list(self.iterated(value, where))

    def in_scope(self, items: Iterator[Value], scope: Scope) -> Iterator[Value]:
        """The items of a generator, each computed among the names of its own scope."""
        given, calls, turns = self.given, self.calls, list(self.turns)
        while True:
            outside = self.scope, self.given, self.calls, self.turns
            self.scope, self.given, self.calls, self.turns = scope, given, calls, turns
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                turns = self.turns
                self.scope, self.given, self.calls, self.turns = outside
            yield item


def _brief_key(key: Any) -> str:
    text = repr(key)
    return text if len(text) < 40 else f"{text[:37]}…"


def _chosen(items: tuple[Any, ...], shape: tuple[int, ...]) -> int:
    """How many elements of an array indices choose, if they are within it; at least so many."""
    masks = [i.ndim - 1 for i in items if isinstance(i, np.ndarray) and i.dtype.kind == "b"]
    used = sum(i is not None and i is not Ellipsis for i in items) + sum(masks)
    whole = list(shape)
    arrays: list[tuple[int, ...]] = []
    axis = 0
    for i in items:
        if i is Ellipsis:
            axis += len(shape) - used
        elif isinstance(i, np.ndarray):
            is_mask = i.dtype.kind == "b"
            arrays.append((int(np.count_nonzero(i)),) if is_mask else i.shape)
            axes = i.ndim if is_mask else 1
            whole[axis : axis + axes] = [1] * axes
            axis += axes
        elif i is not None:
            axis += 1
    return math.prod(whole) * math.prod(np.broadcast_shapes(*arrays))


def _row_items(items: tuple[Any, ...], rank: int) -> tuple[Any, ...] | None:
    """The indices as the row `index` has them: whole numbers, slices, None; else None."""
    if not all(i is None or i is Ellipsis or isinstance(i, int | slice) for i in items):
        return None
    if any(isinstance(i, bool) for i in items):
        return None
    used = sum(i is not None and i is not Ellipsis for i in items)
    if sum(i is Ellipsis for i in items) > 1 or used > rank:
        return None
    found: list[Any] = []
    for i in items:
        if i is Ellipsis:
            found += [slice(None)] * (rank - used)
        else:
            found.append(i)
    return tuple(found)
