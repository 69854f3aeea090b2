"""Names given outside of a program: by options, by columns of files.

What is not ASCII is judged by `characters`, imported only then: most command lines need none of it.
"""

from __future__ import annotations


def is_name(text: str) -> bool:
    """Whether the language has names like this."""
    if text.isascii():
        return text.isidentifier()
    from gradcli.diagnostics.characters import normal_name
    from gradcli.diagnostics.error import GradcliError

    try:
        return bool(normal_name(text, 0))
    except GradcliError:
        return False


def normal(name: str) -> str:
    """A name as the language knows it: NFC, subscript digits as digits, μ for the micro sign."""
    if name.isascii():
        return name
    from gradcli.diagnostics.characters import normal_name, plain

    return normal_name(plain(name), 0)
