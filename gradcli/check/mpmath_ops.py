"""The operations at any number of digits, in mpmath: one form per row of the table.

An elementwise form takes numbers of mpmath and gives one; an array's form takes object arrays
and the kernel's keywords. Most operations on arrays only move, add and multiply elements; for
those the kernel itself works on numbers of any kind. No derivative is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np

from gradcli.ops.kernels import arrays as k
from gradcli.ops.kernels import elementwise as kernels
from gradcli.ops.kernels import reductions as rk
from gradcli.ops.operation import Operation, Shape

Form = Callable[..., Any]

MOST_BITS = 5000
"""Binary exponents beyond this are refused; those of doubles end at 1074."""


def form(operation: Operation) -> Form | None:
    """The precise form of an operation on object arrays; None if there is none."""
    name = operation.name
    if operation.elementwise and name in ELEMENTWISE:
        one = ELEMENTWISE[name]
        return lambda *operands: _each(one, operands)
    if name in ARRAYS:
        return ARRAYS[name]
    return operation.forward if name in BY_KERNEL else None


def number(value: float) -> Any:
    """A double as a number of mpmath, exactly."""
    return mp.mpf(float(value))


def lifted(value: Any) -> Any:
    """A value of the graph: a number of mpmath, or an object array of them."""
    if np.ndim(value) == 0:
        return number(value)
    array = np.empty(np.shape(value), dtype=object)
    array[...] = np.frompyfunc(number, 1, 1)(np.asarray(value, dtype=object))
    return array


def moderate(value: Any) -> bool:
    """Whether numbers are finite and not far outside of what doubles can be.

    The sine of exp(1e300) would need π to more digits than there is memory for.
    """
    for v in np.ravel(np.asarray(value, dtype=object)):
        if not mp.isfinite(v) or (v and abs(mp.mag(v)) > MOST_BITS):
            return False
    return True


def _each(one: Form, operands: tuple[Any, ...]) -> Any:
    if all(np.ndim(o) == 0 for o in operands):
        return one(*(o.item() if isinstance(o, np.ndarray) else o for o in operands))
    return np.frompyfunc(one, len(operands), 1)(*operands)


def _real(function: Form) -> Form:
    """A function whose values are nan where they are complex or there are none."""

    def real(*operands: Any) -> Any:
        try:
            value = function(*operands)
        except (ValueError, ZeroDivisionError, OverflowError):
            return mp.nan
        return (
            value.real
            if isinstance(value, mp.mpc) and value.imag == 0
            else (mp.nan if isinstance(value, mp.mpc) else value)
        )

    return real


def _truth(compare: Callable[[Any, Any], bool]) -> Form:
    return lambda a, b: mp.mpf(1 if compare(a, b) else 0)


def _sinc_slope(x: Any) -> Any:
    return (mp.cospi(x) - mp.sincpi(x)) / x if x else mp.mpf(0)


def _relu(x: Any) -> Any:
    return x if x > 0 else mp.mpf(0)


def _softplus(x: Any) -> Any:
    return _relu(x) + mp.log1p(mp.exp(-abs(x)))


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x)) if x > 0 else mp.exp(x) / (1 + mp.exp(x))


def _sech(x: Any) -> Any:
    return 1 / mp.cosh(x)


def _gelu_slope(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2 + x * mp.npdf(x)


def _silu_slope(x: Any) -> Any:
    return _sigmoid(x) + x * _sech(x / 2) ** 2 / 4


def _mish_slope(x: Any) -> Any:
    s = _softplus(x)
    return mp.tanh(s) + x * _sigmoid(x) * _sech(s) ** 2


def _log_base(x: Any, base: Any) -> Any:
    return mp.log(x) / mp.log(base) if x > 0 and base > 0 else mp.nan


def _clip(x: Any, lo: Any, hi: Any) -> Any:
    return min(max(x, lo), hi)


_LARGE = 10**9
"""Whole exponents beyond this go by the logarithm."""


def _pow(x: Any, n: Any) -> Any:
    if n == mp.floor(n) and abs(n) < _LARGE:
        return x ** int(n)
    return mp.power(x, n)


ELEMENTWISE: dict[str, Form] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": _real(lambda x, y: x / y),
    "reciprocal": _real(lambda x: 1 / x),
    "neg": lambda x: -x,
    "identity": lambda x: x,
    "pow": _real(_pow),
    "less": _truth(lambda a, b: a < b),
    "less_equal": _truth(lambda a, b: a <= b),
    "greater": _truth(lambda a, b: a > b),
    "greater_equal": _truth(lambda a, b: a >= b),
    "equal": _truth(lambda a, b: a == b),
    "not_equal": _truth(lambda a, b: a != b),
    "abs": abs,
    "sign": mp.sign,
    "sqrt": _real(mp.sqrt),
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "square": lambda x: x * x,
    "exp": mp.exp,
    "expm1": mp.expm1,
    "exp2": lambda x: mp.mpf(2) ** x,
    "log": _real(mp.log),
    "log_base": _real(_log_base),
    "log1p": _real(mp.log1p),
    "log2": _real(lambda x: mp.log(x) / mp.log(2)),
    "log10": _real(mp.log10),
    "logaddexp": lambda x, y: max(x, y) + mp.log1p(mp.exp(-abs(x - y))),
    "hypot": mp.hypot,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": _real(mp.asin),
    "acos": _real(mp.acos),
    "atan": mp.atan,
    "atan2": mp.atan2,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "asinh": mp.asinh,
    "acosh": _real(mp.acosh),
    "atanh": _real(mp.atanh),
    "sinc": mp.sincpi,
    "sinc_slope": _sinc_slope,
    "deg2rad": lambda x: x * mp.pi / 180,
    "rad2deg": lambda x: x * 180 / mp.pi,
    "sigmoid": _sigmoid,
    "logsigmoid": lambda x: -_softplus(-x),
    "logit": _real(lambda x: mp.log(x / (1 - x))),
    "relu": _relu,
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * mp.expm1(x),
    "selu": lambda x: (
        number(kernels.SELU_SCALE) * (x if x > 0 else number(kernels.SELU_ALPHA) * mp.expm1(x))
    ),
    "gelu": lambda x: x / 2 * mp.erfc(-x / mp.sqrt(2)),
    "silu": lambda x: x * _sigmoid(x),
    "mish": lambda x: x * mp.tanh(_softplus(x)),
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + abs(x)),
    "hardtanh": lambda x: _clip(x, mp.mpf(-1), mp.mpf(1)),
    "step": lambda x: (mp.sign(x) + 1) / 2,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "erfinv": _real(mp.erfinv),
    "gamma": _real(mp.gamma),
    "lgamma": _real(lambda x: mp.log(abs(mp.gamma(x)))),
    "digamma": _real(mp.digamma),
    "floor": mp.floor,
    "ceil": mp.ceil,
    "round": mp.nint,
    "mod": _real(lambda x, y: x - y * mp.floor(x / y)),
    "where": lambda c, a, b: a if c != 0 else b,
    "maximum": max,
    "minimum": min,
    "clip": _clip,
    "ones_like": lambda _x: mp.mpf(1),
    "zeros_like": lambda _x: mp.mpf(0),
    "sigmoid_slope": lambda x: _sech(x / 2) ** 2 / 4,
    "tanh_slope": lambda x: _sech(x) ** 2,
    "logaddexp_slope": lambda x, y: _sigmoid(x - y),
    "gauss": lambda x: mp.exp(-x * x),
    "normal_pdf": mp.npdf,
    "erfinv_slope": _real(lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(mp.erfinv(x) ** 2)),
    "gelu_slope": _gelu_slope,
    "silu_slope": _silu_slope,
    "mish_slope": _mish_slope,
}


# --- arrays ------------------------------------------------------------------------------


def _along(function: Callable[[list[Any]], Any]) -> Form:
    """A reduction: a function of the elements along the axes that go."""

    def reduced(x: Any, axis: rk.Axes, keepdims: bool = False, **more: Any) -> Any:  # noqa: FBT001, FBT002
        rows = rk.gathered(np.asarray(x, dtype=object), axis)
        result = np.empty(rows.shape[:-1], dtype=object)
        for place in np.ndindex(result.shape):
            result[place] = function(list(rows[place]), **more)
        return np.expand_dims(result, axis) if keepdims and axis else result

    return reduced


def _norm(row: list[Any], p: float = 2) -> Any:
    if p == np.inf:
        return max(map(abs, row), default=mp.mpf(0))
    return mp.fsum(map(abs, row)) if p == 1 else mp.sqrt(mp.fsum(v * v for v in row))


def _log_sum(row: list[Any]) -> Any:
    top = max(row)
    return top + mp.log(mp.fsum(mp.exp(v - top) for v in row))


def _variance(row: list[Any], count: float = 1) -> Any:
    mean = mp.fsum(row) / len(row)
    return mp.fsum((v - mean) ** 2 for v in row) / number(count)


def _deviation(row: list[Any], count: float = 1) -> Any:
    return mp.sqrt(_variance(row, count))


def _log_softmax(x: Any, axis: rk.Axes) -> Any:
    return x - _along(_log_sum)(x, axis, keepdims=True)


def _matrices(function: Form, result: Callable[[Any], Shape]) -> Form:
    """A function of matrices, on a stack of them."""

    def stacked(A: Any, *others: Any) -> Any:
        A = np.asarray(A, dtype=object)
        batch = A.shape[:-2]
        out = np.empty(batch + result(others[0] if others else A), dtype=object)
        for place in np.ndindex(batch):
            out[place] = function(A[place], *(o[place] for o in others))
        return out

    return stacked


def _as_matrix(A: Any) -> Any:
    return mp.matrix(A.tolist())


def _entries(A: Any) -> Any:
    return np.array(A.tolist(), dtype=object)


def _nan_like(shape: Shape) -> Any:
    return np.full(shape, mp.nan, dtype=object)


def _inverse(A: Any) -> Any:
    try:
        return _entries(_as_matrix(A) ** -1)
    except ZeroDivisionError:
        return _nan_like(A.shape)


def _solve(A: Any, b: Any) -> Any:
    return _inverse(A) @ b


def _cholesky(A: Any) -> Any:
    try:
        return _entries(mp.cholesky(_as_matrix((A + A.T) / 2)))
    except ValueError:
        return _nan_like(A.shape)


def _solved(A: Any, b: Any, vector: bool) -> Any:  # noqa: FBT001 - the kernel's keyword
    x = _matrices(_solve, lambda o: o.shape[-2:])(A, b[..., None] if vector else b)
    return x[..., 0] if vector else x


def _place_diagonal(d: Any, shape: Shape, k: int = 0) -> Any:
    result = np.full(d.shape[:-1] + shape, mp.mpf(0), dtype=object)
    i = np.arange(d.shape[-1])
    result[..., i + max(-k, 0), i + max(k, 0)] = d
    return result


def _diag(x: Any, shape: Shape | None, k: int) -> Any:
    return np.diagonal(x, k, -2, -1) if shape is None else _place_diagonal(x, shape, k)


def _polygamma(x: Any, n: int) -> Any:
    return _each(_real(lambda v: reflected_polygamma(n, v)), (x,))


def reflected_polygamma(n: int, x: Any) -> Any:
    """ψ⁽ⁿ⁾(x), left of 0 by reflection: mpmath goes up from there in steps of 1.

    (-1)ⁿ ψ⁽ⁿ⁾(1 - x) - ψ⁽ⁿ⁾(x) = dⁿ/dxⁿ π cot(πx) (DLMF 5.15.6), a polynomial in c = cot(πx), since
    dc/dx = -π(1 + c²).
    """
    if x > 0:
        return mp.polygamma(n, x)
    terms = [mp.mpf(0), mp.pi]
    for _ in range(n):
        slopes = [k * term for k, term in enumerate(terms)][1:]
        terms = [-mp.pi * (a + b) for a, b in zip([*slopes, 0, 0], [0, 0, *slopes], strict=True)]
    cot = mp.cospi(x) / mp.sinpi(x)
    slope = mp.fsum(term * cot**k for k, term in enumerate(terms))
    return (-1) ** n * mp.polygamma(n, 1 - x) - slope


def _sum(x: Any, axis: rk.Axes, keepdims: bool) -> Any:  # noqa: FBT001 - the kernel's keyword
    return np.sum(x, axis=axis, keepdims=keepdims)


def _product_of_vectors(kernel: Form) -> Form:
    """A product whose kernel, for two vectors, has no form for objects."""

    def product(a: Any, b: Any, case: str = "mm", ranks: tuple[int, int] = (2, 2)) -> Any:
        if case in ("vv", "rv"):
            return np.sum(np.reshape(a, -1) * np.reshape(b, -1))
        return kernel(a, b, case, ranks)

    return product


ARRAYS: dict[str, Form] = {
    "polygamma": _polygamma,
    "matmul": _product_of_vectors(k.matmul),
    "dot": _product_of_vectors(k.dot),
    "inner": _product_of_vectors(k.inner),
    "diag": _diag,
    "place_diagonal": _place_diagonal,
    "inv": _matrices(_inverse, lambda A: A.shape[-2:]),
    "solve": _solved,
    "cholesky": _matrices(_cholesky, lambda A: A.shape[-2:]),
    "det": _matrices(lambda A: mp.det(_as_matrix(A)), lambda _A: ()),
    "logdet": _matrices(lambda A: mp.log(abs(mp.det(_as_matrix(A)))), lambda _A: ()),
    "sum": _sum,
    "amax": _along(max),
    "amin": _along(min),
    "var": _along(_variance),
    "std": _along(_deviation),
    "norm": _along(_norm),
    "squared_norm": _along(lambda row: mp.fsum(v * v for v in row)),
    "prod": _along(mp.fprod),
    "logsumexp": _along(_log_sum),
    "softmax": lambda x, axis: _each(mp.exp, (_log_softmax(x, axis),)),
    "log_softmax": _log_softmax,
}

BY_KERNEL = frozenset(
    (
        *("outer", "cross", "kron", "T", "matrix_transpose", "col", "row", "symmetric"),
        *("tril", "triu", "trace", "mean", "cumsum", "cumprod"),
        *("recurrence", "recurrence_back", "concat", "stack", "array", "reshape", "flatten"),
        *("squeeze", "expand_dims", "repeat", "flip", "index"),
        *("pick", "put", "put_add"),
        *("zeros", "ones", "full", "eye", "linspace", "arange"),
    )
)
"""Kernels that move, add and multiply, and so work on numbers of any kind."""

NOT_AVAILABLE = {
    "lower_half": "a helper of derivative rules",
    "softmax_slope": "a helper of derivative rules",
    "cofactor": "a helper of derivative rules",
    "cofactor_slope": "a helper of derivative rules",
    "prod_others": "a helper of derivative rules",
    "shift": "a helper of derivative rules",
    "scatter": "a helper of derivative rules",
}
"""Rows without a precise form, and why; none of them can be called in a program."""
