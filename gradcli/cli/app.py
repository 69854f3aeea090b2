"""gradcli as a whole: a command line comes in, an exit code goes out.

`run` takes arguments and an environment and returns the exit code. Every failure
ends there: an outcome is written, an error is printed, and nothing is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from gradcli.cli import INTERRUPTED
from gradcli.cli.command import Outcome
from gradcli.cli.environment import Environment, color_choice, said

if TYPE_CHECKING:
    from gradcli.diagnostics.error import GradcliError

COMPLETE = "_GRADCLI_COMPLETE"
"""The variable by which a shell asks for completion instead of a command."""


def run(arguments: Sequence[str], environment: Environment) -> int:
    """Run one command line and return its exit code. Raises nothing."""
    try:
        outcome = _outcome(arguments, environment)
        if isinstance(outcome, int):
            return outcome
        deliver(outcome, environment)
        return outcome.exit_code()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as exception:  # noqa: BLE001 - whatever it is, it is printed as an error
        return _complain(exception, arguments, environment)


def _outcome(arguments: Sequence[str], environment: Environment) -> Outcome | int:
    """The result of the command: an outcome to be delivered, or the exit code of what it did."""
    if environment.variables.get(COMPLETE):
        from gradcli.cli.completion import outcome

        return outcome(environment.variables, COMPLETE)
    from gradcli.cli import door

    return door.outcome(arguments, environment)


def deliver(outcome: Outcome, environment: Environment) -> None:
    """Write an outcome to its file or to standard output. Raises `GradcliError`."""
    from gradcli.files import files

    if outcome.file is not None:
        files.write_whole(outcome.file, outcome.text)
    elif outcome.quiet:
        for _ in outcome.text:
            pass  # the exit code may depend on what the text is made of
    else:
        try:
            environment.write(outcome.text)
        except OSError as error:
            raise files.unwritable("standard output", error) from error


def _complain(exception: Exception, arguments: Sequence[str], environment: Environment) -> int:
    """Print an exception as an error and return its exit code."""
    error = _as_gradcli_error(exception)
    if environment.variables.get("GRADCLI_DEBUG") and error is not exception:
        import traceback

        environment.complain("".join(traceback.format_exception(exception)).rstrip())
    wants_json = {"--json", "--pretty"} & {*takewhile("--".__ne__, arguments)}
    as_json = bool(wants_json) or "json" in said(arguments, "--format", "--to")
    environment.explain(error, color_choice(arguments), json=as_json)
    return int(error.exit_code)


def _as_gradcli_error(error: Exception) -> GradcliError:
    """Any exception as an error that can be printed: of files, of memory, of gradcli itself."""
    from gradcli.diagnostics.error import GradcliError, Kind
    from gradcli.diagnostics.failures import file_error, reason

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
