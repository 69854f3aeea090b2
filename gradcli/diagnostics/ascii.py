r"""ASCII for terminals, files and pipes that have nothing else.

Signs and Greek letters have their usual forms, `x` for `×` and `delta` for `δ`; what has no other
form is written as an escape, `\u0177`.
"""

from __future__ import annotations

import re
import unicodedata

_ASCII = str.maketrans(
    {
        "∂": "d",
        "×": "x",
        "·": "*",
        "−": "-",
        "─": "-",
        "±": "+/-",
        "→": "->",
        "∞": "inf",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "≈": "~",
        "²": "^2",
        "³": "^3",
        "…": "...",
        "–": "-",
        "’": "'",
    }
)
_ROOT = re.compile(r"√([^\W²³]+)")


def ascii_form(text: str) -> str:
    """The text in ASCII: a root is `sqrt(…)`."""
    if text.isascii():
        return text
    text = _ROOT.sub(r"sqrt(\1)", text).replace("√", "sqrt")
    return "".join(
        c if c.isascii() else greek(c) or c.encode("ascii", "backslashreplace").decode()
        for c in text.translate(_ASCII)
    )


def greek(character: str) -> str:
    """A Greek letter's name, `delta` or `Delta`; empty for anything else."""
    words = unicodedata.name(character, "").split()
    if words[:1] != ["GREEK"] or len(words) != 4:
        return ""
    name = words[3].lower().replace("lamda", "lambda")
    return name.capitalize() if words[1] == "CAPITAL" else name
