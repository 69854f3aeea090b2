"""The statements that a composition of the table stands for, at the place of its call.

They are read anew for each call: every part has the place of the call, where its errors are shown,
and every function in them is the language's, whatever the program defines.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from gradcli.diagnostics.source import Source, Span
from gradcli.ops import Composition
from gradcli.syntax.parser import parse
from gradcli.syntax.tree import Assign, Bare, Call, Tree, postorder


def statements(
    function: Composition, options: Mapping[str, Any], given: AbstractSet[str], place: Span
) -> list[tuple[str | None, Tree]]:
    """Names and expressions in order; the last, which has no name, is the value.

    Raises `ValueError` for an option that the composition does not have.
    """
    found: list[tuple[str | None, Tree]] = []
    for statement in parse(Source(function.written(options, given), function.name)).statements:
        for part in postorder(statement):
            part.move(lambda _own: place)
            if isinstance(part, Call):
                part.qualified = True
        match statement:
            case Assign():
                found.append((statement.name.name, statement.value))
            case Bare():
                found.append((None, statement.value))
    return found
