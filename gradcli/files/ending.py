"""The end of the process by a signal: at once, with nothing left behind and no traceback.

`watch` is called first of all. From then on an interrupt, a request to end and a closed terminal
(SIGINT, SIGTERM, SIGHUP) are seen by a thread of their own, which undoes what is under way
(`undone_at_the_end`: a file written by half, a process that marks) and ends the process. A Python
signal handler alone would have to wait until the main thread is back from a library's code, which
may take as long as a whole file, and would raise its exception anywhere. Where threads can't wait
for signals (Windows), handlers it is.
"""

from __future__ import annotations

import os
from _thread import RLock, start_new_thread
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # the same without enums, which take longer than all of this module

SIGNALS = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
WAITS = hasattr(signal, "pthread_sigmask")

_under_way: dict[int, Callable[[], object]] = {}
_beginning = RLock()
"""Held while something begins or is undone, so that what begins is undone or never begins."""


def watch() -> None:
    """End this process from now on when a signal asks for it."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` has it
            signal.signal(number, _end)
    hold_back()
    if WAITS:
        start_new_thread(_wait, ())


def hold_back() -> None:
    """Leave the signals to the thread that waits for them; processes that are started inherit it.

    A terminal sends its interrupt to all processes, and only this one has something to do then.
    """
    ours = [number for number in SIGNALS if signal.getsignal(number) is _end]
    if WAITS and ours:
        signal.pthread_sigmask(signal.SIG_BLOCK, ours)


@contextmanager
def undone_at_the_end(begin: Callable[[], object], undo: Callable[[], object]) -> Iterator[None]:
    """Call `begin`; if a signal ends the process inside, `undo` is called, else nothing is."""
    key = id(undo)
    with _beginning:
        _under_way[key] = undo
        try:
            begin()
        except BaseException:
            del _under_way[key]
            raise
    try:
        yield
    finally:
        _under_way.pop(key, None)


def _wait() -> None:
    ours = [number for number in SIGNALS if signal.getsignal(number) is _end]
    if ours:
        _end(signal.sigwait(ours))


def _end(number: int, _frame: object = None) -> None:
    _beginning.acquire()
    for undo in reversed(list(_under_way.values())):
        with suppress(Exception):
            undo()
    os._exit(128 + number)
