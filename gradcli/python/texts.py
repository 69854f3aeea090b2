"""Values in texts: `str(x)`, `f'{x:.2f}'`, `'%d' % n`. A value comes in, a text comes out.

What is put together may not be larger than `limits` says; a width of four digits is refused.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gradcli.python.core import Core
from gradcli.python.tape import described
from gradcli.python.values import Array, Scalar, Value

WIDE = re.compile(r"\d{4,}")
STARRED = re.compile(r"%[^a-zA-Z%]*\*")
"""A width of `%` that is an argument."""
TOO_WIDE = "a width of more than three digits"


def formatted(reader: Core, form: str, values: tuple[Value, ...]) -> str:
    """`'%d' % n`."""
    if WIDE.search(form) or STARRED.search(form):
        raise reader.budget.exceeded(TOO_WIDE)
    if len(values) == 1 and isinstance(values[0], dict):
        named = {k: _shown(reader, v) for k, v in values[0].items()}
        longest = max([1, *(len(str(v)) for v in named.values())])
        reader.budget.characters(len(form) * longest)
        return form % named
    plain = tuple(_shown(reader, v) for v in values)
    reader.budget.characters(len(form) + sum(1000 + len(str(v)) for v in plain))
    return form % plain


def _shown(reader: Core, value: Value) -> Any:
    """A value in a text: a number or a text; of all else a word."""
    plain = reader.by_value(value, "a text")
    return plain if isinstance(plain, str | int | float | np.generic) else described(value)


def in_format(reader: Core, value: Value, form: str) -> str:
    """`format(value, form)`."""
    if WIDE.search(form):
        raise reader.budget.exceeded(TOO_WIDE)
    plain = reader.by_value(value, "a text") if isinstance(value, Scalar) else value
    is_plain = form and isinstance(plain, str | int | float | np.generic)
    return format(plain, form) if is_plain else text_of(reader, plain)


def text_of(reader: Core, value: Value) -> str:
    """A value as a text, for the keys of dictionaries."""
    if isinstance(value, Scalar):
        value = reader.by_value(value, "a text")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str | int | float | bool | None):
        found = str(value)
        reader.budget.characters(len(found))
        return found
    return "array" if isinstance(value, Array) else described(value)
