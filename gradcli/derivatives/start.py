"""The passes at one point that a Jacobian or a Hessian starts from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradcli.diagnostics.error import GradcliError
from gradcli.engine.run import Executable
from gradcli.engine.upstream import upstream_of
from gradcli.results.result import Result


def passes_at(
    program: str,
    ready: Executable,
    inputs: Mapping[str, Any],
    wrt: tuple[str, ...] | None,
    upstream: Any,
    *,
    allow_nonfinite: bool,
) -> tuple[Result, list[int], Any]:
    """The values, the inputs to differentiate by, and ∂J/∂output if it was given.

    Where the output is one number or has an upstream, with the backward pass. Raises
    `GradcliError` as `Program.evaluate` does.
    """
    graph, start, given = ready.graph, None, None
    try:
        active = ready.active(wrt)
        if upstream is not None or graph.nodes[graph.output].type.size == 1:
            start = upstream_of(graph, upstream, allow_nonfinite=allow_nonfinite)
            given = None if upstream is None else start
    except GradcliError:  # one of the values comes before those
        ready.forward(inputs, allow_nonfinite=allow_nonfinite)
        raise
    if start is None:
        passes = ready.forward(inputs, allow_nonfinite=allow_nonfinite)
    else:
        passes = ready.both(inputs, active, start, allow_nonfinite=allow_nonfinite)
    result = Result(program, graph, *passes, start, rules=ready.rules)
    return result, [i for i in graph.inputs if active[i]], given
