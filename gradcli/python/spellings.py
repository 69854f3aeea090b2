"""How libraries call things: modules, functions, keywords.

A name that is here leads to a function of NumPy or to a row of the operation table under the name
that stands on its right. A name that a row has as an alias needs no entry.
"""

from __future__ import annotations

import math

LIBRARIES = {
    "np": "numpy",
    "numpy": "numpy",
    "onp": "numpy",
    "anp": "numpy",
    "cp": "numpy",
    "math": "math",
    "torch": "torch",
    "F": "torch.nn.functional",
    "jnp": "jax.numpy",
    "jax": "jax",
    "lax": "jax.lax",
    "scipy": "scipy",
    "sp": "scipy",
    "special": "scipy.special",
    "plt": "matplotlib.pyplot",
    "time": "time",
    "random": "random",
    "copy": "copy",
    "functools": "functools",
    "itertools": "itertools",
    "sys": "sys",
    "os": "os",
}
"""What a name stands for where the text does not say it."""

ARRAYS = {
    "numpy": "numpy",
    "autograd.numpy": "numpy",
    "jax.numpy": "jax",
    "cupy": "numpy",
    "numpy.linalg": "linalg",
    "scipy.linalg": "linalg",
    "autograd.numpy.linalg": "linalg",
    "jax.numpy.linalg": "linalg",
    "torch.linalg": "linalg",
    "numpy.random": "random",
    "scipy.special": "scipy",
    "autograd.scipy.special": "scipy",
    "jax.scipy.special": "scipy",
    "jax.nn": "jax",
    "jax.lax": "jax",
    "jax": "jax",
    "torch": "torch",
    "torch.special": "torch",
    "torch.nn.functional": "torch",
    "math": "math",
    "cmath": "other",
}
"""The family of a module, for what its names mean."""

HARMLESS = (
    "matplotlib",
    "pylab",
    "seaborn",
    "time",
    "timeit",
    "os",
    "sys",
    "logging",
    "warnings",
    "tqdm",
    "IPython",
    "numpy.testing",
    "pdb",
    "gc",
    "pprint",
    "unittest",
    "pytest",
    "google",
)
"""Modules whose functions change nothing that is differentiated."""

CONSTANTS = {
    "pi": math.pi,
    "e": math.e,
    "tau": math.tau,
    "inf": math.inf,
    "Inf": math.inf,
    "Infinity": math.inf,
    "nan": math.nan,
    "NaN": math.nan,
    "newaxis": None,
    "euler_gamma": 0.5772156649015329,
}

TYPES = {
    **dict.fromkeys(
        ("float", "float64", "float32", "float16", "double", "half", "longdouble", "float_"), "f"
    ),
    **dict.fromkeys(
        ("int", "int64", "int32", "int16", "int8", "uint8", "long", "intp", "int_", "integer"), "i"
    ),
    **dict.fromkeys(("bool", "bool_", "bool8"), "b"),
}
"""Types of elements; in floating point there is one, the double."""

ALIASES = {
    "absolute": "abs",
    "fabs": "abs",
    "ln": "log",
    "mm": "matmul",
    "mv": "matmul",
    "bmm": "matmul",
    "vdot": "dot",
    "float_power": "power",
    "pow": "power",
    "true_divide": "divide",
    "neg": "negative",
    "mul": "multiply",
    "sub": "subtract",
    "div": "divide",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "log_sigmoid": "logsigmoid",
    "log_expit": "logsigmoid",
    "expit": "sigmoid",
    "swish": "silu",
    "hard_tanh": "hardtanh",
    "soft_sign": "softsign",
    "psi": "digamma",
    "gammaln": "lgamma",
    "loggamma": "lgamma",
    "inverse": "inv",
    "gt": "greater",
    "lt": "less",
    "ge": "greater_equal",
    "le": "less_equal",
    "eq": "equal",
    "ne": "not_equal",
    "fmax": "maximum",
    "fmin": "minimum",
    "rint": "round",
    "round_": "round",
    "around": "round",
    "radians": "deg2rad",
    "degrees": "rad2deg",
    "sgn": "sign",
    "permute": "transpose",
    "permute_dims": "transpose",
    "view": "reshape",
    "unsqueeze": "expand_dims",
    "cat": "concatenate",
    "concat": "concatenate",
    "amax": "max",
    "amin": "min",
    "clamp": "clip",
    "swapdims": "swapaxes",
    "movedim": "moveaxis",
    "repeat_interleave": "repeat",
    "tensor": "array",
    "asarray": "array",
    "as_tensor": "array",
    "from_numpy": "array",
    "asanyarray": "array",
    "ascontiguousarray": "array",
    "asfortranarray": "array",
    "FloatTensor": "array",
    "Tensor": "array",
    "mat": "array",
    "device_put": "array",
    "copy": "array",
    "sum_": "sum",
    "product": "prod",
    "trapz": "trapezoid",
    "empty": "zeros",
    "empty_like": "zeros_like",
    "row_stack": "vstack",
    "matrix_transpose": "mT",
}
"""Another name, and the one under which a function is looked for."""

KEYWORDS = {
    "dim": "axis",
    "dims": "axis",
    "keepdim": "keepdims",
    "correction": "ddof",
    "a_min": "lo",
    "a_max": "hi",
    "ord": "p",
    "negative_slope": "slope",
    "repeats": "n",
    "offset": "k",
    "diagonal": "k",
}
"""What an argument is called elsewhere, and here."""

OPERANDS = ("x", "a", "input", "self", "tensor", "object", "arr", "A", "m", "z", "x1", "v", "ary")
"""What the first argument may be called."""

IGNORED = ("dtype", "order", "casting", "subok", "device", "requires_grad", "inplace", "copy")
"""Arguments that change no number in double precision."""

PLAIN = frozenset(
    """abs absolute add all allclose amax amin any append arange argmax argmin argsort argwhere
    around array_equal array_split arccos arccosh arcsin arcsinh arctan arctan2 arctanh atleast_1d
    atleast_2d atleast_3d average bincount bitwise_and bitwise_or broadcast_to cbrt ceil clip
    column_stack concatenate cos cosh count_nonzero cross cumprod cumsum deg2rad degrees diag
    diag_indices diagflat diagonal diff digitize divide divmod dot dstack ediff1d einsum equal exp
    exp2 expand_dims expm1 eye fabs flatnonzero flip fliplr flipud float_power floor floor_divide
    fmax fmin fmod full gcd geomspace gradient greater greater_equal heaviside histogram hstack
    hypot identity in1d indices inner interp intersect1d isclose isfinite isin isinf isnan isscalar
    ix_ kron lcm less less_equal linspace log log10 log1p log2 logaddexp logaddexp2 logical_and
    logical_not logical_or logical_xor logspace matmul max maximum mean median meshgrid min minimum
    mod moveaxis multiply nan_to_num nanmax nanmean nanmin nansum ndim negative nonzero not_equal
    ones outer pad partition percentile polyfit polyval positive power prod ptp quantile rad2deg
    radians ravel ravel_multi_index reciprocal remainder repeat reshape rint roll rot90 round
    searchsorted setdiff1d sign sin sinc sinh size sort split sqrt square squeeze stack std
    subtract sum swapaxes take take_along_axis tan tanh tensordot tile trace transpose trapezoid tri
    tril tril_indices triu triu_indices true_divide trunc union1d unique unravel_index unwrap vander
    var vdot vsplit vstack where zeros bool_ mask_indices hsplit dsplit hanning hamming blackman
    """.split()
)
"""Functions of NumPy that are called as they are on plain data."""

GROWING = frozenset(
    "outer kron tile repeat broadcast_to pad meshgrid indices vander tri eye identity diag diagflat"
    " full ones zeros linspace logspace geomspace arange bincount einsum tensordot ix_ "
    "tril_indices triu_indices histogram hanning hamming blackman diag_indices mask_indices".split()
)
"""Those whose result can be much larger than what they are given."""
