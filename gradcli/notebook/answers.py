"""What a notebook's names have of a task.

A mapping of names comes in, its marks go out. Much in a namespace is no answer: modules, functions,
the point itself, names of the student's own. So a name counts only if it can be read as a row of
the task and stands for numbers, or if it is a dictionary or an object that holds gradients;
nothing else is looked at, and nothing in it raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.marking.expected import Scheme
from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Marked, Note
from gradcli.grading.model.deadline import Deadline
from gradcli.grading.model.task import Task
from gradcli.grading.submission.entries import values_from
from gradcli.grading.submission.labels import Reading, is_estimate, known_label, readings
from gradcli.grading.submission.types import Entry
from gradcli.notebook.numbers import SINGLE, attempted, attribute, is_plain, number, written
from gradcli.report.homework.marked import as_text

LONGEST_NAME = 200
MOST_NAMES = 100_000
HOLDER = re.compile(
    r"(?i)_?(my_?)?((grad|gradient|delta|nabla|derivative|accumulator)s?(_?\w*)?|d|d_?param\w*"
    r"|\w+_(grad|gradient|delta)s?)"
)
"""What a dictionary is called whose keys are the names of nodes: `grads["W1"]`."""


class Found:
    """What a namespace has of a task."""

    def __init__(self, task: Task, rtol: float) -> None:
        self.task, self.rtol = task, rtol
        self.values: dict[str, Entry] = {}
        self.gradients: dict[str, Entry] = {}
        self.bare: dict[str, Entry] = {}
        """Inputs' names with another value than the point's."""
        self.notes: list[Note] = []

    def read(self, namespace: Mapping[Any, Any]) -> None:
        """Sort the names: values, gradients, the point; then what dictionaries and objects hold."""
        items = [item for item in _items(namespace) if _is_label(item[0])]
        for label, content in items:
            if (reading := self.reading(label)) is not None:
                self.take(label, reading, content)
        for label, content in items:
            if isinstance(content, Mapping):
                self.read_entries(label, content)
            else:
                self.read_grad(label, label, content)

    def read_entries(self, holder: str, entries: Mapping[Any, Any]) -> None:
        """The gradients in a dictionary: `grads["W1"]`, `grads["dW1"]`, `params["W1"].grad`."""
        gradients = bool(HOLDER.fullmatch(holder)) and not is_estimate(holder)
        for key, content in _items(entries):
            if not _is_label(key):
                continue
            label = f'{holder}["{key}"]'
            reading = self.node(key) if gradients else None
            reading = reading or self.reading(key)
            if reading is not None and reading.kind == "gradient":
                self.take(label, reading, content)
            elif not gradients:
                self.read_grad(label, key, content)

    def read_grad(self, label: str, name: str, content: Any) -> None:
        """`x.grad`, of a tensor or an object that stands for a node."""
        reading = self.node(name)
        gradient = None if reading is None else attribute(content, "grad")
        if reading is not None and gradient is not None:
            self.take(f"{label}.grad", reading, gradient)

    def node(self, name: str) -> Reading | None:
        """The gradient of the node of that very name, if there is one."""
        text = known_label(name, self.task.vocabulary)
        return Reading("gradient", text) if text in self.task.vocabulary.names else None

    def reading(self, label: str) -> Reading | None:
        """What a name stands for: a node of that very name comes first."""
        try:
            found = readings(label, self.task.vocabulary)
        except (GradcliError, ValueError):
            return None
        if len(found) > 1:
            ways = " and ".join(map(str, found))
            self.notes.append(Note("ambiguous", f"'{label}' could be {ways}; it is the first"))
        return next(iter(found), None)

    def take(self, label: str, reading: Reading, content: Any) -> None:
        """Take note of an answer, if it is numbers; the first of several counts."""
        name, value = reading.name, number(content)
        values = self.task.flow.values
        if value is None or not (is_plain(content) or np.shape(value) == np.shape(values[name])):
            return  # as a data frame that happens to be called df
        entry = Entry(name, reading.kind, written(content, value), None, label)
        if reading.kind == "value" and name in self.task.vocabulary.inputs:
            if not self.same(value, values[name]):
                self.bare[name] = replace(entry, kind="gradient")
            return
        where = self.gradients if reading.kind == "gradient" else self.values
        before = where.setdefault(name, entry)
        if before.label != label and not self.same(before.written.value, value):
            text = f"'{label}' and '{before.label}' differ: '{before.label}' is what counts"
            self.notes.append(Note("twice", text))

    def same(self, value: Any, other: Any) -> bool:
        """Whether two numbers are one, but for the rounding of single precision."""
        return np.shape(value) == np.shape(other) and bool(
            np.allclose(value, other, rtol=max(self.rtol, SINGLE), atol=0, equal_nan=True)
        )

    def entries(self) -> tuple[Entry, ...]:
        """The rows that count."""
        strangers = self.strangers()
        found = (*self.values.values(), *(self.bare | self.gradients).values())
        return tuple(entry for entry in found if entry.name not in strangers)

    def marked(self, scheme: Scheme, deadline: Deadline, *, values: bool = True) -> Marked:
        """The marks of what was found; without `values`, of the gradients alone."""
        entries = tuple(e for e in self.entries() if values or e.kind == "gradient")
        handed = values_from(entries, self.task.vocabulary, {})
        handed = handed if values else replace(handed, gradients_only=True)
        marked = mark(self.task, handed, scheme, deadline)
        other = (
            Note("other-point", f"'{name}' has another value here than in the task")
            for name in self.bare
            if name in self.gradients
        )
        return replace(marked, notes=(*marked.notes, *self.notes, *other), renderer=as_text)

    def strangers(self) -> frozenset[str]:
        """Nodes that the task does not name, if most of their names are used otherwise here.

        A student's own `a` need not be the `a` of the trace.
        """
        task = self.task
        stated = {*task.named, *task.vocabulary.inputs, task.output}
        unnamed = {name for name in task.vocabulary.nodes if name not in stated}
        given = [name for name in self.values if name in unnamed]
        right = [n for n in given if self.same(self.values[n].written.value, task.flow.values[n])]
        return frozenset(unnamed) if 2 * len(right) < len(given) else frozenset()


def _items(mapping: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """What is in a mapping; nothing of one that can't be looked at."""
    return attempted(lambda: list(mapping.items())[:MOST_NAMES], [])


def _is_label(label: Any) -> bool:
    return isinstance(label, str) and 0 < len(label) <= LONGEST_NAME
