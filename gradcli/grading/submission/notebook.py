"""The code cells of a notebook as one listing.

The JSON of an `.ipynb` comes in; a text goes out, the code cells one after the other, with the
line at which each begins, so that an error can name the cell. Outputs are not looked at.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source
from gradcli.grading.submission.tables import Object, parsed

_OTHER_LANGUAGE = re.compile(
    r"\s*%%(?:bash|sh|html|javascript|js|latex|markdown|writefile|file|perl|ruby|svg|cython|R)\b"
)
_LINE = re.compile(r"line (\d+): ")


@dataclass(frozen=True)
class Notebook:
    """The text of all code cells, and of each cell its number and first line in the text."""

    text: str
    cells: tuple[tuple[int, int], ...]

    def located(self, error: GradcliError) -> GradcliError:
        """The error with the cell in front: 'cell 3, line 2: …'."""
        found = _LINE.match(error.message)
        if found is None or not self.cells:
            return error
        line = int(found[1])
        number, first = self.cells[bisect_right([c[1] for c in self.cells], line) - 1]
        error.message = f"cell {number}, line {line - first + 1}: {error.message[found.end() :]}"
        return error


def read_notebook(source: Source) -> Notebook:
    """The code cells. Raises `GradcliError` of kind submission for what is no notebook."""
    tree = parsed(source)
    cells = dict(tree).get("cells") if isinstance(tree, Object) else None
    if not isinstance(cells, list):
        raise _damaged(source, "it has no list of cells")
    texts: list[str] = []
    starts: list[tuple[int, int]] = []
    line = 1
    for number, cell in enumerate(cells, start=1):
        parts = dict(cell) if isinstance(cell, Object) else None
        if parts is None:
            raise _damaged(source, f"cell {number} is no object")
        if parts.get("cell_type") != "code":
            continue
        text = _text(parts.get("source"))
        if text is None:
            raise _damaged(source, f"cell {number} has no text")
        if _OTHER_LANGUAGE.match(text):
            continue
        starts.append((number, line))
        texts.append(text)
        line += text.count("\n") + 1
    return Notebook("\n".join(texts), tuple(starts))


def is_notebook(tree: Any) -> bool:
    """Whether a JSON value looks like a notebook."""
    return isinstance(tree, Object) and {"cells", "nbformat"} <= {key for key, _ in tree}


def _text(source: Any) -> str | None:
    """The text of a cell, which is a string or a list of strings."""
    lines = source if isinstance(source, list) and not isinstance(source, Object) else [source]
    if not all(type(line) is str for line in lines):  # a number is a str too, of its digits
        return None
    return "".join(lines).replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")


def _damaged(source: Source, why: str) -> GradcliError:
    what = f"'{source.name}'" if source.name else "this"
    return GradcliError(Kind.SUBMISSION, f"{what} is no notebook: {why}")
