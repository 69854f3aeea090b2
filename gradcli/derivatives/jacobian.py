"""The Jacobian of any output by any inputs.

In reverse mode every row of a batch is a backward pass that starts from one element of the output.
In forward mode the backward pass, which is linear in its upstream u, is differentiated by u: what
comes out is the derivative of the output along a direction of the inputs, and every row of a batch
is a direction. Both run the same formulas; the shorter batch wins. Directions that change no
element in common share a row (`sparsity`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.derivatives.rows import Rows
from gradcli.derivatives.sparsity import LEAST, coloured, pairs, patterns
from gradcli.derivatives.start import Subject, quick, result_at, subject
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
    laid,
    refuse_too_large,
)

if TYPE_CHECKING:
    from gradcli.derivatives.line import Line

UPSTREAM = "the upstream"
"""Not a name of the language, so that no input has it."""


def jacobian_blocks(
    of: Subject,
    mode: Mode | None = None,
    *,
    allow_nonfinite: bool = False,
) -> tuple[dict[int, Array], _Passes]:
    """For every input in `wrt` the matrix of elements of the input × elements of the output.

    The mode is chosen by the shapes unless given.
    Raises `GradcliError` (edge, domain, overflow) where a derivative is not finite, as the
    backward pass does, unless `allow_nonfinite`; of kind shape where the matrix is too large.
    """
    graph, values, wrt = of.graph, of.values, of.wrt
    outputs = graph.nodes[graph.output].type.size
    inputs = sum(graph.nodes[i].type.size for i in wrt)
    hint = "--wrt leaves inputs out, --upstream weighs the outputs"
    refuse_too_large("Jacobian", inputs, outputs, hint)
    if mode is None:
        shorter: Mode = "reverse" if outputs <= inputs or not wrt else "forward"
        passes = _passes(of, shorter)
        if passes.many:
            other = _passes(of, "forward" if shorter == "reverse" else "reverse")
            passes = passes if other.many else other
    else:
        passes = _passes(of, mode)
    if passes.coloured is not None and all_finite(combined := passes.coloured(values)):
        return passes.blocks(passes.matrix(combined)), passes
    matrix = passes.rows(values).copy()
    made = passes.blocks(matrix)
    if not (allow_nonfinite or all_finite(matrix)):
        _refuse_nonfinite(graph, values, wrt, made)
    return made, passes


def _passes(of: Subject, mode: Mode) -> _Passes:
    return of.kept((mode, *of.wrt), lambda: _Passes(of.graph, of.values, of.wrt, mode))


def make(
    program: str,
    ready: Executable,
    inputs: Mapping[str, Any],
    names: tuple[str, ...] | None,
    layout: Layout,
    mode: Mode | None,
    upstream: Any,
    check: Mapping[str, Any] | None,
    *,
    allow_nonfinite: bool,
) -> Jacobian:
    """The Jacobian at a point, with its check. Raises as `subject` and `jacobian_blocks` do."""
    known = quick(ready, inputs, upstream, "jacobian", names, mode, checked=check is not None)
    found: Jacobian | None = known.made(inputs, layout)
    if found is not None:
        return found
    given = subject(program, ready, inputs, names, upstream, allow_nonfinite=allow_nonfinite)
    result, wrt, name, graph, values, *_ = given
    made, passes = jacobian_blocks(given, mode, allow_nonfinite=allow_nonfinite)
    checks: dict[int, Found] = {}
    if check is not None and wrt:
        from gradcli.check.blocks import Target, check_blocks  # noqa: PLC0415 - not without

        (checks,) = check_blocks(graph, values, [Target({graph.output: None}, made)], **check)
    known.ran(given, lambda: _again(given, passes))
    blocks = tuple([b.told(checks.get(i)) for i, b in zip(wrt, _blocks(given, made), strict=True)])
    of = graph.nodes[graph.output].type
    return Jacobian(result, blocks, passes.mode, name, of, layout)


def _blocks(of: Subject, made: Mapping[int, Array]) -> tuple[Block, ...]:
    nodes, output = of.graph.nodes, of.graph.nodes[of.graph.output].type
    return tuple(
        [Block(nodes[i].name, of.name, nodes[i].type, output, value) for i, value in made.items()]
    )


def _again(of: Subject, passes: _Passes) -> Callable[..., Jacobian | None] | None:
    """The Jacobian in short, at a point where it is like here."""
    line = passes.line()
    if line is None:
        return None
    output = of.graph.nodes[of.graph.output].type

    def again(inputs: Mapping[str, Any], layout: Layout) -> Jacobian | None:
        found = line(inputs)
        if found is None:
            return None
        made, read = found
        matrix = made.T if passes.reverse else made
        return Jacobian.later(
            {
                "matrix": laid(matrix, layout),
                "mode": passes.mode,
                "name": of.name,
                "of": output,
                "layout": layout,
            },
            result=lambda: result_at(of, inputs, read),
            blocks=lambda: _blocks(of, passes.blocks(made)),
        )

    return again


class _Passes:
    """What makes the matrices of a graph, in the same way at every point."""

    def __init__(self, graph: Graph, values: Sequence[Any], wrt: Sequence[int], mode: Mode) -> None:
        self.graph = graph
        self.mode: Mode = mode
        self.reverse = mode == "reverse"
        self.outputs = graph.nodes[graph.output].type.size
        self.sizes = {i: graph.nodes[i].type.size for i in wrt}
        self.deltas, self.rows = (_reverse if self.reverse else _forward)(graph, values, wrt)
        self.coloured: Rows | None = None
        """The passes for combined directions; None where it does not pay to combine them."""
        self.places: tuple[Array, Array] | None = None
        """For the combined directions: the places that may be other than zero."""
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
            self.coloured, self.places = self.rows.with_colours(colours), directed

    def matrix(self, made: Array) -> Array:
        """The matrix of all directions, from the combined ones."""
        assert self.coloured is not None
        assert self.places is not None
        (rows, columns), colour = self.places, self.coloured.colours.of
        matrix = np.zeros((len(colour), made.shape[1]))
        matrix[rows, columns] = made[colour[rows], columns]
        return matrix

    def line(self) -> Line | None:
        """The matrix of all directions as a function of the inputs' values."""
        from gradcli.derivatives.elements import Function  # noqa: PLC0415 - most run once

        nodes, exact = [*range(len(self.graph.nodes))], len(self.graph.nodes)
        if self.outputs == 1:  # the backward pass from 1, which has an error of its own
            if not self.reverse:
                return None
            nodes, exact = [*nodes, *self.deltas.values()], len(self.rows.graph.nodes)
        matrix = None if self.coloured is None else self.matrix
        return Function(
            self.coloured or self.rows, self.graph, nodes, exact, matrix=matrix
        ).written()

    def blocks(self, matrix: Array) -> dict[int, Array]:
        """The matrices by input, from that of all directions."""
        by_input = matrix.T if self.reverse else matrix
        found, first = {}, 0
        for i, size in self.sizes.items():
            found[i] = by_input[first : first + size]
            first += size
        return found


def _reverse(
    graph: Graph, values: Sequence[Any], wrt: Sequence[int]
) -> tuple[Mapping[int, int], Rows]:
    output = graph.nodes[graph.output].type
    whole = adjoint(graph, wrt, upstream=UPSTREAM, values=values)
    wanted = [(whole.deltas.get(i), graph.nodes[i].type) for i in wrt]
    return whole.deltas, Rows(whole.graph, {UPSTREAM: output}, wanted)


def _forward(
    graph: Graph, values: Sequence[Any], wrt: Sequence[int]
) -> tuple[Mapping[int, int], Rows]:
    output = graph.nodes[graph.output].type
    first = adjoint(graph, wrt, upstream=UPSTREAM, values=values)
    names = {i: f"direction {i}" for i in wrt}
    seeds = {names[i]: first.deltas[i] for i in wrt if i in first.deltas}
    (upstream,) = (n.id for n in first.graph.nodes[len(graph.nodes) :] if n.name == UPSTREAM)
    whole = adjoint(first.graph, [upstream], upstream=seeds, values=values)
    types = {names[i]: graph.nodes[i].type for i in wrt}
    wanted = [(whole.deltas.get(upstream), output)]
    zeros = np.zeros(output.shape)[()]
    rows = Rows(whole.graph, types, wanted, fixed={UPSTREAM: zeros})
    return whole.deltas, rows


def _refuse_nonfinite(
    graph: Graph, values: Sequence[Any], wrt: Sequence[int], blocks: dict[int, Array]
) -> None:
    """Let the backward pass say which derivative is not finite, and where."""
    output, active = graph.nodes[graph.output].type, graph.dependent(set(wrt))
    backward(graph, values, active, np.ones(output.shape)[()])
    for block in blocks.values():
        if not all_finite(block):
            column = int(np.argwhere(~np.isfinite(block))[0][1])
            upstream = np.equal(np.arange(output.size), column).astype(np.float64)
            backward(graph, values, active, upstream.reshape(output.shape)[()])
