"""Processes that mark submissions, each with a limit of time and memory.

Submissions come in, marks go out, in the order in which they are finished. A process that does not
answer in time is ended and another one takes its place; so is one that dies. Processes are
spawned, not forked, so it is the same on every system.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from _thread import start_new_thread
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from gradcli.files.ending import hold_back, undone_at_the_end

if TYPE_CHECKING:
    from gradcli.grading.exercise.classroom import Mark, Setting, Submitted

MEMORY = 384 << 20
"""What a process may take above what it has when it is ready, in bytes (on Linux)."""
START = 120.0
"""Seconds after which a process that never gets ready is given up."""
READY = "ready"
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""A process uses one processor, for there are as many processes as processors."""


def marks(
    setting: Setting, submissions: Sequence[Submitted], jobs: int, seconds: float
) -> Iterator[Mark]:
    """The mark of every submission. Raises `OSError` where processes can't be started."""
    waiting = deque(submissions)
    workers: list[_Worker] = []
    try:
        while waiting or any(worker.busy for worker in workers):
            while len(workers) < min(jobs, len(waiting) + sum(w.busy for w in workers)):
                workers.append(_Worker(setting))
            yield from _served(workers, waiting, seconds)
    finally:
        for worker in workers:
            worker.end()


def _served(workers: list[_Worker], waiting: deque[Submitted], seconds: float) -> Iterator[Mark]:
    """Wait until a process answers or its time is up, and give it something to do."""
    now = time.monotonic()
    soonest = min(worker.deadline(seconds) for worker in workers)
    answered = wait([worker.pipe for worker in workers], max(0.0, soonest - now))
    for worker in list(workers):
        mark = worker.answer(seconds, answered=worker.pipe in answered)
        if mark is not None:
            yield mark
        idle = worker.ready and not worker.busy
        if worker.dead or (idle and not waiting):
            worker.end()
            workers.remove(worker)
        elif idle:
            worker.give(waiting.popleft())


class _Worker:
    """A process, and the submission that it has."""

    def __init__(self, setting: Setting) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs,), daemon=True)
        self.started = undone_at_the_end(self._start, self.process.kill)
        self.started.__enter__()  # until `end`
        theirs.close()
        with suppress(OSError):  # its death is seen when it is asked for an answer
            self.pipe.send(setting)
        self.since = time.monotonic()
        self.ready = self.dead = False
        self.submitted: Submitted | None = None

    def _start(self) -> None:
        """Start the process, with the signals held back that are for this one."""
        if sys.platform != "win32":
            from multiprocessing import resource_tracker

            resource_tracker.ensure_running()  # which lets the signals through again
        hold_back()
        self.process.start()

    @property
    def busy(self) -> bool:
        """Whether it has a submission."""
        return self.submitted is not None

    def deadline(self, seconds: float) -> float:
        """When its time is up."""
        return self.since + (seconds if self.ready else START)

    def give(self, submitted: Submitted) -> None:
        """Let it mark a submission."""
        self.submitted, self.since = submitted, time.monotonic()
        with suppress(OSError):  # its death is seen when it is asked for an answer
            self.pipe.send(submitted)

    def answer(self, seconds: float, *, answered: bool) -> Mark | None:
        """The mark that it has found, or the one for what ended it."""
        from gradcli.grading.exercise.classroom import Standing, failed

        if answered:
            try:
                found = self.pipe.recv()
            except (EOFError, OSError):
                self.dead = True
                if not self.ready:
                    raise OSError("a process that marks submissions has ended at once") from None
                reason = "marking it has ended its process (more memory than there is?)"
                return self.submitted and failed(self.submitted, reason, Standing.STOPPED)
            if found == READY:
                self.ready = True
                return None
            self.submitted, found_ = None, found
            return found_  # type: ignore[no-any-return]
        if time.monotonic() < self.deadline(seconds):
            return None
        self.dead = True
        if not self.ready:
            raise OSError("a process that marks submissions does not start")
        if self.submitted is None:
            return None
        return failed(self.submitted, f"it takes more than {seconds:g} seconds", Standing.STOPPED)

    def end(self) -> None:
        """End the process, whatever it does."""
        self.submitted = None
        self.pipe.close()
        self.process.kill()
        self.process.join()
        self.started.__exit__(None, None, None)


# --- within a process --------------------------------------------------------------------


def work(pipe: Connection[Any, Any]) -> None:
    """Worker loop: read the setting, then mark each submission read until the pipe closes.

    The setting holds arrays, and NumPy counts the threads that it may have when it is imported.
    """
    import signal

    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles interrupts
    start_new_thread(_end_with_parent, ())
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    with suppress(EOFError, OSError):
        setting = pipe.recv()
        from gradcli.grading.exercise.classroom import Marker

        marker = Marker(setting)
        _limit_memory()
        pipe.send(READY)
        while True:
            pipe.send(marker.mark(pipe.recv()))


def _end_with_parent() -> None:
    """End this process as soon as its parent ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _limit_memory() -> None:
    """Refuse more than `MEMORY` from now on, where the system can."""
    if sys.platform != "linux":
        return
    import resource
    from pathlib import Path

    with suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
