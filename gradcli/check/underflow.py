"""What accumulators may lack because a local derivative fell below the smallest double.

A contribution is upstream × local derivative. The -1/x² of 1/x at 1e200 is 0 as a double, and
however large the upstream is, so is the product, though 1e150 · 1e-400 could be written. The rule
is right and the accumulator is not. How much it may lack is known: less than upstream · 2⁻¹⁰²²,
and what that becomes on the way down.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.engine.forward import operand_values
from gradcli.engine.plan import Backward, Contribution
from gradcli.engine.rules import Rules
from gradcli.graph.graph import Graph

SMALLEST_NORMAL = 2.0**-1022
"""Doubles below this have lost digits, and no jitter shows how many."""


def lost(graph: Graph, values: Sequence[Any], passed: Backward) -> list[float]:
    """For every node, how much an element of its accumulator may lack; 0 for most programs."""
    found, rules = [0.0] * len(graph.nodes), Rules(graph)
    for c in passed.contributions:
        before = found[c.node]
        local, flags = local_flags(rules, values, c)
        if before:
            # Of a rule for whole arrays it is not known what it makes of a small change.
            largest = np.inf if local is None else float(np.max(np.abs(local), initial=0.0))
            found[c.to] += before * largest * graph.nodes[c.node].type.size
        if flags and local is not None and np.any(np.abs(local) < SMALLEST_NORMAL):
            upstream = np.sum(np.abs(passed.accumulators[c.node]))
            found[c.to] += SMALLEST_NORMAL * float(upstream)
    return found


def local_flags(rules: Rules, values: Sequence[Any], c: Contribution) -> tuple[Any, set[str]]:
    """A local derivative (None for a rule for whole arrays), and whether numbers left the range.

    That is `overflow` or `underflow` somewhere inside of it.
    """
    node = rules.graph.nodes[c.node]
    if node.operation is None or not node.operation.elementwise:
        return None, set()
    rule = rules.of(node, c.operand)
    if rule.constant is not None:
        return rule.constant, set()
    raised: set[str] = set()
    calls = {"under": "call", "over": "call", "call": lambda flag, _bits: raised.add(flag)}
    with np.errstate(divide="ignore", invalid="ignore", **calls):  # type: ignore[arg-type]
        local = rule([*operand_values(node, values), values[node.id]])
    return local, raised
