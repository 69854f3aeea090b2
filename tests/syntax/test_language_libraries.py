"""A call by a library's full name has that library's value, or is refused."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.special

from gradcli import GradcliError, Program, ops

LIBRARIES = {
    "np": np,
    "np.linalg": np.linalg,
    "math": math,
    "scipy.special": scipy.special,
}
FULL_NAMES = [
    (prefix, name)
    for prefix, library in LIBRARIES.items()
    for name in ops.function_names()
    if callable(getattr(library, name, None))
]
VALUES = ("0.3", "2.0", "-1.7", "[0.5, 0.2, 0.7]", "[[4, 0.5], [0.5, 3]]", "[[0.1, 0.2, 0.3]]")
LISTS = ("([1, 2], [3, 4])", "(2, 3)", "3")
MORE = ("0", "1", "2", "0.5", "-1", "[1, 2, 3]", "[[1, 2], [3, 4]]", "None", "(0, 1)")
NEVER = {("math", "remainder"), ("np", "put")}
"""What the language does not have."""
OWN_CALLS = {
    "einsum": ("'ij,j->i', [[1, 2], [3, 4]], [5, 6]", "'ij->ji', [[1, 2], [3, 4]]"),
    "interp": ("0.5, [0, 1], [2, 4]", "[-1, 5], [0, 1], [2, 4]"),
    "take_along_axis": ("np.array([1, 2]), np.array([1, 0]), 0",),
    "lstsq": ("[[1, 2], [3, 4]], [5, 6]",),
}
"""Arguments of functions that the usual ones don't fit."""
OF_VECTORS = {"transpose", "matrix_transpose"}
"""The transpose of a vector is a row in the language, and the same vector in NumPy."""


def calls(name: str) -> list[str]:
    """Calls with one to four positional arguments and with the usual ones by name."""
    rows = ops.find(name.rpartition(".")[2])
    made = any(row.sequence or row.group.startswith("makers") for row in rows)
    first = LISTS if made else VALUES
    found = [*first, *(f"{a}, {b}" for a, b in itertools.product(first, MORE))]
    found += [f"{a}, {b}, {c}" for a in VALUES[1:5] for b in MORE[:7] for c in MORE[:7:2]]
    found += [f"{a}, 0, {b}, 1" for a in VALUES[3:5] for b in ("None", "1")]
    found += [f"{a}, {word}" for a in VALUES for word in ("axis=0", "axis=1", "keepdims=True")]
    found += [f"{a}, ddof=1" for a in VALUES] + [f"{a}, n=1" for a in VALUES]
    found += ["n=1, x=2", "1, x=2", "x=2, n=1"]
    found += OWN_CALLS.get(name.rpartition(".")[2], ())
    part = "[0]" if name.endswith("lstsq") else ""
    return [f"{name}({arguments}){part}" for arguments in found]


def library_value(text: str, name: str) -> Any:
    """What the real library says, in whose eyes a list is an array; None if it says no."""
    scope = {"np": np, "math": math, "scipy": scipy}
    try:
        value = np.asarray(eval(text, scope), dtype=float)  # noqa: S307 - texts of this file
    except Exception:  # noqa: BLE001 - whatever a library has against a call
        return None
    return None if name in OF_VECTORS and value.ndim == 1 else value


@pytest.mark.parametrize(("prefix", "name"), FULL_NAMES)
def test_the_librarys_value_or_a_refusal(prefix: str, name: str) -> None:
    agreed = 0
    for text in calls(f"{prefix}.{name}"):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            wanted = library_value(text, name)
        if wanted is None or wanted.size == 0:
            continue
        try:
            value = Program(text).evaluate(check=False).value
        except GradcliError:
            continue
        assert np.shape(value) == wanted.shape or np.size(value) == wanted.size == 1, text
        np.testing.assert_allclose(value, wanted, rtol=1e-12, atol=1e-14, err_msg=text)
        agreed += 1
    assert agreed or (prefix, name) in NEVER, f"{prefix}.{name} is never accepted"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("np.average(x, 0, [1, 2])", "a weighted mean is sum(w*x)/sum(w)"),
        ("np.log(8, 2)", "to a base it is log(x, base)"),
        (
            "np.put([1, 2], 0, 5)",
            "put(x, v, at) is a new array: first the values, then their places",
        ),
        ("math.remainder(7, 4)", "write 'x - y*round(x/y)'"),
        ("numpy.sum(x, 0, 1)", "give further arguments by name: axis=…, keepdims=…"),
    ],
)
def test_a_refusal_says_what_to_write(text: str, hint: str) -> None:
    with pytest.raises(GradcliError) as caught:
        Program(text)
    assert caught.value.hint == hint


def test_a_method_takes_its_axis_like_numpys() -> None:
    assert Program("[[1, 5], [3, 2]].max(1).T @ [1, 10]").evaluate().value == 35
