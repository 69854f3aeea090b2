"""The lowest versions that pyproject.toml allows, in an environment of their own.

`scripts/test --lowest` runs the tests there. The environment is made anew each time, in
`.venv-lowest`, with a copy of the project in it: an editable install writes the parser's tables,
and those that an old Lark makes are for this environment alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _environment import ROOT

FOLDER = Path(ROOT, ".venv-lowest")
SOURCE = FOLDER / "source"
NOT_SOURCE = shutil.ignore_patterns(".git", ".venv*", ".*_cache", "__pycache__", "*.tables")
BOUND = re.compile(r"([\w.-]+)(\[[\w,.-]+\])?>=([\w.]+)(,<[\w.]+)?(\s*;.*)?")
"""A requirement as this project writes it: a name, a lower bound, for some an upper one."""


def requirements(metadata: dict[str, Any]) -> Iterator[str]:
    """Every requirement of the package, its extras and its build, but for the package itself."""
    project = metadata["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    for group in [*groups, metadata["build-system"]["requires"]]:
        yield from (r for r in group if not r.startswith(f"{project['name']}["))


def lowest(requirement: str) -> str:
    """The requirement of the lower bound itself. Raises `ValueError` where there is none."""
    found = BOUND.fullmatch(requirement)
    if found is None:
        raise ValueError(f"pyproject.toml: {requirement!r} has no lower bound")
    name, _, version, _, marker = found.groups()
    return f"{name}=={version}{marker or ''}"


def python_with_lowest() -> str:
    """Make the environment; its Python. Raises `CalledProcessError` where versions don't fit."""
    metadata = tomllib.loads(Path(ROOT, "pyproject.toml").read_text("utf-8"))
    shutil.rmtree(FOLDER, ignore_errors=True)
    venv.create(FOLDER, with_pip=True)
    shutil.copytree(ROOT, SOURCE, ignore=NOT_SOURCE)
    constraints = FOLDER / "lowest.txt"
    lines = sorted({lowest(requirement) for requirement in requirements(metadata)})
    constraints.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    (python,) = [p for p in FOLDER.glob("*/python*") if p.stem == "python"]
    pip = [str(python), "-m", "pip", "install", "--quiet", "--constraint", str(constraints)]
    subprocess.run([*pip, "setuptools", "lark"], check=True)
    subprocess.run([*pip, "--no-build-isolation", "--editable", ".[test]"], cwd=SOURCE, check=True)
    return str(python)
