"""Which function reads which function of arrays: a library's family and a name come in."""

from __future__ import annotations

import numpy as np

from gradcli.python import array_calls, array_makers, array_shapes, products
from gradcli.python.calls import Function
from gradcli.python.spellings import ALIASES, PLAIN

CHANGING = ("fill_diagonal", "copyto", "putmask", "put")
"""Functions of NumPy that change their first argument and give nothing back."""

FUNCTIONS: dict[str, Function] = {
    "array": array_makers.array,
    "asarray": array_makers.asarray,
    "fromiter": lambda reader, call, x, dtype=None: array_makers.array(reader, call, x, dtype),
    **dict.fromkeys(CHANGING, array_makers.into),
    "zeros": lambda reader, call: array_makers.filled(reader, call, 0.0),
    "ones": lambda reader, call: array_makers.filled(reader, call, 1.0),
    **dict.fromkeys(("zeros_like", "ones_like"), array_makers.like),
    **dict.fromkeys(("full", "full_like"), array_makers.full),
    "shape": lambda reader, call, x: reader.tape.shape(x),
    "ndim": lambda reader, call, x: len(reader.tape.shape(x)),
    "size": array_makers.size,
    "arange": array_makers.arange,
    "stop_gradient": lambda reader, call, x: array_makers.stopped(reader, x, "stop_gradient()"),
    "random.shuffle": array_makers.shuffled,
    "reshape": array_shapes.reshape,
    **dict.fromkeys(("ravel", "flatten"), array_shapes.ravel),
    **dict.fromkeys(("transpose", "permute"), array_shapes.transpose),
    **dict.fromkeys(
        ("matrix_transpose", "adjoint"),
        lambda reader, call, x: array_shapes.matrix_transposed(reader, x, call.where),
    ),
    "expand_dims": array_shapes.expand_dims,
    **dict.fromkeys(
        ("concatenate", "stack", "hstack", "vstack", "column_stack"), array_shapes.joined
    ),
    **dict.fromkeys(("split", "array_split", "hsplit", "vsplit", "chunk"), array_shapes.split),
    **dict.fromkeys(("atleast_1d", "atleast_2d", "atleast_3d"), array_shapes.at_least),
    **dict.fromkeys(
        (
            *("swapaxes", "moveaxis", "broadcast_to", "rot90", "fliplr", "flipud", "flip"),
            *("squeeze", "diagonal", "roll", "tile", "repeat", "take"),
        ),
        array_shapes.view,
    ),
    "pad": array_shapes.pad,
    "gather": array_shapes.gather,
    "dot": products.dot,
    "einsum": products.einsum,
    "tensordot": products.tensordot,
    "norm": products.norm,
    "where": array_calls.where,
    **dict.fromkeys(("real", "conj", "conjugate", "positive"), lambda reader, call, x: x),
    **dict.fromkeys(
        ("scipy.binom", "scipy.comb", "scipy.perm", "scipy.factorial"), array_calls.exactly
    ),
    "slogdet": array_calls.slogdet,
    "clip": array_calls.clip,
    "round": array_calls.round_,
    "logical_not": lambda reader, call, x: reader.apply("equal", [x, 0.0], call.bare, kind="b"),
    "quantile": array_calls.quantile,
    "sort": array_calls.sort,
    **dict.fromkeys(
        ("softmax", "log_softmax"),
        lambda reader, call, x, axis=-1: reader.apply(call.name, [x], call.bare, {"axis": axis}),
    ),
    "log": array_calls.log,
    **dict.fromkeys(("sum", "mean", "prod", "max", "min", "amax", "amin"), array_calls.reduced),
    **dict.fromkeys(("cumsum", "cumprod"), array_calls.running),
    **dict.fromkeys(
        (
            *("argmax", "argmin", "argsort", "nonzero", "flatnonzero", "argwhere", "all", "any"),
            *(
                "allclose",
                "isclose",
                "array_equal",
                "isnan",
                "isinf",
                "isfinite",
                "unique",
                "count_nonzero",
            ),
            *("bincount", "digitize", "searchsorted", "isin", "in1d", "signbit", "iscomplexobj"),
        ),
        array_makers.by_value,
    ),
    **{
        f"random.{name}": array_makers.random
        for name in (*array_makers.DRAWN, "seed", "default_rng", "RandomState")
    },
}
"""By the name, or by family and name where a library means something of its own."""

NUMPY = frozenset({*PLAIN, *FUNCTIONS, *ALIASES} & {*np.__all__})
"""The functions of NumPy that are read."""


def reading(family: str, name: str) -> Function | None:
    """What reads a function of a library; None for one that needs nothing of its own."""
    found = FUNCTIONS.get(f"{family}.{name}")
    return FUNCTIONS.get(name) if found is None and family != "other" else found
