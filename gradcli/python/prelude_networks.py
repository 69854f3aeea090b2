"""Activations, losses and layers of torch and jax that are several operations, for `prelude`."""

TEXT = """
def reduced(x, reduction):
    if reduction == 'mean':
        return np.mean(x)
    if reduction == 'sum':
        return np.sum(x)
    return x

def weighted_mean(each, y, weight, reduction):
    return np.sum(each) / np.sum(weight[y]) if reduction == 'mean' else reduced(each, reduction)

def weighted_nll_loss(x, y, weight, reduction='mean'):
    return weighted_mean(-x[np.arange(x.shape[0]), y] * weight[y], y, weight, reduction)

def weighted_cross_entropy(x, y, weight, reduction='mean', label_smoothing=0.0):
    n = np.shape(x)[-1]
    by_number = np.ndim(y) < np.ndim(x)
    targets = (np.eye(n)[y] if by_number else y) * (1.0 - label_smoothing) + label_smoothing / n
    each = -np.sum(targets * weight * log_softmax(x, axis=-1), axis=-1)
    if by_number:
        return weighted_mean(each, y, weight, reduction)
    return reduced(each, reduction)

def one_hot(x, num_classes=-1, axis=-1):
    n = int(np.max(x)) + 1 if num_classes < 0 else num_classes
    return np.eye(n)[x]

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

def jax_vmap(fun, in_axes=0):
    def mapped(*args):
        axes = in_axes if isinstance(in_axes, (tuple, list)) else [in_axes] * len(args)
        rows = [a if axis is None else np.moveaxis(a, axis, 0) for a, axis in zip(args, axes)]
        count = min([len(r) for r, axis in zip(rows, axes) if axis is not None])
        at = lambda i: [r if axis is None else r[i] for r, axis in zip(rows, axes)]
        return np.array([fun(*at(i)) for i in range(count)])
    return mapped

def jax_fori_loop(lower, upper, body_fun, init_val):
    for i in range(lower, upper):
        init_val = body_fun(i, init_val)
    return init_val

def jax_while_loop(cond_fun, body_fun, init_val):
    while cond_fun(init_val):
        init_val = body_fun(init_val)
    return init_val

def jax_cond(pred, true_fun, false_fun, *operands):
    return true_fun(*operands) if pred else false_fun(*operands)

def jax_scan(f, init, xs):
    found = []
    for x in xs:
        init, y = f(init, x)
        found.append(y)
    return init, None if None in found else np.array(found)

def torch_add(input, other, alpha=1.0):
    return input + other if alpha == 1.0 else input + alpha * other

def torch_subtract(input, other, alpha=1.0):
    return input - other if alpha == 1.0 else input - alpha * other

def torch_pad(input, pad, mode='constant', value=0.0):
    widths = [(0, 0)] * (np.ndim(input) - len(pad) // 2)
    widths = widths + [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    if mode == 'constant':
        return np.pad(input, widths, constant_values=value)
    return np.pad(input, widths, {'replicate': 'edge', 'circular': 'wrap'}.get(mode, mode))

def torch_flatten(input, start_dim=0, end_dim=-1):
    shape = np.shape(input) or (1,)
    start = start_dim % len(shape)
    return np.reshape(input, shape[:start] + (-1,) + shape[end_dim % len(shape) + 1:])

def torch_tile(input, *counts, axis=None):
    counts = axis or counts
    return np.tile(input, counts[0] if isinstance(counts[0], (tuple, list)) else counts)

def in_order(name, input, places, axis):
    pair = collections.namedtuple(name, 'values indices')
    return pair(np.take_along_axis(input, places, axis), places)

def torch_sort(input, axis=-1, descending=False):
    places = np.argsort(-input if descending else input, axis=axis, kind='stable')
    return in_order('sort', input, places, axis)

def torch_topk(input, k, axis=-1, largest=True):
    places = np.argsort(-input if largest else input, axis=axis, kind='stable')
    return in_order('topk', input, np.take(places, np.arange(k), axis=axis), axis)

def unbind(input, axis=0):
    return tuple(np.moveaxis(input, axis, 0))

def torch_select(input, axis, index):
    return np.moveaxis(input, axis, 0)[index]

def narrow(input, axis, start, length):
    return np.moveaxis(np.moveaxis(input, axis, 0)[start:start + length], 0, axis)

def torch_dist(input, other, p=2):
    return np.sum(np.abs(input - other) ** p) ** (1.0 / p)

def torch_cross(input, other, axis=-1):
    return np.cross(input, other)

def batch_norm(x, running_mean=None, running_var=None, weight=None, bias=None,
               training=False, momentum=0.1, eps=1e-5):
    axes = (0,) + tuple(range(2, np.ndim(x)))
    shape = [1, -1] + [1] * (np.ndim(x) - 2)
    mean = np.mean(x, axis=axes) if training else running_mean
    var = np.var(x, axis=axes) if training else running_var
    x = (x - np.reshape(mean, shape)) / np.sqrt(np.reshape(var, shape) + eps)
    if weight is not None:
        x = x * np.reshape(weight, shape)
    return x if bias is None else x + np.reshape(bias, shape)

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

def standardize(x, axis=-1, epsilon=1e-5):
    mean = np.mean(x, axis=axis, keepdims=True)
    return (x - mean) / np.sqrt(np.var(x, axis=axis, keepdims=True) + epsilon)

def logmeanexp(x, axis=None):
    return logsumexp(x, axis=axis) - np.log(np.size(x) if axis is None else np.shape(x)[axis])

def dropout(x, p=0.5, training=True):
    if training and p:
        raise ValueError("random numbers")
    return x

def baddbmm(input, batch1, batch2):
    return input + batch1 @ batch2

def masked_fill(x, mask, value):
    return np.where(mask, value, x)

def frac(x):
    return x - np.trunc(x)
"""
