"""The parser, ready to use: from the tables that are built with the package, or from the grammar.

Building Lark's parser from the grammar's text takes longer than all the rest of a small
command; loading tables takes a millisecond. So `build` writes the tables when the package
is built, and `parser` reads them. They hold the grammar's text and Lark's version and are
used only when both are still the same; else the parser is built from the grammar.
Nothing is pickled: the tables are `marshal`'s plain numbers, strings, lists and dicts, as
Lark's own serialisation gives them.
"""

# ruff: noqa: PTH118, PTH120 - pathlib takes longer to import than all of this takes to run

from __future__ import annotations

import marshal
from binascii import crc32
from importlib import import_module
from os.path import dirname, join, pardir
from typing import Any

import lark
from lark import Lark, Token
from lark.grammar import Rule
from lark.lexer import TerminalDef

FORMAT = 1
GRAMMAR = "gradcli.lark"
TABLES = "gradcli.tables"

_PREFIX = b"gradcli tables "


def parser(**options: Any) -> Lark:
    """The parser; `options` are the objects that Lark can't save (`transformer`, `postlex`)."""
    grammar = grammar_text()
    try:
        saved = _resource(TABLES)
    except OSError:
        saved = b""
    return load(saved, grammar, **options) or _from_grammar(grammar, **options)


def grammar_text() -> str:
    """The grammar. A package without it is broken, and that is an error of its own."""
    text = _resource(GRAMMAR).decode()
    if not text.strip():
        raise RuntimeError(f"{GRAMMAR} is empty: gradcli is not installed properly")
    return text


def build() -> bytes:
    """The tables of the grammar as it is now."""
    grammar = grammar_text()
    data, memo = _from_grammar(grammar).memo_serialize([TerminalDef, Rule])
    for unsaved in ("postlex", "transformer"):
        del data["options"][unsaved]
    body = marshal.dumps((FORMAT, lark.__version__, grammar, _plain(data), _plain(memo)))
    return _PREFIX + crc32(body).to_bytes(4, "big") + body


def load(saved: bytes, grammar: str, **options: Any) -> Lark | None:
    """The parser from its tables; None if they are damaged or of another grammar or Lark."""
    start = len(_PREFIX)
    body = memoryview(saved)[start + 4 :]
    if saved[:start] != _PREFIX or saved[start : start + 4] != crc32(body).to_bytes(4, "big"):
        return None
    try:
        version, lark_version, text, data, memo = marshal.loads(body)  # noqa: S302 - checked above
        if (version, lark_version, text) != (FORMAT, lark.__version__, grammar):
            return None
        data["options"] |= options
        parser: Lark = Lark.load({"data": data, "memo": memo})
    except (ValueError, TypeError, EOFError, KeyError, AttributeError):
        return None
    return parser


def _from_grammar(grammar: str, **options: Any) -> Lark:
    return Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=False, **options)


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


def _plain(value: Any) -> Any:
    """The same value of nothing but built-in types."""
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Token) else value
