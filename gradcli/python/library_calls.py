"""Calls of a library's functions: of plain data NumPy's own, else rows of the operation table.

The name and the library decide. `FUNCTIONS` has those that need more than a row with its
arguments put in order; they are methods here and in `array_calls`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli import ops
from gradcli.ops.operation import Operation
from gradcli.python import spellings
from gradcli.python.subscripts import Subscripts
from gradcli.python.tape import described
from gradcli.python.values import (
    Array,
    Builtin,
    Value,
    Where,
    has_traced,
    unread,
)

Keywords = dict[str, Value]

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

REDUCING = ("sum", "mean", "prod", "max", "min", "var", "std", "cumsum", "cumprod")
SOFT = ("softmax", "log_softmax", "logsumexp")

OWN_ROWS = frozenset(
    """sigmoid logsigmoid relu leaky_relu elu selu gelu silu mish softplus softsign hardtanh
    erf erfc erfinv gamma lgamma digamma logit softmax log_softmax logsumexp det inv solve cholesky
    logdet norm exp2 log10""".split()
)
"""Rows that NumPy itself has no function for: of plain data they are computed by the table."""


class LibraryCalls(Subscripts):
    """A function of NumPy, torch, jax, math or SciPy with its arguments."""

    called = ""
    """The name of the function that is called, as it is in NumPy."""

    def special(self, family: str, name: str) -> Callable[..., Value] | None:
        """The method for a function that needs one."""
        raise NotImplementedError

    def from_prelude(
        self, name: str, arguments: list[Value], keywords: Keywords, node: Any
    ) -> Value:
        """Call a function of the prelude."""
        raise NotImplementedError

    def library(
        self, function: Builtin, arguments: list[Value], keywords: Keywords, node: Any
    ) -> Value:
        """Call a function of a library. Raises `Unread` for one that is not known."""
        for value in (*arguments, *keywords.values()):
            self.known(value)
        family = spellings.ARRAYS.get(function.library, "other")
        name = spellings.ALIASES.get(function.name, function.name)
        where = self.where(node, *_written(node))
        keywords = {
            spellings.KEYWORDS.get(k, k): v
            for k, v in keywords.items()
            if k not in spellings.IGNORED or (k == "dtype" and name in ("array", "zeros", "ones"))
        }
        if "out" in keywords and name != "array":
            into = keywords.pop("out")
            found = self.library(function, arguments, keywords, node)
            if into is None:
                return found
            if not isinstance(into, Array):
                raise unread("out= takes an array")
            self.tape.store(into, Ellipsis, found, where)
            return into
        if arguments or name in ("zeros", "ones", "full", "arange", "eye"):
            pass
        else:
            first = next((k for k in spellings.OPERANDS if k in keywords), None)
            if first is not None:
                arguments = [keywords.pop(first)]
        if name in SIGNS and len(arguments) == 2 and not keywords:
            return self.binary(SIGNS[name], *arguments, where, node)
        method = self.special(family, name)
        if method is not None:
            self.called = name
            return method(self, where, node, family, arguments, keywords)
        if not has_traced(arguments) and not has_traced(keywords):
            found = self._plain_call(family, name, arguments, keywords, where)
            if found is not NotImplemented:
                return found
        if _in_prelude(name):
            return self.from_prelude(name, arguments, keywords, node)
        if ops.is_function(name) and family != "other":
            return self.row_call(name, arguments, keywords, where)
        raise unread(f"{function.library}.{function.name} is not read", kind="name")

    def _plain_call(
        self, family: str, name: str, arguments: list[Value], keywords: Keywords, where: Where
    ) -> Value:
        """A function of NumPy on plain data."""
        if family == "math":
            plain = getattr(math, name, None)
            if plain is None or not all(isinstance(a, int | float | np.generic) for a in arguments):
                return NotImplemented
            if name in ("factorial", "comb", "perm", "gcd", "lcm", "isqrt", "prod", "fsum"):
                if any(abs(a) > 1000 for a in arguments):
                    raise self.budget.exceeded("a whole number that is too large")
            return plain(*arguments)
        numpy_name = {
            "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
            "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
        }.get(name, name)  # fmt: skip
        if numpy_name not in spellings.PLAIN or family not in ("numpy", "jax", "torch", "scipy"):
            return NotImplemented
        if family == "torch" and name in ("max", "min", "var", "std", "sort", "repeat", "median"):
            return NotImplemented
        plain_arguments = [self._plain_argument(a) for a in arguments]
        named = {{"n": "repeats", "lo": "a_min", "hi": "a_max"}.get(k, k): self._plain_argument(v)
                 for k, v in keywords.items()}  # fmt: skip
        self._expect_small(numpy_name, plain_arguments, named)
        with np.errstate(all="ignore"):
            found = getattr(np, numpy_name)(*plain_arguments, **named)
        return self._of_plain(found)

    def _of_plain(self, found: Any) -> Value:
        if isinstance(found, tuple | list):
            return type(found)(self._of_plain(f) for f in found) if type(found) in (
                tuple, list) else tuple(self._of_plain(f) for f in found)  # fmt: skip
        return self.tape.plain(found)

    def _plain_argument(self, value: Value) -> Any:
        if isinstance(value, tuple | list):
            return type(value)(self._plain_argument(v) for v in value)
        if isinstance(value, Builtin):
            return {"f": np.float64, "i": np.int64, "b": np.bool_}.get(
                spellings.TYPES.get(value.name, "f")
            )
        found = self.tape.value(value)
        if not isinstance(
            found, np.ndarray | np.generic | int | float | str | None | slice | range
        ):
            raise unread(f"{described(value)} is no argument of a function of NumPy")
        return found

    def _expect_small(self, name: str, arguments: list[Any], keywords: dict[str, Any]) -> None:
        """Take note of what a function of NumPy is going to cost."""
        sizes = [_size(a) for a in (*arguments, *keywords.values())]
        if name in ("matmul", "dot", "inner", "vdot", "tensordot", "einsum", "kron", "outer"):
            self.budget.products(min(math.prod(max(1, n) for n in sizes[:3]), 10**12))
        if name in spellings.GROWING:
            if name in ("outer", "kron"):
                count = math.prod(max(1, n) for n in sizes)
            else:
                numbers = [v for a in (*arguments, *keywords.values()) for v in _numbers(a)]
                count = sum(sizes)
                if name == "arange":
                    start, stop, step = _range(numbers)
                    count = int(min(abs((stop - start) / (step or 1)), 1e18))
                elif name in ("eye", "identity", "tri", "diag", "diagflat", "vander"):
                    count = int(min((max([*sizes, *map(abs, numbers), 1])) ** 2, 1e18))
                elif name in ("tile", "repeat"):
                    count = int(
                        min(math.prod(max(1, n) for n in sizes[:1]) * _product(numbers[-8:]), 1e18)
                    )
                elif name == "bincount":
                    count = int(
                        min(max([0, *map(np.max, (a for a in arguments if np.size(a)))]), 1e18)
                    )
                elif name == "meshgrid":
                    count = math.prod(max(1, n) for n in sizes) * len(sizes)
                elif name == "pad":
                    count = int(min((sum(sizes) + 2 * sum(map(abs, numbers))) ** 2, 1e18))
                elif name in ("einsum", "tensordot", "ix_"):
                    count = sum(sizes)
                elif name in ("full", "ones", "zeros", "broadcast_to", "indices"):
                    shape = arguments[0 if name != "broadcast_to" else 1 :][:1] or [
                        keywords.get("shape", 0)
                    ]
                    count = int(min(_product(list(_numbers(shape[0]))), 1e18)) * (
                        3 if name == "indices" else 1
                    )
                else:
                    count = int(min(max([*sizes, *map(abs, numbers), 1]), 1e18))
            self.budget.elements(count)
        elif name in (
            "add",
            "divide",
            "multiply",
            "subtract",
            "power",
            "where",
            "maximum",
            "minimum",
        ):
            self.budget.broadcast([a for a in arguments if isinstance(a, np.ndarray)])
        self.budget.elements(sum(sizes))

    # --- rows ---

    def row_call(
        self, name: str, arguments: list[Value], keywords: Keywords, where: Where
    ) -> Value:
        """A function of the operation table, its arguments sorted into operands and options."""
        row = ops.function(name, len(arguments), keywords)
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

    def _option(self, given: Value, default: Any) -> Any:
        if given is None:
            return default
        if isinstance(given, tuple | list):
            return tuple(self._option(v, None) for v in given)
        found = self.by_value(given, "an option")
        if isinstance(found, bool | np.bool_):
            return bool(found)
        if isinstance(found, str):
            raise unread(f"the option {found!r} is not read")
        number = float(found)
        return int(number) if number.is_integer() else number


def _written(node: Any) -> list[Any]:
    """The arguments of a call as they stand there."""
    return list(node.args) if isinstance(node, ast.Call) else []


def _in_prelude(name: str) -> bool:
    from gradcli.python.prelude import NAMES  # noqa: PLC0415 - only where a library is called

    return name in NAMES


def _size(value: Any) -> int:
    if isinstance(value, tuple | list):
        return sum(map(_size, value))
    return int(np.size(value)) if isinstance(value, np.ndarray) else 1


def _numbers(value: Any) -> list[float]:
    if isinstance(value, tuple | list):
        return [n for v in value for n in _numbers(v)]
    if isinstance(value, bool | int | float | np.number) and value is not None:
        return [float(value)]
    return []


def _product(numbers: list[float]) -> float:
    return math.prod(max(1.0, abs(n)) for n in numbers)


def _range(numbers: list[float]) -> tuple[float, float, float]:
    """Start, stop and step of `arange`."""
    match numbers:
        case [stop]:
            return 0.0, stop, 1.0
        case [start, stop]:
            return start, stop, 1.0
        case [start, stop, step, *_]:
            return start, stop, step
    return 0.0, 0.0, 1.0
