"""Which commands there are, each imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

COMMANDS = {
    "eval": "value, gradient and check of every node, in one table",
    "trace": "both passes step by step, as they are written by hand",
    "check": "only the verdicts of the finite-difference check",
    "jacobian": "the derivatives of any output, as matrices",
    "hessian": "second derivatives, as a matrix or times a vector",
    "diff": "the derivative's formula, without a point",
    "graph": "the computational graph with values and gradients on it",
    "export": "both passes as NumPy, a Python function, LaTeX or a graph in JSON",
    "grade": "read homework, find the first mistake, name it",
    "sheet": "an answer sheet, with different numbers for each student",
    "lint": "test a homework: which mistakes would go unnoticed at this point",
    "class": "mark a folder of submissions, list the marks, count the mistakes",
    "examples": "ready programs: list, show and run them",
    "batch": "value and gradient for every row of a file of points",
    "ops": "the operations: formulas, derivatives, domains",
}
"""The commands in the order of the help. Each is the `command` of a module of its name."""


def command(name: str) -> Any:
    """The `cli.command.Command` of a name in `COMMANDS`."""
    found = import_module(f"gradcli.cli.commands.{name}").command
    found.short_help = COMMANDS[name]
    return found


def option_elsewhere(option: str) -> str | None:
    """`--strict is an option of 'gradcli check'`; None if no command has it.

    All commands are imported for it, so it is asked only when something went wrong.
    """
    owners = [f"'gradcli {name}'" for name in COMMANDS if option in command(name).takes_value()]
    if not owners:
        return None
    if len(owners) > 3:
        owners[2:] = ["others"]
    listed = " and ".join(filter(None, (", ".join(owners[:-1]), owners[-1])))
    return f"{option} is an option of {listed}"
