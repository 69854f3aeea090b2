"""Answer sheets that were filled in: what `gradcli trace --blank` and `gradcli sheet` print.

A text comes in, `Values` go out, with the point that the sheet was printed for. Both styles are
read (the listing and the table), also after an editor has joined or shifted columns: what counts
is the words of a line and the number at its end. A blank that is left is not handed in.

In a listing the last line of a node has its gradient, an earlier one the sum of what the
operations so far have sent, which is a part (`sources` are those operations). In a table the
column 'contribution' has parts too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from gradcli.diagnostics.characters import plain
from gradcli.diagnostics.source import Source, Span
from gradcli.grading.submission.entries import (
    Place,
    Row,
    entries_of,
    is_blank,
    values_from,
    with_settled_commas,
)
from gradcli.grading.submission.labels import known_label
from gradcli.grading.submission.types import Values, Vocabulary, Written

_FORWARD = re.compile(r"\s*Forward pass\b", re.IGNORECASE)
_BACKWARD = re.compile(r"\s*Backward pass\b", re.IGNORECASE)
_TABLE = re.compile(r"\s*step\s+node\s+")
_SOURCE = re.compile(r"\s*Backprop\s+([^\s=]+)\s*=", re.IGNORECASE)
_GRADIENT = re.compile(r"\s*Gradient\b")
_STATEMENT = re.compile(r"\s*([^\s=+\[\]()]+)\s*(\+?=)(?!=)\s*(.*)", re.DOTALL)
_STEP = re.compile(r"\s+\(\d+\)[ \t]*(?=\n|\Z)")
_FINAL = re.compile(r"\s*\bfinal\b[^\n]*")
_VALUE = re.compile(r"(?:^|(?<=\s))=(?=\s|$)\s*")
_QUOTIENT = re.compile(r"[d∂]([^\s/=]+)/[d∂]([^\s/=]+)\s*=\s*")
_POINT = re.compile(r"(?:^|,)\s*([^\s=,\[\]]+)\s*=\s*")
_FOR = re.compile(r"^# for (\S.{0,60})$", re.MULTILINE)
_RULE = re.compile(r"\s*[─\-—_=]{8,}\s*$")
_WIDE = re.compile(r"\s{2,}|\t")
_ROW = re.compile(r"\s*\((\d+)\)\s+(.*)", re.DOTALL)
_SENT = re.compile(r"(\S+)\s*(?:→|->)\s*(\S+)\s*(.*)", re.DOTALL)


def is_sheet(text: str) -> bool:
    """Whether a text looks like an answer sheet."""
    return any(
        pattern.match(line)
        for line in text.split("\n")[:2000]
        for pattern in (_FORWARD, _BACKWARD, _TABLE)
    )


def read_sheet(text: str, name: str | None, vocabulary: Vocabulary) -> Values:
    """The numbers on a sheet. Raises `GradcliError` of kind submission, with its place."""
    return _Sheet(Source(text, name), vocabulary).values()


class _Block(NamedTuple):
    """Lines that belong together: a statement and what continues it."""

    text: str
    start: int
    place: Place


class _Received(NamedTuple):
    """What a line of the backward pass says a node has received."""

    source: str
    total: str
    """The accumulator after it."""
    alone: str
    """The contribution; a listing has none."""
    place: Place


@dataclass
class _Sheet:
    source: Source
    vocabulary: Vocabulary
    part: Literal["point", "forward", "backward", "gradient", ""] = ""
    sender: str = ""
    forward: list[Row] = field(default_factory=list)
    received: dict[str, list[_Received]] = field(default_factory=dict)
    final: list[Row] = field(default_factory=list)
    point: list[Row] = field(default_factory=list)

    def read(self) -> None:
        for block in _blocks(self.source):
            line = block.text
            if found := _FORWARD.match(line):
                self.part = "forward"
                self.read_point(block, found.end())
            elif _BACKWARD.match(line):
                self.part = "backward"
            elif _TABLE.match(line) or _RULE.match(line):
                continue
            elif _GRADIENT.match(line):
                self.part = "gradient"
                self.read_gradients(block)
            elif found := _SOURCE.match(line):
                self.part, self.sender = "backward", self.label(found[1])
            elif found := _ROW.match(line):
                self.read_table_row(block, found[2])
            elif found := _STATEMENT.match(line):
                self.read_statement(block, found)
            elif "=" in line and self.part in ("forward", "backward"):
                hint = "a line is as it was printed, with a number instead of the blank"
                raise block.place.refused("this line of the sheet can't be read", hint)

    def label(self, text: str) -> str:
        return known_label(text, self.vocabulary)

    # --- the listing ---

    def read_point(self, block: _Block, start: int) -> None:
        """`x = 3, y = -4` behind 'Forward pass'."""
        text = block.text[start:].strip()
        for name, end in _named(_POINT, text):
            self.add_point(name[1], text[name.end() : end], block.place)

    def add_point(self, name: str, text: str, place: Place) -> None:
        text = text.strip().rstrip(",")
        is_input = self.label(name) in self.vocabulary.inputs
        if is_input and not re.match(r"\d+×", text):  # large arrays are summed up
            self.point.append(Row(name, text, place, "value"))

    def read_statement(self, block: _Block, found: re.Match[str]) -> None:
        name, place = found[1], block.place
        text = _STEP.sub("", _FINAL.sub("", found[3].rstrip())).rstrip()
        if self.part == "forward" and self.label(name) in self.vocabulary.inputs:
            self.add_point(name, text, place)
            return
        parts = _VALUE.split(text)
        if len(parts) < 2:  # 'name = formula' without a number or blank
            if self.part in ("forward", "backward"):
                hint = "as in a = sigmoid(y) = 0.018"
                raise place.refused("behind the formula stands '=' and the number", hint)
            return
        if self.part == "backward":
            self.receive(name, self.sender, parts[-1], "", place)
        else:
            self.forward.append(Row(name, parts[-1], place, "value"))

    def receive(self, label: str, source: str, total: str, alone: str, place: Place) -> None:
        received = _Received(source, total.strip(), alone.strip(), place)
        self.received.setdefault(self.label(label), []).append(received)

    def read_gradients(self, block: _Block) -> None:
        """`Gradient   df/dx = 1   df/dy = 2`."""
        text = block.text
        for quotient, end in _named(_QUOTIENT, text):
            number = re.split(r"\bchecked:", text[quotient.end() : end])[0].strip()
            span = Span(block.start + quotient.start(), block.start + end)
            label = f"delta_{quotient[2]}"
            self.final.append(Row(label, number, Place(self.source, span), "gradient"))

    # --- the table ---

    def read_table_row(self, block: _Block, text: str) -> None:
        """`(1)  a  sigmoid(y)  0.018` or `(6)  f → b  1  e  0.2  0.2  0.2  final`."""
        place = block.place
        cells = _table_cells(_FINAL.sub("", text).strip())
        sent = _SENT.fullmatch(cells[0]) if cells else None
        if sent is None:
            if len(cells) < 3:
                raise place.refused("a row of the forward pass ends with a number")
            self.forward.append(Row(cells[0], cells[-1], place, "value"))
            return
        if len(cells) < 3:
            raise place.refused("a row of the backward pass ends with two numbers")
        self.receive(f"delta_{sent[2]}", self.label(sent[1]), cells[-1], cells[-2], place)

    # --- all together ---

    def values(self) -> Values:
        """All that was filled in."""
        self.read()
        rows = list(self.rows())
        settled = with_settled_commas([*rows, *self.final])
        point: dict[str, Written] = {}
        handed = entries_of([*self.point, *settled[: len(rows)]], self.vocabulary, point)
        given = {entry.name for entry in handed if entry.kind == "gradient"}
        last = entries_of(settled[len(rows) :], self.vocabulary, point)
        more = (entry for entry in last if entry.name not in given)
        found = values_from((*handed, *more), self.vocabulary, point)
        head = _FORWARD.split(self.source.text, maxsplit=1)[0]
        names = _FOR.findall(head)
        return replace(found, student=names[-1].strip()) if names else found

    def rows(self) -> Iterator[Row]:
        yield from self.forward
        for label, lines in self.received.items():
            sources: list[str] = []
            for i, line in enumerate(lines):
                sources.append(line.source)
                following = lines[i + 1].source if i + 1 < len(lines) else None
                if following is None:
                    yield Row(label, line.total, line.place)
                elif following != line.source:
                    # Of two contributions of one operation, the first alone has no name.
                    yield from self.parts(label, sources, line.total, line.place)
            yield from self.contributions(label, lines)

    def contributions(self, label: str, lines: list[_Received]) -> Iterator[Row]:
        """The parts of a table, each of one operation."""
        senders = [line.source for line in lines]
        for i, line in enumerate(lines):
            first = i == 0 and not is_blank(line.total)
            if line.alone and len(lines) > 1 and not first and senders.count(line.source) == 1:
                yield from self.parts(label, [line.source], line.alone, line.place)

    def parts(self, label: str, sources: list[str], text: str, place: Place) -> Iterator[Row]:
        unique = dict.fromkeys(source for source in sources if source)
        if unique:
            yield Row(f"{label}<-{'+'.join(unique)}", text, place)


def _named(pattern: re.Pattern[str], text: str) -> Iterator[tuple[re.Match[str], int]]:
    """The names in a line, and where the number behind each ends."""
    found = list(pattern.finditer(text))
    return zip(found, [*(name.start() for name in found[1:]), len(text)], strict=False)


def _table_cells(text: str) -> list[str]:
    """The cells of a row: two spaces are between them, if not within an array."""
    cells: list[str] = []
    open_ = 0
    for part in _WIDE.split(text):
        if open_ and cells:
            cells[-1] += " " + part
        elif part:
            cells.append(part)
        open_ = max(0, open_ + part.count("[") - part.count("]"))
    return cells


# --- lines that belong together ----------------------------------------------------------


def _blocks(source: Source) -> Iterator[_Block]:
    """Statements with the lines that go on with them: '= value', or rows of an array."""
    text = plain(source.text) if source.text else ""
    at, open_ = 0, 0
    begun: int | None = None
    for line in text.split("\n"):
        goes_on = begun is not None and (open_ > 0 or re.match(r"\s+=(?!=)", line))
        heading = _SOURCE.match(line) or _BACKWARD.match(line) or _GRADIENT.match(line)
        comment = line.lstrip().startswith("#")  # the title, and whose sheet it is
        if begun is not None and not (goes_on and line.strip() and not heading and not comment):
            yield _block(source, text[begun : at - 1], begun)
            begun, open_ = None, 0
        if begun is None and line.strip() and not comment:
            begun = at
        if begun is not None:
            open_ = max(0, open_ + line.count("[") - line.count("]"))
        at += len(line) + 1
    if begun is not None:
        yield _block(source, text[begun:], begun)


def _block(source: Source, text: str, start: int) -> _Block:
    span = Span(start + len(text) - len(text.lstrip()), start + len(text.rstrip()))
    return _Block(text, start, Place(source, span))
