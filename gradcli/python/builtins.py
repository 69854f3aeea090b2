"""Python's own functions: `range`, `len`, `sum`, `isinstance` …, over values of the text.

`call_python` takes a name and arguments and gives the value. Each function is in `FUNCTIONS`, with
Python's own parameters behind the interpreter and the call.
"""

from __future__ import annotations

import ast
import builtins as python_builtins
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcli.python import spellings
from gradcli.python.array_makers import cast
from gradcli.python.array_shapes import sequence
from gradcli.python.attributes import Attributes
from gradcli.python.calls import Arguments, Call, Function, Keywords, arguments_for
from gradcli.python.limits import MOST_DIGITS
from gradcli.python.tape import described
from gradcli.python.texts import in_format, text_of
from gradcli.python.values import (
    Array,
    Builtin,
    Class,
    Instance,
    Library,
    Scalar,
    Stream,
    Value,
    is_traced,
    unread,
)
from gradcli.python.values import Function as TextFunction

EXCEPTIONS = {
    name: of
    for name, of in vars(python_builtins).items()
    if isinstance(of, type) and issubclass(of, Exception) and not issubclass(of, Warning)
}
"""Python's own exceptions by their names."""

REFUSED = frozenset(
    [
        *("exec", "eval", "compile", "__import__", "open", "globals", "locals", "vars", "dir"),
        *("breakpoint", "memoryview", "bytearray", "bytes", "delattr", "exit", "quit", "help"),
    ]
)


def call_python(
    reader: Attributes, name: str, a: Arguments, k: Keywords, node: Any = None
) -> Value:
    """Call one of Python's own functions. Raises `Unread`."""
    function = FUNCTIONS.get(name)
    if function is not None:
        call = Call(name, "python", a, k, reader.where(node), node)
        return function(reader, call, *arguments_for(function, reader, call))
    if name in EXCEPTIONS:
        return Builtin("", name)
    raise unread(f"'{name}' is not read", kind="name")


# --- numbers and texts ---


def _float(reader: Attributes, call: Call, of: Value = 0.0) -> Value:
    if isinstance(of, str):
        return float(_digits(reader, of))
    of = reader.numeric(of, call.where)
    if isinstance(of, Array):
        if math.prod(reader.tape.shape(of)) != 1:
            raise unread("only an array of one element is a number")
        of = reader.reshaped(of, (), call.where)
    return cast(reader, of, "float", call.where) if is_traced(of) else float(of)


def _digits(reader: Attributes, text: str) -> str:
    if len(text) > MOST_DIGITS:
        raise reader.budget.exceeded(f"a number of more than {MOST_DIGITS} digits")
    return text


def _int(reader: Attributes, call: Call, of: Value = 0, base: Value = None) -> Value:
    of = reader.by_value(of, "int()")
    if isinstance(of, str):
        of = _digits(reader, of)
    if base is not None:
        return int(str(of), reader.whole(base))
    if isinstance(of, float | np.floating) and not math.isfinite(of):
        raise unread("there is no such whole number", raised="OverflowError")
    return int(of)


def _abs(reader: Attributes, call: Call, of: Value) -> Value:
    if isinstance(of, Instance):
        return reader.call_method(of, "__abs__", [], call.node)
    of = reader.numeric(of, call.where)
    if is_traced(of):
        return reader.apply("abs", [of], call.where, kind=reader.kind(of))
    return reader.tape.plain(abs(reader.tape.value(of)))


def _round(reader: Attributes, call: Call, of: Value, ndigits: Value = None) -> Value:
    if is_traced(of):
        given = [of] if ndigits is None else [of, ndigits]
        return reader.library(Builtin("numpy", "round"), given, {}, call.node)
    plain, digits = (reader.by_value(v, "round()") for v in (of, ndigits))
    if digits is not None and abs(digits) > MOST_DIGITS:
        raise reader.budget.exceeded(f"a number of more than {MOST_DIGITS} digits")
    return round(plain, digits)


def _pow(reader: Attributes, call: Call, base: Value, exp: Value, mod: Value = None) -> Value:
    if mod is not None:
        return pow(*(reader.whole(v) for v in (base, exp, mod)))
    return reader.binary(ast.Pow, base, exp, call.where, call.node)


def _divmod(reader: Attributes, call: Call, a: Value, b: Value) -> Value:
    return tuple(reader.binary(op, a, b, call.where, call.node) for op in (ast.FloorDiv, ast.Mod))


# --- lists and what is gone through ---


def _range(reader: Attributes, call: Call) -> Value:
    found = range(*(reader.whole(v, "a bound of range") for v in call.arguments))
    if found and max(abs(found.start), abs(found.stop)) > 2**53:
        raise reader.budget.exceeded("a range that is too long")
    return found


def _len(reader: Attributes, call: Call, of: Value) -> Value:
    reader.known(of)
    if isinstance(of, Instance):
        return reader.call_method(of, "__len__", [], call.node)
    if isinstance(of, Array):
        if not reader.tape.shape(of):
            raise unread("a number has no length", raised="TypeError")
        return reader.tape.shape(of)[0]
    if not isinstance(of, str | tuple | list | dict | set | range):
        raise unread(f"{described(of)} has no length", raised="TypeError")
    return len(of)


def _dict(reader: Attributes, call: Call) -> Value:
    found: dict[Any, Value] = {}
    for of in call.arguments[:1]:
        if isinstance(of, dict):
            reader.budget.spend(len(of))
            found |= of
        else:
            pairs = (sequence(reader, pair) for pair in reader.listed(of, call.where))
            found |= {reader.key(key): value for key, value in pairs}
    return found | call.keywords


def _sum(reader: Attributes, call: Call, items: Value, start: Value = 0) -> Value:
    for item in reader.iterated(items, call.where):
        start = reader.binary(ast.Add, start, item, call.bare, call.node)
    return start


def _extreme(reader: Attributes, call: Call) -> Value:
    """`max`, `min`."""
    a, key = call.arguments, call.keywords.get("key")
    items = reader.listed(a[0], call.where) if len(a) == 1 else list(a)
    if not items:
        if "default" in call.keywords:
            return call.keywords["default"]
        raise unread("the largest of nothing", raised="ValueError")
    if key is None and any(map(is_traced, items)) and all(map(reader.is_number, items)):
        if any(isinstance(v, Array) for v in items):
            raise unread("max of arrays is ambiguous", "np.maximum takes the larger one by one")
        return items[0] if len(items) == 1 else reader.apply(f"{call.name}imum", items, call.bare)
    worth = _worth(reader, call, items, key)
    return items[worth.index(max(worth) if call.name == "max" else min(worth))]


def _worth(reader: Attributes, call: Call, items: list[Value], key: Value) -> list[Any]:
    """What items are compared by."""
    if key is not None:
        items = [reader.call(key, [v], {}, call.node) for v in items]
    return [reader.by_value(v, f"{call.name}()") for v in items]


def _sorted(
    reader: Attributes, call: Call, items: Value, key: Value = None, reverse: Value = False
) -> Value:
    listed = reader.listed(items, call.where)
    worth = _worth(reader, call, listed, key)
    order = sorted(range(len(listed)), key=worth.__getitem__, reverse=reader.truth(reverse))
    return [listed[i] for i in order]


def _enumerate(reader: Attributes, call: Call, items: Value, start: Value = 0) -> Value:
    return Stream(enumerate(reader.iterated(items, call.where), reader.whole(start)))


def _zip(reader: Attributes, call: Call) -> Value:
    strict = reader.truth(call.keywords.get("strict", False))
    return Stream(zip(*(reader.iterated(v, call.where) for v in call.arguments), strict=strict))


def _map(reader: Attributes, call: Call) -> Value:
    function, *lists = call.arguments
    together = zip(*(reader.iterated(v, call.where) for v in lists), strict=False)
    return Stream(reader.call(function, list(v), {}, call.node) for v in together)


def predicate(reader: Attributes, function: Value, node: Any) -> Callable[[Value], bool]:
    """What `filter` and its kin ask of every item."""
    if function is None:
        return reader.truth
    return lambda v: reader.truth(reader.call(function, [v], {}, node))


def _filter(reader: Attributes, call: Call, function: Value, items: Value) -> Value:
    kept = predicate(reader, function, call.node)
    return Stream(filter(kept, reader.iterated(items, call.where)))


def _reversed(reader: Attributes, call: Call, of: Value) -> Value:
    if isinstance(of, range):
        return of[::-1]
    if isinstance(of, Array):
        last = reader.tape.shape(of)[0] - 1
        return Stream(reader.element(of, i, call.where) for i in range(last, -1, -1))
    if isinstance(of, Stream):
        raise unread("a generator can't be reversed", raised="TypeError")
    return Stream(reversed(reader.listed(of, call.where)))


def _iter(reader: Attributes, call: Call) -> Value:
    of, *last = call.arguments
    if last:
        return Stream(_until(reader, call, of, last[0]))
    return of if isinstance(of, Stream) else Stream(reader.iterated(of, call.where))


def _until(reader: Attributes, call: Call, function: Value, last: Value) -> Iterator[Value]:
    """What a function gives, call by call, until it gives a certain value."""
    while True:
        reader.budget.spend()
        item = reader.call(function, [], {}, call.node)
        if reader.truth(reader.compared(ast.Eq(), item, last, call.where, call.node)):
            return
        yield item


def _next(reader: Attributes, call: Call) -> Value:
    of, *default = call.arguments
    if isinstance(of, Instance):
        return reader.call_method(of, "__next__", [], call.node)
    if not isinstance(of, Stream):
        raise unread(f"next() takes an iterator, not {described(of)}", raised="TypeError")
    for item in of.items:
        reader.budget.spend()
        return item
    if default:
        return default[0]
    raise unread("the generator has no more items", raised="StopIteration")


# --- what kind of value something is ---


def _isinstance(reader: Attributes, call: Call, of: Value, kinds: Value) -> Value:
    all_of = kinds if isinstance(kinds, tuple) else (kinds,)
    return any(is_a(reader, reader.known(of), kind) for kind in all_of)


def is_a(reader: Attributes, value: Value, kind: Value) -> bool:
    """`isinstance(value, kind)`. Raises `Unread` for a type that is not known."""
    if isinstance(kind, Class):
        return isinstance(value, Instance) and _derives(value.of, kind)
    if not isinstance(kind, Builtin):
        raise unread("isinstance with this type is not read")
    if kind.name in ("ndarray", "Tensor"):
        return isinstance(value, Array)
    name = spellings.TYPES.get(kind.name)
    if name is not None and isinstance(value, Scalar | np.generic | int | float):
        own = reader.kind(value)
        return own == name or (kind.name == "int" and own == "b")
    of = _TYPES.get(kind.name)
    return of is not None and isinstance(value, of)


_TYPES = {t.__name__: t for t in (bool, int, str, list, tuple, dict, set, range)}


def _derives(one: Class, other: Class) -> bool:
    return one is other or any(isinstance(b, Class) and _derives(b, other) for b in one.bases)


def _type(reader: Attributes, call: Call, of: Value) -> Value:
    reader.known(of)
    if isinstance(of, Instance):
        return of.of
    if isinstance(of, Array):
        return Builtin("numpy", "ndarray")
    return Builtin("", next((name for name, t in _TYPES.items() if isinstance(of, t)), "float"))


def _has(of: Value, name: str) -> bool:
    if isinstance(of, Instance):
        return name in of.names or of.of.has(name)
    kinds = {Array: np.ndarray, Scalar: np.float64, Library: np}
    return of.has(name) if isinstance(of, Class) else hasattr(kinds.get(type(of), type(of)), name)


def _getattr(reader: Attributes, call: Call) -> Value:
    of, name, *default = call.arguments
    if not isinstance(name, str):
        raise unread("getattr takes the name of an attribute", raised="TypeError")
    if default and isinstance(of, Instance) and not _has(of, name):
        return default[0]
    return reader.attribute(of, name, call.node)


def _setattr(reader: Attributes, call: Call, of: Value, name: Value, value: Value) -> Value:
    if not isinstance(of, Instance) or not isinstance(name, str):
        raise unread("setattr is read for objects of the text alone")
    of.names[name] = value


FUNCTIONS: dict[str, Function] = {
    **dict.fromkeys(("pass", "print", "display"), lambda reader, call: None),
    "float": _float,
    "int": _int,
    "bool": lambda reader, call, of=False: reader.truth(of),
    "str": lambda reader, call, of="": text_of(reader, of),
    "repr": lambda reader, call, of: repr(of) if isinstance(of, str) else text_of(reader, of),
    "format": lambda reader, call, of, form="": in_format(reader, of, form),
    "ord": lambda reader, call, of: ord(reader.by_value(of, "ord()")),
    "chr": lambda reader, call, of: chr(reader.whole(of)),
    "abs": _abs,
    "round": _round,
    "pow": _pow,
    "divmod": _divmod,
    "range": _range,
    "slice": lambda reader, call: reader.slice_of(call.arguments),
    "len": _len,
    "list": lambda reader, call, of=(): reader.listed(of, call.where),
    "tuple": lambda reader, call, of=(): tuple(reader.listed(of, call.where)),
    "set": lambda reader, call, of=(): set(map(reader.key, reader.listed(of, call.where))),
    "dict": _dict,
    "sum": _sum,
    "max": _extreme,
    "min": _extreme,
    "sorted": _sorted,
    "all": lambda reader, call, of: all(map(reader.truth, reader.iterated(of, call.where))),
    "any": lambda reader, call, of: any(map(reader.truth, reader.iterated(of, call.where))),
    "enumerate": _enumerate,
    "zip": _zip,
    "map": _map,
    "filter": _filter,
    "reversed": _reversed,
    "iter": _iter,
    "next": _next,
    "callable": lambda reader, call, of: isinstance(of, TextFunction | Builtin | Class),
    "isinstance": _isinstance,
    "type": _type,
    "getattr": _getattr,
    "hasattr": lambda reader, call, of, name: _has(of, name),
    "setattr": _setattr,
}

NAMES = frozenset(
    {*FUNCTIONS, *EXCEPTIONS, "super", "object", "NotImplemented", "frozenset", "issubclass"}
    | {"input", "hash", "complex", "id"}
)
"""Names of Python's own, those included that are refused only when they are called."""
