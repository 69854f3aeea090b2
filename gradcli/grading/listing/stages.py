"""A stretch of the tape as a stage: from the values that a statement reads to the one it gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradcli.grading.model.stage import Stage
from gradcli.graph.build import build
from gradcli.graph.draft import Draft, Literal, Operand, named
from gradcli.python.tape import Tape


def operands_of(tape: Tape, start: int = 0) -> list[tuple[int, ...]]:
    """The nodes that each node of a tape, from one on, is made of."""
    return [tuple(o for o in step.operands if type(o) is int) for step in tape.steps[start:]]


def stage_between(
    tape: Tape,
    node: int,
    reads: Sequence[int],
    words: Sequence[str],
    emptied: int | None,
    line: int | None,
) -> Stage:
    """The operations between the nodes that are read, named by `words`, and a node.

    The node `emptied` is taken as an array of zeros.
    """
    place = {one: i for i, one in enumerate(reads)}
    inside: list[int] = []
    seen = {*reads}
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one not in seen and one != emptied:
            seen.add(one)
            inside.append(one)
            waiting += [o for o in tape.steps[one].operands if type(o) is int]
    steps = [
        tape.steps[one]._replace(
            kind="input", name=word, operation=None, operands=(), selections=()
        )
        for one, word in zip(reads, words, strict=True)
    ]

    def moved(operand: Operand) -> Operand:
        if type(operand) is not int:
            return operand
        if operand == emptied:
            return Literal(np.zeros(tape.types[operand].shape), "0")
        return place[operand]

    for one in sorted(inside):
        step = tape.steps[one]
        operands = tuple(map(moved, step.operands))
        given = any(type(o) is int and steps[o].kind != "constant" for o in operands)
        kind = "operation" if step.operation is not None and given else "constant"
        if step.kind == "input":
            literal = Literal(np.asarray(tape.values[one], dtype=np.float64), "[…]")
            kind, operands = "constant", (literal,)
        place[one] = len(steps)
        steps.append(step._replace(kind=kind, name=None, operands=operands))
    draft = named(Draft(tape.source, steps, place[node]), set(words))
    types = {word: tape.types[one] for one, word in zip(reads, words, strict=True)}
    return Stage(build(draft, types, numpy_rules=True), tuple(words), line)
