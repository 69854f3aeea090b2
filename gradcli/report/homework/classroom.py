"""A class's marks come in; a list in CSV, a text for a person, or JSON goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from gradcli.diagnostics.error import cell_width, visible
from gradcli.grading.exercise.classroom import Mark, Standing, tally
from gradcli.grading.marking.result import Note, place
from gradcli.report import Style
from gradcli.report.homework.marked import note_object, placed, whole, width_of, wrapped
from gradcli.report.numbers import padded, shown
from gradcli.report.tables import csv
from gradcli.report.tables.model import Column, Table

COLUMNS = ("student", "file", "status", "score", "max_score", "mistake", "line", "reason",
           "notes")  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula, or skips before one."""
MOST = 10
"""The most files that can't be read, and notes, listed; the list of marks has them all."""


def csv_text(marks: Sequence[Mark]) -> str:
    """The list of marks: a row per submission."""
    table = Table([Column(key) for key in COLUMNS], map(_cells, marks))
    return "".join(csv.written(table, Style(width=None, color=False, ascii=False)))


def _cells(mark: Mark) -> tuple[str, ...]:
    return (
        harmless(mark.student),
        harmless(mark.file),
        str(mark.standing),
        number(mark.score),
        number(mark.max_score),
        mark.mistake,
        place(mark.line, mark.cell) if mark.cell else str(mark.line or ""),
        harmless(mark.reason),
        harmless("; ".join(map(_note, mark.notes))),
    )


def _note(note: Note) -> str:
    """A note on one line: `other-point: the sheet is for another point …`."""
    return f"{note.tag}: {placed(note, note.text)}"


def harmless(text: str) -> str:
    """A text on one line that no spreadsheet takes for a formula: an apostrophe says so."""
    text = f"'{text}" if text.startswith(FORMULA) else text
    return visible(text)


def number(value: float | None) -> str:
    """A score."""
    return "" if value is None else f"{value:.6g}"


def pieces(marks: Sequence[Mark], style: Style, *, listed: bool) -> Iterator[str]:
    """What the class did; with `listed` also every submission."""
    width = width_of(style)
    if listed:
        yield from _list(marks, style)
        yield "\n"
    yield from _summary(marks)
    mistakes = tally(marks)
    if mistakes:
        yield "\nMistakes, and how many made them:\n"
        digits = len(str(mistakes[0][1]))
        for tag, count in mistakes:
            yield f"  {count:>{digits}}  {tag.replace('|', ' or ')}\n"
    failed = [mark for mark in marks if mark.score is None]
    yield from _said("Not marked", [(mark.file, mark.reason) for mark in failed], width, style)
    notes = [(mark.file, _note(note)) for mark in marks for note in mark.notes]
    yield from _said("Notes", notes, width, style)


def _said(title: str, texts: Sequence[tuple[str, str]], width: int, style: Style) -> Iterator[str]:
    """What is said of some files, at most `MOST` of them."""
    if not texts:
        return
    yield f"\n{title}:\n"
    for file, said in texts[:MOST]:
        text = f"{shown(visible(file), style)}: {shown(visible(said), style)}"
        yield from (f"  {line}" for line in wrapped(text, width - 2, hang="  "))
    if len(texts) > MOST:
        yield f"  and {len(texts) - MOST} more\n"


def _summary(marks: Sequence[Mark]) -> Iterator[str]:
    count = len(marks)
    standings = Counter(mark.standing for mark in marks)
    kinds = Standing.OK, Standing.WRONG, Standing.OTHER_POINT
    right, mistakes, elsewhere = (standings[kind] for kind in kinds)
    text = f"{count} submission{'s' if count != 1 else ''}: {right} right, {mistakes} with mistakes"
    if elsewhere:
        text += f", {elsewhere} for another point"
    left = count - right - mistakes - elsewhere
    if left:
        text += f", {left} not marked"
    yield text + "\n"
    judged = [mark for mark in marks if mark.standing is not Standing.OTHER_POINT]
    shares = [mark.score / mark.max_score for mark in judged if mark.score is not None
              and mark.max_score]  # fmt: skip
    if shares:
        yield f"mean {100 * sum(shares) / len(shares):.0f} % of the marks\n"


def _list(marks: Sequence[Mark], style: Style) -> Iterator[str]:
    """A line per submission."""
    names = [shown(visible(mark.file), style) for mark in marks]
    room = min(40, max(map(cell_width, names), default=0))
    for mark, name in zip(marks, names, strict=True):
        if mark.score is None:
            score, what = "-", str(mark.standing)
        else:
            score = f"{number(mark.score)}/{number(mark.max_score)}"
            what = mark.mistake.replace("|", " or ")
            if mark.standing is Standing.OTHER_POINT:
                what = str(mark.standing)
        line = place(mark.line, mark.cell)
        yield f"{padded(name, room)}  {score:>7}  {line:<8}  {what}".rstrip() + "\n"


def as_object(marks: Sequence[Mark]) -> dict[str, Any]:
    """The object of schema gradcli.class/1."""
    return {
        "schema": "gradcli.class/1",
        "submissions": [
            {
                "student": mark.student,
                "file": mark.file,
                "status": str(mark.standing),
                "score": whole(mark.score),
                "max_score": whole(mark.max_score),
                "mistake": mark.mistake or None,
                "line": mark.line,
                **({} if mark.cell is None else {"cell": mark.cell}),
                "reason": mark.reason or None,
                "notes": [note_object(note) for note in mark.notes],
                "mistakes": [found.split("|") for found in mark.mistakes],
            }
            for mark in marks
        ],
        "mistakes": [{"tags": found.split("|"), "count": count} for found, count in tally(marks)],
    }
