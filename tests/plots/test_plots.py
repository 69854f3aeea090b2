"""Plots: what is found along a range, and that it is drawn where it is."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from schemas import schema

import gradcli
from gradcli import GradcliError, Program
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.plots.curve import curve
from gradcli.plots.field import field
from gradcli.plots.figure import figure, rendered
from gradcli.plots.text import pieces
from gradcli.report.style import Style

PI = math.pi

FOUND: list[tuple[str, tuple[float, float], list[tuple[str, float]]]] = [
    ("x^2*sin(1/x)", (-1, 1), [("hole", 0)]),
    ("relu(x) + abs(x - 0.3)", (-1, 1), [("kink", 0), ("kink", 0.3)]),
    ("log(x)", (-1, 2), [("edge", 0)]),
    ("1/x", (-1, 1), [("pole", 0)]),
    ("1/(x - 0.123456789)", (-1, 1), [("pole", 0.123456789)]),
    ("1/(x^2 - 2)", (-3, 3), [("pole", -math.sqrt(2)), ("pole", math.sqrt(2))]),
    ("1/x^2", (-1, 1.1), [("pole", 0)]),
    ("tan(x)", (-3, 3), [("pole", -PI / 2), ("pole", PI / 2)]),
    ("gamma(x)", (-3.5, 3), [("pole", -3), ("pole", -2), ("pole", -1), ("pole", 0)]),
    ("floor(2*x)", (-1.2, 1), [("jump", -1), ("jump", -0.5), ("jump", 0), ("jump", 0.5)]),
    ("x - floor(x)", (-1.5, 1.5), [("jump", -1), ("jump", 0), ("jump", 1)]),
    ("sign(x)", (-1, 1), [("jump", 0)]),
    ("sqrt(x^2 - 1)", (-3, 3), [("edge", -1), ("edge", 1)]),
    ("sqrt(x)", (-1, 1), [("edge", 0)]),
    ("sqrt(x)", (0, 1), [("vertical", 0)]),
    ("asin(x)", (-1, 1), [("vertical", -1), ("vertical", 1)]),
    ("sqrt(abs(x))", (-1, 1), [("vertical", 0)]),
    ("cbrt(x)", (-1, 1.3), [("vertical", 0)]),
    ("abs(sin(x))", (-4, 4), [("kink", -PI), ("kink", 0), ("kink", PI)]),
    ("abs(x - pi)", (0, 5), [("kink", PI)]),
    ("max(x, x^2)", (-1, 2), [("kink", 0), ("kink", 1)]),
    ("where(x < 0.5, x, 2*x)", (0, 1), [("jump", 0.5)]),
    ("sin(x)/x", (-5, 5), [("hole", 0)]),
    ("1e6*abs(x)", (-1e-3, 2e-3), [("kink", 0)]),
    ("abs(x - 1e5)", (1e5 - 1, 1e5 + 1.5), [("kink", 1e5)]),
    *(
        (smooth, ends, [])
        for smooth, ends in (
            ("sin(30*x)*exp(x)", (-3.0, 3.0)),
            ("x^3", (-1e-8, 1e-8)),
            ("x*abs(x)", (-1.0, 1.0)),
            ("tanh(500*x)", (-1.0, 1.0)),
            ("sin(1/x)", (0.001, 1.0)),
            ("5 + 0*x", (0.0, 1.0)),
            ("x", (0.0, 1.0)),
            ("1e200*x^2", (-1.0, 1.0)),
            ("exp(20*x)", (-1.0, 1.0)),
            ("where(x == 0, 1, sin(x)/x)", (-5.0, 5.0)),
            ("softplus(40*x)", (-1.0, 1.0)),
            ("gelu(x) + mish(x)", (-6.0, 6.0)),
        )
    ),
]


@pytest.mark.parametrize(("program", "ends", "wanted"), FOUND, ids=lambda x: str(x)[:40])
def test_what_stands_on_a_curve(
    program: str, ends: tuple[float, float], wanted: list[tuple[str, float]]
) -> None:
    for points in (1025, 700):
        marks = curve(Program(program), "x", ends, {}, points=points).marks
        assert [mark.kind for mark in marks] == [kind for kind, _ in wanted]
        places = [mark.at for mark in marks]
        assert places == pytest.approx([at for _, at in wanted], rel=1e-9, abs=1e-9)


def test_both_sides_of_what_is_found() -> None:
    corner, jump = curve(Program("abs(x) + (x > 1)*3"), "x", (-1, 2.2), {}).marks
    assert (corner.left, corner.right) == pytest.approx((-1, 1))
    assert (jump.left, jump.right) == pytest.approx((1, 4))


def test_no_line_over_what_is_marked() -> None:
    made = figure(curve(Program("1/x + sqrt(abs(x) - 0.5)"), "x", (-2, 2), {}))
    top = made.axes[0]
    lines = [line.get_xydata() for line in top.lines if line.get_color() == "#0055a4"]
    for data in map(np.asarray, lines):
        x = data[np.isfinite(data[:, 1]), 0]
        assert not ((x.min() < -0.49) & (x.max() > 0.49)) if x.size else True


def test_the_tangent_and_the_values_are_those_of_evaluate() -> None:
    program = Program("sigmoid(x)*y")
    found = curve(program, "x", (-3, 3), {"y": 2.0}, at=0.5)
    right = program.evaluate(x=0.5, y=2)
    assert found.tangent == (0.5, right.value, right.gradient["x"])
    made = figure(found)
    line = next(line for line in made.axes[0].lines if str(line.get_label()).startswith("tangent"))
    (x0, y0), (x1, y1) = np.asarray(line.get_xydata(), dtype=float)
    assert (y1 - y0) / (x1 - x0) == pytest.approx(right.gradient["x"])
    blue = np.concatenate(
        [line.get_xydata() for line in made.axes[0].lines if line.get_color() == "#0055a4"]
    )
    for x, y in blue[::97]:
        assert y == pytest.approx(program.evaluate(x=x, y=2, check=False).value, rel=1e-14)


def test_a_field_is_the_gradient_at_every_point() -> None:
    program = Program("x^2*y - sin(y)")
    found = field(program, {"x": (-1, 2), "y": (0, 3)}, {}, points=17)
    for k, m in ((0, 0), (3, 11), (16, 16)):
        right = program.evaluate(x=found.x[m], y=found.y[k], check=False)
        assert found.value[k, m] == pytest.approx(right.value, rel=1e-12)
        for slope, name in zip(found.gradient, "xy", strict=True):
            assert slope[k, m] == pytest.approx(right.gradient[name], rel=1e-12)
    assert figure(found).axes


@pytest.mark.parametrize("form", ["svg", "png", "pdf"])
def test_pictures_are_the_same_each_time(form: str) -> None:
    found = curve(Program("abs(x)*$".replace("$", "x")), "x", (-1, 1), {})
    first = rendered(found, form)
    assert first == rendered(found, form)
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[form]
    assert first.startswith(start)
    if form == "svg":
        ET.parse(BytesIO(first))  # noqa: S314 - our own


@pytest.mark.parametrize("width", [20, 60, 80, 120, None])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_terminal_has_room(width: int | None, *, ascii_only: bool) -> None:
    style = Style(width=width, color=False, ascii=ascii_only)
    for program, ranges in (("tan(x)", {"x": (-3.0, 3.0)}), ("x*y", {"x": (0, 1), "y": (0, 1)})):
        made = Program(program)
        found = (
            field(made, ranges, {})
            if len(ranges) == 2
            else curve(made, "x", ranges["x"], {}, at=1.0)
        )
        text = "".join(pieces(found, style))
        drawn = [line for line in text.splitlines() if "│" in line or " |" in line]
        assert len(drawn) >= 20
        assert max(map(len, drawn)) <= max(width or 80, 20)
        assert not ascii_only or text.isascii()


def call(*words: str) -> tuple[int, str, str]:
    environment = Environment.captured(columns=80)
    code = run(["plot", *words], environment)
    return code, *environment.written()


def test_the_command(tmp_path: Path) -> None:
    code, out, err = call("relu(x) + a", "--x", "-1:pi/2", "--a", "2", "--json")
    assert (code, err) == (0, "")
    data: dict[str, Any] = json.loads(out)
    schema("plot").validate(data)
    schema("plot").validate(json.loads(call("x*log(y)", "--x", "0:1", "--y", "-1:1", "--json")[1]))
    assert data["points"]["x"][-1] == PI / 2
    assert data["marks"] == [{"kind": "kink", "at": 0.0, "left": 0.0, "right": 1.0}]
    code, out, _ = call("x*y", "--x", "0:1", "--y", "0:2", "--format", "csv", "--points", "9")
    assert out.splitlines()[:2] == ["x,y,value,d_x,d_y", "0.0,0.0,0.0,0.0,0.0"]
    assert len(out.splitlines()) == 82
    code, out, err = call("x^2", "--x", "-1:1", "--out", str(tmp_path / "p.svg"))
    assert (code, out, err) == (0, "", "")
    code, out, _ = call("x^2", "--x", "0:1", "--at", "x=0.5")
    assert "tangent at x = 0.5: a = 0.25, ∂a/∂x = 1" in out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["x^2", "--x", "3"], 2, "there is no range to plot over"),
        (["x^2", "--x", "1:0"], 2, "the range is empty"),
        (["x^2", "--x", "1:"], 2, "a range is low:high"),
        (["x^2", "--x", "0:1:2"], 2, "a range is low:high"),
        (["x^2", "--x", "0:inf"], 2, "it takes finite numbers"),
        (["x*y*z", "--x", "0:1", "--y", "0:1", "--z", "0:1"], 2, "there are 3 ranges: x, y, z"),
        (["x^2", "--x", "0:1", "--at", "y=1"], 2, "it takes a value for x"),
        (["x*y", "--x", "0:1"], 2, "'y' has no value"),
        (["[x, x]", "--x", "0:1"], 2, "a backward pass starts from a number"),
        (["log(-1 - x^2)", "--x", "0:1"], 1, "log"),
        (["x^2", "--x", "0:1", "--out", "p.tex"], 2, "there is no format for the ending"),
        (["x^2", "--x", "0:1", "--format", "png"], 2, "png is binary"),
        (["x^2", "--y", "0:1"], 2, "the program does not use 'y'"),
    ],
)
def test_errors(words: list[str], code: int, message: str) -> None:
    found, out, err = call(*words)
    assert (found, out) == (code, "")
    assert message in err


def test_in_a_notebook() -> None:
    made = gradcli.plot("relu(x)*y", x=(-1, 1), y=2, at=0.5)
    assert len(made.axes) == 2
    made = gradcli.plot(Program("x*y"), x=(-1, 1), y=(0, 1))
    with pytest.raises(GradcliError, match="0 ranges"):
        gradcli.plot("x", x=1)
