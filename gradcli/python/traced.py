"""From the tape of a text to its graph: the output's node comes in, a `Traced` comes out.

All that the output is made of becomes nodes of the graph.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gradcli.graph.build import build
from gradcli.graph.draft import Draft, Operand, named, pruned
from gradcli.graph.graph import Graph
from gradcli.python.tape import Tape


@dataclass(frozen=True)
class Traced:
    """A text as it was read at a point."""

    graph: Graph
    names: frozenset[str]
    """The nodes that statements gave a name."""
    fixed: Mapping[str, str]
    """Inputs whose values decided how it was read (a branch, an index), and for what."""
    notes: tuple[tuple[str, int, str], ...]


def traced(
    tape: Tape, output: int, name: str | None, notes: tuple[tuple[str, int, str], ...]
) -> Traced:
    """The graph of a node of the tape, which is called `name` if the text gives it none."""
    if name is not None and tape.steps[output].name is None:
        tape.give_name(output, name, ["output"])
    given = set(tape.names) - {s.name for s in tape.steps if s.kind == "input"}
    draft = inputs_first(pruned(tape.source, tape.steps, output))
    words = re.findall(r"\w+", tape.source.text)
    draft = named(draft, {*words, *tape.names})
    inputs = [s.name or "" for s in draft.steps if s.kind == "input"]
    types = {name: tape.types[tape.names[name]] for name in inputs}
    graph = build(draft, types, numpy_rules=True)
    return Traced(graph, frozenset(given), _fixed(tape), notes)


def inputs_first(draft: Draft) -> Draft:
    """The steps with the inputs in front, numbered anew."""
    steps = draft.steps
    order = sorted(range(len(steps)), key=lambda i: steps[i].kind != "input")
    number = {old: new for new, old in enumerate(order)}

    def moved(operand: Operand) -> Operand:
        return number[operand] if isinstance(operand, int) else operand

    renumbered = [steps[i]._replace(operands=tuple(map(moved, steps[i].operands))) for i in order]
    return Draft(draft.source, renumbered, number[draft.output])


def _fixed(tape: Tape) -> dict[str, str]:
    """The inputs that decided how the text was read."""
    found: dict[str, str] = {}
    seen: set[int] = set()
    for node, what in tape.fixed.items():
        waiting = [node]
        while waiting:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            step = tape.steps[one]
            if step.kind == "input":
                found.setdefault(step.name or "", what)
            waiting += [o for o in step.operands if isinstance(o, int)]
    return found
