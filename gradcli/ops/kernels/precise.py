"""Operations at any number of digits, for the rows that mpmath has no function for.

Each takes the module mpmath first, so that nothing is imported until it is asked for. Elementwise
forms take and give one number of mpmath; those of arrays take object arrays, a batch in front, and
the kernel's keywords. No derivative is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial, reduce
from typing import Any

import numpy as np

from gradcli.ops.kernels import reductions as rk

Form = Callable[..., Any]

LARGE = 10**9
"""Whole exponents beyond this go by the logarithm."""


def of_numbers(form: str, *, several: bool) -> Form:
    """A row's form for plain numbers (`jit`), computed by mpmath; `several` go two by two."""

    def two(mp: Any, *operands: Any) -> Any:
        value = eval(form.format(*LETTERS), _scope(mp), dict(zip(LETTERS, operands, strict=False)))  # noqa: S307 - of the table
        return mp.convert(value)

    return lambda mp, *operands: (
        reduce(partial(two, mp), operands) if several else two(mp, *operands)
    )


LETTERS = "abc"


@cache
def _scope(mp: Any) -> dict[str, Any]:
    """What the forms call."""
    own = {
        "larger": max,
        "smaller": min,
        "logistic": lambda x, z: (1 if x >= 0 else z) / (1 + z),
        "bell": lambda z: z / (1 + z) ** 2,
    }
    return {
        "__builtins__": {},
        "abs": abs,
        **{f: getattr(mp, f) for f in ("exp", "expm1", "log1p", "sqrt")},
        **own,
    }


def softplus(mp: Any, x: Any) -> Any:
    """log(1 + e^x)."""
    return max(x, mp.mpf(0)) + mp.log1p(mp.exp(-abs(x)))


def sigmoid(mp: Any, x: Any) -> Any:
    """1/(1 + e^-x)."""
    return 1 / (1 + mp.exp(-x)) if x > 0 else mp.exp(x) / (1 + mp.exp(x))


def gelu_slope(mp: Any, x: Any) -> Any:
    """The derivative of gelu."""
    return mp.erfc(-x / mp.sqrt(2)) / 2 + x * mp.npdf(x)


def mish_slope(mp: Any, x: Any) -> Any:
    """The derivative of mish."""
    s = softplus(mp, x)
    return mp.tanh(s) + x * sigmoid(mp, x) * mp.sech(s) ** 2


def huber(mp: Any, x: Any, delta: Any) -> Any:
    """x²/2 up to delta, linear beyond."""
    if delta < 0:
        return mp.nan
    return x * x / 2 if abs(x) <= delta else delta * (abs(x) - delta / 2)


FAR = 10**4
"""Beyond this the functions below take long."""


def bessel(name: str, order: int = 0) -> Form:
    """A Bessel function of mpmath; those that grow are nan far out."""

    def form(mp: Any, x: Any, n: int = order) -> Any:
        far = np.inf if name == "besselj" else FAR
        return each(lambda v: getattr(mp, name)(n, v) if abs(v) < far else mp.nan, (x,))

    return form


def incomplete(one: Form) -> Form:
    """A function of x and the parameter a; nan where it takes long."""
    return lambda mp, x, a: each(lambda v: one(mp, v, a) if 1e-20 < v < 40 else mp.nan, (x,))


def power(mp: Any, x: Any, n: Any) -> Any:
    """x^n."""
    return x ** int(n) if n == mp.floor(n) and abs(n) < LARGE else mp.power(x, n)


def power_slope(mp: Any, x: Any, n: Any) -> Any:
    """n x^(n - 1); n - 1 may need more digits than there are."""
    if n == 0:
        return mp.mpf(0)
    return n * power(mp, x, n) / x if x else n * power(mp, x, n - 1)


# --- reductions --------------------------------------------------------------------------


def along(function: Form) -> Form:
    """A reduction: a function of the elements along the axes that go."""

    def reduced(mp: Any, x: Any, axis: rk.Axes, keepdims: bool = False, **more: Any) -> Any:  # noqa: FBT001, FBT002
        rows = rk.gathered(np.asarray(x, dtype=object), axis)
        result = np.empty(rows.shape[:-1], dtype=object)
        for place in np.ndindex(result.shape):
            result[place] = function(mp, list(rows[place]), **more)
        return np.expand_dims(result, axis) if keepdims and axis else result

    return reduced


def norm(mp: Any, row: list[Any], p: float = 2) -> Any:
    """The p-norm, for p = 1, 2 and inf."""
    if p == np.inf:
        return max(map(abs, row), default=mp.mpf(0))
    return mp.fsum(map(abs, row)) if p == 1 else mp.sqrt(squared_norm(mp, row))


def squared_norm(mp: Any, row: list[Any]) -> Any:
    """The sum of all squares."""
    return mp.fsum(v * v for v in row)


def variance(mp: Any, row: list[Any], count: float = 1) -> Any:
    """The sum of squared distances from the mean, divided by `count`."""
    mean = mp.fsum(row) / len(row)
    return mp.fsum((v - mean) ** 2 for v in row) / mp.mpf(count)


def log_sum(mp: Any, row: list[Any]) -> Any:
    """The logarithm of the sum of exponentials."""
    top = max(row)
    return top + mp.log(mp.fsum(mp.exp(v - top) for v in row))


def log_softmax(mp: Any, x: Any, axis: rk.Axes) -> Any:
    """The logarithm of softmax."""
    return x - along(log_sum)(mp, x, axis, keepdims=True)


def softmax(mp: Any, x: Any, axis: rk.Axes) -> Any:
    """Exponentials divided by their sum."""
    return each(mp.exp, (log_softmax(mp, x, axis),))


# --- matrices ----------------------------------------------------------------------------


def matrices(function: Form) -> Form:
    """A function of matrices, on a stack of them."""

    def stacked(mp: Any, A: Any, *others: Any, **options: Any) -> Any:
        A = np.asarray(A, dtype=object)
        batch = A.shape[:-2]
        pieces = ((A[place], *(o[place] for o in others)) for place in np.ndindex(batch))
        found = [function(mp, *piece, **options) for piece in pieces]
        return np.reshape(np.array(found, dtype=object), batch + np.shape(found[0]))

    return stacked


def of_matrix(function: Form) -> Form:
    """A function of a matrix of mpmath, on a stack of them; nan where there is none."""

    def one(mp: Any, A: Any) -> Any:
        try:
            found = function(mp, mp.matrix(A.tolist()))
        except (ValueError, ZeroDivisionError):
            return np.full(A.shape, mp.nan, dtype=object)
        return np.array(found.tolist(), dtype=object) if isinstance(found, mp.matrix) else found

    return matrices(one)


inverse = of_matrix(lambda _mp, A: A**-1)


def pinv(mp: Any, A: Any) -> Any:
    """The pseudoinverse of a matrix of full rank."""
    m, n = A.shape
    return inverse(mp, A.T @ A) @ A.T if m >= n else A.T @ inverse(mp, A @ A.T)


def eigenvectors(mp: Any, A: Any) -> Any:
    """The eigenvectors of one symmetric matrix as columns, the largest element positive."""
    values, vectors = mp.eigsy(mp.matrix(((A + A.T) / 2).tolist()))
    V = np.array(vectors.tolist(), dtype=object)[:, np.argsort([float(value) for value in values])]
    return V * [1 if max(column, key=abs) > 0 else -1 for column in V.T]


def eigenvalues(mp: Any, A: Any) -> Any:
    """The eigenvalues of one symmetric matrix, rising."""
    return sorted(mp.eigsy(mp.matrix(((A + A.T) / 2).tolist()), eigvals_only=True))


def singular_values(mp: Any, A: Any) -> Any:
    """The singular values of one matrix, falling."""
    return sorted(mp.svd_r(mp.matrix(A.tolist()), compute_uv=False), reverse=True)


def matrix_power(mp: Any, A: Any, n: int) -> Any:
    """The n-th power of a matrix."""
    factor = inverse(mp, A) if n < 0 else A
    out = np.array(mp.eye(len(A)).tolist(), dtype=object)
    for _ in range(abs(n)):
        out = out @ factor
    return out


def by_number(kernel: Form) -> Form:
    """A kernel that takes elements by number, the numbers as doubles."""

    def taken(_mp: Any, x: Any, i: Any, **options: Any) -> Any:
        return kernel(np.asarray(x, dtype=object), np.asarray(i, dtype=np.float64), **options)

    return taken


def cumulated_log_sum(mp: Any, x: Any, axis: int) -> Any:
    """The logarithms of the running sums of exponentials."""
    lines = np.moveaxis(np.asarray(x, dtype=object), axis, -1)
    out = np.empty(lines.shape, dtype=object)
    for place in np.ndindex(lines.shape):
        out[place] = log_sum(mp, list(lines[place[:-1]][: place[-1] + 1]))
    return np.moveaxis(out, -1, axis)


def solve(mp: Any, A: Any, b: Any, vector: bool) -> Any:  # noqa: FBT001 - the kernel's keyword
    """The x with A @ x = b."""
    x = matrices(lambda mp, A, b: inverse(mp, A) @ b)(mp, A, b[..., None] if vector else b)
    return x[..., 0] if vector else x


# --- one number at a time ----------------------------------------------------------------


def each(one: Form, operands: tuple[Any, ...]) -> Any:
    """A function of numbers on object arrays."""
    if all(np.ndim(o) == 0 for o in operands):
        return one(*(o.item() if isinstance(o, np.ndarray) else o for o in operands))
    return np.frompyfunc(one, len(operands), 1)(*operands)


def reflected_polygamma(mp: Any, n: int, x: Any) -> Any:
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
    slope = mp.mpf(0)
    for term in reversed(terms):
        slope = slope * cot + term
    return (-1) ** n * mp.polygamma(n, 1 - x) - slope


def polygamma(mp: Any, x: Any, n: int) -> Any:
    """The n-th derivative of digamma; nan at its poles."""

    def one(v: Any) -> Any:
        try:
            return reflected_polygamma(mp, n, v)
        except (ValueError, ZeroDivisionError):
            return mp.nan

    return each(one, (x,))
