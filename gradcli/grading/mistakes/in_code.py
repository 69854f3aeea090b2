"""Mistakes that the lines of a listing show: what mends them names them.

A row that is wrong comes in, with its lines. Each mistake is looked for by taking it back: with the
accumulator as it was in the end, the weights before their step, one transpose more, another name.
What then gives the right number is what went wrong, for certain.
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
from gradcli.grading.mistakes.edits import parsed, replaced
from gradcli.grading.mistakes.evidence import (
    Evidence,
    Explanation,
    added,
    explanation,
    is_,
)
from gradcli.grading.model.flow import Key

_ANOTHER = "__another__"
"""The name of a value that is put in another's place."""


def by_lines(evidence: Evidence) -> Explanation | None:
    """A mistake that is certain, because mending it in the lines gives the right number."""
    lines, work = evidence.lines, evidence.work
    if work is None or not lines:
        return None
    right = evidence.right
    twice = any(line.assign == "=" for line in lines[1:])
    if twice and is_(added(line.own for line in lines), right):
        again = next(line for line in lines[1:] if line.assign == "=")
        lost = _lost(evidence, lines[: lines.index(again)])
        return explanation(evidence, [("overwritten", Slip(None, (), lost))], again)
    final = {k: of[-1].cell for k, of in work.lines.items()}
    late = _late(lines, final)
    if late is not None:
        mended = added(_recomputed(line, lambda cell: _final(cell, final)) for line in lines)
        if is_(mended, right):
            return explanation(evidence, [("not-final", Slip(None, (), late[0]))], late[1])
    if _read(lines, lambda cell: _before_step(cell, work) is not None):

        def original(cell: Cell) -> Any:
            return _before_step(cell, work)

        if is_(added(_recomputed(line, original) for line in lines), right):
            return explanation(evidence, [("updated-weights", None)], lines[-1])
    for line in lines:
        evidence.case.deadline.check_naming()
        if line.own is None or np.shape(line.own) != np.shape(right):
            for value in _turned(work, line):
                others = [other.own for other in lines if other is not line]
                if is_(added([*others, value]), right):
                    return explanation(evidence, [("transpose", None)], line)
    return None


def _read(lines: list[Line], is_meant: Callable[[Cell], bool]) -> bool:
    """Whether lines read a cell of a kind, directly or in values on the way."""
    waiting = [read for line in lines for read in line.cell.reads]
    while waiting:
        cell = waiting.pop()
        if is_meant(cell):
            return True
        waiting += cell.reads if cell.kind == "helper" else ()
    return False


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
        if any(line.own is not None and is_(line.own, part.value) for line in before):
            return part.consumer
    return case.consumers[0] if case.consumers else None


def _late(lines: list[Line], final: dict[Key, Cell]) -> tuple[Key, Line] | None:
    """A gradient that a line reads although more is added to it below, and that line."""
    for line in lines:
        for read in line.cell.reads:
            for key, cell in final.items():
                if read.kind == "gradient" and cell.name == read.name and cell is not read:
                    return key, line
    return None


def _final(cell: Cell, final: dict[Key, Cell]) -> Any:
    if cell.kind != "gradient":
        return None
    same = [c for c in final.values() if c.name == cell.name]
    return same[-1].value if same else None


def _recomputed(line: Line, value_of: Callable[[Cell], Any]) -> Any:
    try:
        return line.cell.recomputed(value_of)
    except (GradcliError, ValueError, IndexError):
        return None


def _turned(work: Work, line: Line) -> Iterator[Any]:
    """The values that a line would have with one transpose more or less."""
    code = line.cell.code
    if code is None:
        return
    for part in _operands(code):
        for turned in _with_a_turn(part):
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


def _with_a_turn(part: ast.expr) -> Iterator[ast.expr]:
    """A part with `.T` put to, or taken from, it or the factors of its matrix product."""
    forms: tuple[str, ...] = ()
    crossed: tuple[str, ...] = ()
    match part:
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            forms = "{a}.T @ {b}", "{a} @ {b}.T", "{a}.T @ {b}.T"
            crossed = "{b} @ {a}", "{b}.T @ {a}", "{b} @ {a}.T"
        case ast.Call(func=ast.Attribute(attr="dot" | "matmul"), args=[left, right]):
            forms = "np.dot({a}.T, {b})", "np.dot({a}, {b}.T)", "np.dot({a}.T, {b}.T)"
            crossed = "np.dot({b}, {a})", "np.dot({b}.T, {a})", "np.dot({b}, {a}.T)"
    if forms:
        a, b = (f"({ast.unparse(one)})" for one in (left, right))
        for form in (*forms, *crossed):
            yield parsed(form.format(a=a, b=b), None)
    if isinstance(part, ast.Attribute) and part.attr == "T":
        yield part.value
    yield parsed("(__x__).T", part)


def exchanged(evidence: Evidence) -> tuple[Line, str] | None:
    """A line with one name in the place of another, and what to say of it."""
    case, work = evidence.case, evidence.work
    if work is None or not evidence.lines:
        return None
    final = {key: of[-1].cell for key, of in work.lines.items()}
    meant: dict[str, Any] = {}
    for consumer in case.consumers:
        for key in case.flow.stages[consumer].reads:
            meant[case.flow.name(key)] = case.flow.values[key]
        if consumer in final:
            meant[f"delta_{case.flow.name(consumer)}"] = final[consumer].passed_on
    lines = effective(evidence.lines)
    for line in lines:
        others = [other.own for other in lines if other is not line]
        for word, read in zip(line.cell.words, line.cell.reads, strict=True):
            written = f"delta_{read.name}" if read.kind == "gradient" else read.name
            for name, value in meant.items():
                case.deadline.check_naming()
                if name == written or value is None:
                    continue
                if is_(added([*others, _with_another(work, line, word, value)]), evidence.right):
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


def effective(lines: list[Line]) -> list[Line]:
    """The lines that count: from the last one with `=`."""
    return lines[max(i for i, line in enumerate(lines) if line.assign == "=" or not i) :]


def holds(lines: list[Line], final: dict[int, Key], truths: Mapping[Key, Any]) -> Any:
    """What the lines come to with the true accumulators in the place of those they read.

    `final` are the gradients as they are in the end, by the identity of their cells; None where
    a line reads another state of one, or none at all.
    """
    known: dict[int, Any] = {}
    for line in effective(lines):
        waiting = list(line.cell.reads)
        while waiting:
            cell = waiting.pop()
            if cell.kind == "helper":
                waiting += cell.reads
            elif cell.kind == "gradient" and cell.line is not None:
                if id(cell) not in final or final[id(cell)] not in truths:
                    return None
                known[id(cell)] = truths[final[id(cell)]]
    if not known:
        return None
    return added(_recomputed(line, lambda cell: known.get(id(cell))) for line in effective(lines))
