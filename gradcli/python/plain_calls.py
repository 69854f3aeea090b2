"""Calls of functions of NumPy and math on plain data: they are called as they are.

A call none of whose arguments depends on an input comes in, plain data comes out.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.python import sizes, spellings
from gradcli.python.calls import Arguments, Call, Keywords
from gradcli.python.core import Core
from gradcli.python.limits import MOST_BITS
from gradcli.python.tape import described
from gradcli.python.values import Builtin, Value, unread

INVERSE = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
}  # fmt: skip
"""What NumPy calls functions that have another name here."""
OF_ARRAYS = ("numpy", "jax", "torch", "scipy")
OWN_OF_TORCH = ("max", "min", "var", "std", "sort", "repeat", "median")
"""Functions that mean something else in PyTorch."""


def plain_call(reader: Core, call: Call) -> Value:
    """The value of a call on plain data; NotImplemented where the function is none of these."""
    family, name = call.family, INVERSE.get(call.name, call.name)
    if family == "math":
        return _of_math(reader, call.name, call.arguments)
    if family == "linalg" and name in spellings.LINEAR:
        plain, named = _plain(reader, call.arguments, call.keywords)
        reader.budget.products(int(max(map(sizes.size, plain)) ** 1.5))
        with np.errstate(all="ignore"):
            return of_plain(reader, getattr(np.linalg, name)(*plain, **named))
    if name not in spellings.PLAIN or family not in OF_ARRAYS:
        return NotImplemented
    if family == "torch" and name in OWN_OF_TORCH:
        return NotImplemented
    return plain_numpy(reader, name, call.arguments, call.keywords)


def _of_math(reader: Core, name: str, arguments: Arguments) -> Value:
    function = getattr(math, name, None)
    lists = name in ("fsum", "prod", "dist", "sumprod")
    given = [reader.by_value(a, name) if lists else a for a in arguments]
    numbers = all(isinstance(a, int | float | np.generic) for a in given)
    if function is None or not (lists or numbers):
        return NotImplemented
    too_large = name in ("factorial", "comb", "perm", "lcm") and any(abs(a) > 1000 for a in given)
    if name == "prod":
        bits = sum(v.bit_length() for v in given[0] if isinstance(v, int))
        too_large = bits > MOST_BITS
    if too_large:
        raise reader.budget.exceeded("a whole number that is too large")
    return function(*given)


def plain_numpy(reader: Core, name: str, arguments: Arguments, keywords: Keywords) -> Value:
    """A function of NumPy on values that depend on no input."""
    plain, named = _plain(reader, arguments, keywords)
    return numpy_call(reader, name, plain, named)


def numpy_call(reader: Core, name: str, arguments: list[Any], keywords: dict[str, Any]) -> Value:
    """A function of NumPy on NumPy's own data, once it is known what that is going to cost."""
    named = {{"p": "ord", "lo": "a_min", "hi": "a_max"}.get(k, k): v for k, v in keywords.items()}
    reader.budget.products(sizes.multiplications(name, arguments))
    reader.budget.elements(sizes.elements(name, arguments, named))
    with np.errstate(all="ignore"):
        return of_plain(reader, getattr(np, name)(*arguments, **named))


def of_plain(reader: Core, found: Any) -> Value:
    """What NumPy gave as a value; of several arrays a tuple or list."""
    if isinstance(found, tuple | list):
        parts = [of_plain(reader, f) for f in found]
        return parts if type(found) is list else tuple(parts)
    return reader.tape.plain(found)


def _plain(
    reader: Core, arguments: Arguments, keywords: Keywords
) -> tuple[list[Any], dict[str, Any]]:
    named = {{"p": "ord"}.get(k, k): plain_argument(reader, v) for k, v in keywords.items()}
    return [plain_argument(reader, v) for v in arguments], named


def plain_argument(reader: Core, value: Value) -> Any:
    """A value as an argument of a function of NumPy. Raises `Unread`."""
    if isinstance(value, tuple | list):
        reader.weigh(value)
    return _item(reader, value)


def _item(reader: Core, value: Value) -> Any:
    if isinstance(value, tuple | list):
        found = [_item(reader, v) for v in value]
        return found if isinstance(value, list) else tuple(found)
    if isinstance(value, Builtin):
        return spellings.DTYPES[spellings.kind_of(value)]
    found = reader.tape.value(value)
    if not isinstance(found, np.ndarray | np.generic | int | float | str | None | slice | range):
        raise unread(f"{described(value)} isn't an argument of a function of NumPy")
    return found
