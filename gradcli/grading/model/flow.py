"""A flow: the computation on which accumulators are judged, and which variable sends what to which.

In come stages in evaluation order, with the values of all variables: those of the student's own
forward pass where there is one, else the task's graph. A name that was given twice is two
variables. Out goes the answer to what marking asks (`passes`): given some accumulators as they were
handed in, what should every other one be that follows from them?
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcli.grading.model.stage import Part, Stage, of_node
from gradcli.results.result import Result

Key = str
"""A variable: its name, with `#2` behind it for the second value of that name, and so on."""


@dataclass(frozen=True)
class Flow:
    """Stages in order, and the values of all variables."""

    stages: dict[Key, Stage]
    """In evaluation order; the inputs have none."""
    values: Mapping[Key, Any]
    output: Key
    own: bool
    """The student's own computation, not the task's."""
    names: Mapping[Key, str] = field(default_factory=dict)
    """What a variable is called, where that is not its key."""
    statements: Mapping[Key, Key] = field(default_factory=dict)
    """Of an operation without a name of its own: the variable whose statement it is in."""

    def name(self, key: Key) -> str:
        """What a variable is called."""
        return self.names.get(key, key)

    @cached_property
    def reached(self) -> frozenset[Key]:
        """The variables that the output depends on, itself included."""
        found = {self.output}
        for key in reversed(self.stages):
            if key in found:
                found.update(self.stages[key].reads)
        return frozenset(found)

    @cached_property
    def consumers(self) -> Mapping[Key, tuple[Key, ...]]:
        """For every variable on the way to the output, those that are made of it, last first."""
        found: dict[Key, list[Key]] = {key: [] for key in self.reached}
        for key in reversed(self.stages):
            if key in self.reached:
                for read in self.stages[key].reads:
                    found[read].append(key)
        return {key: tuple(of) for key, of in found.items()}

    @cached_property
    def summed_over(self) -> Mapping[Key, tuple[float, ...]]:
        """How many elements are added up in one, in sums and means between here and the output."""
        found: dict[Key, tuple[float, ...]] = {}
        for key in (*reversed(self.stages), *self.values):
            above = self.consumers.get(key, ())
            sizes = [n for c in above for n in (*self.stages[c].reductions(), *found[c])]
            found.setdefault(key, tuple(dict.fromkeys(sizes)))
        return found

    @cached_property
    def tied(self) -> tuple[Key, ...]:
        """The stages with an operation that is at a kink."""
        return tuple(key for key, values in self.inner.items() if self.stages[key].is_tied(values))

    @cached_property
    def inner(self) -> Mapping[Key, list[Any]]:
        """The values inside of every stage."""
        return {
            key: stage.values([self.values[read] for read in stage.reads])
            for key, stage in self.stages.items()
            if key in self.reached
        }

    def sent(
        self, consumer: Key, upstream: Any, side: int = 0, values: Sequence[Any] | None = None
    ) -> dict[Key, list[Part]]:
        """What a variable's operation sends to each of the variables that it was made of.

        `values` are those inside its stage, where they are others than the flow's.
        """
        found: dict[Key, list[Part]] = {}
        values = self.inner[consumer] if values is None else values
        for part in self.stages[consumer].backward(values, upstream, side).sent:
            found.setdefault(part.read, []).append(part._replace(consumer=consumer))
        return found

    def passes(
        self, given: Mapping[Key, Any], *, side: int | Mapping[Key, int] = 0
    ) -> tuple[dict[Key, Any], dict[Key, list[Part]]]:
        """The accumulators that follow from the given ones, and the parts that they add up.

        A given accumulator is what is passed on; that of the output is 1 unless it is given. `side`
        is that of kinks, for all stages or for each.
        """
        follows: dict[Key, Any] = {self.output: np.ones(np.shape(self.values[self.output]))[()]}
        parts: dict[Key, list[Part]] = {}
        for key in reversed(self.stages):
            if key not in follows:
                continue
            upstream = given.get(key, follows[key])
            here = side if isinstance(side, int) else side.get(key, 0)
            for read, sent in self.sent(key, upstream, side=here).items():
                parts.setdefault(read, []).extend(sent)
                for part in sent:
                    before = follows.get(read)
                    follows[read] = part.value if before is None else before + part.value
        return follows, parts

    def senders(self, parts: Iterable[Part], sources: Collection[Key]) -> list[set[Key]]:
        """Which senders of parts `sources` may be: all operations of a statement, or one alone."""
        whole = {p.consumer for p in parts if self.statements.get(p.consumer) in sources}
        return [whole.union(sources), set(sources)]

    def with_values(self, values: Mapping[Key, Any]) -> Flow:
        """The same computation with some values as they were handed in.

        What follows from a value is computed from it, unless it is given as well.
        """
        known = dict(self.values)
        for key, stage in self.stages.items():
            if key in values:
                known[key] = values[key]
            elif any(r in values or known[r] is not self.values[r] for r in stage.reads):
                known[key] = stage.value([known[read] for read in stage.reads])
        return replace(self, values=known)


def of_result(result: Result) -> Flow:
    """The task's graph as a flow, a stage per operation."""
    graph = result.graph
    stages = {node.name: of_node(graph, node) for node in graph.nodes if node.operation is not None}
    values = {node.name: value for node, value in zip(graph.nodes, result.values, strict=True)}
    return Flow(stages, values, graph.nodes[graph.output].name, own=False)
