"""Names that were meant as something else: `sinx` for sin(x), `xy` for x*y, `Inf` for inf.

A name is whatever its letters make it, so each of these is an input like others, and right if it
gets a value. Only where it gets none do the words here say what it may have been meant as.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gradcli import ops
from gradcli.language.words import DERIVATIVES, INSTEAD_OF_NAMES, derivative_at
from gradcli.names import CONSTANTS, Names

LONGEST = 12
"""Longer names are no products of letters."""

_VARIABLE = "[xyzuvwθ][0-9]?"
"""What is taken for an argument, though the program has no such name."""


def taken_apart(word: str, known: Iterable[str]) -> str | None:
    """How a name would be read on paper: `sin(x)` for `sinx`, `x*y` for `xy`.

    The argument and the factors are names that are `known`, or constants.
    """
    names = set(known) - {word}
    for i in range(len(word) - 1, 1, -1):
        argument = word[i:]
        if ops.is_function(word[:i]) and (argument in names or re.fullmatch(_VARIABLE, argument)):
            return f"{word[:i]}({argument})"
    factors = _factors(word, names | CONSTANTS.keys()) if len(word) <= LONGEST else None
    return "*".join(factors) if factors and names & set(factors) else None


def _factors(word: str, names: set[str]) -> list[str] | None:
    """The word as names one after the other, the first as long as can be."""
    if not word:
        return []
    for i in range(len(word), 0, -1):
        if word[:i] in names and (rest := _factors(word[i:], names)) is not None:
            return [word[:i], *rest]
    return None


def misread(names: Names, given: Iterable[str], known: Iterable[str] = ()) -> str | None:
    """A hint for the first input not `given` that on paper is a call, a product, a derivative.

    `known` are names besides, which may be arguments and factors.
    """
    given = set(given)
    for word in names.inputs(given):
        if word in given:
            continue
        start = names.free[word].span.start
        if derivative := derivative_at(names.source.text, start):
            return f"for the derivative {derivative} {DERIVATIVES}"
        if apart := taken_apart(word, given.union(known)):
            what = "a call" if apart.endswith(")") else "a product"
            return f"'{word}' is one name: for {what} write '{apart}'"
    return None


def as_transpose(name: str, text: str, start: int) -> str | None:
    """A hint where the name, which stands at `start` in a text, is the T of `A^T`."""
    power = re.search(r"(\w*)\s*(?:\^|\*\*)\s*$", text[max(0, start - 80) : start])
    if name != "T" or power is None:
        return None
    return f"the transpose is written {power[1] or '(…)'}.T"


def without_value(name: str, text: str, start: int) -> str | None:
    """What a name without a value, which stands at `start`, is written as in other notations."""
    behind = text[start + len(name) : start + len(name) + 80].lstrip(" ")
    begins = text[:start].rstrip(" \t")[-1:] in ("", "\n", ";")
    if begins and behind.startswith("=="):
        return "a name is given its value by a single '='"
    return INSTEAD_OF_NAMES.get(name)
