"""`%gradcli` and `%%gradcli` in IPython, after `%load_ext gradcli`.

The line is that of the shell: `%gradcli eval "x^2" --x 3`. Of a cell the text is the program, so
that it needs no quotes. A page or a picture is shown in the notebook, everything else is printed.
"""

from __future__ import annotations

import shlex
import sys
from typing import Any

from gradcli.cli.app import run
from gradcli.cli.environment import Environment
from gradcli.cli.registry import COMMANDS
from gradcli.display import Page

COLUMNS = 100


def load_ipython_extension(ipython: Any) -> None:
    """Register the magics with an IPython shell: what `%load_ext gradcli` calls."""

    def gradcli(line: str, cell: str | None = None) -> None:
        """Run a gradcli command; the text of a cell is its program."""
        _run(line, cell)

    ipython.register_magic_function(gradcli, magic_kind="line_cell", magic_name="gradcli")


def _run(line: str, cell: str | None) -> None:
    try:
        words = shlex.split(line)
    except ValueError as error:
        sys.stderr.write(f"error: {str(error).lower()} in the line of %gradcli\n")
        return
    if cell is not None:
        if not words or words[0] not in COMMANDS:
            words.insert(0, "eval")
        words.insert(1, "-")
    content = (cell or "").encode()
    environment = Environment.captured(content, columns=COLUMNS)
    run(words, environment)
    out, err = environment.written()
    _show(out)
    sys.stderr.write(err)


def _show(out: str) -> None:
    """Print a text; show a page or a picture."""
    if not out.startswith(("<!doctype html>", "<?xml", "<svg")):
        sys.stdout.write(out)
        return
    from IPython.display import SVG, display  # noqa: PLC0415 - only inside IPython

    display(Page(out, "") if out.startswith("<!doctype") else SVG(out))  # type: ignore[no-untyped-call]
