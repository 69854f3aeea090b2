"""Generated programs through `batch`: every row has what `evaluate` has for its point.

`scripts/bench batch-sweep` runs thousands of them.
"""

from __future__ import annotations

import numpy as np
import pytest
from batch_agreement import Agreement, array_cases, compare, measured

VIEWS = (
    "sum(A @ atan(v))",
    "tanh(v*v).T @ atan(v)",
    "sin(v[0:2]).T @ cos(v[1:3])",
    "block same(u) = u with delta_u = delta; s = same(sin(v)); t = cos(v); sum(exp(t)*s)",
    "block turned(u) = u.T with delta_u = delta.T; sum(turned(sin(A)) @ cos(A) + A.T @ tanh(A))",
)
"""Results that lie in another's buffer."""


def test_array_programs_of_the_whole_table() -> None:
    found = measured(array_cases(90))
    assert not found.differences, found.differences[0]
    assert found.rows > 200
    assert found.exact > 0.95 * found.numbers


@pytest.mark.parametrize("text", VIEWS)
def test_views_of_results(text: str) -> None:
    draw, found = np.random.default_rng(0), Agreement()
    columns = {"A": draw.normal(size=(5, 2, 3)), "v": draw.normal(size=(5, 3))}
    columns = {name: column for name, column in columns.items() if name in text}
    for chunk in (None, 1, 2):
        compare(found, text, columns, chunk=chunk, threads=1)
    assert not found.differences, found.differences[0]
