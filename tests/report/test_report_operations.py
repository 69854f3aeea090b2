"""The listing of operations: every row is in it, and what it shows is what runs."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest
from jsonschema import Draft202012Validator
from syrupy.assertion import SnapshotAssertion  # noqa: TC002 - pytest reads the annotation

from gradcli import ops
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.ops.operation import Operation
from gradcli.program import Program
from gradcli.report import Style
from gradcli.report.reference.forms import commands, forms, groups, written
from gradcli.report.reference.operations import also_called, listing

ROOT = Path(__file__).parents[2]
PLAIN = Style(width=None, color=False, ascii=False)
SHOWN = ("sigmoid", "pow", "matmul", "max", "abs", "zeros", "index", "array", "identity", "less")


def name(row: Operation) -> str:
    return row.name


def test_every_operation_is_in_one_group() -> None:
    found = [row for rows in groups().values() for row in rows]
    assert sorted(map(name, found)) == sorted(map(name, ops.TABLE))


@pytest.mark.parametrize("row", ops.TABLE, ids=name)
def test_the_rules_are_those_that_run(row: Operation) -> None:
    for form in forms(row):
        assert all(form.rules.values())
        assert not row.operands or form.rules
    if isinstance(row.rules, tuple):
        assert tuple(forms(row)[0].rules.values()) == row.rules


@pytest.mark.parametrize("row", ops.TABLE, ids=name)
def test_every_example_runs(row: Operation) -> None:
    for command in commands(row):
        words = shlex.split(command)
        assert words[0] == "gradcli"
        environment = Environment.captured()
        bare = "--value" in words
        code = run([*words[1:], *([] if bare else ["--json", "--no-check"])], environment)
        out, err = environment.written()
        assert (code, err) == (0, "")
        assert bare or row.name in {node.get("op") for node in json.loads(out)["nodes"]}


def test_what_is_written_is_what_is_read() -> None:
    for row in ops.TABLE:
        if row.symbol or row.name in {"identity", "reciprocal"}:
            inputs = {p.name: 2.0 for p in row.operands}
            if row.name in {"matmul", "T", "div"}:
                continue
            result = Program(written(row)).evaluate(inputs, check=False)
            assert any(node.operation is row for node in result.graph.nodes)


def test_other_names() -> None:
    (log,) = (row for row in ops.TABLE if row.name == "log")
    assert also_called(log) == ["ln"]


# --- text --------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", SHOWN)
def test_all_about_an_operation(wanted: str, snapshot: SnapshotAssertion) -> None:
    style = Style(width=80, color=False, ascii=False)
    assert listing(ops.find(wanted), "table", style) == snapshot


@pytest.mark.parametrize("width", [None, 60])
def test_the_listing_has_a_line_for_everything(width: int | None) -> None:
    text = listing(None, "table", Style(width=width, color=False, ascii=False))
    for row in ops.TABLE:
        assert f"\n  {written(row)}" in text
        assert row.doc.split()[0] in text
    if width:
        assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_examples_are_folded_between_options(width: int) -> None:
    """On a terminal; what is copied from several lines is for a shell the same command."""
    text = listing(ops.find("clip"), "table", Style(width=width, color=False, ascii=False))
    example = text.partition("  example")[2]
    assert all(len(line) <= width or '"' in line for line in text.splitlines())
    plain = listing(ops.find("clip"), "table", PLAIN).partition("  example")[2]
    assert "\\" not in plain
    assert [shlex.split(line) for line in example.replace("\\\n", "").splitlines()] == [
        shlex.split(line) for line in plain.splitlines()
    ]


def test_color_and_ascii() -> None:
    plain = listing(None, "table", PLAIN)
    colored = listing(None, "table", Style(width=None, color=True, ascii=False))
    assert re.sub(r"\x1b\[\d+m", "", colored) == plain != colored
    for rows in (None, ops.TABLE):
        for form in ("table", "markdown", "json"):
            assert listing(rows, form, Style(width=None, color=False, ascii=True)).isascii()


def test_no_other_format() -> None:
    with pytest.raises(ValueError, match="no format 'csv'"):
        listing(None, "csv", PLAIN)


# --- JSON --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pretty", [False, True])
def test_json_fits_the_schema(*, pretty: bool) -> None:
    schema = json.loads((ROOT / "docs" / "schema" / "ops.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    style = Style(width=None, color=False, ascii=False, pretty=pretty)
    found = json.loads(listing(None, "json", style))
    Draft202012Validator(schema).validate(found)
    assert sorted(entry["name"] for entry in found["operations"]) == sorted(map(name, ops.TABLE))
    (sigmoid,) = json.loads(listing(ops.find("sigmoid"), "json", style))["operations"]
    assert sigmoid["rules"] == [
        {
            "form": "sigmoid(x)",
            "shapes": {},
            "rules": {"x": "out*(1 - out)"},
            "running": {"x": "sigmoid_slope(x)"},
        }
    ]


# --- the page ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def docs() -> ModuleType:
    """scripts/docs as a module."""
    loader = SourceFileLoader("docs_script", str(ROOT / "scripts" / "docs"))
    spec = importlib.util.spec_from_loader("docs_script", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(docs: ModuleType) -> None:
    assert docs.outdated() == {}, "scripts/docs writes it anew"


def test_an_old_page_is_noticed(docs: ModuleType) -> None:
    text = docs.OPERATIONS.read_text(encoding="utf-8")
    assert docs.operations_page(text.replace("hyperbolic", "parabolic")) == text
    with pytest.raises(SystemExit, match="has lost its line"):
        docs.operations_page("# Operations")


def test_markdown_has_as_many_cells_in_every_row() -> None:
    for line in listing(None, "markdown", PLAIN).splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (4, 7)
