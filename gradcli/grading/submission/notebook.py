"""The code cells of a notebook as one listing.

The JSON of an `.ipynb` comes in; a `Listing` goes out, the code cells one after the other, with the
line at which each begins, so that an error can name the cell. Outputs, attachments, metadata and
the text of other cells, where pictures are, are taken out of the bytes before anything reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import submission_error
from gradcli.diagnostics.source import Source
from gradcli.grading.submission.tables import Object, parsed
from gradcli.grading.submission.types import Listing

_OTHER_LANGUAGE = re.compile(
    r"\s*%%(?:bash|sh|html|javascript|js|latex|markdown|writefile|file|perl|ruby|svg|cython|R)\b"
)
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"(\s*+:)?|[\[\]{}]', re.DOTALL)
"""A string, with the colon that makes it a key, or a bracket."""
_CELLS, _KIND, _SOURCE, _CODE = b'"cells"', b'"cell_type"', b'"source"', b'"code"'
_READ = {
    1: frozenset({b'"metadata"'}),
    3: frozenset({b'"outputs"', b'"attachments"', b'"metadata"', _KIND, _SOURCE}),
}
"""The keys that are looked at, by how many brackets are open around them."""


def read_notebook(source: Source) -> Listing:
    """The code cells. Raises `GradcliError` of kind submission for what is no notebook."""
    tree = parsed(source)
    parts = dict(tree) if isinstance(tree, Object) else {}
    if not isinstance(parts.get("cells"), list):
        old = "worksheets" in parts
        why = "its format is of before 2015: open it and save it anew" if old else None
        raise _damaged(source, why or "it has no list of cells")
    texts: list[str] = []
    starts: list[tuple[int, int]] = []
    line = 1
    for number, cell in enumerate(parts["cells"], start=1):
        if not isinstance(cell, Object):
            raise _damaged(source, f"cell {number} isn't an object")
        of = dict(cell)
        if of.get("cell_type") != "code":
            continue
        text = _text(of.get("source"))
        if text is None:
            raise _damaged(source, f"cell {number} has no text")
        if not _OTHER_LANGUAGE.match(text):
            starts.append((number, line))
            texts.append(text)
            line += text.count("\n") + 1
    return Listing(Source("\n".join(texts), source.name), tuple(starts))


def code_only(content: bytes) -> bytes:
    """The bytes of a notebook in UTF-8 without what is no code; its lines keep their numbers.

    What is no JSON, or no notebook, comes out with nothing, or too little, taken out.
    """
    parts: list[bytes] = []
    at = 0
    for start, end in sorted(_unread(content)):
        parts += content[at:start], b'""', b"\n" * content.count(b"\n", start, end)
        at = end
    return b"".join((*parts, content[at:])) if parts else content


def _unread(content: bytes) -> Iterator[tuple[int, int]]:
    """The places of values that are not read."""
    depth = 0
    top = b""  # the key that is open in the outermost object
    waiting: tuple[bytes, int] | None = None  # a key, and where its value begins
    within: tuple[bytes, int, int] | None = None  # a key, its depth, the begin of its value
    kind, source = _CODE, (0, 0)  # of the cell
    for token in _TOKEN.finditer(content):
        if token[1] is not None:
            if within is None and depth in _READ:
                waiting = token[0][: -len(token[1])], token.end()
                top = waiting[0] if depth == 1 else top
            continue
        first = content[token.start()]
        opened, closed = first in b"[{", first in b"]}"
        if within is None and waiting is not None and not closed:
            key, begin = waiting
            known = key in _READ[depth] and (depth == 1 or top == _CELLS)
            if known and not content[begin : token.start()].strip():
                within = key, depth, token.start()
        waiting = None
        depth += opened - closed
        if within is not None and depth <= within[1]:
            (key, _, begin), within = within, None
            if key == _SOURCE:
                source = begin, token.end()
            elif key == _KIND:
                kind = token[0]
            else:
                yield begin, token.end()
        elif within is None and closed and depth == 2:
            if kind != _CODE and source[1]:
                yield source
            kind, source = _CODE, (0, 0)


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
    return submission_error(f"{what} isn't a notebook: {why}")
