"""Python's cyclic garbage collector, put off while many objects are made and none forms a cycle.

A graph of a million nodes is a million objects that stay; going through all of them again and
again in search of garbage would make the time per operation grow with the program.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """No cyclic collection inside; afterwards as before."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
