"""How libraries call things: modules, functions, keywords.

A name that is here leads to a function of NumPy or to a row of the operation table under the name
that stands on its right. A name that a row has as an alias needs no entry. These are tables to
look things up in, and as long as the libraries are wide.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from gradcli.python.values import unread
from gradcli.syntax.library.names import MODULES, NAMES

LIBRARIES = MODULES | {
    "plt": "matplotlib.pyplot",
    "time": "time",
    "random": "random",
    "copy": "copy",
    "functools": "functools",
    "itertools": "itertools",
    "collections": "collections",
    "operator": "operator",
    "sys": "sys",
    "os": "os",
}
"""What a name stands for where the text does not say it."""

ARRAYS = {
    "gradcli": "numpy",
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
    "jax.scipy.linalg": "linalg",
    "jax.tree_util": "other",
    "jax.tree": "other",
    "torch": "torch",
    "torch.special": "torch",
    "torch.nn.functional": "torch",
    "math": "math",
    "cmath": "other",
    **dict.fromkeys(
        (
            *("tensorflow", "tensorflow.math", "tensorflow.nn", "tensorflow.linalg"),
            *("tensorflow.keras", "tensorflow.keras.activations", "tensorflow.keras.losses"),
        ),
        "tensorflow",
    ),
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


@cache
def is_harmless(path: str) -> bool:
    """Whether a module is one of these, or within one."""
    return any(path == h or path.startswith(f"{h}.") for h in HARMLESS)


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

MATH = tuple(name for name in dir(math) if not name.startswith("_"))
"""What `from math import *` gives."""

STARRED = (
    "linalg",
    "random",
    "pi",
    "e",
    "inf",
    "nan",
    "newaxis",
    "float64",
    "int64",
    "ndarray",
    "norm",
)
"""What `from numpy import *` gives beside functions."""

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

DTYPES: dict[str, Any] = {"f": np.float64, "i": np.int64, "b": np.bool_}


def kind_of(dtype: object) -> str:
    """`f`, `i` or `b` for a type of elements: `np.int64`, `'bool'`, None. Raises `Unread`."""
    name = getattr(dtype, "name", dtype)
    if not isinstance(name, str | None):
        raise unread("this type of elements is not read", raised="TypeError")
    return TYPES.get(name or "float", "f")


ALIASES = NAMES | {
    "tensor": "array",
    **dict.fromkeys(
        (
            *("asanyarray", "ascontiguousarray", "asfortranarray", "asarray_chkfinite"),
            *("as_tensor", "from_numpy", "device_put"),
        ),
        "asarray",
    ),
    **dict.fromkeys(("FloatTensor", "LongTensor", "Tensor", "mat", "copy"), "array"),
    **dict.fromkeys(("sum_", "fsum"), "sum"),
    "empty": "zeros",
    "empty_like": "zeros_like",
}
"""Another name, and the one under which a function is looked for."""

IGNORED = ("dtype", "order", "casting", "subok", "device", "requires_grad", "inplace", "copy")
"""Arguments that change no number in double precision."""

LINEAR = frozenset(
    [
        *("cholesky", "cond", "det", "eigh", "eigvalsh", "inv", "lstsq", "matrix_power"),
        *("matrix_rank", "norm", "pinv", "qr", "solve", "svd", "svdvals"),
    ]
)
"""Functions of `numpy.linalg` that are called as they are on plain data."""

UNIVERSAL = frozenset(
    name for name, of in vars(np).items() if isinstance(of, np.ufunc) and not of.signature
)
"""Functions of NumPy that go element by element."""

PLAIN = UNIVERSAL | {
    *("arange", "average", "blackman", "bool_", "cross", "delete", "diag", "diag_indices"),
    *("diagflat", "diff", "dsplit", "dstack", "ediff1d", "eye", "geomspace", "gradient"),
    *("hamming", "hanning", "histogram", "identity", "indices", "inner", "interp", "intersect1d"),
    *("isscalar", "ix_", "kron", "linspace", "logspace", "mask_indices", "matmul", "median"),
    *("meshgrid", "nan_to_num", "nanmax", "nanmean", "nanmin", "nansum", "outer", "partition"),
    *("percentile", "polyfit", "polyval", "ptp", "quantile", "ravel_multi_index", "setdiff1d"),
    *("sinc", "std", "take_along_axis", "trace", "trapezoid", "tri", "tril", "tril_indices"),
    *("triu", "triu_indices", "union1d", "unravel_index", "unwrap", "vander", "var"),
}
"""Functions of NumPy that are called as they are on plain data, beside those of `array_table`."""
