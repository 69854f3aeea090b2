"""A tolerance that hangs, dies or takes all memory at certain numbers.

For tests of what ends a process that marks. Such a process is spawned and imports this by its name.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcli.grading.model.tolerance import Tolerance
from gradcli.grading.submission.types import Written

HANGS, DIES, GROWS, FAILS = 771, 772, 773, 774


@dataclass(frozen=True)
class Hostile(Tolerance):
    """Compares as usual, but not with the numbers above."""

    def same(self, number: Written, expected: Any, spread: Any = 0.0, scale: float = 0.0) -> bool:
        value = float(np.max(number.value))
        if value == HANGS:
            time.sleep(600)
        if value == DIES:
            os._exit(7)
        if value == GROWS:
            np.ones(1 << 33)
        if value == FAILS:
            raise KeyError("nobody thought of this")
        return super().same(number, expected, spread, scale)
