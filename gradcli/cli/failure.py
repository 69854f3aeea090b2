"""What goes wrong outside of the language, as errors of the one kind that can be printed.

The system's errors with files, a lack of memory and a mistake in gradcli itself become a
`GradcliError` here. `gradcli.diagnostics.error` prints it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcli.diagnostics.failures import file_error, reason

if TYPE_CHECKING:
    from gradcli.diagnostics.error import GradcliError


def as_gradcli_error(error: Exception) -> GradcliError:
    """Any exception as an error that can be printed."""
    from gradcli.diagnostics.error import GradcliError, Kind

    if isinstance(error, GradcliError):
        return error
    if isinstance(error, MemoryError):
        detail = str(error).split(" with shape", 1)[0]
        return GradcliError(
            Kind.SHAPE,
            "there is not enough memory for this" + (f": {detail}" if detail else ""),
            hint="use smaller arrays, or a machine with more memory",
        )
    if isinstance(error, OSError):
        name = f"'{error.filename}': " if error.filename is not None else ""
        return file_error(f"{name}{reason(error)}")
    text = " ".join(str(error).split())
    text = text if len(text) <= 200 else text[:200] + " …"
    return GradcliError(
        Kind.OPTION,
        f"gradcli itself failed here ({type(error).__name__}: {text})",
        hint="this is a fault of gradcli, not yours. Please report it, with the command that\n"
        "led to it and what it prints when GRADCLI_DEBUG=1 is set",
    )
