"""The rows of Einstein's sum: einsum by its letters, tensordot by axes.

The derivative by an operand is such a sum as well: delta takes the operand's place. A letter that
is nowhere else is filled up by ones, one that an operand has twice by an identity matrix.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gradcli.ops.operation import Array, Misfit, Shape, Site, Type
from gradcli.ops.options import Keywords, one_axis, whole_numbers
from gradcli.ops.table.rows import LINEAR, array_row

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
BATCH = "..."


def _terms(spec: Any, types: tuple[Type, ...]) -> tuple[list[str], str]:
    """The letters of every operand and those of the output. Raises `Misfit`."""
    if not isinstance(spec, str):
        raise Misfit("einsum begins with its letters: einsum('ij,j->i', A, x)", plain=True)
    text = spec.replace(" ", "")
    if not re.fullmatch(r"[A-Za-z.]*(,[A-Za-z.]*)*(->[A-Za-z.]*)?", text):
        raise Misfit(f"'{spec}' are no letters of einsum", plain=True)
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(types):
        raise Misfit(f"'{spec}' is for {len(terms)} arrays, not {len(types)}", plain=True)
    free = [c for c in LETTERS if c not in text]
    ranks = [
        len(t.shape) - len(s.replace(BATCH, ""))
        for s, t in zip(terms, types, strict=True)
        if BATCH in s
    ]
    rest = "".join(free[: max(ranks, default=0)])
    if not arrow:
        joined = "".join(terms).replace(BATCH, "")
        right = BATCH * (BATCH in left) + "".join(
            sorted(c for c in set(joined) if joined.count(c) == 1)
        )
    found = []
    for term, t in zip(terms, types, strict=True):
        count = len(t.shape) - len(term.replace(BATCH, ""))
        if count and (BATCH not in term or count < 0):
            raise Misfit(f"'{term}' does not fit {t}", plain=True)
        found.append(term.replace(BATCH, rest[len(rest) - count :]))
    return found, right.replace(BATCH, rest)


def _lengths(terms: list[str], types: tuple[Type, ...]) -> dict[str, int]:
    """The length of every letter's axis. Raises `Misfit`."""
    lengths: dict[str, int] = {}
    for term, t in zip(terms, types, strict=True):
        for letter, n in zip(term, t.shape, strict=True):
            if lengths.setdefault(letter, n) != n:
                raise Misfit(f"'{letter}' has the lengths {lengths[letter]} and {n}", plain=True)
    return lengths


def _summed(
    types: tuple[Type, ...], options: Keywords, terms: list[str], out: str
) -> tuple[Type, Keywords]:
    lengths = _lengths(terms, types)
    if len(set(out)) < len(out) or not set(out) <= lengths.keys():
        raise Misfit(f"the result has letters of the operands, each once, not '{out}'", plain=True)
    options.update(terms=tuple(terms), to=out)
    shape: Shape = tuple(lengths[c] for c in out)
    return Type(shape), {"terms": tuple(terms), "to": out}


def _kernel(*arrays: Array, terms: tuple[str, ...], to: str) -> Array:
    spec = ",".join(f"...{term}" for term in terms) + f"->...{to}"
    plain = all(np.ndim(a) == len(t) for a, t in zip(arrays, terms, strict=True))
    spec = spec.replace("...", "") if plain else spec
    found = np.einsum(spec, *arrays, optimize=len(arrays) > 2)
    return found[()] if plain and isinstance(found, np.ndarray) else found


def _letters(term: str, used: set[str]) -> tuple[str, list[tuple[str, str]]]:
    """A term with a new letter for each that comes again, and the pairs that are one."""
    seen, found, pairs = set(), [], []
    for c in term:
        own = c
        if c in seen:
            own = next(new for new in LETTERS if new not in used)
            used.add(own)
            pairs.append((c, own))
        seen.add(own)
        found.append(own)
    return "".join(found), pairs


def _rules(site: Site, names: tuple[str, ...] | None = None) -> tuple[str, ...]:
    terms, to = site.options["terms"], site.options["to"]
    names = names or tuple(f"x{i + 1}" for i in range(len(terms)))
    lengths = _lengths(list(terms), site.types)
    return tuple(_rule(i, terms, to, names, lengths) for i in range(len(terms)))


def _rule(place: int, terms: Any, to: str, names: tuple[str, ...], lengths: dict[str, int]) -> str:
    used = set("".join(terms) + to)
    own, pairs = _letters(terms[place], used)
    others = [(t, n) for i, (t, n) in enumerate(zip(terms, names, strict=True)) if i != place]
    factors = [(to, "delta"), *others]
    there = set(to).union(*(t for t, _ in others))
    factors += [(a + b, f"eye({lengths[a]})") for a, b in pairs]
    there |= {c for pair in pairs for c in pair}
    factors += [(c, f"ones({lengths[c]})") for c in own if c not in there]
    spec = ",".join(t for t, _ in factors) + f"->{own}"
    return f"einsum('{spec}', {', '.join(n for _, n in factors)})"


def _tensordot(types: tuple[Type, ...], options: Keywords) -> tuple[Type, Keywords]:
    a, b = types
    m, n, axes = len(a.shape), len(b.shape), options["axes"]
    if isinstance(axes, int):
        pairs = list(zip(range(m - axes, m), range(axes), strict=True))
        if not 0 <= axes <= min(m, n):
            raise Misfit(f"there are no {axes} axes to sum over", plain=True)
    else:
        left, right = (whole_numbers(v, "an axis") for v in axes)
        if len(left) != len(right):
            raise Misfit("as many axes of a as of b are summed over", plain=True)
        pairs = [(one_axis(i, m), one_axis(j, n)) for i, j in zip(left, right, strict=True)]
    one, two = list(LETTERS[:m]), list(LETTERS[m : m + n])
    for i, j in pairs:
        two[j] = one[i]
    kept = "".join(c for c in one + two if (c in one) != (c in two))
    return _summed(types, options, ["".join(one), "".join(two)], kept)


# fmt: off
ROWS = (
    array_row("einsum", "spec: *x", _kernel,
              lambda types, o: _summed(types, o, *_terms(o["spec"], types)), rules=_rules,
              doc="sums of products by letters, as in NumPy: einsum('ij,jk->ik', A, B)", **LINEAR),
    array_row("tensordot", "a b axes:=2", _kernel, _tensordot,
              rules=lambda site: _rules(site, ("a", "b")),
              doc="sum over the last axes of a and the first of b, or over pairs of axes",
              propagates="a b", **LINEAR),
)
# fmt: on
