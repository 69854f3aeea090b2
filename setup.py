"""What pyproject.toml can't say: the parser's tables and the man pages are built with the package.

`gradcli.syntax.tables.build()` turns the grammar into bytes that load in a millisecond, where
building the parser anew costs more than all the rest of a small command. They go next to the
grammar: into the wheel, or, for an editable install, into this folder's `grammar/`, where git
ignores them.

At run time the tables may be missing (the parser is built from the grammar then), so nobody
would notice that a package had been built without them. That is why a failure here stops the
build. It is also why this is a sub-command of its own and no `build_py` subclass: setuptools
turns errors of such a subclass into warnings when the install is editable.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import ClassVar

from setuptools import Command, setup
from setuptools.command.build import build

HERE = Path(__file__).resolve().parent
GRAMMAR = HERE / "grammar"
TABLES = "gradcli.tables"


class Build(build):
    """The usual build, and the tables and man pages at its end."""

    sub_commands = [  # noqa: RUF012 - as in setuptools
        *build.sub_commands,
        ("build_tables", None),
        ("build_man", None),
    ]


class BuildTables(Command):
    """Write the parser's tables next to the grammar."""

    description = "build the parser's tables"
    user_options: ClassVar[list[tuple[str, str, str]]] = []

    build_lib: str | None
    editable_mode: bool

    def initialize_options(self) -> None:
        """Before the options are known."""
        self.build_lib = None
        self.editable_mode = False  # setuptools sets it for editable installs

    def finalize_options(self) -> None:
        """Take the folder that the packages are built in."""
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    def run(self) -> None:
        """Build and write the tables."""
        write_whole(self._target(), parser_tables())

    def get_source_files(self) -> list[str]:
        """What the tables are made from; it is in the source distribution by other rules."""
        return []

    def get_outputs(self) -> list[str]:
        """The files that this command writes."""
        return [str(self._target())]

    def get_output_mapping(self) -> dict[str, str]:
        """No output is the copy of a source."""
        return {}

    def _target(self) -> Path:
        if self.editable_mode or self.build_lib is None:
            return GRAMMAR / TABLES
        return Path(self.build_lib, "gradcli", "grammar", TABLES)


class BuildMan(Command):
    """Write the man pages, and have them installed into `share/man/man1`."""

    description = "build the man pages"
    user_options: ClassVar[list[tuple[str, str, str]]] = []

    build_base: str | None
    editable_mode: bool

    def initialize_options(self) -> None:
        """Before the options are known."""
        self.build_base = None
        self.editable_mode = False  # setuptools sets it for editable installs

    def finalize_options(self) -> None:
        """Take the folder that everything is built in."""
        self.set_undefined_options("build", ("build_base", "build_base"))

    def run(self) -> None:
        """Write the pages; the command that installs data finds them in `data_files`."""
        folder = Path(self.build_base or "build", "man1")
        written = []
        for name, text in man_pages().items():
            write_whole(folder / name, text.encode("ascii"))
            written.append(str(folder / name))
        self.distribution.data_files = [("share/man/man1", written)]

    def get_source_files(self) -> list[str]:
        """What the pages are made from; it is in the source distribution by other rules."""
        return []

    def get_outputs(self) -> list[str]:
        """No file of a package."""
        return []

    def get_output_mapping(self) -> dict[str, str]:
        """No output is the copy of a source."""
        return {}


def man_pages() -> dict[str, str]:
    """The man pages of the commands in this folder: their declarations need no other package."""
    sys.path.insert(0, str(HERE))
    pages: dict[str, str] = import_module("gradcli.cli.man").pages()
    return pages


def parser_tables() -> bytes:
    """The tables of the grammar in this folder, whatever gradcli may be installed elsewhere."""
    sys.path.insert(0, str(HERE))
    import_module("gradcli")
    # In this folder the package `gradcli.grammar` is the folder `grammar`: see `package-dir`.
    spec = spec_from_file_location("gradcli.grammar", GRAMMAR / "__init__.py")
    if spec is None:
        raise FileNotFoundError(GRAMMAR)
    sys.modules["gradcli.grammar"] = module_from_spec(spec)
    tables: bytes = import_module("gradcli.syntax.tables").build()
    if not tables:
        raise ValueError("the parser's tables are empty")
    return tables


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)


if __name__ == "__main__":
    setup(cmdclass={"build": Build, "build_tables": BuildTables, "build_man": BuildMan})
