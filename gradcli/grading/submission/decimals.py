"""Decimal text as a number that remembers how it was written.

Text, or lists of text, come in; a `Written` goes out: the value, and half a unit in the last
place that was written. What is a fraction of whole numbers (`1/3`, `½`) is exact.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from gradcli.diagnostics.characters import plain, short
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import submission_error
from gradcli.grading.submission.types import Written

Texts: TypeAlias = "str | Sequence[Texts]"

MOST_NUMBERS = 100_000
"""Numbers in one array."""

EXACT_DIGITS = 17
"""Of a number that is known exactly: as many as a double has."""
SMALL = 100
"""A fraction with a smaller numerator is meant exactly, unless it is written in tenths."""
LONGEST_FORM = 200
"""Characters of a number that is not written as a plain decimal."""

_NUMBER = re.compile(
    r"([+-]?)[ ]?(?:([0-9]+(?:_[0-9]+)*)(?:(\.)([0-9]*))?|(\.)([0-9]+))(?:[eE]([+-]?[0-9]+))?"
)
_FRACTION = re.compile(r"([+-]?)[ ]*(?:([0-9]{1,9})[ ]+)?([0-9]{1,15})[ ]*/[ ]*([0-9]{1,15})")
_LATEX = re.compile(
    r"([0-9]?)\\[dt]?frac\s*(?:\{\s*(-?[0-9]+)\s*\}\s*\{\s*([0-9]+)\s*\}|\s*([0-9])\s*([0-9])$)"
)
_SCIENTIFIC = re.compile(
    r"(?<=[0-9.])\s*(?:[*×·]|\\cdot|\\times)\s*10\s*"
    r"(?:(?:\^|\*\*)\s*[{(]?)?\s*([-+−⁻⁺0-9⁰¹²³⁴-⁹]+)[})]?$"
)
_RAISED = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹−", "-+0123456789-")
_SPECIAL = re.compile(r"([+-]?)(nan|inf|infinity|∞)", re.IGNORECASE)
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


def fraction_of(text: str) -> Written | None:
    """A fraction of whole numbers; None for any other text."""
    one = _fraction(text)
    return one and Written(np.float64(one.value), np.float64(one.radius), one.digits)


def _flattened(texts: Texts) -> tuple[tuple[int, ...], list[str]]:
    """The shape of nested lists, and what is in them, row by row."""
    shape: list[int] = []
    level: list[Any] = [texts]
    while level and not all(isinstance(item, str) for item in level):
        if any(isinstance(item, str) for item in level):
            raise no_array("numbers and rows stand side by side")
        lengths = {len(item) for item in level}
        if len(lengths) > 1:
            raise no_array(f"its rows have {' and '.join(map(str, sorted(lengths)[:3]))} elements")
        if lengths == {0}:
            raise no_array("it has no elements")
        shape.append(lengths.pop())
        level = [element for item in level for element in item]
        if len(level) > MOST_NUMBERS:
            raise too_many()
    return tuple(shape), level


def no_array(why: str) -> GradcliError:
    """The error for text that begins as an array and is none."""
    return submission_error(f"this isn't an array: {why}")


def too_many() -> GradcliError:
    """The error for an array too large to be written by hand."""
    return no_array(f"it has more than {MOST_NUMBERS:,} elements")


def _one(text: str) -> _One:
    """A number with its radius and its significant digits."""
    bare = _normal(text)
    found = _decimal(bare) or _fraction(bare)
    if found is not None:
        return found
    if bare.endswith("%") and (hundredths := _decimal(bare[:-1].rstrip())) is not None:
        value, radius, digits = hundredths
        return _One(value / 100, radius / 100, digits)
    special = _SPECIAL.fullmatch(bare)
    if special is not None:
        value = math.nan if special[2].lower() == "nan" else math.inf
        return _One(-value if special[1] == "-" else value, 0.0, EXACT_DIGITS)
    if bare in _TRUTH:
        return _One(_TRUTH[bare], 0.0, EXACT_DIGITS)
    raise _no_number(bare)


def _normal(text: str) -> str:
    r"""A number as it is written in ASCII: `-1/3` for `−⅓` and for `-\frac{1}{3}`."""
    bare = plain(text).strip() if text.strip() else ""
    if _NUMBER.fullmatch(bare) or len(bare) > LONGEST_FORM:
        return bare
    form = bare.lstrip("≈~=$ ").rstrip("$ ")
    form = "".join(map(_ascii, form)).strip()
    form = re.sub(r"^[–—﹣－]", "-", form)
    form = _LATEX.sub(r"\1\2\4/\3\5", form)
    form = _SCIENTIFIC.sub(lambda power: f"e{power[1].translate(_RAISED)}", form)
    form = re.sub(r"^([+-]?)\s*\((.*)\)$", r"\1\2", form)
    return form.removeprefix("--") if "\\" in bare else form


def _ascii(letter: str) -> str:
    """A fraction that is one letter as two numbers: ` 1/2` for `½`."""
    if letter in "⁄∕":
        return "/"
    if unicodedata.decomposition(letter).startswith("<fraction>"):
        return " " + unicodedata.normalize("NFKC", letter).replace("⁄", "/")
    return letter


def _decimal(bare: str) -> _One | None:
    """A decimal number."""
    number = _NUMBER.fullmatch(bare)
    if number is None:
        return None
    _, whole, _, fraction, _, only, power = number.groups()
    places = (fraction if only is None else only) or ""
    exponent = _exponent(power)
    value = float(bare.replace("_", "").replace(" ", ""))
    radius = float(f"5e{exponent - len(places) - 1}")
    digits = len(((whole or "").replace("_", "") + places).lstrip("0"))
    return _One(value, radius if math.isfinite(value) else 0.0, max(1, digits))


def _fraction(bare: str) -> _One | None:
    """A fraction of whole numbers, perhaps with a whole number in front.

    It has the digits of its numerator (`-5243/10000` is -0.5243), but for a small one over
    anything else than a power of ten, such as 1/3, which is exact.
    """
    found = _FRACTION.fullmatch(bare)
    if found is None or not int(found[4]):
        return None
    above, below = int(found[3]), int(found[4])
    above += int(found[2] or 0) * below
    value = above / below
    value = -value if found[1] == "-" else value
    decimal = (
        below > 1 and set(found[4].lstrip("0")[1:]) <= {"0"} and found[4].lstrip("0")[0] == "1"
    )
    if above < SMALL and not decimal:
        return _One(value, 0.0, EXACT_DIGITS)
    return _One(value, 0.5 / below, max(1, len(str(above))))


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
    elif re.search(r"[0-9)]\s*[-+*/^×·]|sqrt|√|\bpi\b|π|\be\b|exp|log|ln|sin|cos|tan", text):
        hint = "write the number that comes out"
    return submission_error(f"'{short(text, 40)}' isn't a number", hint)
