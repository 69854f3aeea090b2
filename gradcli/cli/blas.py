"""How many threads a command's matrix products get.

NumPy's OpenBLAS starts a thread per core when it is loaded, and hands even small products to them:
that costs every command some 25 ms of processor time, and where other processes are busy a
network's passes wait for the slowest thread. A command's arrays are small unless it reads large
files, and that is known before NumPy is loaded. So one thread it is, unless a file is large or the
user has said something else.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping, Sequence

LARGE = 4 << 20
"""Bytes of a file from which on threads pay: about two matrices of 500 by 500."""

SAID = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
"""What OpenBLAS asks for the number of threads, in this order."""


def bound_threads(arguments: Sequence[str], environment: MutableMapping[str, str]) -> None:
    """Give matrix products one thread, for NumPy that is imported later than this."""
    if not (any(name in environment for name in SAID) or any(map(_is_large, arguments))):
        environment[SAID[0]] = "1"


def _is_large(argument: str) -> bool:
    """Whether an argument names a large file: as it is, or as `--data=FILE` or `@FILE`."""
    path = argument.rpartition("=")[2].removeprefix("@")
    try:
        return os.stat(path).st_size >= LARGE  # noqa: PTH116 - pathlib is not loaded yet
    except (OSError, ValueError):  # no file; text that can't be a file's name
        return False
