"""The examples in README and docs: what they say is run, and what it prints stands below them.

A block ```` ```console ```` holds commands (`$ …`) and the output of each up to the next. A page
comes in; out comes the page with every output as it is now. The commands
of a page run one after the other in one empty folder, so that a later one finds the files of an
earlier one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)

SETS_UP = ("scripts/test", "scripts/bench", "scripts/docs", "git ", "pip ")
"""Commands that are shown to be typed and print nothing worth comparing."""


class MissingToolError(Exception):
    """A command of an example needs a program that is not on this machine."""


def pages(root: Path) -> Iterator[Path]:
    """Every page that a user reads."""
    yield root / "README.md"
    yield from sorted((root / "docs").glob("**/*.md"))


def has_examples(page: Path) -> bool:
    """Whether there is anything to run."""
    return BLOCK.search(page.read_text(encoding="utf-8")) is not None


def refreshed(text: str) -> str:
    """A page's text with the output of every command as it is now.

    Raises `MissingToolError` where a command pipes into a program that is not there.
    """
    with tempfile.TemporaryDirectory() as folder:
        return BLOCK.sub(lambda block: f"```console\n{_run_block(block[1], folder)}```", text)


def without_output(text: str) -> str:
    """A page's text with the commands of its examples alone."""

    def commands(block: re.Match[str]) -> str:
        lines = ("$ " + command.replace("\n", "\n> ") + "\n" for command in _commands(block[1]))
        return f"```console\n{''.join(lines)}```"

    return BLOCK.sub(commands, text)


def _run_block(body: str, folder: str) -> str:
    """The block with its outputs made anew."""
    out = []
    for command in _commands(body):
        out.append("$ " + command.replace("\n", "\n> ") + "\n")
        if not command.startswith(SETS_UP):
            out.append(_output(command, folder))
    return "".join(out)


def _commands(body: str) -> list[str]:
    """The commands of a block; `> ` goes on with the one above."""
    commands: list[str] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            commands.append(line[2:])
        elif line.startswith("> ") and commands:
            commands[-1] += "\n" + line[2:]
    return commands


def _piped_into(command: str) -> Iterator[str]:
    """The programs that a command pipes into; a bar in quotes is none of a pipe."""
    words = iter(shlex.shlex(command, posix=True, punctuation_chars=True))
    for word in words:
        if word == "|":
            yield next(words, "")


_WORD = r"""(?:[\w./=,:@%+^-]|'[^']*'|"[^"$`\\!]*")+"""
SIMPLE = re.compile(rf"(?:gradcli|scripts/run)(?: +{_WORD})*")
"""One call of gradcli whose words a shell only takes out of their quotes."""


def _output(command: str, folder: str) -> str:
    """What a command prints, standard error included, as in a terminal's transcript."""
    said = _called(command, folder) if SIMPLE.fullmatch(command) else None
    said = _said_by_shell(command, folder) if said is None else said
    return "".join(line.rstrip() + "\n" for line in said.splitlines())


def _called(command: str, folder: str) -> str | None:
    """What a simple command prints, called in this process, which is ten times as fast.

    None if it writes to both streams: in which order, only a process of its own can tell.
    """
    from gradcli.cli.app import run  # noqa: PLC0415 - not in the Python that starts
    from gradcli.cli.environment import Environment  # noqa: PLC0415

    environment = Environment.captured(variables={**os.environ, "NO_COLOR": "1"})
    with contextlib.chdir(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run(shlex.split(command)[1:], environment)
    out, err = environment.written()
    return None if out and err else out + err


def _said_by_shell(command: str, folder: str) -> str:
    """What a command prints that a shell runs, with processes of its own."""
    for tool in _piped_into(command):
        if tool != "gradcli" and shutil.which(tool) is None:
            raise MissingToolError(tool)
    # gradcli and scripts/run are this source tree, run by this Python.
    shim = f'{{ PYTHONUTF8=1 "{sys.executable}" -m gradcli "$@"; }}'
    prelude = f"gradcli() {shim}\n"
    script = prelude + command.replace("scripts/run ", "gradcli ").replace(
        "python ", f'"{sys.executable}" '
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.stdout
