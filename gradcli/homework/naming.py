"""Naming the mistake: all that explain a wrong row, never a guess among several.

Numbers come first: every slip of the table that gives the number that was handed in. Code decides
where numbers can't: what a line shows (two `=`, an accumulator that is not read) rules slips out,
and what can be mended in the lines themselves names its mistake for certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from gradcli.errors import GradcliError
from gradcli.homework.array_mistakes import transposed
from gradcli.homework.case import Case, Slip
from gradcli.homework.cells import Cell, Line, Work
from gradcli.homework.flow import Key, Part
from gradcli.homework.mistakes import BY_TAG, MISTAKES, Mistake, slips
from gradcli.homework.stage import of_tree
from gradcli.homework.submission import Written
from gradcli.homework.tolerance import close
from gradcli.language.printer import print_tree
from gradcli.language.source import Source
from gradcli.language.tree import Name, Operator, Tree, postorder
from gradcli.notation import NOWHERE, rebuilt
from gradcli.ops.operation import Type

FARTHEST = 40
"""How many rows that were not handed in are searched for a mistake behind a wrong one."""


class Explanation(NamedTuple):
    """What explains a wrong row, and the line at fault."""

    tags: tuple[str, ...]
    message: str
    line: int | None = None
    text: str = ""


@dataclass(frozen=True)
class Evidence:
    """All there is to find out what went wrong in a row."""

    case: Case
    number: Written | None
    """What was handed in; None where it could not be computed."""
    matches: Callable[[Any], bool] | None
    """Whether a number is the one that was handed in, given how it is written."""
    work: Work | None
    """The listing, if there is one."""
    right: Any = None
    """What would have followed from the rows before."""
    given: frozenset[Key] = frozenset()
    """The rows that were handed in."""

    @property
    def lines(self) -> list[Line]:
        """The lines that wrote the row."""
        return [] if self.work is None else self.work.lines.get(self.case.key, [])


def explain(evidence: Evidence) -> Explanation:
    """Every mistake that explains a wrong row."""
    found = _by_lines(evidence)
    if found is not None:
        return found
    if evidence.number is None or evidence.matches is None:
        line = next((one for one in evidence.lines if one.own is None), None)
        problem = None if line is None else line.cell.problem
        message = "shapes do not go together here" if problem is None else problem.message
        return _explanation(evidence, [("shape", None)], line, message)
    named = _by_number(evidence)
    if named:
        return _explanation(evidence, named, _line_at_fault(evidence))
    if np.shape(evidence.number.value) != evidence.case.shape:
        message = _shape_message(evidence)
        return _explanation(evidence, [("shape", None)], None, message)
    found = _too_few_digits(evidence) or _line_by_line(evidence) or _behind(evidence)
    if found is not None:
        return found
    name = evidence.case.flow.name(evidence.case.key)
    unknown = f"delta_{name} is wrong, and by no mistake that is known here"
    message = _of_another(evidence) or unknown
    return _explanation(evidence, [], _line_at_fault(evidence), message)


# --- by numbers --------------------------------------------------------------------------


def _by_number(evidence: Evidence) -> list[tuple[str, Slip | None]]:
    """The mistakes that give the number, in the table's order, each with its first slip."""
    assert evidence.number is not None
    assert evidence.matches is not None
    case = evidence.case
    found: dict[str, tuple[Mistake, Slip]] = {}
    for mistake, slip in slips(case):
        if mistake.tag in found or not evidence.matches(slip.value):
            continue
        if np.shape(slip.value) == case.shape and evidence.matches(case.total):
            continue
        found[mistake.tag] = mistake, slip
    if evidence.work is not None:
        found = _seen_in_code(evidence, found)
    if not found:
        return list(_same_numbers(evidence))
    return [(tag, slip) for tag, (_, slip) in found.items()]


def _same_numbers(evidence: Evidence) -> Iterator[tuple[str, Slip | None]]:
    """The right numbers in another shape."""
    assert evidence.number is not None
    assert evidence.matches is not None
    value, right = evidence.number.value, evidence.case.total
    if np.shape(value) != np.shape(right) and np.size(value) == np.size(right):
        number = Written(
            np.reshape(value, np.shape(right))[()],
            np.reshape(evidence.number.radius, np.shape(right))[()],
            evidence.number.digits,
        )
        if close(number.value, right, 5e-3, 1e-9):
            yield "shape", None


def _seen_in_code(
    evidence: Evidence, found: dict[str, tuple[Mistake, Slip]]
) -> dict[str, tuple[Mistake, Slip]]:
    """Those of the mistakes that the lines show; all of them if none does."""
    kept = {
        tag: (mistake, slip)
        for tag, (mistake, slip) in found.items()
        if _shows(evidence, mistake, slip)
    }
    return kept or {t: f for t, f in found.items() if not f[0].from_lines} or found


def _shows(evidence: Evidence, mistake: Mistake, slip: Slip) -> bool:
    case, lines = evidence.case, evidence.lines
    if mistake.from_lines:
        return False
    mentions: list[set[str]] = [line.cell.mentions() for line in lines]
    if mistake.repeats:
        senders = [case.flow.name(c) for c in case.consumers]
        counts = [sum(f"delta_{name}" in found for found in mentions) for name in senders]
        repeated = any(
            line.cell.tree is not None and _repeats(line, name)
            for line in lines
            for name in senders
        )
        if mistake.tag == "not-zeroed":
            unread = [c not in evidence.given for c in case.consumers]
            twice = all(n > 1 or hidden for n, hidden in zip(counts, unread, strict=True))
            return len(lines) > max(1, len(case.terms)) and twice
        return max(counts, default=0) > 1 or repeated or len(lines) > len(case.terms)
    if mistake.tag == "dropped-path" and slip.consumer is not None:
        name = f"delta_{case.flow.name(slip.consumer)}"
        given = slip.consumer in evidence.given
        sent = sum(part.consumer == slip.consumer for part in case.own)
        return not given or sent > 1 or not any(name in found for found in mentions)
    if mistake.mentions is not None and slip.consumer is not None:
        name = f"delta_{case.flow.name(slip.consumer)}"
        there = any(name in found for found in mentions)
        if slip.consumer in evidence.given:
            return there == mistake.mentions
    if mistake.tag in ("factor", "mean-for-sum"):
        senders = [case.flow.name(c) for c in case.consumers]
        twice = any(_repeats(line, name) for line in lines for name in senders)
        return len(lines) <= max(1, len(case.terms)) and not twice
    return True


def _repeats(line: Line, sender: str) -> bool:
    """Whether one line reads an accumulator more than once."""
    cell = line.cell
    words = [w for w, read in zip(cell.words, cell.reads, strict=True)
             if read.kind == "gradient" and read.name == sender]  # fmt: skip
    names = [n.name for n in postorder(cell.tree) if isinstance(n, Name)] if cell.tree else []
    return any(names.count(word) > 1 for word in words)


def _of_another(evidence: Evidence) -> str | None:
    """What to say of a number that is the accumulator, or the value, of something else."""
    assert evidence.matches is not None
    case, flow = evidence.case, evidence.case.flow
    number = evidence.number
    if number is None or not np.any(number.value):
        return None
    name = flow.name(case.key)
    for key, parts in case.parts.items():
        other = flow.name(key)
        if other != name and parts and evidence.matches(_sum(part.value for part in parts)):
            return f"this is the number of delta_{other}, not of delta_{name}"
    for key, value in flow.values.items():
        if value is not None and evidence.matches(value):
            return f"this is the value of {flow.name(key)}, not the gradient by {name}"
    return None


def _too_few_digits(evidence: Evidence) -> Explanation | None:
    """A number that is right as far as it is written, which is not far enough."""
    number, right = evidence.number, evidence.right
    assert number is not None
    if right is None or np.shape(number.value) != np.shape(right) or not np.any(number.radius):
        return None
    if np.all(np.abs(number.value - right) <= number.radius * (1 + 1e-9)):
        return Explanation((), "right as far as it goes, but with too few digits to be sure")
    return None


def _line_by_line(evidence: Evidence) -> Explanation | None:
    """Several mistakes in one row: every wrong line by itself, against a part that is missing."""
    case, lines = evidence.case, evidence.lines
    if len(lines) < 2 or any(line.own is None for line in lines):
        return None
    missing = list(case.own)
    wrong: list[Line] = []
    for line in lines:
        part = next((p for p in missing if _is(line.own, p.value)), None)
        if part is None:
            wrong.append(line)
        else:
            missing.remove(part)
    named: dict[str, Slip] = {}
    for line in wrong:
        slip = _of_one_line(case, missing, line)
        if slip is None:
            return None
        named.setdefault(*slip)
    return _explanation(evidence, list(named.items()), wrong[0]) if named else None


def _of_one_line(case: Case, missing: list[Part], line: Line) -> tuple[str, Slip] | None:
    """The mistake that makes a line of one of the missing parts, which is then taken out."""
    for part in missing:
        alone = replace(case, parts={**case.parts, case.key: [part]})
        for mistake, slip in slips(alone):
            if not mistake.repeats and not mistake.from_lines and _is(line.own, slip.value):
                missing.remove(part)
                return mistake.tag, slip
    return None


# --- by the lines themselves -------------------------------------------------------------


def _by_lines(evidence: Evidence) -> Explanation | None:
    """A mistake that is certain, because mending it in the lines gives the right number."""
    lines, work = evidence.lines, evidence.work
    if work is None or not lines:
        return None
    right = evidence.right
    twice = any(line.assign == "=" for line in lines[1:])
    if twice and _is(_sum(line.own for line in lines), right):
        again = next(line for line in lines[1:] if line.assign == "=")
        lost = _lost(evidence, lines[: lines.index(again)])
        return _explanation(evidence, [("overwritten", Slip(None, (), lost))], again)
    final = {k: of[-1].cell for k, of in work.lines.items()}
    late = _late(lines, final)
    if late is not None:
        mended = _sum(_recomputed(line, lambda cell: _final(cell, final)) for line in lines)
        if _is(mended, right):
            return _explanation(evidence, [("not-final", Slip(None, (), late[0]))], late[1])
    if _steps(lines):

        def original(cell: Cell) -> Any:
            if cell.kind == "helper" and cell.key in work.originals:
                return work.originals[cell.key]
            return _before_step(cell)

        if _is(_sum(_recomputed(line, original) for line in lines), right):
            return _explanation(evidence, [("updated-weights", None)], lines[-1])
    for line in lines:
        if line.own is None or np.shape(line.own) != np.shape(right):
            for value in _turned(line):
                others = [other.own for other in lines if other is not line]
                if _is(_sum([*others, value]), right):
                    return _explanation(evidence, [("transpose", None)], line)
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
        if any(line.own is not None and _is(line.own, part.value) for line in before):
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


def _sum(values: Any) -> Any:
    total: Any = None
    for value in values:
        if value is None or (total is not None and np.shape(value) != np.shape(total)):
            return None
        total = value if total is None else total + value
    return total


def _is(value: Any, right: Any) -> bool:
    if value is None or right is None or np.shape(value) != np.shape(right):
        return False
    return close(value, right, 1e-6, 1e-12)


# --- behind what was handed in -----------------------------------------------------------


def _behind(evidence: Evidence) -> Explanation | None:
    """A mistake in a row that was not handed in, between this one and those that were."""
    assert evidence.matches is not None
    case, flow = evidence.case, evidence.case.flow
    waiting, seen = list(case.consumers), set[Key]()
    found: dict[str, tuple[Slip | None, Key]] = {}
    while waiting and len(seen) < FARTHEST:
        key = waiting.pop(0)
        if key in seen or key in evidence.given or key == flow.output:
            continue
        seen.add(key)
        inner = Case(flow, key, case.parts, case.follows, case.eta)
        waiting += inner.consumers
        for mistake, slip in slips(inner):
            if mistake.tag in found or np.shape(slip.value) != inner.shape:
                continue
            known = {k: case.follows[k] for k in evidence.given if k in case.follows}
            known.pop(case.key, None)
            value = flow.passes({**known, key: slip.value})[0].get(case.key)
            if value is not None and evidence.matches(value):
                found[mistake.tag] = slip, key
    if not found:
        return None
    tag, (first, key) = next(iter(found.items()))
    inner = Case(flow, key, case.parts, case.follows, case.eta)
    name = flow.name(key)
    message = f"on the way, at delta_{name}: {_message(inner, tag, first)}"
    return Explanation(tuple(t for t in BY_TAG if t in found), message)


# --- words -------------------------------------------------------------------------------


def _explanation(
    evidence: Evidence,
    named: list[tuple[str, Slip | None]],
    line: Line | None = None,
    message: str | None = None,
) -> Explanation:
    tags = tuple(mistake.tag for mistake in MISTAKES if mistake.tag in dict(named))
    if message is None:
        slip_of = dict(named)
        # A mean for a sum is a constant factor: there is nothing to add to it.
        said = [tag for tag in tags if tag != "factor" or "mean-for-sum" not in tags]
        message = " Or: ".join(_message(evidence.case, tag, slip_of[tag]) for tag in said[:2])
        if len(said) > 2:
            message += f" (or {', '.join(said[2:])})"
    if line is None:
        return Explanation(tags, message)
    return Explanation(tags, message, line.number, line.text)


def _message(case: Case, tag: str, slip: Slip | None) -> str:
    """The table's sentence, or the slip's own, with the names of this row."""
    if slip is not None and slip.message is not None:
        return slip.message
    name = case.flow.name
    consumer = slip.consumer if slip is not None and slip.consumer is not None else None
    first = case.consumers[0] if case.consumers else case.flow.output
    return BY_TAG[tag].text.format(
        row=name(case.key),
        consumers=" and ".join(sorted(name(c) for c in case.consumers)) or "nothing",
        consumer=name(consumer or first),
    )


def _shape_message(evidence: Evidence) -> str:
    assert evidence.number is not None
    name = evidence.case.flow.name(evidence.case.key)
    return (
        f"the gradient by {name} has the shape of {name}, {evidence.case.shape}; "
        f"here it is {np.shape(evidence.number.value)}"
    )


def _line_at_fault(evidence: Evidence) -> Line | None:
    """The line whose value is none of the right parts."""
    lines = evidence.lines
    if not lines:
        return None
    parts = [part.value for part in evidence.case.own]
    last = max(i for i, line in enumerate(lines) if line.assign == "=" or not i)
    for line in lines[last:]:
        if line.own is not None and not any(_is(line.own, value) for value in parts):
            return line
    return lines[-1]
