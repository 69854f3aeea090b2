"""The graph: nodes in evaluation order, each with its shape and the kernel that computes it.

A node is an input, a constant or an operation. Its number is its place in evaluation order, so
that the forward pass is a loop up and the backward pass a loop down. `build` makes the graph of a
program; a graph that is made of another has nodes with no `origin`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np

from gradcli.diagnostics.equality import same_fields
from gradcli.diagnostics.source import Source, Span
from gradcli.graph.draft import Literal, Operand, Selection, reached
from gradcli.ops.operation import Kernel, Operation, Shape, Site, Type, propagating

Class = TypeVar("Class", bound=type)

Getter: TypeAlias = Callable[[list[Any]], Sequence[Any]]
"""Takes an operation's operands out of a list of all values."""


class Origin(NamedTuple):
    """What a program's graph is made from: how a copy in another process is made."""

    make: Callable[[Origin], Graph]
    text: str
    name: str | None
    """The program's file."""
    output: str | None
    shapes: tuple[tuple[str, Shape], ...]
    """The inputs by name, each with its shape."""


def _in_a_graph(cls: Class) -> Class:
    """Compare nodes, and copy them to another process, by their number in a program's graph.

    Nodes of a graph that was made of another (`origin` is None) are compared field by field.
    """

    def equal(one: Node, other: object) -> bool:
        if one is other or type(one) is not type(other):
            return one is other
        if one.origin is None:
            return same_fields(one, other)
        return one.id == other.id and one.origin == other.origin

    def copied(node: Node) -> Any:
        if node.origin is None:
            return type(node), tuple(node)
        return _node_again, (node.origin, node.id)

    methods = {
        "__eq__": equal,
        "__ne__": lambda one, other: not equal(one, other),
        "__hash__": lambda node: hash((node.id, node.name)),
        "__reduce__": copied,
    }
    for name, method in methods.items():
        setattr(cls, name, method)
    return cls


def _node_again(origin: Origin, number: int) -> Node:
    return origin.make(origin).nodes[number]


class _Given:
    """What inputs and constants have in common: no operation computes them."""

    __slots__ = ()
    operation: None = None
    kernel: None = None
    selections: tuple[Selection, ...] = ()


class _InputFields(NamedTuple):
    id: int
    name: str
    type: Type
    span: Span
    symbol_span: Span
    origin: Origin | None = None


class _ConstantFields(NamedTuple):
    id: int
    name: str
    literal: Literal
    type: Type
    span: Span
    symbol_span: Span
    origin: Origin | None = None


@_in_a_graph
class InputNode(_Given, _InputFields):
    """A node whose value is given."""

    __slots__ = ()
    kind = "input"
    carries = True
    operands: tuple[Operand, ...] = ()


@_in_a_graph
class ConstantNode(_Given, _ConstantFields):
    """A literal that is a node of its own, because it is named, or the output."""

    __slots__ = ()
    kind = "constant"
    carries = False

    @property
    def operands(self) -> tuple[Operand, ...]:
        """The literal alone."""
        return (self.literal,)


@_in_a_graph
class OperationNode(NamedTuple):
    """An operation applied to nodes and literals, with its place in the text."""

    id: int
    name: str
    carries: bool
    """Whether the node depends on an input."""
    operation: Operation
    operands: tuple[Operand, ...]
    options: Mapping[str, Any]
    """As the rules see them: defaults filled in, axes counted from the front."""
    given: Mapping[str, Any]
    """As they were written."""
    type: Type
    kernel: Kernel
    aligned: bool
    """The kernel takes a batch as it is; else axes of length 1 must be put in first."""
    selections: tuple[Selection, ...]
    span: Span
    symbol_span: Span
    origin: Origin | None = None
    """Where its graph comes from; None in a graph that was made of another."""

    @property
    def kind(self) -> str:
        """The word for it in reports."""
        return "operation" if self.carries else "constant"

    def moved(self, **changes: Any) -> OperationNode:
        """The node in another graph, where these fields differ."""
        return self._replace(origin=None, **changes)


Node: TypeAlias = InputNode | ConstantNode | OperationNode
"""A row of the graph. `node.operation is None` tells inputs and constants from operations."""


def input_like(node: Node, number: int, name: str | None = None, of: Type | None = None) -> Node:
    """An input in a node's place in another graph, of its name and type unless given."""
    type_ = node.type if of is None else of
    return InputNode(number, name or node.name, type_, node.span, node.symbol_span)


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in evaluation order; never changed once it is made."""

    source: Source
    nodes: tuple[Node, ...]
    output: int
    """The number of the program's output node."""
    origin: Origin | None = None
    """What a copy in another process is made from; None in a graph that was made of another."""

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, Graph):
            return self is other
        return self.origin is not None and self.origin == other.origin

    def __hash__(self) -> int:
        return hash(self.origin) if self.origin is not None else id(self)

    def __reduce__(self) -> Any:
        """A copy in another process is made there again, of the program's text."""
        if self.origin is None:
            return Graph, (self.source, self.nodes, self.output)
        return self.origin.make, (self.origin,)

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """The inputs' numbers, in order of first appearance in the text."""
        return tuple(node.id for node in self.nodes if isinstance(node, InputNode))

    @cached_property
    def input_numbers(self) -> dict[str, int]:
        """The inputs' numbers by their names."""
        return {self.nodes[i].name: i for i in self.inputs}

    @cached_property
    def steps(self) -> dict[int, int]:
        """The number (1) … (n) of every operation in the forward pass."""
        operations = (node.id for node in self.nodes if node.kind == "operation")
        return {node: i for i, node in enumerate(operations, 1)}

    @cached_property
    def consumers(self) -> tuple[tuple[int, ...], ...]:
        """For every node, the nodes that use it, in forward order."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for operand in dict.fromkeys(o for o in node.operands if isinstance(o, int)):
                found[operand].append(node.id)
        return tuple(map(tuple, found))

    @cached_property
    def constants(self) -> tuple[Any, ...]:
        """The numbers that operations are written with; in a pass they stand behind the values."""
        operands = (o for node in self.nodes for o in node.operands)
        return tuple(o.value for o in operands if isinstance(o, Literal))

    @cached_property
    def calls(self) -> list[tuple[Kernel | None, Getter]]:
        """For every node the kernel, and what takes its operands out of values and constants."""
        found: list[tuple[Kernel | None, Getter]] = []
        last = len(self.nodes)
        for node in self.nodes:
            places = []
            for operand in node.operands:
                places.append(operand if type(operand) is int else last)
                last += type(operand) is not int
            found.append((node.kernel, getter(places)))
        return found

    @cached_property
    def watched(self) -> tuple[int, ...]:
        """The nodes to look at for infinities and nans: if any node has one, one of these has.

        Every other node is an operand whose infinities always show in an operation's output.
        """
        seen = shown((node, node.operands) for node in self.nodes)
        return tuple(i for i in range(len(self.nodes)) if i not in seen)

    def shows(self, start: int, end: int) -> bool:
        """Whether node `end` has an infinity or a nan wherever node `start` has one."""
        found = {start}
        for node in self.nodes[start + 1 : end + 1]:
            if not found.isdisjoint(_showing(node, node.operands)):
                found.add(node.id)
        return end in found

    def dependent(self, roots: Collection[int]) -> list[bool]:
        """Which nodes depend on any of `roots`, roots included."""
        found = [False] * len(self.nodes)
        for i in roots:
            found[i] = True
        for node in self.nodes:
            for o in node.operands:
                if type(o) is int and found[o]:
                    found[node.id] = True
                    break
        return found

    def reaching(self, wanted: Iterable[int], constants: Collection[int] = ()) -> list[bool]:
        """Which nodes any of the wanted depends on, itself included; `constants` need none."""
        return reached(self.nodes, wanted, constants)

    def downstream(self, start: int) -> Iterator[int]:
        """The nodes that change with `start`, in forward order, itself not included."""
        changed = {start}
        for node in self.nodes[start + 1 :]:
            for o in node.operands:
                if type(o) is int and o in changed:
                    changed.add(node.id)
                    yield node.id
                    break

    def operation(self, number: int) -> OperationNode:
        """The node of this number, which must be an operation: what sends a contribution is."""
        node = self.nodes[number]
        assert isinstance(node, OperationNode)
        return node

    def site(self, node: OperationNode) -> Site:
        """What the node's rules may depend on."""
        types = tuple(self.operand_type(o) for o in node.operands)
        literals = tuple(
            float(o.value) if isinstance(o, Literal) and np.ndim(o.value) == 0 else None
            for o in node.operands
        )
        return Site(types, node.type, node.options, literals, node.span)

    def operand_type(self, operand: Operand) -> Type:
        """The type of a node or literal."""
        return self.nodes[operand].type if isinstance(operand, int) else operand.type


def getter(places: Sequence[int]) -> Getter:
    """Several places of a list at once, as a sequence also where there is one or none."""
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


def shown(nodes: Iterable[tuple[Node, Sequence[Operand]]]) -> set[int]:
    """The operands whose infinities and nans always show in one of the nodes."""
    return {operand for node, operands in nodes for operand in _showing(node, operands)}


def _showing(node: Node, operands: Sequence[Operand]) -> list[int]:
    """Which of its operands always show in a node where they are not finite."""
    if node.operation is None or not node.operation.propagates or not node.type.size:
        return []
    places = propagating(node.operation, len(operands))
    return [o for o in (operands[i] for i in places) if type(o) is int]
