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

from gradcli.cli import topics
from gradcli.cli.app import run
from gradcli.cli.command import Command
from gradcli.cli.environment import Environment
from gradcli.cli.help import EXAMPLES
from gradcli.cli.registry import COMMANDS, INSTEAD, MEANT, TOPICS

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

SHARED_BY_ALL = {
    "--json", "--pretty", "--format", "--precision", "--ascii", "--color", "--quiet", "--out",
    "--version", "--help",
}  # fmt: skip
SHARED_BY_EVALUATIONS = SHARED_BY_ALL | {
    "--file", "--set", "--data", "--seed", "--output", "--wrt", "--upstream", "--allow-nonfinite",
    "--value", "--grad", "--no-check", "--check", "--check-budget", "--exact",
}  # fmt: skip
OF_PICTURES = {"graph": {"--json", "--pretty", "--value", "--grad"} | {
    "--no-check", "--check", "--check-budget", "--exact",
}}  # fmt: skip
"""What a picture has no use for."""
HOMEWORK = {"grade", "sheet", "lint", "class"}
SHARED_BY_HOMEWORK = {
    "--file", "--data", "--set", "--seed", "--format", "--quiet", "--out", "--version", "--help",
}  # fmt: skip
SHARED_BY_BATCH = {
    "--json", "--out", "--version", "--help", "--file", "--set", "--data", "--seed", "--output",
    "--wrt", "--format", "--quiet",
}  # fmt: skip
ALL = [[], *([name] for name in COMMANDS)]
HEAVY = (
    "typer",
    "numpy",
    "lark",
    "rich",
    "scipy",
    "pydantic",
    "gradcli.program",
    "gradcli.syntax.parser",
)


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
        summary = command(name).summary
        assert summary[:1].lower() + summary[1:] == COMMANDS[name]

    @pytest.mark.parametrize("name", COMMANDS)
    def test_shared_options_are_everywhere(self, name: str) -> None:
        made = command(name)
        options = set(made.by_option())
        shared = SHARED_BY_EVALUATIONS if made.binds else SHARED_BY_ALL
        if name == "batch":  # it writes a table of data, which no report option concerns
            shared = SHARED_BY_BATCH
        elif name in HOMEWORK:
            shared = SHARED_BY_HOMEWORK
        elif name in ("export", "plot", "diff"):  # no bare values, and nothing to be checked
            shared = SHARED_BY_ALL
        assert options >= shared - OF_PICTURES.get(name, set())

    @pytest.mark.parametrize("name", COMMANDS)
    def test_no_option_has_one_letter(self, name: str) -> None:
        """It would eat letters of an expression that begins with a minus; `-h` is sorted out."""
        assert not [each for each in command(name).by_option() if re.fullmatch("-[^-]", each)]

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_option_is_explained_in_a_group(self, name: str) -> None:
        for parameter in command(name).parameters:
            assert parameter.help or parameter.name == "format"
            assert parameter.record()[1]
            assert parameter.is_flag or parameter.metavar


def examples() -> list[str]:
    """The examples of all help pages that need no file, each on one line."""
    lines = [*EXAMPLES]
    pages = [command(name) for name in COMMANDS] + [topics.page(topic) for topic in TOPICS]
    for page in pages:
        text = "\n".join(page.examples).replace("\\\n", "")
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
    """Help needs neither NumPy nor Rich: that is most of what it would cost."""

    @pytest.mark.parametrize(
        "words",
        [["--help"], ["--version"], ["eval", "--help"], ["ops", "-h"], [], ["eval", "--jsn"]],
    )
    def test_nothing_heavy(self, words: list[str]) -> None:
        assert not [name for name in loaded(*words) if name.startswith(HEAVY)]

    def test_an_evaluation_without_a_table_needs_no_rich(self) -> None:
        found = loaded("eval", "x^2", "--x", "3", "--json", "--no-check")
        assert "numpy" in found
        heavy = {"typer", "lark", "rich", "scipy", "mpmath", "gradcli.check"}
        heavy |= {"gradcli.report.tables.table"}
        assert not heavy & found

    def test_a_number_needs_no_second_parse(self) -> None:
        assert "gradcli.files.arrays" not in loaded("eval", "x", "--x", "3", "--value")

    def test_an_evaluation_with_its_check_leaves_slow_modules_alone(self) -> None:
        """What NumPy or the interpreter's own start loads is there anyway."""
        code = "import sys, numpy; print(*sys.modules)"
        there = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        slow = {"pathlib", "signal", "string", "urllib.parse"}
        assert not slow & (loaded("eval", "x^2", "--x", "3") - {*there.stdout.decode().split()})


def loaded(*words: str, variables: dict[str, str] | None = None) -> set[str]:
    """The modules that a command line loads."""
    code = (
        "import sys\nfrom gradcli.cli import main\n"
        "try: main()\n"
        "except SystemExit: print(*sys.modules, sep='\\n', file=sys.__stderr__)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, **(variables or {})},
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
            env={**os.environ, "COLUMNS": "80", "GITHUB_ACTIONS": "1"},
        )
        assert ran.stdout.decode().replace("\r\n", "\n") == help_of("eval")


# --- completion --------------------------------------------------------------------------


def completions(line: str, shell: str = "bash") -> list[str]:
    """What the shell is offered for a line that is being typed."""
    words = line.split(" ")
    environment = Environment.captured(
        variables={
            "_GRADCLI_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": "\n".join(words),
            "COMP_CWORD": str(len(words) - 1),
            "_TYPER_COMPLETE_ARGS": line,
            "_TYPER_COMPLETE_WORD_TO_COMPLETE": words[-1],
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        }
    )
    assert run([], environment) == 0
    out, err = environment.written()
    assert err == ""
    return [found for found in out.splitlines() if found]


class TestCompletion:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("gradcli ", [*COMMANDS, "help"]),
            ("gradcli ev", ["eval"]),
            ("gradcli eval --fo", ["--format"]),
            ("gradcli eval x^2 --x -3 --pre", ["--pretty", "--precision"]),
            ("gradcli eval -x^2 --check-", ["--check-budget"]),
            ("gradcli eval x^2 --format ", ["table", "json", "csv", "markdown", "latex", "html"]),
            ("gradcli eval x^2 --check s", ["sample"]),
            ("gradcli check --jsn --str", ["--strict"]),
            ("gradcli ops sigm", ["sigmoid", "sigmoid_slope"]),
            ("gradcli examples show net", ["network"]),
            ("gradcli examples run ro", ["rosenbrock"]),
            ("gradcli graph x --format p", ["png", "pdf"]),
            ("gradcli ops relu logsi", ["logsigmoid"]),
            ("gradcli eval --file ta", []),
            ("gradcli he", ["hessian", "help"]),
            ("gradcli help ex", ["export", "examples", "exit-codes"]),
            ("gradcli eval x*theta --wrt ", ["x", "theta"]),
            ("gradcli eval x*theta --wrt x,", ["x,theta"]),
            ("gradcli trace x*theta --grad=t", ["--grad=theta"]),
            ("gradcli eval x*theta --th", ["--theta"]),
            ("gradcli eval loss=x^2;b=loss+1 --output l", ["loss"]),
            ("gradcli examples run kamper --wrt ", ["x", "y"]),
            ("gradcli eval x*( --wrt ", []),
            ("gradcli derivative x --form", ["--format"]),
            ("gradcli nonsense --x", []),
        ],
    )
    def test_bash(self, line: str, expected: list[str]) -> None:
        assert completions(line) == expected

    @pytest.mark.parametrize(
        ("shell", "part"),
        [
            ("zsh", '"eval":"value, gradient and check of every node, in one table"'),
            ("fish", "eval\tvalue, gradient"),
            ("powershell", "eval:::value, gradient"),
        ],
    )
    def test_other_shells(self, shell: str, part: str) -> None:
        assert any(part in found for found in completions("gradcli ev", shell))

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
    def test_scripts(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], shell: str
    ) -> None:
        monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "")
        assert run([f"--show-completion={shell}"], Environment.captured()) == 0
        assert f"_GRADCLI_COMPLETE=complete_{shell}" in capfd.readouterr().out.replace(
            '$Env:_GRADCLI_COMPLETE = "complete_powershell"',
            "_GRADCLI_COMPLETE=complete_powershell",
        )

    def test_another_shell(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "")
        code, out, err = said("--show-completion", "tcsh")
        assert (code, out) == (2, "")
        assert "there is no completion for 'tcsh'" in err

    def test_all_functions_are_offered(self) -> None:
        from gradcli.ops import function_names  # noqa: PLC0415 - the other tests don't need it

        assert completions("gradcli ops ") == function_names()

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_option_and_choice_is_offered(self, name: str) -> None:
        made = command(name)
        assert set(completions(f"gradcli {name} --")) == {*made.takes_value()}
        for each in made.parameters:
            for choice in each.choices:
                option = each.names[0]
                assert choice in completions(f"gradcli {name} {option} {choice[:1]}")
                assert f"{option}={choice}" in completions(f"gradcli {name} {option}={choice[:1]}")

    def test_needs_no_typer(self) -> None:
        variables = {"_GRADCLI_COMPLETE": "complete_bash", "COMP_WORDS": "gradcli\neval\n--"}
        found = loaded(variables={**variables, "COMP_CWORD": "2"})
        assert not [name for name in found if name.startswith(HEAVY)]

    @pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
    def test_in_a_shell(self) -> None:
        """The script that bash loads and the words that it makes of a line with quotes."""
        script = subprocess.run(
            [sys.executable, "-m", "gradcli", "--show-completion", "bash"],
            capture_output=True,
            check=True,
            text=True,
            timeout=60,
        ).stdout
        line = (
            f"{script}\n"
            "COMP_WORDS=(gradcli eval '\"theta * rho + 1\"' --wrt th); COMP_CWORD=4\n"
            f"_gradcli_completion '{sys.executable} -m gradcli'\n"
            'echo "${COMPREPLY[@]}"'
        ).replace("complete_bash $1", f"complete_bash {sys.executable} -m gradcli")
        ran = subprocess.run(
            [shutil.which("bash") or "", "--norc", "-c", line],
            capture_output=True,
            check=True,
            text=True,
            timeout=60,
        )
        assert ran.stdout.split() == ["theta"]


def test_typer_sees_a_group() -> None:
    """So that tools that know Typer can walk the commands, and other apps take them in."""
    from gradcli.cli.typer_app import app  # noqa: PLC0415 - Typer is slow to import

    group: Any = typer.main.get_command(app)
    context = typer.Context(group)
    assert group.list_commands(context) == [*COMMANDS]
    for name in COMMANDS:
        seen = group.get_command(context, name)
        options = {o for p in seen.params if p.param_type_name == "option" for o in p.opts}
        assert options == {*command(name).takes_value()}
    environment = Environment.captured()
    with pytest.raises(SystemExit) as ended:
        group.main(["eval", "-x^2", "--x", "3", "--value"], obj=environment)
    assert (ended.value.code, environment.written()[0]) == (0, "-9.0\n")


# --- the front door ----------------------------------------------------------------------


def said(*words: str, **outside: Any) -> tuple[int, str, str]:
    environment = Environment.captured(**outside)
    return run(words, environment), *environment.written()


class TestFrontDoor:
    def test_gradcli_alone(self, snapshot: SnapshotAssertion) -> None:
        assert said() == snapshot

    @pytest.mark.parametrize("words", [["--version"], ["-V"], ["version"], ["eval", "-V"]])
    def test_version(self, words: list[str]) -> None:
        assert said(*words) == said("--version")
        assert said(*words)[0] == 0

    @pytest.mark.parametrize("name", COMMANDS)
    def test_help_of_a_command(self, name: str) -> None:
        assert said("help", name) == said(name, "--help") == said(name, "-h")

    @pytest.mark.parametrize("topic", TOPICS)
    @pytest.mark.parametrize("columns", [60, 80])
    def test_help_of_a_topic(self, topic: str, columns: int, snapshot: SnapshotAssertion) -> None:
        code, page, err = said("help", topic, variables={"COLUMNS": str(columns)})
        assert (code, err) == (0, "")
        assert page.isascii()
        assert max(map(len, page.splitlines())) <= columns
        if topic != "functions":  # it lists what is in the table
            assert page == snapshot
        assert page.strip().splitlines()[-1].startswith(("More:", "docs/", "source."))

    @pytest.mark.parametrize(
        "words",
        [
            ("x^2", "--x", "3"),
            ("-x^2", "--x", "3"),
            ("-x", "--x", "3"),
            ("2x", "--x=3"),
            ("x + y", "--x", "3", "--y", "2"),
            ("sin(x)", "--x", "1"),
            ("f(x) = x", "--x", "1"),
            ("√x", "--x", "1"),
        ],
    )
    def test_a_program_is_evaluated(self, words: tuple[str, ...]) -> None:
        assert said(*words) == said("eval", *words)
        assert said(*words)[0] == 0

    @pytest.mark.parametrize("word", [*MEANT, *INSTEAD])
    def test_words_that_people_try(self, word: str) -> None:
        code, _, err = said(word, "x^2", "--x", "3")
        assert code == 0 or "gradcli" in err or "is missing" in err

    @pytest.mark.parametrize(
        "words",
        [
            ["sigmoid"],
            ["x"],
            ["evla"],
            ["help", "me"],
            ["json"],
            ["plot", "x"],
            ["-v"],
            ["--hlep"],
            ["y", "=", "x^2", "--x", "3"],
            ["--x", "3", "x^2"],
        ],
    )
    def test_others_are_answered(self, words: list[str], snapshot: SnapshotAssertion) -> None:
        code, out, err = said(*words)
        assert (code, out) == (2, "")
        assert err == snapshot

    def test_letters(self, tmp_path: Path) -> None:
        file = tmp_path / "out.json"
        assert said("eval", "x^2", "--x", "3", "-o", str(file)) == (0, "", "")
        assert file.read_text("utf-8").startswith("{")
        assert said("eval", "x^2", "--x", "3", "-q") == (0, "", "")
        assert said("eval", "-q", "--q", "3", "--value") == (0, "-3.0\n", "")
