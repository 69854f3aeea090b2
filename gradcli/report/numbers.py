"""Numbers, arrays and foreign words as reports write them.

Everything here makes text out of one value. Numbers have a given number of significant digits
and no more than they need (`9`, not `9.00000`); arrays are written as the language reads them,
and large ones summarised. `Style.ascii` says which characters there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from gradcli.diagnostics.ascii import ascii_form
from gradcli.diagnostics.error import cell_width, visible
from gradcli.ops.operation import times
from gradcli.report.style import Style

SMALL, SMALL_MATRIX = 12, 25
"""Arrays of more elements than these are summarised."""

TALL = 12
"""Arrays that take more lines than this are summarised too, where there is little room."""

FEWEST_DIGITS = 3
"""Rows of an array are broken before they are written with fewer significant digits than this."""

LINE = 60
"""The elements of a small vector go on one line as far as they fit into this many cells."""


# --- words -------------------------------------------------------------------------------


def shown(text: str, style: Style) -> str:
    """A text from outside, harmless: control characters escaped, and ASCII where it must be.

    In ASCII, Greek letters have their names, a root is `sqrt(…)`, and what has no other name is
    written as an escape.
    """
    text = visible(text)
    return ascii_form(text) if style.ascii else text


def painted(text: str, look: str, style: Style) -> str:
    """The text as a terminal shows it `bold`, `dim`, `green` or `bold red`, if it has colours."""
    codes = {"bold": "1", "dim": "2", "green": "32", "bold red": "1;31"}
    return f"\x1b[{codes[look]}m{text}\x1b[0m" if style.color and text else text


def padded(text: str, width: int) -> str:
    """The text with spaces after it, up to `width` terminal cells."""
    return text + " " * (width - cell_width(text))


def folded(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken at spaces as far as that goes.

    A word that is wider is broken too, but never within a number: a number that is wider than a
    line stands whole in a line of its own.
    """
    lines: list[list[str]] = [[]]
    taken = 0
    for word in re.findall(r"\S+\s*", text):
        size = cell_width(word.rstrip())
        if lines[-1] and taken + size > width:
            lines.append([])
            taken = 0
        for part in [word] if size <= width else _UNBROKEN.findall(word):
            joins = part.isspace() or not cell_width(part)  # an accent, or the space after a word
            if lines[-1] and taken + cell_width(part.rstrip()) > width and not joins:
                lines.append([])
                taken = 0
            lines[-1].append(part)
            taken += cell_width(part)
    return ["".join(line).rstrip() for line in lines]


_UNBROKEN = re.compile(r"[-−]?\d[\d.]*(?:e[-+]?\d+)?|.", re.DOTALL)
"""The parts of a word that a line never breaks: numbers, and single characters."""


# --- numbers -----------------------------------------------------------------------------


def number(value: float, precision: int) -> str:
    """A number with this many significant digits: `0.603597`, `9`, `1e-5`, `1000000`."""
    text = f"{value:.{precision}g}"
    if "e" in text:
        if abs(value) < 1e9 and float(text) == value == int(value):
            return str(int(value))
        mantissa, exponent = text.split("e")
        return f"{mantissa}e{int(exponent)}"
    return "0" if text == "-0" else text


_POINT = re.compile("[.e]")


class Decimals(NamedTuple):
    """Where the decimal points of a column stand: cells before them, and after."""

    before: int
    after: int

    def pad(self, text: str) -> str:
        """A number's text, moved so that its decimal point stands with the others'."""
        before = len(_POINT.split(text, maxsplit=1)[0])
        after = self.after - (len(text) - before)
        return " " * (self.before - before) + text + " " * after


def decimals(texts: Iterable[str]) -> Decimals:
    """Room for all of these numbers.

    A point that would take much more room than the longest number (with 1234567 and 1.5e-10 in
    one column) is not worth it: then the numbers are flush left.
    """
    before = after = longest = 0
    for text in texts:
        left = len(_POINT.split(text, maxsplit=1)[0])
        before, after = max(before, left), max(after, len(text) - left)
        longest = max(longest, len(text))
    return Decimals(before, after) if before + after <= longest + 4 else Decimals(0, 0)


# --- arrays ------------------------------------------------------------------------------


class Summary(NamedTuple):
    """What is said of a large array."""

    smallest: str
    largest: str
    norm: str

    def __str__(self) -> str:
        return f"min {self.smallest}, max {self.largest}, norm {self.norm}"

    def lines(self) -> list[str]:
        """One below the other, the numbers aligned."""
        words = ("min", "max", "norm")
        room = decimals(self)
        return [f"{w:<4} {room.pad(n)}".rstrip() for w, n in zip(words, self, strict=True)]


def is_small(array: Any) -> bool:
    """Whether an array's elements are shown."""
    if isinstance(array, float):
        return True
    return np.size(array) <= (SMALL_MATRIX if np.ndim(array) == 2 else SMALL)


def summary(array: Any, precision: int) -> Summary:
    """Smallest, largest and norm of an array that has elements; nan if it has one."""
    with np.errstate(all="ignore"):
        scale = np.abs(array).max()
        usable = scale > 0 and np.isfinite(scale)
        norm = scale * np.linalg.norm(np.ravel(array) / scale) if usable else scale
    found = (np.min(array), np.max(array), norm)
    return Summary(*(number(float(x), precision) for x in found))


def array_lines(array: Any, precision: int, line: int | None = None) -> list[str]:
    """A small array as the language reads it, the elements flush right in their columns.

    A vector takes as many lines as its elements need with at most `line` cells in each, and so
    does each row of a matrix; without `line` a row is one line.
    """
    texts = [number(float(x), precision) for x in np.ravel(array)]
    if not texts:
        return [_nested(array, precision)]
    if np.ndim(array) == 1:
        whole = f"[{', '.join(texts)}]"
        return [whole] if len(whole) <= (line or LINE) else _row(texts, line or LINE)
    *outer, columns = np.shape(array)
    widths = [max(map(len, texts[k::columns])) for k in range(columns)]
    lines = []
    for start in range(0, len(texts), columns):
        row = texts[start : start + columns]
        cells = [t.rjust(width) for t, width in zip(row, widths, strict=True)]
        opened = _brackets(start // columns, outer)
        closed = _brackets(start // columns + 1, outer)
        front = " " * (len(outer) - opened) + "[" * opened
        back = "]" * closed + ("," if closed < len(outer) else "")
        whole = f"{front}[{', '.join(cells)}]{back}"
        if line is None or len(whole) <= line:
            lines.append(whole)
        else:
            first, *more = _row(cells, line - len(outer))
            lines += [front + first, *(" " * len(outer) + text for text in more)]
            lines[-1] += back
    return lines


def whole_rows(array: Any, precision: int, room: int) -> list[str]:
    """A small array whose rows stay whole: with fewer digits where they need more than `room`.

    Where three digits are too many still, rows go on in the next line.
    """
    for digits in range(precision, min(precision, FEWEST_DIGITS) - 1, -1):
        lines = array_lines(array, digits)
        if max(map(len, lines)) <= room and (np.ndim(array) > 1 or len(lines) == 1):
            return lines
    return array_lines(array, precision, room)


def _brackets(row: int, outer: list[int]) -> int:
    """How many of the outer axes begin at this row (and end before it)."""
    count = 0
    for n in reversed(outer):
        if row % n:
            break
        row //= n
        count += 1
    return count


def _row(texts: list[str], line: int) -> list[str]:
    """Elements in brackets, as many on a line as have room, one below the other."""
    width = max(map(len, texts))
    several = max(1, (line - 1) // (width + 2))
    lines = [
        ", ".join(t.rjust(width) for t in texts[i : i + several])
        for i in range(0, len(texts), several)
    ]
    return [
        f"{' ' if i else '['}{text}{',' if i < len(lines) - 1 else ']'}"
        for i, text in enumerate(lines)
    ]


def inline(value: Any, precision: int, style: Style) -> str:
    """A value on one line: a number, a small array's elements, or the shape and the summary."""
    if not is_small(value):
        return summarised(value, precision, style)
    return _nested(value, precision)


def summarised(array: Any, precision: int, style: Style) -> str:
    """`784×128, min -0.1, max 0.1, norm 12.3`."""
    shape = np.shape(array)
    size = shape_text(shape, style) if len(shape) > 1 else f"{shape[0]} elements"
    return f"{size}, {summary(array, precision)}" if np.size(array) else f"{size}, empty"


def _nested(array: Any, precision: int) -> str:
    if isinstance(array, float) or np.ndim(array) == 0:
        return number(float(array), precision)
    return "[" + ", ".join(_nested(part, precision) for part in array) + "]"


def shape_text(shape: tuple[int, ...], style: Style) -> str:
    """`784×128`, `3`; nothing for a number."""
    return shown(times(shape), style) if shape else ""
