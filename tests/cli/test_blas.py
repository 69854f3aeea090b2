"""How many threads a command's matrix products get."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcli.cli import blas

ONE = {"OPENBLAS_NUM_THREADS": "1"}


@pytest.mark.parametrize("form", ["{}", "--data={}", "@{}", "--W=@{}"])
@pytest.mark.parametrize("large", [False, True])
def test_only_a_large_file_has_threads(tmp_path: Path, form: str, large: bool) -> None:  # noqa: FBT001
    file = tmp_path / "data.npz"
    with file.open("wb") as stream:
        stream.truncate(blas.LARGE if large else blas.LARGE - 1)
    environment: dict[str, str] = {}
    blas.bound_threads(["eval", "sum(W @ x)", "--x", "3", form.format(file)], environment)
    assert environment == ({} if large else ONE)


@pytest.mark.parametrize("name", blas.SAID)
def test_what_the_user_says_counts(name: str) -> None:
    environment = {name: "3"}
    blas.bound_threads(["eval", "x^2"], environment)
    assert environment == {name: "3"}


@pytest.mark.parametrize("text", ["", "x\0y", "a" * 100_000, "/", "x = 3", "\udc80"])
def test_no_text_is_too_odd_to_be_no_file(text: str) -> None:
    environment: dict[str, str] = {}
    blas.bound_threads([text], environment)
    assert environment == ONE
