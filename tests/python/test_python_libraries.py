"""Functions of libraries: the values are theirs, and the gradients those of finite differences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.special

from gradcli.diagnostics.error import GradcliError
from gradcli.program import Program

X = np.array([[0.3, -0.7, 1.2], [0.9, 0.4, -0.2]])
V = np.array([0.5, 1.5, 0.8])
NAMES: dict[str, Any] = {"np": np, "math": math, "scipy": scipy, "special": scipy.special}

NUMPY = """
np.sum(X) | np.sum(X, axis=0) | np.sum(X, 1, keepdims=True) | X.sum(axis=(0, 1)) | X.mean(1)
np.mean([V[0], 2]) | np.max(X, 1) | X.min(axis=0) | np.amax(X) | np.prod(X, axis=1)
np.var(X, axis=0) | X.std(ddof=1) | np.std(X, 1) | np.cumsum(X) | np.cumsum(X, axis=1)
np.cumprod(V) | np.ptp(V) | np.median(V) | np.average(V, weights=[1, 2, 3]) | np.dot(X, V)
X.dot(V) | X @ X.T | np.matmul(X, V) | np.inner(X, X) | np.outer(V, V) | np.vdot(V, V)
np.einsum('ij,j->i', X, V) | np.einsum('ij,kj', X, X) | np.einsum('ii->', X @ X.T)
np.tensordot(X, X, axes=([1], [1])) | np.cross(V, X[0]) | np.kron(V, X[0]) | np.trace(X @ X.T)
np.linalg.norm(X) | np.linalg.norm(X, axis=1) | np.linalg.norm(V, 1) | np.linalg.norm(V, np.inf)
np.linalg.inv(X @ X.T) | np.linalg.det(X @ X.T) | np.linalg.solve(X @ X.T, X[:, 0])
np.linalg.slogdet(X @ X.T)[1] | np.linalg.matrix_power(X @ X.T, 3)
np.linalg.cholesky(X @ X.T + np.eye(2)) | X.T | np.transpose(X) | X.reshape(3, 2)
X.reshape(-1) | np.reshape(X, (6,)) | X.ravel() | X.flatten() | np.squeeze(X[:1])
np.expand_dims(V, 1) | V[:, None] | V[np.newaxis] | np.swapaxes(X, 0, 1) | np.moveaxis(X, 0, 1)
np.flip(X, 1) | np.fliplr(X) | np.roll(V, 1) | np.rot90(X) | np.tile(V, (2, 2))
np.repeat(X, 2, axis=0) | np.broadcast_to(V, (2, 3)) | np.atleast_2d(V)
np.concatenate([X, X], axis=1) | np.stack([V, X[0]], axis=1) | np.vstack([V, X])
np.hstack((V, X[0])) | np.column_stack([V, V]) | np.append(V, 1.0) | np.split(V, 3)[1]
np.array_split(V, 2)[0] | np.diag(X @ X.T) | np.diagonal(X @ X.T) | np.tril(X) | np.triu(X, 1)
np.where(X > 0, X, 2*X) | np.maximum(X, V) | np.minimum(X, 0.1) | np.clip(X, -0.5, 0.5)
X.clip(0) | np.clip(X, None, 0.5) | np.abs(X) | np.sign(X) | np.exp(X) | np.log(V) | np.sqrt(V)
np.square(X) | np.power(V, 3) | V**-2 | 2.0**X | np.reciprocal(V) | np.sin(X) | np.cos(X)
np.tan(X) | np.arctan(X) | np.arcsin(X / 2) | np.arccos(X / 2) | np.sinh(X) | np.cosh(X)
np.tanh(X) | np.arcsinh(X) | np.arctan2(X, V) | np.hypot(X, V) | np.logaddexp(X, V)
np.log1p(V) | np.expm1(X) | np.log2(V) | np.log10(V) | np.exp2(X) | np.cbrt(V) | np.deg2rad(X)
np.degrees(X) | np.sinc(X) | np.mod(X, 0.47) | X % 0.47 | X // 0.47 | np.fmod(X, 0.47)
np.floor(X) | np.round(X, 1) | np.rint(X) | np.trunc(X) | X.astype(int) | np.heaviside(X, 0.5)
np.int64(X > 0) * X | ~(X > 0) * X | np.add(X, V) | np.subtract(X, V) | np.multiply(X, V)
np.divide(X, V) | np.negative(X) | np.true_divide(X, V) | -X + +X | np.diff(V) | np.trapezoid(V)
np.polyval([1.0, 2.0, 3.0], X) | np.sort(V) | V[np.argsort(V)] | V[np.argmax(V)]
np.take(V, [2, 0]) | X[0] | X[:, 1] | X[-1, ::2] | X[..., 0] | X[[1, 0], [2, 0]] | X[X > 0]
X[np.arange(2), [0, 2]] | X[1][2] | X[:, [0, 0]] | np.zeros_like(X) + X | np.ones(3) * V
np.full((2, 3), V[0]) | np.eye(2) @ X | np.linspace(0, 1, 3) * V | np.arange(3) * V
np.array([V[0], V[1] * 2]) | np.array([[V[0], 1], [2, V[1]]]) | np.asarray(V) | np.copy(V) * 2
np.apply_along_axis(lambda r: r*r[0], 0, X) | np.apply_along_axis(np.sum, 1, X) | np.rollaxis(X, 1)
np.fromfunction(lambda i, j: i + 2*j, (2, 3))*X | np.vectorize(lambda a, b: a*b)(X, V)
np.subtract.reduce(X, axis=1) | np.logaddexp.accumulate(X, axis=1) | np.linalg.norm(V, 3)
np.add.reduce(X) | np.maximum.reduce(V) | np.nan_to_num(X) | np.all(X > -9) * V
np.logical_and(X > 0, X < 1) * X | (X > 0) & (X < 1) | np.multiply.outer(V, V) | math.sin(V[0])
math.exp(V[1]) | math.log(V[1], 3) | math.sqrt(V[0]) | math.pow(V[0], 2) | math.pi * V
math.hypot(V[0], V[1]) | scipy.special.expit(X) | special.logit(V / 2) | special.erf(X)
special.erfc(X) | special.gammaln(V) | special.digamma(V) | special.gamma(V)
special.logsumexp(X) | special.logsumexp(X, axis=1, keepdims=True)
special.logsumexp(V, b=[1.0, 2.0, 3.0]) | special.softmax(X) | special.softmax(X, axis=1)
special.log_softmax(X) | special.polygamma(1, V) | special.xlogy(V, X + 1) | special.entr(V)
special.betaln(V, V + 1) | special.beta(V, 2.0) | special.ndtr(X) | special.log_expit(X)
special.exp2(X) if False else X | max(V[0], V[1]) | min(V) | sum(V) | abs(V[0])
sum([v * i for i, v in enumerate(V)]) | round(V[0], 1) | float(V[0]) * 2 | pow(V[0], 2)
"""

TORCH = {
    "X.var()": "np.var(X, ddof=1)",
    "torch.var(X, dim=1, unbiased=False)": "np.var(X, axis=1)",
    "X.std(1, keepdim=True)": "np.std(X, axis=1, ddof=1, keepdims=True)",
    "torch.max(X, 1)[0] + X.max(1).values": "2*np.max(X, axis=1)",
    "torch.sum(X, dim=0)": "X.sum(0)",
    "F.relu(X) + torch.relu(X)": "2*np.maximum(X, 0)",
    "F.leaky_relu(X, negative_slope=0.2)": "np.where(X > 0, X, 0.2*X)",
    "torch.sigmoid(X) + X.sigmoid()": "2*scipy.special.expit(X)",
    "F.softmax(X, dim=1)": "scipy.special.softmax(X, axis=1)",
    "F.log_softmax(X, dim=-1)": "scipy.special.log_softmax(X, axis=1)",
    "torch.logsumexp(X, dim=1)": "scipy.special.logsumexp(X, axis=1)",
    "F.softplus(X)": "np.logaddexp(0, X)",
    "F.gelu(X)": "X*scipy.special.ndtr(X)",
    "F.silu(X)": "X*scipy.special.expit(X)",
    "F.elu(X)": "np.where(X > 0, X, np.expm1(X))",
    "F.mse_loss(X, 2*X)": "np.mean(X**2)",
    "F.l1_loss(X, 2*X, reduction='sum')": "np.sum(np.abs(X))",
    "F.cross_entropy(X, torch.tensor([2, 0]))": (
        "-np.mean(scipy.special.log_softmax(X, axis=1)[[0, 1], [2, 0]])"
    ),
    "F.binary_cross_entropy_with_logits(X, (X > 0).float())": (
        "np.mean(np.logaddexp(0, X) - (X > 0)*X)"
    ),
    "F.linear(X, X, V[:2])": "X @ X.T + V[:2]",
    "X.mm(X.t())": "X @ X.T",
    "X.pow(2).add(1).mul(V).clamp(min=0.5, max=2)": "np.clip((X**2 + 1)*V, 0.5, 2)",
    "X.view(3, 2).unsqueeze(0).squeeze()": "X.reshape(3, 2)",
    "torch.cat([X, X], dim=1)": "np.concatenate([X, X], axis=1)",
    "X.permute(1, 0) + X.transpose(0, 1) + X.permute(0, 1).t()": "3*X.T",
    "(2*X).add_(X, alpha=-0.5).sub_(X, alpha=2).mul_(V)": "-0.5*X*V",
    "F.cross_entropy(X, torch.tensor([2, 0]), torch.tensor([1., 2, 3]))": (
        "-np.sum((scipy.special.log_softmax(X, axis=1)*[1., 2, 3])[[0, 1], [2, 0]])/4"
    ),
    "torch.norm(X)": "np.linalg.norm(X)",
    "torch.matmul(X, V) + torch.mv(X, V)": "2*(X @ V)",
    "V.repeat(2, 1)": "np.tile(V, (2, 1))",
    "torch.where(X > 0, X, torch.zeros_like(X))": "np.maximum(X, 0)",
    "torch.rsqrt(V) + V.detach().item if False else torch.rsqrt(V)": "1/np.sqrt(V)",
    "torch.special.polygamma(1, V)": "scipy.special.polygamma(1, V)",
    "X.size(0)*X.sum() + X.numel()": "2*X.sum() + 6",
    "torch.sort(X, dim=1, descending=True).values": "-np.sort(-X, axis=1)",
    "torch.topk(V, 2, largest=False)[0]": "np.sort(V)[:2]",
    "X.unbind(1)[2] + X.select(1, 0) + X.narrow(1, 1, 2)[:, 0]": "X[:, 2] + X[:, 0] + X[:, 1]",
    "torch.roll(X, shifts=(1, 2), dims=(0, 1))": "np.roll(X, (1, 2), (0, 1))",
    "torch.sub(X, V, alpha=2) + X.add(V, alpha=0.5)": "2*X - 1.5*V",
    "F.pad(X, (1, 2, 0, 1), value=3)": "np.pad(X, ((0, 1), (1, 2)), constant_values=3)",
    "F.pad(X, (1, 1), mode='replicate')": "np.pad(X, ((0, 0), (1, 1)), 'edge')",
    "torch.flatten(X[None], 1).tile(2, 1)": "np.tile(X.reshape(1, 6), (2, 1))",
}
JAX = {
    "jax.nn.softmax(X)": "scipy.special.softmax(X, axis=1)",
    "jax.nn.gelu(X)": "0.5*X*(1 + np.tanh(np.sqrt(2/np.pi)*(X + 0.044715*X**3)))",
    "jax.nn.gelu(X, approximate=False)": "X*scipy.special.ndtr(X)",
    "jnp.var(X)": "np.var(X)",
    "jax.nn.relu(X) + jax.nn.sigmoid(X)": "np.maximum(X, 0) + scipy.special.expit(X)",
    "jax.scipy.special.logsumexp(X, axis=0)": "scipy.special.logsumexp(X, axis=0)",
    "jax.vmap(lambda a, b: a*b, in_axes=(1, None))(X, V[:2])": "X.T*V[:2]",
    "jax.lax.fori_loop(0, 3, lambda i, v: v*V + i, V)": "((V*V)*V + 1)*V + 2",
    "jax.lax.while_loop(lambda v: v[1] < 20, lambda v: 2*v, V)": "V*2**np.ceil(np.log2(20/V[1]))",
    "jax.lax.cond(V[1] > 9, jnp.sin, jnp.cos, X)": "np.cos(X)",
    "jax.lax.scan(lambda c, v: (c + v, c*v), 0.0, V)[1]": "np.append(0, V.cumsum()[:2])*V",
}
EXPRESSIONS = [e.strip() for line in NUMPY.strip().split("\n") for e in line.split(" | ")]


def compared(text: str, meant: str, imports: str = "") -> None:
    """A text's value is that of the meant one, its gradient that of finite differences."""

    def true(X: Any, V: Any) -> Any:
        return np.asarray(eval(meant, {**NAMES, "X": X, "V": V}), dtype=float)  # noqa: S307

    program = Program(f"{imports}\ndef f(X, V):\n    return {text}\n", function="f")
    found = program.evaluate(X=X, V=V, check=False, gradient=False)
    wanted = true(X, V)
    assert np.shape(found.value) == wanted.shape
    np.testing.assert_allclose(found.value, wanted, rtol=2e-14, atol=1e-15)
    weights = np.cos(np.arange(wanted.size)).reshape(wanted.shape)
    gradient = program.evaluate(X=X, V=V, check=False, upstream=weights).gradient
    a, b, h = np.cos(X * 7 + 1), np.sin(V * 5 + 1), 1e-6
    slope = np.sum((true(X + h * a, V + h * b) - true(X - h * a, V - h * b)) * weights) / (2 * h)
    sent = np.sum(gradient.get("X", 0.0) * a) + np.sum(gradient.get("V", 0.0) * b)
    assert sent == pytest.approx(slope, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_numpy_math_and_scipy(text: str) -> None:
    compared(text, text)


@pytest.mark.parametrize(("text", "meant"), TORCH.items())
def test_torch(text: str, meant: str) -> None:
    compared(text, meant, "import torch\nimport torch.nn.functional as F")


SPREADS = {
    "lambda x: x.std()": 0,
    "lambda x: np.tanh(x).std()": 0,
    "lambda x: torch.tanh(x).std()": 1,
    "lambda x: F.tanh(x).std()": 1,
    "lambda x: nn.functional.tanh(x).std()": 1,
    "lambda x: nn.Tanh()(x).std()": 1,
    "lambda x: jnp.abs(nn.tanh(x)).std()": 0,
    "lambda x: x.std() + 0*x.sum(dim=0)": 1,
    "lambda x: x.std(0, keepdim=True)[0]": 1,
    "lambda x: x.std(unbiased=False)": 0,
    "lambda x, dim=1: x.std()": 0,
    "lambda x, F=1: x.std() + 0*F.real": 0,
    "dim = 1\ndef f(x):  # as torch.std\n    return x.std()": 0,
    "def g(x, dim):\n    return x.std()\ndef f(x):\n    return g(x, dim=1)": 0,
    "class A:\n    def g(self, x, dim):\n        return x.std()\n"
    "def f(x):\n    return A().g(x, dim=1)": 0,
    "import numpy as np\ndef f(x):\n    return x.std() + 0*x.sum(dim=0)": 0,
    "import numpy as np\ndef f(x):\n    return torch.tanh(x).std()": 1,
    "def f(x):\n    import torch\n    return x.std()": 1,
    "class torch:\n    one = 1\ndef f(x):\n    return x.std() + 0*torch.one": 0,
}
"""Texts, and what is taken off the number of elements in them; some take the tanh before."""


@pytest.mark.parametrize(("text", "ddof"), SPREADS.items())
def test_a_text_is_pytorchs_by_what_it_uses(text: str, ddof: int) -> None:
    function = "f" if "def" in text else None
    found = Program(text, function=function).evaluate(x=V, check=False, gradient=False)
    of = np.tanh(V) if "anh(" in text or "Tanh()" in text else V
    assert found.value == pytest.approx(np.std(of, ddof=ddof))


@pytest.mark.parametrize("call", ["nn.functional.nothing(x)", "nn.Nothing()(x)", "nn.nothing(x)"])
def test_nn_is_pytorchs_in_a_message(call: str) -> None:
    with pytest.raises(GradcliError, match=r"torch\.nn\.(functional\.n|N)othing is not read"):
        Program(f"lambda x: {call}").evaluate(x=V)


@pytest.mark.parametrize(("text", "meant"), JAX.items())
def test_jax(text: str, meant: str) -> None:
    compared(text, meant, "import jax\nimport jax.numpy as jnp")
