"""Functions of libraries that are several operations, written in the Python that is read.

They are read like a user's own; their operations stand where they are called.
"""

TEXT = """
def gelu_tanh(x, approximate=True):
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))

def average(a, axis=None, weights=None):
    if weights is None:
        return np.mean(a, axis=axis)
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

def nll_loss(input, target, reduction='mean'):
    return reduced(-input[np.arange(input.shape[0]), target], reduction)

def cross_entropy(input, target, reduction='mean'):
    logs = log_softmax(input, axis=-1)
    if np.ndim(input) == 1:
        return -logs[target] if np.ndim(target) == 0 else -np.sum(target * logs)
    if np.ndim(target) == np.ndim(input):
        return reduced(-np.sum(target * logs, axis=-1), reduction)
    return nll_loss(logs, target, reduction)

def kl_div(input, target, reduction='mean'):
    return reduced(xlogy(target, target) - target * input, reduction)

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

def ndtr(x):
    return norm_cdf(x)

def betaln(a, b):
    return gammaln(a) + gammaln(b) - gammaln(a + b)

def beta(a, b):
    return np.exp(betaln(a, b))

def outer_of(op, a, b):
    return op(np.expand_dims(np.ravel(a), 1), np.ravel(b))

def one_hot(x, num_classes):
    return np.eye(num_classes)[x]

def addmm(input, mat1, mat2):
    return input + mat1 @ mat2

def lerp(start, end, weight):
    return start + weight * (end - start)
"""

NAMES = frozenset(line[4 : line.index("(")] for line in TEXT.split("\n") if line.startswith("def "))
"""The functions that stand here."""
