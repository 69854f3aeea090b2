"""Numbers of a notebook as NumPy has them: floats, lists, arrays, and the tensors of libraries.

Whatever an object of a student's own does when it is looked at, nothing is raised.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from gradcli.grading.submission.types import Written

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
    try:
        if hasattr(type(content), "detach"):  # a tensor of torch
            content = content.detach().cpu().double().numpy()
        whole = isinstance(content, Fraction | int) and not isinstance(content, bool)
        array = np.asarray(float(content) if whole else content)
        if array.dtype.kind == "O":  # a list of tensors
            array = np.asarray([number(one) for one in content])
        if array.dtype.kind not in "biuf" or not array.size:
            return None
        return np.array(array, dtype=np.float64)[()]
    except Exception:  # noqa: BLE001 - whatever an object of a student's own raises
        return None


def written(content: Any, value: Any) -> Written:
    """The number with the digits that its type has."""
    try:
        size = getattr(getattr(content, "dtype", None), "itemsize", 8)
        kind = str(getattr(content, "dtype", ""))
    except Exception:  # noqa: BLE001 - as above
        size, kind = 8, ""
    share = {2: HALF, 4: SINGLE}.get(size, 0.0) if "float" in kind else 0.0
    largest = float(np.max(np.abs(value), initial=0.0, where=np.isfinite(value)))
    radius = np.full(np.shape(value), share * largest)[()]
    return Written(value, radius, 17)


def attribute(content: Any, name: str) -> Any:
    """An attribute; None where there is none, or looking at it raises."""
    try:
        return getattr(content, name, None)
    except Exception:  # noqa: BLE001 - as above
        return None
