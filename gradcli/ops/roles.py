"""The rows that the algebra of formulas has identities for.

A formula is simplified by what is true of exp, log, sine and sums. Rows with a symbol or an
exponent of their own (`+`, `sqrt`, `1/x`) say what they are; the others are named here, beside the
table, so that other packages compare rows and never their names.
"""

from __future__ import annotations

from gradcli import ops

operation = ops.operation

EXP, LOG, ABS, SIGN = map(operation, ("exp", "log", "abs", "sign"))
SIN, COS, SINH, COSH = map(operation, ("sin", "cos", "sinh", "cosh"))
NORM = operation("norm")
SUM, EQUAL, WHERE = map(operation, ("sum", "equal", "where"))
OPPOSITE = {
    operation(name): operation(other)
    for name, other in (
        *(("less", "greater_equal"), ("greater", "less_equal"), ("equal", "not_equal")),
        *(("greater_equal", "less"), ("less_equal", "greater"), ("not_equal", "equal")),
    )
}
"""The comparison that is 1 where another is 0."""
EYE, FULL, DIAG = map(operation, ("eye", "full", "diag"))
DIAGONAL = frozenset(map(operation, ("trace", "diag")))
SOLVE = operation("solve")
COL, ROW = map(operation, ("col", "row"))
RESHAPES = frozenset(map(operation, ("reshape", "flatten", "squeeze", "expand_dims")))
"""The same elements in the same order, in another shape."""
PRODUCTS = frozenset(map(operation, ("dot", "inner")))
"""Products that are `@` where both operands are vectors or both are matrices."""
LINEAR = frozenset(
    map(
        operation,
        (
            *("sum", "mean", "trace", "diag", "tril", "triu", "T", "matrix_transpose", "symmetric"),
            *("scatter", "index", "place_diagonal", "lower_half", "flip", "repeat", "cumsum"),
            *("reshape", "flatten", "squeeze", "expand_dims", "col", "row"),
        ),
    )
)
"""Linear in their only operand: a factor that is a number can stand in front."""
ODD = frozenset(
    map(
        operation,
        ("sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "erf", "sign", "cbrt"),
    )
)
EVEN = frozenset(map(operation, ("cos", "cosh", "abs")))
