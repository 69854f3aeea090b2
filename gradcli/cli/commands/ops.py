"""`gradcli ops`: the operation table, or some of its rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gradcli.cli.command import Outcome, declare
from gradcli.cli.options import OutputOptions
from gradcli.cli.parameters import option

if TYPE_CHECKING:
    from gradcli.ops import Function

_MODULE = re.compile(
    r"(?:(?:np|numpy|jnp|jax\.numpy|torch|scipy|jax\.scipy)(?:\.(?:linalg|special))?|math|F"
    r"|(?:torch\.)?nn\.functional|jax\.(?:nn|lax)|special)\.(?=.)"
)
"""What may stand before a function's name in a program, too."""


def _names() -> Iterable[str]:
    from gradcli.ops import function_names

    return function_names()


class TableOutput(OutputOptions):
    """The formats of the operation table."""

    formats = ("table", "json", "markdown")

    names: list[str] | None = option(
        "NAME ...",
        "operations, by name, alias or operator; without one, all of them, by groups",
        offer=_names,
        group="Operations",
    )


@declare(
    "ops",
    usage="[NAME ...] [options]",
    examples=("gradcli ops", "gradcli ops sigmoid", "gradcli ops relu abs --json"),
)
def command(report: TableOutput) -> Outcome:
    """The operations: formulas, derivatives, domains.

    For each: how it is called, its local derivatives, the forms of them that run, where it is
    defined, and which convention is taken where it has no derivative.
    """
    from gradcli.report.reference.operations import listing

    form = report.chosen_format()
    rows = None
    if report.names:
        rows = tuple(dict.fromkeys(row for name in report.names for row in _find(name)))
    return Outcome([listing(rows, form, report.style())], 0, report.file)


def _find(name: str) -> tuple[Function, ...]:
    """The rows that are meant. Raises `GradcliError` of kind name."""
    from gradcli import ops
    from gradcli.diagnostics.error import GradcliError, Kind
    from gradcli.diagnostics.suggestion import did_you_mean
    from gradcli.syntax.messages.foreign import instead_of_function

    bare = _MODULE.sub("", name)
    rows = ops.find(bare)
    if not rows:
        hint = (
            instead_of_function(bare)
            or did_you_mean(bare, ops.function_names())
            or "'gradcli ops' lists all operations"
        )
        raise GradcliError(Kind.NAME, f"there is no operation '{name}'", hint=hint)
    return rows
