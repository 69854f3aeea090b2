"""Functions of arrays that are more than one row, or whose meaning differs by library."""

from __future__ import annotations

import ast
import math
from functools import partial
from typing import Any

import numpy as np

from gradcli.python import sizes
from gradcli.python.array_picks import ArrayPicks
from gradcli.python.array_table import FUNCTIONS
from gradcli.python.library_calls import Call, Method, taken
from gradcli.python.plain_calls import plain_call
from gradcli.python.values import (
    Builtin,
    Class,
    Instance,
    Value,
    has_traced,
    is_traced,
    unread,
)

MOST_COUNTED = 170
"""Whose factorial a float has."""


class ArrayCalls(ArrayPicks):
    """Sums and means, products of arrays, and functions with another order of arguments."""

    def special(self, family: str, name: str) -> Method | None:
        """The method for a function that needs one."""
        found = FUNCTIONS.get(f"{family}.{name}")
        if found is None and family != "other":
            found = FUNCTIONS.get(name)
        if callable(found):
            return partial(found, self)
        return None if found is None else getattr(self, found)

    def _reduced(self, call: Call) -> Value:
        """`sum`, `mean`, `prod`, `max`, `min` with an axis; torch's `max(x, dim)` gives two."""
        where, a, k = call.where, call.arguments, call.keywords
        name = {"amax": "max", "amin": "min"}.get(call.name, call.name)
        first = k.pop("initial", None)
        if k.get("where") is not None:
            if name not in {"sum", "prod"}:
                raise unread(f"{name} with where= is not read")
            chosen = k.pop("where")
            a[0] = self.library(
                Builtin("numpy", "where"), [chosen, a[0], float(name == "prod")], {}, call.node
            )
        if first is not None:
            found = self._reduced(call)
            sign = {"sum": ast.Add, "prod": ast.Mult}.get(name)
            if sign is not None:
                return self.binary(sign, found, first, where, call.node)
            both = [self.numeric(v, where) for v in (found, first)]
            return self.apply("maximum" if name == "max" else "minimum", both, where)
        of, axis, keep = taken(a, k, "a", axis=None, keepdims=False)
        of, axis = self.numeric(of, where), self.axes(axis)
        row = {"max": "amax", "min": "amin"}.get(name, name)
        keep = self.truth(keep)
        if axis == ():
            return of
        if is_traced(of):
            kind = "i" if self.kind(of) in "ib" and name in ("sum", "prod") else "f"
            if self.kind(of) in "ib" and name in ("max", "min"):
                kind = self.kind(of)
            if not self.tape.shape(of):
                return of
            options = {"axis": axis, "keepdims": keep}
            found = self.apply(
                row, [of], where._replace(operands=where.operands[:1]), options, kind
            )
        else:
            plain = np.asarray(self.tape.value(of))
            self.budget.elements(plain.size)
            if not plain.size and name in ("max", "min"):
                raise unread(f"{name} of an empty array")
            with np.errstate(all="ignore"):
                found = self.tape.plain(getattr(np, name)(plain, axis=axis, keepdims=keep))
        return found

    def _spread(self, call: Call) -> Value:
        """`var` and `std`."""
        of, axis, ddof, keep = taken(
            call.arguments, call.keywords, "a", axis=None, ddof=0, keepdims=False
        )
        of = self.numeric(of, call.where)
        options = {"axis": self.axes(axis), "ddof": self.whole(ddof), "keepdims": self.truth(keep)}
        if is_traced(of):
            where = call.where._replace(operands=call.where.operands[:1])
            return self.apply(call.name, [of], where, options)
        plain = self.tape.value(of)
        self.budget.elements(np.size(plain))
        return self.tape.plain(getattr(np, call.name)(plain, **options))

    def _running(self, call: Call) -> Value:
        """`cumsum`, `cumprod`: without an axis of the flattened array."""
        where, family, a, k = call.where, call.family, call.arguments, call.keywords
        name = call.name
        of, axis = taken(a, k, "a", axis=None)
        of = self.numeric(of, where)
        if len(self.tape.shape(of)) > 1 and axis is None:
            if family == "torch":
                raise unread(f"{name} needs dim")
            of = self.reshaped(of, (math.prod(self.tape.shape(of)),), where)
        return self.apply(name, [of], where._replace(operands=()), {"axis": self.axes(axis)})

    def _soft(self, call: Call) -> Value:
        """`softmax` and its kin, along the last axis unless told otherwise."""
        of, axis = taken(call.arguments, call.keywords, "x", axis=-1)
        of = self.numeric(of, call.where)
        return self.apply(
            call.name, [of], call.where._replace(operands=()), {"axis": self.axes(axis)}
        )

    def _hypot(self, call: Call) -> Value:
        """`math.hypot` of any number of lengths."""
        if len(call.arguments) != 2:
            return self.from_prelude("multi_hypot", call.arguments, {}, call.node)
        where = call.where
        return self.apply("hypot", [self.numeric(v, where) for v in call.arguments], where)

    def _arange(self, call: Call) -> Value:
        """`np.arange`: how many numbers there are is fixed, where they begin moves along."""
        a, where = call.arguments, call.where._replace(operands=())
        if not has_traced(a):
            found = plain_call(self, call.family, "arange", a, call.keywords)
            return found if found is not NotImplemented else None
        start, stop, step = (a[0], a[1], a[2] if len(a) > 2 else 1.0) if len(a) > 1 else (
            0.0, a[0], 1.0)  # fmt: skip
        values = [self.by_value(v, "arange()") for v in (start, stop, step)]
        self.budget.elements(sizes.elements("arange", values, {}))
        count = self.tape.plain(np.arange(len(np.arange(*values)), dtype=float))
        return self.binary(
            ast.Add, start, self.binary(ast.Mult, count, step, where, call.node), where, call.node
        )

    def _itself(self, call: Call) -> Value:
        """`np.real`, `np.conj`: the array itself."""
        return self.numeric(call.arguments[0], call.where)

    def _exactly(self, call: Call) -> Value:
        """Counts of SciPy, of whole numbers that depend on no input."""
        plain = [self.by_value(v, f"{call.name}()") for v in call.arguments]
        if any(np.size(v) > 1 or abs(v) > MOST_COUNTED for v in plain):
            raise self.budget.exceeded("a whole number that is too large")
        functions: Any = {"binom": math.comb, "comb": math.comb, "perm": math.perm}
        function = functions.get(call.name, math.factorial)
        return float(function(*(self.whole(v) for v in plain)))

    def _slogdet(self, call: Call) -> Value:
        where, a = call.where, call.arguments
        plain = self.tape.value(a[0])
        sign = np.float64(np.linalg.slogdet(plain)[0])
        self.fix(a[0], "the sign of a determinant")
        names = ("sign", "logabsdet")
        of = Class("slogdet", [], {}, fields=names, is_tuple=True)
        return Instance(
            of, dict(zip(names, (sign, self.apply("logdet", [a[0]], where)), strict=True))
        )

    def _clip(self, call: Call) -> Value:
        where, a, k = call.where, call.arguments, call.keywords
        for old, new in (("min", "lo"), ("max", "hi")):
            if old in k:
                k[new] = k.pop(old)
        of, low, high = taken(a, k, "a", lo=None, hi=None)
        of = self.numeric(of, where)
        if low is not None and high is not None:
            return self.apply(
                "clip", [of, self.numeric(low, where), self.numeric(high, where)], where
            )
        if low is not None:
            return self.apply(
                "maximum", [of, self.numeric(low, where)], where._replace(operands=())
            )
        if high is not None:
            return self.apply(
                "minimum", [of, self.numeric(high, where)], where._replace(operands=())
            )
        return of

    def _round(self, call: Call) -> Value:
        where, a, k = call.where, call.arguments, call.keywords
        of, digits = taken(a, k, "a", decimals=0)
        of, n = self.numeric(of, where), self.whole(digits)
        scale = 10.0**n
        if n == 0:
            return self.apply("round", [of], where._replace(operands=where.operands[:1]))
        where = where._replace(operands=())
        inner = self.apply("round", [self.apply("mul", [of, scale], where)], where)
        return self.apply("div", [inner, scale], where)

    def _not(self, call: Call) -> Value:
        where, a = call.where, call.arguments
        return self.apply(
            "equal", [self.numeric(a[0], where), 0.0], where._replace(operands=()), kind="b"
        )

    def _log(self, call: Call) -> Value:
        """`math.log(x, base)`; NumPy's has no base."""
        where, family, a, k = call.where, call.family, call.arguments, call.keywords
        if len(a) == 2 and family == "math":
            return self.apply("log_base", [self.numeric(v, where) for v in a], where)
        if len(a) != 1:
            raise unread("np.log takes one array")
        if has_traced(a):
            return self.row_call("log", a, k, where)
        return plain_call(self, family, "log", a, k) if family != "linalg" else a[0]
