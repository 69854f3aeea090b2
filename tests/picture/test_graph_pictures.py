"""Pictures of the graph: that what is drawn is the graph, at every width, and in every format."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from random_programs import random_programs

import gradcli
from gradcli import examples
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.diagnostics.error import cell_width
from gradcli.picture import columns
from gradcli.picture.channel import Canvas, Net, tracks
from gradcli.picture.model import Drawing, drawing
from gradcli.picture.text import drawn
from gradcli.report.numbers import number
from gradcli.report.style import Style
from gradcli.report.trace.listing import Choice
from gradcli.results.result import Result
from gradcli.trace.steps import Steps

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

TUTORIAL = ("(x + sigmoid(y)) / (x^2 + y)", "--x", "3", "--y", "-4")
WIDTHS = (60, 80, 120, 200, None)
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def style(width: int | None, *, ascii_only: bool = False) -> Style:
    return Style(width=width, color=False, ascii=ascii_only)


def result_of(text: str, **inputs: Any) -> Result:
    return gradcli.Program(text).evaluate(inputs, check=False)


def draw(result: Result, look: Style, choice: Choice | None = None) -> Drawing:
    return drawing(Steps(result), look, choice or Choice())


def forward_of(text: str, inputs: dict[str, float]) -> tuple[Drawing, Result]:
    """A random program's drawing without gradients, whatever its values are."""
    program = gradcli.Program(text)
    used = {name: value for name, value in inputs.items() if name in program.names.free}
    result = program.evaluate(used, gradient=False, check=False, allow_nonfinite=True)
    return draw(result, style(None), Choice(backward=False)), result


def gradcli_(*words: str, columns: int | None = None, stdin: bytes = b"") -> tuple[int, str, str]:
    environment = Environment.captured(stdin, columns=columns, variables={"NO_COLOR": "1"})
    return (run(words, environment), *environment.written())


class TestModel:
    def test_contributions_add_up_to_delta(self) -> None:
        result = result_of("x*x*y + sin(x) - y/x", x=1.3, y=-0.7)
        found = drawing(
            Steps(result), Style(None, color=False, ascii=False, precision=17), Choice()
        )
        assert len(found.forks) >= 2
        for fork in found.forks:
            sent = [float(wire.contribution) for wire in found.out_of[fork]]
            assert sum(sent) == pytest.approx(result.accumulators[fork], rel=1e-14)

    def test_a_variable_that_is_read_twice_by_a_box_has_two_wires(self) -> None:
        found = draw(result_of("x * x", x=3), style(None))
        assert [wire.contribution for wire in found.wires] == ["3", "3"]

    def test_every_wire_is_an_operand(self) -> None:
        for text, inputs in random_programs(60):
            found, result = forward_of(text, inputs)
            for node in result.graph.nodes:
                operands = sorted(o for o in node.operands if isinstance(o, int))
                assert sorted(wire.source for wire in found.into[node.id]) == operands

    @pytest.mark.parametrize(
        ("text", "title"),
        [
            ("x + y", "+"),
            ("x * y", "×"),
            ("x - y", "x - y"),
            ("y / x", "y * a"),
            ("x^2", "·^2"),
            ("2*x", "2 * ·"),
            ("tanh(x)", "tanh"),
            ("x - x", "x - x"),
        ],
    )
    def test_titles(self, text: str, title: str) -> None:
        inputs = {name: 2.0 for name in "xy" if name in text}
        found = draw(result_of(text, **inputs), style(None))
        assert title in {box.title for box in found.boxes.values()} | {
            box.expression for box in found.boxes.values()
        }

    def test_large_arrays_are_shapes(self) -> None:
        found = draw(result_of("sum(X)", X=np.ones((30, 40))), style(None))
        assert found.boxes[0].above == ["X = (30×40)"]


class TestText:
    @pytest.mark.parametrize("width", WIDTHS)
    @pytest.mark.parametrize("flags", [[], ["--ascii"]])
    def test_tutorial(
        self,
        width: int | None,
        flags: list[str],
        snapshot: SnapshotAssertion,
    ) -> None:
        code, out, err = gradcli_("graph", *TUTORIAL, *flags, columns=width)
        assert (code, err) == (0, "")
        assert out.isascii() == bool(flags)
        assert out == snapshot

    @pytest.mark.parametrize("width", WIDTHS)
    @pytest.mark.parametrize("name", examples.ORDER)
    def test_no_number_is_missing_and_no_line_too_wide(self, name: str, width: int | None) -> None:
        result = gradcli.Program(examples.text(name)).evaluate(check=False)
        look = style(width)
        text = "".join(drawn(draw(result, look), look))
        if width is not None:
            assert max(map(cell_width, text.splitlines())) <= width
        for node in result.graph.nodes:
            for value in (result.values[node.id], result.accumulators[node.id]):
                if value is not None and np.size(value) <= 12:
                    assert all(number(float(v), 6) in text for v in np.ravel(value))

    def test_the_tutorials_graph_fits_into_120_columns(self) -> None:
        _, narrow, _ = gradcli_("graph", *TUTORIAL, columns=120)
        _, wide, _ = gradcli_("graph", *TUTORIAL, columns=140)
        assert narrow.count("│ sigmoid │") == 0
        assert wide.count("│ sigmoid │") == 1
        for number_ in re.findall(r"-?\d\.\d+", wide):
            assert number_ in narrow

    def test_the_shape_of_a_drawing_does_not_depend_on_the_pass(self) -> None:
        _, forward, _ = gradcli_("graph", *TUTORIAL, "--pass", "forward")
        _, backward, _ = gradcli_("graph", *TUTORIAL, "--pass", "backward")
        _, blank, _ = gradcli_("graph", *TUTORIAL, "--blank")
        assert "δ" not in forward
        assert "0.603597" in forward
        assert "0.603597" not in backward
        assert "-0.524317" in backward
        assert not re.search(r"\d\.\d", blank)

    def test_wires_of_two_variables_only_cross(self, monkeypatch: pytest.MonkeyPatch) -> None:
        canvases: list[Canvas] = []
        lines = Canvas.lines

        def spied(self: Canvas, *, ascii_only: bool) -> list[str]:
            canvases.append(self)
            return lines(self, ascii_only=ascii_only)

        monkeypatch.setattr(Canvas, "lines", spied)
        drawings = 0
        for text, inputs in random_programs(80):
            found, _ = forward_of(text, inputs)
            drawings += columns.lines(found, style(None)) is not None
        assert drawings > 70
        for canvas in canvases:
            for nets in canvas._lines.values():
                assert len(nets) == 1 or sorted(nets.values()) == [3, 12]

    def test_what_can_not_be_wired_is_drawn_otherwise(self) -> None:
        assert tracks([Net(1, 0, (4,)), Net(2, 4, (0,))]) is None
        assert tracks([Net(1, 0, (4,)), Net(2, 4, (8,))]) == [Net(2, 4, (8,)), Net(1, 0, (4,))]

    def test_more_variables_than_there_is_room_for(self) -> None:
        text = " + ".join(f"x{i}*y{i}" for i in range(60))
        result = result_of(text, **{f"{v}{i}": i for i in range(60) for v in "xy"})
        lines = "".join(drawn(draw(result, style(60)), style(60))).splitlines()
        assert max(map(cell_width, lines)) <= 60
        assert "from x59, y59" in lines

    def test_a_deep_graph(self) -> None:
        result = result_of("x" + " + sin(x)" * 3000, x=1)
        assert sum(1 for _ in drawn(draw(result, style(80)), style(80))) > 6000

    def test_wires_are_a_style_of_the_trace(self) -> None:
        _, graph, _ = gradcli_("graph", *TUTORIAL)
        code, out, _ = gradcli_("trace", *TUTORIAL, "--style", "wires")
        assert code == 0
        assert out.startswith(graph)
        assert out.endswith("checked: 8 of 8 agree\n")

    @pytest.mark.parametrize(
        "words", [("2*pi",), ("x", "--x", "3"), ("[1, 2] * 3", "--pass", "forward")]
    )
    def test_little_to_draw(self, words: tuple[str, ...], snapshot: SnapshotAssertion) -> None:
        code, out, err = gradcli_("graph", *words)
        assert (code, err) == (0, "")
        assert out == snapshot


class TestLanguages:
    @pytest.mark.parametrize("form", ["dot", "mermaid"])
    @pytest.mark.parametrize("down", [[], ["--direction", "down"]])
    def test_snapshot(self, form: str, down: list[str], snapshot: SnapshotAssertion) -> None:
        code, out, err = gradcli_("graph", *TUTORIAL, "--format", form, *down)
        assert (code, err) == (0, "")
        assert out == snapshot

    def test_special_characters(self) -> None:
        _, out, _ = gradcli_("graph", "α < β", "--α", "1", "--β", "2", "--format", "mermaid")
        labels = re.findall(r'"(.*?)"', out)
        assert labels
        for label in labels:
            assert not set('<>&"`{}|') & set(label.replace("<br/>", ""))
        assert "α #60; β" in out
        _, out, _ = gradcli_("graph", "α < β", "--α", "1", "--β", "2", "--format", "dot")
        assert "α &lt; β" in out

    @needs_dot
    @pytest.mark.parametrize("direction", ["right", "down"])
    @pytest.mark.parametrize("name", examples.ORDER)
    def test_dot_takes_it(self, name: str, direction: str) -> None:
        words = ("--format", "dot", "--direction", direction)
        _, out, _ = gradcli_("graph", examples.text(name), *words)
        done = subprocess.run(
            [shutil.which("dot") or "", "-Tplain"],
            input=out.encode(),
            capture_output=True,
            check=True,
        )
        assert done.stderr == b""
        plain = done.stdout.decode()
        result = gradcli.Program(examples.text(name)).evaluate(check=False)
        operations = sum(node.kind != "input" for node in result.graph.nodes)
        assert len(re.findall(r"^node o\d", plain, re.MULTILINE)) == operations
        assert len(re.findall(r"^node v\d", plain, re.MULTILINE)) == len(result.graph.nodes)


class TestFiles:
    @needs_dot
    @pytest.mark.parametrize(
        ("suffix", "first"),
        [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("gv", b"digraph")],
    )
    def test_the_format_is_the_suffix(self, suffix: str, first: bytes, tmp_path: Path) -> None:
        path = tmp_path / f"graph.{suffix}"
        assert gradcli_("graph", *TUTORIAL, "--out", str(path)) == (0, "", "")
        assert path.read_bytes().startswith(first)

    @needs_dot
    def test_bytes_go_into_a_pipe(self) -> None:
        environment = Environment.captured()
        assert run(["graph", *TUTORIAL, "--format", "png"], environment) == 0
        assert environment.stdout is not None
        environment.stdout.buffer.seek(0)
        assert environment.stdout.buffer.read().startswith(b"\x89PNG")

    @pytest.mark.parametrize("form", ["png", "pdf"])
    def test_no_bytes_to_a_terminal(self, form: str, snapshot: SnapshotAssertion) -> None:
        code, out, err = gradcli_("graph", *TUTORIAL, "--format", form, columns=80)
        assert (code, out) == (2, "")
        assert err == snapshot

    def test_no_graphviz(
        self, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
    ) -> None:
        monkeypatch.setenv("PATH", "")
        code, out, err = gradcli_("graph", *TUTORIAL, "--format", "svg")
        assert (code, out) == (2, "")
        assert err == snapshot

    def test_no_value(self, snapshot: SnapshotAssertion) -> None:
        code, out, err = gradcli_("graph", "x*y", "--x", "3")
        assert (code, out) == (2, "")
        assert err == snapshot
        code, out, err = gradcli_("graph", "log(x - y)", "--blank")
        assert (code, err) == (0, "")
