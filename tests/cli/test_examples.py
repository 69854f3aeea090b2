"""The programs that come with gradcli: each is found, right, and shown in the documentation."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import gradcli
from gradcli import examples
from gradcli.cli.app import run
from gradcli.cli.environment import Environment

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

LIKELY = "challenger"
DOCS = Path(__file__).parents[2] / "docs"


def gradcli_(*words: str, stdin: bytes = b"", columns: int | None = None) -> tuple[int, str, str]:
    environment = Environment.captured(stdin, columns=columns)
    return (run(words, environment), *environment.written())


def test_every_file_is_listed() -> None:
    names = {entry.name for entry in files("gradcli.examples").iterdir()}
    assert {name for name in names if name.endswith(".grad")} == {
        f"{name}.grad" for name in examples.ORDER
    }


@pytest.mark.parametrize("name", examples.ORDER)
class TestEach:
    def test_its_gradient_is_right(self, name: str) -> None:
        assert gradcli.Program(examples.text(name)).evaluate().verdict == "pass"

    def test_it_has_a_title_of_one_line(self, name: str) -> None:
        assert examples.title(name)
        assert examples.title(name) == gradcli.Program(examples.text(name)).header.title

    def test_run_is_eval(self, name: str) -> None:
        text = examples.text(name)
        expected = gradcli_("eval", text, "--json", "--no-check")
        assert gradcli_("examples", "run", name, "--json", "--no-check") == expected
        code, shown, _ = gradcli_("examples", "show", name)
        assert (code, shown) == (0, text)
        piped = gradcli_("eval", "-", "--json", "--no-check", stdin=shown.encode())
        assert piped == expected

    def test_it_is_in_the_documentation(self, name: str) -> None:
        page = (DOCS / "examples.md").read_text("utf-8")
        assert f"\n## {name}\n" in page
        assert examples.text(name) in page


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kamper", {"x": -0.524316690390902, "y": -0.11718690715582544}),
        ("product", {"x": -4, "y": -4, "z": 3}),
        ("gates", {"x": -8, "y": 6, "z": 2, "w": 0}),
        ("rosenbrock", {"x": -215.6, "y": -88}),
        ("softmax", {"z": np.exp([2, 1, 0.1]) / np.exp([2, 1, 0.1]).sum() - [1, 0, 0]}),
        # The likelihood is largest there.
        (LIKELY, {"w": 0, "b": 0}),
    ],
)
def test_known_gradients(name: str, expected: dict[str, Any]) -> None:
    gradient = gradcli.Program(examples.text(name)).evaluate(check=False).gradient
    for key, value in expected.items():
        np.testing.assert_allclose(gradient[key], value, rtol=1e-12, atol=1e-4 * (name == LIKELY))


def test_another_value() -> None:
    code, out, _ = gradcli_("examples", "run", "kamper", "--x", "1", "--value")
    assert code == 0
    assert float(out) == pytest.approx((1 + 1 / (1 + np.exp(4))) / -3)


def test_list(snapshot: SnapshotAssertion) -> None:
    code, out, err = gradcli_("examples")
    assert (code, err) == (0, "")
    assert out == snapshot
    assert gradcli_("examples", "list") == (0, out, "")
    _, narrow, _ = gradcli_("examples", columns=60)
    assert max(map(len, narrow.splitlines())) <= 60
    assert narrow.split() == out.split()


@pytest.mark.parametrize("words", [["examples"], ["examples", "show", "network"]])
def test_json(words: list[str]) -> None:
    schema = json.loads((DOCS / "schema" / "examples.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    _, out, _ = gradcli_(*words, "--json")
    Draft202012Validator(schema).validate(json.loads(out))


@pytest.mark.parametrize(
    "words",
    [
        "show kampr",
        "run kampr",
        "show nothing",
        "show",
        "run",
        "run --x 3 kamper",
        "--precision 3 run kamper",
        "kamper",
        "shw kamper",
        "list kamper",
        "show kamper network",
        "show kamper --format csv",
    ],
)
def test_mistakes(words: str, snapshot: SnapshotAssertion) -> None:
    code, out, err = gradcli_("examples", *words.split())
    assert (code, out) == (2, "")
    assert err == snapshot


def test_help_of_run() -> None:
    assert gradcli_("examples", "run", "--help") == gradcli_("examples", "--help")
