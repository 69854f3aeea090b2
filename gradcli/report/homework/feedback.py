"""A page of feedback for each student, as HTML or Markdown.

The marks of a class come in, with what was found in each submission; for every student the name of
a file and its content go out. A page needs no other file: its style stands in it, follows the light
or dark setting of the reader, and fits a phone. Names and lines of students are data: they are
escaped, and a file is named after a student only as far as that is safe. Right answers stand on no
page.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Literal, TypeAlias

from gradcli.diagnostics.error import visible
from gradcli.grading.exercise.classroom import Mark, Standing
from gradcli.grading.marking.result import Marked, Status
from gradcli.grading.mistakes.table import BY_TAG
from gradcli.report.document import html_head
from gradcli.report.homework.marked import RIGHT, followers, label, placed, what

PageFormat: TypeAlias = Literal["html", "md"]

WORDS = {
    Status.OK: "right",
    Status.CARRIED: "follows from your own rows before",
    Status.WRONG: "wrong",
    Status.INCONSISTENT: "right number, but it doesn't follow from the rows before",
    Status.MISSING: "missing",
}
LONGEST_NAME = 80
"""Bytes of a student's name in the name of a file."""
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
"""Names of files that Windows keeps for itself."""
SPECIAL = re.compile(
    r"([\\`*_{}\[\]|<>~$&@]|(?<=http):|(?<=https):|(?<=www)\.|^\s*(?:[#+=-]|\d+(?=[.)])))"
)
"""What Markdown may take for more than text; at the beginning also lists and headings."""


def pages(title: str, marks: Sequence[Mark], form: PageFormat) -> Iterator[tuple[str, str]]:
    """The file's name and the content of every student's page."""
    of: dict[str, list[Mark]] = {}
    for mark in marks:
        of.setdefault(mark.student, []).append(mark)
    names = file_names(of, form)
    make = _html if form == "html" else _markdown
    for student, own in of.items():
        yield names[student], make(title, student, own)


def file_names(students: Mapping[str, object] | Sequence[str], form: PageFormat) -> dict[str, str]:
    """A name of a file for each student: safe on every system, and no two the same.

    A name that had to be changed, or that differs from another by its case alone, has eight digits
    of its hash behind it.
    """
    plain = {student: _plain_name(student) for student in students}
    count = Counter(name.casefold() for name in plain.values())
    found = {}
    for student, name in plain.items():
        if name != unicodedata.normalize("NFC", student) or count[name.casefold()] > 1:
            digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()
            name = f"{name or 'student'}-{digest[:8]}"  # noqa: PLW2901
        found[student] = f"{name}.{form}"
    return found


def _plain_name(student: str) -> str:
    """A name without what a system takes for more than a letter."""
    kept = (c if c.isalnum() or c in " -_." else "_" for c in unicodedata.normalize("NFC", student))
    name = "".join(kept).strip(" .")
    while len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME:
        name = name[:-1]
    name = name.rstrip(" .")
    return f"_{name}" if RESERVED.fullmatch(name) else name


# --- what a page says ----------------------------------------------------------------------


def _said(title: str, student: str, marks: Sequence[Mark]) -> Iterator[tuple[str, ...]]:
    """All that a page says in order: what a part is, and its texts; a mark is one for a file."""
    yield "title", title
    yield "student", student
    if len(marks) > 1:
        yield "text", f"{len(marks)} files were handed in; each is marked below."
    for mark in marks:
        yield "file", mark.file
        unmarked = mark.score is None
        yield "score", "not marked" if unmarked else f"{mark.score:.6g} / {mark.max_score:.6g}"
        yield "right" if mark.standing is Standing.OK else "wrong", _verdict(mark)
        if mark.marked is not None:
            yield from _rows(mark.marked)
        if mark.notes:
            yield ("notes",)
            for note in mark.notes:
                yield "note", placed(note, note.text)
            yield ("end of notes",)
        yield ("end",)


def _verdict(mark: Mark) -> str:
    """One sentence on a submission."""
    if mark.score is None:
        return f"This file was not marked: {mark.reason}"
    if mark.standing is Standing.OK:
        return "Everything is right."
    if mark.standing is Standing.OTHER_POINT:
        return "This is for another point than the task's, so it could not be judged."
    count = len(mark.marked.roots) if mark.marked is not None else 1
    return f"There {'is one mistake' if count == 1 else f'are {count} mistakes'}."


def _rows(marked: Marked) -> Iterator[tuple[str, ...]]:
    """The rows where something went wrong, what to say of each, and all rows with their marks."""
    for row in marked.roots:
        yield "mistake", placed(row, what(row)), label(row)
        if row.text and row.line:
            yield "code", row.text
        if row.message:
            yield "text", row.message
        if len(row.tags) > 1:
            yield "text", "Any of these mistakes explains it."
        meanings = {tag: BY_TAG[tag].what for tag in row.tags if tag in BY_TAG}
        for tag, meaning in meanings.items():
            yield "text", f"{tag}: {meaning.replace('`', '')}"
        if row.follow:
            yield "text", followers(row)
    yield ("rows",)
    for row in marked.rows:
        kind = "right row" if row.status in RIGHT else "wrong row"
        marks = f"{row.earned:.6g}" + (f" / {row.max:.6g}" if row.max else "")
        yield kind, what(row), WORDS[row.status], marks
    yield ("end of rows",)


# --- HTML ------------------------------------------------------------------------------------

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """\
:root{color-scheme:light dark;--ink:#1c2024;--soft:#5b6570;--page:#fff;--box:#f4f6f8;--line:#d5dbe1;
--bad:#b3261e;--good:#1b6e3a}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa5b1;--page:#15181b;--box:#1f2428;
--line:#363d44;--bad:#ff8a80;--good:#7fd69b}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:44rem;background:var(--page);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.4rem;margin:.5rem 0}h2{font-size:1.15rem;margin:1.5rem 0 .5rem}
h3{font-size:1rem;margin:1rem 0 .25rem;color:var(--bad)}
.score{font-size:1.2rem;font-weight:600}.soft{color:var(--soft)}
.good{color:var(--good)}.bad{color:var(--bad)}
pre{background:var(--box);border-left:.25rem solid var(--bad);margin:.25rem 0;padding:.5rem .75rem;
overflow-x:auto;font:.9rem/1.4 ui-monospace,monospace}
.rows{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}
td:last-child,th:last-child{text-align:right;white-space:nowrap}
"""


def _html(title: str, student: str, marks: Sequence[Mark]) -> str:
    body = "".join(
        HTML[kind].format(*(escape(visible(text)) for text in texts))
        for kind, *texts in _said(title, student, marks)
    )
    head = escape(visible(f"{title}: {student}"))
    return html_head(head, STYLE, policy=POLICY) + f"{body}</body>\n</html>\n"


HTML = {
    "title": "<h1>{}</h1>\n",
    "student": '<p class="soft">{}</p>\n',
    "text": "<p>{}</p>\n",
    "file": "<section>\n<h2>{}</h2>\n",
    "score": '<p><span class="score">{}</span></p>\n',
    "right": '<p class="good">{}</p>\n',
    "wrong": '<p class="bad">{}</p>\n',
    "mistake": "<h3>{} &middot; {}</h3>\n",
    "code": "<pre><code>{}</code></pre>\n",
    "rows": '<h2>All rows</h2>\n<div class="rows"><table>\n'
    "<tr><th>row</th><th>result</th><th>marks</th></tr>\n",
    "right row": '<tr><td>{}</td><td class="good">{}</td><td>{}</td></tr>\n',
    "wrong row": '<tr><td>{}</td><td class="bad">{}</td><td>{}</td></tr>\n',
    "end of rows": "</table></div>\n",
    "notes": "<h2>Notes</h2>\n<ul>\n",
    "note": "<li>{}</li>\n",
    "end of notes": "</ul>\n",
    "end": "</section>\n",
}


# --- Markdown --------------------------------------------------------------------------------


def _text(text: str) -> str:
    """A text on one line that is nothing but text in Markdown."""
    return SPECIAL.sub(r"\\\1", visible(text))


def _fenced(text: str) -> str:
    """A line of code, whatever backticks are in it."""
    longest = max((len(found) for found in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}python\n{visible(text)}\n{fence}\n\n"


def _markdown(title: str, student: str, marks: Sequence[Mark]) -> str:
    parts = []
    for kind, *texts in _said(title, student, marks):
        if kind == "code":
            parts.append(_fenced(*texts))
        else:
            plain = NUMBER.get(kind)
            shown = (t if i == plain else _text(t) for i, t in enumerate(texts))
            parts.append(MARKDOWN[kind].format(*shown))
    return "".join(parts).rstrip("\n") + "\n"


MARKDOWN = {
    "title": "# {}\n\n",
    **dict.fromkeys(("student", "text", "right", "wrong"), "{}\n\n"),
    "file": "## {}\n\n",
    "score": "**{}**\n\n",
    "mistake": "### {}: {}\n\n",
    "rows": "### All rows\n\n| row | result | marks |\n| --- | --- | --- |\n",
    **dict.fromkeys(("right row", "wrong row"), "| {} | {} | {} |\n"),
    "notes": "### Notes\n\n",
    "note": "- {}\n",
    **dict.fromkeys(("end of rows", "end of notes"), "\n"),
    "end": "",
}
NUMBER = {"score": 0, "right row": 2, "wrong row": 2}
"""Which of the texts is a number, in which nothing is markup."""
