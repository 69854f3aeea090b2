"""What interpreting a text may cost: operations, seconds, bytes, depth.

What is about to be done comes in; past a bound there is one error, and else nothing comes out.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from time import monotonic, thread_time
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError, Kind

MOST_OPERATIONS = 1_000_000
MOST_SECONDS = 2.0
PATIENCE = 2
"""How much longer it may take by the clock on the wall than by the processor's."""
MOST_BYTES = 300_000_000
"""What arrays may take; with the process itself and one result under way this is 500 MB."""
MOST_ELEMENTS = 4_000_000
"""What a single array may have."""
DEEPEST = 120
"""Expressions, statements and calls inside of one another, all together."""
MOST_BITS = 8192
"""What a whole number may have."""
MOST_DIGITS = 300
"""What a number that is read from a text may have."""
MOST_CHARACTERS = 100_000
"""What a text that is put together may have."""
LARGE = 2000
"""Bytes from which on an array that depends on no input is accounted for."""
ELEMENTS_PER_OPERATION = 500
"""An operation on a large array counts as several."""


LESS = "it is read at the given point, loop by loop; give it less to do"
LONGER = f"{LESS}, or more time: --time-limit SECONDS"


TAKES = "reading this program takes"


class ExhaustedError(GradcliError):
    """A budget is used up: to read the text again would end in the same way."""


class Budget:
    """What is left of everything. Each method raises `GradcliError` where it is used up."""

    __slots__ = (
        "__weakref__",
        "began",
        "bytes",
        "depth",
        "gradual",
        "left",
        "most",
        "next_look",
        "seconds",
        "used",
    )

    def __init__(self, seconds: float = MOST_SECONDS) -> None:
        self.most = int(MOST_OPERATIONS * max(1.0, seconds / MOST_SECONDS))
        self.seconds = seconds
        self.renew()

    def renew(self) -> None:
        """Begin anew, with nothing used up."""
        self.left = self.next_look = self.most
        self.began, self.used = monotonic(), thread_time()
        self.bytes = 0
        self.depth = 0
        self.gradual: GradcliError | None = None
        """The error of operations, seconds or bytes that are used up little by little."""

    def spend(self, operations: int = 1) -> None:
        """Take note of operations, and look at the clock now and then."""
        self.left -= operations
        if self.left > self.next_look:
            return
        self.next_look = self.left - 200
        if self.left < 0:
            if operations >= self.most // 2:
                raise self.exceeded(f"more than {self.most:,} operations", LONGER)
            raise self._used_up(f"more than {self.most:,} operations", LONGER)
        if self.is_late():
            raise self._used_up(f"more than {self.seconds:g} seconds", LONGER)

    def share(self) -> float:
        """How much of the operations or of the time is used up, from 0 to 1."""
        late = (monotonic() - self.began) / max(self.seconds, 1e-9)
        return max(1 - self.left / self.most, late, self.bytes / MOST_BYTES)

    def is_late(self) -> bool:
        """Whether the time is used up: by the processor's clock, or far by the one on the wall."""
        passed = monotonic() - self.began
        if passed <= self.seconds:
            return False
        return passed > PATIENCE * self.seconds or thread_time() - self.used > self.seconds

    def elements(self, count: int) -> None:
        """Take note of an operation on so many elements, before it is done."""
        if count > MOST_ELEMENTS:
            raise self.exceeded(f"an array of {count:,} elements (at most {MOST_ELEMENTS:,})")
        self.spend(1 + count // ELEMENTS_PER_OPERATION)

    def products(self, count: int) -> None:
        """Take note of so many multiplications at once, of a matrix product say."""
        if count > ELEMENTS_PER_OPERATION * MOST_OPERATIONS * 4:
            raise self.exceeded("a product of arrays that is too large")
        self.spend(count // (ELEMENTS_PER_OPERATION * 20))

    def characters(self, count: int) -> None:
        """Take note of a text of so many characters, before it is put together."""
        if count > MOST_CHARACTERS:
            raise self.exceeded(f"a text of more than {MOST_CHARACTERS:,} characters")
        self.spend(count // 100)

    def keep(self, size: int) -> None:
        """Take note of bytes that stay."""
        self.bytes += size
        if self.bytes > MOST_BYTES:
            raise self._used_up(f"arrays of more than {MOST_BYTES // 1_000_000} MB")

    def room(self, size: int) -> None:
        """Raise if there is no room for so many bytes more."""
        self.keep(size)
        self.bytes -= size

    def hold(self, array: Any) -> None:
        """Take note of the bytes of an array for as long as there is something that holds it."""
        if array.nbytes >= LARGE and array.base is None:
            self.keep(array.nbytes)
            weakref.finalize(array, self._drop, array.nbytes).atexit = False

    def _drop(self, size: int) -> None:
        self.bytes -= size

    def broadcast(self, arrays: Sequence[Any]) -> None:
        """Take note of an elementwise operation on arrays; shapes that don't fit cost nothing."""
        try:
            shape = np.broadcast_shapes(*(np.shape(a) for a in arrays))
        except ValueError:
            return
        self.elements(math.prod(shape))

    def exceeded(self, what: str, hint: str = LESS) -> GradcliError:
        """The error of a program that takes too much."""
        return GradcliError(Kind.SYNTAX, f"{TAKES} {what}", hint=hint)

    def _used_up(self, what: str, hint: str = LESS) -> GradcliError:
        """The error of a budget that is used up little by little."""
        self.gradual = ExhaustedError(Kind.SYNTAX, f"{TAKES} {what}", hint=hint)
        return self.gradual
