"""What jax and torch have beside functions of arrays: `x.at[i]`, trees, layers without weights.

`GROUPS` has a function for each module: a name with its arguments comes in, the value comes out, or
NotImplemented for what is a function of arrays.
"""

from __future__ import annotations

import ast
from typing import Any

from gradcli.python.array_makers import copied
from gradcli.python.calls import Arguments, Keywords
from gradcli.python.statements import Statements
from gradcli.python.stores import store
from gradcli.python.values import Builtin, Partial, Value

LAYERS = {
    **{
        name: name.lower() for name in ("ReLU", "GELU", "SiLU", "SELU", "Mish", "Softsign", "ReLU6")
    },
    **{name: name.lower() for name in ("Tanh", "Sigmoid", "Hardtanh", "Hardsigmoid", "Hardswish")},
    "LogSigmoid": "logsigmoid",
    "Tanhshrink": "tanhshrink",
    "LeakyReLU": "leaky_relu negative_slope",
    "ELU": "elu alpha",
    "CELU": "celu alpha",
    "Softplus": "softplus beta threshold",
    "Softmax": "softmax dim",
    "LogSoftmax": "log_softmax dim",
    "Flatten": "flatten start_dim end_dim",
    "MSELoss": "mse_loss",
    "L1Loss": "l1_loss",
    "SmoothL1Loss": "smooth_l1_loss",
    "HuberLoss": "huber_loss",
    "BCELoss": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "CrossEntropyLoss": "cross_entropy weight",
    "NLLLoss": "nll_loss weight",
    "KLDivLoss": "kl_div",
    "CosineSimilarity": "cosine_similarity dim eps",
    "Identity": "clone",
}
"""Layers and losses of `torch.nn` without weights: the function, and its arguments in order."""


def _of_jax(reader: Statements, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
    if name in ("jit", "checkpoint", "named_call"):
        return a[0] if a else Builtin("functools", "same")
    if name.startswith("at."):
        return _changed_at(reader, name[3:], a, node)
    return NotImplemented


def _changed_at(reader: Statements, how: str, a: Arguments, node: Any) -> Value:
    """`x.at[i].set(v)` of jax: a changed copy."""
    of, index, *value = a
    where = reader.where(node)
    if how == "get":
        return reader.element(of, index, where)
    found = copied(reader, of)
    if how == "add":
        added = reader.numeric(value[0], where)
        store(reader.tape, found, reader.items(index), added, where, add=True)
        return found
    signs = {"multiply": ast.Mult, "mul": ast.Mult, "divide": ast.Div, "power": ast.Pow}
    if how in signs:
        value = [reader.binary(signs[how], reader.element(of, index, where), value[0], where, node)]
    elif how in ("min", "max"):
        both = [reader.numeric(v, where) for v in (reader.element(of, index, where), value[0])]
        value = [reader.apply(f"{how}imum", both, where)]
    elif how != "set":
        return NotImplemented
    reader.store(found, index, value[0], where)
    return found


def _of_jax_tree_util(reader: Statements, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
    if k or name not in ("tree_map", "map"):
        return NotImplemented
    return _tree(reader, a[0], a[1:], node)


def _tree(reader: Statements, function: Value, trees: list[Value], node: Any) -> Value:
    """A function of every array in nested lists and dicts."""
    reader.budget.spend()
    first = trees[0]
    if isinstance(first, dict):
        return {key: _tree(reader, function, [t[key] for t in trees], node) for key in first}
    if isinstance(first, tuple | list):
        found = [_tree(reader, function, list(t), node) for t in zip(*trees, strict=True)]
        return found if isinstance(first, list) else tuple(found)
    return reader.call(function, trees, {}, node)


def _of_torch_nn(reader: Statements, name: str, a: Arguments, k: Keywords, node: Any) -> Value:
    """Layers without weights: `nn.ReLU()` is a function."""
    if name == "Sequential":
        return Partial(Builtin("torch.nn", "Sequential.of"), tuple(a), {})
    if name == "Sequential.of":
        *layers, value = a
        for layer in layers:
            value = reader.call(layer, [value], {}, node)
        return value
    if name[0].isupper() and name not in LAYERS:
        return NotImplemented
    if name not in LAYERS:  # without an import, `nn` stands for its functions too
        return reader.library(Builtin("torch.nn.functional", name), a, k, node)
    function, *names = LAYERS[name].split()
    given = dict(zip(names, a, strict=False)) | k
    given.pop("inplace", None)
    return Partial(Builtin("torch.nn.functional", function), (), given)


GROUPS = {
    "jax": _of_jax,
    "jax.tree": _of_jax_tree_util,
    "jax.tree_util": _of_jax_tree_util,
    "torch.nn": _of_torch_nn,
}
"""By the module."""
