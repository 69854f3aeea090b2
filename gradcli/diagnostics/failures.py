"""The errors that many places raise: one function per kind, which makes the error and no more.

The type stands in `diagnostics.error`, which is imported only when an error is made: most command
lines need none. Kinds of the mathematics (domain, overflow, edge) are told from values and stay
with the passes that find them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcli.diagnostics.error import GradcliError, Label
    from gradcli.diagnostics.source import Source, Span


def syntax_error(
    message: str,
    span: Span,
    hint: str | None = None,
    *,
    source: Source | None = None,
    labels: tuple[Label, ...] = (),
) -> GradcliError:
    """An error of kind syntax. Without a `source` the parser gives it its own."""
    from gradcli.diagnostics.error import GradcliError, Kind

    return GradcliError(Kind.SYNTAX, message, source=source, span=span, labels=labels, hint=hint)


def usage_error(message: str, hint: str | None = None) -> GradcliError:
    """An error of kind option."""
    from gradcli.diagnostics.error import GradcliError, Kind

    return GradcliError(Kind.OPTION, message, hint=hint)


def file_error(
    message: str,
    hint: str | None = None,
    *,
    source: Source | None = None,
    span: Span | None = None,
) -> GradcliError:
    """An error of kind file."""
    from gradcli.diagnostics.error import GradcliError, Kind

    return GradcliError(Kind.FILE, message, source=source, span=span, hint=hint)


def problem(
    path: str,
    what: str,
    hint: str | None = None,
    *,
    source: Source | None = None,
    span: Span | None = None,
) -> GradcliError:
    """An error of kind file about the file of a path."""
    return file_error(f"'{path}' {what}", hint, source=source, span=span)


def submission_error(
    message: str,
    hint: str | None = None,
    *,
    source: Source | None = None,
    span: Span | None = None,
    labels: tuple[Label, ...] = (),
) -> GradcliError:
    """An error of kind submission. Where it has a place, the message begins with its line."""
    from gradcli.diagnostics.error import GradcliError, Kind

    if source is not None and span is not None and not message.startswith("line "):
        message = f"line {source.position(span.start)[0]}: {message}"
    return GradcliError(
        Kind.SUBMISSION, message, source=source, span=span, labels=labels, hint=hint
    )


def reason(error: Exception) -> str:
    """The system's words for what is wrong with a file, in the middle of a sentence."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]
