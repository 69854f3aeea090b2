"""What concerns one node: the paths from it to the output, and what comes back along them.

The lines of a backward pass come in. Along a path the local derivatives are multiplied; the sum
over all paths is the derivative, which is why contributions are added up. There can be more paths
than one can ever list, so they are counted, and the first few are listed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.graph.graph import Node
from gradcli.trace.steps import Move, Steps

MOST_PATHS = 12


class Path(NamedTuple):
    """A way from a node to the output, along the operations that use it."""

    moves: tuple[Move, ...]
    factors: tuple[Any, ...] | None
    """The local derivatives in the order of the moves, and the upstream if it is not 1; None
    where one of them is no single number."""

    @property
    def value(self) -> Any:
        """The product of the factors; None if there is none."""
        with np.errstate(all="ignore"):
            return None if self.factors is None else np.prod(self.factors)


class Focus(NamedTuple):
    """A node, what is sent to it, and the paths that this has come along."""

    node: Node
    moves: tuple[Move, ...]
    paths: tuple[Path, ...]
    """The first `MOST_PATHS` of them."""
    number: int
    """How many there are."""


def focus(steps: Steps, name: str) -> Focus:
    """All that concerns one node. Raises `GradcliError` of kind name."""
    node = _named(steps, name)
    uses: dict[int, list[Move]] = {}
    count = {steps.graph.output: 1}
    for move in steps.moves():
        uses.setdefault(move.to.id, []).append(move)
        count[move.to.id] = count.get(move.to.id, 0) + count[move.node.id]
    paths: list[Path] = []
    taken: list[Move] = []
    waiting: list[tuple[int, Move | None]] = [(0, None)]
    while waiting and len(paths) < MOST_PATHS:
        before, last = waiting.pop()
        del taken[before:]
        if last is not None:
            taken.append(last)
        place = node.id if last is None else last.node.id
        if place == steps.graph.output:
            paths.append(Path(tuple(taken), _factors(steps, tuple(taken))))
        else:
            waiting += [(len(taken), move) for move in reversed(uses.get(place, ()))]
    return Focus(node, tuple(uses.get(node.id, ())), tuple(paths), count.get(node.id, 0))


def _named(steps: Steps, name: str) -> Node:
    shown = {step.node.name: step.node for step in steps.steps()}
    shown |= {(node := steps.graph.nodes[i]).name: node for i in steps.graph.inputs}
    if name in shown:
        return shown[name]
    if any(node.name == name for node in steps.graph.nodes):
        message, hint = f"the node '{name}' lies inside a statement", "--by operation shows it"
        raise GradcliError(Kind.NAME, message, hint=hint)
    names = ", ".join([*shown][:20])
    hint = did_you_mean(name, shown) or f"there are {names}{', …' if len(shown) > 20 else ''}"
    raise GradcliError(Kind.NAME, f"the program has no node '{name}'", hint=hint)


def _factors(steps: Steps, moves: tuple[Move, ...]) -> tuple[Any, ...] | None:
    upstream = steps.result.upstream
    start = () if np.ndim(upstream) == 0 and upstream == 1 else (upstream,)
    factors = (*(move.local_value for move in moves), *start)
    shapes = [move.to.type.shape for move in moves] + [move.node.type.shape for move in moves]
    single = not any(shapes) and all(f is not None and np.ndim(f) == 0 for f in factors)
    return factors if single and moves else None
