"""Cells made of steps: what the values of a listing are computed from.

A cell with its value comes in; it goes out with the cells that it reads, and the stage from them to
it. That is what stands on the tape between its node and theirs. Of several names for one value, the
code of a statement tells which it reads.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.failures import submission_error
from gradcli.diagnostics.source import Span
from gradcli.grading.listing.calls import RETURN
from gradcli.grading.listing.reader import CodeReader, Place
from gradcli.grading.listing.stages import Nodes, Stretch
from gradcli.grading.listing.trees import blocks_of, label_of, labels_in
from gradcli.grading.listing.work import Cell
from gradcli.grading.submission.labels import last_part

LONGEST = 400
"""Parts of an expression of which others are made by small changes."""
MOST_OPERATIONS = 200_000
"""Of all statements together: where each is made of a whole loop, there are more and more."""
NO_NUMBER = "this gives no number: it is not defined, or too large"


class Cells:
    """The cells of one reading, by the nodes of its tape and by their labels."""

    def __init__(self, reader: CodeReader) -> None:
        self.reader, self.tape, self.task = reader, reader.tape, reader.code.task.flow
        self.nodes = Nodes(reader.tape)
        self.held: list[Cell] = []
        """Every cell that was taken as the value of a node, in order."""
        self.known: dict[int, dict[int, int]] = {}
        """By node, the places in `held` of the cells that it is the value of, by their `id`."""
        self.at: dict[str, Cell] = {}
        """What each label stands for by now."""
        self.used: set[int] = set()
        """The cells that others are computed from."""
        self.operations = 0
        """Of all stages together."""
        self.place = Place(ast.Pass(), own=True)
        """Of the statement that is looked at."""

    def hold(self, node: int | None, cell: Cell, label: str) -> None:
        """Take a cell as the value of a node, and as what a label stands for."""
        if node is not None:
            self.known.setdefault(node, {})[id(cell)] = len(self.held)
            self.held.append(cell)
            cell.node = node
        if label:
            self.at[label] = cell

    def source(self, node: int | None, cell: Cell) -> Cell | None:
        """The cell whose value a cell is; None where it is one of its own."""
        return None if node not in self.known else self._chosen(node, self.labels(cell))

    def labels(self, cell: Cell) -> set[str]:
        """The labels in the code of a cell."""
        of = cell.code if cell.code is not None else self.place.statement
        return labels_in(of)

    def _chosen(self, node: int, labels: set[str]) -> Cell:
        """Of the cells of a node that which the code speaks of; the last one without any."""
        cells = self.known[node]
        spoken_of = [id(self.at[label]) for label in labels if label in self.at]
        meant = [cells[cell] for cell in spoken_of if cell in cells]
        return self.held[max(meant) if meant else next(reversed(cells.values()))]

    def make(self, cell: Cell, node: int | None, emptied: int | None = None) -> None:
        """Find what a cell is computed from, and whether it is a number."""
        if node is not None:
            stretch, labels = Stretch(self.nodes, node, self.known, emptied), self.labels(cell)
            cell.reads = tuple(self._chosen(n, labels) for n in stretch.reads)
            self.used.update(map(id, cell.reads))
            names = {id(self.at[label]): label for label in labels if label in self.at}
            cell.words = tuple(_unlike(names.get(id(c)) or _delta(c) for c in cell.reads))
            if stretch.reads or self.tape.kernels[node] is not None:
                cell.stage = stretch.stage(cell.words, cell.line)
                self.operations += len(cell.stage.graph.nodes)
                if self.operations > MOST_OPERATIONS:
                    raise submission_error("the steps of this listing are made of too much")
        cell.problem = self._spoiled(cell)
        if cell.problem is not None:
            cell.value = cell.stage = None
            cell.stand_in = self.task.values.get(last_part(cell.name))

    def _spoiled(self, cell: Cell) -> GradcliError | None:
        """What to say where a statement of finite numbers gives none."""
        if cell.value is None or np.all(np.isfinite(cell.value)):
            return None
        given = [c.passed_on for c in cell.reads]
        given.append(self.task.values.get(last_part(cell.name), 0.0))
        if not all(v is not None and np.all(np.isfinite(v)) for v in given):
            return None
        return GradcliError(Kind.DOMAIN, NO_NUMBER, source=self.reader.reading.source)

    # --- places ---

    def refused(self, span: Span, message: str, hint: str | None = None) -> GradcliError:
        """The error about a statement."""
        return submission_error(message, hint, source=self.reader.reading.source, span=span)

    def go_where_made(self, cell: Cell, node: int | None) -> None:
        """Of a gradient that a function gives back, or that is a copy: the line that made it."""
        steps = self.reader.reading.steps
        if cell.step is None or cell.step < 0:
            return
        here = len(steps[cell.step].calls)
        before = (i for i in self.reader.makers(node) if i < cell.step)
        made = [i for i in before if steps[i].name != RETURN]
        inner = [i for i in made if len(steps[i].calls) > here]
        if inner:
            at = max(inner, key=lambda i: len(steps[i].calls))
            last = max(inner, key=lambda i: (len(steps[i].calls), i))
        else:
            found = self._copied(cell, made)
            if found is None:
                return
            at = last = found
            cell.named_at = cell.line or 0, cell.text
        cell.line, cell.text = steps[at].line, self.reader.text.written(steps[at].span)
        cell.turn = steps[at].turn
        cell.code, cell.step = code_of(self.reader.places[at].statement, steps[at].name), at
        cell.behind = self.beside(self.reader.places[last].statement)

    def _copied(self, cell: Cell, made: list[int]) -> int | None:
        """The step that made what a statement copies: `dx, dy = grad`, `dx = grads[0]`.

        `made` are the steps that gave the same value a name before.
        """
        steps, at = self.reader.reading.steps, cell.step or 0
        name = cell.code
        while isinstance(name, ast.Subscript):
            name = name.value
        if not isinstance(name, ast.Name):
            return None
        known = self.at.get(name.id)
        if known is not None and known.kind == "gradient":
            return None  # an element of another gradient is no copy
        plain = name is cell.code and not self._place_in(cell)
        forward = name.id in self.reader.vocabulary.names or id(known) in self.used
        if plain and known is not None and forward:
            return None  # a value of the forward pass, taken for a gradient
        if plain and any("[" in steps[i].name for i in made):
            return None  # a mask, say, whose elements were filled in
        calls, number = steps[at].calls, cell.value
        of = [i for i in self._named.get(name.id, ()) if i < at and steps[i].calls == calls]
        element = f"{name.id}[{self._place_in(cell)}]"
        same = [i for i in of if np.array_equal(steps[i].number, number) and "[" in steps[i].name]
        same.sort(key=lambda i: steps[i].name == element)
        return next(iter((*made, *reversed(same), *reversed(of))), None)

    def _place_in(self, cell: Cell) -> str:
        """Which element of an array or list a copy is: `1` of `dx, dy = grad` for dy."""
        if isinstance(cell.code, ast.Subscript):
            return ast.unparse(cell.code.slice)
        for target in getattr(self.place.statement, "targets", ()):
            if isinstance(target, ast.Tuple | ast.List):
                labels = [label_of(one) for one in target.elts]
                return str(labels.index(cell.label)) if cell.label in labels else ""
        return ""

    @cached_property
    def _named(self) -> dict[str, list[int]]:
        """The steps that gave each name, or an element of it, a value."""
        found: dict[str, list[int]] = {}
        for i, step in enumerate(self.reader.reading.steps):
            found.setdefault(step.name.partition("[")[0], []).append(i)
        return found

    def beside(self, statement: ast.stmt) -> tuple[int, str]:
        """The line where something may be missing beside a statement: a `pass` there, else it."""
        span = self.reader.text.span(self._passes.get(id(statement), statement))
        return self.reader.text.line(span), self.reader.text.written(span)

    @cached_property
    def _passes(self) -> dict[int, ast.stmt]:
        """The `pass` that stands behind a statement, else before it."""
        pairs = [pair for block in blocks_of(self.reader.code.tree) for pair in pairwise(block)]
        found: dict[int, ast.stmt] = {id(b): a for a, b in pairs if isinstance(a, ast.Pass)}
        return found | {id(a): b for a, b in pairs if isinstance(b, ast.Pass)}


def code_of(statement: ast.stmt, label: str) -> ast.expr | None:
    """The right-hand side for a label; None where it can't be told, or is too long to change."""
    value = _code_of(statement, label)
    return None if value is None or sum(1 for _ in ast.walk(value)) > LONGEST else value


def _code_of(statement: ast.stmt, label: str) -> ast.expr | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return statement.value.args[0]  # of an append
    value: ast.expr | None = getattr(statement, "value", None)
    if not isinstance(statement, ast.Assign) or value is None:
        return value if isinstance(statement, ast.AugAssign | ast.AnnAssign | ast.Return) else None
    for target in statement.targets:
        if not isinstance(target, ast.Tuple | ast.List):
            if label_of(target) == label:
                return value
            continue
        for i, one in enumerate(target.elts):
            if label_of(one) == label:
                parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
                return parts[i] if len(parts) == len(target.elts) else value
    return value


def like(value: Any) -> Any:
    """A number as a number, an array as an array."""
    return np.asarray(value, dtype=np.float64)[()]


def _delta(cell: Cell) -> str:
    return f"delta_{cell.name}" if cell.kind == "gradient" else cell.name


def _unlike(words: Iterator[str]) -> Iterator[str]:
    """The words; one that comes again gets a number behind it."""
    seen: Counter[str] = Counter()
    for word in words:
        seen[word] += 1
        yield word if seen[word] == 1 else f"{word} {seen[word]}"
