"""Decimal text as a number that remembers how it was written.

Text, or lists of text, come in; a `Written` goes out: the value, and half a unit in the last
place that was written. A fraction (`39/739`, `½`) and an expression of numbers (`sqrt(2)/2`) are
judged by their value, as a number of `FEW_DIGITS` digits is.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from gradcli.diagnostics.characters import plain, short
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import submission_error
from gradcli.diagnostics.source import Source
from gradcli.diagnostics.spreadsheets import ERROR_VALUE
from gradcli.grading.submission.types import Written

Texts: TypeAlias = "str | Sequence[Texts]"

MOST_NUMBERS = 100_000
"""Numbers in one array."""

EXACT_DIGITS = 17
"""Of a number that is known exactly: as many as a double has."""
FEW_DIGITS = 4
"""A number of this many digits, or fewer, was written by hand."""
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
_SPECIAL = {
    **{f"{sign}nan": math.nan for sign in ("", "+", "-")},
    **{f"{sign}{word}": math.inf for sign in ("", "+") for word in ("inf", "infinity", "∞")},
    **{f"-{word}": -math.inf for word in ("inf", "infinity", "∞")},
}
_TRUTH = {"True": 1.0, "False": 0.0}
_TYPED = re.compile(r"^(?:[a-z]+\.)?(?:float|int|double|tensor|array)\d*\((.*?)(?:, *dtype=.*)?\)$")
_QUOTED = re.compile(r"^(['\"])(.*)\1$")
_FORMULA = re.compile(r"[\w\s.+*/^(){}|\\√·×-]*")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
"""Or a number with a decimal comma: a guess would be wrong by a thousand."""
_GROUPED = (
    (re.compile(r"[+-]?[1-9]\d{0,2}(?: \d{3})+(?:[.,]\d*)?"), " ", ","),
    (re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3}){2,}|[+-]?[1-9]\d{0,2}(?:,\d{3})+\.\d*"), ",", "."),
    (re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+,\d*|[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}"), ".", ","),
    (re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?"), "", ","),
)
"""Numbers with thousands or a decimal comma: what is left out, and what is the decimal point."""
_POINT = re.compile(r"[0-9]\.|\.[0-9]")
FORMULA_WORDS = frozenset(
    {"pi", "sqrt", "cbrt", "abs", "exp", "log", "ln", "log2", "log10", "log1p", "expm1", "erf"}
    | {"sin", "cos", "tan", "arcsin", "arccos", "arctan", "asin", "acos", "atan", "sinh", "cosh"}
    | {"tanh", "sigmoid", "np", "numpy", "math", "frac", "dfrac", "tfrac", "cdot", "times"}
    | {"left", "right"}
)
"""What an expression of numbers may have besides numbers and signs."""


def written(text: Texts) -> Written:
    """A number, or an array from lists of texts (all of one length on each level).

    Raises `GradcliError` of kind submission, without a place, for what is no number and for
    lists of different lengths.
    """
    if isinstance(text, str):
        one = _one(text)
        return Written(np.float64(one.value), np.float64(one.radius), one.digits)
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


def _one(text: str) -> Written:
    """A number with its radius and its significant digits. Raises `GradcliError`."""
    bare = _normal(text)
    found = _decimal(bare) or _fraction(bare)
    if found is not None:
        return found
    if bare.endswith("%") and not bare.endswith("%%"):
        of = _one(bare[:-1])
        return Written(of.value / 100, of.radius / 100, of.digits)
    exact = _SPECIAL.get(bare.lower(), _TRUTH.get(bare))
    if exact is not None or ERROR_VALUE.fullmatch(bare):
        return Written(math.nan if exact is None else exact, 0.0, EXACT_DIGITS)
    if (point := _with_point(bare)) is not None:
        return _one(point)
    computed = _computed(bare)
    if computed is None:
        raise _no_number(bare)
    return Written(computed, 0.0, FEW_DIGITS)


def _with_point(text: str) -> str | None:
    """A number with thousands or a decimal comma as a plain one; None where it can't be told."""
    if _THOUSANDS.fullmatch(text) or not text.isascii():
        return None
    for form, group, decimal in _GROUPED:
        if form.fullmatch(text):
            return (text.replace(group, "") if group else text).replace(decimal, ".")
    return None


def is_thousands_or_decimal(text: str) -> bool:
    """Whether a text is a number such as `1,234`, of which only others tell what its comma is."""
    return bool(_THOUSANDS.fullmatch(_without_percent(text)))


def decimal_sign(text: str) -> str:
    """The comma or point before the decimals of a number; empty where the text shows none."""
    bare = _without_percent(text)
    if _THOUSANDS.fullmatch(bare):
        return ""
    for form, group, decimal in _GROUPED:
        if form.fullmatch(bare) and group != " ":
            return decimal
    number = bare.replace(" ", "")
    return "," if re.fullmatch(r"[+-]?\d+,\d*", number) else "." if _POINT.search(bare) else ""


def _without_percent(text: str) -> str:
    return _normal(text).rstrip("% ")


def _computed(text: str) -> float | None:
    """The number that an expression of numbers comes to; None where there is more in it."""
    words = re.findall(r"[^\W\d_]\w*", text)
    if len(text) > LONGEST_FORM or not _FORMULA.fullmatch(text):
        return None
    if not FORMULA_WORDS.issuperset(words):
        return None
    # Most answers are decimals, and need no parser.
    from gradcli.engine.bound_values import constant_value_of  # noqa: PLC0415
    from gradcli.syntax.parser import parse_expression  # noqa: PLC0415

    source = Source(text)
    try:
        value = constant_value_of(source, parse_expression(source))
    except GradcliError:
        return None
    return float(value) if np.ndim(value) == 0 and np.isfinite(value) else None


def _normal(text: str) -> str:
    r"""A number as it is written in ASCII: `-1/3` for `−⅓` and for `-\frac{1}{3}`."""
    bare = plain(text).strip() if text.strip() else ""
    if _NUMBER.fullmatch(bare) or len(bare) > LONGEST_FORM:
        return bare
    form = bare.lstrip("≈~=$ ").rstrip("$ ")
    form = _QUOTED.sub(r"\2", _TYPED.sub(r"\1", form))
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


def _decimal(bare: str) -> Written | None:
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
    return Written(value, radius if math.isfinite(value) else 0.0, max(1, digits))


def _fraction(bare: str) -> Written | None:
    """A fraction of whole numbers, perhaps with a whole number in front.

    Over a power of ten it is a decimal with the digits of its numerator (`-5243/10000` is
    -0.5243). Any other is judged by its value.
    """
    found = _FRACTION.fullmatch(bare)
    if found is None or not int(found[4]):
        return None
    above, below = int(found[3]), int(found[4])
    above += int(found[2] or 0) * below
    value = -above / below if found[1] == "-" else above / below
    if re.fullmatch("0*10+", found[4]):
        return Written(value, 0.5 / below, max(1, len(str(above))))
    return Written(value, 0.0, FEW_DIGITS)


def _exponent(text: str | None) -> int:
    """The exponent, as far as it matters: beyond ±99999 every double is 0 or infinite."""
    if text is None:
        return 0
    digits = text.lstrip("+-").lstrip("0")[:6]
    return (-1 if text[0] == "-" else 1) * min(int(digits or "0"), 99_999)


def _no_number(text: str) -> GradcliError:
    hint = None
    if _THOUSANDS.fullmatch(text):
        hint = f"write {text.replace(',', '')} or {text.replace(',', '.')}"
    elif re.search(r"[0-9)]\s*[-+*/^×·]|sqrt|√|\bpi\b|π|\be\b|exp|log|ln|sin|cos|tan", text):
        hint = "write the number that comes out"
    return submission_error(f"'{short(text, 40)}' isn't a number", hint)
