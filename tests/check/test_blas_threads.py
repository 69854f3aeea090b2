"""The check's products have one BLAS thread, and others theirs again afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Thread

import numpy as np
import pytest

from gradcli import Program
from gradcli.check import quick_check
from gradcli.check.blas_threads import LARGE, one_thread


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    if one_thread.functions is None:
        pytest.skip("NumPy is not linked to OpenBLAS here")
    read, write = one_thread.functions
    before = read()
    write(2)
    yield
    write(before)


def threads() -> int:
    """How many threads OpenBLAS has now."""
    assert one_thread.functions is not None
    return one_thread.functions[0]()


@pytest.mark.parametrize(
    ("text", "shape", "inside"),
    [
        ("sum(tanh(x)^2)", (), 2),  # a number has no products
        ("sum(tanh(x)^2)", (100,), 1),
        ("sum(tanh(x)^2)", (LARGE,), 2),
    ],
)
def test_a_check_limits_the_threads_where_arrays_are_not_large(
    monkeypatch: pytest.MonkeyPatch, text: str, shape: tuple[int, ...], inside: int
) -> None:
    seen = []
    look = quick_check.look

    def watched(*given: object, **options: object) -> object:
        seen.append(threads())
        return look(*given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(quick_check, "look", watched)
    result = Program(text).evaluate({"x": np.full(shape, 0.5)})
    assert result.checks is not None
    assert set(seen) == {inside}
    assert threads() == 2


def test_the_last_to_leave_puts_the_number_back() -> None:
    together = Barrier(4)
    seen = []

    def work() -> None:
        with one_thread:
            together.wait()
            seen.append(threads())
            together.wait()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen == [1] * 4
    assert threads() == 2


def test_an_error_puts_the_number_back_and_a_change_inside_stays() -> None:
    assert one_thread.functions is not None
    with pytest.raises(ZeroDivisionError), one_thread:
        _ = 1 / 0
    assert threads() == 2
    with one_thread:
        one_thread.functions[1](3)
    assert threads() == 3
