"""What Python's own functions tell of a value: `isinstance`, `type`, `getattr`, `hasattr`."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.python import spellings
from gradcli.python.calls import Arguments, Keywords
from gradcli.python.conversions import Conversions
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
    unread,
)


class Reflection(Conversions):
    """What kind of value something is, and its attributes by their names."""

    def _py_callable(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return isinstance(a[0], Function | Builtin | Class)

    def _py_isinstance(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
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
        of = self.known(a[0])
        if isinstance(of, Instance):
            return of.of
        names = {str: "str", list: "list", tuple: "tuple", dict: "dict", bool: "bool", int: "int"}
        if isinstance(of, Array):
            return Builtin("numpy", "ndarray")
        return Builtin("", names.get(type(of), "float"))

    def _py_getattr(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        of, name, *default = a
        if not isinstance(name, str):
            raise unread("getattr takes the name of an attribute", raised="TypeError")
        if not default or not isinstance(of, Instance):
            return self.attribute(of, name, node)
        known = name in of.names or of.of.has(name)
        return self.attribute(of, name, node) if known else default[0]

    def _py_hasattr(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        of, name = a
        if isinstance(of, Instance):
            return name in of.names or of.of.has(name)
        if isinstance(of, Class):
            return of.has(name)
        kinds = {Array: np.ndarray, Scalar: np.float64, Library: np}
        return hasattr(kinds.get(type(of), type(of)), name)

    def _py_setattr(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        of, name, value = a
        if not isinstance(of, Instance) or not isinstance(name, str):
            raise unread("setattr is read for objects of the text alone")
        of.names[name] = value
