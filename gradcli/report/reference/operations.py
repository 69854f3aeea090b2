"""The operation table for people and for programs: `gradcli ops`, and docs/operations.md.

Rows of the table come in; out come a line for each, by groups, or all about a few of them. The
formulas shown are the textbook's; where another form of one runs, both are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from gradcli import ops
from gradcli.diagnostics.error import cell_width
from gradcli.ops import Composition, Function
from gradcli.ops.operation import Operation, Type
from gradcli.report.json import encoder, indented, plain
from gradcli.report.numbers import folded, padded, painted, shown
from gradcli.report.reference.forms import Form, by_group, commands, forms, groups, written
from gradcli.report.style import Style
from gradcli.report.tables.markdown import code
from gradcli.report.tables.markdown import written as written_table
from gradcli.report.tables.model import Cell, Column, Table, Words

MOST_FORMS = 6
"""The most sets of rules of an operation shown in text; JSON has all."""

MOST_EXAMPLES = 2
MARKDOWN = (
    *("operation", "what it is", "derivative"),
    *("runs as", "defined for", "where there is none"),
)
NAME_WIDTH = 34
LABEL_WIDTH = 14
_TWICE = re.compile(r"\{\{([^{}]*)\}\}")


def listing(found: tuple[Function, ...] | None, form: str, style: Style) -> str:
    """The listing of all operations, or all about some. Raises `ValueError` for no such format."""
    rows = None if found is None else tuple(f for f in found if isinstance(f, Operation))
    composed = tuple(
        f for f in (ops.COMPOSITIONS if found is None else found) if isinstance(f, Composition)
    )
    if form == "json":
        return _json(rows, composed, style)
    if form == "markdown":
        return "\n".join(_markdown(rows, composed, style))
    if form != "table":
        raise ValueError(f"no format {form!r}")
    lines = _listing(style) if rows is None else _blocks(rows, composed, style)
    return "".join(f"{text}\n" for text in lines)


def also_called(row: Operation) -> list[str]:
    """The other names that an operation can be called by."""
    own = written(row).partition("(")[0]
    return [name for name in row.aliases if name != own]


def latex(row: Operation) -> str:
    """The LaTeX form, with the parameters' names in it."""
    return _TWICE.sub(r"{\1}", row.latex)


def rule(row: Operation, name: str, formula: str) -> str:
    """A rule as a user writes it in a block: `d/dx = out*(1 - out)`, `delta_A = delta @ B.T`."""
    return f"d/d{name} = {formula}" if row.elementwise else f"delta_{name} = {formula}"


# --- text --------------------------------------------------------------------------------


def _listing(style: Style) -> Iterator[str]:
    for title, rows in groups().items():
        yield painted(title, "bold", style)
        for row in rows:
            yield from _entry(f"  {written(row)}", row.doc, NAME_WIDTH, style)
        yield ""
    for group, found in by_group(ops.COMPOSITIONS).items():
        yield painted(f"{group}, of several operations", "bold", style)
        for one in found:
            words = [p.name for p in one.parameters if p.required]
            more = ["…"] if len(words) < len(one.parameters) else []
            call = f"  {one.name}({', '.join([*words, *more])})"
            yield from _entry(call, one.doc, NAME_WIDTH, style)
        yield ""
    yield from _entry("", "gradcli ops NAME: derivatives, domain and examples of one.", 0, style)


def _entry(start: str, words: str, indent: int, style: Style) -> Iterator[str]:
    """A name and what is said of it, on more lines where the terminal is narrow."""
    start = shown(start, style)
    lines = [shown(words, style)]
    if style.width is not None:
        lines = folded(lines[0], max(20, style.width - indent))
    if cell_width(start) >= indent:
        yield start
        start = ""
    for text in lines:
        yield f"{padded(start, indent)}{text}".rstrip()
        start = ""


def _blocks(
    rows: tuple[Operation, ...], composed: tuple[Composition, ...], style: Style
) -> Iterator[str]:
    for i, row in enumerate(rows):
        if i:
            yield ""
        yield painted(shown(written(row), style), "bold", style)
        yield from _entry("", row.doc, 2, style)
        yield ""
        for label, words, depth in _facts(row):
            yield from _entry(f"  {label}", words, LABEL_WIDTH + depth, style)
        for k, example in enumerate(islice(commands(row), MOST_EXAMPLES)):
            label = "" if k else "  example"
            for text in _command(shown(example, style), style):
                yield f"{label:<{LABEL_WIDTH}}{text}"
                label = ""

    for i, one in enumerate(composed):
        if rows or i:
            yield ""
        yield painted(shown(ops.signature(one), style), "bold", style)
        yield from _entry("", one.doc, 2, style)
        yield ""
        example = f'gradcli eval "sum({one.name}({one.samples[0]}))" --value'
        facts = [("stands for", one.definition), ("example", example)]
        if len(one.aliases) > 1:
            facts.insert(0, ("also", ", ".join(one.aliases[1:])))
        for label, words in facts:
            yield from _entry(f"  {label}", words, LABEL_WIDTH, style)


def _command(words: str, style: Style) -> list[str]:
    """An example on the lines it needs; a shell reads them as one, so that it can be copied."""
    if style.width is None or LABEL_WIDTH + cell_width(words) <= style.width:
        return [words]
    room = style.width - LABEL_WIDTH - len(" \\")
    lines = [""]
    for part in re.split(r" (?=--)", words):
        longer = f"{lines[-1]} {part}" if lines[-1] else part
        if lines[-1] and cell_width(longer) > room:
            lines[-1] += " \\"
            longer = f"  {part}"
        else:
            lines.pop()
        lines.append(longer)
    return lines


def _facts(row: Operation) -> Iterator[tuple[str, str, int]]:
    """What a block says, line by line: a label, words, and how far they are moved in."""
    if others := also_called(row):
        yield "also", ", ".join(others), 0
    if row.latex:
        yield "LaTeX", latex(row), 0
    kind = "derivative" if row.elementwise else "backward"
    for label, lines in ((kind, _rules(row)), ("runs as", _running(row))):
        yield from (("" if i else label, *line) for i, line in enumerate(lines))
    if row.domain:
        yield "defined", row.domain, 0
    if row.convention:
        yield "at corners", row.convention, 0
    yield from (("" if i else "digits", said, 0) for i, said in enumerate(lost_digits(row)))


def lost_digits(row: Operation) -> list[str]:
    """Where the row's results have fewer right digits than those of other rows, as sentences."""
    subjects = {"": "the value"} | {p.name: f"d/d{p.name}" for p in row.operands}
    found = [f"{subjects[loss.operand]} loses digits {loss.reason}" for loss in row.losses]
    if row.factorises and not row.scalar:
        found.append("errors are relative to the largest element")
    return found


def _running(row: Operation) -> Iterator[tuple[str, int]]:
    """The rules that run in another form than the textbook's."""
    found = [(form, form.running) for form in forms(row) if form.running]
    yield from _formulas(row, found, headed=len(found) > 1)
    if found:
        yield "the same derivative, with all digits", 0


def _rules(row: Operation) -> Iterator[tuple[str, int]]:
    """The rules as lines; above each set of several, what it holds for."""
    found = [(form, form.rules) for form in forms(row) if form.rules]
    yield from _formulas(row, found, headed=len(found) > 1 or any(f.shapes for f, _ in found))
    if len(found) > MOST_FORMS:
        yield f"({len(found) - MOST_FORMS} more for other shapes and options: --json)", 0
    text = " ".join(formula for _, rules in found for formula in rules.values())
    legend = {"out": f"out is {written(row)}", "delta": "delta is ∂f/∂out"}
    if used := [words for name, words in legend.items() if re.search(rf"\b{name}\b", text)]:
        yield f"where {', '.join(used)}", 0


def _formulas(
    row: Operation, found: list[tuple[Form, dict[str, str]]], *, headed: bool
) -> Iterator[tuple[str, int]]:
    for form, rules in found[:MOST_FORMS]:
        if headed:
            yield _application(form), 0
        for name, formula in rules.items():
            yield rule(row, name, formula), 2 * headed


def _application(form: Form) -> str:
    shapes = ", ".join(f"{name} {Type(shape)}" for name, shape in form.shapes.items())
    if len(form.shapes) > 1 and len(set(form.shapes.values())) == 1:
        shapes = f"operands that are each {Type(next(iter(form.shapes.values())))}"
    return f"{form.text} for {shapes}:" if shapes else f"{form.text}:"


# --- JSON --------------------------------------------------------------------------------


def _json(
    rows: tuple[Operation, ...] | None, composed: tuple[Composition, ...], style: Style
) -> str:
    encode = encoder(ascii_only=style.ascii)
    titles = {row.name: title for title, group in groups().items() for row in group}
    wanted = [row for group in groups().values() for row in group] if rows is None else rows
    whole = {
        "schema": "gradcli.ops/1",
        "operations": [_object(row, titles[row.name]) for row in wanted],
        "compositions": [
            {
                "name": one.name,
                "group": one.group,
                "written": ops.signature(one),
                "aliases": list(one.aliases),
                "doc": one.doc,
                "text": one.definition,
            }
            for one in composed
        ],
    }
    return (indented(whole, encode) if style.pretty else encode(whole)) + "\n"


def _object(row: Operation, group: str) -> dict[str, Any]:
    return {
        "name": row.name,
        "group": group,
        "written": written(row),
        "aliases": list(row.aliases),
        "doc": row.doc,
        "parameters": [
            {
                "name": p.name,
                "kind": "option" if p.option else "operand",
                "variadic": p.variadic,
                "required": p.required,
                "default": plain(p.default) if isinstance(p.default, float) else p.default,
            }
            for p in row.parameters
        ],
        "elementwise": row.elementwise,
        "rules": [
            {
                "form": f.text,
                "shapes": {n: list(s) for n, s in f.shapes.items()},
                "rules": f.rules,
                "running": f.running,
            }
            for f in forms(row)
        ],
        "losses": lost_digits(row),
        "domain": row.domain or None,
        "convention": row.convention or None,
        "latex": latex(row) or None,
        "examples": list(islice(commands(row), MOST_EXAMPLES)),
    }


# --- Markdown ----------------------------------------------------------------------------


def _markdown(
    rows: tuple[Operation, ...] | None, composed: tuple[Composition, ...], style: Style
) -> Iterator[str]:
    """A table per group; of some rows one table."""
    if rows is not None:
        if rows or not composed:
            yield _markdown_table(list(rows), style)
        if composed:
            yield _composed_table(composed, style)
        return
    for title, group in groups().items():
        yield f"## {title[0].upper()}{title[1:]}\n"
        yield _markdown_table(group, style)

    yield "## Functions of several operations\n"
    yield "Each stands for what its last column says: these operations go into the graph.\n"
    for title, found in by_group(ops.COMPOSITIONS).items():
        yield f"### {title[0].upper()}{title[1:]} of several operations\n"
        yield _composed_table(found, style)


def _composed_table(found: Iterable[Composition], style: Style) -> str:
    heads = [Column(title) for title in ("function", "what it is", "stands for")]
    cells = ((code(ops.signature(one)), Words(one.doc), code(one.definition)) for one in found)
    return "".join(written_table(Table(heads, cells), style))


def _markdown_table(rows: list[Operation], style: Style) -> str:
    heads = [Column(title) for title in MARKDOWN]
    return "".join(written_table(Table(heads, (_cells(row, style) for row in rows)), style))


def _cells(row: Operation, style: Style) -> tuple[Cell, ...]:
    def codes(texts: Iterable[str], between: str) -> str:
        return between.join(code(shown(text, style)) for text in texts)

    found = [form for form in forms(row) if form.rules][:1]
    rules = [rule(row, name, text) for form in found for name, text in form.rules.items()]
    running = [rule(row, name, text) for form in found for name, text in form.running.items()]
    return (
        codes((written(row), *also_called(row)), ", "),
        Words("; ".join([row.doc, *lost_digits(row)])),
        codes(rules, "<br>"),
        codes(running, "<br>"),
        Words(row.domain),
        Words(row.convention),
    )
