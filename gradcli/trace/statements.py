"""The two passes statement by statement: `a = 1/(1 + exp(-y))` is one step, not four.

A `Result` and the names that the program gives come in. The operations of a statement become
one step; its local derivative is put together from the rules along the paths inside. Each
formula that is put together is computed and compared with what the backward pass has sent; a
statement whose formulas would be unreadably long, or that the language can't write down, stays
in single operations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.engine.formula import compile_formula
from gradcli.engine.notation import NOWHERE, node_tree, rule_tree, substitute
from gradcli.engine.plan import Contribution, reduce_to
from gradcli.engine.rules import Rules
from gradcli.formulas.tidy import tidied
from gradcli.graph.graph import Node, OperationNode
from gradcli.ops.operation import Type
from gradcli.results.result import Result
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import (
    Call,
    Name,
    Operator,
    Tree,
    postorder,
)
from gradcli.trace.simplify import ONE, plus, times
from gradcli.trace.steps import (
    Sent,
    Steps,
    backward_rule,
    product,
    reduced,
    reduction,
)

LONGEST = 200
"""A statement with a formula of more parts than this is shown operation by operation."""


class Whole(NamedTuple):
    """A statement as one step: what it computes, and what it sends where."""

    nodes: tuple[Node, ...]
    tree: Tree
    sent: dict[int, Sent]
    """By the number of the node that it is sent to."""


class StatementSteps(Steps):
    """The passes of a result, statement by statement.

    `names` are those that the program gives to its nodes.
    """

    by = "statement"

    def __init__(self, result: Result, names: frozenset[str]) -> None:
        super().__init__(result)
        self.names = names

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy works its formulas out again."""
        return type(self), (self.result, self.names)

    @cached_property
    def wholes(self) -> dict[int, Whole]:
        """The steps by the number of the node that they compute, in order."""
        found: dict[int, Whole] = {}
        for nodes in self._groups():
            whole = self._whole(nodes)
            for node in nodes if whole is None else nodes[-1:]:
                found[node.id] = whole or self._whole((node,)) or self._single(node)
        return found

    @cached_property
    def shown(self) -> Sequence[Node]:
        """The nodes that have a statement's value, in order."""
        return [whole.nodes[-1] for whole in self.wholes.values()]

    def tree(self, node: Node) -> Tree:
        """What the statement that computes a node is."""
        return self.wholes[node.id].tree

    def members(self, node: Node) -> tuple[Node, ...]:
        """The operations of the statement that computes a node."""
        return self.wholes[node.id].nodes

    def sends(self) -> Iterator[tuple[int, int, Sent]]:
        """What every statement sends to the nodes that it reads, in backward order."""
        for i, whole in reversed(self.wholes.items()):
            for to, sent in whole.sent.items():
                yield i, to, sent

    # --- what belongs together -----------------------------------------------------------

    def _groups(self) -> Iterator[tuple[Node, ...]]:
        """The nodes of each statement, in forward order."""
        waiting: list[Node] = []
        for node in self.graph.nodes:
            if node.kind == "input":
                continue
            waiting.append(node)
            if node.name in self.names or node.id == self.graph.output:
                yield tuple(waiting)
                waiting = []
        if waiting:
            yield tuple(waiting)

    def _reads_once(self, node: Node) -> bool:
        """Whether all operands of an operation are different nodes."""
        operands = [o for o in node.operands if isinstance(o, int)]
        return len(set(operands)) == len(operands)

    def _single(self, node: Node) -> Whole:
        """An operation with its own rules; they are added up where it reads a node twice."""
        found: dict[int, Sent] = {}
        once, delta = self._reads_once(node), Name(f"delta_{node.name}", NOWHERE)
        for contribution in self._contributions.get(node.id, []):
            sent = self.sent(contribution)
            if not once and sent.local is not None:
                sent = sent._replace(local=None, rule=times(delta, sent.local), local_value=None)
            if (earlier := found.get(contribution.to)) is not None:
                assert sent.rule is not None
                sent = sent._replace(
                    rule=plus(earlier.rule, sent.rule),
                    formula=f"{earlier.formula} + {sent.formula}",
                    value=earlier.value + sent.value,
                )
            found[contribution.to] = sent
        return Whole((node,), node_tree(self.graph, node), found)

    @cached_property
    def _contributions(self) -> dict[int, list[Contribution]]:
        found: dict[int, list[Contribution]] = {}
        for sent in self.result.contributions:
            found.setdefault(sent.node, []).append(sent)
        return found

    def _whole(self, nodes: tuple[Node, ...]) -> Whole | None:
        """The statement as one step; None if it can't be one."""
        if len(nodes) == 1 and self._reads_once(nodes[0]):
            return self._single(nodes[0])
        inside = {node.id for node in nodes[:-1]}
        consumers = self.graph.consumers
        if any(not inside.issuperset(set(consumers[i]) - {nodes[-1].id}) for i in inside):
            return None
        try:
            composed = Composed(self.rules, nodes)
            with np.errstate(all="ignore"):
                sent = {to: self._sent(composed, to) for to in self._read(composed)}
        except (TooLongError, GradcliError, ValueError):
            return None
        complete = {to: one for to, one in sent.items() if one is not None}
        return Whole(nodes, composed.trees[nodes[-1].id], complete) if all(sent.values()) else None

    def _read(self, composed: Composed) -> list[int]:
        """The nodes outside that a statement sends something to, in the order of its text."""
        sent = {s.to for n in composed.nodes for s in self._contributions.get(n.id, ())}
        written = postorder(composed.trees[composed.nodes[-1].id])
        places: dict[str, int] = {}
        for k, part in enumerate(written):
            if isinstance(part, Name):
                places.setdefault(part.name, k)
        reads = [o for o in composed.reads if o in sent]
        return sorted(reads, key=lambda o: places.get(self.graph.nodes[o].name, 0))

    def _sent(self, composed: Composed, to: int) -> Sent | None:
        """What is sent to a node; None if the formula's value is not what was sent."""
        nodes = composed.nodes
        sends = [
            s for n in reversed(nodes) for s in self._contributions.get(n.id, ()) if s.to == to
        ]
        value = sends[0].value
        for more in sends[1:]:
            value = value + more.value
        last, node, shape = sends[-1], nodes[-1], self.graph.nodes[to].type.shape
        upstream = self.result.accumulators[node.id]
        whole = composed.sent[to]
        if not composed.elementwise and self.starts(node) and not node.type.shape:
            whole = substitute(whole, {f"delta_{node.name}": ONE})
        for tree in (tidied(whole, self._types(composed)), whole):
            if composed.elementwise:
                local_value = self._computed(tree, composed)
                found = reduce_to(np.asarray(upstream * local_value), shape)
                text = product(None if self.starts(node) else f"delta_{node.name}", tree)
                text = reduced(text, node.type.shape, shape)
                sent = Sent(tree, None, text, local_value, value, last)
            else:
                found = np.broadcast_to(self._computed(tree, composed), shape)
                text = backward_rule(tree, f"delta_{node.name}")
                sent = Sent(None, tree, text, None, value, last)
            if np.allclose(found, value, rtol=1e-9, atol=0, equal_nan=True) or _tiny(
                found - value, value
            ):
                return sent
        return None

    def _types(self, composed: Composed) -> dict[str, Type]:
        """The types of all names that may stand in the formulas of a statement."""
        last = composed.nodes[-1]
        read = (self.graph.nodes[i] for i in sorted({*composed.reads, last.id}))
        return {f"delta_{last.name}": last.type} | {node.name: node.type for node in read}

    def _computed(self, tree: Tree, composed: Composed) -> Any:
        """The value of a formula over the nodes that a statement reads, its own, and its δ."""
        nodes, result = self.graph.nodes, self.result
        node = composed.nodes[-1]
        read = {part.name for part in postorder(tree) if isinstance(part, Name)}
        given: dict[str, tuple[Type, Any]] = {
            n.name: (n.type, result.values[n.id])
            for n in (*(nodes[i] for i in composed.reads), node)
            if n.name in read
        }
        if f"delta_{node.name}" in read:
            given[f"delta_{node.name}"] = node.type, result.accumulators[node.id]
        types = tuple(t for t, _ in given.values())
        # A name of a program in Python (`h[2]`) is none of the language.
        words = {name: f"v{i}" for i, name in enumerate(given)}
        tree = substitute(tree, {name: Name(word, NOWHERE) for name, word in words.items()})
        formula = compile_formula(print_tree(tree), tuple(words.values()), types, {})
        return formula([value for _, value in given.values()])


def _tiny(difference: Any, value: Any) -> bool:
    """Whether two arrays differ by rounding alone, measured by their largest element."""
    size = np.max(np.abs(value), initial=0.0)
    return bool(np.max(np.abs(difference), initial=0.0) <= 1e-9 * size)


class TooLongError(Exception):
    """A formula has more than `LONGEST` parts."""


class Composed:
    """The formulas of a statement, each made of those of its operations."""

    def __init__(self, rules: Rules, nodes: tuple[Node, ...]) -> None:
        self.rules, self.graph, self.nodes = rules, rules.graph, nodes
        self.inside = {node.id: node for node in nodes}
        operands = (o for node in nodes for o in node.operands if isinstance(o, int))
        self.reads = [o for o in dict.fromkeys(operands) if o not in self.inside]
        self.elementwise = all(n.operation is None or n.operation.elementwise for n in nodes)
        self.trees: dict[int, Tree] = {}
        for node in nodes:
            self.trees[node.id] = self._inserted(node_tree(self.graph, node))

    def _inserted(self, tree: Tree) -> Tree:
        """A formula with the expressions of the nodes inside in the place of their names."""
        known = {self.inside[i].name: found for i, found in self.trees.items()}
        known.pop(self.nodes[-1].name, None)
        return limited(_tidy(substitute(tree, known)))

    @cached_property
    def sent(self) -> dict[int, Tree]:
        """What every node gets: ∂statement/∂node where all is elementwise, else with δ in it."""
        last = self.nodes[-1]
        start: Tree = ONE if self.elementwise else Name(f"delta_{last.name}", NOWHERE)
        found: dict[int, Tree] = {last.id: start}
        for node in reversed(self.nodes):
            if node.id not in found or node.operation is None:
                continue
            delta = found[node.id]
            for i, to in enumerate(node.operands):
                if isinstance(to, int):
                    sent = self._sent(node, i, to, delta)
                    found[to] = limited(plus(found.get(to), sent))
        return found

    def _sent(self, node: OperationNode, operand: int, to: int, delta: Tree) -> Tree:
        """What a node sends to an operand; of a rule with δ in it the sum is part of that."""
        rule, own = rule_tree(self.graph, node, operand), node.type.shape
        shape = self.graph.nodes[to].type.shape
        if node.operation.elementwise:
            sent = times(delta, self._inserted(rule))
        else:
            sent = self._inserted(substitute(rule, {f"delta_{node.name}": delta}))
            own = self.rules.of(node, operand).type.shape
        if self.elementwise:
            return sent
        if to in self.inside and len(own) < len(shape):
            ones = Call("ones_like", (self.trees[to],), (), NOWHERE, NOWHERE)
            sent = Operator("*", (sent, ones), NOWHERE, NOWHERE)
        return reduction(sent, own, shape)


def _tidy(tree: Tree) -> Tree:
    """`p/q` for the `p * (1/q)` that a quotient is made of."""
    if isinstance(tree, Operator) and tree.symbol == "*":
        right = tree.operands[1]
        if isinstance(right, Operator) and right.symbol == "/":
            return times(*tree.operands)
    return tree


def limited(tree: Tree) -> Tree:
    """The tree, if it is not too long. Raises `TooLongError`."""
    for count, _ in enumerate(postorder(tree)):
        if count > LONGEST:
            raise TooLongError
    return tree
