"""How results and programs show themselves: printed, in a notebook, by the magics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import gradcli
from gradcli import GradcliError, Program
from gradcli.report import Style, render

KAMPER = "(x + sigmoid(y)) / (x^2 + y)"


def test_print_is_the_table() -> None:
    result = gradcli.evaluate(KAMPER, x=3, y=-4)
    style = Style(width=None, color=False, ascii=False)
    assert str(result) == render(result, "table", style).rstrip("\n")
    assert repr(result).startswith("Result(")


def test_what_a_notebook_gets() -> None:
    result = gradcli.evaluate(KAMPER, x=3, y=-4)
    found = result._repr_mimebundle_()
    assert set(found) == {"text/plain", "text/html", "text/latex"}
    html = found["text/html"]
    assert '<td class="number">-0.524317</td>' in html
    assert html.count("<svg") == 1
    assert r"\begin{align*}" in found["text/latex"]
    assert "intertext" not in found["text/latex"]


def test_a_program_is_shown_without_numbers() -> None:
    program = Program("z = W @ x\nsum(z)")
    assert "<pre>" in str(program._repr_html_())
    found = Program(KAMPER)._repr_mimebundle_()
    assert found["text/plain"] == repr(Program(KAMPER))
    assert "<svg" in found["text/html"]
    assert r"a &= \sigma({y})" in found["text/latex"]
    assert "0.0179" not in found["text/html"]


def test_the_page_inside_a_cell(tmp_path: Path) -> None:
    result = gradcli.evaluate("a = x*y\na + <b>".replace(" + <b>", " + x"), x=3, y=-4)
    page = result.trace()
    assert '<iframe srcdoc="&lt;!doctype html&gt;' in page._repr_html_()
    assert str(page).startswith("Forward pass")
    page.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text("utf-8") == page.html
    assert "Backprop" in str(result.trace(by="statement"))
    with pytest.raises(GradcliError, match="by"):
        result.trace(by="line")  # type: ignore[arg-type]


def test_what_comes_from_outside_is_escaped() -> None:
    result = gradcli.evaluate("# <script>alert(1)</script>\nx*2", x=1)
    for html in (result._repr_html_(), Program(result.program)._repr_html_()):
        assert html is not None
        assert "<script" not in html


CELLS = [
    "%load_ext gradcli",
    "import gradcli\ngradcli.evaluate('x^2', x=3)",
    "print(gradcli.evaluate('x^2', x=3))",
    "gradcli.evaluate('x^2', x=3).trace()",
    '%gradcli eval "x^2 + y" --x 3 --y 1 --grad x',
    "%%gradcli --x 3\na = x^2\nsin(a)",
    "%%gradcli trace --x 3 --format html\na = x^2\nsin(a)",
    "v = 5\n%gradcli eval x^2 --x {v} --value",
    "%gradcli eval nonsense(x) --x 1",
    "%gradcli eval 'x",
    "gradcli.Program('x^2 + y')",
    "gradcli.plot('relu(x)', x=(-1, 1))",
]


@pytest.mark.slow
def test_a_real_kernel(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    where = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where).execute()
    outputs = [outputs_of(cell) for cell in notebook.cells]
    assert outputs[0] == []
    assert "<table>" in outputs[1][0]["text/html"]
    assert outputs[2][0]["text"].startswith("node")
    assert "<iframe" in outputs[3][0]["text/html"]
    assert outputs[4][0]["text"] == "6.0\n"
    assert "Gradient" in outputs[5][0]["text"]  # and Rich knows of no notebook
    assert "<iframe" in outputs[6][0]["text/html"]
    assert outputs[7][0]["text"] == "25.0\n"
    assert "unknown function 'nonsense'" in outputs[8][0]["text"]
    assert outputs[9][0]["text"].startswith("error: no closing quotation")
    assert "<svg" in outputs[10][0]["text/html"]
    assert "image/png" in outputs[11][0]
    json.dumps(notebook)


def outputs_of(cell: Any) -> list[dict[str, Any]]:
    """The data of a cell's outputs; a stream's text is under `text`."""
    return [
        dict(out.data) if "data" in out else {"text": out.get("text", "")} for out in cell.outputs
    ]
