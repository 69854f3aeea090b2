"""Arrays of few elements taken apart: derivatives as one function of numbers.

Each call of NumPy for an array of few elements takes as long as twenty operations on numbers. The
passes for derivatives come in (`rows.Rows`), and a function goes out that makes the same numbers of
the elements of the inputs, with the forward and the backward pass in it, where every operation is
elementwise, moves and adds elements, or has a form for few of them (`few` and `apart` in its row).
It gives up, for the passes over arrays to find out why, where a value that they would look at is
not finite or f is at a corner.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from gradcli.derivatives.line import Line, Pass, arrays_line, is_call, numbers_line
from gradcli.derivatives.rows import Rows
from gradcli.derivatives.sparsity import parts
from gradcli.engine.formula import compile_formula
from gradcli.engine.forward import apply
from gradcli.engine.growing import ZERO, Growing, is_literal_number, is_number, operand_key
from gradcli.engine.rules import Rules
from gradcli.graph.draft import Literal, Operand
from gradcli.graph.graph import Graph, Node, OperationNode, input_like, shown
from gradcli.ops.kernels.few import LANES
from gradcli.ops.kernels.reductions import gathered
from gradcli.ops.operation import Array, Kernel, Operation, Type, keywords
from gradcli.results.matrices import directions

NUMBER = Type(())
HALF = Literal(np.float64(0.5), "0.5")
FEW = 16
"""The most directions that get numbers of their own."""
FEW_EACH = 25
"""As many numbers are computed by operators in the time of one call for arrays, or fewer."""
CALL = 8
"""As many in the time of a call for a number."""
MOST_NUMBERS = 4000
"""The most numbers that a function computes: Python takes 40 ms to compile it."""
MOST_TRIED = 2**15
"""The most numbers, zeros among them, that are gone through to find those of the function."""
MOST_COPIED = 2**20
"""The most elements of inputs that a result keeps a copy of, to make its values when read."""
MOST_KEPT = 2**15
"""The most numbers between directions and derivatives of which some are kept for further points."""

Elements = Sequence[Operand]
"""The elements of a node, row by row."""
Moves = Sequence[tuple[Operand, Sequence[tuple[int, float]]]]


class Function(NamedTuple):
    """What a function of the inputs makes: a matrix for all directions or the way along one."""

    rows: Rows
    """The passes from values of the nodes to derivatives."""
    of: Graph
    """The graph whose inputs it takes."""
    finite: Sequence[int]
    """The nodes that must be finite at a point, and all that they are made of."""
    exact: int
    """How many nodes are computed as they are; behind them a zero leaves out what it multiplies."""
    corners: Sequence[Node] = ()
    """The nodes that must not be at a corner."""
    along: bool = False
    """Whether the direction is given, and its derivatives are wanted alone."""
    matrix: Callable[[Array], Array] | None = None
    """What makes the matrix of rows for combined directions."""
    symmetric: bool = False

    def written(self) -> Line | None:
        """The function; None where it would not be shorter than the passes."""
        graph = self.rows.graph
        needed = graph.reaching(self.finite)
        nodes = [node for node in graph.nodes if needed[node.id]]
        seen = shown((node, node.operands) for node in nodes)
        watched = [node.id for node in nodes if node.id not in seen]
        inputs = {name: self.of.nodes[i].type for name, i in self.of.input_numbers.items()}
        line = self._on_numbers(inputs, watched) or self._on_arrays(inputs, watched)
        return line if line is None or self.matrix is None else _then(line, self.matrix)

    def _run(self, watched: Iterable[int], given: Mapping[str, Any] | None = None) -> Pass:
        batched = () if self.along else self.rows.types
        return Pass(self.rows.graph, [*self.rows.held, *watched], batched, given)

    def _on_numbers(self, inputs: Mapping[str, Type], watched: Sequence[int]) -> Line | None:
        rows, units, run = self.rows, [self.rows.fixed], self._run(watched)
        if not self.along:
            if not 0 < rows.colours.number <= FEW:
                return None
            (batch,) = directions(rows.types, rows.colours, rows.width)
            each = range(rows.colours.number)
            units = [{**rows.fixed, **{n: b[k] for n, b in batch.items()}} for k in each]
        free = {**inputs, **rows.types} if self.along else inputs
        taken = _Taken(run, free, len(self.of.nodes), self.exact)
        numbers = sum(n.type.size * (len(units) if run.varies[n.id] else 1) for n in run.nodes)
        most = min(MOST_NUMBERS, FEW_EACH * sum(map(taken.calls, run.nodes)))
        if numbers > (most if len(units) == 1 else MOST_TRIED):
            return None
        wanted = taken.derivatives(units, rows.wanted, most)
        if wanted is None:
            return None
        return numbers_line(
            taken.nodes,
            [(name, t, taken.given[name]) for name, t in free.items()],
            taken.symmetric(wanted, len(units)) if self.symmetric else wanted,
            (-1,) if self.along else (len(units), -1),
            [element for i in watched for element in taken.of(i)],
            [tie for node in self.corners for tie in taken.ties(node)],
        )

    def _on_arrays(self, inputs: Mapping[str, Type], watched: Sequence[int]) -> Line | None:
        rows, given, count = self.rows, None, None
        if sum(t.size for t in inputs.values()) > MOST_COPIED:
            return None
        if not self.along:
            if rows.colours.number * rows.width > MOST_KEPT:
                return None
            (batch,) = directions(rows.types, rows.colours, rows.width)
            given, count = {**batch, **rows.fixed}, rows.colours.number
        ties = [(_tie(node), node.operands) for node in self.corners]
        run = self._run(watched, given)
        return arrays_line(
            run, inputs, rows.wanted, watched, ties, count=count, symmetric=self.symmetric
        )


def _then(line: Line, matrix: Callable[[Array], Array]) -> Line:
    def both(given: Mapping[str, Any]) -> tuple[Array, Sequence[float]] | None:
        found = line(given)
        return None if found is None else (matrix(found[0]), found[1])

    return both


def _tie(node: Node) -> Callable[..., Any]:
    """What says whether a node is at a corner, of its operands."""
    assert node.operation is not None
    assert node.operation.tie is not None
    return partial(node.operation.tie, **keywords(node.kernel))


def _literals(value: Any) -> Elements:
    return [Literal(element, "") for element in np.ravel(value)]


class _Taken(Growing):
    """The elements of the nodes of a pass; those of the `free` inputs are inputs, in order."""

    def __init__(self, run: Pass, free: Mapping[str, Type], first: int, exact: int) -> None:
        super().__init__(Graph(run.graph.source, (), 0))
        self.run, self.whole, self.first, self.exact = run, run.graph, first, exact
        self.rules = Rules(run.graph)
        self.moves: dict[int, Moves | None] = {}
        self.opened: dict[int, tuple[_Taken, int]] = {}
        """For a node that is taken apart by a formula, the formula's nodes and its result."""
        self.elements: dict[int, Elements] = {i: _literals(v) for i, v in run.constants.items()}
        self.now = 0
        """The node that is taken apart."""
        like = self.whole.nodes[self.whole.output]
        self.given: dict[str, Elements] = {}
        for name, t in free.items():
            places = range(len(self.nodes), len(self.nodes) + t.size)
            for i in places:
                self.add(input_like(like, i, f"{name}, {i}", NUMBER), may_fail=False)
            self.given[name] = places
            if name in run.inputs:
                self.elements[run.inputs[name]] = self.given[name]

    def derivatives(
        self,
        units: Sequence[Mapping[str, Any]],
        wanted: Sequence[tuple[int | None, Type]],
        most: int,
    ) -> list[Operand] | None:
        """The `wanted` elements of all units behind each other; a unit has values for directions.

        None for what can't be taken apart, and where it takes longer than `most` operators.
        """
        run, found = self.run, list[Operand]()
        for unit in units:
            for name, i in run.inputs.items():
                if name in unit:
                    self.elements[i] = _literals(unit[name])
            for node in run.nodes:
                if node.id in self.elements and not run.varies[node.id]:
                    continue
                self.now = node.id
                made = self.made(node)
                if made is None or len(self.nodes) > most:
                    return None
                self.elements[node.id] = made
            for place, t in wanted:
                found += [ZERO] * t.size if place is None else self.elements[place]
        calls = sum(map(is_call, self.nodes))
        return found if len(self.nodes) + (CALL - 1) * calls <= most else None

    def made(self, node: Node) -> Elements | None:
        """The elements of a node, from those of its operands."""
        if not isinstance(node, OperationNode):
            return self.of(node.operands[0])
        if node.operation.few is not None:
            return self.in_lines(node, node.operation.few)
        if node.operation.apart:
            return self.by_formula(node)
        if not node.operation.elementwise:
            return self.moved(node)
        row, columns = node.operation, self.columns(node)
        types = (NUMBER,) * len(node.operands)
        out, kernel, options = row.bind(types, node.options, numpy_rules=True)
        return [
            self.emit(row, operands, options, node.given, out, kernel, node, ())
            for operands in columns
        ]

    def in_lines(self, node: OperationNode, few: Kernel) -> Elements:
        """An operation along axes, on the numbers of each line by itself."""
        shape, options = self.whole.operand_type(node.operands[0]).shape, {**keywords(node.kernel)}
        axis, _ = options.pop("axis"), options.pop("keepdims", None)
        places = gathered(np.arange(math.prod(shape)).reshape(shape), axis)
        *others, length = places.shape
        lines = places.reshape(math.prod(others), length).tolist()  # -1 is not for empty ones
        kernel = partial(few, **options) if options else few
        made, operands = dict[int, Operand](), [self.of(o) for o in node.operands]
        for k, line in enumerate(lines):
            numbers = tuple(elements[i] for elements in operands for i in line)
            out = NUMBER if node.operation.is_reduction else Type((length,))
            found = self.emit(
                node.operation, numbers, node.options, node.given, out, kernel, node, ()
            )
            if node.operation.is_reduction:
                made[k] = found
            else:
                made |= {
                    i: self.apply("index", (found,), node, items=(j,)) for j, i in enumerate(line)
                }
        return [made[i] for i in range(node.type.size)]

    def by_formula(self, node: OperationNode) -> Elements | None:
        """An operation that is a formula of others, each of which is taken apart."""
        inner, result = self.formula(node)
        inner.now, operands = self.now, node.operands
        inner.elements = {i: self.of(operand) for i, operand in enumerate(operands)}
        for each in inner.whole.nodes[len(operands) :]:
            made = inner.made(each)
            if made is None:
                return None
            inner.elements[each.id] = made
        return inner.elements[result]

    def formula(self, node: OperationNode) -> tuple[_Taken, int]:
        """What takes a formula's nodes apart, and which of them is the result."""
        if node.id not in self.opened:
            site, row = self.whole.site(node), node.operation
            (text,) = row.apart if isinstance(row.apart, tuple) else row.apart(site)
            names = row.operand_names(len(site.types))
            formula = compile_formula(text, names, site.types, dict(node.options))
            inner = copy(self)  # the numbers are behind each other in one list
            inner.whole, inner.rules = formula.graph, Rules(formula.graph)
            inner.moves, inner.opened = {}, {}
            self.opened[node.id] = inner, formula.result
        return self.opened[node.id]

    def calls(self, node: Node) -> int:
        """How many operations on arrays a node is."""
        if not isinstance(node, OperationNode) or not node.operation.apart:
            return 1
        return len(self.formula(node)[0].whole.nodes) - len(node.operands)

    def ties(self, node: Node) -> Iterator[tuple[Callable[..., Any], Sequence[Operand]]]:
        """What says whether a node is at a corner, with the numbers that it is a function of."""
        tie = _tie(node)
        if node.operation is not None and node.operation.elementwise:
            yield from ((tie, found) for found in self.columns(node))
        else:
            (operand,) = node.operands
            shape = self.whole.operand_type(operand).shape
            yield lambda *numbers: tie(np.array(numbers).reshape(shape)).any(), self.of(operand)

    def symmetric(self, matrix: Sequence[Operand], count: int) -> list[Operand]:
        """The mean of a matrix and its transpose, which differ by rounding."""
        owner, made = self.whole.nodes[self.whole.output], [*matrix]
        for i in range(count):
            for j in range(i):
                one, other = matrix[i * count + j], matrix[j * count + i]
                if operand_key(one) != operand_key(other):
                    total = self.apply("add", (one, other), owner)
                    made[i * count + j] = made[j * count + i] = self.apply(
                        "mul", (total, HALF), owner
                    )
        return made

    def emit(
        self, operation: Operation, operands: tuple[Operand, ...], *more: Any, **named: Any
    ) -> Operand:
        """In derivatives a sum, difference or product with an exact 0 or 1 needs no node."""
        if self.now >= self.first:
            numbers = tuple(o.value if is_literal_number(o) else None for o in operands)
            match operation.symbol, numbers:
                case "*", (0.0, _) | (_, 0.0) if self.now >= self.exact:
                    return ZERO
                case ("*", (1.0, _)) | ("+", (0.0, _)):
                    return operands[1]
                case ("*", (_, 1.0)) | ("+" | "-", (_, 0.0)):
                    return operands[0]
        return super().emit(operation, operands, *more, **named)

    def of(self, operand: Operand) -> Elements:
        """The elements of an operand."""
        return _literals(operand.value) if isinstance(operand, Literal) else self.elements[operand]

    def columns(self, node: Node) -> Iterator[tuple[Operand, ...]]:
        """The operands of each element of an elementwise node."""
        spread: list[Elements] = []
        for operand in node.operands:
            elements, t = self.of(operand), self.whole.operand_type(operand)
            if t.size == 1:
                elements = [*elements] * node.type.size
            elif t.shape != node.type.shape:
                places = np.arange(t.size).reshape(t.shape)
                elements = [
                    elements[i] for i in np.broadcast_to(places, node.type.shape).ravel().tolist()
                ]
            spread.append(elements)
        return zip(*spread, strict=True)

    def moved(self, node: OperationNode) -> Elements | None:
        """An operation that moves elements, adds and subtracts them; None for another."""
        given = [e for o in node.operands if isinstance(o, int) for e in self.of(o)]
        if node.id not in self.moves:
            self.moves[node.id] = self.found_moves(node, len(given))
        moves = self.moves[node.id]
        if moves is None:
            return None
        return [self.summed(start, terms, given, node) for start, terms in moves]

    def found_moves(self, node: OperationNode, count: int) -> Moves | None:
        """For each element of the output a number, and which operands' elements are added to it."""
        own = [k for k, o in enumerate(node.operands) if isinstance(o, int)]
        if not all(self.rules.of(node, k).moves for k in own):
            return None
        rows = np.vstack([np.zeros(count), np.eye(count)])
        made = apply(self.whole, node, parts(self.whole, node, rows, numbers=True))
        made = np.reshape(made, (count + 1, node.type.size))
        constant, units = made[0], made[1:] - made[0]
        if not np.isin(units, (-1, 0, 1)).all():
            return None
        terms = [[(k, column[k]) for k in np.flatnonzero(column).tolist()] for column in units.T]
        return list(zip(_literals(constant), terms, strict=True))

    def summed(
        self,
        start: Operand,
        terms: Sequence[tuple[int, float]],
        given: Elements,
        node: OperationNode,
    ) -> Operand:
        """A sum of what is `given`, in NumPy's order; what has a negative sign is subtracted."""
        total, parts = start, [(given[k], sign) for k, sign in terms]
        if _in_lanes(node, terms):
            lanes, end = [part for part, _ in parts[:LANES]], len(parts) // LANES * LANES
            for k in range(LANES, end):
                lanes[k % LANES] = self.apply("add", (lanes[k % LANES], parts[k][0]), node)
            while len(lanes) > 1:
                pairs = zip(lanes[::2], lanes[1::2], strict=True)
                lanes = [self.apply("add", pair, node) for pair in pairs]
            parts = [(lanes[0], 1.0), *parts[end:]]
        for element, sign in parts:
            if is_number(total, 0.0):
                total = element if sign > 0 else self.apply("neg", (element,), node)
            else:
                total = self.apply("add" if sign > 0 else "sub", (total, element), node)
        return total


def _in_lanes(node: OperationNode, terms: Sequence[tuple[int, float]]) -> bool:
    """Whether terms lie one behind the other and NumPy adds up several sums of them at once."""
    kernel, count = node.kernel, len(terms)
    if count < LANES or not isinstance(kernel, partial) or kernel.func != np.add.reduce:
        return False
    return all(term == (k, 1.0) for k, term in enumerate(terms, terms[0][0]))
