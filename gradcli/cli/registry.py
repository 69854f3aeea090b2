"""Options of other commands: what a word is that this command does not know.

A word as it was typed comes in, the hint that names the commands with this option goes out. All
commands are imported for it, so it is asked only when something went wrong.
"""

from __future__ import annotations

from importlib import import_module


def option_elsewhere(option: str) -> str | None:
    """`--strict is an option of 'gradcli check'`; None if no command has it."""
    from gradcli.cli.registry import COMMANDS

    def has(command: str) -> bool:
        return option in import_module(f"gradcli.cli.commands.{command}").command.takes_value()

    owners = [f"'gradcli {command}'" for command in COMMANDS if has(command)]
    if not owners:
        return None
    if len(owners) > 3:
        owners[2:] = ["others"]
    listed = " and ".join(filter(None, (", ".join(owners[:-1]), owners[-1])))
    return f"{option} is an option of {listed}"
