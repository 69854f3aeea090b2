"""The check of Jacobians and Hessians: every block against slopes of what it is the derivative of.

A column of a Jacobian is the gradient of one element of the output, and a column of a Hessian
that of one element of the gradient, which is a program too. So each is checked by what checks
gradients. Where there are many columns, sums of all with random weights are checked instead: a
wrong element almost never leaves them unchanged.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.check.jitter import uniform
from gradcli.check.rows import badness
from gradcli.check.run import check_gradients
from gradcli.check.wording import describe
from gradcli.engine.adjoint import weighted
from gradcli.engine.backward import backward
from gradcli.engine.plan import Backward
from gradcli.graph.graph import Graph
from gradcli.ops.operation import Array
from gradcli.results.matrices import Found, continued
from gradcli.results.result import Check, Verdict

FEW = 6
"""With more columns than this, sums of them are checked."""

SUMS = 3


class Target(NamedTuple):
    """A node whose elements are differentiated, and the matrix of it for every input."""

    nodes: Mapping[int, Any]
    """By node the weights of its elements in the one column that is checked; or, for one node
    alone, None: every element is a column."""
    blocks: Mapping[int, Array]
    """By input: a row per element of the input, a column per element of the node."""


def check_blocks(
    graph: Graph,
    values: Sequence[Any],
    targets: Sequence[Target],
    *,
    budget: float = 2.0,
    seed: int = 0,
    every_element: bool = False,
    **options: Any,
) -> list[dict[int, Found]]:
    """A verdict for every block of every target, as far as there was time.

    `values` are those of the graph's nodes, `options` and errors those of `check_gradients`.
    """
    end = time.perf_counter() + budget
    columns = [list(_columns(graph, t, seed, every_element=every_element)) for t in targets]
    left = sum(map(len, columns))
    found: list[dict[int, Found]] = []
    for target, weights in zip(targets, columns, strict=True):
        worst: dict[int, Found] = {}
        done = dict.fromkeys(target.blocks, 0)
        for k, (nodes, column) in enumerate(weights):
            now = time.perf_counter()
            if now > end and (k or found):
                break
            share = max((end - now) / left, 0.02 * budget)
            left -= 1
            gradients = {
                i: (b @ column).reshape(graph.nodes[i].type.shape)[()]
                for i, b in target.blocks.items()
            }
            more = {**options, "every_element": every_element, "budget": share, "seed": seed + k}
            checks = _column(graph, values, nodes, gradients, **more)
            place = int(np.argmax(column)) if np.count_nonzero(column) == 1 else None
            for i, check in checks.items():
                here = Found(check, describe(check, gradients[i]), place)
                worst[i] = worse(worst[i], here) if i in worst else here
                done[i] += "elements checked" not in check.reason
        count, blocks = len(weights), target.blocks
        found.append({i: _worded(h, done[i], count, blocks[i].shape[1]) for i, h in worst.items()})
    return found


def _worded(here: Found, done: int, count: int, columns: int) -> Found:
    """What was found of a block, with how much of it that speaks for: `done` of `count` checks."""
    if done < count:
        words = f"{here.words}; {done} of {count} columns checked in full"
        return here._replace(words=words, complete=False)
    if 1 < count < columns:
        return here._replace(words=f"{here.words}; {count} random sums of its columns")
    return here


def _columns(
    graph: Graph, target: Target, seed: int, *, every_element: bool
) -> list[tuple[dict[int, Any], Array]]:
    """What is checked of a target: weights of nodes, and the same as a vector of its columns."""
    ((node, given), *_) = target.nodes.items()
    if given is not None:
        return [(dict(target.nodes), np.ones(1))]
    t = graph.nodes[node].type
    if t.size <= FEW or every_element:
        vectors = list(np.eye(t.size))
    else:
        draws = (uniform(seed + 7 * k + 1, t.size) for k in range(SUMS))
        vectors = [np.where(d < 0, d - 0.5, d + 0.5) for d in draws]
    return [({node: v.reshape(t.shape)[()]}, v) for v in vectors]


def _column(
    graph: Graph,
    values: Sequence[Any],
    nodes: dict[int, Any],
    gradients: Mapping[int, Any],
    **options: Any,
) -> dict[int, Check]:
    """The checks of the gradients of one weighted sum, by input."""
    whole = weighted(graph, nodes)
    found = continued(whole, values, {}, range(len(whole.nodes)))
    active = whole.dependent(set(gradients))
    upstream = np.float64(1.0)
    passed = backward(whole, found, active, upstream, allow_nonfinite=True)
    accumulators: list[Any] = [None] * len(whole.nodes)
    for i, gradient in gradients.items():
        accumulators[i] = gradient
    checks = check_gradients(
        whole, found, Backward(accumulators, passed.contributions), active, upstream, **options
    )
    rows = {i: check for i, check in checks.rows.items() if i in gradients}
    for remark in checks.rules[:1]:
        rows = {i: c._replace(verdict=Verdict.FAIL, reason=remark) for i, c in rows.items()}
    return rows


def worse(a: Found, b: Found) -> Found:
    """What speaks for both."""
    return max(a, b, key=lambda found: badness(found.check))
