"""The rows of functions of a matrix: pseudoinverse, powers, exponential, eigenvalues."""

from __future__ import annotations

from gradcli.ops.kernels import matrices as mk
from gradcli.ops.kernels import precise as pk
from gradcli.ops.operation import Misfit, Site, Type
from gradcli.ops.options import Keywords, matrix, square, transposed, whole
from gradcli.ops.table.rows import LINEAR, array_row


def _pinv_rules(site: Site) -> tuple[str, ...]:
    """Golub and Pereyra 1973, equation (4.12), for a matrix whose rank stays."""
    m, n = site.types[0].shape
    rule = "-out.T @ delta @ out.T"
    if m > n:
        rule += f" + (eye({m}) - A @ out) @ delta.T @ out @ out.T"
    if n > m:
        rule += f" + out.T @ out @ delta.T @ (eye({n}) - out @ A)"
    if m == n:
        rule += (
            f" + (eye({m}) - A @ out) @ delta.T @ out @ out.T"
            f" + out.T @ out @ delta.T @ (eye({n}) - out @ A)"
        )
    return (rule,)


MOST_FACTORS = 64


def _power(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    n = options["n"] = whole(options["n"], "n")
    if abs(n) > MOST_FACTORS:
        raise Misfit(f"n is from -{MOST_FACTORS} to {MOST_FACTORS}", plain=True)
    out, _ = square(types, options)
    return out, {"n": n}


def _power_rules(site: Site) -> tuple[str, ...]:
    """A sum over the places of the factor that moves; for the inverse each is -A⁻¹ dA A⁻¹."""
    n = site.options["n"]
    if n == 0:
        return ("0*delta",)
    if n == 1:
        return ("delta",)

    def power(k: int) -> str:
        return "A.T" if k == 1 else f"matrix_power(A, {k}).T"

    if n < 0:
        ends = [(-k, n - 1 + k) for k in range(1, -n + 1)]
        return (" - ".join(["0*delta", *(f"{power(a)} @ delta @ {power(b)}" for a, b in ends)]),)
    terms = []
    for k in range(n):
        factors = [power(k)] if k else []
        factors.append("delta")
        factors += [power(n - 1 - k)] if n - 1 - k else []
        terms.append(" @ ".join(factors))
    return (" + ".join(terms),)


def _expm_slope_rules(site: Site) -> tuple[str, ...]:
    """The mixed derivative is symmetric in its directions; its adjoint has all transposed."""
    names = [f"A{i + 1}" for i in range(len(site.types))]
    first, *rest = map(transposed, site.types, names)
    kept = [rest, *(rest[:i] + rest[i + 1 :] for i in range(len(rest)))]
    return tuple(f"expm_slope({', '.join([first, 'delta', *others])})" for others in kept)


def _vectors_rules(site: Site) -> tuple[str, ...]:
    n = site.out.shape[0]
    gap = f"where(eye({n}) == 1, 1, row(eigvalsh(A)) - col(eigvalsh(A)))"
    return (f"symmetric(out @ (where(eye({n}) == 1, 0, out.T @ delta/{gap})) @ out.T)",)


def _singular_rules(site: Site) -> tuple[str, ...]:
    """Σ δ u vᵀ, with A v/σ for u, from the smaller of A Aᵀ and Aᵀ A."""
    m, n = site.types[0].shape
    if n <= m:
        V = f"flip(eigenvectors({transposed(site.types[0], 'A')} @ A), axis=1)"
        return (f"A @ {V} @ diag(delta/out) @ {V}.T",)
    U = f"flip(eigenvectors(A @ {transposed(site.types[0], 'A')}), axis=1)"
    return (f"{U} @ diag(delta/out) @ {U}.T @ A",)


# fmt: off
ROWS = (
    array_row("pinv", "A", mk.pinv, lambda types, _: (Type(matrix(types[0])[::-1]), {}),
              rules=_pinv_rules, numpy="np.linalg.pinv", doc="pseudoinverse of Moore and Penrose",
              domain="a matrix whose rank does not change", mpmath=pk.matrices(pk.pinv),
              traits="factorises", **LINEAR),
    array_row("matrix_power", "A n:", mk.matrix_power, _power, rules=_power_rules, latex="{A}^{n}",
              doc="product of n factors A; of the inverse for a negative n",
              numpy="np.linalg.matrix_power", mpmath=pk.matrices(pk.matrix_power), **LINEAR),
    array_row("expm", "A", mk.expm, square, "expm_slope({At}, delta)",
              doc="exponential of a matrix, Σ Aⁿ/n! (SciPy)", numpy="scipy.linalg.expm",
              mpmath=pk.of_matrix(lambda mp, A: mp.expm(A)), **LINEAR),
    array_row("expm_slope", "*A", mk.expm_slope, square, rules=_expm_slope_rules,
              doc="how expm(A) changes when A moves along each of the other matrices (SciPy)",
              mpmath=None, traits="composite", group="used in derivatives"),
    array_row("eigvalsh", "A", mk.eigvalsh,
              lambda types, _: (Type(matrix(types[0], square=True)[:1]), {}),
              "eigenvectors(A) @ diag(delta) @ eigenvectors(A).T",
              doc="eigenvalues of a symmetric matrix, rising; of A the symmetric part is taken",
              numpy="np.linalg.eigvalsh(symmetric({A}))", mpmath=pk.matrices(pk.eigenvalues),
              traits="factorises", branch=mk.equal_eigenvalues, tie=mk.equal_eigenvalues,
              convention="as if the eigenvalues had the order that they are computed in", **LINEAR),
    array_row("eigenvectors", "A", mk.eigenvectors, square, rules=_vectors_rules,
              doc="eigenvectors of a symmetric matrix as columns, the largest element positive",
              domain="a matrix with different eigenvalues", mpmath=pk.matrices(pk.eigenvectors),
              traits="factorises", **LINEAR),
    array_row("svdvals", "A", mk.svdvals, lambda types, _: (Type((min(matrix(types[0])),)), {}),
              rules=_singular_rules, doc="singular values, falling",
              numpy="np.linalg.svd({A}, compute_uv=False)", mpmath=pk.matrices(pk.singular_values),
              traits="factorises", domain="different singular values above 0", **LINEAR),
)
# fmt: on
