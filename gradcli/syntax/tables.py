"""The grammar's tables: read from the file beside the grammar, which setup.py writes.

To make them from the grammar's text takes Lark, and longer than all the rest of a small command; to
load them takes less than a millisecond. The file holds the grammar's text and is used only while
that is the same: where somebody works on the grammar, or in a source tree that is not installed,
the tables are made at each start. Nothing is pickled: the tables are `marshal`'s plain numbers,
strings, lists and dicts.
"""

# ruff: noqa: PTH118, PTH120 - pathlib takes longer to import than all of this takes to run

from __future__ import annotations

import marshal
from binascii import crc32
from importlib import import_module
from os.path import dirname, join, pardir

from gradcli.syntax.driver import Tables

FORMAT = 2
GRAMMAR = "gradcli.lark"
TABLES = "gradcli.tables"

_PREFIX = b"gradcli tables "


def tables() -> Tables:
    """The tables of the grammar, saved or made anew."""
    grammar = grammar_text()
    try:
        saved = _resource(TABLES)
    except OSError:
        saved = b""
    found = load(saved, grammar)
    if found is not None:
        return found
    try:
        from gradcli.syntax.from_grammar import tables_of  # noqa: PLC0415 - needs Lark
    except ModuleNotFoundError:
        raise RuntimeError(
            f"{TABLES} is missing or damaged: gradcli is not installed properly"
        ) from None
    return tables_of(grammar)


def grammar_text() -> str:
    """The grammar. A package without it is broken, and that is an error of its own."""
    text = _resource(GRAMMAR).decode()
    if not text.strip():
        raise RuntimeError(f"{GRAMMAR} is empty: gradcli is not installed properly")
    return text


def build() -> bytes:
    """The tables of the grammar as it is now, to be saved. Needs Lark."""
    from gradcli.syntax.from_grammar import tables_of  # noqa: PLC0415 - needs Lark

    grammar = grammar_text()
    body = marshal.dumps((FORMAT, grammar, tuple(tables_of(grammar))), 4)
    return _PREFIX + crc32(body).to_bytes(4, "big") + body


def load(saved: bytes, grammar: str) -> Tables | None:
    """The saved tables; None if they are damaged or of another grammar."""
    start = len(_PREFIX)
    body = memoryview(saved)[start + 4 :]
    if saved[:start] != _PREFIX or saved[start : start + 4] != crc32(body).to_bytes(4, "big"):
        return None
    try:
        version, text, parts = marshal.loads(body)  # noqa: S302 - checked above
    except (ValueError, TypeError, EOFError):
        return None
    return Tables(*parts) if (version, text) == (FORMAT, grammar) else None


def _resource(name: str) -> bytes:
    """A file of the package `gradcli.grammar`, which may be in a zip file.

    In a source tree that is not installed, that package is the folder `grammar` at the top.
    `importlib.resources` would do the same and takes longer to import than the tables to load.
    """
    try:
        package = import_module("gradcli.grammar")
    except ModuleNotFoundError:
        package = import_module("gradcli")
        folder = join(dirname(dirname(__file__)), pardir, "grammar")
    else:
        folder = dirname(package.__file__ or "")
    content: bytes = package.__loader__.get_data(join(folder, name))  # type: ignore[union-attr]
    return content
