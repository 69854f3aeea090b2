"""Which method or function reads which function of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.python import products
from gradcli.python.array_makers import DRAWN
from gradcli.python.spellings import ALIASES, PLAIN

FUNCTIONS: dict[str, str | Callable[[Any, Any], Any]] = {
    "array": "_array",
    "asarray": "_asarray",
    "fromiter": "_from_items",
    **dict.fromkeys(("fill_diagonal", "copyto", "putmask", "put"), "_into"),
    "random.shuffle": "_shuffled",
    **dict.fromkeys(("zeros", "ones"), "_constant_array"),
    **dict.fromkeys(("zeros_like", "ones_like"), "_like"),
    **dict.fromkeys(("full", "full_like"), "_full"),
    "shape": "_shape",
    "ndim": "_ndim",
    "size": "_size",
    "where": "_where",
    "reshape": "_reshape",
    "ravel": "_ravel",
    "flatten": "_ravel",
    "transpose": "_transpose",
    "permute": "_permute",
    **dict.fromkeys(("matrix_transpose", "adjoint"), "_matrix_transposed"),
    "expand_dims": "_expand_dims",
    "dot": products.dot,
    "einsum": products.einsum,
    "tensordot": products.tensordot,
    "norm": products.norm,
    "vdot": products.vdot,
    "hypot": "_hypot",
    "arange": "_arange",
    "pad": "_pad",
    "take_along_axis": "_along_axis",
    "gather": "_gather",
    "torch.add": "_with_factor",
    "torch.subtract": "_with_factor",
    "torch.roll": "_rolled_by_torch",
    "torch.tile": "_tiled",
    "torch.sort": "_sorted_pair",
    "torch.topk": "_top",
    "unbind": "_unbound",
    "torch.select": "_selected",
    "narrow": "_narrowed",
    "rollaxis": "_rolled",
    **dict.fromkeys(("real", "conj", "conjugate", "positive"), "_itself"),
    **dict.fromkeys(("scipy.binom", "scipy.comb", "scipy.perm", "scipy.factorial"), "_exactly"),
    "slogdet": "_slogdet",
    "clip": "_clip",
    "round": "_round",
    "logical_not": "_not",
    "log": "_log",
    "isfinite": "_finite",
    "stop_gradient": "_stopped",
    "append": "_append",
    "sort": "_sorted",
    **dict.fromkeys(("sum", "mean", "prod", "max", "min", "amax", "amin"), "_reduced"),
    **dict.fromkeys(("var", "std"), "_spread"),
    **dict.fromkeys(("cumsum", "cumprod"), "_running"),
    **dict.fromkeys(("softmax", "log_softmax"), "_soft"),
    **dict.fromkeys(("concatenate", "stack", "hstack", "vstack", "column_stack"), "_joined"),
    **dict.fromkeys(("split", "array_split", "hsplit", "vsplit", "chunk"), "_split"),
    **dict.fromkeys(("atleast_1d", "atleast_2d", "atleast_3d"), "_atleast"),
    **dict.fromkeys(
        (
            *("swapaxes", "moveaxis", "broadcast_to", "rot90", "fliplr", "flipud", "flip"),
            *("squeeze", "diagonal", "roll", "tile", "repeat", "take"),
        ),
        "_view",
    ),
    **dict.fromkeys(
        (
            *("argmax", "argmin", "argsort", "nonzero", "flatnonzero", "argwhere", "all", "any"),
            *("allclose", "isclose", "array_equal", "isnan", "isinf", "unique", "count_nonzero"),
            *("bincount", "digitize", "searchsorted", "isin", "in1d", "signbit", "iscomplexobj"),
        ),
        "_by_value",
    ),
    **{f"random.{name}": "_random" for name in (*DRAWN, "seed", "default_rng", "RandomState")},
}
"""By the name, or by family and name where a library means something of its own."""

NUMPY = frozenset({*PLAIN, *FUNCTIONS, *ALIASES} & {*np.__all__})
"""The functions of NumPy that are read."""
