"""A row of the backward pass as it should be, and how it can be made wrong.

A `Case`, one accumulator with the parts that it adds up, comes in; a `Slip` goes out for what a
mistake makes of it: the wrong number, and the lines that one would write. The rules of the table
make slips with the few tools of `Case`, so that every wrong number has its wrong lines.
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
from gradcli.grading.model.flow import Flow, Key
from gradcli.grading.model.stage import Backward, Part, Place, added
from gradcli.graph.graph import Graph, Node, OperationNode
from gradcli.syntax.printer import print_tree
from gradcli.trace.steps import product


class Term(NamedTuple):
    """A part as a value and as it is written: `delta_c * 2*x`."""

    value: Any
    text: str

    def times(self, factor: float) -> Term:
        """The term times a number, also in its text."""
        if factor != -1:
            text = f"{factor:.17g} * ({self.text})"
        else:
            text = f"-({self.text})" if " " in self.text.strip() else f"-{self.text}"
        return Term(self.value * factor, text)


class Inside(NamedTuple):
    """An operand of an operation on the way from a consumer to the variable."""

    consumer: Key
    graph: Graph
    """That of the consumer's stage."""
    node: OperationNode
    operand: int
    formula: str
    """The right derivative by the operand."""

    @property
    def is_factor(self) -> bool:
        """Whether the operand is one of two factors."""
        return self.node.operation.is_product and len(self.node.operands) == 2


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
                value = before.value + part.value
                parts[part.consumer] = before._replace(value=value, raw=value)
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
        graph, delta = (
            self.flow.stages[part.consumer].graph,
            f"delta_{self.flow.name(part.consumer)}",
        )
        node, i = graph.nodes[part.node], part.operand
        if node.operation is None:
            return delta
        tree = formula_tree(graph, node, formula) if formula else rule_tree(graph, node, i)
        if not node.operation.elementwise:
            return print_tree(tree, spaced=False)
        starts = part.consumer == self.flow.output and np.all(self.follows[part.consumer] == 1)
        return product(None if starts or not upstream else delta, tree)

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

    def changed(self, i: int, term: Term) -> Slip:
        """The accumulator with one term changed."""
        terms = (*self.terms[:i], term, *self.terms[i + 1 :])
        return self.slip(terms, self.own[i].consumer)

    def scaled(self, factor: float) -> Slips:
        """The accumulator times a number, and each of several terms times it."""
        yield self.slip(term.times(factor) for term in self.terms)
        if len(self.terms) > 1:
            for i, term in enumerate(self.terms):
                yield self.changed(i, term.times(factor))

    def replaced(self, consumer: Key, value: Any, text: str = "") -> Slip:
        """The accumulator with one term for all that a consumer sends."""
        terms = list(self.terms)
        for n, i in reversed([*enumerate(self.sent_by.get(consumer, ()))]):
            terms[i : i + 1] = [] if n else [Term(value, text)]
        return self.slip(terms, consumer)

    def local_only(self, part: Part) -> Term | None:
        """The local derivative without the upstream, for an elementwise operation."""
        operation = self.node(part).operation
        if operation is None or not operation.elementwise:
            return None
        local = self.locals.get((part.consumer, (part.node, part.operand)))
        return None if local is None else Term(local, self.text(part, upstream=False))

    def upstream_only(self, part: Part) -> Term | None:
        """The upstream passed on without the local derivative, if its shape allows."""
        try:
            value = reduce_to(np.asarray(self.follows[part.consumer]), self.shape)
        except ValueError:
            return None
        delta = f"delta_{self.flow.name(part.consumer)}"
        return Term(value, delta) if np.shape(value) == self.shape else None

    def with_formula(self, at: Inside, formula: str) -> Slips:
        """The accumulator with another formula for one operand, if that can be computed."""
        self.deadline.check_naming()
        place, terms = (at.node.id, at.operand), list(self.terms)
        stage, values = self.flow.stages[at.consumer], self.flow.inner[at.consumer]
        try:
            for part in stage.altered(values, self.passes[at.consumer], place, formula):
                i = self.places.get((at.consumer, (part.node, part.operand)))
                if i is None:
                    continue
                if np.shape(part.value) != self.shape:
                    return
                here = (part.node, part.operand) == place
                text = self.text(self.own[i], formula) if here else terms[i].text
                terms[i] = Term(part.value, text)
        except (GradcliError, ValueError, IndexError):
            return
        yield self.slip(terms, at.consumer)

    def sent(self, consumer: Key, upstream: Any) -> Sequence[Part]:
        """What a consumer would send to this variable; nothing where shapes do not fit."""
        self.deadline.check_naming()
        try:
            return self.flow.sent(consumer, upstream).get(self.key, ())
        except (GradcliError, ValueError, IndexError):
            return ()

    @cached_property
    def passes(self) -> Mapping[Key, Backward]:
        """The right backward pass of every consumer."""
        stages, inner = self.flow.stages, self.flow.inner
        return {c: stages[c].backward(inner[c], self.follows[c]) for c in self.consumers}

    @cached_property
    def locals(self) -> Mapping[tuple[Key, Place], Any]:
        """What the consumers send to this variable from an upstream of 1."""
        ones = {key: np.ones(np.shape(self.follows[key]))[()] for key in self.consumers}
        sent = (part for key, one in ones.items() for part in self.sent(key, one))
        return {(part.consumer, (part.node, part.operand)): part.value for part in sent}

    @cached_property
    def places(self) -> Mapping[tuple[Key, Place], int]:
        """Which part of this accumulator is sent by which operand of a consumer."""
        return {(p.consumer, (p.node, p.operand)): i for i, p in enumerate(self.own)}

    @cached_property
    def inside(self) -> tuple[Inside, ...]:
        """Every operand of every operation on the way from a consumer to the variable."""
        return tuple(
            Inside(consumer, graph, node, i, formulas[i])
            for consumer in self.consumers
            for graph in (self.flow.stages[consumer].graph,)
            for node in self.flow.stages[consumer].operations()
            for formulas in (node.operation.formulas(graph.site(node)),)
            for i, operand in enumerate(node.operands)
            if isinstance(operand, int)
        )


def total(terms: Sequence[Term]) -> Any:
    """The sum of terms; 0 if there are none."""
    return added(term.value for term in terms) if terms else np.float64(0.0)
