"""Functions that make arrays, and those that tell what is known of one.

A call comes in; a number, an array or, for `np.shape` and its kin, plain data comes out.
"""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np

from gradcli.python import sizes, spellings
from gradcli.python.calls import Arguments, Call, Keywords
from gradcli.python.plain_calls import numpy_call, plain_argument, plain_numpy
from gradcli.python.stores import store
from gradcli.python.subscripts import Subscripts
from gradcli.python.tape import described
from gradcli.python.values import Array, Value, Where, has_traced, is_traced, unread

UNSEEDED = "random numbers without a seed differ in every run"
SEED = "np.random.seed(0) makes them the same, or give the name a value"

MOST_AXES = 64
"""What an array of NumPy may have."""
DRAWN = (
    *("randn", "rand", "random", "normal", "uniform", "standard_normal", "randint", "integers"),
    *("permutation", "choice", "random_sample", "binomial", "exponential", "gamma", "beta"),
    *("poisson", "multivariate_normal", "lognormal", "laplace", "dirichlet", "random_integers"),
)
"""Functions that draw random numbers."""


def array(
    reader: Subscripts, call: Call, value: Value = 0.0, dtype: Value = None, ndmin: Value = 0
) -> Value:
    """`np.array`, `torch.tensor`."""
    if isinstance(value, Array):
        found: Value = copied(reader, value)
    elif isinstance(value, tuple | list | range):
        found = reader.numeric(value, call.where)
    elif reader.is_number(value):
        found = value
    else:
        raise unread(f"{described(value)} isn't an array of numbers")
    if dtype is not None:
        found = cast(reader, found, dtype, call.where)
    lengths = reader.tape.shape(found)
    more = min(reader.whole(ndmin), MOST_AXES) - len(lengths)
    return reader.reshaped(found, (*[1] * more, *lengths), call.where) if more > 0 else found


def asarray(reader: Subscripts, call: Call, value: Value = 0.0, dtype: Value = None) -> Value:
    """`np.asarray`: of an array itself, so that both names are one array."""
    same = dtype is None or spellings.kind_of(dtype) == reader.kind(value)
    return value if isinstance(value, Array) and same else array(reader, call, value, dtype)


def copied(reader: Subscripts, value: Value) -> Value:
    """A copy of an array."""
    if not isinstance(value, Array):
        return value
    node = reader.tape.node(value)
    if node is None:
        return reader.tape.plain(np.array(reader.tape.value(value)))
    return reader.tape.wrap(node, value.root.kind) if reader.tape.types[node].shape else value


def cast(reader: Subscripts, value: Value, dtype: Value, where: Where) -> Value:
    """A number or array of another type; whole numbers are cut off at the point."""
    kind = spellings.kind_of(dtype)
    value = reader.numeric(value, where)
    if not is_traced(value):
        plain = reader.tape.value(value)
        return reader.tape.plain(np.asarray(plain).astype(spellings.DTYPES[kind]))
    own = reader.kind(value)
    node = reader.tape.operand(value)
    assert isinstance(node, int)
    if kind == "b" and own != "b":
        return reader.apply("not_equal", [value, 0.0], where, kind="b")
    if kind == "i" and own == "f":
        one = where._replace(operands=where.operands[:1])
        size = reader.apply("floor", [reader.apply("abs", [value], one)], one)
        return reader.apply("mul", [reader.apply("sign", [value], one), size], where, kind="i")
    return reader.tape.wrap(node, kind)


def _constant(reader: Subscripts, shape: tuple[int, ...], fill: Any, kind: str) -> Value:
    """An array of one number that depends on no input."""
    reader.budget.room(8 * math.prod(shape))
    to = spellings.DTYPES[kind]
    return reader.tape.plain(np.full(shape, fill, dtype=to)) if shape else to(fill)


def filled(reader: Subscripts, call: Call, fill: Value) -> Value:
    """`zeros`, `ones`, `full`: of one number, with a shape that may be written in several ways."""
    arguments, keywords = call.arguments, call.keywords
    shape, dtype = keywords.get("shape", keywords.get("size")), None
    if shape is None and call.family == "torch" and len(arguments) > 1:
        shape = tuple(arguments)
    elif shape is None:
        shape = arguments[0] if arguments else ()
        dtype = arguments[1] if len(arguments) > 1 else None
    lengths = reader.shape_of(shape)
    if has_traced(fill):
        return reader.apply("full", [fill], call.where, {"shape": lengths})
    return _constant(reader, lengths, reader.tape.value(fill), spellings.kind_of(dtype))


def full(reader: Subscripts, call: Call, shape: Value, fill_value: Value) -> Value:
    """`full`, `full_like`: the second has the shape of its first argument."""
    if call.name == "full_like":
        shape = reader.tape.shape(shape)
    call = call._replace(family="numpy", arguments=[shape], keywords={})
    return filled(reader, call, fill_value)


def like(reader: Subscripts, call: Call) -> Value:
    """`zeros_like`, `ones_like`: of the type of a plain array."""
    of = call.arguments[0]
    if isinstance(of, tuple | list):
        of = reader.numeric(of, call.where)
    kind = reader.kind(of) if isinstance(of, Array) and not is_traced(of) else "f"
    shape = reader.tape.shape(of)
    reader.budget.elements(math.prod(shape))
    return _constant(reader, shape, float(call.name == "ones_like"), kind)


def arange(reader: Subscripts, call: Call) -> Value:
    """`np.arange`: how many numbers there are is fixed, where they begin moves along."""
    given = call.arguments
    if not has_traced(given):
        return plain_numpy(reader, "arange", given, call.keywords)
    start, stop, step, *_ = [0.0, *given, 1.0] if len(given) == 1 else [*given, 1.0]
    values = [reader.by_value(v, "arange()") for v in (start, stop, step)]
    reader.budget.elements(sizes.elements("arange", values, {}))
    count = reader.tape.plain(np.arange(len(np.arange(*values)), dtype=float))
    scaled = reader.binary(ast.Mult, count, step, call.bare, call.node)
    return reader.binary(ast.Add, start, scaled, call.bare, call.node)


# --- what is known of an array ---


def size(reader: Subscripts, call: Call, x: Value, axis: Any = None) -> Value:
    """`np.size`."""
    lengths = reader.tape.shape(x)
    return math.prod(lengths) if axis is None else lengths[axis]


def by_value(reader: Subscripts, call: Call) -> Value:
    """A function whose result does not change with small changes of what it is given."""
    what = f"{call.name}()"
    plain = [reader.by_value(v, what) for v in call.arguments]
    named = {key: reader.by_value(v, what) for key, v in call.keywords.items()}
    if call.name == "argsort" and call.family in ("jax", "torch"):
        named["kind"] = "stable"
    return numpy_call(reader, call.name, plain, named)


def stopped(reader: Subscripts, value: Value, what: str) -> Value:
    """The value as a plain number or array."""
    plain = reader.by_value(value, what)
    return reader.tape.plain(np.array(plain)) if isinstance(value, Array) else plain


def into(reader: Subscripts, call: Call) -> Value:
    """`np.fill_diagonal`, `np.copyto` and others that change their first argument."""
    of, *more = call.arguments
    if not isinstance(of, Array) or call.keywords:
        raise unread(f"np.{call.name} changes an array, with arguments in order")
    lengths = reader.tape.shape(of)
    value = reader.numeric(more[call.name in ("putmask", "put")], call.where)
    places: Any = Ellipsis  # copyto
    if call.name == "fill_diagonal":
        places = tuple([np.arange(min(lengths))] * len(lengths))
    elif call.name == "putmask":
        places = np.asarray(reader.by_value(more[0], "a mask"), dtype=bool)
        if reader.tape.shape(value) == lengths and lengths:
            value = reader.element(value, reader.tape.plain(places), call.where)
    elif call.name == "put":
        flat = np.asarray(reader.by_value(more[0], "an index")).ravel()
        places = np.unravel_index(flat, lengths)
    store(reader.tape, of, places, value, call.where)
    return None


# --- random numbers ---


class Generator:
    """A seeded generator of random numbers."""

    def __init__(self, generator: Any) -> None:
        self.generator = generator


def shuffled(reader: Subscripts, call: Call, of: Value) -> Value:
    """`np.random.shuffle`: the rows in an order that the seed decides."""
    if reader.random is None:
        raise unread(UNSEEDED, SEED)
    if isinstance(of, list):
        order = reader.random.permutation(len(of))
        of[:] = [of[i] for i in order]
    elif isinstance(of, Array):
        order = reader.random.permutation(reader.tape.shape(of)[0])
        rows = reader.element(of, [*map(int, order)], call.where)
        store(reader.tape, of, Ellipsis, rows, call.where)
    return None


def random(reader: Subscripts, call: Call) -> Value:
    """Random numbers, if the text has seeded them as NumPy's own generator is."""
    a, name = call.arguments, call.name
    if name == "seed":
        reader.random = np.random.RandomState(reader.whole(a[0], "a seed") if a else 0)
        return None
    if name in ("default_rng", "RandomState"):
        if not a:
            raise unread(UNSEEDED, "give a seed")
        return Generator(getattr(np.random, name)(reader.whole(a[0], "a seed")))
    if reader.random is None:
        raise unread(UNSEEDED, SEED)
    return drawn(reader, reader.random, name, a, call.keywords)


def drawn(reader: Subscripts, generator: Any, name: str, a: Arguments, k: Keywords) -> Value:
    """Numbers of a seeded generator."""
    if name not in DRAWN:
        raise unread(f"random.{name} is not read")
    plain = [plain_argument(reader, v) for v in a]
    named = {key: plain_argument(reader, v) for key, v in k.items()}
    numbers = [v for v in (*plain, named.get("size")) if v is not None]
    counts = [named["size"]] if named.get("size") is not None else numbers
    flat = np.concatenate([np.ravel(np.asarray(v, dtype=float)) for v in (1.0, *counts)])
    whole = flat[(np.abs(flat) >= 1) & (flat == np.floor(flat))]
    reader.budget.elements(int(min(np.prod(np.abs(whole)), 1e15)))
    if name == "multivariate_normal":
        reader.budget.products(sizes.size(plain[1] if len(plain) > 1 else 1) ** 2)
    return reader.tape.plain(getattr(generator, name)(*plain, **named))
