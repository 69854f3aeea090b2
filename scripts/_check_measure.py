"""How often the gradient check is wrong: random programs, right gradients and wrong ones.

`measure_check(count)` checks the gradients of `count` random programs at random points. They are
right, so whatever fails is a false alarm. Then it makes them wrong, by a factor of 1.001 or by
their sign, and counts how many of those that had passed still pass. The second opinion is left
out, so that it is the check in doubles that is measured.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from random_programs import random_program

from gradcli.check import check_gradients
from gradcli.diagnostics.error import GradcliError
from gradcli.engine.plan import Backward
from gradcli.program import Program
from gradcli.results.result import Checks, Result, Verdict

ACQUITTED = (Verdict.PASS, Verdict.ZERO)
WRONG = {"1e-3": 1.001, "sign": -1.0}


@dataclass
class Counts:
    """What was found; `alarms` and `misses` say where, to be looked at."""

    programs: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    alarms: list[str] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)
    digits: list[float] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many accumulators were checked."""
        return self.verdicts.total()

    @property
    def inconclusive(self) -> float:
        """The part of them that stayed undecided."""
        return self.verdicts[Verdict.INCONCLUSIVE] / max(self.rows, 1)

    def __str__(self) -> str:
        tried = ", ".join(f"{self.missed[k]} of {n} wrong by {k}" for k, n in self.tried.items())
        return (
            f"{self.programs:,} programs, {self.rows:,} accumulators: "
            f"{len(self.alarms)} false alarms, {tried} passed, "
            f"{self.inconclusive:.1%} inconclusive, "
            f"{median(self.digits or [0.0]):.1f} digits in the median"
        )


def measure_check(count: int, first: int = 0) -> Counts:
    """Check `count` random (program, point) pairs, from the seed `first` on."""
    counts = Counts()
    seed = first
    with patch("gradcli.check.second_opinion.available", return_value=False):
        while counts.programs < count:
            text, point = random_program(seed)
            seed += 1
            try:
                result = Program(text).evaluate(point, check=False)
            except GradcliError:
                continue  # no value there
            _count(counts, result, f"{text!r} at {point}", list(WRONG)[seed % len(WRONG)])
    return counts


def _count(counts: Counts, result: Result, where: str, mistake: str) -> None:
    right = _checks(result, 1.0)
    wrong = _checks(result, WRONG[mistake])
    counts.programs += 1
    for i, check in right.rows.items():
        counts.verdicts[check.verdict] += 1
        place = f"{result.graph.nodes[i].name} in {where}"
        if check.verdict is Verdict.FAIL:
            counts.alarms.append(place)
        if check.verdict is Verdict.PASS:
            counts.digits.append(check.digits or 0.0)
            counts.tried[mistake] += 1
            if wrong.rows[i].verdict in ACQUITTED:
                counts.missed[mistake] += 1
                counts.misses.append(f"{mistake}: {place}")


def _checks(result: Result, factor: float) -> Checks:
    """The check of accumulators that are all off by a factor."""
    accumulators = [None if a is None else a * factor for a in result.accumulators]
    return check_gradients(
        result.graph,
        result.values,
        Backward(accumulators, list(result.contributions)),
        [a is not None for a in accumulators],
        result.upstream,
        budget=60.0,
    )


if __name__ == "__main__":
    found = measure_check(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    print(found)
    print("\n".join([*found.alarms, *found.misses]))
