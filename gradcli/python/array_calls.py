"""Functions of arrays that are more than one row, or whose meaning differs by library."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np

from gradcli.python.array_shapes import ArrayShapes
from gradcli.python.einsum import contraction
from gradcli.python.library_calls import Call, Method, taken
from gradcli.python.values import Value, Where, has_traced, is_traced, unread


class ArrayCalls(ArrayShapes):
    """Sums and means, products of arrays, and functions with another order of arguments."""

    def special(self, family: str, name: str) -> Method | None:
        """The method for a function that needs one."""
        found = FUNCTIONS.get(f"{family}.{name}")
        if found is None and family != "other":
            found = FUNCTIONS.get(name)
        return None if found is None else getattr(self, found)

    def _reduced(self, call: Call) -> Value:
        """`sum`, `mean`, `prod`, `max`, `min` with an axis; torch's `max(x, dim)` gives two."""
        where, family, a, k = call.where, call.family, call.arguments, call.keywords
        name = call.name
        if name in ("max", "min") and family == "torch" and len(a) == 2 and self._is_array(a[1]):
            return self.apply("maximum" if name == "max" else "minimum", a, where)
        k.pop("initial", None)
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
        if family == "torch" and name in ("max", "min") and axis is not None:
            best = np.argmax if name == "max" else np.argmin
            places = best(self.by_value(of, f"{name}()"), axis=axis)
            return found, self.tape.plain(places)
        return found

    def _spread(self, call: Call) -> Value:
        """`var` and `std`: torch divides by n - 1 unless told otherwise."""
        where, family, a, k = call.where, call.family, call.arguments, call.keywords
        name = call.name
        unbiased = k.pop("unbiased", None)
        if len(a) == 2 and isinstance(a[1], bool):
            unbiased = a.pop()
        default = 1 if family == "torch" else 0
        if unbiased is not None:
            default = int(self.truth(unbiased))
        if family == "torch":
            of, axis, ddof, keep = taken(a, k, "a", axis=None, ddof=default, keepdims=False)
        else:
            ddof = k.pop("ddof", default)
            of, axis, keep = taken(a, k, "a", axis=None, keepdims=False)
        of = self.numeric(of, where)
        options = {"axis": self.axes(axis), "ddof": self.whole(ddof), "keepdims": self.truth(keep)}
        if is_traced(of):
            return self.apply(name, [of], where._replace(operands=where.operands[:1]), options)
        plain = self.tape.value(of)
        self.budget.elements(np.size(plain))
        return self.tape.plain(getattr(np, name)(plain, **options))

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
        """`softmax` and its kin: SciPy takes all elements together, the others the last axis."""
        where, family, a, k = call.where, call.family, call.arguments, call.keywords
        name = call.name
        of, axis = taken(a, k, "x", axis=None if family in ("scipy", "numpy") else -1)
        of = self.numeric(of, where)
        shape = self.tape.shape(of)
        if axis is None and len(shape) > 1 and family in ("scipy", "numpy"):
            flat = self.reshaped(of, (math.prod(shape),), where)
            found = self.apply(name, [flat], where._replace(operands=()), {"axis": -1})
            return self.reshaped(found, shape, where)
        axis = -1 if axis is None else self.whole(axis)
        return self.apply(name, [of], where._replace(operands=()), {"axis": axis})

    def _logsumexp(self, call: Call) -> Value:
        where, node, a, k = call.where, call.node, call.arguments, call.keywords
        if k.get("b") is not None or len(a) > 2:
            return self.from_prelude("logsumexp_weighted", a, k, node)
        k.pop("b", None)
        of, axis, keep = taken(a, k, "a", axis=None, keepdims=False)
        options = {"axis": self.axes(axis), "keepdims": self.truth(keep)}
        return self.apply(
            "logsumexp", [self.numeric(of, where)], where._replace(operands=()), options
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
        rank = len(self.tape.shape(of)) if axis is None else 1 if isinstance(axis, int) else 2
        if p == "fro" or (p == 2 and rank == 1):
            p = None
        if p is not None:
            p = float(self.by_value(p, "an option"))
            if rank > 1:
                raise unread("a norm of matrices other than Frobenius' is not read")
            p = int(p) if p.is_integer() else p
        options = {"p": p, "axis": axis, "keepdims": self.truth(keep)}
        return self.apply("norm", [of], where._replace(operands=where.operands[:1]), options)

    def _slogdet(self, call: Call) -> Value:
        where, a = call.where, call.arguments
        plain = self.tape.value(a[0])
        sign = np.float64(np.linalg.slogdet(plain)[0])
        self.fix(a[0], "the sign of a determinant")
        return sign, self.apply("logdet", [a[0]], where)

    def _trace(self, call: Call) -> Value:
        where, a = call.where, call.arguments
        return self.apply("trace", [self.numeric(a[0], where)], where._replace(operands=()))

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

    def _heaviside(self, call: Call) -> Value:
        where, a, k = call.where, call.arguments, call.keywords
        of, at = taken(a, k, "x1", "x2")
        of = self.numeric(of, where)
        where = where._replace(operands=())
        zero = self.apply("equal", [of, 0.0], where, kind="b")
        above = self.apply("greater", [of, 0.0], where, kind="b")
        return self.apply("where", [zero, at, above], where)

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

    def _leaky(self, call: Call) -> Value:
        where, a, k = call.where, call.arguments, call.keywords
        of, slope = taken(a, k, "x", slope=0.01)
        return self.apply(
            "leaky_relu",
            [self.numeric(of, where), self.numeric(slope, where)],
            where._replace(operands=()),
        )

    def _gelu(self, call: Call) -> Value:
        """torch's is exact, jax's the tanh form unless told otherwise."""
        where, node, family, a, k = (
            call.where,
            call.node,
            call.family,
            call.arguments,
            call.keywords,
        )
        form = k.pop("approximate", a[1] if len(a) > 1 else family == "jax")
        if form in ("tanh", True):
            return self.from_prelude("gelu_tanh", a[:1], {}, node)
        return self.apply(
            "gelu", [self.numeric(a[0], where)], where._replace(operands=where.operands[:1])
        )

    def _softplus(self, call: Call) -> Value:
        where, node, a, k = call.where, call.node, call.arguments, call.keywords
        if len(a) > 1 or k:
            return self.from_prelude("softplus_of", a, k, node)
        return self.apply("softplus", [self.numeric(a[0], where)], where)

    def _polygamma(self, call: Call) -> Value:
        """The order comes first, in SciPy and in torch."""
        where, a, k = call.where, call.arguments, call.keywords
        n, of = taken(a, k, "n", "x")
        order = {"n": self.whole(n, "an order")}
        return self.apply(
            "polygamma", [self.numeric(of, where)], where._replace(operands=()), order
        )


FUNCTIONS: dict[str, str] = {
    "array": "_array",
    "zeros": "_zeros",
    "ones": "_ones",
    "full": "_full",
    "zeros_like": "_zeros_like",
    "ones_like": "_ones_like",
    "full_like": "_full_like",
    "shape": "_shape",
    "ndim": "_ndim",
    "size": "_size",
    "where": "_where",
    "reshape": "_reshape",
    "ravel": "_ravel",
    "flatten": "_ravel",
    "transpose": "_transpose",
    "permute": "_permute",
    "expand_dims": "_expand_dims",
    "dot": "_dot",
    "einsum": "_einsum",
    "tensordot": "_tensordot",
    "norm": "_norm",
    "slogdet": "_slogdet",
    "trace": "_trace",
    "clip": "_clip",
    "round": "_round",
    "heaviside": "_heaviside",
    "logical_not": "_not",
    "log": "_log",
    "leaky_relu": "_leaky",
    "gelu": "_gelu",
    "softplus": "_softplus",
    "polygamma": "_polygamma",
    "logsumexp": "_logsumexp",
    "isfinite": "_finite",
    "stop_gradient": "_stopped",
    "append": "_append",
    "sort": "_sorted",
    **dict.fromkeys(("sum", "mean", "prod", "max", "min"), "_reduced"),
    **dict.fromkeys(("var", "std"), "_spread"),
    **dict.fromkeys(("cumsum", "cumprod"), "_running"),
    **dict.fromkeys(("softmax", "log_softmax"), "_soft"),
    **dict.fromkeys(("concatenate", "stack", "hstack", "vstack", "column_stack"), "_joined"),
    **dict.fromkeys(("split", "array_split", "hsplit", "vsplit", "chunk"), "_split"),
    **dict.fromkeys(("atleast_1d", "atleast_2d", "atleast_3d"), "_atleast"),
    **dict.fromkeys(
        (
            *("swapaxes", "moveaxis", "broadcast_to", "rot90", "fliplr", "flipud", "flip"),
            *("squeeze", "diagonal", "roll", "tile", "repeat", "take"),
        ),
        "_view",
    ),
    **dict.fromkeys(
        (
            *("argmax", "argmin", "argsort", "nonzero", "flatnonzero", "argwhere", "all", "any"),
            *("allclose", "isclose", "array_equal", "isnan", "isinf", "unique", "count_nonzero"),
            *("bincount", "digitize", "searchsorted", "isin", "in1d"),
        ),
        "_by_value",
    ),
    **{
        f"random.{name}": "_random"
        for name in (
            *("seed", "default_rng", "RandomState", "randn", "rand", "random", "normal"),
            *("uniform", "standard_normal", "randint", "permutation", "choice", "binomial"),
            *("random_sample", "exponential"),
        )
    },
}
"""By the name, or by family and name where a library means something of its own."""
