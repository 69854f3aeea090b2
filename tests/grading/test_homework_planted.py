"""Every mistake of the table, planted at every row of right solutions, is found and named.

The quick version plants one slip out of five, over all solutions.
"""

import pytest
from _homework_measure import SOLUTIONS, Counts, measure_homework, shares

from gradcli.grading.mistakes.table import MISTAKES

NOT_PLANTED = {"transpose", "not-summed", "mean-for-sum", "updated-weights"}
"""Only arrays, a batch or a step of descent have these: tests/homework/mistakes has them."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((SOLUTIONS, 5), id="one out of five"),
        *(pytest.param(((s,), 1), id=s.name, marks=pytest.mark.slow) for s in SOLUTIONS),
    ],
)
def counts(request: pytest.FixtureRequest) -> Counts:
    return measure_homework(*request.param)


def test_nearly_all_rows_are_found(counts: Counts) -> None:
    for kind, planted, rows, _ in shares(counts):
        assert planted > 20
        assert rows >= 0.95, "\n\n".join([kind, *counts.misses])


def test_nearly_all_mistakes_are_named(counts: Counts) -> None:
    for kind, _, _, tags in shares(counts):
        assert tags >= 0.9, "\n\n".join([kind, *counts.misses])


def test_all_are_named_in_listings(counts: Counts) -> None:
    for kind, _, rows, tags in shares(counts):
        if kind.startswith("listing"):
            assert (rows, tags) == (1, 1), "\n\n".join(counts.misses)


def test_every_mistake_of_numbers_is_planted(
    counts: Counts, request: pytest.FixtureRequest
) -> None:
    made = {m.tag for m in MISTAKES if m.rules} - NOT_PLANTED
    if counts.mistakes["not-final"]:  # a fork that feeds a fork: the one that has all
        assert set(counts.mistakes) == made
    assert set(counts.mistakes) <= made
    assert len(counts.mistakes) >= 6
