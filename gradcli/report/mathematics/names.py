r"""Names, numerals and words in LaTeX.

Names are as mathematicians write them: `x1` has a subscript, `delta_z` is \delta_{z}, `loss` one
word. What pdfLaTeX has no letter for appears by its number (U+4E2D).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from gradcli.diagnostics.ascii import greek
from gradcli.graph.identifiers import MARKS

_NO_NUMBERS = {"nan": r"\mathrm{nan}", "inf": r"\infty", "-inf": r"-\infty"}


def numeral(written: str) -> str:
    r"""A number's text in mathematics: `1.5 \cdot 10^{-5}`."""
    mantissa, e, exponent = written.partition("e")
    if not e:
        return _NO_NUMBERS.get(written, written)
    power = f"10^{{{int(exponent)}}}"
    if mantissa in {"1", "-1"}:
        return mantissa[:-1] + power
    return rf"{mantissa} \cdot {power}"


_ACCENTS = {**MARKS, "\N{COMBINING RING ABOVE}": "mathring"}
_CAPITALS = {
    *("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi"),
    *("Sigma", "Upsilon", "Phi", "Psi", "Omega"),
}
SMALL = {
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"),
    *("iota", "kappa", "lambda", "mu", "nu", "xi", "pi", "rho"),
    *("sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
}
_LATIN = dict(
    zip(
        ("Alpha", "Beta", "Epsilon", "Zeta", "Eta", "Iota", "Kappa", "Mu", "Nu", "Omicron", "Rho",
         "Tau", "Chi", "omicron"),
        "ABEZHIKMNOPTXo",
        strict=True,
    )
)  # fmt: skip
"""Greek letters that look like Latin ones."""


@lru_cache(maxsize=4096)
def name(written: str) -> str:
    """A node's name as mathematics."""
    letters, subscripts = split(written)
    if not letters:
        return rf"\mathit{{{''.join(map(_letter, written))}}}"
    base = _word(letters)
    return f"{base}_{{{','.join(map(_word, subscripts))}}}" if subscripts else base


def split(written: str) -> tuple[str, list[str]]:
    """A name's letters, and its subscripts: `x1_ij` has two."""
    head, *subscripts = written.split("_")
    letters = head.rstrip("0123456789")
    return letters, [part for part in (head[len(letters) :], *subscripts) if part]


def _word(letters: str) -> str:
    if letters in SMALL or letters in _CAPITALS:
        return f"\\{letters}"
    written = "".join(_accented(letters)).strip()
    single = sum(not unicodedata.combining(c) for c in letters) == 1
    return written if single or letters.isdigit() else rf"\mathit{{{written}}}"


def _accented(letters: str) -> Iterator[str]:
    """Letter after letter, each with the accents that it carries."""
    found = ""
    for character in unicodedata.normalize("NFD", letters):
        accent = _ACCENTS.get(character)
        if accent and found:
            found = rf"\{accent}{{{found}}}"
            continue
        yield found
        found = _letter(character)
    yield found


def _letter(character: str) -> str:
    if character == "_":
        return r"\_"
    if character.isascii():
        return character
    word = greek(character)
    if word in _LATIN:
        return _LATIN[word]
    if word in SMALL or word in _CAPITALS:
        return f"\\{word} "
    return rf"\mathtt{{U{{+}}{ord(character):04X}}}"


_TEXT = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "→": r"$\to$",
    "∞": r"$\infty$",
    "∂": r"$\partial$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "√": r"$\surd$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "≠": r"$\ne$",
    "−": "$-$",
    "–": "--",
    "…": r"\ldots{}",
    **{c: f"\\{c}" for c in "#$%&_{}"},
}


def text(words: str) -> str:
    """Words in which nothing is a command."""
    return "".join(map(_text_character, words))


def _text_character(character: str) -> str:
    if character in _TEXT:
        return _TEXT[character]
    if not character.isprintable():
        return f"U+{ord(character):04X}"
    return character if character.isascii() else f"${_letter(character).strip()}$"
