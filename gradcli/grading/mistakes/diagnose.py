"""Naming the mistake: all that explain a wrong row, never a guess among several.

The evidence on a row comes in, its explanation goes out. Numbers come first: every slip of the
table that gives the number that was handed in. Code decides where numbers can't: what a line shows
(two `=`, an accumulator that is not read) rules slips out, and what can be mended in the lines
themselves names its mistake for certain.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from gradcli.diagnostics.error import Kind
from gradcli.grading.listing.trees import label_of
from gradcli.grading.listing.work import Line
from gradcli.grading.mistakes.case import Case, Slip
from gradcli.grading.mistakes.evidence import (
    Evidence,
    Explanation,
    explanation,
    fitting_sum,
    line_at_fault,
    message_of,
)
from gradcli.grading.mistakes.in_code import by_lines, cells_read, exchanged
from gradcli.grading.mistakes.table import BY_TAG, slips, stage_skipped
from gradcli.grading.model.deadline import NEVER, OutOfTimeError
from gradcli.grading.model.flow import Key
from gradcli.grading.model.stage import Part
from gradcli.grading.model.tolerance import alike, close

FARTHEST = 40
"""How many rows that were not handed in are searched for a mistake behind a wrong one."""

UNNAMED = "the mistake is not named: the time limit has been reached"
VAGUE = "right as far as it goes, but with too few digits to be sure"


def explain(evidence: Evidence) -> Explanation:
    """Every mistake that explains a wrong row, unless the time limit is reached before."""
    try:
        return _explained(evidence)
    except OutOfTimeError:
        unnamed = explanation(evidence, {}, line_at_fault(evidence), UNNAMED)
        return unnamed._replace(implied=_implied(evidence))


def _implied(evidence: Evidence) -> tuple[Key, Any] | None:
    """The accumulator that a skipped stage implies: the marks of later rows depend on it."""
    if evidence.work is None:
        return None
    with np.errstate(all="ignore"):
        for slip in stage_skipped(replace(evidence.case, deadline=NEVER)):
            implied = slip.implied
            if implied and implied[0] not in evidence.given and evidence.fits(slip.value):
                return implied
    return None


def _explained(evidence: Evidence) -> Explanation:
    evidence.case.deadline.check_naming()
    found = by_lines(evidence)
    if found is not None:
        return found
    if evidence.number is None:
        line = next((one for one in evidence.lines if one.own is None), None)
        problem = None if line is None else line.cell.problem
        message = "shapes do not go together here" if problem is None else problem.message
        shape = problem is None or problem.kind is Kind.SHAPE
        return explanation(evidence, {"shape": None} if shape else {}, line, message)
    decimals = np.all(evidence.number.radius < 0.5)  # a whole number may be meant as it stands
    if evidence.vague and decimals and evidence.work is None:
        return Explanation((), VAGUE)
    case, handed = evidence.case, np.shape(evidence.number.value)
    name = case.flow.name(case.key)
    misshaped = (
        f"the gradient with respect to {name} has the shape of {name}, {case.shape}; "
        f"here it is {handed}"
    )
    named = _by_number(evidence)
    if named:
        said = misshaped if named.keys() == {"shape"} else None
        return explanation(evidence, named, line_at_fault(evidence), said)
    tags: dict[str, Slip | None] = {} if handed == case.shape else {"shape": None}
    other = exchanged(evidence)
    if other is not None:
        return explanation(evidence, tags, *other)
    if tags:
        return explanation(evidence, tags, None, misshaped)
    if evidence.vague:
        return Explanation((), VAGUE)
    found = _line_by_line(evidence) or _behind(evidence)
    if found is not None:
        return found
    unknown = f"delta_{name} is wrong; it matches none of the common mistakes."
    message = _of_another(evidence) or unknown
    return explanation(evidence, {}, line_at_fault(evidence), message)


# --- by numbers --------------------------------------------------------------------------


def _by_number(evidence: Evidence) -> dict[str, Slip | None]:
    """The mistakes that give the number, in the table's order, each with its first slip."""
    assert evidence.number is not None
    case, value = evidence.case, evidence.number.value
    found: dict[str, Slip | None] = {}
    for mistake, slip in slips(case):
        case.deadline.check_naming()
        if mistake.tag in found or not evidence.fits(slip.value):
            continue
        if np.shape(slip.value) != case.shape or not evidence.fits(case.total):
            found[mistake.tag] = slip
    if evidence.work is not None:
        seen = {tag: slip for tag, slip in found.items() if slip and _shows(evidence, tag, slip)}
        unsure = {tag: slip for tag, slip in found.items() if not BY_TAG[tag].from_lines}
        found = {**seen} or unsure or found
    right = case.total
    turned = np.shape(value) != np.shape(right) and np.size(value) == np.size(right)
    if not found and turned and close(np.reshape(value, np.shape(right)), right, 5e-3, 1e-9):
        return {"shape": None}  # the right numbers in another shape
    return found


def _shows(evidence: Evidence, tag: str, slip: Slip) -> bool:
    """Whether the lines look as a mistake makes them."""
    case, mistake, consumer = evidence.case, BY_TAG[tag], slip.consumer
    if mistake.from_lines:
        return False
    names = {key: case.flow.name(key) for key in (*case.consumers, consumer) if key is not None}
    mentions = [line.cell.mentions() for line in evidence.lines]
    counts = {k: sum(f"delta_{name}" in of for of in mentions) for k, name in names.items()}
    lines = [line for line in evidence.lines if not line.partly]
    repeated = any(_repeats(line, names[key]) for line in lines for key in case.consumers)
    more = len(lines) > max(1, len(case.terms))
    if tag == "not-zeroed":
        return more and all(counts[c] > 1 or c not in evidence.given for c in case.consumers)
    if mistake.repeats:
        often = any(counts[key] > 1 for key in case.consumers)
        return often or repeated or len(lines) > len(case.terms)
    if consumer is not None and tag == "dropped-path":
        several = len(case.sent_by.get(consumer, ())) > 1
        return consumer not in evidence.given or several or not counts[consumer]
    if consumer is not None and consumer in evidence.given and mistake.mentions is not None:
        return (counts[consumer] > 0) == mistake.mentions
    return tag not in ("factor", "mean-for-sum") or not (more or repeated)


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
        if other != name and parts and evidence.fits(fitting_sum(part.value for part in parts)):
            return f"this is the number of delta_{other}, not of delta_{name}"
    known = {*evidence.given, *(evidence.work.forward_lines if evidence.work else ())}
    for key, value in flow.values.items():
        if (key not in flow.stages or key in known) and value is not None and evidence.fits(value):
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
        right = next((i for i, part in enumerate(missing) if alike(line.own, part.value)), None)
        if right is None:
            wrong.append(line)
        else:
            del missing[right]
    named: dict[str, Slip | None] = {}
    for line in wrong:
        slip = _of_one_line(case, missing, line)
        if slip is None:
            return None
        named.setdefault(*slip)
    return explanation(evidence, named, wrong[0]) if named else None


def _of_one_line(case: Case, missing: list[Part], line: Line) -> tuple[str, Slip] | None:
    """The mistake that makes a line of one of the missing parts, which is then taken out."""
    for i, part in enumerate(missing):
        alone = replace(case, parts={**case.parts, case.key: [part]})
        for mistake, slip in slips(alone):
            if not mistake.repeats and not mistake.from_lines and alike(line.own, slip.value):
                del missing[i]
                return mistake.tag, slip
    return None


# --- behind what was handed in -----------------------------------------------------------


def _behind(evidence: Evidence) -> Explanation | None:
    """A mistake in a row that was not handed in, between this one and those that were."""
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
            if value is not None and evidence.fits(value):
                found[mistake.tag] = slip, key
    if not found:
        return None
    tag, (first, key) = next(iter(found.items()))
    inner = replace(case, key=key)
    name = flow.name(key)
    message = f"on the way, at delta_{name}: {message_of(inner, tag, first)}"
    wrong = None if first is None else first.value
    cell = next((c for c in cells_read(evidence.lines)
                 if c.kind != "gradient" and c.line and alike(c.value, wrong)), None)  # fmt: skip
    where = (None, "") if cell is None else (cell.line, cell.text)
    return Explanation(tuple(t for t in BY_TAG if t in found), message, *where)
