"""A call of a library's function as the language has it."""

from __future__ import annotations

from typing import Any, NamedTuple

ALL = object()
"""The axis of a function that works on all elements together, where its default is another one."""


class Meant(NamedTuple):
    """A call of a function of the language; operands may be such calls."""

    name: str
    operands: tuple[Any, ...]
    keywords: dict[str, Any]


class Refused(Exception):
    """Why a call has no meaning here, and what to write instead."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def call(name: str, *operands: Any, **keywords: Any) -> Meant:
    """A call without what is not given."""
    return Meant(name, operands, {k: v for k, v in keywords.items() if v is not None})
