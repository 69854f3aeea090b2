"""gradcli as a whole: which commands there are, and where their outcomes go.

`run` takes arguments and an environment and returns the exit code. Every failure
ends there: an outcome is written, an error is printed, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import typer
from typer.core import TyperGroup, TyperOption

from gradcli.cli import INTERRUPTED
from gradcli.cli.command import (
    Command,
    Finished,
    Outcome,
    general_options,
    help_record,
    version,
    write_examples,
    write_title,
)
from gradcli.cli.environment import Environment
from gradcli.cli.failure import as_gradcli_error
from gradcli.cli.registry import COMMANDS, command
from gradcli.diagnostics.failures import usage_error
from gradcli.diagnostics.suggestion import did_you_mean

EXAMPLES = (
    'gradcli eval "(x + sigmoid(y)) / (x^2 + y)" --x 3 --y -4',
    'gradcli eval "sum(W @ x)" --W "eye(2)" --x "[1, 2]" --json',
    'gradcli check "relu(x)" --x 0',
    "gradcli ops sigmoid",
)


class Gradcli(TyperGroup):
    """The group of all commands, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """The names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Command | None:  # noqa: ARG002
        """A command by its name."""
        if cmd_name not in COMMANDS:
            return None
        found = command(cmd_name)
        assert isinstance(found, Command)
        return found

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The command's name comes first; what stands before it is for gradcli itself."""
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        if args[:2] == ["examples", "run"]:
            from gradcli.cli.example_words import run_words

            args = run_words(args[2:])
        first = args[0] if args else ""
        if first in ("--help", "-h"):
            raise Finished(Outcome([self.get_help(ctx) + "\n"]))
        if first == "--version":
            raise Finished(version())
        own = [name for p in self.params if isinstance(p, TyperOption) for name in p.opts]
        if not args or not (first in COMMANDS or first in own):
            raise _no_command(args, own)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Examples first, then the commands."""
        write_title(formatter, "gradcli", self.help or "")
        write_examples(formatter, EXAMPLES)
        formatter.write_paragraph()
        formatter.write_usage("gradcli", "COMMAND ...")
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        options = [help_record(p) for p in self.params if isinstance(p, TyperOption)]
        with formatter.section("Options"):
            formatter.write_dl(options, col_max=22)
        formatter.write("\n'gradcli COMMAND --help' says what a command takes.\n")


def _no_command(args: Sequence[str], own: Sequence[str]) -> Exception:
    """The error for arguments that don't begin with a command."""
    if not args:
        listed = ", ".join(COMMANDS)
        return usage_error(f"a command is missing: {listed}", "'gradcli --help' shows examples")
    first, hint = args[0], None
    if first.startswith("--") and first.partition("=")[0][2:].replace("-", "").isalpha():
        hint = did_you_mean(first, own) or f"options follow the command: gradcli eval … {first}"
        return usage_error(f"unknown option '{first}'", hint)
    if not first.startswith("-"):
        hint = did_you_mean(first, COMMANDS)
    if hint is None:
        short = first if len(first) <= 40 and '"' not in first else "…"
        hint = f'for a program: gradcli eval "{short}" …'
    return usage_error(f"'{first}' isn't a command", hint)


app = typer.Typer(
    name="gradcli",
    cls=Gradcli,
    add_help_option=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def gradcli() -> None:
    """Gradients by backpropagation, every step shown and checked."""


def run(arguments: Sequence[str], environment: Environment) -> int:
    """Run one command line and return its exit code. Raises nothing."""
    try:
        outcome = _outcome(arguments, environment)
        if isinstance(outcome, int):
            return outcome
        deliver(outcome, environment)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as exception:  # noqa: BLE001 - whatever it is, it is printed as an error
        return _complain(exception, arguments, environment)
    return outcome.exit_code()


def _outcome(arguments: Sequence[str], environment: Environment) -> Outcome | int:
    """The result of the command: an outcome to be delivered, or the exit code of what it did."""
    group = typer.main.get_command(app)
    group.params += general_options()
    try:
        outcome = group.main(
            args=list(arguments),
            prog_name="gradcli",
            standalone_mode=False,
            obj=environment,
            terminal_width=max(40, min(environment.help_columns(), 100)),
        )
    except Finished as finished:
        return finished.outcome
    except SystemExit as ended:  # shell completion prints for itself
        return ended.code if isinstance(ended.code, int) else 0
    if isinstance(outcome, int):
        # Typer's own exits: 130 for an interrupt; else a shell that completion doesn't know.
        return outcome if outcome in (0, INTERRUPTED) else 2
    assert isinstance(outcome, Outcome)
    return outcome


def deliver(outcome: Outcome, environment: Environment) -> None:
    """Write an outcome to its file or to standard output. Raises `GradcliError`."""
    from gradcli.files import files

    if outcome.file is None:
        try:
            environment.write(outcome.text)
        except OSError as error:
            raise files.unwritable("standard output", error) from error
    else:
        files.write_whole(outcome.file, outcome.text)


def _complain(exception: Exception, arguments: Sequence[str], environment: Environment) -> int:
    """Print an exception as an error and return its exit code."""
    from gradcli.diagnostics.error import as_json

    error = as_gradcli_error(exception)
    if environment.variables.get("GRADCLI_DEBUG") and error is not exception:
        import traceback

        environment.complain("".join(traceback.format_exception(exception)).rstrip())
    if _wants_json(arguments):
        import json

        environment.complain(json.dumps(as_json(error)))
    else:
        environment.explain(error)
    return int(error.exit_code)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether errors are to be printed as JSON; asked of words that may not even be sorted."""
    words = list(arguments)
    if "--" in words:
        words = words[: words.index("--")]
    if not {"--json", "--pretty", "--format=json"}.isdisjoint(words):
        return True
    return ("--format", "json") in pairwise(words)
