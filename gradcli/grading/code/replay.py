"""The tape of code that was read, run again with another value in the place of one node."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.engine.run import Executable
from gradcli.grading.listing.stages import operands_of
from gradcli.graph.build import build
from gradcli.graph.draft import Draft, named, pruned
from gradcli.python.tape import Tape


class Replay:
    """Questions to a tape: what is made of what, and what would be if."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.operands = operands_of(tape)

    def above(self, nodes: Collection[int]) -> set[int]:
        """All nodes that some nodes are made of, themselves included."""
        found, waiting = set(nodes), list(nodes)
        while waiting:
            for o in self.operands[waiting.pop()]:
                if o not in found:
                    found.add(o)
                    waiting.append(o)
        return found

    def changed(self, node: int, value: Any, wanted: Collection[int]) -> dict[int, Any]:
        """The values of the wanted nodes with another value for one node.

        Raises `ValueError` where shapes do not go together any more.
        """
        tape = self.tape
        new: dict[int, Any] = {node: value}
        last = max(wanted)
        for i in range(node + 1, last + 1):
            if tape.kernels[i] is None or not any(o in new for o in self.operands[i]):
                continue
            values = [
                new.get(o, tape.values[o]) if type(o) is int else o.value  # type: ignore[union-attr]
                for o in tape.steps[i].operands
            ]
            new[i] = tape.kernels[i](*values)
        return {n: new.get(n, tape.values[n]) for n in wanted}

    def accumulators(self, output: int, upstream: Any) -> dict[int, Any]:
        """The accumulators of all nodes that a node is made of, from its own on."""
        tape = self.tape
        steps = [s._replace(name=f"n{i}") for i, s in enumerate(tape.steps[: output + 1])]
        draft = pruned(tape.source, steps, output)
        order = sorted(range(len(draft.steps)), key=lambda i: draft.steps[i].kind != "input")
        place = {old: new for new, old in enumerate(order)}
        moved = [
            draft.steps[i]._replace(
                operands=tuple(place[o] if type(o) is int else o for o in draft.steps[i].operands)
            )
            for i in order
        ]
        draft = named(Draft(tape.source, moved, place[draft.output]), set())
        numbers = [int((s.name or "n0")[1:]) for s in draft.steps]
        inputs = {f"n{i}": tape.values[i] for i in numbers if tape.steps[i].kind == "input"}
        types = {name: tape.types[int(name[1:])] for name in inputs}
        try:
            graph = build(draft, types, numpy_rules=True)
            active = graph.dependent(set(graph.inputs))
            passes = Executable(graph).both(inputs, active, upstream, allow_nonfinite=True)
        except (GradcliError, ValueError):
            return {}
        return {
            number: a
            for number, a in zip(numbers, passes.accumulators, strict=True)
            if a is not None
        }


def same(a: Any, b: Any, rtol: float = 1e-6) -> bool:
    """Whether two values are one, but for rounding."""
    if np.shape(a) != np.shape(b):
        return False
    size = np.max(np.abs(b), initial=0.0)
    return bool(np.allclose(a, b, rtol=rtol, atol=1e-9 * size + 1e-12))
