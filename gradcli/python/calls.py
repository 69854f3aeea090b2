"""A call of a library's function, and its arguments in the order of the function that reads it.

Functions of arrays (`array_makers`, `array_shapes` …) are plain functions of the interpreter, the
call, and the arguments of the library's function under its own names. `arguments_for` puts what a
text gives into their order. Three names say what becomes of a value before: `x` is a number or
array, `axis` is made of whole numbers, `keepdims` is a truth value.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from gradcli.python.core import Core
from gradcli.python.values import Value, Where, unread

Arguments: TypeAlias = list[Value]
Keywords: TypeAlias = dict[str, Value]


class Call(NamedTuple):
    """A call of a library's function."""

    name: str
    """As NumPy has it."""
    family: str
    """The library, for what a name means in it: `numpy`, `torch`, `jax`, `scipy`, `math` …"""
    arguments: Arguments
    keywords: Keywords
    where: Where
    node: Any

    @property
    def first(self) -> Where:
        """Its place, with that of the first operand alone."""
        return self.where._replace(operands=self.where.operands[:1])

    @property
    def bare(self) -> Where:
        """Its place, without those of the operands: what is done is not what is written."""
        return self.where._replace(operands=())


Function: TypeAlias = Callable[..., Value]
"""Reads a call: takes the interpreter, the call, and then arguments by the library's names."""


def arguments_for(function: Function, reader: Core, call: Call) -> Arguments:
    """The arguments behind the first two of a function that reads a call. Raises `Unread`."""
    names, found = _parameters(function)
    if not names:
        return []
    found, unknown = found.copy(), []
    for name, value in call.keywords.items():
        if name in names:
            found[name] = _converted(name, value, reader, call.where)
        elif value is not None:
            unknown.append(name)
    for name, value in zip(names, call.arguments, strict=False):
        found[name] = _converted(name, value, reader, call.where)
    if len(found) < len(names):
        raise unread(f"the argument '{next(n for n in names if n not in found)}' is missing")
    if unknown or len(call.arguments) > len(names):
        listed = ", ".join(sorted(unknown)) or "there are too many"
        raise unread(f"an argument is not read: {listed}")
    return [found[name] for name in names]


@cache
def _parameters(function: Function) -> tuple[tuple[str, ...], dict[str, Value]]:
    """The parameters behind the first two, and the defaults of the last of them."""
    code = function.__code__
    names, defaults = code.co_varnames[2 : code.co_argcount], function.__defaults__ or ()
    return names, dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))


def _converted(name: str, value: Value, reader: Core, where: Where) -> Value:
    if name == "x":
        return reader.numeric(value, where)
    if name == "axis":
        return reader.axes(value)
    return reader.truth(value) if name == "keepdims" else value
