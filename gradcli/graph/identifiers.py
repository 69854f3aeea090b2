"""Identifiers for names that Python code, or a stream without Unicode, can't contain.

Names of a program come in, identifiers go out. The code that is written (`export/numpy`) and the
grader that reads it (`grading/submission/labels`) both ask here, so that what is exported can be
handed in.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable

from gradcli.diagnostics.ascii import ascii_form, greek
from gradcli.diagnostics.error import visible
from gradcli.ops import numpy_helpers as helpers

TAKEN = {*("np", "value_and_gradient"), *helpers.HELPERS, *helpers.SCIPY}
"""What the code needs for itself."""

MARKS = {
    "\N{COMBINING CIRCUMFLEX ACCENT}": "hat",
    "\N{COMBINING TILDE}": "tilde",
    "\N{COMBINING MACRON}": "bar",
    "\N{COMBINING OVERLINE}": "bar",
    "\N{COMBINING DOT ABOVE}": "dot",
    "\N{COMBINING DIAERESIS}": "ddot",
    "\N{COMBINING CARON}": "check",
    "\N{COMBINING BREVE}": "breve",
    "\N{COMBINING ACUTE ACCENT}": "acute",
    "\N{COMBINING GRAVE ACCENT}": "grave",
    "\N{COMBINING RIGHT ARROW ABOVE}": "vec",
}
"""Marks over a letter, as a mathematician reads them aloud."""


def is_taken(name: str) -> bool:
    """Whether code needs the name for itself, so that a node of this name is called otherwise."""
    return name in TAKEN or keyword.iskeyword(name) or bool(helpers.MADE.fullmatch(name))


def identifiers(
    names: Iterable[str], *, ascii_only: bool, taken: Collection[str] = TAKEN
) -> dict[str, str]:
    """What each name, and its gradient behind `delta_`, is called: no two are called the same.

    What can keep its name does.
    """
    used = {*taken, *keyword.kwlist}
    found: dict[str, str] = {}
    words = {name: identifier(name, ascii_only=ascii_only) for name in names}
    for name in sorted(words, key=lambda name: words[name] != name):
        word = words[name]
        while word in used or f"delta_{word}" in used or helpers.MADE.fullmatch(word):
            word += "_"
        used |= {word, f"delta_{word}"}
        found[name] = word
    return found


_INDEX = re.compile(r" ?[\[(.](.*)$")


def _joined(index: re.Match[str]) -> str:
    """What stands behind a name of Python: `params["W1"]`, `h (t = 2)`, as words of one name."""
    return "".join(f"_{word}" for word in re.findall(r"\w+", index[1]))


def identifier(name: str, *, ascii_only: bool) -> str:
    """A name as Python and the stream can have it: `ŷ` is `y_hat` where there is only ASCII."""
    text = unicodedata.normalize("NFKC", visible(_INDEX.sub(_joined, name)))
    text = _spelled(text) if ascii_only else text
    if text.isidentifier():
        return text
    safe = "".join(c if c.isascii() and (c.isalnum() or c == "_") else _code(c) for c in text)
    return safe if safe.isidentifier() else f"_{safe}"


def _spelled(text: str) -> str:
    """A name in ASCII: letters by their names, and behind a letter the mark that is over it."""
    if text.isascii():
        return text
    words: list[str] = []
    marked = False
    for char in unicodedata.normalize("NFD", text):
        mark = unicodedata.combining(char) > 0
        if mark:
            words.append(f"_{MARKS.get(char) or _code(char)}")
        else:
            word = ascii_form(char) if char.isascii() or greek(char) else _code(char)
            words.append(f"_{word}" if marked and char.isalpha() else word)
        marked = mark
    return "".join(words)


def _code(char: str) -> str:
    return f"u{ord(char):04x}"
