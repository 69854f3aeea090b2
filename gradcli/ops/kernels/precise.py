"""Operations at any number of digits, for the rows that mpmath has no function for.

Each takes the module mpmath first, so that nothing is imported until it is asked for. Elementwise
forms take and give one number of mpmath; those of arrays take object arrays, a batch in front, and
the kernel's keywords. No derivative is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.ops.kernels import reductions as rk
from gradcli.ops.operation import Shape

Form = Callable[..., Any]

LARGE = 10**9
"""Whole exponents beyond this go by the logarithm."""


def relu(mp: Any, x: Any) -> Any:
    """max(x, 0)."""
    return x if x > 0 else mp.mpf(0)


def softplus(mp: Any, x: Any) -> Any:
    """log(1 + e^x)."""
    return relu(mp, x) + mp.log1p(mp.exp(-abs(x)))


def sigmoid(mp: Any, x: Any) -> Any:
    """1/(1 + e^-x)."""
    return 1 / (1 + mp.exp(-x)) if x > 0 else mp.exp(x) / (1 + mp.exp(x))


def gelu_slope(mp: Any, x: Any) -> Any:
    """The derivative of gelu."""
    return mp.erfc(-x / mp.sqrt(2)) / 2 + x * mp.npdf(x)


def silu_slope(mp: Any, x: Any) -> Any:
    """The derivative of silu."""
    return sigmoid(mp, x) + x * mp.sech(x / 2) ** 2 / 4


def mish_slope(mp: Any, x: Any) -> Any:
    """The derivative of mish."""
    s = softplus(mp, x)
    return mp.tanh(s) + x * sigmoid(mp, x) * mp.sech(s) ** 2


def sinc_slope(mp: Any, x: Any) -> Any:
    """The derivative of sin(πx)/(πx)."""
    return (mp.cospi(x) - mp.sincpi(x)) / x if x else mp.mpf(0)


def log_base(mp: Any, x: Any, base: Any) -> Any:
    """The logarithm of x to a base."""
    return mp.log(x) / mp.log(base) if x > 0 and base > 0 else mp.nan


def fmod(mp: Any, x: Any, y: Any) -> Any:
    """x - y·trunc(x/y)."""
    q = x / y
    return x - y * (mp.floor(q) if q > 0 else mp.ceil(q))


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


def gammainc(mp: Any, x: Any, a: float) -> Any:
    """The regularised lower incomplete gamma function."""
    return each(
        lambda v: mp.gammainc(a, 0, v, regularized=True) if 1e-20 < v < 40 else mp.nan, (x,)
    )


def gammaincc(mp: Any, x: Any, a: float) -> Any:
    """The regularised upper incomplete gamma function."""
    return each(lambda v: mp.gammainc(a, v, regularized=True) if 1e-20 < v < 40 else mp.nan, (x,))


def gamma_density(mp: Any, x: Any, a: float) -> Any:
    """x^(a - 1) e^-x/Γ(a)."""
    return each(
        lambda v: v ** (mp.mpf(a) - 1) * mp.exp(-v) / mp.gamma(a) if 1e-20 < v < 40 else mp.nan,
        (x,),
    )


def power(mp: Any, x: Any, n: Any) -> Any:
    """x^n."""
    return x ** int(n) if n == mp.floor(n) and abs(n) < LARGE else mp.power(x, n)


def power_slope(mp: Any, x: Any, n: Any) -> Any:
    """n x^(n - 1); n - 1 may need more digits than there are."""
    if n == 0:
        return mp.mpf(0)
    return n * power(mp, x, n) / x if x else n * power(mp, x, n - 1)


def scaled_elu(scale: float, alpha: float) -> Form:
    """scale·elu(x, alpha)."""
    return lambda mp, x: mp.mpf(scale) * (x if x > 0 else mp.mpf(alpha) * mp.expm1(x))


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


def total(_mp: Any, x: Any, axis: rk.Axes, keepdims: bool) -> Any:  # noqa: FBT001 - the kernel's keyword
    """The sum; of no elements it is 0."""
    return np.sum(x, axis=axis, keepdims=keepdims)


def largest(_mp: Any, row: list[Any]) -> Any:
    """The largest element."""
    return max(row)


def smallest(_mp: Any, row: list[Any]) -> Any:
    """The smallest element."""
    return min(row)


def product(mp: Any, row: list[Any]) -> Any:
    """The product of the elements."""
    return mp.fprod(row)


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


def deviation(mp: Any, row: list[Any], count: float = 1) -> Any:
    """The square root of the variance."""
    return mp.sqrt(variance(mp, row, count))


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


def matrices(function: Form, result: Callable[[Any], Shape]) -> Form:
    """A function of matrices, on a stack of them; `result` is the shape of one result."""

    def stacked(mp: Any, A: Any, *others: Any) -> Any:
        A = np.asarray(A, dtype=object)
        batch = A.shape[:-2]
        out = np.empty(batch + result(others[0] if others else A), dtype=object)
        for place in np.ndindex(batch):
            out[place] = function(mp, A[place], *(o[place] for o in others))
        return out

    return stacked


def square(A: Any) -> Shape:
    """The shape of one matrix."""
    return tuple(A.shape[-2:])


def single(_A: Any) -> Shape:
    """The shape of a number."""
    return ()


def inverse(mp: Any, A: Any) -> Any:
    """The inverse of one matrix; nan where there is none."""
    try:
        return _entries(mp.matrix(A.tolist()) ** -1)
    except ZeroDivisionError:
        return np.full(A.shape, mp.nan, dtype=object)


def cholesky(mp: Any, A: Any) -> Any:
    """The Cholesky factor of one matrix; nan where there is none."""
    try:
        return _entries(mp.cholesky(mp.matrix(((A + A.T) / 2).tolist())))
    except ValueError:
        return np.full(A.shape, mp.nan, dtype=object)


def pinv(mp: Any, A: Any) -> Any:
    """The pseudoinverse of matrices of full rank."""
    A = np.asarray(A, dtype=object)
    batch, (m, n) = A.shape[:-2], A.shape[-2:]
    out = np.empty((*batch, n, m), dtype=object)
    for place in np.ndindex(batch):
        M = A[place]
        out[place] = inverse(mp, M.T @ M) @ M.T if m >= n else M.T @ inverse(mp, M @ M.T)
    return out


def expm(mp: Any, A: Any) -> Any:
    """The exponential of one matrix."""
    return _entries(mp.expm(mp.matrix(A.tolist())))


def eigenvalues(mp: Any, A: Any) -> Any:
    """The eigenvalues of symmetric matrices, rising."""
    A = np.asarray(A, dtype=object)
    out = np.empty(A.shape[:-1], dtype=object)
    for place in np.ndindex(A.shape[:-2]):
        M = (A[place] + A[place].T) / 2
        out[place] = sorted(mp.eigsy(mp.matrix(M.tolist()), eigvals_only=True))
    return out


def eigenvectors(mp: Any, A: Any) -> Any:
    """The eigenvectors of one symmetric matrix as columns, the largest element positive."""
    values, vectors = mp.eigsy(mp.matrix(((A + A.T) / 2).tolist()))
    V = _entries(vectors)[:, np.argsort([float(value) for value in values])]
    return V * [1 if max(column, key=abs) > 0 else -1 for column in V.T]


def singular_values(mp: Any, A: Any) -> Any:
    """The singular values of matrices, falling."""
    A = np.asarray(A, dtype=object)
    out = np.empty((*A.shape[:-2], min(A.shape[-2:])), dtype=object)
    for place in np.ndindex(A.shape[:-2]):
        found = mp.svd_r(mp.matrix(A[place].tolist()), compute_uv=False)
        out[place] = sorted(found, reverse=True)
    return out


def matrix_power(mp: Any, A: Any, n: int) -> Any:
    """The n-th power of matrices."""

    def power(_mp: Any, M: Any) -> Any:
        factor = inverse(mp, M) if n < 0 else M
        out = _entries(mp.eye(len(M)))
        for _ in range(abs(n)):
            out = out @ factor
        return out

    return matrices(power, square)(mp, A)


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


def det(mp: Any, A: Any) -> Any:
    """The determinant of one matrix."""
    return mp.det(mp.matrix(A.tolist()))


def logdet(mp: Any, A: Any) -> Any:
    """log|det A| of one matrix."""
    return mp.log(abs(det(mp, A)))


def solve(mp: Any, A: Any, b: Any, vector: bool) -> Any:  # noqa: FBT001 - the kernel's keyword
    """The x with A @ x = b."""
    x = matrices(_solved, square)(mp, A, b[..., None] if vector else b)
    return x[..., 0] if vector else x


def _solved(mp: Any, A: Any, b: Any) -> Any:
    return inverse(mp, A) @ b


def _entries(A: Any) -> Any:
    return np.array(A.tolist(), dtype=object)


def place_diagonal(mp: Any, d: Any, shape: Shape, k: int = 0) -> Any:
    """Zeros with a vector on a diagonal."""
    result = np.full(d.shape[:-1] + shape, mp.mpf(0), dtype=object)
    i = np.arange(d.shape[-1])
    result[..., i + max(-k, 0), i + max(k, 0)] = d
    return result


def diag(mp: Any, x: Any, shape: Shape | None, k: int) -> Any:
    """The diagonal matrix of a vector, or the diagonal of a matrix."""
    return np.diagonal(x, k, -2, -1) if shape is None else place_diagonal(mp, x, shape, k)


def contraction(kernel: Form) -> Form:
    """A product whose kernel, for two vectors, has no form for objects."""

    def product(_mp: Any, a: Any, b: Any, case: str = "mm", ranks: tuple[int, int] = (2, 2)) -> Any:
        if case in ("vv", "rv"):
            return np.sum(np.reshape(a, -1) * np.reshape(b, -1))
        return kernel(a, b, case, ranks)

    return product


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
