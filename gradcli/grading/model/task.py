"""The task: what was set, with its true numbers.

A program and the values of its inputs come in; a `Task` goes out: the program evaluated once, which
gradients are asked for, and what each is worth.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Span
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.engine.backward import backward
from gradcli.grading.model.flow import Flow, of_result
from gradcli.grading.submission.types import Vocabulary
from gradcli.ops.operation import textbook_form
from gradcli.program import Program
from gradcli.results.result import Result
from gradcli.syntax.task_lines import TaskLines

LIBRARIES = frozenset(["np", "numpy", "math"])
"""Names that the call of a function may use beside those of the task."""


@dataclass(frozen=True)
class Task:
    """What was set: the program, its true values and accumulators, and the marks."""

    program: Program
    result: Result
    asked: tuple[str, ...]
    """The inputs whose gradients are asked for."""
    ask: str | None = None
    """`inputs` or `named`: whether the gradients of named nodes are asked for, too. None where it
    depends on what is handed in."""

    @cached_property
    def flow(self) -> Flow:
        """The task's own computation."""
        flow = of_result(self.result)
        named = {*self.named, flow.output} if self.named else set()
        statements: dict[str, str] = {}
        for key in reversed(flow.stages):
            consumers = flow.consumers.get(key, ())
            if named and key not in named and len(consumers) == 1:
                statements[key] = statements.get(consumers[0], consumers[0])
        return replace(flow, statements=statements)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The names that a submission can speak of."""
        graph = self.result.graph
        names = tuple(node.name for node in graph.nodes)
        inputs = tuple(graph.nodes[i].name for i in graph.inputs)
        return Vocabulary(inputs, names, self.output)

    @property
    def output(self) -> str:
        """The output's name."""
        graph = self.result.graph
        return graph.nodes[graph.output].name

    @property
    def title(self) -> str | None:
        """What the task is called."""
        return self.program.header.title

    @property
    def lines(self) -> TaskLines:
        """What the `#:` lines say of setting and marking it."""
        return self.program.header.task

    def wanted(self, mode: str) -> tuple[str, ...]:
        """The nodes whose gradients are asked for of a listing, of values or of gradients alone."""
        ask = self.ask or ("named" if mode == "values" else "inputs")
        return (*self.asked, *self.named) if ask == "named" else self.asked

    @cached_property
    def accumulators(self) -> Mapping[str, Any]:
        """The true ones, of the nodes that have any."""
        pairs = zip(self.result.graph.nodes, self.result.accumulators, strict=True)
        return {node.name: delta for node, delta in pairs if delta is not None}

    @cached_property
    def named(self) -> tuple[str, ...]:
        """The nodes that the task itself names, the output left out."""
        known = self.program.statements - {self.output}
        return tuple(name for name in self.accumulators if name in known)

    def marks(self, name: str) -> float:
        """What the gradient of a node is worth."""
        return float(self.program.header.marks.get(name, 1))

    def true(self, name: str) -> Any:
        """The true accumulator of a node; None where it has none."""
        return self.accumulators.get(name)


def make_task(
    program: Program,
    inputs: Mapping[str, Any] | None = None,
    *,
    data: Mapping[str, Any] | None = None,
    wrt: Iterable[str] | None = None,
    seed: int = 0,
    ask: str | None = None,
) -> Task:
    """Evaluate a program as a task.

    `wrt` are the inputs whose gradients are asked for; without it those of the `#: wrt` line, or
    all. `ask` is as in `Task`; without it that of the `#: ask` line. Raises `GradcliError` as
    `Program.evaluate` does, and of kind name or binding for a `#:` line that does not fit.
    """
    _expect_names(program)
    stated = program.header.task.wrt
    wanted = tuple(wrt) if wrt is not None else None if stated is None else tuple(stated)
    result = program.evaluate(inputs or {}, data=data, wrt=wanted, check=False, seed=seed)
    result = by_the_textbook(result)
    graph = result.graph
    _expect_fitting(program, [node.name for node in graph.nodes], result.inputs)
    inputs_ = tuple(graph.nodes[i].name for i in graph.inputs)
    asked = inputs_ if wanted is None else wanted
    return Task(program, result, asked, ask or program.header.task.ask)


def by_the_textbook(result: Result) -> Result:
    """The accumulators as the textbook's rules give them, which is what a submission computes.

    They differ where those rules lose digits: 1 - tanh(x)^2 is 0 from x = 19 on.
    """
    old = result.graph
    if not any(node.operation and node.operation.careful for node in old.nodes):
        return result
    nodes = (
        node._replace(operation=textbook_form(node.operation))
        if node.operation and node.operation.careful
        else node
        for node in old.nodes
    )
    graph = replace(old, nodes=tuple(nodes))
    wanted = {i for i in graph.inputs if result.accumulators[i] is not None}
    active = graph.dependent(wanted)
    try:
        passed = backward(graph, result.values, active, result.upstream)
    except GradcliError:  # 1/x^2 overflows where the form that runs doesn't
        return result
    accumulators, contributions = map(tuple, passed)
    return replace(result, graph=graph, accumulators=accumulators, contributions=contributions)


# --- what the `#:` lines speak of -----------------------------------------------------------


def _expect_names(program: Program) -> None:
    """Raise if a line names an input that the program does not have."""
    lines = program.header.task
    named: dict[str, Span] = {**(lines.wrt or {}), **lines.fixed, **lines.drawn}
    if not named:
        return
    inputs = program.inputs
    for name, place in named.items():
        if name not in inputs:
            raise _unknown(program, f"the task has no input '{name}'", name, place, inputs)


def _expect_fitting(program: Program, nodes: Collection[str], values: Mapping[str, Any]) -> None:
    """Raise if a line speaks of no node of the task, or has other values than the task's own."""
    lines = program.header.task
    for name, place in program.header.marked.items():  # the row that is meant would be worth 1
        if name not in nodes:
            what = f"there are marks for '{name}', and the task has no such row"
            raise _unknown(program, what, name, place, nodes, "its rows are")
    if lines.call is not None:
        for name, place in lines.call.reads.items():
            if name not in nodes and name not in LIBRARIES:
                what = f"the call reads '{name}', and the task has no such node"
                raise _unknown(program, what, name, place, nodes)
    for name, (low, high) in lines.ranges.items():
        value = np.asarray(values[name])
        if not np.all((low <= value) & (value <= high)):
            text = f"the task's own {name} is outside of its range, {low:g} to {high:g}"
            raise _misfit(program, text, lines.drawn[name])
    for name, choices in lines.values.items():
        if not np.all(np.isin(values[name], choices)):
            text = f"the task's own {name} isn't one of its values"
            raise _misfit(program, text, lines.drawn[name])


def _unknown(
    program: Program,
    message: str,
    name: str,
    place: Span,
    known: Collection[str],
    listed: str = "it has",
) -> GradcliError:
    hint = did_you_mean(name, known) or f"{listed} {', '.join(known)}"
    return GradcliError(Kind.NAME, message, source=program.source, span=place, hint=hint)


def _misfit(program: Program, message: str, place: Span) -> GradcliError:
    return GradcliError(
        Kind.BINDING, message, source=program.source, span=place,
        hint="its value, in a '#:' line or an option, has to be one that sheets may have",
    )  # fmt: skip
