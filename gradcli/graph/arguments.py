"""The arguments of the language's functions: which are operands and which are options.

A call comes in; out come the row of the table that it means, its operands (trees, or literals
where a default stands in) in the order of the row's parameters, and its options.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from gradcli import ops
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source, Span
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.graph.draft import Literal
from gradcli.ops.operation import Operation, Parameter
from gradcli.syntax.messages.foreign import INSTEAD_OF_ARGUMENTS
from gradcli.syntax.tree import Array, Call, Tree, Tuple

NUMPY_KEYWORDS = {"ord": "p", "a_min": "lo", "a_max": "hi", "repeats": "n"}
"""What NumPy calls some arguments, and what they are called here."""


class Arranged(NamedTuple):
    """A call sorted out."""

    operation: Operation
    operands: list[Tree | Literal]
    options: dict[str, Any]


@lru_cache(maxsize=1024)
def plain_row(name: str, count: int) -> Operation | None:
    """The row of a call whose `count` arguments, none with a name, are the operands as they stand.

    None for any other call, and for one that is wrong.
    """
    if not ops.is_function(name):
        return None
    operation = ops.function(name, count)
    plain = not any(p.option or p.variadic for p in operation.parameters)
    return operation if plain and len(operation.parameters) == count else None


def arrange(call: Call, source: Source, static: Callable[[Tree], Any]) -> Arranged:
    """Sort the arguments of a call; `static` evaluates an option's tree.

    Raises `GradcliError` of kind syntax where arguments are missing, too many, or unknown.
    """
    if not ops.is_function(call.name):
        raise GradcliError(
            Kind.NAME, f"unknown function '{call.name}'", source=source, span=call.name_span
        )
    positional = list(call.arguments[: len(call.arguments) - len(call.keywords)])
    names = [NUMPY_KEYWORDS.get(word, word) for word in call.keywords]
    keywords = dict(zip(names, call.arguments[len(positional) :], strict=True))
    operation = ops.function(call.name, len(positional), keywords)
    _check_keywords(call, source, names, operation)
    arranged = Arranged(operation, [], {})
    for parameter in operation.parameters:
        if parameter.variadic:
            arranged.operands.extend(_variadic(call, source, operation, positional))
            continue
        given = positional.pop(0) if positional else None
        if parameter.name in keywords:
            if given is not None:
                raise _problem(call, source, f"gets '{parameter.name}' twice")
            given = keywords.pop(parameter.name)
        if given is None and parameter.required:
            raise _problem(call, source, f"needs '{parameter.name}'")
        if parameter.option:
            value = parameter.default if given is None else static(given)
            arranged.options[parameter.name] = value
        else:
            arranged.operands.append(_default(parameter) if given is None else given)
    if positional:
        raise _problem(call, source, "gets too many arguments")
    return arranged


def _check_keywords(call: Call, source: Source, names: list[str], operation: Operation) -> None:
    """Raise where a name in a call is no argument's, or two are one's (`a_min`, `lo`)."""
    known = [p.name for p in operation.parameters if not p.variadic]
    for i, name in enumerate(names):
        if name not in known:
            meant = INSTEAD_OF_ARGUMENTS.get(name)
            hint = f"did you mean '{meant}'?" if meant in known else did_you_mean(name, known)
            raise _problem(
                call, source, f"has no argument '{name}'", hint, _keyword(call, i, source)
            )
        if name in names[:i]:
            raise _problem(call, source, f"gets '{name}' twice", None, _keyword(call, i, source))


def _keyword(call: Call, i: int, source: Source) -> Span | None:
    """Where the call's keyword of this number stands, with its value."""
    value = call.arguments[i - len(call.keywords)].span
    start = source.text.rfind(call.keywords[i], call.span.start, value.start)
    return Span(start, value.end) if start >= 0 else None


def _default(parameter: Parameter) -> Literal:
    return Literal(np.float64(parameter.default), f"{parameter.default:g}")


def _variadic(
    call: Call, source: Source, operation: Operation, positional: list[Tree]
) -> list[Tree]:
    """The operands of `max(a, b, c)`, or those in the bracket of `concat((a, b), axis=0)`."""
    if not operation.sequence:
        taken = list(positional)
        if not taken:
            raise _problem(call, source, "needs at least one argument")
        positional.clear()
        return taken
    form = f"{call.name}((a, b), axis=0)"
    if not positional or not isinstance(positional[0], Tuple | Array):
        raise _problem(call, source, "takes its arrays in one bracket", form)
    elements = list(positional.pop(0).children())
    if not elements:
        raise _problem(call, source, "needs at least one array", form)
    return elements


def _problem(
    call: Call, source: Source, what: str, hint: str | None = None, place: Span | None = None
) -> GradcliError:
    forms = [form.replace("shape", "(2, 3)") for form in ops.signatures(call.name)]
    hint = hint or f"it is written {' or '.join(forms)}"
    return GradcliError(
        Kind.SYNTAX, f"{call.name} {what}", source=source, span=place or call.span, hint=hint
    )
