"""The variables of a listing: the student's own forward pass, and what gives inputs a value.

Cells that are no gradients come in, in the order of the code, and get their keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcli.grading.listing.cells import Cells
from gradcli.grading.listing.numbers import alike
from gradcli.grading.listing.work import Cell
from gradcli.grading.model.flow import Key


class Variables:
    """The variables in the order of the code, each value of a name as one of its own."""

    def __init__(self, cells: Cells, gradients: Mapping[str, Any]) -> None:
        self.cells, self.gradients = cells, gradients
        self.reader, self.task = cells.reader, cells.task
        self.vocabulary = cells.reader.vocabulary
        self.own: list[Cell] = []
        """The variables of the student's forward pass."""
        self.names: dict[str, None] = {}
        self.spoilt: list[Cell] = []
        """Values between gradients that could not be computed."""
        self.originals: dict[Key, Any] = {}
        """Inputs that were given another value in a descent step: the one they had."""
        self.last_forward: Cell | None = None
        self.counts: Counter[str] = Counter()
        """How many variables of the code have each name."""

    def add(self, name: str, cell: Cell) -> None:
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
            if not self.gradients and name.isidentifier():
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
                self.reader.text.span(self.cells.place.statement),
                f"'{name}' has another value here than in the task",
                f"the task has {name} = {short}",
            )

    def _is_point(self, name: str, cell: Cell) -> bool:
        """Whether a value is the one that the task gives to an input."""
        return cell.value is not None and alike(
            np.ravel(cell.value), np.ravel(self.task.values[name])
        )
