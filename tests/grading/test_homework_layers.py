"""Layers as courses have them: right code has all marks, a slip is one mistake, in its line."""

from __future__ import annotations

import pytest
from layer_cases import LAYERS

from gradcli.grading.graded import graded
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.result import Marked
from gradcli.grading.model.deadline import NEVER
from gradcli.grading.model.task import make_task
from gradcli.program import Program


def marked(layer: str, code: str) -> Marked:
    return graded(make_task(Program(LAYERS[layer].task)), code.encode(), "a.py", Scheme(), NEVER)


@pytest.mark.parametrize("layer", LAYERS)
def test_right_code_has_all_marks(layer: str) -> None:
    found = marked(layer, LAYERS[layer].code)
    assert found.right
    assert found.score == found.max_score


LONG_SEARCHES = {"draw = dnext", "dnext = draw", "dh = u"}
"""Slips whose repair is found after many others: three of them take longer than all the rest."""
SLIPS = [
    pytest.param(layer, *slip, marks=[pytest.mark.slow] * (slip[1] in LONG_SEARCHES))
    for layer, of in LAYERS.items()
    for slip in of.slips
]


@pytest.mark.parametrize(("layer", "right", "wrong", "tag"), SLIPS)
def test_a_slip_is_named_in_its_line(layer: str, right: str, wrong: str, tag: str) -> None:
    code = LAYERS[layer].code
    assert code.count(right) == 1
    found = marked(layer, code.replace(right, wrong))
    (root,) = found.roots
    assert root.line == code[: code.index(right)].count("\n") + 1
    assert not tag or tag in root.tags
