"""Attributes and methods: of arrays and numbers, of lists, dicts and texts.

There is a short method per name, which is found by it: the module is as long as their list.
"""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from typing import Any

import numpy as np

from gradcli.python import spellings
from gradcli.python.array_calls import ArrayCalls
from gradcli.python.array_makers import Generator
from gradcli.python.library_calls import Arguments, Keywords
from gradcli.python.tape import described
from gradcli.python.values import (
    NOWHERE,
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
IN_PLACE = {"add_": "__add__", "sub_": "__sub__", "mul_": "__mul__", "div_": "__truediv__"}

METHODS = frozenset(
    [
        *("__init__", "__call__", "__getitem__", "__setitem__", "__len__", "__iter__", "__next__"),
        *("__add__", "__sub__", "__mul__", "__truediv__", "__pow__", "__matmul__", "__neg__"),
        *("__radd__", "__rsub__", "__rmul__", "__rtruediv__", "__eq__", "__lt__", "__gt__"),
        *("__enter__", "__exit__", "__post_init__", "__abs__", "__contains__"),
    ]
)
"""Methods of classes of the text that may be called by their own names."""

TEXT_METHODS = frozenset(
    [
        "format",
        "join",
        "split",
        "strip",
        "lstrip",
        "rstrip",
        "upper",
        "lower",
        "title",
        "capitalize",
        "startswith",
        "endswith",
        "replace",
        "zfill",
        "isdigit",
        "isalpha",
        "count",
        "find",
        "index",
        "rjust",
        "ljust",
        "center",
    ]
)


class Methods(ArrayCalls):
    """`x.name` and `x.name(…)`."""

    def written(self, node: Any) -> str:
        """A part of the text as it stands there."""
        span = self.span(node)
        return " ".join(self.text.source.text[span.start : span.end].split())

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

    @abstractmethod
    def python(self, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
        """Call one of Python's own functions."""

    def _of_number(self, of: Value, name: str, node: Any) -> Value:
        where = self.where(node)
        if name == "T":
            return self.transposed(of, None, where)
        if name in ("mT", "mH", "H"):
            return self.matrix_transposed(of, where)
        if name == "shape":
            return self.tape.shape(of)
        if name == "size" and "torch" not in self.imported:
            return math.prod(self.tape.shape(of))
        if name == "ndim":
            return len(self.tape.shape(of))
        if name == "dtype":
            return Builtin("numpy", {"f": "float64", "i": "int64", "b": "bool"}[self.kind(of)])
        if name == "flat":
            return self.reshaped(of, (math.prod(self.tape.shape(of)),), where)
        if name == "device":
            return "cpu"
        if name in ("real", "data", "requires_grad"):
            return of
        if name == "at" and "jax" in self.imported:
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
            return self.drawn(of.generator, name, a, k)
        if isinstance(of, set):
            return self._set_method(of, name, a, node)
        if isinstance(of, tuple) and name in ("index", "count"):
            self.weigh(of)
            return getattr(of, name)(self.key(a[0]))
        if isinstance(of, slice | range) or of is None:
            raise unread(f"{described(of)} has no '{name}'")
        raise unread(f"{described(of)} has no '{name}'")

    def _number_method(self, of: Value, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
        where = self.where(node)
        torch = "torch" in self.imported
        if name == "astype" or (name == "type" and a):
            return self.cast(of, a[0] if a else k.get("dtype", "float"), where)
        if name in ("int", "long", "bool"):
            return self.cast(of, name, where)
        if name in ("copy", "clone"):
            found = self.copied(of, where)
            if isinstance(found, Array) and found.node is not None:
                found.node = self.tape.row_major(found.node, where)
            elif isinstance(found, Array):
                found.data = np.ascontiguousarray(found.data)
            return found
        detaches = name in ("detach", "item", "tolist", "numpy")
        if detaches and torch and self.as_program and is_traced(of):
            of = self.stopped(of, f"{name}()")
        if name in SAME:
            return of
        if name == "item":
            return (
                self.reshaped(of, (), where)
                if isinstance(of, Array) and not a
                else of
                if not a
                else self.element(of, tuple(a), where)
            )
        if name == "tolist":
            return self._as_list(of)
        if name == "fill" and isinstance(of, Array):
            self.tape.store(of, Ellipsis, self.numeric(a[0], where), where)
            return None
        if name in ("zero_", "fill_") and isinstance(of, Array):
            self.tape.store(of, Ellipsis, a[0] if a else 0.0, where)
            return of
        if name in IN_PLACE and isinstance(of, Array):
            import ast  # noqa: PLC0415 - for the signs alone

            sign = {"add_": ast.Add, "sub_": ast.Sub, "mul_": ast.Mult, "div_": ast.Div}[name]
            self.tape.store(of, Ellipsis, self.binary(sign, of, a[0], where, node), where)
            return of
        if name == "size":
            shape = self.tape.shape(of)
            return shape if not a and "dim" not in k else shape[self.whole(a[0] if a else k["dim"])]
        if name in ("dim", "ndimension"):
            return len(self.tape.shape(of))
        if name in ("numel", "nelement"):
            return math.prod(self.tape.shape(of))
        if name == "t":
            return self.transposed(of, None, where)
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
            self.tape.store(of, Ellipsis, found, where)
            return of
        if name in ("is_integer", "bit_length"):
            return getattr(self.by_value(of, f"{name}()"), name)()
        if name == "sort" and isinstance(of, Array) and not torch:
            found = self.library(Builtin("numpy", "sort"), [of, *a], k, node)
            self.tape.store(of, Ellipsis, found, where)
            return None
        return self.library(Builtin("torch" if torch else "numpy", name), [of, *a], k, node)

    def _as_list(self, of: Value) -> Value:
        if not isinstance(of, Array):
            return of
        self.budget.spend(math.prod(self.tape.shape(of)))
        if not is_traced(of):
            return self.tape.value(of).tolist()
        return [self._as_list(v) for v in self.sequence(of)]

    def _set_method(self, of: set[Any], name: str, a: Arguments, node: Any) -> Value:
        self.budget.spend(1 + len(of) // 10)
        if name in ("add", "discard", "remove"):
            return getattr(of, name)(self.key(a[0]))
        known = ("union", "intersection", "difference", "update", "issubset", "issuperset", "copy")
        if name not in known:
            raise unread(f"the method '{name}' of a set is not read")
        more = [{self.key(v) for v in self.listed(m, self.where(node))} for m in a]
        return getattr(of, name)(*more)

    def _list_method(
        self, of: list[Value], name: str, a: Arguments, k: Keywords, node: Any
    ) -> Value:
        self.budget.spend()
        if name == "append":
            of.append(a[0])
        elif name == "extend":
            of.extend(self.listed(a[0], self.where(node)))
        elif name == "insert":
            self.budget.spend(len(of) // 50)
            of.insert(self.whole(a[0]), a[1])
        elif name == "pop":
            if not of:
                raise unread("pop from an empty list", raised="IndexError")
            return of.pop(self.whole(a[0]) if a else -1)
        elif name == "reverse":
            of.reverse()
        elif name == "copy":
            self.budget.spend(len(of))
            return list(of)
        elif name == "clear":
            of.clear()
        elif name == "sort":
            of[:] = self.python("sorted", [of], k, node)
        elif name == "remove":
            of.pop(self._list_method(of, "index", a, k, node))
        elif name in ("popleft", "appendleft"):  # of a deque
            return of.pop(0) if name == "popleft" else of.insert(0, a[0])
        elif name in ("index", "count"):
            return getattr(self.by_value(of, name), name)(self.by_value(a[0], name))
        else:
            raise unread(f"the method '{name}' of a list is not read")
        return None

    def _dict_method(self, of: dict[Any, Value], name: str, a: Arguments, k: Keywords) -> Value:
        self.budget.spend(1 + (0 if name in ("get", "pop", "setdefault") else len(of)))
        if name in ("items", "keys", "values"):
            return [*getattr(of, name)()]
        if name in ("get", "pop", "setdefault"):
            key = self.key(a[0])
            if name == "pop" and len(a) < 2 and key not in of:
                raise unread("the dictionary has no such key", raised="KeyError")
            return getattr(of, name)(key, *(a[1:] or ([] if name == "pop" else [None])))
        if name == "popitem":
            return of.popitem()
        if name == "clear":
            return of.clear()
        if name == "copy":
            return dict(of)
        if name == "update":
            more = self.python("dict", a, k, None)
            of.update(more)
            return None
        raise unread(f"the method '{name}' of a dictionary is not read")

    def _text_method(self, of: str, name: str, a: Arguments, k: Keywords) -> Value:
        if name not in TEXT_METHODS:
            raise unread(f"the method '{name}' of a text is not read")
        plain = [self.by_value(v, "a text") for v in a]
        named = {key: self.by_value(v, "a text") for key, v in k.items()}
        if name == "format":
            if re.search(r"\d{4,}|\{[^}]*\{|__", of):
                raise self.budget.exceeded("a width of more than three digits")
            if re.search(r"\{[^}]*[.\[]_", of):
                raise unread("this format is not read")
            longest = max([1, *(len(str(v)) for v in (*plain, *named.values()))])
            self.expect_room(len(of) + of.count("{") * (1000 + longest), text=True)
            return of.format(*plain, **named)
        if name in ("zfill", "rjust", "ljust", "center") and self.whole(plain[0]) > 1000:
            raise self.budget.exceeded("a width of more than three digits")
        if name == "replace":
            self.expect_room(len(of) * max(1, len(plain[1])), text=True)
        if name == "join":
            plain = [[*map(self.text_item, self.listed(a[0], NOWHERE))]]
            self.expect_room(sum(len(of) + len(v) for v in plain[0]), text=True)
        self.expect_room(len(of), text=True)
        return getattr(of, name)(*plain, **named)

    def text_item(self, value: Value) -> str:
        """One of the texts that `join` takes."""
        if not isinstance(value, str):
            raise unread("join takes texts", raised="TypeError")
        return value
