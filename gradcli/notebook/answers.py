"""What a notebook's names have of a task.

A mapping of names comes in, entries go out. Much in a namespace is no answer: modules, functions,
the point itself, names of the student's own. So a name counts only if it can be read as a row of
the task and stands for numbers, or if it is a dictionary or an object that holds gradients;
nothing else is looked at, and nothing in it raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.marking.result import Note
from gradcli.grading.model.task import Task
from gradcli.grading.submission.labels import Reading, is_estimate, known_label, readings
from gradcli.grading.submission.types import Entry
from gradcli.notebook.numbers import SINGLE, attribute, is_plain, number, written

LONGEST_NAME = 200
MOST_NAMES = 100_000
HOLDER = re.compile(
    r"(?i)_?(my_?)?((grad|gradient|delta|nabla|derivative|accumulator)s?(_?\w*)?|d|d_?param\w*"
    r"|\w+_(grad|gradient|delta)s?)"
)
"""What a dictionary is called whose keys are the names of nodes: `grads["W1"]`."""


class _Answer(NamedTuple):
    label: str
    value: Any
    content: Any
    """As it was handed in."""


class Found:
    """What a namespace has of a task."""

    def __init__(self, task: Task, rtol: float) -> None:
        self.task, self.rtol = task, rtol
        self.values: dict[str, _Answer] = {}
        self.gradients: dict[str, _Answer] = {}
        self.bare: dict[str, _Answer] = {}
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
        vocabulary = self.task.vocabulary
        text = known_label(name, vocabulary)
        known = text in vocabulary.inputs or text in vocabulary.nodes
        return Reading("gradient", text) if known else None

    def reading(self, label: str) -> Reading | None:
        """What a name stands for: a node of that very name comes first."""
        try:
            found = readings(label, self.task.vocabulary)
        except (GradcliError, ValueError):
            return None
        if not found:
            return None
        if len(found) > 1:
            ways = " and ".join(map(str, found))
            self.notes.append(Note("ambiguous", f"'{label}' could be {ways}; it is the first"))
        return found[0]

    def number(self, content: Any, reading: Reading) -> Any:
        """A float64 or an array of them; None for what is no real number or array."""
        value = number(content)
        if value is None or is_plain(content):
            return value
        fits = np.shape(value) == np.shape(self.task.flow.values[reading.name])
        return value if fits else None  # a data frame that happens to be called df

    def take(self, label: str, reading: Reading, content: Any) -> None:
        """Take note of an answer, if it is numbers; the first of several counts."""
        name, value = reading.name, self.number(content, reading)
        if value is None:
            return
        if reading.kind == "value" and name in self.task.vocabulary.inputs:
            if not self.same(value, self.task.flow.values[name]):
                self.bare[name] = _Answer(label, value, content)
            return
        where = self.gradients if reading.kind == "gradient" else self.values
        before = where.setdefault(name, _Answer(label, value, content))
        if before.label != label and not self.same(before.value, value):
            text = f"'{label}' and '{before.label}' differ: '{before.label}' is what counts"
            self.notes.append(Note("twice", text))

    def same(self, value: Any, other: Any) -> bool:
        """Whether two numbers are one, but for the rounding of single precision."""
        return np.shape(value) == np.shape(other) and bool(
            np.allclose(value, other, rtol=max(self.rtol, SINGLE), atol=0, equal_nan=True)
        )

    def entries(self) -> Iterator[Entry]:
        """The rows that count."""
        for name, answer in self.bare.items():
            if name not in self.gradients:
                self.gradients[name] = answer
            else:
                text = f"'{name}' has another value here than in the task"
                self.notes.append(Note("other-point", text))
        strangers = self.strangers()
        for kind, answers in (("value", self.values), ("gradient", self.gradients)):
            for name, answer in answers.items():
                if name not in strangers:
                    number_ = written(answer.content, answer.value)
                    yield Entry(name, kind, number_, None, answer.label)  # type: ignore[arg-type]

    def strangers(self) -> frozenset[str]:
        """Nodes that the task does not name, if most of their names are used otherwise here.

        A student's own `a` need not be the `a` of the trace.
        """
        task = self.task
        stated = {*task.named, *task.vocabulary.inputs, task.output}
        unnamed = {name for name in task.vocabulary.nodes if name not in stated}
        given = [name for name in self.values if name in unnamed]
        right = [n for n in given if self.same(self.values[n].value, task.flow.values[n])]
        return frozenset(unnamed) if 2 * len(right) < len(given) else frozenset()


def _items(mapping: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    """What is in a mapping; nothing of one that can't be looked at."""
    try:
        return list(mapping.items())[:MOST_NAMES]
    except Exception:  # noqa: BLE001 - a mapping of a student's own may raise anything
        return []


def _is_label(label: Any) -> bool:
    return isinstance(label, str) and 0 < len(label) <= LONGEST_NAME
