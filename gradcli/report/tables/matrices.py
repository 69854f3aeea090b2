"""Jacobians and Hessians as text: one labelled matrix where it is small, else block by block.

A label names an element (`x[0]`, `W[0, 1]`), which shows the layout
and how a matrix was taken apart. What is larger than `MOST` rows or columns is summarised; CSV and
JSON have everything. A matrix that is wider than the terminal goes on below, columns by columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcli.diagnostics.error import cell_width
from gradcli.report.fractions import LATEX, PLAIN
from gradcli.report.json import document, laid_out, plain
from gradcli.report.mathematics.names import name
from gradcli.report.numbers import decimals, folded, number, painted, shape_text, shown, summary
from gradcli.report.tables import csv as csv_table
from gradcli.report.tables import grid
from gradcli.report.tables import latex as tex
from gradcli.report.tables import markdown as markdown_table
from gradcli.report.tables.markdown import code, escaped
from gradcli.report.tables.model import Cell, Column, Name, Number, Table
from gradcli.report.tables.rows import AGREEING, disagreeing
from gradcli.results.corners import at_corners
from gradcli.results.matrices import Block, Hessian, Jacobian, labels, laid

if TYPE_CHECKING:
    from gradcli.ops.operation import Array
    from gradcli.report.style import Style

MOST = 12
"""A matrix of more rows or columns is summarised."""

MOST_LATEX = 10
"""amsmath's matrices have no more columns."""


class Labelled(NamedTuple):
    """A matrix with a label for every row and column, and a title."""

    title: str
    rows: list[str]
    columns: list[str]
    value: Array

    @property
    def is_small(self) -> bool:
        """Whether all of it is shown."""
        return all(n <= MOST for n in self.value.shape)


def pieces(found: Jacobian | Hessian, form: str, style: Style) -> Iterator[str]:
    """The report in one of the formats. It ends with a newline."""
    return _FORMATS[form](found, style)


# --- what is shown -----------------------------------------------------------------------


def whole(found: Jacobian | Hessian) -> Labelled:
    """Everything as one matrix."""
    blocks = found.blocks
    by = {b.by: b.by_type for b in blocks}
    rows = [label for name, t in by.items() for label in labels(name, t.shape)]
    if isinstance(found, Hessian):
        if found.vector is not None:
            vector = [np.ravel(part) for part in found.vector.values()]
            both = np.stack([np.concatenate(vector or [np.zeros(0)]), found.matrix], axis=1)
            return Labelled("H v", rows, ["v", "H v"], both)
        return Labelled("Hessian", rows, rows, found.matrix)
    columns = labels(found.name, found.of.shape)
    if found.layout == "numerator":
        rows, columns = columns, rows
    return Labelled("Jacobian", rows, columns, found.matrix)


def parts(found: Jacobian | Hessian) -> Iterator[tuple[Block, Labelled]]:
    """The blocks one by one, as they are shown; of a symmetric pair the first."""
    done: set[tuple[str, str]] = set()
    layout = found.layout if isinstance(found, Jacobian) else "denominator"
    for block in found.blocks:
        if isinstance(found, Hessian) and (block.of, block.by) in done:
            continue
        done.add((block.by, block.of))
        rows = labels(block.by, block.by_type.shape)
        columns = labels(block.of, block.of_type.shape)
        value = laid(block.value, layout)
        if isinstance(found, Hessian) and found.vector is not None:
            both = (found.vector[block.by], (found.product or {})[block.by])
            columns, value = ["v", "H v"], np.stack([np.ravel(part) for part in both], axis=1)
        elif layout == "numerator":
            rows, columns = columns, rows
        yield block, Labelled(title(found, block), rows, columns, value)


def title(found: Jacobian | Hessian, block: Block) -> str:
    """`∂f/∂x`, `∂²f/∂x∂y`."""
    if isinstance(found, Hessian) and found.vector is not None:
        return f"H v, {block.by}"
    return PLAIN.derivative(found.name, _names(found, block))


def _names(found: Jacobian | Hessian, block: Block) -> list[str]:
    """What a block is the derivative by."""
    return [block.by] if isinstance(found, Jacobian) else [block.by, block.of]


def checked(found: Jacobian | Hessian) -> str:
    """`checked: 4 of 4 blocks agree, fewest digits 11.3`."""
    if not found.matrix.size:
        return "nothing to check"
    if found.verdict is None:
        return "; ".join(["not checked", *_conventions(found)])
    agree = sum(found.counts.get(verdict, 0) for verdict in AGREEING)
    others = disagreeing(found.counts)
    partly = sum(not b.complete for b in found.blocks)
    others += [f"{partly} of them in part"] if partly else []
    missing = sum(b.check is None for b in found.blocks)
    others += [f"{missing} not checked for want of time"] if missing else []
    count = len(found.blocks)
    words = "block agrees" if count == 1 else "blocks agree"
    text = ", ".join([f"checked: {agree} of {count} {words}", *others])
    worst = _worst(found)
    return text if worst is None else f"{text}; fewest digits: {worst[1]:.1f}"


def _conventions(found: Jacobian | Hessian) -> Iterator[str]:
    """What stands at a corner, where no check says so: its derivative there is a convention."""
    graph, inputs = found.result.graph, {block.by for block in found.blocks}
    wrt = [i for i in graph.inputs if graph.nodes[i].name in inputs]
    corners = at_corners(graph, found.result.values, wrt)
    if corners:
        listed = ", ".join([*corners[:CORNERS], *["…"] * (len(corners) > CORNERS)])
        if len(corners) == 1:
            yield f"the derivative of {listed} at its corner is a convention"
        else:
            yield f"the derivatives of {listed} at their corners are conventions"


CORNERS = 3
"""How many operations at a corner are named."""


def _worst(found: Jacobian | Hessian) -> tuple[Block, float] | None:
    """The passing block with the fewest agreeing digits."""
    passing = [
        (b, b.check.digits)
        for b in found.blocks
        if b.check is not None and b.check.verdict == "pass" and b.check.digits is not None
    ]
    return min(passing, key=lambda pair: pair[1]) if passing else None


def complaints(found: Jacobian | Hessian) -> Iterator[str]:
    """What the check says of the blocks that do not agree, or of which only a part was checked."""
    for block in found.blocks:
        if block.check is not None and (not block.complete or block.check.verdict not in AGREEING):
            yield f"{title(found, block)}: {block.words}"


def closing(found: Jacobian | Hessian) -> tuple[str, str]:
    """The last line: what it is, and how it is to be read."""
    if isinstance(found, Jacobian):
        rows = "the output" if found.layout == "numerator" else "inputs"
        columns = "inputs" if found.layout == "numerator" else "the output"
        layout = f"{found.layout} layout (rows: {rows}, columns: {columns})"
        return "Jacobian", f"of {found.name}, {layout}, {found.mode} mode"
    return "Hessian", f"of {found.name}{', symmetric' if found.vector is None else ' times v'}"


# --- for people --------------------------------------------------------------------------


def table(found: Jacobian | Hessian, style: Style) -> Iterator[str]:
    """A matrix with its labels, what does not agree, and the last line."""
    one = whole(found)
    if not one.value.size:
        yield "there is nothing to differentiate by\n" if not found.blocks else "empty\n"
    elif one.is_small:
        yield from _grid(one, style)
    else:
        for i, (_, part) in enumerate(parts(found)):
            yield "\n" * (i > 0)
            size = shape_text(part.value.shape, style)
            yield painted(shown(part.title, style), "bold", style) + f"  {size}\n"
            if not part.value.size:
                continue
            if part.is_small:
                yield from _grid(part, style)
            else:
                yield f"{summary(part.value, style.precision)}\n"
    notes = [shown(text, style) for text in complaints(found)]
    for text in ["", *notes] if notes else []:
        yield from (f"{row}\n" for row in folded(text, style.width or 10_000))
    head, words = closing(found)
    end = shown(checked(found), style)
    whole_line = f"{head}  {shown(words, style)}   {end}"
    rows = [whole_line]
    if style.width is not None and cell_width(whole_line) > style.width:
        room = max(8, style.width - len(head) - grid.GAP)
        rows = [*folded(shown(words, style), room), *folded(end, room)]
        rows = [f"{'' if i else head:<{len(head)}}  {row}" for i, row in enumerate(rows)]
    look = "bold red" if found.verdict == "fail" else "green"
    rows[0] = painted(head, "bold", style) + rows[0][len(head) :]
    if found.verdict in ("pass", "fail") and rows[-1].endswith(end):
        rows[-1] = rows[-1][: -len(end)] + painted(end, look, style)
    yield "\n" + "\n".join(rows) + "\n"


def _grid(matrix: Labelled, style: Style) -> Iterator[str]:
    """The matrix, in as many parts as its columns need."""
    rows = [shown(label, style) for label in matrix.rows]
    side = max(map(cell_width, rows))
    columns = []
    for title, values in zip(matrix.columns, matrix.value.T, strict=True):
        texts = [number(float(x), style.precision) for x in values]
        room = decimals(texts)
        columns.append([shown(title, style), *map(room.pad, texts)])
    widths = [max(map(cell_width, column)) for column in columns]
    start = 0
    while start < len(columns):
        end, used = start, side
        while end < len(columns) and (
            end == start or style.width is None or used + grid.GAP + widths[end] <= style.width
        ):
            used += grid.GAP + widths[end]
            end += 1
        yield "\n" * (start > 0)
        lines = zip(["", *rows], *columns[start:end], strict=True)
        for i, (label, *cells) in enumerate(lines):
            text = grid.line([label, *cells], [side, *widths[start:end]])
            if i:
                text = painted(text[: len(label)], "bold", style) + text[len(label) :]
            else:
                text = painted(text, "bold", style)
            yield text + "\n"
            if not i:
                yield grid.rule(used, style)
        start = end


# --- for other programs ------------------------------------------------------------------


def csv(found: Jacobian | Hessian, style: Style) -> Iterator[str]:
    """The whole matrix, every number in full."""
    return csv_table.written(_table(whole(found), style), style)


def _table(matrix: Labelled, style: Style) -> Table:
    heads = [Column(""), *(Column(label, numbers=True, typed=True) for label in matrix.columns)]
    rows: Iterator[list[Cell]] = (
        [Name(label), *(Number(float(x), style.precision) for x in row)]
        for label, row in zip(matrix.rows, matrix.value, strict=True)
    )
    return Table(heads, rows)


def markdown(found: Jacobian | Hessian, style: Style) -> Iterator[str]:
    """A table per matrix that is shown, and the last line."""
    one = whole(found)
    shown_parts = [one] if one.is_small else [part for _, part in parts(found)]
    for i, part in enumerate(shown_parts):
        yield "\n" * (i > 0)
        if not one.is_small:
            yield f"{code(shown(part.title, style))}, {shape_text(part.value.shape, style)}"
            yield "\n\n" if part.is_small else f": {summary(part.value, style.precision)}\n"
        if part.is_small and part.value.size:
            yield from markdown_table.written(_table(part, style), style)
    for text in complaints(found):
        yield f"\n{escaped(shown(text, style))}\n"
    head, words = closing(found)
    yield f"\n**{head}** {escaped(shown(words, style))}; {escaped(checked(found))}\n"


def latex(found: Jacobian | Hessian, style: Style) -> Iterator[str]:
    """An equation per block, with what it needs in a comment above."""
    yield "% \\usepackage{amsmath}\n"
    for block, part in parts(found):
        left = LATEX.derivative(name(found.name), [*map(name, _names(found, block))])
        value = part.value
        if isinstance(found, Hessian) and found.vector is not None:
            left, value = rf"(H v)_{{{name(block.by)}}}", value[:, 1:]
        yield f"\\[ {left} = {_matrix(value, style)} \\]\n"


def _matrix(value: Array, style: Style) -> str:
    if value.shape == (1, 1):
        return tex.value(value[0, 0], style.precision)
    if not value.size or value.shape[0] > MOST or value.shape[1] > MOST_LATEX:
        return tex.value(value, style.precision)
    return tex.matrix(value, style.precision)


def json(found: Jacobian | Hessian, style: Style) -> Iterator[str]:
    """The object of schema gradcli.jacobian/1 or gradcli.hessian/1, piece by piece."""
    return laid_out(_fields(found), found.result.program, style)


def _fields(found: Jacobian | Hessian) -> Iterator[tuple[str, Any]]:
    command = "jacobian" if isinstance(found, Jacobian) else "hessian"
    for key, value in document(found.result, command):
        if key != "check":
            yield key, value
    if isinstance(found, Jacobian):
        yield "jacobian", {name: plain(m) for name, m in found.matrices.items()}
        yield "layout", found.layout
        yield "mode", found.mode
    elif found.vector is None:
        yield "hessian", _hessian(found)
    else:
        yield "hessian", None
        yield "vector", {name: plain(v) for name, v in found.vector.items()}
        yield "product", {name: plain(v) for name, v in (found.product or {}).items()}
    yield "check", _check(found)


def _hessian(found: Hessian) -> dict[str, dict[str, Any]]:
    """By two numbers a number, else a matrix."""
    blocks: dict[str, dict[str, Any]] = {}
    for b in found.blocks:
        scalar = not b.by_type.shape and not b.of_type.shape
        blocks.setdefault(b.by, {})[b.of] = plain(b.value[0, 0] if scalar else b.value)
    return blocks


def _check(found: Jacobian | Hessian) -> dict[str, Any] | None:
    if found.verdict is None:
        return None
    worst = _worst(found)
    product = isinstance(found, Hessian) and found.vector is not None
    return {
        "verdict": found.verdict,
        "rows": sum(b.check is not None for b in found.blocks),
        "counts": found.counts,
        "worst": None if worst is None else {"node": worst[0].by, "digits": worst[1]},
        "blocks": [
            {
                "rows": b.by,
                "columns": None if product else b.of,
                "verdict": None if b.check is None else str(b.check.verdict),
                "error_estimate": None if b.check is None else plain(b.check.error_estimate),
                "digits": None if b.check is None else plain(b.check.digits),
                "words": b.words,
            }
            for b in found.blocks
        ],
    }


_FORMATS = {"table": table, "json": json, "csv": csv, "markdown": markdown, "latex": latex}
