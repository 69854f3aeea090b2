"""Functions of libraries that call functions, or make no arrays: functools, operator, copy.

`call_builtin` takes a function of Python or of a library with its arguments and gives its value.
`GROUPS` has the modules that are more than functions of arrays.
"""

from __future__ import annotations

import ast
import random
import re
from typing import Any

import numpy as np

from gradcli.python import frameworks
from gradcli.python.array_makers import UNSEEDED, cast, copied
from gradcli.python.builtins import call_python
from gradcli.python.calls import Arguments, Keywords
from gradcli.python.operators import BINARY, COMPARED
from gradcli.python.spellings import TYPES, is_harmless
from gradcli.python.statements import Statements
from gradcli.python.stores import store
from gradcli.python.streams import itertools_call
from gradcli.python.values import (
    Array,
    Builtin,
    Class,
    Filled,
    Instance,
    Partial,
    Scope,
    Stream,
    Super,
    Value,
    unread,
)

UNARY = {"neg": ast.USub, "pos": ast.UAdd, "not_": ast.Not, "invert": ast.Invert}
SIGNS = {special.strip("_"): sign for sign, (_, _, special, _) in BINARY.items()}
COMPARISONS = {special.strip("_"): sign for sign, (_, _, special) in COMPARED.items()}
"""Functions of `operator` by the operators that they are."""
SETTINGS = frozenset(
    [
        *("no_grad", "enable_grad", "inference_mode", "manual_seed", "set_printoptions", "seterr"),
        *("errstate", "set_default_dtype", "test", "set_grad_enabled", "printoptions"),
    ]
)
"""Functions of array libraries that change no number in double precision."""


def call_builtin(
    reader: Statements, function: Builtin, a: Arguments, k: Keywords, node: Any
) -> Value:
    """A function of Python or of a library. Raises `Unread`."""
    name, library = function.name, function.library
    if not library:
        return _super(reader) if name == "super" else call_python(reader, name, a, k, node)
    if is_harmless(library):
        return a[0] if a and name in ("tqdm", "trange") else None
    if library in GROUPS:
        found = GROUPS[library](reader, name, a, k, node)
        if found is not NotImplemented:
            return found
    if name in TYPES:
        return cast(reader, a[0] if a else 0.0, name, reader.where(node))
    if name.endswith((".at", ".reduce", ".outer", ".accumulate")):
        return _of_ufunc(reader, function, a, k, node)
    if name in SETTINGS:
        return None
    if library.endswith("scipy.stats.norm") or name.startswith("norm."):
        normal = Builtin("gradcli", f"norm_{name.rpartition('.')[2]}")
        return reader.library(normal, a, k, node)
    return reader.library(function, a, k, node)


def _super(reader: Statements) -> Value:
    """`super()` in a method: its first parameter's object, from the bases of its class on."""
    scope: Scope | None = reader.scope
    while scope is not None and scope.method is None:
        scope = scope.outer
    if scope is None or scope.method is None or scope.method.owner is None:
        raise unread("super() is read in methods alone", raised="RuntimeError")
    of = scope.method.node.args
    first = next((p.arg for p in (*of.posonlyargs, *of.args)), "")
    found = scope.names.get(first)
    if not isinstance(found, Instance):
        raise unread("super() is read in methods of objects alone")
    return Super(found, scope.method.owner)


# --- by module ---


def _of_random(reader: Statements, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
    """Python's own random numbers, if the text has seeded them."""
    if name == "seed":
        reader.python_random = random.Random(reader.whole(a[0], "a seed") if a else 0)  # noqa: S311 - the text's own
        return None
    if reader.python_random is None:
        raise unread(UNSEEDED, "random.seed(0) makes them the same")
    generator = reader.python_random
    if name in ("random", "uniform", "gauss", "normalvariate", "randint", "randrange"):
        numbers = [reader.by_value(v, "a random number") for v in a]
        return getattr(generator, name)(*numbers, **k)
    if name in ("choice", "sample", "shuffle") and isinstance(a[0], list | tuple | range):
        reader.budget.spend(len(a[0]))
        return getattr(generator, name)(*a, **k)
    return NotImplemented


def _of_copy(reader: Statements, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
    deep = name == "deepcopy"
    reader.weigh(a[0])
    return _copied(reader, a[0], node, deep=deep, known={})


def _copied(
    reader: Statements, value: Value, node: Any, *, deep: bool, known: dict[int, Value]
) -> Value:
    """`copy.copy`, `copy.deepcopy`: what is the same list twice is one copy twice."""
    reader.budget.spend()
    if id(value) in known:
        return known[id(value)]
    found = value
    if isinstance(value, Array):
        found = copied(reader, value)
    elif isinstance(value, tuple | list | dict | Instance):
        items: Any = (
            value.names if isinstance(value, Instance) else value
        )  # a tuple has no item that is itself
        pairs = items.items() if isinstance(items, dict) else enumerate(items)
        copies: dict[Any, Value] = {
            key: _copied(reader, v, node, deep=deep, known=known) if deep else v for key, v in pairs
        }
        if isinstance(value, Instance):
            found = Instance(value.of, copies)
        else:
            found = copies if isinstance(value, dict) else type(value)(copies.values())
    known[id(value)] = found
    return found


def _of_functools(reader: Statements, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
    if name == "reduce":
        where = reader.where(node)
        items = reader.iterated(a[1], where)
        total = a[2] if len(a) > 2 else call_python(reader, "next", [Stream(items)], {}, node)
        for item in items:
            total = reader.call(a[0], [total, item], {}, node)
        return total
    if name == "partial":
        return Partial(a[0], tuple(a[1:]), k)
    if name in ("lru_cache", "cache", "wraps"):
        return a[0] if a and name != "wraps" else Builtin("functools", "same")
    return a[0] if name == "same" else NotImplemented


def _of_operator(reader: Statements, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
    where = reader.where(node)
    if name in SIGNS:
        return reader.binary(SIGNS[name], a[0], a[1], where._replace(operands=()), node)
    if name in UNARY:
        return reader.unary(UNARY[name](), a[0], where._replace(operands=()), node)
    if name in COMPARISONS:
        return reader.compared(COMPARISONS[name](), a[0], a[1], where._replace(operands=()), node)
    if name == "getitem":
        return reader.element(a[0], a[1], where)
    if name in ("itemgetter", "attrgetter"):
        return Partial(Builtin("operator", f"{name}.of"), tuple(a), {})
    if name == "itemgetter.of":
        *keys, of = a
        found = [reader.element(of, key, where) for key in keys]
        return found[0] if len(found) == 1 else tuple(found)
    if name == "attrgetter.of":
        return reader.attribute(a[1], a[0], node)
    return NotImplemented


def _of_dataclasses(reader: Statements, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
    if name == "field":
        return Partial(k["default_factory"], (), {}) if "default_factory" in k else k["default"]
    if name == "replace":
        return reader.call(a[0].of, [], {**a[0].names, **k}, node)
    return NotImplemented


def _of_collections(reader: Statements, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
    where = reader.where(node)
    if name == "namedtuple":
        fields = re.split(r"[\s,]+", a[1].strip()) if isinstance(a[1], str) else a[1]
        return Class(a[0], [], {}, fields=tuple(fields), is_tuple=True)
    if name == "OrderedDict":
        return call_python(reader, "dict", a, k, node)
    if name == "defaultdict":
        filled = Filled(call_python(reader, "dict", a[1:], k, node))
        filled.fill = a[0]
        return filled
    if name == "deque" and not k and len(a) < 2:
        return reader.listed(a[0], where) if a else []
    if name == "Counter" and len(a) == 1:
        counts: dict[Any, int] = {}
        for item in reader.iterated(a[0], where):
            key = reader.key(item)
            counts[key] = counts.get(key, 0) + 1
        return counts
    return NotImplemented


def _of_numpy(reader: Statements, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
    if name in ("finfo", "iinfo"):
        whole = name == "iinfo"
        known: Any = np.iinfo(np.int64) if whole else np.finfo(np.float64)
        names = ("max", "min") if whole else ("eps", "max", "min", "tiny", "resolution")
        return Class(name, [], {n: getattr(known, n) for n in names})
    return NotImplemented


def _of_ufunc(reader: Statements, function: Builtin, a: Arguments, k: Keywords, node: Any) -> Value:
    """`np.add.at`, `np.maximum.reduce`, `np.multiply.outer`."""
    name, _, method = function.name.rpartition(".")
    where = reader.where(node)
    if method == "at" and name in ("add", "subtract"):
        of, index, value = a
        if not isinstance(of, Array):
            raise unread(f"np.{name}.at changes an array")
        value = reader.numeric(value, where)
        if name == "subtract":
            value = reader.unary(ast.USub(), value, where, node)
        before = reader.held(of)
        store(reader.tape, of, reader.items(index), value, where, add=True)
        reader.step(of.label or "…", "+=", of, value, before, node, of)
        return None
    reductions = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}
    if method == "reduce" and name in reductions:
        axis = a[1] if len(a) > 1 else k.get("axis", 0)
        return reader.library(Builtin("numpy", reductions[name]), [a[0]], {"axis": axis}, node)
    if method == "accumulate" and name in ("add", "multiply"):
        to = {"add": "cumsum", "multiply": "cumprod"}[name]
        return reader.library(Builtin("numpy", to), [a[0]], {"axis": k.get("axis", 0)}, node)
    if method in ("outer", "reduce", "accumulate"):
        return reader.from_prelude(f"{method}_of", [Builtin("numpy", name), *a], k, node)
    raise unread(f"np.{function.name} is not read")


GROUPS = frameworks.GROUPS | {
    "itertools": itertools_call,
    "random": _of_random,
    "copy": _of_copy,
    "functools": _of_functools,
    "operator": _of_operator,
    "dataclasses": _of_dataclasses,
    "collections": _of_collections,
    "numpy": _of_numpy,
}
"""By the module: what reads a call of one of its functions, NotImplemented for one of arrays."""
