"""Deep and long programs: nothing recurses on what a user writes.

Each text is read, printed and deleted, and some are read again and compared. How long that
takes is measured by `scripts/bench`; here it only has to work.
"""

from __future__ import annotations

import gc
import sys

import pytest

from gradcli.diagnostics.error import GradcliError, render
from gradcli.diagnostics.source import Source
from gradcli.syntax.parser import parse
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Bare, Number

N = 100_000

DEEP = {
    "brackets": "(" * N + "x" + ")" * N,
    "arrays": "[" * N + "x" + "]" * N,
    "calls": "f(" * N + "x" + ")" * N,
    "indices": "x[" * N + "0" + "]" * N,
    "bars": "|-" * N + "x" + "|" * N,
    "minus": "-" * N + "x",
    "minus before a literal": "- " * N + "2",
    "roots": "√" * N + "x",
    "powers": "x" + "^x" * N,
    "negative powers": "2" + "^-x" * N,
    "transposes": "x" + ".T" * N,
    "superscripts": "x" + "²'" * (N // 2),
    "coefficients": "2(" * N + "x" + ")" * N,
}
LONG = {
    "sum": "x" + " + x" * N,
    "product": "x" + "*x" * N,
    "comparisons": "x" + " < x" * N,
    "arguments": "f(" + "x, " * N + ")",
    "elements": "[" + "1, " * N + "]",
    "statements": "".join(f"v{i} = -x\n" for i in range(N)),
    "definitions": "".join(f"f{i}(x) = x\n" for i in range(N // 10)),
    "a name": "é" * N,
    "a number": "0." + "1" * N,
    "blank lines": "\n" * N + "x" + ";" * N,
    "a comment": "x #" + "(" * N,
}


@pytest.mark.parametrize("text", [*DEEP.values(), *LONG.values()], ids=[*DEEP, *LONG])
def test_long_and_deep_programs(text: str) -> None:
    module = parse(Source(text))
    assert len(print_tree(module)) > 0
    del module
    gc.collect()


@pytest.mark.parametrize("text", ["-" * N + "x", "x" + "^y" * N], ids=["-", "^"])
def test_deep_trees_are_compared(text: str) -> None:
    module = parse(Source(text))
    again = parse(Source(print_tree(module)))
    assert again == module
    assert hash(again) == hash(module)
    assert parse(Source(text.replace("x", "z"))) != module


def test_minus_signs_are_counted() -> None:
    (statement,) = parse(Source("-" * (N + 1) + "2")).statements
    assert isinstance(statement, Bare)
    assert isinstance(statement.value, Number)
    assert statement.value.text == "-2"


@pytest.mark.parametrize(
    "text",
    [
        "(" * N,
        "[" * N + "x",
        "(" * N + "x" + ")" * (N + 1),
        "(" * N + "x]",
        "(x" + "\nx" * N + ")",
        "|" * N,
        "+" * N,
        "x" + "\n+" * N,
        "f(" + "," * N,
        "f(" + "x" * N + "=1, y)",
        "x " * N,
        "x" * N + " " + "y" * N,
        "x = " * N,
        "block f(x) = " + "x" * N,
        "1/2" + "x" * N,
        "2^2" + "(" * N + "x" + ")" * N,
        "1_" * N,
        "⁻" * N,
        "x" + "²" * N,
        "'" * N,
        "." * N,
        "#" * N,
    ],
    ids=lambda text: f"{text[:6]!r} {text[-3:]!r}",
)
def test_long_and_deep_mistakes(text: str) -> None:
    with pytest.raises(GradcliError) as raised:
        parse(Source(text))
    assert len(render(raised.value)) < 2000


def test_the_recursion_limit_plays_no_part() -> None:
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(200)
        test_long_and_deep_programs(DEEP["brackets"])
    finally:
        sys.setrecursionlimit(limit)
