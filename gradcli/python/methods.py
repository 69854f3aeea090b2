"""Methods of arrays, numbers, and Python's own data: `x.sum()`, `items.append(x)`, `'a'.join(…)`.

A method with its arguments comes in, its value comes out. The tables have what is more than the
function of a library that has the method's name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from gradcli.python.array_makers import Generator, cast, copied, drawn, stopped
from gradcli.python.array_shapes import flat, sequence, transposed
from gradcli.python.attributes import Attributes
from gradcli.python.builtins import call_python
from gradcli.python.calls import Arguments, Call, Keywords
from gradcli.python.stores import store
from gradcli.python.tape import described
from gradcli.python.texts import TOO_WIDE
from gradcli.python.values import Array, Builtin, Method, Scalar, Value, is_traced, unread

Reads: TypeAlias = Callable[[Attributes, Any, Call], Value]
"""Reads a call of a method: takes the interpreter, the value that has the method, and the call."""


def call_method(reader: Attributes, method: Method, a: Arguments, k: Keywords, node: Any) -> Value:
    """`of.name(…)`."""
    of, name = method.of, method.name
    if method.function is not None:
        return reader.call(method.function, [of, *a], k, node)
    call = Call(name, "", a, k, reader.where(node), node)
    if isinstance(of, Array | Scalar | np.generic | int | float) and not isinstance(of, bool):
        return _of_number(reader, of, call)
    if isinstance(of, list | dict):
        kind, methods = ("list", LISTS) if isinstance(of, list) else ("dictionary", DICTS)
        if name not in methods:
            raise unread(f"the method '{name}' of a {kind} is not read")
        reader.budget.spend(1 + (len(of) if (kind, name) in THROUGH else 0))
        return methods[name](reader, of, call)
    if isinstance(of, str):
        return _of_text(reader, of, call)
    if isinstance(of, Generator):
        return drawn(reader, of.generator, name, a, k)
    if isinstance(of, set):
        return _of_set(reader, of, call)
    if isinstance(of, tuple) and name in ("index", "count"):
        reader.weigh(of)
        return getattr(of, name)(reader.key(a[0]))
    raise unread(f"{described(of)} has no '{name}'")


# --- numbers and arrays ---

SAME = frozenset(
    [
        *("detach", "numpy", "cpu", "cuda", "to", "double", "float", "contiguous"),
        *("requires_grad_", "requires_grad", "squeeze_", "real", "conj", "conjugate", "data"),
        "type_as",
    ]
)
"""Methods that give the array itself, in double precision."""


def _of_number(reader: Attributes, of: Value, call: Call) -> Value:
    name, torch = call.name, "torch" in reader.libraries
    detaches = name in ("detach", "item", "tolist", "numpy")
    if detaches and torch and reader.as_program and is_traced(of):
        of = stopped(reader, of, f"{name}()")
    if name in SAME:
        return of
    read = NUMBERS.get(name)
    if isinstance(of, Array):
        bare = name == "view" and not call.arguments
        read = ARRAYS.get(name, read) if not torch or bare or name != "sort" else read
    if read is not None and not (name == "view" and call.arguments):
        return read(reader, of, call)
    if name == "repeat" and torch:
        given = [of, tuple(call.arguments)]
        return reader.library(Builtin("numpy", "tile"), given, {}, call.node)
    if name.endswith("_") and isinstance(of, Array):
        return _changed(reader, of, _as_function(reader, "torch", name[:-1], of, call), call)
    return _as_function(reader, "torch" if torch else "numpy", name, of, call)


def _as_function(reader: Attributes, library: str, name: str, of: Value, call: Call) -> Value:
    """A method that is the library's function of its name."""
    given = [of, *call.arguments]
    return reader.library(Builtin(library, name), given, call.keywords, call.node)


def _changed(reader: Attributes, of: Array, value: Value, call: Call) -> Value:
    """An array with other elements in it."""
    store(reader.tape, of, Ellipsis, value, call.where)
    return of


def _fill(reader: Attributes, of: Array, call: Call) -> None:
    _changed(reader, of, reader.numeric(call.arguments[0], call.where), call)


def _sort(reader: Attributes, of: Array, call: Call) -> None:
    _changed(reader, of, _as_function(reader, "numpy", "sort", of, call), call)


def _copy(reader: Attributes, of: Value, call: Call) -> Value:
    found = copied(reader, of)
    if isinstance(found, Array) and found.node is not None:
        found.node = reader.tape.row_major(found.node, call.where)
    elif isinstance(found, Array):
        found.data = np.ascontiguousarray(found.data)
    return found


def _item(reader: Attributes, of: Value, call: Call) -> Value:
    if call.arguments:
        of = flat(reader, of, call.where) if len(call.arguments) == 1 else of
        return reader.element(of, tuple(call.arguments), call.where)
    return reader.reshaped(of, (), call.where) if isinstance(of, Array) else of


def _size(reader: Attributes, of: Value, call: Call) -> Value:
    shape, axis = reader.tape.shape(of), [*call.arguments, *call.keywords.values()]
    return shape[reader.whole(axis[0])] if axis else shape


def _expand(reader: Attributes, of: Value, call: Call) -> Value:
    a = call.arguments
    wanted = a[0] if len(a) == 1 and isinstance(a[0], tuple | list) else tuple(a)
    own, whole = reader.tape.shape(of), [reader.whole(n) for n in wanted]
    lengths = tuple(own[i - len(whole)] if n == -1 else n for i, n in enumerate(whole))
    return reader.library(Builtin("numpy", "broadcast_to"), [of, lengths], {}, call.node)


def _as_list(reader: Attributes, of: Value) -> Value:
    if not isinstance(of, Array):
        return of
    reader.budget.spend(math.prod(reader.tape.shape(of)))
    if not is_traced(of):
        return reader.tape.value(of).tolist()
    return [_as_list(reader, v) for v in sequence(reader, of)]


NUMBERS: dict[str, Reads] = {
    "astype": lambda reader, of, call: cast(
        reader, of, [*call.arguments, *call.keywords.values(), "float"][0], call.where
    ),
    "type": lambda reader, of, call: cast(reader, of, call.arguments[0], call.where),
    **dict.fromkeys(
        ("int", "long", "bool"),
        lambda reader, of, call: cast(reader, of, call.name, call.where),
    ),
    **dict.fromkeys(("copy", "clone"), _copy),
    "item": _item,
    "tolist": lambda reader, of, call: _as_list(reader, of),
    "size": _size,
    **dict.fromkeys(("dim", "ndimension"), lambda reader, of, call: len(reader.tape.shape(of))),
    **dict.fromkeys(
        ("numel", "nelement"), lambda reader, of, call: math.prod(reader.tape.shape(of))
    ),
    "t": lambda reader, of, call: transposed(reader, of, None, call.where),
    **dict.fromkeys(("backward", "retain_grad", "zero_grad"), lambda reader, of, call: None),
    **dict.fromkeys(
        ("view_as", "reshape_as"),
        lambda reader, of, call: reader.reshaped(
            of, reader.tape.shape(call.arguments[0]), call.where
        ),
    ),
    **dict.fromkeys(
        ("new_zeros", "new_ones"),
        lambda reader, of, call: reader.library(
            Builtin("torch", call.name[4:]), call.arguments, call.keywords, call.node
        ),
    ),
    **dict.fromkeys(("expand", "broadcast_to"), _expand),
    **dict.fromkeys(
        ("is_integer", "bit_length"),
        lambda reader, of, call: getattr(reader.by_value(of, f"{call.name}()"), call.name)(),
    ),
}
"""Methods of numbers and arrays."""

ARRAYS: dict[str, Reads] = {
    "fill": _fill,
    "zero_": lambda reader, of, call: _changed(reader, of, 0.0, call),
    "fill_": lambda reader, of, call: _changed(reader, of, call.arguments[0], call),
    "view": lambda reader, of, call: reader.element(of, Ellipsis, call.where),
    "sort": _sort,
}
"""Methods of arrays alone; `view` without a shape, `sort` of NumPy."""


# --- lists, dictionaries, sets ---


def _pop(reader: Attributes, of: list[Value], call: Call) -> Value:
    if not of:
        raise unread("pop from an empty list", raised="IndexError")
    return of.pop(reader.whole(call.arguments[0]) if call.arguments else -1)


def _insert(reader: Attributes, of: list[Value], call: Call) -> None:
    reader.budget.spend(len(of) // 50)
    of.insert(reader.whole(call.arguments[0]), call.arguments[1])


def _sort_list(reader: Attributes, of: list[Value], call: Call) -> None:
    of[:] = call_python(reader, "sorted", [of], call.keywords, call.node)


def _found(reader: Attributes, of: list[Value], call: Call, name: str) -> Value:
    return getattr(reader.by_value(of, name), name)(reader.by_value(call.arguments[0], name))


def _remove(reader: Attributes, of: list[Value], call: Call) -> None:
    del of[_found(reader, of, call, "index")]


LISTS: dict[str, Reads] = {
    "append": lambda reader, of, call: of.append(*call.arguments),
    "extend": lambda reader, of, call: of.extend(reader.listed(call.arguments[0], call.where)),
    "insert": _insert,
    "pop": _pop,
    "reverse": lambda reader, of, call: of.reverse(),
    "copy": lambda reader, of, call: list(of),
    "clear": lambda reader, of, call: of.clear(),
    "sort": _sort_list,
    "remove": _remove,
    "popleft": lambda reader, of, call: of.pop(0),
    "appendleft": lambda reader, of, call: of.insert(0, *call.arguments),
    "index": lambda reader, of, call: _found(reader, of, call, "index"),
    "count": lambda reader, of, call: _found(reader, of, call, "count"),
}


def _get(reader: Attributes, of: dict[Any, Value], call: Call) -> Value:
    """`get`, `pop`, `setdefault`."""
    key, default = reader.key(call.arguments[0]), call.arguments[1:]
    if call.name == "pop" and not default and key not in of:
        raise unread("the dictionary has no such key", raised="KeyError")
    return getattr(of, call.name)(key, *(default or ([] if call.name == "pop" else [None])))


DICTS: dict[str, Reads] = {
    **dict.fromkeys(
        ("items", "keys", "values"), lambda reader, of, call: [*getattr(of, call.name)()]
    ),
    **dict.fromkeys(("get", "pop", "setdefault"), _get),
    "popitem": lambda reader, of, call: of.popitem(),
    "clear": lambda reader, of, call: of.clear(),
    "copy": lambda reader, of, call: dict(of),
    "update": lambda reader, of, call: of.update(
        call_python(reader, "dict", call.arguments, call.keywords)
    ),
}
THROUGH = {
    ("list", "copy"),
    *(("dictionary", name) for name in DICTS.keys() - {"get", "pop", "setdefault"}),
}
"""Methods that go through all of a list or a dictionary."""


def _of_set(reader: Attributes, of: set[Any], call: Call) -> Value:
    reader.budget.spend(1 + len(of) // 10)
    if call.name in ("add", "discard", "remove"):
        return getattr(of, call.name)(reader.key(call.arguments[0]))
    known = ("union", "intersection", "difference", "update", "issubset", "issuperset", "copy")
    if call.name not in known:
        raise unread(f"the method '{call.name}' of a set is not read")
    more = [set(map(reader.key, reader.listed(v, call.where))) for v in call.arguments]
    return getattr(of, call.name)(*more)


# --- texts ---

TEXTS = frozenset(
    [
        *("format", "join", "split", "strip", "lstrip", "rstrip", "upper", "lower", "title"),
        *("capitalize", "startswith", "endswith", "replace", "zfill", "isdigit", "isalpha"),
        *("count", "find", "index", "rjust", "ljust", "center"),
    ]
)


def _of_text(reader: Attributes, of: str, call: Call) -> Value:
    name, budget = call.name, reader.budget
    if name not in TEXTS:
        raise unread(f"the method '{name}' of a text is not read")
    plain = [reader.by_value(v, "a text") for v in call.arguments]
    named = {key: reader.by_value(v, "a text") for key, v in call.keywords.items()}
    if name == "format":
        if re.search(r"\d{4,}|\{[^}]*\{|__", of):
            raise budget.exceeded(TOO_WIDE)
        if re.search(r"\{[^}]*[.\[]_", of):
            raise unread("this format is not read")
        longest = max([1, *(len(str(v)) for v in (*plain, *named.values()))])
        budget.characters(len(of) + of.count("{") * (1000 + longest))
    elif name in ("zfill", "rjust", "ljust", "center") and reader.whole(plain[0]) > 1000:
        raise budget.exceeded(TOO_WIDE)
    elif name == "replace":
        budget.characters(len(of) * max(1, len(plain[1])))
    elif name == "join":
        texts = reader.listed(call.arguments[0], call.where)
        if not all(isinstance(v, str) for v in texts):
            raise unread("join takes texts", raised="TypeError")
        budget.characters(sum(len(of) + len(v) for v in texts))
        plain = [texts]
    budget.characters(len(of))
    return getattr(of, name)(*plain, **named)
