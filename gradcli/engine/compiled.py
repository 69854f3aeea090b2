"""The passes written out as one Python function, for a graph that is run again and again.

The loops of `forward` and `backward` look up at every node what to call, and on what. A graph and
the plan of its backward pass come in here and a function goes out that calls the same kernels on
the same operands in the same order: the same numbers to the last bit, at half of Python's share
of the time. To write and compile it takes as long as some twenty runs of the loops.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

from gradcli.engine.forward import align
from gradcli.engine.plan import (
    BELOW_1,
    Contributions,
    Plan,
    Send,
    reduce_to,
)
from gradcli.graph.draft import Operand
from gradcli.graph.graph import Graph, Node, OperationNode
from gradcli.ops.kernels import arrays
from gradcli.ops.kernels.elementwise import where
from gradcli.ops.operation import Kernel, Shape
from gradcli.ops.unbatched import unbatched

LONGEST = 200
"""Characters of a call inside a call: Python can't read hundreds of brackets in brackets."""


class Text:
    """The lines of a function, and the objects that its names stand for."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.objects: dict[str, Any] = {}
        self._names: dict[int, str] = {}

    def name(self, value: Any) -> str:
        """A name for an object; a number is made a float64, whose division by 0 raises nothing."""
        if id(value) not in self._names:
            self._names[id(value)] = f"k{len(self.objects)}"
            made = np.float64(value) if type(value) is float else value
            self.objects[self._names[id(value)]] = made
        return self._names[id(value)]

    def is_number(self, name: str, number: float | None = None) -> bool:
        """Whether a name stands for a float64, or for this one."""
        value = self.objects.get(name)
        return type(value) is np.float64 and number in (None, value)

    def add(self, line: str) -> None:
        """Put a line behind the others."""
        self.lines.append(f"    {line}\n")

    def give_up_unless(self, finite: list[str]) -> None:
        """A line that returns None unless all of these hold."""
        if finite:
            self.add(f"if not ({' and '.join(finite)}): return None")

    def function(self, parameters: list[str], result: str) -> Callable[..., Any]:
        """The lines as a function."""
        text = f"def run({', '.join(parameters)}):\n{''.join(self.lines)}    return {result}\n"
        scope = dict(self.objects)
        exec(text, scope)  # noqa: S102 - names that are made here, nothing of the user's
        made: Callable[..., Any] = scope["run"]
        return made


def forward_line(graph: Graph) -> Callable[..., list[Any]]:
    """A function from the inputs' values, in order, to the values of all nodes."""
    text = Text()
    add_nodes(text, graph, graph.nodes)
    return text.function(_inputs(graph), f"[{_all('v', graph)}]")


def both_line(graph: Graph, plan: Plan) -> Callable[..., Any]:
    """A function from the inputs' values and δ_output to values, accumulators, contributions.

    It returns None where something may not be finite.
    """
    text = Text()
    add_nodes(text, graph, graph.nodes)
    text.give_up_unless([_finite(text, graph, "v", i) for i in {*graph.watched, graph.output}])
    made, rows = _backward(text, graph, plan)
    text.give_up_unless([_finite_sent(text, graph, plan, i) for i in plan.watched if i in made])
    deltas = ", ".join(f"d{n.id}" if n.id in made else "None" for n in graph.nodes)
    fields = "".join(f"({line}), " for line in rows)
    result = f"({_all('v', graph)},), ({deltas},), {text.name(Contributions)}(({fields}))"
    return text.function([*_inputs(graph), f"d{graph.output}"], result)


def add_nodes(
    text: Text, graph: Graph, nodes: Iterable[Node], batched: Sequence[bool] | None = None
) -> None:
    """The lines that compute some nodes, v3 = kernel(v1, v2); the batched with an axis in front."""
    batched = batched or [False] * len(graph.nodes)
    for node in nodes:
        operands = [operand_text(text, o) for o in node.operands]
        if node.operation is None:
            if operands:
                text.add(f"v{node.id} = {operands[0]}")
            continue
        rank = len(node.type.shape)
        for k, o in enumerate(node.operands):
            if isinstance(o, int) and batched[o] and not node.aligned:
                own = len(graph.nodes[o].type.shape)
                if own < rank:
                    operands[k] = f"{text.name(align)}({operands[k]}, {own}, {rank})"
        _add_call(text, node, operands, batched=batched[node.id])


OF_NUMBERS: Mapping[Kernel, str] = {
    np.add: "({} + {})",
    np.subtract: "({} - {})",
    np.multiply: "({} * {})",
    np.divide: "({} / {})",
    np.negative: "(-{})",
    np.reciprocal: "(1.0 / {})",
    where: "({1} if {0} != 0.0 else {2})",
}
"""On numbers an operator is the same as the function, and takes a fifth of its time."""


def _call(text: Text, kernel: Kernel, operands: Sequence[str], *, numbers: bool) -> str:
    """A kernel applied to operands, as an expression; `numbers` says that they are float64."""
    square = kernel is np.power and text.is_number(operands[1], 2.0)
    if numbers and square and operands[0].isidentifier():
        return "({0} * {0})".format(*operands)
    if numbers and kernel in OF_NUMBERS:
        return OF_NUMBERS[kernel].format(*operands)
    if square:
        kernel, operands = np.square, operands[:1]
    if isinstance(kernel, np.ufunc):  # an array of no axes need not be made of a number each time
        operands = [
            text.name(np.asarray(text.objects[o])) if text.is_number(o) else o for o in operands
        ]
    return f"{text.name(kernel)}({', '.join(operands)})"


def _add_call(text: Text, node: OperationNode, operands: list[str], *, batched: bool) -> None:
    """The line that computes a node; a number is made a float64."""
    name, kernel = f"v{node.id}", node.kernel
    number = not node.type.shape and not batched
    if not batched:
        kernel = unbatched(kernel)
    numbers = number and node.operation.elementwise
    text.add(f"{name} = {_call(text, kernel, operands, numbers=numbers)}")
    exact = (numbers and isinstance(kernel, np.ufunc)) or isinstance(kernel, itemgetter)
    if number and not exact:
        kind = text.name(np.float64)
        text.add(f"if type({name}) is not {kind}: {name} = {kind}({name})")


def _backward(text: Text, graph: Graph, plan: Plan) -> tuple[set[int], list[str]]:
    """The backward pass; which nodes have an accumulator, and the contributions as text."""
    if any(send.mask is not None for _, _, sends in plan.steps for send in sends):
        text.add(f"values = [{_all('v', graph)}]")
    made = {graph.output} if plan.active[graph.output] else set()
    elements = _read_by_element(graph, plan)
    rows: list[str] = []
    for node, _, sends in plan.steps:
        for send in sends:
            if send.to in elements:
                elements[send.to].add(text, node, send)
                made.add(send.to)
                scattered = text.name(unbatched(send.rule.calls[0][0]))
                rows.append(
                    f"{node}, {send.operand}, {send.to}, d{node}, {scattered}, {send.final}"
                )
                continue
            sent = total = f"s{len(rows)}"
            text.add(f"{sent} = {_sent(text, graph, node, send)}")
            if send.mask is not None:
                text.add(f"{sent} = {text.name(send.mask)}({sent}, values)")
            shape = graph.nodes[node].type.shape if send.elementwise else send.rule.type.shape
            if shape != send.shape:
                text.add(f"{sent} = {_reduced(text, sent, shape, send.shape)}")
            if send.to in made:
                total = f"t{len(rows)}"
                text.add(f"{total} = d{send.to} + {sent}")
            text.add(f"d{send.to} = {total}")
            made.add(send.to)
            rows.append(f"{node}, {send.operand}, {send.to}, {sent}, {total}, {send.final}")
    return made, rows


class _Elements:
    """The accumulator of an array of few elements, each of which is read by itself.

    It is put together at the end instead of a sum of arrays that have one element each.
    """

    def __init__(self, to: int, shape: Shape) -> None:
        self.to, self.shape = to, shape
        self.sums: dict[tuple[int, ...], str] = dict.fromkeys(np.ndindex(shape), "")
        self.sends = 0

    def add(self, text: Text, node: int, send: Send) -> None:
        """One more contribution, in which all elements but one are 0."""
        place, total = _place(send), f"d{node}"
        if self.sums[place]:
            total = f"e{self.sends}_{self.to}"
            text.add(f"{total} = {self.sums[place]} + d{node}")
        self.sums[place] = total
        self.sends += 1
        if send.final:
            zero = " + 0.0" if self.sends > 1 else ""  # the others' zeros make 0 of -0
            totals = self.sums.values()
            parts = "".join(f"{total}{zero}, " if total else "0.0, " for total in totals)
            text.add(f"d{self.to} = {text.name(np.array)}(({parts}))")
            if len(self.shape) > 1:
                text.add(f"d{self.to} = d{self.to}.reshape({self.shape})")


MOST_APART = 4
"""An array is put together of elements that are no more than this for each contribution."""


def _read_by_element(graph: Graph, plan: Plan) -> dict[int, _Elements]:
    """The arrays that get single elements alone, and not much fewer of them than they have."""
    sends = [send for _, _, sends in plan.steps for send in sends]
    found = {
        to: _Elements(to, graph.nodes[to].type.shape)
        for to, count in Counter(send.to for send in sends).items()
        if 0 < graph.nodes[to].type.size <= MOST_APART * count
    }
    for send in sends:
        if send.mask is not None or _place(send) is None:
            found.pop(send.to, None)
    return found


def _place(send: Send) -> Any:
    """Where the upstream, a number, stands among zeros; None for any other contribution."""
    kernel = send.rule.calls[0][0] if len(send.rule.calls) == 1 else None
    if not isinstance(kernel, partial) or kernel.func is not arrays.scatter:
        return None
    return None if kernel.keywords["rank"] else kernel.keywords["at"]


def _reduced(text: Text, sent: str, own: Shape, shape: Shape) -> str:
    """What `reduce_to` does, without the search for how where only one axis is too many."""
    if own[1:] == shape:
        return f"{text.name(np.add.reduce)}({sent})"
    return f"{text.name(reduce_to)}({sent}, {text.name(shape)})"


# --- where numbers are not finite ----------------------------------------------------------


def is_finite(text: Text, name: str, rank: int) -> str:
    """Whether a value of this rank is finite; no where only its square overflows."""
    isfinite = text.name(math.isfinite)
    if rank == 0:
        return f"{isfinite}({name})"
    if rank == 1:  # the method takes half of the function's time
        return f"{isfinite}({name}.dot({name}))"
    return f"{isfinite}({text.name(np.vdot)}({name}, {name}))"


def _finite(text: Text, graph: Graph, letter: str, node: int) -> str:
    """Whether a value or an accumulator is finite."""
    return is_finite(text, f"{letter}{node}", len(graph.nodes[node].type.shape))


def _finite_sent(text: Text, graph: Graph, plan: Plan, node: int) -> str:
    """Whether an accumulator is finite: by its factors where they are smaller (`Plan.products`)."""
    if node not in plan.products:
        return _finite(text, graph, "d", node)
    value, delta, terms = plan.products[node]
    a, b, dot = f"v{value}", f"d{delta}", text.name(np.vdot)
    norms = f"{text.name(math.isfinite)}({dot}({a}, {a}) * squares)"
    return f"((squares := {dot}({b}, {b})) * {terms} < {BELOW_1} or {norms})"


# --- expressions ---------------------------------------------------------------------------


def _sent(text: Text, graph: Graph, node: int, send: Send) -> str:
    """What an operation sends to an operand, as an expression."""
    delta, rule = f"d{node}", send.rule
    if send.elementwise and rule.constant is not None:
        return delta if rule.constant == 1 else f"{delta} * {text.name(rule.constant)}"
    given = [*(operand_text(text, o) for o in graph.nodes[node].operands), f"v{node}", delta]
    slots = [given[i] for i in rule.picks] if rule.picks is not None else given[: rule.names]
    slots += [text.name(c) for c in rule.constants]
    uses = Counter(i for _, places in rule.calls for i in places)
    numbers = send.elementwise and not graph.nodes[node].type.shape
    for kernel, places in rule.calls:
        operands = [slots[i] for i in places]
        call = _call(text, unbatched(kernel), operands, numbers=numbers)
        if uses[len(slots)] > 1 or len(call) > LONGEST:
            name = f"r{len(slots)}"
            text.add(f"{name} = {call}")
            call = name
        slots.append(call)
    result = slots[rule.place]
    return f"{delta} * {result}" if send.elementwise else result


def _inputs(graph: Graph) -> list[str]:
    return [f"v{i}" for i in graph.inputs]


def operand_text(text: Text, operand: Operand) -> str:
    """The name of a node's value, or of a number."""
    return f"v{operand}" if isinstance(operand, int) else text.name(operand.value)


def _all(letter: str, graph: Graph) -> str:
    return ", ".join(f"{letter}{node.id}" for node in graph.nodes)
