"""The sentences of `trace --explain`."""

from __future__ import annotations

import re

import pytest

from gradcli import Program, ops
from gradcli.ops.words import WORDS, sentence
from gradcli.trace.explain import Explainer
from gradcli.trace.statements import StatementSteps
from gradcli.trace.steps import Steps

KAMPER = "(x + sigmoid(y)) / (x^2 + y)"


def explained(program: str, **values: object) -> list[str]:
    steps = Steps(Program(program).evaluate(values, check=False))
    explainer = Explainer(steps)
    return [f"{move.text}: {explainer.backward(move).text}" for move in steps.moves()]


def test_every_sentence_belongs_to_a_row() -> None:
    names = {row.name: row for row in ops.TABLE}
    assert WORDS.keys() <= names.keys()
    for name, words in WORDS.items():
        if isinstance(words, tuple):
            assert len(words) == len(names[name].operands), name


@pytest.mark.parametrize("row", ops.TABLE, ids=lambda row: row.name)
def test_every_row_has_a_sentence(row: ops.Operation) -> None:
    for k in range(len(row.operands)):
        text = sentence(row, k).format(
            to="TO", out="OUT", others="OTHERS", rule="RULE", shape="2×3"
        )
        assert re.fullmatch(r"[A-Za-zδ\d].*[.]", text), text
        assert not re.search(r"[{}]", text)


def test_the_tutorials_function() -> None:
    said = explained(KAMPER, x=3, y=-4)
    assert said[0].endswith("here e. Only f uses b, so δ of b is final.")
    assert "so two contributions add up; this is the first." in said[4]
    assert said[8].endswith("so two contributions add up, with +=. Now δ of y is final.")


def test_shapes_and_corners() -> None:
    said = " ".join(
        explained("z = W @ x + b; sum(relu(z))", W=[[1, 2], [3, 4]], x=[1, 0], b=[-1, 0])
    )
    assert "the convention is: 0 at 0." in said
    assert "so that δ of W gets the shape of W, 2×2." in said
    assert "was repeated to fit the shape 2×3" in " ".join(
        explained("sum(A + b)", A=[[1, 2, 3], [4, 5, 6]], b=[1, 2, 3])
    )


def test_a_statement_of_several_operations() -> None:
    program = Program("a = 1/(1 + exp(-y))\na*x")
    steps = StatementSteps(program.evaluate(x=1, y=2), program.statements)
    explainer = Explainer(steps)
    said = [explainer.backward(move).text for move in steps.moves()]
    assert "several operations at once" in said[-1]
