"""Functions of libraries that mean more than another order of arguments, with their signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any, TypeAlias

from gradcli.syntax.library.meant import Meant, Refused, call
from gradcli.syntax.tree import Number, Tuple


def _gelu(x: Any, approximate: Any = None) -> Meant:
    return call("gelu_tanh" if approximate else "gelu", x)


def _logarithm(x: Any, out: Any = None) -> Meant:
    if out is not None:
        raise Refused("argument 2 of {} is an array for the result", "to a base it is log(x, base)")
    return call("log", x)


def _logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: Any = None, return_sign: Any = None
) -> Meant:
    if b is None:
        return call("logsumexp", a, axis=axis, keepdims=keepdims, return_sign=return_sign)
    more = {"axis": axis, "b": b, "keepdims": keepdims, "return_sign": return_sign}
    return call("logsumexp_weighted", a, **more)


def _is_axis(value: Any) -> bool:
    return isinstance(value, Integral | Number | Tuple | tuple)


def _extremum(name: str) -> Callable[..., Meant]:
    def extremum(input: Any, dim: Any = None, keepdim: Any = None, other: Any = None) -> Meant:  # noqa: A002 - PyTorch's
        """`torch.max(x, 1)` along an axis, `torch.max(x, y)` of two arrays."""
        if other is not None or not (dim is None or _is_axis(dim)):
            return call(f"{name}imum", input, dim if other is None else other)
        return call(name, input, axis=dim, keepdims=keepdim)

    return extremum


def _spread(name: str) -> Callable[..., Meant]:
    def spread(
        input: Any,  # noqa: A002 - PyTorch's
        dim: Any = None,
        unbiased: Any = None,
        keepdim: Any = None,
        correction: Any = None,
    ) -> Meant:
        """They divide by n - 1 unless they are told otherwise."""
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        biased = unbiased if unbiased is None else int(unbiased)
        ddof = correction if correction is not None else 1 if biased is None else biased
        return call(name, input, axis=dim, ddof=ddof, keepdims=keepdim)

    return spread


def _flat_norm(x: Any, p: Any = None, axis: Any = None, keepdims: Any = None) -> Meant:
    """Without an axis of all elements, as a vector."""
    p = None if p in ("euclidean", 2) else p
    if axis is None and keepdims:
        raise Refused("{} keeps dimensions only along an axis", "give the axes by name")
    if axis is None and p not in (None, "fro"):
        return call("norm", call("flatten", x), p=p)
    return call("norm", x, p=p, axis=axis, keepdims=keepdims)


def _rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: Any = None) -> Meant:  # noqa: A002 - PyTorch's
    eps = 2.220446049250313e-16 if eps is None else eps
    return call("rms_norm", input, shape=normalized_shape, weight=weight, eps=eps)


def _trace(a: Any, offset: Any = None) -> Meant:
    return call("trace", a) if offset is None else call("sum", call("diag", a, k=offset))


def _cholesky(a: Any, lower: Any = None) -> Meant:
    """The upper triangle, unless told otherwise."""
    if lower is not None and not isinstance(lower, bool | Integral):
        raise Refused("the second argument of {} is True or False", "write lower=True")
    found = call("cholesky", a)
    return found if lower else call("matrix_transpose", found)


def _silu(features: Any, beta: Any = None) -> Meant:
    if beta is not None:
        raise Refused("{} with beta is not silu(x)", "write 'x*sigmoid(beta*x)'")
    return call("silu", features)


def _product(a: Any, b: Any, transpose_a: Any = None, transpose_b: Any = None) -> Meant:
    first = call("matrix_transpose", a) if transpose_a else a
    second = call("matrix_transpose", b) if transpose_b else b
    return call("matmul", first, second)


def _mean_loss(name: str) -> Callable[..., Meant]:
    """Losses of Keras are means along the last axis alone."""

    def loss(y_true: Any, y_pred: Any, delta: Any = None) -> Meant:
        return call("mean", call(name, y_pred, y_true, reduction="none", delta=delta), axis=-1)

    return loss


def _keras_cosine(y_true: Any, y_pred: Any, axis: Any = -1) -> Meant:
    """A loss: least where both have one direction."""
    return call("negative", call("cosine_similarity", y_true, y_pred, axis=axis, eps=1e-6))


def _cross_entropy(labels: Any, logits: Any, axis: Any = None) -> Meant:
    if axis is not None:
        raise Refused("{} is read along the last axis", "write '-sum(labels*log_softmax(x, axis))'")
    return call("cross_entropy", logits, labels, reduction="none")


def _hardtanh(input: Any, min_val: Any = None, max_val: Any = None) -> Meant:  # noqa: A002 - PyTorch's
    if min_val is None and max_val is None:
        return call("hardtanh", input)
    low, high = -1.0 if min_val is None else min_val, 1.0 if max_val is None else max_val
    return call("clip", input, low, high)


_AWAY = Refused("{} rounds halves away from zero", "write 'sign(x)*floor(abs(x) + 0.5)'")

Meaning: TypeAlias = "Callable[..., Meant]"
OWN: Mapping[str, Meaning | Refused] = {
    "numpy.log": _logarithm,
    "numpy.trace": _trace,
    "numpy.linalg.trace": lambda x, offset=None: _trace(x, offset),
    "numpy.linalg.vector_norm": lambda x, axis=None, keepdims=None, ord=2: _flat_norm(  # noqa: A006
        x, ord, axis, keepdims
    ),
    "jax.numpy.partition": Refused("{} has an order of its own", "sort the array: jnp.sort(x)"),
    "numpy.put": Refused(
        "{} changes its first argument and gives nothing back",
        "put(x, v, at) is a new array: first the values, then their places",
    ),
    "numpy.polygamma": lambda n, x: call("polygamma", x, n),
    "math.remainder": Refused(
        "{} rounds the quotient to the nearest, mod(x, y) down", "write 'x - y*round(x/y)'"
    ),
    "scipy.special.logsumexp": _logsumexp,
    "scipy.special.polygamma": lambda n, x: call("polygamma", x, n),
    "scipy.special.huber": lambda delta, r: call("huber", r, delta),
    "scipy.linalg.cholesky": _cholesky,
    "torch.max": _extremum("max"),
    "torch.min": _extremum("min"),
    "torch.var": _spread("var"),
    "torch.std": _spread("std"),
    "torch.norm": lambda input, p="fro", dim=None, keepdim=None: _flat_norm(  # noqa: A006
        input, p, dim, keepdim
    ),
    "torch.linalg.vector_norm": lambda x, ord=2, dim=None, keepdim=None: _flat_norm(  # noqa: A006
        x, ord, dim, keepdim
    ),
    "torch.polygamma": lambda n, input: call("polygamma", input, n),  # noqa: A006
    "torch.equal": lambda input, other: call("all", call("equal", input, other)),  # noqa: A006
    "torch.rms_norm": _rms_norm,
    "torch.nn.functional.gelu": lambda input, approximate="none": _gelu(  # noqa: A006
        input, approximate == "tanh"
    ),
    "torch.nn.functional.hardtanh": _hardtanh,
    "jax.nn.gelu": lambda x, approximate=True: _gelu(x, approximate),
    "jax.nn.logsumexp": _logsumexp,
    "jax.lax.clamp": lambda min, x, max: call("clip", x, min, max),  # noqa: A006
    "jax.lax.round": _AWAY,
    "tensorflow.matmul": _product,
    "tensorflow.transpose": lambda a, perm=None: (
        call("transpose", a) if perm is None else call("permute", a, perm)
    ),
    "tensorflow.polygamma": lambda a, x: call("polygamma", x, a),
    "tensorflow.norm": lambda tensor, ord="euclidean", axis=None, keepdims=None: _flat_norm(  # noqa: A006
        tensor, ord, axis, keepdims
    ),
    "tensorflow.squared_difference": lambda x, y: call("square", call("subtract", x, y)),
    "tensorflow.nn.gelu": lambda features, approximate=False: _gelu(features, approximate),
    "tensorflow.nn.silu": _silu,
    "tensorflow.nn.softmax_cross_entropy_with_logits": _cross_entropy,
    "tensorflow.nn.sparse_softmax_cross_entropy_with_logits": _cross_entropy,
    "tensorflow.nn.sigmoid_cross_entropy_with_logits": lambda labels, logits: call(
        "binary_cross_entropy_with_logits", logits, labels, reduction="none"
    ),
    "tensorflow.keras.activations.gelu": _gelu,
    **{
        f"tensorflow.keras.losses.{name}": _mean_loss(loss)
        for loss, names in (
            ("mse_loss", ("mean_squared_error", "mse", "MSE")),
            ("l1_loss", ("mean_absolute_error", "mae", "MAE")),
        )
        for name in names
    },
    "tensorflow.keras.losses.cosine_similarity": _keras_cosine,
    "tensorflow.keras.losses.huber": _mean_loss("huber_loss"),
}
"""By the module and the name, what needs more than names, order and defaults."""
