"""Marking: every row compared with the truth and with what follows from the rows before.

A task and a submission come in, `Marked` comes out. A row that is neither true nor follows is a
root; what it does to later rows is not held against them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import submission_error
from gradcli.grading.listing.worked import worked_through
from gradcli.grading.marking.expected import Scheme, status_of
from gradcli.grading.marking.handed import Handed, not_read, of_numbers, of_work
from gradcli.grading.marking.points import at_its_point, numbers_at_their_point
from gradcli.grading.marking.result import Marked, MarkedRow, Note, Status, in_cells
from gradcli.grading.marking.settled import (
    EVERY_NEGATED,
    counted,
    forgiven,
    one_for_each_line,
    per_example,
    with_followers,
)
from gradcli.grading.marking.value_rows import ValueRows
from gradcli.grading.mistakes.case import Case
from gradcli.grading.mistakes.diagnose import explain
from gradcli.grading.mistakes.evidence import Evidence, Explanation
from gradcli.grading.mistakes.in_code import holds
from gradcli.grading.model.deadline import NEVER, Deadline
from gradcli.grading.model.flow import Key
from gradcli.grading.model.stage import Part
from gradcli.grading.model.task import Task
from gradcli.grading.model.tolerance import alike, vague
from gradcli.grading.submission.types import Entry, Listing, Submission, Written

LEFT_OUT = frozenset(
    {"missing-local", "transpose", "factor", "mean-for-sum", "not-summed", "dropped-path"}
)
"""Mistakes by which something is missing, perhaps behind a statement."""


def mark(
    task: Task,
    submission: Submission,
    scheme: Scheme | None = None,
    deadline: Deadline = NEVER,
) -> Marked:
    """Mark a submission.

    Naming mistakes ends in time for the deadline; the marks do not depend on it. Raises
    `GradcliError` of kind submission where the submission can't be read, or marked in time.
    """
    scheme = scheme or Scheme()
    with np.errstate(all="ignore"):  # what is handed in may be infinite, or no number
        if isinstance(submission, Listing):
            try:
                work = worked_through(task, submission, deadline)
                marked = _in_its_direction(task, scheme, of_work(work), deadline)
                marked = in_cells(numbers_at_their_point(work, marked), submission)
            except (ValueError, IndexError):  # NumPy's, for shapes that nothing follows from
                message = "the shapes of the forward pass do not go together"
                raise submission_error(message) from None
            except GradcliError as error:
                raise submission.located(error) from None
        else:
            marked = _in_its_direction(task, scheme, of_numbers(task, submission), deadline)
            marked = at_its_point(task, submission, marked)
    return marked.out_of(scheme.points)


def _in_its_direction(task: Task, scheme: Scheme, handed: Handed, deadline: Deadline) -> Marked:
    """The marks in the direction that the task asks for, or that the submission has.

    Where either will do, it is that of descent if the first gradient is negated and fewer rows are
    at fault so.
    """
    direction = task.lines.direction
    marking = _Marking(task, scheme, handed, deadline, -1.0 if direction == "descent" else 1.0)
    marked = marking.marked()
    if direction != "either" or not marked.roots or not marking.begins_negated:
        return marked
    down = _Marking(task, scheme, handed, deadline, -1.0).marked()
    if len(down.roots) >= len(marked.roots):
        return marked
    statuses = {row.status for row in down.rows if row.kind == "gradient"}
    if statuses <= {Status.OK, Status.MISSING}:
        rows = (forgiven(row) if row.kind == "gradient" else row for row in marked.rows)
        return replace(marked, rows=tuple(rows), notes=(*marked.notes, EVERY_NEGATED))
    text = "the gradients are negated: that is the direction of descent"
    return replace(down, notes=(*down.notes, Note("descent-convention", text)))


class _Marking(ValueRows):
    """The rows of a submission, and what is said of the whole."""

    # --- all rows ---

    def marked(self) -> Marked:
        """Every row judged."""
        values, gradients = list(self.value_rows()), list(self.gradient_rows())
        work = self.handed.work
        notes = [Note(tag, text, line) for tag, line, text in (work.notes if work else ())]
        notes += not_read(work, missing=any(r.status is Status.MISSING for r in gradients))
        if work is not None:
            gradients, said = per_example(gradients, self.asked)
            notes += said
            gradients = list(one_for_each_line(gradients, self.scheme.carried))
        rows = list(counted([*values, *gradients], self.asked))
        return Marked(tuple(with_followers(rows, self.flow)), tuple(notes), self.handed.mode)

    @cached_property
    def asked(self) -> set[str]:
        """The nodes whose gradients are asked for: the inputs, of a sheet the named nodes too."""
        named = set(self.task.named)
        wanted = self.task.wanted(self.handed.mode)
        return {n for n in wanted if self.flow.own or n not in named or n in self.carried[0]}

    def gradient_rows(self) -> Iterator[MarkedRow]:
        """Gradients in backward order, a fork's parts before its total."""
        handed = self.handed.gradients
        order = [self.flow.output, *reversed(list(self.flow.stages))]
        order += list(self.task.vocabulary.inputs)
        order += [key for key in handed if key not in order]
        there = {self.flow.name(key) for key in order}
        order += [name for name in self.task.wanted(self.handed.mode) if name not in there]
        by_node: dict[Key, list[Entry]] = {}
        for entry in self.handed.parts:
            by_node.setdefault(entry.name, []).append(entry)
        for key in dict.fromkeys(order):
            for entry in by_node.get(key, ()):
                yield self.part_row(entry)
            if key in handed:
                yield self.gradient_row(key, handed[key])
            elif self.flow.name(key) in self.asked and not self._given_by_name(key):
                yield self.missing(key)

    def _given_by_name(self, key: Key) -> bool:
        name = self.flow.name(key)
        return key != name or any(self.flow.name(k) == name for k in self.handed.gradients)

    def gradient_row(self, key: Key, number: Written | None) -> MarkedRow:
        self.deadline.check()
        name = self.flow.name(key)
        zeros = np.zeros(self.shape(key))[()]
        true, carried = self.truths[0].get(key, zeros), self.carried[0].get(key, zeros)
        status, side = self.status(key, number, true, carried)
        tags: tuple[str, ...] = ()
        message, (line, text) = "", self.place(key, "gradient")
        if status is Status.WRONG and number is not None and self.right_work(key, true, number):
            status, carried = Status.CARRIED, number.value
        if status is Status.WRONG:
            found = explain(self.evidence(key, number, carried))
            self.implied |= {} if found.implied is None else dict([found.implied])
            tags, message = found.tags, found.message
            line, text = self.at_fault(key, found, (found.line or line, found.text or text))
        elif status is Status.INCONSISTENT:
            message = self.unlike_before(key)
        elif side:
            message = "at the corner the derivative of the other side is taken; that is accepted"
        worth = self.task.marks(name)
        return MarkedRow(
            name, "gradient", status, tags, line, text,
            None if number is None else number.value, true, carried,
            worth * self.scheme.share(status), worth, message, turn=self.turn(key, line),
        )  # fmt: skip

    def turn(self, key: Key, line: int | None) -> str:
        """The turn of the loops in which a line wrote a row."""
        lines = [] if self.handed.work is None else self.handed.work.lines[key]
        return next((of.cell.turn for of in reversed(lines) if of.number == line), "")

    def at_fault(
        self, key: Key, found: Explanation, at: tuple[int | None, str]
    ) -> tuple[int | None, str]:
        """The line at fault; if something was left out, the line where it belongs."""
        work = self.handed.work
        if work is None or not found.tags or found.tags[0] not in (*LEFT_OUT, "overwritten"):
            return at
        cells = [line.cell for line in work.lines[key] if line.number == at[0]]
        if found.tags[0] == "overwritten":  # by the line that gives a copy its name
            return next((cell.named_at for cell in cells if cell.named_at), at)
        if found.implied is not None:  # it is missing in what this line reads
            read = [c for cell in cells for c in cell.reads if c.kind == "helper"]
            cells = read if len(read) == 1 else cells
        behind = cells[-1].behind if cells else None
        kept = behind is None or (found.tags[0] == "dropped-path" and behind[1] != "pass")
        return at if kept else behind  # type: ignore[return-value]

    def status(
        self, key: Key, number: Written | None, true: Any, carried: Any
    ) -> tuple[Status, int]:
        """The status of a gradient, and 1 where only another side of a kink explains it."""
        if number is None:
            return Status.WRONG, 0
        trues = [true, *(t.get(key, true) for t in self.truths[1:])]
        follows = [carried, *(c.get(key, carried) for c in self.carried[1:])]
        is_true = [self.same(number, t, key, carried=False) for t in trues]
        is_carried = [self.same(number, c, key, carried=True) for c in follows]
        if not any(is_carried) or is_true[0] or is_carried[0]:
            return status_of(right=any(is_true), follows=any(is_carried)), 0
        return Status.OK, 1

    def right_work(self, key: Key, true: Any, number: Written) -> bool:
        """Whether a listing's lines would be right, if what they read were.

        That is the gradients in them, or one that was skipped by a mistake in an earlier row.
        """
        work = self.handed.work
        if work is None or self.slipped:
            return False
        if self.follows_implied(key, number):
            return True
        final = {id(lines[-1].cell): of for of, lines in work.lines.items() if of != key}
        return alike(holds(work.lines[key], final, self.truths[0]), true)

    def follows_implied(self, key: Key, number: Written) -> bool:
        """Whether a gradient follows from a mistake in a row that was not handed in."""
        if not self.implied:
            return False
        follows = self.flow.passes({**self.implied, **self.given})[0]
        return key in follows and self.same(number, follows[key], key, carried=True)

    def unlike_before(self, key: Key) -> str:
        """What to say of the right number that does not follow from the rows before."""
        consumers = self.flow.consumers.get(key, ())
        names = [f"delta_{self.flow.name(c)}" for c in consumers if c in self.given]
        before, text = " and ".join(names) or "the rows before", ""
        if self.handed.work is not None and self.flow.own and self.slipped and len(consumers) == 1:
            _, text = self.place(consumers[0], "value")
        statement = f" with {text}" if text else ""
        return f"the right number, but it does not follow from {before}{statement}"

    def missing(self, key: Key) -> MarkedRow:
        name = self.flow.name(key)
        return MarkedRow(
            name, "gradient", Status.MISSING, (), None, "", None,
            self.truths[0].get(key, self.task.true(name)), self.carried[0].get(key), 0.0,
            self.task.marks(name),
            f"the gradient with respect to {name} is missing",
        )  # fmt: skip

    def part_row(self, entry: Entry) -> MarkedRow:
        """What some of the consumers of a node send to it."""
        key, number = entry.name, entry.written
        truth = self.task.flow.passes({})[1]
        for senders in self.flow.senders(self.parts.get(key, ()), entry.sources):
            carried, true = (
                _sent(parts.get(key, ()), senders, self.shape(key)) for parts in (self.parts, truth)
            )
            follows = self.same(number, carried, key, carried=True)
            right = self.same(number, true, key, carried=False)
            if right or follows:
                break
        status = status_of(right=right, follows=follows)
        tags: tuple[str, ...] = ()
        message = ""
        if status is Status.WRONG:
            own = [p for p in self.parts.get(key, ()) if p.consumer in senders]
            case = self.case(key, {**self.parts, key: own})
            found = explain(Evidence(case, number, self.matches(key, number), None, None))
            tags, message = found.tags, found.message
        elif status is Status.INCONSISTENT:
            message = "the right number, but it does not follow from the rows before"
        return MarkedRow(
            key, "part", status, tags, entry.line, entry.label, number.value, true, carried,
            self.scheme.share(status), 1.0, message, entry.sources,
        )  # fmt: skip

    # --- evidence ---

    def case(self, key: Key, parts: Mapping[Key, Any]) -> Case:
        """An accumulator as it should be, made of these parts."""
        passed_on = self.carried[0] | self.given
        return Case(self.flow, key, parts, passed_on, self.scheme.eta, self.deadline)

    def matches(self, key: Key, number: Written) -> Any:
        return lambda value: self.same(number, value, key, carried=True, open_=3.0)

    def evidence(self, key: Key, number: Written | None, carried: Any) -> Evidence:
        """All there is to find out what went wrong in a row."""
        case, work, given = self.case(key, self.parts), self.handed.work, frozenset(self.given)
        if number is None:
            return Evidence(case, None, None, work, carried, given)
        spread = self.digits.whole.gradients.get(key, 0.0) if np.any(number.radius) else 0.0
        unsure = vague(number, carried, spread)
        return Evidence(case, number, self.matches(key, number), work, carried, given, unsure)

    # --- the whole ---

    @property
    def begins_negated(self) -> bool:
        """Whether the first gradient that is true up to its sign is negated."""
        order = [*reversed(list(self.flow.stages)), *self.task.vocabulary.inputs]
        for key in order:
            number, true = self.handed.gradients.get(key), self.upward[0].get(key)
            if number is None or true is None or key == self.flow.output or not np.any(true):
                continue
            if self.same(number, -true, key, carried=True):
                return True
            if self.same(number, true, key, carried=True):
                return False
        return False


def _sent(parts: Iterable[Part], senders: set[Key], shape: tuple[int, ...]) -> Any:
    """What some consumers of a node send to it, added up."""
    own = [part.value for part in parts if part.consumer in senders]
    return sum(own[1:], start=own[0]) if own else np.zeros(shape)[()]
