"""Calls of a library's functions: of plain data NumPy's own, else rows of the operation table.

The name and the library decide. `FUNCTIONS` has those that need more than a row with its
arguments put in order; they are methods here and in `array_calls`.
"""

from __future__ import annotations

import ast
import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradcli import ops
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.ops import Composition
from gradcli.ops.operation import Operation
from gradcli.python import prelude, spellings
from gradcli.python.composed import arranged, composition, steps
from gradcli.python.plain_calls import plain_call
from gradcli.python.stores import store
from gradcli.python.subscripts import Subscripts
from gradcli.python.values import (
    Array,
    Builtin,
    Stream,
    Value,
    Where,
    has_traced,
    unread,
)
from gradcli.syntax.library.meanings import meaning
from gradcli.syntax.library.meant import ALL, Meant, Refused
from gradcli.syntax.library.names import KEYWORDS, OPERANDS

Arguments: TypeAlias = list[Value]
Keywords: TypeAlias = dict[str, Value]

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

PAIRS = ("max", "min", "median")
"""What gives values and places in PyTorch, along an axis."""


class Call(NamedTuple):
    """A call of a library's function."""

    name: str
    """As NumPy has it."""
    family: str
    """The library, for what a name means in it: `numpy`, `torch`, `jax`, `scipy`, `math` …"""
    arguments: list[Value]
    keywords: Keywords
    where: Where
    node: Any


Method: TypeAlias = Callable[[Call], Value]


def taken(arguments: Arguments, keywords: Keywords, *names: str, **more: Any) -> list[Value]:
    """The arguments in the order of their names; `more` have defaults. Raises `Unread`."""
    given = list(arguments)
    found = []
    for name in (*names, *more):
        if given:
            found.append(given.pop(0))
        elif name in keywords:
            found.append(keywords[name])
        elif name in more:
            found.append(more[name])
        else:
            raise unread(f"the argument '{name}' is missing")
    unknown = set(keywords) - {*names, *more}
    if given or any(keywords[k] is not None for k in unknown):
        raise unread(
            f"an argument is not read: {', '.join(sorted(unknown)) or 'there are too many'}"
        )
    return found


class LibraryCalls(Subscripts):
    """A function of NumPy, torch, jax, math or SciPy with its arguments."""

    @abstractmethod
    def special(self, family: str, name: str) -> Method | None:
        """The method for a function that needs one."""

    @abstractmethod
    def cast(self, value: Value, dtype: Value, where: Where) -> Value:
        """A number or array of another type."""

    @abstractmethod
    def with_places(self, found: Value, of: Value, meant: Meant) -> Value:
        """What PyTorch gives along an axis: values and their places."""

    @abstractmethod
    def from_prelude(
        self, name: str, arguments: list[Value], keywords: Keywords, node: Any
    ) -> Value:
        """Call a function of the prelude."""

    def library(
        self, function: Builtin, arguments: list[Value], keywords: Keywords, node: Any
    ) -> Value:
        """Call a function of a library. Raises `Unread` for one that is not known."""
        arguments = [self.list_of(v, node) for v in arguments]
        for value in (*arguments, *keywords.values()):
            self.known(value)
        written = {k: v for k, v in keywords.items() if k not in spellings.IGNORED}
        try:
            meant = meaning(function.library, function.name, arguments, written)
        except Refused as refused:
            where = f"{function.library}.{function.name}"
            raise unread(refused.message.format(where), refused.hint) from None
        if meant is None:
            return self.spelled(function, arguments, keywords, node)
        dtype = {"dtype": keywords["dtype"]} if "dtype" in keywords else {}
        found = self.meant(meant._replace(keywords=meant.keywords | dtype), node)
        several = function.library.startswith("torch") and function.name in PAIRS
        if several and meant.keywords.get("axis") is not None:
            return self.with_places(found, arguments[0], meant)
        return found

    def meant(self, meant: Any, node: Any) -> Value:
        """A call of a function of the language."""
        operands = [self.meant(v, node) if isinstance(v, Meant) else v for v in meant.operands]
        keywords = {k: None if v is ALL else v for k, v in meant.keywords.items()}
        return self.spelled(Builtin("gradcli", meant.name), operands, keywords, node)

    def spelled(
        self, function: Builtin, arguments: list[Value], keywords: Keywords, node: Any
    ) -> Value:
        """Call a function that has the arguments of its namesake here."""
        family = spellings.ARRAYS.get(function.library, "other")
        name = spellings.ALIASES.get(function.name, function.name)
        where = self.where(node, *_written(node))
        dtype = keywords.get("dtype")
        keywords = {
            KEYWORDS.get(k, k): v
            for k, v in keywords.items()
            if k not in spellings.IGNORED or (k == "dtype" and name in ("array", "zeros", "ones"))
        }
        universal = getattr(np, name, None) if family == "numpy" else None
        if isinstance(universal, np.ufunc) and "where" in keywords:
            raise unread(f"where= of {name} is not read", f"write np.where(c, np.{name}(x), y)")
        if isinstance(universal, np.ufunc) and len(arguments) == universal.nin + 1:
            keywords["out"] = arguments.pop()
        if "out" in keywords and name != "array":
            into = keywords.pop("out")
            found = self.library(function, arguments, keywords, node)
            if into is None:
                return found
            if not isinstance(into, Array):
                raise unread("out= takes an array")
            store(self.tape, into, Ellipsis, found, where)
            return into
        if arguments or name in ("zeros", "ones", "full", "arange", "eye"):
            pass
        else:
            first = next((k for k in OPERANDS if k in keywords), None)
            if first is not None:
                arguments = [keywords.pop(first)]
        if name in SIGNS and len(arguments) == 2 and not keywords:
            return self.binary(SIGNS[name], arguments[0], arguments[1], where, node)
        method = self.special(family, name)
        if method is not None:
            return method(Call(name, family, arguments, keywords, where, node))
        if not has_traced(arguments) and not has_traced(keywords):
            found = plain_call(self, family, name, arguments, keywords)
            if found is not NotImplemented:
                typed = dtype is not None and self.is_number(found)
                return self.cast(found, dtype, where) if typed else found
        for given in (f"{family}_{name}", name):
            if family != "other" and given in prelude.NAMES:
                return self.from_prelude(given, arguments, keywords, node)
        if family != "other":
            function_of = composition(name, len(arguments), list(keywords))
            if function_of is not None:
                return self.composed(function_of, arguments, keywords, where)
            if ops.is_row(name):
                return self.row_call(name, arguments, keywords, where)
        libraries = {"numpy": np, "linalg": np.linalg, "math": math}
        of, hint = libraries.get(family), None
        if of is not None and not hasattr(of, function.name):  # a slip, and no real function's name
            hint = did_you_mean(function.name, dir(of))
        raise unread(f"{function.library}.{function.name} is not read", hint, kind="name")

    def list_of(self, value: Value, node: Any) -> Value:
        """What a generator gives as a list; anything else as it is."""
        return self.listed(value, self.where(node)) if isinstance(value, Stream) else value

    # --- compositions and rows ---

    def composed(
        self, function: Composition, arguments: list[Value], keywords: Keywords, where: Where
    ) -> Value:
        """A function that is several operations, at the place of its call."""
        operands, given = arranged(function, arguments, keywords)
        options = tuple((k, self._option(v, None, text=True)) for k, v in given.items())
        values = [self.numeric(v, where) for v in operands.values()]
        try:
            parts, result = steps(function.name, tuple(operands), options)
        except GradcliError as error:
            raise unread(error.message, error.hint) from None
        if not isinstance(result, int):
            return result.value
        where = where._replace(operands=())
        for step in parts[len(values) :]:
            found = [values[o] if isinstance(o, int) else o.value for o in step.operands]
            row = step.operation
            values.append(
                found[0] if row is None else self.apply(row, found, where, {**step.options})
            )
        return values[result]

    def row_call(
        self, name: str, arguments: list[Value], keywords: Keywords, where: Where
    ) -> Value:
        """A function of the operation table, its arguments sorted into operands and options."""
        row = ops.row_of(name, len(arguments), keywords)
        operands: list[Value] = []
        options: dict[str, Any] = {}
        waiting = list(arguments)
        for parameter in row.parameters:
            if parameter.variadic:
                many = waiting
                if row.sequence:
                    many = list(waiting.pop(0)) if waiting else []
                    operands += [self.numeric(v, where) for v in many]
                else:
                    operands += [self.numeric(v, where) for v in many]
                    waiting = []
                continue
            given = waiting.pop(0) if waiting else keywords.pop(parameter.name, None)
            if given is None and parameter.required:
                raise unread(f"{name} needs '{parameter.name}'")
            if parameter.option:
                options[parameter.name] = self._option(given, parameter.default)
            else:
                operands.append(
                    float(parameter.default) if given is None else self.numeric(given, where)
                )
        left = [k for k, v in keywords.items() if v is not None and k not in options]
        if waiting or left:
            raise unread(f"{name} gets an argument that is not read: {left[0] if left else ''}")
        return self.applied(row, operands, where, options)

    def applied(
        self, row: Operation, operands: list[Value], where: Where, options: dict[str, Any]
    ) -> Value:
        """A row on values; truth values come of comparisons."""
        kind = "b" if row.symbol in ("<", "<=", ">", ">=", "==", "!=") else "f"
        spans = where.operands if len(where.operands) == len(operands) else ()
        return self.apply(row, operands, where._replace(operands=spans), options, kind)

    def _option(self, given: Value, default: Any, *, text: bool = False) -> Any:
        if given is None:
            return default
        if isinstance(given, tuple | list):
            return tuple(self._option(v, None) for v in given)
        found = self.by_value(given, "an option")
        if isinstance(found, bool | np.bool_):
            return bool(found)
        if isinstance(found, str):
            if text:
                return found
            raise unread(f"the option {found!r} is not read")
        if np.size(found) != 1:
            raise unread("an option is one number", kind="shape")
        number = float(found)
        return int(number) if number.is_integer() else number


def _written(node: Any) -> list[Any]:
    """The arguments of a call as they stand there."""
    return list(node.args) if isinstance(node, ast.Call) else []
