"""Calls of functions of libraries with what they give there, for test_library_meanings.py.

It asks every function whose name is known here, with arguments that it accepts: a call without
options, and one for each option that the library has. TensorFlow isn't needed: its functions stand
with the formula that its documentation gives. It needs JAX, PyTorch and SciPy, and a file of names:

    python tests/data/make_libraries.py names.json

The names are a list in JSON: those that `gradcli.ops`, `gradcli.syntax.library.names` and
`gradcli.python` have.
"""

from __future__ import annotations

import inspect
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
import scipy.special
import torch
import torch.nn.functional as F  # noqa: N812

MODULES: dict[str, Any] = {
    "np": np,
    "np.linalg": np.linalg,
    "scipy.special": scipy.special,
    "scipy.linalg": scipy.linalg,
    "torch": torch,
    "torch.special": torch.special,
    "torch.linalg": torch.linalg,
    "F": F,
    "jnp": jnp,
    "jnp.linalg": jnp.linalg,
    "jax.nn": jax.nn,
    "jax.lax": jax.lax,
    "jax.scipy.special": jax.scipy.special,
    "jax.scipy.linalg": jax.scipy.linalg,
}
POINT = {
    "x": [[0.3, -0.7, 1.2], [0.9, 0.4, -0.2]],
    "y": [[0.6, 0.5, -1.1], [0.25, 0.8, 1.7]],
    "p": [[0.3, 0.7, 0.2], [0.9, 0.4, 0.6]],
    "q": [[0.6, 0.5, 0.1], [0.25, 0.8, 0.35]],
    "v": [0.5, 1.5, 0.8],
    "w": [2.5, 0.3, 1.1],
    "S": [[4, 1, 0.5], [1, 3, 0.25], [0.5, 0.25, 5]],
}
ARGUMENTS = """
x | p | S | v | x, y | p, q | S, v | v, w | 2, v | v, 2 | x, 0 | x, 1 | v, 0.5 | x, (3, 2)
x, 0, 1 | x, (1, 0) | (x, y) | 2.5, p | x, -0.5, 0.5 | 3 | x > 0, x, y | x, y, v | x, 2, 0.5
0, 1, 5 | 2, 1, x | 0.5, v, w | v, v, w | 'ij,kj->ik', x, y | p, 2 | x, (2, 3)
"""
OPTIONS = {
    **dict.fromkeys(("axis", "dim"), "0 None"),
    **dict.fromkeys(("keepdims", "keepdim", "unbiased", "lower", "upper", "approximate"), "True"),
    **dict.fromkeys(("log_target", "log_input", "increasing", "descending", "bias"), "True False"),
    **dict.fromkeys(("ddof", "correction"), "0 1"),
    **dict.fromkeys(("k", "diagonal", "offset", "shift", "decimals", "axes"), "1"),
    **dict.fromkeys(("alpha", "beta", "delta", "margin", "scale", "dx", "N", "n", "value"), "2"),
    **dict.fromkeys(("eps", "label_smoothing", "lambd", "threshold", "negative_slope"), "0.1"),
    "reduction": "'sum' 'none'",
    "ord": "1 2 np.inf 'fro'",
    "p": "1 2 3",
    "b": "p",
    "weights": "p",
    "weight": "p",
    "pos_weight": "v",
    "where": "x>0",
    "initial": "2.0",
    "q": "0.3",
    "base": "3.0",
    "num": "4",
    "UPLO": "'U'",
    "start_dim": "0",
    **dict.fromkeys(("min", "min_val", "a_min"), "-0.5"),
    **dict.fromkeys(("max", "max_val", "a_max"), "0.5"),
}
HIDDEN = ("dim", "keepdim", "correction", "unbiased", "diagonal", "descending", "eps", "decimals")
"""Options of functions whose signature Python does not know."""
RANDOM = {"binomial", "normal", "poisson", "rand", "randn", "dropout", "empty", "empty_like"}
MOST = 40
"""Elements of a value that is kept."""
MOST_CALLS = 2
TENSORFLOW = """
tf.nn.leaky_relu(x) = np.where(x > 0, x, 0.2*x)
tf.nn.leaky_relu(x, 0.1) = np.where(x > 0, x, 0.1*x)
tf.nn.leaky_relu(x, alpha=0.1) = np.where(x > 0, x, 0.1*x)
tf.nn.gelu(x) = F.gelu(T(x)).numpy()
tf.nn.gelu(x, approximate=True) = F.gelu(T(x), approximate='tanh').numpy()
tf.nn.relu(x) = np.maximum(x, 0)
tf.nn.relu6(10*x) = np.clip(10*x, 0, 6)
tf.nn.elu(x) = np.where(x > 0, x, np.expm1(x))
tf.nn.selu(x) = F.selu(T(x)).numpy()
tf.nn.silu(x) = x*scipy.special.expit(x)
tf.nn.swish(x) = x*scipy.special.expit(x)
tf.nn.silu(x, beta=2.0) = x*scipy.special.expit(2*x)
tf.nn.softplus(x) = np.logaddexp(0, x)
tf.nn.softsign(x) = x/(1 + np.abs(x))
tf.nn.tanh(x) = np.tanh(x)
tf.nn.sigmoid(x) = scipy.special.expit(x)
tf.nn.softmax(x) = scipy.special.softmax(x, axis=-1)
tf.nn.softmax(x, axis=0) = scipy.special.softmax(x, axis=0)
tf.nn.log_softmax(x) = scipy.special.log_softmax(x, axis=-1)
tf.nn.l2_loss(x) = np.sum(x**2)/2
tf.nn.l2_normalize(x) = x/np.sqrt(np.sum(x**2))
tf.nn.l2_normalize(x, axis=1) = x/np.sqrt(np.sum(x**2, axis=1, keepdims=True))
tf.nn.sigmoid_cross_entropy_with_logits(labels=p, logits=x) = np.logaddexp(0, x) - x*p
tf.nn.softmax_cross_entropy_with_logits(p, x) = F.cross_entropy(T(x), T(p), reduction='none')
tf.reduce_sum(x, axis=1) = np.sum(x, 1)
tf.reduce_sum(x, 1, True) = np.sum(x, 1, keepdims=True)
tf.reduce_mean(x) = np.mean(x)
tf.reduce_max(x, 0) = np.max(x, 0)
tf.reduce_min(x) = np.min(x)
tf.reduce_prod(x, axis=0) = np.prod(x, 0)
tf.reduce_logsumexp(x, 1) = scipy.special.logsumexp(x, axis=1)
tf.math.reduce_std(x) = np.std(x)
tf.math.reduce_std(x, 0) = np.std(x, 0)
tf.math.reduce_variance(x, axis=1, keepdims=True) = np.var(x, 1, keepdims=True)
tf.math.reduce_euclidean_norm(x, 1) = np.linalg.norm(x, axis=1)
tf.norm(x) = np.sqrt(np.sum(x**2))
tf.norm(x, 1) = np.sum(np.abs(x))
tf.norm(x, ord=1, axis=1) = np.sum(np.abs(x), 1)
tf.linalg.norm(x, axis=0) = np.linalg.norm(x, axis=0)
tf.matmul(x, y, transpose_b=True) = x @ y.T
tf.linalg.matmul(x, y, transpose_a=True) = x.T @ y
tf.transpose(x) = x.T
tf.transpose(x, perm=[1, 0]) = x.T
tf.transpose(x, [1, 0]) = x.T
tf.concat([x, y], 1) = np.concatenate([x, y], 1)
tf.stack([x, y], axis=1) = np.stack([x, y], 1)
tf.expand_dims(v, 0) = v[None]
tf.reshape(x, (3, 2)) = x.reshape(3, 2)
tf.clip_by_value(x, -0.5, 0.5) = np.clip(x, -0.5, 0.5)
tf.square(x) = x**2
tf.pow(p, 2) = p**2
tf.math.squared_difference(x, y) = (x - y)**2
tf.cumsum(x) = np.cumsum(x, 0)
tf.math.cumprod(x, axis=1) = np.cumprod(x, 1)
tf.argmax(x) = np.argmax(x, 0)
tf.where(x > 0, x, y) = np.where(x > 0, x, y)
tf.math.lgamma(p) = scipy.special.gammaln(p)
tf.math.digamma(p) = scipy.special.digamma(p)
tf.math.polygamma(1, v) = scipy.special.polygamma(1, v)
tf.math.erf(x) = scipy.special.erf(x)
tf.math.xlogy(p, q) = scipy.special.xlogy(p, q)
tf.math.log_sigmoid(x) = -np.logaddexp(0, -x)
tf.math.rsqrt(p) = 1/np.sqrt(p)
tf.math.floormod(x, 0.5) = np.mod(x, 0.5)
tf.math.truncatemod(x, 0.5) = np.fmod(x, 0.5)
tf.math.igamma(2.5, p) = scipy.special.gammainc(2.5, p)
tf.linalg.cholesky(S) = np.linalg.cholesky(S)
tf.linalg.det(S) = np.linalg.det(S)
tf.linalg.inv(S) = np.linalg.inv(S)
tf.linalg.logdet(S) = np.log(np.linalg.det(S))
tf.linalg.trace(S) = np.trace(S)
tf.linalg.solve(S, x.T) = np.linalg.solve(S, x.T)
tf.linalg.diag_part(S) = np.diag(S)
tf.keras.activations.gelu(x) = F.gelu(T(x)).numpy()
tf.keras.activations.gelu(x, approximate=True) = F.gelu(T(x), approximate='tanh').numpy()
tf.keras.activations.leaky_relu(x) = np.where(x > 0, x, 0.2*x)
tf.keras.activations.elu(x, alpha=0.5) = np.where(x > 0, x, 0.5*np.expm1(x))
tf.keras.activations.softmax(x) = scipy.special.softmax(x, axis=-1)
tf.keras.activations.hard_sigmoid(x) = np.clip(x + 3, 0, 6)/6
tf.keras.activations.swish(x) = x*scipy.special.expit(x)
tf.keras.activations.exponential(x) = np.exp(x)
tf.keras.activations.linear(x) = x
tf.keras.activations.soft_shrink(x) = F.softshrink(T(x)).numpy()
tf.keras.activations.mish(x) = x*np.tanh(np.logaddexp(0, x))
tf.keras.losses.mean_squared_error(x, y) = np.mean((x - y)**2, -1)
tf.keras.losses.mean_absolute_error(x, y) = np.mean(np.abs(x - y), -1)
tf.keras.losses.mse(x, y) = np.mean((x - y)**2, -1)
tf.keras.losses.MSE(v, w) = np.mean((v - w)**2, -1)
tf.keras.losses.mae(y_true=x, y_pred=y) = np.mean(np.abs(x - y), -1)
keras.losses.MAE(x, y) = np.mean(np.abs(x - y), -1)
tf.keras.losses.cosine_similarity(x, y) = -F.cosine_similarity(T(x), T(y), dim=-1).numpy()
keras.losses.cosine_similarity(v, w) = -F.cosine_similarity(T(v), T(w), dim=-1).numpy()
keras.losses.cosine_similarity(x, y, axis=0) = -F.cosine_similarity(T(x), T(y), dim=0).numpy()
tf.keras.losses.huber(x, y, 0.5) = np.mean(scipy.special.huber(0.5, x - y), -1)
"""


def value(module: str, text: str) -> list[Any] | float | None:
    """What a call gives; None where the library refuses it or its value is no small array."""
    roots = {"np": np, "scipy": scipy, "torch": torch, "F": F, "jnp": jnp, "jax": jax}
    make: Any = np.array
    if module in ("F", "torch") or module.startswith("torch."):
        make = torch.tensor
    elif module.startswith("j"):
        make = jnp.array
    given = {name: make(v) * 1.0 for name, v in POINT.items()}
    try:
        found = eval(text, {**roots, "T": torch.tensor, **given})  # noqa: S307 - texts of this file
        if isinstance(found, tuple | list):
            return None
        array = np.asarray(found)
        if array.dtype.kind not in "fbiu" or not 0 < array.size <= MOST:
            return None
    except Exception:  # noqa: BLE001 - whatever a library has against a call
        return None
    array = array.astype(float)
    return rounded(array.tolist()) if np.all(np.isfinite(array)) else None


def rounded(of: Any) -> Any:
    """The numbers with twelve digits."""
    return [rounded(v) for v in of] if isinstance(of, list) else float(f"{of:.12g}")


def calls(module: str, name: str) -> Iterator[tuple[str, Any]]:
    """Calls that the library accepts."""
    function = getattr(MODULES[module], name)
    try:
        options = [p.name for p in inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        options = list(HIDDEN)
    found = 0
    for given in (a.strip() for a in ARGUMENTS.replace("\n", "|").split("|") if a.strip()):
        words = [""]
        if not found:
            words += [f", {k}={v}" for k in options for v in OPTIONS.get(k, "").split()]
        made = [(t, value(module, t)) for t in (f"{module}.{name}({given}{w})" for w in words)]
        made = [(text, v) for text, v in made if v is not None]
        yield from made
        found += bool(made)
        if found == MOST_CALLS:
            return


def main() -> None:
    """Write the data next to this file."""
    warnings.simplefilter("ignore")
    torch.set_default_dtype(torch.float64)
    jax.config.update("jax_enable_x64", True)  # noqa: FBT003 - as JAX has it
    names = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    entries: dict[str, list[Any]] = {}
    for module, of in MODULES.items():
        known = [n for n in names if callable(getattr(of, n, None)) and n not in RANDOM]
        plain = [n for n in known if not inspect.isclass(getattr(of, n))]
        entries[module] = [[t, v] for name in plain for t, v in calls(module, name)]
    lines = [line.split(" = ") for line in TENSORFLOW.strip().split("\n")]
    entries["tf"] = [[text, value("np", formula)] for text, formula in lines]
    assert all(v is not None for _, v in entries["tf"])
    texts = [
        f'"{m}": [\n' + ",\n".join(json.dumps(e) for e in found) + "\n]"
        for m, found in entries.items()
    ]
    path = Path(__file__).with_name("libraries.json")
    point = json.dumps(POINT)
    path.write_text(f'{{"point": {point},\n{",".join(texts)}}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
