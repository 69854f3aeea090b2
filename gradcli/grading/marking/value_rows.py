"""The rows of forward values: of a sheet each, of a listing its output and what made it wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcli.diagnostics.error import Kind
from gradcli.grading.listing.work import Work
from gradcli.grading.marking.expected import Expected, status_of
from gradcli.grading.marking.result import (
    MarkedRow,
    Status,
)
from gradcli.grading.mistakes.diagnose import VAGUE
from gradcli.grading.model.flow import Key
from gradcli.grading.model.tolerance import (
    own_values,
    vague,
)
from gradcli.grading.submission.types import Written


class ValueRows(Expected):
    """The rows of values."""

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
        """A value compared with the true one, and with what follows from the values before."""
        true = self.task.flow.values[key]
        follows = self.tolerance.same(number, carried, self.digits.allowed.values.get(key, 0.0))
        right = self.tolerance.same(number, true)
        status = status_of(right=right, follows=follows)
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
            number.value, true, carried, self.scheme.share(status), 1.0, message,
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
            self.flow.values[key], self.scheme.share(status), 1.0,
            f"the value of {name} is wrong; the gradients are judged by what follows from it"
            if wrong else "",
        )  # fmt: skip

    def first_slip(self, work: Work) -> Key | None:
        """The first statement with another value than the task's node of its name."""
        right = self.task.flow.values
        if self.task.named:  # the other nodes have names that the student can't know
            right = {name: right[name] for name in {*self.task.named, self.task.output}}
        for key in work.forward_lines:
            name = self.flow.name(key)
            value = self.flow.values.get(key)
            known = key in self.flow.reached and name in right and value is not None
            if known and not self.tolerance.same(self.value(key), right[name]):
                return key
        return None

    def slip_row(self, key: Key, work: Work) -> MarkedRow:
        """The row of the statement that made the output wrong."""
        name = self.flow.name(key)
        value = self.flow.values[key]
        return MarkedRow(
            name, "value", Status.WRONG, ("forward-slip",), work.forward_lines.get(key),
            self.text(key, "value"), value, self.task.flow.values[name], value, 0.0, 1.0,
            f"the value of {name} is wrong; what follows is judged by it",
        )  # fmt: skip


def _shapes(name: str, submitted: Any, true: Any) -> str:
    return f"{name} has the shape {np.shape(true)}, here it is {np.shape(submitted)}"
