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
_IN_CHAIN = re.compile(r"(?:el)?if\b")


def module_of(source: Source) -> ast.Module:
    """The syntax tree. Raises `GradcliError` of kind syntax with the place in the text."""
    expect_bounds(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.text)
    except SyntaxError as error:
        raise _syntax_error(source, error) from None
    except (RecursionError, MemoryError):
        raise _too_long(source) from None
    except ValueError as error:
        raise GradcliError(Kind.SYNTAX, f"this isn't Python: {error}") from None
    _expect_short_chains(source, tree)
    return tree


def _expect_short_chains(source: Source, tree: ast.Module) -> None:
    """Raise `GradcliError` for nesting that neither brackets nor signs show: `x.a().b()…`.

    Sums and `elif` may be of any length: they are gone through in loops.
    """
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            what = "this is a chain of too many calls, attributes and subscripts"
            lines = source.text.split("\n")[: getattr(node, "lineno", 1)]
            end = sum(map(len, lines)) + len(lines) - 1
            span = Span(end - len(lines[-1]), end)
            hint = f"at most {DEEPEST // 2} are read; give the value a name on the way"
            raise GradcliError(Kind.SYNTAX, what, source=source, span=span, hint=hint)
        for child in ast.iter_child_nodes(node):
            in_loop = isinstance(node, ast.BinOp | ast.If) and type(child) is type(node)
            inside = isinstance(child, ast.expr | ast.stmt) and not in_loop
            waiting.append((child, depth + inside))


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
            if depth == 0:
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
            what = f"is nested more than {DEEPEST} deep"
            if run > DEEPEST:
                what = f"has more than {DEEPEST} signs in a row"
            raise GradcliError(
                Kind.SYNTAX,
                f"this {what}",
                source=source,
                span=Span(token.start(), token.start() + 1),
            )


def _too_long(source: Source) -> GradcliError:
    """The error for a text that isn't deep and is too much for `ast`, at its longest statement.

    `x + x + …`, `x.a().b()…` and a chain of `elif` open a level of the tree with each part.
    """
    longest, place = 0, Span(0, 1)
    depth = parts = start = 0
    for token in _TOKEN.finditer(source.text):
        if token.lastgroup in ("blank", "comment"):
            continue
        depth = max(0, depth + (token.lastgroup == "open") - (token.lastgroup == "close"))
        if token.lastgroup != "line":
            parts += 1
            if parts > longest:
                longest, place = parts, Span(start, token.end())
            continue
        if depth or source.text.startswith(("elif", "\n"), token.end()):
            continue
        # An indented line may be followed by an `elif`: only one at the margin begins anew.
        if len(token[0]) == 1 or not _IN_CHAIN.match(source.text, start):
            parts, start = 0, token.end()
    return GradcliError(
        Kind.SYNTAX,
        f"this statement is too long: it has {longest:,} parts",
        source=source,
        span=place,
        hint="write it as several statements",
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
