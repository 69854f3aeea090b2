"""Where a line of calls must look for numbers that are not finite.

Calls in order come in; out come the calls whose results are looked at. Most need no look: out of
finite numbers they make others only with an exception of IEEE arithmetic. Inside of a `where`,
elements that are not selected may be anything. A call there has a guard, the conditions under which
its elements count; where an exception or a look finds something, the guard decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from gradcli import ops
from gradcli.batch.memory import Written
from gradcli.engine.forward import align, all_finite, any_over_broadcast
from gradcli.graph.draft import Literal, Operand
from gradcli.graph.graph import Node

Truth: TypeAlias = tuple[bool, int]
"""A node that is not zero (True), or is zero (False)."""
Condition: TypeAlias = tuple[Any, bool]
"""A condition's values, with an axis of rows, or of one for all, and whether it must hold."""
Guard: TypeAlias = frozenset[Truth]
"""What must hold where an element of a node counts."""


class Truths:
    """Comparisons with zero of comparisons, as what they are."""

    def __init__(self, nodes: Sequence[Node], same: Sequence[int]) -> None:
        self.nodes, self.same = nodes, same

    def of(self, i: int, *, holds: bool = True) -> Truth:
        """A condition without the comparisons with zero around it."""
        i = self.same[i]
        while (inner := zero_compared(self.nodes[i])) is not None:
            equal, operand = inner
            i, holds = self.same[operand], holds != equal
        return holds, i

    @cached_property
    def guards(self) -> dict[int, Guard]:
        """The guard of every node that has one; nodes that are one call must have the same."""
        found: dict[int, Guard] = {}
        for node in self.nodes:
            if node.operation is not None:
                pairs = [(s.condition, s.chosen) for s in node.selections]
                guard = frozenset(self.of(c, holds=h) for c, h in pairs if isinstance(c, int))
                i = self.same[node.id]
                found[i] = guard if found.get(i, guard) == guard else frozenset()
        return {i: guard for i, guard in found.items() if guard}

    def is_truth(self, operand: Operand) -> bool:
        """Whether an operand is 1 where it holds and 0 elsewhere."""
        operation = self.nodes[operand].operation if isinstance(operand, int) else None
        return operation is not None and operation.is_comparison


def zero_compared(node: Node) -> tuple[bool, int] | None:
    """For `x == 0` (True) and `x != 0` (False) that, and the number of x; None for other nodes."""
    if node.operation in ZERO_TESTS and len(node.operands) == 2:
        x, number = node.operands
        if isinstance(x, int) and isinstance(number, Literal) and not np.any(number.value):
            return node.operation is EQUAL, x
    return None


EQUAL = ops.for_symbol("==")
ZERO_TESTS = (EQUAL, ops.for_symbol("!="))


def quiet(
    order: Sequence[int],
    nodes: Sequence[Node],
    calls: Mapping[int, Written],
    signalling: Collection[Callable[..., Any]],
) -> set[int]:
    """The calls whose results can be infinite or nan without an IEEE exception.

    One of their own function, of a number in the program, or of an operand that is so. An operation
    without a rounding error of its own takes its elements from its operands.
    """
    found: set[int] = set()
    for i in order:
        call, operation = calls[i], nodes[i].operation
        numbers = [o.value for o in call.operands if isinstance(o, Literal)]
        exact = operation is not None and operation.exact
        loud = (exact or call.function in signalling) and all(
            map(all_finite, map(np.asarray, numbers))
        )
        if not loud or not found.isdisjoint(o for o in call.operands if isinstance(o, int)):
            found.add(i)
    return found


def any_counts(made: Any, conditions: Sequence[Condition]) -> bool:
    """Whether a number that is not finite counts.

    It does where every condition is not zero, or, for a condition with False, is zero. An element
    that is broadcast to a condition counts if it does so in any place (see `engine.forward`).
    """
    bad = ~np.isfinite(made)
    for condition, holds in conditions:
        truth = np.not_equal(condition, 0.0) == holds
        rank = max(truth.ndim, bad.ndim) - 1
        truth, spread = (align(part, part.ndim - 1, rank) for part in (truth, bad))
        bad = bad & any_over_broadcast(truth, spread.shape).reshape(bad.shape)
    return bool(bad.any())


def none_counts(conditions: Sequence[Condition]) -> bool:
    """Whether one of the conditions of a guard fails everywhere."""
    return any(not np.any(c) if holds else bool(np.all(c)) for c, holds in conditions)
