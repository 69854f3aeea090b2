"""Reports: a Result comes in, text goes out, and nothing is computed on the way.

A report is a stream of pieces of text, so that a program of a million operations needs no more
memory than its largest row; `render` is the whole as one string. Every report ends with a
newline, so that writing it adds nothing.

`FORMATS` names the formats; each is a module of `tables`, JSON one of this package, and imported
when it is asked for (the table alone needs Rich, and only on a terminal). The report of the
operation table itself is `gradcli.report.reference.operations`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gradcli.report.style import Style

if TYPE_CHECKING:
    from gradcli.results.result import Result

FORMATS = ("table", "json", "csv", "markdown", "latex", "html")
_HOMES = {form: f"gradcli.report.tables.{form}" for form in FORMATS} | {
    "json": "gradcli.report.json"
}
COMMANDS = ("eval", "check")


def render(result: Result, form: str, style: Style, command: str = "eval") -> str:
    """The report of a result as one text that ends with a newline.

    `form` is one of `FORMATS`. `command` is `eval` (a row per node) or `check` (only the
    verdicts). Raises `ValueError` for any other.
    """
    return "".join(pieces(result, form, style, command))


def pieces(result: Result, form: str, style: Style, command: str = "eval") -> Iterator[str]:
    """The text of `render` piece by piece, for results that are large."""
    if form not in FORMATS:
        raise ValueError(f"no format {form!r}")
    if command not in COMMANDS:
        raise ValueError(f"no report of {command!r}")
    module = import_module(_HOMES[form])
    found: Iterator[str] = module.pieces(result, style, command)
    return found


def bare(value: Any, style: Style) -> str:  # noqa: ARG001 - called as the others are
    """A value alone on its line: a number that round-trips, an array as nested lists.

    What JSON has no number for is `nan`, `inf` or `-inf`, as the language writes it.
    """
    from gradcli.report.json import written  # noqa: PLC0415 - imports NumPy

    return written(value) + "\n"


__all__ = ["FORMATS", "Style", "bare", "pieces", "render"]
