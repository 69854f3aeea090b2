"""The command line: arguments, files, streams and exit codes, and no mathematics.

The way of a command: `door` finds it and reads its options (`parameters`), which `argv` has told
from the inputs' values before; the command's function (`eval`, `check`, `ops`, a file each) asks
`inputs` for the program and its point, lets `gradcli.program` compute and `gradcli.report`
write; and what it returns, an `Outcome`, `app` sends where it belongs. A new command is one
such file and a line in `registry.COMMANDS`.

Importing this module imports nothing else: what a signal does is settled before anything is.
"""

from __future__ import annotations

INTERRUPTED = 130


def main() -> None:
    """Run the command line on the process's arguments and streams, and end the process."""
    from gradcli.files import ending

    ending.watch()
    import gc
    import os
    import sys
    import warnings

    from gradcli.cli.blas import bound_threads

    # The process ends when its one job is done, and what an evaluation makes is a few large
    # lists without cycles. Looking for garbage while modules are imported, and once more through
    # everything at the end, would take a fifth of a small command's time.
    gc.disable()
    bound_threads(sys.argv[1:], os.environ)
    if not sys.warnoptions:  # a library's remarks are for its programmers; -W shows them
        warnings.simplefilter("ignore")
    try:
        from gradcli.cli.app import run
        from gradcli.cli.environment import Environment

        code = run(sys.argv[1:], Environment.of_process())
    except KeyboardInterrupt:
        code = INTERRUPTED
    gc.freeze()
    sys.exit(code)


__all__ = ["main"]
