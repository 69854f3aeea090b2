"""Results to make reports of. Their checks are made up, so that every verdict occurs.

What a real check finds depends in its last digits on the machine; a report of it is no snapshot.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from gradcli.program import Program
from gradcli.results.result import Check, Checks, Result, Verdict

TUTORIAL = "(x + sigmoid(y)) / (x^2 + y)"

NETWORK = """\
z = W @ a0 + b
h = relu(z)
loss = sum((h - t)^2) + 0.5*||W||^2 + where(t[0] > 0, log(t[0]), -2)
scale = 2*pi
loss*scale"""

DEEP = """\
z1 = W1 @ x + b1
a1 = sigmoid(z1)
z2 = W2 @ a1 + b2
||z2||^2/2"""

LONG = """\
a_name_that_goes_on_and_on_and_on_and_on = first_operand_with_a_name*second_operand + 1
where(a_name_that_goes_on_and_on_and_on_and_on > 0, a_name_that_goes_on_and_on_and_on_and_on, 0)"""

VERDICTS = {
    "b": Check(Verdict.KINK, None, 1e-9, None, 0.0, 1.0, "relu", "lies between"),
    "c": Check(Verdict.FAIL, 2.4131, 2e-12, slope=2.4131),
    "d": Check(Verdict.INCONCLUSIVE, 2.4131, 2e-2, 2.8, reason="rounding noise in f"),
    "e": Check(Verdict.ZERO, 0.0, 2e-16),
}


def with_checks(
    result: Result,
    special: Mapping[str, Check] | None = None,
    omitted: int = 0,
    local: int | None = None,
) -> Result:
    """The result with a check of every accumulator but the first `omitted`."""
    rows: dict[int, Check] = {}
    for row in result.rows():
        if row.delta is None:
            continue
        large = np.size(row.delta) > 64
        rows[row.node.id] = (special or {}).get(row.node.name) or Check(
            Verdict.PASS,
            None if large else row.delta,
            2.3e-13,
            11 + row.node.id % 30 / 10,
            reason="3 random directions: an element off by 0.1 % is missed at 1e-12"
            if large
            else "",
        )
    for node in list(rows)[:omitted]:
        del rows[node]
    return dataclasses.replace(result, checks=Checks(rows, omitted, local))


def evaluate(program: str, inputs: Mapping[str, Any] | None = None, **options: Any) -> Result:
    """A result without a check."""
    return Program(program).evaluate(inputs or {}, check=False, **options)


def chain(length: int) -> Result:
    """A program of so many operations, all of which agree but two."""
    lines = ["v1 = sin(x)", *(f"v{i} = sin(v{i - 1})" for i in range(2, length + 1))]
    special = {"v100": VERDICTS["c"], f"v{length // 2}": VERDICTS["b"]}
    return with_checks(evaluate("\n".join(lines), {"x": 1}), special)


@cache
def samples() -> dict[str, Result]:
    """The results by name."""
    tutorial = evaluate(TUTORIAL, {"x": 3, "y": -4})
    network = {
        "W": [[1, 2, 0.5], [-3, 4, 1e-3]],
        "a0": [1, 2, 3],
        "b": [0.1, 0.2],
        "t": [1, 2],
    }
    deep = {
        "W1": np.sin(np.arange(600)).reshape(30, 20),
        "x": np.linspace(-1, 1, 20),
        "b1": np.linspace(0, 3, 30),
        "W2": np.cos(np.arange(90)).reshape(3, 30),
        "b2": [1, 2, 3],
    }
    wide = {"x̂": 2.5, "目标": -1, "δ_z": 0.5}
    long = {"first_operand_with_a_name": 1e-200, "second_operand": 123456789}
    return {
        "tutorial": with_checks(tutorial),
        "unchecked": tutorial,
        "verdicts": with_checks(tutorial, VERDICTS, omitted=1),
        "budget": with_checks(tutorial, omitted=5, local=6),
        "wrt": with_checks(evaluate(TUTORIAL, {"x": 3, "y": -4}, wrt=["y"])),
        "network": with_checks(evaluate(NETWORK, network)),
        "deep": with_checks(evaluate(DEEP, deep)),
        "upstream": with_checks(
            evaluate("A*x", {"A": np.eye(2), "x": 3}, upstream=np.ones((2, 2)))
        ),
        "constants": evaluate("a = 2*pi; b = [1, 2, 3]; sum(b)*a"),
        "empty": with_checks(evaluate("sum(zeros(0)*x) + x", {"x": 2})),
        "cube": with_checks(evaluate("prod(A)", {"A": np.arange(1, 9).reshape(2, 2, 2)})),
        "wide": with_checks(evaluate("损失 = (x̂ - 目标)^2 + δ_z*√|x̂|\nσ(损失)", wide)),
        "markup": with_checks(evaluate("bold = [red, link]; sum(bold)*red", {"red": 1, "link": 2})),
        "long": with_checks(evaluate(LONG, long)),
        "nonfinite": evaluate("log(x)*y + [1, inf][0]", {"x": 0, "y": 0}, allow_nonfinite=True),
    }


NAMES = tuple(samples())
