"""What an evaluation found out, complete and unchangeable. Reports read this and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, NamedTuple

from gradcli.diagnostics.equality import by_value
from gradcli.diagnostics.error import expect_choice
from gradcli.engine.backward import local_derivative
from gradcli.engine.notation import expression, rule
from gradcli.engine.plan import Contribution
from gradcli.engine.rules import Rules
from gradcli.graph.graph import Graph, Node
from gradcli.results.display import InNotebook, display


class Verdict(StrEnum):
    """What the finite-difference check says of one accumulator (docs/checking.md)."""

    PASS = "pass"  # noqa: S105 - no password
    ZERO = "zero"
    FAIL = "fail"
    KINK = "kink"
    JUMP = "jump"
    EDGE = "edge"
    OVERFLOW = "overflow"
    INCONCLUSIVE = "inconclusive"


@by_value
class Check(NamedTuple):
    """The check of one accumulator against the slope of the output.

    For an array checked element by element `finite_difference` has the array's shape and the
    other fields speak of its worst element, whose place is `element` and whose slope is
    `slope`; for one checked along random directions it is None. `left` and `right` are one-sided
    slopes at a kink or an edge, `operation` the operation at fault, `reason` the verdict in a
    few words. `exact` and `ulps` are the second opinion, where it was taken: the derivative at
    50 digits, and how far the accumulator is from it in units in the last place.
    """

    verdict: Verdict
    finite_difference: Any = None
    error_estimate: float | None = None
    digits: float | None = None
    left: float | None = None
    right: float | None = None
    operation: str | None = None
    reason: str = ""
    slope: float | None = None
    element: tuple[int, ...] | None = None
    exact: float | None = None
    ulps: float | None = None


def overall(checks: Iterable[Check | None], complete: bool) -> str:  # noqa: FBT001 - one of two
    """`fail` if a check fails, `pass` if all are complete and pass or zero, else `partial`."""
    found = {None if check is None else check.verdict for check in checks}
    if Verdict.FAIL in found:
        return "fail"
    return "pass" if complete and found <= {Verdict.PASS, Verdict.ZERO} else "partial"


@by_value
class Checks(NamedTuple):
    """The checks by node number, and how many rows there was no time for.

    `local` says for how many operations the local derivative was checked on its own; None where
    all rows fit into the budget.
    `rules` says what is wrong with rules of the program's own blocks although no row shows it.
    `in_part` of the rows are arrays of which only some elements have been checked.
    """

    rows: Mapping[int, Check]
    omitted: int = 0
    local: int | None = None
    rules: tuple[str, ...] = ()
    in_part: int = 0


@by_value
class Row(NamedTuple):
    """A node as reports show it."""

    node: Node
    step: int | None
    """(1) … (n) for operations."""
    expression: str
    value: Any
    delta: Any
    """The accumulator; None for constants and nodes that no wanted input reaches."""
    check: Check | None


@by_value
class Line(NamedTuple):
    """A contribution as reports show it: one line of the backward pass."""

    step: int
    node: str
    to: str
    local: str | None
    """The local derivative as text, and its value; both None for a rule on whole arrays."""
    local_value: Any
    rule: str | None
    contribution: Contribution
    upstream: Any


@by_value
@dataclass(frozen=True)
class Result(InNotebook):
    """Values, accumulators, contributions and checks of one evaluation.

    `values` and `accumulators` have an entry per node of `graph`, in forward order; an
    accumulator is None where none was asked for. `checks` is None if no check was run, and
    `contributions` is empty if no gradient was asked for. `rules` are those of the graph's
    operations, as the run had them.
    """

    program: str
    graph: Graph
    values: tuple[Any, ...]
    accumulators: tuple[Any, ...]
    contributions: Sequence[Contribution]
    upstream: Any
    checks: Checks | None = None
    rules: Rules = field(kw_only=True, compare=False, repr=False)

    @property
    def output(self) -> Node:
        """The output node of the program."""
        return self.graph.nodes[self.graph.output]

    @property
    def value(self) -> Any:
        """The output's value: a float64, or an array of them."""
        return self.values[self.graph.output]

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """The inputs' values by name, in order of first appearance."""
        return {self.graph.nodes[i].name: self.values[i] for i in self.graph.inputs}

    @cached_property
    def gradient(self) -> dict[str, Any]:
        """∂output/∂input by name, each in the shape of its input; only those asked for."""
        return {
            self.graph.nodes[i].name: self.accumulators[i]
            for i in self.graph.inputs
            if self.accumulators[i] is not None
        }

    def __str__(self) -> str:
        """The table of `gradcli eval`."""
        shown = display()
        return repr(self) if shown is None else shown.text(self)

    def trace(self, by: Literal["operation", "statement"] = "operation") -> Any:
        """Both passes step by step: a page in a notebook, the listing where it is printed.

        `.save("page.html")` writes the page to a file. Raises `GradcliError` of kind option for
        another `by`.
        """
        expect_choice("by", by, ("operation", "statement"))
        shown = display()
        return None if shown is None else shown.trace(self, by)

    def __getitem__(self, name: str) -> Row:
        """The row of a node by its name. Raises `KeyError` if there is none."""
        for node in self.graph.nodes:
            if node.name == name:
                return self._row(node)
        raise KeyError(name)

    def rows(self) -> Iterator[Row]:
        """A row per node: the inputs, then everything else in forward order."""
        return map(self._row, self.graph.nodes)

    def _row(self, node: Node) -> Row:
        return Row(
            node,
            self.graph.steps.get(node.id),
            expression(self.graph, node),
            self.values[node.id],
            self.accumulators[node.id],
            self.checks.rows.get(node.id) if self.checks else None,
        )

    def lines(self) -> Iterator[Line]:
        """The backward pass line by line."""
        nodes, steps = self.graph.nodes, self.graph.steps
        for contribution in self.contributions:
            node = self.graph.operation(contribution.node)
            text = rule(self.graph, node, contribution.operand)
            whole = not node.operation.elementwise
            yield Line(
                steps[node.id],
                node.name,
                nodes[contribution.to].name,
                None if whole else text,
                local_derivative(self.rules, self.values, contribution),
                text if whole else None,
                contribution,
                self.accumulators[node.id],
            )

    @cached_property
    def verdict(self) -> str | None:
        """`fail` if a row fails, `pass` if all are pass or zero, else `partial`; None unchecked."""
        if self.checks is None:
            return None
        complete = not self.checks.omitted and not self.checks.in_part
        return "fail" if self.checks.rules else overall(self.checks.rows.values(), complete)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many rows got each verdict, the most frequent first."""
        rows = self.checks.rows.values() if self.checks else ()
        return dict(Counter(str(check.verdict) for check in rows).most_common())

    @cached_property
    def worst(self) -> tuple[str, float] | None:
        """The passing row with the fewest agreeing digits: its node and how many."""
        rows = self.checks.rows if self.checks else {}
        passing = ((c.digits, i) for i, c in rows.items() if c.verdict is Verdict.PASS)
        digits = [(digits, i) for digits, i in passing if digits is not None]
        if not digits:
            return None
        fewest, node = min(digits)
        return self.graph.nodes[node].name, fewest
