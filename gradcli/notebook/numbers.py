"""Numbers of a notebook as NumPy has them.

A float, a list, an array or a library's tensor comes in, a float64 or an array of them goes out.
Whatever an object of a student's own does when it is looked at, nothing is raised.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from gradcli.grading.submission.decimals import EXACT_DIGITS
from gradcli.grading.submission.types import Written

T = TypeVar("T")

SINGLE, HALF = 1e-5, 1e-2
"""The rounding that a computation in single or half precision may have, by its largest number."""


def is_plain(content: Any) -> bool:
    """Whether something is numbers by its type, whatever its shape."""
    own = isinstance(content, float | int | Fraction | list | tuple | np.ndarray | np.generic)
    return own or hasattr(type(content), "detach")


def number(content: Any) -> Any:
    """A float64 or an array of them; None for what is no real number or array."""
    if not is_plain(content) and not hasattr(type(content), "__array__"):
        return None
    return attempted(lambda: _number(content), None)


def _number(content: Any) -> Any:
    if hasattr(type(content), "detach"):  # a tensor of torch
        content = content.detach().cpu().double().numpy()
    whole = isinstance(content, Fraction | int) and not isinstance(content, bool)
    array = np.asarray(float(content) if whole else content)
    if array.dtype.kind == "O":  # a list of tensors
        array = np.asarray([number(one) for one in content])
    if array.dtype.kind not in "biuf" or not array.size:
        return None
    return np.array(array, dtype=np.float64)[()]


def written(content: Any, value: Any) -> Written:
    """The number with the digits that its type has."""
    dtype = attribute(content, "dtype")
    size = attribute(dtype, "itemsize")
    single = "float" in attempted(lambda: str(dtype), "")
    share = {2: HALF, 4: SINGLE}.get(size, 0.0) if single else 0.0
    largest = float(np.max(np.abs(value), initial=0.0, where=np.isfinite(value)))
    return Written(value, np.full(np.shape(value), share * largest)[()], EXACT_DIGITS)


def attribute(content: Any, name: str) -> Any:
    """An attribute; None where there is none, or looking at it raises."""
    return attempted(lambda: getattr(content, name, None), None)


def attempted(look: Callable[[], T], otherwise: T) -> T:
    """What looking at an object of a student's own gives, or something else if that raises."""
    try:
        return look()
    except Exception:  # noqa: BLE001 - it may raise anything
        return otherwise
