"""Python's cyclic garbage collector, put off while many objects are made and none forms a cycle.

A graph of a million nodes is a million objects that stay; going through all of them again and
again in search of garbage would make the time per operation grow with the program.
"""

from __future__ import annotations

import gc


class collector_paused:  # noqa: N801 - a context manager, named like a function
    """No cyclic collection inside; afterwards as before."""

    __slots__ = ("enabled",)

    def __enter__(self) -> None:
        self.enabled = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self.enabled:
            gc.enable()
