"""What goes wrong outside of the language, as errors of the one kind that can be printed.

Typer's usage errors, the system's errors with files, a lack of memory and a mistake in gradcli
itself all become a `GradcliError` here. `gradcli.diagnostics.error` prints it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcli.diagnostics.failures import file_error, reason, usage_error
from gradcli.diagnostics.suggestion import did_you_mean

if TYPE_CHECKING:
    from gradcli.diagnostics.error import GradcliError


def as_gradcli_error(error: Exception) -> GradcliError:
    """Any exception as an error that can be printed."""
    from gradcli.diagnostics.error import GradcliError, Kind

    if isinstance(error, GradcliError):
        return error
    if hasattr(error, "format_message"):
        return _typer_error(error)
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
    return GradcliError(
        Kind.OPTION,
        f"gradcli itself failed here ({type(error).__name__}: {_shortened(str(error))})",
        hint="this is a fault of gradcli, not yours. Please report it, with the command that\n"
        "led to it and what it prints when GRADCLI_DEBUG=1 is set",
    )


def _typer_error(error: Any) -> GradcliError:
    """A usage error of Typer's: most often a value of the wrong type."""
    parameter = getattr(error, "param", None)
    message = str(getattr(error, "message", "") or error.format_message()).strip().rstrip(".")
    if parameter is None or not parameter.opts:
        return usage_error(message[:1].lower() + message[1:])
    name, kind = parameter.opts[0], parameter.type
    value = message.partition(" is not ")[0].strip("'")
    choices = [str(choice) for choice in getattr(kind, "choices", ())]
    if choices:
        listed = f"{', '.join(choices[:-1])} or {choices[-1]}"
        return usage_error(f"{name} takes {listed}, not '{value}'", did_you_mean(value, choices))
    numbers = {"int": "a whole number", "float": "a number"}
    for type_name, what in numbers.items():
        if kind.name.startswith(type_name):
            return usage_error(f"{name} takes {what}{_range(kind)}, not '{value}'")
    return usage_error(f"{name}: {message}")


def _range(kind: Any) -> str:
    """The range of a number type of Typer's, in words."""
    least, most = getattr(kind, "min", None), getattr(kind, "max", None)
    if least is not None and most is not None:
        return f" from {least:g} to {most:,.12g}"
    return f" from {least:g} on" if least is not None else ""


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else text[:200] + " …"
