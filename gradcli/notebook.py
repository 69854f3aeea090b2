"""Grading from a notebook: the names of a namespace as values that were handed in.

A task and a mapping such as `globals()` come in, `Marked` goes out. Much in a namespace is no
answer: modules, functions, the point itself, names of the student's own. So a name counts only
if it can be read as a row of the task and stands for numbers; nothing else is looked at, and
nothing in it raises.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import problem, reason
from gradcli.diagnostics.gc_pause import collector_paused
from gradcli.grading.marking.mark import Scheme, mark
from gradcli.grading.marking.result import Marked, Note
from gradcli.grading.model.deadline import SECONDS, Deadline
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.model.tolerance import CODE, Tolerance, exact
from gradcli.grading.submission.entries import values_from
from gradcli.grading.submission.labels import Reading, readings
from gradcli.grading.submission.types import Entry
from gradcli.program import Program
from gradcli.report.homework.marked import as_text

LONGEST_NAME = 200
MOST_NAMES = 100_000


def grade_values(
    task: str | Path | Program | Task,
    namespace: Mapping[str, Any],
    inputs: Mapping[str, Any] | None = None,
    /,
    *,
    data: Mapping[str, Any] | None = None,
    wrt: Iterable[str] | None = None,
    rtol: float = CODE,
    carried: float = 1.0,
    eta: float | None = None,
    seed: int = 0,
    time_limit: float = SECONDS,
    **point: Any,
) -> Marked:
    """Mark the values and gradients that code has computed: `gradcli grade` from a notebook.

    `task` is a program's text, a file with it, or a `Program`; its point is in its `#:` lines, in
    `data`, or given by keyword (`inputs` is a mapping for names that are parameters here).
    `namespace` maps names to numbers, nested lists or arrays, and may be `globals()`: gradients
    under all their names (`delta_x`, `dx`, `dfdx`, `x.grad`, …), values of the forward pass under
    theirs. Names that are no row of the task, and values that are no real numbers, are ignored.
    An input's name stands for the point; only where it has another value, and no other name has
    the gradient, it is taken for the gradient.

    `rtol` is the relative tolerance, `carried` what right work on a wrong number earns, `eta` the
    step of gradient descent where updated weights are looked for, `wrt` the gradients asked for.
    After `time_limit` seconds no further mistake is named; the marks do not depend on it.
    The result says which rows are right, and `str()` of it is the report. Nothing is printed.

    Raises `GradcliError` for a task that can't be evaluated, never for what is in the namespace.

    >>> marked = grade_values("x*y + x", {"dx": 3, "dy": -3}, x=3, y=2)
    >>> marked.score, marked.max_score, marked.right
    (1.0, 2.0, False)
    >>> print(marked)
    dy                                                                      sign
      the sign of what a sends is wrong.
    score 1 / 2
    """
    deadline = Deadline.of_naming(time_limit)
    with warnings.catch_warnings(), np.errstate(all="ignore"), collector_paused():
        warnings.simplefilter("ignore")
        made = _task(task, {**(inputs or {}), **point}, data, wrt, seed)
        found = _Found(made, rtol)
        found.read(namespace)
        entries = tuple(sorted(found.entries(), key=lambda entry: entry.kind))
        scheme = Scheme(Tolerance(rtol), carried, eta)
        marked = mark(made, values_from(entries, made.vocabulary), scheme, deadline)
    return replace(marked, notes=(*marked.notes, *found.notes), renderer=as_text)


def _task(
    task: str | Path | Program | Task,
    inputs: Mapping[str, Any],
    data: Mapping[str, Any] | None,
    wrt: Iterable[str] | None,
    seed: int,
) -> Task:
    if isinstance(task, Task):
        return task
    program = task if isinstance(task, Program) else _program(task)
    return make_task(program, inputs, data=data, wrt=wrt, seed=seed)


def _program(task: str | Path) -> Program:
    """The program of a file, if there is one of that name, else the text itself."""
    try:
        is_file = isinstance(task, Path) or (len(task) < 1000 and Path(task).is_file())
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        return Program(str(task))
    try:
        text = Path(task).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise problem(str(task), f"can't be read: {reason(error).lower()}") from None
    return Program(text, name=str(task))


class _Answer(NamedTuple):
    label: str
    value: Any


class _Found:
    """What a namespace has of a task."""

    def __init__(self, task: Task, rtol: float) -> None:
        self.task, self.rtol = task, rtol
        self.values: dict[str, _Answer] = {}
        self.gradients: dict[str, _Answer] = {}
        self.bare: dict[str, _Answer] = {}
        """Inputs' names with another value than the point's."""
        self.notes: list[Note] = []

    def read(self, namespace: Mapping[Any, Any]) -> None:
        """Sort the names: values, gradients, the point."""
        try:
            items = list(namespace.items())[:MOST_NAMES]
        except Exception:  # noqa: BLE001 - a mapping of a student's own may raise anything
            items = []
        for label, content in items:
            if not isinstance(label, str) or not 0 < len(label) <= LONGEST_NAME:
                continue
            reading = self.reading(label)
            value = None if reading is None else self.number(content, reading)
            if reading is not None and value is not None:
                self.take(label, reading, value)

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
        own = isinstance(content, float | int | Fraction | list | tuple | np.ndarray | np.generic)
        if not own and not hasattr(type(content), "__array__"):
            return None
        try:
            whole = isinstance(content, Fraction | int) and not isinstance(content, bool)
            array = np.asarray(float(content) if whole else content)
            if array.dtype.kind not in "biuf" or not array.size:
                return None
            value = np.array(array, dtype=np.float64)[()]
        except Exception:  # noqa: BLE001 - whatever an object of a student's own raises
            return None
        if not own and np.shape(value) != np.shape(self.task.flow.values[reading.name]):
            return None  # a data frame that happens to be called df
        return value

    def take(self, label: str, reading: Reading, value: Any) -> None:
        name = reading.name
        if reading.kind == "value" and name in self.task.vocabulary.inputs:
            if not self.same(value, self.task.flow.values[name]):
                self.bare[name] = _Answer(label, value)
            return
        where = self.gradients if reading.kind == "gradient" else self.values
        before = where.setdefault(name, _Answer(label, value))
        if before.label != label and not self.same(before.value, value):
            text = f"'{label}' and '{before.label}' differ: '{before.label}' is what counts"
            self.notes.append(Note("twice", text))

    def same(self, value: Any, other: Any) -> bool:
        return np.shape(value) == np.shape(other) and bool(
            np.allclose(value, other, rtol=max(self.rtol, CODE), atol=0, equal_nan=True)
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
            for name, (label, value) in answers.items():
                if name not in strangers:
                    yield Entry(name, kind, exact(value), None, label)  # type: ignore[arg-type]

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
