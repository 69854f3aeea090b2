"""A statement of homework as a small graph of its own."""

from __future__ import annotations

from operator import attrgetter

import numpy as np
import pytest

from gradcli import ops
from gradcli.grading.model.stage import Stage
from gradcli.ops.operation import Operation
from gradcli.program import Program

CAREFUL = [row for row in ops.TABLE if row.careful and row.aliases and len(row.parameters) == 1]
POINTS = (25.0, -25.0, 0.9999999999, 1e-9, 3.0)


@pytest.mark.parametrize("row", CAREFUL, ids=attrgetter("name"))
def test_a_wrong_rule_leaves_the_others_in_the_textbooks_form(row: Operation) -> None:
    graph = Program(f"{row.name}(x) * y").evaluate(x=0.5, y=0.3, check=False).graph
    stage = Stage(graph, ("x", "y"))
    product, inner = stage.graph.output, stage.graph.output - 1
    for x in POINTS:
        values = stage.values([np.float64(x), np.float64(0.3)])
        right = stage.backward(values, np.float64(1.0))
        (wanted,) = (sent for sent in right.sent if sent.node == inner)
        (found,) = stage.altered(values, right, (product, 0), "y")
        assert np.array_equal(found.value, wanted.value, equal_nan=True)
