"""Names: what each one stands for, and every error that can be told from names alone.

A module's tree comes in; out comes a `Names`: the definitions, the names that may be
inputs in order of first appearance, and what each definition needs. `statement_check` looks at
each statement.
"""

from __future__ import annotations

from collections.abc import Iterable

from gradcli import ops
from gradcli.diagnostics.error import GradcliError, Kind, Label
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.graph.names import CONSTANTS, Definition, Names, spelled_in
from gradcli.graph.statement_check import StatementCheck
from gradcli.syntax.tree import (
    Assign,
    Block,
    Define,
    Module,
)


def resolve(module: Module) -> Names:
    """Look at every statement in turn. Raises `GradcliError` (kinds name, syntax)."""
    names = Names(module)
    later = _all_definitions(module)
    last = module.statements[-1]
    for statement in module.statements:
        StatementCheck(names, later, statement).check(is_output=statement is last)
    refuse_constants_of_blocks(names, later)
    return names


def refuse_constants_of_blocks(names: Names, given: Iterable[str]) -> None:
    """Raise `GradcliError` where a name that gets a value is a constant in a block."""
    word = next((name for name in given if name in names.in_blocks), None)
    if word is not None:
        spelt = "math.e" if word == "e" else "np.pi" if word in ("pi", "π") else "math.tau"
        raise GradcliError(
            Kind.NAME,
            f"'{word}' gets a value, and in a block it is the constant {CONSTANTS[word]:.6g}",
            source=names.source,
            span=names.in_blocks[word],
            hint=f"pass it to the block as a parameter, or write {spelt} for the constant",
        )


def uncalled(inputs: Iterable[str], argument: str) -> str | None:
    """A hint where an input has the name of a function: most often its brackets are missing."""
    functions = (name for name in inputs if ops.is_function(name) and name not in ops.SPELLED)
    name = next(functions, None)
    return name and f"without brackets '{name}' is an input; the function is {name}({argument})"


def chosen_inputs(wrt: Iterable[str] | None, inputs: Iterable[str]) -> tuple[str, ...]:
    """The inputs that gradients are wanted of: all, unless some are named.

    Raises `GradcliError` of kind name for a name that is no input.
    """
    known = tuple(inputs)
    chosen = known if wrt is None else tuple(wrt)
    there = frozenset(known)
    chosen = tuple(spelled_in(name, there) for name in chosen)
    for name in chosen:
        if name not in there:
            listed = f"its inputs are {', '.join(known)}" if known else "it has no inputs"
            raise GradcliError(
                Kind.NAME,
                f"'{name}' isn't an input of the program",
                hint=did_you_mean(name, known) or listed,
            )
    return chosen


def _all_definitions(module: Module) -> dict[str, Definition]:
    """What defines each name. Raises `GradcliError` if one is defined twice."""
    found: dict[str, Definition] = {}
    for statement in module.statements:
        if not isinstance(statement, Assign | Define | Block):
            continue
        name = statement.name
        if name.name in found:
            raise GradcliError(
                Kind.NAME,
                f"'{name.name}' is given a second time",
                source=module.source,
                span=name.span,
                labels=(Label(found[name.name].name.span, "given here first"),),
                hint=f"a graph has one node per name: call this one '{name.name}2', say",
            )
        found[name.name] = statement
    return found
