"""Where a backward pass starts: δ_output = ∂J/∂output, given or 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.engine.forward import refuse_nonfinite_inputs
from gradcli.engine.inputs import to_value
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Type, times

ONE = np.float64(1.0)


def upstream_of(graph: Graph, given: Any, *, allow_nonfinite: bool) -> Any:
    """δ_output: what was given, else 1 for an output of one element.

    Raises `GradcliError`: shape where it doesn't fit the output, binding where it is no array of
    finite numbers.
    """
    output = graph.nodes[graph.output]
    shape = output.type.shape
    if given is None and not shape:
        return ONE
    if given is None:
        if graph.inputs:
            expect_one_element(
                graph,
                "a backward pass starts from a number",
                "sum(…) or ||…||^2 makes one; --upstream gives ∂J/∂output "
                f"({times(shape)}); 'gradcli jacobian' takes every output; --value needs none",
            )
        return np.ones(shape)
    value = to_value("upstream", given)
    if not allow_nonfinite:
        refuse_nonfinite_inputs({"upstream": value})
    if np.shape(value) != shape:
        raise GradcliError(
            Kind.SHAPE,
            f"the upstream is {Type(np.shape(value))}, and the output {output.name} is "
            f"{output.type}",
            hint="∂J/∂output has the output's shape",
        )
    return value


def expect_one_element(graph: Graph, why: str, hint: str | None = None) -> None:
    """Raise `GradcliError` of kind shape where the output has several elements."""
    output = graph.nodes[graph.output]
    if output.type.size != 1:
        raise GradcliError(
            Kind.SHAPE,
            f"the output {output.name} is {output.type}: {why}",
            source=graph.source,
            span=output.span,
            hint=hint,
        )
