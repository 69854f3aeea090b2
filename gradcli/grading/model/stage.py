"""A stage: one statement as one step, however many operations it has.

In comes a small graph over the names that the statement reads. It gives the statement's value, and
what the statement sends to each of these names: upstream × the local derivative of the whole
expression. The rules are those of the operation table, in the textbook's form, which has the digits
of a submission that computes it so. A rule may be exchanged, which is how a wrong derivative is
made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradcli.engine.formula import Formula, compile_formula, formula_names
from gradcli.engine.forward import operand_values
from gradcli.engine.plan import reduce_to
from gradcli.engine.rules import Rules
from gradcli.engine.run import Executable
from gradcli.graph.graph import Graph, OperationNode, input_like
from gradcli.ops.operation import Type

Place: TypeAlias = tuple[int, int]
"""An operand: the number of its operation in the stage, and which of the operands it is."""

KINK_STEP = 1e-9
"""How far beside a kink the derivative of one side is taken, relative to the operand."""


class Part(NamedTuple):
    """What one operation sends to a name that is read: one line of a backward pass."""

    read: str
    node: int
    """The operation inside the stage, and which of its operands."""
    operand: int
    value: Any
    raw: Any
    """Before it was summed over broadcast dimensions."""
    consumer: str = ""
    """The variable of the stage, where it is one of a flow."""


class Backward(NamedTuple):
    """One backward pass through a stage."""

    sent: list[Part]
    """What goes to the names that the stage reads."""
    received: Mapping[int, Mapping[Place, Any]]
    """For each operation inside, the contributions to its accumulator, by where they are from."""


class Stage:
    """One step of a computation: `reads` are the names that it depends on, in order."""

    def __init__(self, graph: Graph, reads: tuple[str, ...], line: int | None = None) -> None:
        self.graph, self.reads, self.line = graph, reads, line
        self._ready = Executable(graph)
        self._rules = Rules(graph, textbook=True)

    @property
    def type(self) -> Type:
        """The type of the value."""
        return self.graph.nodes[self.graph.output].type

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return self.type.shape

    def values(self, operands: Sequence[Any]) -> list[Any]:
        """The value of every node inside, from those of the names in `reads`."""
        names = (self.graph.nodes[i].name for i in range(len(self.reads)))
        return self._ready.values(dict(zip(names, operands, strict=True)), allow_nonfinite=True)

    def value(self, operands: Sequence[Any]) -> Any:
        """The stage's own value."""
        return self.values(operands)[self.graph.output]

    def backward(self, values: Sequence[Any], upstream: Any, side: int = 0) -> Backward:
        """One backward pass; `values` are those of `values`.

        `side` is -1 or 1 for the derivative on one side of every kink, 0 for the convention of the
        operation table.
        """
        output = self.graph.output
        if output < len(self.reads):
            return Backward([Part(self.reads[output], output, 0, upstream, upstream)], {})
        received: dict[int, dict[Place, Any]] = {output: {(-1, -1): upstream}}
        return Backward(self._below(values, output, {}, received, side), received)

    def altered(
        self, values: Sequence[Any], right: Backward, place: Place, formula: str
    ) -> list[Part]:
        """What another formula for one operand changes in what is sent to the names read.

        `right` is the backward pass without it: only what is below the operand is computed again.
        """
        return self._below(values, place[0], right.received, {}, alter=(place, formula))

    def _below(
        self,
        values: Sequence[Any],
        first: int,
        received: Mapping[int, Mapping[Place, Any]],
        changed: dict[int, dict[Place, Any]],
        side: int = 0,
        alter: tuple[Place, str] | None = None,
    ) -> list[Part]:
        """What the operation `first` and those below it send to the names read.

        `changed` takes the contributions to accumulators, those in `received` are there before. Of
        an altered operation only the operand with another formula is gone through.
        """
        nodes, sent = self.graph.nodes, list[Part]()
        waiting, seen = [-first], {first}  # largest number first
        with np.errstate(all="ignore"):
            while waiting:
                node = nodes[-heappop(waiting)]
                parts = {**received.get(node.id, {}), **changed.get(node.id, {})}
                if not parts or node.operation is None:
                    continue
                delta = added(parts.values())
                given = _beside_kinks(node, [*operand_values(node, values), values[node.id]], side)
                for i, to in enumerate(node.operands):
                    if not isinstance(to, int) or not nodes[to].carries:
                        continue
                    if alter is None or node.id != first:
                        rule = self._rules.of(node, i)
                    elif alter[0] == (first, i):
                        rule = _altered(self.graph, node, alter[1])
                    else:
                        continue
                    raw = _sent(node, rule, given, delta)
                    value = reduce_to(np.asarray(raw), nodes[to].type.shape)
                    if to < len(self.reads):
                        sent.append(Part(self.reads[to], node.id, i, value, raw))
                        continue
                    changed.setdefault(to, {})[node.id, i] = value
                    if to not in seen:
                        seen.add(to)
                        heappush(waiting, -to)
        return sent

    def is_tied(self, values: Sequence[Any]) -> bool:
        """Whether an elementwise operation is at a kink. `values` are those of `values`."""
        return any(
            node.operation.elementwise
            and node.operation.tie is not None
            and bool(np.any(node.operation.tie(*operand_values(node, values))))
            for node in self.operations()
        )

    def reductions(self) -> tuple[float, ...]:
        """How many elements each sum or mean inside makes one of."""
        return tuple(
            self.graph.operand_type(node.operands[0]).size / max(1, node.type.size)
            for node in self.operations()
            if node.operation.is_reduction
        )

    @property
    def is_elementwise(self) -> bool:
        """Whether every operation inside is."""
        return all(node.operation.elementwise for node in self.operations())

    def operations(self) -> tuple[OperationNode, ...]:
        """The operations inside, in order."""
        return tuple(node for node in self.graph.nodes if node.operation is not None)


def added(values: Iterable[Any]) -> Any:
    """The sum of at least one value, from the left."""
    first, *rest = values
    for value in rest:
        first = first + value
    return first


def _sent(node: OperationNode, rule: Formula, given: list[Any], delta: Any) -> Any:
    """Upstream × local derivative, and zero wherever nothing comes from above."""
    if not node.operation.elementwise:
        return rule([*given, delta])
    return np.where(np.equal(delta, 0), 0.0, delta * rule(given))


def _altered(graph: Graph, node: OperationNode, text: str) -> Formula:
    site = graph.site(node)
    names = formula_names(node.operation, site)
    types = (*site.types, site.out, site.out)[: len(names)]
    return compile_formula(text, names, types, dict(site.options))


def _beside_kinks(node: OperationNode, given: list[Any], side: int) -> list[Any]:
    """Operands a little to one side of a kink, where they are on one."""
    operation = node.operation
    if not side or operation.tie is None or not operation.elementwise:
        return given
    first = np.asarray(given[0])
    tied = operation.tie(*given[:-1])
    if not np.any(tied):
        return given
    step = side * KINK_STEP * np.maximum(1.0, np.abs(first))
    moved = [np.where(tied, first + step, first), *given[1:-1]]
    return [*moved, node.kernel(*moved)]


# --- how stages are made -----------------------------------------------------------------


def of_node(graph: Graph, node: OperationNode) -> Stage:
    """One operation of a graph as a stage of its own."""
    reads = list(dict.fromkeys(o for o in node.operands if isinstance(o, int)))
    place = {o: i for i, o in enumerate(reads)}
    inputs = tuple(input_like(graph.nodes[o], i) for o, i in place.items())
    operands = tuple(place[o] if isinstance(o, int) else o for o in node.operands)
    own = node.moved(id=len(inputs), operands=operands, selections=())
    small = Graph(graph.source, (*inputs, own), own.id)
    return Stage(small, tuple(graph.nodes[o].name for o in reads))
