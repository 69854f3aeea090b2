"""Functions of libraries whose arguments have other names, another order or other defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from gradcli.syntax.library.meant import ALL, Meant, call

RENAMED = """
[numpy]
sum mean prod: a:x axis dtype out keepdims initial where
average: a:x axis weights returned keepdims
max min amax amin: a:x axis out keepdims initial where
std var: a:x axis dtype out ddof keepdims where
maximum minimum fmax fmin: x1:a x2:b / out
heaviside: x1:x x2:at out
median: a:x axis out overwrite_input keepdims
quantile percentile: a:x q axis out overwrite_input method keepdims
ptp: a:x axis out keepdims
vander: x N:n increasing
round around: a:x decimals out
cumsum cumprod: a:x axis dtype out
[numpy.linalg]
cholesky: a:A upper
matrix_norm = norm: x keepdims ord:p='fro' axis=(-2,-1)
diagonal: x offset axis1=-2 axis2=-1
trace = trace: x offset:k
[math]
prod: x start axis=0
[scipy.special]
kl_div = kl_elements: x y /
softmax log_softmax: x axis=ALL
[torch]
eq = equal: input other /
nonzero = argwhere: input
softmax log_softmax: input:x dim:axis dtype
logsumexp: input:x dim:axis keepdim:keepdims
quantile: input:x q dim:axis keepdim:keepdims interpolation:method
median = lower_median: input:x dim:axis keepdim:keepdims
heaviside: input:x values:at
cdist: x1:x x2:y p compute_mode
cosine_similarity: x1:x x2:y dim:axis eps
pairwise_distance: x1:x x2:y p eps keepdim:keepdims
addmm: input:x mat1:A mat2:B beta alpha
addmv: input:x mat:A vec:b beta alpha
addcmul addcdiv: input:x tensor1:y tensor2:z value
round: input:x decimals
[torch.Tensor]
polygamma: x n
[torch.linalg]
norm: A:x ord:p dim:axis keepdim:keepdims
vander: x N:n increasing=True
[torch.nn.functional]
mse_loss l1_loss: input:x target:y size_average reduce reduction weight
smooth_l1_loss: input:x target:y size_average reduce reduction beta
huber_loss: input:x target:y reduction delta weight
soft_margin_loss: input:x target:y size_average reduce reduction
hinge_embedding_loss: input:x target:y margin size_average reduce reduction
margin_ranking_loss: input1:x1 input2:x2 target:y margin size_average reduce reduction
cosine_embedding_loss: input1:x1 input2:x2 target:y margin size_average reduce reduction
triplet_margin_loss: anchor positive negative margin p eps swap size_average reduce reduction
poisson_nll_loss: input:x target:y log_input full size_average eps reduce reduction
gaussian_nll_loss: input:x target:y var full eps reduction
binary_cross_entropy: input:x target:y weight size_average reduce reduction
binary_cross_entropy_with_logits: input:x target:y weight size_average reduce reduction pos_weight
cross_entropy: input:x target:y weight size_average ignore_index reduce reduction label_smoothing
nll_loss: input:x target:y weight size_average ignore_index reduce reduction
kl_div: input:x target:y size_average reduce reduction log_target
softmax log_softmax: input:x dim:axis _stacklevel dtype
softmin: input:x dim:axis _stacklevel dtype
leaky_relu: input:x negative_slope:slope inplace
elu celu: input:x alpha inplace
softplus: input:x beta threshold
softshrink hardshrink: input:x lambd
glu: input:x dim:axis
normalize: input:x p dim:axis=1 eps
linear: input:x weight bias
embedding: input:i weight
bilinear: input1:x input2:y weight bias
layer_norm: input:x normalized_shape:shape weight bias eps
batch_norm: input:x running_mean running_var weight bias training momentum eps
[jax.nn]
softmax log_softmax: x axis=-1
leaky_relu: x negative_slope:slope
elu celu: x alpha
[jax.lax]
max = maximum: x y /
min = minimum: x y /
rem = fmod: x y /
integer_pow = power: x y /
cumsum cumprod: operand:x axis=0 reverse
expand_dims squeeze: array:x dimensions:axis
transpose = permute: operand:x permutation:axes
rev = flip: operand:x dimensions:axis
concatenate: operands:arrays dimension:axis
reduce_sum = sum: operand:x axes:axis
reduce_prod = prod: operand:x axes:axis
reduce_max = amax: operand:x axes:axis
reduce_min = amin: operand:x axes:axis
select = where: pred on_true on_false /
[tensorflow]
reduce_sum = sum: input_tensor:x axis keepdims
reduce_mean = mean: input_tensor:x axis keepdims
reduce_prod = prod: input_tensor:x axis keepdims
reduce_max = amax: input_tensor:x axis keepdims
reduce_min = amin: input_tensor:x axis keepdims
reduce_logsumexp = logsumexp: input_tensor:x axis keepdims
reduce_std = std: input_tensor:x axis keepdims
reduce_variance = var: input_tensor:x axis keepdims
reduce_euclidean_norm = norm: input_tensor:x axis keepdims
argmax argmin: input:x axis=0
cumsum cumprod: x axis=0 exclusive reverse
clip_by_value = clip: t:x clip_value_min:lo clip_value_max:hi
concat stack: values:arrays axis
expand_dims squeeze: input:x axis
reshape: tensor:x shape
diag_part = diag: input:x k
l2_normalize: x axis epsilon:eps
l2_loss: t:x
softplus softsign elu selu relu relu6: features:x
softmax log_softmax: logits:x axis
leaky_relu: features:x alpha:slope=0.2
[tensorflow.keras.activations]
relu softplus softsign selu relu6: x
elu celu: x alpha
leaky_relu: x negative_slope:slope=0.2
softmax log_softmax glu: x axis
soft_shrink = softshrink: x threshold:lambd
hard_shrink = hardshrink: x threshold:lambd
tanh_shrink = tanhshrink: x
threshold: x threshold default_value:value
exponential = exp: x
linear = asarray: x
"""
"""`name = function: theirs:ours=default …`; without `function` it is the name itself.

What stands before `/` is given by position; without one it is the first argument.
"""


class Parameter(NamedTuple):
    """A parameter of a library's function."""

    theirs: str
    ours: str
    default: Any
    required: bool


_WORD = re.compile(r"(\w+)(?::(\w+))?(?:=(\S+))?")
_DEFAULTS: Mapping[str, Any] = {
    "ALL": ALL,
    "True": True,
    "'fro'": "fro",
    "(-2,-1)": (-2, -1),
    "-2": -2,
    "-1": -1,
    "0": 0,
    "0.2": 0.2,
    "1": 1,
}


class Row(NamedTuple):
    """A line of `RENAMED`."""

    name: str
    positional: int
    """How many of the parameters are given by position."""
    parameters: list[Parameter]

    def __call__(self, *given: Any) -> Meant:
        """The call in the language; one value per parameter, None for one that is not given."""
        pairs = list(zip(self.parameters, given, strict=True))[self.positional :]
        keywords = {p.ours: ALL if v is None and p.default is not None else v for p, v in pairs}
        return call(self.name, *given[: self.positional], **keywords)


def _read(line: str) -> Iterator[tuple[str, Row]]:
    head, _, rest = line.partition(": ")
    names, _, target = head.partition(" = ")
    words = rest.split()
    positional = words.index("/") if "/" in words else 1
    parameters = []
    for i, word in enumerate(w for w in words if w != "/"):
        theirs, ours, default = _WORD.findall(word)[0]
        value = _DEFAULTS[default] if default else None
        parameters.append(Parameter(theirs, ours or theirs, value, i < positional))
    for name in names.split():
        yield name, Row(target or name, positional, parameters)


@cache
def rows() -> dict[str, Row]:
    """The lines of `RENAMED` by module and name."""
    found: dict[str, Row] = {}
    module = ""
    for line in RENAMED.strip().split("\n"):
        if line[0] == "[":
            module = line[1:-1]
        else:
            found |= {f"{module}.{name}": row for name, row in _read(line)}
    return found
