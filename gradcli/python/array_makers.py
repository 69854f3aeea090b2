"""Functions that make arrays, and those that tell what is known of one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.python import sizes, spellings
from gradcli.python.library_calls import Call, LibraryCalls, taken
from gradcli.python.plain_calls import expect_small, of_plain, plain_argument
from gradcli.python.stores import store
from gradcli.python.tape import described
from gradcli.python.values import (
    NOWHERE,
    Array,
    Builtin,
    Value,
    Where,
    has_traced,
    is_traced,
    unread,
)

UNSEEDED = "random numbers without a seed differ in every run"
SEED = "np.random.seed(0) makes them the same, or give the name a value"

DRAWN = (
    *("randn", "rand", "random", "normal", "uniform", "standard_normal", "randint", "integers"),
    *("permutation", "choice", "random_sample", "binomial", "exponential", "gamma", "beta"),
    *("poisson", "multivariate_normal", "lognormal", "laplace", "dirichlet", "random_integers"),
)
"""Functions that draw random numbers."""


class ArrayMakers(LibraryCalls):
    """Makers of arrays, their shapes, random numbers."""

    def _array(self, call: Call) -> Value:
        """`np.array`, `np.asarray`, `torch.tensor`."""
        where, arguments, keywords = call.where, call.arguments, call.keywords
        value = arguments[0] if arguments else 0.0
        dtype = arguments[1] if len(arguments) > 1 else keywords.get("dtype")
        if isinstance(value, Array):
            found: Value = self.copied(value, where)
        elif isinstance(value, tuple | list | range):
            found = self.numeric(value, where)
        elif self.is_number(value):
            found = value
        else:
            raise unread(f"{described(value)} isn't an array of numbers")
        return found if dtype is None else self.cast(found, dtype, where)

    def _asarray(self, call: Call) -> Value:
        """`np.asarray`: of an array itself, so that both names are one array."""
        value = call.arguments[0] if call.arguments else None
        dtype = call.arguments[1] if len(call.arguments) > 1 else call.keywords.get("dtype")
        kind = spellings.TYPES.get(str(getattr(dtype, "name", dtype)), "f")
        if isinstance(value, Array) and (dtype is None or kind == self.kind(value)):
            return value
        return self._array(call)

    def _from_items(self, call: Call) -> Value:
        """`np.fromiter`."""
        return self._array(call._replace(arguments=call.arguments[:1], keywords={}))

    def copied(self, value: Value, where: Where) -> Value:
        """A copy of an array."""
        if not isinstance(value, Array):
            return value
        node = self.tape.node(value)
        if node is None:
            return self.tape.plain(np.array(self.tape.value(value)))
        return self.tape.wrap(node, value.root.kind) if self.tape.types[node].shape else value

    def cast(self, value: Value, dtype: Value, where: Where) -> Value:
        """A number or array of another type; whole numbers are cut off at the point."""
        name = dtype.name if isinstance(dtype, Builtin) else dtype
        kind = spellings.TYPES.get(name, "f") if isinstance(name, str) else "f"
        value = self.numeric(value, where)
        if not is_traced(value):
            to: Any = {"f": np.float64, "i": np.int64, "b": np.bool_}[kind]
            plain = self.tape.value(value)
            return self.tape.plain(np.asarray(plain).astype(to))
        own = self.kind(value)
        node = self.tape.operand(value)
        assert isinstance(node, int)
        if kind == "b" and own != "b":
            return self.apply("not_equal", [value, 0.0], where, kind="b")
        if kind == "i" and own == "f":
            one = where._replace(operands=where.operands[:1])
            size = self.apply("floor", [self.apply("abs", [value], one)], one)
            return self.apply("mul", [self.apply("sign", [value], one), size], where, kind="i")
        return self.tape.wrap(node, kind)

    def _filled(self, call: Call, fill: Value) -> Value:
        """`zeros`, `ones`, `full`: of numbers that do not depend on an input."""
        where, family = call.where, call.family
        arguments, keywords = call.arguments, dict(call.keywords)
        dtype = keywords.pop("dtype", None)
        shape = keywords.pop("shape", keywords.pop("size", None))
        if shape is None:
            if family == "torch" and len(arguments) > 1:
                shape = tuple(arguments)
            else:
                shape = arguments[0] if arguments else ()
                dtype = dtype or (arguments[1] if len(arguments) > 1 else None)
        lengths = self.shape_of(shape)
        kind = spellings.TYPES.get(getattr(dtype, "name", dtype) or "float", "f")
        plain = self.tape.value(fill)
        if has_traced(fill):
            return self.apply("full", [fill], where, {"shape": lengths})
        self.budget.room(8 * math.prod(lengths))
        to: Any = {"f": np.float64, "i": np.int64, "b": np.bool_}[kind]
        return self.tape.plain(np.full(lengths, plain, dtype=to)) if lengths else to(plain)

    def _constant_array(self, call: Call) -> Value:
        """`zeros`, `ones`."""
        return self._filled(call, float(call.name == "ones"))

    def _full(self, call: Call) -> Value:
        """`full`, `full_like`: the second has the shape of its first argument."""
        call.keywords.pop("dtype", None)
        of, fill = taken(call.arguments, call.keywords, "shape", "fill_value")
        shape = of if call.name == "full" else self.tape.shape(of)
        return self._filled(call._replace(family="numpy", arguments=[shape], keywords={}), fill)

    def _like(self, call: Call) -> Value:
        """`zeros_like`, `ones_like`: of the type of a plain array."""
        of, fill = call.arguments[0], float(call.name == "ones_like")
        kind = self.kind(of) if isinstance(of, Array) and not is_traced(of) else "f"
        if isinstance(of, tuple | list):
            of = self.numeric(of, NOWHERE)
            kind = self.kind(of)
        dtype = call.keywords.get("dtype")
        if dtype is not None:
            kind = spellings.TYPES.get(str(getattr(dtype, "name", dtype)), "f")
        to: Any = {"f": np.float64, "i": np.int64, "b": np.bool_}[kind]
        shape = self.tape.shape(of)
        self.budget.elements(math.prod(shape))
        self.budget.room(8 * math.prod(shape))
        return self.tape.plain(np.full(shape, fill, dtype=to)) if shape else to(fill)

    def _shape(self, call: Call) -> Value:
        where, a = call.where, call.arguments
        return self.tape.shape(self.numeric(a[0], where))

    def _ndim(self, call: Call) -> Value:
        where, a = call.where, call.arguments
        return len(self.tape.shape(self.numeric(a[0], where)))

    def _size(self, call: Call) -> Value:
        where, a, k = call.where, call.arguments, call.keywords
        of, axis = taken(a, k, "a", axis=None)
        shape = self.tape.shape(self.numeric(of, where))
        return math.prod(shape) if axis is None else shape[self.whole(axis)]

    def _by_value(self, call: Call) -> Value:
        """A function whose result does not change with small changes of what it is given."""
        a, k = call.arguments, call.keywords
        name = call.name
        plain = [self.by_value(v, f"{name}()") for v in a]
        named = {
            {"p": "ord", "n": "repeats"}.get(key, key): self.by_value(v, f"{name}()")
            for key, v in k.items()
        }
        if name == "argsort" and call.family in ("jax", "torch"):
            named["kind"] = "stable"
        expect_small(self, name, plain, named)
        with np.errstate(all="ignore"):
            return of_plain(self, getattr(np, name)(*plain, **named))

    def _where(self, call: Call) -> Value:
        where, a, k = call.where, call.arguments, call.keywords
        if len(a) == 1:
            found = np.nonzero(self.by_value(a[0], "where()"))
            return tuple(self.tape.plain(f) for f in found)
        condition, yes, no = (self.numeric(v, where) for v in taken(a, k, "condition", "x", "y"))
        if not any(map(is_traced, (condition, yes, no))):
            self.budget.broadcast([self.tape.value(v) for v in (condition, yes, no)])
            return self.tape.plain(np.where(*(self.tape.value(v) for v in (condition, yes, no))))
        return self.apply("where", [condition, yes, no], where)

    def _finite(self, call: Call) -> Value:
        a = call.arguments
        return self.tape.plain(np.isfinite(np.asarray(self.by_value(a[0], "isfinite()"))))

    def _stopped(self, call: Call) -> Value:
        """A value that no gradient goes through."""
        return self.stopped(call.arguments[0], "stop_gradient()")

    def stopped(self, value: Value, what: str) -> Value:
        """The value as a plain number or array."""
        plain = self.by_value(value, what)
        return self.tape.plain(np.array(plain)) if isinstance(value, Array) else plain

    def _into(self, call: Call) -> Value:
        """`np.fill_diagonal`, `np.copyto` and others that change their first argument."""
        where, a = call.where, call.arguments
        of = a[0]
        if not isinstance(of, Array) or call.keywords:
            raise unread(f"np.{call.name} changes an array, with arguments in order")
        shape = self.tape.shape(of)
        if call.name == "fill_diagonal":
            places: Any = tuple([np.arange(min(shape))] * len(shape))
            value = self.numeric(a[1], where)
        elif call.name == "copyto":
            places, value = Ellipsis, self.numeric(a[1], where)
        elif call.name == "putmask":
            mask = np.asarray(self.by_value(a[1], "a mask"), dtype=bool)
            places, value = mask, self.numeric(a[2], where)
            if self.tape.shape(value) == shape and shape:
                value = self.element(value, self.tape.plain(mask), where)
        else:  # put
            flat = np.asarray(self.by_value(a[1], "an index")).ravel()
            places, value = np.unravel_index(flat, shape), self.numeric(a[2], where)
        store(self.tape, of, places, value, where)
        return None

    def _shuffled(self, call: Call) -> Value:
        """`np.random.shuffle`: the rows in an order that the seed decides."""
        of = call.arguments[0]
        if self.random is None:
            raise unread(UNSEEDED, SEED)
        if isinstance(of, list):
            order = self.random.permutation(len(of))
            of[:] = [of[i] for i in order]
        elif isinstance(of, Array):
            order = self.random.permutation(self.tape.shape(of)[0])
            store(self.tape, of, Ellipsis, self.element(of, [*map(int, order)], call.where),
                            call.where)  # fmt: skip
        return None

    def _random(self, call: Call) -> Value:
        """Random numbers, if the text has seeded them as NumPy's own generator is."""
        a, k = call.arguments, call.keywords
        name = call.name
        if name == "seed":
            self.random = np.random.RandomState(self.whole(a[0], "a seed") if a else 0)
            return None
        if name in ("default_rng", "RandomState"):
            if not a:
                raise unread(UNSEEDED, "give a seed")
            return Generator(getattr(np.random, name)(self.whole(a[0], "a seed")))
        if self.random is None:
            raise unread(UNSEEDED, SEED)
        return self.drawn(self.random, name, a, k)

    def drawn(self, generator: Any, name: str, a: list[Value], k: dict[str, Value]) -> Value:
        """Numbers of a seeded generator."""
        if name not in DRAWN:
            raise unread(f"random.{name} is not read")
        plain = [plain_argument(self, v) for v in a]
        named = {key: plain_argument(self, v) for key, v in k.items()}
        numbers = [v for v in (*plain, named.get("size")) if v is not None]
        counts = [named["size"]] if named.get("size") is not None else numbers
        flat = np.concatenate([np.ravel(np.asarray(v, dtype=float)) for v in (1.0, *counts)])
        whole = flat[(np.abs(flat) >= 1) & (flat == np.floor(flat))]
        self.budget.elements(int(min(np.prod(np.abs(whole)), 1e15)))
        if name == "multivariate_normal":
            self.budget.products(sizes.size(plain[1] if len(plain) > 1 else 1) ** 2)
        found = getattr(generator, name)(*plain, **named)
        return self.tape.plain(found)


class Generator:
    """A seeded generator of random numbers."""

    def __init__(self, generator: Any) -> None:
        self.generator = generator
