"""The names of the language's functions, as far as messages need them.

The grammar has no function's name in it. The operation table (`gradcli.ops`) hands its names in
here, for messages such as the one for `sin^2(x)`, which is refused in other words than `x^2y`.
"""

from __future__ import annotations

FUNCTION_NAMES: set[str] = set()
"""Every name that can be called, aliases included."""
