"""The Hessian of an output of one element, or its product with a vector, as a checked result.

`twice` makes the numbers. The gradient is a program, so the check of the Hessian is a check of the
gradient's slopes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from gradcli.derivatives.start import Subject, quick, result_at, subject
from gradcli.derivatives.twice import Twice, hessian_matrix, hessian_product, twice
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.engine.forward import all_finite
from gradcli.engine.inputs import FLOAT64, to_value
from gradcli.engine.run import Executable
from gradcli.engine.upstream import expect_one_element
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Array, Type
from gradcli.results.corners import refuse_corners
from gradcli.results.matrices import Block, Found, Hessian, continued, refuse_too_large
from gradcli.results.result import Check, Verdict


def make(
    program: str,
    ready: Executable,
    inputs: Mapping[str, Any],
    names: tuple[str, ...] | None,
    vector: Any,
    upstream: Any,
    check: Mapping[str, Any] | None,
    *,
    allow_nonfinite: bool,
) -> Hessian:
    """The Hessian at a point, or its product with a vector, with the check."""
    key = ("hessian", names, vector is None)
    known = quick(ready, inputs, upstream, *key, checked=check is not None)
    found: Hessian | None = known.made(inputs, vector)
    if found is not None:
        return found
    of = subject(program, ready, inputs, names, upstream, allow_nonfinite=allow_nonfinite)
    result, wrt, name, graph, values, *_ = of
    if upstream is None:
        expect_one_element(
            result.graph,
            "a Hessian is of a number",
            "sum(…) or ||…||^2 makes one; --upstream weighs its elements; "
            "'gradcli jacobian' takes every output",
        )
    given = None if vector is None else _as_vector(result.graph, wrt, vector)
    made = of.kept(("twice", *wrt), lambda: twice(graph, wrt, values))
    if made.corners and not allow_nonfinite:
        refuse_corners(graph, values, wrt, made.corners)
    if given is None:
        hint = "--wrt leaves inputs out; --vector gives the product with a vector"
        refuse_too_large("Hessian", made.total, made.total, hint)
        matrix = hessian_matrix(made, values, allow_nonfinite=allow_nonfinite)
    else:
        matrix = hessian_product(made, values, given, allow_nonfinite=allow_nonfinite)
    blocks, checks = _blocks(made, matrix), dict[tuple[int, int | None], Found]()
    if check is not None and wrt:
        checks = _checks(made, values, wrt, given, blocks, **check)
    known.ran(of, lambda: _again(of, made, along=vector is not None))
    return Hessian(result, _told(made, blocks, checks), name, _by_name(made, given))


def _blocks(made: Twice, matrix: Array) -> dict[tuple[int, int | None], Array]:
    """The matrix by inputs, the product with a vector in the blocks of one column."""
    places, wrt = made.places, made.wrt
    if matrix.ndim == 1:
        return {(i, None): matrix[places[i], None] for i in wrt}
    return {(i, j): matrix[places[i], places[j]] for i in wrt for j in wrt}


def _told(
    made: Twice,
    blocks: Mapping[tuple[int, int | None], Array],
    checks: Mapping[tuple[int, int | None], Found],
) -> tuple[Block, ...]:
    found = blocks.items()
    return tuple([Block(*made.headings[key], value).told(checks.get(key)) for key, value in found])


def _by_name(made: Twice, vector: Mapping[int, Any] | None) -> dict[str, Any] | None:
    return None if vector is None else {made.graph.nodes[i].name: vector[i] for i in made.wrt}


def _again(of: Subject, made: Twice, *, along: bool) -> Callable[..., Hessian | None] | None:
    """The Hessian, or its product with a vector, in short, at a point where it is like here."""
    line = made.line(along=along)
    if line is None:
        return None

    def again(inputs: Mapping[str, Any], vector: Any) -> Hessian | None:
        parts, given = None, inputs
        if along:
            try:
                parts = _as_vector(made.graph, made.wrt, vector)
            except GradcliError:  # one of the inputs comes before it
                return None
            given = {**inputs, **{made.names[i]: part for i, part in parts.items()}}
        found = line(given)
        if found is None:
            return None
        matrix, read = found
        return Hessian.later(
            {"matrix": matrix, "name": of.name, "vector": _by_name(made, parts)},
            result=lambda: result_at(of, inputs, read),
            blocks=lambda: _told(made, _blocks(made, matrix), {}),
        )

    return again


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
    own = _of_the_gradient(made, values, known, budget=budget / 3, **options)
    for i, j in blocks:
        if i not in held or (j is not None and j not in held):
            found[i, j] = Found(Check(Verdict.ZERO), "zero", None)
        for of in (of for of in dict.fromkeys((i, i if j is None else j)) if of in own):
            found[i, j] = worse(found.get((i, j), own[of]), own[of])
    return found


def _of_the_gradient(
    made: Twice, values: Sequence[Any], known: Sequence[Any], **options: Any
) -> dict[int, Found]:
    """What the check finds of the gradient, by input, where it is not right."""
    from gradcli.check.blocks import Target, check_blocks  # noqa: PLC0415

    graph, deltas = made.graph, made.first.deltas
    gradient = {
        i: np.reshape(known[deltas[i]] if i in deltas else np.zeros(made.size(i)), (-1, 1))
        for i in made.wrt
    }
    (found,) = check_blocks(graph, values, [Target({graph.output: None}, gradient)], **options)
    return {
        i: there._replace(
            words=f"the gradient with respect to {graph.nodes[i].name}: {there.words}", column=None
        )
        for i, there in found.items()
        if there.check.verdict not in (Verdict.PASS, Verdict.ZERO)
    }


def _as_vector(graph: Graph, wrt: Sequence[int], vector: Any) -> dict[int, Any]:
    """The vector's part for every input, 0 where there is none."""
    if type(vector) is np.ndarray and len(wrt) == 1:  # without a look at what else it may be
        fits = vector.dtype is FLOAT64 and vector.shape == graph.nodes[wrt[0]].type.shape
        if fits and isfinite(np.vdot(vector, vector)):
            return {wrt[0]: vector}
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
    found: dict[int, Any] = {}
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
    for i in wrt:
        if i not in found:
            found[i] = np.zeros(graph.nodes[i].type.shape)[()]
    return found
