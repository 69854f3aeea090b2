"""Activations, losses and layers of torch and jax that are several operations, for `prelude`."""

TEXT = """
def gelu_tanh(x, approximate=True):
    return 0.5 * x * (1 + np.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))

def rsqrt(x):
    return 1.0 / np.sqrt(x)

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
"""
