"""The general form behind a rule on arrays: the matrix of all derivatives, in words of the graph.

`delta_z2 = delta_a2 * (a2*(1 - a2))` comes from `delta_z2 = ∂a2/∂z2 @ delta_a2` with the
matrix ∂a2/∂z2 = diag(sigmoid'(z2)). Rows belong to the operand (denominator layout). Where the
matrix has no short form as one, an element of it is given.
"""

from __future__ import annotations

import numpy as np

from gradcli.engine.notation import NOWHERE, operand_tree
from gradcli.ops.table.products import product_case
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Name, Number, Operator
from gradcli.trace.steps import Move, Steps


def general(steps: Steps, move: Move) -> str | None:
    """`∂a2/∂z2 = diag(sigmoid'(z2))   3×3`; None where all are numbers or no form is known."""
    own, shape = move.node.type.shape, move.to.type.shape
    if (not own and not shape) or move.node.operands.count(move.to.id) > 1:
        return None
    matrix = _matrix(steps, move)
    if matrix is None:
        return None
    head = f"∂{move.node.name}/∂{move.to.name}"
    if matrix.startswith("["):
        return f"{head}{matrix}"
    return f"{head} = {matrix}   ({move.to.type.size}×{move.node.type.size})"


def _matrix(steps: Steps, move: Move) -> str | None:
    if move.local is not None:
        return _elementwise(move)
    operation = move.node.operation
    names = [print_tree(operand_tree(steps.graph, o)) for o in move.node.operands]
    if operation.is_matrix_product:
        return _product(steps, move, *names)
    found = operation.jacobian
    template = found if isinstance(found, str) else found(steps.graph.site(move.node))
    if not template:
        return None
    words = dict(zip(operation.operand_names(len(names)), names, strict=True))
    return template.format(out=move.node.name, n=move.to.type.size, **words)


def _elementwise(move: Move) -> str | None:
    """A diagonal matrix; the transpose of a vector where the operand is a number."""
    local, node = move.local, move.node
    assert local is not None
    text, n = print_tree(local, spaced=False), node.type.size
    factor = print_tree(Operator("*", (local, Name("", NOWHERE)), NOWHERE, NOWHERE))
    number = np.ndim(move.local_value) == 0
    if move.to.type.shape == node.type.shape:
        if isinstance(local, Number) and local.value in (1, -1):
            return f"eye({n})" if local.value == 1 else f"-eye({n})"
        if number:
            return f"{factor}eye({n})"
        row = move.node.operation
        if len(node.operands) != 1 or row.symbol or not row.aliases:
            return f"diag({text})"
        return f"diag({row.aliases[0]}'({move.to.name})) = diag({text})"
    if not move.to.type.shape:
        return f"{factor}ones({n}).T" if number else f"({text}).T"
    return None


def _product(steps: Steps, move: Move, a: str, b: str) -> str | None:
    """The matrix of a product: the other factor, or its elements in their places."""
    left, right = (steps.graph.operand_type(o) for o in move.node.operands)
    forms = PRODUCTS.get(product_case(left, right))
    if forms is None:
        return None
    form = forms[move.node.operands[0] != move.to.id]
    return form.format(a=a, b=b, turned=a.removesuffix(".T"))


PRODUCTS = {
    **dict.fromkeys(("vv", "rv"), ("{b}", "{turned}")),
    "mv": ("[k, (i, j)] = {b}[j] where k = i, else 0", "{a}.T"),
    "vm": ("{b}", "[k, (i, j)] = {a}[i] where k = j, else 0"),
    "vr": ("[(i, j), k] = {b}[j] where k = i, else 0", "[(i, j), k] = {a}[i] where k = j, else 0"),
    "mm": (
        "[(i, j), (k, l)] = {b}[l, j] where k = i, else 0",
        "[(i, j), (k, l)] = {a}[i, k] where l = j, else 0",
    ),
}
"""By the kinds of both factors, the matrix for the first and for the second."""
