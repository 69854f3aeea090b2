"""The table for a paper: a `tabular` for pdfLaTeX with amsmath and booktabs.

Operations are written by the LaTeX form of their row in the operation table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.engine.notation import option_tree
from gradcli.graph.draft import Literal
from gradcli.report.mathematics.names import name, numeral, text
from gradcli.report.numbers import is_small, number, summary
from gradcli.report.tables import rows
from gradcli.report.tables.layout import parted
from gradcli.report.tables.model import Cell, Name, Number, Operation, Shape, Words
from gradcli.syntax.printer import print_tree

if TYPE_CHECKING:
    from gradcli.graph.graph import Graph, Node
    from gradcli.report.style import Style
    from gradcli.results.result import Result


def pieces(result: Result, style: Style, command: str) -> Iterator[str]:
    """The tabular, with what it needs in a comment above."""
    table = rows.table(result, style, command)
    alignment = "".join("r" if column.numbers else "l" for column in table.columns)
    yield f"% \\usepackage{{amsmath, booktabs}}\n\\begin{{tabular}}{{{alignment}}}\n\\toprule\n"
    yield _line(text(column.title) for column in table.columns) + "\\midrule\n"
    for row in table.rows:
        yield _line(map(_cell, row))
    yield "\\bottomrule\n\\end{tabular}\n"


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + " \\\\\n"


def _cell(cell: Cell) -> str:
    match cell:
        case Number(found, precision, places):
            if found is None:
                return ""
            return f"${value(found, precision)}$" if places is None else f"{found:.{places}f}"
        case Name(typed):
            return f"${name(typed)}$"
        case Operation(typed, graph, node):
            return operation(graph, node, typed)
        case Words(words):
            return text(parted(words, "full")[0])
        case Shape(axes):
            lengths = r" \times ".join(map(str, axes))
            return f"${lengths}$" if axes else ""
        case words:
            return words


# --- numbers and arrays ------------------------------------------------------------------


def value(found: Any, precision: int) -> str:
    """A number, a small array as a matrix (a vector is a column), a large one summarised."""
    if isinstance(found, float) or np.ndim(found) == 0:
        return numeral(number(float(found), precision))
    if not np.size(found):
        return "[\\,]"
    if np.ndim(found) > 2 or not is_small(found):
        smallest, largest, norm = map(numeral, summary(found, precision))
        return rf"{smallest} \ldots {largest},\ \lVert\cdot\rVert = {norm}"
    return matrix(found, precision)


def matrix(found: Any, precision: int) -> str:
    """All elements of a matrix, or of a vector as a column."""
    lines = r" \\ ".join(
        " & ".join(numeral(number(float(x), precision)) for x in np.atleast_1d(line))
        for line in np.asarray(found)
    )
    return rf"\begin{{pmatrix}} {lines} \end{{pmatrix}}"


# --- operations ---------------------------------------------------------------------------

_CONSTANTS = {"pi": r"\pi", "π": r"\pi", "tau": r"\tau", "τ": r"\tau", "e": "e"}
_NUMBER = re.compile(r"-?[\d.]")


def operation(graph: Graph, node: Node, typed: str) -> str:
    """A node's operation, by its LaTeX form if that says all, else as it is typed."""
    if node.operation is None:
        (literal,) = node.operands
        assert isinstance(literal, Literal)
        return f"${_literal(literal)}$"
    row = node.operation
    said = {p.name for p in row.parameters if f"{{{p.name}}}" in row.latex}
    silent = [
        p
        for p in row.parameters
        if p.option and p.name not in said and node.given.get(p.name, p.default) != p.default
    ]
    if not row.latex or silent or not said:
        return rf"\texttt{{{text(typed)}}}"
    operands = [name(graph.nodes[o].name) if isinstance(o, int) else _literal(o)
                for o in node.operands]  # fmt: skip
    meaning = {}
    for i, p in enumerate(row.operands):
        last = len(operands) if p.variadic else i + 1
        meaning[p.name] = ", ".join(operands[i:last])
    for p in row.parameters:
        if p.option and p.name in said:  # the items of an index have commas between them
            value = node.given.get(p.name, p.default)
            items = value if isinstance(value, tuple) else (value,)
            meaning[p.name] = text(", ".join(print_tree(option_tree(item)) for item in items))
    return f"${_substituted(row.latex, meaning)}$"


def _substituted(template: str, meaning: Mapping[str, str]) -> str:
    """The template with its parameters filled in: `{x}^{n}` is `{a}^{10}`.

    A negative number gets brackets unless it stands in some already.
    """

    def fill(match: re.Match[str]) -> str:
        found = meaning.get(match[1])
        if found is None:
            return match[0]
        before, after = template[: match.start()], template[match.end() :]
        if found.startswith("-") and not before.rstrip().endswith((",", "(", "{", "_", "^")):
            found = f"({found})"
        left, right = before[-1:], after[:1]
        second = right in {"^", "_"} and right in found
        alone = left in {"", " ", "(", ",", "-"} and not second
        return found if alone or (left, right) == ("{", "}") else f"{{{found}}}"

    return re.sub(r"\{(\w+)\}", fill, template)


def _literal(literal: Literal) -> str:
    if _NUMBER.match(literal.text):
        return numeral(literal.text.replace("_", "").lower())
    if literal.text in _CONSTANTS:
        return _CONSTANTS[literal.text]
    return value(literal.value, 6)
