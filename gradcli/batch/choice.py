"""How a batch runs: NumPy's calls, or one compiled loop, by rows × operations.

The choice follows from the batch and the machine alone, never from what was compiled before, so
that the same file gives the same digits again.
"""

from __future__ import annotations

from importlib.util import find_spec

from gradcli.batch.loop import MOST_CALLS, Compiled, loop_of
from gradcli.batch.schedule import Schedule
from gradcli.diagnostics.failures import usage_error

FEWEST_ROWS = 50_000
"""With fewer rows, NumPy is done before a compiler has started."""
NUMPY = 2e-9
"""Seconds per operation and row in NumPy, on average (a sum takes 0.6 ns, a sine 8)."""
WAIT = 0.15
"""Seconds to compile that go unnoticed beside the start of a process and the reading of rows."""
RUNS = 2
"""Compiling may take this many times as long as NumPy's run: the next run has it ready."""


def pays(rows: int, operations: int) -> bool:
    """Whether this many rows should go through a compiled loop."""
    if rows < FEWEST_ROWS or not 0 < operations <= MOST_CALLS:
        return False
    from gradcli.batch import kept, native  # noqa: PLC0415 - a small batch does without

    numpy = NUMPY * rows * operations
    if native.compiler() is None:
        return find_spec("numba") is not None and numba_seconds(operations) <= numpy
    kept_on_disk = kept.folder() is not None
    return c_seconds(operations) <= (WAIT + RUNS * numpy if kept_on_disk else numpy)


def c_seconds(operations: int) -> float:
    """What a C compiler takes, by GCC 12: 0.06 s for 15 operations, 0.2 for 300, 2.4 for 1,950."""
    return 0.05 + 4e-4 * operations + 4e-7 * operations**2


def numba_seconds(operations: int) -> float:
    """What Numba takes, its import included."""
    return 1.0 + 1e-2 * operations


def compiled(line: Schedule) -> Compiled | None:
    """The line compiled, by C or else by Numba; None where it has operations without a form.

    Raises `GradcliError` where there is neither.
    """
    loop = loop_of(line)
    if loop is None:
        return None
    from gradcli.batch import jit, native  # noqa: PLC0415 - a small batch does without

    ready = native.built(loop)
    if ready is None and find_spec("numba") is not None:
        ready = jit.built(loop)
    if ready is None:
        raise usage_error(
            "a compiled loop needs a C compiler or numba, and there is neither",
            "pip install 'gradcli[jit]'",
        )
    return Compiled(line, loop, ready)
