"""Every kind of error as a user sees it, and that nothing is ever worse than an error."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.cli.registry import COMMANDS
from gradcli.diagnostics.error import Kind

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


def gradcli(*arguments: str, **outside: Any) -> tuple[int, str, str]:
    environment = Environment.captured(**outside)
    return run(arguments, environment), *environment.written()


FAILURES = {
    "syntax: unfinished": ["eval", "x +", "--x", "3"],
    "syntax: empty program": ["eval", ""],
    "syntax: no argument": ["eval", "max()"],
    "syntax: no such argument": ["eval", "sum(x, axes=0)", "--x", "3"],
    "syntax: an argument by two names": ["eval", "clip(x, a_min=0, lo=2, hi=3)", "--x", "3"],
    "syntax: numbers with blanks": ["eval", "x", "--x", "1 2"],
    "syntax: numbers with semicolons": ["eval", "x", "--x", "[1 2; 3 4]"],
    "syntax: numbers with a comma": ["eval", "x", "--x", "1,2"],
    "syntax: thousands": ["eval", "x", "--x", "1,000"],
    "syntax: rows": ["eval", "x", "--x", "[1, 2], [3, 4]"],
    "syntax: rows of unequal length": ["eval", "x", "--set", "x=1; 2, 3"],
    "syntax: a statement as a value": ["eval", "x", "--x", "y = 3"],
    "name: misspelt function": ["eval", "(x + sigmod(y)) / (x^2 + y)", "--x", "3", "--y", "1"],
    "name: misspelt function in a value": ["eval", "x", "--x", "[1, sqr(2)]"],
    "name: a value that depends on an input": ["eval", "x", "--x", "2*y"],
    "binding: a function without brackets, no value": ["eval", "sin + x", "--x", "3"],
    "name: a function in a block's rule": [
        "eval",
        "f(x) = 2*x; block b(p) = p^2 with d/dp = f(p); b(x)",
    ],
    "name: NumPy's other names": ["eval", "np.linalg.svd(a)", "--a", "3"],
    "name: a derivative as a function": ["eval", "derivative(x^2, x)", "--x", "3"],
    "syntax: a derivative as an operator": ["eval", "y = x; d/dx(x^2)", "--x", "3"],
    "name: another notation": ["eval", "tg(x)", "--x", "3"],
    "name: an element in round brackets": ["eval", "x(0)", "--x", "[1, 2]"],
    "name: capitals": ["eval", "LeakyReLU(x)", "--x", "3"],
    "name: a factor at a function": ["eval", "xsin(x)", "--x", "3"],
    "name: a power at a function": ["eval", "sin^n(x)", "--x", "3", "--n", "2"],
    "name: a function defined by ==": ["eval", "f(x) == x^2", "--x", "3"],
    "name: --wrt": ["eval", "theta^2", "--theta", "3", "--wrt", "teta"],
    "name: --grad": ["eval", "theta^2", "--theta", "3", "--grad", "x"],
    "name: --output": ["eval", "loss = x^2; loss + 1", "--x", "3", "--output", "los"],
    "name: operation": ["ops", "sigmod"],
    "binding: no value": ["eval", "x*y", "--x", "3"],
    "binding: no value, an option's name": ["eval", "data^2"],
    "binding: misspelt input": ["eval", "theta^2", "--thet", "3"],
    "binding: misspelt option": ["eval", "x^2", "--x", "3", "--precison", "3"],
    "binding: not used": ["eval", "x^2", "--x", "3", "--y", "3"],
    "binding: a function without brackets": ["eval", "sin", "--x", "3"],
    "binding: another command's option": ["eval", "x^2", "--x", "3", "--layout", "numerator"],
    "binding: a call run together": ["eval", "y*sinx", "--x", "3", "--y", "2"],
    "binding: a call run together, no value": ["eval", "logx + 1"],
    "binding: a product run together": ["eval", "2πr*xy + x", "--r", "3", "--x", "1", "--y", "2"],
    "binding: misspelt option at a call run together": ["eval", "sinx", "--precison", "3"],
    "binding: no product": ["eval", "xq + x", "--x", "1", "--y", "2"],
    "binding: a name run together that has a value": [
        "eval",
        "sinx + y",
        "--sinx",
        "1",
        "--y",
        "2",
        "--x",
        "3",
    ],
    "binding: a derivative": ["eval", "f(x) = x^2; df/dx", "--x", "3"],
    "binding: a derivative, no value": ["eval", "f(x) = x^2; df/dx"],
    "binding: a value by ==": ["eval", "x == 3"],
    "binding: infinity": ["eval", "x + Inf", "--x", "1"],
    "binding: imaginary": ["eval", "x + 2i", "--x", "1"],
    "binding: A^T": ["eval", "sum(A^T)", "--A", "eye(2)"],
    "binding: not used in a #: line": ["eval", "#: x = 3\n#: yy = 3\nx*y"],
    "binding: a #: line and a definition": ["eval", "#: y = 3\ny = x; y"],
    "binding: twice": ["eval", "x^2", "--x", "3", "--set", "x=4"],
    "binding: defined in the program": ["eval", "y = x^2; y", "--x", "3", "--y", "3"],
    "binding: infinite": ["eval", "x^2", "--x", "[1, inf]"],
    "shape: product": ["eval", "W @ x", "--W", "ones((3, 2))", "--x", "ones(3)"],
    "shape: product with a transpose": ["eval", "W@x.T", "--W", "ones((3, 2))", "--x", "ones(2)"],
    "shape: no number": ["eval", "2*x", "--x", "ones(3)"],
    "shape: --upstream": ["eval", "2*x", "--x", "ones(3)", "--upstream", "1"],
    "shape: too large": ["eval", "sum(ones((10^6, 10^6)))"],
    "shape: too large for words": ["eval", "sum(arange(0, 1, 1e-300))"],
    "shape: softmax of nothing": ["eval", "sum(softmax(x))", "--x", "zeros((3, 0))"],
    "shape: a block's rule": ["eval", "block sq(p) = p^2 with d/dp = [1,2]\nsq(x)", "--x", "3"],
    "shape: a block that is not elementwise": [
        "eval",
        "block total(p) = sum(p) with d/dp = 1; total(x)",
        "--x=[1, 2]",
    ],
    "shape: a mask": ["eval", "sum(x[x > 0])", "--x", "[1, -2]"],
    "shape: a list of indices": ["eval", "sum(x[[0, 2]])", "--x", "[1, -2]"],
    "shape: in a block's rule": [
        "eval",
        "block f(p, q) = sum(p*q) with\n  delta_p = delta*q,\n  delta_q = delta*p @ [1,2]\nf(x, x)",
        "--x=[1, 2, 3]",
    ],
    "shape: in a block's value": [
        "eval",
        "block f(p) = p[3] with delta_p = delta; y = f(x)",
        "--x=[1, 2]",
    ],
    "file: missing program": ["eval", "--file", "task.gard"],
    "file: missing task": ["grade", "tasks.grad", "answer.py"],
    "file: missing value": ["eval", "x", "--x", "@nothing.csv"],
    "file: no name": ["eval", "x", "--x", "@"],
    "file: no name of a program": ["eval", "--file", ""],
    "file: folder": ["eval", "x", "--data", "folder.json"],
    "file: text cell": ["eval", "sum(x)", "--x", "@text.csv"],
    "file: ragged JSON": ["eval", "sum(x)", "--data", "ragged.json"],
    "file: broken JSON": ["eval", "sum(x)", "--data", "broken.json"],
    "file: pickle": ["eval", "sum(x)", "--x", "@pickle.npy"],
    "file: binary": ["eval", "--file", "pickle.npy"],
    "file: --out": ["eval", "x", "--x", "1", "--out", "no/folder/out.txt"],
    "option: misspelt": ["eval", "x^2", "--x", "3", "--jsn"],
    "option: another command's": ["eval", "x^2", "--x", "3", "--strict"],
    "option: another command's, with the program": ["eval", "--strict", "x^2", "--x", "3"],
    "option: of many commands": ["ops", "--wrt", "x"],
    "option: has taken the program": ["eval", "--jsn", "x^2", "--x", "3"],
    "option: misspelt command": ["evla", "x^2"],
    "option: before the command": ["--value", "eval", "x^2"],
    "option: no program": ["eval", "--x", "3"],
    "option: two programs": ["eval", "x", "^", "2", "--x", "3"],
    "option: one dash": ["eval", "x^2", "-x", "3"],
    "option: numbers as arguments": ["eval", "sum(x)", "--x", "1", "2"],
    "option: a number without a name": ["eval", "x^2", "3"],
    "option: blanks around =": ["eval", "x^2", "--x", "=", "3"],
    "option: a colon": ["eval", "x^2", "--x:", "3"],
    "option: no dashes": ["eval", "x^2", "x=3"],
    "option: program and file": ["eval", "file^2", "--file", "3"],
    "option: choice": ["eval", "x^2", "--x", "3", "--format", "jsn"],
    "option: number": ["eval", "x^2", "--x", "3", "--precision", "many"],
    "option: range": ["eval", "x^2", "--x", "3", "--precision", "30"],
    "option: a wide range": ["eval", "x^2", "--x", "3", "--check-budget", "-1"],
    "option: contradiction": ["eval", "x^2", "--x", "3", "--no-check", "--check", "all"],
    "option: wrt and grad": ["eval", "x*y", "--x", "3", "--y", "4", "--wrt", "x", "--grad", "y"],
    "option: forward and grad": ["trace", "x^2", "--x", "3", "--pass", "forward", "--grad", "x"],
    "option: value and grad": ["eval", "x^2", "--x", "3", "--value", "--grad", "x"],
    "option: check without a check": ["check", "x^2", "--x", "3", "--no-check"],
    "domain: log": ["eval", "log(x - 2)", "--x", "1"],
    "domain: in a block": ["eval", "block f(p) = log(p) with d/dp = 1/p; f(x)", "--x", "-1"],
    "domain: deep in a block": [
        "eval",
        "g(p) = log(p^2 - 1)\nblock f(p) = 1 + g(p) with d/dp = 2*p/(p^2 - 1)\n2*sum(f(x))",
        "--x=[2, 0]",
    ],
    "domain: a block's rule": ["eval", "block f(p) = p^2 with d/dp = log(p); f(x)", "--x", "-1"],
    "domain: by a literal": ["eval", "x/0", "--x", "3"],
    "domain: a power of a literal": ["eval", "(-2)^x", "--x", "0.5"],
    "domain: a base": ["eval", "log(x, 1)", "--x", "2"],
    "overflow: in a block": [
        "eval",
        "block f(p) = exp(p)^2 with d/dp = 2*exp(p)^2; f(x)",
        "--x",
        "500",
    ],
    "singular: in a block": [
        "eval",
        "block f(A) = 2*inv(A) with delta_A = A; sum(f(x))",
        "--x",
        "ones((2, 2))",
    ],
    "domain: in a value": ["eval", "x", "--x", "1/(2 - 2)"],
    "overflow: exp": ["eval", "exp(x)", "--x", "1000"],
    "edge: sqrt": ["eval", "sqrt(x)", "--x", "0"],
    "singular: inv": ["eval", "sum(inv(A))", "--A", "ones((2, 2))"],
    "syntax: escapes": ["eval", "x + \x1b[31m[bold]y\x07", "--x", "1"],
    "file: escapes in a name": ["eval", "x", "--x", "1", "--out", "/no/\x1b]0;title\x07[red]"],
    "file: invalid UTF-8": ["eval", "x # \udcff", "--x", "1"],
}


def _kind(name: str) -> str:
    return name.partition(":")[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the command lines above name."""
    monkeypatch.chdir(tmp_path)
    Path("task.grad").write_text("x^2")
    Path("folder.json").mkdir()
    Path("text.csv").write_text("a,b\n1,2\n3,four\n")
    Path("ragged.json").write_text('{"x": [[1, 2], [3]]}')
    Path("broken.json").write_text('{"x": [1, 2,, 3]}')
    np.save("pickle.npy", np.array([object()]), allow_pickle=True)


@pytest.mark.usefixtures("folder")
class TestEveryKind:
    @pytest.mark.parametrize("name", FAILURES)
    def test_for_a_person(self, name: str, snapshot: SnapshotAssertion) -> None:
        code, out, err = gradcli(*FAILURES[name])
        assert out == ""
        assert code == (1 if _kind(name) in ("domain", "overflow", "edge", "singular") else 2)
        assert err.startswith("error: ")
        assert all(line.isprintable() for line in err.split("\n"))
        assert err == snapshot

    @pytest.mark.parametrize("name", [n for n, words in FAILURES.items() if words])
    def test_for_a_program(self, name: str) -> None:
        code, out, err = gradcli(*FAILURES[name], "--json")
        shown = gradcli(*FAILURES[name])
        assert (code, out) == shown[:2]
        assert err.isascii()
        assert err.count("\n") == 1
        error = json.loads(err)
        assert error.keys() == {"schema", "error"}
        assert error["schema"] == "gradcli.error/1"
        keys = {"kind", "message", "hint", "line", "column", "end_column"}
        assert error["error"].keys() == keys
        assert error["error"]["kind"] == _kind(name)

    def test_kinds_are_complete(self) -> None:
        """Of the kinds, only `submission` belongs to another command."""
        assert {name.split(":")[0] for name in FAILURES if ":" in name} == set(Kind) - {
            "submission"
        }


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_streams_without_the_characters(encoding: str, snapshot: SnapshotAssertion) -> None:
    """The marks are where the characters are, whatever these are written as."""
    words = ["eval", "ŷ*(W @ δ)", "--W", "eye(3)", "--δ=[1, 2]", "--ŷ", "1"]
    code, out, err = gradcli(*words, encoding=encoding)
    assert (code, out) == (2, "")
    assert err == snapshot(name="no δ")


def test_an_option_behind_the_end_of_options() -> None:
    code, _, err = gradcli("eval", "--x", "3", "--", "-x", "--json")
    assert code == 2
    assert err.split("\n")[:2] == [
        "error: unexpected argument '--json'",
        "  hint: options stand before a bare --, which ends them",
    ]


def test_the_width_is_that_of_the_terminal() -> None:
    for columns in (40, 60, 80, 200):
        _, _, err = gradcli("eval", "x + " * 100 + "sinn(x)" + " + x" * 100, columns=columns)
        assert max(map(len, err.split("\n"))) == min(columns, 100)


class TestMistakesOfGradcliItself:
    def test_one_line_and_an_invitation(
        self, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
    ) -> None:
        def broken(*_: object, **__: object) -> None:
            raise KeyError("a\x1b[31m\nb")

        monkeypatch.setattr("gradcli.program.Program.evaluate", broken)
        code, out, err = gradcli("eval", "x", "--x", "1")
        assert (code, out) == (2, "")
        assert err == snapshot
        _, _, err = gradcli("eval", "x", "--x", "1", variables={"GRADCLI_DEBUG": "1"})
        assert "Traceback" in err

    def test_debugging_changes_no_other_error(self) -> None:
        plain = gradcli("eval", "x")
        assert gradcli("eval", "x", variables={"GRADCLI_DEBUG": "1"}) == plain

    @pytest.mark.parametrize(
        "error", [MemoryError(), RecursionError("too deep"), OSError(5, "I/O")]
    )
    def test_what_the_system_refuses(
        self, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        def failing(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr("gradcli.program.Program.evaluate", failing)
        code, out, err = gradcli("eval", "x", "--x", "1")
        assert (code, out) == (2, "")
        assert err.startswith("error: ")
        assert "Traceback" not in err

    def test_more_than_fits_into_memory(self) -> None:
        code, out, err = gradcli("eval", "sum(x)", "--x", "zeros((10^7, 10^7))")
        assert (code, out) == (2, "")
        assert err.startswith("error: ")


WORDS = st.sampled_from(
    [
        *COMMANDS, "x^2", "-x", "--x", "3", "-3", "--x=3", "--set", "y=2", "--json", "--format",
        "csv", "--value", "--grad", "x", "--wrt", "--output", "--no-check", "--seed", "1", "--",
        "-", "-h", "--help", "--version", "--file", "--data", "@x", "--precision", "2", "--check",
        "none", "--allow-nonfinite", "--upstream", "sigmoid", "--ascii", "[bold]", "\x1b[2J",
        "\udcff", "ops",
    ]
)  # fmt: skip


@given(st.lists(WORDS | st.text(max_size=8), max_size=7))
@settings(max_examples=300, deadline=None)
def test_whatever_is_typed(words: list[str]) -> None:
    """An exit code of the table, and no escape that came from outside."""
    code, out, err = gradcli(*words, stdin=b"x^2", columns=80, variables={"NO_COLOR": "1"})
    of_homework = (4, 5) if words[:1] == ["grade"] else ()
    assert code in (0, 1, 2, 3, *of_homework)
    assert "gradcli itself" not in err
    assert "Traceback" not in err
    for text in (out, err):
        assert "\x1b" not in text
        assert "\x9b" not in text
    assert bool(err) == (code in (1, 2, 5)) or words[:1] == ["check"]


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_whatever_is_in_a_file(content: bytes) -> None:
    code, _, err = gradcli("eval", "-", "--no-check", stdin=content)
    assert code in (0, 1, 2)
    assert "gradcli itself" not in err
    assert all(line.isprintable() for line in err.split("\n"))


@pytest.mark.parametrize("name", ["name: misspelt function", "shape: product", "option: misspelt"])
def test_in_colour(name: str, snapshot: SnapshotAssertion) -> None:
    """`error:` is red and the place bold; without the colours it is the same text."""
    words = FAILURES[name]
    plain = gradcli(*words)
    code, out, err = gradcli(*words, variables={"FORCE_COLOR": "1"})
    assert (code, out) == plain[:2]
    assert re.sub(r"\x1b\[[\d;]*m", "", err) == plain[2]
    assert err == snapshot
