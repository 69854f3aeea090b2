"""The Hessian of an output of one element: the backward pass, differentiated.

The gradient is a graph (`adjoint`), so its derivative along a vector v, the sum of all
v · δ differentiated once more, is one too: the product of Hessian and v in about four times the
work of a gradient. With a batch of unit vectors in the place of v, it is the matrix; of vectors
for several elements at once, where the graph says which derivatives are zero (`sparsity`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from gradcli.derivatives.rows import Rows, subject
from gradcli.derivatives.sparsity import LEAST, coloured, pairs, patterns
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.engine.adjoint import Adjoint, adjoint
from gradcli.engine.continuation import Continuation
from gradcli.engine.forward import (
    all_finite,
    describe_operands,
    floating_point_flags,
    operand_values,
    selected,
    written_text,
)
from gradcli.engine.inputs import to_value
from gradcli.engine.run import Executable
from gradcli.graph.graph import Graph, Node
from gradcli.ops.operation import Array, Type
from gradcli.results.corners import refuse_corners, with_corners
from gradcli.results.matrices import (
    Block,
    Found,
    Hessian,
    continued,
    objective,
    refuse_too_large,
)
from gradcli.results.result import Check, Result, Verdict


@dataclass(frozen=True)
class Twice:
    """A graph, its gradient, and that one's gradient along a vector."""

    graph: Graph
    wrt: tuple[int, ...]
    first: Adjoint
    second: Adjoint
    names: dict[int, str]
    """For every input the name of the input that holds its part of the vector."""

    def size(self, node: int) -> int:
        """The number of elements of a node."""
        return self.graph.nodes[node].type.size

    @cached_property
    def corners(self) -> list[Node]:
        """The nodes that may be at a corner."""
        return with_corners(self.graph)

    @cached_property
    def places(self) -> dict[int, slice]:
        """Where the elements of each input stand among those of all."""
        ends = np.cumsum([0, *map(self.size, self.wrt)]).tolist()
        return {i: slice(*ends[k : k + 2]) for k, i in enumerate(self.wrt)}

    @cached_property
    def rows(self) -> Rows:
        """The passes for all directions."""
        nodes = self.graph.nodes
        types = {self.names[i]: nodes[i].type for i in self.wrt}
        wanted = [(self.second.deltas.get(i), nodes[i].type) for i in self.wrt]
        return Rows(self.second.graph, len(nodes), types, wanted)

    @cached_property
    def product(self) -> Continuation:
        """The pass for one vector."""
        wanted = (self.second.deltas[i] for i in self.wrt if i in self.second.deltas)
        return Continuation(self.second.graph, len(self.graph.nodes), wanted)

    @cached_property
    def compressed(self) -> _Compressed | None:
        """The passes for directions that are put together, where there are such."""
        return _compressed(self)


class _Compressed(NamedTuple):
    """Passes for colours of directions, and where what they give stands in the matrix."""

    rows: Rows
    whole: Array
    """The elements whose rows and columns are full: each is a direction by itself."""
    places: tuple[Array, Array]
    """Rows and columns of the others' elements that may be other than zero."""
    mirrored: Array
    """The number of each of these places with row and column exchanged."""

    def matrix(self, values: Sequence[Any]) -> Array | None:
        """The Hessian, None where a second derivative is not finite."""
        made = self.rows(values)
        if not all_finite(made):
            return None
        (rows, columns), colour, whole = self.places, self.rows.colours.of, self.whole
        matrix = np.zeros((made.shape[1], made.shape[1]))
        found = made[colour[rows], columns]
        matrix[rows, columns] = _mean(found, found[self.mirrored])
        if len(whole):
            full = made[colour[whole]]
            full[:, whole] = _mean(full[:, whole], full[:, whole].T)
            matrix[whole] = full
            matrix[:, whole] = full.T
        return matrix


def _mean(one: Array, other: Array) -> Array:
    """The mean of the two halves of a matrix, which differ by rounding."""
    same = one == other
    return one if same.all() else np.where(same, one, one / 2 + other / 2)


def _compressed(made: Twice) -> _Compressed | None:
    """What depends on few elements each, with what depends on all of them beside it."""
    total = sum(map(made.size, made.wrt))
    if total < LEAST:
        return None
    held = [i for i in made.wrt if i in made.first.deltas]
    found = patterns(made.first.graph, made.wrt, [made.first.deltas[i] for i in held])
    rows, columns, first = list[Array](), list[Array](), 0
    whole: list[int] = []
    for i in made.wrt:
        pattern = (
            found[made.first.deltas[i]] if i in held else np.zeros((made.size(i), 0), dtype=int)
        )
        if pattern is None:
            whole += range(first, first + made.size(i))
        else:
            own, others = pairs(pattern)
            rows.append(own + first)
            columns.append(others)
        first += made.size(i)
    if 2 * len(whole) >= total:
        return None
    row, column = np.concatenate(rows), np.concatenate(columns)
    full = np.zeros(total, dtype=bool)
    full[whole] = True
    kept = ~full[column]
    both = row[kept] * total + column[kept], column[kept] * total + row[kept]
    places = np.unique(np.concatenate(both))
    row, column = places // total, places % total
    colours = coloured(row, column, total, whole)
    if colours is None:
        return None
    mirrored = np.searchsorted(places, column * total + row)
    rows_of = made.rows.with_colours(colours)
    return _Compressed(rows_of, np.array(whole, dtype=int), (row, column), mirrored)


def twice(graph: Graph, wrt: Sequence[int], values: Sequence[Any]) -> Twice:
    """Differentiate a graph twice by these inputs; `values` are those of its nodes."""
    first = adjoint(graph, wrt, values=values)
    names = {i: f"direction {i}" for i in wrt}
    seeds = {names[i]: first.deltas[i] for i in wrt if i in first.deltas}
    second = adjoint(first.graph, wrt, upstream=seeds, values=values)
    return Twice(graph, tuple(wrt), first, second, names)


def hessian_matrix(made: Twice, values: Sequence[Any], *, allow_nonfinite: bool = False) -> Array:
    """All second derivatives as one matrix, the elements of the inputs in their order.

    `values` are those of the nodes of the first graph. The two halves are made separately and
    differ by rounding; the result is their mean. Raises `GradcliError` (edge, domain, overflow)
    where a second derivative is not finite, unless `allow_nonfinite`.
    """
    if made.compressed is not None:
        matrix = made.compressed.matrix(values)
        if matrix is not None:
            return matrix
    whole = made.rows(values)
    if not allow_nonfinite and not all_finite(whole):
        bad = int(np.argwhere(~np.isfinite(whole))[0][0])
        _refuse(made, values, _unit(made.graph, made.wrt, made.names, bad))
    with np.errstate(all="ignore"):
        return _mean(whole, whole.T)


def hessian_product(
    made: Twice,
    values: Sequence[Any],
    vector: Mapping[int, Any],
    *,
    allow_nonfinite: bool = False,
) -> dict[int, Array]:
    """Hessian times vector, without the matrix: for every input a value of its shape.

    Raises `GradcliError` as `hessian_matrix` does.
    """
    nodes = made.graph.nodes
    given = {made.names[i]: vector[i] for i in made.wrt}
    found = iter(made.product.run(values, given))
    shaped = {}
    for i in made.wrt:
        value = next(found) if i in made.second.deltas else np.float64(0.0)
        shape = nodes[i].type.shape
        shaped[i] = value if value.shape == shape else np.broadcast_to(value, shape)[()]
    if not allow_nonfinite and not all(map(all_finite, shaped.values())):
        _refuse(made, values, given)
    return shaped


def _unit(graph: Graph, wrt: Sequence[int], names: Mapping[int, str], place: int) -> dict[str, Any]:
    """The vector with a 1 at one place of all elements."""
    found: dict[str, Any] = {}
    for i in wrt:
        part = np.zeros(graph.nodes[i].type.size)
        if 0 <= place < part.size:
            part[place] = 1.0
        place -= part.size
        found[names[i]] = part.reshape(graph.nodes[i].type.shape)[()]
    return found


# --- as a result -------------------------------------------------------------------------


def make(
    ready: Executable,
    result: Result,
    wrt: Sequence[int],
    vector: Any,
    upstream: Any,
    *,
    check: str,
    budget: float,
    exact: bool,
    allow_nonfinite: bool,
    seed: int,
) -> Hessian:
    """The Hessian at the point of a result, or its product with a vector, with the check."""
    if upstream is None:
        _expect_one_element(result.graph)
    given = None if vector is None else _as_vector(result.graph, wrt, vector)
    differentiated = subject(ready, result, upstream)
    graph, values = differentiated.graph, differentiated.values
    made = differentiated.kept(("twice", *wrt), lambda: twice(graph, wrt, values))
    if not allow_nonfinite:
        refuse_corners(graph, values, wrt, made.corners)
    places = made.places
    total = places[wrt[-1]].stop if wrt else 0
    blocks: dict[tuple[int, int | None], Array] = {}
    if given is None:
        hint = "--wrt leaves inputs out; --vector gives the product with a vector"
        refuse_too_large("Hessian", total, total, hint)
        matrix = hessian_matrix(made, values, allow_nonfinite=allow_nonfinite)
        blocks = {(i, j): matrix[places[i], places[j]] for i in wrt for j in wrt}
    else:
        product = hessian_product(made, values, given, allow_nonfinite=allow_nonfinite)
        blocks = {(i, None): np.reshape(product[i], (-1, 1)) for i in wrt}
    checks: dict[tuple[int, int | None], Found] = {}
    if check != "none" and wrt:
        checks = _checks(
            made,
            values,
            wrt,
            given,
            blocks,
            every_element=check == "all",
            budget=budget,
            exact=exact,
            seed=seed,
        )
    nodes = graph.nodes
    found = tuple(
        Block(
            nodes[i].name,
            "v" if j is None else nodes[j].name,
            nodes[i].type,
            Type(()) if j is None else nodes[j].type,
            value,
        ).told(checks.get((i, j)))
        for (i, j), value in blocks.items()
    )
    parts = None if given is None else {nodes[i].name: given[i] for i in wrt}
    return Hessian(result, found, objective(result, upstream), parts)


def _checks(
    made: Twice,
    values: Sequence[Any],
    wrt: Sequence[int],
    vector: Mapping[int, Any] | None,
    blocks: Mapping[tuple[int, int | None], Array],
    *,
    budget: float,
    **options: Any,
) -> dict[tuple[int, int | None], Found]:
    """The gradient is a program: its slopes against the blocks, column by column.

    The gradient itself is checked too: a Hessian of a wrong gradient is not the function's,
    and where the function has a kink, there is none.
    """
    from gradcli.check.blocks import Target, check_blocks, worse  # noqa: PLC0415

    graph, deltas = made.first.graph, made.first.deltas
    known = continued(graph, values, {}, range(len(graph.nodes)))
    held = [i for i in wrt if i in deltas]
    columns: list[int | None] = [*held]
    targets = []
    if vector is None:
        targets = [Target({deltas[j]: None}, {i: blocks[i, j] for i in wrt}) for j in held]
    elif held:
        weights: dict[int, Any] = {}
        for i in held:
            weights[deltas[i]] = weights.get(deltas[i], 0.0) + vector[i]
        columns = [None]
        targets = [Target(weights, {i: blocks[i, None] for i in wrt})]
    checked = check_blocks(graph, known, targets, budget=budget, **options)
    pairs = zip(columns, checked, strict=bool(targets))
    found = {(i, j): there for j, rows in pairs for i, there in rows.items()}
    gradient = {
        i: np.reshape(known[deltas[i]] if i in deltas else np.zeros(made.size(i)), (-1, 1))
        for i in wrt
    }
    target = Target({made.graph.output: None}, gradient)
    (first,) = check_blocks(made.graph, values, [target], budget=budget / 3, **options)
    for i, j in blocks:
        if i not in held or (j is not None and j not in held):
            found[i, j] = Found(Check(Verdict.ZERO), "zero", None)
        for of in dict.fromkeys((i, i if j is None else j)):
            if of in first and first[of].check.verdict not in (Verdict.PASS, Verdict.ZERO):
                words = f"the gradient with respect to {graph.nodes[of].name}: {first[of].words}"
                own = Found(first[of].check, words, None, first[of].complete)
                found[i, j] = worse(found.get((i, j), own), own)
    return found


def _expect_one_element(graph: Graph) -> None:
    output = graph.nodes[graph.output]
    if output.type.size != 1:
        raise GradcliError(
            Kind.SHAPE,
            f"the output {output.name} is {output.type}: a Hessian is of a number",
            source=graph.source,
            span=output.span,
            hint="sum(…) or ||…||^2 makes one; --upstream weighs its elements; "
            "'gradcli jacobian' takes every output",
        )


def _as_vector(graph: Graph, wrt: Sequence[int], vector: Any) -> dict[int, Any]:
    """The vector's part for every input, 0 where there is none."""
    names = {graph.nodes[i].name: i for i in wrt}
    if not isinstance(vector, Mapping):
        if not names:
            raise GradcliError(Kind.BINDING, "there is no input that a vector could be for")
        if len(names) != 1:
            raise GradcliError(
                Kind.BINDING,
                f"the vector needs a part for each of several inputs: {', '.join(names)}",
                hint="name them: --vector " + " --vector ".join(f"{n}=…" for n in names),
            )
        vector = {next(iter(names)): vector}
    found = {i: np.zeros(graph.nodes[i].type.shape)[()] for i in wrt}
    for name, value in vector.items():
        if name not in names:
            listed = f"the inputs are {', '.join(names)}" if names else "there are no inputs"
            raise GradcliError(
                Kind.BINDING,
                f"the vector has a part for '{name}', which is not differentiated by",
                hint=did_you_mean(name, names) or listed,
            )
        given, target = to_value(name, value), graph.nodes[names[name]].type
        if np.shape(given) != target.shape:
            raise GradcliError(
                Kind.SHAPE,
                f"the vector's part for '{name}' is {Type(np.shape(given))}, the input {target}",
                hint="each part has its input's shape",
            )
        if not all_finite(given):
            raise GradcliError(Kind.BINDING, f"the vector's part for '{name}' is not finite")
        found[names[name]] = given
    return found


# --- where there is no second derivative -------------------------------------------------


def _refuse(made: Twice, values: Sequence[Any], given: Mapping[str, Any]) -> None:
    """Raise at the first value behind the gradient that is not finite with finite operands."""
    whole = made.second.graph
    found = continued(whole, values, given, made.second.deltas.values())
    for node in whole.nodes[len(made.graph.nodes) :]:
        value = found[node.id]
        if value is None or node.kernel is None or all_finite(np.asarray(value)):
            continue
        arguments = operand_values(node, found)
        mask = selected(node, found)
        bad = ~np.isfinite(value)
        if mask is not None and not (bad & mask).any():
            continue
        if all(map(all_finite, map(np.asarray, arguments))):
            raise _error(made.graph, values, node, arguments, np.asarray(value))


def _error(
    graph: Graph, values: Sequence[Any], node: Node, arguments: list[Any], value: Array
) -> GradcliError:
    """The error of a second derivative that is not finite, at the operation whose rule it is in."""
    owner = next(
        (
            n
            for n in graph.nodes
            if n.operation is not None and (n.span, n.symbol_span) == (node.span, node.symbol_span)
        ),
        node,
    )
    assert node.kernel is not None
    flags = floating_point_flags(node.kernel, arguments)
    written = written_text(graph, owner)
    where = ""
    if owner is not node and owner.type.shape == node.type.shape:
        place = tuple(np.argwhere(~np.isfinite(np.broadcast_to(value, node.type.shape)))[0])
        where = describe_operands(graph, owner, operand_values(owner, values), place)
    if flags == {"overflow"}:
        kind, what = Kind.OVERFLOW, "overflows"
    elif np.isnan(value).any():
        kind, what = Kind.EDGE, "does not exist"
    else:
        kind, what = Kind.EDGE, "is infinite"
    return GradcliError(
        kind,
        f"the second derivative of {written} {what}{where}",
        source=graph.source,
        span=owner.span,
        hint="--wrt leaves an input out, --allow-nonfinite computes on",
    )
