"""Rows of the operation table applied to their samples."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from gradcli import ops
from gradcli.diagnostics.source import Source
from gradcli.engine.block import ENGINE
from gradcli.engine.formula import formula
from gradcli.engine.forward import apply, forward
from gradcli.engine.plan import reduce_to
from gradcli.graph.build import build
from gradcli.graph.draft import Literal
from gradcli.graph.graph import Graph, OperationNode
from gradcli.graph.lower import lower
from gradcli.graph.resolve import resolve
from gradcli.ops.operation import Operation, Site
from gradcli.syntax.parser import parse, parse_expression
from gradcli.syntax.tree import Call


class Application(NamedTuple):
    """One operation on values, as it stands in a graph."""

    graph: Graph
    node: OperationNode
    operands: list[Any]
    out: Any

    @property
    def row(self) -> Operation:
        return self.node.operation

    @property
    def site(self) -> Site:
        return self.graph.site(self.node)

    def value(self, operands: Sequence[Any]) -> Any:
        """The output for other values, which may have batch axes in front."""
        with np.errstate(all="ignore"):
            return apply(self.graph, self.node, list(operands))

    def gradient(self, delta: Any, site: Site | None = None) -> list[Any]:
        """δ of every operand for an upstream `delta`, by the row's rules."""
        site = site or self.site
        found = []
        for i, t in enumerate(site.types):
            rule = formula(self.row, site, i)
            given = [*self.operands, self.out]
            with np.errstate(all="ignore"):
                sent = (
                    rule(given) * delta if self.row.elementwise else rule([*given, np.copy(delta)])
                )
            found.append(reduce_to(np.asarray(sent), t.shape))
        return found


@cache
def applied(row: Operation, sample: str) -> Application:
    """A row on one of its samples, shared by all tests of a process: its arrays are read-only."""
    found = fresh(row, sample)
    for value in (*found.operands, found.out):
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return found


def fresh(row: Operation, sample: str) -> Application:
    """A row on one of its samples, in a graph of its own that has never run."""
    source = Source(_program(row, sample))
    graph = build(lower(resolve(parse(source)), frozenset(), engine=ENGINE), {})
    node = next(node for node in reversed(graph.nodes) if node.operation is row)
    values = forward(graph, {}, allow_nonfinite=True)
    operands = [o.value if isinstance(o, Literal) else values[o] for o in node.operands]
    return Application(graph, node, operands, values[node.id])


def _program(row: Operation, sample: str) -> str:
    """A program whose last operation of this kind is the row on its sample."""
    call = f"f({sample})"
    if row.name == "identity":
        return f"z = abs({sample}); y = z"
    if row.name in {"array", "index"}:
        return sample
    tree = parse_expression(Source(call))
    assert isinstance(tree, Call)
    for name in row.aliases:
        if ops.function(name, len(tree.arguments) - len(tree.keywords), tree.keywords) is row:
            return f"{name}({sample})"
    left, right = (call[a.span.start : a.span.end] for a in tree.arguments)
    return f"({left}) {row.symbol} ({right})"


def weights(shape: tuple[int, ...]) -> Any:
    """An upstream gradient in which no two elements are alike."""
    i = np.arange(np.prod(shape, dtype=int))
    return ((0.5 + 0.37 * i % 1) * np.where(i % 2, -1.0, 1.0)).reshape(shape)[()]


CASES = [(row, sample) for row in ops.TABLE for sample in row.samples]


def label(value: object) -> str:
    """A test's name: the row's name or the sample."""
    return value.name if isinstance(value, Operation) else str(value)
