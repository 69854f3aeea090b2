"""Calls of functions of NumPy and math on plain data: they are called as they are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.python import sizes, spellings
from gradcli.python.core import Core
from gradcli.python.limits import MOST_BITS
from gradcli.python.tape import described
from gradcli.python.values import Builtin, Value, unread


def plain_call(
    core: Core, family: str, name: str, arguments: list[Value], keywords: dict[str, Value]
) -> Value:
    """A function of NumPy on plain data."""
    if family == "math":
        plain = getattr(math, name, None)
        lists = name in ("fsum", "prod", "dist", "sumprod")
        arguments = [core.by_value(a, name) if lists else a for a in arguments]
        if plain is None or not (
            lists or all(isinstance(a, int | float | np.generic) for a in arguments)
        ):
            return NotImplemented
        counts = name in ("factorial", "comb", "perm", "lcm")
        if name == "prod" and any(isinstance(v, int) for v in arguments[0]):
            bits = sum(v.bit_length() for v in arguments[0] if isinstance(v, int))
            if bits > MOST_BITS:
                raise core.budget.exceeded("a whole number that is too large")
        if counts and any(abs(a) > 1000 for a in arguments):
            raise core.budget.exceeded("a whole number that is too large")
        return plain(*arguments)
    numpy_name = {
        "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
        "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
    }.get(name, name)  # fmt: skip
    if family == "linalg" and name in spellings.LINEAR:
        plain_arguments = [plain_argument(core, a) for a in arguments]
        core.budget.products(int(max(map(sizes.size, plain_arguments)) ** 1.5))
        named = {{"p": "ord"}.get(k, k): plain_argument(core, v) for k, v in keywords.items()}
        with np.errstate(all="ignore"):
            return of_plain(core, getattr(np.linalg, name)(*plain_arguments, **named))
    if numpy_name not in spellings.PLAIN or family not in ("numpy", "jax", "torch", "scipy"):
        return NotImplemented
    if family == "torch" and name in ("max", "min", "var", "std", "sort", "repeat", "median"):
        return NotImplemented
    plain_arguments = [plain_argument(core, a) for a in arguments]
    named = {{"n": "repeats", "lo": "a_min", "hi": "a_max"}.get(k, k): plain_argument(core, v)
             for k, v in keywords.items()}  # fmt: skip
    expect_small(core, numpy_name, plain_arguments, named)
    with np.errstate(all="ignore"):
        found = getattr(np, numpy_name)(*plain_arguments, **named)
    return of_plain(core, found)


def of_plain(core: Core, found: Any) -> Value:
    """What NumPy gave as a value; of several arrays a tuple or list."""
    if isinstance(found, tuple | list):
        parts = [of_plain(core, f) for f in found]
        return parts if type(found) is list else tuple(parts)
    return core.tape.plain(found)


def plain_argument(core: Core, value: Value) -> Any:
    """A value as an argument of a function of NumPy. Raises `Unread`."""
    if isinstance(value, tuple | list):
        core.weigh(value)
    return _item(core, value)


def _item(core: Core, value: Value) -> Any:
    if isinstance(value, tuple | list):
        found = [_item(core, v) for v in value]
        return found if isinstance(value, list) else tuple(found)
    if isinstance(value, Builtin):
        return {"f": np.float64, "i": np.int64, "b": np.bool_}.get(
            spellings.TYPES.get(value.name, "f")
        )
    found = core.tape.value(value)
    if not isinstance(found, np.ndarray | np.generic | int | float | str | None | slice | range):
        raise unread(f"{described(value)} isn't an argument of a function of NumPy")
    return found


def expect_small(core: Core, name: str, arguments: list[Any], keywords: dict[str, Any]) -> None:
    """Take note of what a function of NumPy is going to cost."""
    core.budget.products(sizes.multiplications(name, arguments))
    core.budget.elements(sizes.elements(name, arguments, keywords))
