"""Where every row is tried: arguments as one would write them in a call.

A line has the names of rows and their samples, apart by bars. Rows that are written with brackets
(`array`, `index`) have whole expressions. A function of one or two numbers that isn't here has
`ONE` or `TWO`. Add points where a row could go wrong: on both sides of its borders, where numbers
overflow or cancel, in every shape that its rule depends on.
"""

from __future__ import annotations

ONE = ("1", "-4", "[1, 2]")
TWO = ("3, -4", "[1, 2], 3")

ARRAYS = {
    "COMMON": "[1, 2, 4] | GRID | GRID, axis=0 | GRID, axis=1, keepdims=True | GRID, axis=(0, 1) | "
    "GRID, keepdims=True | [[[1, 2], [3, 5]], [[-1, 7], [0.5, 4]]], axis=(0, -1) | 3",
    "MATRIX": "[[1, 2, 3], [4, 5, 6]]",
    "GRID": "[[1, 2, 3], [4, 5, 7]]",
    "UNEVEN": "[[0.5, -2, 3], [1, 0.25, -1]]",
    "CUBE": "[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]",
}
"""What stands for a word in the samples; `COMMON` are those of every reduction."""

_POINTS = """
less less_equal greater greater_equal equal not_equal: 1, 2 | 2, 1 | [1, 2.5], [1.5, 2]
pick: [1, 2, 3], (2, 0) | MATRIX, (5, 1, 1, 3) | MATRIX, (0, 4), (2, 1)
put: [1, 2, 3], [4, 5], (2, 0) | MATRIX, 7, (5, 1) | [1, 2], [[3]], 1
put_add: [1, 2, 3], [4, 5], (2, 0) | MATRIX, 7, (5, 1, 1) | [1, 2], [[3]], 1
reciprocal: 5 | -0.25 | [1, 2]
neg: 3 | [1, -2]
identity: 3
pow: 3, 2 | -2, 3 | 2, 0.5 | 0, 2 | [1, 2], [2, 3] | 2, -3
floor ceil trunc: 2.5 | -2.5
round: 2.4 | -2.6
mod fmod: 7.5, 2 | -7.5, 2
where: 1, 2, 3 | 0, 2, 3 | [1, 0], [2, 3], 4
maximum minimum: 3, -4 | 1, 2, 3 | [1, 5], 3
clip: 0.5, 0, 1 | -4, 0, 1 | [2, 0.1], 0, 1
ones_like zeros_like: [1, 2]
abs relu: 3 | -4 | [1, -2]
sign step: 3 | -4
sqrt: 4 | 0.3 | [1, 2]
cbrt: 8 | -8 | [1, 2]
square: 3 | -4 | [1, 2]
expm1: 1e-10 | 1 | -2
exp2: 1 | -4.5 | [1, 2]
log: 3 | 1e-3 | [1, 2]
log_base: 3, 10 | 0.5, 2
log1p: 1e-10 | 1 | -0.5
log2 log10 atleast_1d: 3 | [1, 2]
logaddexp logaddexp_slope: 1, 2 | 1000, 999 | -800, -801
hypot: 3, -4 | 1e200, 1e200 | 1e-200, 2e-200
asin acos atanh: 0.5 | -0.9 | 0.999
atan2: 1, 2 | -3, -4 | 1e-200, 1e-200
tanh: 1 | -2 | [1, 2]
asinh: 1 | -4 | 1e200
acosh: 2 | 1.001 | 1e200
sinc: 0.3 | 1e-5 | 2.7 | 0
sinc_slope: 0.3 | 2.7
deg2rad: 30
rad2deg: 1
erf: 1 | -2 | [0, 0.5]
erfc: 1 | -2 | 10
erfinv erfinv_slope: 0.5 | -0.9
gamma: 3.5 | -0.5 | 0.1
lgamma: 3.5 | 100 | 0.1
digamma: 3.5 | 0.1 | 10
polygamma: 3.5, 1 | 0.7, 2
gammainc gammaincc: 2.5, 1.5 | 1, [0.5, 3] | 0.5, 4
gamma_density: 2.5, 2 | 0.5, [0.5, 3]
bessel_i bessel_j: 1.5, 2 | [0.1, 7], 3 | 0, 2
sigmoid: -4 | 1 | [1, 2] | -800 | 800
logsigmoid: -4 | 1 | -800 | 40
logit: 0.3 | 1e-10 | 0.5001
leaky_relu: 3 | -4 | -4, 0.2
elu: 3 | -4 | -1, 2
selu: 3 | -4 | -0.1
gelu mills: 1 | -2 | [0, 3]
mills_excess: 1 | -0.5 | [0, 3]
silu: 1 | -4 | [0, 30]
mish: 1 | -4 | [0, 5]
softplus: 1 | -40 | 40 | 800
softsign coth: 1 | -4 | [0.1, 2]
hardtanh: 0.5 | -4 | [2, 0]
matmul: [[1, 2], [3, 4], [5, 6]], [[1, -1, 2], [0.5, 3, 1]] | [[1, 2], [3, 4], [5, 6]], [0.5, -1] |
    [1, 2, 3].T, [0.5, -1, 2] | [1, 2].T, [[1, 2, 3], [3, 4, 5]] | [1, 2, 3], [0.5, -1].T |
    [[1], [2], [3]], [0.5, -1].T | [[1, 2, 3]], [0.5, -1, 2] | [2].T, [3, 4].T |
    [1, 2, 3], [0.5, -1, 2] | [1, 2], [[1, 2, 3], [3, 4, 5]] | CUBE, [[1, -1], [0.5, 3]] |
    [[1, 2], [3, 4]], CUBE | CUBE, [0.5, -1] |
    [0.5, -1], [[[1, 2, 0], [3, 4, 1]], [[5, 6, 0], [7, 8, 2]]] | [[[1, 2], [3, 4]]], CUBE |
    [1, 2].T, CUBE
dot: [1, 2, 3], [0.5, -1, 2] | [[1, 2], [3, 4]], [0.5, -1] | 2, [1, 3] | [[1, 2], [3, 4]], 3 |
    2, 3
inner: [1, 2, 3], [0.5, -1, 2] | [[1, 2], [3, 4], [5, 6]], [[0.5, -1], [2, 1]] |
    [[1, 2], [3, 4], [5, 6]], [0.5, -1] | [0.5, -1], [[1, 2], [3, 4], [5, 6]] |
    [0.5, -1].T, [1, 2] | [0.5, -1].T, [1, 2].T | 2, [1, 3]
outer: [1, 2, 3], [0.5, -1] | [[1, 2], [3, 4]], [0.5, -1] | 2, [1, 3]
cross: [1, 2, 3], [0.5, -1, 2]
kron: [[1, 2], [3, 4]], [[0.5, -1, 2]] | [1, 2, 3], [0.5, -1] | [[1, 2], [3, 4]], [0.5, -1] |
    [0.5, -1], [[1, 2], [3, 4]] | 2, [1, 3]
T: [1, 2, 3] | [1, 2, 3].T | MATRIX | 2 | [[[1, 2, 3]], [[4, 5, 6]]]
matrix_transpose: MATRIX | [[[1, 2, 3]], [[4, 5, 6]]] | [1, 2].T
col row: [1, 2, 3] | [1, 2, 3].T
symmetric lower_half: [[1, 2], [3, 4]]
diag: [1, 2, 3] | [[1, 2], [3, 4]] | MATRIX | [1, 2], 1 | [1, 2], -2 | MATRIX, k=1 |
    [[1, 2, 3], [4, 5, 6], [7, 8, 9]], k=-1
place_diagonal: [1, 2], (2, 3) | [1, 2], (2, 3), 1
tril: MATRIX | [[1, 2], [3, 4]], -1
triu: MATRIX | [[1, 2], [3, 4]], 1
trace: [[1, 2], [3, 4]] | MATRIX
inv: [[2, 1], [0.5, 3]] | [[1, 2, 0], [0, 1, 3], [4, 0, 1]] | [[4]] |
    [[[2, 1], [0.5, 3]], [[1, 2], [0, 4]]]
solve: [[2, 1], [0.5, 3]], [1, -2] | [[2, 1], [0.5, 3]], [[1, -2, 0], [0.5, 1, 3]]
cholesky: [[4, 1], [1, 3]] | [[4, 1, 0.5], [1, 3, -1], [0.5, -1, 5]] | [[9]]
det: [[2, 1], [0.5, 3]] | [[1, 2], [2, 4]] | [[1, 2, 3], [4, 5, 6], [7, 8, 9]] | [[0, 0], [0, 0]] |
    [[4]] | [[[2, 1], [0.5, 3]], [[1, 2], [0, 4]]]
logdet: [[2, 1], [0.5, 3]] | [[1, 2], [3, 4]] | [[1e-200, 0], [0, 1e-200]] |
    [[[2, 1], [0.5, 3]], [[1, 2], [0, 4]]]
cofactor: [[2, 1], [0.5, 3]] | [[1, 2], [2, 4]] | [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
cofactor_slope: [[2, 1], [0.5, 3]], [[1, -1], [2, 0.5]] |
    [[1, 2, 0], [0, 1, 3], [4, 0, 1]], [[1, 0, 2], [-1, 1, 0.5], [0, 2, 1]]
sum mean: COMMON
prod: COMMON | [2, 0, 3] | [0, 2, 0] | [[0, 2], [3, 0]], axis=0 | [[1, 2, 0], [0, 4, 0]], axis=1
prod_others: [2, 3, 4] | [2, 0, 3] | [2, 3, 4], [1, -1, 0.5] | [2, 0, 4, 0], [1, -1, 0.5, 2] |
    [2, 0, 4, 0], [1, -1, 0.5, 2], [3, 1, 1, -2]
amax: COMMON | [2, 5, 5]
amin: COMMON | [2, 2, 5]
var: COMMON | [1, 2, 4], ddof=1
std: COMMON | [1, 2, 4], ddof=1 | [1e-200, 3e-200]
norm: COMMON | [3, -4] | [1e200, -1e200] | [1e-200, 1e-200] | [0, 0] | [3, -4, 1], 1 |
    [3, -4, 1], 2 | [3, -4, 1], inf | [3, -4, 4], inf | UNEVEN, 1, axis=0 |
    UNEVEN, inf, axis=1, keepdims=True
squared_norm: [3, -4] | GRID | [0, 0] | [[[1, 2], [3, 5]]] | 3
logsumexp: COMMON | [1000, 999] | [-1000, -1001] | [0, -40]
softmax log_softmax: [1, 2, 4] | UNEVEN | UNEVEN, axis=0 | UNEVEN, axis=None | [1000, 999]
cumsum: [1, 2, 4] | UNEVEN, axis=0 | UNEVEN, 1
cumprod: [1, 2, 4] | [2, 0, 3, 4] | [0, 2, 0] | UNEVEN, axis=0 | UNEVEN, 1
shift: [1, 2, 4] | [1, 2, 4], -1 | [1, 2], 5 | UNEVEN, axis=0, fill=1
recurrence recurrence_back: [1, 2, 4], [3, 1, 0.5] | UNEVEN, GRID, axis=0
softmax_slope: [0.2, 0.3, 0.5], [1, 2, -1] | [[0.1, 0.9], [0.8, 0.2]], [[1, 2], [3, 5]], 1
concat: ([1, 2], [3, 4, 5]) | ([[1, 2], [3, 4]], [[5, 6]]) |
    ([[1, 2], [3, 4]], [[5], [6]]), axis=1 | ([[1, 2], [3, 4]], 5, [6]), axis=None
stack: ([1, 2], [3, 4]) | ([1, 2], [3, 4], [5, 6]), axis=1 | (1, 2) |
    ([[1, 2], [3, 4]], [[5, 6], [7, 8]]), axis=-1
array: [abs(1), 2, abs(3)] | [[abs(1), 2], [3, abs(4)]] | [abs([1, 2]), abs([3, 4])]
reshape: MATRIX, (3, 2) | [1, 2, 3, 4], (2, -1) | MATRIX, 6 | 2, (1, 1) | [3], (1, 1)
flatten: [1, 2] | MATRIX | 2
squeeze: [[1, 2]] | [[[1], [2]]], axis=2 | [[3]] | [1, 2]
expand_dims: [1, 2], 0 | [1, 2], -1 | [1, 2], (0, 2) | 3, 0
repeat: [1, 2], 3 | MATRIX, 2 | MATRIX, 2, axis=0 | MATRIX, 3, axis=1 | 5, 2
flip: [1, 2, 3] | MATRIX | MATRIX, axis=0 | MATRIX, (0, 1)
zeros ones: 3 | (2, 3)
full: 3, 2 | (2, 3), 4 | (2, 3), [1, 2, 3]
eye: 3 | 2, 3
linspace: 0, 1, 5 | 2, -1, 4 | 2, 3, 1
arange: 4 | 1, 4 | 0, 1, 0.25
index: [1, 2, 3][1] | [1, 2, 3][-1] | [1, 2, 3][1:] | [1, 2, 3, 4][::-2] | [1, 2, 3][:] |
    MATRIX[1] | MATRIX[1, 2] | MATRIX[:, 1] | MATRIX[:1, ::2] | [1, 2, 3][:, None] |
    [1, 2, 3][None, 1:] | [[1, 2, 3]][0] | [1, 2, 3][[2, 0, 2]] | MATRIX[[1, 0]] | MATRIX[..., 1] |
    CUBE[0, ..., [1, 0]] | CUBE[:, 1] | CUBE[1, None, :, 0]
scatter: 3, 4, at=1 | [1, 2], 5, at=3, step=-2 | [[1, 2]], (3, 4), at=(1, 0), step=(1, 3) |
    3, (2, 3), at=(1, 2)
sech csch: 1 | -4 | [0.1, 2] | 300
rsqrt: 4 | [0.3, 2]
xlogy: 2, 3 | 0, 2 | [1, -2], 0.5
xlog1py: 2, 3 | 0, 2 | [1, -2], -0.5
huber: 0.5 | -4, 2 | [3, 0.1], 1
asin_slope atanh_slope: 0.5 | -0.9 | [0, 0.1]
ndtr gauss normal_pdf: 1 | -2 | [0, 5]
log_ndtr: 1 | -2 | [0, -3]
i0 i1 j0 j1: 1 | -4 | [0.1, 0]
logcumsumexp: [1, 2, 4] | UNEVEN, axis=0 | [-1000, 0, 1000]
roll: [1, 2, 3], 1 | MATRIX, -1, axis=1 | MATRIX, (1, 2), axis=(0, 1)
tile: [1, 2], 2 | MATRIX, (2, 1) | 3, (2, 2)
broadcast_to: [1, 2], (3, 2) | 4, 3 | [[1], [2]], (2, 3)
flatten_from: CUBE, 1 | CUBE
atleast_2d: [1, 2] | MATRIX
rot90: MATRIX | MATRIX, 2
fliplr flipud ndim: MATRIX
half_of: [1, 2, 3, 4], 1 | [[1, 2], [3, 4]], 0, axis=0
split_part: [1, 2, 3, 4], 2, 1 | MATRIX, 3, 0, axis=1 | [1, 2, 3, 4], (1, 3), 1
pad_by_copy: [1, 2, 3], 2, 'reflect' | MATRIX, 1, 'edge'
permute: CUBE, (2, 0, 1) | MATRIX, (1, 0)
swapaxes: CUBE, 0, 2 | MATRIX, -1, -2
moveaxis: CUBE, 0, -1 | CUBE, (0, 1), (2, 0)
hstack: ([1, 2], [3, 4, 5]) | ([[1, 2], [3, 4]], [[5], [6]]) | (1, 2)
vstack: ([1, 2], [3, 4]) | ([[1, 2]], [[3, 4], [5, 6]])
column_stack: ([1, 2], [3, 4]) | ([[1, 2], [3, 4]], [[5], [6]])
pad: [1, 2], 1 | MATRIX, ((1, 0), (0, 2)), value=3 | MATRIX, (1, 2)
pad_last: MATRIX, (1, 2) | MATRIX, (0, 1, 2, 0), value=1
diff: [1, 4, 2] | UNEVEN, axis=0 | [1, 4, 2, 7], 2 | [1, 4], 3
argmax: [1, 4, 2] | UNEVEN, axis=0 | UNEVEN, axis=1, keepdims=True
argmin sort: [1, 4, 2] | UNEVEN, axis=0 | UNEVEN
one_hot: [0, 2], 3 | 1, 2
shape: MATRIX | [1, 2]
size: MATRIX | MATRIX, axis=1
segment: [0.5, 2, 9, -1], [0, 1, 3] | 1.5, [0, 1, 3]
targets: [0, 2], MATRIX | 1, [1, 2] | [0.3, 0.7], [1, 2]
argsort: [1, 4, 2] | UNEVEN, axis=0
sorted_by unsorted: [1, 2, 3], [1, 4, 2] | MATRIX, UNEVEN, axis=0
quantile: [1, 4, 2], 0.5 | [1, 4, 2, 7], 0.5 | UNEVEN, 0.25, axis=1 |
    UNEVEN, 1, axis=0, keepdims=True | [2, 5, 5], 0.75
quantile_weights: [1, 4, 2, 7], 0.5 | UNEVEN, 0.25, axis=1 | [2, 5, 5], 0.75
take: [1, 2, 3], [1.7, 0, -1] | MATRIX, [[0, 1], [1, 1]], 1 | [1, 2, 3], 1
take_back: [1, 2, 3], [2, 0, 2], 4, 0 | [[1, 2], [3, 4]], [0.6, 0], (2, 3), 1
take_along: MATRIX, [[0, 2], [1, 1]], 1 | [1, 2, 3], [1.7, 0], 0
take_along_back: [[1, 2], [3, 4]], [[0, 1.7], [1, 1]], (2, 3), 1
einsum: 'ij,jk->ik', MATRIX, [[1, -1], [0.5, 3], [2, 1]] | 'i,i', [1, 2, 3], [0.5, -1, 2] |
    'ij->j', MATRIX | 'ii->i', [[1, 2], [3, 4]] | 'ii', [[1, 2], [3, 4]] |
    '...ij,jk->...ik', CUBE, [[1, -1], [0.5, 3]] | 'i,j,k->kij', [1, 2], [3, 4], [5, 6]
tensordot: CUBE, CUBE | MATRIX, [[1, -1], [0.5, 3], [2, 1]], 1 | CUBE, CUBE, ((0, 1), (1, 0))
pinv: [[1, 2], [3, 4], [5, 7]] | [[2, 1], [0.5, 3]] | [[1, 2, 0], [0, 1, 3]]
matrix_power: [[2, 1], [0.5, 3]], 3 | [[2, 1], [0.5, 3]], 0 | [[2, 1], [0.5, 3]], 1 |
    [[2, 1], [0.5, 3]], -2
expm: [[0.2, 1], [0.5, -0.3]] | [[1]]
expm_slope: [[0.2, 1], [0.5, -0.3]], [[1, -1], [2, 0.5]] |
    [[0.2, 1], [0.5, -0.3]], [[1, -1], [2, 0.5]], [[0, 1], [1, 1]]
eigvalsh eigenvectors: [[2, 1], [1, 3]] | [[2, 1, 0], [1, 3, 0.5], [0, 0.5, 7]]
svdvals: [[2, 1], [0.5, 3]] | [[1, 2], [3, 4], [5, 7]] | [[1, 2, 0], [0, 1, 3]]
sigmoid_slope: -4 | 1 | [1, 2] | -800 | 40
tanh_slope: -4 | 1 | [1, 2] | 20
pow_slope: 3, 2 | 2, 0.5 | 0.3, 0.1 | [1, 2], [2, 3] | 2, -3
gelu_slope: 1 | -2 | [0, 3] | -0.7
silu_slope: 1 | -4 | [0, 30] | -1.3
mish_slope: 1 | -4 | [0, 5] | -1.2
"""


def _read(text: str) -> dict[str, tuple[str, ...]]:
    """The samples by the row's name."""
    for word, array in ARRAYS.items():
        text = text.replace(word, array)
    found: dict[str, tuple[str, ...]] = {}
    for line in text.strip().replace("|\n", "|").splitlines():
        names, points = line.split(": ", 1)
        samples = tuple(point.strip() for point in points.split("|"))
        found |= dict.fromkeys(names.split(), samples)
    return found


SAMPLES = _read(_POINTS)
"""By the row's name."""
