"""Make or update `.venv`: the slow half of `_environment.py`.

What comes in is a need, what goes out is an environment that has it and the stamps that say so;
if that can't be had, the process ends with 2 and a message that says what to do. Nothing is
written to standard output. Standard error says what is being done and for how long already: a line
for each stage, and on a terminal one line that changes with each package.

Two scripts may start at once, and any may be killed at any moment. A lock makes the second wait
and then find the work done. A file that stands in `.venv` for as long as pip works says, when it
is found there by the next, that somebody was killed at it: what he left is thrown away, since a
package that was installed by half looks whole to pip.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import IO, NoReturn

from _environment import PYTHON, ROOT, RUN, TEST, VENV, is_ready, stamp_path, wanted_stamp

REQUIREMENT = {RUN: ".", TEST: ".[dev]"}
LOCK = Path(VENV, "gradcli.lock")
UNFINISHED = Path(VENV, "gradcli-unfinished")


def set_up(need: str) -> None:
    """Make the environment ready for `need`, or end the process."""
    try:
        with locked():
            if not is_ready(need):
                say("gradcli: setting up .venv, once; it takes a minute or two …")
                make_ready(need)
                stage("done")
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        stop(f"can't set up {VENV}: {error}")


def make_ready(need: str) -> None:
    """Make or update the environment, and write the stamps last."""
    stamp = wanted_stamp()  # taken first: a change of the sources meanwhile is for the next time
    if not is_usable():
        make_empty()
    UNFINISHED.touch()
    install(need)
    write_stamp(need, stamp)
    if need == TEST:  # what testing needs includes what running needs
        write_stamp(RUN, stamp)
    UNFINISHED.unlink()


def is_usable() -> bool:
    """Whether there is an environment that pip can work on, of the version of this Python."""
    if UNFINISHED.exists() or not Path(PYTHON).exists():
        return False
    asked = run([PYTHON, "-I", "-c", "import pip, sys; print(*sys.version_info[:2])"])
    return asked.returncode == 0 and asked.stdout.split() == [str(n) for n in sys.version_info[:2]]


def make_empty() -> None:
    """An environment with nothing but pip, whatever was there before."""
    for module in ("venv", "ensurepip"):
        if find_spec(module) is None:
            stop(
                f"this Python ({sys.executable}) has no module {module!r}, which makes .venv.\n"
                "On Debian and Ubuntu it is in a package of its own: sudo apt install python3-venv"
            )
    import venv  # noqa: PLC0415 - on some systems it is missing

    for entry in Path(VENV).iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != LOCK:
            entry.unlink()
    UNFINISHED.touch()
    stage("making an environment for Python")
    try:
        venv.create(VENV, with_pip=True, symlinks=os.name != "nt")
    except subprocess.CalledProcessError as error:
        stop(f"python -m venv failed: {(error.output or b'').decode(errors='replace')}{error}")


def install(need: str) -> None:
    """The project itself, editable, and what it needs. What pip prints is shown if it fails."""
    pip = [PYTHON, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    stage("looking for the packages that gradcli needs")
    done = run([*pip, "--editable", REQUIREMENT[need]], Progress().line)
    if done.returncode != 0:
        say(done.stdout.rstrip())
        stop("pip could not install what gradcli needs (its output is above)")
    stage("compiling gradcli")
    # Bytecode of gradcli itself, for those who switch off that Python writes it as it goes.
    run([PYTHON, "-I", "-m", "compileall", "-q", "gradcli"])


def write_stamp(need: str, stamp: bytes) -> None:
    """Write the stamp so that nobody ever reads half of it."""
    path = Path(stamp_path(need))
    unfinished = path.with_suffix(".new")
    unfinished.write_bytes(stamp)
    unfinished.replace(path)


def run(
    command: list[str], seen: Callable[[str], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program in the project's folder, with its output kept and no input.

    `seen` is called with each line of the output as it comes.
    """
    with subprocess.Popen(
        command,
        cwd=ROOT,
        close_fds=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as program:
        assert program.stdout is not None
        kept = []
        for line in program.stdout:
            kept.append(line)
            if seen is not None:
                seen(line)
    return subprocess.CompletedProcess(command, program.returncode, "".join(kept))


STARTED = time.monotonic()


def stage(what: str, *, passing: bool = False) -> None:
    """Say what is being done now, and how long it has taken so far.

    What is `passing` is shown on a terminal alone, in a line that the next one overwrites.
    """
    text = f"  {time.monotonic() - STARTED:4.0f} s  {what}"
    if not sys.stderr.isatty():
        if not passing:
            say(text)
        return
    cleared = "\r\x1b[K"
    sys.stderr.write(f"{cleared}{text[:78]}" if passing else f"{cleared}{text}\n")
    sys.stderr.flush()


class Progress:
    """How far pip is, told by the lines that it prints."""

    def __init__(self) -> None:
        self.found = 0

    def line(self, line: str) -> None:
        """Take note of a line of pip's."""
        first, _, rest = line.strip().partition(" ")
        if first == "Collecting":
            self.found += 1
            stage(f"package {self.found}: {re.split(r'[^-.A-Za-z0-9_]', rest)[0]}", passing=True)
        elif first == "Downloading":
            stage(f"package {self.found}: fetching {rest.rpartition('/')[2]}", passing=True)
        elif line.startswith("Installing collected packages"):
            number = line.count(",") + 1
            stage(f"installing {number} package{'s' * (number > 1)}")


@contextmanager
def locked() -> Iterator[None]:
    """Hold the lock of the environment; whoever comes second waits here."""
    Path(VENV).mkdir(exist_ok=True)
    with LOCK.open("a+b") as file:
        acquire(file)
        yield
        # Closing the file lets go of the lock, and so does the end of the process, however it ends.


def acquire(file: IO[bytes]) -> None:
    """Wait until nobody else has the lock."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - Windows only

        while True:
            try:
                file.seek(0)
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            except OSError:  # somebody has held it for ten seconds
                continue
            return
    else:
        import fcntl  # noqa: PLC0415 - POSIX only

        fcntl.flock(file, fcntl.LOCK_EX)
        # pip inherits the lock: it may outlive this process, and nobody should come between.
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003


def say(line: str) -> None:
    """One line to standard error, in characters that it has."""
    encoding = sys.stderr.encoding or "ascii"
    text = line.encode(encoding, "replace").decode(encoding)
    print(text, file=sys.stderr, flush=True)


def stop(message: str) -> NoReturn:
    """End the process with 2 and a message."""
    say(f"gradcli: {message}")
    sys.exit(2)
