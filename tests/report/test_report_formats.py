"""CSV, Markdown and LaTeX: the same rows for other programs."""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from report_samples import NAMES, evaluate, samples
from syrupy.assertion import SnapshotAssertion  # noqa: TC002 - pytest reads the annotation

from gradcli.report import Style, render
from gradcli.report.mathematics.names import name as latex_name
from gradcli.report.mathematics.names import numeral
from gradcli.report.tables import csv as csv_table
from gradcli.report.tables import markdown
from gradcli.report.tables.markdown import code, escaped
from gradcli.report.tables.model import Cell, Column, Name, Number, Shape, Table, Words

PLAIN = Style(width=None, color=False, ascii=False)
COMMANDS = ("eval", "check")
PIECES = """\
A = [[x, y], [y, x]]
block sq(u) = u^2 with d/du = 2*u
B = A^2*1e-7 - -3
alpha_1 = max(x, y, -3) + atan2(y, x) + sq(x) + where(x > 0, -1, x)
c = clip(alpha_1, -1, 1) - log(x, 10) + √x + |y| + ||B|| + 1/x + x/3 + (-x)*-2 + (-2)^x
λ_max = (2*pi)*x - 1e300 + mean(reshape(A, (4, 1))) + inv(A)[0, 1] + sum(A.T, axis=0)[1]
c + λ_max + softmax(A[0])[1] + 2^x + exp(-x)*σ(x)"""


@pytest.mark.parametrize("form", ["csv", "markdown", "latex"])
@pytest.mark.parametrize("name", ["verdicts", "network", "deep", "wide", "nonfinite", "unchecked"])
def test_formats(name: str, form: str, snapshot: SnapshotAssertion) -> None:
    assert render(samples()[name], form, PLAIN) == snapshot


@pytest.mark.parametrize("form", ["csv", "markdown", "latex"])
def test_check(form: str, snapshot: SnapshotAssertion) -> None:
    assert render(samples()["verdicts"], form, PLAIN, "check") == snapshot


# --- any table ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_no_cell_breaks_a_table(seed: int) -> None:
    """Whatever stands in them, cells stay where they are, and CSV has them to the last digit."""
    chance = random.Random(seed)  # noqa: S311
    width = chance.randint(1, 6)
    texts = ["x|y", "a_1*b", '"q", r', "line\nend", "\x1b[1m", "中é", "`tick`", "<br>", "", "#~\\"]
    numbers = [1 / 3, -1e-300, np.inf, np.arange(4.0), np.eye(3) / 7, np.ones((40, 40)), None]

    def cell() -> Cell:
        text = chance.choice(texts)
        number = Number(chance.choice(numbers), 6, sized=chance.random() < 0.5)
        made: list[Cell] = [Name(text), Words(text), Shape((2, 3)), number, "input"]
        return chance.choice(made)

    table = Table(
        [
            Column(chance.choice(texts[:4]), numbers=k % 2 == 1, typed=k % 3 == 1)
            for k in range(width)
        ],
        [[cell() for _ in range(width)] for _ in range(12)],
    )
    lines = "".join(markdown.written(table, PLAIN)).splitlines()
    assert len(lines) == 14
    assert {len(re.findall(r"(?<!\\)\|", line.replace("\\\\", ""))) for line in lines[1:]} == {
        width + 1
    }
    found = list(csv.reader("".join(csv_table.written(table, PLAIN)).splitlines()))
    assert [len(row) for row in found] == [width] * 13
    for row, cells in zip(found[1:], table.rows, strict=True):
        for text, made in zip(row, cells, strict=True):
            if (
                isinstance(made, Number)
                and 0 < np.size(made.value) <= 1000
                and made.value is not None
            ):
                number = text.replace("nan", "NaN").replace("inf", "Infinity")
                assert np.array_equal(json.loads(number), made.value)


# --- CSV ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", NAMES)
def test_csv_round_trips(name: str, command: str) -> None:
    result = samples()[name]
    found = list(csv.DictReader(render(result, "csv", PLAIN, command).splitlines()))
    rows = [row for row in result.rows() if row.check or command == "eval"]
    assert [line["name"] for line in found] == [row.node.name for row in rows]
    for line, row in zip(found, rows, strict=True):
        delta = line["gradient" if command == "check" else "delta"]
        if row.delta is None:
            assert not delta
        elif np.size(row.delta) <= 1000:
            assert np.array_equal(
                json.loads(delta.replace("nan", "NaN").replace("inf", "Infinity")),
                row.delta,
                equal_nan=True,
            )


def test_csv_summarises_what_no_cell_can_hold() -> None:
    result = evaluate("sum(A)", {"A": np.ones((40, 40))})
    (line, *_) = csv.DictReader(render(result, "csv", PLAIN).splitlines())
    assert line["value"] == "40×40, min 1, max 1, norm 40"


# --- Markdown ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", NAMES)
def test_markdown_has_as_many_cells_in_every_row(name: str, command: str) -> None:
    text = render(samples()[name], "markdown", PLAIN, command)
    table = text.split("\n\n")[0].splitlines()
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1


def test_markup_of_markdown() -> None:
    assert code("||x||") == "`\\|\\|x\\|\\|`"
    assert escaped("a_b* <i> [x](y) | `c`") == "a\\_b\\* \\<i\\> \\[x\\](y) \\| \\`c\\`"


# --- LaTeX -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("x", "x"),
        ("x1", "x_{1}"),
        ("W_2", "W_{2}"),
        ("delta_z2", r"\delta_{\mathit{z2}}"),
        ("δ_x", r"\delta_{x}"),
        ("loss", r"\mathit{loss}"),
        ("Gamma", r"\Gamma"),
        ("Α", "A"),
        ("ŷ", r"\hat{y}"),
        ("x̂2", r"\hat{x}_{2}"),
        ("größe", r"\mathit{gr\ddot{o}\mathtt{U{+}00DF}e}"),
        ("_", r"\mathit{\_}"),
        ("_1", r"\mathit{\_1}"),
        ("a__b", "a_{b}"),
        ("目", r"\mathtt{U{+}76EE}"),
    ],
)
def test_names_in_latex(name: str, written: str) -> None:
    assert latex_name(name) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1.5e-7", r"1.5 \cdot 10^{-7}"),
        ("-1e300", "-10^{300}"),
        ("0.2", "0.2"),
        ("-inf", r"-\infty"),
    ],
)
def test_numbers_in_latex(text: str, written: str) -> None:
    assert numeral(text) == written


def test_operations_in_latex(snapshot: SnapshotAssertion) -> None:
    result = evaluate(PIECES, {"x": 3.0, "y": 1.5}, allow_nonfinite=True)
    lines = render(result, "latex", PLAIN).splitlines()
    cells = [line.split(" & ") for line in lines if " & " in line]
    assert "\n".join(f"{cell[0]:<12} {cell[1]}" for cell in cells) == snapshot


def everything() -> str:
    """A document with every table that the tests have."""
    tables = [
        render(result, "latex", PLAIN, command)
        for result in (
            *samples().values(),
            evaluate(PIECES, {"x": 3.0, "y": 1.5}, allow_nonfinite=True),
        )
        for command in COMMANDS
    ]
    return "\n\n".join(
        [
            r"\documentclass{article}\usepackage{amsmath, booktabs}\begin{document}",
            *tables,
            r"\end{document}",
        ]
    )


def test_latex_is_balanced() -> None:
    for part in everything().split("\n\n")[1:-1]:
        bare = re.sub(r"\\[{}]", "", part)
        assert bare.count("{") == bare.count("}")
        assert part.count("$") % 2 == part.count(r"\$") % 2
        body = [line for line in part.splitlines() if line.endswith(r"\\")]
        columns = re.findall(r"begin{tabular}{(\w+)}", part)[0]
        for line in body:
            outside = re.sub(r"\\begin{pmatrix}.*?\\end{pmatrix}", "", line)
            assert len(re.findall(r"(?<!\\)&", outside)) == len(columns) - 1


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_latex_compiles(tmp_path: Path) -> None:
    tmp_path.joinpath("all.tex").write_text(everything(), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, check=False, encoding="latin-1"
    )
    if "booktabs.sty' not found" in done.stdout:
        pytest.skip("there is no booktabs")
    assert done.returncode == 0, done.stdout[-2000:]
