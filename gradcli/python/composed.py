"""Functions of the operation table: a call comes in, its operations go onto the tape.

One is a row, or a composition of several.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from gradcli import ops
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source, Span
from gradcli.engine.constant import ENGINE
from gradcli.graph.draft import Operand, Step
from gradcli.graph.lower import lower_formula
from gradcli.ops import Composition
from gradcli.ops.operation import Operation
from gradcli.python.calls import Call
from gradcli.python.core import Core
from gradcli.python.values import Value, unread
from gradcli.syntax import tree
from gradcli.syntax.library.names import KEYWORDS, OPERANDS, SECOND


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
    trees = tuple(tree.Name(word, nowhere) for word in words)
    call = tree.Call(name, trees, words, nowhere, nowhere, qualified=True)
    return lower_formula(Source(""), call, operands, dict(options), engine=ENGINE)


def composed(reader: Core, function: Composition, call: Call) -> Value:
    """A function that is several operations, at the place of its call."""
    operands, given = arranged(function, call.arguments, call.keywords)
    options = tuple((k, _option(reader, v, None, text=True)) for k, v in given.items())
    values = [reader.numeric(v, call.where) for v in operands.values()]
    try:
        parts, result = steps(function.name, tuple(operands), options)
    except GradcliError as error:
        raise unread(error.message, error.hint) from None
    if not isinstance(result, int):
        return result.value
    for step in parts[len(values) :]:
        found = [values[o] if isinstance(o, int) else o.value for o in step.operands]
        row = step.operation
        values.append(
            found[0] if row is None else reader.apply(row, found, call.bare, {**step.options})
        )
    return values[result]


def row_call(reader: Core, row: Operation, call: Call) -> Value:
    """A function of the operation table, its arguments sorted into operands and options."""
    name, keywords = call.name, dict(call.keywords)
    operands: list[Value] = []
    options: dict[str, Any] = {}
    waiting = list(call.arguments)
    for parameter in row.parameters:
        if parameter.variadic:
            many = waiting
            if row.sequence:
                many = list(waiting.pop(0)) if waiting else []
            else:
                waiting = []
            operands += [reader.numeric(v, call.where) for v in many]
            continue
        given = waiting.pop(0) if waiting else keywords.pop(parameter.name, None)
        if given is None and parameter.required:
            raise unread(f"{name} needs '{parameter.name}'")
        if parameter.option:
            options[parameter.name] = _option(reader, given, parameter.default)
        else:
            operands.append(
                float(parameter.default) if given is None else reader.numeric(given, call.where)
            )
    left = [k for k, v in keywords.items() if v is not None and k not in options]
    if waiting or left:
        raise unread(f"{name} gets an argument that is not read: {left[0] if left else ''}")
    kind = "b" if row.symbol in ("<", "<=", ">", ">=", "==", "!=") else "f"
    return reader.apply(row, operands, call.where, options, kind)


def _option(reader: Core, given: Value, default: Any, *, text: bool = False) -> Any:
    if given is None:
        return default
    if isinstance(given, tuple | list):
        return tuple(_option(reader, v, None) for v in given)
    found = reader.by_value(given, "an option")
    if isinstance(found, bool | np.bool_):
        return bool(found)
    if isinstance(found, str):
        if text:
            return found
        raise unread(f"the option {found!r} is not read")
    if np.size(found) != 1:
        raise unread("an option is one number", kind="shape")
    number = float(found)
    return int(number) if number.is_integer() else number
