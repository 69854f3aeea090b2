"""What a loop goes through: arrays, lists, and streams, which are gone through once and lazily.

A stream is a Python iterator over values. `zip`, `enumerate`, `map`, `itertools` and generators
give one, so an element that is stored into before its turn is seen as it is then, and an endless
one costs what is taken of it.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcli.python.calls import Arguments, Keywords
from gradcli.python.methods import Methods
from gradcli.python.tape import described
from gradcli.python.values import (
    Array,
    Instance,
    Scalar,
    Scope,
    Stream,
    Unread,
    Value,
    Where,
    unread,
)

NO_LOOP = "a loop goes through a list, a range or an array, not a number"


class Streams(Methods):
    """Going through values, and the functions that make streams."""

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

    # --- Python's own ---

    def _py_enumerate(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        start = self.whole(k.get("start", a[1] if len(a) > 1 else 0))
        return Stream(enumerate(self.iterated(a[0], where), start))

    def _py_zip(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        strict = self.truth(k.get("strict", False))
        return Stream(zip(*(self.iterated(v, where) for v in a), strict=strict))

    def _py_map(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        function, *lists = a
        together = zip(*(self.iterated(v, where) for v in lists), strict=False)
        return Stream(self.call(function, list(v), {}, node) for v in together)

    def _py_filter(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        kept = self._predicate(a[0], node)
        return Stream(filter(kept, self.iterated(a[1], where)))

    def _predicate(self, function: Value, node: Any) -> Callable[[Value], bool]:
        if function is None:
            return self.truth
        return lambda v: self.truth(self.call(function, [v], {}, node))

    def _py_reversed(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        of = a[0]
        if isinstance(of, range):
            return of[::-1]
        if isinstance(of, Array):
            last = self.tape.shape(of)[0] - 1
            return Stream(self.element(of, i, where) for i in range(last, -1, -1))
        if isinstance(of, Stream):
            raise unread("a generator can't be reversed", raised="TypeError")
        return Stream(reversed(self.listed(of, where)))

    def _py_iter(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        if len(a) == 2:
            return Stream(self._until(a[0], a[1], where, node))
        return a[0] if isinstance(a[0], Stream) else Stream(self.iterated(a[0], where))

    def _until(self, function: Value, last: Value, where: Where, node: Any) -> Iterator[Value]:
        """What a function gives, call by call, until it gives a certain value."""
        while True:
            self.budget.spend()
            item = self.call(function, [], {}, node)
            if self.truth(self.compared(ast.Eq(), item, last, where, node)):
                return
            yield item

    def _py_next(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        if isinstance(a[0], Instance):
            return self.call_method(a[0], "__next__", [], node)
        if not isinstance(a[0], Stream):
            raise unread(f"next() takes an iterator, not {described(a[0])}", raised="TypeError")
        for item in a[0].items:
            self.budget.spend()
            return item
        if len(a) > 1:
            return a[1]
        raise unread("the generator has no more items", raised="StopIteration")

    # --- itertools ---

    def itertools(self, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
        """A function of `itertools`. Raises `Unread`."""
        where = self.where(node)
        simple = {
            "chain": itertools.chain,
            "cycle": itertools.cycle,
            "pairwise": itertools.pairwise,
            "zip_longest": itertools.zip_longest,
        }
        if name in simple:
            function: Any = simple[name]
            return Stream(function(*(self.iterated(v, where) for v in a), **k))
        if name in ("product", "permutations", "combinations", "combinations_with_replacement"):
            lists = [self.listed(v, where) for v in (a if name == "product" else a[:1])]
            counts = [self.whole(v) for v in (() if name == "product" else a[1:])]
            named = {key: self.whole(v) for key, v in k.items()}
            self.budget.spend(max([*counts, *named.values(), 0]) * (1 + sum(map(len, lists))))
            return Stream(getattr(itertools, name)(*lists, *counts, **named))
        if name in ("takewhile", "dropwhile", "filterfalse"):
            kept = self._predicate(a[0], node)
            return Stream(getattr(itertools, name)(kept, self.iterated(a[1], where)))
        if name == "chain.from_iterable":
            lists_of = self.iterated(a[0], where)
            return Stream(item for one in lists_of for item in self.iterated(one, where))
        if name == "starmap":
            groups = self.iterated(a[1], where)
            return Stream(self.call(a[0], self.listed(v, where), {}, node) for v in groups)
        if name == "islice":
            bounds = [None if v is None else self.whole(v) for v in a[1:]]
            return Stream(itertools.islice(self.iterated(a[0], where), *bounds))
        if name == "count":
            return Stream(itertools.count(*(self.by_value(v, "count()") for v in a), **k))
        if name == "repeat":
            times = [self.whole(v) for v in a[1:]]
            return Stream(itertools.repeat(a[0], *times))
        if name == "accumulate":
            return Stream(self._accumulated(a, k, where, node))
        raise unread(f"itertools.{name} is not read", kind="name")

    def _accumulated(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Iterator[Value]:
        function = k.get("func", a[1] if len(a) > 1 else None)
        total = k.get("initial")
        if total is not None:
            yield total
        for item in self.iterated(a[0], where):
            if total is None:
                total = item
            elif function is None:
                total = self.binary(ast.Add, total, item, where._replace(operands=()), node)
            else:
                total = self.call(function, [total, item], {}, node)
            yield total
