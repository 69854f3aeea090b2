"""`trace --format html`: the page, its layout, and its numbers in a real browser."""

from __future__ import annotations

import json
import math
import random
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browser import needs_browser, told
from random_programs import random_programs

from gradcli import GradcliError, Program, ops
from gradcli.ops.javascript import FUNCTIONS, expression
from gradcli.picture import page
from gradcli.picture.layers import GAP_ACROSS, Size, layout
from gradcli.picture.model import Box, Drawing, Wire
from gradcli.picture.recompute import recompute
from gradcli.report.numbers import number
from gradcli.report.style import Style
from gradcli.report.trace.listing import Choice
from gradcli.trace.statements import StatementSteps
from gradcli.trace.steps import Steps

STYLE = Style(width=None, color=False, ascii=False)
KAMPER = "(x + sigmoid(y)) / (x^2 + y)"
NETWORK = "z1 = W1 @ x + b1\na1 = sigmoid(z1)\nJ = ||y - a1||^2"
VALUES: dict[str, Any] = {"W1": [[1, 2], [3, -4]], "x": [1, 0.5], "b1": [0, 1], "y": [1, 0]}


def page_of(program: str, choice: Choice | None = None, **values: Any) -> str:
    result = Program(program).evaluate(values)
    return "".join(page.pieces(Steps(result), STYLE, choice or Choice(), lambda: result))


# --- the file ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "values"), [(KAMPER, {"x": 3, "y": -4}), (NETWORK, VALUES), ("log(2)", {})]
)
def test_the_page_stands_by_itself(program: str, values: dict[str, Any]) -> None:
    text = page_of(program, **values)
    assert len(text.encode()) < 200_000
    assert "default-src 'none'" in text
    addresses = set(re.findall(r"\w+://[\w./]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert not re.search(r"<(link|img|iframe|object|base)\b|@import|\burl\((?!#)", text)


def test_what_comes_from_outside_is_text() -> None:
    hostile = "# </script><script>alert(1)</script>\nσ̂ = x*2 # <b>&amp;\nσ̂ + 1"
    text = page_of(hostile, x=1)
    assert text.count("<script") == 2
    assert "alert(1)" in text
    assert "<b>&amp;amp;" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_every_line_has_its_step_and_its_sentence() -> None:
    text = page_of(KAMPER, x=3, y=-4)
    steps = re.findall(r'<li class="step" data-step="(\d+)">.*?<p class="words">(.+?)</p>', text)
    assert [int(k) for k, _ in steps] == [*range(1, 17)]
    assert len(re.findall('<g class="node operation', text)) == 6


def test_one_pass_alone() -> None:
    forward = page_of(KAMPER, Choice(backward=False), x=3, y=-4)
    assert "Backward pass" not in forward
    backward = page_of(KAMPER, Choice(forward=False), x=3, y=-4)
    assert "Forward pass" not in backward


def test_a_graph_that_is_too_large_has_no_picture() -> None:
    text = page_of("+".join(["x*x"] * 300), x=1)
    assert "has no picture here" in text
    assert "<svg" not in text


# --- layout ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_boxes_never_overlap(seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - no secrets
    count = draw.randint(1, 60)
    sizes = {i: Size(draw.uniform(10, 90), draw.uniform(10, 60)) for i in range(count)}
    wires = [(draw.randrange(max(0, i - 9), i), i) for i in range(1, count) for _ in "ab"]
    box = Box(0, "x", "input", "", "", None, (), ())
    drawn = Drawing(dict.fromkeys(sizes, box), tuple(Wire(*ends) for ends in wires), count - 1)
    found = layout(sizes, drawn.layers, wires, [20.0] * len(wires))
    boxes = [(*found.centres[i], sizes[i]) for i in sizes]
    for k, (x, y, size) in enumerate(boxes):
        assert -1e-6 <= y - size.across / 2 <= y + size.across / 2 <= found.across + 1e-6
        assert -1e-6 <= x - size.along / 2 <= x + size.along / 2 <= found.along + 1e-6
        for x2, y2, other in boxes[:k]:
            apart_along = abs(x - x2) >= (size.along + other.along) / 2 - 1e-6
            gap = (size.across + other.across) / 2 + GAP_ACROSS
            assert apart_along or abs(y - y2) >= gap - 1e-6
    for (source, target), points in zip(wires, found.wires, strict=True):
        assert points[0] == found.centres[source]
        assert points[-1] == found.centres[target]
        assert all(a[0] < b[0] for a, b in pairwise(points))


# --- numbers -----------------------------------------------------------------------------


def test_every_compiled_form_has_its_javascript() -> None:
    for row in ops.TABLE:
        if row.jit:
            assert expression(row, [f"v[{i}]" for i in range(len(row.operands))])


@needs_browser
def test_the_numbers_of_javascript_are_those_of_eval(tmp_path: Path) -> None:
    """The passes of random programs, at another point than that of the page."""
    cases, wanted = [], []
    for text, values in random_programs(200, first=9000):
        program = Program(text)
        other = {name: value * 0.9 + 0.01 for name, value in values.items()}
        try:
            first, second = (
                program.evaluate(point, check=False, allow_nonfinite=True)
                for point in (values, other)
            )
        except GradcliError:
            continue
        for steps in (Steps(first), StatementSteps(first, program.statements)):
            found = recompute(steps)
            if found is None:
                continue
            again = (
                Steps(second)
                if steps.by == "operation"
                else StatementSteps(second, program.statements)
            )
            locals_ = [float(move.local_value) for move in again.moves()]
            if len(locals_) != len(found.locals):
                continue  # a statement that is one step at one point alone
            wanted.append(([float(v) for v in second.values], locals_))
            given = {str(i): float(second.values[i]) for i in first.graph.inputs}
            functions = "[" + ",".join(f"(v) => {text}" for text in found.locals) + "]"
            cases.append(f"[(v) => {{{found.forward}}}, {functions}, {json.dumps(given)}]")
    assert len(cases) > 120
    prelude = "".join(f"const {name} = {text};\n" for name, text in FUNCTIONS.items())
    script = f"""{prelude}
        return [{",".join(cases)}].map(([forward, locals, given]) => {{
            const v = [];
            for (const [i, value] of Object.entries(given)) v[i] = value;
            forward(v);
            return [v, locals.map((local) => local(v))].map((xs) => xs.map(String));
        }});"""
    found = told("<!doctype html><body></body>", script, tmp_path)
    for case, (values, slopes), (right, right_slopes) in zip(cases, found, wanted, strict=True):
        for got, want in (
            *zip(values, right, strict=True),
            *zip(slopes, right_slopes, strict=True),
        ):
            close = math.isclose(float(got), want, rel_tol=1e-7, abs_tol=1e-9)
            assert close or not math.isfinite(want) or abs(want) > 1e6, (case, got, want)


DRIVE = """
    const press = (key) => document.body.dispatchEvent(
        new KeyboardEvent("keydown", {key, bubbles: true}));
    const seen = [];
    const look = () => seen.push([now, one("#place").textContent, one(".node.now")?.dataset.node,
        one(".step.now .formula")?.textContent, all(".delta:not(.later-part)").length]);
    look(); press("ArrowRight"); look(); press("End"); look(); press("ArrowLeft"); look();
    press("Home"); look();
    document.querySelector('.node[data-node="5"]').dispatchEvent(
        new MouseEvent("click", {bubbles: true})); look();
    document.querySelector('.node[data-node="5"]').dispatchEvent(
        new KeyboardEvent("keydown", {key: "Enter", bubbles: true})); look();
    one("#slider").value = 3; one("#slider").dispatchEvent(new Event("input")); look();
    press("End");
    const gradient = () => one("#gradient").textContent + " | " + one("#checked").textContent;
    const texts = [gradient()];
    const field = one('[data-input="0"]');
    field.value = "2"; field.dispatchEvent(new Event("input", {bubbles: true}));
    texts.push(gradient(), one('[data-delta="0"]').textContent,
        one('[data-value="7"]').textContent);
    field.value = "2.0000"; field.dispatchEvent(new Event("input", {bubbles: true}));
    field.value = "3"; field.dispatchEvent(new Event("input", {bubbles: true}));
    texts.push(gradient());
    const numbers = %s;
    return {seen, texts, numbers: numbers.map(number), words: one("#now").textContent};
"""


@needs_browser
def test_the_page_goes_step_by_step(tmp_path: Path) -> None:
    draw = random.Random(5)  # noqa: S311 - no secrets
    values = [draw.choice([1, -1]) * 10 ** draw.uniform(-12, 14) for _ in range(300)]
    values += [0.0, 1e5, 123456.0, 1234567.0, 1e6, 3e8, 1e9, 1e-4, 9.999996e-5, 0.1 + 0.2]
    found = told(page_of(KAMPER, x=3, y=-4), DRIVE % json.dumps(values), tmp_path)
    assert [place for _, place, *_ in found["seen"]][:2] == ["16 steps", "step 1 of 16"]
    assert [row[0] for row in found["seen"]] == [0, 1, 16, 15, 0, 4, 11, 3]
    assert found["seen"][1][2:] == ["2", "a = sigmoid(y)", 0]
    assert found["seen"][2][2:] == ["2", "δy += δa * a*(1 - a)", 8]
    assert found["numbers"] == [number(value, 6) for value in values]
    first, moved, delta, value, back = found["texts"]
    assert "∂f/∂x = -0.524317" in first
    assert back == first
    right = Program(KAMPER).evaluate(x=2, y=-4, allow_nonfinite=True)
    assert "without a check" in moved
    assert not math.isfinite(right.value)
    assert delta == "δ = nan" or "inf" in delta
    assert "inf" in value
    assert "two contributions add up" in found["words"]


@needs_browser
def test_the_page_computes_the_passes_anew(tmp_path: Path) -> None:
    script = """return [[1.5, 2], [0.25, -3], [-2, 7]].map(([x, y]) => {
        const {delta, values} = run({0: x, 1: y});
        return [delta[0], delta[1], values.at(-1)];
    });"""
    found = told(page_of(KAMPER, x=3, y=-4), script, tmp_path)
    for (x, y), row in zip([(1.5, 2), (0.25, -3), (-2, 7)], found, strict=True):
        right = Program(KAMPER).evaluate(x=x, y=y, check=False)
        assert row == pytest.approx([*right.gradient.values(), right.value], rel=1e-13)


@needs_browser
def test_arrays_are_shown_at_their_point(tmp_path: Path) -> None:
    script = """show(last); return [all("[data-input]").length, one("#gradient").textContent,
        all(".delta:not(.later-part)").length, one("#now").textContent];"""
    inputs, gradient, deltas, words = told(page_of(NETWORK, **VALUES), script, tmp_path)
    assert inputs == 0
    assert "∂J/∂W1" in gradient
    assert deltas == 9
    assert "transposed" in words


@needs_browser
@pytest.mark.parametrize("size", ["390,844", pytest.param("844,390", marks=pytest.mark.slow)])
def test_a_phone_can_reach_every_step(tmp_path: Path, size: str) -> None:
    """Upright formulas and numbers have the page's width; on its side the page itself scrolls."""
    script = """const opened = now; show(last);
        const frame = innerWidth, tall = document.documentElement.scrollHeight;
        const seen = one("#listing").getBoundingClientRect();
        return {opened, frame, wide: document.documentElement.scrollWidth,
            header: one("header").getBoundingClientRect().height / innerHeight,
            lines: all(".step .formula").map((e) => e.getClientRects().length),
            reach: seen.bottom + scrollY <= Math.max(tall, innerHeight) && seen.height > 60};"""
    for text in (page_of(KAMPER, x=3, y=-4), page_of(NETWORK, **VALUES)):
        found = told(text, script, tmp_path, at="#step-3", size=size)
        assert found["opened"] == 3
        assert found["wide"] <= found["frame"]
        assert found["header"] < 0.62
        assert max(found["lines"]) == 1
        assert found["reach"]
