"""Which rule is at fault where accumulators fail.

A wrong rule spoils the accumulator of its operand and, through it, every one before that. So
failing rows are gone through from the output backwards: where what the consumers have is
right, one of them sent something wrong, and is checked on its own; what lies before follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gradcli.check.clock import Clock, OutOfTimeError
from gradcli.check.local import Wrong, wrong_rules
from gradcli.check.rows import Row
from gradcli.engine.forward import written_text
from gradcli.engine.plan import Backward
from gradcli.graph.graph import Graph
from gradcli.results.result import Verdict

AT_LEAST = 20
"""This many operations are examined, even past the time limit."""


class Blame:
    """The failing rows of a run, and the rules that they come from."""

    def __init__(
        self,
        graph: Graph,
        values: Sequence[Any],
        active: Sequence[bool],
        passed: Backward,
        clock: Clock,
    ) -> None:
        self.graph, self.values, self.active, self.passed = graph, values, active, passed
        self.clock = clock
        self.known: dict[int, list[Wrong]] = {}
        self.named: dict[int, tuple[str | None, str]] = {}
        """For a failing node the operation at fault, and why it fails."""

    def wrong(self, node: int) -> list[Wrong]:
        """The wrong rules of an operation, if there is time to find them."""
        late = len(self.known) > AT_LEAST and self.clock.spent > self.clock.limit
        if node not in self.known and not late:
            operation = self.graph.operation(node)
            try:
                found = wrong_rules(self.graph, self.values, self.active, operation, self.clock)
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
            for found in failing[i].findings:
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
                    return wrong.node.operation.name, wrong.words
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
        found = row.findings[row.worst()]
        coordinate = row.checked[row.worst()]
        sent = [c for c in self.passed.contributions if c.to == i]
        if found.slope is not None:
            lacking = found.slope - float(coordinate.component(row.gradient))
            for c in sent:
                part = float(coordinate.component(np.asarray(c.value)))
                if part and abs(part - lacking) <= 1e-6 * abs(part):
                    node = self.graph.nodes[c.node]
                    name = node.operation.name if node.operation else None
                    return name, f"the contribution of {written_text(self.graph, node)} is missing"
        if row.ties:
            return row.ties[0], f"{row.ties[0]} is at its corner: the convention is not the slope"
        return None, ""
