"""Whether a text is Python or a program of the language."""

from __future__ import annotations

import re

_PARAMETER = r"(?:\*{0,2}[^\W\d]\w*(?:\s*=(?:\s*\([^()\n]*\)|[^,:\[\n]+))?|\*)"
_PARAMETERS = rf"lambda(?:\s+{_PARAMETER}(?:\s*,\s*{_PARAMETER})*\s*,?)?\s*:"
"""`lambda x, y=2:`; a program of the language may have a name `lambda`."""
_STARTS = (
    r"\s*+(?>(?:#[^\n]*+\n\s*+|(?:'''(?s:.*?)'''|\"\"\"(?s:.*?)\"\"\")\s*+)*)"
    rf"(?:def\s+\w+\s*\(|{_PARAMETERS}|import\s+\w|from\s+[\w.]+\s+import\b|class\s+\w+\s*[(:]|"
    r"@\w|(?:for\s+[\w, ()]+\s+in|while|if)\b[^\n]*:\s*(?:\n|$))"
)
_LAMBDA = rf"(?m)^\w+\s*=\s*{_PARAMETERS}"
_DEF = r"(?m)^(?:def\s+\w+\s*\(.*|class\s+\w+.*|import\s+\w.*|from\s+[\w.]+\s+import\s.*)$"
_WORDS = ("def", "lambda", "import", "class", "@", "for", "while", "if")
"""One of them is in every text that any of the patterns finds: to compile these takes a while."""


def is_python(text: str, name: str | None = None) -> bool:
    """Whether a text is meant as Python: by its file's ending, or by what it begins with.

    A program of the language never begins with `def`, `lambda`, `import`, `class` or a block, nor
    has a line with one.
    """
    if name is not None and name.endswith((".py", ".ipynb")):
        return True
    if name is not None and name.endswith(".grad"):
        return False
    if not any(word in text for word in _WORDS):
        return False
    return bool(re.match(_STARTS, text) or re.search(_DEF, text) or re.search(_LAMBDA, text))
