"""Programs in Python as users give them: on the command line, as files, from Python."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcli as package
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.program import Program
from gradcli.python.recognized import is_python

TUTORIAL = """import numpy as np
x = 3
y = -4
a = 1.0 / (1 + np.exp(-y))
b = x + a
c = x**2
d = c + y
e = 1.0 / d
f = b * e
"""
LAMBDA = "lambda x, y: (x + 1/(1+np.exp(-y)))/(x**2 + y)"
BRANCH = "def f(x, y):\n    if x > 1:\n        return x*y\n    return x + y\n"
RNN = """def rnn(W, x, n=3):
    h = np.zeros((n, 2))
    h[0] = x
    for t in range(1, n):
        h[t] = np.tanh(W @ h[t - 1])
    return h.sum()
"""


def gradcli(*words: str) -> tuple[int, str, str]:
    environment = Environment.captured(variables={"NO_COLOR": "1"})
    code = run([*words], environment)
    out, err = environment.written()
    return code, out, err


class TestEveryCommand:
    @pytest.mark.parametrize(
        "words",
        [
            ("eval",),
            ("trace",),
            ("trace", "--by", "operation"),
            ("check",),
            ("hessian",),
            ("jacobian",),
            ("graph",),
            ("export", "--to", "numpy"),
            ("export", "--to", "python"),
            ("export", "--to", "latex"),
        ],
        ids=" ".join,
    )
    @pytest.mark.parametrize("text", [LAMBDA, BRANCH, TUTORIAL, RNN.replace("W @", "W *")])
    def test_takes_python(self, words: tuple[str, ...], text: str) -> None:
        command, *options = words
        given = ["--x", "3"] if "def rnn" in text else ["--x", "3", "--y", "-4"]
        more = ["--W", "0.5"] if "def rnn" in text else []
        code, out, err = gradcli(command, text, *given, *more, *options)
        assert (code, err) == (0, "")
        assert out

    def test_a_statement_is_a_step_of_a_trace(self, tmp_path: Path) -> None:
        path = tmp_path / "tutorial.py"
        path.write_text(TUTORIAL)
        _, out, _ = gradcli("trace", str(path))
        assert [line[0] for line in out.split("\n\n")[0].split("\n")[1:]] == list("abcdef")
        assert "df/dx = -0.524317" in out
        _, out, _ = gradcli("eval", str(path), "--x", "2.5", "--json")
        language = Program("(x + sigmoid(y))/(x^2 + y)").evaluate(x=2.5, y=-4, check=False)
        assert json.loads(out)["gradient"]["x"] == pytest.approx(language.gradient["x"], rel=1e-14)

    def test_a_notebook_is_its_code_cells(self, tmp_path: Path) -> None:
        cells = [
            {"cell_type": "code", "source": "%matplotlib inline\nimport numpy as np"},
            {"cell_type": "markdown", "source": "x = 100"},
            {"cell_type": "code", "source": ["x = 2.0\n", "y = np.sin(x)*x"], "outputs": []},
        ]
        path = tmp_path / "n.ipynb"
        path.write_text(json.dumps({"cells": cells, "nbformat": 4}))
        code, out, err = gradcli("eval", str(path), "--grad", "x")
        assert (code, err) == (0, "")
        assert float(out) == pytest.approx(np.cos(2) * 2 + np.sin(2), rel=1e-14)

    def test_structures_are_taken_apart(self, tmp_path: Path) -> None:
        text = 'def f(p, xs):\n    W, b = p["l"]\n    return np.sum((W @ xs[1] + b)*xs[0])\n'
        data = tmp_path / "d.json"
        data.write_text('{"p": {"l": [[[1, 2], [3, 4]], [5, 6]]}, "xs": [2, [1, -1]]}')
        _, out, _ = gradcli("eval", text, "--data", str(data), "--json")
        found = json.loads(out)
        assert found["gradient"] == {
            'p["l"][0]': [[2, -2], [2, -2]],
            'p["l"][1]': [2, 2],
            "xs[0]": 9,
            "xs[1]": [8, 12],
        }
        assert found["check"]["verdict"] == "pass"

    def test_batch_runs_rows(self, tmp_path: Path) -> None:
        points = tmp_path / "p.csv"
        points.write_text("x,y\n3,-4\n1,2\n")
        code, out, err = gradcli("batch", LAMBDA, str(points))
        assert (code, err) == (0, "")
        rows = [line.split(",") for line in out.strip().split("\n")[1:]]
        for row, point in zip(rows, ({"x": 3, "y": -4}, {"x": 1, "y": 2}), strict=True):
            result = Program(LAMBDA).evaluate(point, check=False)
            wanted = [result.value, *result.gradient.values()]
            assert [float(v) for v in row] == pytest.approx(wanted, rel=1e-14)
        code, _, err = gradcli("batch", BRANCH, str(points))
        assert code == 2
        assert "depends on 'x', and its value differs from point to point" in err

    def test_formulas_need_shapes_and_no_values(self) -> None:
        """Formulas of Python are those of the same mathematics in the language."""
        pairs = {
            "lambda x, y: x**2*np.sin(y)": ("x^2*sin(y)", {}),
            "lambda x, k=3: x**k": ("x^k", {}),
            "def f(x):\n    s = 0\n    for i in range(3):\n        s += x**i\n    return s": (
                "0*x + x + x^2",
                {},
            ),
            "lambda W, x: np.sum(np.tanh(W @ x))": ("sum(tanh(W @ x))", {"W": (3, 2), "x": (2,)}),
        }
        for text, (same, shapes) in pairs.items():
            found = Program(text).diff(shapes=shapes)
            wanted = Program(same).diff(shapes=shapes)
            assert {f.wrt: f.text for f in found.formulas} == {
                f.wrt: f.text for f in wanted.formulas
            }
            assert all(f.value is None for f in found.formulas)
        for words, problem in (
            ((BRANCH,), "depends on 'x', which has no value"),
            (("lambda v: v.sum()", "--vector", "v"), "the size of 'v' isn't known"),
            (("lambda v: v @ v",), "taken for a number: v"),
            (("lambda v: v", "--shape", "w=2"), "the program does not use 'w'"),
        ):
            code, _, err = gradcli("diff", *words)
            assert code == 2
            assert problem in err

    def test_exported_code_computes_the_same(self) -> None:
        _, out, _ = gradcli("export", RNN, "--W", "[[0.1, 0.2], [0.3, -0.4]]", "--x", "[1, 2]",
                            "--to", "python")  # fmt: skip
        names: dict[str, Any] = {}
        exec(out, names)  # noqa: S102 - what gradcli itself has written
        point = {"W": np.array([[0.1, 0.2], [0.3, -0.4]]), "x": np.array([1.0, 2.0])}
        value, gradient = names["value_and_gradient"](**point)
        result = Program(RNN).evaluate(point, check=False)
        assert value == pytest.approx(result.value, rel=1e-14)
        np.testing.assert_allclose(gradient["W"], result.gradient["W"], rtol=1e-13)


class TestWhichProgram:
    @pytest.mark.parametrize(
        ("text", "python"),
        [
            (LAMBDA, True),
            (BRANCH, True),
            (TUTORIAL, True),
            ("# a comment\nimport numpy as np\nx = 1", True),
            ('"""text"""\ndef f(x): return x', True),
            ("f = lambda x: x**2", True),
            ("f = lambda*x", False),
            ("lambda*x[0:2]", False),
            ("lambda x, *y, z=(1, 2), **k: x", True),
            ("lambda: 3", True),
            ("lambda x, *, k=2: k*x", True),
            ("x = 3; x^2", False),
            ("f(x, y) = x*y", False),
            ("define = 3*x\nimported = define + 1", False),
            ("block cube(u) = u^3 with d/du = 3*u^2; cube(x)", False),
            ("lambda_ = 3*x", False),
            ("λ = 2; λ*x", False),
        ],
    )
    def test_is_told_from_the_language(self, text: str, python: bool) -> None:  # noqa: FBT001
        assert is_python(text) == python

    @pytest.mark.parametrize(
        "text", ["'''" * 1000, "lambda " + "a" * 5000, "# a\n" * 5000 + "x", "lambda a = b " * 999]
    )
    def test_is_told_in_linear_time(self, text: str) -> None:
        assert not is_python(text)

    def test_a_function_is_chosen(self) -> None:
        text = "def g(z): return z**2\ndef f(x): return g(x) + 1\ndef h(x): return x"
        with pytest.raises(GradcliError, match="which one") as caught:
            Program(text)
        assert caught.value.hint == "--function NAME takes one of f, h"
        assert Program(text, function="g").evaluate(z=3).value == 9
        assert Program(text.rpartition("\n")[0]).evaluate(x=3).value == 10
        with pytest.raises(GradcliError, match="no function 'k'"):
            Program(text, function="k")

    def test_an_output_is_chosen(self) -> None:
        text = "def f(x):\n    a = x**2\n    for i in range(2):\n        a = a + 1\n    return a*2"
        assert Program(text, output="a").evaluate(x=3).value == 9
        assert Program(text, output="a (i = 1)").evaluate(x=3).value == 11
        with pytest.raises(GradcliError, match="no variable 'b'"):
            Program(text, output="b").evaluate(x=3)

    def test_a_program_can_be_pickled(self) -> None:
        program = pickle.loads(pickle.dumps(Program(RNN)))  # noqa: S301 - our own
        assert program.evaluate(W=np.eye(2), x=[1.0, 2.0], check=False).value > 0

    def test_defaults_are_values(self) -> None:
        text = "def f(x, a=2.0, mode='sin', n=3, axis=None):\n    return a*np.sin(x)**n"
        result = package.Program(text).evaluate(x=1)
        assert set(result.gradient) == {"x", "a", "n"}
        assert Program(text).evaluate(x=1, a=0).value == 0

    def test_branches_follow_the_point(self) -> None:
        program = Program(BRANCH)
        assert program.evaluate(x=2, y=5).value == 10
        assert program.evaluate(x=0, y=5).value == 5
        assert program.evaluate(x=2, y=5).gradient == {"x": 5, "y": 2}


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "kind", "part", "underlined"),
        [
            ("lambda x: np.sum(x", Kind.SYNTAX, "was never closed", "("),
            ("def f(x):\n  y = foo(x)\n  return y*2", Kind.NAME, "'foo' has no value", "foo"),
            ("lambda x: np.fft.fft(x)", Kind.NAME, "fft is not read", "np.fft.fft(x)"),
            ("lambda x: np.ones((2, 3)) @ x", Kind.SHAPE, "do not fit", "@"),
            ("def f(x):\n  return 'a'", Kind.SYNTAX, "returns a text", "return 'a'"),
            ("def f(x):\n  x = x[5]\n  return x", Kind.SHAPE, "out of bounds", "x[5]"),
            ("lambda x, y: x", Kind.BINDING, "'y' has no value", "y"),
            ("lambda x: np.log(-x).sum()", Kind.DOMAIN, "is not defined", "np.log(-x)"),
        ],
    )
    def test_are_underlined_in_the_text(
        self, text: str, kind: Kind, part: str, underlined: str
    ) -> None:
        with pytest.raises(GradcliError) as caught:
            Program(text).evaluate(x=[1.0, 2.0], check=False, upstream=1.0)
        error = caught.value
        assert error.kind is kind
        assert part in error.message
        assert error.source is not None
        assert error.span is not None
        found = error.source.text[error.span.start : error.span.end]
        assert found == underlined

    def test_what_does_not_depend_on_something_unread_stands(self) -> None:
        text = "def f(x):\n    a = x**2\n    b = mystery(x)\n    c = b + 1\n    return a"
        assert Program(text).evaluate(x=3).value == 9
        with pytest.raises(GradcliError, match="mystery"):
            Program(text.replace("return a", "return c")).evaluate(x=3)
        print_ = text.replace("b = mystery(x)", "plt.plot(x); print(x); b = 0")
        assert Program(print_).evaluate(x=3).value == 9
