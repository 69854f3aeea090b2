"""The arguments of a call: which are operands and which are options.

A call of the language's functions comes in; out come the row of the table that it means, its
operands (trees, or literals where a default stands in) in the order of the row's parameters, and
its options. A function of the program has operands alone.
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
from gradcli.graph.names import defined_here
from gradcli.ops import Function
from gradcli.ops.operation import Operation
from gradcli.syntax.library.names import KEYWORDS, OPERANDS, SECOND
from gradcli.syntax.tree import Array, Block, Call, Define, Nothing, Tree, Tuple

OTHER_KEYWORDS = KEYWORDS | {
    **dict.fromkeys(("min", "min_val"), "lo"),
    **dict.fromkeys(("max", "max_val"), "hi"),
    "unbiased": "ddof",
    **dict.fromkeys(("size", "newshape"), "shape"),
    "tensors": "arrays",
}
"""What NumPy and PyTorch call some arguments, and what they are called here."""

FIRST, OTHER = frozenset(OPERANDS), frozenset(SECOND)
"""What the first and the second argument may be called."""


class Arranged(NamedTuple):
    """A call sorted out."""

    operation: Function
    operands: list[Tree | Literal | None]
    """None for an optional operand of a composition that is left out."""
    options: dict[str, Any]


@lru_cache(maxsize=1024)
def plain_row(name: str, count: int) -> Operation | None:
    """The row of a call whose `count` positional arguments are its operands.

    None for any other call, and for one that is wrong.
    """
    if not ops.is_function(name):
        return None
    operation = ops.function(name, count)
    if not isinstance(operation, Operation) or len(operation.parameters) != count:
        return None
    plain = all(p.required and not p.option and not p.variadic for p in operation.parameters)
    return operation if plain else None


def arrange(call: Call, source: Source, static: Callable[[Tree], Any]) -> Arranged:
    """Sort the arguments of a call; `static` evaluates an option's tree.

    Raises `GradcliError` of kind syntax where arguments are missing, too many, or unknown.
    """
    if not ops.is_function(call.name):
        raise GradcliError(
            Kind.NAME, f"unknown function '{call.name}'", source=source, span=call.name_span
        )
    positional = list(call.arguments[: len(call.arguments) - len(call.keywords)])
    names = _own_names(call)
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
        elif given is not None and (parameter.required or not isinstance(given, Nothing)):
            arranged.operands.append(given)
        elif (default := parameter.default) is None:
            arranged.operands.append(None)
        else:
            arranged.operands.append(Literal(np.float64(default), f"{default:g}"))
    if positional:
        raise _problem(call, source, "gets too many arguments")
    return arranged


def _own_names(call: Call) -> list[str]:
    """The language's names for the arguments of a call that have a name."""
    known = ops.argument_names(call.name)
    operands = ops.function(call.name, len(call.arguments)).operands
    others = dict(OTHER_KEYWORDS)
    for place, words in enumerate((FIRST, OTHER)):
        if len(operands) > place:
            others |= dict.fromkeys(words - others.keys(), operands[place].name)
    return [word if word in known else others.get(word, word) for word in call.keywords]


def _check_keywords(call: Call, source: Source, names: list[str], operation: Function) -> None:
    """Raise where a keyword names no argument, or two name the same one (`a_min`, `lo`)."""
    known = [p.name for p in operation.parameters if not p.variadic]
    for i, (name, word) in enumerate(zip(names, call.keywords, strict=True)):
        if name in known and name not in names[:i]:
            continue
        value = call.arguments[i - len(names)].span
        start = source.text.rfind(word, call.span.start, value.start)
        place = Span(start, value.end) if start >= 0 else None
        if name in known:
            raise _problem(call, source, f"gets '{name}' twice", None, place)
        hint = did_you_mean(word, known)
        raise _problem(call, source, f"has no argument '{word}'", hint, place)


def _variadic(
    call: Call, source: Source, operation: Function, positional: list[Tree]
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


def arrange_arguments(call: Call, definition: Define | Block, source: Source) -> tuple[Tree, ...]:
    """The arguments of a call in the order of the parameters. Raises `GradcliError`."""
    parameters = [p.name for p in definition.parameters]
    what = f"{definition.name.name}({', '.join(parameters)})"
    positional = call.arguments[: len(call.arguments) - len(call.keywords)]
    found: dict[str, Tree] = dict(zip(parameters, positional, strict=False))

    def error(message: str, span: Span) -> GradcliError:
        here = (defined_here(definition),)
        return GradcliError(Kind.NAME, message, source=source, span=span, labels=here)

    for keyword, value in zip(call.keywords, call.arguments[len(positional) :], strict=True):
        if keyword not in parameters:
            raise error(f"{what} has no parameter '{keyword}'", value.span)
        if keyword in found:
            raise error(f"{what} gets '{keyword}' twice", value.span)
        found[keyword] = value
    if len(positional) > len(parameters) or len(found) < len(parameters):
        count = len(call.arguments)
        noun = "argument" if len(parameters) == 1 else "arguments"
        raise error(f"{what} takes {len(parameters)} {noun}, here it gets {count}", call.span)
    return tuple(found[p] for p in parameters)
