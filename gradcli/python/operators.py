"""Operators: two values and a sign come in, a value comes out.

Plain data go through Python's or NumPy's own operator, all else through rows of the table.
"""

from __future__ import annotations

import ast
import math
import operator
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.python.core import Core
from gradcli.python.limits import MOST_BITS
from gradcli.python.spellings import TYPES
from gradcli.python.tape import described
from gradcli.python.texts import formatted
from gradcli.python.values import (
    NOWHERE,
    Array,
    Builtin,
    Class,
    Function,
    Instance,
    Scalar,
    Stream,
    Value,
    Where,
    is_traced,
    unread,
)

BINARY: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any], str, str]] = {
    ast.Add: ("add", operator.add, "__add__", "+"),
    ast.Sub: ("sub", operator.sub, "__sub__", "-"),
    ast.Mult: ("mul", operator.mul, "__mul__", "*"),
    ast.Div: ("div", operator.truediv, "__truediv__", "/"),
    ast.Pow: ("pow", operator.pow, "__pow__", "**"),
    ast.MatMult: ("matmul", operator.matmul, "__matmul__", "@"),
    ast.Mod: ("mod", operator.mod, "__mod__", "%"),
    ast.FloorDiv: ("", operator.floordiv, "__floordiv__", "//"),
    ast.BitAnd: ("mul", operator.and_, "__and__", "&"),
    ast.BitOr: ("maximum", operator.or_, "__or__", "|"),
    ast.BitXor: ("not_equal", operator.xor, "__xor__", "^"),
    ast.LShift: ("", operator.lshift, "__lshift__", "<<"),
    ast.RShift: ("", operator.rshift, "__rshift__", ">>"),
}
"""By the sign: the row, what Python does, the method of a class, and how it is written."""

COMPARED: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any], str]] = {
    ast.Lt: ("less", operator.lt, "__lt__"),
    ast.LtE: ("less_equal", operator.le, "__le__"),
    ast.Gt: ("greater", operator.gt, "__gt__"),
    ast.GtE: ("greater_equal", operator.ge, "__ge__"),
    ast.Eq: ("equal", operator.eq, "__eq__"),
    ast.NotEq: ("not_equal", operator.ne, "__ne__"),
}


class Operators(Core):
    """What the signs of Python do."""

    @abstractmethod
    def call(self, function: Value, a: list[Value], k: dict[str, Value], node: Any) -> Value:
        """Call whatever can be called. Raises `Unread`."""

    @abstractmethod
    def library(
        self, function: Builtin, arguments: list[Value], keywords: dict[str, Value], node: Any
    ) -> Value:
        """Call a function of a library. Raises `Unread` for one that is not known."""

    def call_method(self, of: Value, name: str, arguments: list[Value], node: Any) -> Value:
        """A method of an object of the text; `NotImplemented` where it has none."""
        found = of.of.find(name) if isinstance(of, Instance) else None
        if found is None:
            return NotImplemented
        return self.call(found, [of, *arguments], {}, node)

    # --- two operands ---

    def binary(self, op: type[ast.operator], a: Value, b: Value, where: Where, node: Any) -> Value:
        """`a + b` and its like."""
        self.known(a)
        self.known(b)
        row, plain, special, sign = BINARY[op]
        if isinstance(a, Instance) or isinstance(b, Instance):
            return self._of_objects(special, a, b, node)
        if not is_traced(a) and not is_traced(b):
            arrays = isinstance(a, Array | np.generic) or isinstance(b, Array | np.generic)
            if not arrays:
                return self._plain_binary(op, plain, a, b)
            if isinstance(a, str):
                return formatted(self, a, (b,))
            x, y = (self.tape.value(self.numeric(v, where)) for v in (a, b))
            self._charge(op, x, y)
            with np.errstate(all="ignore"):
                return self.tape.plain(plain(x, y))
        if isinstance(a, str) and op is ast.Mod:
            return formatted(self, a, (b,))
        a, b = self.numeric(a, where), self.numeric(b, where)
        kinds = {self.kind(a), self.kind(b)}
        if op is ast.FloorDiv:
            return self.apply("floor", [self.apply("div", [a, b], where)], where)
        if op in (ast.BitAnd, ast.BitOr, ast.BitXor) and kinds != {"b"}:
            raise unread(f"'{sign}' joins truth values: comparisons in brackets")
        if not row:
            raise unread(f"'{sign}' is for whole numbers that depend on no input")
        if row == "add" and kinds == {"b"}:
            row = "maximum"
        if row == "div" and not is_traced(a) and self._is_one(a):
            return self.apply("reciprocal", [b], where._replace(operands=where.operands[1:]))
        whole = "f" not in kinds and op not in (ast.Div, ast.MatMult)
        kind = "b" if kinds == {"b"} and row in ("mul", "maximum", "not_equal") else "i"
        return self.apply(row, [a, b], where, kind=kind if whole else "f")

    def _is_one(self, value: Value) -> bool:
        return isinstance(value, int | float | np.generic) and value == 1

    def _of_objects(self, special: str, a: Value, b: Value, node: Any) -> Value:
        """An operator that a class of the text defines."""
        found: Value = NotImplemented
        if isinstance(a, Instance):
            found = self.call_method(a, special, [b], node)
        if found is NotImplemented and isinstance(b, Instance):
            found = self.call_method(b, special.replace("__", "__r", 1), [a], node)
        if found is NotImplemented:
            raise unread(f"the class has no {special}")
        return found

    def _charge(self, op: type[ast.operator], x: Any, y: Any) -> None:
        if op is ast.MatMult:
            columns = (np.shape(y) or (1,))[-1] if np.ndim(y) > 1 else 1
            self.budget.products(np.size(x) * columns)
            self.budget.elements(math.prod(np.shape(x)[:-1]) * columns)
        else:
            self.budget.broadcast((x, y))

    def _plain_binary(self, op: type[ast.operator], plain: Any, a: Value, b: Value) -> Value:
        """An operator on Python's own data, if its result is not too large."""
        whole = isinstance(a, int) and isinstance(b, int)
        if op is ast.Mod and isinstance(a, str):
            return formatted(self, a, b if isinstance(b, tuple) else (b,))
        if isinstance(a, str | tuple | list) and op in (ast.Add, ast.Mult):
            many = len(a) + len(b) if op is ast.Add and isinstance(b, str | tuple | list) else 0
            if op is ast.Mult and isinstance(b, int):
                many = len(a) * max(0, b)
            self._expect(many, a)
        elif op is ast.Mult and isinstance(b, str | tuple | list) and isinstance(a, int):
            self._expect(len(b) * max(0, a), b)
        elif whole and op in _GROWING and _GROWING[op](a, b) > MOST_BITS:
            raise self.budget.exceeded(f"a whole number of more than {MOST_BITS} bits")
        if not isinstance(a, _DATA) or not isinstance(b, _DATA):
            odd = b if isinstance(a, _DATA) else a
            raise unread(f"{described(odd)} can't be calculated with", raised="TypeError")
        if isinstance(a, dict | set) and isinstance(b, dict | set):
            self.budget.spend(len(a) + len(b))
        return plain(a, b)

    def _expect(self, count: int, of: Value) -> None:
        """Take note of a list or a text of so many items. Raises `GradcliError`."""
        if isinstance(of, str):
            self.budget.characters(count)
        else:
            self.budget.spend(count)

    # --- one operand ---

    def unary(self, op: ast.unaryop, value: Value, where: Where, node: Any) -> Value:
        """`-x`, `+x`, `~x`, `not x`."""
        self.known(value)
        if isinstance(op, ast.Not):
            return not self.truth(value)
        if isinstance(value, Instance):
            names = {ast.USub: "__neg__", ast.UAdd: "__pos__", ast.Invert: "__invert__"}
            return self.call_method(value, names[type(op)], [], node)
        value = self.numeric(value, where)
        if not is_traced(value):
            functions: dict[type[ast.unaryop], Callable[[Any], Any]] = {
                ast.USub: operator.neg,
                ast.UAdd: operator.pos,
                ast.Invert: operator.invert,
            }
            return self.tape.plain(functions[type(op)](self.tape.value(value)))
        if isinstance(op, ast.UAdd):
            return value
        if isinstance(op, ast.USub):
            return self.apply("neg", [value], where, kind=self.kind(value).replace("b", "i"))
        if self.kind(value) != "b":
            raise unread("'~' is for truth values")
        return self.apply("equal", [value, 0.0], where, kind="b")

    # --- comparisons ---

    def compared(self, op: ast.cmpop, a: Value, b: Value, where: Where, node: Any) -> Value:
        """One comparison."""
        self.known(a)
        self.known(b)
        if isinstance(op, ast.Is | ast.IsNot):
            same = a is b or (isinstance(a, bool) and isinstance(b, bool) and a == b)
            return same == isinstance(op, ast.Is)
        if isinstance(op, ast.In | ast.NotIn):
            return self._contained(a, b) == isinstance(op, ast.In)
        row, plain, special = COMPARED[type(op)]
        if isinstance(a, Builtin) and isinstance(b, Builtin | str):
            other = b if isinstance(b, str) else b.name
            same = a == b or (
                TYPES.get(a.name) is not None and TYPES.get(a.name) == TYPES.get(other)
            )
            return same == isinstance(op, ast.Eq)
        if isinstance(a, Instance) or isinstance(b, Instance):
            if isinstance(op, ast.Eq | ast.NotEq) and not (
                isinstance(a, Instance) and a.of.find(special) is not None
            ):
                return (a is b) == isinstance(op, ast.Eq)
            return self._of_objects(special, a, b, node)
        if not is_traced(a) and not is_traced(b):
            if isinstance(a, Array) or isinstance(b, Array):
                if a is None or b is None or isinstance(a, str) or isinstance(b, str):
                    return isinstance(op, ast.NotEq)
                x, y = (self.tape.value(self.numeric(v, where)) for v in (a, b))
                self.budget.broadcast((x, y))
                return self.tape.plain(plain(x, y))
            self.weigh(a)
            self.weigh(b)
            return plain(a, b)
        if not all(self.is_number(v) or isinstance(v, tuple | list) for v in (a, b)):
            if isinstance(op, ast.Eq | ast.NotEq):
                return isinstance(op, ast.NotEq)
            raise unread("a number is compared with something else")
        operands = [self.numeric(a, where), self.numeric(b, where)]
        return self.apply(row, operands, where, kind="b")

    def _contained(self, a: Value, b: Value) -> bool:
        if isinstance(b, Array):
            return bool(np.any(self.by_value(b, "a condition") == self.by_value(a, "a condition")))
        if isinstance(a, Scalar):
            a = self.by_value(a, "a condition")
        if isinstance(b, Stream):
            b = self.listed(b, NOWHERE)
        if isinstance(b, Instance):
            return self.truth(self.call_method(b, "__contains__", [a], None))
        if not isinstance(b, str | tuple | list | dict | set | range):
            raise unread(f"nothing is in {described(b)}", raised="TypeError")
        if isinstance(b, tuple | list):
            self.budget.spend(len(b))
            self.weigh(a)
            return any(a is v or (type(v) in _PLAIN and self._same(a, v)) for v in b)
        if isinstance(b, dict | set):
            return self.key(a) in b
        return a in b

    def key(self, value: Value) -> Any:
        """A value as the key of a dictionary. Raises `Unread` where it can't be one."""
        if isinstance(value, str | int | Instance | Class | Function | Builtin):
            return value
        found = self.by_value(value, "a key")
        if isinstance(found, np.generic):
            found = found.item()
        try:
            hash(found)
        except TypeError:
            text = f"{described(found)} isn't a key of a dictionary"
            raise unread(text, raised="TypeError") from None
        return found

    def _same(self, a: Value, b: Value) -> bool:
        self.weigh(b)
        return bool(a == b)


_GROWING: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Pow: lambda a, b: a.bit_length() * abs(b),
    ast.LShift: lambda a, b: a.bit_length() + b,
    ast.Mult: lambda a, b: a.bit_length() + b.bit_length(),
}
"""At most how many bits a whole number gets."""
_PLAIN = (bool, int, float, str, type(None), tuple, np.float64, np.int64)
_DATA = (bool, int, float, complex, str, tuple, list, set, dict, np.generic)
