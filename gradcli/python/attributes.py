"""Attributes: a value and a name come in, `of.name` comes out.

A method is a value of its own, which `methods` calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.python import spellings
from gradcli.python.array_shapes import flat, matrix_transposed, transposed
from gradcli.python.library_calls import LibraryCalls
from gradcli.python.spellings import DTYPES
from gradcli.python.values import (
    Array,
    Builtin,
    Class,
    Function,
    Instance,
    Library,
    Method,
    Partial,
    Scalar,
    Super,
    Value,
    Where,
    unread,
)

AT = Builtin("jax", "at")
"""`x.at` of jax."""
METHODS = frozenset(
    [
        *("__init__", "__call__", "__getitem__", "__setitem__", "__len__", "__iter__", "__next__"),
        *("__add__", "__sub__", "__mul__", "__truediv__", "__pow__", "__matmul__", "__neg__"),
        *("__radd__", "__rsub__", "__rmul__", "__rtruediv__", "__eq__", "__lt__", "__gt__"),
        *("__enter__", "__exit__", "__post_init__", "__abs__", "__contains__"),
    ]
)
"""Methods of classes of the text that may be called by their own names."""


class Attributes(LibraryCalls):
    """`x.name`."""

    def written(self, node: Any) -> str:
        """A part of the text as written, in one line."""
        return self.text.written(self.span(node))

    def attribute(self, of: Value, name: str, node: Any) -> Value:
        """`of.name`. Raises `Unread` where there is none."""
        self.known(of)
        if isinstance(of, Class | Super | Instance) and name.startswith("__"):
            if name == "__name__" and isinstance(of, Class):
                return of.name
            if name == "__class__" and isinstance(of, Instance):
                return of.of
            if name not in METHODS:
                raise unread(f"'{name}' is not read")
        elif name.startswith("__") and name != "__name__":
            raise unread(f"'{name}' is not read")
        if isinstance(of, Library):
            return self.of_library(of, name)
        if isinstance(of, Instance):
            return self._of_instance(of, name, node)
        if isinstance(of, Class):
            return self._of_class(of, name)
        if isinstance(of, Super):
            return self._of_super(of, name, node)
        if isinstance(of, Builtin):
            if name == "at" or name in ("reduce", "accumulate", "outer"):
                return Builtin(of.library, f"{of.name}.{name}")
            if name == "random" or not of.library:
                raise unread(f"'{of.name}.{name}' is not read")
            return self.of_library(Library(f"{of.library}.{of.name}"), name)
        if isinstance(of, Partial) and of.function == AT:
            return Partial(Builtin("jax", f"at.{name}"), of.arguments, {})
        if isinstance(of, Function):
            if name in ("__name__", "name"):
                return of.name
            raise unread(f"the function {of.name} has no '{name}'")
        if isinstance(of, Array | Scalar | np.generic | int | float) and not isinstance(of, bool):
            return self._of_number(of, name, node)
        return Method(of, name)

    def of_library(self, of: Library, name: str) -> Value:
        """A name of a library: a number, a module in it, or a function."""
        path = f"{of.path}.{name}"
        if of.path in spellings.ARRAYS or of.path == "numpy":
            if name in spellings.CONSTANTS:
                return spellings.CONSTANTS[name]
            if path in spellings.ARRAYS or path in (
                *("torch.nn", "scipy.stats", "jax.scipy", "numpy.testing", "torch.optim"),
                *("jax.scipy.stats", "scipy.stats.norm", "jax.scipy.stats.norm"),
            ):  # fmt: skip
                return Library(path)
            return Builtin(of.path, name)
        if any(known.startswith(f"{path}.") or known == path for known in spellings.ARRAYS):
            return Library(path)
        return Builtin(of.path, name)

    def _of_class(self, of: Class, name: str) -> Value:
        found = of.find(name)
        if found is None and not of.has(name):
            text = f"the class {of.name} has no '{name}'"
            raise unread(text, kind="name", raised="AttributeError")
        bound = isinstance(found, Function) and found.kind == "classmethod"
        return Method(of, name, found) if bound else found

    def _of_super(self, of: Super, name: str, node: Any) -> Value:
        for base in of.start.bases:
            found = base.find(name) if isinstance(base, Class) else None
            if isinstance(found, Function) and found.kind == "property":
                return self.call(found, [of.of], {}, node)
            if found is not None:
                return Method(of.of, name, found)
        return Builtin("", "pass")

    def _of_instance(self, of: Instance, name: str, node: Any) -> Value:
        if name in of.names:
            return of.names[name]
        found = of.of.find(name)
        if found is None and not of.of.has(name):
            if name == "_replace" and of.of.is_tuple:
                return Partial(Builtin("dataclasses", "replace"), (of,), {})
            raise unread(f"the object has no '{name}'", kind="name", raised="AttributeError")
        if isinstance(found, Function):
            if found.kind == "property":
                return self.call(found, [of], {}, node)
            if found.kind == "staticmethod":
                return found
            return Method(of.of if found.kind == "classmethod" else of, name, found)
        return found

    def _of_number(self, of: Value, name: str, node: Any) -> Value:
        if name in NUMBERS and not (name == "size" and "torch" in self.libraries):
            return NUMBERS[name](self, of, self.where(node))
        if name == "at" and "jax" in self.libraries:
            return Partial(AT, (of,), {})
        written = self.attributes.get(self.written(node))
        if written is not None:
            return written
        if name in ("grad", "grad_fn", "imag"):
            raise unread(f"'.{name}' is not read: no derivative is computed here")
        return Method(of, name)


NUMBERS: dict[str, Callable[[Attributes, Value, Where], Value]] = {
    "T": lambda reader, of, where: transposed(reader, of, None, where),
    **dict.fromkeys(("mT", "mH", "H"), matrix_transposed),
    "shape": lambda reader, of, where: reader.tape.shape(of),
    "size": lambda reader, of, where: math.prod(reader.tape.shape(of)),
    "ndim": lambda reader, of, where: len(reader.tape.shape(of)),
    "dtype": lambda reader, of, where: Builtin("numpy", DTYPES[reader.kind(of)].__name__),
    "flat": flat,
    "device": lambda reader, of, where: "cpu",
    **dict.fromkeys(("real", "data", "requires_grad"), lambda reader, of, where: of),
}
"""Attributes of numbers and arrays; `size` is a method in PyTorch."""
