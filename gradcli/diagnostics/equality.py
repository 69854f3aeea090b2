"""Equality of results: field by field, with arrays among the fields.

Python compares tuples and dataclasses by `==` of their fields, which an array answers with an
array. Classes whose fields hold arrays take the comparison below instead, so that a result and
its copy from another process are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

Class = TypeVar("Class", bound=type)


def by_value(cls: Class) -> Class:
    """Compare instances of a frozen dataclass or a `NamedTuple` field by field.

    The hash stays what it was: equal fields have equal hashes, and arrays have none.
    """

    def equal(one: Any, other: object) -> Any:
        return same_fields(one, other) if type(other) is type(one) else NotImplemented

    def unequal(one: Any, other: object) -> Any:
        return not same_fields(one, other) if type(other) is type(one) else NotImplemented

    setattr(cls, "__eq__", equal)  # noqa: B010 - mypy knows no assignment to a method
    setattr(cls, "__ne__", unequal)  # noqa: B010 - a tuple has one of its own
    return cls


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal: arrays in shape and elements, and nan is equal to nan."""
    if one is other:
        return True
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        numbers = one.dtype.kind in "fc"
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=numbers)
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return False
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (one != one and other != other)  # noqa: PLR0124 - nan
    if type(one) is type(other):
        if type(one) in (tuple, list):
            return len(one) == len(other) and all(map(same, one, other))
        if isinstance(one, Mapping):
            return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    return bool(one == other)


def same_fields(one: Any, other: Any) -> bool:
    """Whether two instances of one frozen dataclass or `NamedTuple` have equal fields."""
    if is_dataclass(one):
        names = [field.name for field in fields(one) if field.compare]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    return len(one) == len(other) and all(map(same, one, other))
