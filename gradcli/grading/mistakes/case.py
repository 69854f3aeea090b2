"""A row of the backward pass as it should be, and how it can be made wrong.

A `Case` is one accumulator with the parts that it adds up. A `Slip` is what comes out of a
mistake: the wrong number, and the lines that one would write. The rules of `mistakes` make slips
of cases with the few tools that stand here, so that every wrong number has its wrong line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.engine.notation import formula_tree, rule_tree
from gradcli.engine.plan import reduce_to
from gradcli.grading.model.deadline import NEVER, Deadline
from gradcli.grading.model.flow import Flow, Key, Part
from gradcli.grading.model.stage import Alterations, Backward, Place
from gradcli.graph.graph import Node, OperationNode
from gradcli.syntax.printer import print_tree
from gradcli.trace.steps import product


class Term(NamedTuple):
    """A part as a value and as it is written: `delta_c * 2*x`."""

    value: Any
    text: str


class Slip(NamedTuple):
    """A wrong accumulator: its value, the lines that make it, and where it went wrong."""

    value: Any
    written: tuple[str, ...] | Callable[[], tuple[str, ...]]
    """The lines, or what writes them: most slips are never shown."""
    consumer: Key | None = None
    """The operation whose part is wrong; None where it is the whole row."""
    message: str | None = None
    """What to say of it, where the table's own sentence says too little."""
    implied: tuple[Key, Any] | None = None
    """Another accumulator that it takes to be what it is not."""
    key: Any = None
    """What tells it from others of its mistake, at every point; None where its lines do."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The wrong lines; none where it is not written in lines."""
        return self.written() if callable(self.written) else self.written


Slips: TypeAlias = Iterator[Slip]


@dataclass(frozen=True)
class Case:
    """One accumulator, made of its parts."""

    flow: Flow
    key: Key
    parts: Mapping[Key, Sequence[Part]]
    """The parts of every variable, in the order of the backward pass."""
    follows: Mapping[Key, Any]
    """The accumulators that are passed on: as handed in, else as they follow."""
    eta: float | None = None
    """The step of gradient descent, where updated weights may have been used."""
    deadline: Deadline = NEVER
    """When looking for mistakes has to end."""

    @cached_property
    def own(self) -> Sequence[Part]:
        """The parts of this accumulator."""
        return self.parts.get(self.key, ())

    @cached_property
    def consumers(self) -> tuple[Key, ...]:
        """What uses the variable, in the order of the backward pass."""
        return tuple(self.sent_by)

    @cached_property
    def sent_by(self) -> Mapping[Key, Sequence[int]]:
        """Which of the parts each consumer sends."""
        found: dict[Key, list[int]] = {}
        for i, part in enumerate(self.own):
            found.setdefault(part.consumer, []).append(i)
        return found

    @cached_property
    def forked(self) -> tuple[Key, ...]:
        """The consumers that use the variable more than once, as `x*x` does."""
        return tuple(key for key, sent in self.sent_by.items() if len(sent) > 1)

    @cached_property
    def whole(self) -> Case:
        """The same accumulator with one part for each consumer."""
        parts: dict[Key, Part] = {}
        for part in self.own:
            before = parts.get(part.consumer)
            if before is None:
                parts[part.consumer] = part
            else:
                value, raw = before.value + part.value, before.value + part.value
                parts[part.consumer] = replace(before, value=value, raw=raw)
        return replace(self, parts={**self.parts, self.key: list(parts.values())})

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The right parts."""
        return tuple(Term(part.value, self.text(part)) for part in self.own)

    @cached_property
    def total(self) -> Any:
        """The right accumulator."""
        return total(self.terms)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the variable."""
        return np.shape(self.flow.values[self.key])

    def node(self, part: Part) -> Node:
        """The operation that sends a part."""
        return self.flow.stages[part.consumer].graph.nodes[part.node]

    # --- how it is written ---

    def text(self, part: Part, formula: str | None = None, upstream: bool = True) -> str:  # noqa: FBT001, FBT002
        """A part as it is written, with another formula if one is given."""
        stage = self.flow.stages[part.consumer]
        node = stage.graph.nodes[part.node]
        if node.operation is None:
            return f"delta_{self.flow.name(part.consumer)}"
        tree = (
            rule_tree(stage.graph, node, part.operand)
            if formula is None
            else formula_tree(stage.graph, node, formula)
        )
        if not node.operation.elementwise:
            return print_tree(tree, spaced=False)
        starts = part.consumer == self.flow.output and np.all(self.follows[part.consumer] == 1)
        name = None if starts or not upstream else f"delta_{self.flow.name(part.consumer)}"
        return product(name, tree)

    def lines(self, texts: Iterable[str], overwritten: int | None = None) -> tuple[str, ...]:
        """The lines that add up; line number `overwritten` has `=` for `+=`."""
        name = self.flow.name(self.key)
        return tuple(
            f"delta_{name} {'=' if i in (0, overwritten) else '+='} {text}"
            for i, text in enumerate(texts)
        )

    # --- how it is made wrong ---

    def slip(self, terms: Iterable[Term], consumer: Key | None = None) -> Slip:
        """The accumulator with other terms."""
        self.deadline.check_naming()
        terms = tuple(terms)
        texts = tuple([term.text for term in terms])
        return Slip(total(terms), lambda: self.lines(texts), consumer, key=texts)

    def without(self, i: int) -> tuple[Term, ...]:
        """The right terms but one."""
        return (*self.terms[:i], *self.terms[i + 1 :])

    def changed(self, i: int, term: Term) -> Slip:
        """The accumulator with one term changed."""
        terms = (*self.terms[:i], term, *self.terms[i + 1 :])
        return self.slip(terms, self.own[i].consumer)

    def replaced(self, consumer: Key, term: Term) -> Slip:
        """The accumulator with one term for all that a consumer sends."""
        terms = list(self.terms)
        for n, i in reversed([*enumerate(self.sent_by.get(consumer, ()))]):
            terms[i : i + 1] = [] if n else [term]
        return self.slip(terms, consumer)

    def local_only(self, part: Part) -> Term | None:
        """The local derivative without the upstream, for an elementwise operation."""
        operation = self.node(part).operation
        if operation is None or not operation.elementwise:
            return None
        local = self.locals(part.consumer).get((part.node, part.operand))
        return None if local is None else Term(local, self.text(part, upstream=False))

    def upstream_only(self, part: Part) -> Term | None:
        """The upstream passed on without the local derivative, if its shape allows."""
        upstream = self.follows[part.consumer]
        try:
            value = reduce_to(np.asarray(upstream), self.shape)
        except ValueError:
            return None
        name = f"delta_{self.flow.name(part.consumer)}"
        return Term(value, name) if np.shape(value) == self.shape else None

    def with_inner_rule(
        self, consumer: Key, place: tuple[int, int], formula: str, i: int | None = None
    ) -> Slip | None:
        """The accumulator with another rule for one operation of a consumer's statement.

        None if that can't be computed. `i` is the part that the operation sends, if it does.
        """
        found = self.altered(consumer, place, formula)
        shape = self.shape
        if found is None or any(np.shape(value) != shape for value in found.values()):
            return None
        terms = list(self.terms)
        for j, value in found.items():
            text = self.text(self.own[j], formula) if j == i else terms[j].text
            terms[j] = Term(value, text)
        return self.slip(terms, consumer)

    def sent(
        self, consumer: Key, upstream: Any, alter: Alterations | None = None
    ) -> Sequence[Part]:
        """What a consumer would send to this variable; nothing where shapes do not fit."""
        self.deadline.check_naming()
        try:
            return self.flow.sent(consumer, upstream, alter=alter).get(self.key, ())
        except (GradcliError, ValueError, IndexError):
            return ()

    @cached_property
    def _passes(self) -> dict[Key, Backward]:
        """The backward passes of consumers that were asked for so far."""
        return {}

    @cached_property
    def _locals(self) -> dict[Key, dict[Place, Any]]:
        """The answers of `locals` so far."""
        return {}

    def locals(self, consumer: Key) -> Mapping[Place, Any]:
        """What a consumer sends to this variable from an upstream of 1, by place."""
        if consumer not in self._locals:
            ones = np.ones(np.shape(self.follows[consumer]))[()]
            sent = self.sent(consumer, ones)
            self._locals[consumer] = {(p.node, p.operand): p.value for p in sent}
        return self._locals[consumer]

    def backward(self, consumer: Key) -> Backward:
        """A consumer's right backward pass."""
        if consumer not in self._passes:
            stage, values = self.flow.stages[consumer], self.flow.inner[consumer]
            self._passes[consumer] = stage.backward(values, self.follows[consumer])
        return self._passes[consumer]

    @cached_property
    def places(self) -> Mapping[tuple[Key, Place], int]:
        """Which part of this accumulator is sent by which operand of a consumer."""
        return {(p.consumer, (p.node, p.operand)): i for i, p in enumerate(self.own)}

    def altered(self, consumer: Key, place: Place, formula: str) -> dict[int, Any] | None:
        """The parts that another formula for one operand of a consumer changes.

        None where shapes do not fit.
        """
        self.deadline.check_naming()
        stage, values = self.flow.stages[consumer], self.flow.inner[consumer]
        try:
            sent = stage.altered(values, self.backward(consumer), place, formula)
        except (GradcliError, ValueError, IndexError):
            return None
        known = ((self.places.get((consumer, at)), one) for at, one in sent.items())
        return {i: one.value for i, one in known if i is not None}

    def inner(self, consumer: Key) -> Iterator[tuple[OperationNode, int, str]]:
        """Every operand of every operation inside of a consumer, with its right formula."""
        stage = self.flow.stages[consumer]
        for node in stage.operations():
            formulas = node.operation.formulas(stage.graph.site(node))
            for i, operand in enumerate(node.operands):
                if isinstance(operand, int):
                    yield node, i, formulas[i]


def total(terms: Iterable[Term]) -> Any:
    """The sum of terms; 0 if there are none."""
    terms = list(terms)
    if not terms:
        return np.float64(0.0)
    value = terms[0].value
    for term in terms[1:]:
        value = value + term.value
    return value


def scaled(term: Term, factor: float) -> Term:
    """A term times a number, also in its text."""
    shown = f"{factor:.17g}"
    if factor == -1:
        text = f"-({term.text})" if " " in term.text.strip() else f"-{term.text}"
    else:
        text = f"{shown} * ({term.text})"
    return Term(term.value * factor, text)


def inside(case: Case) -> Iterator[tuple[OperationNode, int, str]]:
    """Every operand of every operation on the way from a consumer to the variable."""
    for consumer in case.consumers:
        for node, operand, _ in case.inner(consumer):
            yield node, operand, consumer


def with_formula(case: Case, consumer: str, node: Any, operand: int, formula: str) -> Slips:
    """The accumulator with another rule for one operation on the way, if that can be computed."""
    try:
        i = case.places.get((consumer, (node.id, operand)))
        slip = case.with_inner_rule(consumer, (node.id, operand), formula, i)
    except (GradcliError, ValueError, IndexError):
        return
    if slip is not None:
        yield slip
