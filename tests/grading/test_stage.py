"""A statement of homework as a small graph of its own."""

from __future__ import annotations

from operator import attrgetter

import numpy as np
import pytest

from gradcli import ops
from gradcli.diagnostics.source import Source
from gradcli.grading.model.stage import of_tree
from gradcli.ops.operation import SCALAR, Operation
from gradcli.syntax.parser import parse_expression

CAREFUL = [row for row in ops.TABLE if row.careful and row.callable and len(row.parameters) == 1]
POINTS = (25.0, -25.0, 0.9999999999, 1e-9, 3.0)


@pytest.mark.parametrize("row", CAREFUL, ids=attrgetter("name"))
def test_a_wrong_rule_leaves_the_others_in_the_textbooks_form(row: Operation) -> None:
    source = Source(f"{row.name}(x) * y")
    stage = of_tree(source, parse_expression(source), {"x": SCALAR, "y": SCALAR}, None)
    product, inner = stage.graph.output, stage.graph.output - 1
    for x in POINTS:
        values = stage.values([np.float64(x), np.float64(0.3)])
        right = stage.backward(values, np.float64(1.0))
        (wanted,) = (sent for sent in right.sent if sent.node == inner)
        found = stage.altered(values, right, (product, 0), "y")[inner, 0]
        assert np.array_equal(found.value, wanted.value, equal_nan=True)
