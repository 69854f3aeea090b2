"""The backward pass as a graph: a `Graph` comes in, and a longer one comes out.

The first nodes of the longer graph are the given ones, with their numbers; behind them stands
what the backward pass computes, made of the same derivative formulas: each is spliced in where
`backward` would run it. The result is a graph like any other. Its values are a forward pass, a
batch of points goes through it as through a program, and its own adjoint is the second
derivative. All derivatives come from the formulas of the table.

What makes it shorter than the pass it stands for: a local derivative that is the number 1 is no
multiplication, one that its rule writes as 0 is no path, constants are worked out, and what two
formulas have in common is computed once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.diagnostics.gc_pause import collector_paused
from gradcli.engine.formula import Formula
from gradcli.engine.growing import ONE, ZERO, Growing, is_number
from gradcli.engine.guards import uneven
from gradcli.engine.rules import Rules
from gradcli.engine.upstream import expect_one_element
from gradcli.graph.draft import Literal, Operand, Selection
from gradcli.graph.graph import Graph, Node, OperationNode, input_like
from gradcli.ops.operation import Shape


class Adjoint(NamedTuple):
    """A graph with its backward pass behind it."""

    graph: Graph
    """The nodes of the given graph, with their numbers, and those of the backward pass."""
    deltas: dict[int, int]
    """For a node of the given graph the node that holds δ; where it is absent, δ is zero."""


def adjoint(
    graph: Graph,
    wrt: Collection[int] | None = None,
    *,
    upstream: str | Mapping[str, int] | None = None,
    values: Sequence[Any] | None = None,
    textbook: bool = False,
) -> Adjoint:
    """The graph with its backward pass, for the nodes that depend on `wrt` (default: the inputs).

    It starts from δ_output = 1. With `upstream`, it starts from a further input of this name and
    of the output's type; or, with a mapping of such names to nodes, from several nodes at once:
    the gradient of the sum of all upstream · node.

    Where an exact zero may meet an infinity (`guards`), the graph has a `where` that keeps it 0.
    `values` are those of the first nodes, as far as they are known; without them all nodes of the
    graph are taken to be finite. With `textbook` it is made of the rules in the form that reports
    show and without those `where`s, log(2) left as it is: to be written down, not to run.

    Raises `GradcliError` of kind shape where an output of several elements has no upstream.
    """
    active = graph.dependent(set(graph.inputs if wrt is None else wrt))
    with collector_paused():
        builder = _Builder(graph, values, textbook=textbook)
        sums = builder.accumulated(active, upstream)
        if builder.unguarded and not textbook:
            builder = _Builder(graph, values, guards=True)
            sums = builder.accumulated(active, upstream)
        deltas = {i: builder.as_node(d, graph.nodes[i]) for i, d in sums.items() if active[i]}
        return Adjoint(Graph(graph.source, tuple(builder.nodes), graph.output), deltas)


def weighted(graph: Graph, weights: Mapping[int, Any]) -> Graph:
    """The graph with a number for its output: the sum of weight · node over nodes and elements."""
    builder = Growing(graph)
    total: Operand | None = None
    for i, weight in weights.items():
        node = graph.nodes[i]
        part: Operand = i
        if not is_number(given := Literal(weight, "weights"), 1.0):
            part = builder.apply("mul", (i, given), node)
        if builder.type(part).shape:
            part = builder.apply("sum", (part,), node)
        total = part if total is None else builder.apply("add", (total, part), node)
    output = builder.as_node(ZERO if total is None else total, graph.nodes[graph.output])
    return Graph(graph.source, tuple(builder.nodes), output)


class _Builder(Growing):
    """The backward pass on a growing graph: what it sends where, and what it leaves out."""

    def __init__(
        self,
        graph: Graph,
        values: Sequence[Any] | None = None,
        *,
        guards: bool = False,
        textbook: bool = False,
    ) -> None:
        super().__init__(graph, values, fold=not textbook)
        self.rules = Rules(graph, textbook=textbook)
        self.guards = guards
        self.unguarded = False
        """Whether an exact zero may be multiplied by an infinity, without a guard."""
        self.reached: dict[int, Operand | None] = {}
        """Which elements of a node receive a contribution, as a mask; None for all of them."""
        self.masks: dict[Any, Operand] = {}
        self.unevens: dict[Shape, Literal] = {}
        self.scalar_selections: dict[int, tuple[Selection, ...]] = {}

    # --- the steps of the pass ---

    def accumulated(
        self, active: Sequence[bool], upstream: str | Mapping[str, int] | None
    ) -> dict[int, Operand]:
        """Every δ: a loop down the graph."""
        sums = self.seeds(upstream)
        self.reached = dict.fromkeys(sums)
        for node in reversed(self.graph.nodes):
            delta = sums.get(node.id)
            if delta is None or node.operation is None or not active[node.id]:
                continue
            for i, to in enumerate(node.operands):
                if isinstance(to, int) and active[to]:
                    sent = self.contribution(node, i, delta)
                    if sent is not None:
                        before = sums.get(to)
                        sums[to] = sent if before is None else self.plus(before, sent, node)
        return sums

    def seeds(self, upstream: str | Mapping[str, int] | None) -> dict[int, Operand]:
        """Where the pass starts: δ by node."""
        output = self.graph.nodes[self.graph.output]
        if upstream is not None:
            named = {upstream: output.id} if isinstance(upstream, str) else upstream
            sums: dict[int, Operand] = {}
            for name, i in named.items():
                seed, node = self.input(name, self.graph.nodes[i]), self.graph.nodes[i]
                sums[i] = self.plus(sums[i], seed, node) if i in sums else seed
            return sums
        expect_one_element(self.graph, "a backward pass starts from a number")
        return {output.id: self.fit(ONE, output.type, output)}

    def input(self, name: str, like: Node) -> int:
        """A further input of a node's type."""
        return self.add(input_like(like, len(self.nodes), name), may_fail=False)

    def contribution(self, node: OperationNode, operand: int, delta: Operand) -> Operand | None:
        """What an operation sends to its operand; None for zero."""
        rule = self.rules.of(node, operand)
        to = node.operands[operand]
        assert isinstance(to, int)
        target = self.graph.nodes[to].type
        given: list[Operand] = [*node.operands, node.id]
        counts = self.reached[node.id]
        if not node.operation.elementwise:
            sent = self.splice(rule, [*given, delta], node, self.as_one(node))
            if counts is not None or node.operation.selects:
                counts = self.reached_through(rule, given, counts, node)
        else:
            number = None if rule.constant is None else Literal(np.float64(rule.constant), "")
            local = number or self.splice(rule, given, node, node.selections)
            if is_number(local, 0.0) and (number or node.operation.selects):
                return None
            sent = self.times(delta, local, node)
            if node.operation.selects and isinstance(local, int):
                counts = self.both(counts, self.is_not_zero(local, node), node)
            if isinstance(local, Literal):
                self.reach(to, counts, node)
                return self.fit(sent, target, node)
        if node.operation.elementwise or not rule.moves:  # what moves exact zeros leaves them 0
            sent = self.guarded(sent, counts, node)
        self.reach(to, counts, node)
        if node.selections and not isinstance(sent, Literal):
            mask = self.mask(node)
            sent = self.apply("where", (mask, sent, ZERO), node)
        return self.fit(sent, target, node)

    # --- exact zeros ---

    def guarded(self, sent: Operand, counts: Operand | None, node: Node) -> Operand:
        """A contribution, with 0 in place of an exact zero times a factor that may be infinite."""
        if counts is None or isinstance(sent, Literal) or not self.may_fail[sent]:
            return sent
        self.unguarded = not self.guards
        return self.apply("where", (counts, sent, ZERO), node) if self.guards else sent

    def reach(self, to: int, counts: Operand | None, node: Node) -> None:
        """Note which elements of an operand something was sent to."""
        if counts is not None:
            if self.guards:
                counts = self.any_over_broadcast(counts, self.graph.nodes[to].type.shape, node)
            if to in self.reached:
                before = self.reached[to]
                counts = None if before is None else self.either(before, counts, node)
        self.reached[to] = counts

    def both(self, a: Operand | None, b: Operand, node: Node) -> Operand:
        return b if a is None or not self.guards else self.apply("mul", (a, b), node)

    def either(self, a: Operand, b: Operand, node: Node) -> Operand:
        return self.apply("maximum", (a, b), node) if self.guards else a

    def is_not_zero(self, operand: Operand, node: Node) -> Operand:
        if not self.guards:  # that something is left out is all there is to know
            return ONE
        if isinstance(operand, int):
            operation = self.nodes[operand].operation
            if operation is not None and operation.is_comparison:
                return operand
        return self.apply("not_equal", (operand, ZERO), node)

    def reached_through(
        self, rule: Formula, given: Sequence[Operand], counts: Operand | None, node: OperationNode
    ) -> Operand:
        """What `guards.reached_through` says, in the graph."""
        if not self.guards:
            return ONE
        counts = self.fit(counts or ONE, node.type, node)
        operands = [*given, counts]
        first, second, _ = rule.factors() or (0, 0, 0)
        if first != second:
            other = min(first, second)
            operands[other] = Literal(np.ones(self.type(given[other]).shape), "1")
        elif not (node.operation.selects or rule.moves):
            return self.any(counts, node)
        elif rule.cancels():
            operands[-1] = self.apply("mul", (counts, self.uneven(node.type.shape)), node)
        return self.is_not_zero(self.splice(rule, operands, node, ()), node)

    def uneven(self, shape: Shape) -> Literal:
        """`guards.uneven`, one array for each shape: equal masks are one node."""
        if shape not in self.unevens:
            self.unevens[shape] = Literal(uneven(shape), "uneven")
        return self.unevens[shape]

    # --- what a `where` leaves out ---

    def mask(self, node: OperationNode) -> Operand:
        """1 where a node is selected; one number for an operation on whole arrays."""
        elementwise, shape = node.operation.elementwise, node.type.shape
        key = (tuple(map(id, node.selections)), shape, elementwise)
        if key not in self.masks:
            mask: Operand = ONE
            for selection in node.selections:
                test = "not_equal" if selection.chosen else "equal"
                part = self.apply(test, (selection.condition, ZERO), node)
                part = self.any_over_broadcast(part, shape, node)
                mask = part if is_number(mask, 1.0) else self.apply("mul", (mask, part), node)
            if not elementwise and self.type(mask).shape:
                mask = self.any(mask, node)
            self.masks[key] = mask
        return self.masks[key]

    def as_one(self, node: OperationNode) -> tuple[Selection, ...]:
        """The selections inside the rule of an operation on whole arrays: all of it or nothing."""
        if not node.selections:
            return ()
        if node.id not in self.scalar_selections:
            self.scalar_selections[node.id] = (Selection(chosen=True, condition=self.mask(node)),)
        return self.scalar_selections[node.id]
