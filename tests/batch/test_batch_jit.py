"""Many points in one compiled loop: what NumPy's calls give, and what goes through NumPy."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcli import GradcliError, Program, ops
from gradcli.batch import jit, native
from gradcli.batch.kernel import Line
from gradcli.batch.loop import FUNCTIONS, Compiled, loop_of
from gradcli.cli.app import run
from gradcli.cli.environment import Environment

TUTORIAL = "(x + sigmoid(y)) / (x^2 + y)"
ROSENBROCK = " + ".join(f"100*(x{i + 1} - x{i}^2)^2 + (1 - x{i})^2" for i in range(4))
EXPRESSIONS = (
    "sigmoid_slope(x)",
    "tanh_slope(x)",
    "logaddexp_slope(x, y)",
    "round(x)",
    *(
        "x + y",
        "x - y",
        "x*y",
        "x/3",
        "1/y",
        "-x",
        "x^2",
        "y^3",
        "x^2.5",
        "x^-2",
        "x^y",
        "square(x)",
    ),
    *("x < y", "x <= y", "x > y", "x >= y", "x == y", "x != y", "where(x > y, x, 2*y)"),
    *("clip(x, y, 1.5)", "max(x, y, 1)", "min(x, y)", "ones_like(x)", "zeros_like(x)"),
    *("sigmoid(x - y)", "sigmoid(-745*x)", "softplus(9*x - 9*y)", "logsigmoid(x - y)"),
    *("relu(x - y)", "leaky_relu(x - y)", "elu(x - y)", "softsign(x - y)", "hardtanh(x - y)"),
    *("abs(x - y)", "sign(x - y)", "sqrt(x)", "cbrt(x - y)", "exp(x)", "expm1(x/99)", "exp2(x)"),
    *("log(x)", "log1p(x/99)", "log2(x)", "log10(x)", "logaddexp(x, y)", "hypot(x, y)"),
    *("sin(x)", "cos(x)", "tan(x)", "asin(x/9)", "acos(x/9)", "atan(x)", "atan2(x - y, y)"),
    *("sinh(x)", "cosh(x)", "tanh(x)", "asinh(x)", "acosh(1 + x)", "atanh(x/9)"),
    *("deg2rad(x)", "rad2deg(x)", "floor(x)", "ceil(x)", "round(x)"),
    *("sigmoid_slope(x - y)", "tanh_slope(x - y)", "logaddexp_slope(x, y)"),
    *("asin_slope(x/9)", "atanh_slope(x/9)"),
    *("pow_slope(x, y)", "pow_slope(x, y/9)", "pow_slope(x, round(y))"),
)


def columns(program: Program, count: int = 1000) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    return {name: draw.uniform(0.1, 3, count) for name in program.inputs}


@pytest.mark.parametrize("compiler", [native, pytest.param(jit, marks=pytest.mark.slow)])
def test_every_form(compiler: Any) -> None:
    text = "".join(f"v{i} = {e}\n" for i, e in enumerate(EXPRESSIONS))
    text += " + ".join(f"abs(v{i})" for i in range(len(EXPRESSIONS)))  # a sum that cancels nothing
    graph = Program(text).graph({"x": np.float64(1), "y": np.float64(1)})
    wanted = [n.id for n in graph.nodes if n.name.startswith("v")]
    line = Line(graph, wanted, graph.inputs)
    names = {call.node.operation.name for call in line.calls}
    functions = {getattr(call.node.kernel, "__name__", "") for call in line.calls}
    assert {row.name for row in ops.TABLE if row.jit} - names <= {"identity"}
    assert functions >= FUNCTIONS.keys() - {"rint"}  # the form of round calls it
    loop = loop_of(line)
    assert loop is not None
    made = Compiled(line, loop, compiler.built(loop))
    draw = np.random.default_rng(0)
    given = {i: draw.uniform(0.1, 3, 999) for i in graph.inputs}
    found, bad = made.run(given, 999)
    expected, _ = line.run(given, 999)
    assert not bad
    for node, one, other in zip(wanted, found, expected, strict=True):
        name = graph.nodes[node].name
        np.testing.assert_allclose(one, other, rtol=4e-15, atol=0, err_msg=name)


@pytest.mark.parametrize(
    "text", [TUTORIAL, ROSENBROCK, "z = x", "a*x + 0*y", "where(x > 0, x, -inf)"]
)
def test_rows_are_those_of_numpy(text: str) -> None:
    program, plain = Program(text), Program(text)
    given = columns(program, 40_000)  # more than one chunk
    found, expected = program.batch(given, jit=True), plain.batch(given)
    assert isinstance(program._last[1].line, Compiled)  # type: ignore[index]
    assert list(found) == list(expected)
    for name, column in expected.items():
        np.testing.assert_allclose(found[name], column, rtol=1e-13, atol=1e-14)


def test_a_value_for_all_rows() -> None:
    program = Program("exp(a)*x + b")
    found = program.batch({"x": [1.0, 2.0]}, a=0.5, b=2, jit=True)
    np.testing.assert_allclose(found["value"], np.exp(0.5) * np.array([1, 2]) + 2)
    np.testing.assert_allclose(found["d_a"], np.exp(0.5) * np.array([1, 2]))
    again = program.batch({"x": [1.0, 2.0]}, a=1.5, b=2, jit=True)
    np.testing.assert_allclose(again["value"], np.exp(1.5) * np.array([1, 2]) + 2)


def test_rows_that_fail() -> None:
    program = Program("where(x > 0, log(x), x)/y + 1/(1 + exp(y))")
    given = {"x": [1.0, -1.0, 1.0, np.nan, 1.0], "y": [1.0, 1.0, 0.0, 1.0, 1000.0]}
    for errors in ("nan", "skip"):
        found = program.batch(given, errors=errors, jit=True)
        expected = Program(program.source.text).batch(given, errors=errors)
        for name, column in expected.items():
            np.testing.assert_allclose(found[name], column, rtol=1e-14)
    with pytest.raises(GradcliError, match="row 3"):
        program.batch(given, jit=True)


@pytest.mark.parametrize("text", ["gelu(x)", "sum([x, y]^2)", "x*sum(c)"])
def test_what_has_no_form_goes_through_numpy(text: str) -> None:
    program = Program(text)
    given = columns(program)
    if "c" in given:
        given["c"] = np.ones((1000, 3))
    found, expected = program.batch(given, jit=True), Program(text).batch(given)
    assert isinstance(program._last[1].line, Line)  # type: ignore[index]
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column)


def test_the_last_loop_is_kept() -> None:
    program = Program("x*y")
    given = columns(program)
    program.batch(given, jit=True)
    first = program._last
    program.batch({name: column[:5] for name, column in given.items()}, jit=True)
    assert program._last is first
    program.batch(given, wrt=["x"], jit=True)
    assert program._last is not first
    assert pickle.loads(pickle.dumps(program))._last is None  # noqa: S301 - made on this line


def test_from_file_to_file(tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    points.write_text("x,y\n3,-4\n1,2\n")
    for flags, name in (([], "a.csv"), (["--jit"], "b.csv")):
        out = str(tmp_path / name)
        environment = Environment.captured(b"")
        code = run(["batch", TUTORIAL, str(points), "--out", out, *flags], environment)
        assert (code, *environment.written()) == (0, "", "")
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


SIGNED_ZEROS = ("atan2(relu(-x), -1)", "atan2(max(-x, 0), -1)", "atan2(min(0, x), -1)", "relu(x)")


@pytest.mark.parametrize(
    "text", [*SIGNED_ZEROS, "clip(x, 0, 1)", "sign(x)", "abs(x)", "where(x > 5, nan, x^2)"]
)
def test_zeros_have_signs_and_nan_is_a_number_of_the_program(text: str) -> None:
    given = {"x": [0.0, -0.0, 1.0, -1.0]}
    found = Program(text).batch(given, jit=True, wrt=["x"])
    expected = Program(text).batch(given, wrt=["x"])
    for name, column in expected.items():
        np.testing.assert_allclose(found[name], column, rtol=4e-15, atol=0, err_msg=name)
        assert np.array_equal(np.signbit(found[name]), np.signbit(column)), name


@pytest.mark.parametrize("text", ["max(0, x)", "max(x, 0)", "min(x, 1)", "clip(x, -1, 1)"])
def test_nan_stays_nan(text: str, tmp_path: Path) -> None:
    points = tmp_path / "points.csv"
    points.write_text("x\nnan\ninf\n-inf\n0\n")
    written = []
    for flags in ([], ["--jit"]):
        environment = Environment.captured(b"")
        assert run(["batch", text, str(points), "--allow-nonfinite", *flags], environment) == 0
        written.append(environment.written())
    assert written[0] == written[1]
