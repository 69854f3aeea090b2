"""The graph: nodes in evaluation order, each with its shape and the kernel that computes it.

A draft and the inputs' shapes come in; a `Graph` comes out. It is append-only and a node's
number is its place in evaluation order, so that the forward pass is a loop up and the backward
pass a loop down. Whether shapes fit is decided here, once, and shown with both operands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradcli.diagnostics.equality import same_fields
from gradcli.diagnostics.error import GradcliError, Kind, Label
from gradcli.diagnostics.source import Source, Span
from gradcli.graph.draft import (
    Draft,
    Literal,
    Operand,
    Selection,
    Step,
)
from gradcli.ops.operation import Kernel, Misfit, Operation, Shape, Site, Type, propagating, times
from gradcli.syntax.tree import Call, Operator

MOST_ELEMENTS = 2**28
"""No single value may have more elements than this (2 GiB)."""


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


class Node(NamedTuple):
    """A row: an input, a constant or an operation, with its place in the text."""

    id: int
    name: str
    kind: str
    operation: Operation | None
    operands: tuple[Operand, ...]
    options: Mapping[str, Any]
    """As the rules see them: defaults filled in, axes counted from the front."""
    given: Mapping[str, Any]
    """As they were written."""
    type: Type
    kernel: Kernel | None
    aligned: bool
    """The kernel takes a batch as it is; else axes of length 1 must be put in first."""
    selections: tuple[Selection, ...]
    span: Span
    symbol_span: Span
    origin: Origin | None = None
    """Where its graph comes from; None in a graph that was made of another."""

    def __eq__(self, other: object) -> bool:
        if self is other or not isinstance(other, Node):
            return self is other
        if self.origin is None:
            return same_fields(self, other)
        return self.id == other.id and self.origin == other.origin

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((self.id, self.name))

    def __reduce__(self) -> Any:
        """A copy in another process is the node of the same number in a graph made there."""
        if self.origin is None:
            return Node, tuple(self)
        return _node_again, (self.origin, self.id)

    @property
    def carries(self) -> bool:
        """Whether the node depends on an input."""
        return self.kind != "constant"

    def as_input(self, number: int, name: str | None = None, of: Type | None = None) -> Node:
        """An input in the node's place in another graph, of its name and type unless given."""
        return self.moved(
            id=number,
            name=self.name if name is None else name,
            kind="input",
            operation=None,
            operands=(),
            options={},
            given={},
            type=self.type if of is None else of,
            kernel=None,
            aligned=True,
            selections=(),
        )

    def moved(self, **changes: Any) -> Node:
        """The node in another graph, where these fields differ."""
        return self._replace(origin=None, **changes)


def _node_again(origin: Origin, number: int) -> Node:
    return origin.make(origin).nodes[number]


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in evaluation order; never changed once it is made."""

    source: Source
    nodes: tuple[Node, ...]
    output: int
    """The number of the node that the program comes to."""
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
        return tuple(node.id for node in self.nodes if node.kind == "input")

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
        """The nodes to look at for infinities and nans: where there is one, one of these has one.

        All others are an operand that always shows in the output of an operation.
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
        for node in self.nodes:
            found[node.id] = node.id in roots or any(
                found[o] for o in node.operands if isinstance(o, int)
            )
        return found

    def downstream(self, start: int) -> Iterator[int]:
        """The nodes that change with `start`, in forward order, itself not included."""
        changed = {start}
        for node in self.nodes[start + 1 :]:
            for o in node.operands:
                if type(o) is int and o in changed:
                    changed.add(node.id)
                    yield node.id
                    break

    def site(self, node: Node) -> Site:
        """What the node's rules may depend on."""
        types = tuple(self.operand_type(o) for o in node.operands)
        literals = tuple(map(_literal_number, node.operands))
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


def _literal_number(operand: Operand) -> float | None:
    if isinstance(operand, Literal) and np.ndim(operand.value) == 0:
        return float(operand.value)
    return None


def build(
    draft: Draft,
    given: Mapping[str, Type],
    *,
    numpy_rules: bool = False,
    origin: Origin | None = None,
) -> Graph:
    """Find every node's type and kernel. Raises `GradcliError` of kind shape.

    `given` are the types of the inputs, by name; `numpy_rules` adds a vector to the rows of
    any matrix, as NumPy does; `origin` is of a whole program's graph.
    """
    types: list[Type] = []
    nodes: list[Node] = []
    for i, step in enumerate(draft.steps):
        node = _typed(draft, i, step, types, given, origin, numpy_rules=numpy_rules)
        nodes.append(node)
        types.append(node.type)
    nodes = _with_selections(nodes)
    return Graph(draft.source, tuple(nodes), draft.output, origin)


def _typed(
    draft: Draft,
    i: int,
    step: Step,
    types: list[Type],
    given: Mapping[str, Type],
    origin: Origin | None,
    *,
    numpy_rules: bool,
) -> Node:
    operation, operands, options = step.operation, step.operands, step.options
    kernel: Kernel | None = None
    aligned = True
    name = step.name or f"#{i}"
    if operation is not None:
        of = tuple([types[o] if isinstance(o, int) else o.type for o in operands])
        try:
            out, kernel, options = operation.bind(
                of, options, numpy_rules=numpy_rules or step.numpy_rules
            )
        except Misfit as misfit:
            raise misfit_error(draft.source, draft.steps, step, of, misfit) from None
        except GradcliError as error:  # from inside of a block
            raise error.called_at(draft.source, step.span) from None
        if out.shape and out.size > MOST_ELEMENTS:
            raise _too_large(draft, step, out)
        if out.shape and operation.infer is None:
            aligned = all(len(t.shape) == len(out.shape) for t in of)
    elif step.kind == "input":
        out = given[name]
    else:
        (literal,) = operands
        assert isinstance(literal, Literal)
        out = literal.type
    row = (
        i,
        name,
        step.kind,
        operation,
        operands,
        options,
        step.options,
        out,
        kernel,
        aligned,
        step.selections,
        step.span,
        step.symbol_span,
        origin,
    )
    return tuple.__new__(Node, row)  # half the time of a call of the class


def _too_large(draft: Draft, step: Step, out: Type) -> GradcliError:
    size = f"of {times(out.shape)} is too large: {out.size:,}"
    if out.size > 10**20:
        size = f"is too large: {float(min(out.size, 10**300)):.0e}"
    return GradcliError(
        Kind.SHAPE,
        f"an array {size} elements, at most {MOST_ELEMENTS:,}",
        source=draft.source,
        span=step.span,
    )


def misfit_error(
    source: Source, steps: Sequence[Step], step: Step, types: tuple[Type, ...], misfit: Misfit
) -> GradcliError:
    """The error of an operation whose operands do not fit, each operand with its shape."""
    assert step.operation is not None
    draft = Draft(source, list(steps), 0)
    reason, hint = _with_names(draft, step, misfit)
    if misfit.plain:
        return GradcliError(Kind.SHAPE, reason, source=draft.source, span=step.span, hint=hint)
    labels = tuple(
        Label(span, times(t.shape) if t.shape else "a number", strong=True)
        for span, t in zip(_operand_spans(step), types, strict=True)
        if span is not None
    )
    written = " ".join(draft.source.text[step.span.start : step.span.end].split())
    if len(written) > 40:
        written = step.operation.name
    reason = reason or _list_of_shapes(draft, step, types)
    return GradcliError(
        Kind.SHAPE,
        f"shapes do not fit in {written}: {reason}",
        source=draft.source,
        span=step.symbol_span,
        labels=labels,
        hint=hint,
    )


def _with_names(draft: Draft, step: Step, misfit: Misfit) -> tuple[str, str | None]:
    """Reason and hint with the operands as they are written in the place of `{A}` and `{B}`."""
    assert step.operation is not None
    names = step.operation.operand_names(len(step.operands))
    spans = _operand_spans(step)
    written = {
        name: _operand_text(draft, operand, span)
        for name, operand, span in zip(names, step.operands, spans, strict=True)
    }
    # `dot` and `inner` speak as the matrix product that they are.
    written |= dict(zip("AB", written.values(), strict=False))
    hint = misfit.hint and misfit.hint.format_map(written)
    # The transpose of what is written as a transpose is the thing itself.
    return misfit.reason.format_map(written), hint and re.sub(r"(?:\.T|ᵀ)\.T\b", "", hint)


def _operand_text(draft: Draft, operand: Operand, span: Span | None) -> str:
    """An operand as written in the program if that is short, else its name."""
    text = draft.source.text[span.start : span.end] if span is not None else ""
    if not text or len(text) > 20 or not text.isprintable():
        return operand.text if isinstance(operand, Literal) else draft.steps[operand].name or "…"
    whole = text.removesuffix(".T")
    behind_name = re.sub(r"^[\w.]*", "", whole)
    if not behind_name or _in_brackets(behind_name):  # x, f(x), [1, 2], (a + b), f(x).T
        return text
    return f"({text})"


def _in_brackets(text: str) -> bool:
    """Whether a pair of brackets encloses all of a text."""
    depth, ends = 0, []
    for i, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth == 0:
            ends.append(i)
    return text[0] in "([" and ends[0] == len(text) - 1


def _operand_spans(step: Step) -> list[Span | None]:
    """Where each operand stands in the text, as far as the operation was written with it."""
    count, tree = len(step.operands), step.tree
    written = tree.children()
    if isinstance(tree, Call) and step.operation is not None:
        # full(shape, value): an option may stand before the operands.
        options = (p.option for p in step.operation.parameters)
        positional = len(written) - len(tree.keywords)
        written = written[sum(takewhile(bool, options)) : positional]
    if isinstance(tree, Operator | Call) and len(written) >= count:
        return [part.span for part in written[:count]]
    return [None] * count


def _list_of_shapes(draft: Draft, step: Step, types: tuple[Type, ...]) -> str:
    """`W is 3×2, x has 3 elements`."""
    parts = []
    for operand, t, span in zip(step.operands, types, _operand_spans(step), strict=True):
        name = _operand_text(draft, operand, span)
        if len(t.shape) == 1:
            parts.append(f"{name} has {t.shape[0]} elements")
        else:
            parts.append(f"{name} is {t if t.shape else 'a number'}")
    return ", ".join(parts)


def _with_selections(nodes: list[Node]) -> list[Node]:
    """Keep a node's selections only where they tell its elements apart.

    Inside a branch of `where`, a node is selected element by element as long as only elementwise
    operations stand between it and the `where`; with a scalar condition always.
    """
    if not any(node.selections for node in nodes):
        return nodes
    lost: dict[int, set[int]] = {}
    result = list(nodes)
    for node in reversed(nodes):
        gone = lost.get(node.id, set())
        if gone:
            kept = tuple(s for s in node.selections if id(s) not in gone)
            result[node.id] = node._replace(selections=kept)
        operation = node.operation
        elementwise = operation is not None and operation.elementwise
        if not node.selections or (elementwise and not gone):
            continue  # nothing is lost here: the selections need not be looked through
        inside = set(map(id, node.selections))
        for operand in node.operands:
            if not isinstance(operand, int):
                continue
            for selection in nodes[operand].selections:
                broken = id(selection) in inside and (not elementwise or id(selection) in gone)
                if broken and not _is_scalar(selection, nodes):
                    lost.setdefault(operand, set()).add(id(selection))
    return result


def _is_scalar(selection: Selection, nodes: list[Node]) -> bool:
    condition = selection.condition
    t = nodes[condition].type if isinstance(condition, int) else condition.type
    return t.shape == ()
