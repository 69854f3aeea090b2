"""The project's own environment, `.venv`, as the scripts in this folder see it.

What comes in is what a script needs (`RUN`: gradcli itself; `TEST`: the tools too), what goes
out is the path of a Python that has it. `scripts/run` goes through here each time, so this
module imports almost nothing; the slow part, making or updating the environment, is in
`_setup.py` and is imported only when there is something to do.

Whether there is something to do is told by a stamp in `.venv`: a copy of everything that the
environment was made from. It is written last, so an interrupted set-up leaves none. A copy and
no hash, since comparing a few kilobytes takes less time than importing a hash function.

The environment belongs to the Python that runs the script: `python3.13 scripts/test` on an
environment made by Python 3.12 makes it anew.
"""

import os
import sys

# Old Pythons come as far as this: the lines above, and the grammar of those below, are theirs.
if sys.version_info < (3, 11):
    sys.stderr.write(
        f"gradcli needs Python 3.11 or newer, and this is {sys.version.split()[0]}"
        f" ({sys.executable}).\nStart the script with a newer one: python3.12 {sys.argv[0]}\n"
    )
    sys.exit(2)

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))

RUN = "run"
TEST = "test"

# What the environment is made from. The grammar and the modules that make and save the parser's
# tables are here because an editable install writes these tables.
SOURCES = (
    "pyproject.toml",
    "setup.py",
    "grammar/gradcli.lark",
    "gradcli/syntax/from_grammar.py",
    "gradcli/syntax/tables.py",
)


def python_for(need: str) -> str:
    """The environment's Python, once it has what `need` asks for; exits with 2 if it can't."""
    if not is_ready(need):
        from _setup import set_up  # noqa: PLC0415 - rarely needed

        set_up(need)
    return PYTHON


def is_ready(need: str) -> bool:
    """Whether the environment is whole, and made from what is in the folder now."""
    return os.path.exists(PYTHON) and read(stamp_path(need)) == wanted_stamp()


def stamp_path(need: str) -> str:
    """The file that says what the environment was made from."""
    return os.path.join(VENV, f"gradcli-{need}.stamp")


def wanted_stamp() -> bytes:
    """What the stamp says of an environment made now: its place, its Python, its sources."""
    made_by = f"{ROOT}\n{sys.version_info[0]}.{sys.version_info[1]}\n"
    sources = [read(os.path.join(ROOT, name)) for name in SOURCES]
    return b"\0".join([os.fsencode(made_by), *sources])


def read(path: str) -> bytes:
    """The content of a file; of one that isn't there, nothing."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def become(command: list[str]) -> int:
    """Run a program in place of this one; where there is no such thing, run it and wait.

    The streams are the program's own, untouched, and so are signals: where this process has to
    stay, it leaves Ctrl-C to the program and ends with its exit code.
    """
    if os.name != "nt":
        os.execv(command[0], command)
    import subprocess  # noqa: PLC0415 - it takes longer to import than all the rest

    # UTF-8 for redirected streams too, where the system's habit is another.
    environment = {"PYTHONUTF8": "1", **os.environ}
    with subprocess.Popen(command, env=environment) as program:
        while True:
            try:
                return program.wait()
            except KeyboardInterrupt:
                continue
