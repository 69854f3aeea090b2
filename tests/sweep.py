"""Sweeps: one test that tries many cases, and reports every case that failed.

A test item costs pytest a millisecond or two, whatever is in it, so a test over thousands of cases
has one item for each row of a table, or a single one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from ops_samples import CASES, label

from gradcli.ops.operation import Operation


def sweep(check: Callable[..., None], cases: Iterable[tuple[Any, ...]]) -> None:
    """Try every case; raise what went wrong in all of them, each with a note that names its case.

    Raises an `ExceptionGroup`, which pytest prints with all tracebacks, and AssertionError where
    there was no case at all.
    """
    failures: list[Exception] = []
    count = 0
    for case in cases:
        count += 1
        try:
            check(*case)
        except Exception as failure:  # noqa: BLE001 - all are raised together below
            failure.add_note("case: " + ", ".join(map(str, map(label, case))))
            failures.append(failure)
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {count} cases failed", failures)
    assert count, "no case to try"


def each_sample(
    check: Callable[[Operation, str], None],
    cases: Iterable[tuple[Operation, str]] = CASES,
) -> Callable[[Operation], None]:
    """A test that has one item per operation, which tries the check on each of its samples."""
    samples: dict[Operation, list[str]] = {}
    for row, sample in cases:
        samples.setdefault(row, []).append(sample)

    @pytest.mark.parametrize("row", samples, ids=label)
    def test(row: Operation) -> None:
        sweep(check, [(row, sample) for sample in samples[row]])

    test.__name__, test.__doc__ = check.__name__, check.__doc__
    test.__module__, test.__qualname__ = check.__module__, check.__qualname__
    return test
