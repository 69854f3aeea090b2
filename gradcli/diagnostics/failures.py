"""The errors that many places raise: one function per kind, which makes the error and no more.

The type stands in `diagnostics.error`, which is imported only when an error is made: most command
lines need none. Kinds of the mathematics (domain, overflow, edge) are told from values and stay
with the passes that find them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from gradcli.diagnostics.error import GradcliError, Label
    from gradcli.diagnostics.source import Source, Span

    class Place(TypedDict, total=False):
        """Where an error is, as `GradcliError` takes it."""

        source: Source | None
        span: Span | None
        labels: tuple[Label, ...]


def _error(
    kind: str, message: str, hint: str | None = None, **place: Unpack[Place]
) -> GradcliError:
    from gradcli.diagnostics.error import GradcliError, Kind

    return GradcliError(Kind(kind), message, hint=hint, **place)


usage_error = partial(_error, "option")
"""An error of kind option."""

file_error = partial(_error, "file")
"""An error of kind file."""


def syntax_error(
    message: str,
    span: Span,
    hint: str | None = None,
    *,
    source: Source | None = None,
    labels: tuple[Label, ...] = (),
) -> GradcliError:
    """An error of kind syntax. Without a `source` the parser gives it its own."""
    return _error("syntax", message, hint, source=source, span=span, labels=labels)


def problem(path: str, what: str, hint: str | None = None, **place: Unpack[Place]) -> GradcliError:
    """An error of kind file about the file of a path."""
    return _error("file", f"'{path}' {what}", hint, **place)


def submission_error(message: str, hint: str | None = None, **place: Unpack[Place]) -> GradcliError:
    """An error of kind submission. Where it has a place, the message begins with its line."""
    source, span = place.get("source"), place.get("span")
    if source is not None and span is not None and not message.startswith("line "):
        message = f"line {source.position(span.start)[0]}: {message}"
    return _error("submission", message, hint, **place)


def reason(error: Exception) -> str:
    """The system's words for what is wrong with a file, in the middle of a sentence."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]
