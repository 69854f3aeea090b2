"""Functions that are several operations, as `gradcli ops` and docs/operations.md show them.

A composition of the table comes in; out come how it is called and what it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gradcli import ops
from gradcli.ops import Composition
from gradcli.report.style import Style
from gradcli.report.tables.markdown import code
from gradcli.report.tables.markdown import written as written_table
from gradcli.report.tables.model import Cell, Column, Table, Words

TITLE = "functions of several operations"
HEADS = ("function", "what it is", "stands for")


def in_order() -> dict[str, list[Composition]]:
    """All compositions by group."""
    found: dict[str, list[Composition]] = {}
    for one in ops.COMPOSITIONS:
        found.setdefault(one.group, []).append(one)
    return found


def call(one: Composition) -> str:
    """The call with what it must have: `layer_norm(x, …)`."""
    words = [p.name for p in one.parameters if p.required]
    more = ["…"] if len(words) < len(one.parameters) else []
    return f"{one.name}({', '.join([*words, *more])})"


def lines(one: Composition) -> Iterator[tuple[str, str]]:
    """What a block says below the call and its description: labels and words."""
    if len(one.aliases) > 1:
        yield "also", ", ".join(one.aliases[1:])
    yield "stands for", one.definition
    yield "example", f'gradcli eval "sum({one.name}({one.samples[0]}))" --value'


def described(one: Composition) -> dict[str, Any]:
    """A composition in JSON."""
    return {
        "name": one.name,
        "group": one.group,
        "written": ops.signature(one),
        "aliases": list(one.aliases),
        "doc": one.doc,
        "text": one.definition,
    }


def markdown(found: Iterable[Composition], style: Style) -> str:
    """A table of compositions."""

    def cells(one: Composition) -> tuple[Cell, ...]:
        return code(ops.signature(one)), Words(one.doc), code(one.definition)

    heads = [Column(title) for title in HEADS]
    return "".join(written_table(Table(heads, map(cells, found)), style))
