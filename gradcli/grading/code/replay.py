"""The tape of code that was read, run again with another value in the place of one node.

A tape comes in; the values of its nodes then, or their accumulators, go out.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.listing.stages import Nodes, Stretch
from gradcli.graph.draft import Literal


class Replay(Nodes):
    """The nodes of a tape, and their values where one of them is another."""

    def changed(self, node: int, value: Any, wanted: Collection[int]) -> dict[int, Any]:
        """The values of the wanted nodes with another value for one node.

        Raises `ValueError` where shapes do not go together any more.
        """
        tape, operands = self.tape, self.operands
        new: dict[int, Any] = {node: value}
        last = max(wanted)
        for i in range(node + 1, last + 1):
            if tape.kernels[i] is None or not any(o in new for o in operands[i]):
                continue
            values = [
                o.value if isinstance(o, Literal) else new.get(o, tape.values[o])
                for o in tape.steps[i].operands
            ]
            new[i] = tape.kernels[i](*values)
        return {n: new.get(n, tape.values[n]) for n in wanted}

    def accumulators(self, output: int) -> dict[int, Any]:
        """The accumulators of all nodes that a number is made of; its own is 1."""
        tape = self.tape
        stretch = Stretch(self, output, {i for i, s in enumerate(tape.steps) if s.kind == "input"})
        found: dict[int, Any] = {}
        try:
            stage = stretch.stage([f"n{i}" for i in stretch.reads], None)
            values = stage.values([tape.values[i] for i in stretch.reads])
            passed = stage.backward(values, np.float64(1.0))
        except (GradcliError, ValueError):
            return found
        nodes = [*stretch.reads, *stretch.inside]
        for i, parts in passed.received.items():
            found[nodes[i]] = sum(parts.values())
        for sent in passed.sent:
            node = int(sent.read.removeprefix("n"))
            found[node] = found.get(node, 0.0) + sent.value
        return found


def same(a: Any, b: Any, rtol: float = 1e-6) -> bool:
    """Whether two values are one, but for rounding."""
    if np.shape(a) != np.shape(b):
        return False
    size = np.max(np.abs(b), initial=0.0)
    return bool(np.allclose(a, b, rtol=rtol, atol=1e-9 * size + 1e-12))
