"""The rows of products: of matrices, vectors and rows.

A vector is a column and its transpose a row, in the rules too: `delta @ B.T` is an outer
product where both are vectors. So the rule of the matrix product is nearly always the same
text; the functions below pick the text where it is not.
"""

from __future__ import annotations

import numpy as np

from gradcli.ops.kernels import arrays as k
from gradcli.ops.operation import Misfit, Shape, Site, Type, times
from gradcli.ops.options import Keywords, shape_text
from gradcli.ops.table.rows import LINEAR, array_row

# --- the matrix product ------------------------------------------------------------------


def product_case(a: Type, b: Type) -> str:
    """Which kinds of factors there are: (m)atrix, (v)ector, (r)ow; `stack` in more dimensions."""
    ranks = len(a.shape), len(b.shape)
    if max(ranks) > 2:
        return "stack"
    if ranks == (2, 2):
        return "mm"
    first = "v" if ranks[0] == 1 else "r" if a.row else "m"
    return first + ("r" if b.row and first == "v" else "v" if ranks[1] == 1 else "m")


def product_type(a: Type, b: Type) -> Type:
    """The type of `a @ b`. Raises `Misfit`."""
    case = product_case(a, b)
    if case == "stack":
        return Type(_stack_shape(a, b))
    if case == "vr":
        return Type((a.shape[0], b.shape[1]))
    if not _fits(a, b):
        raise Misfit(hint=_product_hint(a, b, case))
    match case:
        case "vv" | "rv":
            return Type(())
        case "mv":
            return Type(a.shape[:1])
        case "vm":
            return Type(b.shape[1:])
    return Type((a.shape[0], b.shape[1]), row=a.row)


def _stack_shape(a: Type, b: Type) -> Shape:
    """As in NumPy: the last two axes are matrices, the others broadcast."""
    left = (1, *a.shape) if len(a.shape) == 1 else a.shape
    right = (*b.shape, 1) if len(b.shape) == 1 else b.shape
    if left[-1] != right[-2]:
        raise Misfit
    try:
        front = np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError:
        raise Misfit from None
    rows = () if len(a.shape) == 1 else (left[-2],)
    columns = () if len(b.shape) == 1 else (right[-1],)
    return (*front, *rows, *columns)


def _fits(a: Type, b: Type) -> bool:
    """Whether there is a product of two vectors, rows or matrices."""
    return a.shape[-1] == b.shape[0] or product_case(a, b) == "vr"


def _product_hint(a: Type, b: Type, case: str) -> str | None:
    """A product of the two that does fit."""
    if case == "vv":
        return "{A} @ {B}.T is the outer product, every element with every other"
    if case == "vm":
        if b.shape[0] == 1:
            return "col({A}) @ {B} is the outer product"
        return "{B} @ {A} would fit" if _fits(b, a) else None
    candidates = (
        ("{A}.T @ {B}", _transposed(a), b),
        ("{A} @ {B}.T", a, _transposed(b)),
        ("{B} @ {A}", b, a),
    )
    for text, left, right in candidates:
        if _fits(left, right):
            if product_case(left, right) == "vr":
                return f"{text} is the outer product"
            return f"{text} would be {times(left.shape)} times {times(right.shape)}"
    return None


def _transposed(t: Type) -> Type:
    if len(t.shape) == 1:
        return Type((1, *t.shape), row=True)
    return Type(t.shape[1:] if t.row else t.shape[::-1])


def _matmul(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
    a, b = types
    if not a.shape or not b.shape:
        raise Misfit(hint="a number is multiplied with *")
    case = product_case(a, b)
    out = product_type(a, b)
    if case == "mm":
        return out, {}
    return out, {"case": case, "ranks": (len(a.shape), len(b.shape))}


def _matmul_rules(site: Site, a: str = "A", b: str = "B") -> tuple[str, str]:
    left, right = site.types
    match product_case(left, right):
        case "vv":
            return f"delta*{b}", f"delta*{a}"
        case "rv":
            return f"delta*{b}.T", f"delta*{a}.T"
        case "vm":
            return f"{b} @ delta", f"{a} @ delta.T"
        case "mm" if right.row and not left.row:
            return f"col(delta @ {b}.T)", f"{a}.T @ delta"
        case "stack":
            return _stack_rules(left, right, a, b)
    return f"delta @ {b}.T", f"{a}.T @ delta"


def _stack_rules(left: Type, right: Type, a: str, b: str) -> tuple[str, str]:
    """Where matrices are stacked, only their own two axes are transposed."""
    if len(right.shape) == 1:
        return f"expand_dims(delta, -1)*{b}", f"expand_dims(delta, -1)*{a}"
    if len(left.shape) == 1:
        return (f"sum({b}*expand_dims(delta, -2), axis=-1)", f"col({a})*expand_dims(delta, -2)")
    return f"delta @ matrix_transpose({b})", f"matrix_transpose({a}) @ delta"


def _dot(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    a, b = types
    ranks = len(a.shape), len(b.shape)
    if min(ranks) == 0:
        return Type(a.shape or b.shape), {"case": "scale", "ranks": ranks}
    if max(ranks) > 2:
        raise Misfit(hint="dot is for vectors and matrices, @ takes stacks of matrices")
    return _matmul(types, options)


def _dot_rules(site: Site) -> tuple[str, str]:
    a, b = site.types
    if a.shape and b.shape:
        return _matmul_rules(site, "a", "b")
    return _scaling(a, b, "b"), _scaling(b, a, "a")


def _scaling(own: Type, other: Type, name: str) -> str:
    """The rule of a number times anything: a sum for the number."""
    return f"sum(delta*{name})" if other.shape and not own.shape else f"delta*{name}"


# --- other products ----------------------------------------------------------------------


def _inner(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
    a, b = types
    ranks = len(a.shape), len(b.shape)
    keywords: Keywords = {"ranks": ranks}
    if min(ranks) == 0:
        return Type(a.shape or b.shape), {"case": "scale", **keywords}
    if max(ranks) > 2:
        raise Misfit(hint="inner is for vectors and matrices")
    if a.shape[-1] != b.shape[-1]:
        raise Misfit
    case = "".join("v" if rank == 1 else "m" for rank in ranks)
    return Type(a.shape[:-1] + b.shape[:-1]), {"case": case, **keywords}


def _inner_rules(site: Site) -> tuple[str, str]:
    a, b = site.types
    if not a.shape or not b.shape:
        return _scaling(a, b, "b"), _scaling(b, a, "a")
    return {
        (1, 1): ("delta*b", "delta*a"),
        (2, 1): ("delta @ b.T", "delta @ a"),
        (1, 2): ("delta @ b", "delta @ a.T"),
        (2, 2): ("delta @ b", "delta.T @ a"),
    }[len(a.shape), len(b.shape)]


def _outer(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
    a, b = types
    return Type((a.size, b.size)), {"ranks": (len(a.shape), len(b.shape))}


def _outer_rules(site: Site) -> tuple[str, str]:
    a, b = site.types
    flat_a, flat_b = (
        n if len(t.shape) == 1 else f"flatten({n})" for n, t in zip("ab", site.types, strict=True)
    )
    return _unflattened(a, f"delta @ {flat_b}"), _unflattened(b, f"delta.T @ {flat_a}")


def _unflattened(t: Type, text: str) -> str:
    if len(t.shape) == 1:
        return text
    return f"reshape({text}, {shape_text(t.shape)})" if t.shape else f"sum({text})"


def _cross(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
    if any(t.shape != (3,) for t in types):
        raise Misfit(hint="cross is for two vectors of 3")
    return Type((3,)), {}


def _kron(types: tuple[Type, ...], _options: Keywords) -> tuple[Type, Keywords]:
    a, b = (t.shape for t in types)
    left, right = _padded(a, len(b)), _padded(b, len(a))
    shape = tuple(m * n for m, n in zip(left, right, strict=True))
    return Type(shape), {"ranks": (len(a), len(b))}


def _padded(shape: Shape, rank: int) -> Shape:
    return (1,) * (rank - len(shape)) + shape


def _kron_rules(site: Site) -> tuple[str, str]:
    """With the output's blocks taken apart, every axis of A is followed by one of B."""
    left, right = site.types
    a, b = left.shape, right.shape
    rank = max(len(a), len(b))
    if not a or not b:
        return _scaling(left, right, "B"), _scaling(right, left, "A")
    pairs = zip(_padded(a, rank), _padded(b, rank), strict=True)
    blocks = shape_text([n for pair in pairs for n in pair])
    of_a, of_b = list(range(0, 2 * rank, 2)), list(range(1, 2 * rank, 2))

    def rule(name: str, own: list[int], other: list[int], shape: Shape) -> str:
        free = own + other[: rank - len(shape)]
        spread = f"expand_dims({name}, {shape_text(sorted(free))})"
        return f"sum(reshape(delta, {blocks})*{spread}, axis={shape_text(other)})"

    return rule("B", of_a, of_b, b), rule("A", of_b, of_a, a)


# fmt: off
ROWS = (
    array_row("matmul", "A B", k.matmul, _matmul, rules=_matmul_rules, symbol="@", plain=np.matmul,
              latex="{A} \\, {B}",
              doc="matrix product; a.T @ b is a number, a @ b.T the outer product of vectors",
              traits="contracts", propagates="A B", **LINEAR, aliases="mm mv bmm"),
    array_row("dot", "a b", k.dot, _dot, rules=_dot_rules, latex=r"{a} \cdot {b}",
              doc="dot product of vectors; the matrix product of matrices", traits="contracts",
              propagates="a b", **LINEAR),
    array_row("inner", "a b", k.inner, _inner, rules=_inner_rules,
              latex=r"\langle {a}, {b} \rangle", doc="sums of products along the last axis of both",
              propagates="a b", **LINEAR),
    array_row("outer", "a b", k.outer, _outer, rules=_outer_rules, latex=r"{a} \, {b}^\top",
              doc="every element of a times every element of b; arrays are flattened",
              numpy="np.outer({a:flat}, {b:flat})", propagates="a b", group="linear algebra"),
    array_row("cross", "a b", np.cross, _cross, "cross(b, delta)", "cross(delta, a)",
              latex=r"{a} \times {b}", doc="cross product of vectors of 3",
              numpy="np.cross({a:flat}, {b:flat})", **LINEAR),
    array_row("kron", "A B", k.kron, _kron, rules=_kron_rules, latex=r"{A} \otimes {B}",
              doc="Kronecker product: every element of A, replaced by itself times B",
              group="linear algebra"),
)
# fmt: on
