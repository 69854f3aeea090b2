"""Values and gradients of the table's operations at 900 digits, for test_ops_reference.py.

Each operation is defined here a second time, as mathematics and without a thought of rounding;
its gradient is a central difference with a step of 10⁻⁴⁰. Run it after a new row or sample:

    PYTHONPATH=.:tests python tests/data/make_ops_reference.py
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mpmath import mp, mpf
from ops_samples import CASES, Application, applied, weights

from gradcli import ops

DIGITS = 900
STEP = mpf(10) ** -40

HARD = {
    "pow": ["-2, 3", "0, 2", "0, 3", "0, 0", "-0.5, -3", "1e-10, 0.5", "1.0000001, 1e6"],
    "exp": ["700", "-700", "1e-300"],
    "expm1": ["1e-10", "-1e-300", "700", "-50"],
    "log": ["1e-300", "1e300", "1.0000000001"],
    "log1p": ["1e-10", "-1e-300", "-0.9999999", "1e300"],
    "log_base": ["1e-300, 2", "7, 0.3"],
    "logaddexp": ["1000, 1000", "-1000, 3", "1e-20, -50", "0, -40"],
    "hypot": ["1e200, -3e200", "1e-200, 1e-200", "1e-200, 1", "3e-320, 4e-320", "5, 0"],
    "tan": ["1.5707", "1e-9"],
    "asin": ["1e-9", "-0.9999999"],
    "acos": ["0.9999999", "-0.9999999"],
    "atan": ["1e200", "-1e-9"],
    "atan2": ["1e200, 1e200", "-1, -1e-9", "3, 0", "1e-200, -1"],
    "sinh": ["1e-9", "-700", "700"],
    "cosh": ["1e-9", "700"],
    "tanh": ["1e-9", "-1e-300", "0.1", "5"],
    "asinh": ["1e-9", "-1e200", "-1e-300"],
    "acosh": ["1.001", "1.0000000001", "1e200"],
    "atanh": ["0.999", "-0.9999999", "1e-9"],
    "sinc": ["1e-5", "-0.19999", "0.2", "0.20001", "1e-9", "0.5", "12.3"],
    "sinc_slope": ["1e-9", "0.1", "0.19999", "0.20001", "-5.5"],
    "sigmoid": ["-40", "-1e-9", "3", "-700"],
    "logsigmoid": ["-40", "1e-9", "800", "36.5"],
    "logit": ["0.5000000001", "0.4999", "0.25", "0.7499999", "1e-300", "0.999"],
    "elu": ["-1e-9", "-40", "-700", "-1e-9, 3"],
    "selu": ["-1e-9", "-700"],
    "gelu": ["-10", "-20", "8", "1e-9"],
    "silu": ["-40", "40", "-700", "1e-9"],
    "mish": ["30", "-30", "-100", "1e-9", "0"],
    "softplus": ["-700", "1e-9", "-40", "40"],
    "softsign": ["1e200", "-1e-9"],
    "erf": ["1e-9", "-5", "0"],
    "erfc": ["10", "26", "-3", "1e-9"],
    "erfinv": ["0.999", "1e-9", "-0.5"],
    "gamma": ["0.5", "-1.5", "30", "100.5"],
    "lgamma": ["1e-5", "3e5", "5.5", "-0.5"],
    "digamma": ["1e-3", "300", "-0.5"],
    "polygamma": ["12.5, 1", "0.3, 3"],
    "reciprocal": ["1e-150", "-3e100"],
    "sqrt": ["1e-300", "1e300"],
    "cbrt": ["-1e-300", "1e300"],
    "det": [
        "[[1e-100, 0], [0, 1e-100]]",
        "[[1, 2], [1, 2.0000001]]",
        "[[1, 1], [1, 1]]",
        "[[1e160, 0, 0, 0], [0, 1e160, 0, 0], [0, 0, 1e-100, 0], [0, 0, 0, 1e-100]]",
    ],
    "inv": ["[[1e-100, 0], [0, 1e100]]", "[[0, 1], [1, 0]]"],
    "squared_norm": ["[3e150, 4e150]", "[3e-150, 4e-150]", "[1e8, 1, -1e-8]"],
    "norm": ["[3e200, 4e200, 0]", "[3e-200, 4e-200]", "[0, 0], 1", "0"],
    "logsumexp": ["[1000, 1000]", "[-1e4, 0]", "[1e-10, -40]", "[700, -700]"],
    "softmax": ["[1000, 0]", "[-1000, -1001, -1002]", "[1, 1, 1]"],
    "log_softmax": ["[1000, 0]", "[0, -40]", "[-1000, -1001, -1002]"],
    "prod": [
        "[1e-200, 1e200, 3]",
        "[1e200, 1e200, 1e-300]",
        "[1e-200, -1e-200, 1e300]",
        "[1e-200, 1e-200, 0, 1e300, 1e300]",
        "[0, 0, 0]",
        "[[0, 1], [2, 3]]",
    ],
    "cumprod": ["[0, 0, 3]", "[-2, 5, 0, 7, 2]"],
    "cumsum": ["[1e16, 1, -1e16]"],
    "var": ["[1e8, 1e8 + 1, 1e8 + 2]"],
}


# --- elementwise -------------------------------------------------------------------------


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _sinc(x: Any) -> Any:
    return mp.sin(mp.pi * x) / (mp.pi * x) if x else mpf(1)


def _sinc_slope(x: Any) -> Any:
    return (mp.cos(mp.pi * x) - _sinc(x)) / x if x else mpf(0)


def _phi(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def _softplus(x: Any) -> Any:
    return mp.log(1 + mp.exp(x))


def _selu(x: Any) -> Any:
    scale, alpha = (
        mpf("1.0507009873554804934193349852946"),
        mpf("1.6732632423543772848170429916717"),
    )
    return scale * (x if x > 0 else alpha * mp.expm1(x))


def _phi_of(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


ELEMENTWISE: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "reciprocal": lambda x: 1 / x,
    "neg": lambda x: -x,
    "identity": lambda x: x,
    "pow": lambda x, n: mp.power(x, n) if x or n else mpf(1),
    "less": lambda a, b: mpf(a < b),
    "less_equal": lambda a, b: mpf(a <= b),
    "greater": lambda a, b: mpf(a > b),
    "greater_equal": lambda a, b: mpf(a >= b),
    "equal": lambda a, b: mpf(a == b),
    "not_equal": lambda a, b: mpf(a != b),
    "abs": abs,
    "sign": mp.sign,
    "sqrt": mp.sqrt,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "square": lambda x: x * x,
    "exp": mp.exp,
    "expm1": mp.expm1,
    "exp2": lambda x: mp.power(2, x),
    "log": mp.log,
    "log_base": lambda x, base: mp.log(x) / mp.log(base),
    "log1p": lambda x: mp.log(1 + x),
    "log2": lambda x: mp.log(x) / mp.log(2),
    "log10": mp.log10,
    "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
    "hypot": lambda x, y: mp.sqrt(x * x + y * y),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "atan2": mp.atan2,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
    "sinc": _sinc,
    "sigmoid_slope": lambda x: _sigmoid(x) * _sigmoid(-x),
    "tanh_slope": lambda x: 1 - mp.tanh(x) ** 2,
    "pow_slope": lambda x, n: n * mp.power(x, n - 1),
    "logaddexp_slope": lambda x, y: mp.exp(x) / (mp.exp(x) + mp.exp(y)),
    "asin_slope": lambda x: 1 / mp.sqrt(1 - x**2),
    "atanh_slope": lambda x: 1 / (1 - x**2),
    "gauss": lambda x: mp.exp(-(x**2)),
    "normal_pdf": lambda x: mp.exp(-(x**2) / 2) / mp.sqrt(2 * mp.pi),
    "erfinv_slope": lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(mp.erfinv(x) ** 2),
    "gelu_slope": lambda x: _phi(x) + x * mp.exp(-(x**2) / 2) / mp.sqrt(2 * mp.pi),
    "silu_slope": lambda x: _sigmoid(x) + x * _sigmoid(x) * _sigmoid(-x),
    "mish_slope": lambda x: mp.diff(lambda t: t * mp.tanh(_softplus(t)), x),
    "sinc_slope": _sinc_slope,
    "deg2rad": lambda x: x * mp.pi / 180,
    "rad2deg": lambda x: x * 180 / mp.pi,
    "sigmoid": _sigmoid,
    "logsigmoid": lambda x: -_softplus(-x),
    "logit": lambda x: mp.log(x / (1 - x)),
    "relu": lambda x: max(x, mpf(0)),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "elu": lambda x, alpha: x if x > 0 else alpha * mp.expm1(x),
    "selu": _selu,
    "gelu": lambda x: x * _phi(x),
    "silu": lambda x: x * _sigmoid(x),
    "mish": lambda x: x * mp.tanh(_softplus(x)),
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + abs(x)),
    "hardtanh": lambda x: min(max(x, mpf(-1)), mpf(1)),
    "step": lambda x: (mp.sign(x) + 1) / 2,
    "erf": mp.erf,
    "erfc": mp.erfc,
    "erfinv": mp.erfinv,
    "gamma": mp.gamma,
    "lgamma": lambda x: mp.log(abs(mp.gamma(x))),
    "digamma": mp.digamma,
    "rsqrt": lambda x: 1 / mp.sqrt(x),
    "xlogy": lambda x, y: x * mp.log(y) if x else mpf(0),
    "xlog1py": lambda x, y: x * mp.log(1 + y) if x else mpf(0),
    "sech": lambda x: 2 / (mp.exp(x) + mp.exp(-x)),
    "csch": lambda x: 2 / (mp.exp(x) - mp.exp(-x)),
    "coth": lambda x: mp.cosh(x) / mp.sinh(x),
    "ndtr": _phi_of,
    "log_ndtr": lambda x: mp.log(_phi_of(x)),
    "mills": lambda x: mp.diff(lambda t: mp.log(_phi_of(t)), x),
    "mills_excess": lambda x: x + mp.diff(lambda t: mp.log(_phi_of(t)), x),
    "i0": lambda x: mp.hyp0f1(1, x * x / 4),
    "i1": lambda x: x / 2 * mp.hyp0f1(2, x * x / 4),
    "j0": lambda x: mp.hyp0f1(1, -x * x / 4),
    "j1": lambda x: x / 2 * mp.hyp0f1(2, -x * x / 4),
    "huber": lambda x, d: x * x / 2 if abs(x) <= d else d * (abs(x) - d / 2),
    "trunc": lambda x: mp.sign(x) * mp.floor(abs(x)),
    "fmod": lambda x, y: x - y * mp.sign(x / y) * mp.floor(abs(x / y)),
    "floor": mp.floor,
    "ceil": mp.ceil,
    "round": mp.nint,
    "mod": lambda x, y: x - y * mp.floor(x / y),
    "where": lambda c, a, b: a if c else b,
    "maximum": max,
    "minimum": min,
    "clip": lambda x, lo, hi: min(max(x, lo), hi),
    "ones_like": lambda _x: mpf(1),
    "zeros_like": lambda _x: mpf(0),
}


# --- arrays ------------------------------------------------------------------------------


def _each(function: Callable[..., Any], array: Any) -> Any:
    return np.frompyfunc(function, 1, 1)(array)


def _matmul(a: Application, A: Any, B: Any) -> Any:
    left, right = a.site.types
    if len(left.shape) == 1 and right.row:
        return np.outer(A, B[0])
    if left.row and len(right.shape) == 1:
        return np.dot(A[0], B)
    return np.matmul(A, B)


def _transpose(a: Application, x: Any) -> Any:
    if a.site.types[0].row:
        return x[0]
    return x[None] if x.ndim == 1 else x.T


def _place_diagonal(a: Application, x: Any) -> Any:
    result = np.full(a.site.out.shape, mpf(0))
    k = a.node.options["k"]
    for i, value in enumerate(x):
        result[i + max(-k, 0), i + max(k, 0)] = value
    return result


def _det(A: Any) -> Any:
    if len(A) == 1:
        return A[0, 0]
    return sum((-1) ** j * A[0, j] * _det(_minor(A, 0, j)) for j in range(len(A)))


def _minor(A: Any, i: int, j: int) -> Any:
    return np.delete(np.delete(A, i, axis=0), j, axis=1)


def _cofactor(A: Any) -> Any:
    result = np.full(A.shape, mpf(1))
    if len(A) > 1:
        for i, j in np.ndindex(A.shape):
            result[i, j] = (-1) ** (i + j) * _det(_minor(A, i, j))
    return result


def _cofactor_slope(A: Any, H: Any) -> Any:
    """A central difference, exact for the polynomials of matrices up to 3×3."""
    return (_cofactor(A + H) - _cofactor(A - H)) / 2


def _inv(A: Any) -> Any:
    return _cofactor(A).T / _det(A)


def _stacked(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of one matrix for a matrix or three axes."""
    return lambda A: (
        function(A) if A.ndim == 2 else np.array([function(M) for M in A], dtype=object)
    )


def _cholesky(A: Any) -> Any:
    A, L = (A + A.T) / 2, np.full(A.shape, mpf(0))
    for i in range(len(A)):
        for j in range(i + 1):
            rest = A[i, j] - sum(L[i, k] * L[j, k] for k in range(j))
            L[i, j] = mp.sqrt(rest) if i == j else rest / L[j, j]
    return L


def _reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    def reference(a: Application, x: Any) -> Any:
        axis, keep = a.node.options["axis"], a.node.options["keepdims"]
        return function(x, axis=axis, keepdims=keep)

    return reference


def _mean(x: Any, axis: Any, keepdims: bool) -> Any:  # noqa: FBT001
    total = np.asarray(np.sum(x, axis=axis, keepdims=keepdims))
    return total * total.size / x.size


def _var(a: Application, x: Any) -> Any:
    axis, keep = a.node.options["axis"], a.node.options["keepdims"]
    squares = (x - _mean(x, axis, keepdims=True)) ** 2
    total = np.asarray(np.sum(squares, axis=axis, keepdims=keep))
    return total / (mpf(x.size) / total.size - a.node.options["ddof"])


def _prod_others(_a: Application, x: Any, *directions: Any) -> Any:
    result = np.full(x.shape, mpf(0))
    for j in range(x.size):
        others = [i for i in range(x.size) if i != j]
        for moved in itertools.permutations(others, len(directions)):
            term = mpf(1)
            for i in others:
                term *= directions[moved.index(i)][i] if i in moved else x[i]
            result[j] += term
    return result


def _norm(a: Application, x: Any) -> Any:
    axis, keep, p = (a.node.options[name] for name in ("axis", "keepdims", "p"))
    if p == 1:
        return np.sum(abs(x), axis=axis, keepdims=keep)
    if p == np.inf:
        return np.max(abs(x), axis=axis, keepdims=keep)
    return _each(mp.sqrt, np.sum(x * x, axis=axis, keepdims=keep))


def _logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:  # noqa: FBT001
    return _each(mp.log, np.sum(_each(mp.exp, x), axis=axis, keepdims=keepdims))


def _softmax(a: Application, x: Any) -> Any:
    powers = _each(mp.exp, x)
    return powers / np.sum(powers, axis=a.node.options["axis"], keepdims=True)


def _softmax_slope(a: Application, p: Any, d: Any) -> Any:
    """With d shifted by its number at the largest p: no change where p has the sum 1."""
    axis = a.node.options["axis"]
    place = np.expand_dims(np.argmax(p.astype(float), axis=axis), axis)
    shifted = d - np.take_along_axis(d, place, axis=axis)
    return p * (shifted - np.sum(shifted * p, axis=axis, keepdims=True))


def _lines(a: Application, step: Callable[[Any], Any], *arrays: Any) -> Any:
    """A function of vectors along the axis of a matrix."""
    axis = a.node.options["axis"] or 0
    moved = [np.moveaxis(x, axis, 0) for x in arrays]
    return np.moveaxis(np.array(step(moved), dtype=object), 0, axis)


def _recurrence(pair: Any) -> Any:
    a, b = pair
    r = [b[0]]
    for i in range(1, len(a)):
        r.append(a[i] * r[-1] + b[i])
    return r


def _recurrence_back(pair: Any) -> Any:
    a, b = pair
    r = [b[-1]]
    for i in range(len(a) - 2, -1, -1):
        r.insert(0, b[i] + a[i + 1] * r[0])
    return r


def _shift(a: Application, x: Any) -> Any:
    k, fill = a.node.options["k"], mpf(a.node.options["fill"])

    def step(arrays: Any) -> Any:
        (line,) = arrays
        free = np.full(line.shape[1:], fill)
        return [line[i - k] if 0 <= i - k < len(line) else free for i in range(len(line))]

    return _lines(a, step, x)


def _scatter(a: Application, x: Any) -> Any:
    options = a.node.options
    result = np.full(options["shape"], mpf(0))
    block = x.reshape(x.shape or (1,) * result.ndim)
    for place in np.ndindex(block.shape):
        at = (s + i * b for s, i, b in zip(options["at"], place, options["step"], strict=True))
        result[tuple(at)] = block[place]
    return result


def _pick(a: Application, x: Any) -> Any:
    found = [x.ravel()[i] for i in a.node.options["at"]]
    return np.array(found, dtype=object).reshape(a.node.options["shape"])


def _put(a: Application, x: Any, v: Any) -> Any:
    result, values = np.array(x).ravel(), np.ravel(v)
    for i, place in enumerate(a.node.options["at"]):
        added = values[min(i, len(values) - 1)]
        result[place] = result[place] * (a.row.name == "put_add") + added
    return result.reshape(x.shape)


def _linspace(a: Application, start: Any, stop: Any) -> Any:
    n = a.node.options["num"]
    return np.array([start + (stop - start) * i / max(n - 1, 1) for i in range(n)], dtype=object)


def _lower_gamma(a: float, x: Any) -> Any:
    """x^a e^-x Σ xⁿ/Γ(a + n + 1) (DLMF 8.11.4)."""
    term = x ** mpf(a) * mp.exp(-x) / mp.gamma(mpf(a) + 1)
    total, n = mpf(0), 0
    while term > mpf(10) ** -DIGITS:
        total += term
        n += 1
        term *= x / (mpf(a) + n)
    return total


def _moved(a: Application, *arrays: Any) -> Any:
    """Elements as the row puts them, told from numbers that no two elements share."""
    sizes = [x.size for x in arrays]
    names = [
        (sum(sizes[:i]) + np.arange(x.size, dtype=float)).reshape(x.shape)
        for i, x in enumerate(arrays)
    ]
    names[1:] = [
        np.asarray(o, dtype=float) if a.row.operands[-1].name in {"i", "x"} and i else n
        for i, (o, n) in enumerate(zip(a.operands, names, strict=True))
    ][1:]
    places = np.asarray(a.value(names)).astype(int)
    return np.concatenate([np.ravel(x) for x in arrays])[places]


def _pad(a: Application, x: Any) -> Any:
    result = np.full(a.site.out.shape, mpf(a.node.options["value"]))
    first = [before for before, _ in a.node.options["widths"]]
    result[tuple(slice(s, s + n) for s, n in zip(first, x.shape, strict=True))] = x
    return result


def _quantile(a: Application, x: Any) -> Any:
    axis, keep = a.node.options["axis"], a.node.options["keepdims"]
    rows = np.sort(x.ravel() if axis is None else x, axis=-1 if axis is None else axis)
    rows = np.moveaxis(rows, -1 if axis is None else axis, 0)
    place = (len(rows) - 1) * mpf(a.node.options["q"])
    low = int(place)
    found = rows[low] + (place - low) * (rows[min(low + 1, len(rows) - 1)] - rows[low])
    return np.expand_dims(found, axis) if keep and axis is not None else found


def _taken_back(a: Application, d: Any, i: Any) -> Any:
    """The adjoint of take, column by column."""
    options, numbers = a.node.options, _each(lambda v: int(mp.nint(v)), np.asarray(i))
    axis, result = options["axis"], np.full(options["shape"], mpf(0))
    for place in np.ndindex(d.shape):
        at = list(place)
        at[axis] = numbers[place] if a.row.name == "take_along_back" else numbers[place[axis]]
        result[tuple(at)] += d[place]
    return result


def _matrix_power(a: Application, A: Any) -> Any:
    n = a.node.options["n"]
    factor = A if n > 0 else _inv(A)
    result = _each(mpf, np.eye(len(A)))
    for _ in range(abs(n)):
        result = np.dot(result, factor)
    return result


def _expm(A: Any) -> Any:
    term = total = _each(mpf, np.eye(len(A)))
    for k in range(1, 400):
        term = np.dot(term, A) / k
        total = total + term
    return total


def _expm_slope(_a: Application, A: Any, *directions: Any) -> Any:
    """The mixed difference of expm in steps of 10⁻¹²⁰."""
    h, total = mpf(10) ** -120, 0
    for signs in itertools.product((1, -1), repeat=len(directions)):
        moved = A + sum(s * h * E for s, E in zip(signs, directions, strict=True))
        total = total + np.prod(signs) * _expm(moved)
    return total / (2 * h) ** len(directions)


def _eigen(A: Any) -> Any:
    values, vectors = mp.eigsy(mp.matrix(((A + A.T) / 2).tolist()))
    order = sorted(range(len(A)), key=lambda i: values[i])
    V = np.array(vectors.tolist(), dtype=object)[:, order]
    largest = [max(column, key=abs) for column in V.T]
    return [values[i] for i in order], V * [mp.sign(v) for v in largest]


def _singular_values(A: Any) -> Any:
    """The eigenvalues of [[0, A], [A.T, 0]] above 0."""
    m, n = A.shape
    zero = mpf(0)
    whole = np.block([[np.full((m, m), zero), A], [A.T, np.full((n, n), zero)]])
    return np.array(_eigen(whole)[0][::-1][: min(m, n)], dtype=object)


def _option(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, x: function(x, a.node.options[name])


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _a, *arrays: function(*arrays)


ARRAYS: dict[str, Callable[..., Any]] = {
    "polygamma": lambda a, x: _each(lambda v: mp.polygamma(a.node.options["n"], v), x),
    "bessel_i": lambda a, x: _each(lambda v: mp.besseli(a.node.options["n"], v), x),
    "bessel_j": lambda a, x: _each(lambda v: mp.besselj(a.node.options["n"], v), x),
    "gammainc": lambda a, x: _each(lambda v: _lower_gamma(a.node.options["a"], v), x),
    "gammaincc": lambda a, x: _each(lambda v: 1 - _lower_gamma(a.node.options["a"], v), x),
    "gamma_density": lambda a, x: _each(
        lambda v: v ** (mpf(a.node.options["a"]) - 1) * mp.exp(-v) / mp.gamma(a.node.options["a"]),
        x,
    ),
    **dict.fromkeys(
        (
            *("roll", "tile", "broadcast_to", "flatten_from", "rot90", "fliplr", "flipud"),
            *(
                "half_of",
                "atleast_1d",
                "atleast_2d",
                "split_part",
                "pad_by_copy",
                "permute",
                "swapaxes",
                "moveaxis",
            ),
            *("hstack", "vstack", "column_stack", "take", "take_along", "sorted_by", "unsorted"),
        ),
        _moved,
    ),
    "pad": _pad,
    "pad_last": _pad,
    "diff": lambda a, x: np.diff(x, a.node.options["n"], a.node.options["axis"]),
    "logcumsumexp": lambda a, x: _each(
        mp.log, np.cumsum(_each(mp.exp, x), axis=a.node.options["axis"])
    ),
    "sort": lambda a, x: np.sort(x, axis=a.node.options["axis"]),
    **{
        name: lambda a, *_arrays: _each(mpf, np.asarray(a.out, dtype=object))
        for name in ("argmax", "argmin", "argsort", "one_hot", "shape", "size", "ndim", "segment")
    },
    "quantile_weights": lambda a, _x: _each(mpf, a.out),
    "targets": lambda a, t, _x: t if t.shape == a.out.shape else _each(mpf, a.out),
    "quantile": _quantile,
    "take_back": _taken_back,
    "take_along_back": _taken_back,
    "einsum": lambda a, *arrays: np.einsum(a.node.options["spec"], *arrays),
    "tensordot": lambda a, x, y: np.tensordot(x, y, a.node.options["axes"]),
    "pinv": _plain(
        lambda A: (
            np.dot(_inv(np.dot(A.T, A)), A.T)
            if len(A) >= len(A.T)
            else np.dot(A.T, _inv(np.dot(A, A.T)))
        )
    ),
    "matrix_power": _matrix_power,
    "expm": _plain(_expm),
    "expm_slope": _expm_slope,
    "eigvalsh": _plain(lambda A: np.array(_eigen(A)[0], dtype=object)),
    "eigenvectors": _plain(lambda A: _eigen(A)[1]),
    "svdvals": _plain(_singular_values),
    "matmul": _matmul,
    "dot": lambda a, x, y: x * y if not x.ndim * y.ndim else _matmul(a, x, y),
    "inner": lambda _a, x, y: x * y if not x.ndim * y.ndim else np.inner(x, y),
    "outer": _plain(np.outer),
    "cross": _plain(
        lambda a, b: np.array([a[i - 2] * b[i - 1] - a[i - 1] * b[i - 2] for i in range(3)])
    ),
    "kron": _plain(np.kron),
    "T": _transpose,
    "matrix_transpose": _plain(lambda x: np.swapaxes(x, -1, -2)),
    "col": _plain(lambda x: x.reshape(-1, 1)),
    "row": _plain(lambda x: x.reshape(1, -1)),
    "symmetric": _plain(lambda A: (A + A.T) / 2),
    "lower_half": _plain(lambda A: np.tril(A) * (1 - np.eye(len(A)) / 2)),
    "diag": _option("k", np.diag),
    "place_diagonal": _place_diagonal,
    "tril": _option("k", np.tril),
    "triu": _option("k", np.triu),
    "trace": _plain(lambda A: sum(A[i, i] for i in range(min(A.shape)))),
    "inv": _plain(_stacked(_inv)),
    "solve": _plain(lambda A, b: np.dot(_inv(A), b)),
    "cholesky": _plain(_cholesky),
    "det": _plain(_stacked(_det)),
    "logdet": _plain(_stacked(lambda A: mp.log(abs(_det(A))))),
    "cofactor": _plain(_cofactor),
    "cofactor_slope": _plain(_cofactor_slope),
    "sum": _reduced(np.sum),
    "mean": _reduced(_mean),
    "prod": _reduced(np.prod),
    "prod_others": _prod_others,
    "amax": _reduced(np.max),
    "amin": _reduced(np.min),
    "var": _var,
    "std": lambda a, x: _each(mp.sqrt, _var(a, x)),
    "norm": _norm,
    "squared_norm": lambda _a, x: np.sum(x * x),
    "logsumexp": _reduced(_logsumexp),
    "softmax": _softmax,
    "softmax_slope": _softmax_slope,
    "log_softmax": lambda a, x: _each(mp.log, _softmax(a, x)),
    "cumsum": _option("axis", np.cumsum),
    "cumprod": _option("axis", np.cumprod),
    "shift": _shift,
    "recurrence": lambda a, x, y: _lines(a, _recurrence, x, y),
    "recurrence_back": lambda a, x, y: _lines(a, _recurrence_back, x, y),
    "concat": lambda a, *arrays: np.concatenate(
        [x.ravel() if a.node.options["axis"] is None else x for x in arrays],
        axis=a.node.options["axis"] or 0,
    ),
    "stack": lambda a, *arrays: np.stack(arrays, axis=a.node.options["axis"]),
    "array": lambda a, *arrays: np.stack(arrays).reshape(a.site.out.shape),
    "reshape": _option("shape", np.reshape),
    "flatten": _plain(np.ravel),
    "squeeze": _option("axis", np.squeeze),
    "expand_dims": _option("axis", np.expand_dims),
    "repeat": lambda a, x: np.repeat(x, a.node.options["n"], axis=a.node.options["axis"]),
    "flip": _option("axis", np.flip),
    "index": lambda a, x: x[a.node.options["items"]],
    "scatter": _scatter,
    "pick": _pick,
    "put": _put,
    "put_add": _put,
    "zeros": lambda a: np.zeros(a.site.out.shape),
    "ones": lambda a: np.ones(a.site.out.shape),
    "full": lambda a, value: np.broadcast_to(value, a.site.out.shape),
    "eye": lambda a: np.eye(*a.site.out.shape),
    "linspace": _linspace,
    "arange": lambda a: np.array(
        [a.node.options["start"] + i * a.node.options["step"] for i in range(a.site.out.shape[0])]
    ),
}


# --- the data ----------------------------------------------------------------------------


def evaluated(a: Application, operands: list[Any]) -> Any:
    """The output, an array of mpf."""
    name = a.row.name
    if name in ELEMENTWISE:
        out = np.frompyfunc(ELEMENTWISE[name], len(operands), 1)(*operands)
    else:
        out = ARRAYS[name](a, *operands)
    return np.asarray(out, dtype=object).reshape(a.site.out.shape)


def gradient(a: Application, operands: list[Any], i: int, delta: Any) -> Any:
    """Central differences of sum(delta*out) by every element of one operand."""
    x = operands[i]
    sizes = [abs(v) for v in x.ravel() if v]
    result = np.empty(x.shape, dtype=object)
    for place in np.ndindex(x.shape):
        h = STEP * (abs(x[place]) or min(sizes, default=mpf(1)))
        ends = []
        for sign in (1, -1):
            moved = np.array(x)
            moved[place] = x[place] + sign * h
            out = evaluated(a, [*operands[:i], moved, *operands[i + 1 :]])
            ends.append(np.sum(delta * out) if out.size else mpf(0))
        slope = (ends[0] - ends[1]) / (2 * h)
        # What is left of the step itself, for x^3 at 0.
        result[place] = mpf(0) if not x[place] and abs(slope) < abs(h) else slope
    return result


def reference(a: Application, sample: str) -> dict[str, Any]:
    """One entry of the data: a sample, its value and the gradient for `weights`."""
    exact = [_each(mpf, np.asarray(x, dtype=object)) for x in a.operands]
    exact = [np.asarray(x, dtype=object) for x in exact]
    delta = _each(mpf, np.asarray(weights(a.site.out.shape), dtype=object))
    by_operand = [gradient(a, exact, i, delta) for i in range(len(exact))]
    return {
        "row": a.row.name,
        "sample": sample,
        "value": _floats(evaluated(a, exact)),
        "gradient": [_floats(g) for g in by_operand],
    }


def _floats(array: Any) -> Any:
    numbers = [_float(v) for v in array.ravel()]
    return np.array(numbers, dtype=object).reshape(array.shape).tolist()


def _float(value: Any) -> float | None:
    """The nearest double; None where there is no real value."""
    number = mp.mpmathify(value.item() if isinstance(value, np.ndarray) else value)
    return None if mp.im(number) else float(mp.re(number))


def main() -> None:
    """Write the data next to this file."""
    mp.dps = DIGITS
    cases = list(dict.fromkeys(CASES))
    cases += [
        (ops.operation(name), sample)
        for name, samples in HARD.items()
        for sample in samples
        if sample not in ops.operation(name).samples
    ]
    entries = [reference(applied(row, sample), sample) for row, sample in cases]
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    path = Path(__file__).with_name("ops_reference.json")
    path.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
