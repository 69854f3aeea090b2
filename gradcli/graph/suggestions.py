"""Names that were meant as something else: `sinx` for sin(x), `xy` for x*y, `Inf` for inf.

Each of these is a valid name of an input. Only where it gets no value, or is called, does an error
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
from gradcli.diagnostics.suggestion import did_you_mean
from gradcli.graph.names import CONSTANTS, Names
from gradcli.syntax.messages.foreign import INSTEAD_OF_NAMES, derivative_at, instead_of_function
from gradcli.syntax.tree import Block, Call, Define, Number

LONGEST = 20
"""Longer names are neither calls nor products."""

MOST = 20
"""How many names are examined: with more, they are meant as names."""

_BASE = re.compile(r"(\w*)\s*(?:\^|\*\*)\s*$")
"""What stands before an exponent."""

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
    message = f"{listed} {'has' if len(missing) == 1 else 'have'} no value"
    hint = _instead_of_value(names, missing, place.start)
    return names.error(message, place, hint, kind=Kind.BINDING)


def _instead_of_value(names: Names, missing: list[str], start: int) -> str:
    text, name = names.source.text, missing[0]
    base = _BASE.search(text[max(0, start - 80) : start])
    if name == "T" and base is not None:  # of A^T
        return f"the transpose is written {base[1] or '(…)'}.T"
    only = uncalled(missing[:1], "…")
    if only is not None:
        return only
    meant = without_value(name, text, start)
    meant = meant or misread(names, names.free.keys() - set(missing), known=names.words)
    values = "give a value: " + " ".join(f"--{name} 1" for name in missing)
    return f"{meant}\n{values}" if meant else values


def uncalled(inputs: Iterable[str], argument: str) -> str | None:
    """A hint where an input has the name of a function: most often its brackets are missing."""
    functions = (name for name in inputs if ops.is_function(name) and name not in ops.SPELLED)
    name = next(functions, None)
    return name and f"without brackets '{name}' is an input; the function is {name}({argument})"


def without_value(name: str, text: str, start: int) -> str | None:
    """What a name without a value, which stands at `start`, is written as in other notations."""
    behind = text[start + len(name) : start + len(name) + 80].lstrip(" ")
    begins = text[:start].rstrip(" \t")[-1:] in ("", "\n", ";")
    if begins and behind.startswith("=="):
        return "a name is given its value by a single '='"
    return INSTEAD_OF_NAMES.get(name)


def unknown_function(names: Names, call: Call) -> GradcliError:
    """The error of a call of a name that is not a function."""
    word, text, place = call.name, names.source.text, call.name_span
    product = f"for a product write the sign: {word}*(…)"
    if len(call.arguments) == 1 and isinstance(call.arguments[0], Number):
        product += f", for an element {word}[…]"
    if word in names.definitions or word in names.free:
        message = f"'{word}' is a value, not a function"
        return names.error(message, place, product, kind=Kind.SYNTAX)
    if derivative := derivative_at(text, place.start):
        span = Span(place.end - len(derivative), place.end)
        message = f"'{derivative}' isn't an operator"
        return names.error(message, span, DERIVATIVES, kind=Kind.SYNTAX)
    own = [n for n, d in names.definitions.items() if isinstance(d, Define | Block)]
    functions = [*ops.function_names(), *own]
    hint = (
        instead_of_function(word)
        or _other_than_call(names, call, functions)
        or did_you_mean(word, functions)
    )
    if hint is None:
        hint = "'gradcli ops' lists all functions"
        if len(call.arguments) == 1 and not call.qualified:
            hint = f"{product}; {hint}"
    return names.error(f"unknown function '{word}'", place, hint)


def _other_than_call(names: Names, call: Call, functions: list[str]) -> str | None:
    """What else a call of an unknown function may be: `xsin(x)`, `sin^n(x)`, `f(x) == x^2`."""
    word, text = call.name, names.source.text
    power = _BASE.search(text[: call.name_span.start][-80:])
    if power is not None and power[1] in functions:
        return f"a power stands after the call: {power[1]}(…)^{word}"
    if re.match(r"\s*==", text[call.span.end : call.span.end + 80]):
        return f"a function is defined by a single '=': {word}(…) = …"
    for i in range(1, len(word) - 1 if len(word) < 40 else 0):
        if word[i:] in functions and word[:i] in names.words:
            return f"for a product write the sign: {word[:i]}*{word[i:]}(…)"
    return None
