"""From the steps of a reading to cells and lines: the stages on which a listing is judged.

A `CodeReader` that has read the code comes in. Every step of the computation becomes a cell
(`cells`), every gradient's steps become its lines (`gradients`). What a name stands for, its form
tells (`labels`).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property, partial
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Span
from gradcli.grading.listing.cells import NO_NUMBER, Cells, code_of, like
from gradcli.grading.listing.gradients import Gradients
from gradcli.grading.listing.numbers import as_written
from gradcli.grading.listing.reader import RETURN, CodeReader, Lost, Place, Returned
from gradcli.grading.listing.stages import operands_of
from gradcli.grading.listing.work import Cell
from gradcli.grading.model.flow import Flow, Key
from gradcli.grading.submission.labels import (
    Reading,
    base_and_key,
    last_part,
    read_name,
    readings,
    subscript,
)
from gradcli.python.steps import Step
from gradcli.python.values import NOWHERE, Array, Unknown, Value

GRADIENTS = frozenset({"grads", "grad", "gradients", "gradient", "d", "delta", "deltas"})
"""What a dictionary is called whose entries are gradients by their names alone: `grads["W1"]`."""
RAISED = frozenset({"KeyError", "TypeError", "AttributeError", "IndexError", "ValueError"})
"""What Python itself would raise there."""
COMPUTING = frozenset({"shape", "name", "domain", "overflow", "edge", "singular"})
"""Why a statement that can be read has no value."""


class Staging:
    """The cells and lines of one reading."""

    def __init__(self, reader: CodeReader, task: Flow, named: Collection[str]) -> None:
        self.reader, self.task, self.named = reader, task, named
        self.tape, self.text, self.vocabulary = reader.tape, reader.text, reader.vocabulary
        self.cells = Cells(reader, task)
        self.lines = Gradients(self.cells)
        self.own: list[Cell] = []
        """The variables of the student's forward pass."""
        self.names: dict[str, None] = {}
        self.spoilt: list[Cell] = []
        """Values between gradients that could not be computed."""
        self.originals: dict[Key, Any] = {}
        """Inputs that were given another value in a descent step: the one they had."""
        self.last_forward: Cell | None = None
        self.problems: list[GradcliError] = []
        self.counts: Counter[str] = Counter()
        """How many variables of the code have each name."""

    def all(self) -> Staging:
        """Go through all steps."""
        hold, reader = self.cells.hold, self.reader
        for node, name in reader.given_nodes.items():
            hold(node, Cell(name, "variable", self.task.values[name], key=name), name)
        for node, name in reader.seeds.items():
            label = self.tape.steps[node].name or ""
            hold(node, Cell(name, "gradient", self.tape.values[node]), label)
        events: list[tuple[int, int, Callable[[], None]]] = [
            *((of.at, 0, partial(self._returned, of)) for of in reader.returned),
            *((of.at, 1, partial(self._lost, of, i)) for i, of in enumerate(reader.lost)),
            *((i, 2, partial(self._step, i)) for i in range(len(reader.places))),
        ]
        for _, _, event in sorted(events, key=lambda e: e[:2]):
            event()
        self._see_what_changed()
        self._from_results()
        self._expect_something()
        return self

    def _see_what_changed(self) -> None:
        """A gradient that is a view changes with the array that is stored into: a line more."""
        steps = self.reader.reading.steps
        for label, value in list(self.reader.scope.names.items()):
            cell = self.cells.at.get(label)
            node = self.reader.node_of_value(value) if isinstance(value, Array) else None
            if (
                cell is None
                or cell.kind != "gradient"
                or node in (None, cell.node)
                or cell.replaced
            ):
                continue
            above = self.tape.node(value.root)
            last = next((i for i in reversed(range(len(steps))) if steps[i].whole == above), None)
            if last is not None:
                self.cells.operands = operands_of(self.tape)
                self.cells.place = self.reader.places[last]
                step = steps[last]
                changed = Cell(
                    label, "gradient", like(self.tape.value(value)), step.line,
                    text=self.reader.text.written(step.span), step=last, label=label,
                )  # fmt: skip
                self.lines.add(cell.name, changed, node, None)

    def _expect_something(self) -> None:
        """Say what is missing where no gradient at all can be found out, instead of marks of 0."""
        cells = [line.cell for of in self.lines.groups.values() for group in of for line in group]
        if self.reader.assumed or any(cell.value is not None for cell in cells):
            return
        lost = [] if cells else self.reader.lost
        missing = [self._unreadable(of.why, self._span(of.place.statement)) for of in lost]
        for problem in (*self.problems, *missing):
            raise problem

    # --- what a name stands for ---

    def reading(self, label: str) -> Reading:
        """What a label that is given a value stands for."""
        entry = base_and_key(label)
        name = last_part(label)
        if entry is None and name in self._used and subscript(name, self.vocabulary) is not None:
            return Reading("value", name)  # f(x) on the way, no gradient
        found = read_name(name, self.vocabulary, self.names)
        holder = entry is not None and last_part(entry[0]).lower() in GRADIENTS
        known = holder and readings(name, self.vocabulary, self.names)
        return Reading("gradient", found.name) if known else found

    @cached_property
    def _used(self) -> frozenset[str]:
        """The names that expressions of the listing use, but for what functions give back."""
        returned = (n.value for n in self.reader.functions.nodes if isinstance(n, ast.Return))
        parts = (n.elts if isinstance(n, ast.Tuple) else [n] for n in returned)
        given_back = {id(n) for of in parts for n in of}
        return frozenset(
            n.id
            for n in self.reader.functions.nodes
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and id(n) not in given_back
        )

    # --- steps ---

    def _step(self, i: int) -> None:
        """One step of the reading."""
        step, place = self.reader.reading.steps[i], self.reader.places[i]
        if not place.own or step.name == RETURN:
            return
        self.cells.place = place
        label = _label(step.name)
        code = code_of(place.statement, label)
        if isinstance(step.value, dict):
            self._entries(label, place.entries, step, i)
            return
        node = step.node if step.whole is None else step.whole
        if node is None and step.number is None:
            return
        value = self.tape.values[node] if node is not None else step.number
        if np.asarray(value).dtype.kind not in "fiub":
            return
        cell = Cell(
            label, "variable", like(value), step.line, text=self.text.written(step.span), step=i,
            code=code, label=label, turn=step.turn,
        )  # fmt: skip
        if step.sign == "=":
            cell.written = as_written(
                code, cell.value, lambda node: self.text.written(self._span(node))
            )
        cell.behind = self.cells.beside(place.statement)
        reading = self._reading_at(label, step.span)
        plain = node is None and reading.kind == "value"
        if plain and self.reader.is_another(reading.name, value):
            return  # another thing by that name
        self._given(label, reading, cell, node, step)
        stand_in = self.reader.replaced_by.get(i)
        if stand_in is not None and self.cells.at.get(label) is cell:
            cell.stand_in, cell.replaced = self.tape.values[stand_in], True
            self.cells.hold(stand_in, cell, label)

    def _reading_at(self, label: str, span: Span) -> Reading:
        try:
            return self.reading(label)
        except GradcliError as error:
            raise self.cells.refused(span, error.message, error.hint) from None

    def _entries(self, base: str, entries: Mapping[Any, Value], step: Step, i: int) -> None:
        """The numbers in a dictionary that gets a name."""
        code = code_of(self.cells.place.statement, base)
        parts: dict[Any, ast.expr] = {}
        if isinstance(code, ast.Dict):
            parts = {k.value: v for k, v in zip(code.keys, code.values, strict=True)
                     if isinstance(k, ast.Constant)}  # fmt: skip
        for key, entry in entries.items():
            if not isinstance(key, str) or not self.reader.is_number(entry):
                continue
            node, label = self.reader.node_of_value(entry), f'{base}["{key}"]'
            number = self.tape.value(entry)
            cell = Cell(
                label, "variable", like(number), step.line, text=self.text.written(step.span),
                step=i, code=parts.get(key), label=label,
            )  # fmt: skip
            self._given(label, self._reading_at(label, step.span), cell, node, None)

    def _given(
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
            self.names[name] = None
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
                self._span(self.cells.place.statement),
                f"'{name}' has another value here than in the task",
                f"the task has {name} = {short}",
            )

    def _is_point(self, name: str, cell: Cell) -> bool:
        """Whether a value is the one that the task gives to an input."""
        given = self.task.values[name]
        if cell.value is None or np.size(cell.value) != np.size(given):
            return False
        return bool(np.allclose(np.ravel(cell.value), np.ravel(given), rtol=1e-6, atol=0))

    # --- what has no value ---

    def _lost(self, lost: Lost, number: int) -> None:
        """A label whose value can't be found out, by its number among them."""
        if not lost.place.own:
            return
        self.cells.place = lost.place
        statement, label, at = lost.place.statement, lost.label, self.cells.at
        span = self._span(statement)
        reading = self._reading_at(label, span)
        raises = lost.why.raised in RAISED and lost.why.kind != "binding"
        if lost.why.kind not in COMPUTING and not raises:
            if reading.kind == "gradient":
                raise self._unreadable(lost.why, span)
            return
        cell = Cell(
            label, "variable", None, self.text.line(span), text=self.text.written(span),
            code=code_of(statement, label), problem=self._problem(lost.why), label=label,
            step=-1 - number,
        )  # fmt: skip
        names = sorted(self.cells.labels(cell) & at.keys())
        cell.reads = tuple({id(at[n]): at[n] for n in names}.values())
        cell.words = tuple(next(n for n in names if at[n] is c) for c in cell.reads)
        if cell.spoils and lost.why.kind not in ("shape", "domain"):
            self.problems.append(self._unreadable(lost.why, span))
        if reading.kind == "gradient":
            self.lines.lose(
                reading.name, cell, "+=" if isinstance(statement, ast.AugAssign) else "="
            )
        else:
            self._variable(last_part(label), cell)
        node = self.reader.node_of_value(lost.stand_in)
        if node is not None:
            cell.stand_in = self.tape.values[node]
        self.cells.hold(node, cell, label)

    def _problem(self, why: Unknown) -> GradcliError:
        source = self.reader.reading.source
        message = NO_NUMBER if why.kind in ("domain", "overflow", "singular") else why.message
        return GradcliError(
            Kind(why.kind), message, source=source, span=why.span, hint=why.hint,
            labels=why.labels,
        )  # fmt: skip

    def _unreadable(self, why: Unknown, span: Span) -> GradcliError:
        return self.cells.refused(why.span or span, why.message, why.hint)

    def _span(self, node: ast.AST) -> Span:
        return self.text.span(node)

    # --- what functions give back ---

    def _returned(self, of: Returned) -> None:
        """What a function that the code never calls has come to, by the function's name."""
        if not of.uncalled or not self.reader.is_number(of.value):
            return
        name = of.function.name
        reading = self._reading_at(name, self._span(of.function.node))
        known = of.own or reading.kind == "gradient" or name == self.vocabulary.output
        if not known or name in self.names or name in self.cells.at:
            return
        self._result(name, reading, of.value, of.function.node)

    def _result(self, label: str, reading: Reading, value: Value, node: Any) -> None:
        """The value that a function's last return gives."""
        returns = [n for n in ast.walk(node) if isinstance(n, ast.Return)]
        at = returns[-1] if returns else node
        span = self._span(at)
        self.cells.place = Place(at, own=True)
        cell = Cell(
            label, "variable", like(self.tape.value(value)), self.text.line(span),
            text=self.text.written(span), code=getattr(at, "value", None), label=label,
        )  # fmt: skip
        self._given(label, reading, cell, self.reader.node_of_value(value), None)

    def _from_results(self) -> None:
        """`def grad(x, y): …; return …, …` whose values have no names: the gradients in order."""
        inputs = self.vocabulary.inputs
        for of in reversed(self.reader.returned):
            if any(name in self.lines.groups for name in inputs):
                return
            arguments = of.function.node.args
            names = tuple(p.arg for p in (*arguments.posonlyargs, *arguments.args))
            values = self._elements(of.value)
            if not of.own or names != inputs or len(values) != len(inputs) or self._named(of):
                continue
            for name, value in zip(inputs, values, strict=True):
                if self.reader.is_number(value):
                    reading = Reading("gradient", name)
                    self._result(f"delta_{name}", reading, value, of.function.node)

    def _named(self, of: Returned) -> bool:
        """Whether a function gives back a variable by its name: that is no gradient."""
        returns = [n for n in ast.walk(of.function.node) if isinstance(n, ast.Return)]
        value = returns[-1].value if returns else None
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        cells = (self.cells.at.get(p.id) for p in parts if isinstance(p, ast.Name))
        return any(cell is not None and cell.kind == "variable" for cell in cells)

    def _elements(self, value: Value) -> tuple[Value, ...]:
        """The values of a tuple, or the numbers in an array of them."""
        if isinstance(value, tuple):
            return value
        inputs = self.vocabulary.inputs
        numbers = all(np.ndim(self.task.values[name]) == 0 for name in inputs)
        if not isinstance(value, Array) or not numbers or len(inputs) < 2:
            return ()
        if self.tape.shape(value) != (len(inputs),):
            return ()
        found = tuple(self.reader.element(value, i, NOWHERE) for i in range(len(inputs)))
        self.cells.operands = operands_of(self.tape)
        return found

    # --- names without a meaning ---

    def unread(self, output: str) -> Iterator[tuple[str, int]]:
        """The names that are neither rows nor used for any, and their lines."""
        known = {*self.vocabulary.nodes, *self.vocabulary.inputs, *self.lines.groups, output}
        known |= {n.id for n in self.reader.functions.nodes
                  if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}  # fmt: skip
        known |= {cell.name for cell in (*self.own, *self.spoilt) if cell.problem is not None}
        pairs = zip(self.reader.reading.steps, self.reader.places, strict=True)
        for step, place in pairs:
            name = step.name
            if not place.own or not name.isidentifier() or name in known or name == RETURN:
                continue
            if step.number is not None and self.reading(name).kind != "gradient":
                yield name, step.line


def _label(name: str) -> str:
    """A step's name as a label: of elements the array's."""
    entry = base_and_key(name)
    return name if entry is not None else name.partition("[")[0]
