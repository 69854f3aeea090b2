"""The two passes written out as Python functions, for a graph that is run again and again.

The loops of `forward` and `backward` look up at every node what to call, and on what. A graph, or
the plan of its backward pass, comes in here and a function goes out that calls the same kernels on
the same operands in the same order: the same numbers to the last bit, at half of Python's share
of the time. To write and compile it takes as long as some twenty runs of the loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.backward import Contribution, Plan, Send, reduce_to
from gradcli.draft import Operand
from gradcli.graph import Graph

LONGEST = 200
"""Characters of a call inside a call: Python can't read hundreds of brackets in brackets."""


class _Text:
    """The lines of a function, and the objects that its names stand for."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.objects: dict[str, Any] = {}
        self._names: dict[int, str] = {}

    def name(self, value: Any) -> str:
        """A name for an object."""
        if id(value) not in self._names:
            self._names[id(value)] = f"k{len(self.objects)}"
            self.objects[self._names[id(value)]] = value
        return self._names[id(value)]

    def add(self, line: str) -> None:
        """Put a line behind the others."""
        self.lines.append(f"    {line}\n")

    def function(self, parameters: str, result: str) -> Callable[..., Any]:
        """The lines as a function."""
        text = f"def run({parameters}):\n{''.join(self.lines)}    return {result}\n"
        scope = dict(self.objects)
        exec(text, scope)  # noqa: S102 - names that are made here, nothing of the user's
        made: Callable[..., Any] = scope["run"]
        return made


def forward_line(graph: Graph) -> Callable[..., list[Any]]:
    """A function from the inputs' values, in order, to the values of all nodes."""
    text = _Text()
    for node in graph.nodes:
        operands = ", ".join(_value(text, o) for o in node.operands)
        if node.kernel is not None:
            text.add(f"v{node.id} = {text.name(node.kernel)}({operands})")
            if not node.type.shape:
                number = text.name(np.float64)
                text.add(f"if type(v{node.id}) is not {number}: v{node.id} = {number}(v{node.id})")
        elif node.operands:
            text.add(f"v{node.id} = {operands}")
    inputs = ", ".join(f"v{i}" for i in graph.inputs)
    return text.function(inputs, f"[{_all('v', graph)}]")


def backward_line(graph: Graph, plan: Plan) -> Callable[..., Any]:
    """A function from all values and δ_output to the accumulators and the contributions."""
    text = _Text()
    new, row = text.name(tuple.__new__), text.name(Contribution)
    text.add(f"{_all('v', graph)}, = values[:{len(graph.nodes)}]")
    made = {graph.output} if plan.active[graph.output] else set()
    rows: list[str] = []
    for node, _, sends in plan.steps:
        for send in sends:
            sent = total = f"s{len(rows)}"
            text.add(f"{sent} = {_sent(text, graph, node, send)}")
            if send.mask is not None:
                text.add(f"{sent} = {text.name(send.mask)}({sent}, values)")
            shape = graph.nodes[node].type.shape if send.elementwise else send.rule.type.shape
            if shape != send.shape:
                text.add(f"{sent} = {text.name(reduce_to)}({sent}, {text.name(send.shape)})")
            if send.to in made:
                total = f"t{len(rows)}"
                text.add(f"{total} = d{send.to} + {sent}")
            text.add(f"d{send.to} = {total}")
            made.add(send.to)
            line = f"{node}, {send.operand}, {send.to}, {sent}, {total}, {send.final}"
            rows.append(f"{new}({row}, ({line}))")
    deltas = ", ".join(f"d{n.id}" if n.id in made else "None" for n in graph.nodes)
    return text.function(f"values, d{graph.output}", f"[{deltas}], [{', '.join(rows)}]")


def _sent(text: _Text, graph: Graph, node: int, send: Send) -> str:
    """What an operation sends to an operand, as an expression."""
    delta, rule = f"d{node}", send.rule
    if send.elementwise and rule.constant is not None:
        return delta if rule.constant == 1 else f"{delta} * {text.name(rule.constant)}"
    given = [*(_value(text, o) for o in graph.nodes[node].operands), f"v{node}", delta]
    slots = [given[i] for i in rule.picks] if rule.picks is not None else given[: rule.names]
    slots += [text.name(c) for c in rule.constants]
    uses = Counter(i for _, places in rule.calls for i in places)
    for kernel, places in rule.calls:
        call = f"{text.name(kernel)}({', '.join(slots[i] for i in places)})"
        if uses[len(slots)] > 1 or len(call) > LONGEST:
            name = f"r{len(slots)}"
            text.add(f"{name} = {call}")
            call = name
        slots.append(call)
    result = slots[rule.place]
    return f"{delta} * {result}" if send.elementwise else result


def _value(text: _Text, operand: Operand) -> str:
    return f"v{operand}" if isinstance(operand, int) else text.name(operand.value)


def _all(letter: str, graph: Graph) -> str:
    return ", ".join(f"{letter}{node.id}" for node in graph.nodes)
