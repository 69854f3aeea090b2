"""Whose rule is wrong where accumulators fail, and how.

An operation at its place in a program is a program too: its operands are inputs, itself the
output. So a local derivative is checked by the same method as everything else. What is
found wrong is then compared with the usual mistakes: a factor, the sign, another operand's
derivative, a transpose, a term left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from gradcli.check.clock import Clock, OutOfTimeError
from gradcli.check.finding import Finding
from gradcli.check.function import Point
from gradcli.check.jitter import uniform
from gradcli.check.rows import Row
from gradcli.check.special import OUTSIDE
from gradcli.check.wording import distinct
from gradcli.check.workbench import Bench
from gradcli.engine.backward import backward
from gradcli.engine.forward import fill_in, operand_values, written_text
from gradcli.engine.rules import Rules
from gradcli.graph.graph import Graph, Node, OperationNode, input_like
from gradcli.results.result import Verdict

CLOSE = 1e-6
"""Two numbers that are to be recognised as the same agree to this, relatively."""

AT_LEAST = 20
"""This many operations are examined, even past the time limit."""


class Wrong(NamedTuple):
    """A derivative rule that is wrong, and how: `block sq: d/du has the wrong sign`."""

    operand: int
    words: str


class Alone:
    """An operation taken out of its program, with its operands as inputs."""

    def __init__(self, point: Point, node: OperationNode, clock: Clock | None = None) -> None:
        self.node, graph, given = node, point.graph, operand_values(node, point.values)
        names = node.operation.operand_names(len(node.operands))
        operands: list[Any] = []
        inputs: list[Node] = []
        self.values: list[Any] = []
        self.places: dict[int, int] = {}
        """Which operand each input is."""
        for i, (o, value) in enumerate(zip(node.operands, given, strict=True)):
            if isinstance(o, int):
                self.places[len(inputs)] = i
                operands.append(len(inputs))
                inputs.append(input_like(node, len(inputs), names[i], graph.operand_type(o)))
                self.values.append(value)
            else:
                operands.append(o)
        end = len(inputs)
        only = node.moved(id=end, operands=tuple(operands), selections=())
        self.graph = Graph(graph.source, (*inputs, only), end)
        self.values.append(point.values[node.id])
        size = node.type.size
        weights = 1.0 + uniform(7, size).reshape(node.type.shape) / 2
        # A rule for whole arrays may have forgotten its `delta`: 1 would not show it.
        weight = np.float64(1.0 if node.operation.elementwise else 1.5)
        self.upstream: Any = weights if node.type.shape else weight
        active = [True] * (end + 1)
        passed = backward(self.graph, self.values, active, self.upstream, allow_nonfinite=True)
        self.accumulators, rules = passed.accumulators, Rules(self.graph)
        alone = Point(self.graph, self.values, passed, active, self.upstream, rules)
        self.bench = Bench(alone, clock=clock)

    def wrong(self, wanted: Sequence[bool]) -> Iterator[Wrong]:
        """The operands (of those that are `wanted`) whose rule is wrong."""
        rows = {}
        for place, i in self.places.items():
            gradient = self.accumulators[place]
            if wanted[i] and gradient is not None:
                node, value = self.graph.nodes[place], self.values[place]
                row = Row(node, value, gradient, every_element=False, seed=0)
                coordinates = [c for c in row.coordinates() if np.isfinite(c.x)]
                alone = bool(coordinates) and self.bench.large(coordinates[0])
                for part in [[c] for c in coordinates] if alone else [coordinates]:
                    for c, found in zip(part, self.bench.examine(part), strict=True):
                        if found is None:
                            raise OutOfTimeError
                        row.found.append((c, found))
                rows[place] = row
        operation = self.node.operation
        for place, row in rows.items():
            if not any(self._convicts(row, f) for _, f in row.found):
                continue
            name = self.graph.nodes[place].name
            rule = f"{operation.name}: the rule for {name}"
            if operation.group == "block":
                of = "d/d" if operation.elementwise else "delta_"
                rule = f"block {operation.name}: {of}{name}"
            others = {self.graph.nodes[p].name: r for p, r in rows.items() if p != place}
            words = f"{rule} {self._mistake(place, row, others)}"
            yield Wrong(self.places[place], words)

    def _convicts(self, row: Row, finding: Finding) -> bool:
        """Whether a finding shows the rule to be wrong; of a block's own rule more is asked."""
        if finding.verdict is Verdict.FAIL or self.node.operation.body is None:
            return finding.verdict is Verdict.FAIL
        infinite = not np.all(np.isfinite(row.gradient)) and finding.slope is not None
        return infinite or finding.reason == OUTSIDE

    def _mistake(self, place: int, row: Row, others: dict[str, Row]) -> str:
        """What is wrong with a rule, as far as that can be told."""
        given, true = _numbers(row)
        if any(finding.reason == OUTSIDE for _, finding in row.found):
            return "lies outside of the slopes on both sides"
        if given.size == 0 or not np.all(np.isfinite(given)):
            return "is not finite"
        shown = ""
        if given.size == 1:
            slope, gradient = distinct(float(true[0]), float(given[0]))
            shown = f" ({gradient}, slope {slope})"
        factor = _factor(given, true)
        if factor == -1:
            return f"has the wrong sign{shown}"
        for name, other in others.items():
            _, by_other = _numbers(other)
            if by_other.shape == true.shape and _same(given, by_other):
                return f"is the derivative by {name}{shown}"
        value = np.asarray(self.values[place])
        square = value.ndim == 2 and value.shape[0] == value.shape[1]
        if square and given.size == value.size > 1:
            as_matrices = given.reshape(value.shape), true.reshape(value.shape)
            if _same(as_matrices[0].T, as_matrices[1]):
                return "is transposed"
        missing = self._missing_term(place, given, true)
        if missing:
            return f"misses {missing}{shown}"
        if factor is not None:
            return f"is {factor} of what it should be{shown}"
        if given.size > 1:
            off = float(np.max(np.abs(given - true)) / (np.max(np.abs(true)) or 1.0))
            shown = f" by {off:.1e} of its largest element"
        return f"is wrong{shown}"

    def _missing_term(self, place: int, given: Any, true: Any) -> str | None:
        """The path through a block's body that a rule leaves out, if that explains it."""
        operation = self.node.operation
        if operation.body is None:
            return None
        types = tuple(self.graph.operand_type(o) for o in self.graph.nodes[-1].operands)
        body, result = operation.body(types)
        operands = operand_values(self.graph.nodes[-1], self.values)
        values = fill_in(body, [*operands, *[None] * (len(body.nodes) - len(operands))])
        graph = Graph(body.source, body.nodes, result)
        inside = self.places[place]
        active = graph.dependent({inside})
        passed = backward(graph, values, active, self.upstream, allow_nonfinite=True)
        for c in passed.contributions:
            if c.to != inside:
                continue
            part = np.ravel(np.asarray(c.value))
            if part.size == true.size and np.any(part) and _same(given + part, true):
                return f"the part through {written_text(graph, graph.nodes[c.node])}"
        return None


def _numbers(row: Row) -> tuple[Any, Any]:
    """What the rule gives and what the slopes are, variable by variable."""
    pairs = [
        (float(c.component(row.gradient)), f.slope) for c, f in row.found if f.slope is not None
    ]
    return np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])


def _same(a: Any, b: Any) -> bool:
    size = float(np.max(np.abs(b), initial=0.0))
    return bool(size > 0 and np.all(np.abs(a - b) <= CLOSE * size))


def _factor(given: Any, true: Any) -> Fraction | None:
    """The simple fraction by which everything is off, if there is one."""
    k = int(np.argmax(np.abs(true)))
    if true[k] == 0 or not np.isfinite(given[k] / true[k]):
        return None
    factor = Fraction(float(given[k] / true[k])).limit_denominator(16)
    simple = factor != 1 and 0 < abs(factor.numerator) <= 1000
    return factor if simple and _same(given, float(factor) * true) else None


def wrong_rules(point: Point, node: OperationNode, clock: Clock | None = None) -> list[Wrong]:
    """The wrong rules of an operation where it stands in the program.

    Raises `OutOfTimeError` where it is large and the `clock` does not allow it.
    """
    values = point.values
    if not all(np.all(np.isfinite(v)) for v in (*operand_values(node, values), values[node.id])):
        return []
    wanted = [isinstance(o, int) and point.active[o] for o in node.operands]
    with np.errstate(all="ignore"):
        return list(Alone(point, node, clock).wrong(wanted))


class Blame:
    """The failing rows of a run, and the rules that they come from.

    A wrong rule spoils the accumulator of its operand and, through it, every one before that. So
    failing rows are gone through from the output backwards: where what the consumers have is
    right, one of them sent something wrong, and is checked on its own; what lies before follows.
    """

    def __init__(self, point: Point, clock: Clock) -> None:
        self.point, self.graph, self.clock = point, point.graph, clock
        self.known: dict[int, list[Wrong]] = {}
        self.named: dict[int, tuple[str | None, str]] = {}
        """For a failing node the operation at fault, and why it fails."""

    def wrong(self, node: int) -> list[Wrong]:
        """The wrong rules of an operation, if there is time to find them."""
        late = len(self.known) > AT_LEAST and self.clock.spent > self.clock.limit
        if node not in self.known and not late:
            try:
                found = wrong_rules(self.point, self.graph.operation(node), self.clock)
            except OutOfTimeError:
                found = []
            self.known[node] = found
        return self.known.get(node, [])

    def explain(self, rows: Sequence[Row]) -> None:
        """Give every failing row its reason, as far as one is found."""
        failing = {row.node.id: row for row in rows if row.fails}
        for i in sorted(failing, reverse=True):
            operation, reason = self._reason(failing[i], failing)
            self.named[i] = operation, reason
            for _, found in failing[i].found:
                if found.verdict is Verdict.FAIL and reason:
                    found.operation, found.reason = operation, reason

    def rules_of_blocks(self, rows: Sequence[Row]) -> Iterator[str]:
        """The wrong rules of blocks behind rows that do not fail: zero times wrong is zero."""
        by_node = {row.node.id: row for row in rows if not row.fails}
        for node in self.graph.nodes:
            if node.operation is None or node.operation.body is None:
                continue
            if self.clock.spent > self.clock.limit:
                return
            for wrong in self.wrong(node.id):
                operand = node.operands[wrong.operand]
                if isinstance(operand, int) and operand in by_node:
                    by_node[operand].remark = wrong.words
                    yield wrong.words

    def _reason(self, row: Row, failing: dict[int, Row]) -> tuple[str | None, str]:
        """The operation at fault and what is wrong, for one failing row."""
        i = row.node.id
        users = self.graph.consumers[i]
        for user in users:
            for wrong in self.wrong(user):
                if self.graph.nodes[user].operands[wrong.operand] == i:
                    return self.graph.operation(user).operation.name, wrong.words
        for user in users:
            if user in failing:
                operation, reason = self.named[user]
                name = self.graph.nodes[user].name
                first = reason if reason.startswith("because of") else f"because of {name}"
                return operation, first
        return self._contributions(row)

    def _contributions(self, row: Row) -> tuple[str | None, str]:
        """Rules are right and the sum is not: a contribution is missing, or a tie decides."""
        i = row.node.id
        coordinate, found = row.worst()
        sent = [c for c in self.point.passed.contributions if c.to == i]
        if found.slope is not None:
            lacking = found.slope - self.point.gradient(coordinate)
            for c in sent:
                part = float(coordinate.component(np.asarray(c.value)))
                if part and abs(part - lacking) <= 1e-6 * abs(part):
                    node = self.graph.nodes[c.node]
                    name = node.operation.name if node.operation else None
                    return name, f"the contribution of {written_text(self.graph, node)} is missing"
        if row.ties:
            return row.ties[0], f"{row.ties[0]} is at its corner: the convention is not the slope"
        return None, ""
