"""Derivative formulas made to run: from a text in the table to a sequence of kernel calls.

A rule is a formula over an operation's operands, its output `out` and, for the operations
on arrays, `delta`. It goes the way of every program: parsed, lowered, bound to shapes.
What comes out is a `Formula`, a straight line of kernels, made once per text and shapes.
Reports print the same text, or the textbook's form of it where the row has a careful one that runs
(`formula` with `textbook`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source, Span
from gradcli.engine.constant import ENGINE
from gradcli.engine.forward import align
from gradcli.graph.build import build
from gradcli.graph.draft import Draft, Literal, Operand, Step
from gradcli.graph.graph import Getter, Graph, Node, OperationNode, getter
from gradcli.graph.lower import lower_formula
from gradcli.ops.operation import Kernel, Operation, Shape, Site, Type
from gradcli.ops.table.indexing import Places
from gradcli.syntax.parser import parse_expression
from gradcli.syntax.tree import Name, Number, Tree, postorder


class Formula:
    """A formula bound to shapes: call it with the values of its names, in order.

    Values may carry batch axes in front of their own, as everywhere.
    """

    __slots__ = (
        "_cancels",
        "_steps",
        "calls",
        "constant",
        "constants",
        "graph",
        "moves",
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
        """The formula as a graph, with its names as the first inputs; the number of its output."""
        self.passes_on = True
        """Whether an upstream that is not finite always shows in what is sent to the operand."""
        self.moves = False
        """Whether the formula depends on the upstream alone, whose elements it moves and adds."""
        self._cancels: bool | None = None
        self.picks = picks
        """Which of the values the formula uses; None for all of them."""
        self.names = names
        # Slots: the names' values, then the constants, then a result per kernel call.
        self.constants: list[Any] = []
        self.calls: list[tuple[Kernel, tuple[int, ...]]] = []
        """Kernels, and in which slots their operands are; for values without batch axes."""
        self._steps: list[tuple[Kernel, Getter, int | None]] = []
        """The same for values with batch axes, and the results' ranks where these are rounded."""
        place = {i: i for i in range(names)}
        rest = graph.nodes[names:]
        for node in rest:
            literals = [o for o in node.operands if isinstance(o, Literal)]
            for literal in literals:
                place[id(literal)] = names + len(self.constants)
                self.constants.append(literal.value)
            if node.operation is None:
                place[node.id] = place[id(literals[0])]
            elif node.operation.constant is not None:  # no numbers to wait for, and one to keep
                place[node.id] = names + len(self.constants)
                self.constants.append(np.broadcast_to(node.operation.constant, node.type.shape))
        first = names + len(self.constants)
        for node in rest:
            if node.operation is not None and node.id not in place:
                operands = (o if isinstance(o, int) else id(o) for o in node.operands)
                places = tuple(place[o] for o in operands)
                self.calls.append((node.kernel, places))
                kernel = node.kernel if node.aligned else _lining_up(graph, node)
                rounded = not node.operation.exact and node.id != result
                rank = len(node.type.shape) if rounded else None
                self._steps.append((kernel, getter(places), rank))
                place[node.id] = first + len(self.calls) - 1
        self.place = place[result]
        """The slot of the result."""
        if names <= self.place < first and not self.type.shape:
            self.constant = float(self.constants[self.place - names])

    def __call__(self, values: list[Any]) -> Any:
        """The formula's value; `values` in the order of the names it was made for."""
        slots = self._slots(values)
        for kernel, operands, _ in self._steps:
            slots.append(kernel(*operands(slots)))
        return slots[self.place]

    def factors(self) -> tuple[int, int, int] | None:
        """Which two of its values the formula multiplies as arrays, transposed or not.

        And the most products that an element of the result is the sum of.
        """
        nodes, found = self.graph.nodes, []
        product = nodes[self.result].operation
        if self.picks is not None or product is None or not product.is_matrix_product:
            return None
        for operand in nodes[self.result].operands:
            while type(operand) is int and _is_transpose(nodes[operand]):
                (operand,) = nodes[operand].operands  # noqa: PLW2901 - what is transposed
            if type(operand) is not int or nodes[operand].kind != "input":
                return None
            found.append(operand)
        first, second = found
        return first, second, self.graph.operand_type(nodes[self.result].operands[0]).shape[-1]

    def reads(self) -> set[int]:
        """The values whose numbers count; of the x in ones_like(x) only the shape does."""
        operations = (n for n in self.graph.nodes if n.operation is not None)
        constants = {n.id for n in operations if n.operation.constant is not None}
        needed = self.graph.reaching([self.result], constants)
        return {i for i in range(len(self.graph.inputs)) if needed[i]}

    def cancels(self) -> bool:
        """Whether a rule that `moves` makes differences, in which positive numbers can cancel.

        Tried with one element after the other; where they are too many it may be true in vain.
        """
        if self._cancels is None:
            rows = (node.operation for node in self.graph.nodes)
            self._cancels = self.moves and not all(row is None or row.exact for row in rows)
            if self._cancels:
                self._cancels = self._makes_differences()
        return self._cancels

    def _makes_differences(self) -> bool:
        values: list[Any] = [
            np.zeros(node.type.shape)[()] for node in self.graph.nodes[: self.names]
        ]
        (upstream,) = self.reads()
        shape = self.graph.nodes[upstream].type.shape
        count = self.graph.nodes[upstream].type.size
        if count < 2 or count * max(count, self.type.size) > MOST_TRIED:
            return count > 1
        values[upstream] = np.eye(count).reshape(count, *shape)
        slots = values + self.constants
        for kernel, operands, _ in self._steps:
            slots.append(kernel(*operands(slots)))
        made = slots[self.place]
        return bool(np.any(np.any(made > 0, axis=0) & np.any(made < 0, axis=0)))

    def _slots(self, values: list[Any]) -> list[Any]:
        if self.picks is not None:
            values = [values[i] for i in self.picks]
        return values + self.constants

    def disturbed(self, values: list[Any], disturb: Callable[[Any], Any]) -> Any:
        """The same with `disturb` applied to every result in between that is rounded.

        That is every one that has a batch axis and is no exact operation's; not the last.
        """
        slots = self._slots(values)
        for kernel, operands, rank in self._steps:
            value = kernel(*operands(slots))
            rounded = rank is not None and np.ndim(value) > rank
            slots.append(disturb(value) if rounded else value)
        return slots[self.place]


def _is_transpose(node: Node) -> bool:
    return node.operation is not None and node.operation.is_transpose


def _lining_up(graph: Graph, node: OperationNode) -> Kernel:
    """The node's kernel for operands whose axes must be lined up first, if they have a batch."""
    kernel, rank = node.kernel, len(node.type.shape)
    own = [len(graph.operand_type(o).shape) for o in node.operands]
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
MOST_TRIED = 100_000
"""Factors of a rule that are looked at, to see whether it makes differences."""
_formulas: dict[Any, Formula] = {}


def formula(operation: Operation, site: Site, operand: int, *, textbook: bool = False) -> Formula:
    """The rule for one operand, ready to run at this site; `textbook` for the form that is shown.

    Raises `GradcliError` of kind shape where a block's own rule does not fit its operands.
    """
    rules = _rules_at(operation, site, textbook=textbook)
    text, names = rules.texts[operand], rules.names
    key = (text, rules.number, operand)
    found = _formulas.get(key)
    if found is None:
        picks = _used(text, rules.places) if len(names) > FEW_NAMES else None
        places = range(len(names)) if picks is None else picks
        behind = len(site.types)
        types = tuple(site.types[i] if i < behind else site.out for i in places)
        names = tuple(names[i] for i in places)
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
            found.moves = used and found.reads() == {names.index("delta")}
        if len(_formulas) > MOST_FORMULAS:
            _formulas.clear()
        _formulas[key] = found
    return found


FEW_NAMES = 8
"""With more names, a formula takes only those in it: [a, b, …] has n rules for n operands."""


def _used(text: str, places: Mapping[str, int]) -> list[int]:
    """The places of the names that stand in a formula."""
    words = {node.name for node in postorder(parsed(text)) if isinstance(node, Name)}
    return sorted(places[word] for word in words if word in places)


class _Rules(NamedTuple):
    """What the rules for all operands of one site share: [a, b, …] has as many as elements."""

    operation: Operation
    site: Site
    textbook: bool
    texts: tuple[str, ...]
    names: tuple[str, ...]
    places: Mapping[str, int]
    number: int
    """The same for all sites at which the rules are the same."""


_numbers: dict[Any, int] = {}
_fresh = count()
_latest: _Rules | None = None


def _rules_at(operation: Operation, site: Site, *, textbook: bool) -> _Rules:
    """The rules at a site, made once for all operands of a node."""
    global _latest  # noqa: PLW0603 - the one that is asked for again
    latest = _latest
    asked = (operation, site, textbook)
    if latest is None or any(a is not b for a, b in zip(latest, asked, strict=False)):
        row = (operation.name, operation.parameters, operation.elementwise)
        key = (row, site.types, site.out, frozen(site.options))
        if len(_numbers) > MOST_FORMULAS:
            _numbers.clear()
        names = formula_names(operation, site)
        places = {name: i for i, name in enumerate(names)}
        number = _numbers.setdefault(key, next(_fresh))
        texts = operation.formulas(site) if textbook else operation.running(site)
        _latest = latest = _Rules(*asked, texts, names, places, number)
    return latest


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
    steps, result = lower_formula(source, tree, names, constants, engine=ENGINE)
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
