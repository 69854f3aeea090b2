"""What to write instead: the messages for text that is no program.

The modules are imported when the first message is made: most programs need none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcli.syntax.messages import rejected, unexpected

__all__ = ["rejected", "unexpected"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(name)
