"""All steps of a reading staged, and what functions give back.

A function that the code never calls gives a gradient by its name; values that a function gives back
without names are the gradients in the order of its parameters.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcli.grading.listing.cells import like
from gradcli.grading.listing.reader import Place, Returned
from gradcli.grading.listing.stages import operands_of
from gradcli.grading.listing.staging import Staging
from gradcli.grading.listing.work import Cell
from gradcli.grading.submission.labels import Reading
from gradcli.python.values import NOWHERE, Array, Value

STEPS_OF_ENDLESS = 2000
"""Of code that is not read to its end, so many steps are looked at: a loop's turns are alike."""


class Staged(Staging):
    """The cells and lines of one reading, all of them."""

    def all(self) -> Staged:
        """Go through all steps."""
        hold, reader = self.cells.hold, self.reader
        for node, name in reader.given_nodes.items():
            hold(node, Cell(name, "variable", self.task.values[name], key=name), name)
        for node, name in reader.seeds.items():
            label = self.tape.steps[node].name or ""
            hold(node, Cell(name, "gradient", self.tape.values[node]), label)
        events: list[tuple[int, int, Callable[[], None]]] = [
            *((of.at, 0, partial(self._returned, of)) for of in reader.returned),
            *((of.at, 1, partial(self.lost, of, i)) for i, of in enumerate(reader.lost)),
            *((i, 2, partial(self.step, i)) for i in range(len(reader.places))),
        ]
        ended = len(reader.places) if reader.exhausted is None else STEPS_OF_ENDLESS
        for at, _, event in sorted(events, key=lambda e: e[:2]):
            if at <= ended:
                event()
        self.see_what_changed()
        self._in_order()
        self._expect_something()
        return self

    def _expect_something(self) -> None:
        """Say what is missing where no gradient at all can be found out, instead of marks of 0."""
        cells = [line.cell for of in self.lines.groups.values() for group in of for line in group]
        if self.reader.assumed or any(cell.value is not None for cell in cells):
            return
        lost = [] if cells else self.reader.lost
        missing = [self.unreadable(of.why, self.text.span(of.place.statement)) for of in lost]
        for problem in (*self.problems, *missing):
            raise problem

    # --- what functions give back ---

    def _returned(self, of: Returned) -> None:
        """What a function that the code never calls has come to, by the function's name."""
        if not of.uncalled or not self.reader.is_number(of.value):
            return
        name = of.function.name
        reading = self.reading_at(name, self.text.span(of.function.node))
        known = of.own or reading.kind == "gradient" or name == self.vocabulary.output
        if not known or name in self.variables.names or name in self.cells.at:
            return
        self._result(name, reading, of.value, of.function.node)

    def _result(self, label: str, reading: Reading, value: Value, node: Any) -> None:
        """The value that a function's last return gives."""
        returns = [n for n in ast.walk(node) if isinstance(n, ast.Return)]
        at = returns[-1] if returns else node
        span = self.text.span(at)
        self.cells.place = Place(at, own=True)
        cell = Cell(
            label, "variable", like(self.tape.value(value)), self.text.line(span),
            text=self.text.written(span), code=getattr(at, "value", None), label=label,
        )  # fmt: skip
        self.give(label, reading, cell, self.reader.node_of_value(value), None)

    def _in_order(self) -> None:
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
