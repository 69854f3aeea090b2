"""Derivatives as one Python function of a program's inputs.

The nodes from the inputs to the derivatives come in, forward and backward pass among them, and
those that the passes would look at for what is not finite. The function gives up where there is
such a value: the passes then say which, and why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from gradcli.engine.compiled import OF_NUMBERS, Text, add_nodes, is_finite, operand_text
from gradcli.engine.forward import apply, operand_values
from gradcli.graph.draft import Operand, reached
from gradcli.graph.graph import Graph, Node, OperationNode
from gradcli.ops.operation import Array, Kernel, Shape, Type
from gradcli.ops.unbatched import unbatched
from gradcli.results.matrices import flat_rows

OF_FLOATS: Mapping[Kernel, str] = {**OF_NUMBERS, np.absolute: "abs({})", np.sqrt: "sqrt({})"}
"""On Python's floats; they take half the time of NumPy's numbers and give the same."""
MOST_TERMS = 50
"""Terms of a sum in one line: Python can't read sums without end."""
Line: TypeAlias = Callable[[Mapping[str, Any]], tuple[Array, Sequence[float]] | None]
"""From arrays by name to derivatives, and the elements of the arrays in order.

None where the passes are to find out what is not finite, or at a corner."""


class Pass:
    """The nodes from the inputs of a graph to those that are wanted, without what never changes.

    The inputs `batched` have a batch axis in front, and those `given` the same values at every run.
    """

    def __init__(
        self,
        graph: Graph,
        wanted: Sequence[int],
        batched: Collection[str] = (),
        given: Mapping[str, Any] | None = None,
    ) -> None:
        self.graph = graph
        self.constants = _constants(graph, graph.reaching(wanted), given or {})
        needed = graph.reaching(wanted, self.constants)
        inputs = graph.input_numbers
        self.varies = graph.dependent({i for name, i in inputs.items() if name in batched})
        nodes = [n for n in graph.nodes if needed[n.id] and n.id not in self.constants]
        self.nodes = [node for node in nodes if node.kind != "input"]
        self.inputs = {node.name: node.id for node in nodes if node.kind == "input"}


def _constants(graph: Graph, needed: Sequence[bool], given: Mapping[str, Any]) -> dict[int, Any]:
    """The values of the nodes that depend on no input but the `given`, as ones_like(x)."""
    found: list[Any] = [None] * len(graph.nodes)
    for node in graph.nodes:
        if not needed[node.id] or node.kind == "input":
            found[node.id] = given.get(node.name) if node.kind == "input" else None
            continue
        operation = node.operation
        if operation is not None and operation.constant is not None:
            found[node.id] = np.broadcast_to(operation.constant, node.type.shape)[()]
        elif all(not isinstance(o, int) or found[o] is not None for o in node.operands):
            operands = operand_values(node, found)
            with np.errstate(all="ignore"):
                value = operands[0] if node.operation is None else apply(graph, node, operands)
            found[node.id] = np.asarray(value)[()]
    return {i: value for i, value in enumerate(found) if value is not None}


def numbers_line(
    nodes: Sequence[Node],
    given: Sequence[tuple[str, Type, Sequence[Operand]]],
    wanted: Sequence[Operand],
    shape: Shape,
    watched: Sequence[Operand],
    ties: Sequence[tuple[Callable[..., Any], Sequence[Operand]]],
) -> Line:
    """A function on Python's floats: from the arrays `given` by name to an array of the `wanted`.

    The nodes are numbers. A tie says whether some of them are at a corner.
    """
    text = Text()
    text.objects["sqrt"] = math.sqrt
    for name, t, elements in given:
        read = f"given[{name!r}]{'.ravel()' if len(t.shape) > 1 else ''}.tolist()"
        left = ", ".join(f"v{i}" for i in elements)
        if elements:
            text.add(f"[{left}] = {read}" if t.shape else f"{left} = {read}")
    tied = [operand for _, operands in ties for operand in operands]
    needed = reached(nodes, [o for o in (*wanted, *watched, *tied) if isinstance(o, int)])
    for node in nodes:
        if needed[node.id] and node.operation is not None:
            text.add(f"v{node.id} = {_on_floats(text, node)}")
    for tie, operands in ties:
        numbers = ", ".join(f"{text.name(np.float64)}({_float(text, o)})" for o in operands)
        text.give_up_unless([f"not {text.name(tie)}({numbers})"])
    for k in range(0, len(watched), MOST_TERMS):  # a sum is finite only where its terms are
        terms = " + ".join(_float(text, o) for o in watched[k : k + MOST_TERMS])
        text.give_up_unless([f"{text.name(math.isfinite)}({terms})"])
    results = "".join(f"{_float(text, o)}, " for o in wanted)
    text.add(f"found = {text.name(np.array)}(({results}))")
    read = ", ".join(f"v{i}" for _, _, elements in given for i in elements)
    return _line(text, shape, f"[{read}]")


def arrays_line(
    run: Pass,
    inputs: Iterable[str],
    wanted: Iterable[tuple[int | None, Type]],
    watched: Iterable[int],
    ties: Iterable[tuple[Callable[..., Any], Sequence[Operand]]],
    *,
    count: int | None,
    symmetric: bool,
) -> Line:
    """A function on arrays: from those of a pass that starts from inputs to its derivatives.

    What varies has a batch of `count` directions in front; None is for one that is given.
    """
    text = Text()
    text.objects |= {f"v{i}": value for i, value in run.constants.items()}
    for name, i in run.inputs.items():
        text.add(f"v{i} = given[{name!r}]")
    add_nodes(text, run.graph, run.nodes, run.varies)
    ranks = {i: len(run.graph.nodes[i].type.shape) + run.varies[i] for i in watched}
    text.give_up_unless([is_finite(text, f"v{i}", rank) for i, rank in ranks.items()])
    for tie, operands in ties:
        numbers = ", ".join(operand_text(text, o) for o in operands)
        text.give_up_unless([f"not {text.name(np.any)}({text.name(tie)}({numbers}))"])
    zero = text.name(np.float64(0.0))
    values = [(zero if i is None else f"v{i}", t) for i, t in wanted]
    if count is None:
        parts = [f"{text.name(_flat)}({value}, {t.shape})" for value, t in values]
        text.add(f"found = {_joined(text, parts)}")
    else:
        parts = [f"{text.name(flat_rows)}({value}, {count}, {t.shape})" for value, t in values]
        text.add(f"found = {_joined(text, parts, axis=1)}")
    if symmetric:
        text.add("found = (found + found.T) * 0.5")
    read = [f"v{run.inputs[name]}.ravel()" for name in inputs]
    return _line(text, (-1,) if count is None else (count, -1), _joined(text, read))


def _joined(text: Text, parts: list[str], axis: int = 0) -> str:
    """A copy of arrays behind each other, as an expression."""
    if len(parts) == 1:  # in half the time
        return f"{parts[0]}.copy()"
    return f"{text.name(np.concatenate)}(({', '.join(parts)}), {axis})"


def _line(text: Text, shape: Shape, read: str) -> Line:
    """What has been written as a function, with what it `found` in this shape."""
    text.give_up_unless([is_finite(text, "found", 2)])
    run = text.function(["given"], f"found.reshape({shape}), {read}")

    def line(given: Mapping[str, Any]) -> tuple[Array, Sequence[float]] | None:
        try:
            with np.errstate(all="ignore"):
                found: tuple[Array, Sequence[float]] | None = run(given)
                return found
        except (ArithmeticError, ValueError):  # 1/0, and the root of -1
            return None

    return line


def is_call(node: Node) -> bool:
    """Whether an operation on numbers is a call of its kernel, not an operator of Python's."""
    if not isinstance(node, OperationNode):
        return False
    if not node.operation.elementwise and node.operation.few is None:
        return False
    return _by_operators(node, [_float(Text(), o) for o in node.operands]) is None


def _by_operators(node: OperationNode, operands: Sequence[str]) -> str | None:
    """What an operation on numbers computes by Python's operators; None where it is a call."""
    kernel = node.kernel
    if kernel is np.power and operands[1] == "2.0":
        return "{0} * {0}".format(*operands)
    if kernel in OF_FLOATS:
        return OF_FLOATS[kernel].format(*operands)
    return f"({node.operation.jit.format(*operands)})" if node.operation.is_comparison else None


def _on_floats(text: Text, node: OperationNode) -> str:
    """What an operation on numbers computes, as an expression; of other kernels made a float."""
    operands, kernel = [_float(text, o) for o in node.operands], node.kernel
    found = _by_operators(node, operands)
    if found is not None:
        return found
    if not node.operation.elementwise:  # a line of few numbers, or one of its results
        return f"{text.name(unbatched(kernel))}({', '.join(operands)})"
    if not isinstance(kernel, np.ufunc):
        operands = [f"{text.name(np.float64)}({o})" for o in operands]
    return f"float({text.name(kernel)}({', '.join(operands)}))"


def _float(text: Text, operand: Operand) -> str:
    if isinstance(operand, int):
        return f"v{operand}"
    value = float(operand.value)
    return repr(value) if math.isfinite(value) else text.name(value)


def _flat(value: Any, shape: Shape) -> Array:
    """The elements of an array of this shape, or of one that is broadcast to it."""
    whole = value if value.shape == shape else np.broadcast_to(value, shape)
    flat: Array = whole.ravel()
    return flat
