"""Whether the `#:` lines of a task speak of what its program has.

A program comes in; a `GradcliError` with the place of the name goes out where there is no such
input or node, or where the task's own value is outside of the values that a line gives.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Span
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.program import Program

LIBRARIES = frozenset(["np", "numpy", "math"])
"""Names that the call of a function may use beside those of the task."""


def expect_names(program: Program) -> None:
    """Raise if a line names an input that the program does not have."""
    lines = program.header.task
    named: dict[str, Span] = {**(lines.wrt or {}), **lines.fixed, **lines.drawn}
    if not named:
        return
    inputs = program.inputs
    for name, place in named.items():
        if name not in inputs:
            raise _unknown(program, f"the task has no input '{name}'", name, place, inputs)


def expect_fitting(program: Program, nodes: Collection[str], values: Mapping[str, Any]) -> None:
    """Raise if a line speaks of no node of the task, or has other values than the task's own."""
    lines = program.header.task
    for name, place in program.header.marked.items():  # the row that is meant would be worth 1
        if name not in nodes:
            what = f"there are marks for '{name}', and the task has no such row"
            raise _unknown(program, what, name, place, nodes, "its rows are")
    if lines.call is not None:
        for name, place in lines.call.reads.items():
            if name not in nodes and name not in LIBRARIES:
                what = f"the call reads '{name}', and the task has no such node"
                raise _unknown(program, what, name, place, nodes)
    for name, (low, high) in lines.ranges.items():
        value = np.asarray(values[name])
        if not np.all((low <= value) & (value <= high)):
            text = f"the task's own {name} is outside of its range, {low:g} to {high:g}"
            raise _misfit(program, text, lines.drawn[name])
    for name, choices in lines.values.items():
        if not np.all(np.isin(values[name], choices)):
            text = f"the task's own {name} isn't one of its values"
            raise _misfit(program, text, lines.drawn[name])


def _unknown(
    program: Program,
    message: str,
    name: str,
    place: Span,
    known: Collection[str],
    listed: str = "it has",
) -> GradcliError:
    hint = did_you_mean(name, known) or f"{listed} {', '.join(known)}"
    return GradcliError(Kind.NAME, message, source=program.source, span=place, hint=hint)


def _misfit(program: Program, message: str, place: Span) -> GradcliError:
    return GradcliError(
        Kind.BINDING, message, source=program.source, span=place,
        hint="its value, in a '#:' line or an option, has to be one that sheets may have",
    )  # fmt: skip
