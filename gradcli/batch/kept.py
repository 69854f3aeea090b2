"""Compiled code kept on disk between runs: bytes come in under a key, a path to load comes out.

Code that is loaded runs, so the folder and its files must belong to the user and be writable by
the user alone. A file's name has the hash of what is in it, which is looked at before it is loaded.
Files are written under another name and then renamed: processes that build the same at the same
time don't see each other's halves.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

FOLDER = "GRADCLI_CACHE"
"""The variable with the folder, or with `off`."""
MOST = 500
"""Files that are kept; then the older half goes."""


def folder() -> Path | None:
    """The folder of compiled code, made if it isn't there; None where nothing can be kept."""
    given = os.environ.get(FOLDER, "")
    if given == "off" or not hasattr(os, "geteuid"):
        return None
    try:
        path = Path(given).expanduser() if given else _usual()
        if not path.is_absolute():
            return None
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return path if _own(path) else None


def _usual() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "gradcli"
    base = os.environ.get("XDG_CACHE_HOME", "")
    # a relative one is to be ignored, says the XDG specification
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "gradcli"


def _own(path: Path) -> bool:
    """Whether a folder or file is the user's, and only the user may write to it."""
    try:
        found = path.lstat()
    except OSError:
        return False
    kind = stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)
    others = stat.S_IWGRP | stat.S_IWOTH
    return kind and found.st_uid == os.geteuid() and not found.st_mode & others


def find(key: str) -> Path | None:
    """The file kept under a key, if it is whole and the user's."""
    place = folder()
    if place is None:
        return None
    for path in sorted(place.glob(f"{key}-*.so")):
        with suppress(OSError):
            if _own(path) and path.name == _name(key, path.read_bytes()):
                return path
    return None


def keep(key: str, content: bytes) -> Path | None:
    """Write a file under a key; None where that can't be done."""
    place = folder()
    if place is None:
        return None
    path = place / _name(key, content)
    try:
        number, temporary = tempfile.mkstemp(dir=place, prefix=".new-")  # for the user alone
    except OSError:
        return None
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except OSError:
        with suppress(OSError):
            Path(temporary).unlink()
        return None
    for other in place.glob(f"{key}-*.so"):  # what was there is not whole
        if other != path:
            _remove(other)
    _make_room(place)
    return path


def _name(key: str, content: bytes) -> str:
    return f"{key}-{sha256(content).hexdigest()[:32]}.so"


def _make_room(place: Path) -> None:
    with suppress(OSError):
        files = list(place.glob("*.so"))
        if len(files) > MOST:
            for path in sorted(files, key=lambda path: path.stat().st_mtime)[: MOST // 2]:
                _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
