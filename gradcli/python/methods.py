"""Attributes, and the methods of arrays and numbers."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np

from gradcli.python import spellings
from gradcli.python.array_makers import Generator, cast, copied, drawn, stopped
from gradcli.python.array_shapes import flat, matrix_transposed, sequence, transposed
from gradcli.python.calls import Arguments, Keywords
from gradcli.python.containers import Containers
from gradcli.python.stores import store
from gradcli.python.tape import described
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
    is_traced,
    unread,
)

SAME = frozenset(
    [
        "detach",
        "numpy",
        "cpu",
        "cuda",
        "to",
        "double",
        "float",
        "contiguous",
        "requires_grad_",
        "requires_grad",
        "clone",
        "squeeze_",
        "real",
        "conj",
        "conjugate",
        "data",
        "type_as",
    ]
)
"""Methods and attributes that give the array itself, in double precision."""

AT = Builtin("jax", "at")
"""`x.at` of jax."""
IN_PLACE = {"add_": ast.Add, "sub_": ast.Sub, "mul_": ast.Mult, "div_": ast.Div}
"""Methods of torch that change an array as an operator would."""

METHODS = frozenset(
    [
        *("__init__", "__call__", "__getitem__", "__setitem__", "__len__", "__iter__", "__next__"),
        *("__add__", "__sub__", "__mul__", "__truediv__", "__pow__", "__matmul__", "__neg__"),
        *("__radd__", "__rsub__", "__rmul__", "__rtruediv__", "__eq__", "__lt__", "__gt__"),
        *("__enter__", "__exit__", "__post_init__", "__abs__", "__contains__"),
    ]
)
"""Methods of classes of the text that may be called by their own names."""


class Methods(Containers):
    """`x.name` and `x.name(…)`."""

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
            return self._of_library(of, name)
        if isinstance(of, Instance):
            return self._of_instance(of, name, node)
        if isinstance(of, Class):
            found = of.find(name)
            if found is None and not of.has(name):
                text = f"the class {of.name} has no '{name}'"
                raise unread(text, kind="name", raised="AttributeError")
            if isinstance(found, Function) and found.kind == "classmethod":
                return Method(of, name, found)
            return found
        if isinstance(of, Super):
            for base in of.start.bases:
                found = base.find(name) if isinstance(base, Class) else None
                if isinstance(found, Function) and found.kind == "property":
                    return self.call(found, [of.of], {}, node)
                if found is not None:
                    return Method(of.of, name, found)
            return Builtin("", "pass")
        if isinstance(of, Builtin):
            if name == "at" or name in ("reduce", "accumulate", "outer"):
                return Builtin(of.library, f"{of.name}.{name}")
            if name == "random" or not of.library:
                raise unread(f"'{of.name}.{name}' is not read")
            return self._of_library(Library(f"{of.library}.{of.name}"), name)
        if isinstance(of, Partial) and of.function == AT:
            return Partial(Builtin("jax", f"at.{name}"), of.arguments, {})
        if isinstance(of, Function):
            if name in ("__name__", "name"):
                return of.name
            raise unread(f"the function {of.name} has no '{name}'")
        if isinstance(of, Array | Scalar | np.generic | int | float) and not isinstance(of, bool):
            return self._of_number(of, name, node)
        return Method(of, name)

    def _of_library(self, of: Library, name: str) -> Value:
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
        where = self.where(node)
        if name == "T":
            return transposed(self, of, None, where)
        if name in ("mT", "mH", "H"):
            return matrix_transposed(self, of, where)
        if name == "shape":
            return self.tape.shape(of)
        if name == "size" and "torch" not in self.libraries:
            return math.prod(self.tape.shape(of))
        if name == "ndim":
            return len(self.tape.shape(of))
        if name == "dtype":
            return Builtin("numpy", {"f": "float64", "i": "int64", "b": "bool"}[self.kind(of)])
        if name == "flat":
            return flat(self, of, where)
        if name == "device":
            return "cpu"
        if name in ("real", "data", "requires_grad"):
            return of
        if name == "at" and "jax" in self.libraries:
            return Partial(AT, (of,), {})
        written = self.attributes.get(self.written(node))
        if written is not None:
            return written
        if name in ("grad", "grad_fn", "imag"):
            raise unread(f"'.{name}' is not read: no derivative is computed here")
        return Method(of, name)

    # --- calls of methods ---

    def method_call(self, method: Method, a: Arguments, k: Keywords, node: Any) -> Value:
        """`of.name(…)`."""
        of, name = method.of, method.name
        if method.function is not None:
            return self.call(method.function, [of, *a], k, node)
        if isinstance(of, Array | Scalar | np.generic | int | float) and not isinstance(of, bool):
            return self._number_method(of, name, a, k, node)
        if isinstance(of, list):
            return self._list_method(of, name, a, k, node)
        if isinstance(of, dict):
            return self._dict_method(of, name, a, k)
        if isinstance(of, str):
            return self._text_method(of, name, a, k)
        if isinstance(of, Generator):
            return drawn(self, of.generator, name, a, k)
        if isinstance(of, set):
            return self._set_method(of, name, a, node)
        if isinstance(of, tuple) and name in ("index", "count"):
            self.weigh(of)
            return getattr(of, name)(self.key(a[0]))
        raise unread(f"{described(of)} has no '{name}'")

    def _number_method(self, of: Value, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
        where = self.where(node)
        torch = "torch" in self.libraries
        if name == "astype" or (name == "type" and a):
            return cast(self, of, a[0] if a else k.get("dtype", "float"), where)
        if name in ("int", "long", "bool"):
            return cast(self, of, name, where)
        if name in ("copy", "clone"):
            found = copied(self, of)
            if isinstance(found, Array) and found.node is not None:
                found.node = self.tape.row_major(found.node, where)
            elif isinstance(found, Array):
                found.data = np.ascontiguousarray(found.data)
            return found
        detaches = name in ("detach", "item", "tolist", "numpy")
        if detaches and torch and self.as_program and is_traced(of):
            of = stopped(self, of, f"{name}()")
        if name in SAME:
            return of
        if name == "item":
            if a:
                return self.element(of, tuple(a), where)
            return self.reshaped(of, (), where) if isinstance(of, Array) else of
        if name == "tolist":
            return self._as_list(of)
        if name == "fill" and isinstance(of, Array):
            store(self.tape, of, Ellipsis, self.numeric(a[0], where), where)
            return None
        if name in ("zero_", "fill_") and isinstance(of, Array):
            store(self.tape, of, Ellipsis, a[0] if a else 0.0, where)
            return of
        if name in IN_PLACE and isinstance(of, Array):
            changed = self.binary(IN_PLACE[name], of, a[0], where, node)
            store(self.tape, of, Ellipsis, changed, where)
            return of
        if name == "size":
            shape = self.tape.shape(of)
            return shape if not a and "dim" not in k else shape[self.whole(a[0] if a else k["dim"])]
        if name in ("dim", "ndimension"):
            return len(self.tape.shape(of))
        if name in ("numel", "nelement"):
            return math.prod(self.tape.shape(of))
        if name == "t":
            return transposed(self, of, None, where)
        if name in ("backward", "retain_grad", "zero_grad"):
            return None
        if name == "view" and not a and isinstance(of, Array):
            return self.element(of, Ellipsis, where)
        if name in {"view_as", "reshape_as"}:
            return self.reshaped(of, self.tape.shape(a[0]), where)
        if name in ("new_zeros", "new_ones"):
            return self.library(Builtin("torch", name[4:]), a, k, node)
        if name in ("expand", "broadcast_to"):
            wanted = a[0] if len(a) == 1 and isinstance(a[0], tuple | list) else tuple(a)
            own = self.tape.shape(of)
            whole = [self.whole(n) for n in wanted]
            lengths = tuple(own[i - len(whole)] if n == -1 else n for i, n in enumerate(whole))
            return self.library(Builtin("numpy", "broadcast_to"), [of, lengths], {}, node)
        if name == "repeat" and torch:
            return self.library(Builtin("numpy", "tile"), [of, tuple(a)], {}, node)
        if name.endswith("_") and isinstance(of, Array):
            found = self.library(Builtin("torch", name[:-1]), [of, *a], k, node)
            store(self.tape, of, Ellipsis, found, where)
            return of
        if name in ("is_integer", "bit_length"):
            return getattr(self.by_value(of, f"{name}()"), name)()
        if name == "sort" and isinstance(of, Array) and not torch:
            found = self.library(Builtin("numpy", "sort"), [of, *a], k, node)
            store(self.tape, of, Ellipsis, found, where)
            return None
        return self.library(Builtin("torch" if torch else "numpy", name), [of, *a], k, node)

    def _as_list(self, of: Value) -> Value:
        if not isinstance(of, Array):
            return of
        self.budget.spend(math.prod(self.tape.shape(of)))
        if not is_traced(of):
            return self.tape.value(of).tolist()
        return [self._as_list(v) for v in sequence(self, of)]
