"""Calls of a library's functions: of plain data NumPy's own, else rows of the operation table.

A function with its arguments comes in, its value comes out. `meaning` says which function of the
language the library means, with which arguments. That is looked for (`_read`) among the operators,
in `array_table` (shapes, choices, arrays that are made), as NumPy's own function where no argument
is traced, in the prelude (functions written in Python), and in the operation table with its
compositions.
"""

from __future__ import annotations

import ast
import math
from abc import abstractmethod
from typing import Any

import numpy as np

from gradcli import ops
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.python import prelude, spellings
from gradcli.python.array_makers import cast
from gradcli.python.array_shapes import with_places
from gradcli.python.array_table import CHANGING, reading
from gradcli.python.calls import Arguments, Call, Keywords, arguments_for
from gradcli.python.composed import composed, row_call
from gradcli.python.plain_calls import plain_call
from gradcli.python.stores import store
from gradcli.python.subscripts import Subscripts
from gradcli.python.values import Array, Builtin, Stream, Unread, Value, has_traced, unread
from gradcli.syntax.library.meanings import meaning
from gradcli.syntax.library.meant import ALL, Meant, Refused
from gradcli.syntax.library.names import KEYWORDS, OPERANDS

SIGNS = {
    "add": ast.Add,
    "subtract": ast.Sub,
    "multiply": ast.Mult,
    "divide": ast.Div,
    "power": ast.Pow,
    "matmul": ast.MatMult,
    "mod": ast.Mod,
    "remainder": ast.Mod,
    "floor_divide": ast.FloorDiv,
    "logical_and": ast.BitAnd,
    "logical_or": ast.BitOr,
    "logical_xor": ast.BitXor,
    "bitwise_and": ast.BitAnd,
    "bitwise_or": ast.BitOr,
}
"""Functions that are an operator."""

NO_OPERAND = ("zeros", "ones", "full", "arange", "eye", "where")
"""Functions whose first argument is none of `OPERANDS`."""
PAIRS = ("max", "min", "median")
"""What gives values and places in PyTorch, along an axis."""


class LibraryCalls(Subscripts):
    """A function of NumPy, torch, jax, math or SciPy with its arguments."""

    @abstractmethod
    def from_prelude(self, name: str, arguments: Arguments, keywords: Keywords, node: Any) -> Value:
        """Call a function of the prelude."""

    def library(
        self, function: Builtin, arguments: Arguments, keywords: Keywords, node: Any
    ) -> Value:
        """Call a function of a library. Raises `Unread` for one that is not known."""
        arguments = [
            self.listed(v, self.where(node)) if isinstance(v, Stream) else v for v in arguments
        ]
        for value in (*arguments, *keywords.values()):
            self.known(value)
        if function.name in CHANGING:
            return self._spelled(function, arguments, keywords, node)
        written = {k: v for k, v in keywords.items() if k not in spellings.IGNORED}
        try:
            meant = meaning(function.library, function.name, arguments, written)
        except Refused as refused:
            name = f"{function.library}.{function.name}"
            raise unread(refused.message.format(name), refused.hint) from None
        if meant is None:
            return self._spelled(function, arguments, keywords, node)
        dtype = {"dtype": keywords["dtype"]} if "dtype" in keywords else {}
        found = self._meant(meant._replace(keywords=meant.keywords | dtype), node)
        several = function.library.startswith("torch") and function.name in PAIRS
        if several and meant.keywords.get("axis") is not None:
            return with_places(self, found, arguments[0], meant)
        return found

    def _meant(self, meant: Any, node: Any) -> Value:
        """A call of a function of the language."""
        operands = [self._meant(v, node) if isinstance(v, Meant) else v for v in meant.operands]
        keywords = {k: None if v is ALL else v for k, v in meant.keywords.items()}
        return self._spelled(Builtin("gradcli", meant.name), operands, keywords, node)

    def _spelled(
        self, function: Builtin, arguments: Arguments, keywords: Keywords, node: Any
    ) -> Value:
        """Call a function that has the arguments of its namesake here."""
        family = spellings.ARRAYS.get(function.library, "other")
        name = spellings.ALIASES.get(function.name, function.name)
        dtype = keywords.get("dtype")
        keywords = {
            KEYWORDS.get(k, k): v for k, v in keywords.items() if k not in spellings.IGNORED
        }
        universal = getattr(np, name, None) if family == "numpy" else None
        if isinstance(universal, np.ufunc):
            if "where" in keywords:
                hint = f"write np.where(c, np.{name}(x), y)"
                raise unread(f"where= of {name} is not read", hint)
            if len(arguments) == universal.nin + 1:
                *arguments, keywords["out"] = arguments
        out = keywords.pop("out", None)
        first = next((k for k in OPERANDS if k in keywords), None)
        if not arguments and first and name not in NO_OPERAND:
            arguments = [keywords.pop(first)]
        written = node.args if isinstance(node, ast.Call) else ()
        call = Call(name, family, arguments, keywords, self.where(node, *written), node)
        found = self._read(function, call)
        typed = dtype is not None and self.is_number(found)
        if typed and self.kind(found) != spellings.kind_of(dtype):
            found = cast(self, found, dtype, call.where)
        if out is None:
            return found
        if not isinstance(out, Array):
            raise unread("out= takes an array")
        store(self.tape, out, Ellipsis, found, call.where)
        return out

    def _read(self, function: Builtin, call: Call) -> Value:
        """The value of a call: an operator's, by a reader of its own, as it is, by its row."""
        family, name, given = call.family, call.name, call.arguments
        own = f"{family}_{name}"
        if own in prelude.NAMES and (family != "math" or has_traced(given)):
            return self.from_prelude(own, given, call.keywords, call.node)
        if name in SIGNS and len(given) == 2 and not call.keywords:
            return self.binary(SIGNS[name], given[0], given[1], call.where, call.node)
        reads = reading(family, name)
        if reads is not None:
            return reads(self, call, *arguments_for(reads, self, call))
        if not has_traced(given) and not has_traced(call.keywords):
            found = plain_call(self, call)
            if found is not NotImplemented:
                return found
        if family == "other":
            raise self._not_read(function, family)
        weighted = name if call.keywords.get("weight") is None else f"weighted_{name}"
        for own in (weighted, name):
            if own in prelude.NAMES:
                return self.from_prelude(own, given, call.keywords, call.node)
        if ops.is_function(name):
            meant = ops.function(name, len(given), call.keywords)
            if isinstance(meant, ops.Composition):
                return composed(self, meant, call)
            return row_call(self, meant, call)
        raise self._not_read(function, family)

    def _not_read(self, function: Builtin, family: str) -> Unread:
        """The exception for a function that is not known, with what may be meant by a slip."""
        of = {"numpy": np, "linalg": np.linalg, "math": math}.get(family)
        slip = of is not None and not hasattr(of, function.name)
        hint = did_you_mean(function.name, dir(of)) if slip else None
        return unread(f"{function.library}.{function.name} is not read", hint, kind="name")
