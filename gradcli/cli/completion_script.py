"""`--install-completion` and `--show-completion`: the scripts that shells load are Typer's.

What they call while a line is typed is `cli.completion`, which needs no Typer.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import typer

from gradcli.diagnostics.failures import usage_error

SHELLS = "bash, zsh, fish or powershell"


def installed_or_shown(words: Sequence[str]) -> int:
    """Install completion for a shell, or print its script. Raises `GradcliError`."""
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.callback(invoke_without_command=True)
    def gradcli() -> None:
        """Typer's scripts are named after the program."""

    if len(words) > 1:  # a shell is named, so Typer need not look for one
        os.environ["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    group = typer.main.get_command(app)
    try:
        code = group.main(args=list(words), prog_name="gradcli", standalone_mode=False)
    except SystemExit as ended:
        code = ended.code
    except Exception as error:  # Typer's own class of usage errors has no public name
        if not hasattr(error, "format_message"):
            raise
        code = 2
    if code not in (0, None):
        option, *shell = words
        said = f"'{shell[0]}'" if shell else "this shell"
        raise usage_error(
            f"there is no completion for {said}",
            f"there is one for {SHELLS}: gradcli {option} bash",
        )
    return 0
