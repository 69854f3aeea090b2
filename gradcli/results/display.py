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

    def html(self, what: Any) -> str:
        """For a notebook: a result's table and graph, a program's text and graph."""

    def latex(self, what: Any) -> str:
        """For a notebook: a result's passes, or a program, as equations."""

    def trace(self, result: Any, by: str) -> Any:
        """The page that goes through both passes step by step."""


_displays: list[Display] = []


def show_by(display: Display) -> None:
    """Let results show themselves by this."""
    _displays[:] = [display]


def display() -> Display | None:
    """What has been handed in last."""
    return _displays[0] if _displays else None


class InNotebook:
    """What shows itself in a notebook, as HTML, as LaTeX and as text."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        shown = display()
        return None if shown is None else shown.html(self)

    def _repr_latex_(self) -> str | None:
        shown = display()
        return None if shown is None else shown.latex(self)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        shown = (str(self), self._repr_html_(), self._repr_latex_())
        media = ("text/plain", "text/html", "text/latex")
        return {kind: text for kind, text in zip(media, shown, strict=True) if text}
