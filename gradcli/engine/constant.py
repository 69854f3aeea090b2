"""The value of an expression that depends on no input (an axis, a shape, a bound value)."""

from __future__ import annotations

from typing import Any

from gradcli.diagnostics.source import Source
from gradcli.engine.forward import forward
from gradcli.graph.build import build
from gradcli.graph.draft import Operand, Step, pruned
from gradcli.graph.work import Engine


def constant_value(source: Source, steps: list[Step], operand: Operand) -> Any:
    """Evaluate the steps that lead to `operand`. Raises `GradcliError` as every evaluation does."""
    if not isinstance(operand, int):
        return operand.value
    draft = pruned(source, steps, operand)
    graph = build(draft, {})
    return forward(graph, {})[graph.output]


ENGINE = Engine(constant_value)
"""For expressions in which no block is called."""
