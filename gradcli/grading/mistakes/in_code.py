"""Mistakes that the lines of a listing show: what mends them names them.

A row that is wrong comes in, with its lines; what went wrong for certain goes out. Each mistake is
taken back, with the accumulator as it was in the end, the weights before their step, one transpose
more or another name, to see whether that gives the right number.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.grading.listing.trees import label_of
from gradcli.grading.listing.work import Cell, Line, Work
from gradcli.grading.mistakes.case import Slip
from gradcli.grading.mistakes.edits import TURNS, edited, replaced
from gradcli.grading.mistakes.evidence import (
    Evidence,
    Explanation,
    effective,
    explanation,
    fitting_sum,
)
from gradcli.grading.model.flow import Key
from gradcli.grading.model.tolerance import alike

_ANOTHER = "__another__"
"""The name of a value that is put in another's place."""


def by_lines(evidence: Evidence) -> Explanation | None:
    """A mistake that is certain, because mending it in the lines gives the right number."""
    lines, work, right = evidence.lines, evidence.work, evidence.right
    if work is None or not lines:
        return None
    again = next((line for line in lines[1:] if line.assign == "="), None)
    if again is not None and alike(fitting_sum(line.own for line in lines), right):
        lost = _lost(evidence, lines[: lines.index(again)])
        return explanation(evidence, {"overwritten": Slip(None, (), lost)}, again)
    final = evidence.final
    late = _late(lines, final)
    whole = {cell.name: cell.value for cell in final.values()}

    def in_the_end(cell: Cell) -> Any:
        return whole.get(cell.name) if cell.kind == "gradient" else None

    if late is not None and alike(_recomputed(lines, in_the_end), right):
        return explanation(evidence, {"not-final": Slip(None, (), late[0])}, late[1])

    def original(cell: Cell) -> Any:
        return _before_step(cell, work)

    steps = any(original(cell) is not None for cell in cells_read(lines))
    if steps and alike(_recomputed(lines, original), right):
        return explanation(evidence, {"updated-weights": None}, lines[-1])
    for line in lines:
        evidence.case.deadline.check_naming()
        misshaped = line.own is None or np.shape(line.own) != np.shape(right)
        turned = _turned(work, line) if misshaped else ()
        if any(evidence.is_mended(lines, line, value) for value in turned):
            return explanation(evidence, {"transpose": None}, line)
    return None


def cells_read(lines: list[Line]) -> Iterator[Cell]:
    """What lines read, directly or in values on the way, each once."""
    waiting = [read for line in lines for read in line.cell.reads]
    seen: set[int] = set()
    while waiting:
        cell = waiting.pop(0)
        if id(cell) not in seen:
            seen.add(id(cell))
            yield cell
            waiting += () if cell.kind == "gradient" else cell.reads


def _before_step(cell: Cell, work: Work) -> Any:
    """The weight before a step of gradient descent, `W - eta*delta_W`; None for anything else."""
    if cell.kind != "helper":
        return None
    if cell.key in work.originals:
        return work.originals[cell.key]
    code = cell.code
    if not isinstance(code, ast.BinOp) or not isinstance(code.op, ast.Sub):
        return None
    read = dict(zip(cell.words, cell.reads, strict=True)).get(label_of(code.left))
    return None if read is None or read.kind != "variable" else read.value


def _lost(evidence: Evidence, before: list[Line]) -> Key | None:
    """The consumer whose part the overwritten lines had."""
    case = evidence.case
    for part in case.own:
        if any(line.own is not None and alike(line.own, part.value) for line in before):
            return part.consumer
    return case.consumers[0] if case.consumers else None


def _late(lines: list[Line], final: Mapping[Key, Cell]) -> tuple[Key, Line] | None:
    """A gradient that a line reads although more is added to it below, and that line."""
    for line in lines:
        for read in line.cell.reads:
            for key, cell in final.items():
                if read.kind == "gradient" and cell.name == read.name and cell is not read:
                    return key, line
    return None


def _recomputed(lines: list[Line], value_of: Callable[[Cell], Any]) -> Any:
    """What lines come to with other values for some of the cells that they read."""
    try:
        return fitting_sum(line.cell.recomputed(value_of) for line in lines)
    except (GradcliError, ValueError, IndexError):
        return None


def _turned(work: Work, line: Line) -> Iterator[Any]:
    """The values that a line would have with one transpose more or less."""
    code = line.cell.code
    if code is None:
        return
    for part in _operands(code):
        for _, turned in edited(part, TURNS):
            yield work.evaluated(replaced(code, part, turned), line.cell, {})


def _operands(code: ast.expr) -> Iterator[ast.expr]:
    """An expression, and the operands of its signs."""
    yield code
    match code:
        case ast.BinOp(left=left, right=right):
            yield from _operands(left)
            yield from _operands(right)
        case ast.UnaryOp(operand=operand):
            yield from _operands(operand)


def exchanged(evidence: Evidence) -> tuple[Line, str] | None:
    """A line with one name in the place of another, and what to say of it."""
    case, work = evidence.case, evidence.work
    if work is None or not evidence.lines:
        return None
    final = evidence.final
    meant: dict[str, Any] = {}
    for consumer in case.consumers:
        for key in case.flow.stages[consumer].reads:
            meant[case.flow.name(key)] = case.flow.values[key]
        if consumer in final:
            meant[f"delta_{case.flow.name(consumer)}"] = final[consumer].passed_on
    lines = effective(evidence.lines)
    for line in lines:
        for word, read in zip(line.cell.words, line.cell.reads, strict=True):
            written = f"delta_{read.name}" if read.kind == "gradient" else read.name
            for name, value in meant.items():
                case.deadline.check_naming()
                if name == written or value is None:
                    continue
                if evidence.is_mended(lines, line, _with_another(work, line, word, value)):
                    return line, f"{written} stands where {name} belongs."
    return None


def _with_another(work: Work, line: Line, word: str, value: Any) -> Any:
    """The value of a line with another value for one of its words."""
    code = line.cell.code
    if code is None:
        return None

    class Exchange(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            if isinstance(node, ast.expr) and label_of(node) == word:
                return ast.Name(_ANOTHER, ast.Load())
            return self.generic_visit(node)

    changed = Exchange().visit(copy.deepcopy(code))
    return work.evaluated(changed, line.cell, {_ANOTHER: value})


def holds(lines: list[Line], final: dict[int, Key], truths: Mapping[Key, Any]) -> Any:
    """What the lines come to with the true accumulators in the place of those they read.

    `final` are the gradients as they are in the end, by the identity of their cells; None where
    a line reads another state of one, or none at all.
    """
    known: dict[int, Any] = {}
    for cell in cells_read(effective(lines)):
        if cell.kind == "gradient" and cell.line is not None:
            if id(cell) not in final or final[id(cell)] not in truths:
                return None
            known[id(cell)] = truths[final[id(cell)]]
    if not known:
        return None
    return _recomputed(effective(lines), lambda cell: known.get(id(cell)))
