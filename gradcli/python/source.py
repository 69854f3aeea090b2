"""From a text to a syntax tree of Python: what is Python, notebooks, and the bounds before `ast`.

`ast.parse` recurses on what it is given, so nesting is looked at before: brackets, indentation, and
the signs and words that open a level each without a bracket. Nothing of a text is compiled.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

from gradcli.diagnostics.error import GradcliError, Kind
from gradcli.diagnostics.source import Source, Span

MOST_BYTES = 200_000
DEEPEST = 100
"""Brackets, blocks, conditions inside of one another."""

_TOKEN = re.compile(
    r"""(?P<text>[rbfuRBFU]{0,2}(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"|
        '(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))
      |(?P<comment>\#[^\n]*)
      |(?P<open>[(\[{])|(?P<close>[)\]}])
      |(?P<line>\n[ \t]*)
      |(?P<unary>[-+~]|\*\*|\bnot\b|\blambda\b|\bawait\b|\belse\b|\belif\b|\bif\b)
      |(?P<name>\w+)|(?P<blank>[ \t\r\f\\]+)|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def module_of(source: Source) -> ast.Module:
    """The syntax tree. Raises `GradcliError` of kind syntax with the place in the text."""
    expect_bounds(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source.text)
    except SyntaxError as error:
        raise _syntax_error(source, error) from None
    except (RecursionError, MemoryError):
        raise _too_deep(source, 0) from None
    except ValueError as error:
        raise GradcliError(Kind.SYNTAX, f"this isn't Python: {error}") from None


def expect_bounds(source: Source) -> None:
    """Raise `GradcliError` for a text that is too long or nested too deep."""
    size = len(source.text.encode(errors="surrogatepass"))
    if size > MOST_BYTES:
        raise GradcliError(
            Kind.SYNTAX,
            f"this has {size // 1000} kB of Python, at most {MOST_BYTES // 1000} kB are read",
        )
    depth = run = words = indent = 0
    for token in _TOKEN.finditer(source.text):
        kind = token.lastgroup
        if kind in ("blank", "comment", "text", "name", "other"):
            run = run if kind in ("blank", "comment") else 0
            continue
        if kind == "line":
            run = 0
            indent = len(token[0].expandtabs(8)) - 1
            if depth == 0 and not source.text.startswith("elif", token.end()):
                words = 0
            continue
        if kind == "open":
            depth += 1
            run = 0
        elif kind == "close":
            depth = max(0, depth - 1)
            run = 0
        else:
            run += 1
            words += token[0].isalpha() or token[0] == "**"
        if max(depth, run, words) > DEEPEST or indent > 8 * DEEPEST:
            raise _too_deep(source, token.start())


def _too_deep(source: Source, place: int) -> GradcliError:
    return GradcliError(
        Kind.SYNTAX,
        f"this is nested more than {DEEPEST} deep",
        source=source,
        span=Span(place, place + 1),
    )


def _syntax_error(source: Source, error: SyntaxError) -> GradcliError:
    """Python's own message, underlined in the text."""
    lines = source.text.split("\n")
    number = min(max(1, error.lineno or 1), len(lines))
    start = sum(len(line) + 1 for line in lines[: number - 1])
    column = max(0, (error.offset or 1) - 1)
    end = column + 1
    if error.end_lineno == error.lineno and error.end_offset:
        end = max(end, error.end_offset - 1)
    message = (error.msg or "this can't be read").split(" (")[0]
    return GradcliError(
        Kind.SYNTAX,
        f"this isn't Python: {message}",
        source=source,
        span=Span(start + column, start + end),
    )


# --- notebooks ---------------------------------------------------------------------------

_MAGIC = re.compile(r"^(\s*)[%!](.*)$", re.MULTILINE)
_OTHER_LANGUAGE = re.compile(r"\s*%%(?!time|capture|timeit|prun)\w+")


def code_of_notebook(text: str, name: str | None) -> str:
    """The code cells of a notebook, one after the other; outputs are dropped.

    Raises `GradcliError` of kind file for what is no notebook.
    """
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    cells = found.get("cells") if isinstance(found, dict) else None
    if not isinstance(cells, list):
        what = f"'{name}'" if name else "this"
        raise GradcliError(Kind.FILE, f"{what} isn't a notebook: it has no list of cells")
    texts: list[str] = []
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        lines = cell.get("source", "")
        code = "".join(lines) if isinstance(lines, list) and all(
            isinstance(line, str) for line in lines) else lines  # fmt: skip
        if isinstance(code, str) and not _OTHER_LANGUAGE.match(code):
            texts.append(without_magics(code))
    return "\n\n".join(texts)


def without_magics(code: str) -> str:
    """The cell with IPython's own lines as comments, each character in its place."""
    return _MAGIC.sub(lambda found: f"{found[1]}#{found[2]}", code)
