"""NumPy forms of inverses, determinants and functions of matrices, on stacks of them.

Where LAPACK gives up on a matrix of the stack, or its answer has no right digit, the kernels
here give nan for that matrix.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from gradcli.ops.kernels.arrays import per_place, symmetric
from gradcli.ops.kernels.compensated import sum_of_products
from gradcli.ops.kernels.reductions import products_of_others
from gradcli.ops.operation import Array, Shape

EPSILON = 2.0**-52


def each(function: Callable[..., Array], *arrays: Array, shape: Shape | None = None) -> Array:
    """A function on stacks of matrices; nan, in this shape, for those on which LAPACK gives up."""
    try:
        return function(*arrays)
    except np.linalg.LinAlgError:
        nothing = np.full(arrays[0].shape[-2:] if shape is None else shape, np.nan)

    def one(*matrices: Array) -> Array:
        try:
            return function(*matrices)
        except np.linalg.LinAlgError:
            return nothing

    return per_place(one, arrays, [2] * len(arrays))


SMALL = 3
"""Up to this size, determinants are sums of products: elimination loses what is small in them."""


def det(A: Array) -> Array:
    """The determinant: a sum of products, for larger matrices LAPACK's.

    LAPACK's goes through the logarithm where its product leaves the range.
    """
    n = A.shape[-1]
    if 0 < n <= SMALL:
        rows, columns, signs = _permutations(n)
        return sum_of_products(A[..., rows, columns], signs)
    result = np.linalg.det(A)
    if np.all(np.isfinite(result) & (result != 0)):
        return result
    sign, logarithm = np.linalg.slogdet(A)
    return np.where(np.isfinite(result) & (result != 0), result, sign * np.exp(logarithm))


@cache
def _permutations(n: int) -> tuple[Array, Array, Array]:
    """Rows and columns of the factors of each term of a determinant, and the terms' signs."""
    columns = list(itertools.permutations(range(n)))
    signs = [(-1.0) ** sum(a > b for a, b in itertools.combinations(p, 2)) for p in columns]
    return np.arange(n)[None, :].repeat(len(columns), 0), np.array(columns), np.array(signs)


@cache
def _minors(n: int) -> tuple[Array, Array, Array]:
    """The same for all cofactors of a matrix of n rows: an axis for each of (row, column) first."""
    rows, columns, signs = _permutations(n - 1)
    others = np.array([[i for i in range(n) if i != gone] for gone in range(n)])
    chess = (-1.0) ** np.add.outer(range(n), range(n))
    shape = (n, n, *rows.shape)
    return (
        np.broadcast_to(others[:, None][..., rows], shape),
        np.broadcast_to(others[None, :][..., columns], shape),
        chess[..., None] * signs,
    )


def _singular(A: Array, inverse: Array) -> Array:
    """Whether no digit of an inverse is right.

    A diagonal element of A⁻¹A is 1 as a sum of terms. Where the terms' sizes add up to 1/ε,
    rounding alone makes that 1. Unlike a condition number, this does not change when rows or
    columns are scaled: diag(1e-200, 1e200) is a good matrix.
    """
    sizes: Array = np.abs(inverse) * np.abs(np.swapaxes(A, -1, -2))
    return sizes.sum(axis=-1).max(axis=-1, initial=0.0) * EPSILON >= 1


def inv(A: Array) -> Array:
    """The inverse; nan where the matrix is singular to working precision."""
    inverse = each(np.linalg.inv, A)
    return np.where(_singular(A, inverse)[..., None, None], np.nan, inverse)


def solve(A: Array, b: Array, vector: bool) -> Array:  # noqa: FBT001 - given by name
    """The x with A x = b; nan where A is singular to working precision."""
    if vector:
        b = b[..., None]
    x = each(np.linalg.solve, A, b, shape=b.shape[-2:])
    bad = _singular(A, each(np.linalg.inv, A))
    x = np.where(bad[..., None, None], np.nan, x)
    return x[..., 0] if vector else x


def cholesky(A: Array) -> Array:
    """The lower triangular L with L L.T = (A + A.T)/2; nan if that is not positive definite."""
    return each(np.linalg.cholesky, symmetric(A))


def cofactor(A: Array) -> Array:
    """The matrix of cofactors, ∂det/∂A: determinants of the minors.

    Of larger matrices by singular values, as det(A)·inv(A).T fails at det 0.
    """
    n = A.shape[-1]
    if n == 1:
        return np.ones_like(A)
    if 1 < n <= SMALL:
        rows, columns, signs = _minors(n)
        return sum_of_products(A[..., rows, columns], signs)
    return each(_cofactor, A)


def _cofactor(A: Array) -> Array:
    U, s, V = np.linalg.svd(A)
    sign = np.round(np.linalg.det(U) * np.linalg.det(V))[..., None, None]
    return sign * (U * products_of_others(s)[..., None, :]) @ V


def cofactor_slope(A: Array, H: Array) -> Array:
    """How the cofactors of A change in the direction H."""
    n = A.shape[-1]
    if n == 1:
        return np.zeros(np.broadcast_shapes(A.shape, H.shape))
    if 1 < n <= SMALL:
        rows, columns, signs = _minors(n)
        A, H = np.broadcast_arrays(A, H)
        factors, moved = A[..., rows, columns], H[..., rows, columns]
        if n == 2:
            return sum_of_products(moved, signs)
        # The slope of a product of two: one factor moves, then the other.
        first = np.stack([moved[..., 0], factors[..., 1]], axis=-1)
        second = np.stack([factors[..., 0], moved[..., 1]], axis=-1)
        both = np.concatenate([first, second], axis=-2)
        return sum_of_products(both, np.concatenate([signs, signs], axis=-1))
    return each(_cofactor_slope, A, H)


def _cofactor_slope(A: Array, H: Array) -> Array:
    """For A = U S V: ∂/∂S of the slope of det(S + tK) at t = 0, with K = U.T H V.T.

    That is K_ll·p_il summed over l ≠ i on the diagonal and -K_ji·p_ij beside it, where p_ij is
    the product of all singular values but the i-th and the j-th.
    """
    U, s, V = np.linalg.svd(A)
    sign = np.round(np.linalg.det(U) * np.linalg.det(V))[..., None, None]
    K = np.swapaxes(U, -1, -2) @ H @ np.swapaxes(V, -1, -2)
    n = s.shape[-1]
    pairs = np.zeros((*s.shape, n))
    for i in range(n):
        others = s.copy()
        others[..., i] = 1.0
        pairs[..., i, :] = products_of_others(others)
        pairs[..., i, i] = 0.0
    slope = -np.swapaxes(K, -1, -2) * pairs
    diagonal = np.arange(n)
    slope[..., diagonal, diagonal] = (pairs @ np.diagonal(K, axis1=-2, axis2=-1)[..., None])[..., 0]
    return sign * (U @ slope @ V)


# --- functions of a matrix ---------------------------------------------------------------


def _finite(function: Callable[..., Array]) -> Callable[..., Array]:
    """A function that gives nan for a matrix that is not finite, on which LAPACK may raise."""

    def of_finite(A: Array) -> Array:
        bad = ~np.isfinite(A).all(axis=(-2, -1))
        if not np.any(bad):
            return function(A)
        found = np.array(function(np.where(bad[..., None, None], np.eye(*A.shape[-2:]), A)))
        found[bad] = np.nan
        return found

    return of_finite


@_finite
def pinv(A: Array) -> Array:
    """The pseudoinverse, singular values below 1e-15 of the largest left out."""
    return each(np.linalg.pinv, A, shape=A.shape[-2:][::-1])


def matrix_power(A: Array, n: int) -> Array:
    """The n-th power; nan where a matrix has no inverse."""
    return each(lambda M: np.linalg.matrix_power(M, n), A)


@_finite
def expm(A: Array) -> Array:
    """The exponential, by scaling and squaring."""
    from scipy import linalg  # noqa: PLC0415 - slow to import, seldom needed

    return per_place(linalg.expm, (A,), (2,))


def expm_slope(A: Array, *directions: Array) -> Array:
    """The mixed derivative of expm along some directions: a block of a larger exponential.

    Higham, Functions of Matrices (2008), section 3.1: that of [[X, E], [0, X]]
    has the derivative beside f(X).
    """
    n = A.shape[-1]
    arrays = np.broadcast_arrays(A, *directions)
    X = arrays[0]
    for E in arrays[1:]:
        copies = X.shape[-1] // n
        block = np.zeros((*X.shape[:-2], 2 * X.shape[-1], 2 * X.shape[-1]))
        m = X.shape[-1]
        block[..., :m, :m] = block[..., m:, m:] = X
        for i in range(copies):
            block[..., i * n : i * n + n, m + i * n : m + i * n + n] = E
        X = block
    return expm(X)[..., :n, -n:]


@_finite
def eigvalsh(A: Array) -> Array:
    """The eigenvalues of the symmetric part, rising."""
    return np.linalg.eigvalsh(symmetric(A))


@_finite
def eigenvectors(A: Array) -> Array:
    """The eigenvectors of the symmetric part as columns, in each the largest element positive."""
    V = np.linalg.eigh(symmetric(A)).eigenvectors
    place = np.argmax(np.abs(V), axis=-2, keepdims=True)
    return V * np.where(np.take_along_axis(V, place, axis=-2) < 0, -1.0, 1.0)


@_finite
def svdvals(A: Array) -> Array:
    """The singular values, falling."""
    return np.linalg.svd(A, compute_uv=False)


def equal_eigenvalues(A: Array) -> Any:
    """Whether neighbouring eigenvalues are equal but for rounding."""
    values = eigvalsh(A)
    size = np.max(np.abs(values), axis=-1, keepdims=True)
    return np.any(np.diff(values, axis=-1) <= 1e-12 * size, axis=-1)
