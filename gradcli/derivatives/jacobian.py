"""The Jacobian of any output by any inputs.

In reverse mode every row of a batch is a backward pass that starts from one element of the output.
In forward mode the backward pass, which is linear in its upstream u, is differentiated by u: what
comes out is the derivative of the output along a direction of the inputs, and every row of a batch
is a direction. Both run the same formulas; the shorter batch wins. Directions that change no
element in common share a row (`sparsity`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.derivatives.rows import Rows, Subject, subject
from gradcli.derivatives.sparsity import LEAST, coloured, pairs, patterns
from gradcli.derivatives.start import passes_at
from gradcli.engine.adjoint import adjoint
from gradcli.engine.backward import backward
from gradcli.engine.forward import all_finite
from gradcli.engine.run import Executable
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Array
from gradcli.results.matrices import (
    Block,
    Found,
    Jacobian,
    Layout,
    Mode,
    objective,
    refuse_too_large,
)

UPSTREAM = "the upstream"
"""Not a name of the language, so that no input has it."""


def jacobian_blocks(
    of: Subject,
    wrt: Sequence[int],
    mode: Mode | None = None,
    *,
    allow_nonfinite: bool = False,
) -> tuple[dict[int, Array], Mode]:
    """For every input in `wrt` the matrix of elements of the input × elements of the output.

    The mode is chosen by the shapes unless given.
    Raises `GradcliError` (edge, domain, overflow) where a derivative is not finite, as the
    backward pass does, unless `allow_nonfinite`; of kind shape where the matrix is too large.
    """
    graph, values = of.graph, of.values
    outputs = graph.nodes[graph.output].type.size
    inputs = sum(graph.nodes[i].type.size for i in wrt)
    hint = "--wrt leaves inputs out, --upstream weighs the outputs"
    refuse_too_large("Jacobian", inputs, outputs, hint)
    if mode is None:
        shorter: Mode = "reverse" if outputs <= inputs or not wrt else "forward"
        passes = _passes(of, wrt, shorter)
        if passes.many:
            other = _passes(of, wrt, "forward" if shorter == "reverse" else "reverse")
            passes = passes if other.many else other
    else:
        passes = _passes(of, wrt, mode)
    made = passes.compressed(values)
    if made is None:
        matrix = passes.rows(values)
        made = passes.apart(matrix)
        if not (allow_nonfinite or all_finite(matrix)):
            _refuse_nonfinite_blocks(graph, values, wrt, made)
    return made, passes.mode


def _passes(of: Subject, wrt: Sequence[int], mode: Mode) -> _Passes:
    return of.kept((mode, *wrt), lambda: _Passes(of.graph, of.values, wrt, mode))


def make(
    program: str,
    ready: Executable,
    inputs: Mapping[str, Any],
    names: tuple[str, ...] | None,
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
    """The Jacobian at a point, with its check. Raises as `passes_at` and `jacobian_blocks` do."""
    result, wrt, upstream = passes_at(
        program, ready, inputs, names, upstream, allow_nonfinite=allow_nonfinite
    )
    differentiated = subject(ready, result, upstream, finite=not allow_nonfinite)
    graph, values = differentiated.graph, differentiated.values
    made, mode = jacobian_blocks(differentiated, wrt, mode, allow_nonfinite=allow_nonfinite)
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


class _Passes:
    """What makes the matrices of a graph, in the same way at every point."""

    def __init__(self, graph: Graph, values: Sequence[Any], wrt: Sequence[int], mode: Mode) -> None:
        self.mode: Mode = mode
        self.reverse = mode == "reverse"
        self.outputs = graph.nodes[graph.output].type.size
        self.sizes = {i: graph.nodes[i].type.size for i in wrt}
        self.rows = (_reverse if self.reverse else _forward)(graph, values, wrt)
        self.coloured: Rows | None = None
        """The passes for combined directions; None where it does not pay to combine them."""
        self.places: dict[int, tuple[Array, Array]] = {}
        """For the combined directions: by input, the places that may be other than zero."""
        self.many = False
        """Whether some derivatives are always zero, though no directions can be combined."""
        if min(self.outputs, sum(self.sizes.values())) >= LEAST:
            self._put_together(graph, wrt)

    def _put_together(self, graph: Graph, wrt: Sequence[int]) -> None:
        pattern = patterns(graph, wrt, [graph.output])[graph.output]
        if pattern is None:
            return
        columns, rows = pairs(pattern)
        directed = (columns, rows) if self.reverse else (rows, columns)
        colours = coloured(*directed, self.rows.colours.number)
        self.many = colours is None
        if colours is not None:
            self.coloured = self.rows.with_colours(colours)
            first = 0
            for i, size in self.sizes.items():
                own = (rows >= first) & (rows < first + size)
                self.places[i] = rows[own] - first, columns[own]
                first += size

    def compressed(self, values: Sequence[Any]) -> dict[int, Array] | None:
        """The matrices by input from combined directions; None without, or if one is not finite."""
        if self.coloured is None:
            return None
        made, colour = self.coloured(values), self.coloured.colours.of
        if not all_finite(made):
            return None
        blocks, first = {}, 0
        for i, (rows, columns) in self.places.items():
            blocks[i] = np.zeros((self.sizes[i], self.outputs))
            blocks[i][rows, columns] = (
                made[colour[columns], first + rows]
                if self.reverse
                else made[colour[first + rows], columns]
            )
            first += self.sizes[i]
        return blocks

    def apart(self, made: Array) -> dict[int, Array]:
        """The matrices by input, from that of a pass for every direction."""
        if self.reverse:
            made = made.T
        blocks, first = {}, 0
        for i, size in self.sizes.items():
            blocks[i] = made[first : first + size].copy()
            first += size
        return blocks


def _reverse(graph: Graph, values: Sequence[Any], wrt: Sequence[int]) -> Rows:
    output = graph.nodes[graph.output].type
    whole = adjoint(graph, wrt, upstream=UPSTREAM, values=values)
    wanted = [(whole.deltas.get(i), graph.nodes[i].type) for i in wrt]
    return Rows(whole.graph, len(graph.nodes), {UPSTREAM: output}, wanted)


def _forward(graph: Graph, values: Sequence[Any], wrt: Sequence[int]) -> Rows:
    output = graph.nodes[graph.output].type
    first = adjoint(graph, wrt, upstream=UPSTREAM, values=values)
    names = {i: f"direction {i}" for i in wrt}
    seeds = {names[i]: first.deltas[i] for i in wrt if i in first.deltas}
    (upstream,) = (n.id for n in first.graph.nodes[len(graph.nodes) :] if n.name == UPSTREAM)
    whole = adjoint(first.graph, [upstream], upstream=seeds, values=values)
    types = {names[i]: graph.nodes[i].type for i in wrt}
    wanted = [(whole.deltas.get(upstream), output)]
    zeros = np.zeros(output.shape)[()]
    return Rows(whole.graph, len(graph.nodes), types, wanted, fixed={UPSTREAM: zeros})


def _refuse_nonfinite(
    graph: Graph, values: Sequence[Any], wrt: Sequence[int], upstream: Any
) -> None:
    """Let the backward pass say which derivative is not finite, and where."""
    backward(graph, values, graph.dependent(set(wrt)), upstream)


def _refuse_nonfinite_blocks(
    graph: Graph, values: Sequence[Any], wrt: Sequence[int], blocks: dict[int, Array]
) -> None:
    output = graph.nodes[graph.output].type
    _refuse_nonfinite(graph, values, wrt, np.ones(output.shape)[()])
    for block in blocks.values():
        if not all_finite(block):
            column = int(np.argwhere(~np.isfinite(block))[0][1])
            upstream = np.zeros(output.size)
            upstream[column] = 1.0
            _refuse_nonfinite(graph, values, wrt, upstream.reshape(output.shape)[()])
