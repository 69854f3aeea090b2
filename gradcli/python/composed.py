"""Functions that are several operations of the table: the steps that go onto the tape."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gradcli import ops
from gradcli.diagnostics.source import Source, Span
from gradcli.engine.constant import ENGINE
from gradcli.graph.draft import Operand, Step
from gradcli.graph.lower import lower_formula
from gradcli.ops import Composition
from gradcli.python.values import unread
from gradcli.syntax.library.names import KEYWORDS, OPERANDS, SECOND
from gradcli.syntax.tree import Call, Name


def composition(name: str, positional: int, keywords: list[str]) -> Composition | None:
    """The composition that a call means; None where it is none."""
    if not ops.is_function(name):
        return None
    found = ops.function(name, positional, [KEYWORDS.get(k, k) for k in keywords])
    return found if isinstance(found, Composition) else None


def arranged(
    function: Composition, arguments: list[Any], keywords: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The operands and the options that are given. Raises `Unread`."""
    names = [p.name for p in function.parameters]
    found = dict(zip(names, arguments, strict=False))
    if len(arguments) > len(names):
        raise unread(f"{function.name} takes {len(names)} arguments, not {len(arguments)}")
    operands = [p.name for p in function.operands]
    others = dict(KEYWORDS)
    for words, own in zip((OPERANDS, SECOND), operands, strict=False):
        others |= dict.fromkeys(words, own)
    for word, value in keywords.items():
        name = word if word in names else others.get(word, word)
        if name not in names:
            raise unread(f"{function.name} has no argument '{word}'", ops.signature(function))
        found[name] = value
    for parameter in function.parameters:
        if parameter.required and found.get(parameter.name) is None:
            raise unread(f"{function.name} needs '{parameter.name}'")
    given = {k: v for k, v in found.items() if v is not None}
    return (
        {k: v for k, v in given.items() if k in operands},
        {k: found[k] for k in found if k not in operands},
    )


@lru_cache(maxsize=256)
def steps(
    name: str, operands: tuple[str, ...], options: tuple[tuple[str, Any], ...]
) -> tuple[list[Step], Operand]:
    """The steps of a composition over its operands, which are the first; and its value.

    Raises `GradcliError` for an option that it does not have.
    """
    nowhere = Span(0, 0)
    words = (*operands, *(option for option, _ in options))
    trees = tuple(Name(word, nowhere) for word in words)
    call = Call(name, trees, words, nowhere, nowhere, qualified=True)
    return lower_formula(Source(""), call, operands, dict(options), engine=ENGINE)
