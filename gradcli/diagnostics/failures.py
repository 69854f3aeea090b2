"""Errors about options and files, and the words in them that several places share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradcli.diagnostics.error import GradcliError


def usage_error(message: str, hint: str | None = None) -> GradcliError:
    """An error of kind option."""
    from gradcli.diagnostics.error import GradcliError, Kind

    return GradcliError(Kind.OPTION, message, hint=hint)


def file_error(message: str, hint: str | None = None) -> GradcliError:
    """An error of kind file."""
    from gradcli.diagnostics.error import GradcliError, Kind

    return GradcliError(Kind.FILE, message, hint=hint)


def problem(path: str, what: str, hint: str | None = None) -> GradcliError:
    """An error of kind file about the file of a path."""
    return file_error(f"'{path}' {what}", hint)


def reason(error: Exception) -> str:
    """The system's words for what is wrong with a file, in the middle of a sentence."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]
