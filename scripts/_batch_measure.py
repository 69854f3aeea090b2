"""Whether `batch` gives for every row what `evaluate` gives for its point: generated programs.

`measure_batch(count)` runs `count` array programs at ordinary points, as many programs at kinks,
borders of domains and huge numbers, as many of `where` and other guards, and a quarter of that in
compiled loops, which take longer to make. The programs and the comparison are those of the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from batch_agreement import Agreement, array_cases, edgy_cases, guarded_cases, measured

from gradcli.batch.native import compiler

COMPILED = 4
"""One program in so many is compiled too."""


def measure_batch(count: int, first: int = 0) -> Iterator[tuple[str, Agreement]]:
    """What was compared of each kind of programs, from the seed `first` on."""
    yield "arrays", measured(array_cases(count, first))
    yield "special points", measured(edgy_cases(count, first))
    yield "guards", measured(guarded_cases(count, first))
    if compiler() is not None or find_spec("numba") is not None:
        yield "compiled", measured(edgy_cases(count // COMPILED, first, jit=True))


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]] or [2000]
    for name, found in measure_batch(*numbers):
        print(f"{name}: {found}", *found.differences, sep="\n")
