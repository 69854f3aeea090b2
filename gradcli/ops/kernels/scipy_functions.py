"""`scipy.special`, which is slow to import and seldom needed."""

from __future__ import annotations

from typing import Any


class _Special:
    """Its functions, imported when the first of them is used."""

    def __getattr__(self, name: str) -> Any:
        from scipy import special  # noqa: PLC0415

        found = getattr(special, name)
        setattr(self, name, found)
        return found


special = _Special()
