"""The time limit of one submission.

A number of seconds and a clock come in; whether there is time left goes out. Naming has a share of
it: when that is used up, the marks stand and the mistakes that are left are not named. Marking has
a larger share, and ends with an error when that is used up; the rest is for writing the results.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import submission_error

SECONDS = 10.0
"""The time limit where no other is given."""
NAMING = 0.6
"""The share of the limit after which no mistake is named."""
MARKING = 0.85
"""The share after which marking ends; what is left is for writing the results."""


class OutOfTimeError(Exception):
    """The share of naming is used up."""


@dataclass(frozen=True)
class Deadline:
    """When marking one submission has to end."""

    seconds: float
    naming: float
    """The time, by the clock, at which naming ends."""
    marking: float
    """The time at which marking ends."""
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def of(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """The deadline `seconds` from now."""
        now = clock()
        return cls(seconds, now + NAMING * seconds, now + MARKING * seconds, clock)

    @classmethod
    def of_naming(cls, seconds: float) -> Deadline:
        """A deadline for naming alone: marking ends whenever it is done."""
        return cls(seconds, time.monotonic() + seconds, math.inf)

    @property
    def half(self) -> Deadline:
        """The same with half of the time for naming: the rest is for a second way to name."""
        if math.isinf(self.naming):
            return self
        return replace(self, naming=(self.naming + self.clock()) / 2)

    def check_naming(self) -> None:
        """Raise `OutOfTimeError` once naming has used up its share."""
        if self.clock() > self.naming:
            raise OutOfTimeError

    @property
    def left(self) -> float:
        """Seconds until marking ends."""
        return self.marking - self.clock()

    def check(self) -> None:
        """Raise `GradcliError` of kind submission once marking has used up its share."""
        if self.left < 0:
            raise self.passed()

    def passed(self) -> GradcliError:
        """The error for a submission that is not marked in time."""
        return submission_error(
            f"the submission can't be marked within {self.seconds:g} seconds",
            "--time-limit gives it more time",
        )


NEVER = Deadline(math.inf, math.inf, math.inf)
"""No time limit."""
