"""Values and gradients of lines of PyTorch, by PyTorch, for test_language_pytorch.py.

It needs PyTorch, which the project doesn't use otherwise:

    python tests/data/make_pytorch.py
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

POINT = {
    "x": [0.5, -1.2, 2.0],
    "y": [1.0, 0.3, -0.7],
    "w": [0.2, 0.9, -0.4],
    "p": [0.2, 0.7, 0.4],
    "q": [0.5, 0.3, 0.2],
    "A": [[1.0, 2.0, 0.5], [0.3, -1.0, 1.5]],
    "C": [[0.2, -0.5, 1.1], [0.7, 0.4, -0.3]],
    "W": [[0.5, -0.3, 0.8], [0.1, 0.9, -0.6], [1.2, 0.4, 0.3]],
    "b": [0.1, -0.2, 0.3],
    "S": [[2.0, 0.3, 0.1], [0.3, 1.5, -0.2], [0.1, -0.2, 3.0]],
    "Q": [[[0.5, -0.3], [0.8, 0.1]], [[0.9, -0.6], [1.2, 0.4]]],
    "K": [[[0.1, 0.7], [-0.2, 0.5]], [[0.3, 0.3], [0.6, -0.9]]],
    "V": [[[1.0, 2.0], [3.0, -1.0]], [[0.5, 0.2], [0.1, 1.1]]],
}
NAMES = {"torch": torch, "nn": nn, "F": F, "math": math}
LINES = """
((x - y) ** 2).mean()
F.mse_loss(x, y)
F.mse_loss(x, y, reduction='sum')
F.l1_loss(x, y, reduction="none").sum()
F.smooth_l1_loss(x, y, beta=0.5)
F.huber_loss(x, y, delta=0.8)
F.binary_cross_entropy(torch.sigmoid(x), p)
F.binary_cross_entropy_with_logits(x, p, reduction='mean')
F.cross_entropy(A, torch.tensor([2, 0]))
F.cross_entropy(A, F.softmax(C, dim=1))
F.cross_entropy(A, torch.tensor([2, 0]), label_smoothing=0.1)
F.nll_loss(F.log_softmax(A, dim=-1), torch.tensor([1, 0]))
F.kl_div(F.log_softmax(x, dim=0), q, reduction='sum')
F.kl_div(A.log_softmax(-1), C.softmax(-1), reduction='batchmean')
F.poisson_nll_loss(x, y.exp())
F.gaussian_nll_loss(x, y, p)
F.soft_margin_loss(x, torch.tensor([1., -1., 1.]))
F.margin_ranking_loss(x, y, torch.tensor([1., -1., 1.]), margin=0.1)
F.triplet_margin_loss(A, C, A * 0.5)
F.cosine_similarity(A, C, dim=1).sum()
-(p * torch.log(q) + (1 - p) * torch.log(1 - q)).mean()
-torch.sum(q * F.log_softmax(x, dim=0))
torch.relu(x).sum()
F.relu(x * 2, inplace=True).pow(2).sum()
F.leaky_relu(x, negative_slope=0.2).sum()
F.elu(x, alpha=1.5).sum()
F.celu(x, 0.5).sum()
F.selu(x).sum() + F.gelu(x).sum()
F.silu(x).sum() * F.mish(y).mean()
F.relu6(x * 4).sum()
F.prelu(x, torch.tensor([0.25])).sum()
F.hardswish(x).sum() + F.hardsigmoid(y).sum() + F.hardtanh(x).mean()
F.softshrink(x, 0.4).sum() + F.hardshrink(y, 0.4).sum()
F.tanhshrink(x).sum() + F.softsign(y).sum() + F.softplus(x).mean()
F.logsigmoid(x).mean()
F.glu(torch.cat([x, y[:1]]), dim=0).sum()
torch.nn.functional.softmax(A, dim=1)[0, 1]
torch.softmax(A / 0.7, dim=-1).pow(2).sum()
A.softmax(dim=0).log().mean()
torch.logsumexp(A, dim=1).sum()
A.sum(dim=1, keepdim=True).pow(2).sum()
A.mean(dim=0).norm()
A.mean(1).prod()
A.var(dim=1).sum()
x.var(unbiased=False) + x.std()
torch.std(A, dim=0, correction=0).sum()
A.max(dim=1).values.sum()
A.max(dim=1)[0].sum() - A.min()
torch.max(x, y).sum() + torch.min(x, y).prod()
A.amax(dim=(0, 1)) - A.amin()
A.norm(dim=1).sum() + torch.norm(A) + torch.linalg.norm(x)
x.abs().sum() + x.norm(p=1)
torch.clamp(x, min=-1, max=1).sum() + x.clamp(min=0).sum()
x.clamp(max=0.4).exp().sum()
torch.mm(A, W).sum()
A.mm(W).matmul(b).sum()
A.t().mm(C).trace()
(A @ W + b).tanh().sum()
F.linear(A, W, b).sigmoid().mean()
F.embedding(torch.tensor([1, 0]), W)[0, 2]
F.embedding(torch.tensor([[2, 0], [1, 1]]), weight=W).pow(2).sum()
nn.functional.softmax(A, dim=1)[0, 1] + nn.functional.gelu(x).std()
torch.dot(x, y) + x.dot(w)
torch.outer(x, y).pow(2).mean()
torch.einsum('ij,kj->ik', A, C).exp().sum()
torch.einsum('bij,bjk->bik', Q, K).sum() * torch.einsum('ii', S)
torch.matmul(Q, K.transpose(1, 2)).sum()
torch.bmm(Q, K).pow(2).sum()
torch.matmul(F.softmax(Q @ K.transpose(-2, -1) / K.shape[-1] ** 0.5, dim=-1), V).sum()
(torch.softmax(Q @ K.transpose(-2, -1) / math.sqrt(Q.size(-1)), dim=-1) @ V).pow(2).mean()
F.scaled_dot_product_attention(Q, K, V).pow(2).sum()
F.layer_norm(A, (3,)).pow(3).sum()
F.layer_norm(A, (3,), w, b, 1e-5).pow(2).sum()
F.layer_norm(A, [3], weight=w, bias=b).exp().mean()
F.normalize(A, dim=1).sum() + F.normalize(x, dim=0).prod()
F.batch_norm(A, None, None, training=True).pow(3).sum()
(x - x.mean()) @ ((y - y.mean()) / y.std(unbiased=False))
((A - A.mean(dim=1, keepdim=True)) / (A.std(dim=1, keepdim=True) + 1e-5)).pow(3).sum()
x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) @ y
torch.cat([x, y]).pow(2).sum()
torch.cat((A, C), dim=1).std()
torch.stack([x, y], dim=1).prod(dim=1).sum()
torch.hstack((x, y)).sum() * torch.vstack((x, y)).pow(2).sum()
A.view(-1).pow(2).sum() + A.reshape(3, 2).sum(0).prod()
A.unsqueeze(0).squeeze().permute(1, 0).mm(C).sum()
Q.permute(0, 2, 1).reshape(2, -1).sum(1).prod()
x.unsqueeze(1).expand(3, 4).pow(2).sum()
x.repeat(2).sum() * x.repeat_interleave(2).prod()
torch.cumsum(x, dim=0).pow(2).sum() + x.cumprod(0).sum()
torch.where(x > 0, x, x.exp()).sum()
torch.sort(x).values @ w
x.sort(descending=True)[0] @ w
torch.flip(x, [0]) @ y + torch.roll(x, 1) @ w
A.gather(1, torch.tensor([[2], [0]])).sum()
F.one_hot(torch.tensor([0, 2]), 3).double().mul(A).sum()
A[:, [0, 2]].sum() + A[..., -1].prod()
F.pad(x, (1, 2)).pow(2).cumsum(0).sum()
F.pad(A, (1, 0, 2, 1), value=0.5).cumsum(1).pow(2).sum()
torch.logdet(S) + torch.det(S) + torch.trace(torch.inverse(S))
torch.linalg.solve(S, x) @ y
torch.linalg.slogdet(S)[1] * torch.slogdet(S).logabsdet
torch.linalg.cholesky(S).diag().log().sum()
torch.linalg.eigvalsh(S).pow(2).sum()
torch.linalg.pinv(A).pow(2).sum()
torch.linalg.matrix_power(S, 3).trace()
torch.lgamma(p).sum() + torch.digamma(p).sum() + torch.erf(x).sum()
torch.special.expit(x).sum() + torch.special.log_ndtr(x).sum()
torch.special.xlogy(p, q).sum() + torch.special.entr(p).sum()
torch.addmm(C @ W, A, W, beta=0.5, alpha=2.0).sum()
torch.lerp(x, y, 0.3).pow(2).sum()
torch.tril(S).sum() + torch.triu(S, 1).prod(0).sum() + torch.diag(S).prod()
torch.cdist(A, C).sum()
torch.hypot(x, y).sum() + torch.atan2(x, y).sum()
x.mul(y).add(w).sub(0.5).div(2.0).neg().sum()
0.5 * (p.log() - q.log() + (q / p) - 1).sum()
-0.5 * torch.sum(1 + x - y.pow(2) - x.exp())
(torch.log(torch.tensor(2 * math.pi)) + x.pow(2)).sum() / 2
torch.mean(torch.log1p(torch.exp(-torch.sign(y) * x)))
torch.sum(F.relu(1 - x * torch.sign(y))) + 0.01 * torch.sum(w ** 2)
len(x) * x.numel() * A.numel() + x.sum()
torch.chunk(x.repeat(2), 3)[1].prod()
torch.tensor([1.0, 2.0, 3.0]) @ x
F.hardsigmoid(x * 0.5).sum() * 3.0
"""


def main() -> None:
    """Write the data next to this file."""
    torch.set_default_dtype(torch.float64)
    entries = []
    for line in LINES.strip().split("\n"):
        values = {k: torch.tensor(v, requires_grad=True) for k, v in POINT.items()}
        result = eval(line, {**NAMES, **values})  # noqa: S307 - above
        result.backward()
        slopes = {k: v.grad.tolist() for k, v in values.items() if v.grad is not None}
        entries.append(json.dumps({"line": line, "value": result.item(), "gradient": slopes}))
    rows = ",\n".join(entries)
    path = Path(__file__).with_name("pytorch.json")
    path.write_text(f'{{"point": {json.dumps(POINT)},\n"lines": [\n{rows}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
