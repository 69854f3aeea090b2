"""How results show themselves: what makes the text is handed in.

A `Result` knows no report. `gradcli` hands in an object that does (`gradcli/display.py`), as soon
as one of its names is used; without it a result shows as any dataclass does.
"""

from __future__ import annotations

from typing import Any, Protocol


class Display(Protocol):
    """What shows results and programs."""

    def text(self, result: Any) -> str:
        """The table of `gradcli eval`."""

    def html(self, result: Any) -> str:
        """The table and the graph, for a notebook."""

    def latex(self, result: Any) -> str:
        """Both passes as equations, for a notebook."""

    def trace(self, result: Any, by: str) -> Any:
        """The page that goes through both passes step by step."""

    def program_html(self, program: Any) -> str:
        """A program and its graph, for a notebook."""

    def program_latex(self, program: Any) -> str:
        """A program as equations, for a notebook."""


_displays: list[Display] = []


def show_by(display: Display) -> None:
    """Let results show themselves by this."""
    _displays[:] = [display]


def display() -> Display | None:
    """What has been handed in last."""
    return _displays[0] if _displays else None


def bundle(text: str, html: str | None, latex: str | None) -> dict[str, str]:
    """What a notebook chooses from, by media type."""
    found = {"text/plain": text, "text/html": html, "text/latex": latex}
    return {media: content for media, content in found.items() if content}
