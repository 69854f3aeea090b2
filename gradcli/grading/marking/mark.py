"""Marking: every row compared with the truth and with what follows from the rows before.

A task and a submission come in, `Marked` comes out. A row that is neither true nor follows is a
root; what it does to later rows is not held against them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from gradcli.diagnostics.error import Kind
from gradcli.diagnostics.failures import submission_error
from gradcli.grading.interpreter.state import Line, Work
from gradcli.grading.marking.handed import Handed, not_read, of_entries, of_work, worked_through
from gradcli.grading.marking.points import at_its_point
from gradcli.grading.marking.result import (
    Marked,
    MarkedRow,
    Note,
    Status,
    counted,
    forgiven,
    in_cells,
)
from gradcli.grading.mistakes.case import Case
from gradcli.grading.mistakes.diagnose import VAGUE, explain
from gradcli.grading.mistakes.evidence import Evidence, is_
from gradcli.grading.mistakes.in_code import holds
from gradcli.grading.model.deadline import NEVER, Deadline
from gradcli.grading.model.flow import Flow, Key
from gradcli.grading.model.task import Task
from gradcli.grading.model.tolerance import (
    Digits,
    Tolerance,
    exact,
    own_values,
    vague,
)
from gradcli.grading.submission.types import Entry, Listing, Submission, Written

SIDES = (0, 1, -1)
"""The convention at kinks, and the derivatives of both sides: each is accepted."""
MOST_TIED = 4
"""The most operations at a kink that may each have another side."""


@dataclass(frozen=True)
class Scheme:
    """How a submission is marked."""

    tolerance: Tolerance = field(default_factory=Tolerance)
    carried: float = 1.0
    """What a carried row earns of its marks."""
    eta: float | None = None
    """The learning rate, to recognise weights that were updated too early."""
    points: float | None = None
    """What everything is worth together; None for a mark for each row."""


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
    marked = _marked(task, submission, scheme, deadline)
    return marked if scheme.points is None else marked.out_of(scheme.points)


def _marked(task: Task, submission: Submission, scheme: Scheme, deadline: Deadline) -> Marked:
    with np.errstate(all="ignore"):  # what is handed in may be infinite, or no number
        if isinstance(submission, Listing):
            try:
                handed = of_work(worked_through(task, submission, deadline))
                marked = _in_its_direction(task, scheme, handed, deadline, "listing")
                return in_cells(marked, submission)
            except (ValueError, IndexError):  # NumPy's, for shapes that nothing follows from
                message = "the shapes of the forward pass do not go together"
                raise submission_error(message) from None
        mode = "gradients" if submission.gradients_only else "values"
        handed = of_entries(task, submission.entries)
        marked = _in_its_direction(task, scheme, handed, deadline, mode)
        return at_its_point(task, submission, marked)


def _in_its_direction(
    task: Task, scheme: Scheme, handed: Handed, deadline: Deadline, mode: Any
) -> Marked:
    """The marks in the direction that the task asks for, or that the submission has.

    Where either will do, it is that of descent if the first gradient is negated and fewer rows are
    at fault so.
    """
    direction = task.lines.direction
    marking = _Marking(task, scheme, handed, deadline, -1.0 if direction == "descent" else 1.0)
    marked = marking.marked(mode)
    if direction != "either" or len(marked.roots) < 2 or not marking.begins_negated:
        return marked
    down = _Marking(task, scheme, handed, deadline, -1.0).marked(mode)
    if len(down.roots) >= len(marked.roots):
        return marked
    text = "the gradients are negated: that is the direction of descent"
    return replace(down, notes=(*down.notes, Note("descent-convention", text)))


class _Marking:
    def __init__(
        self, task: Task, scheme: Scheme, handed: Handed, deadline: Deadline, sign: float
    ) -> None:
        self.task, self.scheme, self.handed = task, scheme, handed
        self.sign = sign
        """-1 where everything is judged in the direction of descent."""
        self.deadline = deadline
        self.flow = handed.flow
        self.tolerance = scheme.tolerance
        self.implied: dict[Key, Any] = {}
        """Accumulators that were not handed in, as the mistakes so far show them."""
        self.scales: dict[Key, float] = {}
        """The answers of `scale` so far."""

    # --- what follows from what ---

    @cached_property
    def given(self) -> dict[Key, Any]:
        """The gradients that are passed on: those handed in, if their shape is right.

        In the direction of descent the output passes on -1.
        """
        given = {
            key: number.value
            for key, number in self.handed.gradients.items()
            if number is not None and np.shape(number.value) == self.shape(key)
        }
        if self.sign < 0:
            given[self.flow.output] = -np.ones(self.shape(self.flow.output))[()]
        return given

    def shape(self, key: Key) -> tuple[int, ...]:
        """The shape of a variable, and so of its gradient."""
        return np.shape(self.flow.values.get(key, 0.0))

    @cached_property
    def carried(self) -> list[dict[Key, Any]]:
        """What follows from the gradients handed in; on every side of kinks."""
        return [self.flow.passes(self.given, side=side)[0] for side in sides_of(self.flow)]

    @cached_property
    def parts(self) -> Mapping[Key, Any]:
        """The parts of all accumulators, as they follow."""
        return self.flow.passes(self.given)[1]

    @cached_property
    def truths(self) -> list[dict[Key, Any]]:
        """The true accumulators of the flow that is judged, on every side of kinks."""
        if self.sign > 0:
            return self.upward
        outputs = (self.flow.output, self.task.output)
        return [{k: v if k in outputs else -v for k, v in of.items()} for of in self.upward]

    @cached_property
    def upward(self) -> list[dict[Key, Any]]:
        """The same in the direction of the gradient."""
        task = self.task.flow
        rights = [task.passes({}, side=side)[0] for side in sides_of(task)]
        if not self.flow.own:
            return rights
        found: list[dict[Key, Any]] = []
        owns = [self.flow.passes({}, side=side)[0] for side in sides_of(self.flow)]
        for i in range(max(len(rights), len(owns))):
            right, own = rights[i % len(rights)], dict(owns[i % len(owns)])
            if self.slipped:
                own |= {
                    key: right[self.flow.name(key)]
                    for key in own
                    if self.flow.name(key) in right
                    and np.shape(right[self.flow.name(key)]) == np.shape(own[key])
                }
            found.append(own | {k: v for k, v in right.items() if k in self.task.vocabulary.inputs})
        return found

    @cached_property
    def slipped(self) -> bool:
        """Whether the student's own output is not the task's."""
        submitted = self.flow.values[self.flow.output]
        true = self.task.flow.values[self.task.output]
        return submitted is None or not self.tolerance.same(self.value(self.flow.output), true)

    def value(self, key: Key) -> Written:
        """A value of the student's, as it was written if it was."""
        return self.handed.values.get(key) or exact(self.flow.values[key])

    @cached_property
    def digits(self) -> Digits:
        """What the digits of the numbers that were handed in leave open."""
        handed = self.handed
        written = {k: n for k, n in handed.gradients.items() if n is not None and k in self.given}
        values = {k: n for k, n in handed.values.items() if np.shape(n.value) == self.shape(k)}
        return Digits(self.flow, values, written, self.tolerance, self.deadline)

    def same(
        self, number: Written, expected: Any, key: Key, *, carried: bool, open_: float = 1.0
    ) -> bool:
        """Whether a number may be the expected gradient of a variable.

        What the digits leave open is taken `open_` times: a wrong number may be more sensitive.
        """
        scale = self.scale(key)
        spread = open_ * self.digits.allowed.gradients.get(key, 0.0) if carried else 0.0
        if np.shape(spread) != np.shape(expected):  # a slip may have another shape
            spread = np.max(spread, initial=0.0)
        return self.tolerance.same(number, expected, spread, scale)

    def scale(self, key: Key) -> float:
        """The size of the largest number that is added up to an accumulator."""
        if key not in self.scales:
            parts = self.parts.get(key, ())
            sizes = (float(np.max(np.abs(part.value), initial=0.0)) for part in parts)
            self.scales[key] = max(sizes, default=0.0)
        return self.scales[key]

    # --- all rows ---

    def marked(self, mode: Any) -> Marked:
        """Every row judged."""
        values = list(self.value_rows())
        gradients = list(self.gradient_rows(mode))
        notes = self.notes()
        missing = any(row.status is Status.MISSING for row in gradients)
        notes += not_read(self.handed.work, missing=missing)
        if self.task.lines.direction == "either" and self.sign > 0 and self.descent(gradients):
            text = "every gradient is negated: that is the direction of descent"
            notes.append(Note("descent-convention", text))
            gradients = [forgiven(row) for row in gradients]
        rows = list(counted([*values, *gradients], self.asked(mode)))
        return Marked(tuple(self.with_followers(rows)), tuple(notes), mode)

    def asked(self, mode: str) -> set[str]:
        """The nodes whose gradients are asked for: the inputs, of a sheet the named nodes too."""
        named = set(self.task.named)
        wanted = self.task.wanted(mode)
        return {n for n in wanted if self.flow.own or n not in named or n in self.carried[0]}

    def notes(self) -> list[Note]:
        work = self.handed.work
        return [] if work is None else [Note(tag, text, line) for tag, line, text in work.notes]

    def gradient_rows(self, mode: str) -> Iterator[MarkedRow]:
        """Gradients in backward order, a fork's parts before its total."""
        handed = self.handed.gradients
        asked = self.asked(mode)
        order = [self.flow.output, *reversed(list(self.flow.stages))]
        order += list(self.task.vocabulary.inputs)
        order += [key for key in handed if key not in order]
        there = {self.flow.name(key) for key in order}
        order += [name for name in self.task.wanted(mode) if name not in there]
        by_node: dict[Key, list[Entry]] = {}
        for entry in self.handed.parts:
            by_node.setdefault(entry.name, []).append(entry)
        for key in dict.fromkeys(order):
            for entry in by_node.get(key, ()):
                yield self.part_row(entry)
            if key in handed:
                yield self.gradient_row(key, handed[key])
            elif self.flow.name(key) in asked and not self._given_by_name(key):
                yield self.missing(key)

    def _given_by_name(self, key: Key) -> bool:
        name = self.flow.name(key)
        return key != name or any(self.flow.name(k) == name for k in self.handed.gradients)

    def gradient_row(self, key: Key, number: Written | None) -> MarkedRow:
        self.deadline.check()
        name = self.flow.name(key)
        true = self.truths[0].get(key, np.zeros(self.shape(key))[()])
        carried = self.carried[0].get(key, np.zeros(self.shape(key))[()])
        status, side = self.status(key, number, true, carried)
        tags: tuple[str, ...] = ()
        message, line, text = "", self.line(key, "gradient"), self.text(key, "gradient")
        if status is Status.WRONG and number is not None and self.right_work(key, true, number):
            status, carried = Status.CARRIED, number.value
        if status is Status.WRONG:
            found = explain(self.evidence(key, number, carried))
            self.implied |= {} if found.implied is None else dict([found.implied])
            tags, message = found.tags, found.message
            line, text = found.line or line, found.text or text
        elif status is Status.INCONSISTENT:
            message = f"the right number, but it does not follow from {self.before(key)}"
            message += self.as_computed(key)
        elif side:
            message = "at the corner the derivative of the other side is taken; that is accepted"
        worth = self.task.marks(name)
        return MarkedRow(
            name, "gradient", status, tags, line, text,
            None if number is None else number.value, true, carried,
            worth * self.share(status), worth, message,
        )  # fmt: skip

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
            return _status(right=any(is_true), follows=any(is_carried)), 0
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
        return is_(holds(work.lines[key], final, self.truths[0]), true)

    def follows_implied(self, key: Key, number: Written) -> bool:
        """Whether a gradient follows from a mistake in a row that was not handed in."""
        if not self.implied:
            return False
        follows = self.flow.passes({**self.implied, **self.given})[0]
        return key in follows and self.same(number, follows[key], key, carried=True)

    def share(self, status: Status) -> float:
        if status is Status.OK:
            return 1.0
        return self.scheme.carried if status is Status.CARRIED else 0.0

    def as_computed(self, key: Key) -> str:
        """The student's own statement that a gradient has to follow, where the values differ."""
        work = self.handed.work
        consumers = self.flow.consumers.get(key, ())
        if work is None or not (self.flow.own and self.slipped) or len(consumers) != 1:
            return ""
        text = work.texts.get(consumers[0], "")
        return f" with {text}" if text else ""

    def before(self, key: Key) -> str:
        """The rows that a gradient is made of."""
        consumers = self.flow.consumers.get(key, ())
        names = [f"delta_{self.flow.name(c)}" for c in consumers if c in self.given]
        return " and ".join(names) or "the rows before"

    def missing(self, key: Key) -> MarkedRow:
        name = self.flow.name(key)
        return MarkedRow(
            name, "gradient", Status.MISSING, (), None, "", None,
            self.truths[0].get(key, self.task.true(name)), self.carried[0].get(key), 0.0,
            self.task.marks(name),
            f"the gradient with respect to {name} is missing",
        )  # fmt: skip

    # --- values and parts ---

    def value_rows(self) -> Iterator[MarkedRow]:
        """Forward values; of a listing, the output and what made it wrong."""
        work = self.handed.work
        if work is not None and (self.flow.own or work.problems):
            yield from self.listing_values(work)
            return
        own = own_values(self.flow)
        for key in self.task.flow.values:
            number = self.handed.values.get(key)
            if number is not None:
                yield self.value_row(key, number, own.get(key, self.task.flow.values[key]))

    def value_row(self, key: Key, number: Written, carried: Any) -> MarkedRow:
        true = self.task.flow.values[key]
        follows = self.tolerance.same(number, carried, self.digits.allowed.values.get(key, 0.0))
        right = self.tolerance.same(number, true)
        status = _status(right=right, follows=follows)
        tags: tuple[str, ...] = ()
        message = ""
        if status is Status.WRONG and vague(
            number, carried, self.digits.whole.values.get(key, 0.0)
        ):
            message = VAGUE
        elif status is Status.WRONG:
            tags = ("forward-slip",)
            message = f"the value of {key} is wrong; what follows is judged by it"
            if np.shape(number.value) != np.shape(true):
                tags, message = ("shape",), _shapes(key, number.value, true)
        return MarkedRow(
            key, "value", status, tags, self.line(key, "value"), self.text(key, "value"),
            number.value, true, carried, self.share(status), 1.0, message,
        )  # fmt: skip

    def listing_values(self, work: Work) -> Iterator[MarkedRow]:
        """The output of the student's own forward pass, and the statement that made it wrong."""
        for key, problem in work.problems.items():
            name = self.flow.name(key)
            tags = ("shape",) if problem.kind is Kind.SHAPE else ()
            yield MarkedRow(
                name, "value", Status.WRONG, tags, work.forward_lines.get(key),
                self.text(key, "value"), None, self.task.flow.values.get(name), None, 0.0, 1.0,
                problem.message,
            )  # fmt: skip
        key, output = self.flow.output, self.task.output
        if not self.flow.own or key in work.lost:
            return
        true = self.task.flow.values[output]
        root = self.first_slip(work) if self.slipped else None
        if root is not None and root != key:
            yield self.slip_row(root, work)
        status = (
            Status.OK
            if not self.slipped
            else Status.WRONG
            if root in (None, key)
            else Status.CARRIED
        )
        wrong = status is Status.WRONG
        name = self.flow.name(key)
        yield MarkedRow(
            name, "value", status, ("forward-slip",) if wrong else (),
            work.forward_lines.get(key), self.text(key, "value"), self.flow.values[key], true,
            self.flow.values[key], self.share(status), 1.0,
            f"the value of {name} is wrong; the gradients are judged by what follows from it"
            if wrong else "",
        )  # fmt: skip

    def first_slip(self, work: Work) -> Key | None:
        """The first statement with another value than the task's node of its name."""
        right = self.task.flow.values
        for key in work.forward_lines:
            name = self.flow.name(key)
            value = self.flow.values.get(key)
            known = key in self.flow.reached and name in right and value is not None
            if known and not self.tolerance.same(self.value(key), right[name]):
                return key
        return None

    def slip_row(self, key: Key, work: Work) -> MarkedRow:
        name = self.flow.name(key)
        value = self.flow.values[key]
        return MarkedRow(
            name, "value", Status.WRONG, ("forward-slip",), work.forward_lines.get(key),
            self.text(key, "value"), value, self.task.flow.values[name], value, 0.0, 1.0,
            f"the value of {name} is wrong; what follows is judged by it",
        )  # fmt: skip

    def part_row(self, entry: Entry) -> MarkedRow:
        """What some of the consumers of a node send to it."""
        key, number = entry.name, entry.written
        truth = self.task.flow.passes({})[1]
        for senders in self.flow.senders(self.parts.get(key, ()), entry.sources):
            carried, true = (self.sent(key, parts, senders) for parts in (self.parts, truth))
            follows = self.same(number, carried, key, carried=True)
            right = self.same(number, true, key, carried=False)
            if right or follows:
                break
        status = _status(right=right, follows=follows)
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
            self.share(status), 1.0, message, entry.sources,
        )  # fmt: skip

    def sent(self, key: Key, parts: Mapping[Key, Any], senders: set[Key]) -> Any:
        """What some consumers of a node send to it, added up."""
        own = [p.value for p in parts.get(key, ()) if p.consumer in senders]
        return sum(own[1:], start=own[0]) if own else np.zeros(self.shape(key))[()]

    # --- evidence ---

    def passed_on(self) -> dict[Key, Any]:
        return self.carried[0] | self.given

    def case(self, key: Key, parts: Mapping[Key, Any]) -> Case:
        """An accumulator as it should be, made of these parts."""
        return Case(self.flow, key, parts, self.passed_on(), self.scheme.eta, self.deadline)

    def matches(self, key: Key, number: Written) -> Any:
        return lambda value: self.same(number, value, key, carried=True, open_=3.0)

    def evidence(self, key: Key, number: Written | None, carried: Any) -> Evidence:
        """All there is to find out what went wrong in a row."""
        case = self.case(key, self.parts)
        given = frozenset(self.given)
        if number is None:
            return Evidence(case, None, None, self.handed.work, carried, given)
        spread = self.digits.whole.gradients.get(key, 0.0) if np.any(number.radius) else 0.0
        unsure = vague(number, carried, spread)
        matches = self.matches(key, number)
        return Evidence(case, number, matches, self.handed.work, carried, given, unsure)

    def line(self, key: Key, kind: str) -> int | None:
        work = self.handed.work
        if work is not None:
            lines: list[Line] = work.lines.get(key, []) if kind == "gradient" else []
            return lines[-1].number if lines else work.forward_lines.get(key)
        entry = (self.handed.entries or {}).get((key, kind))
        return None if entry is None else entry.line

    def text(self, key: Key, kind: str) -> str:
        work = self.handed.work
        if work is not None:
            if kind == "gradient":
                return work.lines[key][-1].text
            return work.texts.get(key, "")
        entry = (self.handed.entries or {}).get((key, kind))
        return "" if entry is None else entry.label

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

    def descent(self, rows: list[MarkedRow]) -> bool:
        """Whether every gradient that was handed in is the negative of the true one."""
        handed = self.handed.gradients
        if not handed or any(number is None for number in handed.values()):
            return False
        some = False
        for key, number in handed.items():
            assert number is not None
            true = self.truths[0].get(key)
            if true is None or not self.same(number, -true, key, carried=True):
                return False
            some = some or bool(np.any(true != 0))
        wrong = any(row.status is not Status.OK for row in rows if row.kind == "gradient")
        return some and wrong

    def with_followers(self, rows: list[MarkedRow]) -> Iterator[MarkedRow]:
        """Every root with the number of carried rows after it that can follow from it."""
        for i, row in enumerate(rows):
            if row.status not in (Status.WRONG, Status.INCONSISTENT):
                yield row
                continue
            below = None if row.kind == "value" else self.below(row.name)
            later = [
                r
                for r in rows[i + 1 :]
                if r.status is Status.CARRIED and (below is None or r.name in below)
            ]
            yield MarkedRow(**{**vars(row), "follow": len(later)})

    def below(self, name: str) -> set[str]:
        """The names whose accumulators are made of the one of this name, itself included."""
        keys = {key for key in self.flow.values if self.flow.name(key) == name}
        for key in reversed(self.flow.stages):
            if key in keys:
                keys.update(self.flow.stages[key].reads)
        return {self.flow.name(key) for key in keys}


def sides_of(flow: Flow) -> list[int | Mapping[Key, int]]:
    """What may be taken as the derivative at kinks: one side everywhere, or mixed."""
    tied = flow.tied
    if not 2 <= len(tied) <= MOST_TIED:
        return list(SIDES)
    mixed = (dict(zip(tied, sides, strict=True)) for sides in product(SIDES, repeat=len(tied)))
    return [*SIDES, *(one for one in mixed if len(set(one.values())) > 1)]


def _status(*, right: bool, follows: bool) -> Status:
    """The status of a number that is right or not, and follows from those before it or not."""
    if follows:
        return Status.OK if right else Status.CARRIED
    return Status.INCONSISTENT if right else Status.WRONG


def _shapes(name: str, submitted: Any, true: Any) -> str:
    return f"{name} has the shape {np.shape(true)}, here it is {np.shape(submitted)}"
