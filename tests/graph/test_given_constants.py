"""`e`, `pi`, `π`, `tau`, `τ` that are given a value, in any way: inputs like any other."""

from __future__ import annotations

import json
import re
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli import GradcliError, Program
from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.graph.names import CONSTANTS, TWINS

TEXT = "f(u) = u*{0}; s = f(x) + {0}^2; s*sin({0})"
COMMANDS = {
    **dict.fromkeys(("eval", "check", "trace", "jacobian", "hessian"), ("--json",)),
    "graph": ("--format", "mermaid"),
    "export": ("--to", "graph-json"),
    "grade": ("answers.json", "--json"),
}
"""Every command that takes a point, with what else it is given."""


def printed(*arguments: str) -> str:
    environment = Environment.captured(b"")
    code = run(list(arguments), environment)
    out, err = environment.written()
    assert code == 0, err
    return out


def ways(name: str, word: str = "") -> list[tuple[str, ...]]:
    """Arguments that give the name the value 3, and x the value 2; `word` is in the program."""
    text = TEXT.format(word or name)
    Path("data.json").write_text(json.dumps({name: 3, "x": 2, "unused": 1}), encoding="utf-8")
    Path("task.grad").write_text(f"#: {name} = 3\n{text}", encoding="utf-8")
    return [
        (text, f"--{name}", "3", "--x", "2"),
        (text, "--set", f"{name}=3", "--x", "2"),
        (text, "--data", "data.json"),
        ("--file", "task.grad", "--x", "2"),
    ]


def outputs(command: str, name: str) -> list[str]:
    """What a command prints for a program with this name in it, given its value in every way."""
    point = {"x": 2.0, name: 3.0}
    gradient = Program(TEXT.format(name)).evaluate(point, check=False).gradient
    Path("answers.json").write_text(
        json.dumps({f"delta_{n}": float(delta) for n, delta in gradient.items()}), encoding="utf-8"
    )
    # `grade` takes a file by its name alone.
    given = [way[command == "grade" and way[0] == "--file" :] for way in ways(name)]
    found = [printed(command, *way, *COMMANDS[command]) for way in given]
    return [re.sub(rf"(?<![^\W_]){name}(?![^\W_])", "q", out) for out in found]


@pytest.mark.parametrize(("command", "word"), [*zip(COMMANDS, cycle(CONSTANTS), strict=False)])
def test_in_every_command(
    command: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output is that of a program which has another name in the constant's place."""
    monkeypatch.chdir(tmp_path)
    found, expected = outputs(command, word), outputs(command, "q")
    assert found == expected


@pytest.mark.parametrize("word", CONSTANTS)
def test_in_batch_and_from_python(word: str, tmp_path: Path) -> None:
    program, other = Program(TEXT.format(word)), Program(TEXT.format("q"))
    expected = other.evaluate(x=2, q=3, check=False)
    results = [
        program.evaluate({word: 3, "x": 2}, check=False),
        program.evaluate(x=2, data={word: 3, "other": 1}, check=False),
        gradcli.evaluate(TEXT.format(word), x=2, **{word: 3}),
        Program(f"#: {word} = 3\n" + TEXT.format(word)).evaluate(x=2, check=False),
    ]
    for result in results:
        assert result.value == expected.value
        assert result.gradient[word] == expected.gradient["q"]
    made = program.batch({word: [3.0, 1.0], "x": [2.0, 1.0]})
    given: dict[str, Any] = {word: 3}
    fixed = program.batch({"x": [2.0, 1.0]}, **given)
    assert made[f"d_{word}"][0] == fixed[f"d_{word}"][0] == expected.gradient["q"]
    # Without a value it is the constant, before and after it had one.
    assert list(program.evaluate(x=2, check=False).gradient) == ["x"]
    assert f"d_{word}" not in program.batch({"x": [2.0]})
    for suffix, content in ((".csv", f"x,{word}\n2,3\n"), (".ndjson", f'{{"x":2,"{word}":3}}\n')):
        points = tmp_path / f"points{suffix}"
        points.write_text(content, encoding="utf-8")
        line = printed("batch", program.source.text, str(points), "--json", "--keep", "x")
        assert json.loads(line)[f"d_{word}"] == expected.gradient["q"]


def test_data_that_the_program_does_not_use_is_passed_over() -> None:
    data: dict[str, Any] = {"e": 5, "pi": 1, "tau": "text"}
    assert Program("2*x").evaluate(x=2, data=data).value == 4
    assert Program("x*np.pi").evaluate(x=2, data=data).value == 2 * np.pi
    assert list(Program("2*x").batch({"x": [2.0], "e": [1.0]})) == ["value", "d_x"]


BLOCK = "block f(u) = u*{0} with d/du = {0}; f(x)"


@pytest.mark.parametrize("word", CONSTANTS)
@pytest.mark.parametrize("use", [BLOCK, "g(u) = u*{0}; block f(u) = g(u) with d/du = pi; f(x)*{0}"])
def test_a_constant_in_a_block_is_not_given_another_value(word: str, use: str) -> None:
    text = use.format(word)
    assert list(Program(text).evaluate(x=2, check=False).gradient) == ["x"]
    message = f"'{word}' gets a value, and in a block it is the constant"
    for given in (
        lambda: Program(text).evaluate({"x": 2, word: 3}),
        lambda: Program(text).evaluate(x=2, data={word: 3}),
        lambda: Program(text).batch({"x": [2.0], word: [3.0]}),
        lambda: Program(f"#: {word} = 3\n{text}").evaluate(x=2),
        lambda: Program(f"{word} = 2*x; {text}"),
    ):
        with pytest.raises(GradcliError, match=message):
            given()


@pytest.mark.parametrize("word", TWINS)
def test_the_other_spelling_gives_the_value_too(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    twin, text = TWINS[word], TEXT.format(word)
    program = Program(text)
    expected = program.evaluate({word: 3, "x": 2}, check=False)
    for command, format_options in COMMANDS.items():
        if command != "grade":
            own, other = (
                [
                    printed(command, *way, *format_options).replace(f"#: {name} = 3", "")
                    for way in ways(name, word)
                ]
                for name in (word, twin)
            )
            assert own == other
    for name in (word, twin):
        given = (f"--{twin}", "3", "--x", "2")
        assert float(printed("eval", text, *given, "--grad", name)) == expected.gradient[word]
        wrt = json.loads(printed("eval", text, *given, "--wrt", name, "--json"))
        assert list(wrt["gradient"]) == [word]
        made = program.batch({twin: [3.0], "x": [2.0]}, wrt=name)
        assert made[f"d_{word}"][0] == expected.gradient[word]
    for suffix, content in ((".csv", f"x,{twin}\n2,3\n"), (".ndjson", f'{{"x":2,"{twin}":3}}\n')):
        points = tmp_path / f"points{suffix}"
        points.write_text(content, encoding="utf-8")
        line = json.loads(printed("batch", text, str(points), "--json", "--keep", twin))
        assert (line[f"d_{word}"], line[twin]) == (expected.gradient[word], 3)


@pytest.mark.parametrize("word", TWINS)
def test_one_name_in_two_spellings(word: str) -> None:
    twin = TWINS[word]
    both = Program(f"{word}*{twin}*x")
    assert both.evaluate(x=1, check=False).value == CONSTANTS[word] ** 2
    with pytest.raises(GradcliError, match="is the same name"):
        both.evaluate({"x": 1, word: 3})
    with pytest.raises(GradcliError, match="is the same name"):
        both.batch({"x": [1.0], word: [3.0]})
    with pytest.raises(GradcliError, match="is the same name"):
        Program(f"{word} = 3; {twin}*x")
    with pytest.raises(GradcliError, match="a value twice"):
        Program(f"{word}*x").evaluate({"x": 1, word: 3, twin: 4})
