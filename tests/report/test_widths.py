"""Every report at every width of a terminal: it ends, and no number is cut in two."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment

WIDTHS = (1, 2, 5, 8, 13, 20, 40)
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")

TUTORIAL = ("(x + sigmoid(y)) / (x^2 + y)", "--x=3", "--y=-4")
NETWORK = (
    "z1 = W1 @ a0 + b1; a1 = sigmoid(z1); z2 = W2 @ a1 + b2; a2 = sigmoid(z2); J = ||y - a2||^2",
    *("--W1=[[0.15, 0.2], [0.25, 0.3]]", "--b1=[0.35, 0.35]", "--W2=[[0.4, 0.45]]", "--b2=[0.6]"),
    *("--a0=[0.05, 0.1]", "--y=[0.01]"),
)
ANSWER = "a = 1/(1+exp(-y))\nb = x+a\nc = x**2\nd = c+y\ne = 1/d\nf = b*e\ndelta_b = f\n"
NO_CHECK: tuple[tuple[str, ...], ...] = ((), ("--no-check",))
ALL: list[tuple[str, ...]] = [
    *(("eval",), ("check",), ("jacobian",), ("hessian",), ("graph",), ("lint",), ("sheet",)),
    *(("graph", "--by", "statement"), ("export",), ("trace", "--jacobians")),
    *(("eval", "--format", form) for form in ("markdown", "csv", "latex")),
    *(("trace", "--style", style) for style in ("listing", "table", "wires", "code", "math")),
]
UNCHECKED: list[tuple[str, ...]] = [
    *(("eval",), ("graph",), ("jacobian",), ("trace",), ("trace", "--style", "table")),
    *(("trace", "--by", "statement"), ("trace", "--by", "statement", "--style", "wires")),
]
REPORTS: list[tuple[str, ...]] = [
    *((command, *TUTORIAL, *more) for command, *more in ALL),
    *((c, *NETWORK, *more, *NO_CHECK[c != "graph"]) for c, *more in UNCHECKED),
    *(("trace", *TUTORIAL, "--node", node) for node in ("x", "d", "f")),
    *(("trace", *NETWORK, "--node", node, "--no-check") for node in ("W1", "z1", "J")),
    ("grade", *TUTORIAL, "answer.py"),
    *(("ops",), ("ops", "softmax"), ("examples",), ("examples", "show", "kamper")),
    *(("--help",), ("trace", "--help"), ("eval", "x + sinn(y)")),
]


def printed(words: tuple[str, ...], columns: int | None) -> str:
    environment = Environment.captured(columns=columns, variables={"NO_COLOR": "1"})
    run(words, environment)
    out, err = environment.written()
    assert "gradcli itself" not in err
    return out


@cache
def numbers(words: tuple[str, ...]) -> set[str]:
    """The numbers of a report that has all the room that it wants."""
    return set(NUMBER.findall(printed(words, None)))


@pytest.mark.parametrize("columns", WIDTHS)
def test_numbers_stay_whole(columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow report may leave numbers out and sum arrays up; it has no beginnings or ends.

    (The norm of a summary is a number without the sign of the only element.)
    """
    monkeypatch.chdir(tmp_path)
    Path("answer.py").write_text(ANSWER, "utf-8")
    for words in REPORTS:
        whole = numbers(words)
        whole |= {number.lstrip("-") for number in whole}
        for number in set(NUMBER.findall(printed(words, columns))) - whole:
            cut = [n for n in whole if n.startswith(number) or n.endswith(number)]
            assert not cut, (words, number, cut)


@pytest.mark.parametrize("columns", [40, 60, 80, 120])
@pytest.mark.parametrize("words", [("eval", *TUTORIAL), ("check", *NETWORK), ("eval", *NETWORK)])
def test_colours_change_no_character(words: tuple[str, ...], columns: int) -> None:
    """Rich draws the table only where it has colours; both drawings are one table."""
    environment = Environment.captured(columns=columns, variables={"FORCE_COLOR": "1"})
    run(words, environment)
    painted = re.sub(r"\x1b\[[\d;]*m", "", environment.written()[0])
    plain = printed(words, columns)
    assert [line.rstrip() for line in painted.splitlines()] == plain.splitlines()
