"""The two passes step by step, as they are written by hand: numbered steps, then lines.

A `Result` comes in. Out come the `Step`s of the forward pass and the `Move`s of the backward
pass, in its order: a move is one line `delta_u = …` or `delta_u += …`. Nothing is computed
here but the values of local derivatives; a formula is the tree of the rule that ran, with the
graph's names in it, and the numbers are those of the pass itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from gradcli.diagnostics.equality import by_value
from gradcli.engine.backward import local_derivative
from gradcli.engine.notation import NOWHERE, node_tree, option_tree, rule_tree
from gradcli.engine.plan import Contribution
from gradcli.graph.graph import Node, OperationNode
from gradcli.ops.operation import Shape
from gradcli.results.result import Result
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Call, Compare, Name, Operator, Tree


@by_value
class Step(NamedTuple):
    """A line of the forward pass."""

    number: int | None
    """(1) … (n); None for a constant, which no gradient reaches."""
    node: Node
    tree: Tree
    value: Any

    @property
    def expression(self) -> str:
        """What the node is: `sigmoid(y)`."""
        return print_tree(self.tree)


@by_value
class Move(NamedTuple):
    """A line of the backward pass: what step `step` sends from `node` to `to`."""

    step: int
    node: OperationNode
    to: Node
    local: Tree | None
    """The local derivative, where there is one: the upstream is multiplied by it."""
    rule: Tree | None
    """Else the backward rule, with `delta_<node>` in it."""
    formula: str
    """The right-hand side as it is written: `delta_e * (-1/d^2)`, `W2.T @ delta_z2`."""
    local_value: Any
    upstream: Any
    value: Any
    """What is sent: the contribution."""
    before: Any
    """The accumulator before it; None if this is the first contribution."""
    accumulator: Any
    final: bool
    """Every step that uses `to` has been backpropped."""
    paths: int
    """How many contributions `to` has got so far."""

    @property
    def assign(self) -> str:
        """`=` for the first contribution, `+=` for every later one."""
        return "=" if self.before is None else "+="

    @property
    def text(self) -> str:
        """The whole line: `delta_x += delta_b * 1`."""
        return f"delta_{self.to.name} {self.assign} {self.formula}"


class Sent(NamedTuple):
    """What a step sends to one of the nodes that it reads: the part of a `Move` that is its own."""

    local: Tree | None
    rule: Tree | None
    formula: str
    local_value: Any
    value: Any
    last: Contribution
    """The contribution, the last one where it is several."""


class Steps:
    """The passes of a result, operation by operation."""

    by = "operation"

    def __init__(self, result: Result) -> None:
        self.result, self.graph, self.rules = result, result.graph, result.rules

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        return hash(self.__reduce__())

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy works its formulas out again."""
        return type(self), (self.result,)

    @cached_property
    def shown(self) -> Sequence[Node]:
        """The nodes that a step computes, constants among them, in order."""
        return [node for node in self.graph.nodes if node.kind != "input"]

    @cached_property
    def numbers(self) -> dict[int, int]:
        """The number of every step, by the number of its node."""
        operations = (node.id for node in self.shown if node.kind == "operation")
        return {node: k for k, node in enumerate(operations, 1)}

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of every node by its name."""
        return {node.name: node.type.shape for node in self.graph.nodes}

    def steps(self) -> Iterator[Step]:
        """The forward pass, in order."""
        return map(self.step, self.shown)

    def step(self, node: Node) -> Step:
        """The step that computes a node."""
        value = self.result.values[node.id]
        return Step(self.numbers.get(node.id), node, self.tree(node), value)

    def tree(self, node: Node) -> Tree:
        """What a step computes."""
        return node_tree(self.graph, node)

    def members(self, node: Node) -> tuple[Node, ...]:
        """The operations that a step consists of."""
        return (node,)

    def moves(self) -> Iterator[Move]:
        """The backward pass line by line."""
        before: dict[int, Any] = {}
        paths: Counter[int] = Counter()
        for node, to, sent in self.sends():
            paths[to] += 1
            yield Move(
                step=self.numbers[node],
                node=self.graph.operation(node),
                to=self.graph.nodes[to],
                local=sent.local,
                rule=sent.rule,
                formula=sent.formula,
                local_value=sent.local_value,
                upstream=self.result.accumulators[node],
                value=sent.value,
                before=before.get(to),
                accumulator=sent.last.accumulator,
                final=sent.last.final,
                paths=paths[to],
            )
            before[to] = sent.last.accumulator

    def sends(self) -> Iterator[tuple[int, int, Sent]]:
        """What is sent in the backward pass, from which node to which."""
        for contribution in self.result.contributions:
            yield contribution.node, contribution.to, self.sent(contribution)

    def sent(self, c: Contribution) -> Sent:
        """What an operation sends to one of its operands."""
        node, shape = self.graph.operation(c.node), self.graph.nodes[c.to].type.shape
        tree = rule_tree(self.graph, node, c.operand)
        if node.operation.elementwise:
            text = product(None if self.starts(node) else f"delta_{node.name}", tree)
            text = reduced(text, node.type.shape, shape)
            local_value = local_derivative(self.rules, self.result.values, c)
            return Sent(tree, None, text, local_value, c.value, c)
        own = self.rules.of(node, c.operand).type.shape
        text = reduced(backward_rule(tree, f"delta_{node.name}"), own, shape)
        return Sent(None, tree, text, None, c.value, c)

    def starts(self, node: Node) -> bool:
        """Whether δ of a node is the 1 that the pass starts from, which is not written."""
        upstream = self.result.upstream
        return node.id == self.graph.output and np.ndim(upstream) == 0 and bool(upstream == 1)


# --- formulas ----------------------------------------------------------------------------


def product(upstream: str | None, local: Tree) -> str:
    """Upstream times local derivative; without an upstream the local derivative alone."""
    text = print_tree(local, spaced=False)
    if upstream is None:
        return text
    loose = isinstance(local, Compare) or (
        isinstance(local, Operator) and local.symbol in {"+", "-"}
    )
    return f"{upstream} * ({text})" if loose or text.startswith("-") else f"{upstream} * {text}"


def backward_rule(tree: Tree, upstream: str) -> str:
    """A backward rule; upstream times something else is written as where operands are numbers."""
    match tree:
        case Operator(symbol="*") if isinstance(tree.operands[0], Name):
            if tree.operands[0].name == upstream:
                return product(upstream, tree.operands[1])
    return print_tree(tree, spaced=False)


def reduced(text: str, own: Shape, shape: Shape) -> str:
    """The text in a `sum` over the dimensions along which an operand was broadcast.

    It says what `plan.reduce_to` does.
    """
    return text if own == shape else print_tree(reduction(Name(text, NOWHERE), own, shape))


def reduction(tree: Tree, own: Shape, shape: Shape) -> Tree:
    """The tree in a `sum` down from its `own` shape to `shape`."""
    extra = len(own) - len(shape)
    if extra < 0:
        return tree
    if not shape:
        return _summed(tree, ()) if own else tree
    if extra:
        tree = _summed(tree, tuple(range(extra)))
    kept = tuple(i for i, n in enumerate(shape) if n == 1 and own[extra + i] != 1)
    return _summed(tree, kept, keep=True) if kept else tree


def _summed(tree: Tree, axes: tuple[int, ...], *, keep: bool = False) -> Tree:
    options: dict[str, Any] = {"axis": axes if len(axes) > 1 else axes[0]} if axes else {}
    if keep:
        options["keepdims"] = True
    arguments = (tree, *map(option_tree, options.values()))
    return Call("sum", arguments, tuple(options), NOWHERE, NOWHERE)


def factor_shapes(tree: Tree, shapes: Mapping[str, Shape]) -> tuple[Shape, Shape] | None:
    """The shapes of a matrix product's two factors; None for what is no product of names.

    `shapes` has those of the nodes; δ of a node has the node's.
    """
    if not (isinstance(tree, Operator) and tree.symbol == "@"):
        return None
    left, right = (_shape_of(factor, shapes) for factor in tree.operands)
    return None if left is None or right is None else (left, right)


def _shape_of(tree: Tree, shapes: Mapping[str, Shape]) -> Shape | None:
    if isinstance(tree, Name):
        found = shapes.get(tree.name)
        return shapes.get(tree.name.removeprefix("delta_")) if found is None else found
    if isinstance(tree, Operator) and tree.symbol == "T":
        shape = _shape_of(tree.operands[0], shapes)
        if shape is None or len(shape) > 2:
            return None
        return (1, *shape) if len(shape) == 1 else shape[::-1]
    return None
