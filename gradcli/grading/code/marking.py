"""Marking code by what it comes to: the asked gradients, and the statement that made one wrong.

The gradients that code ends with are compared with the true ones. Where some are wrong, the first
statement is looked for whose value, exchanged for a right one, makes all of them right; what has to
be changed in that statement names the mistake (`repairs`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source
from gradcli.grading.code.finals import finals, meant
from gradcli.grading.code.judged import Judged
from gradcli.grading.code.repairs import Repairs
from gradcli.grading.code.replay import Replay, same
from gradcli.grading.code.suspects import suspects_of
from gradcli.grading.listing.cells import NO_NUMBER
from gradcli.grading.listing.forward_pass import WORTH_SAYING
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.result import Marked, MarkedRow, Note, Status
from gradcli.grading.model.deadline import NEVER, Deadline
from gradcli.grading.model.task import Task
from gradcli.graph.draft import Literal
from gradcli.python.steps import Step

WORDS = {
    "sign": "with the other sign everything is right",
    "factor": "with another factor everything is right",
    "mean-for-sum": "a number of elements is missing here as a factor, or is there too much",
    "not-summed": "this has to be summed over the dimension along which it was repeated",
    "transpose": "something has to be transposed here, or a product to be turned round",
    "missing-local": "the local derivative is missing here",
    "missing-upstream": "the gradient that comes from above is missing here",
    "dropped-path": "a contribution is missing here: what a second path sends",
    "overwritten": "this line replaces what was there; use +=",
    "counted-twice": "this line adds to what was there; use =",
    "wrong-rule": "this is another derivative than that of the operation",
    "same-operand": "another operand belongs here",
}
"""What to say of the change that makes everything right, by its first tag."""


@dataclass(frozen=True)
class Root:
    """Where something went wrong first."""

    line: int | None
    text: str
    tags: tuple[str, ...]
    explains: frozenset[str]
    """The gradients that are wrong by it."""
    message: str = ""


class CodeMarking(Judged):
    """Marks the code of one submission."""

    def __init__(
        self,
        task: Task,
        source: Source,
        sides: Sequence[Mapping[str, Any]],
        deadline: Deadline,
        scheme: Scheme,
    ) -> None:
        super().__init__(task, source, sides, deadline, scheme.tolerance)
        self.scheme = scheme
        self.notes: list[Note] = []

    def settle_direction(self) -> None:
        """The direction that the task asks for, else that in which more gradients are right."""
        direction = self.task.lines.direction
        if direction != "either":
            self.sign = -1.0 if direction == "descent" else 1.0
            return
        values = {n: f.value for n, f in self.finals.items()}
        plain = len(self.right(values))
        self.sign = -1.0
        if len(self.right(values)) > plain:
            text = "every gradient is negated: that is the direction of descent"
            self.notes.append(Note("descent-convention", text))
        else:
            self.sign = 1.0

    def per_example(self, wrong: frozenset[str]) -> frozenset[str]:
        """Gradients of arrays over examples that are all the true ones times their number.

        It is the course's convention only where the code divides other gradients by that number.
        """
        found = set()
        divisors = self.divisors() if wrong else frozenset()
        for name in wrong:
            value, true = self.finals[name].value, self.true(name)
            scaled = np.shape(value) == np.shape(true) and any(
                n in divisors and same(value, n * true) and self._is_over_examples(name)
                for n in np.shape(true)
            )
            if scaled and len(wrong) < len(self.finals):
                found.add(name)
        for name in sorted(found):
            text = f"delta_{name} is that of each example, not divided by their number"
            self.notes.append(Note("per-example", text, self.finals[name].line))
        return frozenset(found)

    def _is_over_examples(self, name: str) -> bool:
        """Whether a node has elements for examples: as no bias has, and no weight.

        In a product that is the factor beside one whose gradient, a sum over them, is right.
        """
        flow = self.task.flow
        right = self.right({n: f.value for n, f in self.finals.items()})
        for part in flow.passes({})[1].get(name, ()):
            stage = flow.stages[part.consumer]
            operation = stage.graph.nodes[part.node].operation
            product = operation is not None and operation.is_matrix_product
            if np.shape(part.raw) != np.shape(part.value):
                return False
            if product and not right & ({*stage.reads} - {name}):
                return False
        return True

    def divisors(self) -> frozenset[int]:
        """The whole numbers above 1 that right gradients are divided by."""
        tape = self.reader.tape
        right = self.right({n: f.value for n, f in self.finals.items()})
        nodes = {f.node for n in right if (f := self.finals[n]).node is not None}
        operands = (o for i in Replay(tape).above(nodes) for o in tape.steps[i].operands)
        numbers = (o.value for o in operands if isinstance(o, Literal) and not np.ndim(o.value))
        sizes = (n if n > 1 else 1 / n for n in map(float, numbers) if n > 0)
        return frozenset(round(n) for n in sizes if n < 1e6 and abs(n - round(n)) < 1e-9 and n > 1)

    # --- all of it ---

    def marked(self, *, explain: bool = True) -> Marked | None:
        """Every asked gradient judged; None where none of them can be reached.

        Without `explain` also None where one is wrong: to find out why takes long.
        """
        broken = self.broken()
        absent = [n for n in self.asked if n not in self.finals and n not in broken]
        lost = self.reader.reading.unknown or self.reader.missing
        if absent and lost and not broken:
            raise self.unread(absent)
        if not (self.finals or broken):
            return None
        self.settle_direction()
        right = self.right({n: f.value for n, f in self.finals.items()})
        wrong = frozenset(self.finals) - right
        wrong -= self.per_example(wrong)
        if wrong and not explain:
            return None
        roots = self.roots(wrong) if wrong else []
        rows = [self.row(name, wrong, roots, broken) for name in self.asked]
        self.notes += [
            Note(tag, text, line)
            for tag, line, text in self.reader.reading.notes
            if tag in WORTH_SAYING
        ]
        return Marked(tuple(rows), tuple(self.notes), "listing")

    def unread(self, absent: list[str]) -> GradcliError:
        """The error of gradients that can't be found out: the first thing that is not read."""
        unknown = [(why.span, why) for _, why in self.reader.reading.unknown if why.span]
        names = ", ".join(absent)
        hint = f"so the gradient with respect to {names} can't be found out"
        if not unknown:
            return GradcliError(
                Kind.SUBMISSION, f"the gradient with respect to {names} can't be found out"
            )
        span, why = min(unknown, key=lambda one: one[0])
        return GradcliError(Kind.SUBMISSION, why.message, source=self.source, span=span, hint=hint)

    def broken(self) -> dict[str, Root]:
        """Asked gradients whose statement gives no number: shapes that don't go together."""
        found: dict[str, Root] = {}
        for label, why in self.reader.reading.unknown:
            name = meant(label, self.asked, self.task.vocabulary)
            if name is None or name in self.finals or why.kind != "shape" or why.span is None:
                continue
            line = self.reader.text.line(why.span)
            text = self.source.text.split("\n")[line - 1].strip()
            product = "@" in text or "dot(" in text or "matmul(" in text
            tags = ("shape", "transpose") if product else ("shape",)
            found.setdefault(name, Root(line, text, tags, frozenset([name]), why.message))
        return found

    def row(
        self, name: str, wrong: frozenset[str], roots: list[Root], broken: Mapping[str, Root]
    ) -> MarkedRow:
        """The row of an asked gradient; the first that a root explains is wrong, others follow."""
        true, final = np.asarray(self.sides[0][name])[()], self.finals.get(name)
        status, follow = Status.OK, 0
        value = follows = None
        cause = Root(None, "", (), frozenset(), f"the gradient with respect to {name} is missing")
        if final is not None:
            value = follows = final.value
            cause = Root(final.line, final.text, (), frozenset([name]))
            found = next((r for r in roots if name in r.explains), cause)
            if name in wrong and name == self._first(found):
                status, cause, follows = Status.WRONG, found, self.true(name)[()]
            elif name in wrong:
                status = Status.CARRIED
            follow = len(cause.explains) - 1
        elif name in broken:
            cause = broken[name]
            first = next(n for n in self.asked if n in broken and broken[n].line == cause.line)
            status = Status.WRONG if name == first else Status.CARRIED  # one line, one mistake
            if status is Status.CARRIED:
                cause = replace(cause, tags=(), message="")
        else:
            status = Status.MISSING
        worth = self.task.marks(name)
        share = {Status.OK: 1.0, Status.CARRIED: self.scheme.carried}.get(status, 0.0)
        return MarkedRow(
            name, "gradient", status, cause.tags, cause.line, cause.text, value, true, follows,
            worth * share, worth, cause.message, (), follow,
        )  # fmt: skip

    def _first(self, root: Root) -> str:
        """The gradient whose mark a root costs: the one that is nearest to it in the code."""
        order = sorted(
            root.explains, key=lambda n: (abs(self.finals[n].line - (root.line or 0)), n)
        )
        return order[0]

    # --- what went wrong ---

    def roots(self, wrong: frozenset[str]) -> list[Root]:
        """The first statements at fault, each with the gradients that it made wrong."""
        left, found = set(wrong), []
        self.reader = self.read(self.tree, snapshots=True)
        self.finals = finals(self.reader, self.asked, self.task.vocabulary)
        repairs = Repairs(self)
        while left:
            root = self._root(frozenset(left), repairs)
            found.append(root)
            left -= root.explains
        return found

    def _root(self, wrong: frozenset[str], repairs: Repairs) -> Root:
        """The statement that explains most of some wrong gradients."""
        if (broken := self._without_number(wrong)) is not None:
            return broken
        suspects = suspects_of(self, wrong)
        repair = repairs.best(wrong, suspects)
        if repair is None and len(wrong) > 1 and not suspects.right_values:
            name = min(wrong, key=lambda n: self.finals[n].line)
            wrong = frozenset([name])
            suspects = suspects_of(self, wrong)
            repair = repairs.best(wrong, suspects)
        if repair is not None:
            text, words = repairs.line_text(repair.line), WORDS[repair.tags[0]]
            return Root(repair.line, text, repair.tags, repair.mends, words)
        misfit = all(np.shape(self.finals[n].value) != np.shape(self.true(n)) for n in wrong)
        tags = ("shape",) if misfit else ()
        idle = repairs.idle(suspects)
        if idle is not None:
            text, words = repairs.line_text(idle), WORDS["dropped-path"]
            return Root(idle, text, ("dropped-path",), wrong, words)
        if not suspects.steps:
            final = self.finals[min(wrong)]
            return Root(final.line, final.text, tags, wrong)
        step = self._made(self.reader.reading.steps[suspects.steps[0]])
        return Root(step.line, self.reader.text.written(step.span), tags, wrong)

    def _without_number(self, wrong: frozenset[str]) -> Root | None:
        """The first statement that gives no finite number, where gradients come to none by it."""
        nodes = {
            name: node
            for name in wrong
            if not np.all(np.isfinite(self.finals[name].value))
            and (node := self.finals[name].node) is not None
        }
        if not nodes:
            return None
        replay, steps = Replay(self.reader.tape), self.reader.reading.steps
        above = {name: replay.above([node]) for name, node in nodes.items()}
        of_all = set[int]().union(*above.values())
        for step in steps:
            if step.whole in of_all and not np.all(np.isfinite(step.number)):
                explains = frozenset(n for n, of in above.items() if step.whole in of)
                text = self.reader.text.written(step.span)
                return Root(step.line, text, (), explains, NO_NUMBER)
        return None

    def _made(self, step: Step) -> Step:
        """The step that made the value of one that only handed it on from a function."""
        steps = self.reader.reading.steps
        same_value = [s for s in steps if s.whole == step.whole and s.whole is not None]
        return max(same_value, key=lambda s: len(s.calls), default=step)


def mark_code(
    task: Task,
    source: Source,
    sides: Sequence[Mapping[str, Any]],
    deadline: Deadline = NEVER,
    scheme: Scheme | None = None,
    *,
    explain: bool = True,
) -> Marked | None:
    """Mark code by the gradients that it comes to; None where they can't be reached.

    Without `explain` also None where a gradient is wrong: to find out why takes long.
    `sides` are the true accumulators, by the convention at kinks and by the others. Raises
    `GradcliError` of kind submission for what is no Python, or takes too much.
    """
    try:
        with np.errstate(all="ignore"):
            marking = CodeMarking(task, source, sides, deadline, scheme or Scheme())
            return marking.marked(explain=explain)
    except RecursionError:  # trees of Python that are too deep to be changed
        return None
    except GradcliError as error:
        error.kind = Kind.SUBMISSION
        raise
