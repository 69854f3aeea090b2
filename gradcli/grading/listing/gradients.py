"""The lines of gradients: which begin with `=`, and what each of the others adds.

Cells whose names are those of gradients come in; their lines go out, in groups by name.
"""

from __future__ import annotations

import ast
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.grading.listing.cells import Cells, like
from gradcli.grading.listing.work import Cell, Line
from gradcli.python.steps import Step


class Gradients:
    """The lines of every gradient, in groups that each begin with `=`."""

    def __init__(self, cells: Cells) -> None:
        self.cells, self.reader, self.tape = cells, cells.reader, cells.tape
        self.groups: dict[str, list[list[Line]]] = {}
        self.notes: list[tuple[str, int | None, str]] = []

    def add(self, name: str, cell: Cell, node: int | None, step: Step | None) -> None:
        """A step that gives a gradient, or adds to it."""
        before = self._last(name)
        if cell.written is not None and before is not None and before.label != cell.label:
            return  # a step size, or an expected value
        cell.name, cell.kind = name, "gradient"
        if step is not None and step.sign == "+=" and "[" not in step.name.replace('["', ""):
            own, symbol, partly = self._plus(cell, step, before), "+=", False
            if before is None and '["' not in cell.label:
                text = f"the first line of delta_{name} has '=', not '+='"
                self.notes.append(("first-plus", cell.line, text))
            elif before is not None:
                self._note_alias(name, cell)
        else:
            own = None if before is None else self._added(before, cell, node)
            symbol, partly = ("=", False) if own is None else ("+=", True)
            if own is None:
                self.cells.make(cell, node)
                own = cell.value
        self._append(name, Line(cell, symbol, own, partly))

    def lose(self, name: str, cell: Cell, symbol: str) -> None:
        """A step whose value can't be found out."""
        cell.name, cell.kind = name, "gradient"
        self._append(name, Line(cell, symbol, None))

    def _last(self, name: str) -> Cell | None:
        groups = self.groups.get(name)
        return groups[-1][-1].cell if groups else None

    def _append(self, name: str, line: Line) -> None:
        groups = self.groups.setdefault(name, [])
        if line.assign == "=" or not groups:
            groups.append([line])
        elif _starts_empty(groups[-1]):
            groups[-1][:] = [line]
        else:
            groups[-1].append(line)

    def _plus(self, cell: Cell, step: Step, before: Cell | None) -> Any:
        """What a `+=` adds, of which the cell is made; its value is the sum."""
        total, cell.value = cell.value, None
        if step.own_node is not None:
            cell.value = like(self.tape.values[step.own_node])
        elif self.reader.is_number(step.own):
            cell.value = like(self.tape.value(step.own))
        self.cells.make(cell, step.own_node)
        own, lost = cell.value, before is not None and before.value is None
        cell.value = None if own is None or lost else total
        if before is not None and before.replaced and own is not None:
            shapes = f"{np.shape(before.value)} and {np.shape(own)}"
            cell.problem = GradcliError(Kind.SHAPE, f"shapes {shapes} do not add up")
            cell.value = None
            return None
        return own

    def _added(self, before: Cell, cell: Cell, node: int | None) -> Any:
        """What `dx = dx + …` or `dW[:, j] = …` adds to what was there; None if it adds nothing."""
        cells, there = self.cells, before.node
        if node is None or there is None or cell.value is None or before.value is None:
            return None
        if np.shape(before.value) != np.shape(cell.value):
            return None
        if there not in cells.nodes.walk([node], cells.known)[0]:
            return None
        total = cell.value
        cells.make(cell, node, emptied=there)
        if cell.stage is not None:
            own = like(cell.stage.value([c.passed_on for c in cell.reads]))
            if np.allclose(own + before.value, total, rtol=1e-12, atol=1e-300):
                return own
        cell.value, cell.problem, cell.stand_in = total, None, None
        cell.stage, cell.reads, cell.words = None, (), ()
        return None

    def _note_alias(self, name: str, cell: Cell) -> None:
        """In NumPy `delta_y = delta_a` is the same array, and `+=` then changes both."""
        group = self.groups[name][-1]
        first = group[-1].cell
        bare = isinstance(first.code, ast.Name) and first.reads and group[-1].assign == "="
        other = first.reads[0].name if bare and first.reads[0].kind == "gradient" else name
        if len(group) == 1 and np.ndim(first.value) and other != name:
            text = (
                f"delta_{name} and delta_{other} are one array in NumPy: "
                f"'+=' changes both; write delta_{name} = delta_{other}.copy()"
            )
            self.notes.append(("aliased", cell.line, text))


def _starts_empty(group: list[Line]) -> bool:
    """Whether all there is so far is `delta_x = 0`, or `np.zeros_like(x)`."""
    first = group[0]
    known = first.own is not None and not any(r.after_gradients for r in first.cell.reads)
    return len(group) == 1 and known and not np.any(first.own)
