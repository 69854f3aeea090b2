"""`gradcli examples run NAME …`: the words of `eval` that it stands for.

They take its place before any option is read.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradcli import examples
from gradcli.diagnostics.failures import usage_error


def run_words(words: Sequence[str]) -> list[str]:
    """The words of `eval` that `examples run NAME …` stands for. Raises `GradcliError`."""
    if words[:1] in (["--help"], ["-h"]):
        return ["examples", "--help"]
    if not words or words[0].startswith("-"):
        raise usage_error("the name of an example is missing", "gradcli examples run kamper")
    return ["eval", text_of(words[0]), *words[1:]]


def text_of(name: str) -> str:
    """An example's text. Raises `GradcliError` of kind name."""
    try:
        return examples.text(name)
    except KeyError:
        from gradcli.diagnostics.error import GradcliError, Kind
        from gradcli.diagnostics.suggestion import did_you_mean

        hint = did_you_mean(name, examples.ORDER) or f"there are {', '.join(examples.ORDER)}"
        raise GradcliError(Kind.NAME, f"there is no example '{name}'", hint=hint) from None
