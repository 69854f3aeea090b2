"""The VALUE of `--NAME VALUE`: a constant expression of the language, or `@FILE`.

A text comes in, a float64 or an array of them goes out. Numbers and files are read here,
everything else is an expression, which `gradcli.engine.constants` evaluates.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Source
from gradcli.syntax.parser import parse_expression

_OF_NUMBERS = frozenset("0123456789.eE+-")


def value_of(text: str, origin: str, *, stream: str = "", seed: int = 0) -> Any:
    """The value that was written after `origin` (`--x`, `--set x`, `--upstream`).

    `stream` and `seed` choose what `normal` and `uniform` draw: a binding's stream is its name.
    Raises `GradcliError`: of kind file for what is wrong with a file, else with the place in
    the value's own text.
    """
    if text.startswith("@"):
        from gradcli.files.arrays import array_from_file

        return array_from_file(text[1:])
    number = _number(text)
    if number is not None and math.isfinite(number):
        return np.float64(number)  # what most values are; no parser needed
    if text.strip().startswith("[") and text.strip()[1:].lstrip() == "]":
        return np.zeros(0)  # as reports and JSON write it; an expression always has a value
    from gradcli.engine.constants import evaluated, stream_seed

    source = Source(text, origin)
    try:
        tree = parse_expression(source)
    except GradcliError as error:
        array = _as_array(text)
        comma = re.fullmatch(r"-?\d+,(\d+)", text)
        if array is not None and comma is None:
            error.hint = f"an array is written '{array}'"
        elif array is not None and comma and len(comma[1]) != 3:
            error.hint = f"{error.hint}; an array is written '{array}'"
        raise
    return evaluated(source, tree, stream_seed(seed, stream))


def _number(text: str) -> float | None:
    """The number that a text is, as the language writes numbers."""
    if not _OF_NUMBERS.issuperset(text) or text.startswith("+"):
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _as_array(text: str, most: int = 40) -> str | None:
    """How the numbers in `1 2`, `1,2` and `[1 2; 3 4]` are written as an array."""
    if len(text) > most:
        return None
    inside = re.sub(r"\]\s*,?\s*\[", ";", text).strip(" []();,")
    rows = [re.split(r"[\s,]+", row.strip()) for row in inside.split(";")]
    numbers = [number for row in rows for number in row]
    if len(numbers) < 2 or None in map(_number, numbers):
        return None
    if 1 not in (len(rows), *map(len, rows)):
        numbers = [f"[{', '.join(row)}]" for row in rows]
    return f"[{', '.join(numbers)}]"
