"""Reading a submission: from a file's bytes to a `Listing` or `Values`.

A path or bytes come in safely (regular files of a reasonable size only) and become text; out comes
what the reader for its kind makes of it. The file's suffix says which kind it is; a text without a
telling suffix goes by what it looks like. Nothing of a submission is executed, imported, or
evaluated, and every fault in it is a `GradcliError` of kind submission.
"""

from __future__ import annotations

import ast
import codecs
import os
import re
import stat
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Literal, TypeAlias

from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import submission_error
from gradcli.diagnostics.source import Source
from gradcli.diagnostics.spreadsheets import SEPARATOR_LINE
from gradcli.grading.submission.answer_sheet import is_sheet, read_sheet
from gradcli.grading.submission.notebook import code_only, is_notebook, read_notebook
from gradcli.grading.submission.tables import parsed, read_json, read_table
from gradcli.grading.submission.types import Listing, Submission, Vocabulary
from gradcli.python.source import module_of, without_magics
from gradcli.syntax.task_lines import CallLine

MOST_BYTES = 2_000_000
MOST_NOTEBOOK = 100_000_000
"""Of a notebook with its outputs; without them it has at most `MOST_BYTES`, as every other file."""
LONGEST_LINE = 200_000
MOST_LINES = 20_000
"""Of a listing: far more than anybody writes."""

Kind: TypeAlias = Literal["listing", "notebook", "json", "sheet", "table", "labelled"]

_START = 256
"""Bytes that show what a file is."""
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_ASSIGNMENT = re.compile(r"^[^,;\t#\"=]*[^,;\t#\"=<>!]=(?!=)", re.MULTILINE)
_TABLE_ROW = re.compile(r"\s*\"?[^,;\t=+*/()\"]+(?:\[[^\]]*\])?\"?\s*[,;\t]")
_LABELLED = re.compile(
    r"\s*\"?[^:=,;\t#()\[\]\"'\n]{1,60}(?:\[[^\]\n]*\])*\"?\s*:(?!=)(?P<value>[^=\n]*)"
)
_GOES_ON = re.compile(r"[\s\[\].,+−0-9eE-]+")
"""A line that goes on with an array."""
_ESCAPE = re.compile(r"\\[xuU]((?<=x)[0-9a-f]{2}|(?<=u)[0-9a-f]{4}|(?<=U)[0-9a-f]{8})")
_KINDS = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a ZIP archive or an office document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\xd0\xcf\x11\xe0": "an office document",
    b"\x1f\x8b": "a compressed file",
    b"{\\rtf": "a text of a word processor (RTF)",
}


def read_submission(
    submission: str | Path | bytes,
    name: str | None,
    vocabulary: Vocabulary,
    *,
    inside: str | Path | None = None,
) -> Submission:
    """What was handed in, from a path or from bytes; `name` is what errors call it.

    Its suffix says what it is. Raises `GradcliError` of kind submission; `inside` is as in
    `read_bytes`.
    """
    text, name, suffix = _text_of(submission, name, inside)
    return read_text(text, name, vocabulary, suffix)


def _text_of(
    submission: str | Path | bytes, name: str | None, inside: str | Path | None
) -> tuple[str, str | None, str]:
    """The text, what errors call it, and the suffix that says what it is."""
    if isinstance(submission, bytes):
        content = submission
        _check_size(content, len(content), name)
    else:
        content = read_bytes(submission, inside=inside)
        name = name if name is not None else str(submission)
    if _may_be_notebook(content):
        content = code_only(content)
    if len(content) - content.count(b"\n") > MOST_BYTES:  # the lines of outputs are kept
        raise _refused(name, "is too large: without outputs it has more than 2 MB", _HOW)
    text = decoded(content, name)
    return text, name, PurePath(name or "").suffix.lower()


def code_of(
    submission: str | Path | bytes,
    name: str | None,
    *,
    inside: str | Path | None = None,
    call: CallLine | None = None,
) -> Listing | None:
    """What was handed in, if it may be code; its statements are not looked at.

    `call` is how its function is called, should the code never call it. Raises `GradcliError` as
    `read_submission` does.
    """
    text, name, suffix = _text_of(submission, name, inside)
    kind, text = _kind_of(text, name, suffix)
    if kind not in ("notebook", "listing"):
        return None
    source = Source(text, name)
    listing = read_notebook(source) if kind == "notebook" else Listing(source)
    return replace(listing, source=Source(with_call(listing.source.text, call), name))


def read_text(text: str, name: str | None, vocabulary: Vocabulary, suffix: str = "") -> Submission:
    """A submission from its text; `suffix` says what it is, if it is a telling one."""
    if not text.strip():
        raise _refused(name, "is empty")
    longest = max(map(len, text.split("\n"))) if len(text) > LONGEST_LINE else 0
    if longest > LONGEST_LINE:  # too long to be written by hand
        raise _refused(name, f"has a line of {longest:,} characters", "a listing has short ones")
    kind, text = _kind_of(text, name, suffix)
    match kind:
        case "notebook":
            listing = read_notebook(Source(text, name))
            if not listing.source.text.strip():
                raise _refused(name, "has no code in it")
            return listing
        case "json":
            return read_json(text, name, vocabulary)
        case "sheet":
            return read_sheet(text, name, vocabulary)
        case "table" | "labelled":
            return read_table(text, name, vocabulary, ":" if kind == "labelled" else None)
    if text.count("\n") > MOST_LINES:
        raise _refused(name, f"is too long: a listing has at most {MOST_LINES:,} lines")
    return Listing(Source(text, name))


def _kind_of(text: str, name: str | None, suffix: str) -> tuple[Kind, str]:
    """What a text is, and the text with letters for its escapes where it is no JSON."""
    if suffix == ".ipynb":
        return "notebook", text
    if suffix == ".json" or (suffix not in (".py", ".csv", ".tsv") and text.lstrip()[:1] == "{"):
        return "notebook" if is_notebook(parsed(Source(text, name))) else "json", text
    text = _ESCAPE.sub(_letter, text) if "\\" in text else text
    if suffix == ".py":
        return "listing", text
    if is_sheet(text):
        return "sheet", text
    if suffix in (".csv", ".tsv"):
        return "table", text
    return "labelled" if _is_labelled(text) else "table" if _is_table(text) else "listing", text


def _letter(escape: re.Match[str]) -> str:
    r"""The letter for an escape, `\u0177`, that stands for one where only ASCII is."""
    code = int(escape[1], base=16)
    letter = chr(code) if 0x80 <= code <= sys.maxunicode else ""
    return letter if unicodedata.category(letter or " ")[0] in "LM" else escape[0]


def _is_table(text: str) -> bool:
    """Whether the first lines are cells with a comma, a semicolon or a tab, and nothing more."""
    if SEPARATOR_LINE.match(text):
        return True
    lines = [line for line in text[:20_000].split("\n") if line.strip()]
    lines = [line for line in lines if not line.lstrip().startswith("#")][:10]
    starts = [bool(_TABLE_ROW.match(line)) for line in lines]
    return bool(lines) and starts[0] and not any(_ASSIGNMENT.search(line) for line in lines)


def _is_labelled(text: str) -> bool:
    """Whether all lines are `name: value`, and a value begins as a number does.

    For Python they are annotations, without effect.
    """
    lines = [line for line in text.split("\n") if line.strip() and line.lstrip()[0] != "#"]
    found = [_LABELLED.fullmatch(line) for line in lines]
    if not any(one and re.match(r"\s*[-+−–≈(\[.0-9\\$√½]", one["value"]) for one in found):
        return False
    return all(one or _GOES_ON.fullmatch(line) for one, line in zip(found, lines, strict=True))


def with_call(text: str, call: CallLine | None) -> str:
    """The code with the call that its task states, where it defines the function and calls none."""
    if call is None or call.function not in text:
        return text
    try:
        tree = module_of(Source(without_magics(text)))
    except GradcliError:
        return text
    defined = any(isinstance(n, ast.FunctionDef) and n.name == call.function for n in tree.body)
    called = any(
        isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == call.function
        for n in ast.walk(tree)
    )
    return f"{text.rstrip()}\n{call.text}\n" if defined and not called else text


# --- bytes and text ----------------------------------------------------------------------


def read_bytes(path: str | Path, inside: str | Path | None = None) -> bytes:
    """The content of a regular file of at most `MOST_BYTES`, or `MOST_NOTEBOOK` of a notebook.

    With `inside` the file, links resolved, must lie in that folder. A FIFO or device is refused
    and never waited for. Raises `GradcliError` of kind submission.
    """
    name = str(path)
    try:
        real = os.path.realpath(path, strict=True)
        if inside is not None and not Path(real).is_relative_to(os.path.realpath(inside)):
            raise _refused(name, "is a link to a file outside of its folder")
        _check_regular(Path(real).stat(), name)  # before it is opened: a device may act on that
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
        flags |= getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(real, flags), "rb") as file:
            _check_regular(os.fstat(file.fileno()), name)
            content = file.read(_START)
            _check_size(content, os.fstat(file.fileno()).st_size, name)
            content += file.read(MOST_NOTEBOOK if _may_be_notebook(content) else MOST_BYTES)
    except FileNotFoundError:
        raise _refused(name, "does not exist") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _refused(name, f"can't be read: {reason.lower()}") from None
    _check_size(content, len(content), name)
    return content


def _check_regular(status: os.stat_result, name: str) -> None:
    mode = status.st_mode
    if stat.S_ISDIR(mode):
        raise _refused(name, "is a folder, not a file")
    if not stat.S_ISREG(mode):
        raise _refused(name, "isn't a regular file")


def _may_be_notebook(content: bytes) -> bool:
    """Whether bytes begin as a JSON object in UTF-8 does."""
    return content[:_START].removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"{"


def _check_size(content: bytes, size: int, name: str | None) -> None:
    """Refuse what is too large; `content` is at least its beginning."""
    most = MOST_NOTEBOOK if _may_be_notebook(content) else MOST_BYTES
    if size > most:
        shown = f"{size / 1e6:,.1f} MB, and at most {most / 1e6:.0f} MB are read"
        raise _refused(name, f"is too large: {shown}")


def decoded(content: bytes, name: str | None) -> str:
    """Bytes as text, without a byte-order mark and with plain line ends.

    UTF-8, or UTF-16, of which a text in ASCII needs no byte-order mark. Raises `GradcliError`
    of kind submission.
    """
    for magic, what in _KINDS.items():
        if content.startswith(magic):
            raise _refused(name, f"is {what}, not text", _HOW)
    encoding = "utf-8-sig"
    if not content.startswith(_UTF_32):
        for mark, codec in _UTF_16.items():
            if content.startswith(mark):
                encoding, content = codec, content[len(mark) :]
    if encoding == "utf-8-sig" and b"\0" in content and len(content) % 2 == 0:
        # Without a mark: every other byte of a text in ASCII is zero.
        for first, codec in enumerate(("utf-16-be", "utf-16-le")):
            if not any(content[first::2]) and all(content[1 - first :: 2]):
                encoding = codec
    if encoding == "utf-8-sig" and b"\0" in content:
        raise _refused(name, "is not text: there are null bytes in it", _HOW)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        what = "UTF-8" if encoding == "utf-8-sig" else "UTF-16"
        raise _refused(name, f"is not text in {what} (line {line})", "save it as UTF-8") from None
    if "\0" in text:
        raise _refused(name, "is not text: there are null characters in it", _HOW)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


_HOW = "hand in a listing (.py, .ipynb), values (.csv, .json) or a filled-in sheet (.txt)"


def _refused(name: str | None, what: str, hint: str | None = None) -> GradcliError:
    subject = f"'{name}'" if name else "the submission"
    return submission_error(f"{subject} {what}", hint)
