"""The time that a check may take.

A budget of seconds goes in; what comes out is how much of it is left, and for work in many parts
an exception as soon as it can be foreseen that they will not be done in time. The limit is a bit
more than the budget: what has been begun and is nearly done may be finished.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OVERTIME = 1.5
"""The check ends after this many budgets, finished or not."""


class OutOfTimeError(Exception):
    """Something could not be finished before the limit."""


class Clock:
    """A budget of seconds that runs from now on; `now` is a clock to read."""

    def __init__(self, budget: float, now: Callable[[], float] = time.perf_counter) -> None:
        self.budget, self._now = budget, now
        self.limit = OVERTIME * budget
        self.start = now()

    @property
    def spent(self) -> float:
        """The seconds since the start."""
        return self._now() - self.start

    @property
    def soon(self) -> float:
        """A deadline for what should not be left out: a quarter of a budget more."""
        return max(self.budget, self.spent) + self.budget / 4

    def foresee(self, begun: float, done: int, parts: int) -> None:
        """Raise `OutOfTimeError` if the rest of some parts will not be done before the limit.

        `begun` is what was spent when the first of them began; `done` are done by now.
        """
        each = (self.spent - begun) / done
        if self.spent + (parts - done) * each > self.limit:
            raise OutOfTimeError

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Suspend the time limit, so that a suspect gradient gets the full examination."""
        limit, self.limit = self.limit, math.inf
        try:
            yield
        finally:
            self.limit = limit
