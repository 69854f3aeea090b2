"""Names that were meant as something else: `sinx` for sin(x), `xy` for x*y, `Inf` for inf.

Each of these is a valid name of an input. Only where it gets no value does an error
suggest what it may have been meant as.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from gradcli import ops
from gradcli.diagnostics.characters import DERIVATIVES
from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Span
from gradcli.graph.names import CONSTANTS, Names
from gradcli.graph.resolve import uncalled
from gradcli.syntax.messages.foreign import INSTEAD_OF_NAMES, derivative_at

LONGEST = 20
"""Longer names are neither calls nor products."""

MOST = 20
"""How many names are examined: with more, they are meant as names."""

_VARIABLE = "[xyzuvwθ][0-9]?"
"""What is taken for an argument, though the program has no such name."""


def taken_apart(word: str, known: Iterable[str]) -> str | None:
    """How a name would be read on paper: `sin(x)` for `sinx`, `x*y` for `xy`.

    The argument and the factors are names that are `known`, or constants.
    """
    if len(word) > LONGEST:
        return None
    names = set(known) - {word}
    for i in range(len(word) - 1, 1, -1):
        argument = word[i:]
        if ops.is_function(word[:i]) and (argument in names or re.fullmatch(_VARIABLE, argument)):
            return f"{word[:i]}({argument})"
    factors = _factors(word, names | CONSTANTS.keys())
    return "*".join(factors) if factors and names & set(factors) else None


def _factors(word: str, names: AbstractSet[str]) -> list[str] | None:
    """The word as the fewest names one after the other."""
    best: list[list[str] | None] = [[]]  # best[n] is for the first n letters
    for end in range(1, len(word) + 1):
        found = [
            [*before, word[start:end]]
            for start, before in enumerate(best)
            if before is not None and word[start:end] in names
        ]
        best.append(min(found, key=len, default=None))
    return best[-1]


def one_name(word: str, apart: str) -> str:
    """The hint for a name that can be taken apart."""
    what = "a call" if apart.endswith(")") else "a product"
    return f"'{word}' is one name: for {what} write '{apart}'"


def misread(
    names: Names, given: Iterable[str], *, known: Iterable[str] = (), about: str | None = None
) -> str | None:
    """A hint for the first input not `given` that on paper is a call, a product, a derivative.

    `known` are names besides, which may be arguments and factors; where it is `about` one, that
    has to be among them.
    """
    given = set(given)
    for word in [name for name in names.inputs(given) if name not in given][:MOST]:
        derivative = derivative_at(names.source.text, names.free[word].span.start)
        if derivative is not None and about in (None, derivative.rpartition("/d")[2]):
            return f"for the derivative {derivative} {DERIVATIVES}"
        apart = taken_apart(word, given.union(known))
        if apart is not None and (about is None or about in re.split(r"\W", apart)):
            return one_name(word, apart)
    return None


def no_value(names: Names, missing: list[str], place: Span) -> GradcliError:
    """The error of inputs without a value, of which the first stands at `place`."""
    listed = ", ".join(f"'{name}'" for name in missing)
    return GradcliError(
        Kind.BINDING,
        f"{listed} {'has' if len(missing) == 1 else 'have'} no value",
        source=names.source,
        span=place,
        hint=_instead_of_value(names, missing, place.start),
    )


def _instead_of_value(names: Names, missing: list[str], start: int) -> str:
    text, name = names.source.text, missing[0]
    only = as_transpose(name, text, start) or uncalled(missing[:1], "…")
    if only is not None:
        return only
    meant = without_value(name, text, start)
    meant = meant or misread(names, names.free.keys() - set(missing), known=names.words)
    values = "give a value: " + " ".join(f"--{name} 1" for name in missing)
    return f"{meant}\n{values}" if meant else values


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
