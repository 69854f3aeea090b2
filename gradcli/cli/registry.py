"""Which commands there are, each imported only when it is asked for, and words that mean them.

A new command is a module in `cli/commands/`, named like the command, and a line in `COMMANDS`.
"""

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
    "plot": "the function and its derivative over a range of an input",
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

TOPICS = {
    "language": "what can be typed as a program",
    "functions": "the functions of the language, by groups",
    "json": "the JSON output, and scripts",
    "exit-codes": "what the exit codes mean",
    "homework": "setting and marking exercises",
    "python": "your own NumPy function; gradcli from Python",
}
"""The topics of `gradcli help`, each a text in `cli.topics`."""

MEANT = {
    **dict.fromkeys(("derivative", "derivatives", "differentiate"), "diff"),
    **dict.fromkeys(("gradient", "gradients", "grad", "evaluate", "calc"), "eval"),
    **dict.fromkeys(("backprop", "steps"), "trace"),
    "gradcheck": "check",
    "jac": "jacobian",
    "hess": "hessian",
    "draw": "graph",
    "mark": "grade",
}
"""Words that people try, and the commands they stand for."""

INSTEAD = {
    "simplify": "'gradcli eval' computes value and gradient; the program is taken as it is written",
    "integrate": "gradcli differentiates: 'gradcli eval' computes value and gradient",
    "solve": "gradcli differentiates: 'gradcli eval' computes value and gradient",
    "functions": "'gradcli ops' lists the functions and operators",
    "install-completion": "gradcli --install-completion",
}
"""Words that people try and that are no command, with what to do instead."""


def command(name: str) -> Any:
    """The `cli.command.Command` of a name in `COMMANDS`."""
    return import_module(f"gradcli.cli.commands.{name}").command


def meant(word: str) -> str | None:
    """The command that a word stands for: its own name, or another word for it."""
    return word if word in COMMANDS else MEANT.get(word)


def option_elsewhere(option: str) -> str | None:
    """`--strict is an option of 'gradcli check'`; None if no command has it.

    All commands are imported for it, so it is asked only when something went wrong.
    """
    owners = [f"'gradcli {name}'" for name in COMMANDS if option in command(name).takes_value()]
    if not owners:
        return None
    if len(owners) > 3:
        owners[2:] = ["others"]
    owned = " and ".join(filter(None, (", ".join(owners[:-1]), owners[-1])))
    return f"{option} is an option of {owned}"
