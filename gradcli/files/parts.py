"""`--part 2/8`: the share of one of several machines, which need not talk to each other.

The files come in, and the same share of them every time. All shares together are all rows, each
once: whole files, or row groups where there are fewer files than parts, or rows where there are
fewer groups.
"""

from __future__ import annotations

import re
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gradcli.diagnostics.failures import usage_error
from gradcli.files.dataset import Portion, rows_of
from gradcli.files.many import is_url
from gradcli.files.parquet_sizes import rows_of_groups

if TYPE_CHECKING:
    from gradcli.files.many import Found

MOST_PARTS = 1_000_000


class Part(NamedTuple):
    """The part `number` of `parts`, counted from 1."""

    number: int
    parts: int

    def share(self, size: int) -> tuple[int, int]:
        """Where the share of `size` things begins and ends; shares differ by one at most."""
        return (self.number - 1) * size // self.parts, self.number * size // self.parts

    @property
    def ending(self) -> str:
        """What its files' names end in where a file is shared."""
        width = len(str(self.parts))
        return f"-{self.number:0{width}}-of-{self.parts}"


def part_of(text: str) -> Part:
    """What `--part` says. Raises `GradcliError` of kind option."""
    found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", text, re.ASCII)
    if found is None:
        raise usage_error(f"--part takes I/N, not '{text}'", "--part 2/8 is the second of 8 parts")
    part = Part(int(found[1]), int(found[2]))
    if not 1 <= part.number <= part.parts <= MOST_PARTS:
        raise usage_error(
            f"there is no part {part.number} of {part.parts}",
            f"parts are counted from 1: --part 1/{max(part.parts, 1)} is the first",
        )
    return part


def portion(found: Found, part: Part | None) -> Portion:
    """A part of the files or of their rows, else all. Raises if they can't be shared."""
    if part is None:
        return Portion(found.files)
    if len(found.files) >= part.parts:
        start, stop = part.share(len(found.files))
        return Portion(found.files[start:stop])
    if found.form != "parquet" or found.files == ("-",):
        files = len(found.files)
        shared = "1 file can't" if files == 1 else f"{files} files can't"
        raise usage_error(
            f"{shared} be shared by {part.parts} parts: only Parquet files have parts that are "
            "read by themselves",
            "write the points as Parquet, or into as many files",
        )
    counts = found.rows or tuple(map(rows_of, found.files))
    start, stop = _rows(found, part, sum(counts))
    return rows_between(found.files, counts, start, stop)


def rows_between(files: tuple[str, ...], counts: tuple[int, ...], start: int, stop: int) -> Portion:
    """The rows from `start` on and before `stop`; `counts` are the rows of each file."""
    ends = list(accumulate(counts))
    if start >= stop:
        return Portion(files[:1], 0, 0)
    first = next(i for i, end in enumerate(ends) if start < end)
    last = next(i for i, end in enumerate(ends) if stop <= end)
    skip = start - (ends[first] - counts[first])
    within = files[first : last + 1]
    if not skip and stop == ends[last]:
        return Portion(within)
    return Portion(within, skip, stop - start)


def _rows(found: Found, part: Part, total: int) -> tuple[int, int]:
    """The first row of a part, and the one behind its last."""
    ends = [0, *accumulate(_groups(found))]
    if len(ends) > part.parts and ends[-1] == total:
        start, stop = part.share(len(ends) - 1)
        return ends[start], ends[stop]
    return part.share(total)


def _groups(found: Found) -> list[int]:
    """The rows of all row groups; none where they are not known."""
    rows: list[int] = []
    for file in found.files:
        groups = None if is_url(file) else rows_of_groups(Path(file))
        if not groups:
            return []
        rows += groups
    return rows
