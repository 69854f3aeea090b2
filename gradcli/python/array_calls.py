"""Functions of arrays that are more than one row, or whose meaning differs by library."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np

from gradcli.python import sizes
from gradcli.python.array_picks import ArrayPicks
from gradcli.python.array_table import FUNCTIONS
from gradcli.python.einsum import contraction
from gradcli.python.library_calls import Call, Method, taken
from gradcli.python.values import (
    Builtin,
    Class,
    Instance,
    Value,
    Where,
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

    def _dot(self, call: Call) -> Value:
        where, node, a, k = call.where, call.node, call.arguments, call.keywords
        first, second = (self.numeric(v, where) for v in taken(a, k, "a", "b"))
        return self.dot(first, second, where, node)

    def dot(self, first: Value, second: Value, where: Where, node: Any) -> Value:
        """`np.dot`."""
        if not self.tape.shape(first) or not self.tape.shape(second):
            return self.binary(ast.Mult, first, second, where, node)
        if not is_traced(first) and not is_traced(second):
            return self.binary(ast.MatMult, first, second, where, node)
        if len(self.tape.shape(second)) > 2:
            raise unread("np.dot of more than two dimensions is not read", "use np.einsum")
        return self.apply("matmul", [first, second], where)

    def _einsum(self, call: Call) -> Value:
        where, a = call.where, call.arguments
        text, *arrays = a
        if not isinstance(text, str):
            raise unread("einsum is read with its letters: np.einsum('ij,jk->ik', A, B)")
        return contraction(self, text, [self.numeric(x, where) for x in arrays], where)

    def _tensordot(self, call: Call) -> Value:
        where, a, k = call.where, call.arguments, call.keywords
        if "axis" in k:  # torch's dims
            k["axes"] = k.pop("axis")
        first, second, axes = taken(a, k, "a", "b", axes=2)
        first, second = self.numeric(first, where), self.numeric(second, where)
        m, n = len(self.tape.shape(first)), len(self.tape.shape(second))
        axes = self.by_value(axes, "tensordot()")
        if isinstance(axes, int):
            pairs = list(zip(range(m - axes, m), range(axes), strict=True))
        else:
            left, right = ([v] if isinstance(v, int) else list(v) for v in axes)
            pairs = [(i % m, j % n) for i, j in zip(left, right, strict=True)]
        one = [chr(97 + i) for i in range(m)]
        two = [chr(97 + m + j) for j in range(n)]
        for i, j in pairs:
            two[j] = one[i]
        kept = [c for c in one + two if (c in one) != (c in two)]
        text = f"{''.join(one)},{''.join(two)}->{''.join(kept)}"
        return contraction(self, text, [first, second], where)

    def _norm(self, call: Call) -> Value:
        where, a, k = call.where, call.arguments, call.keywords
        of, p, axis, keep = taken(a, k, "x", p=None, axis=None, keepdims=False)
        of, axis = self.numeric(of, where), self.axes(axis)
        vector = getattr(getattr(call.node, "func", None), "attr", "") == "vector_norm"
        flattens = call.family == "torch" or vector
        if flattens and axis is None and p != "fro":
            of = self.reshaped(of, (math.prod(self.tape.shape(of)),), where)
        rank = len(self.tape.shape(of)) if axis is None else 1 if isinstance(axis, int) else 2
        if p == "fro" or (p == 2 and rank == 1):
            p = None
        if p is not None:
            p = float(self.by_value(p, "an option"))
            if rank > 1 and (abs(p) not in (1, math.inf) or axis is not None):
                raise unread("a norm of matrices is read for 'fro', 1 and inf")
            if rank > 1:
                of = self._sums_of_lines(of, 0 if abs(p) == 1 else 1, where)
                return self.apply("amax" if p > 0 else "amin", [of], where._replace(operands=()))
            p = int(p) if p.is_integer() else p
            if p not in (1, 2, math.inf):
                return self._power_norm(of, p, axis, self.truth(keep), where)
        options = {"p": p, "axis": axis, "keepdims": self.truth(keep)}
        return self.apply("norm", [of], where._replace(operands=where.operands[:1]), options)

    def _sums_of_lines(self, of: Value, axis: int, where: Where) -> Value:
        """The sums of absolute values along an axis."""
        where = where._replace(operands=())
        options = {"axis": axis, "keepdims": False}
        return self.apply("sum", [self.apply("abs", [of], where)], where, options)

    def _power_norm(self, of: Value, p: float, axis: Any, keep: bool, where: Where) -> Value:  # noqa: FBT001 - as NumPy has it
        """The norm of vectors for any other p."""
        where = where._replace(operands=())
        size, options = self.apply("abs", [of], where), {"axis": axis, "keepdims": keep}
        if p == 0:
            options_of_zero = self.apply("not_equal", [of, 0.0], where)
            return self.apply("sum", [options_of_zero], where, options)
        if p == -math.inf:
            return self.apply("amin", [size], where, options)
        total = self.apply("sum", [self.apply("pow", [size, p], where)], where, options)
        return self.apply("pow", [total, 1.0 / p], where)

    def _vdot(self, call: Call) -> Value:
        """`np.vdot`: of matrices too, element by element."""
        where = call.where._replace(operands=())
        flat = []
        for value in call.arguments:
            array = self.numeric(value, where)
            flat.append(self.reshaped(array, (math.prod(self.tape.shape(array)),), where))
        return self.apply("dot", flat, where)

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
            found = self._plain_call(call.family, "arange", a, call.keywords)
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
        return self._plain_call(family, "log", a, k) if family != "linalg" else a[0]
