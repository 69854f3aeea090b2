"""The rows of the operations on arrays, from the modules that hold them."""

from __future__ import annotations

from gradcli.ops.operation import Operation
from gradcli.ops.table import (
    choosing,
    contractions,
    indexing,
    linear,
    matrices,
    moving,
    placing,
    products,
    reductions,
    running,
    shaping,
)

ROWS: tuple[Operation, ...] = (
    *products.ROWS,
    *contractions.ROWS,
    *linear.ROWS,
    *matrices.ROWS,
    *reductions.ROWS,
    *running.ROWS,
    *shaping.ROWS,
    *moving.ROWS,
    *choosing.ROWS,
    *indexing.ROWS,
    *placing.ROWS,
)
