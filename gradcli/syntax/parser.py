"""From text to syntax tree: `parse` for a program, `parse_expression` for an expression.

Whatever the text, the result is a tree or a `GradcliError` of kind `syntax` with its place.
The `Driver` runs on the grammar's tables and calls `Builder` rule by rule.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from gradcli.diagnostics.characters import plain
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.failures import syntax_error
from gradcli.diagnostics.gc_pause import collector_paused
from gradcli.diagnostics.source import Source, Span
from gradcli.syntax import messages
from gradcli.syntax.builder import Builder
from gradcli.syntax.driver import Driver, Stuck
from gradcli.syntax.foreign_calls import is_pytorch
from gradcli.syntax.layout import Layout
from gradcli.syntax.tables import tables
from gradcli.syntax.tree import Bare, Compare, Module, Statement, Tree, postorder

if TYPE_CHECKING:
    from gradcli.syntax.latex.writer import Translation


def parse(source: Source) -> Module:
    """A program: at least one statement, and a bare expression only as the last."""
    module = parse_listing(source)
    if not module.statements:
        hint = "an example: x^2 + 3*x"
        raise syntax_error("the program is empty", Span(0, 0), hint, source=source)
    for statement in module.statements[:-1]:
        if isinstance(statement, Bare):
            value = statement.value
            hint = "give it a name, or put a line that goes on in brackets"
            if isinstance(value, Compare) and value.symbols[0] == "==":
                hint = "a value is given by a single '='"
            message = "only the last statement can be an expression without a name"
            raise syntax_error(message, statement.span, hint, source=source)
    return module


def parse_listing(source: Source) -> Module:
    """Statements as in a student's submission: bare expressions anywhere, or none at all."""
    return Module(tuple(_statements(source)), source)


def parse_expression(source: Source) -> Tree:
    """One expression, such as a bound value or a derivative's formula."""
    statements = _statements(source)
    if not statements:
        raise syntax_error("an expression is missing here", Span(0, 0), source=source)
    first = statements[0]
    if not isinstance(first, Bare):
        raise syntax_error(
            "here stands an expression, not a definition",
            first.span,
            "leave out the name and the '='",
            source=source,
        )
    if len(statements) > 1:
        raise syntax_error(
            "the expression ends before this",
            statements[1].span,
            "an expression over several lines is put in brackets",
            source=source,
        )
    return first.value


# --- running the parser ------------------------------------------------------------------


@cache
def _driver(torch: bool) -> Driver:  # noqa: FBT001 - the cache's key
    """The parser, made on first use; for texts of PyTorch one of its own."""
    return Driver(tables(), Builder(torch=torch))


def _statements(source: Source) -> list[Statement]:
    text = plain(source.text)
    if "\\" in text:
        from gradcli.syntax.latex import is_latex, translate  # noqa: PLC0415 - rarely needed

        if is_latex(text):
            try:
                return _latex_statements(source, translate(text))
            except GradcliError as error:
                raise error.located(source) from None
    return _read(source, text)


def _latex_statements(source: Source, translation: Translation) -> list[Statement]:
    """The statements of LaTeX. They and their errors have the places of LaTeX."""
    try:
        statements = _read(Source(translation.text, source.name), translation.text)
    except GradcliError as error:
        error.source = source
        error.span = error.span and translation.place(error.span)
        error.labels = tuple(
            label._replace(span=translation.place(label.span)) for label in error.labels
        )
        raise
    seen: set[int] = set()
    for statement in statements:
        for part in postorder(statement):
            if id(part) not in seen:
                seen.add(id(part))
                part.move(translation.place)
    return statements


def _read(source: Source, text: str) -> list[Statement]:
    driver, layout = _driver(is_pytorch(text)), Layout()
    found: GradcliError | Stuck
    try:
        with collector_paused():
            statements: list[Statement] = driver.parse(layout.arrange(driver.tokens(text)))
    except (GradcliError, Stuck) as error:
        found = error
    else:
        return statements
    # Not while the exception is handled: it would be the context of what is raised, and one that
    # holds all that was read can't be sent to another process.
    if isinstance(found, Stuck):
        found = messages.unexpected.explain(found, source.text, layout)
    raise found.located(source)
