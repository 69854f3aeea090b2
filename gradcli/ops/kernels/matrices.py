"""NumPy forms of functions of matrices, on stacks of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.ops.kernels.arrays import per_place, symmetric
from gradcli.ops.kernels.linear import each
from gradcli.ops.operation import Array


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
