"""The passes over a graph as a Program takes them: values alone, or both passes in one go.

A graph, its inputs' values and δ_output come in; values, accumulators and contributions come out,
or the error of the first operation at fault. A graph that is run often gets both passes as one
function (`compiled`), which gives up where anything is not finite: the loops of `forward` and
`backward` then find the place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.gc_pause import collector_paused
from gradcli.engine.backward import backward
from gradcli.engine.forward import all_finite, forward
from gradcli.engine.plan import Contribution, Plan, plan_of
from gradcli.graph.graph import Graph


class Passes(NamedTuple):
    """What a Result is made of; an accumulator is None for nodes the backward pass leaves out."""

    values: tuple[Any, ...]
    accumulators: tuple[Any, ...]
    contributions: tuple[Contribution, ...] = ()


def forward_alone(graph: Graph, inputs: Mapping[str, Any], *, allow_nonfinite: bool) -> Passes:
    """The values, without a backward pass. Raises `GradcliError` as `both` does."""
    with collector_paused():
        values = _values(graph, inputs, allow_nonfinite=allow_nonfinite)
        return Passes(tuple(values), (None,) * len(values))


def both(
    graph: Graph,
    inputs: Mapping[str, Any],
    active: Sequence[bool],
    upstream: Any,
    *,
    allow_nonfinite: bool,
) -> Passes:
    """Values, and the accumulators of the `active` nodes, starting from δ_output = `upstream`.

    Raises `GradcliError`: binding for an input, and domain, overflow, singular, edge for the first
    operation, that is not finite, unless `allow_nonfinite`.
    """
    plan = plan_of(graph, active)
    line = plan.often.next(_written, graph, plan)
    if line is not None and len(inputs) == len(graph.inputs):
        given = [inputs[name] for name in graph.input_numbers]
        with np.errstate(all="ignore"):
            made = line(*given, upstream)
        if made is not None:
            return Passes(*made)
    with collector_paused():
        values = _values(graph, inputs, allow_nonfinite=allow_nonfinite)
        passed = backward(graph, values, active, upstream, allow_nonfinite=allow_nonfinite)
        return Passes(tuple(values), tuple(passed.accumulators), tuple(passed.contributions))


def _written(graph: Graph, plan: Plan) -> Callable[..., Any]:
    from gradcli.engine.compiled import both_line  # noqa: PLC0415 - most graphs run once

    return both_line(graph, plan)


def _written_forward(graph: Graph) -> Callable[..., list[Any]]:
    from gradcli.engine.compiled import forward_line  # noqa: PLC0415 - most graphs run once

    return forward_line(graph)


def all_values(
    graph: Graph, inputs: Mapping[str, Any], *, allow_nonfinite: bool = False
) -> list[Any]:
    """Every node's value, as `forward` has it; by one compiled function if this runs often."""
    line = graph.often.next(_written_forward, graph)
    return forward(graph, inputs, allow_nonfinite=allow_nonfinite, compiled=line)


def _values(graph: Graph, inputs: Mapping[str, Any], *, allow_nonfinite: bool) -> list[Any]:
    """The forward pass; an infinite constant can reach the output without an operation failing."""
    values = all_values(graph, inputs, allow_nonfinite=allow_nonfinite)
    output = graph.nodes[graph.output]
    if allow_nonfinite or all_finite(values[output.id]):
        return values
    raise GradcliError(
        Kind.DOMAIN,
        f"the output {output.name} is not finite",
        source=graph.source,
        span=output.span,
        hint="--allow-nonfinite prints it",
    )
