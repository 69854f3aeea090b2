"""The tape of a reading as a graph, and stretches of it as stages.

A tape comes in. What its nodes are made of goes out, and for a statement the `Stage` from the
values that it reads to the one that it gives.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence

import numpy as np

from gradcli.grading.model.stage import Stage
from gradcli.graph.build import build
from gradcli.graph.draft import Draft, Literal, Operand, named
from gradcli.python.tape import Tape


class Nodes:
    """The nodes of a tape, which may grow, and what each is made of."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._operands: list[tuple[int, ...]] = []

    @property
    def operands(self) -> list[tuple[int, ...]]:
        """The nodes that each node is made of, as far as the tape goes by now."""
        new = self.tape.steps[len(self._operands) :]
        self._operands += [tuple(o for o in step.operands if type(o) is int) for step in new]
        return self._operands

    def walk(
        self, nodes: Collection[int], known: Container[int] = (), left_out: int | None = None
    ) -> tuple[list[int], list[int]]:
        """Which known nodes some are made of, and the nodes from there on, in order of the tape.

        The nodes themselves are looked into even where they are known; the node `left_out` takes
        no part.
        """
        operands, waiting = self.operands, list(nodes)
        reads: set[int] = set()
        inside = set(nodes)
        while waiting:
            for one in operands[waiting.pop()]:
                if one == left_out or one in inside:
                    continue
                if one in known:
                    reads.add(one)
                else:
                    inside.add(one)
                    waiting.append(one)
        return sorted(reads), sorted(inside)

    def above(self, nodes: Collection[int]) -> set[int]:
        """All nodes that some nodes are made of, themselves included."""
        return set(self.walk(nodes)[1])


class Stretch:
    """The nodes between one and the known ones that it reads.

    The node `emptied` is taken as an array of zeros.
    """

    def __init__(
        self, nodes: Nodes, node: int, known: Container[int], emptied: int | None = None
    ) -> None:
        self.tape, self.node, self.emptied = nodes.tape, node, emptied
        self.reads, self.inside = [node], list[int]()
        if node not in known:
            self.reads, self.inside = nodes.walk([node], known, emptied)

    def stage(self, words: Sequence[str], line: int | None) -> Stage:
        """The operations inside; `words` name what they read."""
        tape, place = self.tape, {one: i for i, one in enumerate(self.reads)}
        steps = [
            tape.steps[one]._replace(
                kind="input", name=word, operation=None, operands=(), selections=()
            )
            for one, word in zip(self.reads, words, strict=True)
        ]

        def moved(operand: Operand) -> Operand:
            if type(operand) is not int:
                return operand
            if operand == self.emptied:
                return Literal(np.zeros(tape.types[operand].shape), "0")
            return place[operand]

        for one in self.inside:
            step = tape.steps[one]
            operands = tuple(map(moved, step.operands))
            given = any(type(o) is int and steps[o].kind != "constant" for o in operands)
            kind = "operation" if step.operation is not None and given else "constant"
            if step.kind == "input":
                value = np.asarray(tape.values[one], dtype=np.float64)
                kind, operands = "constant", (Literal(value, "[…]"),)
            place[one] = len(steps)
            steps.append(step._replace(kind=kind, name=None, operands=operands))
        draft = named(Draft(tape.source, steps, place[self.node]), set(words))
        types = {word: tape.types[one] for one, word in zip(self.reads, words, strict=True)}
        return Stage(build(draft, types, numpy_rules=True), tuple(words), line)
