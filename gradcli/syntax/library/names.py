"""Names of libraries: their modules, and what they call functions and arguments that are here.

One table for programs in the language and in Python.
"""

from __future__ import annotations

FUNCTION_NAMES: set[str] = set()
"""Every name that the language calls, aliases included: the operation table hands them in here.

The grammar has no function's name in it, but messages and methods need them.
"""

MODULES = {
    **dict.fromkeys(("np", "numpy", "onp", "anp", "cp"), "numpy"),
    "np.linalg": "numpy.linalg",
    "jnp": "jax.numpy",
    "jnp.linalg": "jax.numpy.linalg",
    "lax": "jax.lax",
    "nn": "jax.nn",
    "nn.functional": "torch.nn.functional",
    "F": "torch.nn.functional",
    "sp": "scipy",
    "special": "scipy.special",
    "sp.special": "scipy.special",
    "sp.linalg": "scipy.linalg",
    "jsp.special": "jax.scipy.special",
    "jsp.linalg": "jax.scipy.linalg",
    "tf": "tensorflow",
    "keras": "tensorflow.keras",
    **{name: name for name in ("math", "torch", "jax", "scipy")},
}
"""What stands for a module where the text does not say it."""

NAMES = {
    "absolute": "abs",
    "fabs": "abs",
    "ln": "log",
    "mm": "matmul",
    "mv": "matmul",
    "bmm": "matmul",
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
    "hard_sigmoid": "hardsigmoid",
    "hard_swish": "hardswish",
    "hard_silu": "hardswish",
    "soft_sign": "softsign",
    "psi": "digamma",
    "gammaln": "lgamma",
    "loggamma": "lgamma",
    "erf_inv": "erfinv",
    "igamma": "gammainc",
    "igammac": "gammaincc",
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
    "floormod": "mod",
    "truncatemod": "fmod",
    "radians": "deg2rad",
    "degrees": "rad2deg",
    "sgn": "sign",
    "ger": "outer",
    "logistic": "sigmoid",
    "vector_norm": "norm",
    "matrix_norm": "norm",
    "permute_dims": "permute",
    "view": "reshape",
    "view_as": "reshape_as",
    "unsqueeze": "expand_dims",
    "cat": "concatenate",
    "concat": "concatenate",
    "clamp": "clip",
    "swapdims": "swapaxes",
    "movedim": "moveaxis",
    "repeat_interleave": "repeat",
    "product": "prod",
    "trapz": "trapezoid",
    "row_stack": "vstack",
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

OPERANDS = (
    *("x", "a", "input", "self", "tensor", "object", "arr", "A", "m", "z", "x1", "v", "ary"),
    *("features", "logits", "operand", "input_tensor"),
)
"""What the first argument may be called."""

SECOND = ("other", "b", "B", "y", "x2", "target", "mat2", "vec2", "exponent")
"""What the second argument may be called."""
