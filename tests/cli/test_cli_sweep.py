"""Every command with every option: what all of them have means the same everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.cli.registry import COMMANDS, command

PROGRAM = "x*y + sin(x)"
POINT = ("--x=3", "--y=2")
AFTER: dict[str, tuple[str, ...]] = {
    "grade": ("answers/answer.py",),
    "class": ("answers", "--jobs=1"),
    "batch": ("points.csv",),
}
"""What follows the program."""
EVALUATES = [name for name in COMMANDS if name not in ("examples", "ops")]
VALUES = {
    "--set": "z=1",
    "--data": "point.json",
    "--file": "task.grad",
    "--seed": "1",
    "--output": "a",
    "--function": "f",
    "--wrt": "x",
    "--upstream": "2",
    "--check-budget": "1",
    "--precision": "3",
    "--out": "out",
    "--grad": "x,y",
    "--vector": "x=1",
    "--node": "a",
    "--for": "anna",
    "--rtol": "1e-3",
    "--digits": "3",
    "--eta": "0.1",
    "--points": "10",
    "--time-limit": "5",
    "--jobs": "1",
    "--separator": ",",
    "--decimal": ".",
    "--missing": "NA",
    "--keep": "x",
}
"""A value for an option that takes one and has no choices; another is tried with "1"."""
COLOURED = {"eval", "check", "jacobian", "hessian", "graph", "grade", "trace"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("points.csv").write_text("x,y\n3,2\n", "utf-8")
    Path("point.json").write_text('{"x": 3, "y": 2}', "utf-8")
    Path("task.grad").write_text(PROGRAM + "\n", "utf-8")
    Path("loss.py").write_text("import numpy as np\ndef f(x, y):\n    return x*y + np.sin(x)\n")
    Path("answers").mkdir()
    Path("answers", "answer.py").write_text("a = x*y\nb = sin(x)\nc = a + b\n", "utf-8")
    return tmp_path


def gradcli(*words: str, columns: int | None = None, stdin: bytes = b"") -> tuple[int, str, str]:
    environment = Environment.captured(stdin, columns=columns)
    return run(words, environment), *environment.written()


def call(name: str, program: tuple[str, ...] = (PROGRAM,)) -> list[str]:
    if name not in EVALUATES:
        return [name, "sigmoid"] if name == "ops" else [name]
    inputs = {"batch": (), "plot": ("--x=0:3", "--y=2")}.get(name, POINT)
    return [name, *program, *AFTER.get(name, ()), *inputs]


def options(name: str) -> list[list[str]]:
    """Each option of a command with each value that it may have."""
    found: list[list[str]] = []
    for each in command(name).parameters:
        if not each.is_option or each.name in ("help", "version"):
            continue
        option = each.names[0]
        value = "x" if (name, option) == ("diff", "--vector") else VALUES.get(option, "1")
        words = each.choices or ([] if each.is_flag else [value])
        found += [[option, word] for word in words] or [[option]]
    if name == "class":  # it starts processes, and shares its options with `grade`
        found = [words for words in found if words[0] in ("--quiet", "--out")]
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_done_or_refused(name: str) -> None:
    plain = gradcli(*call(name))
    assert plain[0] in (0, 4)
    refused = []
    for words in options(name):
        program = () if words[0] == "--file" else (PROGRAM,)
        given = [word for word in call(name, program) if words[0] != "--data" or word not in POINT]
        binary = ["--out=out"] if {"png", "pdf", "parquet", "npz"} & {*words} else []
        code, out, err = gradcli(*given, *words, *binary)
        assert "itself failed" not in err, words
        assert (code == 2) == err.startswith(("error: ", '{"schema": "gradcli.error/1"')), words
        if code == 2:
            refused += words[:1] if words[1:] != ["1"] or words[0] in VALUES else []
        elif words == ["--quiet"]:
            assert (code, out, err) == (plain[0], "", "")
        elif words == ["--color", "always"]:
            assert "\x1b[" in out or name not in COLOURED
        elif words == ["--ascii"]:
            assert out.isascii()
        elif words[0] == "--out":
            assert out == "" or name == "class"
            assert Path("out").stat().st_size
    can_be_refused = {"--set", "--step", "--function", "--output", "--no-check", "--check"}
    can_be_refused |= {"--time-limit"} if name != "grade" else set()
    can_be_refused |= {"--standalone"} if name in ("trace", "export", "diff") else set()
    can_be_refused |= {"--vector"} if name == "diff" else set()  # x has a value
    can_be_refused |= {"--data", "--at"} if name == "plot" else set()
    can_be_refused |= {"--from", "--data"} if name == "batch" else set()
    assert set(refused) <= can_be_refused | {"--exact", "--jit", "--format"}, refused


@pytest.mark.parametrize("name", [name for name in EVALUATES if name != "class"])
def test_a_file_and_standard_input_are_programs_everywhere(name: str) -> None:
    expected = gradcli(*call(name))
    by_file = gradcli(*call(name, ("task.grad",)))
    assert by_file[:2] == expected[:2]
    assert gradcli(*call(name, ("--file", "task.grad"))) == by_file
    text = f"{PROGRAM}\n".encode()
    assert gradcli(*call(name, ("-",)), stdin=text)[:2] == by_file[:2]
    assert gradcli(*call(name, ("loss.py",)))[0] == expected[0]
    code, _, err = gradcli(*call(name, ("nothing.grad",)))
    assert (code, "nothing.grad" in err) == (2, True)


class Keyboard:
    """Standard input as a terminal has it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def isatty(self) -> bool:
        return True

    def read(self, _size: int = -1) -> bytes:
        assert self.content, "Ctrl-D was typed, and ends the input"
        content, self.content = self.content, b""
        return content


def test_a_keyboard_is_announced() -> None:
    for words, what in (
        (("eval", "-", "--x", "3"), "the program"),
        (("eval", "x^2", "--data", "-"), "the inputs' values"),
        (("-", "--x", "3"), "the program"),
    ):
        environment = Environment.captured()
        environment.stdin = Keyboard(b"x^2" if "-" in words[:2] else b'{"x": 3}')  # type: ignore[assignment]
        assert run([*words, "--value"], environment) == 0
        out, err = environment.written()
        assert out == "9.0\n"
        assert err == f"gradcli reads {what} from the keyboard; Ctrl-D ends it\n"
    environment = Environment.captured()
    environment.stdin = Keyboard(b"a = x*y\n")  # type: ignore[assignment]
    assert run(["grade", PROGRAM, *POINT, "-"], environment) == 4
    assert environment.written()[1].startswith("gradcli reads the submission from the keyboard")


@pytest.mark.parametrize(
    ("words", "variables", "expected"),
    [
        (["--color", "always"], {}, True),
        (["--color=always"], {"NO_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {}, False),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
@pytest.mark.parametrize(
    "line",
    [
        ["eval", "x^2", "--x", "3"],
        ["eval", "x^2 + sigmod(x)", "--x", "3"],
        ["eval", "--help"],
        ["help", "json"],
        ["graph", "x*y", "--x", "3", "--y", "2"],
        ["grade", PROGRAM, *POINT, "answers/answer.py"],
        ["trace", "x^2", "--x", "3"],
    ],
)
def test_one_rule_for_colours(
    line: list[str], words: list[str], variables: dict[str, str], *, expected: bool
) -> None:
    environment = Environment.captured(variables=variables)
    run([*line, *words], environment)
    assert ("\x1b[" in "".join(environment.written())) == expected
