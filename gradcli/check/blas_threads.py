"""One BLAS thread for many products of arrays that are not large.

OpenBLAS hands such products to all of its threads, and these wait busily for the next one: two
threads take twice the processor time, hardly less of the clock's, and far more of it where other
processes are busy. The number of threads is the process's; it is put back afterwards.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from threading import Lock
from typing import Any

LARGE = 500 * 500
"""Elements of an array from which on a second thread pays."""

SPELLINGS = ("scipy_openblas_{}64_", "openblas_{}64_", "openblas_{}")
"""The names of OpenBLAS's functions: in NumPy's wheels, and in those of distributions."""


class OneThread:
    """A context in which OpenBLAS has one thread; it may be entered by several at once.

    With another library it does nothing.
    """

    def __init__(self) -> None:
        self.lock, self.inside, self.before = Lock(), 0, 1

    @cached_property
    def functions(self) -> tuple[Callable[[], int], Callable[[int], Any]] | None:
        """What reads and sets the number of threads, in the library that NumPy is linked to."""
        path = import_module("numpy.linalg._umath_linalg").__file__
        try:
            linked = ctypes.CDLL(path)  # a name is looked up in what it is linked to as well
        except OSError:
            return None
        for spelling in SPELLINGS:
            names = spelling.format("get_num_threads"), spelling.format("set_num_threads")
            if all(hasattr(linked, name) for name in names):
                read, write = (getattr(linked, name) for name in names)
                return read, write
        return None

    def __enter__(self) -> None:
        """Note how many threads there are, if this is the first to enter."""
        if self.functions is None:
            return
        read, write = self.functions
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.before = read()
                write(1)

    def __exit__(self, *_: object) -> None:
        """Put the number back, if this is the last to leave and it hasn't been changed since."""
        if self.functions is None:
            return
        read, write = self.functions
        with self.lock:
            self.inside -= 1
            if self.inside == 0 and read() == 1:
                write(self.before)


one_thread = OneThread()
