"""Naming the mistake: all that explain a wrong row, never a guess among several.

Numbers come first: every slip of the table that gives the number that was handed in. Code decides
where numbers can't: what a line shows (two `=`, an accumulator that is not read) rules slips out,
and what can be mended in the lines themselves names its mistake for certain.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from gradcli.diagnostics.error import Kind
from gradcli.grading.listing.trees import label_of
from gradcli.grading.listing.work import Cell, Line
from gradcli.grading.mistakes.case import Case, Slip
from gradcli.grading.mistakes.evidence import (
    Evidence,
    Explanation,
    added,
    explanation,
    is_,
    line_at_fault,
    message_of,
    shape_message,
)
from gradcli.grading.mistakes.in_code import by_lines, exchanged
from gradcli.grading.mistakes.table import BY_TAG, Mistake, slips, stage_skipped
from gradcli.grading.model.deadline import NEVER, OutOfTimeError
from gradcli.grading.model.flow import Key, Part
from gradcli.grading.model.tolerance import close
from gradcli.grading.submission.types import Written

FARTHEST = 40
"""How many rows that were not handed in are searched for a mistake behind a wrong one."""

UNNAMED = "the mistake is not named: the time limit has been reached"
VAGUE = "right as far as it goes, but with too few digits to be sure"


def explain(evidence: Evidence) -> Explanation:
    """Every mistake that explains a wrong row, unless the time limit is reached before."""
    try:
        return _explained(evidence)
    except OutOfTimeError:
        line = line_at_fault(evidence)
        where = (None, "") if line is None else (line.number, line.text)
        return Explanation((), UNNAMED, *where, implied=_implied(evidence))


def _implied(evidence: Evidence) -> tuple[Key, Any] | None:
    """The accumulator that a skipped stage implies: the marks of later rows depend on it."""
    if evidence.work is None or evidence.matches is None:
        return None
    with np.errstate(all="ignore"):
        for slip in stage_skipped(replace(evidence.case, deadline=NEVER)):
            implied = slip.implied
            if implied and implied[0] not in evidence.given and evidence.matches(slip.value):
                return implied
    return None


def _explained(evidence: Evidence) -> Explanation:
    evidence.case.deadline.check_naming()
    found = by_lines(evidence)
    if found is not None:
        return found
    if evidence.number is None or evidence.matches is None:
        line = next((one for one in evidence.lines if one.own is None), None)
        problem = None if line is None else line.cell.problem
        message = "shapes do not go together here" if problem is None else problem.message
        shape = problem is None or problem.kind is Kind.SHAPE
        return explanation(evidence, [("shape", None)] if shape else [], line, message)
    decimals = np.all(evidence.number.radius < 0.5)  # a whole number may be meant as it stands
    if evidence.vague and decimals and evidence.work is None:
        return Explanation((), VAGUE)
    named = _by_number(evidence)
    if named:
        alone = dict(named).keys() == {"shape"}
        said = shape_message(evidence) if alone else None
        return explanation(evidence, named, line_at_fault(evidence), said)
    other = exchanged(evidence)
    if other is not None:
        fits = np.shape(evidence.number.value) == evidence.case.shape
        tags: list[tuple[str, Slip | None]] = [] if fits else [("shape", None)]
        return explanation(evidence, tags, *other)
    if np.shape(evidence.number.value) != evidence.case.shape:
        message = shape_message(evidence)
        return explanation(evidence, [("shape", None)], None, message)
    if evidence.vague:
        return Explanation((), VAGUE)
    found = _line_by_line(evidence) or _behind(evidence)
    if found is not None:
        return found
    name = evidence.case.flow.name(evidence.case.key)
    unknown = f"delta_{name} is wrong; it matches none of the common mistakes."
    message = _of_another(evidence) or unknown
    return explanation(evidence, [], line_at_fault(evidence), message)


# --- by numbers --------------------------------------------------------------------------


def _by_number(evidence: Evidence) -> list[tuple[str, Slip | None]]:
    """The mistakes that give the number, in the table's order, each with its first slip."""
    assert evidence.number is not None
    assert evidence.matches is not None
    case = evidence.case
    found: dict[str, tuple[Mistake, Slip]] = {}
    for mistake, slip in slips(case):
        case.deadline.check_naming()
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
    case = evidence.case
    lines = [line for line in evidence.lines if not line.partly]
    if mistake.from_lines:
        return False
    mentions: list[set[str]] = [line.cell.mentions() for line in evidence.lines]
    if mistake.repeats:
        senders = [case.flow.name(c) for c in case.consumers]
        counts = [sum(f"delta_{name}" in found for found in mentions) for name in senders]
        repeated = any(_repeats(line, name) for line in lines for name in senders)
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
    code = [] if cell.code is None else [n for n in ast.walk(cell.code) if isinstance(n, ast.expr)]
    labels = Counter(map(label_of, code))
    return any(labels[word] > 1 for word in words)


def _of_another(evidence: Evidence) -> str | None:
    """What to say of a number that is the accumulator, or the value, of something else."""
    assert evidence.matches is not None
    case, flow = evidence.case, evidence.case.flow
    number = evidence.number
    if number is None or not np.any(number.value):
        return None
    name = flow.name(case.key)
    follow = {case.key}
    for key in reversed(flow.stages):
        follow |= {*flow.stages[key].reads} if key in follow else set()
    for key, parts in case.parts.items():
        other = flow.name(key)
        if key in follow or (key in flow.stages and key not in evidence.given):
            continue  # it is made of this row, or has a name that the student may not know
        if other != name and parts and evidence.matches(added(part.value for part in parts)):
            return f"this is the number of delta_{other}, not of delta_{name}"
    known = {*evidence.given, *(evidence.work.forward_lines if evidence.work else ())}
    for key, value in flow.values.items():
        if key in flow.stages and key not in known:
            continue
        if value is not None and evidence.matches(value):
            return f"this is the value of {flow.name(key)}, not the gradient with respect to {name}"
    return None


def _line_by_line(evidence: Evidence) -> Explanation | None:
    """Several mistakes in one row: every wrong line by itself, against a part that is missing."""
    case, lines = evidence.case, evidence.lines
    if len(lines) < 2 or any(line.own is None for line in lines):
        return None
    missing = list(case.own)
    wrong: list[Line] = []
    for line in lines:
        part = next((p for p in missing if is_(line.own, p.value)), None)
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
    return explanation(evidence, list(named.items()), wrong[0]) if named else None


def _of_one_line(case: Case, missing: list[Part], line: Line) -> tuple[str, Slip] | None:
    """The mistake that makes a line of one of the missing parts, which is then taken out."""
    for part in missing:
        alone = replace(case, parts={**case.parts, case.key: [part]})
        for mistake, slip in slips(alone):
            if not mistake.repeats and not mistake.from_lines and is_(line.own, slip.value):
                missing.remove(part)
                return mistake.tag, slip
    return None


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
        inner = replace(case, key=key)
        waiting += inner.consumers
        for mistake, slip in slips(inner):
            case.deadline.check_naming()
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
    inner = replace(case, key=key)
    name = flow.name(key)
    message = f"on the way, at delta_{name}: {message_of(inner, tag, first)}"
    cell = None if first is None else _made_of(evidence, first.value)
    where = (None, "") if cell is None else (cell.line, cell.text)
    return Explanation(tuple(t for t in BY_TAG if t in found), message, *where)


def _made_of(evidence: Evidence, value: Any) -> Cell | None:
    """The value on the way that the lines of a row are made of, and that is a wrong one."""
    waiting = [read for line in evidence.lines for read in line.cell.reads]
    seen: set[int] = set()
    while waiting:
        cell = waiting.pop(0)
        if cell.kind == "gradient":
            continue  # a row of its own
        if is_(cell.value, value) and cell.line is not None:
            return cell
        waiting += [read for read in cell.reads if id(read) not in seen]
        seen.update(map(id, cell.reads))
    return None
