"""Mistakes that the lines of a listing show: what mends them names them.

A row that is wrong comes in, with its lines. Each mistake is looked for by taking it back: with the
accumulator as it was in the end, the weights before their step, one transpose more, another name.
What then gives the right number is what went wrong, for certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source
from gradcli.engine.notation import NOWHERE, rebuilt
from gradcli.grading.interpreter.state import Cell, Line
from gradcli.grading.mistakes.array_mistakes import transposed
from gradcli.grading.mistakes.case import Slip
from gradcli.grading.mistakes.evidence import (
    Evidence,
    Explanation,
    added,
    explanation,
    is_,
)
from gradcli.grading.model.flow import Key
from gradcli.grading.model.stage import of_tree
from gradcli.ops.operation import Type
from gradcli.syntax.printer import print_tree
from gradcli.syntax.tree import Operator, Tree


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
    if _steps(lines):

        def original(cell: Cell) -> Any:
            if cell.kind == "helper" and cell.key in work.originals:
                return work.originals[cell.key]
            return _before_step(cell)

        if is_(added(_recomputed(line, original) for line in lines), right):
            return explanation(evidence, [("updated-weights", None)], lines[-1])
    for line in lines:
        evidence.case.deadline.check_naming()
        if line.own is None or np.shape(line.own) != np.shape(right):
            for value in _turned(line):
                others = [other.own for other in lines if other is not line]
                if is_(added([*others, value]), right):
                    return explanation(evidence, [("transpose", None)], line)
    return None


def _steps(lines: list[Line]) -> bool:
    """Whether a line reads a weight after its step of gradient descent."""
    waiting = [read for line in lines for read in line.cell.reads]
    while waiting:
        cell = waiting.pop()
        if _before_step(cell) is not None:
            return True
        waiting += cell.reads if cell.kind == "helper" else ()
    return False


def _before_step(cell: Cell) -> Any:
    """The value of `W` where the cell is `W - eta*delta_W`; None where it is anything else."""
    tree = cell.tree
    if cell.kind != "helper" or not isinstance(tree, Operator) or tree.symbol != "-":
        return None
    weight = tree.operands[0]
    read = dict(zip(cell.words, cell.reads, strict=True)).get(getattr(weight, "name", ""))
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


def _turned(line: Line) -> Iterator[Any]:
    """The values that a line would have with one transpose more or less."""
    tree = line.cell.tree
    if tree is None:
        return
    values = {w: read.passed_on for w, read in zip(line.cell.words, line.cell.reads, strict=True)}
    types = {word: Type(np.shape(value)) for word, value in values.items()}
    for turned in _with_a_turn(tree):
        try:
            stage = of_tree(Source(print_tree(turned)), turned, types, None)
            yield stage.value([values[word] for word in stage.reads])
        except (GradcliError, ValueError, KeyError):
            continue


def _with_a_turn(tree: Tree) -> Iterator[Tree]:
    """The tree with `.T` put to, or taken from, one or two factors of its matrix products."""
    if not isinstance(tree, Operator):
        return
    if tree.symbol == "@":
        left, right = tree.operands
        both = transposed(left), transposed(right)
        straight = ((both[0], right), (left, both[1]), both)
        crossed = ((right, left), (both[1], left), (right, both[0]))
        for factors in (*straight, *crossed):
            yield Operator("@", factors, NOWHERE, NOWHERE)
    if tree.symbol == "T":
        yield tree.operands[0]
    for i, operand in enumerate(tree.operands):
        for turned in _with_a_turn(operand):
            yield rebuilt(tree, (*tree.operands[:i], turned, *tree.operands[i + 1 :]), {})
    yield transposed(tree)


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
                if is_(added([*others, _with_another(line, word, value)]), evidence.right):
                    return line, f"{written} stands where {name} belongs."
    return None


def _with_another(line: Line, word: str, value: Any) -> Any:
    """The value of a line with another value for one of its words."""
    tree = line.cell.tree
    if tree is None:
        return None
    values = {w: read.passed_on for w, read in zip(line.cell.words, line.cell.reads, strict=True)}
    values[word] = value
    types = {w: Type(np.shape(of)) for w, of in values.items()}
    try:
        stage = of_tree(Source(print_tree(tree)), tree, types, None)
        return stage.value([values[read] for read in stage.reads])
    except (GradcliError, ValueError, KeyError):
        return None


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
