"""The rows of forward values: of a sheet each, of a listing its output and what made it wrong.

What was handed in comes in with what every row should be (`Expected`); judged rows go out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcli.diagnostics.error import Kind
from gradcli.grading.listing.work import Work
from gradcli.grading.marking.expected import Expected, status_of
from gradcli.grading.marking.result import MarkedRow, Status
from gradcli.grading.mistakes.diagnose import VAGUE
from gradcli.grading.model.flow import Key
from gradcli.grading.model.tolerance import own_values, vague
from gradcli.grading.submission.types import Written

SLIP = ("forward-slip",)


class ValueRows(Expected):
    """The rows of values."""

    def value_rows(self) -> Iterator[MarkedRow]:
        """Forward values; of a listing, the output and what made it wrong."""
        work = self.handed.work
        if work is not None and (self.flow.own or work.problems):
            yield from self._listing_values(work)
            return
        own = own_values(self.flow)
        for key in self.task.flow.values:
            number = self.handed.values.get(key)
            if number is not None:
                yield self._compared(key, number, own.get(key, self.task.flow.values[key]))

    def _compared(self, key: Key, number: Written, carried: Any) -> MarkedRow:
        """A value compared with the true one, and with what follows from the values before."""
        true, digits = self.task.flow.values[key], self.digits
        follows = self.tolerance.same(number, carried, digits.allowed.values.get(key, 0.0))
        status = status_of(right=self.tolerance.same(number, true), follows=follows)
        tags: tuple[str, ...] = ()
        message = ""
        if status is Status.WRONG and vague(number, carried, digits.whole.values.get(key, 0.0)):
            message = VAGUE
        elif status is Status.WRONG and np.shape(number.value) != np.shape(true):
            tags = ("shape",)
            here = np.shape(number.value)
            message = f"{key} has the shape {np.shape(true)}, here it is {here}"
        elif status is Status.WRONG:
            tags, message = SLIP, f"the value of {key} is wrong; what follows is judged by it"
        return self._value_row(key, status, tags, message, number.value, true, carried)

    def _value_row(
        self, key: Key, status: Status, tags: tuple[str, ...], message: str, submitted: Any,
        true: Any, carried: Any,
    ) -> MarkedRow:  # fmt: skip
        return MarkedRow(
            self.flow.name(key), "value", status, tags, *self.place(key, "value"),
            submitted, true, carried, self.scheme.share(status), 1.0, message,
        )  # fmt: skip

    def _listing_values(self, work: Work) -> Iterator[MarkedRow]:
        """The output of the student's own forward pass, and the statement that made it wrong."""
        trues, wrong, called = self.task.flow.values, Status.WRONG, self.flow.name
        for key, problem in work.problems.items():
            tags, true = ("shape",) if problem.kind is Kind.SHAPE else (), trues.get(called(key))
            yield self._value_row(key, wrong, tags, problem.message, None, true, None)
        key = self.flow.output
        cell = work.variables.get(key)
        if not self.flow.own or (cell is not None and cell.problem is not None):
            return
        root = self._first_slip(work) if self.slipped else None
        if root is not None and root != key:
            value = self.flow.values[root]
            message = f"the value of {called(root)} is wrong; what follows is judged by it"
            yield self._value_row(root, wrong, SLIP, message, value, trues[called(root)], value)
        status, tags, message = Status.OK, (), ""
        if self.slipped and root not in (None, key):
            status = Status.CARRIED
        elif self.slipped:
            status, tags = wrong, SLIP
            said = "the gradients are judged by what follows from it"
            message = f"the value of {called(key)} is wrong; {said}"
        value = self.flow.values[key]
        yield self._value_row(key, status, tags, message, value, trues[self.task.output], value)

    def _first_slip(self, work: Work) -> Key | None:
        """The first statement with another value than the task's node of its name."""
        right = self.task.flow.values
        if self.task.named:  # the other nodes have names that the student can't know
            right = {name: right[name] for name in {*self.task.named, self.task.output}}
        for key in work.variables:
            true = right.get(self.flow.name(key))
            known = key in self.flow.reached and self.flow.values.get(key) is not None
            if known and true is not None and not self.tolerance.same(self.value(key), true):
                return key
        return None
