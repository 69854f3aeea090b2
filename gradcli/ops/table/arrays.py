"""The rows of the operations on arrays, from the modules that hold them."""

from __future__ import annotations

from gradcli.ops.operation import Operation
from gradcli.ops.table import indexing, linear, products, reductions, running, shaping

ROWS: tuple[Operation, ...] = (
    *products.ROWS,
    *linear.ROWS,
    *reductions.ROWS,
    *running.ROWS,
    *shaping.ROWS,
    *indexing.ROWS,
)
