"""gradcli's commands as a Typer app, for tools that know Typer and for other Typer apps.

`app` has every command under its name with its options; tools can walk them, and another app can
take it in (`add_typer`). A command that is called through it gets its words as they were typed,
and runs as on gradcli's own command line, which starts faster without Typer.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.cli.help import SUMMARY
from gradcli.cli.parameters import Parameter
from gradcli.cli.registry import COMMANDS, command


class Called(TyperCommand):
    """A command of gradcli, which reads its own words."""

    words: tuple[str, ...] = ()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Leave the words to the command."""
        self.words = tuple(args)
        ctx.args = []
        return []

    def invoke(self, ctx: Any) -> int:
        """Run the command line; its exit code ends the process."""
        environment = ctx.obj if isinstance(ctx.obj, Environment) else Environment.of_process()
        raise typer.Exit(run([self.name or "", *self.words], environment))


class Group(TyperGroup):
    """All commands, each made when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """The names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Called | None:  # noqa: ARG002
        """A command by its name."""
        if cmd_name not in COMMANDS:
            return None
        made = command(cmd_name)
        params: Any = [_parameter(each) for each in made.parameters]
        settings: Any = {"add_help_option": False, "rich_markup_mode": None}
        return Called(cmd_name, params=params, help=made.summary, **settings)


def _parameter(each: Parameter) -> TyperOption | TyperArgument:
    shown: dict[str, Any] = {"help": each.help, "rich_help_panel": each.group}
    if not each.is_option:
        several = -1 if each.several else 1
        return TyperArgument(
            param_decls=[each.name],
            metavar=each.metavar,
            required=False,
            nargs=several,
            default=None,
            **shown,
        )
    value: dict[str, Any] = {"is_flag": True} if each.is_flag else {"metavar": each.metavar}
    return TyperOption(
        param_decls=[f"--{each.name}" if each.is_flag else each.name, *each.names][1:],
        multiple=each.several,
        default=None,
        **value,
        **shown,
    )


app = typer.Typer(
    name="gradcli",
    cls=Group,
    help=SUMMARY,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def gradcli() -> None:
    """Make the app a group, whatever the number of its commands."""
