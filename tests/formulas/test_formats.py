"""`gradcli diff` on the command line: its output in every format, each compared with a gradient."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from schemas import schema

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.program import Program

NETWORK = (
    "z1 = W1 @ a0 + b1\na1 = sigmoid(z1)\nz2 = W2 @ a1 + b2\na2 = sigmoid(z2)\nJ = ||y - a2||^2"
)
CASES: dict[str, tuple[str, ...]] = {
    "(x + sigmoid(y)) / (x^2 + y)": (),
    "relu(x)*log(y) + x^n + where(x > y, sqrt(x), y)": (),
    "||y - W @ x||^2": ("--matrix=W", "--vector=x,y"),
    "mean(x)*trace(A) - logsumexp(x) + max(x)": ("--matrix=A", "--vector=x"),
    "-sum(y*log(softmax(W @ x + b)))": ("--matrix=W", "--vector=x,y,b"),
    NETWORK: ("--matrix=W1,W2", "--vector=a0,b1,b2,y"),
}


def gradcli(*words: str) -> str:
    environment = Environment.captured()
    code = run(("diff", *words), environment)
    out, err = environment.written()
    assert (code, err) == (0, ""), err
    return out


def test_the_examples_of_the_manual() -> None:
    out = gradcli("(x + sigmoid(y)) / (x^2 + y)")
    *formulas, checked = out.splitlines()
    assert formulas == [
        "∂f/∂x = 1/(x^2 + y) - 2*x*(x + sigmoid(y))/(x^2 + y)^2",
        "∂f/∂y = sigmoid(y)*(1 - sigmoid(y))/(x^2 + y) - (x + sigmoid(y))/(x^2 + y)^2",
    ]
    assert re.fullmatch(
        r"checked against backpropagation at 16 random points: agree to 1\d\.\d digits", checked
    )
    assert gradcli("||y - W @ x||^2", "--matrix", "W", "--vector", "x,y").splitlines()[:-1] == [
        "∂f/∂W = -2*(y - W @ x) @ x.T",
        "∂f/∂x = -2*W.T @ (y - W @ x)",
        "∂f/∂y = 2*(y - W @ x)",
    ]
    out = gradcli("x^2*y", "--x", "3", "--y", "2", "--wrt", "x", "--ascii")
    assert out.splitlines()[0] == "df/dx = 2*x*y = 12"


def _point(found: Any) -> dict[str, Any]:
    """Values for the inputs, of small sizes in the place of letters."""
    lengths: dict[str, int] = {}
    rng = np.random.default_rng(2)
    for shape in found["sizes"].values():
        for n in shape:
            if isinstance(n, str):
                lengths.setdefault(n, 2 + len(lengths))
    return {
        name: rng.uniform(0.3, 2, [lengths.get(n, n) for n in shape])[()]
        for name, shape in found["sizes"].items()
    }


@pytest.mark.parametrize("program", CASES, ids=range(len(CASES)))
def test_json_and_python_give_the_gradient(program: str) -> None:
    found = json.loads(gradcli(program, *CASES[program], "--json"))
    schema("diff").validate(found)
    point = _point(found)
    result = Program(program).evaluate(point, check=False)
    code: dict[str, Any] = {}
    exec(gradcli(program, *CASES[program], "--format=python"), code)  # noqa: S102 - it is ours
    gradient = code["gradient"](**point)
    for formula in found["formulas"]:
        (name,) = formula["wrt"]
        expected = result[name].delta
        assert np.allclose(gradient[name], expected, rtol=1e-9, atol=1e-12), name
        if formula["name"].startswith("∂"):
            value = Program(formula["formula"]).evaluate(
                {n: v for n, v in point.items() if re.search(rf"\b{n}\b", formula["formula"])},
                gradient=False,
                check=False,
            )
            assert np.allclose(value.value, expected, rtol=1e-9, atol=1e-12), formula


def test_second_derivatives_in_json_and_python() -> None:
    words = ("||y - W @ x||^2", "--matrix=W", "--vector=x,y", "--order=2")
    found = json.loads(gradcli(*words, "--json"))
    schema("diff").validate(found)
    point = _point(found)
    shapes = {name: np.shape(v) for name, v in point.items()}
    more = {f"d_{name}": np.ones(shape) for name, shape in shapes.items()}
    code: dict[str, Any] = {}
    exec(gradcli(*words, "--format=python"), code)  # noqa: S102 - it is ours
    taken = code["second_derivatives"].__code__.co_varnames
    given = {name: v for name, v in {**point, **more}.items() if name in taken}
    blocks = code["second_derivatives"](**given)
    hessian = Program(words[0]).hessian(point, wrt=("x", "y"), check=False)
    matrix = np.block([[blocks["y,y"], blocks["x,y"].T], [blocks["x,y"], blocks["x,x"]]])
    hessian = Program(words[0]).hessian(point, wrt=("x", "y"), check=False)
    assert hessian.blocks[0].by == "y"
    assert np.allclose(matrix, hessian.matrix)


class _Tags(HTMLParser):
    """That tags are closed, and nothing is loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {"src", "href"} & {name for name, _ in attrs}
        if tag not in {"meta", "mspace"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "mspace":
            assert self.open.pop() == tag


@pytest.mark.parametrize("program", CASES, ids=range(len(CASES)))
def test_html_is_a_page_of_mathml(program: str) -> None:
    page = gradcli(program, *CASES[program], "--format=html")
    tags = _Tags()
    tags.feed(page)
    assert not tags.open
    assert "color-scheme: light dark" in page
    formulas = re.findall(r"<math.*?</math>", page)
    for formula in formulas:
        ET.fromstring(formula)  # noqa: S314 - it is ours
    assert formulas


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is missing")
def test_latex_compiles(tmp_path: Path) -> None:
    parts = [gradcli(p, *CASES[p], "--format=latex", "--standalone") for p in CASES]
    parts.append(gradcli("||y - W @ x||^2", "--matrix=W", "--vector=x,y", "--order=2",
                         "--format=latex", "--standalone"))  # fmt: skip
    head, end = "\\begin{document}\n", "\\end{document}\n"
    bodies = [part.partition(head)[2].removesuffix(end) for part in parts]
    whole = parts[0].partition(head)[0] + head + "".join(bodies) + end
    (tmp_path / "all.tex").write_text(whole, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:]


@pytest.mark.parametrize(
    "words",
    [
        ("x^2", "--shape", "x"),
        ("x^2", "--shape", "x=2x"),
        ("x^2", "--shape", "x=2", "--shape", "x=3"),
        ("x^2", "--vector", "x", "--matrix", "x"),
        ("x^2", "--vector", "x", "--shape", "x=2x2"),
        ("x^2", "--standalone"),
        ("x^2", "--order", "3"),
        ("x^2", "--format", "csv"),
    ],
)
def test_wrong_options(words: tuple[str, ...]) -> None:
    environment = Environment.captured()
    assert run(("diff", *words), environment) == 2
    out, err = environment.written()
    assert out == ""
    assert err.startswith("error: ")
