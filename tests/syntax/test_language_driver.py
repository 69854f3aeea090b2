"""gradcli's own parser against Lark's of the same grammar: same trees, same places, same errors.

Both call the same builder and the same layout, so what differs could only be the lexer, the states
without chains, or the loop. The texts are programs, programs with slips, and words in a row.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lark
import pytest
from random_programs import random_programs
from test_language_properties import PROGRAMS, WORDS

import gradcli
from gradcli.diagnostics.characters import plain
from gradcli.diagnostics.error import GradcliError
from gradcli.diagnostics.source import Span
from gradcli.syntax import from_grammar
from gradcli.syntax.builder import Builder
from gradcli.syntax.driver import Driver, Stuck, Token
from gradcli.syntax.layout import Layout
from gradcli.syntax.tables import grammar_text, tables
from gradcli.syntax.tree import Tree, postorder


def ours(part: Any) -> Any:
    """What Lark hands on, as the builder and the layout have it."""
    if isinstance(part, lark.Token):
        return Token(part.type, part.value, Span(part.start_pos or 0, part.end_pos or 0))
    return part


class Reference:
    """Lark, with the builder and the layout."""

    always_accept = ()

    def __init__(self) -> None:
        self.lark = from_grammar.lark_parser(grammar_text(), transformer=Adapter(), postlex=self)

    def process(self, stream: Iterator[lark.Token]) -> Iterator[lark.Token]:
        for kind, text, span in Layout().arrange(map(ours, stream)):
            yield lark.Token(kind, text, span.start, end_pos=span.end)

    def parse(self, text: str) -> Any:
        try:
            return self.lark.parse(text)
        except lark.UnexpectedCharacters as error:
            position: Any = error.pos_in_stream  # Lark's own types say that it is None
            raise Stuck(position) from None
        except lark.UnexpectedToken as error:
            raise Stuck(error.token.start_pos, ours(error.token)) from None


class Adapter:
    """The builder with the form of its methods that Lark calls."""

    builder = Builder()

    def __getattr__(self, name: str) -> Any:
        if name == "start":
            return lambda parts: parts[0]
        method = getattr(self.builder, name)
        if name.isupper():
            return lambda token: method(ours(token))
        return lambda parts: method(*map(ours, parts))


def outcome(read: Any, text: str) -> object:
    """All of the trees, or all of the error."""
    try:
        return [places(part) for statement in read(text) for part in postorder(statement)]
    except Stuck as stuck:
        return stuck.args
    except GradcliError as error:
        return error.message, error.span, error.labels, error.hint


def places(part: Tree) -> tuple[object, ...]:
    """A node by its meaning and its place, without its children."""
    names = ("symbol_span", "symbol_spans", "name_span", "text")
    more = [getattr(part, name, None) for name in names]
    return type(part), part.label(), len(part.children()), part.span, more


def texts(count: int) -> Iterator[str]:
    draw = random.Random(1)  # noqa: S311 - no secrets
    written = [*PROGRAMS, *(text for text, _ in random_programs(200))]
    yield from written
    for _ in range(count):
        text = draw.choice(written)
        for _ in range(draw.randint(1, 3)):
            start = draw.randint(0, len(text))
            slip = draw.choice(["", draw.choice(WORDS), " ".join(draw.sample(WORDS, 2))])
            text = text[:start] + slip + text[start + draw.randint(0, 3) :]
        yield text
        yield draw.choice(["", " "]).join(draw.choices(WORDS, k=draw.randint(1, 14)))


@pytest.mark.parametrize("count", [1_000, pytest.param(5_000, marks=pytest.mark.slow)])
def test_reads_as_lark_does(count: int) -> None:
    driver, reference = Driver(tables(), Builder()), Reference()

    def read(text: str) -> Any:
        return driver.parse(Layout().arrange(driver.tokens(text)))

    found: set[type] = set()
    for text in texts(count):
        expected = outcome(reference.parse, plain(text))
        assert outcome(read, plain(text)) == expected, text
        found.add(type(expected))
    assert found == {list, tuple}


def test_grammars_that_the_driver_cannot_run_are_refused() -> None:
    with pytest.raises(ValueError, match="group of its own"):
        from_grammar.tables_of('start: X\nX: /(x)/\nSPACE: " "\n%ignore SPACE')
    # Below, state 1 hands on to state 2, and from each of them a `b` leads to another one.
    rows = [{"a": 2}, {"X": ~1, "b": 3}, {"b": 4}]
    states = from_grammar._States(rows, [(1, "b", "b")], {~1: "a"})
    with pytest.raises(ValueError, match="leads to two states"):
        from_grammar._merged(states, rows[0], 1)


def test_lark_is_imported_where_tables_are_made_alone() -> None:
    root = Path(gradcli.__file__).parent
    imports = re.compile(r"^\s*(?:from|import) lark\b", re.MULTILINE)
    found = [path.stem for path in root.rglob("*.py") if imports.search(path.read_text("utf-8"))]
    assert found == ["from_grammar"]
