"""Deep and long programs: nothing recurses on what a user writes.

Each text is read, printed and deleted, and some are read again and compared. How long that
takes is measured by `scripts/bench`; here it only has to work.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

import pytest

from gradcli.diagnostics.error import GradcliError, render
from gradcli.diagnostics.source import Source
from gradcli.syntax.parser import parse
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Bare, Number

sizes = pytest.mark.parametrize("n", [3_000, pytest.param(100_000, marks=pytest.mark.slow)])
"""Three and a hundred times the depth at which Python ends a recursion."""

TEXTS: dict[str, Callable[[int], str]] = {
    # Deep.
    "brackets": lambda n: "(" * n + "x" + ")" * n,
    "arrays": lambda n: "[" * n + "x" + "]" * n,
    "calls": lambda n: "f(" * n + "x" + ")" * n,
    "indices": lambda n: "x[" * n + "0" + "]" * n,
    "bars": lambda n: "|-" * n + "x" + "|" * n,
    "minus": lambda n: "-" * n + "x",
    "minus before a literal": lambda n: "- " * n + "2",
    "roots": lambda n: "√" * n + "x",
    "powers": lambda n: "x" + "^x" * n,
    "negative powers": lambda n: "2" + "^-x" * n,
    "transposes": lambda n: "x" + ".T" * n,
    "superscripts": lambda n: "x" + "²'" * (n // 2),
    "coefficients": lambda n: "2(" * n + "x" + ")" * n,
    # Long.
    "sum": lambda n: "x" + " + x" * n,
    "product": lambda n: "x" + "*x" * n,
    "comparisons": lambda n: "x" + " < x" * n,
    "arguments": lambda n: "f(" + "x, " * n + ")",
    "elements": lambda n: "[" + "1, " * n + "]",
    "statements": lambda n: "".join(f"v{i} = -x\n" for i in range(n)),
    "definitions": lambda n: "".join(f"f{i}(x) = x\n" for i in range(n // 10)),
    "a name": lambda n: "é" * n,
    "a number": lambda n: "0." + "1" * n,
    "blank lines": lambda n: "\n" * n + "x" + ";" * n,
    "a comment": lambda n: "x #" + "(" * n,
}


@sizes
@pytest.mark.parametrize("text", TEXTS)
def test_long_and_deep_programs(text: str, n: int) -> None:
    module = parse(Source(TEXTS[text](n)))
    assert len(print_tree(module)) > 0
    del module
    gc.collect()


@sizes
@pytest.mark.parametrize(("start", "repeated"), [("", "-"), ("x", "^y")])
def test_deep_trees_are_compared(start: str, repeated: str, n: int) -> None:
    text = start + repeated * n + ("" if start else "x")
    module = parse(Source(text))
    again = parse(Source(print_tree(module)))
    assert again == module
    assert hash(again) == hash(module)
    assert parse(Source(text.replace("x", "z"))) != module


def test_minus_signs_are_counted() -> None:
    (statement,) = parse(Source("-" * 10_001 + "2")).statements
    assert isinstance(statement, Bare)
    assert isinstance(statement.value, Number)
    assert statement.value.text == "-2"


MISTAKES: list[Callable[[int], str]] = [
    lambda n: "(" * n,
    lambda n: "[" * n + "x",
    lambda n: "(" * n + "x" + ")" * (n + 1),
    lambda n: "(" * n + "x]",
    lambda n: "(x" + "\nx" * n + ")",
    lambda n: "|" * n,
    lambda n: "+" * n,
    lambda n: "x" + "\n+" * n,
    lambda n: "f(" + "," * n,
    lambda n: "f(" + "x" * n + "=1, y)",
    lambda n: "x " * n,
    lambda n: "x" * n + " " + "y" * n,
    lambda n: "x = " * n,
    lambda n: "block f(x) = " + "x" * n,
    lambda n: "1/2" + "x" * n,
    lambda n: "2^2" + "(" * n + "x" + ")" * n,
    lambda n: "1_" * n,
    lambda n: "⁻" * n,
    lambda n: "x" + "²" * n,
    lambda n: "'" * n,
    lambda n: "." * n,
    lambda n: "#" * n,
]


@sizes
@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: f"{text(9)[:6]!r} {text(9)[-3:]!r}")
def test_long_and_deep_mistakes(text: Callable[[int], str], n: int) -> None:
    with pytest.raises(GradcliError) as raised:
        parse(Source(text(n)))
    assert len(render(raised.value)) < 2000


def test_the_recursion_limit_plays_no_part() -> None:
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(200)
        test_long_and_deep_programs("brackets", 10_000)
    finally:
        sys.setrecursionlimit(limit)
