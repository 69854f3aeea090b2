"""The operation table: everything the language can compute, a row each.

The rows themselves are in `table/`, by topic. A name, or a symbol, comes in, and the rows that it
stands for go out. To add an operation, add a row: help, completion, documentation, tests and
reports follow.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TypeAlias

from gradcli.diagnostics.ascii import greek
from gradcli.ops.composition import Composition as Composition
from gradcli.ops.operation import Operation as Operation
from gradcli.ops.table import (
    activations,
    arithmetic,
    choosing,
    contractions,
    indexing,
    linear,
    moving,
    powers,
    products,
    reductions,
    shaping,
    slopes,
    special,
    trigonometry,
)
from gradcli.ops.table.compositions import COMPOSITIONS as COMPOSITIONS
from gradcli.syntax.library.names import FUNCTION_NAMES

_ELEMENTWISE = (arithmetic, powers, trigonometry, special, activations)
_ARRAYS = (products, contractions, linear, reductions, shaping, moving, choosing, indexing)
TABLE: tuple[Operation, ...] = tuple(
    row for part in (*_ELEMENTWISE, *_ARRAYS, slopes) for row in part.ROWS
)

Function: TypeAlias = Operation | Composition
"""What a name can be called as."""


_BY_NAME = {row.name: row for row in TABLE}
_BY_SYMBOL = {row.symbol: row for row in TABLE if row.symbol}
_BY_FUNCTION: dict[str, list[Function]] = {}
"""Rows and compositions by the names of the functions that users call."""
_FORMS: tuple[Function, ...] = (*TABLE, *COMPOSITIONS)
for _form in _FORMS:
    for _name in _form.aliases:
        _BY_FUNCTION.setdefault(_name, []).append(_form)

SPELLED = {
    word: name
    for name in _BY_FUNCTION
    if len(name) == 1 and (word := greek(name)) and word not in _BY_FUNCTION
}
"""Functions that are a Greek letter, by the letter's name: `sigma(x)` is σ(x)."""

_BY_FUNCTION |= {word: _BY_FUNCTION[name] for word, name in SPELLED.items()}
FUNCTION_NAMES.update(_BY_FUNCTION)


def operation(name: str) -> Operation:
    """The row of this name."""
    return _BY_NAME[name]


def for_symbol(symbol: str) -> Operation:
    """The row of an operator (`+`, `neg`, `abs`, `<` …)."""
    return _BY_SYMBOL[symbol]


def is_function(name: str) -> bool:
    """Whether the language has a function of this name."""
    return name in _BY_FUNCTION


def function_names() -> list[str]:
    """Every name that can be called, aliases included; a Greek letter as itself."""
    return sorted(_BY_FUNCTION.keys() - SPELLED.keys())


def is_row(name: str) -> bool:
    """Whether a function of this name is an operation of its own."""
    return any(isinstance(f, Operation) for f in _BY_FUNCTION.get(name, ()))


def row_of(name: str, positional: int) -> Operation:
    """The row that a call of a function means for which `is_row` holds."""
    found = function(name, positional, ())
    if isinstance(found, Operation):
        return found
    return next(f for f in _BY_FUNCTION[name] if isinstance(f, Operation))


def gives_number(name: str, positional: int, keywords: Iterable[str] = ()) -> bool:
    """Whether a call gives one number whatever it is given: a sum, unless it has an axis."""
    return "axis" not in keywords and is_row(name) and row_of(name, positional).scalar


def argument_names(name: str) -> set[str]:
    """What the arguments of a function are called, in all its forms."""
    return {p.name for form in _BY_FUNCTION[name] for p in form.parameters}


def function(name: str, positional: int, keywords: Iterable[str] = ()) -> Function:
    """What a call with this many positional arguments and these keywords means.

    A name can stand for several rows: `max(x)` reduces, `max(x, y)` is elementwise.
    """
    rows, given = _BY_FUNCTION[name], set(keywords)
    for row in rows:
        required = sum(p.required for p in row.parameters)
        most = len(row.parameters)
        if any(p.variadic for p in row.parameters) and not row.sequence:
            required, most = 2, max(2, positional)
        known = given <= {p.name for p in row.parameters}
        if known and required <= positional + len(given) and positional <= most:
            return row
    return rows[0]


def signature(row: Function, name: str | None = None) -> str:
    """`clip(x, lo, hi)`, `sum(x, axis=None, keepdims=False)`."""
    words = []
    for p in row.parameters:
        word = f"{p.name}, …" if p.variadic else p.name
        default = f"'{p.default}'" if isinstance(p.default, str) else p.default
        default = f"{default:g}" if isinstance(default, float) else default
        words.append(word if p.required else f"{word}={default}")
    if row.sequence:
        words[0] = "(a, b, …)"
    return f"{name or row.name}({', '.join(words)})"


def signatures(name: str) -> list[str]:
    """How a function can be called."""
    return [signature(row, name) for row in _BY_FUNCTION[name]]


@cache
def find(name: str) -> tuple[Function, ...]:
    """All that a user means by a name, alias or operator; empty if there is nothing."""
    rows = list(_BY_FUNCTION.get(name, []))
    rows += [row for row in TABLE if name in (row.name, row.symbol) and row not in rows]
    return tuple(rows)
