"""Numbers as text: the one reader for the cells of tables, files of points and JSON strings.

A cell comes in, a float or an array comes out, or None, and then `hint_for` says what the cell
probably is.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

MISSING_WORDS = frozenset({"na", "n/a", "#n/a", "null", "none", "nil", "missing", "-", "--", "?"})
"""What tables have in place of a number, in lower case."""

_FORTRAN = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+))[dD]([-+]?\d+)")
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(\.\d*)?")
_INFINITE = frozenset({"inf", "infinity"})


def number(text: str, decimal: str = ".") -> float | None:
    """The number that a text is, else None.

    It is written as in most programs (`-1.5`, `+5`, `1e3`, `inf`, `nan`), with Fortran's `1d3`
    and the minus of mathematics besides. `decimal` is the one mark that may stand before the
    fraction: a thousands separator is never guessed. `1_000` and what exceeds the largest
    double are no numbers.
    """
    text = text.strip()
    if not text.isascii():
        text = text.replace("\N{MINUS SIGN}", "-")
    if decimal == ",":
        if "." in text:
            return None
        text = text.replace(",", ".", 1)
    if "_" in text:
        return None
    try:
        value = float(text)
    except ValueError:
        fortran = _FORTRAN.fullmatch(text)
        if fortran is None:
            return None
        value = float(f"{fortran[1]}e{fortran[2]}")
    if math.isinf(value) and text.lstrip("+-").lower() not in _INFINITE:
        return None
    return value


def number_in(cell: Any, *, gaps: bool = False, decimal: str = ".") -> Any:
    """A cell as an array, of no axes for a number; None if it holds neither.

    A text that begins with `[` is a list in JSON. With `gaps` a null among its numbers is nan.
    """
    if isinstance(cell, str):
        text = cell.strip()
        if not text.startswith("["):
            value = number(text, decimal)
            return None if value is None else np.asarray(value)
        try:
            cell = json.loads(text.replace("\N{MINUS SIGN}", "-"))
        except (ValueError, RecursionError):
            return None
    if cell is None or isinstance(cell, dict):
        return None
    try:
        found = np.asarray(cell, dtype=np.float64)
        if gaps:
            return found
        if np.isnan(found).any() and any(v is None for v in np.asarray(cell, dtype=object).flat):
            return None
    except (ValueError, TypeError, OverflowError):
        return None
    return found


def numbers_in(cells: Sequence[Any], decimal: str = ".") -> Any:
    """Cells as one array if all of them are numbers, else None: a quick way for the usual case."""
    found = [number(cell, decimal) if isinstance(cell, str) else cell for cell in cells]
    if not {type(value) for value in found} <= {int, float}:
        return None
    try:
        return np.array(found, dtype=np.float64)
    except OverflowError:
        return None


def _plain(text: str) -> str:
    return text.strip().replace("\N{MINUS SIGN}", "-")


def _fits(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(_plain(text)) is not None


has_comma = partial(_fits, re.compile(r"[-+]?\d*,\d+(?:[eEdD][-+]?\d+)?"))
"""Whether a text is a number with a decimal comma, `1,5`."""
has_point = partial(_fits, re.compile(r"[-+]?\d*\.\d+(?:[eEdD][-+]?\d+)?"))
"""Whether a text is a number with a decimal point, `1.5`."""
is_grouped = partial(_fits, _GROUPED)
"""Whether commas may separate thousands in a text, `1,234` or `1,234.5`."""


def hint_for(text: str, decimal: str = ".", *, options: bool = False) -> str | None:
    """What to write instead of a text that is no number.

    `options` mentions what `gradcli batch` has for such files.
    """
    text = _plain(text)
    word = text.lower()
    if word in MISSING_WORDS:
        if options:
            return f"--missing '{text}' takes it for a missing value"
        return "a missing number is written nan"
    if word in ("true", "false"):
        return f"write {int(word == 'true')}"
    commas = "; --decimal ',' reads decimal commas" if options else ""
    if decimal == ",":
        if "." in text and number(text) is not None:
            return f"decimals are written with a comma here: {text.replace('.', ',')}" + (
                "; --decimal . reads points" if options else ""
            )
        return None
    if grouped := _GROUPED.fullmatch(text):
        bare = text.replace(",", "")
        if text.count(",") > 1 or grouped[1] is not None:
            return f"thousands are not separated: {bare}"
        return f"write {bare} or {text.replace(',', '.')}{commas}"
    if has_comma(text):
        return f"decimals are written with a point: {text.replace(',', '.')}{commas}"
    if "_" in text and number(text.replace("_", "")) is not None:
        return f"thousands are not separated: {text.replace('_', '')}"
    if re.fullmatch(r"[-+.\deEdD]+", text) and _too_large(text):
        return "it exceeds the largest double, 1.8e308"
    return None


def _too_large(text: str) -> bool:
    try:
        return math.isinf(float(text.lower().replace("d", "e")))
    except ValueError:
        return False
