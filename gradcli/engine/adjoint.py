"""The backward pass as a graph: a `Graph` comes in, and a longer one comes out.

The first nodes of the longer graph are the given ones, with their numbers; behind them stands
what the backward pass computes, made of the same derivative formulas: each is spliced in where
`backward` would run it. The result is a graph like any other. Its values are a forward pass, a
batch of points goes through it as through a program, and its own adjoint is the second
derivative. Nothing is differentiated here but by the formulas of the table.

What makes it shorter than the pass it stands for: a local derivative that is the number 1 is no
multiplication, one that its rule writes as 0 is no path, constants are worked out, and what two
formulas have in common is computed once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli import ops
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.gc_pause import collector_paused
from gradcli.engine.formula import Formula, frozen
from gradcli.engine.forward import all_finite
from gradcli.engine.rules import Rules
from gradcli.graph.draft import Literal, Operand, Selection
from gradcli.graph.graph import Graph, Node
from gradcli.ops.operation import Operation, Shape, Type


class Adjoint(NamedTuple):
    """A graph with its backward pass behind it."""

    graph: Graph
    """The nodes of the given graph, with their numbers, and those of the backward pass."""
    deltas: dict[int, int]
    """For a node of the given graph the node that holds δ; where it is absent, δ is zero."""


def adjoint(
    graph: Graph,
    wrt: Collection[int] | None = None,
    *,
    upstream: str | Mapping[str, int] | None = None,
    values: Sequence[Any] | None = None,
    textbook: bool = False,
) -> Adjoint:
    """The graph with its backward pass, for the nodes that depend on `wrt` (default: the inputs).

    It starts from δ_output = 1. With `upstream`, it starts from a further input of this name and
    of the output's type; or, with a mapping of such names to nodes, from several nodes at once:
    the gradient of the sum of all upstream · node.

    Where an exact zero may meet an infinity (`guards`), the graph has a `where` that keeps it 0.
    `values` are those of the first nodes, as far as they are known; without them all nodes of the
    graph are taken to be finite. With `textbook` it is made of the rules in the form that reports
    show and without those `where`s, log(2) left as it is: to be written down, not to run.

    Raises `GradcliError` of kind shape where an output of several elements has no upstream.
    """
    active = graph.dependent(set(graph.inputs if wrt is None else wrt))
    with collector_paused():
        builder = _Builder(graph, values, textbook=textbook)
        sums = builder.accumulated(active, upstream)
        if builder.unguarded and not textbook:
            builder = _Builder(graph, values, guards=True)
            sums = builder.accumulated(active, upstream)
        deltas = {i: builder.as_node(d, graph.nodes[i]) for i, d in sums.items() if active[i]}
        return Adjoint(Graph(graph.source, tuple(builder.nodes), graph.output), deltas)


def weighted(graph: Graph, weights: Mapping[int, Any]) -> Graph:
    """The graph with a number for its output: the sum of weight · node over nodes and elements."""
    builder = _Builder(graph)
    total: Operand | None = None
    for i, weight in weights.items():
        node = graph.nodes[i]
        part: Operand = i
        if not _is_number(given := Literal(weight, "weights"), 1.0):
            part = builder.apply("mul", (i, given), node)
        if builder.type(part).shape:
            part = builder.apply("sum", (part,), node)
        total = part if total is None else builder.apply("add", (total, part), node)
    output = builder.as_node(ZERO if total is None else total, graph.nodes[graph.output])
    return Graph(graph.source, tuple(builder.nodes), output)


def pruned(graph: Graph, keep: Iterable[int]) -> tuple[Graph, dict[int, int]]:
    """The part of a graph that these nodes need, and the new number of every node in it.

    Its output is the graph's own where that is needed, else the last of `keep`.
    """
    wanted = list(keep)
    needed = reaching(graph, wanted)
    number: dict[int, int] = {}
    moved: dict[int, Selection | None] = {}
    nodes: list[Node] = []
    for node in graph.nodes:
        if needed[node.id]:
            number[node.id] = len(nodes)
            operands = tuple(number[o] if isinstance(o, int) else o for o in node.operands)
            selections = _moved(node.selections, number, moved)
            nodes.append(node.moved(id=len(nodes), operands=operands, selections=selections))
    output = number.get(graph.output, number[wanted[-1]] if wanted else 0)
    return Graph(graph.source, tuple(nodes), output), number


def reaching(graph: Graph, wanted: Iterable[int]) -> list[bool]:
    """Which nodes any of the wanted depends on, themselves included."""
    found = [False] * len(graph.nodes)
    for i in wanted:
        found[i] = True
    for node in reversed(graph.nodes):
        if found[node.id]:
            for operand in node.operands:
                if isinstance(operand, int):
                    found[operand] = True
    return found


def _moved(
    selections: tuple[Selection, ...],
    number: Mapping[int, int],
    done: dict[int, Selection | None],
) -> tuple[Selection, ...]:
    """Selections with new numbers, those without whose condition is gone left out."""
    for selection in selections:
        if id(selection) not in done:
            condition = selection.condition
            if isinstance(condition, int):
                there = condition in number
                condition = number.get(condition, 0)
            else:
                there = True
            done[id(selection)] = Selection(selection.chosen, condition) if there else None
    return tuple(new for s in selections if (new := done[id(s)]) is not None)


class _Builder:
    """The growing list of nodes, and the algebra in which formulas are applied to it."""

    def __init__(
        self,
        graph: Graph,
        values: Sequence[Any] | None = None,
        *,
        guards: bool = False,
        textbook: bool = False,
    ) -> None:
        self.graph, self.rules = graph, Rules(graph, textbook=textbook)
        self.nodes: list[Node] = list(graph.nodes)
        self.guards = guards
        self.unguarded = False
        """Whether an exact zero may meet an infinity and there are no guards."""
        self.may_fail: list[bool] = []
        """For every node, whether its value may be infinite or nan."""
        if values is None:
            self.may_fail += [False] * len(graph.nodes)
        else:
            self.may_fail += [not all_finite(np.asarray(value)) for value in values]
            for node in graph.nodes[len(values) :]:
                self.may_fail.append(self.fails(node.operation, node.operands))
        self.reached: dict[int, Operand | None] = {}
        """For a node 1 in the elements that anything is sent to; None for all of them."""
        self.known: dict[Any, int] = {}
        """Nodes by what they compute."""
        if not textbook:
            for node in graph.nodes:
                if node.operation is not None:
                    key = _computed(node.operation, node.operands, node.options, node.selections)
                    self.known.setdefault(key, node.id)
        self.masks: dict[Any, Operand] = {}
        self.scalar_selections: dict[int, tuple[Selection, ...]] = {}

    # --- the steps of the pass ---

    def accumulated(
        self, active: Sequence[bool], upstream: str | Mapping[str, int] | None
    ) -> dict[int, Operand]:
        """Every δ: a loop down the graph."""
        sums = self.seeds(upstream)
        self.reached = dict.fromkeys(sums)
        for node in reversed(self.graph.nodes):
            delta = sums.get(node.id)
            if delta is None or node.operation is None or not active[node.id]:
                continue
            for i, to in enumerate(node.operands):
                if isinstance(to, int) and active[to]:
                    sent = self.contribution(node, i, delta)
                    if sent is not None:
                        before = sums.get(to)
                        sums[to] = sent if before is None else self.plus(before, sent, node)
        return sums

    def seeds(self, upstream: str | Mapping[str, int] | None) -> dict[int, Operand]:
        """Where the pass starts: δ by node."""
        output = self.graph.nodes[self.graph.output]
        if upstream is not None:
            named = {upstream: output.id} if isinstance(upstream, str) else upstream
            sums: dict[int, Operand] = {}
            for name, i in named.items():
                seed, node = self.input(name, self.graph.nodes[i]), self.graph.nodes[i]
                sums[i] = self.plus(sums[i], seed, node) if i in sums else seed
            return sums
        if output.type.size != 1:
            raise GradcliError(
                Kind.SHAPE,
                f"the output {output.name} is {output.type}: a backward pass starts from a number",
                source=self.graph.source,
                span=output.span,
            )
        return {output.id: self.fit(ONE, output.type, output)}

    def input(self, name: str, like: Node) -> int:
        """A further input of a node's type."""
        node = like.as_input(len(self.nodes), name)
        self.nodes.append(node)
        self.may_fail.append(False)
        return node.id

    def contribution(self, node: Node, operand: int, delta: Operand) -> Operand | None:
        """What an operation sends to its operand; None for zero."""
        assert node.operation is not None
        rule = self.rules.of(node, operand)
        to = node.operands[operand]
        assert isinstance(to, int)
        target = self.graph.nodes[to].type
        given: list[Operand] = [*node.operands, node.id]
        counts = self.reached[node.id]
        if not node.operation.elementwise:
            sent = self.splice(rule, [*given, delta], node, self.as_one(node))
            if counts is not None or node.operation.selects:
                counts = self.reached_through(rule, given, counts, node)
        else:
            number = None if rule.constant is None else Literal(np.float64(rule.constant), "")
            local = number or self.splice(rule, given, node, node.selections)
            if _is_number(local, 0.0) and (number or node.operation.selects):
                return None
            sent = self.times(delta, local, node)
            if node.operation.selects and isinstance(local, int):
                counts = self.both(counts, self.is_not_zero(local, node), node)
            if isinstance(local, Literal):
                self.reach(to, counts, node)
                return self.fit(sent, target, node)
        sent = self.guarded(sent, counts, node)
        self.reach(to, counts, node)
        if node.selections and not isinstance(sent, Literal):
            mask = self.mask(node)
            sent = self.apply("where", (mask, sent, ZERO), node)
        return self.fit(sent, target, node)

    def as_node(self, operand: Operand, of: Node) -> int:
        """The number of the node that holds a node's δ; a constant gets one."""
        if isinstance(operand, Literal):
            literal = operand if operand.text else Literal(operand.value, f"{operand.value:.17g}")
            key = ("constant", _key(operand))
            if key not in self.known:
                self.known[key] = self.append(None, (literal,), {}, {}, literal.type, None, of, ())
            operand = self.known[key]
        if operand >= len(self.graph.nodes) and self.nodes[operand].name.startswith("#"):
            self.nodes[operand] = self.nodes[operand]._replace(name=f"delta_{of.name}")
        return operand

    # --- formulas on nodes ---

    def splice(
        self,
        rule: Formula,
        arguments: list[Operand],
        owner: Node,
        selections: tuple[Selection, ...],
    ) -> Operand:
        """A formula's nodes behind the others, with these operands for its names."""
        if rule.picks is not None:
            arguments = [arguments[i] for i in rule.picks]
        place: dict[int, Operand] = dict(enumerate(arguments))
        inner: dict[int, Selection] = {}
        for node in rule.graph.nodes[len(arguments) :]:
            operands = tuple(place[o] if isinstance(o, int) else o for o in node.operands)
            if node.operation is None:
                place[node.id] = operands[0]
                continue
            for selection in node.selections:
                if id(selection) not in inner:
                    condition = selection.condition
                    at = place[condition] if isinstance(condition, int) else condition
                    inner[id(selection)] = Selection(selection.chosen, at)
            own = (*selections, *(inner[id(s)] for s in node.selections))
            place[node.id] = self.emit(
                node.operation, operands, node.options, node.given, node.type, node.kernel,
                owner, own,
            )  # fmt: skip
        return place[rule.result]

    def apply(
        self,
        name: str,
        operands: tuple[Operand, ...],
        owner: Node,
        selections: tuple[Selection, ...] = (),
        **options: Any,
    ) -> Operand:
        """One operation of the table."""
        row = ops.operation(name)
        types = tuple(map(self.type, operands))
        out, kernel, seen = row.bind(types, options, numpy_rules=True)
        return self.emit(row, operands, seen, options, out, kernel, owner, selections)

    def emit(
        self,
        operation: Operation,
        operands: tuple[Operand, ...],
        options: Mapping[str, Any],
        given: Mapping[str, Any],
        out: Type,
        kernel: Any,
        owner: Node,
        selections: tuple[Selection, ...],
    ) -> Operand:
        """A node for an operation; one that exists, or the number that it equals, if it can be."""
        number = operands and not out.shape and all(map(_is_literal_number, operands))
        if number and not self.rules.textbook:
            with np.errstate(all="ignore"):
                value = np.float64(kernel(*(o.value for o in operands)))  # type: ignore[union-attr]
            if np.isfinite(value):
                return Literal(value, "")
        key = _computed(operation, operands, options, selections)
        if key not in self.known:
            self.known[key] = self.append(
                operation, operands, options, given, out, kernel, owner, selections
            )
        return self.known[key]

    def append(
        self,
        operation: Operation | None,
        operands: tuple[Operand, ...],
        options: Mapping[str, Any],
        given: Mapping[str, Any],
        out: Type,
        kernel: Any,
        owner: Node,
        selections: tuple[Selection, ...],
    ) -> int:
        number, rank = len(self.nodes), len(out.shape)
        carries = any(isinstance(o, int) and self.nodes[o].carries for o in operands)
        aligned = (
            operation is None
            or operation.infer is not None
            or all(len(self.type(o).shape) == rank for o in operands)
        )
        self.may_fail.append(self.fails(operation, operands))
        self.nodes.append(
            Node(
                number,
                f"#{number}",
                "operation" if carries else "constant",
                operation,
                tuple(_written(o) for o in operands),
                options,
                given,
                out,
                kernel,
                aligned,
                selections,
                owner.span,
                owner.symbol_span,
            )
        )
        return number

    def type(self, operand: Operand) -> Type:
        return self.nodes[operand].type if isinstance(operand, int) else operand.type

    # --- sums and products ---

    def plus(self, a: Operand, b: Operand, owner: Node) -> Operand:
        """The sum of two parts of an accumulator, which keeps their type."""
        return self.fit(self.apply("add", (a, b), owner), self.type(a), owner)

    def times(self, delta: Operand, local: Operand, owner: Node) -> Operand:
        """Upstream times local derivative, in the output's shape."""
        if _is_number(local, 1.0):
            return delta
        if _is_number(delta, 1.0):
            return local
        if _is_number(local, -1.0):
            return self.apply("neg", (delta,), owner, owner.selections)
        return self.apply("mul", (delta, local), owner, owner.selections)

    def fit(self, operand: Operand, target: Type, owner: Node) -> Operand:
        """Sum over what was broadcast, repeat what is less than the target."""
        own = self.type(operand)
        if own == target:
            return operand
        if own.shape != target.shape:
            operand = self.reduced("sum", operand, target.shape, owner)
            if self.type(operand).shape != target.shape:
                operand = self.apply("full", (operand,), owner, shape=target.shape)
        if self.type(operand).row != target.row:
            if target.row:
                operand = self.apply("row", (self.apply("flatten", (operand,), owner),), owner)
            else:
                operand = self.apply("reshape", (operand,), owner, shape=target.shape)
        return operand

    def reduced(self, name: str, operand: Operand, shape: Shape, owner: Node) -> Operand:
        """A reduction over the axes that broadcasting gave to something of this shape."""
        own = self.type(operand).shape
        extra = len(own) - len(shape)
        if extra > 0:
            axis = tuple(range(extra))
            operand = self.apply(name, (operand,), owner, axis=axis if extra > 1 else 0)
        elif extra < 0 and own:
            operand = self.apply("reshape", (operand,), owner, shape=(1,) * -extra + own)
        own = self.type(operand).shape
        if own:
            axes = tuple(i for i, n in enumerate(shape) if n == 1 and own[i] != 1)
            if axes:
                axis = axes if len(axes) > 1 else axes[0]  # type: ignore[assignment]
                operand = self.apply(name, (operand,), owner, axis=axis, keepdims=True)
        return operand

    # --- exact zeros ---

    def fails(self, operation: Operation | None, operands: Sequence[Operand]) -> bool:
        """Whether an operation may come to infinity or nan: by itself, or by its operands."""
        if any(self.may_fail[o] if isinstance(o, int) else not _is_finite(o) for o in operands):
            return True
        if operation is None or not operation.domain:
            return False
        last = operands[-1]
        if operation.symbol in ("/", "^") and isinstance(last, Literal):
            positive = np.all(last.value > 0) and np.all(last.value == np.floor(last.value))
            return not (positive if operation.symbol == "^" else np.all(last.value != 0))
        return True

    def guarded(self, sent: Operand, counts: Operand | None, node: Node) -> Operand:
        """What is sent, and 0 where it is an exact zero times what may be infinite."""
        if counts is None or isinstance(sent, Literal) or not self.may_fail[sent]:
            return sent
        self.unguarded = not self.guards
        return self.apply("where", (counts, sent, ZERO), node) if self.guards else sent

    def reach(self, to: int, counts: Operand | None, node: Node) -> None:
        """Note which elements of an operand something was sent to."""
        if counts is not None:
            if self.guards:
                counts = self.any_over_broadcast(counts, self.graph.nodes[to].type.shape, node)
            if to in self.reached:
                before = self.reached[to]
                counts = None if before is None else self.either(before, counts, node)
        self.reached[to] = counts

    def both(self, a: Operand | None, b: Operand, node: Node) -> Operand:
        return b if a is None or not self.guards else self.apply("mul", (a, b), node)

    def either(self, a: Operand, b: Operand, node: Node) -> Operand:
        return self.apply("maximum", (a, b), node) if self.guards else a

    def is_not_zero(self, operand: Operand, node: Node) -> Operand:
        if not self.guards:  # that something is left out is all there is to know
            return ONE
        if isinstance(operand, int):
            operation = self.nodes[operand].operation
            if operation is not None and operation.group == "comparison":
                return operand
        return self.apply("not_equal", (operand, ZERO), node)

    def reached_through(
        self, rule: Formula, given: Sequence[Operand], counts: Operand | None, node: Node
    ) -> Operand:
        """What `guards.reached_through` says, in the graph."""
        assert node.operation is not None
        if not self.guards:
            return ONE
        counts = self.fit(counts or ONE, node.type, node)
        operands = [*given, counts]
        first, second, _ = rule.factors() or (0, 0, 0)
        if first != second:
            other = min(first, second)
            operands[other] = Literal(np.ones(self.type(given[other]).shape), "1")
        elif not (node.operation.selects or rule.moves):
            return self.any(counts, node)
        return self.is_not_zero(self.splice(rule, operands, node, ()), node)

    # --- what a `where` leaves out ---

    def mask(self, node: Node) -> Operand:
        """1 where a node is selected; one number for an operation on whole arrays."""
        assert node.operation is not None
        elementwise, shape = node.operation.elementwise, node.type.shape
        key = (tuple(map(id, node.selections)), shape, elementwise)
        if key not in self.masks:
            mask: Operand = ONE
            for selection in node.selections:
                test = "not_equal" if selection.chosen else "equal"
                part = self.apply(test, (selection.condition, ZERO), node)
                part = self.any_over_broadcast(part, shape, node)
                mask = part if _is_number(mask, 1.0) else self.apply("mul", (mask, part), node)
            if not elementwise and self.type(mask).shape:
                mask = self.any(mask, node)
            self.masks[key] = mask
        return self.masks[key]

    def any_over_broadcast(self, part: Operand, shape: Shape, node: Node) -> Operand:
        """An element of `shape` counts if any that it is broadcast to counts."""
        own = self.type(part).shape
        try:
            np.broadcast_shapes(own, shape)
        except ValueError:
            return self.any(part, node)
        if len(own) < len(shape):
            trailing = shape[len(shape) - len(own) :]
            if all(m == 1 or n != 1 for m, n in zip(own, trailing, strict=True)):
                return part
        return self.reduced("amax" if self.type(part).size else "sum", part, shape, node)

    def any(self, part: Operand, node: Node) -> Operand:
        """1 if any element is: the largest, or of no elements, which have none, the sum."""
        return self.apply("amax" if self.type(part).size else "sum", (part,), node)

    def as_one(self, node: Node) -> tuple[Selection, ...]:
        """The selections inside the rule of an operation on whole arrays: all of it or nothing."""
        if not node.selections:
            return ()
        if node.id not in self.scalar_selections:
            self.scalar_selections[node.id] = (Selection(chosen=True, condition=self.mask(node)),)
        return self.scalar_selections[node.id]


ONE = Literal(np.float64(1.0), "1")
ZERO = Literal(np.float64(0.0), "0")


def _is_finite(literal: Literal) -> bool:
    return bool(np.isfinite(literal.value).all())


def _is_literal_number(operand: Operand) -> bool:
    return isinstance(operand, Literal) and np.ndim(operand.value) == 0


def _is_number(operand: Operand, number: float) -> bool:
    """Whether an operand is written as this very number."""
    return isinstance(operand, Literal) and not np.ndim(operand.value) and operand.value == number


def _written(operand: Operand) -> Operand:
    """A number that was worked out gets its digits as its text."""
    if isinstance(operand, Literal) and not operand.text:
        return operand._replace(text=f"{operand.value:.17g}")
    return operand


def _computed(
    operation: Operation,
    operands: tuple[Operand, ...],
    options: Mapping[str, Any],
    selections: tuple[Selection, ...],
) -> Any:
    """What a node computes, as a key."""
    return operation, tuple(map(_key, operands)), frozen(options), tuple(map(id, selections))


def _key(operand: Operand) -> Any:
    """An operand as a part of a key: equal numbers (-0 is not 0) are one, arrays themselves."""
    if isinstance(operand, int):
        return operand
    if np.ndim(operand.value):
        return "array", id(operand.value)
    return "number", np.float64(operand.value).tobytes()
