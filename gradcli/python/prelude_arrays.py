"""Functions of NumPy and SciPy that are several operations, for `prelude`."""

TEXT = """
def average(a, axis=None, weights=None, keepdims=False):
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    if axis is not None and np.ndim(weights) == 1 and np.ndim(a) > 1:
        shape = [1] * np.ndim(a)
        shape[axis] = len(weights)
        weights = np.reshape(weights, shape)
        return np.sum(a * weights, axis=axis, keepdims=keepdims) / np.sum(weights)
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    return np.sum(a * weights, axis=axis, keepdims=keepdims) / total

def polyval(p, x):
    total = 0.0
    for c in p:
        total = total * x + c
    return total

def nan_to_num(x):
    return np.where(np.isfinite(x), x, 0.0)

def multi_dot(arrays):
    total = arrays[0]
    for a in arrays[1:]:
        total = total @ a
    return total

def norm_sf(x, loc=0.0, scale=1.0):
    return 0.5 * erfc((x - loc) / (1.4142135623730951 * scale))

def norm_ppf(q, loc=0.0, scale=1.0):
    return loc + scale * 1.4142135623730951 * erfinv(2.0 * q - 1.0)

def ndtri(y):
    return norm_ppf(y)

def power_norm(x, p, axis=None, keepdims=False):
    if p == 0:
        return np.sum(np.not_equal(x, 0.0), axis=axis, keepdims=keepdims)
    if p == -np.inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    return np.sum(np.abs(x) ** p, axis=axis, keepdims=keepdims) ** (1.0 / p)

def apply_along_axis(func1d, axis, arr, *args):
    moved = np.moveaxis(arr, axis, -1)
    rows = np.reshape(moved, (-1, moved.shape[-1]))
    found = np.array([func1d(row, *args) for row in rows])
    found = np.reshape(found, moved.shape[:-1] + found.shape[1:])
    return found if np.ndim(found) < np.ndim(arr) else np.moveaxis(found, -1, axis)

def fromfunction(function, shape):
    return function(*[1.0 * places for places in np.indices(shape)])

def vectorize(pyfunc):
    def each(*args):
        shape = np.shape(sum([np.zeros(np.shape(a)) for a in args]))
        flat = [np.ravel(np.broadcast_to(a, shape)) for a in args]
        return np.reshape(np.array([pyfunc(*v) for v in zip(*flat)]), shape)
    return each

def reduce_of(op, a, axis=0):
    return functools.reduce(op, np.moveaxis(a, axis, 0))

def accumulate_of(op, a, axis=0):
    totals = []
    for row in np.moveaxis(a, axis, 0):
        totals.append(op(totals[-1], row) if totals else row)
    return np.moveaxis(np.array(totals), 0, axis)

def outer_of(op, a, b):
    return op(np.expand_dims(np.ravel(a), 1), np.ravel(b))

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

def quantiles(a, q, axis=None, keepdims=False):
    if np.ndim(q):
        return np.stack([np.quantile(a, one, axis, keepdims=keepdims) for one in q])
    if axis is None:
        found = quantiles(np.ravel(a), q, -1)
        return np.reshape(found, [1] * np.ndim(a)) if keepdims else found
    a = np.moveaxis(np.sort(a, axis=axis), axis, -1)
    at = q * (a.shape[-1] - 1)
    low = int(np.clip(np.floor(at), 0, a.shape[-1] - 1))
    high = min(low + 1, a.shape[-1] - 1)
    found = a[..., low] + (a[..., high] - a[..., low]) * (at - low)
    return np.expand_dims(found, axis) if keepdims else found

def percentile(a, q, axis=None, keepdims=False):
    return np.quantile(a, np.asarray(q) / 100.0, axis, keepdims=keepdims)

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

def append(arr, values, axis=None):
    if axis is None:
        return np.concatenate([np.ravel(arr), np.ravel(values)])
    return np.concatenate([arr, values], axis=axis)

def rollaxis(a, axis, start=0):
    axis = axis % np.ndim(a)
    return np.moveaxis(a, axis, start - 1 if axis < start else start)

def delete(arr, obj, axis=None):
    if axis is None:
        arr = np.ravel(arr)
        axis = 0
    kept = np.delete(np.arange(arr.shape[axis]), obj)
    return np.take(arr, kept, axis=axis)

def insert(arr, obj, values, axis=None):
    if axis is None:
        arr = np.ravel(arr)
        new = np.atleast_1d(values)
    else:
        arr = np.moveaxis(arr, axis, 0)
        new = np.broadcast_to(values, arr.shape[1:])[None]
    if obj < 0:
        obj = obj + len(arr)
    found = np.concatenate([arr[:obj], new, arr[obj:]])
    return found if axis is None else np.moveaxis(found, 0, axis)

def dstack(arrays):
    return np.concatenate([a.reshape(1, -1, 1) if np.ndim(a) == 1 else a.reshape(
        a.shape + (1,)) if np.ndim(a) == 2 else a for a in arrays], axis=2)

def block(arrays):
    if not isinstance(arrays, list):
        return arrays
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

def pseudo_huber(delta, r):
    return delta**2 * (np.sqrt(1.0 + (r / delta) ** 2) - 1.0)

def log1mexp(x):
    return np.log(-np.expm1(-x))

def xlogx(x):
    return xlogy(x, x)

def math_hypot(*x):
    return np.hypot(*x) if len(x) == 2 else np.sqrt(np.sum(np.array(x) ** 2))
"""
