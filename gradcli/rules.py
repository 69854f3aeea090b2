"""Derivative formulas made to run: from a text in the table to a sequence of kernel calls.

A rule is a formula over an operation's operands, its output `out` and, for the operations
on arrays, `delta`. It goes the way of every program: parsed, lowered, bound to shapes.
What comes out is a `Formula`, a straight line of kernels, made once per text and shapes.
There is no second copy of any derivative: this text is also what the reports print.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from gradcli.draft import Draft, Literal, Operand, Step
from gradcli.errors import GradcliError, Kind
from gradcli.forward import align
from gradcli.graph import Getter, Graph, Node, build, getter
from gradcli.language.parser import parse_expression
from gradcli.language.source import Source, Span
from gradcli.language.tree import Name, Number, Tree, postorder
from gradcli.lower import lower_formula
from gradcli.ops.operation import Kernel, Operation, Shape, Site, Type
from gradcli.ops.placing import Places


class Formula:
    """A formula bound to shapes: call it with the values of its names, in order.

    Values may carry batch axes in front of their own, as everywhere.
    """

    __slots__ = (
        "_ranks",
        "_steps",
        "calls",
        "constant",
        "constants",
        "graph",
        "names",
        "passes_on",
        "picks",
        "place",
        "result",
        "source",
        "type",
    )

    def __init__(
        self, graph: Graph, result: int, names: int, picks: list[int] | None = None
    ) -> None:
        self.type = graph.nodes[result].type
        self.source = graph.source
        self.constant: float | None = None
        """The number that the formula is, where it is written as one (the 1 of a sum)."""
        self.graph, self.result = graph, result
        """The formula as a graph, its names as inputs in front; which node it comes to."""
        self.passes_on = True
        """Whether an upstream that is not finite always shows in what is sent to the operand."""
        self.picks = picks
        """Which of the values the formula uses; None for all of them."""
        self.names = names
        # Slots: the names' values, then the constants, then a result per kernel call.
        self.constants: list[Any] = []
        self.calls: list[tuple[Kernel, tuple[int, ...]]] = []
        """Kernels, and in which slots their operands are; for values without batch axes."""
        self._steps: list[tuple[Kernel, Getter]] = []
        self._ranks: list[int | None] = []
        place = {i: i for i in range(names)}
        rest = graph.nodes[names:]
        for node in rest:
            literals = [o for o in node.operands if isinstance(o, Literal)]
            for literal in literals:
                place[id(literal)] = names + len(self.constants)
                self.constants.append(literal.value)
            if node.operation is None:
                place[node.id] = place[id(literals[0])]
            elif _is(node, "ones_like"):  # no numbers to wait for, and one to keep
                place[node.id] = names + len(self.constants)
                self.constants.append(np.broadcast_to(1.0, node.type.shape))
        first = names + len(self.constants)
        for node in rest:
            if node.kernel is not None and node.id not in place:
                operands = (o if isinstance(o, int) else id(o) for o in node.operands)
                places = tuple(place[o] for o in operands)
                self.calls.append((node.kernel, places))
                kernel = node.kernel if node.aligned else _lining_up(graph, node)
                self._steps.append((kernel, getter(places)))
                rounded = node.operation is None or not node.operation.exact
                self._ranks.append(len(node.type.shape) if rounded else None)
                place[node.id] = first + len(self.calls) - 1
        self.place = place[result]
        """The slot of the result."""
        if names <= self.place < first and not self.type.shape:
            self.constant = float(self.constants[self.place - names])

    def __call__(self, values: list[Any]) -> Any:
        """The formula's value; `values` in the order of the names it was made for."""
        slots = self._slots(values)
        for kernel, operands in self._steps:
            slots.append(kernel(*operands(slots)))
        return slots[self.place]

    def factors(self) -> tuple[int, int, int] | None:
        """Which two of its values the formula multiplies as arrays, transposed or not.

        And the most products that an element of the result is the sum of.
        """
        nodes, found = self.graph.nodes, []
        if self.picks is not None or not _is(nodes[self.result], "matmul"):
            return None
        for operand in nodes[self.result].operands:
            while type(operand) is int and _is(nodes[operand], "T"):
                (operand,) = nodes[operand].operands  # noqa: PLW2901 - what is transposed
            if type(operand) is not int or nodes[operand].kind != "input":
                return None
            found.append(operand)
        first, second = found
        return first, second, self.graph.operand_type(nodes[self.result].operands[0]).shape[-1]

    def _slots(self, values: list[Any]) -> list[Any]:
        if self.picks is not None:
            values = [values[i] for i in self.picks]
        return values + self.constants

    def disturbed(self, values: list[Any], disturb: Callable[[Any], Any]) -> Any:
        """The same with `disturb` applied to every result in between that is rounded.

        That is every one that has a batch axis and is no exact operation's; not the last.
        """
        slots = self._slots(values)
        for (kernel, operands), rank in zip(self._steps, self._ranks, strict=True):
            value = kernel(*operands(slots))
            rounded = rank is not None and len(slots) != self.place and np.ndim(value) > rank
            slots.append(disturb(value) if rounded else value)
        return slots[self.place]


def _is(node: Node, name: str) -> bool:
    return node.operation is not None and node.operation.name == name


def _lining_up(graph: Graph, node: Node) -> Kernel:
    """The node's kernel for operands whose axes must be lined up first, if they have a batch."""
    kernel, rank = node.kernel, len(node.type.shape)
    own = [len(graph.operand_type(o).shape) for o in node.operands]
    assert kernel is not None
    if all(n == rank for o, n in zip(node.operands, own, strict=True) if isinstance(o, int)):
        return kernel  # a number that is written in the formula has no batch

    def lined_up(*arguments: Any) -> Any:
        pairs = zip(arguments, own, strict=True)
        return kernel(*[a if a.ndim == n else align(a, n, rank) for a, n in pairs])

    return lined_up


@lru_cache(maxsize=4096)
def parsed(text: str) -> Tree:
    """A formula's syntax tree."""
    return parse_expression(Source(text, "derivative rule"))


def formula_names(operation: Operation, site: Site) -> tuple[str, ...]:
    """The names that a rule of this operation may use, besides its options."""
    names = (*operation.operand_names(len(site.types)), "out")
    return names if operation.elementwise else (*names, "delta")


MOST_FORMULAS = 20_000
_formulas: dict[Any, Formula] = {}


def formula(operation: Operation, site: Site, operand: int) -> Formula:
    """The rule for one operand, ready to run at this site.

    Raises `GradcliError` of kind shape where a block's own rule does not fit its operands.
    """
    text = operation.formulas(site)[operand]
    row = (operation.name, operation.parameters, operation.elementwise)
    key = (text, row, site.types, site.out, operand, frozen(site.options))
    found = _formulas.get(key)
    if found is None:
        names = formula_names(operation, site)
        types = (*site.types, site.out, site.out)[: len(names)]
        picks = _used(text, names) if len(names) > FEW_NAMES else None
        if picks is not None:
            names, types = tuple(names[i] for i in picks), tuple(types[i] for i in picks)
        options, place = dict(site.options), _place(operation, operand)
        try:
            found = compile_formula(text, names, types, options, picks, place)
            _check_shape(operation, site, operand, found)
        except GradcliError as error:  # only a block's own rule can be at fault
            if place is not None and site.place is not None:
                error.called_at(place[0], site.place)
            raise
        if not operation.elementwise:
            used = "delta" in names
            found.passes_on = used and found.graph.shows(names.index("delta"), found.result)
        if len(_formulas) > MOST_FORMULAS:
            _formulas.clear()
        _formulas[key] = found
    return found


FEW_NAMES = 8
"""Above this, a formula is made for the names in it only: [a, b, …] has n rules for n operands."""


def _used(text: str, names: tuple[str, ...]) -> list[int]:
    """Which of the names stand in a formula."""
    words = {node.name for node in postorder(parsed(text)) if isinstance(node, Name)}
    return [i for i, name in enumerate(names) if name in words]


def _place(operation: Operation, operand: int) -> tuple[Source, Tree] | None:
    """A block's rule where the user wrote it; None for a rule of the table."""
    written = operation.written
    return None if written is None else (written.source, written.trees[operand])


def _check_shape(operation: Operation, site: Site, operand: int, rule: Formula) -> None:
    """A local derivative fits the output, a backward rule the operand it is for."""
    shape = rule.type.shape
    if operation.elementwise:
        target, fits = site.out.shape, _fits_into(shape, site.out.shape)
    else:
        target = site.types[operand].shape
        fits = shape == target if operation.group == "block" else True
    if not fits:
        name, place = operation.operand_names(len(site.types))[operand], _place(operation, operand)
        raise GradcliError(
            Kind.SHAPE,
            f"the rule for '{name}' of {operation.name} gives {Type(shape)}, not {Type(target)}",
            source=rule.source,
            span=Span(0, len(rule.source.text)) if place is None else place[1].span,
            hint=f"an operation on whole arrays gives its backward rule: delta_{name} = …"
            if operation.elementwise
            else "a derivative has the shape of what it is taken by",
        )


def _fits_into(shape: Shape, target: Shape) -> bool:
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False


def compile_formula(
    text: str,
    names: tuple[str, ...],
    types: tuple[Type, ...],
    constants: dict[str, Any],
    picks: list[int] | None = None,
    place: tuple[Source, Tree] | None = None,
) -> Formula:
    """Lower a formula over named values of known types and bind its kernels.

    `place` is where it is written, for errors: its source and its tree in there.
    """
    source, tree = place or (Source(text, "derivative rule"), parsed(text))
    steps, result = lower_formula(source, tree, names, constants)
    graph, output = bound_graph(source, steps, result, types)
    return Formula(graph, output, len(names), picks)


def bound_graph(
    source: Source, steps: list[Step], result: Operand, types: tuple[Type, ...]
) -> tuple[Graph, int]:
    """A graph of unpruned steps whose inputs come first and have these types."""
    if not isinstance(result, int):
        place = Span(0, 0)
        tree = Number(0.0, result.text, place)
        steps = [*steps, Step("constant", None, None, (result,), {}, tree, place, place)]
        result = len(steps) - 1
    given = {step.name or "": t for step, t in zip(steps, types, strict=False)}
    return build(Draft(source, steps, result), given, numpy_rules=True), result


def frozen(options: Any) -> Any:
    """Options as a key: slices can't be hashed before Python 3.12."""
    if isinstance(options, slice):
        return ("slice", options.start, options.stop, options.step)
    if isinstance(options, Places):
        return options
    if isinstance(options, tuple | list):
        return tuple(frozen(o) for o in options)
    if hasattr(options, "items"):
        return tuple((k, frozen(v)) for k, v in options.items())
    return options
