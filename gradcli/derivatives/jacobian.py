"""The Jacobian of any output by any inputs.

In reverse mode every row of a batch is a backward pass that starts from one element of the
output. In forward mode the backward pass, which is linear in its upstream u, is differentiated
by u: what comes out is the derivative of the output along a direction of the inputs, and
every row of a batch is a direction. Both run the same formulas; the shorter batch wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.engine.adjoint import adjoint
from gradcli.engine.backward import backward
from gradcli.engine.forward import all_finite
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Array
from gradcli.results.matrices import (
    Block,
    Found,
    Jacobian,
    Layout,
    Mode,
    continued,
    directions,
    flat_rows,
    objective,
    refuse_too_large,
    with_gradient,
    with_upstream,
)
from gradcli.results.result import Result

UPSTREAM = "the upstream"
"""No name of the language, so that it meets no input's."""


def jacobian_blocks(
    graph: Graph,
    values: Sequence[Any],
    wrt: Sequence[int],
    mode: Mode | None = None,
    *,
    allow_nonfinite: bool = False,
) -> tuple[dict[int, Array], Mode]:
    """For every input in `wrt` the matrix of elements of the input × elements of the output.

    `values` are the nodes' values at the point. The mode is chosen by the shapes unless given.
    Raises `GradcliError` (edge, domain, overflow) where a derivative is not finite, as the
    backward pass does, unless `allow_nonfinite`; of kind shape where the matrix is too large.
    """
    outputs = graph.nodes[graph.output].type.size
    inputs = sum(graph.nodes[i].type.size for i in wrt)
    hint = "--wrt leaves inputs out, --upstream weighs the outputs"
    refuse_too_large("Jacobian", inputs, outputs, hint)
    if mode is None:
        mode = "reverse" if outputs <= inputs or not wrt else "forward"
    made = (_reverse if mode == "reverse" else _forward)(graph, values, wrt)
    if not allow_nonfinite:
        _refuse_nonfinite_blocks(graph, values, wrt, made)
    return made, mode


def make(
    result: Result,
    wrt: Sequence[int],
    layout: Layout,
    mode: Mode | None,
    upstream: Any,
    *,
    check: str,
    budget: float,
    exact: bool,
    allow_nonfinite: bool,
    seed: int,
) -> Jacobian:
    """The Jacobian at the point of a result, with its check. Raises as `jacobian_blocks` does."""
    result = with_gradient(result, wrt, upstream, allow_nonfinite=allow_nonfinite)
    graph, values = with_upstream(result, upstream)
    made, mode = jacobian_blocks(graph, values, wrt, mode, allow_nonfinite=allow_nonfinite)
    checks: dict[int, Found] = {}
    if check != "none" and wrt:
        from gradcli.check.blocks import Target, check_blocks  # noqa: PLC0415 - not without

        (checks,) = check_blocks(
            graph,
            values,
            [Target({graph.output: None}, made)],
            every_element=check == "all",
            budget=budget,
            exact=exact,
            seed=seed,
        )
    nodes, of, name = graph.nodes, graph.nodes[graph.output].type, objective(result, upstream)
    blocks = tuple(
        Block(nodes[i].name, name, nodes[i].type, of, made[i]).told(checks.get(i)) for i in wrt
    )
    return Jacobian(result, blocks, mode, name, of, layout)


def _reverse(graph: Graph, values: Sequence[Any], wrt: Sequence[int]) -> dict[int, Array]:
    output = graph.nodes[graph.output].type
    whole = adjoint(graph, wrt, upstream=UPSTREAM, values=values)
    wanted = {i: whole.deltas[i] for i in wrt if i in whole.deltas}
    columns: dict[int, list[Array]] = {i: [] for i in wrt}
    for batch in directions(whole.graph, len(graph.nodes), {UPSTREAM: output}):
        found = continued(whole.graph, values, batch, wanted.values())
        count = len(batch[UPSTREAM])
        for i in wrt:
            shape = graph.nodes[i].type.shape
            value = found[wanted[i]] if i in wanted else 0.0
            columns[i].append(flat_rows(value, count, shape))
    return {
        i: np.concatenate(parts or [np.zeros((0, graph.nodes[i].type.size))]).T.copy()
        for i, parts in columns.items()
    }


def _forward(graph: Graph, values: Sequence[Any], wrt: Sequence[int]) -> dict[int, Array]:
    output = graph.nodes[graph.output].type
    first = adjoint(graph, wrt, upstream=UPSTREAM, values=values)
    names = {i: f"direction {i}" for i in wrt}
    seeds = {names[i]: first.deltas[i] for i in wrt if i in first.deltas}
    (upstream,) = (n.id for n in first.graph.nodes[len(graph.nodes) :] if n.name == UPSTREAM)
    whole = adjoint(first.graph, [upstream], upstream=seeds, values=values)
    slope = whole.deltas.get(upstream)
    types = {names[i]: graph.nodes[i].type for i in wrt}
    rows: list[Array] = []
    for batch in directions(whole.graph, len(first.graph.nodes), types):
        count = len(next(iter(batch.values())))
        batch[UPSTREAM] = np.zeros(output.shape)[()]
        value: Any = 0.0
        if slope is not None:
            value = continued(whole.graph, values, batch, [slope])[slope]
        rows.append(flat_rows(value, count, output.shape))
    matrix = np.concatenate(rows or [np.zeros((0, output.size))])
    blocks, start = {}, 0
    for i in wrt:
        size = graph.nodes[i].type.size
        blocks[i] = matrix[start : start + size].copy()
        start += size
    return blocks


def _refuse_nonfinite(
    graph: Graph, values: Sequence[Any], wrt: Sequence[int], upstream: Any
) -> None:
    """Let the backward pass say which derivative is not finite, and where."""
    backward(graph, values, graph.dependent(set(wrt)), upstream)


def _refuse_nonfinite_blocks(
    graph: Graph, values: Sequence[Any], wrt: Sequence[int], blocks: dict[int, Array]
) -> None:
    for block in blocks.values():
        if not all_finite(block):
            column = int(np.argwhere(~np.isfinite(block))[0][1])
            upstream = np.zeros(graph.nodes[graph.output].type.size)
            upstream[column] = 1.0
            shape = graph.nodes[graph.output].type.shape
            _refuse_nonfinite(graph, values, wrt, upstream.reshape(shape)[()])
