"""The report of lint, as text and as JSON: mistakes that would go unnoticed, and better points.

What was found at a point and at better ones comes in, text goes out. The first line says it all;
below it stand the slips that change nothing, those that can't be told apart, and the points as one
types them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.diagnostics.error import visible
from gradcli.grading.exercise.lint import Finding, Seen
from gradcli.report import Style
from gradcli.report.homework.marked import width_of, wrapped
from gradcli.report.json import plain
from gradcli.report.numbers import shown

LONGEST = 400
"""A longer point is not shown as a command line: it is in the JSON."""
FEW = 12
"""The most numbers of a point shown within a sentence."""


def pieces(
    finding: Finding, better: Sequence[Finding], style: Style, options: Collection[str] = ()
) -> Iterator[str]:
    """The report: what is not seen here, what can't be told apart, where it can.

    `options` are names that belong to the command line, so that inputs can't be set by them.
    """
    width = width_of(style)
    best = better[0] if better and finding.worse(better[0]) else None
    for sentence in _headline(finding, best):
        yield from _lines(visible(sentence), width)
    if finding.kink:
        yield "\nThis point is at a corner: the derivative of either side is accepted.\n"
    if finding.unseen:
        yield "\nThese would go unnoticed:\n"
        yield from _unseen(finding.unseen, style, width)
    if finding.confused:
        yield "\nThe same wrong number, so they can't be told apart:\n"
        for confusion in finding.confused:
            yield from _lines(f"delta_{confusion.row}   {', '.join(confusion.tags)}", width, "  ")
    if best is not None:
        yield "\nBetter points:\n"
        for other in better:
            if finding.worse(other):
                yield from _point(other, style, width, options)
    elif finding.rank > (0, 0) or finding.kink:
        yield "\nNo better point was found.\n"


def _headline(finding: Finding, best: Finding | None) -> Iterator[str]:
    unseen, all_ = len(finding.unseen), len(finding.slips)
    if not finding.slips:
        yield "There is no step to get wrong: no gradient that the task asks for takes a step."
        return
    here = point(finding.inputs)
    yield f"At {here or 'this point'}, {unseen} of {all_} common mistakes would go unnoticed."
    if best is not None:
        there = point(best.inputs)
        yield f"{f'At {there}' if there else 'Elsewhere'}: {len(best.unseen)}."


def point(inputs: Mapping[str, Any]) -> str | None:
    """A point within a sentence: `(1, 2, 0)`; None for large ones."""
    if sum(np.size(value) for value in inputs.values()) > FEW:
        return None
    return "(" + ", ".join(written(value) for value in inputs.values()) + ")"


def written(value: Any) -> str:
    """A value as one types it, all its digits and no more."""
    if np.ndim(value) == 0:
        return repr(float(value)).removesuffix(".0")
    return "[" + ", ".join(written(v) for v in value) + "]"


def _unseen(unseen: Sequence[Seen], style: Style, width: int) -> Iterator[str]:
    tags = max(len(slip.tag) for slip in unseen)
    rows = max(len(f"delta_{slip.row}") for slip in unseen)
    for slip in unseen:
        head = f"  {f'delta_{slip.row}':<{rows}}  {slip.tag:<{tags}}  "
        lines = [line for line in slip.lines if not line.rstrip().endswith("=")]
        text = shown(visible("; ".join(lines)), style)
        if not slip.exact:
            text += "  (nearly)"
        if len(head) + len(text) <= width or style.width is None:
            yield (head + text).rstrip() + "\n"
        else:
            yield head.rstrip() + "\n"
            yield from _lines(text, width, "      ")


def _point(finding: Finding, style: Style, width: int, options: Collection[str]) -> Iterator[str]:
    words = []
    for name, value in finding.inputs.items():
        text = written(value)
        option = f"--set {name}=" if f"--{name}" in options else f"--{name} "
        words.append(option + (f'"{text}"' if " " in text else text))
    line = " ".join(words)
    text = visible(line) if len(line) <= LONGEST else "a large point: --json has its numbers"
    what = f"{len(finding.unseen)} unnoticed"
    if finding.confused:
        what += f", {len(finding.confused)} not told apart"
    if len(text) + len(what) + 7 <= width or style.width is None:
        yield f"  {text}   ({what})\n"
    else:
        yield from _lines(text, width, "  ")
        yield f"      ({what})\n"


def _lines(text: str, width: int, indent: str = "") -> Iterator[str]:
    return wrapped(text, width, indent + "  ", initial_indent=indent, break_long_words=False)


# --- JSON --------------------------------------------------------------------------------


def as_object(program: str, finding: Finding, better: Iterable[Finding]) -> dict[str, Any]:
    """The object of schema gradcli.lint/1."""
    better = list(better)
    return {
        "schema": "gradcli.lint/1",
        "program": program,
        "inputs": _inputs(finding),
        "slips": [
            {
                "tag": slip.tag,
                "row": slip.row,
                "visible": slip.visible,
                "exact": slip.exact,
                "lines": list(slip.lines),
            }
            for slip in finding.slips
        ],
        "unseen": len(finding.unseen),
        "kink": finding.kink,
        "confused": [{"row": c.row, "tags": list(c.tags)} for c in finding.confused],
        "points": [_inputs(other) for other in better],
        "tells": [
            {"unseen": len(other.unseen), "confused": len(other.confused)} for other in better
        ],
    }


def _inputs(finding: Finding) -> dict[str, Any]:
    return {name: plain(value) for name, value in finding.inputs.items()}
