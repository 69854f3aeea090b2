"""Rules of a program's own blocks that are wrong where no accumulator shows it."""

import pytest

from gradcli import evaluate
from gradcli.results.result import Verdict


@pytest.mark.parametrize(
    ("block", "use", "words"),
    [
        ("block q(x) = x^2 with d/dx = 3*x", "relu(-q(y))", "3/2 of what it should be"),
        ("block q(x) = sum(x^2) with delta_x = 2*x", "q(y)", "2/3 of what it should be"),
        ("block q(x) = relu(x) with d/dx = 2*(x >= 0)", "q(y - 2)", "outside of the slopes"),
        ("block q(x) = 3*x with d/dx = 1/0", "q(y)", "not finite"),
    ],
)
def test_a_wrong_rule_without_a_wrong_row(block: str, use: str, words: str) -> None:
    result = evaluate(f"{block}; {use}", y=2.0, allow_nonfinite=True)
    assert result.checks is not None
    assert all(check.verdict is not Verdict.FAIL for check in result.checks.rows.values())
    assert result.verdict == "fail"
    assert any(words in rule for rule in result.checks.rules)


@pytest.mark.parametrize("text", ["floor(x)", "x - floor(x)", "ceil(x)", "mod(x, 1)"])
def test_no_accusation_where_every_double_is_whole(text: str) -> None:
    result = evaluate(text, x=1e20)
    assert result.verdict != "fail"
