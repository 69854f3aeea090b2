"""Python's own functions: `range`, `len`, `sum`, `max` …, over values of the text.

Each is a method that is found by its name, here and in the classes that this one is made of.
"""

from __future__ import annotations

import ast
import builtins as python_builtins
from typing import Any

from gradcli.python import spellings
from gradcli.python.array_shapes import sequence
from gradcli.python.calls import Arguments, Keywords
from gradcli.python.limits import MOST_DIGITS
from gradcli.python.reflection import Reflection
from gradcli.python.tape import described
from gradcli.python.values import (
    Array,
    Builtin,
    Instance,
    Library,
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


class Builtins(Reflection):
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

    def _py_pass(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        """What changes no number."""

    _py_print = _py_display = _py_pass

    def _py_range(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        found = range(*(self.whole(v, "a bound of range") for v in a))
        if found and max(abs(found.start), abs(found.stop)) > 2**53:
            raise self.budget.exceeded("a range that is too long")
        return found

    def _py_len(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
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
        return self.listed(a[0], where) if a else []

    def _py_tuple(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return tuple(self.listed(a[0], where)) if a else ()

    def _py_set(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return {self.key(v) for v in self.listed(a[0], where)} if a else set()

    def _py_dict(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        found: dict[Any, Value] = {}
        if a and isinstance(a[0], dict):
            self.budget.spend(len(a[0]))
            found |= a[0]
        elif a:
            found |= {
                self.key(key): v for key, v in (sequence(self, p) for p in self.listed(a[0], where))
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
        plain = [self.by_value(v, "round()") for v in a]
        if len(plain) > 1 and plain[1] is not None and abs(plain[1]) > MOST_DIGITS:
            raise self.budget.exceeded(f"a number of more than {MOST_DIGITS} digits")
        return round(*plain)

    def _py_pow(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        if len(a) == 3:
            return pow(*(self.whole(v) for v in a))
        return self.binary(ast.Pow, a[0], a[1], where, node)

    def _py_divmod(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return tuple(self.binary(op, a[0], a[1], where, node) for op in (ast.FloorDiv, ast.Mod))

    def _py_all(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return all(self.truth(v) for v in self.iterated(a[0], where))

    def _py_any(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return any(self.truth(v) for v in self.iterated(a[0], where))

    def _py_slice(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return slice(*(None if v is None else self.whole(v) for v in a))

    def module(self, name: str) -> Value:
        """A library by the name that stands for it without an import."""
        of_torch = name == "nn" and "torch" in self.libraries
        return Library("torch.nn" if of_torch else spellings.LIBRARIES[name])


_READ = {name.removeprefix("_py_") for name in dir(Builtins) if name.startswith("_py_")}
NAMES = frozenset(
    {*_READ, *EXCEPTIONS, "super", "object", "NotImplemented", "frozenset", "issubclass"}
    | {"input", "hash", "complex", "id"}
)
"""Names of Python's own, those included that are refused only when they are called."""
