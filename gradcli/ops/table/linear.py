"""The rows of linear algebra on one matrix: transposes, diagonals, inverses, functions of it."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np

from gradcli.ops.kernels import arrays as k
from gradcli.ops.kernels import linear as lk
from gradcli.ops.kernels import precise as pk
from gradcli.ops.operation import Infer, Misfit, Shape, Site, Type
from gradcli.ops.options import (
    Keywords,
    matrix,
    shape_option,
    shape_text,
    square,
    transposed,
    whole,
)
from gradcli.ops.table.rows import HELPER, LINEAR, array_row

# --- transposes and diagonals ------------------------------------------------------------


def _transpose(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
    (t,) = types
    rank = len(t.shape)
    if rank == 1:
        return Type((1, *t.shape), row=True), {"case": "vector", "rank": 1}
    if t.row:
        return Type(t.shape[1:]), {"case": "row", "rank": 2}
    if rank == 2:
        return Type(t.shape[::-1]), {}
    return Type(t.shape[::-1]), {"case": "axes" if rank else "number", "rank": rank}


def _matrix_transpose(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
    shape = types[0].shape
    if len(shape) < 2:
        raise Misfit(f"it needs a matrix, not {types[0]}")
    return Type((*shape[:-2], shape[-1], shape[-2])), {}


def _of_vector(what: str, place: int) -> Infer:
    """A matrix of one column or row, the vector's length at this place of its shape."""

    def infer(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
        (t,) = types
        if len(t.shape) != 1 and not t.row:
            raise Misfit(f"it makes a {what} of a vector, not of {t}")
        shape = (1, t.shape[-1]) if place else (t.shape[-1], 1)
        return Type(shape, row=bool(place)), {"shape": shape, "rank": len(t.shape)}

    return infer


def _offset(options: Keywords) -> int:
    options["k"] = whole(options.get("k", 0), "k")
    return int(options["k"])


def _diagonal_length(shape: Shape, offset: int) -> int:
    rows, columns = shape
    return max(0, min(rows + min(offset, 0), columns - max(offset, 0)))


def _diag(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    (t,) = types
    offset = _offset(options)
    if not t.shape:
        raise Misfit("it needs a vector or a matrix, not a number")
    if len(t.shape) == 1:
        n = t.shape[0] + abs(offset)
        return Type((n, n)), {"shape": (n, n), "k": offset}
    return Type((_diagonal_length(matrix(t), offset),)), {"shape": None, "k": offset}


def _diag_rules(site: Site) -> tuple[str, ...]:
    shape, k = site.types[0].shape, site.options["k"]
    offset, side = f", {k}" if k else "", site.out.shape[0] + abs(k)
    if len(shape) == 2 and shape != (side, side):
        return (f"place_diagonal(delta, {shape_text(shape)}{offset})",)
    return (f"diag(delta{offset})",)


def _place_diagonal(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    shape, offset = shape_option(options["shape"]), _offset(options)
    options["shape"] = shape
    if len(shape) != 2 or types[0].shape != (_diagonal_length(shape, offset),):
        raise Misfit
    return Type(shape), {"shape": shape, "k": offset}


def _triangle(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    return Type(matrix(types[0])), {"k": _offset(options)}


# --- inverses and determinants -----------------------------------------------------------


def _stack(t: Type) -> Shape:
    """The axes in front of square matrices. Raises `Misfit`."""
    matrix(Type(t.shape[-2:]) if len(t.shape) > 2 else t, square=True)
    return t.shape[:-2]


def _det_rules(one: str, stacked: str) -> Callable[[Site], tuple[str, ...]]:
    """The rule for one matrix, and what the inverses of a stack are multiplied by."""

    def rules(site: Site) -> tuple[str, ...]:
        rank = len(site.out.shape)
        if not rank:
            return (one,)
        return (f"expand_dims({stacked}, ({rank}, {rank + 1}))*matrix_transpose(inv(A))",)

    return rules


def _cofactor_slope_rules(site: Site) -> tuple[str, str]:
    """The third derivative of det, by Jacobi's formula, with S = A⁻¹H and R = A⁻¹δ."""
    S, R = "solve(A, H)", "solve(A, delta)"
    scalar = f"(trace({S})*trace({R}) - sum({S}*{R}.T))*eye({site.out.shape[0]})"
    rest = f"trace({R})*{S} - trace({S})*{R} + {S} @ {R} + {R} @ {S}"
    return f"det(A)*(({scalar} - {rest}) @ inv(A)).T", "cofactor_slope(A, delta)"


def _solve(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
    A, b = types
    n, _ = matrix(A, square=True)
    if len(b.shape) not in {1, 2}:
        raise Misfit(f"the right-hand side is a vector or a matrix, not {b}")
    if b.shape[0] != n:
        raise Misfit
    return Type(b.shape), {"vector": len(b.shape) == 1}


MOVES: dict[str, Any] = {"exact": True, "group": "linear algebra"}

# fmt: off
TRANSPOSES = (
    array_row("T", "x", k.transpose, _transpose, "delta.T", symbol="T", aliases="transpose",
              plain=attrgetter("mT"), latex=r"{x}^\top",
              doc="transpose; of a vector a row, of a row the vector, else with all axes reversed",
              propagates="x", **MOVES),
    array_row("matrix_transpose", "x", lambda x: np.swapaxes(x, -1, -2), _matrix_transpose,
              "matrix_transpose(delta)", latex=r"{x}^\top",
              doc="the last two axes swapped, in a stack of matrices", traits="exact",
              propagates="x", **HELPER),
    array_row("col", "x", k.reshape, _of_vector("column", 0),
              rules=lambda site: ("delta.T" if site.types[0].row else "flatten(delta)",),
              doc="a vector of n as an n×1 matrix, to be used for every column", propagates="x",
              **MOVES),
    array_row("row", "x", k.reshape, _of_vector("row", 1),
              rules=lambda site: ("delta" if site.types[0].row else "delta.T",), latex=r"{x}^\top",
              doc="a vector as a row, as its transpose is", propagates="x", **MOVES),
    array_row("symmetric", "A", k.symmetric, square, "symmetric(delta)",
              latex=r"\tfrac12({A} + {A}^\top)", doc="the symmetric part (A + A.T)/2", **HELPER),
)

DIAGONALS = (
    array_row(
        "lower_half", "A", lambda A: (np.tril(A) + np.tril(A, -1)) / 2, square, "lower_half(delta)",
        latex=r"\Phi({A})",
        doc="lower triangle with half the diagonal, the factor that cholesky's rule is made of",
        mpmath=None, **HELPER),
    array_row("diag", "x k:=0", k.diag, _diag, rules=_diag_rules,
              doc="the diagonal matrix of a vector, or the diagonal of a matrix",
              numpy="np.diag({x}, {k?})", traits="selects view", **MOVES),
    array_row("place_diagonal", "x shape: k:=0", k.place_diagonal, _place_diagonal,
              "diag(delta{k})", latex=r"\operatorname{diag}({x})",
              doc="zeros of a shape with a vector on a diagonal", traits="exact selects", **HELPER),
    array_row("tril", "x k:=0", np.tril, _triangle, "tril(delta{k})",
              doc="lower triangle, up to the k-th diagonal", numpy="np.tril({x}, {k?})",
              traits="selects", **MOVES),
    array_row("triu", "x k:=0", np.triu, _triangle, "triu(delta{k})",
              doc="upper triangle, from the k-th diagonal on", numpy="np.triu({x}, {k?})",
              traits="selects", **MOVES),
    array_row("trace", "A", lambda A: np.trace(A, axis1=-2, axis2=-1),
              lambda types, _: (Type(matrix(types[0])[2:]), {}), "delta*eye({sides})",
              latex=r"\operatorname{tr} {A}", doc="sum of the diagonal", traits="selects scalar",
              **LINEAR),
)

INVERSES = (
    array_row("inv", "A", lk.inv,
              lambda types, _: (Type(_stack(types[0]) + types[0].shape[-2:]), {}),
              "-{out_t} @ delta @ {out_t}", latex="{A}^{-1}",
              domain="a matrix that is not singular", failure="singular", doc="inverse matrix",
              numpy="np.linalg.inv", mpmath=pk.inverse, traits="factorises", **LINEAR,
              aliases="inverse"),
    array_row("solve", "A b", lk.solve, _solve, "-solve({At}, delta) @ out.T", "solve({At}, delta)",
              latex="{A}^{-1} {b}", domain="a matrix that is not singular", failure="singular",
              doc="the x with A @ x = b, b a vector or a matrix", numpy="np.linalg.solve",
              mpmath=pk.solve, traits="factorises", **LINEAR),
    array_row("cholesky", "A", lk.cholesky, square,
              "symmetric(solve(out.T, solve(out.T, lower_half(out.T @ delta)).T))",
              latex=r"\operatorname{chol}({A})", domain="a positive definite matrix",
              failure="domain",
              doc="the lower triangular L with L @ L.T = A; of A the symmetric part is taken",
              numpy="np.linalg.cholesky(symmetric({A}))",
              mpmath=pk.of_matrix(lambda mp, A: mp.cholesky((A + A.T) / 2)), traits="factorises",
              **LINEAR),
    array_row("det", "A", lk.det, lambda types, _: (Type(_stack(types[0])), {}),
              rules=_det_rules("delta*cofactor(A)", "delta*out"), latex=r"\det {A}",
              doc="determinant", numpy="np.linalg.det",
              mpmath=pk.of_matrix(lambda mp, A: mp.det(A)), traits="factorises minors scalar",
              **LINEAR),
    array_row("logdet", "A", lambda A: np.linalg.slogdet(A).logabsdet,
              lambda types, _: (Type(_stack(types[0])), {}),
              rules=_det_rules("delta*inv(A).T", "delta"), latex=r"\log \lvert \det {A} \rvert",
              domain="a matrix that is not singular", failure="singular",
              doc="log|det A|, also where the determinant overflows",
              numpy="np.linalg.slogdet({A})[1]",
              mpmath=pk.of_matrix(lambda mp, A: mp.log(abs(mp.det(A)))), traits="factorises scalar",
              branch=lambda A: np.linalg.slogdet(A).sign,
              tie=lambda A: np.equal(np.linalg.slogdet(A).sign, 0), **LINEAR),
    array_row("cofactor", "A", lk.cofactor, square, "cofactor_slope(A, delta)",
              latex=r"\operatorname{cof} {A}",
              doc="the matrix of cofactors, det(A)*inv(A).T and right at det(A) = 0 too",
              mpmath=None, traits="composite", **HELPER),
    array_row(
        "cofactor_slope", "A H", lk.cofactor_slope, square, rules=_cofactor_slope_rules,
        latex=r"\operatorname{cof}'({A})[{H}]",
        doc="how cofactor(A) changes when A moves along H; its rule by A needs an inverse of A",
        mpmath=None, traits="composite", **HELPER),
)
# fmt: on


# --- functions of a matrix ---------------------------------------------------------------


def _pinv_rules(site: Site) -> tuple[str, ...]:
    """Golub and Pereyra 1973, equation (4.12), for a matrix whose rank stays."""
    m, n = site.types[0].shape
    rule = "-out.T @ delta @ out.T"
    if m >= n:
        rule += f" + (eye({m}) - A @ out) @ delta.T @ out @ out.T"
    if n >= m:
        rule += f" + out.T @ out @ delta.T @ (eye({n}) - out @ A)"
    return (rule,)


MOST_FACTORS = 64


def _matrix_power(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    n = options["n"] = whole(options["n"], "n")
    if abs(n) > MOST_FACTORS:
        raise Misfit(f"n is from -{MOST_FACTORS} to {MOST_FACTORS}", plain=True)
    out, _ = square(types, options)
    return out, {"n": n}


def _power_rules(site: Site) -> tuple[str, ...]:
    """A sum over the places of the factor that moves; for the inverse each is -A⁻¹ dA A⁻¹."""
    n = site.options["n"]

    def power(e: int) -> str:
        return "" if e == 0 else "A.T" if e == 1 else f"matrix_power(A, {e}).T"

    if n <= 0:
        ends = (f"{power(-i)} @ delta @ {power(n - 1 + i)}" for i in range(1, 1 - n))
        return (" - ".join(["0*delta", *ends]),)
    places = ((power(i), "delta", power(n - 1 - i)) for i in range(n))
    return (" + ".join(" @ ".join(filter(None, factors)) for factors in places),)


def _expm_slope_rules(site: Site) -> tuple[str, ...]:
    """The mixed derivative is symmetric in its directions; its adjoint has all transposed."""
    names = [f"A{i + 1}" for i in range(len(site.types))]
    first, *rest = map(transposed, site.types, names)
    kept = [rest, *(rest[:i] + rest[i + 1 :] for i in range(len(rest)))]
    return tuple(f"expm_slope({', '.join([first, 'delta', *others])})" for others in kept)


GAP = "where(eye({n}) == 1, 1, row(eigvalsh(A)) - col(eigvalsh(A)))"


def _singular_rules(site: Site) -> tuple[str, ...]:
    """Σ δ u vᵀ, with A v/σ for u, from the smaller of A Aᵀ and Aᵀ A."""
    m, n = site.types[0].shape
    if n <= m:
        V = f"flip(eigenvectors({transposed(site.types[0], 'A')} @ A), axis=1)"
        return (f"A @ {V} @ diag(delta/out) @ {V}.T",)
    U = f"flip(eigenvectors(A @ {transposed(site.types[0], 'A')}), axis=1)"
    return (f"{U} @ diag(delta/out) @ {U}.T @ A",)


# fmt: off
FUNCTIONS = (
    array_row("pinv", "A", lk.pinv, lambda types, _: (Type(matrix(types[0])[::-1]), {}),
              rules=_pinv_rules, numpy="np.linalg.pinv", doc="pseudoinverse of Moore and Penrose",
              domain="a matrix whose rank does not change", mpmath=pk.matrices(pk.pinv),
              traits="factorises", **LINEAR),
    array_row("matrix_power", "A n:", lk.matrix_power, _matrix_power, rules=_power_rules,
              latex="{A}^{n}", doc="product of n factors A; of the inverse for a negative n",
              numpy="np.linalg.matrix_power", mpmath=pk.matrices(pk.matrix_power), **LINEAR),
    array_row("expm", "A", lk.expm, square, "expm_slope({At}, delta)",
              doc="exponential of a matrix, Σ Aⁿ/n! (SciPy)", numpy="scipy.linalg.expm",
              mpmath=pk.of_matrix(lambda mp, A: mp.expm(A)), **LINEAR),
    array_row("expm_slope", "*A", lk.expm_slope, square, rules=_expm_slope_rules,
              doc="how expm(A) changes when A moves along each of the other matrices (SciPy)",
              mpmath=None, traits="composite", group="used in derivatives"),
    array_row("eigvalsh", "A", lk.eigvalsh,
              lambda types, _: (Type(matrix(types[0], square=True)[:1]), {}),
              "eigenvectors(A) @ diag(delta) @ eigenvectors(A).T",
              doc="eigenvalues of a symmetric matrix, rising; of A the symmetric part is taken",
              numpy="np.linalg.eigvalsh(symmetric({A}))", mpmath=pk.matrices(pk.eigenvalues),
              traits="factorises", branch=lk.equal_eigenvalues, tie=lk.equal_eigenvalues,
              convention="as if the eigenvalues had the order that they are computed in", **LINEAR),
    array_row("eigenvectors", "A", lk.eigenvectors, square,
              f"symmetric(out @ (where(eye({{n}}) == 1, 0, out.T @ delta/{GAP})) @ out.T)",
              doc="eigenvectors of a symmetric matrix as columns, the largest element positive",
              domain="a matrix with different eigenvalues", mpmath=pk.matrices(pk.eigenvectors),
              traits="factorises", **LINEAR),
    array_row("svdvals", "A", lk.svdvals, lambda types, _: (Type((min(matrix(types[0])),)), {}),
              rules=_singular_rules, doc="singular values, falling",
              numpy="np.linalg.svd({A}, compute_uv=False)", mpmath=pk.matrices(pk.singular_values),
              traits="factorises", domain="different singular values above 0", **LINEAR),
)
# fmt: on

ROWS = (*TRANSPOSES, *DIAGONALS, *INVERSES, *FUNCTIONS)
