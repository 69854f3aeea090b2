"""Did you mean: the known word that an unknown one is closest to, as a hint.

A word and the words that would have been right come in. Options count without their dashes.
"""

from __future__ import annotations

from collections.abc import Iterable

CUTOFF = 0.65
"""The share of letters in common, from 0 to 1, from which on a word is worth suggesting."""


def close_match(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` was most probably meant to be, if there is one."""
    known = {candidate.lstrip("-"): candidate for candidate in candidates}
    word = word.lstrip("-")
    found = next((name for name in known if _bare(name) == _bare(word)), None)
    if found is None:
        from difflib import get_close_matches  # noqa: PLC0415 - only when something went wrong

        found = next(iter(get_close_matches(word, known, n=1, cutoff=CUTOFF)), None)
    return None if found is None else known[found]


def _bare(word: str) -> str:
    """A word as it is compared: `LeakyReLU` is `leaky_relu`."""
    return word.replace("_", "").casefold()


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """A hint with the closest candidate; None if none is close."""
    match = close_match(word, candidates)
    return f"did you mean '{match}'?" if match else None
