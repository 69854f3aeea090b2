"""A folder of submissions: which files were handed in, and by whom.

A file in the folder belongs to the student of its name, one in a subfolder to the student that
the subfolder is named after, as learning platforms pack them. What can't be a submission (hidden
files, the task, the list of marks itself) is passed over; a link that leaves the folder is found
and refused, so that every student is marked on their own files.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gradcli.diagnostics.failures import file_error, reason

if TYPE_CHECKING:
    from gradcli.grading.exercise.classroom import Mark, Submitted

NOT_HANDED_IN = {"thumbs.db", "desktop.ini"}


def found(folder: str, others: Iterable[str | None]) -> tuple[list[Submitted], list[Mark]]:
    """The submissions in order, and marks for what is none but can't be passed over either.

    `others` are files that are no submissions. Raises `GradcliError` of kind file.
    """
    from gradcli.grading.exercise.classroom import Submitted, failed

    others_ = {os.path.realpath(other) for other in others if other is not None}
    submissions: list[Submitted] = []
    refused: list[Mark] = []
    for entry in _listed(folder):
        if not _is_folder(entry):
            if os.path.realpath(entry.path) not in others_ or entry.is_symlink():
                submissions.append(Submitted(Path(entry.name).stem, entry.path, entry.name))
            continue
        as_one = Submitted(entry.name, entry.path, entry.name + "/")
        if entry.is_symlink():
            refused.append(failed(as_one, "is a link to a folder, which is not followed"))
            continue
        try:
            for file in _listed(entry.path):
                one = Submitted(entry.name, file.path, f"{entry.name}/{file.name}")
                if _is_folder(file):
                    refused.append(failed(one, "is a folder in a folder, which is not looked into"))
                else:
                    submissions.append(one)
        except OSError as error:
            refused.append(failed(as_one, f"can't be read: {reason(error)}"))
    if not submissions and not refused:
        raise file_error(f"there are no submissions in '{folder}'")
    return submissions, refused


def _listed(folder: str) -> Iterator[os.DirEntry[str]]:
    """What is in a folder, in order, without what the system or an editor has put there."""
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        raise file_error(f"there is no folder '{folder}'") from None
    except NotADirectoryError:
        raise file_error(f"'{folder}' is a file, not a folder of submissions") from None
    for entry in listed:
        hidden = entry.name.startswith((".", "__", "~$")) or entry.name.endswith("~")
        if not hidden and entry.name.lower() not in NOT_HANDED_IN:
            yield entry


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return stat.S_ISDIR(entry.stat().st_mode)
    except OSError:  # a link to nowhere
        return False
