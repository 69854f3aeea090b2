"""`--out FILE`: in every command the ending of the name is the format."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from shutil import which

import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.cli.options import ENDINGS
from gradcli.cli.registry import COMMANDS

POINT = ("x*y + sin(x)", "--x=3", "--y=2")
ALL = (".txt", ".json", ".csv", ".md", ".tex")
CALLS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "eval": (POINT, ALL),
    "trace": (POINT, (*ALL, ".py", ".html", ".htm")),
    "check": (POINT, ALL),
    "jacobian": (POINT, ALL),
    "hessian": (POINT, ALL),
    "diff": (POINT, (".txt", ".json", ".tex", ".py", ".html", ".htm")),
    "plot": (
        ("x*y", "--x=0:1", "--y=3"),
        (".txt", ".json", ".csv", ".svg", ".png", ".pdf"),
    ),
    "graph": (POINT, (".txt", ".dot", ".gv", ".mmd", ".mermaid", ".svg", ".png", ".pdf")),
    "export": (POINT, (".txt", ".py", ".tex", ".json")),
    "grade": ((*POINT, "answers/answer.py"), (".txt", ".json")),
    "sheet": (POINT, (".txt",)),
    "lint": (POINT, (".txt", ".json")),
    "class": ((*POINT, "answers", "--jobs=1"), (".txt", ".json", ".csv")),
    "examples": ((), (".txt", ".json")),
    "batch": (("x*y", "points.csv"), (".csv", ".tsv", ".ndjson", ".jsonl", ".parquet", ".npz")),
    "ops": (("sigmoid", "relu"), (".txt", ".json", ".md")),
}
STARTS: dict[str, str | tuple[str, ...]] = {
    ".md": ("|", "**"),
    ".tex": ("\\begin{", "%"),
    ".py": ("import numpy", '"""'),
    ".html": "<!doctype html>",
    ".dot": "digraph",
    ".gv": "digraph",
    ".mmd": "flowchart",
    ".mermaid": "flowchart",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("points.csv").write_text("x,y\n3,2\n", "utf-8")
    Path("answers").mkdir()
    Path("answers", "answer.py").write_text("a = x*y\nb = sin(x)\nc = a + b\n", "utf-8")
    return tmp_path


def gradcli(*words: str) -> tuple[int, str]:
    """The exit code and what is on standard error, on a terminal with colours."""
    environment = Environment.captured(columns=80, variables={"FORCE_COLOR": "1"})
    return run(words, environment), environment.written()[1]


def write(command: str, name: str, *more: str) -> tuple[int, str]:
    return gradcli(command, *CALLS[command][0], *more, "--out", name)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_ending(command: str) -> None:
    endings = sorted({*ENDINGS, *CALLS[command][1], ".xyz"})
    for ending in endings:
        name = Path(f"out{ending}")
        code, err = write(command, str(name), *(["--color=always"] if command == "eval" else []))
        if ending not in CALLS[command][1]:
            assert code == 2, ending
            assert f"'{ending}'" in err or f"out{ending}" in err
            assert ".csv" in err or ".txt" in err or "csv, tsv" in err
            assert not name.exists()
        elif ending not in (".svg", ".png", ".pdf") or which("dot"):
            assert (code in (0, 4), err) == (True, "")
            expect(ending, name.read_bytes())


def expect(ending: str, content: bytes) -> None:
    assert b"\x1b" not in content or ending in (".png", ".pdf", ".parquet", ".npz")
    text = content.decode("utf-8", "replace")
    assert text.startswith(STARTS.get(ending, ""))
    if ending == ".json":
        json.loads(text)
    if ending == ".csv":
        assert len({len(row) for row in csv.reader(text.splitlines())}) == 1
    if ending == ".txt":
        assert text[:1] not in ("{", "|", "\\")


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in ("batch", "class", "graph")])
def test_no_ending_is_text(command: str) -> None:
    write(command, "out")
    write(command, "out.txt")
    assert Path("out").read_bytes() == Path("out.txt").read_bytes()


def test_a_given_format_wins() -> None:
    for command, form, name in (
        ("eval", "--format=csv", "out.json"),
        ("eval", "--format=csv", "out.xyz"),
        ("eval", "--json", "out.md"),
        ("graph", "--format=dot", "out.xyz"),
        ("export", "--to=python", "out.tex"),
        ("ops", "--format=markdown", "out.txt"),
        ("trace", "--format=table", "out.json"),
    ):
        assert write(command, name, form) == (0, "")
        assert write(command, "plain", form) == (0, "")
        assert Path(name).read_bytes() == Path("plain").read_bytes()


def test_styles_of_a_trace() -> None:
    for style, name in (("code", "out.py"), ("math", "out.tex"), ("table", "out.txt")):
        assert write("trace", name, "--style", style) == (0, "")
        assert write("trace", "plain", "--style", style) == (0, "")
        assert Path(name).read_bytes() == Path("plain").read_bytes()
    code, err = write("trace", "out.py", "--style", "wires")
    assert (code, "--style wires" in err) == (2, True)


def test_bare_values() -> None:
    assert write("eval", "out.json", "--value") == (0, "")
    assert json.loads(Path("out.json").read_text("utf-8")) == pytest.approx(6.1411200080598674)
    assert write("eval", "out.csv", "--grad=x")[0] == 2
