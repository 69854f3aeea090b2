"""A loop over the rows compiled by the system's C compiler, and kept on disk.

A `Loop` comes in, a function goes out that fills the results of some rows without Python's lock.
The numbers are those of NumPy up to the last bits: the compiler may not reorder operations or join
two into one, and functions such as exp are the C library's, whose forms for a whole register of
numbers are right to four units in the last place. Where there is no compiler, or it fails, there
is no function.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from gradcli.batch import kept
from gradcli.batch.c_source import c_source
from gradcli.batch.loop import Loop, Ready, Rows

FLAGS = (
    *("-shared", "-fPIC", "-O2", "-ftree-vectorize", "-fno-builtin", "-fno-math-errno"),
    *("-fno-trapping-math", "-ffp-contract=off"),
)
"""Results are those of IEEE 754; only flags and `errno`, which are not looked at, are given up."""
NATIVE = "-march=native"
VECTORS = "-fopenmp-simd", "-Wl,-z,defs"
STRAIGHT = "-fno-tree-sink", "-fno-thread-jumps", "-fno-tree-pre"
"""GCC moves what one branch of a `?:` needs into it; a loop with branches has no vector form."""
LIBRARIES = "-lmvec", "-lm"
"""The first has the functions of the GNU C library that take a whole register of numbers."""
PATIENCE = 60
"""Seconds that a compiler may take."""


def compiler() -> tuple[str, ...] | None:
    """The command of the C compiler: `CC`, or the first that is there; None without one."""
    if sys.platform == "win32":
        return None
    return _compiler(os.environ.get("CC", ""), os.environ.get("PATH"))


@lru_cache(maxsize=4)  # every batch asks
def _compiler(named: str, path: str | None) -> tuple[str, ...] | None:
    try:
        given = shlex.split(named)
    except ValueError:
        given = []
    for command in [given] if given else [["cc"], ["gcc"], ["clang"]]:
        found = shutil.which(command[0], path=path)
        if found is not None:
            return (found, *command[1:])
    return None


def built(loop: Loop) -> Ready | None:
    """The loop, from the disk or compiled; None where that can't be done."""
    command = compiler()
    if command is None:
        return None
    source = c_source(loop)
    try:
        key = _key(source, command)
        path = kept.find(key)
        ready = None if path is None else _loaded(path, loop)
        return ready or _compiled(source, key, command, loop)
    except (OSError, subprocess.SubprocessError):
        return None


def _compiled(source: str, key: str, command: Sequence[str], loop: Loop) -> Ready | None:
    """Compile with the best flags that the compiler takes, load, and keep what could be loaded."""
    attempts = [
        ((NATIVE, *VECTORS, *STRAIGHT), LIBRARIES),
        ((NATIVE, *VECTORS), LIBRARIES),
        ((NATIVE,), LIBRARIES[1:]),
        ((), LIBRARIES[1:]),
    ]
    with tempfile.TemporaryDirectory(prefix="gradcli-") as place:
        text = Path(place, "rows.c")
        text.write_text(source, "ascii")
        first = 0 if sys.platform == "linux" else 2
        for number, (flags, libraries) in enumerate(attempts[first:]):
            made = Path(place, f"rows{number}.so")
            done = subprocess.run(  # noqa: S603 - the user's compiler, on a text made here
                [*command, *FLAGS, *flags, "-o", str(made), str(text), *libraries],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=PATIENCE,
                check=False,
            )
            ready = _loaded(made, loop) if done.returncode == 0 else None
            if ready is not None:
                kept.keep(key, made.read_bytes())
                return ready
    return None


def _loaded(path: Path, loop: Loop) -> Ready | None:
    """The function in a shared object; the file may go once it is loaded."""
    try:
        run = ctypes.CDLL(str(path)).run
    except (OSError, AttributeError):
        return None
    columns, numbers = len(loop.columns), len(loop.numbers)
    place = ctypes.c_void_p
    run.argtypes = [ctypes.c_longlong, ctypes.c_longlong, place, place, place]
    run.restype = ctypes.c_int

    def ready(given: Sequence[Any], fixed: Sequence[float], results: Sequence[Any]) -> Rows:
        x = (place * columns)(*(column.ctypes.data for column in given))
        c = (ctypes.c_double * max(1, numbers))(*fixed)
        r = (place * len(results))(*(result.ctypes.data for result in results))

        def rows(start: int, stop: int, _memory: Any = (given, results)) -> bool:
            return bool(run(start, stop, x, c, r))  # x and r are addresses in that memory

        return rows

    return ready


def _key(source: str, command: Sequence[str]) -> str:
    """What the compiled code depends on: source, flags, compiler, processor."""
    found = Path(command[0]).resolve()
    status = found.stat()
    flags = FLAGS, NATIVE, VECTORS, STRAIGHT
    compiled_by = (flags, command, found, status.st_size, status.st_mtime_ns)
    machine = (sys.platform, platform.machine(), _processor())
    return sha256(repr((source, compiled_by, machine)).encode()).hexdigest()[:32]


def _processor() -> str:
    """What tells processors apart: the folder may be on a disk that several machines share."""
    try:
        with Path("/proc/cpuinfo").open("rb") as file:
            first = file.read(8192).split(b"\n\n")[0]
    except OSError:
        return platform.processor()
    words = (b"model", b"cpu family", b"flags", b"Features", b"CPU ", b"vendor")
    kept_lines = (line for line in first.split(b"\n") if line.startswith(words))
    return b"\n".join(kept_lines).decode("ascii", "replace")
