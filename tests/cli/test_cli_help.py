"""Help: every command has it, with examples first, readable, and fast to get."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.core import TyperOption

from gradcli.cli.app import EXAMPLES, app, run
from gradcli.cli.command import Command
from gradcli.cli.environment import Environment
from gradcli.cli.registry import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

SHARED_BY_ALL = {
    "--json", "--pretty", "--format", "--precision", "--ascii", "--color", "--out", "--version",
    "--help",
}  # fmt: skip
SHARED_BY_EVALUATIONS = SHARED_BY_ALL | {
    "--file", "--set", "--data", "--seed", "--output", "--wrt", "--upstream", "--allow-nonfinite",
    "--value", "--grad", "--no-check", "--check", "--check-budget", "--exact",
}  # fmt: skip
OF_PICTURES = {"graph": {"--json", "--pretty", "--color", "--value", "--grad"} | {
    "--no-check", "--check", "--check-budget", "--exact",
}}  # fmt: skip
"""What a picture has no use for."""
HOMEWORK = {"grade", "sheet", "lint", "class"}
SHARED_BY_HOMEWORK = {"--data", "--set", "--seed", "--out", "--version", "--help"}
SHARED_BY_BATCH = {
    "--json", "--out", "--version", "--help", "--file", "--set", "--data", "--seed", "--output",
    "--wrt",
}  # fmt: skip
ALL = [[], *([name] for name in COMMANDS)]
HEAVY = ("numpy", "lark", "rich", "scipy", "pydantic", "gradcli.program", "gradcli.syntax.parser")


def help_of(*words: str, columns: int = 80) -> str:
    environment = Environment.captured(variables={"COLUMNS": str(columns)})
    assert run([*words, "--help"], environment) == 0
    out, err = environment.written()
    assert err == ""
    return out


def command(name: str) -> Command:
    made: Command = import_module(f"gradcli.cli.commands.{name}").command
    return made


class TestPages:
    @pytest.mark.parametrize("words", ALL)
    @pytest.mark.parametrize("columns", [60, 80])
    def test_snapshot(self, words: list[str], columns: int, snapshot: SnapshotAssertion) -> None:
        assert help_of(*words, columns=columns) == snapshot

    @pytest.mark.parametrize("words", ALL)
    def test_fits_into_sixty_columns_of_ascii(self, words: list[str]) -> None:
        page = help_of(*words, columns=60)
        assert page.isascii()
        assert max(map(len, page.splitlines())) <= 60

    @pytest.mark.parametrize("words", ALL)
    def test_examples_come_first(self, words: list[str]) -> None:
        page = help_of(*words)
        assert page.index("Examples:") < page.index("Usage: ") < page.index("--version")

    @pytest.mark.parametrize("name", COMMANDS)
    def test_the_summaries_agree(self, name: str) -> None:
        summary = " ".join((command(name).help or "").partition("\n\n")[0].split())
        assert summary[:1].lower() + summary[1:].rstrip(".") == COMMANDS[name]

    @pytest.mark.parametrize("name", COMMANDS)
    def test_shared_options_are_everywhere(self, name: str) -> None:
        made = command(name)
        options = {o for p in made.params if isinstance(p, TyperOption) for o in p.opts}
        shared = SHARED_BY_EVALUATIONS if made.binds else SHARED_BY_ALL
        if name == "batch":  # it writes a table of data, which no report option concerns
            shared = SHARED_BY_BATCH
        elif name in HOMEWORK:
            shared = SHARED_BY_HOMEWORK
        elif name == "export":  # no report: no bare values, and nothing in it to be checked
            shared = SHARED_BY_ALL
        assert options >= shared - OF_PICTURES.get(name, set())

    @pytest.mark.parametrize("name", COMMANDS)
    def test_no_option_has_one_letter(self, name: str) -> None:
        """It would eat letters of an expression that begins with a minus; `-h` is sorted out."""
        for parameter in command(name).params:
            short = {o for o in parameter.opts if re.fullmatch("-[^-]", o)}
            assert short <= {"-h"}

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_option_is_explained_in_a_group(self, name: str) -> None:
        for parameter in command(name).params:
            assert getattr(parameter, "help", None)
            assert getattr(parameter, "rich_help_panel", None)


def examples() -> list[str]:
    """The examples of all help pages that need no file, each on one line."""
    lines = [*EXAMPLES]
    for name in COMMANDS:
        text = "\n".join(command(name).examples).replace("\\\n", "")
        lines += re.findall(r"^gradcli .*(?:\n +.*)*", text, re.MULTILINE)
    return [
        line for line in lines if not re.search(r"@(?! x)|--file|points|task\.grad|answer", line)
    ]


@pytest.mark.parametrize("line", examples())
def test_examples_work(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if line.endswith(".svg") and shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    monkeypatch.chdir(tmp_path)  # some write a file
    words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)]
    environment = Environment.captured()
    code = run(words[1:], environment)
    assert environment.written()[1] == ""
    assert code == (3 if "3*x" in line else 0)


class TestImports:
    """Help needs neither NumPy nor Lark nor Rich: that is most of what it would cost."""

    @pytest.mark.parametrize(
        "words",
        [["--help"], ["--version"], ["eval", "--help"], ["ops", "-h"], [], ["eval", "--jsn"]],
    )
    def test_nothing_heavy(self, words: list[str]) -> None:
        assert not [name for name in loaded(*words) if name.startswith(HEAVY)]

    def test_an_evaluation_without_a_table_needs_no_rich(self) -> None:
        found = loaded("eval", "x^2", "--x", "3", "--json", "--no-check")
        assert "numpy" in found
        heavy = {"rich", "scipy", "mpmath", "gradcli.check", "gradcli.report.tables.table"}
        assert not heavy & found

    def test_a_number_needs_no_second_parse(self) -> None:
        assert "gradcli.files.arrays" not in loaded("eval", "x", "--x", "3", "--value")


def loaded(*words: str) -> set[str]:
    """The modules that a command line loads."""
    code = (
        "import sys\nfrom gradcli.cli import main\n"
        "try: main()\n"
        "except SystemExit: print(*sys.modules, sep='\\n', file=sys.__stderr__)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True, timeout=60
    )
    return set(ran.stderr.splitlines())


class TestProcess:
    def test_module_and_exit_code(self) -> None:
        def exit_code(*words: str) -> int:
            ran = subprocess.run(
                [sys.executable, "-m", "gradcli", *words],
                capture_output=True,
                check=False,
                timeout=60,
            )
            return ran.returncode

        assert exit_code("--version") == 0
        assert exit_code("eval", "log(x)", "--x", "-1") == 1
        assert exit_code("eval") == 2

    def test_help_is_the_same_on_every_system(self) -> None:
        ran = subprocess.run(
            [sys.executable, "-m", "gradcli", "eval", "--help"],
            capture_output=True,
            check=True,
            timeout=60,
            env={**os.environ, "COLUMNS": "80", "GITHUB_ACTIONS": "1", "FORCE_COLOR": "1"},
        )
        assert ran.stdout.decode().replace("\r\n", "\n") == help_of("eval")


# --- completion --------------------------------------------------------------------------


def completions(monkeypatch: Any, capfd: Any, line: str, shell: str = "bash") -> list[str]:
    """What the shell is offered for a line that is being typed."""
    words = line.split(" ")
    monkeypatch.setenv("_GRADCLI_COMPLETE", f"complete_{shell}")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
    monkeypatch.setenv("_TYPER_COMPLETE_WORD_TO_COMPLETE", words[-1])
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    assert run([], Environment.captured()) == 0
    out, err = capfd.readouterr()
    assert err == ""
    return [found for found in out.splitlines() if found]


class TestCompletion:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("gradcli ", [*COMMANDS]),
            ("gradcli ev", ["eval"]),
            ("gradcli eval --fo", ["--format"]),
            ("gradcli eval x^2 --x -3 --pre", ["--pretty", "--precision"]),
            ("gradcli eval -x^2 --check-", ["--check-budget"]),
            ("gradcli eval x^2 --format ", ["table", "json", "csv", "markdown", "latex"]),
            ("gradcli eval x^2 --check s", ["sample"]),
            ("gradcli check --jsn --str", ["--strict"]),
            ("gradcli ops sigm", ["sigmoid", "sigmoid_slope"]),
            ("gradcli examples show net", ["network"]),
            ("gradcli examples run ro", ["rosenbrock"]),
            ("gradcli graph x --format p", ["png", "pdf"]),
            ("gradcli ops relu logsi", ["logsigmoid"]),
            ("gradcli eval --file ta", []),
            ("gradcli nonsense --x", []),
        ],
    )
    def test_bash(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
        line: str,
        expected: list[str],
    ) -> None:
        assert completions(monkeypatch, capfd, line) == expected

    @pytest.mark.parametrize(
        ("shell", "part"),
        [
            ("zsh", '"eval":"value, gradient and check of every node, in one table"'),
            ("fish", "eval\tvalue, gradient"),
            ("powershell", "eval:::value, gradient"),
        ],
    )
    def test_other_shells(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
        shell: str,
        part: str,
    ) -> None:
        assert any(part in found for found in completions(monkeypatch, capfd, "gradcli ev", shell))

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
    def test_scripts(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], shell: str
    ) -> None:
        monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
        assert run(["--show-completion", shell], Environment.captured()) == 0
        assert "_GRADCLI_COMPLETE" in capfd.readouterr().out

    def test_all_functions_are_offered(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        from gradcli.ops import function_names  # noqa: PLC0415 - the other tests don't need it

        assert completions(monkeypatch, capfd, "gradcli ops ") == function_names()


def test_typer_sees_a_group() -> None:
    """So that tools that know Typer can walk the commands."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group)
    assert group.list_commands(context) == [*COMMANDS]
    for name in COMMANDS:
        assert isinstance(group.get_command(context, name), Command)
