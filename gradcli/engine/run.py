"""A graph made ready to run: the passes as a Program takes them, and what is kept between runs.

A graph comes in, and for every run its inputs' values and δ_output; values, accumulators and
contributions go out, or the error of the first operation at fault. The plan of the backward pass
is made once. A graph that is run often gets its passes as functions (`compiled`). The function of
both passes gives up where anything is not finite: the loops of `forward` and `backward` then find
the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.gc_pause import collector_paused
from gradcli.engine.backward import run_plan
from gradcli.engine.forward import Values, all_finite, forward
from gradcli.engine.plan import Contribution, Plan, plan_of
from gradcli.engine.rules import Rules
from gradcli.graph.graph import Graph
from gradcli.graph.resolve import chosen_inputs

Made = TypeVar("Made")

RUNS = 10
"""A graph that has run more often than this is likely to run again: its passes are compiled."""
MOST_KEPT = 16
"""The most objects derived from a graph, such as its adjoint, that are kept."""
MOST_NODES = 1_000
"""In larger graphs the loop takes a small share of the time, and compiling takes long."""


class Passes(NamedTuple):
    """What a Result is made of; an accumulator is None for nodes the backward pass leaves out."""

    values: tuple[Any, ...]
    accumulators: tuple[Any, ...]
    contributions: Sequence[Contribution] = ()


class Often:
    """How often a pass has run, and the pass as a function once that is often."""

    __slots__ = ("line", "runs")

    def __init__(self) -> None:
        self.runs = 0
        self.line: Callable[..., Any] | None = None

    def next(self, write: Callable[..., Callable[..., Any]], graph: Graph, *more: Any) -> Any:
        """The function for the next run, or None for the loop; `write` makes it, once."""
        self.runs += 1
        if self.line is None and self.runs > RUNS and len(graph.nodes) <= MOST_NODES:
            self.line = write(graph, *more)
        return self.line


class Executable:
    """A graph, and what its runs have in common: the plan, and the passes as functions."""

    __slots__ = ("_active", "_kept", "both_passes", "forward_pass", "graph", "plan", "rules")

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.rules = Rules(graph)
        """The rules that the plan is made of."""
        self.plan: Plan | None = None
        """The plan of the last backward pass, None before the first."""
        self.forward_pass, self.both_passes = Often(), Often()
        self._active: tuple[tuple[str, ...] | None, list[bool]] | None = None
        self._kept: dict[Any, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process starts from the graph."""
        return Executable, (self.graph,)

    def active(self, wrt: tuple[str, ...] | None) -> list[bool]:
        """`active_nodes` of the graph, the same list as long as the same inputs are asked for."""
        if self._active is None or self._active[0] != wrt:
            self._active = wrt, active_nodes(self.graph, wrt)
        return self._active[1]

    def kept(self, key: Any, make: Callable[[], Made]) -> Made:
        """What `make` has made of the graph for this key before, or makes now."""
        found: Made | None = self._kept.pop(key, None)
        if found is None:
            found = make()
            for oldest in [*self._kept][: 1 - MOST_KEPT]:
                self._kept.pop(oldest, None)
        self._kept[key] = found  # behind those that were asked for before
        return found

    def values(self, inputs: Mapping[str, Any], *, allow_nonfinite: bool = False) -> Values:
        """Every node's value. Raises `GradcliError` as `forward` does."""
        line = self.forward_pass.next(_written_forward, self.graph)
        return forward(self.graph, inputs, allow_nonfinite=allow_nonfinite, compiled=line)

    def forward(self, inputs: Mapping[str, Any], *, allow_nonfinite: bool) -> Passes:
        """The values, without a backward pass. Raises `GradcliError` as `both` does."""
        with collector_paused():
            values = self._finite_values(inputs, allow_nonfinite=allow_nonfinite)
            return Passes(tuple(values), (None,) * len(values))

    def both(
        self,
        inputs: Mapping[str, Any],
        active: Sequence[bool],
        upstream: Any,
        *,
        allow_nonfinite: bool,
    ) -> Passes:
        """Values, and the accumulators of the `active` nodes, starting from δ_output = `upstream`.

        Raises `GradcliError`: binding for an input, and domain, overflow, singular, edge for the
        first operation, that is not finite, unless `allow_nonfinite`.
        """
        graph, plan = self.graph, self._plan_of(active)
        line = self.both_passes.next(_written_both, graph, plan)
        if line is not None and len(inputs) == len(graph.inputs):
            given = [inputs[name] for name in graph.input_numbers]
            with np.errstate(all="ignore"):
                made = line(*given, upstream)
            if made is not None:
                return Passes(*made)
        with collector_paused():
            values = self._finite_values(inputs, allow_nonfinite=allow_nonfinite)
            passed = run_plan(graph, plan, values, upstream, allow_nonfinite=allow_nonfinite)
            return Passes(tuple(values), tuple(passed.accumulators), tuple(passed.contributions))

    def _plan_of(self, active: Sequence[bool]) -> Plan:
        plan = self.plan
        if plan is None or not (plan.active is active or plan.active == active):
            self.plan = plan = plan_of(self.graph, active, self.rules)
            self.both_passes = Often()
        return plan

    def _finite_values(self, inputs: Mapping[str, Any], *, allow_nonfinite: bool) -> Values:
        """The values; an infinite constant can reach the output without an operation failing."""
        values = self.values(inputs, allow_nonfinite=allow_nonfinite)
        output = self.graph.nodes[self.graph.output]
        if allow_nonfinite or all_finite(values[output.id]):
            return values
        raise GradcliError(
            Kind.DOMAIN,
            f"the output {output.name} is not finite",
            source=self.graph.source,
            span=output.span,
            hint="--allow-nonfinite prints it",
        )


def active_nodes(graph: Graph, wrt: Iterable[str] | None) -> list[bool]:
    """Which nodes get an accumulator: those that depend on one of these inputs (None: on any).

    Raises `GradcliError` of kind name for a name that is no input.
    """
    numbers = graph.input_numbers
    return graph.dependent({numbers[name] for name in chosen_inputs(wrt, numbers)})


def _written_both(graph: Graph, plan: Plan) -> Callable[..., Any]:
    from gradcli.engine.compiled import both_line  # noqa: PLC0415 - most graphs run once

    return both_line(graph, plan)


def _written_forward(graph: Graph) -> Callable[..., Values]:
    from gradcli.engine.compiled import forward_line  # noqa: PLC0415 - most graphs run once

    return forward_line(graph)
