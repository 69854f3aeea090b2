"""From the steps of a reading to cells and lines: the stages on which a listing is judged.

A `CodeReader` that has read the code comes in. Every step of the computation becomes a cell
(`cells`), every gradient's steps become its lines (`gradients`), all else the student's own forward
pass (`own`). What a name stands for, its form tells (`labels`).
"""

from __future__ import annotations

import ast
from collections import Counter
from functools import cached_property
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Span
from gradcli.grading.listing.calls import RETURN
from gradcli.grading.listing.cells import NO_NUMBER, Cells, code_of, like
from gradcli.grading.listing.gradients import Gradients
from gradcli.grading.listing.numbers import as_written
from gradcli.grading.listing.reader import CodeReader, Lost
from gradcli.grading.listing.trees import returns_of, whole_label
from gradcli.grading.listing.work import Cell
from gradcli.grading.model.flow import Key
from gradcli.grading.model.tolerance import alike
from gradcli.grading.submission.labels import (
    Reading,
    base_and_key,
    last_part,
    read_name,
    readings,
    subscript,
)
from gradcli.python.steps import Step
from gradcli.python.values import Array, Unknown, Value

GRADIENTS = frozenset({"grads", "grad", "gradients", "gradient", "d", "delta", "deltas"})
"""What a dictionary is called whose entries are gradients by their names alone: `grads["W1"]`."""
RAISED = frozenset({"KeyError", "TypeError", "AttributeError", "IndexError", "ValueError"})
"""What Python itself would raise there."""
COMPUTING = frozenset({"shape", "name", "domain", "overflow", "edge", "singular"})
"""Why a statement that can be read has no value."""


class Staging:
    """The cells and lines of one reading."""

    def __init__(self, reader: CodeReader) -> None:
        self.reader, self.task = reader, reader.code.task.flow
        self.tape, self.text, self.vocabulary = reader.tape, reader.text, reader.vocabulary
        self.cells = Cells(reader)
        self.lines = Gradients(self.cells)
        self.problems: list[GradcliError] = []
        self.own: list[Cell] = []
        """The variables of the student's forward pass, each value of a name as one of its own."""
        self.counts: Counter[str] = Counter()
        """How many of them have each name."""
        self.spoilt: list[Cell] = []
        """Values between gradients that could not be computed."""
        self.originals: dict[Key, Any] = {}
        """Inputs that were given another value in a descent step: the one they had."""
        self.last_forward: Cell | None = None

    def cell(self, label: str, number: Any, span: Span, **more: Any) -> Cell:
        """A cell for a label that a statement gives a number, or none."""
        value = None if number is None else like(number)
        line, text = self.text.line(span), self.text.written(span)
        return Cell(label, "variable", value, line, text=text, label=label, **more)

    # --- what a name stands for ---

    def reading(self, label: str) -> Reading:
        """What a label that is given a value stands for."""
        entry = base_and_key(label)
        name = last_part(label)
        if entry is None and name in self._used and subscript(name, self.vocabulary) is not None:
            return Reading("value", name)  # f(x) on the way, no gradient
        found = read_name(name, self.vocabulary, self.counts)
        holder = entry is not None and last_part(entry[0]).lower() in GRADIENTS
        known = holder and readings(name, self.vocabulary, self.counts)
        return Reading("gradient", found.name) if known else found

    @cached_property
    def _used(self) -> frozenset[str]:
        """The names that expressions of the listing use, but for what functions give back."""
        values = [n.value for n in returns_of(self.reader.code.tree)]
        parts = (n.elts if isinstance(n, ast.Tuple) else [n] for n in values)
        given_back = {id(n) for of in parts for n in of}
        names = (n for n in self.reader.code.nodes if isinstance(n, ast.Name))
        loaded = (n for n in names if isinstance(n.ctx, ast.Load))
        return frozenset(n.id for n in loaded if id(n) not in given_back)

    def reading_at(self, label: str, span: Span) -> Reading:
        """`reading`; an error shows the statement."""
        try:
            return self.reading(label)
        except GradcliError as error:
            raise self.cells.refused(span, error.message, error.hint) from None

    # --- steps ---

    def step(self, i: int) -> None:
        """One step of the reading."""
        step, place = self.reader.reading.steps[i], self.reader.places[i]
        if not place.own or step.name == RETURN:
            return
        self.cells.place = place
        label = whole_label(step.name)
        code = code_of(place.statement, label)
        if isinstance(step.value, dict):
            self._entries(label, code, step, i)
            return
        node = step.node if step.whole is None else step.whole
        value = self.tape.values[node] if node is not None else step.number
        if value is None or np.asarray(value).dtype.kind not in "fiub":
            return
        cell = self.cell(label, value, step.span, code=code, step=i, turn=step.turn)
        if step.sign == "=":
            cell.written = as_written(code, cell.value, self.text)
        cell.behind = self.cells.beside(place.statement)
        reading = self.reading_at(label, step.span)
        plain = node is None and reading.kind == "value"
        if plain and self.reader.is_another(reading.name, value):
            return  # another thing by that name
        self.give(label, reading, cell, node, step)
        stand_in = self.reader.replaced_by.get(i)
        if stand_in is not None and self.cells.at.get(label) is cell:
            cell.stand_in, cell.replaced = self.tape.values[stand_in], True
            self.cells.hold(stand_in, cell, label)

    def _entries(self, base: str, code: ast.expr | None, step: Step, i: int) -> None:
        """The numbers in a dictionary that gets a name."""
        parts: dict[Any, ast.expr] = {}
        if isinstance(code, ast.Dict):
            parts = {k.value: v for k, v in zip(code.keys, code.values, strict=True)
                     if isinstance(k, ast.Constant)}  # fmt: skip
        for key, entry in self.cells.place.entries.items():
            if isinstance(key, str) and self.reader.is_number(entry):
                self.give_value(f'{base}["{key}"]', entry, step.span, code=parts.get(key), step=i)

    def give_value(
        self, label: str, value: Value, span: Span, reading: Reading | None = None, **more: Any
    ) -> None:
        """A label that gets a value without an assignment of its own."""
        cell = self.cell(label, self.tape.value(value), span, **more)
        reading = reading or self.reading_at(label, span)
        self.give(label, reading, cell, self.reader.node_of_value(value), None)

    def give(
        self, label: str, reading: Reading, cell: Cell, node: int | None, step: Step | None
    ) -> None:
        """A label that gets a value."""
        source = self.cells.source(node, cell)
        if source is not None and not self._is_another(label, reading, source, cell):
            self.cells.at[label] = source
            return
        if reading.kind == "gradient":
            if source is None or source.kind != "gradient":
                self.cells.go_where_made(cell, node)
            self.lines.add(reading.name, cell, node, step)
        else:
            self.cells.make(cell, node)
            cell.source = source
            self._variable(last_part(label), cell)
        self.cells.hold(node, cell, label)

    def _is_another(self, label: str, reading: Reading, source: Cell, cell: Cell) -> bool:
        """Whether another name for a cell makes another cell."""
        if reading.kind == "gradient":
            return (source.kind, source.name) != ("gradient", reading.name)
        name = last_part(label)
        together = not isinstance(cell.code, ast.Name)
        if source.kind == "variable" and source.key:
            if name in (source.name, source.key):
                return False
            if isinstance(cell.code, ast.Call) and source.key in self.vocabulary.inputs:
                return True  # a copy
            return name in self.vocabulary.inputs or not together
        return not (together and source.kind == "gradient" and name not in self.vocabulary.inputs)

    def see_what_changed(self) -> None:
        """A gradient that is a view changes with the array that is stored into: a line more."""
        for label, value in list(self.reader.scope.names.items()):
            cell = self.cells.at.get(label)
            if cell is None or cell.kind != "gradient" or not isinstance(value, Array):
                continue
            node, makers = self.tape.node(value), self.reader.makers(self.tape.node(value.root))
            if makers and not cell.replaced and node not in (None, cell.node):
                self.cells.place = self.reader.places[makers[-1]]
                span = self.reader.reading.steps[makers[-1]].span
                changed = self.cell(label, self.tape.value(value), span, step=makers[-1])
                self.lines.add(cell.name, changed, node, None)

    # --- variables ---

    def _variable(self, name: str, cell: Cell) -> None:
        """A value of the forward pass, or one on the way between gradients."""
        name = self.reader.written_for.get(name, name)
        cell.name = name
        if cell.value is None:
            cell.stand_in = self.task.values.get(name)
        if any(read.after_gradients for read in cell.reads):
            cell.kind = "helper"
            if cell.spoils:
                self.spoilt.append(cell)
        inputs = self.vocabulary.inputs
        at = -1 if cell.step is None else cell.step
        calls = self.reader.reading.steps[at].calls if at >= 0 else ()
        if name in inputs and calls and cell.kind == "variable" and not self._is_point(name, cell):
            name = cell.name = f"{calls[-1]}.{name}"  # a parameter that is given a value
        if name in inputs:
            self._input(name, cell)
        elif cell.kind == "variable":
            earlier = self.counts[name] + (name in self.task.values)
            cell.key = f"{name}#{earlier + 1}" if earlier else name
            self.counts[name] += 1
            self.own.append(cell)
            if not self.lines.groups and name.isidentifier():
                self.last_forward = cell

    def _input(self, name: str, cell: Cell) -> None:
        """An input that is given a value: the task's, or that of a descent step."""
        given = self.task.values[name]
        if cell.kind == "helper":
            cell.key = name
            self.originals[name] = given
        elif cell.kind == "variable" and self._is_point(name, cell):
            cell.key = name
        else:
            short = f"{float(given):.6g}" if np.ndim(given) == 0 else "another array"
            raise self.cells.refused(
                self.text.span(self.cells.place.statement),
                f"'{name}' has another value here than in the task",
                f"the task has {name} = {short}",
            )

    def _is_point(self, name: str, cell: Cell) -> bool:
        """Whether a value is the one that the task gives to an input."""
        return cell.value is not None and alike(
            np.ravel(cell.value), np.ravel(self.task.values[name])
        )

    # --- what has no value ---

    def lost(self, lost: Lost, number: int) -> None:
        """A label without a value; `number` counts these."""
        if not lost.place.own:
            return
        self.cells.place = lost.place
        statement, label, at, why = lost.place.statement, lost.label, self.cells.at, lost.why
        span = self.text.span(statement)
        reading = self.reading_at(label, span)
        raises = why.raised in RAISED and why.kind != "binding"
        if why.kind not in COMPUTING and not raises:
            if reading.kind == "gradient":
                raise self.unreadable(why, span)
            return
        code, problem = code_of(statement, label), self._problem(why)
        cell = self.cell(label, None, span, code=code, step=-1 - number, problem=problem)
        names = sorted(self.cells.labels(cell) & at.keys())
        cell.reads = tuple({id(at[n]): at[n] for n in names}.values())
        cell.words = tuple(next(n for n in names if at[n] is c) for c in cell.reads)
        if cell.spoils and why.kind not in ("shape", "domain"):
            self.problems.append(self.unreadable(why, span))
        if reading.kind == "gradient":
            sign = "+=" if isinstance(statement, ast.AugAssign) else "="
            self.lines.lose(reading.name, cell, sign)
        else:
            self._variable(last_part(label), cell)
        node = self.reader.node_of_value(lost.stand_in)
        if node is not None:
            cell.stand_in = self.tape.values[node]
        self.cells.hold(node, cell, label)

    def _problem(self, why: Unknown) -> GradcliError:
        message = NO_NUMBER if why.kind in ("domain", "overflow", "singular") else why.message
        return GradcliError(
            Kind(why.kind), message, source=self.reader.code.source, span=why.span, hint=why.hint,
            labels=why.labels,
        )  # fmt: skip

    def unreadable(self, why: Unknown, span: Span) -> GradcliError:
        """The error of a statement that can't be read."""
        return self.cells.refused(why.span or span, why.message, why.hint)
