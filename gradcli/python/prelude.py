"""Functions of libraries that are several operations, written in the Python that is read.

They are read like a user's own; their operations stand where they are called.
"""

from __future__ import annotations

import ast
from functools import cache

TEXT = """
def gelu_tanh(x, approximate=True):
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))

def average(a, axis=None, weights=None):
    if weights is None:
        return np.mean(a, axis=axis)
    if axis is not None and np.ndim(weights) == 1 and np.ndim(a) > 1:
        shape = [1] * np.ndim(a)
        shape[axis] = len(weights)
        weights = np.reshape(weights, shape)
        return np.sum(a * weights, axis=axis) / np.sum(weights)
    return np.sum(a * weights, axis=axis) / np.sum(weights, axis=axis)

def diff(a, n=1, axis=-1):
    for _ in range(n):
        a = np.moveaxis(a, axis, -1)
        a = np.moveaxis(a[..., 1:] - a[..., :-1], -1, axis)
    return a

def trapezoid(y, x=None, dx=1.0, axis=-1):
    if x is not None:
        dx = np.diff(x, axis=axis)
    y = np.moveaxis(y, axis, -1)
    return np.sum(dx * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)

def polyval(p, x):
    total = 0.0
    for c in p:
        total = total * x + c
    return total

def xlogy(x, y):
    return np.where(x == 0, 0.0, x * np.log(np.where(x == 0, 1.0, y)))

def xlog1py(x, y):
    return np.where(x == 0, 0.0, x * np.log1p(np.where(x == 0, 0.0, y)))

def entr(x):
    return -xlogy(x, x)

def rel_entr(x, y):
    return xlogy(x, x / y)

def logsumexp_weighted(a, axis=None, b=None, keepdims=False):
    top = np.max(a, axis=axis, keepdims=True)
    total = np.log(np.sum(b * np.exp(a - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis)

def nan_to_num(x):
    return np.where(np.isfinite(x), x, 0.0)

def ptp(a, axis=None):
    return np.max(a, axis=axis) - np.min(a, axis=axis)

def median(a, axis=None):
    if axis is None:
        a = np.ravel(a)
        axis = -1
    a = np.moveaxis(np.sort(a, axis=axis), axis, -1)
    n = a.shape[-1]
    if n % 2:
        return a[..., n // 2]
    return (a[..., n // 2 - 1] + a[..., n // 2]) / 2.0

def multi_dot(arrays):
    total = arrays[0]
    for a in arrays[1:]:
        total = total @ a
    return total

def matrix_power(a, n):
    if n < 0:
        a = np.linalg.inv(a)
        n = -n
    total = np.eye(a.shape[0])
    for _ in range(n):
        total = total @ a
    return total

def logaddexp2(x, y):
    return np.logaddexp(x * 0.6931471805599453, y * 0.6931471805599453) / 0.6931471805599453

def fmod(x, y):
    return np.sign(x) * np.mod(np.abs(x), np.abs(y))

def trunc(x):
    return np.sign(x) * np.floor(np.abs(x))

def rsqrt(x):
    return 1.0 / np.sqrt(x)

def sech(x):
    return 1.0 / np.cosh(x)

def relu6(x):
    return np.clip(x, 0.0, 6.0)

def celu(x, alpha=1.0):
    return np.maximum(0.0, x) + np.minimum(0.0, alpha * np.expm1(x / alpha))

def softplus_of(x, beta=1.0, threshold=20.0):
    return np.where(x * beta > threshold, x, softplus(x * beta) / beta)

def tanhshrink(x):
    return x - np.tanh(x)

def hardsigmoid(x):
    return np.clip(x + 3.0, 0.0, 6.0) / 6.0

def hardswish(x):
    return x * hardsigmoid(x)

def reduced(x, reduction):
    if reduction == 'mean':
        return np.mean(x)
    if reduction == 'sum':
        return np.sum(x)
    return x

def mse_loss(input, target, reduction='mean'):
    return reduced((input - target) ** 2, reduction)

def l1_loss(input, target, reduction='mean'):
    return reduced(np.abs(input - target), reduction)

def smooth_l1_loss(input, target, reduction='mean', beta=1.0):
    d = np.abs(input - target)
    return reduced(np.where(d < beta, 0.5 * d**2 / beta, d - 0.5 * beta), reduction)

def huber_loss(input, target, reduction='mean', delta=1.0):
    d = np.abs(input - target)
    return reduced(np.where(d < delta, 0.5 * d**2, delta * (d - 0.5 * delta)), reduction)

def binary_cross_entropy(input, target, reduction='mean'):
    return reduced(-(target * np.log(input) + (1 - target) * np.log(1 - input)), reduction)

def binary_cross_entropy_with_logits(input, target, reduction='mean'):
    return reduced(softplus(input) - target * input, reduction)

def nll_loss(input, target, weight=None, reduction='mean'):
    picked = -input[np.arange(input.shape[0]), target]
    if weight is None:
        return reduced(picked, reduction)
    each = weight[target]
    total = picked * each
    return np.sum(total) / np.sum(each) if reduction == 'mean' else reduced(total, reduction)

def cross_entropy(input, target, weight=None, reduction='mean', label_smoothing=0.0):
    logs = log_softmax(input, axis=-1)
    n = np.shape(input)[-1]
    if np.ndim(target) == np.ndim(input):
        target = target * (1.0 - label_smoothing) + label_smoothing / n
        logs = logs if weight is None else logs * weight
        return reduced(-np.sum(target * logs, axis=-1), reduction)
    if np.ndim(input) == 1:
        logs = logs[None, :]
        target = np.atleast_1d(target)
        reduction = 'sum' if reduction == 'none' else reduction
    plain = nll_loss(logs, target, weight, reduction)
    if not label_smoothing:
        return plain
    spread = -np.sum(logs if weight is None else logs * weight, axis=-1)
    smooth = reduced(spread, reduction)
    if weight is not None and reduction == 'mean':
        smooth = np.sum(spread) / np.sum(weight[target])
    return (1.0 - label_smoothing) * plain + label_smoothing / n * smooth

def kl_div(input, target, reduction='mean', log_target=False):
    each = np.exp(target) * (target - input) if log_target else (
        xlogy(target, target) - target * input)
    if reduction == 'batchmean':
        return np.sum(each) / np.shape(input)[0]
    return reduced(each, reduction)

def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, reduction='mean'):
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    return reduced(np.maximum(near - far + margin, 0.0), reduction)

def embedding(input, weight):
    return weight[input]

def bilinear(input1, input2, weight, bias=None):
    out = np.einsum('...i,kij,...j->...k', input1, weight, input2)
    return out if bias is None else out + bias

def linear(input, weight, bias=None):
    out = input @ weight.T
    return out if bias is None else out + bias

def layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
    axes = tuple(range(-len(shape), 0))
    var = np.var(x, axis=axes, keepdims=True)
    x = (x - np.mean(x, axis=axes, keepdims=True)) / np.sqrt(var + eps)
    if weight is not None:
        x = x * weight
    return x if bias is None else x + bias

def norm_pdf(x, loc=0.0, scale=1.0):
    return np.exp(-((x - loc) / scale) ** 2 / 2.0) / (2.5066282746310002 * scale)

def norm_logpdf(x, loc=0.0, scale=1.0):
    return -((x - loc) / scale) ** 2 / 2.0 - 0.9189385332046727 - np.log(scale)

def norm_cdf(x, loc=0.0, scale=1.0):
    return 0.5 * erfc(-(x - loc) / (1.4142135623730951 * scale))

def norm_sf(x, loc=0.0, scale=1.0):
    return 0.5 * erfc((x - loc) / (1.4142135623730951 * scale))

def norm_ppf(q, loc=0.0, scale=1.0):
    return loc + scale * 1.4142135623730951 * erfinv(2.0 * q - 1.0)

def ndtr(x):
    return norm_cdf(x)

def ndtri(y):
    return norm_ppf(y)

def betaln(a, b):
    return gammaln(a) + gammaln(b) - gammaln(a + b)

def beta(a, b):
    return np.exp(betaln(a, b))

def outer_of(op, a, b):
    return op(np.expand_dims(np.ravel(a), 1), np.ravel(b))

def one_hot(x, num_classes=-1, axis=-1):
    n = int(np.max(x)) + 1 if num_classes < 0 else num_classes
    return np.eye(n)[x]

def addmm(input, mat1, mat2, beta=1.0, alpha=1.0):
    return beta * input + alpha * (mat1 @ mat2)

def addmv(input, mat, vec, beta=1.0, alpha=1.0):
    return beta * input + alpha * (mat @ vec)

def clamp_min(x, min):
    return np.maximum(x, min)

def clamp_max(x, max):
    return np.minimum(x, max)

def masked_select(x, mask):
    return x[mask]

def index_select(x, dim, index):
    return np.take(x, index, axis=dim)

def expand_as(x, other):
    return np.broadcast_to(x, np.shape(other))

def chain_matmul(*arrays):
    return multi_dot(arrays)

def jax_integer_pow(x, y):
    return x ** y

def hard_sigmoid(x):
    return hardsigmoid(x)

def hard_swish(x):
    return hardswish(x)

def torch_hardtanh(x, min_val=-1.0, max_val=1.0):
    return np.clip(x, min_val, max_val)

def torch_dist(input, other, p=2):
    return np.sum(np.abs(input - other) ** p) ** (1.0 / p)

def torch_cross(input, other, axis=-1):
    return np.cross(input, other)

def lerp(start, end, weight):
    return start + weight * (end - start)

def interp(x, xp, fp):
    xp = np.asarray(xp)
    fp = np.asarray(fp)
    i = np.clip(np.searchsorted(xp, x, side='right') - 1, 0, len(xp) - 2)
    slope = (fp[i + 1] - fp[i]) / (xp[i + 1] - xp[i])
    inside = slope * (x - xp[i]) + fp[i]
    return np.where(x < xp[0], fp[0], np.where(x > xp[-1], fp[-1], inside))

def convolve(a, v, mode='full'):
    a = np.atleast_1d(a)
    v = np.atleast_1d(v)
    if len(v) > len(a):
        a, v = v, a
    n = len(a)
    m = len(v)
    out = np.zeros(n + m - 1)
    for i in range(m):
        out[i:i + n] += v[i] * a
    if mode == 'same':
        return out[(m - 1) // 2:(m - 1) // 2 + n]
    if mode == 'valid':
        return out[m - 1:n]
    return out

def correlate(a, v, mode='valid'):
    return np.convolve(a, np.flip(v), mode)

def cov(m, y=None, ddof=None, bias=False, rowvar=True):
    if y is not None:
        m = np.stack([m, y])
    m = np.atleast_2d(m)
    if not rowvar:
        m = m.T
    if ddof is None:
        ddof = 0 if bias else 1
    d = m - np.mean(m, axis=1, keepdims=True)
    return np.squeeze(d @ d.T / (m.shape[1] - ddof))

def corrcoef(x, y=None):
    c = np.cov(x, y)
    d = np.sqrt(np.diag(c))
    return c / d[:, None] / d[None, :]

def quantile(a, q, axis=None):
    if axis is None:
        a = np.ravel(a)
        axis = -1
    a = np.moveaxis(np.sort(a, axis=axis), axis, -1)
    at = np.asarray(q) * (a.shape[-1] - 1)
    low = np.clip(np.floor(at), 0, a.shape[-1] - 1).astype(int)
    high = np.clip(low + 1, 0, a.shape[-1] - 1)
    low_values = np.moveaxis(a[..., low], -1, 0) if np.ndim(q) else a[..., low]
    high_values = np.moveaxis(a[..., high], -1, 0) if np.ndim(q) else a[..., high]
    part = at - low
    if np.ndim(q):
        part = np.reshape(part, [-1] + [1] * (np.ndim(low_values) - 1))
    return low_values + (high_values - low_values) * part

def percentile(a, q, axis=None):
    return np.quantile(a, np.asarray(q) / 100.0, axis)

def nansum(a, axis=None, keepdims=False):
    return np.sum(np.where(np.isnan(a), 0.0, a), axis=axis, keepdims=keepdims)

def nanmean(a, axis=None, keepdims=False):
    count = np.sum(np.logical_not(np.isnan(a)), axis=axis, keepdims=keepdims)
    return np.nansum(a, axis=axis, keepdims=keepdims) / count

def nanmax(a, axis=None, keepdims=False):
    return np.max(np.where(np.isnan(a), -np.inf, a), axis=axis, keepdims=keepdims)

def nanmin(a, axis=None, keepdims=False):
    return np.min(np.where(np.isnan(a), np.inf, a), axis=axis, keepdims=keepdims)

def select(condlist, choicelist, default=0):
    out = default
    for condition, choice in zip(condlist[::-1], choicelist[::-1]):
        out = np.where(condition, choice, out)
    return out

def piecewise(x, condlist, funclist):
    out = np.zeros(np.shape(x))
    for condition, function in zip(condlist, funclist):
        out = np.where(condition, function(x) if callable(function) else function, out)
    if len(funclist) > len(condlist):
        rest = np.ones(np.shape(x), dtype=bool)
        for condition in condlist:
            rest = np.logical_and(rest, np.logical_not(condition))
        other = funclist[-1]
        out = np.where(rest, other(x) if callable(other) else other, out)
    return out

def choose(a, choices):
    out = choices[0]
    for i in range(1, len(choices)):
        out = np.where(np.equal(a, i), choices[i], out)
    return out

def gradient(f, dx=1.0):
    ends = [(f[1] - f[0]) / dx], (f[2:] - f[:-2]) / (2.0 * dx), [(f[-1] - f[-2]) / dx]
    return np.concatenate(ends)

def delete(arr, obj, axis=None):
    if axis is None:
        arr = np.ravel(arr)
        axis = 0
    kept = np.delete(np.arange(arr.shape[axis]), obj)
    return np.take(arr, kept, axis=axis)

def insert(arr, obj, values, axis=None):
    arr = np.ravel(arr)
    if obj < 0:
        obj = obj + len(arr)
    return np.concatenate([arr[:obj], np.atleast_1d(values), arr[obj:]])

def dstack(arrays):
    return np.concatenate([a.reshape(1, -1, 1) if np.ndim(a) == 1 else a.reshape(
        a.shape + (1,)) if np.ndim(a) == 2 else a for a in arrays], axis=2)

def block(arrays):
    rows = arrays if isinstance(arrays[0], list) else [arrays]
    return np.concatenate([np.concatenate([np.atleast_2d(a) for a in r], axis=1) for r in rows])

def diagflat(v, k=0):
    return np.diag(np.ravel(v), k)

def ediff1d(a):
    return np.diff(np.ravel(a))

def partition(a, kth, axis=-1):
    return np.sort(a, axis=axis)

def copysign(x, y):
    return np.abs(x) * np.where(np.signbit(y), -1.0, 1.0)

def vander(x, N=None, increasing=False):
    n = len(x) if N is None else N
    powers = np.arange(n) if increasing else np.arange(n)[::-1]
    return x[:, None] ** powers

def resize(a, new_shape):
    a = np.ravel(a)
    shape = (new_shape,) if isinstance(new_shape, int) else tuple(new_shape)
    size = 1
    for n in shape:
        size = size * n
    return a[np.arange(size) % len(a)].reshape(shape)

def meshgrid(*xi, indexing='xy'):
    n = len(xi)
    lengths = [len(x) for x in xi]
    order = list(range(n))
    if indexing == 'xy' and n > 1:
        order[0], order[1] = 1, 0
    out = []
    for i in range(n):
        shape = [1] * n
        shape[order[i]] = lengths[i]
        full = [0] * n
        for j in range(n):
            full[order[j]] = lengths[j]
        out.append(np.broadcast_to(np.reshape(xi[i], shape), full).copy())
    return out

def dist(p, q):
    return np.sqrt(np.sum((np.asarray(p) - np.asarray(q)) ** 2))

def exp10(x):
    return 10.0 ** x

def sindg(x):
    return np.sin(np.deg2rad(x))

def cosdg(x):
    return np.cos(np.deg2rad(x))

def exprel(x):
    return np.where(x == 0, 1.0, np.expm1(x) / np.where(x == 0, 1.0, x))

def huber(delta, r):
    return np.where(np.abs(r) <= delta, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta))

def pseudo_huber(delta, r):
    return delta**2 * (np.sqrt(1.0 + (r / delta) ** 2) - 1.0)

def scipy_kl_div(x, y):
    return xlogy(x, x / y) - x + y

def log1mexp(x):
    return np.log(-np.expm1(-x))

def xlogx(x):
    return xlogy(x, x)

def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    dim = dim if np.ndim(x1) > 1 else 0
    n1 = np.maximum(np.sqrt(np.sum(x1 * x1, axis=dim)), eps)
    n2 = np.maximum(np.sqrt(np.sum(x2 * x2, axis=dim)), eps)
    return np.sum(x1 * x2, axis=dim) / (n1 * n2)

def normalize(input, p=2.0, dim=1, eps=1e-12):
    dim = dim if np.ndim(input) > 1 else 0
    size = np.sum(np.abs(input) ** p, axis=dim, keepdims=True) ** (1.0 / p)
    return input / np.maximum(size, eps)

def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    return np.sum(np.abs(x1 - x2 + eps) ** p, axis=-1, keepdims=keepdim) ** (1.0 / p)

def hinge_embedding_loss(input, target, margin=1.0, reduction='mean'):
    return reduced(np.where(target == 1, input, np.maximum(0.0, margin - input)), reduction)

def margin_ranking_loss(input1, input2, target, margin=0.0, reduction='mean'):
    return reduced(np.maximum(0.0, -target * (input1 - input2) + margin), reduction)

def soft_margin_loss(input, target, reduction='mean'):
    return reduced(softplus(-target * input), reduction)

def poisson_nll_loss(input, target, log_input=True, reduction='mean'):
    if log_input:
        return reduced(np.exp(input) - target * input, reduction)
    return reduced(input - target * np.log(input + 1e-8), reduction)

def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction='mean'):
    var = np.maximum(var, eps)
    return reduced(0.5 * (np.log(var) + (input - target) ** 2 / var), reduction)

def batch_norm(x, running_mean, running_var, weight=None, bias=None, training=False,
               momentum=0.1, eps=1e-5):
    axes = (0,) + tuple(range(2, np.ndim(x)))
    shape = [1, -1] + [1] * (np.ndim(x) - 2)
    mean = np.mean(x, axis=axes) if training else running_mean
    var = np.var(x, axis=axes) if training else running_var
    x = (x - np.reshape(mean, shape)) / np.sqrt(np.reshape(var, shape) + eps)
    if weight is not None:
        x = x * np.reshape(weight, shape)
    return x if bias is None else x + np.reshape(bias, shape)

def rms_norm(x, shape, weight=None, eps=2.220446049250313e-16):
    axes = tuple(range(-len(shape), 0))
    x = x / np.sqrt(np.mean(x * x, axis=axes, keepdims=True) + eps)
    return x if weight is None else x * weight

def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0,
                                 is_causal=False, scale=None):
    size = query.shape[-1]
    scores = query @ np.swapaxes(key, -2, -1) * (size ** -0.5 if scale is None else scale)
    if is_causal:
        attn_mask = np.tri(query.shape[-2], key.shape[-2]) > 0
    if attn_mask is not None and attn_mask.dtype == bool:
        scores = np.where(attn_mask, scores, -np.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return softmax(scores, axis=-1) @ value

def glu(x, dim=-1):
    a, b = np.split(x, 2, axis=dim)
    return a * sigmoid(b)

def threshold(x, threshold, value):
    return np.where(x > threshold, x, value)

def hardshrink(x, lambd=0.5):
    return np.where(np.abs(x) > lambd, x, 0.0)

def softshrink(x, lambd=0.5):
    return np.sign(x) * np.maximum(np.abs(x) - lambd, 0.0)

def prelu(x, weight):
    return np.maximum(x, 0.0) + weight * np.minimum(x, 0.0)

def softmin(x, axis=-1):
    return softmax(-x, axis=axis)

def squareplus(x, b=4.0):
    return 0.5 * (x + np.sqrt(x**2 + b))

def standardize(x, axis=-1, epsilon=1e-5):
    mean = np.mean(x, axis=axis, keepdims=True)
    return (x - mean) / np.sqrt(np.var(x, axis=axis, keepdims=True) + epsilon)

def logmeanexp(x, axis=None):
    return logsumexp(x, axis=axis) - np.log(np.size(x) if axis is None else np.shape(x)[axis])

def dropout(x, p=0.5, training=True):
    if training and p:
        raise ValueError("random numbers")
    return x

def cdist(x1, x2, p=2.0):
    return np.linalg.norm(x1[:, None, :] - x2[None, :, :], axis=-1)

def baddbmm(input, batch1, batch2):
    return input + batch1 @ batch2

def addcmul(input, tensor1, tensor2, value=1.0):
    return input + value * tensor1 * tensor2

def addcdiv(input, tensor1, tensor2, value=1.0):
    return input + value * tensor1 / tensor2

def masked_fill(x, mask, value):
    return np.where(mask, value, x)

def frac(x):
    return x - np.trunc(x)

def multi_hypot(*x):
    return np.sqrt(np.sum(np.array(x) ** 2))
"""

NAMES = frozenset(line[4 : line.index("(")] for line in TEXT.split("\n") if line.startswith("def "))
"""The functions that are here."""


@cache
def function_of(name: str) -> ast.FunctionDef:
    """A function of the prelude, parsed when it is needed."""
    start = TEXT.index(f"\ndef {name}(") + 1
    end = TEXT.find("\ndef ", start)
    (found,) = ast.parse(TEXT[start : end if end >= 0 else len(TEXT)]).body
    assert isinstance(found, ast.FunctionDef)
    return found
