"""Where code went wrong first: the statements whose change makes its gradients right.

Judged code and the names of its wrong gradients come in; out come `Root`s, each with the line at
fault, the mistake's tags, and the gradients that are wrong by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradcli.grading.code.judged import Judged
from gradcli.grading.code.repairs import Repairs
from gradcli.grading.code.replay import Replay
from gradcli.grading.code.suspects import suspects_of
from gradcli.grading.listing.cells import NO_NUMBER

WORDS = {
    "sign": "with the other sign everything is right",
    "factor": "with another factor everything is right",
    "mean-for-sum": "a number of elements is missing here as a factor, or is there too much",
    "not-summed": "this has to be summed over the dimension along which it was repeated",
    "transpose": "something has to be transposed here, or a product to be turned round",
    "missing-local": "the local derivative is missing here",
    "missing-upstream": "the gradient that comes from above is missing here",
    "dropped-path": "a contribution is missing here: what a second path sends",
    "overwritten": "this line replaces what was there; use +=",
    "counted-twice": "this line adds to what was there; use =",
    "wrong-rule": "this is another derivative than that of the operation",
    "same-operand": "another operand belongs here",
}
"""What to say of the change that makes everything right, by its first tag."""


@dataclass(frozen=True)
class Root:
    """Where something went wrong first."""

    line: int | None
    text: str
    tags: tuple[str, ...]
    explains: frozenset[str]
    """The gradients that are wrong by it."""
    message: str = ""


def roots_of(judged: Judged, wrong: frozenset[str]) -> list[Root]:
    """The first statements at fault, which together explain all wrong gradients."""
    judged.look(snapshots=True)
    repairs, found = Repairs(judged), list[Root]()
    while wrong:
        found.append(_without_number(judged, wrong) or _root(judged, wrong, repairs))
        wrong -= found[-1].explains
    return found


def _root(judged: Judged, wrong: frozenset[str], repairs: Repairs) -> Root:
    """The statement that explains most of some wrong gradients."""
    finals, steps, text = judged.finals, judged.reader.reading.steps, judged.reader.text
    suspects = suspects_of(judged, wrong)
    repair = repairs.best(suspects)
    if repair is None and len(wrong) > 1 and not suspects.right_values:
        wrong = frozenset([min(wrong, key=lambda n: finals[n].line)])
        suspects = suspects_of(judged, wrong)
        repair = repairs.best(suspects)
    repair = repair or repairs.idle(suspects)
    if repair is not None:
        words = WORDS[repair.tags[0]]
        return Root(repair.line, judged.line(repair.line), repair.tags, wrong, words)
    misfit = all(np.shape(finals[n].value) != np.shape(judged.true(n)) for n in wrong)
    tags = ("shape",) if misfit else ()
    if not suspects.steps:
        final = finals[min(wrong)]
        return Root(final.line, final.text, tags, wrong)
    step = steps[suspects.steps[0]]  # perhaps it only handed on what a function made
    made = (steps[i] for i in judged.reader.makers(step.whole))
    step = max(made, key=lambda s: len(s.calls), default=step)
    return Root(step.line, text.written(step.span), tags, wrong)


def _without_number(judged: Judged, wrong: frozenset[str]) -> Root | None:
    """The first statement that gives no finite number, where gradients come to none by it."""
    replay, text = Replay(judged.reader.tape), judged.reader.text
    above = {
        final.name: replay.above([final.node])
        for final in map(judged.finals.__getitem__, wrong)
        if final.node is not None and not np.all(np.isfinite(final.value))
    }
    for step in judged.reader.reading.steps if above else ():
        explains = frozenset(name for name, nodes in above.items() if step.whole in nodes)
        if explains and not np.all(np.isfinite(step.number)):
            return Root(step.line, text.written(step.span), (), explains, NO_NUMBER)
    return None
