"""Decimal text as a number that remembers how it was written.

Text, or lists of text, come in; a `Written` goes out: the value, and half a unit in the last
place that was written. What is a fraction of whole numbers (`1/3`, `½`) is exact.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradcli.diagnostics.characters import plain, short
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.grading.submission.types import Written

Texts: TypeAlias = "str | Sequence[Texts]"

MOST_NUMBERS = 100_000
"""Numbers in one array."""

EXACT_DIGITS = 17
"""Of a number that is known exactly: as many as a double has."""

_NUMBER = re.compile(
    r"([+-]?)[ ]?(?:([0-9]+(?:_[0-9]+)*)(?:(\.)([0-9]*))?|(\.)([0-9]+))(?:[eE]([+-]?[0-9]+))?"
)
_FRACTION = re.compile(r"([+-]?)[ ]?([0-9]{1,15})[ ]?/[ ]?([0-9]{1,15})")
_SPECIAL = re.compile(r"([+-]?)(nan|inf|infinity|∞)", re.IGNORECASE)
_PARTS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "⅓": 1 / 3, "⅔": 2 / 3, "⅛": 0.125}
_TRUTH = {"True": 1.0, "False": 0.0}


class _One(NamedTuple):
    value: float
    radius: float
    digits: int


def written(text: Texts) -> Written:
    """A number, or an array from lists of texts (all of one length on each level).

    Raises `GradcliError` of kind submission, without a place, for what is no number and for
    lists of different lengths.
    """
    if isinstance(text, str):
        value, radius, digits = _one(text)
        return Written(np.float64(value), np.float64(radius), digits)
    shape, leaves = _flattened(text)
    ones = [_one(leaf) for leaf in leaves]
    return Written(
        np.array([one.value for one in ones], dtype=np.float64).reshape(shape),
        np.array([one.radius for one in ones], dtype=np.float64).reshape(shape),
        min((one.digits for one in ones), default=EXACT_DIGITS),
    )


def _flattened(texts: Texts) -> tuple[tuple[int, ...], list[str]]:
    """The shape of nested lists, and what is in them, row by row."""
    shape: list[int] = []
    level: list[Any] = [texts]
    while level and not all(isinstance(item, str) for item in level):
        if any(isinstance(item, str) for item in level):
            raise _ragged("numbers and rows stand side by side")
        lengths = {len(item) for item in level}
        if len(lengths) > 1:
            raise _ragged(f"its rows have {' and '.join(map(str, sorted(lengths)[:3]))} elements")
        if lengths == {0}:
            raise _ragged("it has no elements")
        shape.append(lengths.pop())
        level = [element for item in level for element in item]
        if len(level) > MOST_NUMBERS:
            raise too_many()
    return tuple(shape), level


def too_many() -> GradcliError:
    """The error for an array that nobody has written."""
    return _ragged(f"it has more than {MOST_NUMBERS:,} elements")


def _ragged(why: str) -> GradcliError:
    return GradcliError(Kind.SUBMISSION, f"this is no array: {why}")


def _one(text: str) -> _One:
    """A number with its radius and its significant digits."""
    bare = plain(text).strip() if text else ""
    number = _NUMBER.fullmatch(bare)
    if number is not None:
        sign, whole, _, fraction, _, only, power = number.groups()
        places = (fraction if only is None else only) or ""
        exponent = _exponent(power)
        value = float(bare.replace("_", "").replace(" ", ""))
        radius = float(f"5e{exponent - len(places) - 1}")
        digits = len(((whole or "").replace("_", "") + places).lstrip("0"))
        return _One(value, radius if math.isfinite(value) else 0.0, max(1, digits))
    fraction = _FRACTION.fullmatch(bare)
    if fraction is not None and int(fraction[3]):
        value = int(fraction[2]) / int(fraction[3])
        return _One(-value if fraction[1] == "-" else value, 0.0, EXACT_DIGITS)
    special = _SPECIAL.fullmatch(bare)
    if special is not None:
        value = math.nan if special[2].lower() == "nan" else math.inf
        return _One(-value if special[1] == "-" else value, 0.0, EXACT_DIGITS)
    sign, part = ("-", bare[1:]) if bare[:1] == "-" else ("", bare)
    if part in _PARTS:
        return _One(-_PARTS[part] if sign else _PARTS[part], 0.0, EXACT_DIGITS)
    if bare in _TRUTH:
        return _One(_TRUTH[bare], 0.0, EXACT_DIGITS)
    raise _no_number(bare)


def _exponent(text: str | None) -> int:
    """The exponent, as far as it matters: beyond ±99999 every double is 0 or infinite."""
    if text is None:
        return 0
    digits = text.lstrip("+-").lstrip("0")[:6]
    return (-1 if text[0] == "-" else 1) * min(int(digits or "0"), 99_999)


def _no_number(text: str) -> GradcliError:
    hint = None
    if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", text):
        hint = f"decimals are written with a point: {short(text.replace(',', '.'))}"
    elif re.fullmatch(r"[+-]?[0-9]+(,[0-9]{3})+(\.[0-9]*)?", text):
        hint = f"thousands are not separated: {short(text.replace(',', ''))}"
    elif re.search(r"[0-9]\s*[-+*/^×·]", text):
        hint = "write the number that comes out"
    return GradcliError(Kind.SUBMISSION, f"'{short(text, 40)}' is no number", hint=hint)
