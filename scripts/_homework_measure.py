"""How often a mistake in homework is found: every mistake of the table, planted at every row.

`measure_homework()` takes right solutions, puts one slip into one row, and hands them in: as a
listing with a forward pass and without, and as values of 4, 6 and 17 digits whose later rows
follow from the slip, as a student's would. It counts how often the row is found (that one is
wrong and no other), and how often the mistake is among those named. Slips that change nothing at
this point are left out: nobody could see them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcli.grading.marking.mark import mark
from gradcli.grading.marking.result import Marked, Status
from gradcli.grading.mistakes.case import Case, Slip
from gradcli.grading.mistakes.table import slips
from gradcli.grading.model.flow import Flow
from gradcli.grading.model.task import Task, make_task
from gradcli.grading.submission.read import read_text
from gradcli.program import Program

UNSEEN = 5e-3
"""What differs by less is within the tolerance of numbers written by hand."""
DIGITS = (4, 6, 17)


@dataclass(frozen=True)
class Solution:
    """A task at its point, and forward passes in Python that a student may write for it."""

    name: str
    program: str
    forward: tuple[str, ...]

    @property
    def task(self) -> Task:
        """The task, evaluated."""
        return make_task(Program(self.program))


OTHERWISE = """
def s(z): return 1/(1 + np.exp(-z))
a = s(y)
b = a + x
c = x*x
d = c + y
e = d**-1
f = np.dot(b, e)
"""

SOLUTIONS = (
    Solution(
        "tutorial",
        "#: x = 3\n#: y = -4\n(x + sigmoid(y)) / (x^2 + y)",
        (
            "a = 1.0 / (1 + np.exp(-y))\nb = x + a\nc = x**2\nd = c + y\ne = 1.0/d\nf = b*e\n",
            OTHERWISE,
            "",
        ),
    ),
    Solution(
        "neuron",
        "#: w = 0.7\n#: x = -1.3\n#: b = 0.4\n#: t = 0.9\n"
        "z = w*x + b\na = tanh(z)\nr = a - t\nJ = r^2",
        ("z = w*x + b\na = np.tanh(z)\nr = a - t\nJ = r**2\n", ""),
    ),
    Solution(
        "forks",
        "#: x = 0.8\n#: y = 1.7\np = x*y\nq = sin(p)\ns = p + q\nu = exp(-x)\nv = s*u\nf = v^3 + p",
        ("p = x*y\nq = np.sin(p)\ns = p + q\nu = np.exp(-x)\nv = s*u\nf = v**3 + p\n", ""),
    ),
)


@dataclass
class Counts:
    """What was found, by the kind of submission; `misses` has what was not, to be looked at."""

    planted: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    tags: Counter[str] = field(default_factory=Counter)
    mistakes: Counter[str] = field(default_factory=Counter)
    """By tag."""
    unseen: int = 0
    misses: list[str] = field(default_factory=list)

    def judge(self, kind: str, tag: str, row: str, marked: Marked, handed: str) -> None:
        """Count one submission with a slip in one row."""
        if tag == "sign" and any(note.tag == "descent-convention" for note in marked.notes):
            return  # all that was handed in is negated: that is no mistake
        wrong = [r for r in marked.rows if r.status is Status.WRONG]
        found = len(marked.roots) == len(wrong) == 1 and wrong[0].name == row
        named = any(tag in r.tags for r in wrong if r.name == row)
        self.planted[kind] += 1
        self.mistakes[tag] += 1
        self.rows[kind] += found
        self.tags[kind] += named
        if not found or not named:
            roots = [(r.name, str(r.status), r.tags) for r in marked.roots]
            self.misses.append(f"{kind}: {tag} at {row} became {roots} in\n{handed}")


def measure_homework(solutions: tuple[Solution, ...] = SOLUTIONS) -> Counts:
    """Every slip of the table at every row of some right solutions."""
    counts = Counts()
    for solution in solutions:
        task = solution.task
        flow, (follows, parts) = task.flow, task.flow.passes({})
        for row in list(follows):
            if row == flow.output:
                continue
            case = Case(flow, row, parts, follows)
            seen: set[tuple[str, float, tuple[str, ...]]] = set()
            for mistake, slip in slips(case):
                key = mistake.tag, round(float(slip.value), 12), slip.lines
                if key in seen:
                    continue
                seen.add(key)
                right, wrong = float(case.total), float(slip.value)
                if not abs(wrong - right) > UNSEEN * abs(right):
                    counts.unseen += 1
                    continue
                plant(counts, solution, case, mistake.tag, slip)
    return counts


def plant(counts: Counts, solution: Solution, case: Case, tag: str, slip: Slip) -> None:
    """Hand in one slip in all forms."""
    task, row = solution.task, case.key
    if all(line.partition("= ")[2] for line in slip.lines):
        for forward in solution.forward:
            text = forward + "\n".join(backward_lines(case.flow, row, tag, slip)) + "\n"
            marked = mark(task, read_text(text, "answer.py", task.vocabulary, ".py"))
            kind = "listing" if forward else "listing without a forward pass"
            counts.judge(kind, tag, row, marked, text)
    for digits in DIGITS:
        text = json.dumps(values(case.flow, row, slip.value, digits))
        marked = mark(task, read_text(text, "answer.json", task.vocabulary, ".json"))
        counts.judge(f"values of {digits} digits", tag, row, marked, text)


def values(flow: Flow, row: str, wrong: Any, digits: int) -> dict[str, float]:
    """All values and gradients, with a wrong one that the later ones follow from."""
    follows = flow.passes({row: wrong})[0] | {row: wrong}
    given = {name: flow.values[name] for name in flow.stages}
    given |= {f"delta_{name}": delta for name, delta in follows.items() if name != flow.output}
    return {name: float(f"{float(value):.{digits}g}") for name, value in given.items()}


def backward_lines(flow: Flow, row: str, tag: str, slip: Slip) -> Iterator[str]:
    """The lines of a backward pass; those of one row are the slip's."""
    follows, parts = flow.passes({})
    right = [
        (read, Case(flow, read, parts, follows).text(part))
        for key in reversed(flow.stages)
        if key in follows
        for read, sent in flow.sent(key, follows[key]).items()
        for part in sent
    ]
    if tag == "not-final":  # the right lines, too early: after the consumer's first
        early = [line for line in right if line[0] == row and f"delta_{slip.consumer}" in line[1]]
        right = [line for line in right if line not in early]
        first = next(i for i, line in enumerate(right) if line[0] == slip.consumer)
        right[first + 1 : first + 1] = early
        row = ""
    if tag == "overwritten":  # in whatever order: after all that the lines read
        last = max(i for i, line in enumerate(right) if line[0] == row)
        right = [line for i, line in enumerate(right) if line[0] != row or i == last]
    places = _places([text for read, text in right if read == row], list(slip.lines))
    begun: set[str] = set()
    for read, text in right:
        if read == row:
            yield from next(places)
        else:
            yield f"delta_{read} {'+=' if read in begun else '='} {text}"
            begun.add(read)


def _places(right: list[str], lines: list[str]) -> Iterator[list[str]]:
    """The slip's lines at the places of the right ones; what is too much goes to the last."""
    short = len(lines) < len(right)
    for i, text in enumerate(right):
        if short:
            mine = [line for line in lines if line.partition("= ")[2] == text][:1]
        else:
            mine = lines[:1]
        lines = [line for line in lines if line not in mine] if short else lines[1:]
        yield [*mine, *(lines if i == len(right) - 1 else ())]


def shares(counts: Counts) -> Iterator[tuple[str, int, float, float]]:
    """For every kind of submission: how many, and the shares of rows found and tags named."""
    for kind, planted in counts.planted.items():
        yield kind, planted, counts.rows[kind] / planted, counts.tags[kind] / planted


if __name__ == "__main__":
    np.seterr(all="ignore")
    found = measure_homework()
    for kind, planted, rows, tags in shares(found):
        print(f"{kind:32} {planted:5}  row {rows:.1%}  tag {tags:.1%}")
    print(f"{found.unseen} change nothing", *found.misses, sep="\n\n")
