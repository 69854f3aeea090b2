"""Arguments with arrays in them, taken apart into inputs and put together again.

`{"W1": …, "b": […]}` for a parameter `params` are the inputs `params["W1"]` and `params["b"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gradcli.python.values import Value


def is_structure(value: Any) -> bool:
    """Whether a value is a tuple, a dict, or a list that is no array of numbers."""
    if isinstance(value, tuple | dict):
        return True
    if not isinstance(value, list):
        return False
    try:
        return np.asarray(value).dtype.kind not in "fiub" or not value
    except ValueError:
        return True


def leaves(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The inputs of a value: their names, and the numbers or arrays."""
    if depth > 20 or not is_structure(value):
        yield name, value
        return
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, item in items:
        text = f'"{key}"' if isinstance(key, str) else str(key)
        yield from leaves(f"{name}[{text}]", item, depth + 1)


def rebuilt(name: str, form: Any, leaf: Callable[[str, Any], Value], depth: int = 0) -> Value:
    """The value again, each number or array in it as `leaf` has it."""
    if depth > 20 or not is_structure(form):
        return leaf(name, form)
    if isinstance(form, Mapping):
        return {k: rebuilt(f"{name}[{_key(k)}]", v, leaf, depth + 1) for k, v in form.items()}
    made = (rebuilt(f"{name}[{i}]", v, leaf, depth + 1) for i, v in enumerate(form))
    return tuple(made) if isinstance(form, tuple) else list(made)


def _key(key: Any) -> str:
    return f'"{key}"' if isinstance(key, str) else str(key)
