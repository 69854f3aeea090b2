"""A program's output: which node it is, what it may not be, and a draft cut back to it.

A program's output is its last statement, or what `--output` names: an input, a statement, or a
node that only gets its name when the draft is made.
"""

from __future__ import annotations

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.graph.draft import Draft, pruned
from gradcli.graph.names import Names
from gradcli.syntax.tree import Assign, Block, Define

MOST_OPERATIONS = 8_000_000
"""Functions that call functions can unfold to any size; larger programs are refused."""


def live_names(names: Names, output: str | None) -> set[str]:
    """The names that the output needs. Raises `GradcliError` if it is a function."""
    last = names.module.statements[-1]
    definition = names.definitions.get(output or "")
    if isinstance(definition, Define | Block) and definition is not last:
        raise GradcliError(
            Kind.NAME,
            f"the output '{output}' is a function",
            source=names.source,
            span=definition.name.span,
            hint="an output is a node; end the program with a call of the function",
        )
    if output is not None and (output in names.definitions or output in names.free):
        return names.live(output)
    return names.live(names.last)


def refuse_too_large(names: Names, live: set[str]) -> None:
    """Raise `GradcliError` if the program unfolds to more operations than that."""
    last = names.module.statements[-1]
    nodes = {name for name in live if isinstance(names.definitions.get(name), Assign)}
    size = sum(names.sizes[name] for name in nodes | {names.last})
    if size > MOST_OPERATIONS:
        raise GradcliError(
            Kind.SYNTAX,
            f"the program unfolds to more than {MOST_OPERATIONS:,} operations",
            source=names.source,
            span=last.span,
            hint="each call of a function becomes operations of its own",
        )


def restricted(draft: Draft, output: str, names: Names) -> Draft:
    """The part of a named draft that leads to one of its nodes."""
    for i, step in enumerate(draft.steps):
        if step.name == output:
            return pruned(draft.source, draft.steps, i)
    nodes = [step.name for step in draft.steps if step.name]
    known = list(dict.fromkeys([*nodes, *names.definitions]))
    raise GradcliError(
        Kind.NAME,
        f"the program has no node '{output}'",
        hint=did_you_mean(output, known) or f"its nodes are {', '.join(known[:12])}",
    )
