"""A marked submission as text or JSON.

`Marked` comes in; out goes a block per mistake, in backward order, then the score.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import Any

import numpy as np

from gradcli.diagnostics.error import visible
from gradcli.grading.marking.result import Marked, MarkedRow, Note, Status
from gradcli.report import Style
from gradcli.report.json import encoder, plain
from gradcli.report.numbers import painted

WIDE, NARROW = 76, 40
INDENT = "  "
RIGHT = (Status.OK, Status.CARRIED)


def pieces(
    name: str | None,
    marked: Marked,
    style: Style,
    *,
    reveal: bool,
    words: Callable[[str], str] | None = None,
) -> Iterator[str]:
    """The report of one submission; `name` is its file, shown where there are several.

    With `reveal`, `words` says why the gradient of a node is what it is.
    """
    width = width_of(style)
    if name is not None:
        yield f"{visible(name)}\n"
    for row in marked.rows:
        if row.status not in RIGHT:
            if row.elsewhere:
                continue  # the note says it of all rows
            yield from _block(row, style, reveal=reveal, words=words)
        elif row.message:
            yield from wrapped(placed(row, f"{what(row)}: {row.message}", "   "), width)
    for note in marked.notes:
        yield from wrapped(note_text(note), width, hang=INDENT)
    score = f"score {marked.score:.6g} / {marked.max_score:.6g}"
    yield painted(score, "green" if marked.right else "bold", style) + "\n"


def width_of(style: Style) -> int:
    """The width that a report of homework is wrapped to."""
    return max(NARROW, min(style.width or WIDE, WIDE))


def note_text(note: Note) -> str:
    """A note on one line."""
    return f"note ({note.tag}): {placed(note, note.text)}"


def placed(one: MarkedRow | Note, text: str, between: str = ": ") -> str:
    """A text about a row or a note, with its line in front where it has one."""
    return f"{one.place}{between}{text}" if one.line else text


def label(row: MarkedRow, between: str = ", ") -> str:
    """Which mistake it is, or how wrong."""
    return between.join(row.tags) or str(row.status)


def as_text(marked: Marked) -> str:
    """The report of one submission as `gradcli grade` prints it, without colour."""
    style = Style(width=None, color=False, ascii=False)
    return "".join(pieces(None, marked, style, reveal=False)).rstrip("\n")


def _block(
    row: MarkedRow,
    style: Style,
    *,
    reveal: bool,
    words: Callable[[str], str] | None,
) -> Iterator[str]:
    tags, width = label(row), width_of(style)
    head = placed(row, visible(row.text) or what(row), "   ")
    room = width - len(head) - len(tags)
    if room >= 2:
        yield head + " " * room + painted(tags, "bold red", style) + "\n"
    else:
        yield f"{head}\n{' ' * (width - len(tags))}{painted(tags, 'bold red', style)}\n"
    texts = [visible(row.message)] if row.message else []
    if reveal and row.true is not None:
        text = f"right: {shown(row.true, style.precision)}"
        if row.carried is not None and not np.array_equal(row.carried, row.true):
            text += f"; from your own rows: {shown(row.carried, style.precision)}"
        texts.append(text)
        if words is not None and row.kind == "gradient" and (why := words(row.name)):
            texts.append(visible(why))
    for text in texts:
        yield from wrapped(INDENT + text, width, hang=INDENT)
    if row.follow:
        yield f"{INDENT}{followers(row)}\n"


def followers(row: MarkedRow) -> str:
    """What to say of the rows that follow from a wrong one."""
    many = row.follow > 1
    verb = "rows follow" if many else "row follows"
    their = "keep their marks" if many else "keeps its mark"
    return f"{row.follow} later {verb} from it and {their}."


def shown(value: Any, precision: int) -> str:
    """A number or an array with this many significant digits."""
    if np.ndim(value) == 0:
        return f"{float(value):.{precision}g}"
    return "[" + ", ".join(shown(v, precision) for v in value) + "]"


def what(row: MarkedRow) -> str:
    """What a row is called: `delta_x`, `x` for a value, `x<-b` for a part."""
    if row.kind == "gradient":
        return f"delta_{row.name}"
    return row.name if row.kind == "value" else f"{row.name}<-{'+'.join(row.sources)}"


def wrapped(text: str, width: int, hang: str = "", **options: Any) -> Iterator[str]:
    """A text in lines of at most `width` characters; `options` are those of `textwrap`."""
    for line in wrap(text, width, subsequent_indent=hang, break_on_hyphens=False, **options):
        yield line + "\n"


# --- JSON --------------------------------------------------------------------------------


def as_object(name: str | None, marked: Marked) -> dict[str, Any]:
    """A marked submission as the object of schema gradcli.grade/1."""
    return {
        "schema": "gradcli.grade/1",
        "submission": name,
        "mode": marked.mode,
        "score": whole(marked.score),
        "max_score": whole(marked.max_score),
        "rows": [_row(row) for row in marked.rows],
        "notes": [note_object(note) for note in marked.notes],
    }


def json_text(found: Any, style: Style) -> str:
    """One line of JSON, or indented."""
    if style.pretty:
        return json.dumps(found, indent=2, ensure_ascii=style.ascii) + "\n"
    return encoder(ascii_only=style.ascii)(found) + "\n"


def note_object(note: Note) -> dict[str, Any]:
    """A note as an object."""
    found: dict[str, Any] = {"tag": note.tag, "line": note.line, "text": note.text}
    return found if note.cell is None else {**found, "cell": note.cell}


def _row(row: MarkedRow) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": row.name,
        "kind": row.kind,
        "status": str(row.status),
        "tags": list(row.tags),
        "line": row.line,
        "text": row.text,
        "submitted": plain(row.submitted),
        "true": plain(row.true),
        "carried": plain(row.carried),
        "earned": whole(row.earned),
        "max": whole(row.max),
        "message": row.message,
        "follow": row.follow,
    }
    if row.cell is not None:
        found["cell"] = row.cell
    if row.turn:
        found["turn"] = row.turn
    if row.kind == "part":
        found["from"] = "+".join(row.sources)
    return found


def whole(value: float | None) -> float | int | None:
    """A score in JSON."""
    return int(value) if value is not None and float(value).is_integer() else value
