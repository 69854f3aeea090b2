"""Python's own functions: `range`, `len`, `sum`, `zip` …, over values of the text.

There is a short method per name, which is found by it: the module is as long as their list.
"""

from __future__ import annotations

import ast
import builtins as python_builtins
import math
from typing import Any

import numpy as np

from gradcli.python import spellings
from gradcli.python.library_calls import Arguments, Keywords
from gradcli.python.limits import MOST_DIGITS
from gradcli.python.operators import WIDE
from gradcli.python.streams import Streams
from gradcli.python.tape import described
from gradcli.python.values import (
    Array,
    Builtin,
    Class,
    Function,
    Instance,
    Library,
    Scalar,
    Value,
    Where,
    is_traced,
    unread,
)

EXCEPTIONS = {
    name: of
    for name, of in vars(python_builtins).items()
    if isinstance(of, type) and issubclass(of, Exception) and not issubclass(of, Warning)
}
"""Python's own exceptions by their names."""

NAMES = frozenset(
    [
        "abs",
        "all",
        "any",
        "bool",
        "dict",
        "divmod",
        "enumerate",
        "float",
        "format",
        "getattr",
        "hasattr",
        "int",
        "isinstance",
        "issubclass",
        "len",
        "list",
        "map",
        "filter",
        "max",
        "min",
        "pass",
        "pow",
        "print",
        "range",
        "repr",
        "reversed",
        "round",
        "set",
        "setattr",
        "slice",
        "sorted",
        "str",
        "sum",
        "super",
        "tuple",
        "type",
        "zip",
        "callable",
        "frozenset",
        "object",
        "NotImplemented",
        "display",
        "id",
        "input",
        "iter",
        "next",
        "hash",
        "ord",
        "chr",
        "complex",
        *EXCEPTIONS,
    ]
)

REFUSED = frozenset(
    [
        "exec",
        "eval",
        "compile",
        "__import__",
        "open",
        "globals",
        "locals",
        "vars",
        "dir",
        "breakpoint",
        "memoryview",
        "bytearray",
        "bytes",
        "delattr",
        "exit",
        "quit",
        "help",
    ]
)


class Builtins(Streams):
    """Calls of Python's own functions."""

    def python(self, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
        """Call one of Python's own functions. Raises `Unread`."""
        where = self.where(node)
        function = getattr(self, f"_py_{name}", None)
        if function is not None:
            return function(a, k, where, node)
        if name in EXCEPTIONS:
            return Builtin("", name)
        raise unread(f"'{name}' is not read", kind="name")

    def _py_ord(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where, node
        return ord(self.by_value(a[0], "ord()"))

    def _py_chr(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where, node
        return chr(self.whole(a[0]))

    def _py_pass(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del a, k, where, node

    _py_print = _py_display = _py_pass

    def _py_range(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where, node
        found = range(*(self.whole(v, "a bound of range") for v in a))
        if found and max(abs(found.start), abs(found.stop)) > 2**53:
            raise self.budget.exceeded("a range that is too long")
        return found

    def _py_len(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where
        of = self.known(a[0])
        if isinstance(of, Instance):
            return self.call_method(of, "__len__", [], node)
        if isinstance(of, Array):
            if not self.tape.shape(of):
                raise unread("a number has no length", raised="TypeError")
            return self.tape.shape(of)[0]
        if not isinstance(of, str | tuple | list | dict | set | range):
            raise unread(f"{described(of)} has no length", raised="TypeError")
        return len(of)

    def _py_list(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, node
        return self.listed(a[0], where) if a else []

    def _py_tuple(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, node
        return tuple(self.listed(a[0], where)) if a else ()

    def _py_set(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, node
        return {self.key(v) for v in self.listed(a[0], where)} if a else set()

    def _py_dict(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del node
        found: dict[Any, Value] = {}
        if a and isinstance(a[0], dict):
            self.budget.spend(len(a[0]))
            found |= a[0]
        elif a:
            found |= {
                self.key(key): v for key, v in (self.sequence(p) for p in self.listed(a[0], where))
            }
        return found | k

    def _py_sum(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        total: Value = k.get("start", a[1] if len(a) > 1 else 0)
        for item in self.iterated(a[0], where):
            total = self.binary(ast.Add, total, item, where._replace(operands=()), node)
        return total

    def _extreme(self, row: str, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        items = self.listed(a[0], where) if len(a) == 1 else list(a)
        if not items:
            if "default" in k:
                return k["default"]
            raise unread("the largest of nothing", raised="ValueError")
        key = k.get("key")
        worth = [v if key is None else self.call(key, [v], {}, node) for v in items]
        if key is None and any(is_traced(v) for v in items) and all(map(self.is_number, items)):
            if any(isinstance(v, Array) for v in items):
                raise unread("max of arrays is ambiguous", "np.maximum takes the larger one by one")
            where = where._replace(operands=())
            return items[0] if len(items) == 1 else self.apply(row, items, where)
        plain = [self.by_value(v, "max()") for v in worth]
        best = max(plain) if row == "maximum" else min(plain)
        return items[plain.index(best)]

    def _py_max(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return self._extreme("maximum", a, k, where, node)

    def _py_min(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return self._extreme("minimum", a, k, where, node)

    def _py_sorted(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        items = self.listed(a[0], where)
        key = k.get("key")
        worth = [
            self.by_value(v if key is None else self.call(key, [v], {}, node), "sorted()")
            for v in items
        ]
        order = sorted(
            range(len(items)), key=worth.__getitem__, reverse=self.truth(k.get("reverse", False))
        )
        return [items[i] for i in order]

    def _py_abs(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k
        if isinstance(a[0], Instance):
            return self.call_method(a[0], "__abs__", [], node)
        of = self.numeric(a[0], where)
        if is_traced(of):
            return self.apply("abs", [of], where, kind=self.kind(of))
        return self.tape.plain(abs(self.tape.value(of)))

    def _py_round(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        a = [*a, *(v for key, v in k.items() if key == "ndigits")]
        if is_traced(a[0]):
            return self.library(Builtin("numpy", "round"), a, {}, node)
        del where
        plain = [self.by_value(v, "round()") for v in a]
        if len(plain) > 1 and plain[1] is not None and abs(plain[1]) > MOST_DIGITS:
            raise self.budget.exceeded(f"a number of more than {MOST_DIGITS} digits")
        return round(*plain)

    def _py_pow(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k
        if len(a) == 3:
            return pow(*(self.whole(v) for v in a))
        return self.binary(ast.Pow, a[0], a[1], where, node)

    def _py_divmod(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k
        return tuple(self.binary(op, a[0], a[1], where, node) for op in (ast.FloorDiv, ast.Mod))

    def _py_float(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, node
        of = a[0] if a else 0.0
        if isinstance(of, str):
            if len(of) > MOST_DIGITS:
                raise self.budget.exceeded(f"a number of more than {MOST_DIGITS} digits")
            return float(of)
        of = self.numeric(of, where)
        if isinstance(of, Array):
            if math.prod(self.tape.shape(of)) != 1:
                raise unread("only an array of one element is a number")
            of = self.reshaped(of, (), where)
        return self.cast(of, "float", where) if is_traced(of) else float(of)

    def _py_int(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, node, where
        of = self.by_value(a[0], "int()") if a else 0
        if isinstance(of, str) and len(of) > MOST_DIGITS:
            raise self.budget.exceeded(f"a number of more than {MOST_DIGITS} digits")
        if len(a) > 1:
            return int(str(of), self.whole(a[1]))
        if isinstance(of, float | np.floating) and not math.isfinite(of):
            raise unread("there is no such whole number", raised="OverflowError")
        return int(of)

    def _py_bool(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, node, where
        return self.truth(a[0]) if a else False

    def _py_str(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where, node
        return self.text_of(a[0]) if a else ""

    def _py_repr(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where, node
        return repr(a[0]) if isinstance(a[0], str) else self.text_of(a[0])

    def _py_format(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where, node
        return self.in_format(*a) if len(a) > 1 else self.text_of(a[0])

    def in_format(self, value: Value, form: str) -> str:
        """`format(value, form)`. Raises `Unread` for a width past all measure."""
        if WIDE.search(form):
            raise self.budget.exceeded("a width of more than three digits")
        plain = self.by_value(value, "a text") if isinstance(value, Scalar) else value
        if not isinstance(plain, str | int | float | np.generic):
            return self.text_of(plain)
        return format(plain, form)

    def text_of(self, value: Value) -> str:
        """A value as a text, for the keys of dictionaries."""
        if isinstance(value, Scalar):
            value = self.by_value(value, "a text")
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, str | int | float | bool | None):
            found = str(value)
            self.expect_room(len(found), text=True)
            return found
        if isinstance(value, Array):
            return "array"
        return described(value)

    def _py_all(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, node
        return all(self.truth(v) for v in self.iterated(a[0], where))

    def _py_any(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, node
        return any(self.truth(v) for v in self.iterated(a[0], where))

    def _py_slice(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where, node
        return slice(*(None if v is None else self.whole(v) for v in a))

    def _py_callable(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where, node
        return isinstance(a[0], Function | Builtin | Class)

    def _py_isinstance(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where, node
        kinds = a[1] if isinstance(a[1], tuple) else (a[1],)
        return any(self.is_a(self.known(a[0]), kind) for kind in kinds)

    def is_a(self, value: Value, kind: Value) -> bool:
        """`isinstance(value, kind)`. Raises `Unread` for a type that is not known."""
        if isinstance(kind, Class):
            return isinstance(value, Instance) and self._derives(value.of, kind)
        if isinstance(kind, Builtin):
            if kind.name in ("ndarray", "Tensor"):
                return isinstance(value, Array)
            number = isinstance(value, Scalar | np.generic | int | float)
            name = spellings.TYPES.get(kind.name)
            if name is not None and number:
                return self.kind(value) == name or (kind.name == "int" and self.kind(value) == "b")
            kinds = {
                "str": str,
                "list": list,
                "tuple": tuple,
                "dict": dict,
                "set": set,
                "range": range,
            }
            return kind.name in kinds and isinstance(value, kinds[kind.name])
        raise unread("isinstance with this type is not read")

    def _derives(self, one: Class, other: Class) -> bool:
        return one is other or any(
            isinstance(b, Class) and self._derives(b, other) for b in one.bases
        )

    def _py_type(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where, node
        of = self.known(a[0])
        if isinstance(of, Instance):
            return of.of
        names = {str: "str", list: "list", tuple: "tuple", dict: "dict", bool: "bool", int: "int"}
        if isinstance(of, Array):
            return Builtin("numpy", "ndarray")
        return Builtin("", names.get(type(of), "float"))

    def _py_getattr(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where
        of, name, *default = a
        if not isinstance(name, str):
            raise unread("getattr takes the name of an attribute", raised="TypeError")
        if not default or not isinstance(of, Instance):
            return self.attribute(of, name, node)
        known = name in of.names or of.of.has(name)
        return self.attribute(of, name, node) if known else default[0]

    def _py_hasattr(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where, node
        of, name = a
        if isinstance(of, Instance):
            return name in of.names or of.of.has(name)
        if isinstance(of, Class):
            return of.has(name)
        kinds = {Array: np.ndarray, Scalar: np.float64, Library: np}
        return hasattr(kinds.get(type(of), type(of)), name)

    def _py_setattr(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        del k, where, node
        of, name, value = a
        if not isinstance(of, Instance) or not isinstance(name, str):
            raise unread("setattr is read for objects of the text alone")
        of.names[name] = value

    def module(self, name: str) -> Value:
        """A library by the name that stands for it without an import."""
        return Library(spellings.LIBRARIES[name])
