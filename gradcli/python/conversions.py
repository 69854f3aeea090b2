"""Python's own conversions: `float`, `int`, `bool`, `str`, `format` …, over values of the text."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.python.array_makers import cast
from gradcli.python.calls import Arguments, Keywords
from gradcli.python.limits import MOST_DIGITS
from gradcli.python.operators import WIDE
from gradcli.python.streams import Streams
from gradcli.python.tape import described
from gradcli.python.values import (
    Array,
    Scalar,
    Value,
    Where,
    is_traced,
    unread,
)


class Conversions(Streams):
    """Numbers, truth values and texts made of other values."""

    def _py_float(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        of = a[0] if a else 0.0
        if isinstance(of, str):
            if len(of) > MOST_DIGITS:
                raise self.budget.exceeded(f"a number of more than {MOST_DIGITS} digits")
            return float(of)
        of = self.numeric(of, where)
        if isinstance(of, Array):
            if math.prod(self.tape.shape(of)) != 1:
                raise unread("only an array of one element is a number")
            of = self.reshaped(of, (), where)
        return cast(self, of, "float", where) if is_traced(of) else float(of)

    def _py_int(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        of = self.by_value(a[0], "int()") if a else 0
        if isinstance(of, str) and len(of) > MOST_DIGITS:
            raise self.budget.exceeded(f"a number of more than {MOST_DIGITS} digits")
        if len(a) > 1:
            return int(str(of), self.whole(a[1]))
        if isinstance(of, float | np.floating) and not math.isfinite(of):
            raise unread("there is no such whole number", raised="OverflowError")
        return int(of)

    def _py_bool(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return self.truth(a[0]) if a else False

    def _py_str(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return self.text_of(a[0]) if a else ""

    def _py_repr(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return repr(a[0]) if isinstance(a[0], str) else self.text_of(a[0])

    def _py_format(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return self.in_format(*a) if len(a) > 1 else self.text_of(a[0])

    def in_format(self, value: Value, form: str) -> str:
        """`format(value, form)`. Raises `Unread` for a width past all measure."""
        if WIDE.search(form):
            raise self.budget.exceeded("a width of more than three digits")
        plain = self.by_value(value, "a text") if isinstance(value, Scalar) else value
        if not isinstance(plain, str | int | float | np.generic):
            return self.text_of(plain)
        return format(plain, form)

    def text_of(self, value: Value) -> str:
        """A value as a text, for the keys of dictionaries."""
        if isinstance(value, Scalar):
            value = self.by_value(value, "a text")
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, str | int | float | bool | None):
            found = str(value)
            self.expect_room(len(found), text=True)
            return found
        if isinstance(value, Array):
            return "array"
        return described(value)

    def _py_ord(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return ord(self.by_value(a[0], "ord()"))

    def _py_chr(self, a: Arguments, k: Keywords, where: Where, node: Any) -> Value:
        return chr(self.whole(a[0]))
