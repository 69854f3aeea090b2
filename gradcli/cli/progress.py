"""A bar on standard error, while something takes long."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gradcli.cli.environment import Environment
from gradcli.files.ending import undone_at_the_end


@contextmanager
def progress(
    outside: Environment,
    total: Callable[[], int | None],
    done: str,
    *,
    doing: str = "",
    to_terminal: bool = False,
) -> Iterator[Callable[[int], object]]:
    """A function that counts what is done; a bar shows it, where standard error is a terminal.

    There is none where the results go to the same terminal. `done` is how the count is written.
    """
    stderr = outside.stderr
    if stderr is None or not stderr.isatty() or (to_terminal and outside.columns is not None):
        yield lambda _count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    def show_cursor() -> None:
        os.write(stderr.fileno(), b"\r\x1b[2K\x1b[?25h")

    columns = [TextColumn(doing)] if doing else []
    console = Console(file=stderr, no_color=bool(outside.variables.get("NO_COLOR")))
    bar = Progress(
        *columns,
        BarColumn(),
        TextColumn(done),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with undone_at_the_end(lambda: None, show_cursor), bar:
        task = bar.add_task(doing, total=total())
        yield lambda count: bar.advance(task, count)
