"""A time limit on what this process computes, where the system has a timer for it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradcli.diagnostics.gc_pause import collector_paused

AGAIN = 0.05
"""Seconds until the next signal, should the first one have come in a bad moment."""


class TimeUpError(BaseException):
    """The time limit has passed. No handler of ordinary errors may stop it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise `TimeUpError` in what runs within, `seconds` from now.

    Without effect on Windows and outside of the main thread.
    """
    here = threading.current_thread() is threading.main_thread()
    if not here or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: Any) -> None:
        raise TimeUpError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        with collector_paused():  # no error passes through a callback of the collector
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
